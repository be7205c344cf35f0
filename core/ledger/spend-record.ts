// The records of the spend ledger, format 3. A record is a header and parts; a part is the whole present state of one thing
// (a grant's total, a budget's, an answer given), so the newest record that has it is all there is to know about it.
// docs/FORMAT.md says what each byte is.

import { crc32Update } from '../encoding/crc32.ts';
import { STORE, UNIT } from '../encoding/flash-header.ts';
import { readU32, writeU32 } from '../encoding/little-endian.ts';
import type { Flash } from '../ports/ports.ts';
import type { NewestBundle } from '../trust/admission.ts';
import { COPY, FIRST_KIND, LogError, type LogLayout, type LogRecord } from './block-log.ts';
import { keyText, writeKey } from './keys.ts';
import type { Answered, LedgerKey } from './ledger.ts';

/** The format this code reads and writes. */
export const SPEND_FORMAT = 3;
/** Units of the longest record there may be; all parts but a bundle's, the grant's with a full window, are 25. */
export const LONGEST_RECORD = 26;

/** The log that the ledger is. */
export const SPEND_LAYOUT: LogLayout = Object.freeze({
  store: STORE.ledger,
  format: SPEND_FORMAT,
  longest: LONGEST_RECORD,
  formerFormat: formatOne,
});

/** What a record was written for. All kinds are read alike: by their parts. */
export const KIND = Object.freeze({
  spend: FIRST_KIND,
  reserve: FIRST_KIND + 1,
  settle: FIRST_KIND + 2,
  release: FIRST_KIND + 3,
  state: FIRST_KIND + 4,
  bundle: FIRST_KIND + 5,
  floor: FIRST_KIND + 6,
  /** Has no parts: it shows that the record before it was there. */
  seal: FIRST_KIND + 7,
});

/** The parts a record may have, as flags, in the order in which they follow each other. */
export const PART = Object.freeze({
  counters: 0x100,
  grant: 0x200,
  budget: 0x400,
  replay: 0x800,
  answer: 0x1000,
  open: 0x2000,
  bundle: 0x4000,
});
/** A flag beside them: the budget's key is a replay id too, used up. */
export const CLOSED = 2;
/** Another: the grant's part has no window, as nobody asked for one so far. */
export const NO_WINDOW_KEPT = 4;

const KEEP_AT = 12;
const FOREVER_SECONDS = 0xffff_ffff;
/** For what is never dropped: the latest time that a record can state. */
export const FOREVER_MS = FOREVER_SECONDS * 1000;
/** In the counters: by how many hours, rounded up, the grant's part outlives the others. */
const HOURS_AT = 14;
const HOUR_MS = 3_600_000;
const FOREVER_HOURS = 0xffff;
/** In the grant's part: how many entries its window has. */
const WINDOW_COUNT_AT = 2 * UNIT + 6;
/** Payments whose times a window holds one by one; more are counted together. */
export const WINDOW_ENTRIES = 16;
/** Payments that one of its entries can stand for: 16 bits. */
export const MOST_COUNTED = 0xffff;
const NO_TIME = 0x7fff_ffff_ffff;
const NONE: LedgerKey = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0';

/** What counts for the whole ledger. */
export interface Counters {
  /** The id the next receipt gets. */
  readonly nextReceipt: number;
  /** The reservation that this record ends, 0 for none. */
  readonly closes: number;
  readonly floorMs: number;
}

/** The times of a grant's payments, the oldest first. `count` payments count as made at `timeMs`. */
export interface Window {
  /** Payments up to this time may be missing from the list; 0 where none is. */
  readonly missingUntilMs: number;
  readonly entries: readonly { readonly timeMs: number; readonly count: number }[];
}

/** A reservation that is open. */
export interface OpenPart {
  readonly receiptId: number;
  readonly grant: LedgerKey;
  readonly budget: LedgerKey;
  readonly idempotency: LedgerKey | undefined;
  readonly amount: bigint;
  readonly timeMs: number;
}

