// Reads entries out of the journal's blocks: puts their parts together, finds out from what follows whether they count, and
// makes of them what is handed out. The entry that was read last is in the buffer, which writing uses too.

import { readU32 } from '../encoding/little-endian.ts';
import { toHex } from '../hash/hex.ts';
import { JsonProblem } from '../json/reader.ts';
import type { JsonValue } from '../json/value.ts';
import { JOURNAL_ENTRY_BYTES } from '../limits.ts';
import type { Crypto } from '../ports/ports.ts';
import { type BlockLog, type FoundRecord, type LogRecord, RECORD_HEADER } from './block-log.ts';
import { isGrantOf } from './journal-grants.ts';
import {
  decodeEntry,
  decodeGrant,
  FIRST_PART,
  grantKeyIn,
  grantKeyOf,
  headOf,
  isAll,
  isEntry,
  JOURNAL_KIND,
  type JournalEntry,
  LAST_PART,
  lengthOf,
  previousOf,
  receiptHash,
  type Texts,
  termsOf,
  UNKNOWN_HASH_BYTE,
} from './journal-record.ts';
import type { JournalState } from './journal-state.ts';
import { keyText } from './keys.ts';
import type { ChainedReceipt } from './receipt-chain.ts';

/** An entry as it is handed out. */
export interface JournalReceipt extends ChainedReceipt {
  /** The key of the grant that a payment is under, hexadecimal text. */
  readonly grantKey?: string;
  /** What was kept; undefined where it cannot be read, or nobody can say whether it was accepted. */
  readonly entry: JournalEntry | undefined;
  /** Why there is no entry, with what is known of it. */
  readonly problem?: string;
  /** What was written, where damage has taken what says whether it was accepted: no payment until somebody has found out. */
  readonly doubtful?: JournalEntry;
  /** Between the receipt before and this one: what is wrong (`export` only). */
  readonly gap?: string;
}

/** What an entry is: one that counts, none, or one of which damage has taken what says so. */
type Standing = 'counts' | 'nothing' | 'doubtful';

/** An entry that was found: its bytes are in the buffer. */
export interface FoundEntry {
  readonly kind: number;
  readonly receiptId: number;
  readonly length: number;
  /** Its last part. */
  readonly last: LogRecord;
  readonly standing: Standing;
}

/** Bytes that reading and writing begin with; they go up to `JOURNAL_ENTRY_BYTES`. */
const LEAST_BUFFER = 1024;

/** See the head of the file. Its methods throw FlashError where the flash fails. */
export class JournalReader {
  readonly #blocks: BlockLog;
  readonly #crypto: Crypto;
  readonly #state: JournalState;
  /** There while it is needed, see `rest`. */
  #memory: Uint8Array | undefined;
  #longest = LEAST_BUFFER;

  constructor(blocks: BlockLog, crypto: Crypto, state: JournalState) {
    this.#blocks = blocks;
    this.#crypto = crypto;
    this.#state = state;
  }

  /** Where entries are read into, and put together for writing. */
  get buffer(): Uint8Array {
    this.#memory ??= new Uint8Array(LEAST_BUFFER);
    return this.#memory;
  }

  /** Bytes of the longest buffer there was. */
  get bufferBytes(): number {
    return this.#longest;
  }

  /** Gives the buffer back until it is needed again. */
  rest(): void {
    this.#longest = Math.max(this.#longest, this.#memory?.length ?? 0);
    this.#memory = undefined;
  }

  /** A longer buffer, without what was in it; undefined where it is as long as it gets. */
  growBuffer(): Uint8Array | undefined {
    const { length } = this.buffer;
    if (length >= JOURNAL_ENTRY_BYTES) return undefined;
    this.#memory = new Uint8Array(Math.min(length * 2, JOURNAL_ENTRY_BYTES));
    return this.#memory;
  }

  /** True where the entry in the buffer says that no receipt was before it. */
  get isFirstOfChain(): boolean {
    return isAll(previousOf(this.buffer), 0);
  }

