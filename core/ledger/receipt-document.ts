// A receipt of the journal as a JSON document: what is handed in to the operator's backend and exported. Whoever holds one
// can work out its hash again, as the compact form of the same data is always the same: an edit shows, not only a gap.
//
//   payment     receiptId, previous, hash, kind, mode, amountMinor, time, sba, and as presented grant (with grantKey), spa,
//               settlementIntent, fleetPolicyAuthorization, idempotencyKey
//   end         receiptId, previous, hash, kind, how, reservation, amountMinor, time
//   unreadable  receiptId, previous, hash, kind, problem
//
// A payment or an end may have a `doubt` too: what says whether it was accepted is lost, and the device does not know.
// In a batch a grant stands in the first receipt that is under it; those after it have only its grantKey.

import { fromHex, toHex } from '../hash/hex.ts';
import { canonicalText } from '../json/canonical.ts';
import { JsonProblem } from '../json/reader.ts';
import { emptyObject, isObject, type JsonObject, type JsonValue, member, without } from '../json/value.ts';
import { RECEIPT_ENTRY_BYTES } from '../limits.ts';
import type { Crypto } from '../ports/ports.ts';
import type { JournalEntry, JournalReceipt } from './journal.ts';
import {
  decodeEntry,
  decodeGrant,
  encodeEntry,
  encodeGrant,
  grantKeyOf,
  HASH_BYTES,
  JOURNAL_KIND,
  LATEST_ENTRY_MS,
  LATEST_RECEIPT,
  receiptHash,
  type Texts,
} from './journal-record.ts';
import type { ChainedReceipt } from './receipt-chain.ts';

/** What is wrong with a document. */
export interface ReceiptFault {
  /**
   * `malformed`: it is no receipt. `grant-missing`: it names a grant that is not there. `altered`: its hash is not that of
   * what it holds.
   */
  readonly fault: 'malformed' | 'grant-missing' | 'altered';
  readonly detail: string;
}

/** Finds a grant by its key. */
export type GrantOf = (grantKey: string) => JsonValue | undefined;

const MOST_DIGITS = 39;

/** The document of a receipt. */
export function receiptDocument(receipt: JournalReceipt): JsonObject {
  const { receiptId, previous, hash, grantKey, doubtful } = receipt;
  const entry = receipt.entry ?? doubtful;
  const document = emptyObject();
  document.receiptId = receiptId;
  document.previous = previous;
  document.hash = hash;
  document.kind = entry?.kind ?? 'unreadable';
  if (entry === undefined) {
    document.problem = receipt.problem ?? 'it cannot be read';
    return document;
  }
  if (doubtful !== undefined) document.doubt = receipt.problem ?? 'it may not have been accepted';
  if (entry.kind === 'end') {
    document.how = entry.how;
    document.reservation = entry.reservation;
  } else document.mode = entry.mode;
  document.amountMinor = entry.amount.toString();
  document.time = timeText(entry.timeMs);
  if (entry.kind === 'end') return document;
  if (grantKey !== undefined && entry.grant !== undefined) {
    document.grantKey = grantKey;
    document.grant = entry.grant;
  }
  document.sba = entry.sba;
  for (const name of OPTIONAL_PARTS) {
    const part = entry[name];
    if (part !== undefined && part !== null) document[name] = part;
  }
  return document;
}

const OPTIONAL_PARTS = ['spa', 'settlementIntent', 'fleetPolicyAuthorization', 'idempotencyKey'] as const;

/** Members that every document has, and those of each kind. */
const COMMON: readonly string[] = ['receiptId', 'previous', 'hash', 'kind'];
const MEMBERS: readonly (readonly [kind: string, members: readonly string[]])[] = [
  ['payment', [...COMMON, 'doubt', 'mode', 'amountMinor', 'time', 'grantKey', 'grant', 'sba', ...OPTIONAL_PARTS]],
  ['end', [...COMMON, 'doubt', 'how', 'reservation', 'amountMinor', 'time']],
  ['unreadable', [...COMMON, 'problem']],
];

/**
 * Reads a document and works out its hash again. Any JSON data may come. Of an `unreadable` one the hash is taken as stated.
 *
 * @param grantOf finds the grant of a payment whose document has only its key
 */
