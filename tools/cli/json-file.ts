// JSON files that commands take: read with the core's strict reader, so that what a tool accepts is what a device
// would, and every mistake is told with the file and the place in it.

import { JsonProblem, readJson } from '../../core/json/reader.ts';
import { isArray, isObject, type JsonObject, type JsonValue } from '../../core/json/value.ts';
import { type JsonLimits, PRESENTATION_BYTES } from '../../core/limits.ts';
import { IssueProblem } from '../issue/problem.ts';
import { readInput, UsageError } from './io.ts';

/** Documents that stay on this machine: templates, configurations, policies. */
export const DOCUMENT_LIMITS: JsonLimits = Object.freeze({
  bytes: 1_048_576,
  values: 65_536,
  elements: 16_384,
  members: 4096,
  stringBytes: 65_536,
  depth: 32,
});

/** A JSON file that was read. */
export interface JsonFile<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/** Reads a file that must be JSON. @throws UsageError with file, line and column */
export function readJsonFile(path: string, what: string, limits: JsonLimits = DOCUMENT_LIMITS): JsonFile<JsonValue> {
  const bytes = readInput(path, what);
  const encoding = encodingProblem(bytes);
  if (encoding !== undefined) throw new UsageError(`${what}: ${path}: ${encoding}`);
  const value = readJson(bytes, limits);
  if (value instanceof JsonProblem) throw new UsageError(`${what}: ${path}: ${problemAt(value, bytes)}`);
  return { bytes, value };
}

/** Reads a file that must be a JSON object. @throws UsageError */
export function readJsonObject(path: string, what: string, limits: JsonLimits = DOCUMENT_LIMITS): JsonFile<JsonObject> {
  const { bytes, value } = readJsonFile(path, what, limits);
  if (!isObject(value)) throw new UsageError(`${what}: ${path}: a JSON object is needed, this is ${kindOf(value)}`);
  return { bytes, value };
}

/**
 * Reads an artifact file for what another artifact takes from it.
 *
 * @throws UsageError with the file, also where `read` finds an IssueProblem
 */
export function readArtifact<T>(path: string, what: string, read: (value: JsonObject) => T): T {
  const { value } = readJsonObject(path, what);
  return located(`${what}: ${path}`, () => read(value));
}

/** Runs what may find an IssueProblem in data, and tells it with where the data is from. */
export function located<T>(where: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof IssueProblem)
      throw new UsageError(where === undefined ? error.message : `${where}: ${error.message}`);
    throw error;
  }
}

/** More than any artifact may hold: what is within these and past an artifact's own limits is for the verifier to refuse. */
const VERDICT_LIMITS: JsonLimits = Object.freeze({
  bytes: 1_048_576,
  values: 1_048_576,
  elements: 1_048_576,
  members: 1_048_576,
  stringBytes: 1_048_576,
  depth: 1000,
});

/**
 * Reads an artifact that a verifier will judge: the text must be a JSON object, and everything else about it, its size
 * included, is for the verifier to say.
 */
export function readForVerdict(path: string, what: string): JsonFile<JsonObject> {
  return readJsonObject(path, what, VERDICT_LIMITS);
}

/** One presentation of artifact files, each carried as its bytes are. */
export function joinedPresentation(parts: { readonly [name: string]: Uint8Array | undefined }): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const [name, bytes] of Object.entries(parts)) {
    if (bytes === undefined) continue;
    pieces.push(Buffer.from(`${pieces.length === 0 ? '{' : ','}${JSON.stringify(name)}:`), bytes);
  }
  return Uint8Array.from(Buffer.concat([...pieces, Buffer.from('}')]));
}

/**
 * The same with white space between tokens left out where it takes more than a payment may: files are indented for
 * people, and no payer would send that.
 */
export function presentationOf(parts: { readonly [name: string]: JsonFile<JsonValue> | undefined }): Uint8Array {
  const present = Object.entries(parts).filter(
    (entry): entry is [string, JsonFile<JsonValue>] => entry[1] !== undefined,
  );
  const asReceived = joinedPresentation(Object.fromEntries(present.map(([name, file]) => [name, file.bytes])));
  if (asReceived.length <= PRESENTATION_BYTES) return asReceived;
  return joinedPresentation(
    Object.fromEntries(present.map(([name, file]) => [name, Buffer.from(JSON.stringify(file.value))])),
  );
}

/** The reader refuses these too, as text that is no JSON; the cause helps more. */
function encodingProblem(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'the text begins with a byte-order mark';
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return undefined;
  } catch {
    return 'the text is not UTF-8';
  }
}

function problemAt(problem: JsonProblem, bytes: Uint8Array): string {
  const before = Buffer.from(bytes.subarray(0, problem.offset)).toString('utf8');
  const line = before.split('\n');
  const detail = problem.message.replace(/ at byte \d+$/, '');
  return `${detail} (line ${line.length}, column ${(line.at(-1) as string).length + 1})`;
}

function kindOf(value: JsonValue): string {
  return value === null ? 'null' : isArray(value) ? 'a list' : `a ${typeof value}`;
}
