// The journal: every accepted payment, whole, on a partition of its own, until the operator's backend has acknowledged it.
// An entry is written before the spend ledger's record, which commits it: an entry that the ledger does not know of is
// nothing. Nothing is moved: a block is given up when all that it is needed for is acknowledged.

import { toHex } from '../hash/hex.ts';
import { JsonProblem } from '../json/reader.ts';
import type { JsonValue } from '../json/value.ts';
import { type Crypto, type Flash, FlashError, type Log } from '../ports/ports.ts';
import {
  BlockLog,
  COPY,
  FIRST_KIND,
  type FoundRecord,
  LogError,
  type LogRecord,
  RECORD_HEADER,
  readU32,
  UNIT,
  writeU32,
} from './block-log.ts';
import {
  decodeEntry,
  decodeGrant,
  encodeEntry,
  encodeGrant,
  FIRST_PART,
  grantKeyOf,
  HASH_BYTES,
  headOf,
  JOURNAL_FORMAT,
  JOURNAL_KIND,
  JOURNAL_LOG,
  type JournalEntry,
  LAST_PART,
  LONGEST_PART,
  lengthOf,
  previousOf,
  receiptHash,
  setGrantAddress,
  type Texts,
} from './journal-record.ts';
import { KeyIndex } from './key-index.ts';
import { keyText } from './keys.ts';
import type { LedgerKey } from './ledger.ts';
import { type ChainedReceipt, ReceiptChain } from './receipt-chain.ts';

export type { JournalEnd, JournalEntry, JournalPayment } from './journal-record.ts';

/** What a site may choose. */
export interface JournalOptions {
  /** What an entry does where the work of idle time has fallen behind: `step` does it, `refuse` refuses; see the ledger. */
  readonly whenBehind?: 'step' | 'refuse';
  /** `blank` (the default): a partition that reads 0xFF is formatted. `never`: only `format` does it. */
  readonly autoFormat?: 'blank' | 'never';
  readonly log?: Log;
}

/** How full the journal is. */
export interface JournalFill {
  /** Blocks that hold something, and blocks that entries may fill. */
  readonly used: number;
  readonly of: number;
  /** Entries that are not acknowledged. */
  readonly unsent: number;
}

/** An entry as it is handed out. */
export interface JournalReceipt extends ChainedReceipt {
  /** What was kept; undefined where it cannot be read. */
  readonly entry: JournalEntry | undefined;
  /** Why it cannot be read. */
  readonly problem?: string;
  /** Between the receipt before and this one: what is wrong (`export` only). */
  readonly gap?: string;
}

/** Is told of each entry in order. It must not call the journal. */
export type VisitReceipt = (receipt: JournalReceipt) => void;

/** Why something was not written, or cannot be told. */
export interface JournalRefusal {
  readonly code: 'STORE_FULL' | 'STORE_FAILED';
  readonly detail: string;
}

/** Why an acknowledgement is not taken. */
export interface AcknowledgeRefusal {
  readonly code: JournalRefusal['code'] | 'ARTIFACT_INVALID';
  readonly detail: string;
}

/**
 * Blocks that entries leave free: one for the record that makes an entry void after a restart, one to acknowledge and to
 * give up into after another restart.
 */
const RESERVE = 2;
/** Blocks ahead that idle time sees to. */
const AHEAD = 2;
/** Blocks of 4096 bytes that the largest payment and its grant take, and the one that is being written. */
const LEAST_BLOCKS = RESERVE + 5;
/** Units at the end of a block that a part of an entry is worth. */
const LEAST_PART = 16;
/** A payment refers to a grant in one of so many newest blocks; an older one would keep its block from being given up. */
const MOST_NEAR_BLOCKS = 8;
const NEAR_PART = 8;
/** Units of the least grant: its signature alone takes four. */
const LEAST_GRANT = 16;
/** Bytes that reading and writing begin with, and go up to. */
const LEAST_BUFFER = 1024;
const MOST_BUFFER = 16_384;
/** Fill from which on events warn. */
const WARN_AT = [0.8, 0.9, 0.95];
const MOST_RECEIPT = 0xffff_ffff;
const AMOUNT_BITS = 128n;
const MOST_TIME = 0xffff_ffff_ffff;
const LAYOUT = { id: JOURNAL_LOG, format: JOURNAL_FORMAT, longest: LONGEST_PART };

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

