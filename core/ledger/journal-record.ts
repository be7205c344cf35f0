// The entries of the journal, format 1, as bytes: an accepted payment with its artifacts, the end of a reservation, and the
// grants that payments refer to. docs/FORMAT.md says what each byte is.

import { ENVELOPE_MEMBERS } from '../artifacts/envelope.ts';
import { STORE } from '../encoding/flash-header.ts';
import { readU32, writeU32 } from '../encoding/little-endian.ts';
import { toHex } from '../hash/hex.ts';
import { decodeCompact } from '../json/compact-reader.ts';
import { encodeCompact } from '../json/compact-writer.ts';
import { JsonProblem } from '../json/reader.ts';
import { emptyObject, isObject, type JsonObject, type JsonValue } from '../json/value.ts';
import type { Crypto } from '../ports/ports.ts';
import { FIRST_KIND, type LogLayout } from './block-log.ts';

/** The format of entries and of their hashes, on flash and as they are handed in. */
export const JOURNAL_FORMAT = 1;
/** The format of the partition that they are on. */
export const JOURNAL_LOG_FORMAT = 2;
/** Units of the longest record; longer entries are in parts. */
export const LONGEST_PART = 48;
/** The log that the journal is. */
export const JOURNAL_LAYOUT: LogLayout = Object.freeze({
  store: STORE.journal,
  format: JOURNAL_LOG_FORMAT,
  longest: LONGEST_PART,
  salvage: true,
});

/** What an entry's fields of 32 and 48 bits hold. */
export const LATEST_RECEIPT = 0xffff_ffff;
export const LATEST_ENTRY_MS = 0xffff_ffff_ffff;

/** What a record is, or is a part of. */
export const JOURNAL_KIND = Object.freeze({
  grant: FIRST_KIND,
  payment: FIRST_KIND + 1,
  end: FIRST_KIND + 2,
  /** Up to which receipt id everything was acknowledged. */
  acknowledged: FIRST_KIND + 3,
  /** The entry before it is nothing if its receipt id is above the one stated here. */
  void: FIRST_KIND + 4,
});

/** Flags of a record: the first and the last part of an entry. */
export const FIRST_PART = 0x100;
export const LAST_PART = 0x200;

/** A payment that was accepted, with the artifacts as they were presented. Amounts are in the terminal's unit. */
export interface JournalPayment {
  readonly kind: 'payment';
  /** The ledger's number for it, above all before it. */
  readonly receiptId: number;
  /** `reserve`: the amount is the most it may become, an `end` follows. */
  readonly mode: 'authorize' | 'reserve';
  /** Below 2^128. */
  readonly amount: bigint;
  /** When it was accepted, in milliseconds. */
  readonly timeMs: number;
  readonly grant?: JsonValue | undefined;
  readonly sba: JsonValue;
  readonly spa?: JsonValue | undefined;
  readonly settlementIntent?: JsonValue | undefined;
  readonly fleetPolicyAuthorization?: JsonValue | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** The end of a reservation. */
export interface JournalEnd {
  readonly kind: 'end';
  readonly receiptId: number;
  readonly how: 'settle' | 'release';
  /** The receipt id of the reservation. */
  readonly reservation: number;
  /** The final amount, 0 where it was released. */
  readonly amount: bigint;
  readonly timeMs: number;
}

export type JournalEntry = JournalPayment | JournalEnd;

/** Bytes of a receipt's hash and of a grant's key. */
export const HASH_BYTES = 16;
/** Each byte of the hash of a receipt before of which nobody knows any more which it was. */
export const UNKNOWN_HASH_BYTE = 0xff;

/** Where things are in an entry. Its first six bytes are about the place on flash, and no hash covers them. */
const LENGTH_AT = 0;
const GRANT_ADDRESS_AT = 2;
const HASHED_FROM = 6;
const RECEIPT_AT = 6;
const PREVIOUS_AT = 10;
const TIME_AT = 26;
const HOW_AT = 32;
const AMOUNT_AT = 33;
/** In a grant: its key, then its data. */
const KEY_AT = 2;
const GRANT_DATA_AT = KEY_AT + HASH_BYTES;

/** Bits of the byte that says how. */
const SECOND_MODE = 1;
const HAS_GRANT = 2;
const HAS_SPA = 4;
const HAS_INTENT = 8;
const HAS_FLEET_POLICY = 16;
const HAS_IDEMPOTENCY_KEY = 32;

/** What a grant's entry and its payments' entries share: texts that are referred to, see `encodeCompact`. */
export type Texts = string[];

/** What is needed of a payment's entry before all of it is read. */
export interface EntryHead {
  readonly length: number;
  readonly receiptId: number;
  /** Where its grant is, 0 for none. */
  readonly grantAddress: number;
}

/** Reads the beginning of a payment or an end. */
export function headOf(entry: Uint8Array): EntryHead {
  return {
    length: lengthOf(entry),
    receiptId: readU32(entry, RECEIPT_AT),
    grantAddress: readU32(entry, GRANT_ADDRESS_AT),
  };
}

/** Bytes of a whole entry, as its beginning says. */
export function lengthOf(entry: Uint8Array): number {
  return (entry[LENGTH_AT] as number) | ((entry[LENGTH_AT + 1] as number) << 8);
}

/** The hash of the receipt before. */
export function previousOf(entry: Uint8Array): Uint8Array {
  return entry.subarray(PREVIOUS_AT, PREVIOUS_AT + HASH_BYTES);
}

/** True for a kind of record that is a receipt's, or a part of one. */
export function isEntry(kind: number): boolean {
  return kind === JOURNAL_KIND.payment || kind === JOURNAL_KIND.end;
}

/** True where all bytes have a value. */
export function isAll(bytes: Uint8Array, value: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== value) return false;
  return true;
}