/** Parts of a record that is to be written. */
export interface Parts {
  readonly counters?: Counters;
  readonly grant?: { readonly key: LedgerKey; readonly total: bigint; readonly window: Window | undefined };
  readonly budget?: { readonly key: LedgerKey; readonly total: bigint; readonly closed: boolean };
  readonly replay?: LedgerKey;
  readonly answer?: { readonly key: LedgerKey; readonly answered: Answered };
  readonly open?: OpenPart;
  readonly bundle?: { readonly key: LedgerKey; readonly bundle: NewestBundle };
}

/** When the parts of a record can no longer matter, in milliseconds. */
export interface Until {
  /** The grant's part: not before the others. */
  readonly grantMs: number;
  /** All other parts. */
  readonly restMs: number;
}

const STATES = ['paid', 'reserved', 'ended'] as const;

/** Writes records, or copies parts of them, into memory that is used again; their flags are in `flags`. */
export class RecordWriter {
  readonly #bytes = new Uint8Array(LONGEST_RECORD * UNIT);
  readonly #view = new DataView(this.#bytes.buffer);
  #length = UNIT;
  flags = 0;

  /** Writes a record's parts. Without counters the grant's part goes with the others. */
  write(parts: Parts, until: Until): Uint8Array {
    this.begin(until.restMs);
    if (parts.counters) this.counters(parts.counters, parts.grant === undefined ? 0 : until.grantMs);
    if (parts.grant) {
      this.keyed(PART.grant, parts.grant.key, parts.grant.total);
      if (parts.grant.window) this.window(parts.grant.window);
      else this.flags |= NO_WINDOW_KEPT;
    }
    if (parts.budget) {
      this.keyed(PART.budget, parts.budget.key, parts.budget.total);
      if (parts.budget.closed) this.flags |= CLOSED;
    }
    if (parts.replay !== undefined) this.key(PART.replay, parts.replay);
    if (parts.answer) this.answer(parts.answer.key, parts.answer.answered);
    if (parts.open) this.open(parts.open);
    if (parts.bundle) this.bundle(parts.bundle.key, parts.bundle.bundle);
    return this.#bytes.subarray(0, this.#length);
  }

  /** Copies some parts of a record. @param mask which: the counters not, and others beside the grant's only if they go with it */
  copy(record: Uint8Array, mask: number): Uint8Array {
    this.begin((mask & PART.grant) === 0 ? keepUntil(record) : grantUntil(record));
    const flags = flagsOf(record);
    let at = UNIT;
    for (const part of ORDER) {
      if ((flags & part) === 0) continue;
      const size = partBytes(record, part, at);
      if ((mask & part) !== 0) {
        this.#bytes.set(record.subarray(at, at + size), this.#length);
        this.#length += size;
        this.flags |= part;
      }
      at += size;
    }
    if ((mask & PART.budget) !== 0) this.flags |= flags & CLOSED;
    if ((mask & PART.grant) !== 0) this.flags |= flags & NO_WINDOW_KEPT;
    this.flags |= COPY;
    return this.#bytes.subarray(0, this.#length);
  }

