// What a start of the journal finds: reads all records once, puts together how far the journal is, and what may be missing from
// it. It comes to an end when the ledger has said which receipt was its last.

import { UNIT } from '../encoding/flash-header.ts';
import { readU32 } from '../encoding/little-endian.ts';
import type { Log } from '../ports/ports.ts';
import { type BlockLog, FIRST_KIND, type LogRecord, RECORD_HEADER } from './block-log.ts';
import type { MissingReceipts } from './journal-damage.ts';
import type { NearGrants } from './journal-grants.ts';
import type { JournalReader } from './journal-reader.ts';
import {
  FIRST_PART,
  grantKeyOf,
  HASH_BYTES,
  headOf,
  isAll,
  isEntry,
  JOURNAL_KIND,
  LAST_PART,
  previousOf,
  UNKNOWN_HASH_BYTE,
} from './journal-record.ts';
import type { JournalState } from './journal-state.ts';
import { keyText } from './keys.ts';
import type { LedgerKey } from './ledger.ts';

/** An entry whose parts are being come across. */
interface Parts {
  readonly kind: number;
  readonly address: number;
  next: number;
  readonly key: LedgerKey;
  readonly receiptId: number;
  readonly grantAddress: number;
  readonly previous: Uint8Array;
}

/** What a start puts together, and where it reads. */
export interface StartParts {
  readonly blocks: BlockLog;
  readonly state: JournalState;
  readonly grants: NearGrants;
  readonly missing: MissingReceipts;
  readonly reader: JournalReader;
  readonly log: Log | undefined;
}

/** See the head of the file. */
export class JournalStart {
  readonly #with: StartParts;
  #parts: Parts | undefined;
  /** Where the newest entry is whose hash is to be worked out, 0 where it is known. */
  #hashAt = 0;
  /** The number that follows, 0 before the first record; the block of the first record, and of the one before. */
  #next = 0;
  #firstBlock = 0;
  #block = 0;
  /** Numbers that were passed over since the newest whole entry. */
  #lostBehind = 0;
  /** The partition was a journal before this start: it is not new beside a ledger that has receipts. */
  #isOld = false;
  /** Up to which receipt there were entries before the oldest. */
  #before = 0;
  /** The newest whole entry with nothing of another behind it, 0 for none. */
  #end = 0;
  /** Numbers were passed over between these two blocks, and no entry has come since. */
  #gap: { from: number; to: number } | undefined;

  constructor(parts: StartParts) {
    this.#with = parts;
  }