/** Amount and time of a payment or an end; no amount where it is none. */
export function termsOf(entry: Uint8Array): { readonly amount: bigint | undefined; readonly timeMs: number } {
  return { amount: readAmount(entry, AMOUNT_AT), timeMs: readU48(entry, TIME_AT) };
}

/** The key of the grant that a payment names, undefined for none. */
export function grantKeyIn(entry: Uint8Array): Uint8Array | undefined {
  const at = AMOUNT_AT + 1 + (entry[AMOUNT_AT] as number);
  if (((entry[HOW_AT] as number) & HAS_GRANT) === 0 || at + HASH_BYTES > entry.length) return undefined;
  return entry.subarray(at, at + HASH_BYTES);
}

/** The key of a grant's entry. */
export function grantKeyOf(entry: Uint8Array): Uint8Array {
  return entry.subarray(KEY_AT, KEY_AT + HASH_BYTES);
}

/** Sets where a payment's grant is: known last. */
export function setGrantAddress(entry: Uint8Array, address: number): void {
  writeU32(entry, GRANT_ADDRESS_AT, address);
}

/** The hash of a receipt, that the next one carries: of its kind and its bytes, apart from where its grant is on flash. */
export function receiptHash(crypto: Crypto, kind: number, entry: Uint8Array): Uint8Array {
  return hashOf(crypto, kind === JOURNAL_KIND.payment ? 'payment' : 'end', entry.subarray(HASHED_FROM));
}

function hashOf(crypto: Crypto, what: string, bytes: Uint8Array): Uint8Array {
  const hash = crypto.sha256();
  hash.update(`MPCP-journal:1:${what}:`);
  hash.update(bytes);
  return hash.digest().subarray(0, HASH_BYTES);
}

/**
 * Writes a grant's entry.
 *
 * @param texts is filled, for the payments under it
 * @returns the byte behind it, or a problem, see `encodeCompact`
 */
export function encodeGrant(crypto: Crypto, grant: JsonValue, target: Uint8Array, texts: Texts): number | JsonProblem {
  const end = encodeCompact(kept(grant, GRANT_MEMBERS), target, GRANT_DATA_AT, texts);
  if (typeof end !== 'number') return end;
  target.set(hashOf(crypto, 'grant', target.subarray(GRANT_DATA_AT, end)), KEY_AT);
  return written(target, 0, end);
}

