// What `test-xs` runs: the core's unit tests and the conformance run inside XS, on one target after the other, and what came
// out of it.

import { answeringEngine, CallRecorder } from '../../host-sim/xs/calls.ts';
import { answersInXs } from '../../host-sim/xs/conformance.ts';
import { EngineMissing, EngineProblem } from '../../host-sim/xs/project.ts';
import { MACHINES } from '../../host-sim/xs/runner.ts';
import type { TargetName } from '../../host-sim/xs/targets.ts';
import { runConformance } from '../conform/run.ts';
import { KnownFailures } from './known-failures.ts';
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
  /** Spec files, or parts of their names; none means all. */
  readonly specs: readonly string[];
  readonly note: (text: string) => void;
}

type Counts = Omit<PartResult, 'part' | 'target' | 'seconds'>;

/** Runs the unit tests on the first target, conformance on every one. What a machine lacks is a part that was skipped. */
export async function runSuite(options: SuiteOptions): Promise<readonly PartResult[]> {
  const results: PartResult[] = [];
  for (const target of options.targets) {
    // Without bounds checks a test that goes too deep is not told from one that fails.
    if (target === options.targets[0])
      results.push(await timed('unit tests', target, () => unitTests(target, options)));
    for (const folder of options.vectors) {
      for (const crypto of ['native', 'core']) {
        const part = `conformance, crypto ${crypto}, ${folder}`;
        results.push(await timed(part, target, () => conformance(folder, crypto, target, options)));
      }
    }
  }
  return results;
}

async function timed(part: string, target: TargetName, run: () => Promise<Counts>): Promise<PartResult> {
  const start = Date.now();
  const counts = await run().catch((error: unknown): Counts => {
    if (error instanceof EngineMissing) return { passed: 0, failed: [], skipped: [error.message], large: [], open: [] };
    if (error instanceof EngineProblem) return { passed: 0, failed: [error.message], skipped: [], large: [], open: [] };
    throw error;
  });
  return { part, target, ...counts, seconds: (Date.now() - start) / 1000 };
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
  note(`${target}: conformance, crypto ${crypto}, ${folder}`);
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