export function readReceipt(crypto: Crypto, document: JsonValue, grantOf?: GrantOf): JournalReceipt | ReceiptFault {
  const stated = statedIn(document, grantOf);
  if ('fault' in stated) return stated;
  const { receiptId, doubtful } = stated;
  const entry = stated.entry ?? doubtful;
  if (entry === undefined) return stated;
  const encoded = encodedAgain(crypto, entry, stated.previous);
  if ('fault' in encoded) return encoded;
  if (encoded.hash !== stated.hash || encoded.grantKey !== stated.grantKey)
    return { fault: 'altered', detail: `receipt ${receiptId} was changed: what it holds has another hash` };
  // What the journal leaves out of an envelope no hash covers: it was put there afterwards.
  const kept = receiptDocument({
    ...stated,
    ...(doubtful === undefined ? { entry: encoded.entry } : { doubtful: encoded.entry }),
  });
  return isSame(kept, document as JsonObject)
    ? stated
    : { fault: 'altered', detail: `receipt ${receiptId} was changed: it has members that the journal does not keep` };
}

/**
 * The hash of what a document holds, whatever hash it states.
 *
 * @param grantOf see `readReceipt`
 */
export function receiptHashOf(crypto: Crypto, document: JsonValue, grantOf?: GrantOf): string | ReceiptFault {
  const stated = statedIn(document, grantOf);
  if ('fault' in stated) return stated;
  const entry = stated.entry ?? stated.doubtful;
  if (entry === undefined) return malformed(`receipt ${stated.receiptId} holds nothing that can be hashed`);
  const encoded = encodedAgain(crypto, entry, stated.previous);
  return 'fault' in encoded ? encoded : encoded.hash;
}

/** What a document says, unchecked but for its shape. */
function statedIn(document: JsonValue, grantOf: GrantOf | undefined): JournalReceipt | ReceiptFault {
  if (!isObject(document)) return malformed('it is not an object');
  const { receiptId, previous, hash, kind } = document;
  if (!isId(receiptId)) return malformed('receiptId is not a whole number from 1 to 4294967295');
  if (!isHash(previous) || !isHash(hash)) return malformed('previous and hash are not 32 hexadecimal digits each');
  const members = typeof kind === 'string' ? MEMBERS.find(([name]) => name === kind)?.[1] : undefined;
  if (members === undefined) return malformed('kind is not payment, end or unreadable');
  for (const name of Object.keys(document))
    if (!members.includes(name)) return malformed(`it has the unknown member ${JSON.stringify(name)}`);
  const chained = { receiptId, previous, hash };
  if (kind === 'unreadable') {
    const { problem } = document;
    if (typeof problem !== 'string') return malformed('problem is not text');
    return { ...chained, entry: undefined, problem };
  }
  const terms = termsOf(document);
  if ('fault' in terms) return terms;
  const read = kind === 'end' ? endIn(document, chained, terms) : paymentIn(document, chained, terms, grantOf);
  const doubt = member(document, 'doubt');
  if (doubt === undefined || 'fault' in read || read.entry === undefined) return read;
  if (typeof doubt !== 'string') return malformed('doubt is not text');
  return { ...read, entry: undefined, problem: doubt, doubtful: read.entry };
}

interface Terms {
  readonly amount: bigint;
  readonly timeMs: number;
}

function endIn(document: JsonObject, chained: ChainedReceipt, terms: Terms): JournalReceipt | ReceiptFault {
  const { receiptId } = chained;
  const { how, reservation } = document;
  if (how !== 'settle' && how !== 'release') return malformed('how is not settle or release');
  if (!isId(reservation)) return malformed('reservation is not a receipt id');
  return { ...chained, entry: { kind: 'end', receiptId, how, reservation, ...terms } };
}

