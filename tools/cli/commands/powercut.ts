// `powercut`: walks the power-cut proof of what is kept on flash, and with `--mutations` the proof that it can fail.

import { type Command, Option } from 'commander';
import type { ErasedReads } from '../../../host-sim/flash/cell-coding.ts';
import { type PairOptions, type Walk, walkPairs, walkRandom, walkSingle } from '../../powercut/explore.ts';
import { MUTATIONS, type MutationResult, tryMutation } from '../../powercut/mutations.ts';
import type { Violation } from '../../powercut/trial.ts';
import { namedWorkloads } from '../../powercut/workloads.ts';
import type { Io } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface PowercutOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly short?: boolean;
  readonly all?: boolean;
  readonly mutations?: boolean;
  readonly erased?: ErasedReads;
  readonly workload?: string;
}

/**
 * What is tried of the pairs with `--short`, without it, and with `--all`: one first cut of so many, and so many forms of
 * the second beside `before` and `after`.
 */
const SHORT_PAIRS = { oneOf: 40, secondForms: 2 } as const;
/** The workloads that are walked unless one is asked for, and those short enough for pairs of cuts. */
const PROVEN = ['short', 'mixed', 'busy', 'restarting'];
const PAIRED = ['first', 'short'];
const SOME_PAIRS = { oneOf: 1, secondForms: 2 } as const;
const ALL_PAIRS = { oneOf: 1, secondForms: 'all' } as const;

/** Adds `powercut`. */
export const register: Register = (program: Command, io: Io) => {
  const powercut = program
    .command('powercut')
    .description('Cut the power at every flash operation of workloads, in every torn form, and every pair of cuts.')
    .option('--seed <n>', 'which bits land, what erased cells read, which random workloads', wholeNumber(0, 999_999), 1)
    .option('--seconds <n>', 'random workloads run on until so many seconds are over', wholeNumber(0, 1_000_000), 0)
    .option('--short', 'the short workload only, and of its pairs of cuts a part that the seed chooses')
    .option(
      '--mutations',
      'instead: rules of the ledger are taken out one by one, and each time a violation must be found',
    )
    .addOption(new Option('--erased <mode>', 'what erased cells read (default: both)').choices(['ones', 'scrambled']))
    .addOption(
      new Option('--workload <name>', 'this one only').choices(namedWorkloads().map((workload) => workload.name)),
    )
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded powercut --seed 7 --seconds 600\nExit code 1 after a violation, or with --mutations where none was found.',
    )
    .action((options: PowercutOptions) => (options.mutations ? mutations(options, io) : walks(options, io)));
  jsonOption(powercut);
};

function walks(options: PowercutOptions, io: Io): void {
  const started = Date.now();
  const { seed } = options;
  const modes: readonly ErasedReads[] = options.erased === undefined ? ['ones', 'scrambled'] : [options.erased];
  const pairs = pairsOf(options);
  const { workload: wanted } = options;
  const names = wanted === undefined ? (options.short ? ['short'] : PROVEN) : [wanted];
  const workloads = namedWorkloads().filter(({ name }) => names.includes(name));
  const done: Walk[] = [];
  const take = (what: string, walk: () => Walk) => {
    io.note(what);
    done.push(walk());
  };
  for (const workload of workloads)
    for (const mode of modes)
      take(`${workload.name}, one cut, erased cells read ${mode}`, () => walkSingle(workload, mode, seed));
  for (const workload of workloads.filter(({ name }) => PAIRED.includes(name)))
    for (const mode of modes)
      take(`${workload.name}, two cuts, erased cells read ${mode}`, () => walkPairs(workload, mode, seed, pairs));
  const untilMs = started + options.seconds * 1000;
  if (Date.now() < untilMs) take('random workloads', () => walkRandom(seed, untilMs, modes, Date.now));
  const violations = done.flatMap((walk) => walk.violations);
  const cases = done.reduce((sum, walk) => sum + walk.cases, 0);
  io.result({ seed, pairs, walks: done, cases, violations }, report(done, options, cases, violations));
  if (violations.length > 0) io.fail();
}

function report(
  done: readonly Walk[],
  options: PowercutOptions,
  cases: number,
  violations: readonly Violation[],
): string {
  const rows = done.map((walk) => [
    walk.name,
    walk.operations.toString(),
    walk.compactions.toString(),
    walk.cases.toString(),
    walk.violations.length.toString(),
    walk.seconds.toFixed(1),
  ]);
  return [
    tableText(['', 'operations', 'compactions', 'cases', 'violations', 'seconds'], rows, 1),
    '',
    `pairs: ${describePairs(pairsOf(options))}`,
    ...violations.flatMap(trace),
    `seed ${options.seed}: ${cases} cases, ${violations.length} violations`,
  ].join('\n');
}

function pairsOf({ short, all }: PowercutOptions): PairOptions {
  if (all) return ALL_PAIRS;
  return short ? SHORT_PAIRS : SOME_PAIRS;
}

function describePairs({ oneOf, secondForms }: PairOptions): string {
  const firsts = oneOf === 1 ? 'every first cut, in every form' : `one first cut of ${oneOf}`;
  if (secondForms === 'all') return `${firsts}, with every second, in every form`;
  return `${firsts}, with a second at every operation: before it, after it, and in ${secondForms} forms that the seed chooses; --all takes every form`;
}

function trace({ workload, blocks, erased, rule, detail, cuts, steps }: Violation): readonly string[] {
  return [
    `VIOLATION of "${rule}": ${detail}`,
    `  workload ${workload} on ${blocks} blocks, erased cells read ${erased}`,
    ...cuts.map((cut) => `  cut at ${cut}`),
    ...(steps ?? []).map((step) => `  step ${step}`),
    '',
  ];
}

async function mutations({ seed }: PowercutOptions, io: Io): Promise<void> {
  const results: MutationResult[] = [];
  for (const mutation of MUTATIONS) {
    io.note(`without: ${mutation.rule}`);
    results.push(await tryMutation(mutation, seed));
  }
  const survived = results.filter((result) => result.violations === 0);
  const rows = results.map(({ rule, cases, violations, found }) => [
    rule,
    cases.toString(),
    violations.toString(),
    found ?? 'SURVIVED',
  ]);
  const text = [
    tableText(['rule taken out', 'cases', 'violations', 'first'], rows),
    '',
    `${results.length} rules taken out, ${results.length - survived.length} found out, ${survived.length} survived`,
  ];
  io.result({ seed, mutations: results, survived: survived.length }, text.join('\n'));
  if (survived.length > 0) io.fail();
}
