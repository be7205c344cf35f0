// The `ledger` commands: what flash images of a spend ledger and of a journal hold, whether they are whole, and the receipts
// of a journal as a file that can be checked.

import { type Command, InvalidArgumentError } from 'commander';
import { LineProblem, type VerifiedExport, verifyExport } from '../../ledger/export-verification.ts';
import { grantKey, ImageProblem, type InspectedLedger, inspectLedger } from '../../ledger/inspection.ts';
import { type InspectedJournal, inspectJournal, isJournal } from '../../ledger/journal-inspection.ts';
import { type Io, readInput, readText, UsageError } from '../io.ts';
import { damageText, journalText, ndjsonOf, notesOf, receiptsText, summaryOf } from '../journal-output.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { isStdout, writeOutput } from '../output-file.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface Options {
  readonly blockSize: number;
  readonly grantId?: string;
  readonly committed?: number;
  readonly ledger?: string;
  readonly out?: string;
  readonly after?: number;
  readonly lastHash?: string;
}

/** Adds `ledger`. */
export const register: Register = (program: Command, io: Io) => {
  const ledger = program
    .command('ledger')
    .description('Spend ledgers and journals: what a flash image holds, whether it is whole, its receipts.');
  addJournalOptions(
    addOptions(
      ledger
        .command('inspect')
        .description('Show totals and reservations, or payments not sent; wear per block, and any damage.')
        .option('--grant-id <id>', 'only the total of this grant (names are digests on flash)'),
    ),
  )
    .addHelpText('after', '\nExample: mpcp-embedded ledger inspect ledger.flash --grant-id grant_17')
    .action((file: string, options: Options) => {
      const found = inspected(file, options);
      if (found.kind === 'journal') {
        if (options.grantId !== undefined)
          throw new UsageError(`${file}: it is a journal; --grant-id is for a ledger's image`);
        io.result(
          { ...found, receipts: found.receipts.map(({ state, document }) => ({ state, ...document })) },
          journalText(found),
        );
      } else if (options.grantId === undefined) io.result(found, inspectionText(found));
      else showGrant(io, found, options.grantId);
    });
  addJournalOptions(
    addOptions(ledger.command('check').description('Say whether an image is whole; exit code 1 where it is damaged.')),
  )
    .addHelpText('after', '\nExample: mpcp-embedded ledger check ledger.flash')
    .action((file: string, options: Options) => {
      const found = inspected(file, options);
      const { damage } = found;
      if (found.kind === 'journal') {
        const { unsent, acknowledgedUpTo } = found;
        const text = [damage.length === 0 ? `whole: ${counted(found)}` : damage.join('\n'), ...notesOf(found)];
        io.result(
          { ok: damage.length === 0, receipts: found.receipts.length, unsent, acknowledgedUpTo, damage },
          text.join('\n'),
        );
      } else {
        const { records, fill } = found;
        const text = damage.length === 0 ? `whole: ${records} records, ${filled(fill)}` : damage.join('\n');
        io.result({ ok: damage.length === 0, records, fill, damage }, text);
      }
      if (damage.length > 0) io.fail();
    });
  addJournalOptions(
    addOptions(
      ledger
        .command('export')
        .description('Write the receipts of a journal, one line of JSON each; exit code 1 where the chain breaks.')
        .option('--out <file>', 'write them to a file'),
    ),
  )
    .addHelpText(
      'after',
      '\nWith --json the lines of JSON come out on stdout, and what is wrong on stderr.\nExample: mpcp-embedded ledger export journal.flash --ledger ledger.flash --out receipts.ndjson',
    )
    .action((file: string, options: Options) => exportJournal(io, file, options));
  jsonOption(
    ledger
      .command('verify-export')
      .description(
        'Check exported receipts: every hash worked out again, the chain followed; exit code 1 where it breaks.',
      )
      .argument('<file>', 'lines of JSON as `ledger export` writes them')
      .option(
        '--committed <n>',
        'the ledger’s last receipt: what was cut off at the end shows by nothing else',
        receiptValue,
      )
      .option(
        '--after <n>',
        'the last receipt that is known already, 0 for none: what was left out at the beginning shows by this',
        receiptValue,
      )
      .option('--last-hash <hex>', 'the hash of that receipt: the chain must go on from it, or through it', hashValue),
  )
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded ledger verify-export receipts.ndjson --after 16 --last-hash 1c6e0f3a92b84d57e1f0a3c25b7d9e84',
    )
    .action((file: string, options: ExportOptions) => {
      const found = verified(file, options);
      io.result({ ok: found.faults.length === 0, ...found }, verifiedText(found, options));
      if (found.faults.length > 0) io.fail();
    });
};

type ExportOptions = Pick<Options, 'committed' | 'after' | 'lastHash'>;

const receiptValue = wholeNumber(0, 4_294_967_295);

/** A receipt's hash. */
function hashValue(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new InvalidArgumentError('It is not 32 hexadecimal digits in lower case.');
  return text;
}