/** An entry that was found: its bytes are in the buffer. */
interface FoundEntry {
  readonly kind: number;
  readonly receiptId: number;
  readonly length: number;
  /** Its last part. */
  readonly last: LogRecord;
}

/** See the head of the file. */
export class Journal {
  readonly #flash: Flash;
  readonly #crypto: Crypto;
  readonly #log: Log | undefined;
  readonly #whenBehind: 'step' | 'refuse';
  readonly #autoFormat: 'blank' | 'never';
  readonly #record = new Uint8Array(LONGEST_PART * UNIT);
  #buffer = new Uint8Array(LEAST_BUFFER);
  #blocks: BlockLog | undefined;
  #problem: JournalRefusal | undefined;
  /** Where grants are, in the newest blocks. */
  #grants = new KeyIndex(0, 0);
  #grantsHeld = 0;
  #nearBlocks = 2;
  /** Per block: the receipt up to which everything must be acknowledged before the block can go. */
  #neededUntil = new Uint32Array(0);
  /** True once the ledger's last receipt is known. */
  #reconciled = false;
  /** The newest entry that counts, the oldest that was seen, and the hashes of the newest and of the one before it. */
  #newest = 0;
  #first = 0;
  #hash = new Uint8Array(HASH_BYTES);
  #previous = new Uint8Array(HASH_BYTES);
  /** Up to which receipt everything is acknowledged; up to which that is on flash, and where. */
  #acknowledged = 0;
  #acknowledgedOnFlash = 0;
  #acknowledgedAt = 0;
  /** An entry that was come by, and its last part: reading goes on behind it. */
  #resume: { readonly receiptId: number; readonly last: LogRecord } | undefined;
  #warned = 0;

