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
import { warningsDue } from './fill.ts';
import {
  decodeEntry,
  decodeGrant,
  encodeEntry,
  encodeGrant,
  FIRST_PART,
  grantKeyIn,
  grantKeyOf,
  HASH_BYTES,
  headOf,
  JOURNAL_FORMAT,
  JOURNAL_KIND,
  JOURNAL_LOG,
  type JournalEntry,
  LAST_PART,
  LATEST_ENTRY_MS,
  LATEST_RECEIPT,
  LONGEST_PART,
  lengthOf,
  previousOf,
  receiptHash,
  setGrantAddress,
  type Texts,
  termsOf,
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

/** What is missing from the journal. */
export interface JournalDamage {
  /** The receipts that are lost or in doubt, from `first` to `last`; both 0 where it is records that no receipt needs. */
  readonly first: number;
  readonly last: number;
  readonly detail: string;
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
/** One more that only ends of reservations use: a session that is over must be recorded though payments wait to be sent. */
const RESERVE_OF_ENDS = 1;
/** Blocks ahead that idle time sees to. */
const AHEAD = 2;
/** Blocks of 4096 bytes that the largest payment and its grant take, and the one that is being written. */
const LEAST_BLOCKS = RESERVE + RESERVE_OF_ENDS + 4;
/** Units at the end of a block that a part of an entry is worth. */
const LEAST_PART = 16;
/** A payment refers to a grant in one of so many newest blocks; an older one would keep its block from being given up. */
const MOST_NEAR_BLOCKS = 8;
const NEAR_PART = 8;
/** Units of the least grant: its signature alone takes four. */
const LEAST_GRANT = 16;
/** Bytes that reading and writing begin with, and go up to: what the largest payment takes with its grant, and more. */
const LEAST_BUFFER = 1024;
const MOST_BUFFER = 10_240;
/** Each byte of the hash of a receipt before of which nobody knows any more which it was. */
const UNKNOWN = 0xff;
/** What is kept of damage; further damage widens the last. */
const MOST_DAMAGE = 16;
const AMOUNT_BITS = 128n;
const LAYOUT = { id: JOURNAL_LOG, format: JOURNAL_FORMAT, longest: LONGEST_PART, salvage: true };

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
  readonly standing: Standing;
}

/** What an entry is: one that counts, none, or one of which damage has taken what says so. */
type Standing = 'counts' | 'nothing' | 'doubtful';

/** What a start has come across. */
interface Scan {
  parts: Parts | undefined;
  /** Where the newest entry is whose hash is to be worked out, 0 where it is known. */
  hashAt: number;
  /** The number that follows, 0 before the first record; the block of the first record, and of the one before. */
  next: number;
  firstBlock: number;
  block: number;
  /** Numbers that were passed over since the newest whole entry. */
  lostBehind: number;
  /** The partition was a journal before this start: it is not new beside a ledger that has receipts. */
  isOld: boolean;
  /** Up to which receipt there were entries before the oldest. */
  before: number;
  /** The newest whole entry with nothing of another behind it, 0 for none. */
  end: number;
  /** Numbers were passed over between these two blocks, and no entry has come since. */
  gap: { from: number; to: number } | undefined;
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
  readonly #scan: Scan = {
    parts: undefined,
    hashAt: 0,
    next: 0,
    firstBlock: 0,
    block: 0,
    lostBehind: 0,
    isOld: false,
    before: 0,
    end: 0,
    gap: undefined,
  };
  /** Something is missing: what it is comes out when the ledger's last receipt is known. */
  #suspicious = '';
  readonly #damage: JournalDamage[] = [];
  /** The newest entry, where damage has taken what says whether it counts. */
  #doubtful = 0;
  #withheld = false;
  /** Where an entry was made void since the start. */
  #voidAt = 0;
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

  /** Why no payment can be written at the moment, or undefined. Where it is full, ends of reservations may still be. */
  get problem(): JournalRefusal | undefined {
    if (this.#problem || this.#blocks === undefined) return this.#problem;
    const isFree = this.#hasSpareFor([LONGEST_PART * UNIT - RECORD_HEADER], RESERVE + RESERVE_OF_ENDS);
    return isFree || this.#canGiveUp() ? undefined : this.#full();
  }

  /**
   * What is missing, once the ledger's last receipt was told: receipts that are lost or cannot be read, the oldest first.
   * It keeps nothing from being written.
   */
  get damage(): readonly JournalDamage[] {
    return this.#damage;
  }

  /** How full it is. */
  get fill(): JournalFill {
    const blocks = this.#blocks;
    const before = Math.max(this.#acknowledged, this.#first - 1);
    // What is acknowledged goes when its room is needed.
    const isNeeded = (block: number) => (this.#neededUntil[block] as number) > this.#acknowledged;
    return {
      used: blocks?.neededBlocks(isNeeded) ?? 0,
      of: blocks === undefined ? 0 : Math.max(blocks.used + blocks.spare - RESERVE - RESERVE_OF_ENDS, blocks.used),
      unsent: Math.max(this.#newest - before, 0),
    };
  }

  /** Erases per block. */
  get wear(): readonly number[] {
    return this.#blocks?.wear ?? [];
  }

  /** Bytes that its tables and buffers take, in memory: those for each block of the partition included. */
  get memoryBytes(): number {
    const perBlock = this.#neededUntil.byteLength + (this.#blocks?.memoryBytes ?? 0);
    return this.#grants.bytes + perBlock + 2 * this.#record.length + this.#buffer.length;
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
   * a problem: a ledger that lost its memory must not take the journal's with it. To be called at a start before all else.
   *
   * @param lastCommitted the ledger's newest receipt id, 0 for none
   */
  reconcile(lastCommitted: number): JournalRefusal | undefined {
    return this.#guardedWrite((blocks) => {
      const isFirst = !this.#reconciled;
      if (this.#newest > lastCommitted) {
        if (this.#newest !== lastCommitted + 1 || this.#acknowledged > lastCommitted) {
          this.#problem = failed(
            `the journal has receipt ${this.#newest}, the ledger only ${lastCommitted}: export the journal, then format both`,
          );
          // What is there can be read; whether the newest was committed nobody knows any more: it stays doubtful.
          this.#reconciled = true;
          this.#suspicious ||= this.#problem.detail;
          this.#survey(blocks, this.#newest);
          return this.#problem;
        }
        if (!blocks.hasRoom(1) && !blocks.prepare()) return this.#full();
        this.#voidAt = this.#appendNumber(blocks, JOURNAL_KIND.void, 0, lastCommitted);
        this.#makeVoid(lastCommitted);
        this.#scan.end = 0;
        this.#log?.emit({ event: 'journal.void', receiptId: lastCommitted + 1 });
      }
      this.#reconciled = true;
      if (isFirst) this.#takeStock(blocks, lastCommitted);
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
      // Whoever loses a block must not lose both what made an entry void and the one that has its receipt id now.
      if (this.#voidAt !== 0 && blocks.newerThan(blocks.blockOf(this.#voidAt)) === 0) blocks.leave();
      const { grantLength, grantKey, end } = encoded;
      const reserve = entry.kind === 'end' ? RESERVE : RESERVE + RESERVE_OF_ENDS;
      const room = this.#roomFor(blocks, grantKey, grantLength, end - grantLength, reserve);
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
   * The ledger did not record what was written last, or cannot say whether it did: it is not handed in before a start has
   * found out.
   */
  withhold(): void {
    this.#withheld = true;
  }

  /** The newest receipt that is handed in. */
  get #newestOut(): number {
    return this.#withheld ? this.#newest - 1 : this.#newest;
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
      let from = Math.max(after, this.#acknowledged);
      if (this.#resume !== undefined && this.#resume.receiptId > from) this.#resume = undefined;
      let before = this.#resume?.receiptId ?? Math.max(from, this.#first - 1);
      while (count < most) {
        const found = this.#entryAfter(blocks, this.#resume?.last);
        if (found === undefined) {
          this.#noteMissing(before + 1, this.#newestOut);
          break;
        }
        if (found.receiptId > this.#newestOut) break;
        this.#noteMissing(before + 1, found.receiptId - 1);
        before = Math.max(before, found.receiptId);
        this.#resume = found;
        if (found.receiptId <= from) continue;
        from = found.receiptId;
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
      if (!(receiptId <= this.#newestOut))
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
      let newest = 0;
      for (;;) {
        const found = this.#entryAfter(blocks, last);
        if (found === undefined) {
          if (newest < this.#newest && this.#acknowledged < this.#newest)
            wrong.push(`receipts ${Math.max(newest, this.#acknowledged) + 1} to ${this.#newest} are missing`);
          return undefined;
        }
        last = found.last;
        newest = found.receiptId;
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
    const damage = blocks.open((record, bytes) => this.#takeIn(blocks, record, bytes));
    const scan = this.#scan;
    scan.isOld = true;
    const [first] = damage;
    if (first !== undefined) {
      this.#suspicious ||= first.detail;
      // Nobody knows what the oldest blocks have held: up to the oldest entry that is there.
      if (this.#first === 0) scan.gap = { from: blocks.oldest, to: scan.block };
      else this.#needUntil(blocks, blocks.oldest, scan.firstBlock, this.#first - 1);
    }
    // Blocks go only when all in them is acknowledged.
    if (scan.before > this.#acknowledged) this.#suspicious ||= 'the oldest entries are lost';
    this.#newest = Math.max(this.#newest, this.#acknowledged);
    // Until the ledger has said so, nobody knows whether it was committed.
    this.#doubtful = scan.end > this.#acknowledged ? scan.end : 0;
    if (scan.hashAt === 0) return undefined;
    const found = blocks.at(scan.hashAt);
    const read = found && this.#readParts(blocks, found, 0);
    if (found && read)
      this.#hash.set(receiptHash(this.#crypto, found.record.kind, this.#buffer.subarray(0, read.length)));
    else this.#suspicious ||= 'the newest entry cannot be read';
    return undefined;
  }

  /** Takes in a record at a start. */
  #takeIn(blocks: BlockLog, record: LogRecord, bytes: Uint8Array): void {
    const scan = this.#scan;
    const { kind } = record;
    this.#takeNumber(blocks, record);
    if (kind === JOURNAL_KIND.acknowledged) {
      // Said once more it costs nothing; believed wrongly it costs receipts.
      if (record.behindDamage) return;
      this.#acknowledged = Math.max(this.#acknowledged, readU32(bytes, RECORD_HEADER));
      this.#acknowledgedOnFlash = this.#acknowledged;
      this.#acknowledgedAt = record.address;
    } else if (kind === JOURNAL_KIND.void) {
      const committed = readU32(bytes, RECORD_HEADER);
      if (this.#newest > committed && !record.behindDamage) {
        this.#makeVoid(committed);
        scan.hashAt = 0;
        scan.end = 0;
      }
    } else if (kind < FIRST_KIND) {
      // What a block was given up with: the hash of the receipt that was the newest then.
      if (scan.hashAt === 0) this.#hash.set(bytes.subarray(UNIT, UNIT + HASH_BYTES));
    } else if (isEntry(kind) || kind === JOURNAL_KIND.grant) {
      if (isEntry(kind) && (record.flags & FIRST_PART) !== 0) this.#takeFirst(blocks, bytes.subarray(RECORD_HEADER));
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
      scan.end = receiptId;
      scan.lostBehind = 0;
      this.#count(receiptId, address, grantAddress);
    }
  }

  /** Sees whether numbers of records were passed over. */
  #takeNumber(blocks: BlockLog, { number, address }: LogRecord): void {
    const scan = this.#scan;
    const block = blocks.blockOf(address);
    if (scan.next === 0) scan.firstBlock = block;
    else if (number !== scan.next) {
      scan.lostBehind += Math.abs(number - scan.next);
      scan.gap = { from: scan.gap?.from ?? scan.block, to: block };
      this.#suspicious ||= `records before number ${number} are lost`;
    }
    scan.next = number + 1;
    scan.block = block;
  }

  /** Takes in the beginning of an entry: what it says of the one before holds even where the rest of it is not there. */
  #takeFirst(blocks: BlockLog, entry: Uint8Array): void {
    const scan = this.#scan;
    const { receiptId } = headOf(entry);
    if (scan.gap !== undefined) this.#needUntil(blocks, scan.gap.from, scan.gap.to, receiptId - 1);
    scan.gap = undefined;
    if (this.#first === 0 && !isAll(previousOf(entry), 0)) scan.before = receiptId - 1;
    if (this.#newest !== 0 && receiptId !== this.#newest + 1)
      this.#suspicious ||= `receipts before ${receiptId} are lost`;
    // The one before was made void, and the record that said so is lost.
    if (receiptId <= this.#newest) this.#makeVoid(receiptId - 1);
    this.#hash.set(previousOf(entry));
    scan.hashAt = 0;
    scan.end = 0;
    scan.lostBehind = 0;
  }

  /** Blocks of the log, from one to another, stay until everything up to a receipt is acknowledged: it may be lost in them. */
  #needUntil(blocks: BlockLog, from: number, to: number, receiptId: number): void {
    const oldest = blocks.newerThan(from);
    const newest = blocks.newerThan(to);
    for (let block = 0; block < this.#neededUntil.length; block++) {
      const place = blocks.newerThan(block);
      if (place <= oldest && place >= newest && place >= 0)
        this.#neededUntil[block] = Math.max(this.#neededUntil[block] as number, receiptId);
    }
  }

  /** What is missing, now that it is known how far the ledger is. */
  #takeStock(blocks: BlockLog, lastCommitted: number): void {
    const { end, gap, lostBehind } = this.#scan;
    this.#doubtful = 0;
    if (gap !== undefined) this.#needUntil(blocks, gap.from, gap.to, lastCommitted);
    if (this.#newest < lastCommitted) {
      // A journal that is new beside an older ledger lacks nothing that was promised; one that was erased looks the same.
      if (this.#scan.isOld) this.#suspicious ||= `receipts up to ${lastCommitted} are lost`;
      this.#log?.emit({ event: 'journal.missing', after: this.#newest, upTo: lastCommitted });
    }
    // Should the newest entry not have been committed, the words that say so and the one that was given its receipt id
    // would be lost behind it: at least two records, or as many as nobody knows.
    if (end > this.#acknowledged && end <= lastCommitted && (end < lastCommitted || lostBehind >= 2)) {
      this.#doubtful = end;
      this.#suspicious ||= `what follows receipt ${end} is lost`;
      // The chain must not vouch for it.
      this.#hash.fill(UNKNOWN);
    }
    if (this.#newest === 0 && lastCommitted > 0 && this.#scan.isOld) this.#hash.fill(UNKNOWN);
    this.#survey(blocks, lastCommitted);
  }

  /** Says what is missing, where anything may be. */
  #survey(blocks: BlockLog, lastCommitted: number): void {
    if (this.#suspicious === '') return;
    let last: LogRecord | undefined;
    let before = 0;
    for (;;) {
      const found = this.#entryAfter(blocks, last);
      if (found === undefined) break;
      const { receiptId } = found;
      const isFirst = before === 0 && isAll(previousOf(this.#buffer), 0);
      this.#noteMissing(isFirst ? receiptId : before + 1, receiptId - 1);
      // What can be read need not be decoded: that would take long.
      if (receiptId > this.#acknowledged && (found.standing === 'doubtful' || !this.#hasGrant(blocks, found))) {
        const { problem } = this.#receiptOf(blocks, found);
        if (problem !== undefined) this.#note(receiptId, receiptId, `receipt ${receiptId}: ${problem}`);
      }
      last = found.last;
      before = receiptId;
    }
    if (this.#scan.isOld) this.#noteMissing(before + 1, lastCommitted);
    if (this.#damage.length === 0) this.#note(0, 0, `${this.#suspicious}, but no receipt that was not acknowledged`);
  }

  /** Receipts that are not there, those that are acknowledged apart. */
  #noteMissing(from: number, to: number): void {
    const first = Math.max(from, this.#acknowledged + 1);
    if (first > to) return;
    this.#note(first, to, first === to ? `receipt ${to} is missing` : `receipts ${first} to ${to} are missing`);
  }

  #note(first: number, last: number, detail: string): void {
    const damage = this.#damage;
    if (damage.some((one) => one.first <= first && last <= one.last)) return;
    const widest = damage[MOST_DAMAGE - 1];
    const all = { first: Math.min(widest?.first ?? first, first), last: Math.max(widest?.last ?? last, last) };
    const note =
      widest === undefined
        ? { first, last, detail }
        : { ...all, detail: `of receipts ${all.first} to ${all.last} more than one is lost or in doubt` };
    damage[Math.min(damage.length, MOST_DAMAGE - 1)] = note;
    this.#log?.emit({ event: 'journal.damage', ...note });
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
    if (!Number.isInteger(receiptId) || receiptId <= this.#newest || receiptId > LATEST_RECEIPT)
      return failed(`receipt ${receiptId} does not come after ${this.#newest}`);
    if (amount < 0n || amount >> AMOUNT_BITS !== 0n) return failed('an amount of more than 128 bits');
    if (!(timeMs >= 0 && timeMs <= LATEST_ENTRY_MS)) return failed('a time that has no 48 bits');
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
      this.#buffer = new Uint8Array(Math.min(target.length * 2, MOST_BUFFER));
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
    reserve: number,
  ): number | JournalRefusal {
    for (;;) {
      const address = grantKey === undefined ? 0 : this.#nearGrant(grantKey);
      const sizes = grantKey !== undefined && address === 0 ? [grantLength, length] : [length];
      const refusal = this.#makeRoom(blocks, sizes, reserve);
      if (refusal) return refusal;
      // The block that was given up may have been the grant's.
      if (address === 0 || blocks.newerThan(blocks.blockOf(address)) >= 0) return address;
    }
  }

  /** Sees to it that entries of these sizes can be written. */
  #makeRoom(blocks: BlockLog, sizes: readonly number[], reserve: number): JournalRefusal | undefined {
    for (let turns = blocks.blocks; !this.#hasSpareFor(sizes, reserve); turns--) {
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
  #hasSpareFor(sizes: readonly number[], reserve: number): boolean {
    const blocks = this.#blocks;
    return blocks !== undefined && blocks.spare - newBlocks(sizes, blocks.left, blocks.room) >= reserve;
  }

  #step(blocks: BlockLog): boolean {
    if (!blocks.isPrepared && blocks.spare > 0) {
      blocks.prepare();
      return true;
    }
    return blocks.spare < RESERVE + RESERVE_OF_ENDS + AHEAD && this.#canGiveUp() && this.#giveUp(blocks);
  }

  /** True where all that the oldest block is needed for is acknowledged, and there is another. */
  #canGiveUp(): boolean {
    const blocks = this.#blocks;
    if (blocks === undefined || blocks.used < 2) return false;
    // What is lost behind the newest entry cannot be acknowledged before another one is there.
    return Math.min(this.#neededUntil[blocks.oldest] as number, this.#newest) <= this.#acknowledged;
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
    if (blocks.spare <= RESERVE + RESERVE_OF_ENDS && !blocks.fits(1)) return;
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
      return newer >= 0 && newer < this.#nearBlocks && isGrantOf(blocks.at(address), key);
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
          const standing = this.#standingOf(blocks, record.kind, receiptId, read.length, last);
          if (standing !== 'nothing') return { kind: record.kind, receiptId, length: read.length, last, standing };
        }
      }
      found = blocks.after(last);
    }
    return undefined;
  }

  /**
   * What the records behind an entry, which is in the buffer, say of it. The next entry carries its hash, or that of another
   * with the same receipt id: then it was made void, even if the record that said so is lost.
   */
  #standingOf(blocks: BlockLog, kind: number, receiptId: number, length: number, last: LogRecord): Standing {
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
        if (isAll(previous, UNKNOWN)) return receiptId > this.#acknowledged ? 'doubtful' : 'counts';
        if (lost === 0) return 'counts';
        const hash = receiptHash(this.#crypto, kind, this.#buffer.subarray(0, length));
        if (toHex(hash) === toHex(previous)) return 'counts';
        if (nextId === receiptId + 1) return 'nothing';
        // The record that makes it void, the entry that was committed, and those up to the next would be lost.
        return lost >= nextId - receiptId + 1 ? 'doubtful' : 'counts';
      }
    }
    if (receiptId > this.#newest) return 'nothing';
    return receiptId === this.#doubtful ? 'doubtful' : 'counts';
  }

  /** Reads the parts of an entry into the buffer. Undefined where they are not all there. */
  #readParts(
    blocks: BlockLog,
    first: FoundRecord,
    at: number,
  ): { readonly length: number; readonly last: LogRecord } | undefined {
    const length = lengthOf(first.bytes.subarray(RECORD_HEADER));
    if (at + length > MOST_BUFFER) return undefined;
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
    const { kind, receiptId, length, standing } = found;
    const bytes = this.#buffer.subarray(0, length);
    const hash = toHex(receiptHash(this.#crypto, kind, bytes));
    const key = grantKeyIn(bytes);
    const named = key === undefined ? {} : { grantKey: toHex(key) };
    const chained = { receiptId, previous: toHex(previousOf(bytes)), hash, ...named };
    const read = this.#decode(blocks, kind, length);
    if ('problem' in read) return { ...chained, entry: undefined, problem: `${read.problem}: ${summary(kind, bytes)}` };
    if (standing === 'counts') return { ...chained, entry: read };
    const problem = `what says whether it was accepted is lost: ${summary(kind, bytes)}`;
    return { ...chained, entry: undefined, problem, doubtful: read };
  }

  /** Decodes an entry that is in the buffer. */
  #decode(blocks: BlockLog, kind: number, length: number): JournalEntry | { readonly problem: string } {
    const texts: Texts = [];
    const { grantAddress } = headOf(this.#buffer);
    let grant: JsonValue | undefined;
    let grantKey = '';
    if (kind === JOURNAL_KIND.payment && grantAddress !== 0) {
      const read = this.#grantFor(blocks, grantAddress, length);
      if (read === undefined) return { problem: 'its grant is lost' };
      const bytes = this.#buffer.subarray(length, length + read.length);
      const decoded = decodeGrant(this.#crypto, bytes, texts);
      if (decoded instanceof JsonProblem) return { problem: decoded.message };
      grant = decoded;
      grantKey = toHex(grantKeyOf(bytes));
    }
    const decoded = decodeEntry(kind, this.#buffer.subarray(0, length), grant, texts);
    if (decoded instanceof JsonProblem) return { problem: decoded.message };
    if (grantKey !== (decoded.grantKey === undefined ? '' : toHex(decoded.grantKey)))
      return { problem: 'another grant is where its own should be' };
    return decoded.entry;
  }

  /** True unless an entry that is in the buffer needs a grant, and it is not there. */
  #hasGrant(blocks: BlockLog, { kind, length }: FoundEntry): boolean {
    const { grantAddress } = headOf(this.#buffer);
    if (kind !== JOURNAL_KIND.payment || grantAddress === 0) return true;
    return this.#grantFor(blocks, grantAddress, length) !== undefined;
  }

  /** Reads the grant of a payment that is in the buffer to behind it. Where it is lost, any other copy of it will do. */
  #grantFor(blocks: BlockLog, address: number, length: number): { readonly length: number } | undefined {
    const key = grantKeyIn(this.#buffer.subarray(0, length));
    const wanted = key === undefined ? undefined : keyText(key);
    const at = blocks.at(address);
    const own = isGrantOf(at, wanted) ? this.#readParts(blocks, at as FoundRecord, length) : undefined;
    if (own !== undefined || wanted === undefined) return own;
    for (let found = blocks.after(); found !== undefined; ) {
      const { record } = found;
      const read = isGrantOf(found, wanted) ? this.#readParts(blocks, found, length) : undefined;
      if (read !== undefined) return read;
      found = blocks.after(record);
    }
    return undefined;
  }

  #full(): JournalRefusal {
    return { code: 'STORE_FULL', detail: `${this.fill.unsent} entries wait to be sent, which fills the journal` };
  }

  #warn(): void {
    const fill = this.fill;
    const level = fill.unsent > 0 ? warningsDue(fill.used, fill.of) : 0;
    if (level > this.#warned) this.#log?.emit({ event: 'journal.filling', ...fill });
    this.#warned = level;
  }

  /** Runs what reads. A flash that fails is told, and asked again the next time. */
  #guardedRead(work: (blocks: BlockLog) => JournalRefusal | undefined): JournalRefusal | undefined {
    const blocks = this.#blocks;
    if (blocks === undefined) return this.#problem ?? failed('the journal was not opened');
    let refusal: JournalRefusal | undefined;
    const failure = this.#guarded(() => {
      refusal = work(blocks);
      return undefined;
    });
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

/** True for the beginning of a grant's entry; of one with a key, where one is given. */
function isGrantOf(found: FoundRecord | undefined, key: LedgerKey | undefined): boolean {
  if (found?.record.kind !== JOURNAL_KIND.grant || (found.record.flags & FIRST_PART) === 0) return false;
  return key === undefined || keyText(grantKeyOf(found.bytes.subarray(RECORD_HEADER))) === key;
}

/** What an entry's beginning tells, for people. */
function summary(kind: number, bytes: Uint8Array): string {
  const { amount, timeMs } = termsOf(bytes);
  const what = kind === JOURNAL_KIND.payment ? 'a payment' : 'the end of a reservation, with';
  return `${what} of ${amount ?? 'an unknown amount'} at ${new Date(timeMs).toISOString()}`;
}

function isAll(bytes: Uint8Array, value: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== value) return false;
  return true;
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