function addOptions(command: Command): Command {
  return jsonOption(
    command
      .argument('<file>', 'flash image of a ledger’s or a journal’s partition')
      .option('--block-size <bytes>', 'bytes of an erase block', wholeNumber(256, 1_048_576), 4096),
  );
}

function addJournalOptions(command: Command): Command {
  return command
    .option(
      '--committed <n>',
      'for a journal: the ledger’s last receipt; what is newer was never approved',
      receiptValue,
    )
    .option('--ledger <file>', 'for a journal: the image of the ledger that has committed it');
}

function inspected(file: string, options: Options): InspectedLedger | InspectedJournal {
  const bytes = readInput(file, 'flash image');
  if (isJournal(bytes, options.blockSize))
    return naming(file, () => inspectJournal(bytes, options.blockSize, committedBy(options)));
  const extra = options.committed !== undefined ? '--committed' : options.ledger !== undefined ? '--ledger' : undefined;
  const found = naming(file, () => inspectLedger(bytes, options.blockSize));
  if (extra !== undefined) throw new UsageError(`${file}: it is a spend ledger; ${extra} is for a journal's image`);
  return found;
}

/** The ledger's last receipt, as far as the call says it. */
function committedBy({ committed, ledger, blockSize }: Options): number | undefined {
  if (ledger === undefined) return committed;
  if (committed !== undefined) throw new UsageError('--committed and --ledger both say what the ledger has committed');
  const { nextReceiptId, damage } = naming(ledger, () => inspectLedger(readInput(ledger, 'ledger image'), blockSize));
  if (damage.length > 0)
    throw new UsageError(`${ledger}: it is damaged and cannot say what was committed: ${damage[0]}`);
  return nextReceiptId - 1;
}

function naming<T>(file: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof ImageProblem || error instanceof LineProblem)
      throw new UsageError(`${file}: ${error.message}`);
    throw error;
  }
}

function exportJournal(io: Io, file: string, options: Options): void {
  const found = inspected(file, options);
  if (found.kind !== 'journal')
    throw new UsageError(`${file}: it is a spend ledger; receipts are in the journal's image`);
  const { receipts, damage } = found;
  if (options.out !== undefined) {
    writeOutput(io, options.out, ndjsonOf(receipts));
    if (!isStdout(options.out))
      io.result(summaryOf(found), [counted(found), ...notesOf(found), damageText(found)].join('\n'));
  } else if (io.json) {
    if (receipts.length > 0) io.out(ndjsonOf(receipts));
  } else io.out([receiptsText(receipts), ...notesOf(found), damageText(found)].join('\n'));
  if ((options.out === undefined && io.json) || (options.out !== undefined && isStdout(options.out)))
    for (const one of [...notesOf(found), ...damage]) io.note(one);
  if (damage.length > 0) io.fail();
}

function verified(file: string, { committed, after, lastHash }: ExportOptions): VerifiedExport {
  if (committed !== undefined && after !== undefined && committed < after)
    throw new UsageError(`--after ${after} is a receipt that a ledger with --committed ${committed} does not know`);
  const known = { receiptId: after, hash: lastHash };
  return naming(file, () => verifyExport(readText(file, 'export'), known, committed));
}

function verifiedText(found: VerifiedExport, { after, lastHash: given }: ExportOptions): string {
  const { receipts, first, last, predecessor, lastHash, faults } = found;
  const since = after === undefined || after === 0 ? '' : ` after ${after}`;
  const beginning = {
    none: `receipt ${first} is the first of its chain`,
    known:
      given === undefined && since !== ''
        ? `none${since} is missing before them; the hash of ${after} was not given (--last-hash)`
        : 'they go on from what was given',
    'not given': `checked from receipt ${first}, whose predecessor was not given (--after, --last-hash)`,
  };
  if (faults.length > 0) {
    const told = faults.map(({ line, detail }) => `line ${line}: ${detail}`);
    if (predecessor === 'not given') told.push(beginning[predecessor]);
    return told.join('\n');
  }
  if (predecessor === undefined) return `no receipts${since}`;
  return `whole: ${receipts} receipts, ${first} to ${last}; ${beginning[predecessor]}; the last has hash ${lastHash}`;
}

function counted({ receipts, unsent }: InspectedJournal): string {
  return `${receipts.length} receipts, ${unsent} to be sent`;
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
          list.map((one) => [
            one.key,
            one.keepUntil,
            `${one.total}${one.closed ? ' closed' : ''}${one.doubtful ? ' doubtful' : ''}`,
          ]),
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
    found.damage.length === 0
      ? 'no damage'
      : `damaged; refused are entries marked doubtful, new ones, replay ids and idempotency keys:\n${found.damage.join('\n')}`,
  );
  return lines.join('\n');
}

function filled({ used, of }: InspectedLedger['fill']): string {
  return `${((100 * used) / of).toFixed(1)} % full`;
}