  /**
   * Opens the journal on a partition. What is wrong stands in `problem`, and while it does nothing is written; what can be
   * read is. Before anything is written or handed out, `reconcile` must have been called.
   */
  constructor(flash: Flash, crypto: Crypto, options: JournalOptions = {}) {
    this.#flash = flash;
    this.#crypto = crypto;
    this.#log = options.log;
    this.#whenBehind = options.whenBehind ?? 'step';
    this.#autoFormat = options.autoFormat ?? 'blank';
    this.#problem = this.#guarded(() => this.#start());
    if (this.#problem) this.#log?.emit({ event: 'journal.problem', ...this.#problem });
    else this.#log?.emit({ event: 'journal.open', newest: this.#newest, acknowledged: this.#acknowledged });
  }

  /** Makes a partition an empty journal, whatever was on it. */
  static format(flash: Flash): void {
    new BlockLog(flash, LAYOUT).format();
  }

  /** Why nothing can be written at the moment, or undefined. */
  get problem(): JournalRefusal | undefined {
    if (this.#problem || this.#blocks === undefined) return this.#problem;
    return this.#hasSpareFor([LONGEST_PART * UNIT - RECORD_HEADER]) || this.#canGiveUp() ? undefined : this.#full();
  }

  /** How full it is. */
  get fill(): JournalFill {
    const blocks = this.#blocks;
    const before = Math.max(this.#acknowledged, this.#first - 1);
    return {
      used: blocks?.used ?? 0,
      of: blocks === undefined ? 0 : blocks.used + blocks.spare - RESERVE,
      unsent: Math.max(this.#newest - before, 0),
    };
  }

  /** Erases per block. */
  get wear(): readonly number[] {
    return this.#blocks?.wear ?? [];
  }

  /** Bytes that its tables and buffers take, in memory. */
  get memoryBytes(): number {
    return this.#grants.bytes + this.#neededUntil.byteLength + 2 * this.#record.length + this.#buffer.length;
  }

  /** The newest receipt it holds or has held, 0 for none. */
  get newestReceipt(): number {
    return this.#newest;
  }

  /** Up to which receipt everything was acknowledged, 0 for nothing. */
  get acknowledgedUpTo(): number {
    return this.#acknowledged;
  }

  /**
   * Takes in what the spend ledger has committed. An entry beyond it is made void, durably; more than one cannot be, and is
   * a problem: a ledger that lost its memory must not take the journal's with it. To be called at a start before all else,
   * and again where the ledger refused what the journal had written.
   *
   * @param lastCommitted the ledger's newest receipt id, 0 for none
   */
  reconcile(lastCommitted: number): JournalRefusal | undefined {
    return this.#guardedWrite((blocks) => {
      if (this.#newest > lastCommitted) {
        if (this.#newest !== lastCommitted + 1 || this.#acknowledged > lastCommitted) {
          this.#problem = failed(`the journal has receipt ${this.#newest}, the ledger only ${lastCommitted}`);
          return this.#problem;
        }
        if (!blocks.hasRoom(1) && !blocks.prepare()) return this.#full();
        this.#appendNumber(blocks, JOURNAL_KIND.void, 0, lastCommitted);
        this.#makeVoid(lastCommitted);
        this.#log?.emit({ event: 'journal.void', receiptId: lastCommitted + 1 });
      } else if (this.#newest < lastCommitted && this.#newest > 0) {
        // What follows will show the gap: its hash goes back to what is there.
        this.#log?.emit({ event: 'journal.missing', after: this.#newest, upTo: lastCommitted });
      }
      this.#reconciled = true;
      return undefined;
    });
  }

  /**
   * Writes an entry, whole: durable when this returns. It counts when the ledger has recorded the same receipt id.
   *
   * @returns the number of its first record; STORE_FULL where there is no room, STORE_FAILED for everything else
   */
  append(entry: JournalEntry): { readonly number: number } | JournalRefusal {
    return this.#guardedWrite((blocks): { readonly number: number } | JournalRefusal => {
      const objection = this.#objection(entry);
      if (objection) return objection;
      const encoded = this.#encode(entry);
      if ('code' in encoded) return encoded;
      const { grantLength, grantKey, end } = encoded;
      const room = this.#roomFor(blocks, grantKey, grantLength, end - grantLength);
      if (typeof room !== 'number') return room;
      let grantAddress = room;
      if (grantKey !== undefined && grantAddress === 0) {
        grantAddress = this.#write(blocks, JOURNAL_KIND.grant, 0, grantLength);
        this.#pointAtGrant(grantKey, grantAddress);
      }
      const bytes = this.#buffer.subarray(grantLength, end);
      setGrantAddress(bytes, grantAddress);
      const kind = entry.kind === 'payment' ? JOURNAL_KIND.payment : JOURNAL_KIND.end;
      const number = blocks.nextNumber;
      const address = this.#write(blocks, kind, grantLength, end);
      this.#previous.set(previousOf(bytes));
      this.#count(entry.receiptId, address, grantAddress);
      this.#hash.set(receiptHash(this.#crypto, kind, bytes));
      this.#warn();
      return { number };
    });
  }

