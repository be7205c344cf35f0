// What the `ledger` commands say of an image in words: of any image whether it is whole, of a journal's what it holds.

import type { JsonObject } from '../../core/json/value.ts';
import type { InspectedLedger } from '../ledger/inspection.ts';
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

type Inspected = InspectedLedger | InspectedJournal;

/** Everything that is wrong with an image. */
export function wrongWith({ damage, doubts }: Inspected): readonly string[] {
  return [...damage, ...doubts];
}

/** True where nothing is. */
export function isWhole(found: Inspected): boolean {
  return wrongWith(found).length === 0;
}

/** What is wrong, a line each. */
export function wrongText(found: Inspected): string {
  return wrongWith(found).join('\n');
}

/** A number of things, in words: `1 receipt`, `2 receipts`. */
export function countText(count: number, one: string, more = `${one}s`): string {
  return `${count} ${count === 1 ? one : more}`;
}

/** How an image was looked at. */
export function shapeText({ blocks, blockSize }: Inspected): string {
  return `${blocks} blocks of ${blockSize} bytes`;
}

/** Erases per block. */
export function wearText(wear: readonly number[]): string {
  return `erases per block, at most (one that had no header at a start goes on from the highest): ${wear.join(' ')}`;
}

/** What cannot be told of that. */
export function shapeNotesOf({ sameBlockSizes }: Inspected): readonly string[] {
  if (sameBlockSizes.length === 0) return [];
  return [`in blocks of ${sameBlockSizes.join(', ')} bytes it reads the same: nothing in it tells which size is right`];
}

/** Everything about a journal's image. */
export function journalText(journal: InspectedJournal): string {
  const { format, fill, newestReceipt, acknowledgedUpTo, committedUpTo, unsent, receipts, wear } = journal;
  const acknowledged = acknowledgedUpTo === 0 ? 'nothing acknowledged' : `acknowledged up to ${acknowledgedUpTo}`;
  const committed = committedUpTo === undefined ? '' : `, committed up to ${committedUpTo}`;
  const lines = [
    `journal, format ${format}: ${countText(receipts.length, 'receipt')}, ${fill.used} of ${fill.of} usable blocks filled, ${shapeText(journal)} in all`,
    `newest receipt ${newestReceipt}, ${acknowledged}${committed}, ${unsent} to be sent`,
    '',
    receiptsText(receipts),
    ...notesOf(journal),
    ...shapeNotesOf(journal),
    '',
    wearText(wear),
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
export function notesOf(found: Inspected): readonly string[] {
  const notes = [...found.notes];
  if (found.kind === 'ledger') return notes;
  const { leftOut, orphan } = found;
  if (leftOut > 0)
    notes.push(
      `${countText(leftOut, 'older receipt is', 'older receipts are')} left out: acknowledged, their grants given up`,
    );
  if (orphan !== undefined)
    notes.push(`receipt ${orphan} was written and not committed: it is nothing, its payment was never approved`);
  return notes;
}

/** Whether a journal's image is whole, and what is wrong where it is not. */
export function damageText(found: InspectedJournal): string {
  return isWhole(found) ? 'no damage, the chain of receipts is whole' : `damaged:\n${wrongText(found)}`;
}

function whatIs(document: JsonObject): string {
  const doubt = document.doubt === undefined ? '' : ', in doubt';
  if (document.kind === 'end')
    return `${document.how === 'release' ? 'release' : 'settlement'} of ${document.reservation}${doubt}`;
  if (document.kind === 'payment') return `${document.mode === 'reserve' ? 'reservation' : 'payment'}${doubt}`;
  return String(document.kind);
}
