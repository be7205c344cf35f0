// `bench-xs`: what the core costs inside XS: instructions on rv32, the engine's meter, memory and collections, beside the
// budgets; and whether that is still what was committed.

import { type Command, Option } from 'commander';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import {
  type AtPlace,
  type BenchEngine,
  compilersHere,
  createXsEngine,
  lineNames,
  runXsBench,
  type XsBench,
  type XsBenchLine,
} from '../../bench/xs.ts';
import {
  BASELINE_PERCENT,
  type BaselineCheck,
  baselineOf,
  baselinePath,
  compareWithBaseline,
  readBaseline,
  writeBaseline,
  type XsBaseline,
} from '../../bench/xs-baseline.ts';
import { IMAGE_AIM, type ImageSize } from '../../bench/xs-image.ts';
import type { Place } from '../../bench/xs-lines.ts';
import { type Io, systemReason, UsageError } from '../io.ts';
import { jsonOption } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

/** What a run is asked for. */
export interface BenchXsOptions {
  readonly only?: string;
  readonly baseline?: 'check' | 'write';
  /** False with --no-skip. */
  readonly skip: boolean;
}

/** Adds `bench-xs`. */
export const register: Register = (program: Command, io: Io) => {
  const bench = program
    .command('bench-xs')
    .description('Count what the core costs inside XS: instructions on rv32, the engine’s meter, memory, collections.')
    .option('--only <part>', 'lines whose name has this in it, and what they are compared with')
    .addOption(
      new Option('--baseline <what>', 'compare with the committed figures, or write them').choices(['check', 'write']),
    )
    .option('--no-skip', 'a compiler or emulator that is missing is a failure')
    .addHelpText(
      'after',
      `\nExample: mpcp-embedded bench-xs --baseline check\nExit code 1 if something is over its budget, or more than ${BASELINE_PERCENT} % above the baseline.`,
    )
    .action(async (options: BenchXsOptions) => {
      if (options.baseline === 'write' && options.only !== undefined)
        throw new UsageError('--baseline write takes all lines: leave --only out');
      await withXs(io, (engine) => runBenchXs(engine, options, baselinePath(), io));
    });
  jsonOption(bench);
};

/** What cannot be built or run is a wrong call, in one sentence. */
async function withXs(io: Io, work: (engine: BenchEngine) => Promise<void>): Promise<void> {
  try {
    const engine = await createXsEngine(io.note);
    try {
      await work(engine);
    } finally {
      engine.close();
    }
  } catch (error) {
    if (error instanceof EngineProblem) throw new UsageError(error.message);
    throw error;
  }
}

/** Measures, prints, and compares with the baseline or writes it. @param baseline the baseline's file */
export async function runBenchXs(
  engine: BenchEngine,
  options: BenchXsOptions,
  baseline: string,
  io: Io,
): Promise<void> {
  const { only } = options;
  // What is wrong with the call is said before minutes are spent on it.
  if (lineNames(engine, only).length === 0)
    throw new UsageError(`--only ${only}: no line has this in its name; the lines are ${lineNames(engine).join(', ')}`);
  const committed = options.baseline === 'check' ? committedIn(baseline) : undefined;
  if (options.baseline === 'write') checkComplete(compilersHere(engine).skipped);
  const report = await runXsBench(engine, only, io.note);
  const check = committed === undefined ? undefined : compareWithBaseline(report, committed, only !== undefined);
  io.result({ ...report, ...(check && { baseline: check }) }, benchXsText(report, check));
  if (options.baseline === 'write') writeBaseline(baseline, baselineOf(report));
  const isIncomplete = !options.skip && report.skipped.length > 0;
  if (report.over.length > 0 || check?.failed === true || isIncomplete) io.fail();
}

function committedIn(path: string): XsBaseline {
  try {
    return readBaseline(path);
  } catch (error) {
    throw new UsageError(`${path}: ${systemReason(error)}`);
  }
}

function checkComplete(skipped: readonly string[]): void {
  if (skipped.length > 0) throw new UsageError(`--baseline write takes all targets: ${skipped.join('; ')}`);
}

/** The report for people: a table for each machine, the image, what is over its budget, and how the baseline compares. */
function benchXsText(report: XsBench, check: BaselineCheck | undefined): string {
  const { lines, images, skipped, over } = report;
  const parts = [
    instructionTable('rv32, heap of a plain ESP32: 32 KB chunks, 2048 slots', lines, ['rv32/esp32', 'rv32/large']),
    instructionTable('rv32, 48 KB in all', lines, ['rv32/48k']),
    meterTable(lines),
  ];
  return [
    ...[...parts, imageTable(images)].filter((part) => part !== '').flatMap((part) => [part, '']),
    ...skipped.map((sentence) => `skipped: ${sentence}`),
    ...over.map((what) => `OVER BUDGET: ${what}`),
    ...(over.length === 0 ? [images.length === 0 ? 'nothing was measured' : 'all within their budgets'] : []),
    ...(check === undefined ? [] : checkText(check, skipped.length)),
  ].join('\n');
}