  /**
   * Visits entries that are not acknowledged, in the order of their receipts.
   *
   * @param after only those with a higher receipt id
   * @param most how many
   * @returns how many there were, or why none can be told
   */
  unsent(after: number, most: number, visit: VisitReceipt): number | JournalRefusal {
    let count = 0;
    const refusal = this.#guardedRead((blocks) => {
      if (!this.#reconciled) return NOT_RECONCILED;
      const from = Math.max(after, this.#acknowledged);
      if (this.#resume !== undefined && this.#resume.receiptId > from) this.#resume = undefined;
      while (count < most) {
        const found = this.#entryAfter(blocks, this.#resume?.last);
        if (found === undefined) break;
        this.#resume = found;
        if (found.receiptId <= from) continue;
        visit(this.#receiptOf(blocks, found));
        count++;
      }
      return undefined;
    });
    return refusal ?? count;
  }

  /**
   * Takes the backend's word that it has everything up to a receipt. Said again, or of less than before, it changes nothing.
   * It need not be durable: what is sent twice is known by its receipt id.
   *
   * @returns ARTIFACT_INVALID for a receipt that there is none of
   */
  acknowledge(receiptId: number): AcknowledgeRefusal | undefined {
    return this.#guardedWrite((blocks): AcknowledgeRefusal | undefined => {
      if (!this.#reconciled) return NOT_RECONCILED;
      if (!(receiptId <= this.#newest))
        return { code: 'ARTIFACT_INVALID', detail: `there is no receipt ${receiptId} to acknowledge` };
      if (receiptId <= this.#acknowledged) return undefined;
      this.#acknowledged = receiptId;
      this.#noteAcknowledged(blocks);
      this.#warn();
      return undefined;
    });
  }

  /**
   * Visits all that is still on flash, acknowledged or not, and follows the chain of receipts.
   *
   * @returns what is wrong, in words: gaps, hashes that differ, unacknowledged entries that cannot be read
   */
  export(visit: VisitReceipt): readonly string[] | JournalRefusal {
    const wrong: string[] = [];
    const chain = new ReceiptChain();
    const refusal = this.#guardedRead((blocks) => {
      let last: LogRecord | undefined;
      for (;;) {
        const found = this.#entryAfter(blocks, last);
        if (found === undefined) return undefined;
        last = found.last;
        const receipt = this.#receiptOf(blocks, found);
        const gap = chain.next(receipt);
        if (gap !== undefined) wrong.push(gap);
        // The grant of an acknowledged payment may be gone before the payment is.
        if (receipt.problem !== undefined && receipt.receiptId > this.#acknowledged)
          wrong.push(`receipt ${receipt.receiptId}: ${receipt.problem}`);
        visit(gap === undefined ? receipt : { ...receipt, gap });
      }
    });
    return refusal ?? wrong;
  }

  /**
   * Does a bounded piece of the work that keeps entries free of erases: makes the next block ready, or gives up the oldest
   * where all it is needed for is acknowledged. For idle time, until it says there is nothing to do.
   *
   * @returns whether there is more to do
   */
  step(): boolean {
    let more = false;
    const failure = this.#guardedWrite((blocks) => {
      more = this.#reconciled && this.#step(blocks);
      return undefined;
    });
    return failure === undefined && more;
  }

  #start(): JournalRefusal | undefined {
    const blocks = new BlockLog(this.#flash, LAYOUT);
    if (blocks.blocks < LEAST_BLOCKS)
      throw new LogError(`a partition of ${this.#flash.size} bytes is too small: ${LEAST_BLOCKS} blocks are needed`);
    this.#blocks = blocks;
    this.#neededUntil = new Uint32Array(blocks.blocks);
    this.#nearBlocks = Math.min(Math.max(Math.floor(blocks.blocks / NEAR_PART), 2), MOST_NEAR_BLOCKS);
    this.#grantsHeld = Math.ceil((this.#nearBlocks * blocks.room) / LEAST_GRANT);
    this.#grants = this.#noGrants();
    if (this.#autoFormat === 'blank' && blocks.isBlank()) {
      blocks.format();
      return undefined;
    }
    const scan = { parts: undefined as Parts | undefined, hashAt: 0 };
    const damage = blocks.open((record, bytes) => this.#takeIn(record, bytes, scan));
    this.#newest = Math.max(this.#newest, this.#acknowledged);
    const [first] = damage;
    if (scan.hashAt !== 0) {
      const found = blocks.at(scan.hashAt);
      const read = found && this.#readParts(blocks, found, 0);
      if (found && read)
        this.#hash.set(receiptHash(this.#crypto, found.record.kind, this.#buffer.subarray(0, read.length)));
      else if (first === undefined) return failed('the newest entry cannot be read');
    }
    return first && failed(`the journal is damaged: ${first.detail}`);
  }

  /** Takes in a record at a start. */
  #takeIn(record: LogRecord, bytes: Uint8Array, scan: { parts: Parts | undefined; hashAt: number }): void {
    const { kind } = record;
    if (kind === JOURNAL_KIND.acknowledged) {
      this.#acknowledged = Math.max(this.#acknowledged, readU32(bytes, RECORD_HEADER));
      this.#acknowledgedOnFlash = this.#acknowledged;
      this.#acknowledgedAt = record.address;
    } else if (kind === JOURNAL_KIND.void) {
      const committed = readU32(bytes, RECORD_HEADER);
      if (this.#newest > committed) {
        this.#makeVoid(committed);
        scan.hashAt = 0;
      }
    } else if (kind < FIRST_KIND) {
      // What a block was given up with: the hash of the receipt that was the newest then.
      if (scan.hashAt === 0) this.#hash.set(bytes.subarray(UNIT, UNIT + HASH_BYTES));
    } else if (isEntry(kind) || kind === JOURNAL_KIND.grant) {
      scan.parts = takePart(record, bytes, scan.parts);
      if (scan.parts === undefined || (record.flags & LAST_PART) === 0) return;
      const { address, receiptId, grantAddress, key, previous } = scan.parts;
      scan.parts = undefined;
      if (kind === JOURNAL_KIND.grant) {
        this.#pointAtGrant(key, address);
        return;
      }
      this.#previous.set(previous);
      scan.hashAt = address;
      this.#count(receiptId, address, grantAddress);
    }
  }

  /** The newest entry is none. What its blocks are needed for is acknowledged with the one before it at the latest. */
  #makeVoid(lastCommitted: number): void {
    this.#newest = lastCommitted;
    this.#hash.set(this.#previous);
    const { length } = this.#neededUntil;
    for (let block = 0; block < length; block++)
      this.#neededUntil[block] = Math.min(this.#neededUntil[block] as number, lastCommitted);
  }

