// `bench-ledger`: what payments cost in bytes, erases and flash operations, how long a partition lasts, what a start reads.

import type { Command } from 'commander';
import { LEAST_PAYMENTS, MOST_UNEVEN } from '../../bench/flash-costs.ts';
import { type LedgerBench, runLedgerBench } from '../../bench/ledger.ts';
import type { Io } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

/** Adds `bench-ledger`. */
export const register: Register = (program: Command, io: Io) => {
  const bench = program
    .command('bench-ledger')
    .description('Count what payments cost in bytes, erases and flash operations, and how long a partition lasts.')
    .option('--payments <n>', 'payments to count wear over, of each kind', wholeNumber(1000, 100_000_000), 200_000)
    .addHelpText('after', '\nExample: mpcp-embedded bench-ledger --json\nExit code 1 if a budget is missed.')
    .action((options: { readonly payments: number }) => {
      const report = runLedgerBench(options.payments, io.note);
      io.result(report, tables(report));
      const { wear, journalWear, journalRoom, hotPath } = report;
      if ([wear, journalWear, journalRoom, hotPath].flat().some((line) => !line.ok)) io.fail();
    });
  jsonOption(bench);
};

function tables({ wear, journalWear, journalRoom, hotPath, boot }: LedgerBench): string {
  const wearRows = wear.map((line) => [
    line.name,
    `${(line.lasting * 100).toFixed(0)} %`,
    `${(line.filled * 100).toFixed(0)} %`,
    line.bytesPerPayment.toFixed(0),
    line.erasesPerPayment.toFixed(4),
    line.unevenness.toFixed(2),
    `${(line.paymentsUntilWorn / 1e6).toFixed(1)} million`,
    line.ok ? '' : 'MISSED',
  ]);
  const journalRows = journalWear.map((line) => [
    line.name,
    line.bytesPerPayment.toFixed(0),
    line.erasesPerPayment.toFixed(4),
    line.unevenness.toFixed(2),
    `${(line.paymentsUntilWorn / 1e6).toFixed(1)} million`,
    line.ok ? '' : 'MISSED',
  ]);
  const roomRows = journalRoom.map((line) => [
    line.name,
    line.payments.toString(),
    line.atLeast.toString(),
    line.ok ? '' : 'MISSED',
  ]);
  const hotRows = hotPath.map((line) => [
    line.name,
    ...[line.programs, line.erases, line.bytesProgrammed, line.reads, line.bytesRead].map(String),
    line.ok ? '' : 'MISSED',
  ]);
  const bootRows = boot.map((line) => [
    line.name,
    ...[line.bytes, line.entries, line.reads, line.bytesRead].map(String),
    line.milliseconds.toFixed(1),
    line.memoryBytes.toString(),
  ]);
  const budget = `at least ${LEAST_PAYMENTS / 1e6} million, at most ${MOST_UNEVEN} times the mean`;
  return [
    tableText(
      ['wear', 'lasting', 'in all', 'bytes/payment', 'erases/payment', 'most worn/mean', 'until 100 000 erases', ''],
      wearRows,
      1,
    ),
    `budget: ${budget}; ${wear[0]?.payments} payments each, with idle time between`,
    '',
    tableText(
      ['wear', 'bytes/payment', 'erases/payment', 'most worn/mean', 'until 100 000 erases', ''],
      journalRows,
      1,
    ),
    `budget: ${budget}; handed in ten at a time, the last hundred wait`,
    '',
    tableText(['a journal of 256 KB holds, unsent', 'payments', 'budget: at least', ''], roomRows, 1),
    '',
    tableText(['a payment, at most', 'programs', 'erases', 'bytes written', 'reads', 'bytes read', ''], hotRows, 1),
    'budget: no erase; one program in the ledger, in the journal one for the payment and one for a new grant',
    '',
    tableText(['start when full', 'partition', 'entries', 'reads', 'bytes read', 'ms', 'memory'], bootRows, 1),
  ].join('\n');
}
