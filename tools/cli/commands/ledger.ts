// `ledger inspect` and `ledger check`: what a flash image of a spend ledger holds, and whether it is whole.

import type { Command } from 'commander';
import { grantKey, ImageProblem, type InspectedLedger, inspectLedger } from '../../ledger/inspection.ts';
import { type Io, readInput, UsageError } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface Options {
  readonly blockSize: number;
  readonly grantId?: string;
}

/** Adds `ledger`. */
export const register: Register = (program: Command, io: Io) => {
  const ledger = program
    .command('ledger')
    .description('Spend ledgers: what a flash image holds, and whether it is whole.');
  addOptions(
    ledger
      .command('inspect')
      .description('Show totals, reservations, wear per block, and any damage.')
      .option('--grant-id <id>', 'only the total of this grant (names are digests on flash)'),
  )
    .addHelpText('after', '\nExample: mpcp-embedded ledger inspect ledger.flash --grant-id grant_17')
    .action((file: string, options: Options) => {
      const found = inspected(file, options);
      if (options.grantId === undefined) io.result(found, inspectionText(found));
      else showGrant(io, found, options.grantId);
    });
  addOptions(ledger.command('check').description('Say whether an image is whole; exit code 1 where it is damaged.'))
    .addHelpText('after', '\nExample: mpcp-embedded ledger check ledger.flash')
    .action((file: string, options: Options) => {
      const { damage, records, fill } = inspected(file, options);
      const text = damage.length === 0 ? `whole: ${records} records, ${filled(fill)}` : damage.join('\n');
      io.result({ ok: damage.length === 0, records, fill, damage }, text);
      if (damage.length > 0) io.fail();
    });
};

function addOptions(command: Command): Command {
  return jsonOption(
    command
      .argument('<file>', 'flash image of the ledger’s partition')
      .option('--block-size <bytes>', 'bytes of an erase block', wholeNumber(256, 1_048_576), 4096),
  );
}

function inspected(file: string, options: Options): InspectedLedger {
  try {
    return inspectLedger(readInput(file, 'flash image'), options.blockSize);
  } catch (error) {
    if (error instanceof ImageProblem) throw new UsageError(`${file}: ${error.message}`);
    throw error;
  }
}

function showGrant(io: Io, found: InspectedLedger, grantId: string): void {
  const key = grantKey(grantId);
  const grant = found.grants.find((one) => one.key === key);
  const total = grant?.total ?? '0';
  io.result({ grantId, key, total, keepUntil: grant?.keepUntil }, `${total} spent under ${grantId}`);
}

function inspectionText(found: InspectedLedger): string {
  const lines = [
    `spend ledger, format ${found.format}: ${found.records} records in ${found.blocksInUse} of ${found.blocks} blocks, ${filled(found.fill)}`,
    `next receipt ${found.nextReceiptId}, time floor ${found.timeFloor}`,
    `${found.replayIds} replay ids, ${found.answers} idempotency answers, ${found.bundles.length} bundle identities`,
  ];
  const totals = (what: string, list: InspectedLedger['grants']) =>
    list.length === 0
      ? `no ${what}s`
      : tableText(
          [what, 'until', 'total'],
          list.map((one) => [one.key, one.keepUntil, `${one.total}${one.closed ? ' closed' : ''}`]),
          2,
        );
  lines.push('', totals('grant', found.grants), '', totals('budget', found.budgets), '');
  lines.push(
    found.reservations.length === 0
      ? 'no open reservations'
      : tableText(
          ['reservation', 'since', 'budget', 'amount'],
          found.reservations.map((one) => [`receipt ${one.receiptId}`, one.time, one.budget, one.amount]),
          3,
        ),
  );
  lines.push('', `erases per block: ${found.wear.join(' ')}`);
  lines.push(
    found.damage.length === 0 ? 'no damage' : `damaged, no payment is accepted on it:\n${found.damage.join('\n')}`,
  );
  return lines.join('\n');
}

function filled({ used, of }: InspectedLedger['fill']): string {
  return `${((100 * used) / of).toFixed(1)} % full`;
}
