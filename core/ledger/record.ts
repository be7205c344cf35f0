// The ledger's records on flash, format 1: 128 bytes each, eight units of 16, closed by a CRC. docs/FORMAT.md says what
// each byte is.

import { crc32 } from '../encoding/crc32.ts';
import { keyText, writeKey } from './keys.ts';
import type { LedgerKey } from './ledger.ts';
import type { LedgerEvent } from './spend-state.ts';

/** Bytes of a record. */
export const RECORD_BYTES = 128;
/** The format this code reads and writes. */
export const RECORD_FORMAT = 1;

const MAGIC = 0x4d;
const CRC_AT = RECORD_BYTES - 4;
const NONE: LedgerKey = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0';
/** Absent times are written as this; it is past the year 9999, where RFC 3339 ends. */
const NO_TIME = 0xffff_ffff_ffff;

/** The kinds of records by number. 0 opens a partition. */
const KINDS = ['format', 'spend', 'reserve', 'settle', 'release', 'floor', 'bundle'] as const;

/** A record as read: the one that opens a partition, or an event. */
export type LedgerRecord = { readonly kind: 'format'; readonly receiptId: number } | LedgerEvent;

/**
 * Writes the bytes of a record.
 *
 * @param bytes RECORD_BYTES long, all of it is overwritten; a caller that writes many keeps one
 */
export function encodeRecord(record: LedgerRecord, bytes: Uint8Array = new Uint8Array(RECORD_BYTES)): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES);
  bytes.fill(0);
  bytes[0] = MAGIC;
  bytes[1] = RECORD_FORMAT;
  bytes[2] = KINDS.indexOf(record.kind);
  view.setUint32(4, record.receiptId, true);
  switch (record.kind) {
    case 'format':
      break;
    case 'spend':
    case 'reserve': {
      const { spend } = record;
      writeTime(view, 8, spend.timeMs);
      writeKey(bytes, 16, spend.grant);
      writeKey(bytes, 32, spend.budget);
      writeKey(bytes, 48, spend.replay ?? NONE);
      writeKey(bytes, 64, spend.idempotency ?? NONE);
      writeKey(bytes, 80, spend.content ?? NONE);
      writeAmount(view, 96, spend.amount);
      writeTime(view, 112, spend.keepUntilMs);
      break;
    }
    case 'settle':
    case 'release':
      writeTime(view, 8, record.timeMs);
      view.setUint32(120, record.of, true);
      if (record.kind === 'settle') writeAmount(view, 96, record.amount);
      break;
    case 'floor':
      writeTime(view, 8, record.timeMs);
      break;
    case 'bundle':
      writeTime(view, 8, record.bundle.issuedAtMs ?? NO_TIME);
      writeKey(bytes, 16, record.identity);
      writeTime(view, 112, record.bundle.expiresAtMs);
      break;
  }
  view.setUint32(CRC_AT, crc32(bytes, 0, CRC_AT), true);
  return bytes;
}

/** What a slot holds: a record, nothing, a record of another format, or something that is no record. */
export function decodeRecord(bytes: Uint8Array): LedgerRecord | 'blank' | 'other-format' | 'damaged' {
  if (isBlank(bytes)) return 'blank';
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD_BYTES);
  if (bytes[0] !== MAGIC || view.getUint32(CRC_AT, true) !== crc32(bytes, 0, CRC_AT)) return 'damaged';
  if (bytes[1] !== RECORD_FORMAT) return 'other-format';
  const kind = KINDS[bytes[2] as number];
  const receiptId = view.getUint32(4, true);
  const timeMs = readTime(view, 8);
  switch (kind) {
    case 'format':
      return { kind, receiptId };
    case 'spend':
    case 'reserve':
      return {
        kind,
        receiptId,
        spend: {
          timeMs,
          grant: keyText(bytes, 16),
          budget: keyText(bytes, 32),
          replay: optionalKey(bytes, 48),
          idempotency: optionalKey(bytes, 64),
          content: optionalKey(bytes, 80),
          amount: readAmount(view, 96),
          keepUntilMs: readTime(view, 112),
        },
      };
    case 'settle':
      return { kind, receiptId, timeMs, of: view.getUint32(120, true), amount: readAmount(view, 96) };
    case 'release':
      return { kind, receiptId, timeMs, of: view.getUint32(120, true) };
    case 'floor':
      return { kind, receiptId, timeMs };
    case 'bundle': {
      const bundle = {
        issuedAtMs: timeMs === NO_TIME ? undefined : timeMs,
        expiresAtMs: readTime(view, 112),
      };
      return { kind, receiptId, identity: keyText(bytes, 16), bundle };
    }
    default:
      return 'other-format';
  }
}

/**
 * True for a slot nothing was programmed into. This format relies on erased cells reading 0xFF, so it is not for
 * encrypted flash.
 */
function isBlank(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0xff) return false;
  return true;
}

function optionalKey(bytes: Uint8Array, offset: number): LedgerKey | undefined {
  const key = keyText(bytes, offset);
  return key === NONE ? undefined : key;
}

/** Milliseconds as a signed 64-bit number, in two halves: BigInts would cost memory. */
function writeTime(view: DataView, offset: number, timeMs: number): void {
  view.setUint32(offset, timeMs >>> 0, true);
  view.setInt32(offset + 4, Math.floor(timeMs / 0x1_0000_0000), true);
}

function readTime(view: DataView, offset: number): number {
  return view.getInt32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
}

/** Into cells that are zero; most amounts leave the upper half so. */
function writeAmount(view: DataView, offset: number, amount: bigint): void {
  if (amount < 0x1_0000_0000_0000_0000n) {
    view.setBigUint64(offset, amount, true);
    return;
  }
  view.setBigUint64(offset, BigInt.asUintN(64, amount), true);
  view.setBigUint64(offset + 8, amount >> 64n, true);
}

function readAmount(view: DataView, offset: number): bigint {
  return (view.getBigUint64(offset + 8, true) << 64n) | view.getBigUint64(offset, true);
}
