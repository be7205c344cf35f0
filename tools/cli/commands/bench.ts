// `bench`: authorizations per second beside the bare signature checks they contain, as ratios.

import type { Command } from 'commander';
import { type BenchLine, runAuthorizeBench } from '../../bench/authorize.ts';
import type { Io } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

/** Adds `bench`. */
export const register: Register = (program: Command, io: Io) => {
  const bench = program
    .command('bench')
    .description('Measure authorizations per second beside the bare signature checks they contain.')
    .option('--rounds <n>', 'rounds over 500 payments', wholeNumber(1, 10_000), 20)
    .addHelpText('after', '\nExample: mpcp-embedded bench --rounds 31\nExit code 1 if a ratio is over its budget.')
    .action((options: { readonly rounds: number }) => {
      const lines = runAuthorizeBench(options.rounds, (text) => io.note(text));
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