/** Reads a grant's entry; a problem where it is not the one that its key names. */
export function decodeGrant(crypto: Crypto, entry: Uint8Array, texts: Texts): JsonValue | JsonProblem {
  const data = entry.subarray(GRANT_DATA_AT);
  if (toHex(hashOf(crypto, 'grant', data)) !== toHex(grantKeyOf(entry))) return damaged('the grant has another hash');
  const read = decodeCompact(entry, GRANT_DATA_AT, entry.length, texts);
  return read instanceof JsonProblem ? read : read.value;
}

/**
 * Writes a payment's or an end's entry.
 *
 * @param at where it begins in `target`
 * @param previous the hash of the receipt before
 * @param grantKey of the payment's grant, where it has one
 * @param texts as its grant's entry left them
 * @returns the byte behind it, or a problem
 */
export function encodeEntry(
  entry: JournalEntry,
  previous: Uint8Array,
  grantKey: Uint8Array | undefined,
  target: Uint8Array,
  at: number,
  texts: Texts,
): number | JsonProblem {
  if (at + AMOUNT_AT + 2 * HASH_BYTES + 8 > target.length) return noRoom(at);
  target.fill(0, at, at + AMOUNT_AT);
  writeU32(target, at + RECEIPT_AT, entry.receiptId);
  target.set(previous, at + PREVIOUS_AT);
  writeU48(target, at + TIME_AT, entry.timeMs);
  const end = writeAmount(target, at + AMOUNT_AT, entry.amount);
  if (entry.kind === 'end') {
    target[at + HOW_AT] = entry.how === 'release' ? SECOND_MODE : 0;
    writeU32(target, end, entry.reservation);
    return written(target, at, end + 4);
  }
  return encodePayment(entry, grantKey, target, at, end, texts);
}

function encodePayment(
  payment: JournalPayment,
  grantKey: Uint8Array | undefined,
  target: Uint8Array,
  start: number,
  from: number,
  texts: Texts,
): number | JsonProblem {
  let how = payment.mode === 'reserve' ? SECOND_MODE : 0;
  let at = from;
  if (grantKey !== undefined) {
    how |= HAS_GRANT;
    target.set(grantKey, at);
    at += HASH_BYTES;
  }
  const parts: readonly (readonly [number, JsonValue | undefined])[] = [
    [0, kept(payment.sba, ENVELOPE_MEMBERS)],
    [HAS_SPA, kept(payment.spa, ENVELOPE_MEMBERS)],
    [HAS_INTENT, payment.settlementIntent],
    [HAS_FLEET_POLICY, kept(payment.fleetPolicyAuthorization, ENVELOPE_MEMBERS)],
    [HAS_IDEMPOTENCY_KEY, payment.idempotencyKey],
  ];
  for (const [bit, part] of parts) {
    if (part === undefined || (part === null && bit !== 0)) continue;
    const end = encodeCompact(part, target, at, texts);
    if (typeof end !== 'number') return end;
    how |= bit;
    at = end;
  }
  target[start + HOW_AT] = how;
  return written(target, start, at);
}

/** An entry that was read, with the key of its grant. */
export interface DecodedEntry {
  readonly entry: JournalEntry;
  readonly grantKey: Uint8Array | undefined;
}

/**
 * Reads a payment's or an end's entry. Any bytes may come.
 *
 * @param grant the payment's grant, where it has one, and the texts it left
 */
