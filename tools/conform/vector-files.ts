// Vector files: found in a folder, known by their `format` member, never by their name. Keys and bundles are fixtures
// that the cases of other files name.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Plain JSON of a vector file. Vector files are test data of a fixed shape; a case that does not have it fails. */
// biome-ignore lint/suspicious/noExplicitAny: the shape of each format is known to the runner of that format only
export type Json = any;

/** One file of a folder. */
export interface VectorFile {
  readonly name: string;
  /** `mpcp-interop/<kind>/1` → kind; undefined where the file has no such member. */
  readonly kind: string | undefined;
  readonly data: Json;
  /** Why it could not be read, where it could not. */
  readonly problem: string | undefined;
}

/** The fixtures of a folder. */
export interface Fixtures {
  readonly keys: Json;
  readonly bundles: Json;
}

const FORMAT = /^mpcp-interop\/([a-z0-9-]+)\/1$/;

/** Reads every `.json` file of a folder, in order of name. */
export function readVectorFiles(folder: string): readonly VectorFile[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => entry.name)
    .sort()
    .map((name) => readVectorFile(folder, name));
}

function readVectorFile(folder: string, name: string): VectorFile {
  let data: Json;
  try {
    // JSON.parse keeps the lone surrogates that some cases are about.
    data = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  } catch (error) {
    return {
      name,
      kind: undefined,
      data: undefined,
      problem: `cannot be read: ${(error as Error).message.split('\n')[0]}`,
    };
  }
  const format = data?.format;
  if (typeof format !== 'string') return { name, kind: undefined, data, problem: 'has no `format` member' };
  const kind = FORMAT.exec(format)?.[1];
  return { name, kind, data, problem: kind === undefined ? `format ${format} is not known` : undefined };
}

/** The fixtures among files; empty where a folder has none, and then the cases that name them fail. */
export function fixturesOf(files: readonly VectorFile[]): Fixtures {
  const of = (kind: string) => files.find((file) => file.kind === kind)?.data;
  return { keys: of('keys')?.keys ?? {}, bundles: of('bundles')?.bundles ?? {} };
}
