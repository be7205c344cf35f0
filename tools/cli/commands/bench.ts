// `bench`: authorizations per second beside the bare signature checks they contain, as ratios.

import type { Command } from 'commander';
import { type BenchLine, runAuthorizeBench } from '../../bench/authorize.ts';
import { type Io, UsageError } from '../io.ts';
import { jsonOption } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

/** Adds `bench`. */
export const register: Register = (program: Command, io: Io) => {
  const bench = program
    .command('bench')
    .description('Measure authorizations per second beside the bare signature checks they contain.')
    .option('--rounds <n>', 'rounds over 500 payments', '20')
    .addHelpText('after', '\nExample: mpcp-embedded bench --rounds 31\nExit code 1 if a ratio is over its budget.')
    .action((options: { readonly rounds: string }) => {
      const rounds = Number(options.rounds);
      if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000)
        throw new UsageError(`--rounds ${options.rounds}: not a whole number from 1 to 1000`);
      const lines = runAuthorizeBench(rounds, (text) => io.note(text));
      io.result({ lines }, benchTable(lines));
      if (lines.some((line) => line.budget !== undefined && line.ratio > line.budget)) io.fail();
    });
  jsonOption(bench);
};

function benchTable(lines: readonly BenchLine[]): string {
  const rows = lines.map((line) => [
    line.name,
    Math.round(line.perSecond).toString(),
    line.ratio.toFixed(2),
    line.budget === undefined ? '' : `<= ${line.budget}`,
    line.medianRatio.toFixed(2),
  ]);
  return tableText(['', 'per second', 'x bare checks', 'budget', 'x, medians'], rows, 1);
}
