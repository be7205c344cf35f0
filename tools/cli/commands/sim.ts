// `sim`: runs scenarios in simulated time, on the core that devices run.

import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { FlashError } from '../../../core/ports/ports.ts';
import { spanText } from '../../../host-sim/report/axis.ts';
import { DATABASE_FILE, KeptRun } from '../../../host-sim/simulation/kept-run.ts';
import { RunBrokenOff, type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import type { LinkKind } from '../../../host-sim/simulation/servers.ts';
import type { MakeCharger } from '../../../host-sim/simulation/simulated-device.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import { withEngine } from '../../../host-sim/xs-device/engine.ts';
import { chargersIn } from '../../../host-sim/xs-device/xs-charger.ts';
import { readScenario } from '../../scenario/scenario-file.ts';
import { tellBrokenOff, untilSignal } from '../broken-off.ts';
import { type Io, printable, systemReason, UsageError } from '../io.ts';
import { wholeNumber } from '../option-values.ts';
import { makeFolder } from '../output-file.ts';
import { cheatLines, countRows, foundLines, refuseProblems, tellNotes } from '../run-text.ts';
import { checkReport, SimReport } from '../sim-report.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';
import { registerFleet } from './sim-fleet.ts';

interface RunCommandOptions {
  readonly seed?: number;
  readonly engine: 'node' | 'xs';
  readonly json?: boolean;
  readonly link: LinkKind;
  readonly keep?: string;
  readonly report?: string;
}

/** Adds `sim`. */
export const register: Register = (program: Command, io: Io) => {
  const sim = program
    .command('sim')
    .description('Run scenarios: devices, payers, networks and faults in simulated time.');
  sim
    .command('run')
    .description('Run a scenario to its end, and say what came of it.')
    .argument('<scenario>', 'a scenario file: YAML')
    .option('--seed <n>', "instead of the file's: another seed, another run", wholeNumber(0, 999_999))
    .addOption(
      new Option('--engine <which>', "what devices run the core in: Node, or XS with a device's memory")
        .choices(['node', 'xs'])
        .default('node'),
    )
    .addOption(
      new Option('--link <kind>', 'how requests reach the servers: over HTTP on loopback, or in this process')
        .choices(['sockets', 'in-process'] satisfies LinkKind[])
        .default('sockets'),
    )
    .option('--keep <dir>', "an empty folder for the devices' flash and images, and the servers' database")
    .option('--report <file>', 'write what came of the run as a page for a browser: one HTML file that loads nothing')
    .option('--json', 'every event of the run as a line of JSON on stdout, and its result in the last one')
    .addHelpText(
      'after',
      '\nThe members of a scenario file: docs/SIMULATOR.md.\nExample: mpcp-embedded sim run host-sim/scenarios/charging-park.yaml --seed 7\nExit code 1 where a rule is broken that holds for every device, or what must come of it did not.',
    )
    .action((file: string, options: RunCommandOptions) => run(io, file, options));
  registerFleet(sim, io);
};

async function run(io: Io, file: string, { seed, engine, json, link, keep, report }: RunCommandOptions): Promise<void> {
  if (report !== undefined) checkReport(report, file);
  if (report !== undefined && keep !== undefined && resolve(report) === resolve(keep))
    throw new UsageError(`--report ${report}: it is the folder of --keep`);
  const read = readScenario(file, seed);
  if ('problems' in read) refuseProblems(io, read.problems);
  const { scenario } = read;
  // A folder of a device stands beside the database, which has files of its own beside it.
  const asDatabase = scenario.devices.find(({ deviceId }) => deviceId.toLowerCase().startsWith(DATABASE_FILE));
  if (keep !== undefined && asDatabase !== undefined)
    throw new UsageError(
      `--keep ${keep}: device ${asDatabase.deviceId} in ${file} has the name of a file of the database; its folder would be in its place`,
    );
  tellNotes(io, read.notes);
  const line = (event: TraceEvent) => io.out(JSON.stringify(event));
  const written = report === undefined ? undefined : new SimReport(report, scenario, file);
  const heard = (event: TraceEvent) => {
    if (json === true) line(event);
    written?.heard(event);
  };
  const watched = written === undefined ? { heard, link } : { heard, link, observed: written.observed };
  // Until there is an engine nothing has begun that has to be closed: then a signal ends the process as it ends any.
  const { came: result, signal } = await onEngine(engine, io, (devices) =>
    untilSignal((end) => {
      const ran = async (kept?: { readonly keep: KeptRun }) => {
        const came = await runScenario(scenario, { ...watched, ...devices, ...kept, end });
        written?.ended(came);
        return came;
      };
      return keep === undefined ? ran() : keptIn(keep, (kept) => ran({ keep: kept }));
    }),
  );
  if (result instanceof RunBrokenOff) {
    const { afterMs } = result;
    if (json === true) io.out(JSON.stringify({ event: 'broken-off', seed: scenario.seed, ms: afterMs, signal }));
    tellBrokenOff(io, signal, brokenOffText(afterMs, keep, report));
    return;
  }
  await written?.write(result, engine);
  if (json === true) io.out(JSON.stringify({ event: 'result', seed: scenario.seed, ...result }));
  else io.out(resultText(scenario.title, scenario.seed, result));
  if (result.unmet.length > 0 || result.violation !== undefined) io.fail();
}

/** That a run is not whole, and what there is of it. */
function brokenOffText(afterMs: number, keep: string | undefined, report: string | undefined): string {
  const left = [
    ...(keep === undefined ? [] : [`${keep} has flash, images and database as they were then, and no whole run`]),
    ...(report === undefined ? [] : ['no report was written']),
  ];
  return [`the run was broken off after ${spanText(afterMs)} of simulated time`, ...left].join('; ');
}

/** @throws UsageError where the engine cannot be had on this machine */
async function onEngine<Result>(
  engine: RunCommandOptions['engine'],
  io: Io,
  work: (devices: { readonly makeCharger?: MakeCharger }) => Promise<Result>,
): Promise<Result> {
  if (engine === 'node') return work({});
  try {
    return await withEngine({ note: io.note }, (xs) => work({ makeCharger: chargersIn(xs) }));
  } catch (error) {
    if (error instanceof EngineProblem) throw new UsageError(error.message);
    throw error;
  }
}

/** @throws UsageError where something is in the folder, or nothing can be written there */
async function keptIn(folder: string, work: (kept: KeptRun) => Promise<RunResult>): Promise<RunResult> {
  if (folder === '') throw new UsageError('--keep "": the folder has no name');
  makeFolder(folder, '--keep');
  let kept: KeptRun | undefined;
  try {
    if (readdirSync(folder).length > 0)
      throw new UsageError(`--keep ${folder}: it is not empty; a run is only kept where nothing is`);
    kept = await KeptRun.in(folder);
    return await work(kept);
  } catch (error) {
    const isOfFile = error instanceof FlashError || (error as NodeJS.ErrnoException).syscall !== undefined;
    if (isOfFile) throw new UsageError(`--keep ${folder}: ${systemReason(error)}`);
    throw error;
  } finally {
    kept?.close();
  }
}

function resultText(title: string, seed: number, result: RunResult): string {
  const counts = tableText(['what', 'how many'], countRows(result));
  const cheats = cheatLines(result);
  return [
    `${printable(title)}, seed ${seed}`,
    '',
    counts,
    ...cheats,
    '',
    `${result.events} events`,
    ...foundLines(result),
  ].join('\n');
}
