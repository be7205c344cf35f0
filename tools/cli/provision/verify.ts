// `provision verify`: whether an image, or a folder of them, is whole, is what its manifest says, and lets a device start.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import { readImage } from '../../../host-sim/provisioning/image.ts';
import { IssueProblem } from '../../issue/problem.ts';
import { MANIFEST_FILE, type Manifest, readManifest, sha256Hex } from '../../provision/manifest.ts';
import { found } from '../file-paths.ts';
import { countText } from '../image-output.ts';
import { type Io, printable, UsageError } from '../io.ts';
import { DOCUMENT_LIMITS, located, readJsonObject } from '../json-file.ts';
import { jsonOption } from '../option-values.ts';
import { imageProblems, readImageFile } from './images.ts';
import { withProgress } from './progress.ts';

/** A manifest of a hundred thousand devices. */
const MANIFEST_LIMITS = { ...DOCUMENT_LIMITS, bytes: 16_777_216, values: 1_048_576, elements: 131_072 };

/** Something that is wrong with an image, or with its folder. */
interface Finding {
  readonly file: string;
  readonly reason: string;
}

/** Adds `verify`. */
export function addVerify(command: Command, io: Io): void {
  jsonOption(
    command
      .description('Say whether images are whole and let their devices start; exit code 1 where one is not.')
      .argument('<path>', 'an image, or a folder with images and their manifest')
      .option('--manifest <file>', `what the images are compared with (default: ${MANIFEST_FILE} of a folder)`),
  )
    .addHelpText('after', '\nExample: mpcp-embedded provision verify images')
    .action((path: string, { manifest }: { readonly manifest?: string }) => {
      const findings = found(path, statSync)?.isDirectory()
        ? folderFindings(io, path, manifest ?? join(path, MANIFEST_FILE))
        : fileFindings(path, manifest);
      const { images } = findings;
      const ok = findings.findings.length === 0;
      const told = findings.findings.map(({ file, reason }) => printable(`${file}: ${reason}`));
      io.result(
        { ok, images, findings: findings.findings },
        ok ? `whole: ${countText(images, 'image')}` : told.join('\n'),
      );
      if (!ok) io.fail();
    });
}

interface Findings {
  readonly images: number;
  readonly findings: readonly Finding[];
}

function fileFindings(path: string, manifestPath: string | undefined): Findings {
  const image = readImageFile(path);
  const findings = imageProblems(image).map((reason) => ({ file: path, reason }));
  if (manifestPath !== undefined) {
    const entry = manifestAt(manifestPath).images.find(({ file }) => file === basename(path));
    if (entry === undefined) findings.push({ file: path, reason: `${manifestPath} has no ${basename(path)}` });
    else findings.push(...entryFindings(image, entry).map((reason) => ({ file: path, reason })));
  }
  return { images: 1, findings };
}

function folderFindings(io: Io, path: string, manifestPath: string): Findings {
  if (manifestPath === join(path, MANIFEST_FILE) && !existsSync(manifestPath))
    throw new UsageError(`${path} is no folder of \`provision create\`: it has no ${MANIFEST_FILE}`);
  const manifest = manifestAt(manifestPath);
  const findings: Finding[] = [];
  const there = new Set(readdirSync(path).filter((name) => name.endsWith('.img')));
  withProgress(io, 'verified', manifest.images, (entry) => {
    const { file } = entry;
    if (!there.delete(file)) {
      findings.push({ file, reason: 'it is missing' });
      return;
    }
    const image = readImageFile(join(path, file));
    for (const reason of [...entryFindings(image, entry), ...imageProblems(image)]) findings.push({ file, reason });
  });
  for (const file of there) findings.push({ file, reason: 'the manifest does not have it' });
  return { images: manifest.images.length, findings };
}

/** Where an image is not the one that the manifest was made for. */
function entryFindings(image: Uint8Array, { sha256, deviceId }: Manifest['images'][number]): string[] {
  const own = sha256Hex(image);
  const reasons = own === sha256 ? [] : [`its SHA-256 is ${own}, the manifest has ${sha256}`];
  const read = readImage(image);
  if (!(read instanceof ProvisioningProblem) && read.provisioning.deviceId !== deviceId)
    reasons.push(`it is for ${read.provisioning.deviceId}, the manifest has ${deviceId}`);
  return reasons;
}

/** A manifest's file. @throws UsageError */
export function manifestAt(path: string): Manifest {
  const { value } = readJsonObject(path, 'manifest', MANIFEST_LIMITS);
  return located(path, () => {
    const manifest = readManifest(value);
    const outside = manifest.images.find(({ file }) => file !== basename(file));
    if (outside !== undefined) throw new IssueProblem(`manifest: ${outside.file} is not a file of its folder`);
    return manifest;
  });
}
