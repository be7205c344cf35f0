// What a spend ledger's image holds, whole or damaged: every grant, budget, id and reservation with its newest record, the
// wear of the blocks, and what is missing. Names are digests on flash: a name that is asked for is looked up by its digest.

import { STORE } from '../../core/encoding/flash-header.ts';
import { BlockLog, COPY, type LogDamage, LogError, type LogRecord } from '../../core/ledger/block-log.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { bundleKey, ledgerKey } from '../../core/ledger/keys.ts';
import type { LedgerKey } from '../../core/ledger/ledger.ts';
import {
  bundleOf,
  CLOSED,
  checkRecord,
  countersOf,
  flagsOf,
  grantUntil,
  KIND,
  keepUntil,
  openOf,
  PART,
  partKey,
  partTotal,
  SPEND_FORMAT,
  SPEND_LAYOUT,
} from '../../core/ledger/spend-record.ts';
import { COUNTER_IDENTITY } from '../../core/provisioning/counter.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import {
  checkImage,
  FlashImage,
  hintOf,
  ImageProblem,
  type ImageShape,
  isImageOf,
  sameSizes,
  shapeDoubts,
  shapeNotes,
} from './image.ts';

/** One grant or budget. Amounts are digits, times ISO 8601. */
export interface InspectedTotal {
  /** 32 hexadecimal digits. */
  readonly key: string;
  readonly total: string;
  readonly keepUntil: string;
  /** What is missing from the log may have been about it: a device refuses it. */
  readonly doubtful?: true;
  /** A budget that pays once, and has. */
  readonly closed?: boolean;
}

/** A reservation that is neither settled nor released. */
export interface InspectedReservation {
  readonly receiptId: number;
  readonly amount: string;
  readonly time: string;
  readonly grant: string;
  readonly budget: string;
}

/** What an image holds. */
export interface InspectedLedger {
  readonly kind: 'ledger';
  readonly format: number;
  /** Bytes of a block, as the caller says; other sizes with which nothing is missing either; how many blocks there are. */
  readonly blockSize: number;
  readonly sameBlockSizes: readonly number[];
  readonly blocks: number;
  readonly blocksInUse: number;
  readonly records: number;
  readonly nextReceiptId: number;
  readonly timeFloor: string;
  readonly grants: readonly InspectedTotal[];
  readonly budgets: readonly InspectedTotal[];
  readonly replayIds: number;
  readonly answers: number;
  readonly bundles: readonly { readonly key: string; readonly issuedAt?: string; readonly expiresAt: string }[];
  /** The highest counter of a provisioning image that the device has run with; 0 for none. */
  readonly provisioningCounter: number;
  readonly reservations: readonly InspectedReservation[];
  /** Units of 16 bytes that entries take at most, and that there are for them. */
  readonly fill: { readonly used: number; readonly of: number };
  /** Erases per block, as its header says. */
  readonly wear: readonly number[];
  /** In words; empty where nothing is missing. A device refuses what it may have been about. */
  readonly damage: readonly string[];
  /** Why the image does not seem to be all of a partition, in words; empty where nothing says so. */
  readonly doubts: readonly string[];
  /** What may be so and cannot be told from the image. */
  readonly notes: readonly string[];
}

const crypto = createNodeCrypto();

/** The key under which a grant's total stands, as 32 hexadecimal digits. */
export function grantKey(grantId: string): string {
  return hex(ledgerKey(crypto, 'grant', new Uint8Array(0), grantId));
}