/** Groups of three digits, so that millions can be read. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ' ');
}

function atFirst({ at }: XsBenchLine, places: readonly Place[]): AtPlace | undefined {
  return places.map((place) => at[place]).find((found) => found !== undefined);
}

/** Empty where nothing was measured there. */
function instructionTable(title: string, lines: readonly XsBenchLine[], places: readonly Place[]): string {
  const hasBudgets = places.includes('rv32/esp32');
  const rows = lines.flatMap((line) => {
    const found = atFirst(line, places);
    if (found === undefined) return [];
    if ('stopped' in found) return [[line.title, found.stopped]];
    const { budget, timesFloor, peerTimes } = line;
    const isOver = budget !== undefined && found.count > budget;
    return [
      [
        line.title,
        grouped(found.count),
        ...(hasBudgets
          ? [
              budget === undefined ? '' : `<= ${grouped(budget)}${isOver ? ' OVER' : ''}`,
              timesFloor?.toFixed(2) ?? '',
              peerTimes?.toFixed(1) ?? '',
            ]
          : []),
        ...memoryCells(found),
      ],
    ];
  });
  if (rows.length === 0) return '';
  const compared = hasBudgets ? ['budget', 'x native floor', 'peer/this'] : [];
  return tableText([title, 'instructions', ...compared, ...MEMORY_HEADINGS], rows, 1);
}

const MEMORY_HEADINGS = ['collections', 'slots peak', 'chunks peak', 'JS stack', 'C stack'];

function memoryCells(found: Exclude<AtPlace, { stopped: string }>): readonly string[] {
  return [found.collections, found.slots, found.chunks, found.stack, found.cStack].map(String);
}

/** The meter of both machines, and the memory of the larger. */
function meterTable(lines: readonly XsBenchLine[]): string {
  const rows = lines.flatMap((line) => {
    const found = atFirst(line, ['m32/esp32', 'm32/large']);
    if (found === undefined) return [];
    if ('stopped' in found) return [[line.title, found.stopped]];
    const small = line.at['m32/48k'];
    const smallCells =
      small === undefined || 'stopped' in small
        ? [small?.stopped ?? '', '']
        : [grouped(small.count), String(small.collections)];
    return [[line.title, grouped(found.count), ...memoryCells(found), ...smallCells]];
  });
  if (rows.length === 0) return '';
  return tableText(['m32, heap of a plain ESP32', 'meter', ...MEMORY_HEADINGS, '48 KB: meter', 'collections'], rows, 1);
}

/** A line for each kind of device, with its parts. */
function imageTable(images: readonly ImageSize[]): string {
  if (images.length === 0) return '';
  const rows = images.map((image) => [
    `image: ${image.title}`,
    grouped(image.total),
    `<= ${grouped(image.budget)}${image.total > image.budget ? ' OVER' : ''}`,
    ...IMAGE_PARTS.map(([part]) => grouped(image[part])),
  ]);
  const aim = `bytes of the core in flash; the design wants ${grouped(IMAGE_AIM)}`;
  return tableText([aim, 'bytes', 'budget', ...IMAGE_PARTS.map(([, heading]) => heading)], rows, 1);
}

const IMAGE_PARTS = [
  ['code', 'byte code'],
  ['functions', 'functions'],
  ['closures', 'closures'],
  ['arrays', 'arrays'],
  ['objects', 'objects'],
  ['names', 'names'],
  ['texts', 'texts'],
  ['constants', 'constants'],
] as const satisfies readonly (readonly [keyof ImageSize, string])[];

/** @param missing how many targets were skipped */
function checkText({ compared, differences, notes, failed }: BaselineCheck, missing: number): readonly string[] {
  if (compared === 0) return ['skipped: the comparison with the baseline: nothing was measured that stands in it'];
  const words = (value: number | undefined) => (value === undefined ? 'none' : grouped(value));
  return [
    ...notes,
    ...differences.map(({ what, before, now, change, failed }) => {
      const percent = change === undefined ? '' : ` (${change > 0 ? '+' : ''}${(change * 100).toFixed(2)} %)`;
      return `${failed ? 'FAIL' : 'differs'} ${what}: ${words(before)} -> ${words(now)}${percent}`;
    }),
    `baseline: ${compared} figures, ${differences.length} differ${failed ? '' : `, none by more than ${BASELINE_PERCENT} % for the worse`}${missing === 0 ? '' : '; those of targets that were skipped are not compared'}`,
  ];
}
