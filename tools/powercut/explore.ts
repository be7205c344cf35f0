// Walks workloads cut by cut: every operation in every torn form, every pair of cuts, and long random ones.

import type { ErasedReads } from '../../host-sim/flash/cell-coding.ts';
import { mix, SeededRandom } from '../../host-sim/flash/random.ts';
import { type TornForm, tornErases, tornForms } from '../../host-sim/flash/torn-forms.ts';
import {
  type Cut,
  isWrong,
  type Point,
  PROGRAM_SIZE,
  type Recovered,
  type Start,
  Trial,
  type Violation,
} from './trial.ts';
import { randomWorkload, type Workload } from './workloads.ts';

/** What a walk has tried and found. */
export interface Walk {
  readonly name: string;
  /** Flash operations of the workload without a cut. */
  readonly operations: number;
  /** Blocks that the ledger gave up, and the journal. */
  readonly compactions: number;
  readonly givenUp: number;
  cases: number;
  readonly violations: Violation[];
  seconds: number;
}

/** How the second of two cuts is chosen. */
export interface PairOptions {
  /** Forms of the second cut beside `before` and `after`: this many, chosen by the seed; or all. */
  readonly secondForms: number | 'all';
  /** First cuts are tried where the seed chooses one of so many; 1 for all. */
  readonly oneOf: number;
  /** Which one, from 0 to below `oneOf`: all of these together are all first cuts. */
  readonly which: number;
}

/** A part of a walk of single cuts: of so many, this one, from 0. All of them together are the walk. */
export interface Part {
  readonly of: number;
  readonly which: number;
}

const WHOLE: Part = { of: 1, which: 0 };

/** Violations after which a walk has shown enough. */
const ENOUGH = 5;

/** The forms in which an operation breaks off; a seed of its own gives each run other bits. */
function formsOf({ operation }: Point, trial: Trial): readonly TornForm[] {
  const { blockSize } = trial.workload;
  const forms: readonly TornForm[] =
    operation.kind === 'program' ? tornForms(operation.length, PROGRAM_SIZE) : tornErases(blockSize, PROGRAM_SIZE);
  // By sixes: what a remainder says of a form stays.
  return forms.map((form) => ('seed' in form ? { ...form, seed: form.seed + 6 * trial.seed } : form));
}

/** A workload's points, or what it gets wrong without any cut. */
function pointsOf(trial: Trial, walk: Walk): readonly Point[] {
  const points: Point[] = [];
  const wrong = trial.rest(trial.begin, points);
  walk.cases++;
  if (wrong) walk.violations.push(trial.violation(wrong, []));
  return points;
}

function begin(workload: Workload, erased: ErasedReads, seed: number, what: string) {
  const trial = new Trial(workload, erased, seed);
  const points: Point[] = [];
  const walk: Walk = {
    name: `${workload.name}, ${what}, erased cells read ${erased}`,
    operations: 0,
    compactions: 0,
    givenUp: 0,
    cases: 0,
    violations: [],
    seconds: 0,
  };
  points.push(...pointsOf(trial, walk));
  const ends = points.filter(isGivingUp);
  const compactions = ends.filter(
    ({ operation }) => operation.offset < workload.partitions.ledger * workload.blockSize,
  );
  const counted = {
    operations: points.length,
    compactions: compactions.length,
    givenUp: ends.length - compactions.length,
  };
  return { trial, points, walk: Object.assign(walk, counted) };
}

/** True where the operation is the record that gives up a block, which ends a compaction (FORMAT); both logs have it. */
function isGivingUp({ operation }: Point): boolean {
  return operation.bytes?.[0] === 1;
}

/**
 * One cut at every operation, in every form; after it the next payment, idle time and another start.
 *
 * @param restOf after one form of so many the rest of the workload runs as well; after `after` always: it is the only one
 *   that leaves what was not answered
 * @param part the cuts that are made
 */
export function walkSingle(workload: Workload, erased: ErasedReads, seed: number, restOf = 1, part = WHOLE): Walk {
  const started = performance.now();
  const { trial, points, walk } = begin(workload, erased, seed, 'one cut');
  let number = 0;
  for (const point of points) {
    for (const form of formsOf(point, trial)) {
      if (walk.violations.length >= ENOUGH) break;
      const own = number++;
      if (own % part.of !== part.which) continue;
      const cuts = [{ point, form }];
      const recovered = tryCut(trial, walk, cuts);
      if (recovered === undefined) continue;
      const start = trial.here(recovered);
      const isChosen = form.kind === 'after' || mix(seed, own) % restOf === 0;
      const wrong = trial.probe(recovered, 'deep') ?? (isChosen ? trial.rest(start) : undefined);
      if (wrong) walk.violations.push(trial.violation(wrong, cuts));
    }
  }
  walk.seconds = (performance.now() - started) / 1000;
  return walk;
}

/** Where a second cut is not at a write for the bundle set, its next switch is tried after one of so many. */
const PROBED_ONE_OF = 24;

