// The spend ledger on flash: a log in which each record holds the whole present state of what a payment changed, so that
// the newest record of a grant, a budget or an id is all there is to know about it. In memory there is only where those
// records are. A record is durable and read back before anything is approved on it.

import { UNIT } from '../encoding/flash-header.ts';
import { readU32, writeU32 } from '../encoding/little-endian.ts';
import type { Crypto, Flash, Log } from '../ports/ports.ts';
import { type NewestBundle, newestOf } from '../trust/admission.ts';
import { BlockLog, COPY, type LogDamage, LogError, type LogRecord } from './block-log.ts';
import { warningsDue } from './fill.ts';
import { KeyIndex } from './key-index.ts';
import { bundleKey } from './keys.ts';
import {
  type Answered,
  type BeforeRecord,
  type LedgerKey,
  type LedgerRefusal,
  notOpen,
  type OpenReservation,
  type Receipt,
  type Spend,
  type SpendLedger,
  settleObjection,
} from './ledger.ts';
import {
  answerOf,
  bundleOf,
  CLOSED,
  checkRecord,
  countersOf,
  FOREVER_MS,
  flagsOf,
  grantUntil,
  hasKey,
  KEYED,
  KIND,
  keepUntil,
  LONGEST_RECORD,
  type OpenPart,
  openOf,
  PART,
  type Parts,
  partKey,
  partTotal,
  RecordWriter,
  SPEND_LAYOUT,
  type Until,
  unitsAlone,
  windowOf,
  writeTime,
} from './spend-record.ts';
import { type StoreFailure, StoreGuard, storeFailed } from './store-guard.ts';
import type { StoreOptions } from './store-options.ts';
import { countedSince, NO_PAYMENTS, withPayment } from './window.ts';

/** How full the ledger is, in units of 16 bytes: what its entries need at most, and what there is for them. */
export interface LedgerFill {
  readonly used: number;
  readonly of: number;
  /** Grants, budgets, ids and answers alive. */
  readonly keys: number;
}

/**
 * Blocks that entries never fill: the one being written, the one that follows it, and the one that is cleaned
 * into. In the others the end stays empty where the next record does not fit.
 */
const KEPT_BLOCKS = 3;
/** Units of the smallest entry: a replay id in a record of its own. */
const LEAST_ENTRY = 2;
/** Records that one step writes again at most. */
const RECORDS_PER_STEP = 8;
/** Totals are below this: 128 bits. */
const TOTAL_LIMIT_BITS = 128n;

/** See the head of the file. */
export class FlashLedger implements SpendLedger {
  readonly #flash: Flash;
  readonly #crypto: Crypto;
  readonly #log: Log | undefined;
  readonly #whenBehind: 'step' | 'refuse';
  readonly #autoFormat: 'blank' | 'never';
  readonly #salt: number;
  readonly #guard: StoreGuard;
  /** What is written, and a record apart from the log's own memory. There while something is written, or a start reads. */
  #lentWriter: RecordWriter | undefined;
  #lentRecord: Uint8Array | undefined;
  /** The record that was looked up last. */
  #found: Uint8Array | undefined;
  /** Open reservations by receipt id: where they are. */
  readonly #open = new Map<number, number>();
  #blocks: BlockLog | undefined;
  #index = new KeyIndex(0, 0);
  #nextReceipt = 1;
  #floorMs = 0;
  /** Units that all entries would take in records of their own. */
  #units = 0;
  /** True while the newest record has none behind it: should it be damaged later, it would look like one never finished. */
  #unsealed = false;
  /** What is missing from the log, and the first record of which all that follow are there; 0 where nothing is missing. */
  #damage: readonly LogDamage[] = [];
  #soundFrom = 0;
  /** The newest record with counters. */
  #counted = 0;
  /** Steps since the last payment. */
  #steps = 0;
  /** Where cleaning of the oldest block goes on. */
  #cleanAt = 0;
  /** Blocks that are cleaned for what has expired in them, though there are spare ones; and the time floor this was begun at. */
  #sweeps = 0;
  #sweptMs = 0;
  /** Nothing that may go is over before this: the earliest time of what was written, or kept, since that was begun. */
  #earliestMs = FOREVER_MS;
  #warned = 0;

