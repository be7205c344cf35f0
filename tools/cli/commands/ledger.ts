// The `ledger` commands: what flash images of a spend ledger and of a journal hold, whether they are whole, and the receipts
// of a journal as a file that can be checked.

import { type Command, InvalidArgumentError } from 'commander';
import { LineProblem, type VerifiedExport, verifyExport } from '../../ledger/export-verification.ts';
import { ImageProblem } from '../../ledger/image.ts';
import { grantKey, type InspectedLedger, inspectLedger } from '../../ledger/inspection.ts';
import { type InspectedJournal, inspectJournal, isJournal } from '../../ledger/journal-inspection.ts';
import {
  countText,
  damageText,
  isWhole,
  journalText,
  ndjsonOf,
  notesOf,
  receiptsText,
  shapeNotesOf,
  shapeText,
  summaryOf,
  wearText,
  wrongText,
  wrongWith,
} from '../image-output.ts';
import { type Io, printable, readInput, readText, UsageError } from '../io.ts';
import { jsonOption, wholeNumber } from '../option-values.ts';
import { isStdout, writeOutput } from '../output-file.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface Options {
  readonly blockSize: number;
  readonly size?: number;
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
        .option('--grant-id <id>', 'only the total of this grant (names are digests on flash)', grantIdValue),
    ),
  )
    .addHelpText(
      'after',
      '\nExit code 0 also where the image is damaged: `ledger check` is for scripts.\nExample: mpcp-embedded ledger inspect ledger.flash --grant-id grant_17',
    )
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
      const { damage, doubts, notes, blockSize, sameBlockSizes, blocks } = found;
      const ok = isWhole(found);
      const told = (whole: string) => [
        ok ? `whole: ${whole}, ${shapeText(found)}` : wrongText(found),
        ...notesOf(found),
        ...shapeNotesOf(found),
      ];
      const common = { blockSize, sameBlockSizes, blocks, damage, doubts, notes };
      if (found.kind === 'journal') {
        const { unsent, acknowledgedUpTo } = found;
        io.result(
          { ok, receipts: found.receipts.length, unsent, acknowledgedUpTo, ...common },
          told(counted(found)).join('\n'),
        );
      } else {
        const { records, fill } = found;
        io.result(
          { ok, records, fill, ...common },
          told(`${countText(records, 'record')}, ${filled(fill)}`).join('\n'),
        );
      }
      if (!ok) io.fail();
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

/** A grant's id as it is signed: any text. */
function grantIdValue(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

/** A receipt's hash. */
function hashValue(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new InvalidArgumentError('It is not 32 hexadecimal digits in lower case.');
  return text;
}

function addOptions(command: Command): Command {
  return jsonOption(
    command
      .argument('<file>', 'flash image of a ledger’s or a journal’s partition')
      .option('--block-size <bytes>', 'bytes of an erase block', wholeNumber(256, 1_048_576), 4096)
      .option(
        '--size <bytes>',
        'bytes of the partition: an image that was cut off between blocks shows by nothing else',
        wholeNumber(1, 16_777_216),
      ),
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
    return naming(file, () => inspectJournal(bytes, options, committedBy(options)));
  const extra = options.committed !== undefined ? '--committed' : options.ledger !== undefined ? '--ledger' : undefined;
  const found = naming(file, () => inspectLedger(bytes, options));
  if (extra !== undefined) throw new UsageError(`${file}: it is a spend ledger; ${extra} is for a journal's image`);
  return found;
}

/** The ledger's last receipt, as far as the call says it. */
function committedBy({ committed, ledger, blockSize }: Options): number | undefined {
  if (ledger === undefined) return committed;
  if (committed !== undefined) throw new UsageError('--committed and --ledger both say what the ledger has committed');
  const found = naming(ledger, () => inspectLedger(readInput(ledger, 'ledger image'), { blockSize }));
  const { nextReceiptId } = found;
  const [wrong] = wrongWith(found);
  if (wrong !== undefined) throw new UsageError(`${ledger}: it is damaged and cannot say what was committed: ${wrong}`);
  return nextReceiptId - 1;
}

function naming<T>(file: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof ImageProblem || error instanceof LineProblem)
      throw new UsageError(`${file === '-' ? 'standard input' : file}: ${error.message}`);
    throw error;
  }
}

