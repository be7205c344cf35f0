// The journal: every accepted payment, whole, on a partition of its own, until the operator's backend has acknowledged it.
// An entry is written before the spend ledger's record, which commits it: an entry that the ledger does not know of is
// nothing. Nothing is moved: a block is given up when all that it is needed for is acknowledged.

import { UNIT } from '../encoding/flash-header.ts';
import { writeU32 } from '../encoding/little-endian.ts';
import type { JsonProblem } from '../json/reader.ts';
import type { Crypto, Flash, Log } from '../ports/ports.ts';
import { BlockLog, COPY, LogError, type LogRecord, RECORD_HEADER } from './block-log.ts';
import { warningsDue } from './fill.ts';
import { type JournalDamage, MissingReceipts } from './journal-damage.ts';
import { NearGrants } from './journal-grants.ts';
import { JournalReader, type JournalReceipt } from './journal-reader.ts';
import {
  encodeEntry,
  encodeGrant,
  FIRST_PART,
  grantKeyOf,
  JOURNAL_KIND,
  JOURNAL_LAYOUT,
  type JournalEntry,
  LAST_PART,
  LATEST_ENTRY_MS,
  LATEST_RECEIPT,
  LONGEST_PART,
  previousOf,
  receiptHash,
  setGrantAddress,
  type Texts,
} from './journal-record.ts';
import { JournalStart } from './journal-start.ts';
import { JournalState } from './journal-state.ts';
import { keyText } from './keys.ts';
import type { LedgerKey } from './ledger.ts';
import { ReceiptChain } from './receipt-chain.ts';
import { StoreGuard, storeFailed } from './store-guard.ts';
import type { StoreOptions } from './store-options.ts';

export type { JournalDamage } from './journal-damage.ts';
export type { JournalReceipt } from './journal-reader.ts';
export type { JournalEnd, JournalEntry, JournalPayment } from './journal-record.ts';