  private begin(keepUntilMs: number): void {
    this.#length = UNIT;
    this.flags = 0;
    writeU32(this.#bytes, KEEP_AT, Math.min(Math.max(Math.ceil(keepUntilMs / 1000), 0), FOREVER_SECONDS));
  }

  /** Zeroes the next units and says where they begin. */
  private take(part: number, units: number): number {
    const at = this.#length;
    this.#bytes.fill(0, at, at + units * UNIT);
    this.#length = at + units * UNIT;
    this.flags |= part;
    return at;
  }

  private counters(counters: Counters, grantUntilMs: number): void {
    const at = this.take(PART.counters, 1);
    const hours = Math.ceil((grantUntilMs - keepUntil(this.#bytes)) / HOUR_MS);
    this.#view.setUint16(at + HOURS_AT, Math.min(Math.max(hours, 0), FOREVER_HOURS), true);
    writeU32(this.#bytes, at, counters.nextReceipt);
    writeU32(this.#bytes, at + 4, counters.closes);
    writeTime(this.#view, at + 8, counters.floorMs);
  }

  private key(part: number, key: LedgerKey): void {
    writeKey(this.#bytes, this.take(part, 1), key);
  }

  private keyed(part: number, key: LedgerKey, total: bigint): void {
    const at = this.take(part, 2);
    writeKey(this.#bytes, at, key);
    writeAmount(this.#view, at + UNIT, total);
  }

  private window(window: Window): void {
    const count = window.entries.length;
    const at = this.take(PART.grant, windowUnits(count));
    writeTime(this.#view, at, window.missingUntilMs);
    this.#bytes[at + 6] = count;
    for (let i = 0; i < count; i++) {
      const entry = window.entries[i] as Window['entries'][number];
      writeTime(this.#view, at + 8 + i * 8, entry.timeMs);
      this.#view.setUint16(at + 14 + i * 8, entry.count, true);
    }
  }

  private answer(key: LedgerKey, answered: Answered): void {
    const at = this.take(PART.answer, 4);
    writeKey(this.#bytes, at, key);
    writeKey(this.#bytes, at + UNIT, answered.content ?? NONE);
    writeAmount(this.#view, at + 2 * UNIT, answered.amount);
    writeTime(this.#view, at + 3 * UNIT, answered.timeMs);
    writeU32(this.#bytes, at + 3 * UNIT + 6, answered.receiptId);
    this.#bytes[at + 3 * UNIT + 10] = STATES.indexOf(answered.state);
  }

  private open(open: OpenPart): void {
    const at = this.take(PART.open, 5);
    writeKey(this.#bytes, at, open.grant);
    writeKey(this.#bytes, at + UNIT, open.budget);
    writeKey(this.#bytes, at + 2 * UNIT, open.idempotency ?? NONE);
    writeAmount(this.#view, at + 3 * UNIT, open.amount);
    writeTime(this.#view, at + 4 * UNIT, open.timeMs);
    writeU32(this.#bytes, at + 4 * UNIT + 6, open.receiptId);
  }

  private bundle(key: LedgerKey, bundle: NewestBundle): void {
    const at = this.take(PART.bundle, 3);
    writeKey(this.#bytes, at, key);
    writeTime(this.#view, at + UNIT, bundle.issuedAtMs ?? NO_TIME);
    writeTime(this.#view, at + UNIT + 6, bundle.expiresAtMs);
    writeKey(this.#bytes, at + 2 * UNIT, bundle.digest);
  }
}

const ORDER: readonly number[] = [
  PART.counters,
  PART.grant,
  PART.budget,
  PART.replay,
  PART.answer,
  PART.open,
  PART.bundle,
];
/** Bytes of the parts in that order; those of a grant's depend on its window. */
const SIZES: readonly number[] = [UNIT, 0, 2 * UNIT, UNIT, 4 * UNIT, 5 * UNIT, 3 * UNIT];
const GRANT = PART.grant;

/** Every flag there is. */
const FLAGS = 0x7f00 | COPY | CLOSED | NO_WINDOW_KEPT;
/** Units of the record that gives up blocks. */
const GIVE_UP_UNITS = 2;

/**
 * Looks whether a record can be read by its parts. A good CRC says that it is as it was written, not that this format wrote it.
 *
 * @throws LogError where its kind, its flags, its window and its units do not agree, with its place
 */
export function checkRecord({ kind, number, address }: LogRecord, record: Uint8Array): void {
  const problem =
    kind < FIRST_KIND ? unitsProblem('what gives up blocks has', GIVE_UP_UNITS, record) : partsProblem(record);
  if (problem === undefined) return;
  const place = `record ${number} at byte ${address * UNIT}`;
  throw new LogError(`${place} is not one of a spend ledger of format ${SPEND_FORMAT}: ${problem}`);
}

function partsProblem(record: Uint8Array): string | undefined {
  const flags = flagsOf(record);
  if ((flags & ~FLAGS) !== 0) return `its flags 0x${flags.toString(16).padStart(4, '0')} are not all known`;
  let at = UNIT;
  for (const part of ORDER) {
    if ((flags & part) === 0) continue;
    if (part === PART.grant && (flags & NO_WINDOW_KEPT) === 0) {
      // Beyond the record there is none: that its parts are too long for it is found below.
      const entries = record[at + WINDOW_COUNT_AT] ?? 0;
      if (entries > WINDOW_ENTRIES) return `its window has ${entries} entries, of ${WINDOW_ENTRIES} at most`;
    }
    at += partBytes(record, part, at);
  }
  return unitsProblem('its parts take', at / UNIT, record);
}

function unitsProblem(what: string, units: number, record: Uint8Array): string | undefined {
  if (record.length === units * UNIT) return undefined;
  return `${what} ${units} ${units === 1 ? 'unit' : 'units'}, it has ${record.length / UNIT}`;
}

/** The flags of a record. */
export function flagsOf(record: Uint8Array): number {
  return (record[2] as number) | ((record[3] as number) << 8);
}

/** When the parts of a record can no longer matter, in milliseconds: all but the grant's. */
export function keepUntil(record: Uint8Array): number {
  return readU32(record, KEEP_AT) * 1000;
}

/** When the grant's part can no longer matter: so many hours later as the counters beside it say. */
export function grantUntil(record: Uint8Array): number {
  const at = partAt(record, PART.counters);
  const hours = at < 0 ? 0 : (record[at + HOURS_AT] as number) | ((record[at + HOURS_AT + 1] as number) << 8);
  return hours === FOREVER_HOURS ? FOREVER_MS : Math.min(keepUntil(record) + hours * HOUR_MS, FOREVER_MS);
}

/** Where a part begins in a record, or -1 where the record has none. */
export function partAt(record: Uint8Array, wanted: number): number {
  const flags = flagsOf(record);
  if ((flags & wanted) === 0) return -1;
  let at = UNIT;
  for (let i = 0; i < ORDER.length; i++) {
    const part = ORDER[i] as number;
    if (part === wanted) return at;
    if ((flags & part) !== 0) at += part === GRANT ? grantBytes(record, flags, at) : (SIZES[i] as number);
  }
  return -1;
}

/** Bytes that a part takes. */
function partBytes(record: Uint8Array, part: number, at: number): number {
  return part === GRANT ? grantBytes(record, flagsOf(record), at) : (SIZES[ORDER.indexOf(part)] as number);
}

function grantBytes(record: Uint8Array, flags: number, at: number): number {
  if ((flags & NO_WINDOW_KEPT) !== 0) return 2 * UNIT;
  return (2 + windowUnits(record[at + WINDOW_COUNT_AT] as number)) * UNIT;
}

/** Units that a part would take in a record of its own. */
export function unitsAlone(record: Uint8Array, part: number): number {
  return 1 + partBytes(record, part, partAt(record, part)) / UNIT;
}

/** Units a window of so many entries takes: one with the first of them, then one for every two. */
export function windowUnits(entries: number): number {
  return 1 + (entries > 1 ? entries >> 1 : 0);
}

/** The parts that have a key of their own. */
export const KEYED: readonly number[] = [PART.grant, PART.budget, PART.replay, PART.answer, PART.bundle];

/** The key of a part. */
export function partKey(record: Uint8Array, part: number): LedgerKey {
  return keyText(record, partAt(record, part));
}

/** True where the part's key is this. */
export function hasKey(record: Uint8Array, part: number, key: LedgerKey): boolean {
  const at = partAt(record, part);
  return at >= 0 && keyText(record, at) === key;
}

/** The total of a grant's or a budget's part. */
export function partTotal(record: Uint8Array, part: number): bigint {
  return readAmount(viewOf(record), partAt(record, part) + UNIT);
}

/** A grant's window; undefined where none was kept. */
export function windowOf(record: Uint8Array): Window | undefined {
  if ((flagsOf(record) & NO_WINDOW_KEPT) !== 0) return undefined;
  const at = partAt(record, PART.grant) + 2 * UNIT;
  const view = viewOf(record);
  const entries = [];
  for (let i = 0; i < (record[at + 6] as number); i++) {
    entries.push({ timeMs: readTime(view, at + 8 + i * 8), count: view.getUint16(at + 14 + i * 8, true) });
  }
  return { missingUntilMs: readTime(view, at), entries };
}

/** The answer of an answer's part. */
export function answerOf(record: Uint8Array): Answered {
  const at = partAt(record, PART.answer);
  const view = viewOf(record);
  const content = keyText(record, at + UNIT);
  return {
    receiptId: readU32(record, at + 3 * UNIT + 6),
    amount: readAmount(view, at + 2 * UNIT),
    timeMs: readTime(view, at + 3 * UNIT),
    content: content === NONE ? undefined : content,
    state: STATES[record[at + 3 * UNIT + 10] as number] ?? 'ended',
  };
}

/** An open reservation. */
export function openOf(record: Uint8Array): OpenPart {
  const at = partAt(record, PART.open);
  const view = viewOf(record);
  const idempotency = keyText(record, at + 2 * UNIT);
  return {
    grant: keyText(record, at),
    budget: keyText(record, at + UNIT),
    idempotency: idempotency === NONE ? undefined : idempotency,
    amount: readAmount(view, at + 3 * UNIT),
    timeMs: readTime(view, at + 4 * UNIT),
    receiptId: readU32(record, at + 4 * UNIT + 6),
  };
}

/** A bundle's part. */
export function bundleOf(record: Uint8Array): NewestBundle {
  const at = partAt(record, PART.bundle) + UNIT;
  const view = viewOf(record);
  const issuedAtMs = readTime(view, at);
  return {
    issuedAtMs: issuedAtMs === NO_TIME ? undefined : issuedAtMs,
    expiresAtMs: readTime(view, at + 6),
    digest: keyText(record, at + UNIT),
  };
}

/** The counters of a record that has them, or of what a block was given up with (from byte `at` on). */
export function countersOf(record: Uint8Array, at: number = partAt(record, PART.counters)): Counters | undefined {
  if (at < 0) return undefined;
  return {
    nextReceipt: readU32(record, at),
    closes: readU32(record, at + 4),
    floorMs: readTime(viewOf(record), at + 8),
  };
}

function viewOf(record: Uint8Array): DataView {
  return new DataView(record.buffer, record.byteOffset, record.length);
}

/** Milliseconds in six bytes, signed; what they cannot hold becomes the nearest they can. */
export function writeTime(view: DataView, at: number, time: number): void {
  const timeMs = Math.min(Math.max(time, -NO_TIME), NO_TIME);
  view.setUint32(at, timeMs >>> 0, true);
  view.setInt16(at + 4, Math.floor(timeMs / 0x1_0000_0000), true);
}

function readTime(view: DataView, at: number): number {
  return view.getInt16(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

/** Into cells that are zero; most amounts leave the upper half so. */
function writeAmount(view: DataView, at: number, amount: bigint): void {
  if (amount < 0x1_0000_0000_0000_0000n) {
    view.setBigUint64(at, amount, true);
    return;
  }
  view.setBigUint64(at, BigInt.asUintN(64, amount), true);
  view.setBigUint64(at + 8, amount >> 64n, true);
}

function readAmount(view: DataView, at: number): bigint {
  return (view.getBigUint64(at + 8, true) << 64n) | view.getBigUint64(at, true);
}

/** Bytes of a record of format 1, of which the last four are the CRC of the others; what it begins with. */
const FORMER_BYTES = 128;
const FORMER_MAGIC = 0x4d;
const FORMER_FORMAT = 1;

/** 1 where a partition begins with a record of format 1, which had no blocks with headers: the first, or one behind a torn one. */
function formatOne(flash: Flash): number | undefined {
  const record = new Uint8Array(FORMER_BYTES);
  const crcAt = FORMER_BYTES - 4;
  for (let at = 0; at <= FORMER_BYTES; at += FORMER_BYTES) {
    flash.read(at, record);
    const isFormer = record[0] === FORMER_MAGIC && record[1] === FORMER_FORMAT;
    if (isFormer && readU32(record, crcAt) === crc32Update(0, record, 0, crcAt)) return FORMER_FORMAT;
  }
  return undefined;
}