function exportJournal(io: Io, file: string, options: Options): void {
  const found = inspected(file, options);
  if (found.kind !== 'journal')
    throw new UsageError(`${file}: it is a spend ledger; receipts are in the journal's image`);
  const { receipts } = found;
  if (options.out !== undefined) {
    writeOutput(io, options.out, ndjsonOf(receipts));
    if (!isStdout(options.out))
      io.result(summaryOf(found), [counted(found), ...notesOf(found), damageText(found)].join('\n'));
  } else if (io.json) {
    if (receipts.length > 0) io.out(ndjsonOf(receipts));
  } else io.out([receiptsText(receipts), ...notesOf(found), damageText(found)].join('\n'));
  if ((options.out === undefined && io.json) || (options.out !== undefined && isStdout(options.out)))
    for (const one of [...notesOf(found), ...wrongWith(found)]) io.note(one);
  if (!isWhole(found)) io.fail();
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
        ? `nothing is missing since receipt ${after}, whose hash was not given (--last-hash)`
        : 'it follows what was given',
    'not given': `checked from receipt ${first}, whose predecessor was not given (--after, --last-hash)`,
  };
  if (faults.length > 0) {
    // A receipt's own words may be in it.
    const told = faults.map(({ line, detail }) => printable(`line ${line}: ${detail}`));
    if (predecessor === 'not given') told.push(beginning[predecessor]);
    return told.join('\n');
  }
  if (predecessor === undefined) return `no receipts${since}`;
  return `whole: ${countText(receipts, 'receipt')}, ${first} to ${last}; ${beginning[predecessor]}; the last has hash ${lastHash}`;
}

function counted({ receipts, unsent }: InspectedJournal): string {
  return `${countText(receipts.length, 'receipt')}, ${unsent} to be sent`;
}

function showGrant(io: Io, found: InspectedLedger, grantId: string): void {
  const key = grantKey(grantId);
  const grant = found.grants.find((one) => one.key === key);
  const wrong = wrongWith(found);
  const text =
    grant === undefined
      ? `no entry of ${printable(grantId)}: nothing was spent under it at this device, or its entry has expired and was given up${wrong.length === 0 ? '' : ', or is lost'}`
      : `${grant.total} spent under ${printable(grantId)}${grant.doubtful ? ', or more: the entry is doubtful' : ''}`;
  io.result(
    {
      grantId,
      key,
      known: grant !== undefined,
      ...(grant && { total: grant.total, keepUntil: grant.keepUntil, ...(grant.doubtful && { doubtful: true }) }),
      damage: found.damage,
      doubts: found.doubts,
    },
    wrong.length === 0 ? text : `${text}\n${wrongText(found)}`,
  );
}

function inspectionText(found: InspectedLedger): string {
  const lines = [
    `spend ledger, format ${found.format}: ${countText(found.records, 'record')} in ${found.blocksInUse} of ${shapeText(found)}, ${filled(found.fill)}`,
    `next receipt ${found.nextReceiptId}, time floor ${found.timeFloor}, ${imageText(found)}`,
    `${countText(found.replayIds, 'replay id')}, ${countText(found.answers, 'idempotency answer')}, ${countText(found.bundles.length, 'bundle identity', 'bundle identities')}`,
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
  lines.push('', wearText(found.wear));
  if (found.damage.length > 0)
    lines.push('damaged; refused are entries marked doubtful, new ones, replay ids and idempotency keys:');
  lines.push(isWhole(found) ? 'no damage' : wrongText(found), ...notesOf(found), ...shapeNotesOf(found));
  return lines.join('\n');
}

function imageText({ provisioningCounter: counter }: InspectedLedger): string {
  return counter === 0 ? 'no provisioning image' : `newest provisioning image ${counter}`;
}

function filled({ used, of }: InspectedLedger['fill']): string {
  return `${((100 * used) / of).toFixed(1)} % full`;
}
