// `bench-provision`: what a provisioning run of a whole fleet takes, by the real commands, with a sample of its devices started.

import { Command } from 'commander';
import { type ProvisionBench, runProvisionBench, type Took } from '../../bench/provision.ts';
import { IssueProblem } from '../../issue/problem.ts';
import { createIo, type Io, UsageError } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';
import { register as registerProvision } from './provision.ts';

/** Adds `bench-provision`. */
export const register: Register = (program: Command, io: Io) => {
  const bench = program
    .command('bench-provision')
    .description('Provision a whole fleet by `provision create` and `verify`, and start a sample of it that sells.')
    .option('--devices <n>', 'devices of the fleet', wholeNumber(1, 100_000), 10_000)
    .option('--boot <n>', 'devices that are started', wholeNumber(0, 1000), 20)
    .option('--seed <n>', 'chooses them', wholeNumber(0, 0xffff_ffff), 1)
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded bench-provision --devices 200 --boot 5\nExit code 1 where a command or a device fails.',
    )
    .action(async (options: { readonly devices: number; readonly boot: number; readonly seed: number }) => {
      const report = await runProvisionBench(options, (words) => provision(io, words));
      io.result({ ok: report.problems.length === 0, ...report }, text(report));
      if (report.problems.length > 0) io.fail();
    });
  jsonOption(bench);
};

/** Calls the command itself, in this process, so that its CPU time can be told. What it says goes where notes go. */
async function provision({ note, terminal }: Io, words: readonly string[]): Promise<string | undefined> {
  let failed = false;
  const say = (text: string) => note(text.replace(/\n$/, ''));
  const io = createIo({ stdout: say, stderr: say, terminal }, false, () => {
    failed = true;
  });
  const program = new Command();
  registerProvision(program, io);
  try {
    await program.parseAsync(['provision', ...words], { from: 'user' });
  } catch (error) {
    if (error instanceof UsageError || error instanceof IssueProblem) return error.message;
    throw error;
  }
  return failed ? 'it has findings' : undefined;
}

function text({ devices, create, verify, imageBytes, manifestBytes, booted, problems }: ProvisionBench): string {
  const row = (what: string, { seconds, cpuSeconds }: Took, bytes: string) => [
    what,
    seconds.toFixed(1),
    cpuSeconds.toFixed(1),
    ((1000 * cpuSeconds) / devices).toFixed(2),
    bytes,
  ];
  const good = booted.filter(({ problem }) => problem === undefined).length;
  return [
    tableText(
      [`a run of ${devices} devices`, 's', 'CPU s', 'CPU ms a device', 'bytes'],
      [
        row('provision create', create, `${imageBytes} of images, ${manifestBytes} of the manifest`),
        row('provision verify', verify, ''),
      ],
      1,
    ),
    `${good} of ${booted.length} started on its image and sold${booted.length === 0 ? '' : `: ${booted.map(({ deviceId }) => deviceId).join(', ')}`}`,
    ...problems,
  ].join('\n');
}