export function decodeEntry(
  kind: number,
  bytes: Uint8Array,
  grant: JsonValue | undefined,
  texts: Texts,
): DecodedEntry | JsonProblem {
  if (bytes.length <= AMOUNT_AT) return damaged('an entry without an amount');
  const receiptId = readU32(bytes, RECEIPT_AT);
  const timeMs = readU48(bytes, TIME_AT);
  const how = bytes[HOW_AT] as number;
  const amount = readAmount(bytes, AMOUNT_AT);
  let at = AMOUNT_AT + 1 + (bytes[AMOUNT_AT] as number);
  if (amount === undefined || at > bytes.length) return damaged('an amount that is cut off');
  if (kind === JOURNAL_KIND.end) {
    if (at + 4 !== bytes.length) return damaged('the end of a reservation has another length');
    const by = how === SECOND_MODE ? 'release' : 'settle';
    const entry = { kind: 'end', receiptId, how: by, reservation: readU32(bytes, at), amount, timeMs } as const;
    return { entry, grantKey: undefined };
  }
  let grantKey: Uint8Array | undefined;
  if ((how & HAS_GRANT) !== 0) {
    grantKey = bytes.subarray(at, at + HASH_BYTES);
    at += HASH_BYTES;
  }
  const parts: (JsonValue | undefined)[] = [];
  for (const bit of [0, HAS_SPA, HAS_INTENT, HAS_FLEET_POLICY, HAS_IDEMPOTENCY_KEY]) {
    if (bit !== 0 && (how & bit) === 0) {
      parts.push(undefined);
      continue;
    }
    const read = decodeCompact(bytes, at, bytes.length, texts);
    if (read instanceof JsonProblem) return read;
    parts.push(read.value);
    at = read.end;
  }
  if (at !== bytes.length) return damaged('more bytes than an entry has');
  const [sba = null, spa, settlementIntent, fleetPolicyAuthorization, idempotencyKey] = parts;
  return {
    grantKey,
    entry: {
      kind: 'payment',
      receiptId,
      mode: (how & SECOND_MODE) === 0 ? 'authorize' : 'reserve',
      amount,
      timeMs,
      ...(grant === undefined ? {} : { grant }),
      sba,
      ...(spa === undefined ? {} : { spa }),
      ...(settlementIntent === undefined ? {} : { settlementIntent }),
      ...(fleetPolicyAuthorization === undefined ? {} : { fleetPolicyAuthorization }),
      ...(typeof idempotencyKey === 'string' ? { idempotencyKey } : {}),
    },
  };
}

/** Members of a grant's envelope that are used; `grant` is what is signed. */
const GRANT_MEMBERS: readonly string[] = ['grant', 'issuer', 'issuerKeyId', 'keyId', 'signature'];

/**
 * An artifact without what its signature does not cover and nothing uses: a payer could fill the journal with it. A flat
 * grant's members may all be signed, so it stays as it is.
 */
function kept<T extends JsonValue | undefined>(artifact: T, members: readonly string[]): T | JsonObject {
  if (!isObject(artifact) || !isObject(artifact[members[0] as string])) return artifact;
  const copy = emptyObject();
  for (const name of members) {
    const value = artifact[name];
    if (value !== undefined && value !== null) copy[name] = value;
  }
  return copy;
}

/** Writes the length of an entry that ends here. @returns its end, or a problem where it is longer than two bytes say */
function written(target: Uint8Array, start: number, end: number): number | JsonProblem {
  const length = end - start;
  if (length > 0xffff) return noRoom(end);
  target[start + LENGTH_AT] = length & 0xff;
  target[start + LENGTH_AT + 1] = length >> 8;
  return end;
}

/** A count of bytes, and so many, the lowest first. */
function writeAmount(target: Uint8Array, at: number, amount: bigint): number {
  let count = 0;
  for (let rest = amount; rest > 0n; rest >>= 8n) target[at + ++count] = Number(rest & 0xffn);
  target[at] = count;
  return at + 1 + count;
}

function readAmount(bytes: Uint8Array, at: number): bigint | undefined {
  const count = bytes[at] as number;
  if (count > 16 || at + count >= bytes.length) return undefined;
  let amount = 0n;
  for (let i = count; i > 0; i--) amount = (amount << 8n) | BigInt(bytes[at + i] as number);
  return amount;
}

function writeU48(target: Uint8Array, at: number, value: number): void {
  writeU32(target, at, value % 0x1_0000_0000);
  const high = Math.floor(value / 0x1_0000_0000);
  target[at + 4] = high & 0xff;
  target[at + 5] = high >> 8;
}

function readU48(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8)) * 0x1_0000_0000 + readU32(bytes, at);
}

function noRoom(at: number): JsonProblem {
  return new JsonProblem('LIMIT_EXCEEDED', at, 'there is no room for it');
}

function damaged(detail: string): JsonProblem {
  return new JsonProblem('ARTIFACT_INVALID', 0, detail);
}
