// `powercut`: walks the power-cut proof of what is kept on flash, and with `--mutations` the proof that it can fail.

import { type Command, Option } from 'commander';
import type { ErasedReads } from '../../../host-sim/flash/cell-coding.ts';
import { crewSize, walkAll } from '../../powercut/crew.ts';
import type { Walk } from '../../powercut/explore.ts';
import { MUTATIONS, type MutationResult, tryMutation } from '../../powercut/mutations.ts';
import { Progress } from '../../powercut/progress.ts';
import type { Violation } from '../../powercut/trial.ts';
import { type Extent, ordersOf, randomOrders, together, type WalkOrder } from '../../powercut/walks.ts';
import { namedWorkloads } from '../../powercut/workloads.ts';
import { type Io, UsageError } from '../io.ts';
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

/** The workloads that are walked unless one is asked for, and those short enough for pairs of cuts. */
const PROVEN = ['short', 'first', 'bundles', 'mixed', 'busy', 'restarting'];
const PAIRED = ['short', 'first'];
/** What is tried of pairs, and after how many single cuts the rest of the workload runs. */
const SHORT = { oneOf: 80, secondForms: 2, restOf: 24 } as const;
const USUAL = { secondForms: 1, restOf: 24 } as const;
const ALL = { oneOf: 1, secondForms: 'all', restOf: 1 } as const;

/** Adds `powercut`. */
export const register: Register = (program: Command, io: Io) => {
  const powercut = program
    .command('powercut')
    .description('Cut the power at every flash operation of workloads, in every torn form, and every pair of cuts.')
    .option(
      '--seed <n>',
      'which bits land, what erased cells read, which pairs of cuts, which random workloads',
      wholeNumber(0, 999_999),
      1,
    )
    .option(
      '--seconds <n>',
      'where fewer than so many seconds have passed since the start, random workloads follow until then',
      wholeNumber(0, 1_000_000),
      0,
    )
    .addOption(
      new Option(
        '--short',
        'the short workloads only, and of their pairs of cuts a part that the seed chooses',
      ).conflicts('all'),
    )
    .option('--all', 'every pair of cuts in every form with both readings of erased cells, every workload to its end')
    .addOption(
      new Option(
        '--mutations',
        'instead: rules of ledger, journal and bundle set are taken out one by one, and each time a violation must be found',
      ).conflicts(['short', 'all', 'erased', 'workload', 'seconds']),
    )
    .addOption(new Option('--erased <mode>', 'what erased cells read (default: both)').choices(['ones', 'scrambled']))
    .addOption(
      new Option('--workload <name>', 'this one only')
        .choices(namedWorkloads().map((workload) => workload.name))
        .conflicts('seconds'),
    )
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded powercut --seed 7 --seconds 600\nExit code 1 after a violation, or with --mutations where none was found.',
    )
    .action((options: PowercutOptions) => (options.mutations ? mutations(options, io) : walks(options, io)));
  jsonOption(powercut);
};

async function walks(options: PowercutOptions, io: Io): Promise<void> {
  const { seed } = options;
  const extent = extentOf(options);
  const done = [...together(await told(ordersOf(extent), io))];
  if (Date.now() < extent.untilMs) {
    io.note(`random workloads until ${new Date(extent.untilMs).toISOString()}`);
    done.push(...together(await told(randomOrders(extent, crewSize()), io)));
  }
  const violations = done.flatMap((walk) => walk.violations);
  const cases = done.reduce((sum, walk) => sum + walk.cases, 0);
  io.result({ seed, extent, walks: done, cases, violations }, report(done, extent, cases, violations));
  if (violations.length > 0) io.fail();
}

/** How often a line says how far it is. */
const TOLD_EVERY_MS = 60_000;

/** Carries walks out and says how far they are. */
async function told(orders: readonly WalkOrder[], io: Io): Promise<readonly Walk[]> {
  const progress = new Progress(orders, crewSize(), Date.now());
  const timer = setInterval(() => io.note(progress.line(Date.now())), TOLD_EVERY_MS);
  try {
    return await walkAll(orders, (order, walk) => {
      for (const line of progress.ended(order, walk)) io.note(line);
    });
  } finally {
    clearInterval(timer);
  }
}

function extentOf({ short, all, workload, erased, seed, seconds }: PowercutOptions): Extent {
  if (short && workload !== undefined && !PAIRED.includes(workload))
    throw new UsageError(`--short walks ${PAIRED.join(' and ')} only, --workload asks for ${workload}`);
  const names = workload === undefined ? (short ? PAIRED : PROVEN) : [workload];
  const modes: readonly ErasedReads[] = erased === undefined ? ['ones', 'scrambled'] : [erased];
  return {
    ...(all ? ALL : short ? SHORT : { ...USUAL, oneOf: modes.length }),
    single: names,
    paired: PAIRED.filter((name) => names.includes(name)),
    modes,
    seed,
    untilMs: Date.now() + seconds * 1000,
  };
}

function report(done: readonly Walk[], extent: Extent, cases: number, violations: readonly Violation[]): string {
  const rows = done.map((walk) => [
    walk.name,
    walk.operations.toString(),
    walk.compactions.toString(),
    walk.givenUp.toString(),
    walk.cases.toString(),
    walk.violations.length.toString(),
    walk.seconds.toFixed(1),
  ]);
  return [
    tableText(['', 'operations', 'compactions', 'journal blocks given up', 'cases', 'violations', 'seconds'], rows, 1),
    '',
    describeExtent(extent),
    ...violations.flatMap(trace),
    `seed ${extent.seed}: ${cases} cases, ${violations.length} violations`,
  ].join('\n');
}

function describeExtent({ oneOf, secondForms, restOf, modes }: Extent): string {
  const firsts = oneOf <= modes.length ? 'every first cut, in every form' : `one first cut of ${oneOf}`;
  const turns = oneOf > 1 && modes.length > 1 ? ', with either reading of erased cells in turn' : '';
  const seconds =
    secondForms === 'all'
      ? 'every second, in every form'
      : `a second at every operation: before it, after it, and in ${secondForms} forms that the seed chooses`;
  const rest = restOf === 1 ? 'every one cut' : `one cut of ${restOf}`;
  const more = secondForms === 'all' ? '' : '; --all takes every form with both readings';
  return `pairs: ${firsts}${turns}, with ${seconds}; the rest of the workload runs after ${rest}${more}`;
}

function trace({ workload, partitions, erased, rule, detail, cuts, steps }: Violation): readonly string[] {
  return [
    `VIOLATION of "${rule}": ${detail}`,
    `  workload ${workload} on ${partitions.ledger}, ${partitions.journal} and ${partitions.bundles} blocks, erased cells read ${erased}`,
    ...cuts.map((cut) => `  cut at ${cut}`),
    ...(steps ?? []).map((step) => `  step ${step}`),
    '',
  ];
}

async function mutations({ seed }: PowercutOptions, io: Io): Promise<void> {
  const results: MutationResult[] = [];
  for (const [i, mutation] of MUTATIONS.entries()) {
    io.note(`${i + 1} of ${MUTATIONS.length}, without: ${mutation.rule}`);
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
