// The unit tests of the core, inside XS: the spec files that Node runs, with other modules in place of vitest and what else
// is Node's. First in a device's memory; a test that stops the machine there is run again with more, and counted apart.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type ArchiveOptions, makeArchive } from '../../host-sim/xs/archive.ts';
import { buildEngine } from '../../host-sim/xs/build.ts';
import { EngineMissing, EngineProblem, projectFolder } from '../../host-sim/xs/project.ts';
import { MACHINES, type MachineMemory, runArchive } from '../../host-sim/xs/runner.ts';
import { type TargetName, targetNamed } from '../../host-sim/xs/targets.ts';

/** How one test went. `large`: passed, with more memory than a device has. */
export interface UnitResult {
  readonly name: string;
  readonly outcome: 'passed' | 'large' | 'skipped' | 'failed';
  /** Why it was skipped, failed, or needs more memory. */
  readonly detail: string;
}

/** How a spec file went. A file that is left out has the reason, and no results. */
export interface SpecResult {
  readonly file: string;
  readonly leftOut?: string;
  readonly results: readonly UnitResult[];
}

const REPLACED = {
  'test/xs/canonical.ts': 'test/xs/canonical.ts',
  'test/xs/domains.ts': 'test/xs/domains.ts',
  'test/xs/node-globals.ts': 'test/xs/node-globals.ts',
  'test/xs/bytes-outside.ts': 'test/xs/bytes-outside.ts',
  vitest: 'test/xs/vitest.ts',
  'host-sim/ports/node-crypto.ts': 'test/xs/native-port.ts',
  'fast-check': 'test/xs/fast-check.ts',
  '@noble/ed25519': 'test/xs/noble-ed25519.ts',
  '@noble/hashes/sha2.js': 'test/xs/noble-sha2.ts',
  'node:crypto': 'test/xs/node-crypto.ts',
  'node:fs': 'test/xs/node-files.ts',
  'node:os': 'test/xs/node-files.ts',
  'node:path': 'test/xs/node-files.ts',
  'node:url': 'test/xs/node-files.ts',
  'node:zlib': 'test/xs/node-zlib.ts',
};

/** Names that are Node's own, and stand in a module of their own in XS. */
const GLOBALS = [
  'Buffer',
  'NoMap',
  'overriding',
  'TextDecoder',
  'TextEncoder',
  'URL',
  'console',
  'jsonText',
  'process',
  'structuredClone',
];
const GLOBALS_MODULE = 'test/xs/node-globals.ts';

const ENGINE_PUT = "puts an engine's built-ins in place, which XS has";
const NODE_FORM = 'expects what the core does under Node, where unknown members keep their names';
const THOUSANDS = 'thousands of operations or every damaged byte of a flash: minutes inside XS';
const RANDOM = 'has properties of random input only';
const NATIVE_CRYPTO = 'the conformance run inside XS has the same verdicts with both kinds of crypto';
/** Heaps of a device; what a spec file has at module level, and a test's own frames, take tables and stack that no device has. */
const DEVICE: MachineMemory = { ...MACHINES['48k'], arena: MACHINES['48k'].arena + 65_536, keys: 1024, stack: 1024 };

/** A spec file that takes longer hangs. */
const TEST_SECONDS = 600;

/** Tests of a file that may stop the machine, before the others are not tried in a device's memory any more. */
const MOST_STOPS = 8;

