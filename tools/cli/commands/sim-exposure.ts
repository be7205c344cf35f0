// `sim exposure`: how long devices take to know a revocation, and what they accept meanwhile, against the refresh interval.

import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { REFRESH_INTERVAL_RANGE_MS } from '../../../core/limits.ts';
import { type Exposure, longestBound, measureExposure, revocationsOf } from '../../../host-sim/exposure/exposure.ts';
import { excessText, exposureDocument, HEADINGS, lateText, rowTexts } from '../../../host-sim/exposure/summary.ts';
import { spanText } from '../../../host-sim/report/axis.ts';
import type { Scenario } from '../../../host-sim/scenario/scenario.ts';
import { RunBrokenOff } from '../../../host-sim/simulation/run.ts';
import { durationMs } from '../../issue/duration.ts';
import { readScenario } from '../../scenario/scenario-file.ts';
import { tellBrokenOff, untilSignal } from '../broken-off.ts';
import { type Io, printable, UsageError } from '../io.ts';
import { wholeNumber } from '../option-values.ts';
import { writeFiles } from '../output-file.ts';
import { packageFolder } from '../package-folder.ts';
import { refuseProblems, tellNotes } from '../run-text.ts';
import { checkReport } from '../sim-report.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface ExposureCommandOptions {
  readonly intervals: readonly number[];
  readonly seed?: number;
  readonly seeds: number;
  readonly report?: string;
}

const READY = 'host-sim/scenarios/exposure.yaml';
const INTERVALS = '15m,1h,4h,12h,1d';

/** Adds `exposure` to `sim`, which is there. */
export const register: Register = (program: Command, io: Io) => {
  const sim = program.commands.find((command) => command.name() === 'sim') as Command;
  sim
    .command('exposure')
    .description(
      'Run a scenario with revocations once for each refresh interval, and say how long devices take to know them and what they accept meanwhile.',
    )
    .argument('[scenario]', `a scenario file: YAML (default: ${READY} of this program)`)
    .addOption(
      new Option('--intervals <spans>', 'refresh intervals, a minute to a week each')
        .argParser(intervalList)
        .default(intervalList(INTERVALS), INTERVALS),
    )
    .option('--seed <n>', "instead of the file's: of the first run", wholeNumber(0, 999_999))
    .option('--seeds <n>', 'so many runs for each interval, with one seed after the other', wholeNumber(1, 100), 1)
    .option('--report <file>', 'the same as a page for a browser: one HTML file that loads nothing')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded sim exposure --intervals 1h,1d --report exposure.html\nExit code 1 where a device took longer to know a revocation than its refresh allows, more was approved than caps allow, or another rule is broken.',
    )
    .action((file: string | undefined, options: ExposureCommandOptions) =>
      run(io, file ?? join(packageFolder(), READY), options),
    );
};

function intervalList(text: string): readonly number[] {
  const [least, most] = REFRESH_INTERVAL_RANGE_MS;
  const spans = text.split(',').map((one) => durationMs(one.trim()));
  if (!spans.every((ms) => ms !== undefined && ms >= least && ms <= most))
    throw new InvalidArgumentError('It is not a list of spans from a minute to a week, such as 15m,1h,1d.');
  return [...new Set(spans as number[])].sort((a, b) => a - b);
}

async function run(io: Io, file: string, { intervals, seed, seeds, report }: ExposureCommandOptions): Promise<void> {
  if (report !== undefined) checkReport(report, file);
  const scenarios = readScenarios(io, file, seed, seeds);
  checkLength(scenarios[0] as Scenario, intervals);
  let at = { run: 0, of: 0 };
  const { came: exposure, signal } = await untilSignal((end) =>
    measureExposure(scenarios, {
      intervalsMs: intervals,
      end,
      progress: (run, of) => {
        at = { run, of };
        if (io.terminal !== undefined) io.note(`run ${run} of ${of}`);
      },
    }),
  );
  if (exposure instanceof RunBrokenOff) {
    const { afterMs } = exposure;
    if (io.json) io.out(JSON.stringify({ brokenOff: signal, ...at, ms: afterMs }, null, 2));
    const how = `it was broken off in run ${at.run} of ${at.of}, after ${spanText(afterMs)} of its simulated time`;
    tellBrokenOff(io, signal, report === undefined ? how : `${how}; no report was written`);
    return;
  }
  if (report !== undefined) {
    // The library that draws charts is as large as a third of this program: it is loaded when there is something to draw.
    const { exposurePage } = await import('../../../host-sim/exposure/page.ts');
    writeFiles([{ path: report, text: exposurePage(exposure) }]);
  }
  io.result(exposureDocument(exposure), exposureText(exposure));
  const { late, excesses, violations } = exposure;
  if (late.length + excesses.length + violations.length > 0) io.fail();
}

function exposureText(exposure: Exposure): string {
  const { title, seeds, devices, revocations, capMinor, rows, late, excesses, violations } = exposure;
  const runs = seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds[0]} to ${seeds.at(-1)}`;
  const what = revocations.map(({ what, atMs }) => `${what} after ${spanText(atMs)}`).join(', ');
  return [
    `${printable(title)}, ${runs}`,
    `${devices} devices; revoked: ${what}`,
    '',
    tableText(
      HEADINGS,
      rows.map((row) => rowTexts(row, exposure)),
      1,
    ),
    '',
    `payments and amount: approved in one run under what was revoked; caps allow ${capMinor} at most`,
    ...late.map((one) => `LATE: ${lateText(one)}`),
    ...excesses.map((one) => `ABOVE CAPS: ${excessText(one)}`),
    ...violations.map(({ device, detail }) => `VIOLATION by ${device}: ${detail}`),
  ].join('\n');
}

/** The scenario, with one seed after the other. @throws UsageError where it cannot be used, or revokes nothing */
function readScenarios(io: Io, file: string, seed: number | undefined, seeds: number): readonly Scenario[] {
  const scenarios: Scenario[] = [];
  for (let i = 0; i < seeds; i++) {
    const first = scenarios[0]?.seed ?? seed;
    const read = readScenario(file, first === undefined ? undefined : first + i);
    if ('problems' in read) refuseProblems(io, read.problems);
    if (i === 0) tellNotes(io, read.notes);
    scenarios.push(read.scenario);
  }
  if (revocationsOf(scenarios[0] as Scenario).length === 0)
    throw new UsageError(`${file}: it revokes nothing: there is no revokeKey and no revokeGrants among its actions`);
  return scenarios;
}

/** @throws UsageError where it ends before a connected device must know what was revoked */
function checkLength(scenario: Scenario, intervals: readonly number[]): void {
  const last = Math.max(...revocationsOf(scenario).map(({ atMs }) => atMs));
  const longest = intervals.at(-1) as number;
  const needed = last + longestBound(scenario, longest);
  if (needed > scenario.durationMs)
    throw new UsageError(
      `--intervals ${spanText(longest)}: the scenario lasts ${spanText(scenario.durationMs)}, and devices may take until ${spanText(needed)} to know its last revocation`,
    );
}