/** A second cut at every operation after every first one; after it the next payment, and the next switch of bundles. */
export function walkPairs(workload: Workload, erased: ErasedReads, seed: number, options: PairOptions): Walk {
  const started = performance.now();
  const { trial, points, walk } = begin(workload, erased, seed, 'two cuts');
  let firsts = 0;
  for (const point of points) {
    for (const form of formsOf(point, trial)) {
      if (walk.violations.length >= ENOUGH) break;
      const number = firsts++;
      if (mix(seed, number) % options.oneOf !== options.which) continue;
      const recovered = trial.cut({ point, form }, true);
      // What one cut does is told by the walk of single cuts.
      if (!isWrong(recovered)) walkSeconds(trial, walk, { point, form }, trial.here(recovered), number, options);
    }
  }
  walk.seconds = (performance.now() - started) / 1000;
  return walk;
}

function walkSeconds(trial: Trial, walk: Walk, first: Cut, start: Start, number: number, options: PairOptions): void {
  const points: Point[] = [];
  const wrong = trial.rest(start, points);
  if (wrong) walk.violations.push(trial.violation(wrong, [first]));
  let seconds = 0;
  for (const point of points) {
    for (const form of chosen(formsOf(point, trial), options.secondForms, mix(number, point.operation.number))) {
      if (walk.violations.length >= ENOUGH) return;
      const cuts = [first, { point, form }];
      const next = tryCut(trial, walk, cuts, true);
      if (next === undefined) continue;
      const isOfBundles = point.doing.do === 'switch' || point.doing.do === 'restart';
      const isChosen = isOfBundles || mix(number, seconds++) % PROBED_ONE_OF === 0;
      const wrong = trial.probe(next, isChosen ? 'probes' : 'payment');
      if (wrong) walk.violations.push(trial.violation(wrong, cuts));
    }
  }
}

/** `before`, `after` and some between. */
function chosen(forms: readonly TornForm[], count: number | 'all', seed: number): readonly TornForm[] {
  if (count === 'all' || forms.length <= count + 2) return forms;
  const random = new SeededRandom(seed);
  const between = forms.slice(1, -1);
  const taken = Array.from({ length: count }, () => between.splice(random.below(between.length), 1)[0] as TornForm);
  return [forms[0] as TornForm, ...taken, forms[forms.length - 1] as TornForm];
}

/** Makes a cut. @returns how the workload goes on, or undefined where something was wrong */
function tryCut(trial: Trial, walk: Walk, cuts: readonly Cut[], quick = false): Recovered | undefined {
  walk.cases++;
  const outcome = trial.cut(cuts[cuts.length - 1] as Cut, quick);
  if (!isWrong(outcome)) return outcome;
  walk.violations.push(trial.violation(outcome, cuts));
  return undefined;
}

/** Cuts in a row that a random walk makes at most. */
const CUTS_IN_A_ROW = 12;

/** Random workloads until a time: at each of their operations a cut in some form, and walks of several cuts in a row. */
export function walkRandom(seed: number, untilMs: number, modes: readonly ErasedReads[], now: () => number): Walk {
  const started = performance.now();
  const walk: Walk = {
    name: 'random workloads',
    operations: 0,
    compactions: 0,
    givenUp: 0,
    cases: 0,
    violations: [],
    seconds: 0,
  };
  for (let round = 0; now() < untilMs && walk.violations.length === 0; round++) {
    const own = mix(seed, round);
    walkOneRandom(randomWorkload(own), modes[round % modes.length] as ErasedReads, own, walk);
  }
  walk.seconds = (performance.now() - started) / 1000;
  return walk;
}

function walkOneRandom(workload: Workload, erased: ErasedReads, seed: number, total: Walk): void {
  const { trial, points, walk } = begin(workload, erased, seed, 'random');
  const random = new SeededRandom(seed);
  const any = <T>(of: readonly T[]): T => of[random.below(of.length)] as T;
  for (const point of points) {
    const cuts = [{ point, form: any(formsOf(point, trial)) }];
    const recovered = tryCut(trial, walk, cuts);
    const wrong = recovered && trial.probe(recovered, 'deep');
    if (wrong) walk.violations.push(trial.violation(wrong, cuts));
  }
  for (let i = 0; i < 6 && walk.violations.length === 0; i++) walkInARow(trial, walk, points, any);
  const { cases, violations } = walk;
  Object.assign(total, {
    operations: total.operations + walk.operations,
    compactions: total.compactions + walk.compactions,
    givenUp: total.givenUp + walk.givenUp,
    cases: total.cases + cases,
  });
  total.violations.push(...violations.slice(0, 1));
}

function walkInARow(trial: Trial, walk: Walk, from: readonly Point[], any: <T>(of: readonly T[]) => T): void {
  const cuts: Cut[] = [];
  let points = from;
  while (points.length > 0 && cuts.length < CUTS_IN_A_ROW) {
    // Mostly soon after the last: what recovers is what is cut again.
    const point = any(cuts.length % 3 === 0 ? points : points.slice(0, 8));
    cuts.push({ point, form: any(formsOf(point, trial)) });
    const recovered = tryCut(trial, walk, cuts);
    if (recovered === undefined) return;
    const start = trial.here(recovered);
    const after: Point[] = [];
    const wrong = trial.probe(recovered, 'deep') ?? trial.rest(start, after);
    if (wrong) {
      walk.violations.push(trial.violation(wrong, cuts));
      return;
    }
    points = after;
  }
}
