// The unit tests of the core, inside XS: the spec files that Node runs, with other modules in place of vitest and what else
// is Node's. First in a device's memory; a test that stops the machine there is run again with more, and counted apart.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ArchiveOptions, makeArchive } from '../../host-sim/xs/archive.ts';
import { EngineProblem, projectFolder } from '../../host-sim/xs/project.ts';
import { MACHINES, type MachineMemory, runArchive } from '../../host-sim/xs/runner.ts';
import type { TargetName } from '../../host-sim/xs/targets.ts';

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
  vitest: 'test/xs/vitest.ts',
  'host-sim/ports/node-crypto.ts': 'test/xs/native-port.ts',
  'fast-check': 'test/xs/fast-check.ts',
  '@noble/ed25519': 'test/xs/noble-ed25519.ts',
  'node:crypto': 'test/xs/node-crypto.ts',
  'node:fs': 'test/xs/node-files.ts',
  'node:os': 'test/xs/node-files.ts',
  'node:path': 'test/xs/node-files.ts',
  'node:url': 'test/xs/node-files.ts',
  'node:zlib': 'test/xs/node-zlib.ts',
};

/** Names that are Node's own, and stand in a module of their own in XS. */
const GLOBALS = ['Buffer', 'LateMap', 'TextDecoder', 'TextEncoder', 'URL', 'jsonText', 'process', 'structuredClone'];
const GLOBALS_MODULE = 'test/xs/node-globals.ts';

const ENGINE_PUT = "puts an engine's built-ins in place, which XS has";
const FLASH = 'keeps bytes at module level that it writes, or hands over, which flash does not allow';
const NODE_FORM = 'expects what the core does under Node, where unknown members keep their names';
const HEAVY = 'signs, or simulates flash, in every test: not yet looked at inside XS, where that takes many minutes';
const POINTS = "compares with @noble/ed25519's own points";
/** Heaps of a device; what a spec file has at module level, and a test's own frames, take tables and stack that no device has. */
const DEVICE: MachineMemory = { ...MACHINES['48k'], arena: MACHINES['48k'].arena + 65_536, keys: 1024, stack: 640 };

/** A spec file that takes longer hangs. */
const TEST_SECONDS = 600;

/** Tests of a file that may stop the machine, before the others are not tried in a device's memory any more. */
const MOST_STOPS = 3;

/** Spec files that are for Node, and why. */
export const LEFT_OUT: { readonly [file: string]: string } = {
  'test/core/ed25519/comb.test.ts': POINTS,
  'test/core/ed25519/curve.test.ts': POINTS,
  'test/core/ed25519/inverse.test.ts': POINTS,
  'test/core/ed25519/key-tables.test.ts': POINTS,
  'test/core/ed25519/multiply.test.ts': POINTS,
  'test/core/ed25519/strict.test.ts': POINTS,
  'test/core/ed25519/verify.test.ts': POINTS,
  'test/core/encoding/der.test.ts': 'makes keys with node:crypto while it loads',
  'test/core/encoding/engine-integers.test.ts': ENGINE_PUT,
  'test/core/encoding/little-endian.test.ts': ENGINE_PUT,
  'test/core/json/compact.test.ts': FLASH,
  'test/core/json/compact-format.test.ts': NODE_FORM,
  'test/core/json/data.test.ts': NODE_FORM,
  'test/core/json/other-members.test.ts': ENGINE_PUT,
  'test/core/json/plain.test.ts': NODE_FORM,
  'test/core/json/reader.test.ts': 'has a regular expression that XS 13 does not read',
  'test/core/json/source-members.test.ts': NODE_FORM,
  'test/core/json/text.test.ts': FLASH,
  'test/core/json/third-party.test.ts': 'lists the folders of public test data while it loads',
};

/** Folders and files whose specs were not yet looked at inside. */
const NOT_YET = [
  'chain/',
  'gateway/',
  'guide/',
  'intake/presentation',
  'ledger/',
  'refresh/',
  'trust/',
  'verifier',
  'ed25519/key-tables',
];
/** Among them, what runs. */
const BUT = ['ledger/block-chain', 'ledger/key-index', 'ledger/spend-record', 'ledger/window'];

/** Why a spec file is not run inside; undefined where it is. */
function reasonToLeaveOut(file: string): string | undefined {
  const named = LEFT_OUT[file];
  if (named !== undefined) return named;
  const within = (parts: readonly string[]) => parts.some((part) => file.startsWith(`test/core/${part}`));
  return within(NOT_YET) && !within(BUT) ? HEAVY : undefined;
}

/** Single tests that fail inside for a reason that is known, by a part of their names. They are told each time. */
export const OPEN: { readonly [part: string]: string } = {
  'agrees with node:crypto and @noble/hashes': '@noble/hashes writes a buffer that is in flash',
};

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

/** Runs the tests of one spec file. @throws EngineProblem where it cannot be loaded */
export async function runSpec(file: string, target: TargetName): Promise<SpecResult> {
  const leftOut = reasonToLeaveOut(file);
  if (leftOut !== undefined) return { file, leftOut, results: [] };
  if (!existsSync(join(projectFolder(), file))) throw new EngineProblem(`${file} is not there`);
  const archive = await makeArchive(programOf(file));
  const results: UnitResult[] = [];
  // A machine that stops costs a start. After some, what is left of the file goes on with more memory, and is counted so.
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    const stopped = await runFrom(archive, target, DEVICE, results);
    if (stopped === undefined) return { file, results };
    results.push(await again(archive, target, results.length, stopped));
  }
  return { file, results: [...results, ...(await inLarge(archive, target, results.length))] };
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

/** A module that loads the spec and runs what it has gathered. */
function programOf(file: string): ArchiveOptions {
  const text = `import './${file}';\nimport { runTests } from 'vitest';\nexport default runTests;\n`;
  return { entry: 'spec', generated: { spec: text }, replaced: REPLACED, changed: withGlobals };
}

/** Spec files and the host's side of things get Node's globals; the core gets what its engine has. */
function withGlobals(path: string, text: string): string {
  if (path.startsWith('core/') || path.startsWith('test/xs/')) return text;
  const url = JSON.stringify(`file://${join(projectFolder(), path)}`);
  // XS writes no object that is in flash as JSON.
  // Nor does it write a map that is in flash: what a spec file keeps from test to test is made when it is first used.
  const placed = text
    .replaceAll('import.meta.url', url)
    .replaceAll('JSON.stringify(', 'jsonText(')
    .replace(/'[./]+core\/(?:hash|json)\/(domains|canonical)\.ts'/g, "'test/xs/$1.ts'")
    .replace(/^(const \w+ = new )Map(<.*>)?\(\);$/gm, '$1LateMap$2();');
  const names = GLOBALS.filter((name) => new RegExp(`\\b${name}\\b`).test(placed));
  return names.length === 0 ? placed : `import { ${names.join(', ')} } from '${GLOBALS_MODULE}';\n${placed}`;
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