/** Spec files that are for Node, and why. */
export const LEFT_OUT: { readonly [file: string]: string } = {
  'test/core/cbor/cbor-x.test.ts':
    'compares with cbor-x, a library for Node; what it must say by hand is in the spec beside it',
  'test/core/ed25519/verdicts.test.ts': NATIVE_CRYPTO,
  'test/core/encoding/engine-integers.test.ts': ENGINE_PUT,
  'test/core/encoding/little-endian.test.ts': ENGINE_PUT,
  'test/core/guide/guide.test.ts': "the guide's functions for Node, on whole vector files",
  'test/core/intake/http-socket.test.ts': "is about Node's sockets and its HTTP client",
  'test/core/intake/presentation-cbor.test.ts': 'writes CBOR with cbor-x, a library for Node',
  'test/core/json/other-members.test.ts': ENGINE_PUT,
  'test/core/json/source-members.test.ts': NODE_FORM,
  'test/core/json/third-party.test.ts': 'lists the folders of public test data while it loads',
  'test/core/ledger/journal-damage-model.test.ts': RANDOM,
  'test/core/ledger/journal-model.test.ts': RANDOM,
  'test/core/ledger/model.test.ts': RANDOM,
  'test/core/ledger/receipt-document.test.ts': 'reads receipts as a backend does, under Node',
  'test/core/ledger/sweep-power.test.ts': THOUSANDS,
  'test/core/network/http-answer.property.test.ts': "is about random input, and Node's HTTP client",
  'test/core/refresh/handing-in-document.test.ts': 'compares a document with the code',
  'test/core/refresh/upload.property.test.ts': RANDOM,
  'test/core/trust/bundle-partition-power.test.ts': THOUSANDS,
  'test/core/trust/flash-bundle-keys.test.ts': "replaces the core's limits with vitest's means",
  'test/core/verifier.property.test.ts': RANDOM,
};

/** Single tests that are for Node, by parts of their names, and why. One that is not there any more fails the run. */
export const LEFT_OUT_TESTS: { readonly [file: string]: { readonly [reason: string]: readonly string[] } } = {
  'test/core/artifacts/trust-bundle.test.ts': { [ENGINE_PUT]: ['with a private d cannot be used on a device'] },
  'test/core/json/compact-format.test.ts': { [NODE_FORM]: ['is one byte for each of its texts'] },
  'test/core/json/data.test.ts': { [NODE_FORM]: ['leaves undefined members out'] },
  'test/core/json/plain.test.ts': {
    [NODE_FORM]: [
      '"a":[{"c":null},-1.5',
      'text past what a device may parse',
      'what a limit just holds is within',
      'brackets around the value do not count',
      'a part of plain text is counted by itself',
    ],
  },
  'test/core/json/reader.test.ts': {
    [NODE_FORM]: [
      'reads {"":1}',
      'reads {"a":{"b":[1,2,{"c":null}]},"e":"x"}',
      '"a" : [ 1 , 2 ]',
      'reads a view into a larger buffer',
      'keeps nothing of the bytes it read',
      'takes names apart that differ only in normalisation',
      'allows one name in different objects',
      'as a member like any other',
      'are read like any other, in ASCII text',
      'is kept whole where nothing is said about its members',
    ],
  },
  'test/core/ledger/journal-format.test.ts': {
    [NODE_FORM]: [
      'parts > fill their records',
      'parts > that are made by hand are read',
      'keeps of an envelope what is signed',
    ],
  },
  'test/core/refresh/upload.test.ts': { [ENGINE_PUT]: ['is understood on a device'] },
  'test/core/ledger/block-log.test.ts': {
    [THOUSANDS]: ['reads no more than three times the partition'],
  },
  'test/core/ed25519/key-tables.test.ts': {
    [THOUSANDS]: [
      'whichever bit turns before it is looked at',
      'is none, whatever stands anywhere in it',
      'are the same with a table',
    ],
  },
  'test/core/ed25519/key-tables-power.test.ts': {
    [THOUSANDS]: ['a cut at any kind of operation'],
  },
  'test/core/ledger/journal-damage.test.ts': {
    [THOUSANDS]: ['read disturb'],
  },
  'test/core/ledger/journal-power.test.ts': {
    [THOUSANDS]: ['every pair of programs', 'up to 0 bytes', 'up to 8 bytes', 'up to 40 bytes', 'up to 256 bytes'],
  },
  'test/core/trust/bundle-partition-format.test.ts': {
    [THOUSANDS]: ['a byte changed anywhere'],
  },
  'test/core/ledger/journal.test.ts': {
    [THOUSANDS]: [
      'wear is even',
      'any bytes behind a good CRC: no exception',
      'is what the entry would be refused for, whatever is full',
    ],
  },
};

