// `bench-fleet`: what a device of a fleet takes in time and memory, in fleets of several sizes.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RunResult } from '../../../host-sim/simulation/run.ts';
import {
  FLEET_BYTES,
  FLEET_SECONDS,
  FLEET_SPREAD,
  type FleetBench,
  type FleetFigures,
  judged,
} from '../../bench/fleet.ts';
import type { Io } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { foundLines, tellFailure } from '../run-text.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface BenchOptions {
  readonly devices: readonly number[];
  readonly payments: number;
}

/** Adds `bench-fleet`. */
export const register: Register = (program: Command, io: Io) => {
  const bench = program
    .command('bench-fleet')
    .description(
      'Run `sim fleet` with fleets of several sizes, each in a process of its own, and hold what they take to its limits.',
    )
    .addOption(
      new Option('--devices <sizes>', 'the sizes, from the smallest on, with commas')
        .argParser(sizes)
        .default([1000, 10_000], '1000,10000'),
    )
    .option('--payments <n>', 'payments at each device', wholeNumber(1, 1000), 20)
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded bench-fleet --devices 50,100\nExit code 1 where a limit is missed, a rule is broken, or a fleet cannot be run.',
    )
    .action(async ({ devices, payments }: BenchOptions) => {
      const fleets: FleetFigures[] = [];
      for (const count of devices) {
        const told = await run(count, payments);
        if ('error' in told) {
          tellFailure(io, `${count} devices: ${told.error}`);
          return;
        }
        const wrong = foundLines(told.result);
        if (wrong.length > 0) {
          io.result(told, [`${told.title}, ${count} devices, seed ${told.seed}`, ...wrong].join('\n'));
          io.fail();
          return;
        }
        fleets.push(told);
      }
      const found = judged(fleets);
      io.result(found, text(found));
      if (found.missed.length > 0) io.fail();
    });
  jsonOption(bench);
};

/** What `sim fleet --json` tells of a fleet. */
interface FleetTold extends FleetFigures {
  readonly title: string;
  readonly seed: number;
  readonly result: FleetFigures['result'] & Pick<RunResult, 'unmet' | 'violation'>;
}

/** Runs a fleet by the program that runs here. @returns what it tells, also where it ends with 1; `error`: why it did not run */
async function run(devices: number, payments: number): Promise<FleetTold | { readonly error: string }> {
  const words = ['sim', 'fleet', '--devices', String(devices), '--payments', String(payments), '--json'];
  const program = [...process.execArgv, process.argv[1] as string, ...words];
  const { stdout } = await promisify(execFile)(process.execPath, program, { maxBuffer: 16_777_216 }).catch(
    (error: Error & { readonly code?: unknown; readonly stdout: string }) => {
      if (error.code === 1 && error.stdout !== '') return error;
      throw error;
    },
  );
  return JSON.parse(stdout) as FleetTold;
}

function sizes(list: string): readonly number[] {
  const found = list.split(',').map(wholeNumber(1, 100_000));
  if (found.some((size, i) => i > 0 && size <= (found[i - 1] as number)))
    throw new InvalidArgumentError('each size is to be larger than the one before.');
  return found;
}

function text({ fleets, cpuRatio, memoryRatio, missed }: FleetBench): string {
  const rows = fleets.map(({ devices, seconds, cpuSeconds, peakBytes, cpuMsPerDevice, heldBytesPerDevice, result }) => [
    String(devices),
    String(result.approved),
    seconds.toFixed(1),
    cpuSeconds.toFixed(1),
    cpuMsPerDevice.toFixed(1),
    (peakBytes / 1_048_576).toFixed(0),
    (heldBytesPerDevice / 1024).toFixed(1),
  ]);
  return [
    tableText(['devices', 'approved', 's', 'CPU s', 'CPU ms a device', 'MiB at most', 'KiB held a device'], rows),
    '',
    `the last to the first: ${cpuRatio.toFixed(2)} times the CPU time a device, ${memoryRatio.toFixed(2)} times the memory`,
    `limits: ${FLEET_SECONDS} s, ${FLEET_BYTES / 1_048_576} MiB, ${1 + FLEET_SPREAD} times`,
    ...missed.map((what) => `MISSED: ${what}`),
  ].join('\n');
}
