// What `test-xs` runs inside XS, on one target after the other, and what came out of it: the core's unit tests, the conformance
// run, hostile and large input, payments by the thousand, signatures, and the samples' firmware.

import { availableParallelism } from 'node:os';
import { answeringEngine, CallRecorder } from '../../host-sim/xs/calls.ts';
import { answersInXs } from '../../host-sim/xs/conformance.ts';
import { EngineMissing, EngineProblem } from '../../host-sim/xs/project.ts';
import { MACHINES } from '../../host-sim/xs/runner.ts';
import { verdictsInXs } from '../../host-sim/xs/signature-run.ts';
import type { TargetName } from '../../host-sim/xs/targets.ts';
import { runConformance } from '../conform/run.ts';
import { endurance, hostileInput, largestInput, type TrialCounts, type TrialOptions } from './device-trials.ts';
import { firmwareLargest, firmwarePayments, firmwarePowerCuts, firmwareRefresh } from './firmware.ts';
import { KnownFailures } from './known-failures.ts';
import { cryptosInNode, signatureSets, verdictInNode } from './signatures.ts';
import { OPEN, runSpecs, specFiles } from './unit-tests.ts';

/** One part of the suite on one target. */
export interface PartResult {
  readonly part: string;
  readonly target: TargetName;
  readonly passed: number;
  readonly failed: readonly string[];
  /** Names with the reason. */
  readonly skipped: readonly string[];
  /** Passed, but not in a device's memory; names with the reason. */
  readonly large: readonly string[];
  /** Fail for a reason that is known and not yet mended; always told. */
  readonly open: readonly string[];
  readonly seconds: number;
}

/** Cases of the vectors that fail for a reason that is known. */
const OPEN_CASES: { readonly [id: string]: string } = {};

/** What to run. */
export interface SuiteOptions {
  readonly targets: readonly TargetName[];
  /** Folders with vector files. */
  readonly vectors: readonly string[];
  /** Spec files or firmware parts, or parts of their names; none means all. */
  readonly specs: readonly string[];
  readonly note: (text: string) => void;
}

type Counts = Omit<PartResult, 'part' | 'target' | 'seconds'>;

const UNIT_TESTS = 'unit tests';
/** Payments in a row in one machine: with native crypto, and with the core's own. */
const PAYMENTS = 10_000;
const PAYMENTS_OF_THE_CORE = 500;

/** One part on its target. */
interface Part {
  readonly target: TargetName;
  readonly name: string;
  run(): Promise<Counts>;
}

/**
 * Runs the unit tests on the first target, conformance on every one, and beside them what each target is for, as many parts at a
 * time as there are processors. What a machine lacks is a part that was skipped.
 */
export async function runSuite(options: SuiteOptions): Promise<readonly PartResult[]> {
  const parts = options.targets.flatMap((target, i) => [
    // Without bounds checks a test that goes too deep is not told from one that fails.
    ...(i === 0 && runsUnitTests(options.specs)
      ? [{ target, name: UNIT_TESTS, run: () => unitTests(target, options) }]
      : []),
    ...firmwareParts(target, options),
    ...options.vectors.flatMap((folder) => partsOf(target, folder, options)),
  ]);
  // They keep all processors busy by themselves.
  const isAlone = ({ name }: Part) => name === UNIT_TESTS;
  const alone = await timedAll(parts.filter(isAlone), 1, options);
  return [
    ...alone,
    ...(await timedAll(
      parts.filter((part) => !isAlone(part)),
      availableParallelism(),
      options,
    )),
  ];
}