  /** Reads the log. @throws what opening it throws */
  read(): void {
    const { blocks, state, missing, reader } = this.#with;
    const [first] = blocks.open((record, bytes) => this.takeIn(record, bytes));
    this.#isOld = true;
    if (first !== undefined) {
      missing.suspect(first.detail);
      // Nobody knows what the oldest blocks have held: up to the oldest entry that is there.
      if (state.first === 0) this.#gap = { from: blocks.oldest, to: this.#block };
      else state.needUntil(blocks, blocks.oldest, this.#firstBlock, state.first - 1);
    }
    // Blocks go only when all in them is acknowledged.
    if (this.#before > state.acknowledged) missing.suspect('the oldest entries are lost');
    state.newest = Math.max(state.newest, state.acknowledged);
    // Until the ledger has said so, nobody knows whether it was committed.
    state.doubtful = this.#end > state.acknowledged ? this.#end : 0;
    if (this.#hashAt === 0) return;
    const hash = reader.hashAt(this.#hashAt);
    if (hash === undefined) missing.suspect('the newest entry cannot be read');
    else state.hash.set(hash);
  }

  /** The newest entry was made void, as the ledger does not know of it. */
  makeVoid(lastCommitted: number): void {
    this.#with.state.makeVoid(lastCommitted);
    this.#end = 0;
  }

  /** The ledger cannot be the one that goes with it: what is there can be read, and the newest entry stays doubtful. */
  mismatch(problem: string): void {
    const { state, missing, reader } = this.#with;
    missing.suspect(problem);
    missing.survey(reader, this.#isOld ? state.newest : 0);
  }

  /** Works out what is missing, now that it is known how far the ledger is. */
  takeStock(lastCommitted: number): void {
    const { blocks, state, missing, reader, log } = this.#with;
    const end = this.#end;
    state.doubtful = 0;
    if (this.#gap !== undefined) state.needUntil(blocks, this.#gap.from, this.#gap.to, lastCommitted);
    if (state.newest < lastCommitted) {
      // A journal that is new beside an older ledger lacks nothing that was promised; one that was erased looks the same.
      if (this.#isOld) missing.suspect(`receipts up to ${lastCommitted} are lost`);
      log?.emit({ event: 'journal.missing', after: state.newest, upTo: lastCommitted });
    }
    // Should the newest entry not have been committed, the words that say so and the one that was given its receipt id
    // would be lost behind it: at least two records, or as many as nobody knows.
    if (end > state.acknowledged && end <= lastCommitted && (end < lastCommitted || this.#lostBehind >= 2)) {
      state.doubtful = end;
      missing.suspect(`what follows receipt ${end} is lost`);
      // The chain must not vouch for it.
      state.hash.fill(UNKNOWN_HASH_BYTE);
    }
    if (state.newest === 0 && lastCommitted > 0 && this.#isOld) state.hash.fill(UNKNOWN_HASH_BYTE);
    missing.survey(reader, this.#isOld ? lastCommitted : 0);
  }

  /** Takes in a record. */
  private takeIn(record: LogRecord, bytes: Uint8Array): void {
    const { state } = this.#with;
    const { kind } = record;
    this.takeNumber(record);
    if (kind === JOURNAL_KIND.acknowledged) {
      // Said once more it costs nothing; believed wrongly it costs receipts.
      if (record.behindDamage) return;
      state.acknowledged = Math.max(state.acknowledged, readU32(bytes, RECORD_HEADER));
      state.acknowledgedOnFlash = state.acknowledged;
      state.acknowledgedAt = record.address;
    } else if (kind === JOURNAL_KIND.void) {
      const committed = readU32(bytes, RECORD_HEADER);
      if (state.newest > committed && !record.behindDamage) {
        this.makeVoid(committed);
        this.#hashAt = 0;
      }
    } else if (kind < FIRST_KIND) {
      // What a block was given up with: the hash of the receipt that was the newest then.
      if (this.#hashAt === 0) state.hash.set(bytes.subarray(UNIT, UNIT + HASH_BYTES));
    } else if (isEntry(kind) || kind === JOURNAL_KIND.grant) this.takePart(record, bytes);
  }

  /** Sees whether numbers of records were passed over. */
  private takeNumber({ number, address }: LogRecord): void {
    const { blocks, missing } = this.#with;
    const block = blocks.blockOf(address);
    if (this.#next === 0) this.#firstBlock = block;
    else if (number !== this.#next) {
      this.#lostBehind += Math.abs(number - this.#next);
      this.#gap = { from: this.#gap?.from ?? this.#block, to: block };
      missing.suspect(`records before number ${number} are lost`);
    }
    this.#next = number + 1;
    this.#block = block;
  }

  /** Takes in a part of an entry, or of a grant; with its last part it is whole. */
  private takePart(record: LogRecord, bytes: Uint8Array): void {
    const { blocks, state, grants } = this.#with;
    const { kind } = record;
    if (isEntry(kind) && (record.flags & FIRST_PART) !== 0) this.takeFirst(bytes.subarray(RECORD_HEADER));
    this.#parts = joined(record, bytes, this.#parts);
    if (this.#parts === undefined || (record.flags & LAST_PART) === 0) return;
    const { address, receiptId, grantAddress, key, previous } = this.#parts;
    this.#parts = undefined;
    if (kind === JOURNAL_KIND.grant) {
      grants.add(key, address);
      return;
    }
    state.previous.set(previous);
    this.#hashAt = address;
    this.#end = receiptId;
    this.#lostBehind = 0;
    state.count(blocks, receiptId, address, grantAddress);
  }

  /** Takes in the beginning of an entry: what it says of the one before holds even where the rest of it is not there. */
  private takeFirst(entry: Uint8Array): void {
    const { blocks, state, missing } = this.#with;
    const { receiptId } = headOf(entry);
    if (this.#gap !== undefined) state.needUntil(blocks, this.#gap.from, this.#gap.to, receiptId - 1);
    this.#gap = undefined;
    if (state.first === 0 && !isAll(previousOf(entry), 0)) this.#before = receiptId - 1;
    if (state.newest !== 0 && receiptId !== state.newest + 1) missing.suspect(`receipts before ${receiptId} are lost`);
    // The one before was made void, and the record that said so is lost.
    if (receiptId <= state.newest) state.makeVoid(receiptId - 1);
    state.hash.set(previousOf(entry));
    this.#hashAt = 0;
    this.#end = 0;
    this.#lostBehind = 0;
  }
}

/** Joins a part of an entry to those before it. @returns the entry so far, or undefined where the part belongs to none */
function joined(record: LogRecord, bytes: Uint8Array, parts: Parts | undefined): Parts | undefined {
  if ((record.flags & FIRST_PART) === 0) {
    if (parts === undefined || parts.kind !== record.kind || parts.next !== record.number) return undefined;
    parts.next++;
    return parts;
  }
  const entry = bytes.subarray(RECORD_HEADER);
  const { kind, address, number } = record;
  const isGrant = kind === JOURNAL_KIND.grant;
  const { receiptId, grantAddress } = headOf(entry);
  return {
    kind,
    address,
    next: number + 1,
    key: isGrant ? keyText(grantKeyOf(entry)) : '',
    receiptId,
    grantAddress: kind === JOURNAL_KIND.payment ? grantAddress : 0,
    previous: isGrant ? entry.slice(0, 0) : previousOf(entry).slice(),
  };
}
