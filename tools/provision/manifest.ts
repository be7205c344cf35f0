// The manifest of a folder of images: what each file is and what it was made from, by digests, so that somebody who has the
// folder can tell that it is whole. It holds no secrets and no time: the same input gives the same manifest.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { shaped } from '../issue/problem.ts';
import type { InputFile } from './policy-file.ts';

/** Its name in the folder. */
export const MANIFEST_FILE = 'manifest.json';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in hexadecimal');
const schema = z.strictObject({
  format: z.literal('mpcp-embedded provisioning manifest 1'),
  counter: z.int().min(1),
  inputs: z.array(z.strictObject({ role: z.string(), file: z.string(), sha256: digest })),
  images: z.array(z.strictObject({ file: z.string(), deviceId: z.string(), sha256: digest })),
});

/** What a manifest says. `counter` is the highest of its images. */
export type Manifest = z.infer<typeof schema>;
export type ManifestImage = Manifest['images'][number];

/** SHA-256 in hexadecimal. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A manifest's data. */
export function manifestOf(counter: number, inputs: readonly InputFile[], images: readonly ManifestImage[]): Manifest {
  return {
    format: 'mpcp-embedded provisioning manifest 1',
    counter,
    inputs: inputs.map(({ role, file, bytes }) => ({ role, file, sha256: sha256Hex(bytes) })),
    images: [...images],
  };
}

/** Its text: an image a line. */
export function manifestText({ images, inputs, ...rest }: Manifest): string {
  const lines = (values: readonly object[]) => values.map((value) => `    ${JSON.stringify(value)}`).join(',\n');
  const head = JSON.stringify(rest, null, 2).slice(0, -2);
  return `${head},\n  "inputs": [\n${lines(inputs)}\n  ],\n  "images": [\n${lines(images)}\n  ]\n}\n`;
}

/** What a manifest file says. @throws IssueProblem */
export function readManifest(value: unknown): Manifest {
  return shaped(schema, value, 'manifest');
}