  /** Counts an entry that is whole. */
  #count(receiptId: number, address: number, grantAddress: number): void {
    const blocks = this.#blocks;
    this.#newest = receiptId;
    if (this.#first === 0) this.#first = receiptId;
    for (const at of [address, grantAddress]) {
      if (at === 0 || blocks === undefined) continue;
      const block = blocks.blockOf(at);
      if (block < this.#neededUntil.length)
        this.#neededUntil[block] = Math.max(this.#neededUntil[block] as number, receiptId);
    }
  }

  #objection(entry: JournalEntry): JournalRefusal | undefined {
    if (!this.#reconciled) return NOT_RECONCILED;
    const { receiptId, amount, timeMs } = entry;
    if (!Number.isInteger(receiptId) || receiptId <= this.#newest || receiptId > MOST_RECEIPT)
      return failed(`receipt ${receiptId} does not come after ${this.#newest}`);
    if (amount < 0n || amount >> AMOUNT_BITS !== 0n) return failed('an amount of more than 128 bits');
    if (!(timeMs >= 0 && timeMs <= MOST_TIME)) return failed('a time that has no 48 bits');
    return undefined;
  }

  /** Writes an entry into the buffer, behind its grant. */
  #encode(
    entry: JournalEntry,
  ): { readonly grantLength: number; readonly grantKey: LedgerKey | undefined; readonly end: number } | JournalRefusal {
    const grant = entry.kind === 'payment' ? (entry.grant ?? undefined) : undefined;
    for (;;) {
      const target = this.#buffer;
      const texts: Texts = [];
      const grantLength = grant === undefined ? 0 : encodeGrant(this.#crypto, grant, target, texts);
      const key = grant === undefined ? undefined : grantKeyOf(target);
      const end =
        typeof grantLength === 'number' ? encodeEntry(entry, this.#hash, key, target, grantLength, texts) : grantLength;
      if (typeof end === 'number' && typeof grantLength === 'number')
        return { grantLength, grantKey: key && keyText(key), end };
      const problem = end as JsonProblem;
      if (problem.code !== 'LIMIT_EXCEEDED' || target.length >= MOST_BUFFER)
        return failed(`the entry cannot be kept: ${problem.message}`);
      this.#buffer = new Uint8Array(target.length * 2);
    }
  }

  /** Writes a part of the buffer as one entry. @returns the address of its first record */
  #write(blocks: BlockLog, kind: number, from: number, to: number): number {
    let first = 0;
    for (let at = from; at < to; ) {
      const units = unitsOfPart(to - at, blocks.left, blocks.room);
      if (!blocks.fits(units) && !blocks.isPrepared && !blocks.prepare())
        throw new LogError('there is no block for the rest of an entry');
      const record = this.#record.subarray(0, units * UNIT).fill(0);
      const stop = Math.min(at + units * UNIT - RECORD_HEADER, to);
      record.set(this.#buffer.subarray(at, stop), RECORD_HEADER);
      const flags = (at === from ? FIRST_PART : 0) | (stop === to ? LAST_PART : 0);
      const address = blocks.append(kind, flags, record);
      if (at === from) first = address;
      at = stop;
    }
    return first;
  }

  #appendNumber(blocks: BlockLog, kind: number, flags: number, number: number): number {
    const record = this.#record.subarray(0, UNIT);
    writeU32(record, RECORD_HEADER, number);
    return blocks.append(kind, flags, record);
  }

  /**
   * Sees to it that a grant and an entry of these sizes can be written.
   *
   * @returns the address of the grant where it need not be written, 0 where it must
   */
  #roomFor(
    blocks: BlockLog,
    grantKey: LedgerKey | undefined,
    grantLength: number,
    length: number,
  ): number | JournalRefusal {
    for (;;) {
      const address = grantKey === undefined ? 0 : this.#nearGrant(grantKey);
      const sizes = grantKey !== undefined && address === 0 ? [grantLength, length] : [length];
      const refusal = this.#makeRoom(blocks, sizes);
      if (refusal) return refusal;
      // The block that was given up may have been the grant's.
      if (address === 0 || blocks.newerThan(blocks.blockOf(address)) >= 0) return address;
    }
  }

  /** Sees to it that entries of these sizes can be written. */
  #makeRoom(blocks: BlockLog, sizes: readonly number[]): JournalRefusal | undefined {
    for (let turns = blocks.blocks; !this.#hasSpareFor(sizes); turns--) {
      if (!this.#canGiveUp() || turns <= 0) return this.#full();
      if (this.#whenBehind === 'refuse') return BEHIND;
      this.#log?.emit({ event: 'journal.behind' });
      if (!this.#giveUp(blocks)) return this.#full();
    }
    if (newBlocks(sizes, blocks.left, blocks.room) === 0 || blocks.isPrepared) return undefined;
    if (this.#whenBehind === 'refuse') return BEHIND;
    this.#log?.emit({ event: 'journal.behind' });
    return blocks.prepare() ? undefined : this.#full();
  }

  /** True where there are blocks enough for entries of these sizes, apart from those that are kept free. */
  #hasSpareFor(sizes: readonly number[]): boolean {
    const blocks = this.#blocks;
    return blocks !== undefined && blocks.spare - newBlocks(sizes, blocks.left, blocks.room) >= RESERVE;
  }

  #step(blocks: BlockLog): boolean {
    if (!blocks.isPrepared && blocks.spare > 0) {
      blocks.prepare();
      return true;
    }
    return blocks.spare < RESERVE + AHEAD && this.#canGiveUp() && this.#giveUp(blocks);
  }

  /** True where all that the oldest block is needed for is acknowledged, and there is another. */
  #canGiveUp(): boolean {
    const blocks = this.#blocks;
    if (blocks === undefined || blocks.used < 2) return false;
    return (this.#neededUntil[blocks.oldest] as number) <= this.#acknowledged;
  }

  /** Gives up the oldest block. False where there is no block to say so in. */
  #giveUp(blocks: BlockLog): boolean {
    const block = blocks.oldest;
    if (!blocks.hasRoom(1) && !blocks.prepare()) return false;
    // A copy: should the power go before the block is given up, this is nothing and takes no block.
    if (this.#acknowledgedOnFlash < this.#acknowledged || this.#isIn(blocks, this.#acknowledgedAt, block))
      this.#writeAcknowledged(blocks, COPY);
    blocks.giveUpTail(this.#hash);
    if (this.#resume && blocks.blockOf(this.#resume.last.address) === block) this.#resume = undefined;
    return true;
  }

  #isIn(blocks: BlockLog, address: number, block: number): boolean {
    return address !== 0 && blocks.blockOf(address) === block;
  }

  /** Makes an acknowledgement durable where that takes no block that may be needed. */
  #noteAcknowledged(blocks: BlockLog): void {
    if (blocks.spare <= RESERVE && !blocks.fits(1)) return;
    if (!blocks.hasRoom(1) && !blocks.prepare()) return;
    this.#writeAcknowledged(blocks, 0);
  }

  #writeAcknowledged(blocks: BlockLog, flags: number): void {
    this.#acknowledgedAt = this.#appendNumber(blocks, JOURNAL_KIND.acknowledged, flags, this.#acknowledged);
    this.#acknowledgedOnFlash = this.#acknowledged;
  }

  /** Where a grant is that a payment may refer to, or 0. */
  #nearGrant(key: LedgerKey): number {
    const blocks = this.#blocks as BlockLog;
    return this.#grants.find(key, 0, (address) => {
      const newer = blocks.newerThan(blocks.blockOf(address));
      if (newer < 0 || newer >= this.#nearBlocks) return false;
      const found = blocks.at(address);
      if (found?.record.kind !== JOURNAL_KIND.grant || (found.record.flags & FIRST_PART) === 0) return false;
      return keyText(grantKeyOf(found.bytes.subarray(RECORD_HEADER))) === key;
    });
  }

  /** Points at a grant. Where the table is full of old ones it is emptied: grants are then written once more. */
  #pointAtGrant(key: LedgerKey, address: number): void {
    if (this.#grants.size >= this.#grantsHeld) this.#grants = this.#noGrants();
    this.#grants.add(key, 0, address);
  }

  #noGrants(): KeyIndex {
    return new KeyIndex(this.#grantsHeld, (this.#flash.size / UNIT) | 0);
  }

  /** The next whole entry behind a record that is not void; its bytes are in the buffer. */
  #entryAfter(blocks: BlockLog, record: LogRecord | undefined): FoundEntry | undefined {
    let found = blocks.after(record);
    while (found !== undefined) {
      const { record } = found;
      let last = record;
      if (isEntry(record.kind) && (record.flags & FIRST_PART) !== 0) {
        const read = this.#readParts(blocks, found, 0);
        if (read !== undefined) {
          last = read.last;
          const { receiptId } = headOf(this.#buffer);
          if (!this.#isVoid(blocks, last, receiptId))
            return { kind: record.kind, receiptId, length: read.length, last };
        }
      }
      found = blocks.after(last);
    }
    return undefined;
  }

  /** True where the next word on entries behind a record is that this one is none. */
  #isVoid(blocks: BlockLog, last: LogRecord, receiptId: number): boolean {
    for (let found = blocks.after(last); found !== undefined; found = blocks.after(found.record)) {
      if (found.record.kind === JOURNAL_KIND.void) return readU32(found.bytes, RECORD_HEADER) < receiptId;
      if (isEntry(found.record.kind)) return false;
    }
    return false;
  }

  /** Reads the parts of an entry into the buffer. Undefined where they are not all there. */
  #readParts(
    blocks: BlockLog,
    first: FoundRecord,
    at: number,
  ): { readonly length: number; readonly last: LogRecord } | undefined {
    const length = lengthOf(first.bytes.subarray(RECORD_HEADER));
    this.#hold(at + length, at);
    let part: FoundRecord | undefined = first;
    let read = 0;
    for (;;) {
      const { record } = part;
      const data = part.bytes.subarray(RECORD_HEADER, Math.min(part.bytes.length, RECORD_HEADER + length - read));
      this.#buffer.set(data, at + read);
      read += data.length;
      if ((record.flags & LAST_PART) !== 0) return read === length ? { length, last: record } : undefined;
      part = blocks.after(record);
      if (part === undefined || part.record.kind !== record.kind || part.record.number !== record.number + 1)
        return undefined;
      if ((part.record.flags & FIRST_PART) !== 0) return undefined;
    }
  }

  /** Makes the buffer long enough, and keeps the first bytes of it. */
  #hold(length: number, keep: number): void {
    if (length <= this.#buffer.length) return;
    const longer = new Uint8Array(length);
    longer.set(this.#buffer.subarray(0, keep));
    this.#buffer = longer;
  }

  /** What is handed out of an entry that is in the buffer. */
  #receiptOf(blocks: BlockLog, found: FoundEntry): JournalReceipt {
    const { kind, receiptId, length } = found;
    const hash = toHex(receiptHash(this.#crypto, kind, this.#buffer.subarray(0, length)));
    const chained = { receiptId, previous: toHex(previousOf(this.#buffer)), hash };
    const texts: Texts = [];
    const { grantAddress } = headOf(this.#buffer);
    let grant: JsonValue | undefined;
    let grantKey = '';
    if (kind === JOURNAL_KIND.payment && grantAddress !== 0) {
      const part = blocks.at(grantAddress);
      const isGrant = part?.record.kind === JOURNAL_KIND.grant && (part.record.flags & FIRST_PART) !== 0;
      const read = isGrant ? this.#readParts(blocks, part, length) : undefined;
      if (read === undefined) return { ...chained, entry: undefined, problem: 'its grant is lost' };
      const bytes = this.#buffer.subarray(length, length + read.length);
      const decoded = decodeGrant(this.#crypto, bytes, texts);
      if (decoded instanceof JsonProblem) return { ...chained, entry: undefined, problem: decoded.message };
      grant = decoded;
      grantKey = toHex(grantKeyOf(bytes));
    }
    const decoded = decodeEntry(kind, this.#buffer.subarray(0, length), grant, texts);
    if (decoded instanceof JsonProblem) return { ...chained, entry: undefined, problem: decoded.message };
    if (grantKey !== (decoded.grantKey === undefined ? '' : toHex(decoded.grantKey)))
      return { ...chained, entry: undefined, problem: 'another grant is where its own should be' };
    return { ...chained, entry: decoded.entry };
  }

  #full(): JournalRefusal {
    return { code: 'STORE_FULL', detail: `${this.fill.unsent} entries wait to be sent, which fills the journal` };
  }

  #warn(): void {
    const fill = this.fill;
    const level = WARN_AT.filter((part) => fill.used >= part * fill.of && fill.unsent > 0).length;
    if (level > this.#warned) this.#log?.emit({ event: 'journal.filling', ...fill });
    this.#warned = level;
  }

  /** Runs what reads; a flash that fails ends writing, as it may fail there too. */
  #guardedRead(work: (blocks: BlockLog) => JournalRefusal | undefined): JournalRefusal | undefined {
    const blocks = this.#blocks;
    if (blocks === undefined) return this.#problem ?? failed('the journal was not opened');
    let refusal: JournalRefusal | undefined;
    const failure = this.#guarded(() => {
      refusal = work(blocks);
      return undefined;
    });
    if (failure) this.#problem ??= failure;
    return failure ?? refusal;
  }

  /** Runs what writes: problems that stand refuse it, and a flash that fails ends all writing until a restart. */
  #guardedWrite<T>(work: (blocks: BlockLog) => T): T | JournalRefusal {
    const blocks = this.#blocks;
    if (this.#problem || blocks === undefined) return this.#problem ?? failed('the journal was not opened');
    let result: T | undefined;
    const failure = this.#guarded(() => {
      result = work(blocks);
      return undefined;
    });
    if (failure === undefined) return result as T;
    this.#problem = failure;
    this.#log?.emit({ event: 'journal.problem', ...failure });
    return failure;
  }

  /** A flash that fails is a refusal, not an exception. */
  #guarded(work: () => JournalRefusal | undefined): JournalRefusal | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof FlashError || error instanceof LogError) return failed(error.message);
      this.#problem = failed('the flash broke off an operation');
      throw error;
    }
  }
}

