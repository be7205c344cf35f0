// `mpcp-embedded demo`: runs the day of a virtual charger and shows its steps, as lines for people or as NDJSON.

import { constants, copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { FLASH_FILES, runDay } from '../../../host-sim/day/day.ts';
import type { DayStep } from '../../../host-sim/day/step.ts';
import { systemReason, UsageError } from '../io.ts';
import { makeFolder } from '../output-file.ts';
import type { Register } from './index.ts';

const FILES = Object.values(FLASH_FILES);

/** Adds the command. It exits with 1 where a step did not come to what it has to. */
export const register: Register = (program, io) => {
  program
    .command('demo')
    .description('Run a day of a virtual EV charger: offline payments, attacks, a revoked key, a power cut.')
    .option('--json', 'one line of JSON for every step on stdout')
    .option('--keep <dir>', "keep the charger's flash there, for `ledger inspect` and the like")
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded demo --keep day\nExit code 1 if a step did not come to what it has to.',
    )
    .action(async (options: { json?: boolean; keep?: string }) => {
      const keepIn = options.keep;
      if (keepIn !== undefined) makeRoom(keepIn);
      let steps = 0;
      let asExpected = 0;
      const { ok } = await runDay(
        (step) => {
          steps++;
          if (step.ok) asExpected++;
          io.out(options.json === true ? JSON.stringify(step) : lineOf(step));
        },
        keepIn === undefined ? {} : { atEnd: (folder) => keep(folder, keepIn) },
      );
      const summary = `${asExpected} of ${steps} steps as expected`;
      if (options.json === true) io.note(summary);
      else io.out(`\n${summary}`);
      if (keepIn !== undefined) io.note(`kept in ${keepIn}: ${FILES.join(', ')}`);
      if (!ok) io.fail();
    });
};

/** Makes the folder. What is on a flash that is there already is somebody's. @throws UsageError */
function makeRoom(folder: string): void {
  if (folder === '') throw new UsageError('--keep "": the folder has no name');
  const there = FILES.find((name) => existsSync(join(folder, name)));
  if (there !== undefined) throw new UsageError(`--keep ${folder}: ${there} is there already`);
  makeFolder(folder, '--keep');
}

function keep(from: string, to: string): void {
  for (const name of FILES) {
    try {
      copyFileSync(join(from, name), join(to, name), constants.COPYFILE_EXCL);
    } catch (error) {
      throw new UsageError(`cannot write ${join(to, name)}: ${systemReason(error)}`);
    }
  }
}

function lineOf(step: DayStep): string {
  const columns = [
    step.ok ? '✓' : '✗',
    String(step.step).padStart(2),
    step.title.padEnd(62),
    step.verdict.padEnd(11),
    (step.code ?? '').padEnd(21),
    step.ok ? step.detail : `${step.detail}; expected ${[step.expected.verdict, step.expected.code].join(' ').trim()}`,
  ];
  return columns.join(' ').trimEnd();
}