/** Looks into an image. @throws ImageProblem where it holds no spend ledger of this format */
export function inspectLedger(bytes: Uint8Array, shape: ImageShape): InspectedLedger {
  const { blockSize } = shape;
  checkImage(bytes, shape);
  if (isImageOf(STORE.journal, bytes, blockSize)) throw new ImageProblem('it is a journal, not a spend ledger');
  const image = new FlashImage(bytes, blockSize);
  const grants = new Map<LedgerKey, InspectedTotal>();
  const budgets = new Map<LedgerKey, InspectedTotal>();
  const replays = new Set<LedgerKey>();
  const answers = new Set<LedgerKey>();
  const bundles = new Map<LedgerKey, InspectedLedger['bundles'][number]>();
  const open = new Map<number, InspectedReservation>();
  /** Per grant and budget: the number of its newest record, 0 for a copy. */
  const newest = new Map<string, number>();
  let records = 0;
  let nextReceiptId = 1;
  let floorMs = 0;
  let provisioningCounter = 0;
  const counterKey = bundleKey(crypto, COUNTER_IDENTITY);

  const take = (record: LogRecord, entry: Uint8Array): void => {
    checkRecord(record, entry);
    records++;
    const given = record.kind < KIND.spend ? countersOf(entry, 16) : countersOf(entry);
    if (given) {
      nextReceiptId = Math.max(nextReceiptId, given.nextReceipt);
      floorMs = Math.max(floorMs, given.floorMs);
      if (record.kind >= KIND.spend) open.delete(given.closes);
    }
    if (record.kind < KIND.spend) return;
    const flags = flagsOf(entry);
    const total = (part: number): InspectedTotal => ({
      key: hex(partKey(entry, part)),
      total: partTotal(entry, part).toString(),
      keepUntil: time(part === PART.grant ? grantUntil(entry) : keepUntil(entry)),
    });
    for (const part of [PART.grant, PART.budget])
      if (flags & part) newest.set(`${part} ${partKey(entry, part)}`, (record.flags & COPY) === 0 ? record.number : 0);
    if (flags & PART.grant) grants.set(partKey(entry, PART.grant), total(PART.grant));
    if (flags & PART.budget)
      budgets.set(partKey(entry, PART.budget), { ...total(PART.budget), closed: (flags & CLOSED) !== 0 });
    if (flags & PART.replay) replays.add(partKey(entry, PART.replay));
    if (flags & PART.answer) answers.add(partKey(entry, PART.answer));
    if (flags & PART.bundle) {
      const { issuedAtMs, expiresAtMs } = bundleOf(entry);
      const key = partKey(entry, PART.bundle);
      const issuedAt = issuedAtMs === undefined ? {} : { issuedAt: time(issuedAtMs) };
      if (key === counterKey) provisioningCounter = issuedAtMs ?? 0;
      else bundles.set(key, { key: hex(key), ...issuedAt, expiresAt: time(expiresAtMs) });
    }
    if (flags & PART.open) {
      const { receiptId, amount, timeMs, grant, budget } = openOf(entry);
      const names = { grant: hex(grant), budget: hex(budget) };
      open.set(receiptId, { receiptId, amount: amount.toString(), time: time(timeMs), ...names });
    }
  };

  const { log, damage } = opened(image, bytes, take);
  const soundFrom = Math.max(0, ...damage.map((one) => one.next));
  const judged = (part: number, key: LedgerKey, one: InspectedTotal): InspectedTotal =>
    (newest.get(`${part} ${key}`) ?? 0) < soundFrom ? { ...one, doubtful: true } : one;
  return {
    kind: 'ledger',
    format: SPEND_FORMAT,
    blockSize,
    sameBlockSizes: sameSizes(bytes, blockSize),
    blocks: log.blocks,
    blocksInUse: log.used,
    records,
    nextReceiptId,
    timeFloor: time(floorMs),
    grants: [...grants].map((one) => judged(PART.grant, ...one)),
    budgets: [...budgets].map((one) => judged(PART.budget, ...one)),
    replayIds: replays.size,
    answers: answers.size,
    bundles: [...bundles.values()],
    provisioningCounter,
    reservations: [...open.values()],
    fill: fillOf(image, damage),
    wear: log.wear,
    damage: damage.map((one) => one.detail),
    doubts: shapeDoubts(bytes, shape),
    notes: shapeNotes(image, SPEND_LAYOUT),
  };
}

function opened(
  image: FlashImage,
  bytes: Uint8Array,
  take: (record: LogRecord, entry: Uint8Array) => void,
): { readonly log: BlockLog; readonly damage: readonly LogDamage[] } {
  try {
    const log = new BlockLog(image, SPEND_LAYOUT);
    return { log, damage: log.open(take) };
  } catch (error) {
    if (error instanceof LogError) throw new ImageProblem(`${error.message}${hintOf(bytes, image.blockSize)}`);
    throw error;
  }
}

function fillOf(image: FlashImage, damage: readonly LogDamage[]): InspectedLedger['fill'] {
  const { problem, fill } = new FlashLedger(image, crypto, { autoFormat: 'never' });
  // Where nothing is missing a device refuses the whole ledger for what is in it.
  if (problem?.code === 'STORE_FAILED' && damage.length === 0) throw new ImageProblem(problem.detail);
  return { used: fill.used, of: fill.of };
}

function hex(key: LedgerKey): string {
  return Buffer.from(key, 'latin1').toString('hex');
}

function time(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}
