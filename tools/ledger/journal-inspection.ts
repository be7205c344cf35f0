// What a journal's image holds: the receipts, which of them the operator's backend has acknowledged and the spend ledger has
// committed, and what is wrong. The image is looked at in a copy, on which the journal does what it does at a start.

import { STORE } from '../../core/encoding/flash-header.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { Journal, type JournalReceipt } from '../../core/ledger/journal.ts';
import { JOURNAL_LAYOUT, JOURNAL_LOG_FORMAT } from '../../core/ledger/journal-record.ts';
import { receiptDocument } from '../../core/ledger/receipt-document.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import {
  checkImage,
  FlashImage,
  hintOf,
  ImageProblem,
  type ImageShape,
  isImageOf,
  ScratchImage,
  sameSizes,
  shapeDoubts,
  shapeNotes,
} from './image.ts';

/** What became of a receipt. `unsent`: the backend has not acknowledged it. `uncommitted`: the ledger does not know it. */
export type ReceiptState = 'acknowledged' | 'unsent' | 'uncommitted';

/** A receipt in an image. */
export interface InspectedReceipt {
  readonly state: ReceiptState;
  /** As it is handed in, whole. */
  readonly document: JsonObject;
}

/** What an image holds. */
export interface InspectedJournal {
  readonly kind: 'journal';
  readonly format: number;
  /** Bytes of a block, as the caller says; other sizes with which nothing is missing either; how many blocks there are. */
  readonly blockSize: number;
  readonly sameBlockSizes: readonly number[];
  readonly blocks: number;
  readonly blocksInUse: number;
  readonly newestReceipt: number;
  readonly acknowledgedUpTo: number;
  /** The ledger's last receipt, where the caller knows it. */
  readonly committedUpTo?: number;
  /** Receipts that are not acknowledged, the lost ones included. */
  readonly unsent: number;
  /** Blocks that hold something, and that there are for entries. */
  readonly fill: { readonly used: number; readonly of: number };
  /** Erases per block, as its header says. */
  readonly wear: readonly number[];
  /** Receipts that are there and count, in order; those that are acknowledged and lost their grant are left out at the beginning. */
  readonly receipts: readonly InspectedReceipt[];
  /** How many were left out. */
  readonly leftOut: number;
  /** A receipt that was written and that the ledger has not committed: it is nothing. */
  readonly orphan?: number;
  /** What is missing or cannot be read, and where the chain of receipts breaks, in words; empty where nothing is. */
  readonly damage: readonly string[];
  /** Why the image does not seem to be all of a partition, in words; empty where nothing says so. */
  readonly doubts: readonly string[];
  /** What may be so and cannot be told from the image. */
  readonly notes: readonly string[];
}

const crypto = createNodeCrypto();

/** True for an image of a journal. */
export function isJournal(bytes: Uint8Array, blockSize: number): boolean {
  return isImageOf(STORE.journal, bytes, blockSize);
}

/**
 * Looks into an image.
 *
 * @param committed the ledger's last receipt, where it is known; left out, what is there counts as committed
 * @throws ImageProblem where it holds no journal of this format
 */
export function inspectJournal(bytes: Uint8Array, shape: ImageShape, committed?: number): InspectedJournal {
  const { blockSize } = shape;
  checkImage(bytes, shape);
  const journal = new Journal(new ScratchImage(bytes, blockSize), crypto, { autoFormat: 'never' });
  if (journal.problem?.code === 'STORE_FAILED')
    throw new ImageProblem(`${journal.problem.detail}${hintOf(bytes, blockSize)}`);
  const { fill, wear, newestReceipt: written } = journal;
  const refusal = journal.reconcile(committed ?? written);
  const receipts: InspectedReceipt[] = [];
  let leftOut = 0;
  const wrong = journal.export((receipt) => {
    const state = stateOf(receipt, journal.acknowledgedUpTo, committed);
    if (receipts.length === 0 && state === 'acknowledged' && receipt.entry === undefined) leftOut++;
    else receipts.push({ state, document: receiptDocument(receipt) });
  });
  const isOrphan = refusal === undefined && committed !== undefined && written === committed + 1;
  return {
    kind: 'journal',
    format: JOURNAL_LOG_FORMAT,
    blockSize,
    sameBlockSizes: sameSizes(bytes, blockSize),
    blocks: Math.floor(bytes.length / blockSize),
    blocksInUse: fill.used,
    newestReceipt: journal.newestReceipt,
    acknowledgedUpTo: journal.acknowledgedUpTo,
    ...(committed === undefined ? {} : { committedUpTo: committed }),
    unsent: journal.fill.unsent,
    fill: { used: fill.used, of: fill.of },
    wear,
    receipts,
    leftOut,
    ...(isOrphan ? { orphan: written } : {}),
    damage: told(
      refusal?.detail,
      journal.damage.map((one) => one.detail),
      'code' in wrong ? [wrong.detail] : wrong,
    ),
    doubts: shapeDoubts(bytes, shape),
    notes: shapeNotes(new FlashImage(bytes, blockSize), JOURNAL_LAYOUT),
  };
}

function stateOf({ receiptId }: JournalReceipt, acknowledged: number, committed: number | undefined): ReceiptState {
  if (committed !== undefined && receiptId > committed) return 'uncommitted';
  return receiptId <= acknowledged ? 'acknowledged' : 'unsent';
}

/** Everything that is wrong, once. */
function told(refusal: string | undefined, ...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set([...(refusal === undefined ? [] : [refusal]), ...lists.flat()])];
}
