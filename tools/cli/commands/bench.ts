// `bench`: authorizations per second beside the bare signature checks they contain, as ratios.

import Table from 'cli-table3';
import type { Command } from 'commander';
import { type BenchLine, runAuthorizeBench } from '../../bench/authorize.ts';
import { type Io, UsageError } from '../io.ts';
import type { Register } from './index.ts';

interface BenchOptions {
  readonly rounds: string;
  readonly json?: boolean;
}

/** Adds `bench`. */
export const register: Register = (program: Command, io: Io) => {
  program
    .command('bench')
    .description('Measure authorizations per second beside the bare signature checks they contain.')
    .option('--rounds <n>', 'rounds over 500 payments', '20')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nExample: mpcp-embedded bench --rounds 31\nExit code 1 if a ratio is over its budget.')
    .action((options: BenchOptions) => {
      const rounds = Number(options.rounds);
      if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000)
        throw new UsageError(`--rounds ${options.rounds}: not a whole number from 1 to 1000`);
      const lines = runAuthorizeBench(rounds, (text) => io.note(text));
      io.out(options.json ? JSON.stringify({ lines }, null, 2) : table(lines));
      if (lines.some((line) => line.budget !== undefined && line.ratio > line.budget)) io.fail();
    });
};

function table(lines: readonly BenchLine[]): string {
  const out = new Table({
    head: ['', 'per second', 'x bare checks', 'budget', 'x, medians'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  for (const line of lines) {
    out.push([
      line.name,
      Math.round(line.perSecond).toString(),
      line.ratio.toFixed(2),
      line.budget === undefined ? '' : `<= ${line.budget}`,
      line.medianRatio.toFixed(2),
    ]);
  }
  return out.toString();
}