/** Runs so many parts at a time. @returns their results, in their order */
async function timedAll(
  parts: readonly Part[],
  atOnce: number,
  { note }: SuiteOptions,
): Promise<readonly PartResult[]> {
  const results: PartResult[] = [];
  const waiting = [...parts.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [i, part] = next;
      note(`${part.target}: ${part.name}`);
      results[i] = await timed(part);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** What a board's firmware is put through, by name: whole samples, which a spec file cannot be. */
export const FIRMWARE_PARTS = Object.freeze({
  'firmware, payments': firmwarePayments,
  'firmware, largest payments': firmwareLargest,
  'firmware, refresh': firmwareRefresh,
  'firmware, power cuts': firmwarePowerCuts,
});

function runsUnitTests(specs: readonly string[]): boolean {
  return specs.length === 0 || specs.some((part) => specFiles().some((file) => file.includes(part)));
}

/** On a processor: rv32 has no sockets here. What takes a minute runs once. */
function firmwareParts(target: TargetName, { specs, note, targets }: SuiteOptions): readonly Part[] {
  if (target === 'rv32') return [];
  const isCut = target === 'm32' || !targets.includes('m32');
  return Object.entries(FIRMWARE_PARTS)
    .filter(([name]) => specs.length === 0 || specs.some((part) => name.includes(part)))
    .filter(([, run]) => run !== firmwarePowerCuts || isCut)
    .map(([name, run]) => ({ target, name, run: async () => ({ ...NOTHING, ...(await run({ target, note })) }) }));
}

/** What runs on a target. QEMU takes some ten times as long as a processor: there, each thing once. */
function partsOf(target: TargetName, folder: string, options: SuiteOptions): readonly Part[] {
  const { note } = options;
  const part = (name: string, run: () => Promise<Counts>): Part => ({ target, name, run });
  const conforming = (crypto: string) =>
    part(`conformance, crypto ${crypto}, ${folder}`, () => conformance(folder, crypto, target, options));
  const trials = (name: string, crypto: string, run: (options: TrialOptions) => Promise<TrialCounts>) =>
    part(`${name}, crypto ${crypto}`, async () => ({ ...NOTHING, ...(await run({ target, crypto, note })) }));
  const signing = (crypto: string) =>
    part(`signatures, crypto ${crypto}`, () => signatures(folder, crypto, target, options));
  if (target === 'rv32') return [conforming('native'), signing('native'), signing('core')];
  const largest = (form: 'verifier' | 'device', crypto: string) =>
    trials(`largest input${form === 'device' ? ', ledger and journal' : ''}`, crypto, (on) => largestInput(form, on));
  const inDevice = [
    trials('hostile input', 'native', hostileInput),
    largest('verifier', 'native'),
    largest('device', 'native'),
  ];
  if (target === 'm32-bounds') return [conforming('native'), conforming('core'), ...inDevice];
  return [
    conforming('native'),
    conforming('core'),
    ...inDevice,
    largest('verifier', 'core'),
    largest('device', 'core'),
    trials(`${PAYMENTS} payments`, 'native', (on) => endurance('verifier', PAYMENTS, on)),
    trials(`${PAYMENTS_OF_THE_CORE} payments`, 'core', (on) => endurance('verifier', PAYMENTS_OF_THE_CORE, on)),
    trials(`${PAYMENTS} payments, ledger and journal`, 'native', (on) => endurance('device', PAYMENTS, on)),
    signing('native'),
    signing('core'),
    signing('tables'),
  ];
}

const NOTHING: Omit<Counts, keyof TrialCounts> = { skipped: [], large: [], open: [] };

async function timed({ target, name, run }: Part): Promise<PartResult> {
  const start = Date.now();
  const counts = await run().catch((error: unknown): Counts => {
    if (error instanceof EngineMissing) return { passed: 0, failed: [], skipped: [error.message], large: [], open: [] };
    if (error instanceof EngineProblem) return { passed: 0, failed: [error.message], skipped: [], large: [], open: [] };
    throw error;
  });
  return { part: name, target, ...counts, seconds: (Date.now() - start) / 1000 };
}

async function unitTests(target: TargetName, { specs, note }: SuiteOptions): Promise<Counts> {
  const failed: string[] = [];
  const skipped: string[] = [];
  const large: string[] = [];
  const open: string[] = [];
  let passed = 0;
  const list = new KnownFailures(OPEN, (part, name) => name.includes(part));
  const wanted = specFiles().filter((file) => specs.length === 0 || specs.some((part) => file.includes(part)));
  for (const { file, leftOut, results } of await runSpecs(wanted, target, note)) {
    if (leftOut !== undefined) skipped.push(`${file}: ${leftOut}`);
    for (const { name, outcome, detail } of results) {
      const line = `${file}: ${name}: ${detail}`;
      const known = outcome === 'skipped' ? undefined : list.judge(name, outcome === 'failed');
      if (known !== undefined && 'open' in known) open.push(`${file}: ${name}: ${known.open}`);
      else if (known !== undefined) failed.push(`${file}: ${name}: ${known.stale}`);
      else if (outcome === 'passed') passed++;
      else if (outcome === 'large') large.push(line);
      else if (outcome === 'skipped') skipped.push(line);
      else failed.push(line);
    }
  }
  if (specs.length === 0) failed.push(...list.notMet());
  return { passed, failed, skipped, large, open };
}

async function conformance(
  folder: string,
  crypto: string,
  target: TargetName,
  { note }: SuiteOptions,
): Promise<Counts> {
  const recorder = new CallRecorder();
  runConformance(folder, recorder.engine);
  const answers = await answersInXs(recorder.calls, { target, memory: MACHINES['48k'], crypto, note });
  const report = runConformance(folder, answeringEngine(answers));
  const failed = report.files.flatMap((file) => (file.problem === undefined ? [] : [`${file.name}: ${file.problem}`]));
  const open: string[] = [];
  let stale = 0;
  const list = new KnownFailures(OPEN_CASES);
  for (const { id, outcome, detail } of report.files.flatMap((file) => file.results)) {
    const known = list.judge(id, outcome === 'failed');
    if (known !== undefined && 'open' in known) open.push(`${id}: ${known.open}`);
    else if (known !== undefined) {
      failed.push(`${id}: ${known.stale}`);
      stale++;
    } else if (outcome === 'failed') failed.push(`${id}: ${detail}`);
  }
  return { passed: report.passed - stale, failed, skipped: [], large: [], open };
}

/** Every signature of the sets, as this engine with this crypto decides it and as both implementations in Node do. */
async function signatures(folder: string, crypto: string, target: TargetName, { note }: SuiteOptions): Promise<Counts> {
  // What the vectors have is decided on rv32 by the conformance run.
  const isSlow = target === 'rv32' && crypto === 'core';
  const sets = signatureSets(folder).filter(({ name }) => !isSlow || name !== 'vectors');
  const cases = sets.flatMap((set) => set.cases);
  // Making tables of keys takes more than 48 KB leave.
  const memory = MACHINES[crypto === 'tables' ? 'device' : '48k'];
  const here = await verdictsInXs(cases, crypto, { target, memory, note });
  const others = Object.entries(cryptosInNode());
  const failed = cases.flatMap((one, i) => {
    const verdict = here[i] as string;
    const inNode = others.map(([name, of]) => [name, verdictInNode(of, one)] as const);
    const wrong = inNode.filter(([, other]) => other !== verdict).map(([name, other]) => `${name}: ${other}`);
    if (one.isGood !== undefined && one.isGood !== verdict.startsWith('good '))
      wrong.push(`its source: ${one.isGood ? 'good' : 'bad'}`);
    return wrong.length === 0 ? [] : [`${one.name}: ${verdict}; ${wrong.join('; ')}`];
  });
  const skipped = sets.flatMap(({ missing }) => missing ?? []);
  return { passed: cases.length - failed.length, failed, skipped, large: [], open: [] };
}
