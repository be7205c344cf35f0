// `mpcp-embedded demo`: runs the day of a virtual charger and shows its steps, as lines for people or as NDJSON.

import { runDay } from '../../../host-sim/day/day.ts';
import type { DayStep } from '../../../host-sim/day/step.ts';
import type { Register } from './index.ts';

/** Adds the command. It exits with 1 where a step did not come to what it has to. */
export const register: Register = (program, io) => {
  program
    .command('demo')
    .description('Run a day of a virtual EV charger: offline payments, attacks, a revoked key, a power cut.')
    .option('--json', 'one line of JSON for every step on stdout')
    .addHelpText('after', '\nExample: mpcp-embedded demo\nExit code 1 if a step did not come to what it has to.')
    .action(async (options: { json?: boolean }) => {
      let steps = 0;
      let asExpected = 0;
      const { ok } = await runDay((step) => {
        steps++;
        if (step.ok) asExpected++;
        io.out(options.json === true ? JSON.stringify(step) : lineOf(step));
      });
      const summary = `${asExpected} of ${steps} steps as expected`;
      if (options.json === true) io.note(summary);
      else io.out(`\n${summary}`);
      if (!ok) io.fail();
    });
};

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