function paymentIn(
  document: JsonObject,
  chained: ChainedReceipt,
  terms: Terms,
  grantOf: GrantOf | undefined,
): JournalReceipt | ReceiptFault {
  const { receiptId } = chained;
  const { mode, grantKey, idempotencyKey } = document;
  if (mode !== 'authorize' && mode !== 'reserve') return malformed('mode is not authorize or reserve');
  const sba = member(document, 'sba');
  if (sba === undefined) return malformed('sba is missing');
  if (idempotencyKey !== undefined && typeof idempotencyKey !== 'string')
    return malformed('idempotencyKey is not text');
  let grant = member(document, 'grant');
  if (grantKey === undefined) {
    if (grant !== undefined) return malformed('it has a grant and no grantKey');
  } else if (!isHash(grantKey)) return malformed('grantKey is not 32 hexadecimal digits');
  else {
    grant ??= grantOf?.(grantKey);
    if (grant === undefined)
      return { fault: 'grant-missing', detail: `receipt ${receiptId} names the grant ${grantKey}, which is not there` };
  }
  const parts: Record<string, JsonValue> = {};
  for (const name of OPTIONAL_PARTS) {
    const part = member(document, name);
    if (part !== undefined) parts[name] = part;
  }
  const under = grant === undefined ? {} : { grant };
  const entry: JournalEntry = { kind: 'payment', receiptId, mode, ...terms, ...under, sba, ...parts };
  return { ...chained, entry, ...(grantKey === undefined ? {} : { grantKey }) };
}

function termsOf(document: JsonObject): Terms | ReceiptFault {
  const amount = amountFrom(document.amountMinor);
  if (amount === undefined) return malformed('amountMinor is not decimal digits below 2^128');
  const timeMs = msFrom(document.time);
  return timeMs === undefined ? malformed('time is not an ISO 8601 time with milliseconds') : { amount, timeMs };
}

/** Writes an entry as the journal does, and reads it back. */
function encodedAgain(
  crypto: Crypto,
  entry: JournalEntry,
  previous: string,
): { readonly hash: string; readonly grantKey: string | undefined; readonly entry: JournalEntry } | ReceiptFault {
  const buffer = new Uint8Array(RECEIPT_ENTRY_BYTES);
  const texts: Texts = [];
  let grantKey: string | undefined;
  let grant: JsonValue | undefined;
  if (entry.kind === 'payment' && entry.grant !== undefined) {
    const end = encodeGrant(crypto, entry.grant, buffer, []);
    const kept = typeof end === 'number' ? decodeGrant(crypto, buffer.subarray(0, end), texts) : end;
    if (kept instanceof JsonProblem) return malformed(`its grant is none: ${kept.message}`);
    grant = kept;
    grantKey = toHex(grantKeyOf(buffer));
  }
  const known = [...texts];
  const key = grantKey === undefined ? undefined : fromHex(grantKey);
  const end = encodeEntry(entry, fromHex(previous) as Uint8Array, key, buffer, 0, texts);
  if (end instanceof JsonProblem) return malformed(`it is no entry of a journal: ${end.message}`);
  const bytes = buffer.subarray(0, end);
  const kind = entry.kind === 'payment' ? JOURNAL_KIND.payment : JOURNAL_KIND.end;
  const decoded = decodeEntry(kind, bytes, grant, known);
  if (decoded instanceof JsonProblem) return malformed(`it is no entry of a journal: ${decoded.message}`);
  return { hash: toHex(receiptHash(crypto, kind, bytes)), grantKey, entry: decoded.entry };
}

/** True where a document says what the journal has kept; the grant may stand elsewhere. */
function isSame(kept: JsonObject, document: JsonObject): boolean {
  const given = member(document, 'grant') === undefined ? without(kept, ['grant']) : kept;
  return canonicalText(given) === canonicalText(document);
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** The time that `timeText` spells so, and no other spelling of it. */
function msFrom(text: JsonValue | undefined): number | undefined {
  if (typeof text !== 'string') return undefined;
  const ms = Date.parse(text);
  return ms >= 0 && ms <= LATEST_ENTRY_MS && timeText(ms) === text ? ms : undefined;
}

/** An amount below 2^128, which has up to 39 digits. */
function amountFrom(text: JsonValue | undefined): bigint | undefined {
  if (typeof text !== 'string' || text.length === 0 || text.length > MOST_DIGITS) return undefined;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return undefined;
  }
  const amount = BigInt(text);
  return amount >> 128n === 0n && amount.toString() === text ? amount : undefined;
}

function isId(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LATEST_RECEIPT;
}

function isHash(value: JsonValue | undefined): value is string {
  if (typeof value !== 'string' || value.length !== 2 * HASH_BYTES) return false;
  const bytes = fromHex(value);
  return bytes !== undefined && toHex(bytes) === value;
}

function malformed(detail: string): ReceiptFault {
  return { fault: 'malformed', detail };
}