const NOT_RECONCILED: JournalRefusal = Object.freeze({
  code: 'STORE_FAILED',
  detail: "the ledger's last receipt was not told to the journal",
});
const BEHIND: JournalRefusal = Object.freeze({
  code: 'STORE_FULL',
  detail: 'the work of idle time has fallen behind: its steps must run first',
});

/** Takes in a part of an entry. @returns the entry so far, or undefined where the part belongs to none */
function takePart(record: LogRecord, bytes: Uint8Array, parts: Parts | undefined): Parts | undefined {
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

function isEntry(kind: number): boolean {
  return kind === JOURNAL_KIND.payment || kind === JOURNAL_KIND.end;
}

/** Units of the next part of an entry of which so many bytes are left. What fits one record is not taken apart. */
function unitsOfPart(bytes: number, left: number, room: number): number {
  const whole = Math.ceil((bytes + RECORD_HEADER) / UNIT);
  if (whole <= LONGEST_PART) return whole;
  return Math.min(LONGEST_PART, left >= LEAST_PART ? left : room);
}

/** Blocks that entries of these sizes begin, written one after the other. */
function newBlocks(sizes: readonly number[], left: number, room: number): number {
  let count = 0;
  let free = left;
  for (const size of sizes) {
    for (let rest = size; rest > 0; ) {
      const units = unitsOfPart(rest, free, room);
      if (units > free) {
        count++;
        free = room;
      }
      free -= units;
      rest -= units * UNIT - RECORD_HEADER;
    }
  }
  return count;
}

function failed(detail: string): JournalRefusal {
  return { code: 'STORE_FAILED', detail };
}
