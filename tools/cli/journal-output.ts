// What the `ledger` commands say of a journal's image, in words.

import type { JsonObject } from '../../core/json/value.ts';
import type { InspectedJournal, InspectedReceipt } from '../ledger/journal-inspection.ts';
import { tableText } from './table.ts';

/** One line of JSON for each receipt. */
export function ndjsonOf(receipts: readonly InspectedReceipt[]): string {
  return receipts.map(({ document }) => JSON.stringify(document)).join('\n');
}

/** The summary of an image as a document: all but the receipts. */
export function summaryOf({ receipts, ...rest }: InspectedJournal): JsonObject {
  return { ...rest, receipts: receipts.length } as unknown as JsonObject;
}

/** Everything about an image. */
export function journalText(journal: InspectedJournal): string {
  const { format, blocks, fill, newestReceipt, acknowledgedUpTo, committedUpTo, unsent, receipts, wear } = journal;
  const acknowledged = acknowledgedUpTo === 0 ? 'nothing acknowledged' : `acknowledged up to ${acknowledgedUpTo}`;
  const committed = committedUpTo === undefined ? '' : `, committed up to ${committedUpTo}`;
  const lines = [
    `journal, format ${format}: ${receipts.length} receipts, ${fill.used} of ${fill.of} usable blocks filled (${blocks} in all)`,
    `newest receipt ${newestReceipt}, ${acknowledged}${committed}, ${unsent} to be sent`,
    '',
    receiptsText(receipts),
    ...notesOf(journal),
    '',
    `erases per block: ${wear.join(' ')}`,
    damageText(journal),
  ];
  return lines.join('\n');
}

/** The receipts as a table. */
export function receiptsText(receipts: readonly InspectedReceipt[]): string {
  if (receipts.length === 0) return 'no receipts';
  return tableText(
    ['receipt', 'time', 'what', 'state', 'hash', 'amount'],
    receipts.map(({ document, state }) => [
      String(document.receiptId),
      String(document.time ?? ''),
      whatIs(document),
      state,
      String(document.hash),
      String(document.amountMinor ?? ''),
    ]),
    5,
  );
}

/** What is worth knowing and is not wrong. */
export function notesOf({ leftOut, orphan }: InspectedJournal): readonly string[] {
  const notes: string[] = [];
  if (leftOut > 0) notes.push(`${leftOut} older receipts are left out: acknowledged, and their grants given up`);
  if (orphan !== undefined)
    notes.push(`receipt ${orphan} was written and not committed: it is nothing, its payment was never approved`);
  return notes;
}

/** What is wrong, a line each. */
export function damageText({ damage }: InspectedJournal): string {
  return damage.length === 0 ? 'no damage, the chain of receipts is whole' : `damaged:\n${damage.join('\n')}`;
}

function whatIs(document: JsonObject): string {
  const doubt = document.doubt === undefined ? '' : ', in doubt';
  if (document.kind === 'end')
    return `${document.how === 'release' ? 'release' : 'settlement'} of ${document.reservation}${doubt}`;
  if (document.kind === 'payment') return `${document.mode === 'reserve' ? 'reservation' : 'payment'}${doubt}`;
  return String(document.kind);
}