/** Single tests that fail inside for a reason that is known, by a part of their names. They are told each time. */
export const OPEN: { readonly [part: string]: string } = {};

/** The spec files of the core, in order. */
export function specFiles(folder = 'test/core'): readonly string[] {
  return readdirSync(join(projectFolder(), folder))
    .sort()
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      if (statSync(join(projectFolder(), path)).isDirectory()) return specFiles(path);
      return name.endsWith('.test.ts') ? [path] : [];
    });
}

/**
 * Runs spec files, as many at a time as there are processors. One that cannot be loaded has a result that says so.
 *
 * @returns what came of each, in their order
 * @throws EngineMissing where the target cannot be built here
 */
export async function runSpecs(
  files: readonly string[],
  target: TargetName,
  note: (text: string) => void,
): Promise<readonly SpecResult[]> {
  // Once, not by each of them.
  await buildEngine(targetNamed(target), note);
  const specs: SpecResult[] = new Array(files.length);
  let next = 0;
  const worker = async () => {
    while (next < files.length) {
      const at = next++;
      const file = files[at] as string;
      note(`${target}: ${file}`);
      specs[at] = await runSpec(file, target).catch((error: unknown): SpecResult => {
        if (!(error instanceof EngineProblem) || error instanceof EngineMissing) {
          // No other is begun.
          next = files.length;
          throw error;
        }
        return { file, results: [{ name: 'cannot be loaded', outcome: 'failed', detail: error.message }] };
      });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return specs;
}

/** Runs the tests of one spec file. @throws EngineProblem where it cannot be loaded */
async function runSpec(file: string, target: TargetName): Promise<SpecResult> {
  const leftOut = LEFT_OUT[file];
  if (leftOut !== undefined) return { file, leftOut, results: [] };
  if (!existsSync(join(projectFolder(), file))) throw new EngineProblem(`${file} is not there`);
  const archive = await makeArchive(programOf(file));
  const results: UnitResult[] = [];
  // A machine that stops costs a start. After some, what is left of the file goes on with more memory, and is counted so.
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    const stopped = await runFrom(archive, target, DEVICE, results);
    if (stopped === undefined) return { file, results: [...results, ...notThere(file, results)] };
    results.push(await again(archive, target, results.length, stopped));
  }
  const all = [...results, ...(await inLarge(archive, target, results.length))];
  return { file, results: [...all, ...notThere(file, all)] };
}

/** The tests of a file from one on, with more memory than a device has. */
async function inLarge(archive: Uint8Array, target: TargetName, first: number): Promise<readonly UnitResult[]> {
  const results: UnitResult[] = [];
  const detail = `after ${MOST_STOPS} tests of the file that stopped the machine`;
  for (;;) {
    const stopped = await runFrom(archive, target, MACHINES.large, results, first);
    if (stopped === undefined) break;
    results.push({ name: stopped.name, outcome: 'failed', detail: stopped.why });
  }
  return results.map((result) => (result.outcome === 'passed' ? { ...result, outcome: 'large', detail } : result));
}

/** Parts of names of the file's tests that are not run inside, with the reason. */
function leftOutOf(file: string): readonly (readonly [part: string, reason: string])[] {
  return Object.entries(LEFT_OUT_TESTS[file] ?? {}).flatMap(([reason, parts]) =>
    parts.map((part) => [part, reason] as const),
  );
}

/** What is left out of a file and is not in it: the list may not go stale. */
function notThere(file: string, results: readonly UnitResult[]): readonly UnitResult[] {
  return leftOutOf(file)
    .filter(([part]) => !results.some(({ name }) => name.includes(part)))
    .map(([part]) => ({ name: part, outcome: 'failed', detail: 'is left out by this name, and no test has it' }));
}

/** A module that loads the spec and runs what it has gathered. */
function programOf(file: string): ArchiveOptions {
  const text = `import './${file}';
    import { leaveOut, runTests } from 'vitest';
    leaveOut(${JSON.stringify(leftOutOf(file))});
    export default runTests;`;
  return { entry: 'spec', generated: { spec: text }, replaced: REPLACED, changed: withGlobals };
}

/** Spec files and the host's side of things get Node's globals; the core gets what its engine has. */
function withGlobals(path: string, text: string): string {
  if (path.startsWith('core/') || path.startsWith('test/xs/')) return text;
  const url = JSON.stringify(`file://${join(projectFolder(), path)}`);
  // XS writes no object that is in flash as JSON, puts nothing into a map there, and lets no method be put over one of a class
  // there.
  const placed = text
    .replaceAll('import.meta.url', url)
    .replaceAll('JSON.stringify(', 'jsonText(')
    .replace(/'[./]+core\/(?:hash|json)\/(domains|canonical)\.ts'/g, "'test/xs/$1.ts'")
    .replace(/^(\s+)(\w*[fF]lash)\.(program|erase|read) = /gm, '$1overriding($2).$3 = ')
    .replace(/^(\s*)const (made|known|tables) = new Map</gm, '$1const $2 = new NoMap<')
    // Big integers in flash are never `===` to computed ones.
    .replace('entry !== table[i]', 'String(entry) !== String(table[i])');
  if (FLASHES.some((one) => path.startsWith(one))) return withCellsOutside(placed);
  const names = GLOBALS.filter((name) => new RegExp(`\\b${name}\\b`).test(placed));
  return names.length === 0 ? placed : `import { ${names.join(', ')} } from '${GLOBALS_MODULE}';\n${placed}`;
}

/** Simulated flashes: their cells are outside the machine's memory, as flash is. */
const FLASHES = ['test/fixtures/memory-flash.ts', 'host-sim/flash/'];

function withCellsOutside(text: string): string {
  const changed = text
    .replaceAll('new Uint8Array(', 'bytesOutside(')
    .replaceAll('Uint8Array.from(contents)', 'copyOutside(contents)')
    .replaceAll('this.cells.slice()', 'copyOutside(this.cells)');
  return changed === text ? text : `import { bytesOutside, copyOutside } from 'test/xs/bytes-outside.ts';\n${changed}`;
}

/** A test that stopped the machine. */
interface Stopped {
  readonly name: string;
  readonly why: string;
}

/** Runs the tests that have no result yet. @returns the test the machine stopped at; undefined when all have run */
async function runFrom(
  archive: Uint8Array,
  target: TargetName,
  memory: MachineMemory,
  results: UnitResult[],
  first = 0,
): Promise<Stopped | undefined> {
  const { begun, stopped } = await runTests(archive, target, memory, [String(first + results.length)], results);
  if (stopped !== undefined && begun === '')
    throw new EngineProblem(`the machine stopped before the first test: ${stopped}`);
  return stopped === undefined ? undefined : { name: begun, why: stopped };
}

/** The same test with more memory. */
async function again(
  archive: Uint8Array,
  target: TargetName,
  index: number,
  { name, why }: Stopped,
): Promise<UnitResult> {
  const results: UnitResult[] = [];
  const { stopped } = await runTests(archive, target, MACHINES.large, [String(index), '1'], results);
  const result = results[0];
  if (stopped !== undefined || result === undefined) return { name, outcome: 'failed', detail: stopped ?? 'no result' };
  return result.outcome === 'passed' ? { name, outcome: 'large', detail: why } : result;
}

async function runTests(
  archive: Uint8Array,
  target: TargetName,
  memory: MachineMemory,
  words: readonly string[],
  results: UnitResult[],
): Promise<{ readonly begun: string; readonly stopped: string | undefined }> {
  let begun = '';
  const heard = (line: string) => {
    const [word, ...rest] = line.split(' ');
    if (word === 'begin') begun = rest.slice(1).join(' ');
    else results.push({ name: begun, outcome: outcomeOf(word), detail: rest.join(' ') });
  };
  const run = await runArchive(archive, { target, memory, words, heard, seconds: TEST_SECONDS });
  if (run.exception !== undefined) throw new EngineProblem(run.exception);
  return { begun, stopped: run.abort };
}

function outcomeOf(word: string | undefined): UnitResult['outcome'] {
  if (word === 'ok') return 'passed';
  return word === 'skip' ? 'skipped' : 'failed';
}
