// `sim fleet`: a day of a whole fleet in this process, and what a device of it takes.

import { join } from 'node:path';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { type FleetRun, READ_BACK_EVERY } from '../../../host-sim/fleet/fleet.ts';
import { INVARIANTS } from '../../../host-sim/invariants/model.ts';
import { spanText } from '../../../host-sim/report/axis.ts';
import { RunBrokenOff } from '../../../host-sim/simulation/run.ts';
import { FleetProblem, runSites, sitesFor, sitesOf, together } from '../../fleet/sites.ts';
import { readScenario } from '../../scenario/scenario-file.ts';
import { tellBrokenOff, untilSignal } from '../broken-off.ts';
import { type Io, printable } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { packageFolder } from '../package-folder.ts';
import { cheatLines, countRows, foundLines, refuseProblems, tellFailure, tellNotes } from '../run-text.ts';
import { tableText } from '../table.ts';

interface FleetCommandOptions {
  readonly devices: number;
  readonly payments: number;
  readonly sites?: number;
  readonly seed?: number;
}

/** A fleet that has run, and what it took. */
interface Fleet extends FleetRun {
  readonly seconds: number;
  /** Of the whole process, in user and system mode. */
  readonly cpuSeconds: number;
  /** The most that the process ever had in memory. */
  readonly peakBytes: number;
}

/** What is read where no scenario is named. */
const READY = join('host-sim', 'scenarios', 'fleet-day.yaml');

/** What is watched. Whether a device runs out of memory can be seen inside XS alone, and fleets are not run there. */
const RULES = Object.keys(INVARIANTS).filter((name) => name !== 'runs');

/** Adds `fleet` to `sim`. */
export function registerFleet(sim: Command, io: Io): void {
  const fleet = sim
    .command('fleet')
    .description('Run a day of a fleet of that size, and say what it takes in time and memory.')
    .argument('[scenario]', `a scenario file; default: ${READY}`)
    .option('--devices <n>', 'devices of the fleet, with wallets in proportion', wholeNumber(1, 100_000), 10_000)
    .option('--payments <n>', 'payments at each device', wholeNumber(1, 1000), 20)
    .option(
      '--sites <n>',
      'parts it is cut into, each with servers and a thread of its own; default: at least 2, of at most 2500 devices',
      wholeNumber(1, 64),
    )
    .option('--seed <n>', "instead of the file's: another seed, another run", wholeNumber(0, 999_999))
    .addHelpText(
      'after',
      '\nA scenario of a fleet has its devices in one row, with a {n}, and one pattern with each.\nExample: mpcp-embedded sim fleet --devices 100 --payments 5\nExit code 1 where a rule is broken that holds for every device, or what must come of it did not.',
    )
    .action((file: string | undefined, options: FleetCommandOptions) =>
      run(io, file ?? join(packageFolder(), READY), options),
    );
  jsonOption(fleet);
}

async function run(io: Io, file: string, { devices, payments, sites, seed }: FleetCommandOptions): Promise<void> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  // One device is enough to find out what is wrong with the file.
  const read = readScenario(file, seed, { devices: 1, payments, firstNumber: 1 });
  if ('problems' in read) refuseProblems(io, read.problems);
  const { scenario } = read;
  tellNotes(io, read.notes);
  const bar = barOf(io);
  const orders = sitesOf({ file, seed: scenario.seed, devices, payments }, sites ?? sitesFor(devices));
  const { came: runs, signal } = await untilSignal((end) =>
    runSites(orders, (ms, ofMs) => bar && show(bar, ms, ofMs), { end }).catch((error: unknown) => {
      if (!(error instanceof FleetProblem)) throw error;
      return error.message;
    }),
  ).finally(() => bar?.stop());
  if (runs instanceof RunBrokenOff) {
    const { afterMs } = runs;
    const ofMs = scenario.durationMs + scenario.settleMs;
    if (io.json) io.out(JSON.stringify({ brokenOff: signal, ms: afterMs, ofMs }, null, 2));
    const sites = orders.length === 1 ? '' : `, the mean of its ${orders.length} sites`;
    const how = `${spanText(afterMs)} of ${spanText(ofMs)} of simulated time`;
    tellBrokenOff(io, signal, `the fleet was broken off after ${how}${sites}`);
    return;
  }
  if (typeof runs === 'string') {
    tellFailure(io, runs);
    return;
  }
  const { user, system } = process.cpuUsage(cpu);
  const fleet: Fleet = {
    ...together(runs, scenario.expect),
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: (user + system) / 1e6,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  const { result } = fleet;
  io.result(
    {
      title: scenario.title,
      sites: orders.length,
      seed: scenario.seed,
      ...fleet,
      ...perDevice(fleet),
      rules: RULES,
      readBackEvery: READ_BACK_EVERY,
    },
    text(scenario.title, scenario.seed, fleet),
  );
  if (result.unmet.length > 0 || result.violation !== undefined) io.fail();
}

function perDevice({ devices, cpuSeconds, heldBytes }: Fleet) {
  return { cpuMsPerDevice: (cpuSeconds * 1000) / devices, heldBytesPerDevice: Math.round(heldBytes / devices) };
}

function text(title: string, seed: number, fleet: Fleet): string {
  const { result, devices, seconds, cpuSeconds, peakBytes } = fleet;
  const { cpuMsPerDevice, heldBytesPerDevice } = perDevice(fleet);
  const counts = [['devices', String(devices)], ...countRows(result)];
  const took = [
    ['time', `${seconds.toFixed(1)} s`],
    ['processor time', `${cpuSeconds.toFixed(1)} s`],
    ['  of it a device', `${cpuMsPerDevice.toFixed(1)} ms`],
    ['memory at most', `${Math.ceil(peakBytes / 1_048_576)} MiB`],
    ['  held by a device', `${(heldBytesPerDevice / 1024).toFixed(1)} KiB`],
  ];
  const rules = `All rules but "${INVARIANTS.runs}" were watched on every device; flash was read back after every ${READ_BACK_EVERY}th approval, at each start and in the end.`;
  return [
    `${printable(title)}, seed ${seed}`,
    '',
    tableText(['what', 'how many'], counts),
    ...cheatLines(result),
    '',
    tableText(['what it took', ''], took),
    '',
    rules,
    ...foundLines(result),
  ].join('\n');
}

/** On a terminal only. */
function barOf({ terminal }: Io): SingleBar | undefined {
  if (terminal === undefined) return undefined;
  const format = 'the day {bar} {percentage} % · {hours} of {ofHours} h · {eta_formatted} left';
  const bar = new SingleBar({ format, stream: terminal, clearOnComplete: true, hideCursor: true, fps: 5 });
  bar.start(1, 0, { hours: 0, ofHours: 0 });
  return bar;
}

function show(bar: SingleBar, ms: number, ofMs: number): void {
  const hours = (of: number) => Math.floor(of / 3_600_000);
  bar.setTotal(ofMs);
  bar.update(ms, { hours: hours(ms), ofHours: hours(ofMs) });
}
