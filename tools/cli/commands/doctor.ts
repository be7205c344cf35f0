// `doctor`: what this machine has of what a firmware needs to be built and flashed, what is missing, and how to get it.

import type { Command } from 'commander';
import { type Finding, lookAround } from '../../firmware/doctor.ts';
import type { Io } from '../io.ts';
import { jsonOption } from '../option-values.ts';
import type { Register } from './index.ts';

const SIGNS: { readonly [state in Finding['state']]: string } = { found: '✓', missing: '✗', optional: '–' };

/** Adds `doctor`. */
export const register: Register = (program: Command, io: Io) => {
  const doctor = program
    .command('doctor')
    .description('What is installed here to build and flash firmware, what is missing, and how to get it.')
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded doctor\nExit 1 where something is missing. docs/FLASHING.md says what each is for.',
    )
    .action(() => {
      const findings = lookAround();
      io.result({ findings, ready: findings.every(({ state }) => state !== 'missing') }, findings.map(line).join('\n'));
      if (findings.some(({ state }) => state === 'missing')) io.fail();
    });
  jsonOption(doctor);
};

function line({ name, state, detail, remedy }: Finding): string {
  return `${SIGNS[state]} ${name.padEnd(14)} ${detail}${remedy === undefined ? '' : `\n${' '.repeat(17)}→ ${remedy}`}`;
}