  /**
   * Opens the ledger on a partition. What is wrong stands in `problem`, and while it does nothing is recorded.
   */
  constructor(flash: Flash, crypto: Crypto, options: StoreOptions = {}) {
    this.#flash = flash;
    this.#crypto = crypto;
    this.#log = options.log;
    this.#whenBehind = options.whenBehind ?? 'step';
    this.#autoFormat = options.autoFormat ?? 'blank';
    this.#salt = options.salt ?? 0;
    this.#guard = new StoreGuard('ledger.problem', options.log);
    this.writing(() => this.start());
    if (this.#guard.problem === undefined)
      this.#log?.emit({ event: 'ledger.open', keys: this.#index.size, reservations: this.#open.size });
    for (const { detail } of this.#damage) this.#log?.emit({ event: 'ledger.damaged', detail });
  }

  /** Makes a partition an empty ledger, whatever was on it. @param salt see `StoreOptions` */
  static format(flash: Flash, salt = 0): void {
    new BlockLog(flash, SPEND_LAYOUT).format(salt);
  }

  get problem(): LedgerRefusal | undefined {
    return this.#guard.problem ?? (this.#units + LEAST_ENTRY > this.capacity ? this.full() : undefined);
  }

  /**
   * What is missing from the log, in words. While anything is, a payment is refused where what is missing could be about it:
   * unless its grant and its budget have been paid from since, and it brings no other id. Nothing is compacted then.
   */
  get damage(): readonly string[] {
    return this.#damage.map(({ detail }) => detail);
  }

  /** How full it is. */
  get fill(): LedgerFill {
    return { used: this.#units, of: this.capacity, keys: this.#index.size };
  }

  /** Erases per block. */
  get wear(): readonly number[] {
    return this.#blocks?.wear ?? [];
  }

  /** Bytes that its tables and buffers take, in memory. */
  get memoryBytes(): number {
    // A record that is read, and while something is written two more.
    return this.#index.bytes + 3 * LONGEST_RECORD * UNIT + (this.#blocks?.memoryBytes ?? 0);
  }

  grantTotal(grant: LedgerKey): bigint {
    return this.#guard.ask(0n, () => this.totalOf(grant, PART.grant));
  }

  budgetTotal(budget: LedgerKey): bigint {
    return this.#guard.ask(0n, () => this.totalOf(budget, PART.budget));
  }

  budgetUsed(budget: LedgerKey): boolean {
    return this.#guard.ask(true, () => this.find(budget, PART.budget) !== undefined);
  }

  seen(replay: LedgerKey): boolean {
    return this.#guard.ask(true, () => {
      if (this.addressOf(replay, PART.replay) !== 0) return true;
      const budget = this.find(replay, PART.budget);
      return budget !== undefined && (flagsOf(budget) & CLOSED) !== 0;
    });
  }

  paymentsSince(grant: LedgerKey, sinceMs: number): number {
    return this.#guard.ask(Number.MAX_SAFE_INTEGER, () => {
      const record = this.find(grant, PART.grant);
      return record === undefined ? 0 : countedSince(windowOf(record), sinceMs);
    });
  }

  answered(idempotency: LedgerKey): Answered | undefined {
    return this.#guard.ask(undefined, () => {
      const record = this.find(idempotency, PART.answer);
      return record && this.isSound(record) ? answerOf(record) : undefined;
    });
  }

  openReservations(): readonly OpenReservation[] {
    return this.#guard.ask([], () =>
      [...this.#open.values()].map((address) => {
        const { receiptId, grant, budget, amount, timeMs } = openOf(this.flashLog.read(address));
        return { receiptId, grant, budget, amount, timeMs };
      }),
    );
  }

  timeFloorMs(): number {
    return this.#floorMs;
  }

  newestBundle(identity: string): NewestBundle | undefined {
    return this.#guard.ask(undefined, () => {
      const record = this.find(bundleKey(this.#crypto, identity), PART.bundle);
      return record && bundleOf(record);
    });
  }

  lastReceipt(): number | undefined {
    return this.#guard.problem ? undefined : this.#nextReceipt - 1;
  }

  objection(spend: Spend): LedgerRefusal | undefined {
    return this.writing(() => {
      const doubt = this.doubt(spend);
      if (doubt) return doubt;
      const { parts, until, isTooMuch } = this.spendParts(KIND.spend, spend);
      if (isTooMuch) return TOO_MUCH;
      const bytes = this.writer.write(parts, until);
      if (this.#units + this.moreUnits(bytes) > this.capacity) return this.full();
      return this.roomObjection(bytes.length / UNIT, false);
    });
  }

  authorize(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.begin(KIND.spend, spend, before);
  }

  reserve(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.begin(KIND.reserve, spend, before);
  }

  settle(receiptId: number, amount: bigint, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.end(KIND.settle, receiptId, amount, timeMs, before);
  }

  release(receiptId: number, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.end(KIND.release, receiptId, undefined, timeMs, before);
  }

  admitted(identity: string, bundle: NewestBundle, isStored = false): LedgerRefusal | undefined {
    return this.writing(() => {
      const parts = this.newsOf(identity, bundle, isStored);
      return parts === undefined || 'code' in parts ? parts : this.write(KIND.bundle, parts, FOREVER, true);
    });
  }

  bundleRecords(identity: string, bundle: NewestBundle, promised: number): number | LedgerRefusal {
    return this.writing((): number | LedgerRefusal => {
      const parts = this.newsOf(identity, bundle, false);
      if (parts === undefined) return promised;
      if ('code' in parts) return parts;
      // The records of bundles are all of one length.
      const units = this.writer.write(parts, FOREVER).length / UNIT;
      return this.roomObjection(units, true, promised + 1) ?? promised + 1;
    });
  }

  /** What is to be recorded of an admitted bundle: nothing where all of it is known, a refusal where that cannot be told. */
  private newsOf(identity: string, bundle: NewestBundle, isStored: boolean): Parts | LedgerRefusal | undefined {
    const key = bundleKey(this.#crypto, identity);
    const record = this.find(key, PART.bundle);
    const before = record && bundleOf(record);
    const newest = newestOf(before, bundle);
    const floorMs = Math.max(this.#floorMs, bundle.issuedAtMs ?? 0);
    const isKnown = before !== undefined && isSame(before, newest) && floorMs === this.#floorMs;
    const isSound = this.isSound(record);
    if (isKnown && (isSound || isStored)) return undefined;
    if (!isSound) return this.doubted('whether a newer bundle was admitted');
    return { counters: this.counters(0, floorMs, 0), bundle: { key, bundle: newest } };
  }

  raiseTimeFloor(timeMs: number): LedgerRefusal | undefined {
    if (timeMs <= this.#floorMs) return undefined;
    return this.writing(() => this.write(KIND.floor, { counters: this.counters(0, timeMs, 0) }, FOREVER, true));
  }

  /**
   * Does a bounded piece of the work that keeps payments free of erases: makes the next block ready, or writes again what
   * still counts in the oldest one; and seals the newest record. For idle time, until it says there is nothing to do.
   *
   * @returns whether there is more to do
   */
  step(): boolean {
    // A turn around the log finds all there is to free; with blocks that cannot be erased it might go on for ever.
    if (this.#blocks === undefined || this.#steps >= this.#blocks.blocks * this.#blocks.room) return false;
    return (
      this.writing(() => {
        this.#steps++;
        return this.advance();
      }) === true
    );
  }

  private get capacity(): number {
    return this.#blocks === undefined ? 0 : (this.#blocks.blocks - KEPT_BLOCKS) * (this.#blocks.room - LONGEST_RECORD);
  }

  /** Runs what writes, and gives back the memory that it took for that. */
  private writing<T>(work: () => T): T | StoreFailure {
    const result = this.#guard.write(work);
    this.#lentWriter = undefined;
    this.#lentRecord = undefined;
    return result;
  }

  private get writer(): RecordWriter {
    this.#lentWriter ??= new RecordWriter();
    return this.#lentWriter;
  }

  private get record(): Uint8Array {
    this.#lentRecord ??= new Uint8Array(LONGEST_RECORD * UNIT);
    return this.#lentRecord;
  }

  /** The log, once it was opened. */
  private get flashLog(): BlockLog {
    if (this.#blocks === undefined) throw new LogError('the ledger was not opened');
    return this.#blocks;
  }

  private start(): void {
    const blocks = new BlockLog(this.#flash, SPEND_LAYOUT);
    this.#blocks = blocks;
    if (this.capacity < LONGEST_RECORD) throw new LogError(`a partition of ${this.#flash.size} bytes is too small`);
    this.#index = new KeyIndex(Math.ceil(this.capacity / LEAST_ENTRY), (this.#flash.size / UNIT) | 0);
    if (this.#autoFormat === 'blank' && blocks.formatBlank(this.#salt)) return;
    const damage = blocks.open((record, bytes) => this.takeIn(record, bytes));
    // What open reservations hold would be a reason to clean all of it at each start.
    if (this.#open.size > 0) this.#sweptMs = this.#floorMs;
    const [first] = damage;
    if (first === undefined) return;
    this.#damage = damage;
    this.#soundFrom = damage.reduce((most, one) => Math.max(most, one.next), 1);
    // Without counters behind it not even the next receipt id is known.
    if (this.#counted < this.#soundFrom) throw new LogError(`the ledger is damaged: ${first.detail}`);
  }

  /** True where a record is the newest of its keys for certain: nothing is missing behind it, and it is no copy of an older one. */
  private isSound(record: Uint8Array | undefined): boolean {
    if (this.#soundFrom === 0) return true;
    return record !== undefined && readU32(record, 4) >= this.#soundFrom && (flagsOf(record) & COPY) === 0;
  }

  private doubted(what: string): LedgerRefusal {
    return storeFailed(`${what} is not known: ${this.damage.join('; ')}`);
  }

  /** Why a payment is refused while something is missing from the log, or undefined. */
  private doubt(spend: Spend): LedgerRefusal | undefined {
    if (this.#soundFrom === 0) return undefined;
    if (!this.isSound(this.find(spend.grant, PART.grant))) return this.doubted('what was spent under this grant');
    if (!this.isSound(this.find(spend.budget, PART.budget))) return this.doubted('what was spent of this budget');
    if (spend.replay !== undefined && spend.replay !== spend.budget)
      return this.doubted('whether this decision was paid for');
    return spend.idempotency === undefined ? undefined : this.doubted('whether this request was answered');
  }

  /** Takes in a record at a start. */
  private takeIn(record: LogRecord, bytes: Uint8Array): void {
    checkRecord(record, bytes);
    // The log's memory is needed for looking up.
    const copy = this.record.subarray(0, bytes.length);
    copy.set(bytes);
    const given = record.kind < KIND.spend ? countersOf(copy, UNIT) : countersOf(copy);
    if (given) {
      this.count(given.nextReceipt, given.floorMs);
      this.#counted = record.number;
    }
    if (record.kind < KIND.spend) return;
    if (given && given.closes > 0) this.close(given.closes);
    this.point(copy, record.address);
  }

  /** Points the index at a record for every part it has. */
  private point(record: Uint8Array, address: number): void {
    const flags = flagsOf(record);
    // The grant's time is no earlier. A seal has none.
    if (record.length > UNIT) this.#earliestMs = Math.min(this.#earliestMs, keepUntil(record));
    for (let i = 0; i < KEYED.length; i++) {
      const part = KEYED[i] as number;
      if ((flags & part) === 0) continue;
      const key = partKey(record, part);
      const before = this.addressOf(key, part);
      if (before === 0) this.#index.add(key, i, address);
      else {
        this.#units -= unitsAlone(this.#found as Uint8Array, part);
        this.#index.move(key, i, before, address);
      }
      this.#units += unitsAlone(record, part);
    }
    if ((flags & PART.open) === 0) return;
    const { receiptId } = openOf(record);
    if (!this.#open.has(receiptId)) this.#units += unitsAlone(record, PART.open);
    this.#open.set(receiptId, address);
  }

  private close(receiptId: number): void {
    if (this.#open.delete(receiptId)) this.#units -= OPEN_UNITS;
  }

  private count(nextReceipt: number, floorMs: number): void {
    this.#nextReceipt = Math.max(this.#nextReceipt, nextReceipt);
    this.#floorMs = Math.max(this.#floorMs, floorMs);
  }

  /** @param receipts how many the record gives */
  private counters(closes: number, floorMs = this.#floorMs, receipts = 1): NonNullable<Parts['counters']> {
    return { nextReceipt: this.#nextReceipt + receipts, closes, floorMs };
  }

  private begin(kind: number, spend: Spend, before: BeforeRecord | undefined): Receipt | LedgerRefusal {
    return this.writing((): Receipt | LedgerRefusal => {
      const doubt = this.doubt(spend);
      if (doubt) return doubt;
      const { parts, until, receipt, isTooMuch } = this.spendParts(kind, spend);
      if (isTooMuch) return TOO_MUCH;
      return this.write(kind, parts, until, false, before) ?? receipt;
    });
  }

  /** What a payment's record holds. */
  private spendParts(
    kind: number,
    spend: Spend,
  ): { readonly parts: Parts; readonly until: Until; readonly receipt: Receipt; readonly isTooMuch: boolean } {
    const receipt = { receiptId: this.#nextReceipt, amount: spend.amount, timeMs: spend.timeMs };
    let restMs = spend.keepUntilMs;
    let grantMs = spend.grantUntilMs ?? restMs;
    const grant = this.find(spend.grant, PART.grant);
    const grantTotal = (grant === undefined ? 0n : partTotal(grant, PART.grant)) + spend.amount;
    const window = withPayment(grant === undefined ? NO_PAYMENTS : windowOf(grant), spend.timeMs, spend.window);
    if (grant !== undefined) grantMs = Math.max(grantMs, grantUntil(grant));
    const budget = this.find(spend.budget, PART.budget);
    const budgetTotal = (budget === undefined ? 0n : partTotal(budget, PART.budget)) + spend.amount;
    const wasClosed = budget !== undefined && (flagsOf(budget) & CLOSED) !== 0;
    if (budget !== undefined) restMs = Math.max(restMs, keepUntil(budget));
    const open = kind === KIND.reserve;
    const parts: Parts = {
      counters: this.counters(0),
      grant: { key: spend.grant, total: grantTotal, window },
      budget: { key: spend.budget, total: budgetTotal, closed: wasClosed || spend.replay === spend.budget },
      ...(spend.replay === undefined || spend.replay === spend.budget ? {} : { replay: spend.replay }),
      ...(spend.idempotency === undefined
        ? {}
        : {
            answer: {
              key: spend.idempotency,
              answered: { ...receipt, content: spend.content, state: open ? 'reserved' : 'paid' },
            },
          }),
      ...(open
        ? {
            open: {
              ...receipt,
              grant: spend.grant,
              budget: spend.budget,
              idempotency: spend.idempotency,
            },
          }
        : {}),
    };
    const isTooMuch = grantTotal >> TOTAL_LIMIT_BITS !== 0n || budgetTotal >> TOTAL_LIMIT_BITS !== 0n;
    return { parts, until: { grantMs: Math.max(grantMs, restMs), restMs }, receipt, isTooMuch };
  }

  private end(
    kind: number,
    receiptId: number,
    amount: bigint | undefined,
    timeMs: number,
    before: BeforeRecord | undefined,
  ): Receipt | LedgerRefusal {
    return this.writing((): Receipt | LedgerRefusal => {
      const address = this.#open.get(receiptId);
      if (address === undefined) return notOpen(receiptId);
      const record = this.flashLog.read(address);
      if (!this.isSound(record)) return this.doubted(`whether reservation ${receiptId} was ended`);
      const open = openOf(record);
      let restMs = keepUntil(record);
      const objection = amount === undefined ? undefined : settleObjection(amount, open.amount);
      if (objection) return objection;
      const unused = open.amount - (amount ?? 0n);
      const grant = this.find(open.grant, PART.grant);
      if (grant === undefined) return this.uncounted(receiptId, 'and its grant has no entry');
      const grantPart = { key: open.grant, total: partTotal(grant, PART.grant) - unused, window: windowOf(grant) };
      const grantMs = grantUntil(grant);
      const isKnown = this.isSound(grant);
      const budget = this.find(open.budget, PART.budget);
      if (budget === undefined) return this.uncounted(receiptId, 'and its budget has no entry');
      const closed = (flagsOf(budget) & CLOSED) !== 0;
      const budgetPart = { key: open.budget, total: partTotal(budget, PART.budget) - unused, closed };
      restMs = Math.max(restMs, keepUntil(budget));
      if (!isKnown || !this.isSound(budget)) return this.doubted(besideOf(receiptId));
      const spent = amount ?? 0n;
      if (grantPart.total < spent || budgetPart.total < spent)
        return this.uncounted(receiptId, 'with more than its grant and its budget count');
      const given = open.idempotency === undefined ? undefined : this.find(open.idempotency, PART.answer);
      const answer =
        given === undefined || open.idempotency === undefined
          ? {}
          : { answer: { key: open.idempotency, answered: { ...answerOf(given), state: 'ended' as const } } };
      const receipt = { receiptId: this.#nextReceipt, amount: amount ?? 0n, timeMs };
      const parts = { counters: this.counters(receiptId), grant: grantPart, budget: budgetPart, ...answer };
      const until = { grantMs: Math.max(grantMs, restMs), restMs };
      return this.write(kind, parts, until, true, before) ?? receipt;
    });
  }

  /** Why a reservation cannot be ended whose grant and budget do not count it: no payment has left them so. */
  private uncounted(receiptId: number, how: string): LedgerRefusal {
    if (this.#soundFrom > 0) return this.doubted(besideOf(receiptId));
    return storeFailed(`reservation ${receiptId} is open ${how}`);
  }

  /**
   * Writes one record, and only then lets it count.
   *
   * @param free for what adds no entries, or must be written in any case
   */
  private write(
    kind: number,
    parts: Parts,
    until: Until,
    free: boolean,
    before?: BeforeRecord,
  ): LedgerRefusal | undefined {
    let bytes = this.writer.write(parts, until);
    if (!free) {
      const more = this.moreUnits(bytes);
      if (this.#units + more > this.capacity) return this.full();
    }
    if (!this.isReady(bytes.length / UNIT)) {
      if (!free && this.#whenBehind === 'refuse') return BEHIND;
      this.#log?.emit({ event: 'ledger.behind' });
      // Bounded: a turn around the log finds all there is to free.
      for (
        let steps = this.flashLog.blocks * this.flashLog.room;
        steps > 0 && !this.isReady(bytes.length / UNIT);
        steps--
      ) {
        if (!this.advance()) break;
      }
      if (!this.isReady(bytes.length / UNIT)) return this.full();
      bytes = this.writer.write(parts, until);
    }
    const refusal = before?.(this.#nextReceipt);
    if (refusal) return refusal;
    const address = this.flashLog.append(kind, this.writer.flags, bytes);
    this.#unsealed = true;
    this.#steps = 0;
    // The log's memory is read into while pointing; the writer's is not.
    if (parts.counters) {
      this.count(parts.counters.nextReceipt, parts.counters.floorMs);
      if (parts.counters.closes > 0) this.close(parts.counters.closes);
    }
    this.point(bytes, address);
    this.warn();
    return undefined;
  }

  /** Units that a record's entries take beyond those that they replace. */
  private moreUnits(record: Uint8Array): number {
    const flags = this.writer.flags;
    let units = (flags & PART.open) !== 0 ? OPEN_UNITS : 0;
    record[2] = this.writer.flags & 0xff;
    record[3] = this.writer.flags >> 8;
    for (const part of KEYED) {
      if ((flags & part) === 0) continue;
      units += unitsAlone(record, part);
      const before = this.find(partKey(record, part), part);
      if (before !== undefined) units -= unitsAlone(before, part);
    }
    return units;
  }

  /** True where a record can be written without an erase, and a block stays over for cleaning. */
  private isReady(units: number): boolean {
    return this.flashLog.hasRoom(units) && this.leavesSpare(units);
  }

  /** True where a block stays over for cleaning behind so many records of so many units. */
  private leavesSpare(units: number, records = 1): boolean {
    const blocks = this.flashLog;
    const more = records - Math.min(Math.floor(blocks.left / units), records);
    return blocks.spare - Math.ceil(more / Math.floor(blocks.room / units)) >= 1;
  }

  /** Why there would be no room for records: cleaning makes room, but must not run where something is missing. */
  private roomObjection(units: number, free: boolean, records = 1): LedgerRefusal | undefined {
    if (!free && this.#whenBehind === 'refuse' && !this.isReady(units)) return BEHIND;
    return this.#soundFrom === 0 || this.leavesSpare(units, records) ? undefined : this.full();
  }

  private advance(): boolean {
    const blocks = this.flashLog;
    if (!blocks.isPrepared && blocks.spare > 0) {
      blocks.prepare();
      return true;
    }
    // What has expired counts until its block is cleaned, and while all of it refuses payments no block fills up.
    if (
      this.#sweptMs < this.#floorMs &&
      this.isOver(this.#earliestMs) &&
      this.#units + 2 * LONGEST_RECORD > this.capacity
    ) {
      this.#sweptMs = this.#floorMs;
      this.#earliestMs = FOREVER_MS;
      this.#sweeps = blocks.used;
    }
    // What is missing must go on being missed, and what is there must not pass for newer than it.
    if ((blocks.spare < 2 || this.#sweeps > 0) && blocks.used >= 2 && this.#soundFrom === 0) {
      this.clean();
      return true;
    }
    if (this.#unsealed && blocks.fits(1)) blocks.append(KIND.seal, 0, new Uint8Array(UNIT));
    this.#unsealed = false;
    return false;
  }

  /** Writes again what still counts among the next records of the oldest block, and gives it up at its end. */
  private clean(): void {
    const next = this.flashLog.visitTail(this.#cleanAt, RECORDS_PER_STEP, (record, bytes) => this.keep(record, bytes));
    if (next !== undefined) {
      this.#cleanAt = next;
      return;
    }
    const body = new Uint8Array(UNIT);
    writeU32(body, 0, this.#nextReceipt);
    writeTime(new DataView(body.buffer), 8, this.#floorMs);
    this.flashLog.giveUpTail(body);
    this.#cleanAt = 0;
    if (this.#sweeps > 0) this.#sweeps--;
  }

  private keep(record: LogRecord, read: Uint8Array): void {
    if (record.kind < KIND.spend) return;
    // The log's memory is needed for looking up.
    const bytes = this.record.subarray(0, read.length);
    bytes.set(read);
    const restMs = keepUntil(bytes);
    const grantMs = grantUntil(bytes);
    const flags = flagsOf(bytes);
    let mask = 0;
    for (const part of KEYED) {
      if ((flags & part) === 0) continue;
      const key = partKey(bytes, part);
      if (this.addressOf(key, part) !== record.address) continue;
      const untilMs = part === PART.grant ? grantMs : restMs;
      const isOver = this.isOver(untilMs);
      if (isOver && !this.isHeld(key)) {
        this.#units -= unitsAlone(bytes, part);
        this.#index.remove(key, KEYED.indexOf(part), record.address, (address, kind) =>
          partKey(this.flashLog.read(address), KEYED[kind] as number),
        );
      } else {
        mask |= part;
        // What is held is written anew when its reservation ends.
        if (!isOver) this.#earliestMs = Math.min(this.#earliestMs, untilMs);
      }
    }
    let open: OpenPart | undefined;
    if ((flags & PART.open) !== 0) {
      open = openOf(bytes);
      if (this.#open.get(open.receiptId) === record.address) mask |= PART.open;
      else open = undefined;
    }
    // What is kept for another time goes into a record of its own.
    const others = grantMs === restMs ? 0 : mask & ~PART.grant;
    for (const part of [mask & ~others, others]) if (part !== 0) this.copy(bytes, part, record.address, open);
  }

  /** Writes parts of a record again, and points at them. */
  private copy(bytes: Uint8Array, mask: number, from: number, open: OpenPart | undefined): void {
    const copy = this.writer.copy(bytes, mask);
    const address = this.flashLog.append(KIND.state, this.writer.flags, copy);
    for (const part of KEYED) {
      if ((mask & part) === 0) continue;
      this.#index.move(partKey(bytes, part), KEYED.indexOf(part), from, address);
    }
    if (open && (mask & PART.open) !== 0) this.#open.set(open.receiptId, address);
  }

  /** True for a time from which on an entry can no longer matter. */
  private isOver(untilMs: number): boolean {
    return untilMs < FOREVER_MS && untilMs < this.#floorMs;
  }

  /** True where an open reservation still needs an entry. */
  private isHeld(key: LedgerKey): boolean {
    for (const address of this.#open.values()) {
      const open = openOf(this.flashLog.read(address));
      if (open.grant === key || open.budget === key || open.idempotency === key) return true;
    }
    return false;
  }

  /** The newest record with a part of this key, in memory that the next look-up reuses. */
  private find(key: LedgerKey, part: number): Uint8Array | undefined {
    return this.addressOf(key, part) === 0 ? undefined : this.#found;
  }

  /** Where it is, or 0; it is in `#found` until the next look-up, in memory that reading reuses. */
  private addressOf(key: LedgerKey, part: number): number {
    const log = this.flashLog;
    return this.#index.find(key, KEYED.indexOf(part), (address) => {
      this.#found = log.read(address);
      return hasKey(this.#found, part, key);
    });
  }

  private full(): LedgerRefusal {
    const detail =
      this.#soundFrom === 0
        ? `${this.#index.size} grants, budgets and ids are alive, which fills the partition`
        : `the partition is full, and nothing is compacted in it: ${this.damage.join('; ')}`;
    return { code: 'STORE_FULL', detail };
  }

  private warn(): void {
    const level = warningsDue(this.#units, this.capacity);
    if (level > this.#warned)
      this.#log?.emit({ event: 'ledger.filling', used: this.#units, of: this.capacity, keys: this.#index.size });
    this.#warned = level;
  }

  private totalOf(key: LedgerKey, part: number): bigint {
    const record = this.find(key, part);
    return record === undefined ? 0n : partTotal(record, part);
  }
}

const TOO_MUCH: LedgerRefusal = Object.freeze({
  code: 'AMOUNT_EXCEEDED',
  detail: 'the total would have more than 128 bits',
});
const BEHIND: LedgerRefusal = Object.freeze({
  code: 'STORE_FULL',
  detail: 'compaction has fallen behind: its steps must run first',
});
/** Units of an open reservation in a record of its own. */
const OPEN_UNITS = 6;
const FOREVER: Until = Object.freeze({ grantMs: FOREVER_MS, restMs: FOREVER_MS });

function besideOf(receiptId: number): string {
  return `what was spent beside reservation ${receiptId}`;
}

function isSame(a: NewestBundle, b: NewestBundle): boolean {
  return a.issuedAtMs === b.issuedAtMs && a.expiresAtMs === b.expiresAtMs && a.digest === b.digest;
}
