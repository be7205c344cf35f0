// A soak: scenarios at random, one after the other, each as a file that anybody can run, until time is over or a rule is broken.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { RunBrokenOff, type RunOptions, type RunResult, runScenario } from '../../host-sim/simulation/run.ts';
import type { MakeCharger } from '../../host-sim/simulation/simulated-device.ts';
import type { TraceEvent } from '../../host-sim/simulation/trace.ts';
import { problemText } from '../provision/problems.ts';
import { readScenario } from '../scenario/scenario-file.ts';
import { type Coverage, CoverageCount, HeardInScenario } from './coverage.ts';
import { randomScenario, SEEDS } from './random-scenario.ts';

/** What is run. */
export interface SoakOrder extends Pick<RunOptions, 'makeCharger' | 'end'> {
  /** Of the first scenario; each following one has the next. */
  readonly seed: number;
  /** So many scenarios at most. */
  readonly count: number;
  /** No scenario begins after this, in milliseconds of the machine's clock. */
  readonly untilMs: number;
  /** Where the file of a scenario that failed is put; left out, nowhere. */
  readonly keep: string | undefined;
  /** Is told of each scenario when it is over. */
  readonly ran: (ran: SoakedScenario) => void;
}

/** A scenario that was run. */
export interface SoakedScenario
  extends Pick<RunResult, 'payments' | 'approved' | 'repeated' | 'unanswered' | 'events'> {
  readonly seed: number;
  /** Sessions that have ended; none where it has no sessions. */
  readonly settled: number;
  readonly refused: number;
}

/** What came of a soak. */
export interface Soaked {
  readonly scenarios: number;
  readonly payments: number;
  readonly approved: number;
  readonly repeated: number;
  readonly settled: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly events: number;
  readonly coverage: Coverage;
  readonly failure?: SoakFailure;
}

/** Why it ended before its time. */
export interface SoakFailure {
  readonly seed: number;
  /** A rule that was broken; or what was thrown, which no scenario may bring about. */
  readonly what: NonNullable<RunResult['violation']> | { readonly thrown: string };
  /** The scenario's file, where it was kept. */
  readonly file: string | undefined;
}

/** Runs scenarios. One that is broken off is none of them. */
export async function soak({ seed: first, count, untilMs, keep, ran, makeCharger, end }: SoakOrder): Promise<Soaked> {
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-soak-'));
  const coverage = new CoverageCount();
  const sums = {
    scenarios: 0,
    payments: 0,
    approved: 0,
    repeated: 0,
    settled: 0,
    refused: 0,
    unanswered: 0,
    events: 0,
  };
  const so = (failure?: SoakFailure): Soaked => ({ ...sums, coverage: coverage.coverage, ...(failure && { failure }) });
  try {
    for (let i = 0; i < count && (i === 0 || Date.now() < untilMs); i++) {
      const seed = (first + i) % SEEDS;
      const text = randomScenario(seed);
      const failed = (what: SoakFailure['what']) => so({ seed, what, file: keep && kept(keep, seed, text) });
      const scenario = new HeardInScenario();
      const heard = (event: TraceEvent) => scenario.heard(event);
      const result = await ranOne(seed, text, folder, { makeCharger, end, heard });
      if (result instanceof RunBrokenOff) break;
      coverage.has(parse(text));
      sums.scenarios++;
      if ('thrown' in result) return failed(result);
      const { payments, approved, repeated, settled = 0, unanswered, events, violation } = result;
      const refused = Object.values(result.refused).reduce((sum, some) => sum + some, 0);
      coverage.ended(result, scenario);
      const counts = { payments, approved, repeated, settled, refused, unanswered, events };
      for (const [name, value] of Object.entries(counts)) sums[name as keyof typeof sums] += value;
      ran({ seed, ...counts });
      if (violation !== undefined) return failed(violation);
    }
    return so();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface OneOptions extends Pick<RunOptions, 'end'> {
  readonly makeCharger: MakeCharger | undefined;
  readonly heard: (event: TraceEvent) => void;
}

async function ranOne(
  seed: number,
  text: string,
  folder: string,
  { makeCharger, heard, end }: OneOptions,
): Promise<RunResult | RunBrokenOff | { readonly thrown: string }> {
  try {
    const read = readScenario(kept(folder, seed, text));
    if ('problems' in read) return { thrown: `the file is refused: ${read.problems.map(problemText).join('; ')}` };
    return await runScenario(read.scenario, { heard, end, ...(makeCharger && { makeCharger }) });
  } catch (error) {
    if (error instanceof RunBrokenOff) return error;
    return { thrown: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function kept(folder: string, seed: number, text: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `soak-${seed}.yaml`);
  writeFileSync(file, text);
  return file;
}