  /** The next whole entry behind a record that is not void; its bytes are in the buffer. */
  after(record: LogRecord | undefined): FoundEntry | undefined {
    const blocks = this.#blocks;
    let found = blocks.after(record);
    while (found !== undefined) {
      const { record } = found;
      let last = record;
      if (isEntry(record.kind) && (record.flags & FIRST_PART) !== 0) {
        const read = this.readParts(found, 0);
        if (read !== undefined) {
          last = read.last;
          const { receiptId } = headOf(this.buffer);
          const standing = this.standingOf(record.kind, receiptId, read.length, last);
          if (standing !== 'nothing') return { kind: record.kind, receiptId, length: read.length, last, standing };
        }
      }
      found = blocks.after(last);
    }
    return undefined;
  }

  /** The hash of the entry that begins at an address, undefined where it cannot be read. */
  hashAt(address: number): Uint8Array | undefined {
    const found = this.#blocks.at(address);
    const read = found && this.readParts(found, 0);
    return found && read && receiptHash(this.#crypto, found.record.kind, this.buffer.subarray(0, read.length));
  }

  /** What is handed out of an entry that is in the buffer. */
  receiptOf(found: FoundEntry): JournalReceipt {
    const { kind, receiptId, length, standing } = found;
    const bytes = this.buffer.subarray(0, length);
    const hash = toHex(receiptHash(this.#crypto, kind, bytes));
    const key = grantKeyIn(bytes);
    const named = key === undefined ? {} : { grantKey: toHex(key) };
    const chained = { receiptId, previous: toHex(previousOf(bytes)), hash, ...named };
    const read = this.decode(kind, length);
    if ('problem' in read) return { ...chained, entry: undefined, problem: `${read.problem}: ${summary(kind, bytes)}` };
    if (standing === 'counts') return { ...chained, entry: read };
    const problem = `what says whether it was accepted is lost: ${summary(kind, bytes)}`;
    return { ...chained, entry: undefined, problem, doubtful: read };
  }

  /** True unless an entry that is in the buffer needs a grant, and it is not there. */
  hasGrant({ kind, length }: FoundEntry): boolean {
    const { grantAddress } = headOf(this.buffer);
    if (kind !== JOURNAL_KIND.payment || grantAddress === 0) return true;
    return this.grantFor(grantAddress, length) !== undefined;
  }

  /**
   * What the records behind an entry, which is in the buffer, say of it. The next entry carries its hash, or that of another
   * with the same receipt id: then it was made void, even if the record that said so is lost.
   */
  private standingOf(kind: number, receiptId: number, length: number, last: LogRecord): Standing {
    const blocks = this.#blocks;
    const { newest, acknowledged, doubtful } = this.#state;
    let lost = 0;
    let { number } = last;
    for (let found = blocks.after(last); found !== undefined; found = blocks.after(found.record)) {
      const { record, bytes } = found;
      lost += Math.abs(record.number - number - 1);
      number = record.number;
      if (record.kind === JOURNAL_KIND.void) {
        // Behind a loss it may be a text that a payer has put there.
        if (readU32(bytes, RECORD_HEADER) < receiptId) return lost === 0 ? 'nothing' : 'doubtful';
      } else if (isEntry(record.kind) && (record.flags & FIRST_PART) !== 0) {
        const next = bytes.subarray(RECORD_HEADER);
        const nextId = headOf(next).receiptId;
        if (nextId <= receiptId) return 'nothing';
        const previous = previousOf(next);
        if (isAll(previous, UNKNOWN_HASH_BYTE)) return receiptId > acknowledged ? 'doubtful' : 'counts';
        if (lost === 0) return 'counts';
        const hash = receiptHash(this.#crypto, kind, this.buffer.subarray(0, length));
        if (toHex(hash) === toHex(previous)) return 'counts';
        if (nextId === receiptId + 1) return 'nothing';
        // The record that makes it void, the entry that was committed, and those up to the next would be lost.
        return lost >= nextId - receiptId + 1 ? 'doubtful' : 'counts';
      }
    }
    if (receiptId > newest) return 'nothing';
    return receiptId === doubtful ? 'doubtful' : 'counts';
  }

  /** Reads the parts of an entry into the buffer. Undefined where they are not all there. */
  private readParts(first: FoundRecord, at: number): { readonly length: number; readonly last: LogRecord } | undefined {
    const length = lengthOf(first.bytes.subarray(RECORD_HEADER));
    if (at + length > JOURNAL_ENTRY_BYTES) return undefined;
    this.hold(at + length, at);
    let part: FoundRecord | undefined = first;
    let read = 0;
    for (;;) {
      const { record } = part;
      const data = part.bytes.subarray(RECORD_HEADER, Math.min(part.bytes.length, RECORD_HEADER + length - read));
      this.buffer.set(data, at + read);
      read += data.length;
      if ((record.flags & LAST_PART) !== 0) return read === length ? { length, last: record } : undefined;
      part = this.#blocks.after(record);
      if (part === undefined || part.record.kind !== record.kind || part.record.number !== record.number + 1)
        return undefined;
      if ((part.record.flags & FIRST_PART) !== 0) return undefined;
    }
  }

  /** Makes the buffer long enough, and keeps the first bytes of it. */
  private hold(length: number, keep: number): void {
    if (length <= this.buffer.length) return;
    const longer = new Uint8Array(length);
    longer.set(this.buffer.subarray(0, keep));
    this.#memory = longer;
  }

  /** Decodes an entry that is in the buffer. */
  private decode(kind: number, length: number): JournalEntry | { readonly problem: string } {
    const texts: Texts = [];
    const { grantAddress } = headOf(this.buffer);
    let grant: JsonValue | undefined;
    let grantKey = '';
    if (kind === JOURNAL_KIND.payment && grantAddress !== 0) {
      const read = this.grantFor(grantAddress, length);
      if (read === undefined) return { problem: 'its grant is lost' };
      const bytes = this.buffer.subarray(length, length + read.length);
      const decoded = decodeGrant(this.#crypto, bytes, texts);
      if (decoded instanceof JsonProblem) return { problem: decoded.message };
      grant = decoded;
      grantKey = toHex(grantKeyOf(bytes));
    }
    const decoded = decodeEntry(kind, this.buffer.subarray(0, length), grant, texts);
    if (decoded instanceof JsonProblem) return { problem: decoded.message };
    if (grantKey !== (decoded.grantKey === undefined ? '' : toHex(decoded.grantKey)))
      return { problem: 'another grant is where its own should be' };
    return decoded.entry;
  }

  /** Reads the grant of a payment that is in the buffer to behind it. Where it is lost, any other copy of it will do. */
  private grantFor(address: number, length: number): { readonly length: number } | undefined {
    const blocks = this.#blocks;
    const key = grantKeyIn(this.buffer.subarray(0, length));
    const wanted = key === undefined ? undefined : keyText(key);
    const at = blocks.at(address);
    const own = isGrantOf(at, wanted) ? this.readParts(at as FoundRecord, length) : undefined;
    if (own !== undefined || wanted === undefined) return own;
    for (let found = blocks.after(); found !== undefined; ) {
      const { record } = found;
      const read = isGrantOf(found, wanted) ? this.readParts(found, length) : undefined;
      if (read !== undefined) return read;
      found = blocks.after(record);
    }
    return undefined;
  }
}

/** What an entry's beginning tells, for people. */
function summary(kind: number, bytes: Uint8Array): string {
  const { amount, timeMs } = termsOf(bytes);
  const what = kind === JOURNAL_KIND.payment ? 'a payment' : 'the end of a reservation,';
  return `${what} of ${amount ?? 'an unknown amount'} at ${new Date(timeMs).toISOString()}`;
}