/** How full the journal is. */
export interface JournalFill {
  /** Blocks that hold something, and blocks that entries may fill. */
  readonly used: number;
  readonly of: number;
  /** Entries that are not acknowledged. */
  readonly unsent: number;
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
/** Units that giving up a block takes at most from the newest: what is acknowledged, and the record itself. */
const GIVING_UP = 3;
/** Blocks ahead that idle time sees to. */
const AHEAD = 2;
/** Blocks of 4096 bytes that the largest payment and its grant take, and the one that is being written. */
export const LEAST_BLOCKS = RESERVE + RESERVE_OF_ENDS + 4;
/** Units at the end of a block that a part of an entry is worth. */
const LEAST_PART = 16;
const AMOUNT_BITS = 128n;

/** What there is once the partition can be looked at. */
interface Opened {
  readonly blocks: BlockLog;
  readonly reader: JournalReader;
  readonly grants: NearGrants;
  readonly start: JournalStart;
}

/** See the head of the file. */
export class Journal {
  readonly #flash: Flash;
  readonly #crypto: Crypto;
  readonly #log: Log | undefined;
  readonly #whenBehind: 'step' | 'refuse';
  readonly #autoFormat: 'blank' | 'never';
  readonly #salt: number;
  readonly #guard: StoreGuard;
  /** A record that is being written. There while something is. */
  #lentRecord: Uint8Array | undefined;
  #opened: Opened | undefined;
  #state = new JournalState(0);
  #missing: MissingReceipts;
  /** True once the ledger's last receipt is known. */
  #reconciled = false;
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
  constructor(flash: Flash, crypto: Crypto, options: StoreOptions = {}) {
    this.#flash = flash;
    this.#crypto = crypto;
    this.#log = options.log;
    this.#whenBehind = options.whenBehind ?? 'step';
    this.#autoFormat = options.autoFormat ?? 'blank';
    this.#salt = options.salt ?? 0;
    this.#missing = new MissingReceipts(this.#state, options.log);
    this.#guard = new StoreGuard('journal.problem', options.log);
    this.#guard.write(() => this.openLog());
    this.rest();
    const { newest, acknowledged } = this.#state;
    if (this.#guard.problem === undefined) this.#log?.emit({ event: 'journal.open', newest, acknowledged });
  }

  /** Makes a partition an empty journal, whatever was on it. @param salt see `StoreOptions` */
  static format(flash: Flash, salt = 0): void {
    new BlockLog(flash, JOURNAL_LAYOUT).format(salt);
  }

  /** Why no payment can be written at the moment, or undefined. Where it is full, ends of reservations may still be. */
  get problem(): JournalRefusal | undefined {
    if (this.#guard.problem || this.#opened === undefined) return this.#guard.problem;
    const { blocks } = this.#opened;
    const isFree = hasSpareFor(blocks, [LONGEST_PART * UNIT - RECORD_HEADER], RESERVE + RESERVE_OF_ENDS);
    return isFree || this.canGiveUp(blocks) ? undefined : this.full();
  }

  /**
   * What is missing, once the ledger's last receipt was told: receipts that are lost or cannot be read, the oldest first.
   * It keeps nothing from being written.
   */
  get damage(): readonly JournalDamage[] {
    return this.#missing.list;
  }

  /** How full it is. */
  get fill(): JournalFill {
    const blocks = this.#opened?.blocks;
    const { acknowledged, first, newest } = this.#state;
    const before = Math.max(acknowledged, first - 1);
    // What is acknowledged goes when its room is needed.
    const isNeeded = (block: number) => this.#state.neededUntil(block) > acknowledged;
    return {
      used: blocks?.neededBlocks(isNeeded) ?? 0,
      of: blocks === undefined ? 0 : Math.max(blocks.used + blocks.spare - RESERVE - RESERVE_OF_ENDS, blocks.used),
      unsent: Math.max(newest - before, 0),
    };
  }

  /** Erases per block. */
  get wear(): readonly number[] {
    return this.#opened?.blocks.wear ?? [];
  }

  /** Bytes that its tables and buffers take, in memory: those for each block of the partition included. */
  get memoryBytes(): number {
    const perBlock = this.#state.memoryBytes + (this.#opened?.blocks.memoryBytes ?? 0);
    const { grants, reader } = this.#opened ?? {};
    // While something is read or written, the log's record, another, and an entry.
    return (grants?.memoryBytes ?? 0) + perBlock + 2 * LONGEST_PART * UNIT + (reader?.bufferBytes ?? 0);
  }

  /** The newest receipt it holds or has held, 0 for none. */
  get newestReceipt(): number {
    return this.#state.newest;
  }

  /** Up to which receipt everything was acknowledged, 0 for nothing. */
  get acknowledgedUpTo(): number {
    return this.#state.acknowledged;
  }

  /**
   * Takes in what the spend ledger has committed. An entry beyond it is made void, durably; more than one cannot be, and is
   * a problem: a ledger that lost its memory must not take the journal's with it. To be called at a start before all else.
   *
   * @param lastCommitted the ledger's newest receipt id, 0 for none
   */
  reconcile(lastCommitted: number): JournalRefusal | undefined {
    return this.write(({ blocks, start }) => {
      const { newest, acknowledged } = this.#state;
      const isFirst = !this.#reconciled;
      if (newest > lastCommitted) {
        if (newest !== lastCommitted + 1 || acknowledged > lastCommitted) {
          const problem = storeFailed(
            `the journal has receipt ${newest}, the ledger only ${lastCommitted}: export the journal, then format both`,
          );
          this.#guard.end(problem);
          // What is there can be read; whether the newest was committed nobody knows any more: it stays doubtful.
          this.#reconciled = true;
          start.mismatch(problem.detail);
          return problem;
        }
        if (!blocks.hasRoom(1) && !blocks.prepare()) return this.full();
        this.#voidAt = this.appendNumber(blocks, JOURNAL_KIND.void, 0, lastCommitted);
        start.makeVoid(lastCommitted);
        this.#log?.emit({ event: 'journal.void', receiptId: lastCommitted + 1 });
      }
      this.#reconciled = true;
      if (isFirst) start.takeStock(lastCommitted);
      return undefined;
    });
  }

  /** Why an entry would not be written at the moment, or undefined. Nothing is written. */
  objection(entry: JournalEntry): JournalRefusal | undefined {
    return this.write(({ blocks, reader, grants }): JournalRefusal | undefined => {
      const objection = this.entryObjection(entry);
      if (objection) return objection;
      const encoded = this.encode(reader, entry);
      if ('code' in encoded) return encoded;
      const { grantLength, grantKey, end } = encoded;
      const address = grantKey === undefined ? 0 : grants.find(grantKey);
      const reserve = entry.kind === 'end' ? RESERVE : RESERVE + RESERVE_OF_ENDS;
      const most = this.#whenBehind === 'refuse' ? 0 : this.canBeGivenUp(blocks);
      const left = this.#voidAt !== 0 && blocks.newerThan(blocks.blockOf(this.#voidAt)) === 0 ? 0 : blocks.left;
      for (let count = 0; count <= most; count++) {
        // A grant in a block that is given up is written again.
        const isThere = grantKey === undefined || (address !== 0 && blocks.olderThan(blocks.blockOf(address)) >= count);
        const sizes = isThere ? [end - grantLength] : [grantLength, end - grantLength];
        const begun = newBlocks(sizes, Math.max(left - count * GIVING_UP, 0), blocks.room);
        if (blocks.spare + count - begun < reserve) continue;
        return begun > 0 && this.#whenBehind === 'refuse' && !blocks.isPrepared ? BEHIND : undefined;
      }
      return this.#whenBehind === 'refuse' && this.canGiveUp(blocks) ? BEHIND : this.full();
    });
  }

  /**
   * Writes an entry, whole: durable when this returns. It counts when the ledger has recorded the same receipt id.
   *
   * @returns the number of its first record; STORE_FULL where there is no room, STORE_FAILED for everything else
   */
  append(entry: JournalEntry): { readonly number: number } | JournalRefusal {
    return this.write((opened): { readonly number: number } | JournalRefusal => {
      const objection = this.entryObjection(entry);
      if (objection) return objection;
      const { blocks, reader, grants } = opened;
      const encoded = this.encode(reader, entry);
      if ('code' in encoded) return encoded;
      // Whoever loses a block must not lose both what made an entry void and the one that has its receipt id now.
      if (this.#voidAt !== 0 && blocks.newerThan(blocks.blockOf(this.#voidAt)) === 0) blocks.leave();
      const { grantLength, grantKey, end } = encoded;
      const reserve = entry.kind === 'end' ? RESERVE : RESERVE + RESERVE_OF_ENDS;
      const room = this.roomFor(opened, grantKey, grantLength, end - grantLength, reserve);
      if (typeof room !== 'number') return room;
      const { buffer } = reader;
      let grantAddress = room;
      if (grantKey !== undefined && grantAddress === 0) {
        grantAddress = this.writeParts(blocks, JOURNAL_KIND.grant, buffer.subarray(0, grantLength));
        grants.add(grantKey, grantAddress);
      }
      const bytes = buffer.subarray(grantLength, end);
      setGrantAddress(bytes, grantAddress);
      const kind = entry.kind === 'payment' ? JOURNAL_KIND.payment : JOURNAL_KIND.end;
      const number = blocks.nextNumber;
      const address = this.writeParts(blocks, kind, bytes);
      this.#state.previous.set(previousOf(bytes));
      this.#state.count(blocks, entry.receiptId, address, grantAddress);
      this.#state.hash.set(receiptHash(this.#crypto, kind, bytes));
      this.warn();
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
  private get newestOut(): number {
    const { newest } = this.#state;
    return this.#withheld ? newest - 1 : newest;
  }

  /**
   * Visits entries that are not acknowledged, in the order of their receipts.
   *
   * @param after only those with a higher receipt id
   * @param most how many
   * @returns how many there were, or why none can be told
   */
  unsent(after: number, most: number, visit: VisitReceipt): number | JournalRefusal {
    return this.read(({ reader }): number | JournalRefusal => {
      if (!this.#reconciled) return NOT_RECONCILED;
      const { acknowledged, first } = this.#state;
      let count = 0;
      let from = Math.max(after, acknowledged);
      if (this.#resume !== undefined && this.#resume.receiptId > from) this.#resume = undefined;
      let before = this.#resume?.receiptId ?? Math.max(from, first - 1);
      while (count < most) {
        const found = reader.after(this.#resume?.last);
        if (found === undefined) {
          this.#missing.noteMissing(before + 1, this.newestOut);
          break;
        }
        if (found.receiptId > this.newestOut) break;
        this.#missing.noteMissing(before + 1, found.receiptId - 1);
        before = Math.max(before, found.receiptId);
        this.#resume = found;
        if (found.receiptId <= from) continue;
        from = found.receiptId;
        visit(reader.receiptOf(found));
        count++;
      }
      return count;
    });
  }

  /**
   * Takes the backend's word that it has everything up to a receipt. Said again, or of less than before, it changes nothing.
   * It need not be durable: what is sent twice is known by its receipt id.
   *
   * @returns ARTIFACT_INVALID for a receipt that there is none of
   */
  acknowledge(receiptId: number): AcknowledgeRefusal | undefined {
    return this.write(({ blocks }): AcknowledgeRefusal | undefined => {
      if (!this.#reconciled) return NOT_RECONCILED;
      if (!(receiptId <= this.newestOut))
        return { code: 'ARTIFACT_INVALID', detail: `there is no receipt ${receiptId} to acknowledge` };
      if (receiptId <= this.#state.acknowledged) return undefined;
      this.#state.acknowledged = receiptId;
      this.noteAcknowledged(blocks);
      this.warn();
      return undefined;
    });
  }

  /**
   * Visits all that is still on flash, acknowledged or not, and follows the chain of receipts.
   *
   * @returns what is wrong, in words: gaps, hashes that differ, unacknowledged entries that cannot be read
   */
  export(visit: VisitReceipt): readonly string[] | JournalRefusal {
    return this.read(({ reader }) => {
      const { acknowledged, newest } = this.#state;
      const wrong: string[] = [];
      const chain = new ReceiptChain();
      let last: LogRecord | undefined;
      let before = 0;
      for (;;) {
        const found = reader.after(last);
        if (found === undefined) {
          if (before < newest && acknowledged < newest)
            wrong.push(`receipts ${Math.max(before, acknowledged) + 1} to ${newest} are missing`);
          return wrong;
        }
        last = found.last;
        before = found.receiptId;
        const receipt = reader.receiptOf(found);
        const gap = chain.next(receipt);
        if (gap !== undefined) wrong.push(gap);
        // The grant of an acknowledged payment may be gone before the payment is.
        if (receipt.problem !== undefined && receipt.receiptId > acknowledged)
          wrong.push(`receipt ${receipt.receiptId}: ${receipt.problem}`);
        visit(gap === undefined ? receipt : { ...receipt, gap });
      }
    });
  }

  /**
   * Does a bounded piece of the work that keeps entries free of erases: makes the next block ready, or gives up the oldest
   * where all it is needed for is acknowledged. For idle time, until it says there is nothing to do.
   *
   * @returns whether there is more to do
   */
  step(): boolean {
    return this.write(({ blocks }) => this.#reconciled && this.advance(blocks)) === true;
  }

  private openLog(): void {
    const blocks = new BlockLog(this.#flash, JOURNAL_LAYOUT);
    if (blocks.blocks < LEAST_BLOCKS)
      throw new LogError(`a partition of ${this.#flash.size} bytes is too small: ${LEAST_BLOCKS} blocks are needed`);
    const state = new JournalState(blocks.blocks);
    const log = this.#log;
    const missing = new MissingReceipts(state, log);
    const reader = new JournalReader(blocks, this.#crypto, state);
    const grants = new NearGrants(blocks, this.#flash.size);
    const start = new JournalStart({ blocks, state, grants, missing, reader, log });
    this.#state = state;
    this.#missing = missing;
    this.#opened = { blocks, reader, grants, start };
    if (this.#autoFormat === 'blank' && blocks.formatBlank(this.#salt)) return;
    start.read();
  }

  private entryObjection(entry: JournalEntry): JournalRefusal | undefined {
    if (!this.#reconciled) return NOT_RECONCILED;
    const { receiptId, amount, timeMs } = entry;
    if (!Number.isInteger(receiptId) || receiptId <= this.#state.newest || receiptId > LATEST_RECEIPT)
      return storeFailed(`receipt ${receiptId} does not come after ${this.#state.newest}`);
    if (amount < 0n || amount >> AMOUNT_BITS !== 0n) return storeFailed('an amount of more than 128 bits');
    if (!(timeMs >= 0 && timeMs <= LATEST_ENTRY_MS)) return storeFailed('a time that has no 48 bits');
    return undefined;
  }

  /** Writes an entry into the reader's buffer, behind its grant. */
  private encode(
    reader: JournalReader,
    entry: JournalEntry,
  ): { readonly grantLength: number; readonly grantKey: LedgerKey | undefined; readonly end: number } | JournalRefusal {
    const grant = entry.kind === 'payment' ? (entry.grant ?? undefined) : undefined;
    const { hash } = this.#state;
    for (;;) {
      const target = reader.buffer;
      const texts: Texts = [];
      const grantLength = grant === undefined ? 0 : encodeGrant(this.#crypto, grant, target, texts);
      const key = grant === undefined ? undefined : grantKeyOf(target);
      const end =
        typeof grantLength === 'number' ? encodeEntry(entry, hash, key, target, grantLength, texts) : grantLength;
      if (typeof end === 'number' && typeof grantLength === 'number')
        return { grantLength, grantKey: key && keyText(key), end };
      const problem = end as JsonProblem;
      if (problem.code !== 'LIMIT_EXCEEDED' || !reader.growBuffer())
        return storeFailed(`the entry cannot be kept: ${problem.message}`);
    }
  }

  /** Writes bytes as one entry. @returns the address of its first record */
  private writeParts(blocks: BlockLog, kind: number, bytes: Uint8Array): number {
    let first = 0;
    for (let at = 0; at < bytes.length; ) {
      const units = unitsOfPart(bytes.length - at, blocks.left, blocks.room);
      if (!blocks.fits(units) && !blocks.isPrepared && !blocks.prepare())
        throw new LogError('there is no block for the rest of an entry');
      const record = this.record.subarray(0, units * UNIT).fill(0);
      const stop = Math.min(at + units * UNIT - RECORD_HEADER, bytes.length);
      record.set(bytes.subarray(at, stop), RECORD_HEADER);
      const flags = (at === 0 ? FIRST_PART : 0) | (stop === bytes.length ? LAST_PART : 0);
      const address = blocks.append(kind, flags, record);
      if (at === 0) first = address;
      at = stop;
    }
    return first;
  }

  private appendNumber(blocks: BlockLog, kind: number, flags: number, number: number): number {
    const record = this.record.subarray(0, UNIT);
    writeU32(record, RECORD_HEADER, number);
    return blocks.append(kind, flags, record);
  }

  /**
   * Sees to it that a grant and an entry of these sizes can be written.
   *
   * @returns the address of the grant where it need not be written, 0 where it must
   */
  private roomFor(
    { blocks, grants }: Opened,
    grantKey: LedgerKey | undefined,
    grantLength: number,
    length: number,
    reserve: number,
  ): number | JournalRefusal {
    for (;;) {
      const address = grantKey === undefined ? 0 : grants.find(grantKey);
      const sizes = grantKey !== undefined && address === 0 ? [grantLength, length] : [length];
      const refusal = this.makeRoom(blocks, sizes, reserve);
      if (refusal) return refusal;
      // The block that was given up may have been the grant's.
      if (address === 0 || blocks.newerThan(blocks.blockOf(address)) >= 0) return address;
    }
  }

  /** Sees to it that entries of these sizes can be written. */
  private makeRoom(blocks: BlockLog, sizes: readonly number[], reserve: number): JournalRefusal | undefined {
    for (let turns = blocks.blocks; !hasSpareFor(blocks, sizes, reserve); turns--) {
      if (!this.canGiveUp(blocks) || turns <= 0) return this.full();
      if (this.#whenBehind === 'refuse') return BEHIND;
      this.#log?.emit({ event: 'journal.behind' });
      if (!this.giveUp(blocks)) return this.full();
    }
    if (newBlocks(sizes, blocks.left, blocks.room) === 0 || blocks.isPrepared) return undefined;
    if (this.#whenBehind === 'refuse') return BEHIND;
    this.#log?.emit({ event: 'journal.behind' });
    return blocks.prepare() ? undefined : this.full();
  }

  private advance(blocks: BlockLog): boolean {
    if (!blocks.isPrepared && blocks.spare > 0) {
      blocks.prepare();
      return true;
    }
    return blocks.spare < RESERVE + RESERVE_OF_ENDS + AHEAD && this.canGiveUp(blocks) && this.giveUp(blocks);
  }

  /** True where all that the oldest block is needed for is acknowledged, and there is another. */
  private canGiveUp(blocks: BlockLog): boolean {
    if (blocks.used < 2) return false;
    // What is lost behind the newest entry cannot be acknowledged before another one is there.
    const { newest, acknowledged } = this.#state;
    return Math.min(this.#state.neededUntil(blocks.oldest), newest) <= acknowledged;
  }

  /** How many blocks could be given up, one after the other. */
  private canBeGivenUp(blocks: BlockLog): number {
    const { newest, acknowledged } = this.#state;
    const isNeeded = (block: number) => Math.min(this.#state.neededUntil(block), newest) > acknowledged;
    return Math.min(blocks.used - blocks.neededBlocks(isNeeded), blocks.used - 1);
  }

  /** Gives up the oldest block. False where there is no block to say so in. */
  private giveUp(blocks: BlockLog): boolean {
    const block = blocks.oldest;
    if (!blocks.hasRoom(1) && !blocks.prepare()) return false;
    // A copy: should the power go before the block is given up, this is nothing and takes no block.
    const { acknowledged, acknowledgedOnFlash, acknowledgedAt, hash } = this.#state;
    const isInIt = acknowledgedAt !== 0 && blocks.blockOf(acknowledgedAt) === block;
    if (acknowledgedOnFlash < acknowledged || isInIt) this.writeAcknowledged(blocks, COPY);
    blocks.giveUpTail(hash);
    if (this.#resume && blocks.blockOf(this.#resume.last.address) === block) this.#resume = undefined;
    return true;
  }

  /** Makes an acknowledgement durable where that takes no block that may be needed. */
  private noteAcknowledged(blocks: BlockLog): void {
    if (blocks.spare <= RESERVE + RESERVE_OF_ENDS && !blocks.fits(1)) return;
    if (!blocks.hasRoom(1) && !blocks.prepare()) return;
    this.writeAcknowledged(blocks, 0);
  }

  private writeAcknowledged(blocks: BlockLog, flags: number): void {
    const state = this.#state;
    state.acknowledgedAt = this.appendNumber(blocks, JOURNAL_KIND.acknowledged, flags, state.acknowledged);
    state.acknowledgedOnFlash = state.acknowledged;
  }

  private full(): JournalRefusal {
    return { code: 'STORE_FULL', detail: `${this.fill.unsent} entries wait to be sent, which fills the journal` };
  }

  private warn(): void {
    const fill = this.fill;
    const level = fill.unsent > 0 ? warningsDue(fill.used, fill.of) : 0;
    if (level > this.#warned) this.#log?.emit({ event: 'journal.filling', ...fill });
    this.#warned = level;
  }

  /** Runs what reads. A flash that fails is told, and asked again the next time. */
  private read<T>(work: (opened: Opened) => T): T | JournalRefusal {
    const opened = this.#opened;
    if (opened === undefined) return this.notOpened();
    const result = this.#guard.read(() => work(opened));
    this.rest();
    return result;
  }

  /** Runs what writes. */
  private write<T>(work: (opened: Opened) => T): T | JournalRefusal {
    const opened = this.#opened;
    if (opened === undefined) return this.notOpened();
    const result = this.#guard.write(() => work(opened));
    this.rest();
    return result;
  }

  /** Gives back the memory that reading and writing take: a payment that is being checked needs it. */
  private rest(): void {
    this.#lentRecord = undefined;
    this.#opened?.blocks.rest();
    this.#opened?.reader.rest();
  }

  private get record(): Uint8Array {
    this.#lentRecord ??= new Uint8Array(LONGEST_PART * UNIT);
    return this.#lentRecord;
  }

  private notOpened(): JournalRefusal {
    return this.#guard.problem ?? storeFailed('the journal was not opened');
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

/** True where there are blocks enough for entries of these sizes, apart from those that are kept free. */
function hasSpareFor(blocks: BlockLog, sizes: readonly number[], reserve: number): boolean {
  return blocks.spare - newBlocks(sizes, blocks.left, blocks.room) >= reserve;
}
