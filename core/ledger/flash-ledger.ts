// The spend ledger on flash: an append-only log of records, read whole at start. A record is durable and read back
// before anything is approved on it; whatever cannot be explained afterwards refuses every payment.

import type { Crypto, Flash, Log } from '../ports/ports.ts';
import { FlashError } from '../ports/ports.ts';
import type { NewestBundle } from '../trust/admission.ts';
import { ledgerKey } from './keys.ts';
import type { Answered, LedgerKey, LedgerRefusal, OpenReservation, Receipt, Spend, SpendLedger } from './ledger.ts';
import { decodeRecord, encodeRecord, type LedgerRecord, RECORD_BYTES } from './record.ts';
import { type LedgerEvent, SpendState } from './spend-state.ts';

/** See the head of the file. */
export class FlashLedger implements SpendLedger {
  readonly #flash: Flash;
  readonly #crypto: Crypto;
  readonly #log: Log | undefined;
  readonly #state = new SpendState();
  readonly #slots: number;
  /** Memory for the record being written, and for reading one; kept, as every payment needs them. */
  readonly #out = new Uint8Array(RECORD_BYTES);
  readonly #in = new Uint8Array(RECORD_BYTES);
  #slot = 0;
  #next = 0;
  #problem: LedgerRefusal | undefined;

  /**
   * Opens the ledger on a partition, formatting one that is blank. What is wrong stands in `problem`,
   * and while it does nothing is recorded.
   */
  constructor(flash: Flash, crypto: Crypto, log?: Log) {
    this.#flash = flash;
    this.#crypto = crypto;
    this.#log = log;
    this.#slots = Math.floor(flash.size / RECORD_BYTES);
    this.#problem = this.#guarded(() => this.#open());
    if (this.#problem) log?.emit({ event: 'ledger.problem', code: this.#problem.code, detail: this.#problem.detail });
    else log?.emit({ event: 'ledger.open', records: this.#next, used: this.#slot, slots: this.#slots });
  }

  get problem(): LedgerRefusal | undefined {
    return this.#problem ?? (this.#slot >= this.#slots ? full(this.#slots) : undefined);
  }

  /** Records that still fit. */
  get room(): number {
    return this.#slots - this.#slot;
  }

  grantTotal(grant: LedgerKey): bigint {
    return this.#state.grantTotal(grant);
  }

  budgetTotal(budget: LedgerKey): bigint {
    return this.#state.budgetTotal(budget);
  }

  budgetUsed(budget: LedgerKey): boolean {
    return this.#state.budgetUsed(budget);
  }

  seen(replay: LedgerKey): boolean {
    return this.#state.seen(replay);
  }

  paymentsSince(grant: LedgerKey, sinceMs: number): number {
    return this.#state.paymentsSince(grant, sinceMs);
  }

  answered(idempotency: LedgerKey): Answered | undefined {
    return this.#state.answered(idempotency);
  }

  openReservations(): readonly OpenReservation[] {
    return this.#state.openReservations();
  }

  timeFloorMs(): number {
    return this.#state.timeFloorMs();
  }

  newestBundle(identity: string): NewestBundle | undefined {
    return this.#state.newestBundle(this.#bundleKey(identity));
  }

  authorize(spend: Spend): Receipt | LedgerRefusal {
    return this.#append({ kind: 'spend', receiptId: this.#next, spend }, spend.amount, spend.timeMs);
  }

  reserve(spend: Spend): Receipt | LedgerRefusal {
    return this.#append({ kind: 'reserve', receiptId: this.#next, spend }, spend.amount, spend.timeMs);
  }

  settle(receiptId: number, amount: bigint, timeMs: number): Receipt | LedgerRefusal {
    const objection = this.#state.objection(receiptId, amount);
    if (objection) return objection;
    return this.#append({ kind: 'settle', receiptId: this.#next, of: receiptId, amount, timeMs }, amount, timeMs);
  }

  release(receiptId: number, timeMs: number): Receipt | LedgerRefusal {
    const objection = this.#state.objection(receiptId);
    if (objection) return objection;
    return this.#append({ kind: 'release', receiptId: this.#next, of: receiptId, timeMs }, 0n, timeMs);
  }

  admitted(identity: string, bundle: NewestBundle): LedgerRefusal | undefined {
    const key = this.#bundleKey(identity);
    if (this.#state.remembers(key, bundle)) return undefined;
    return refusalOf(this.#append({ kind: 'bundle', receiptId: this.#next, identity: key, bundle }, 0n, 0));
  }

  raiseTimeFloor(timeMs: number): LedgerRefusal | undefined {
    if (timeMs <= this.#state.timeFloorMs()) return undefined;
    return refusalOf(this.#append({ kind: 'floor', receiptId: this.#next, timeMs }, 0n, timeMs));
  }

  #bundleKey(identity: string): LedgerKey {
    return ledgerKey(this.#crypto, 'bundle', new Uint8Array(0), identity);
  }

  /** Writes one record, reads it back, and only then lets it count. */
  #append(event: LedgerEvent, amount: bigint, timeMs: number): Receipt | LedgerRefusal {
    const problem = this.problem;
    if (problem) return problem;
    const failure = this.#guarded(() => this.#program(event));
    if (failure) {
      // What is in the slot now is not known; only the scan of a restart can tell. Until then nothing is recorded.
      this.#problem = failure;
      this.#log?.emit({ event: 'ledger.problem', code: failure.code, detail: failure.detail });
      return failure;
    }
    this.#state.apply(event);
    return { receiptId: event.receiptId, amount, timeMs };
  }

  #program(record: LedgerRecord): LedgerRefusal | undefined {
    const bytes = encodeRecord(record, this.#out);
    const back = this.#in;
    const offset = this.#slot * RECORD_BYTES;
    this.#flash.program(offset, bytes);
    this.#flash.read(offset, back);
    for (let i = 0; i < RECORD_BYTES; i++)
      if (bytes[i] !== back[i]) return failed(`what was written at ${offset} reads back differently`);
    this.#slot++;
    this.#next++;
    return undefined;
  }

  #open(): LedgerRefusal | undefined {
    if (this.#slots < 2 || this.#flash.blockSize % RECORD_BYTES !== 0 || RECORD_BYTES % this.#flash.programSize !== 0) {
      return failed('the partition is too small, or its blocks do not hold whole records');
    }
    const first = this.#read(0);
    if (first === 'other-format') return failed('the partition holds a ledger of another format');
    if (first === 'blank' || first === 'damaged') return this.#format();
    if (first.kind !== 'format') return failed('the partition does not begin with a ledger');
    this.#slot = 1;
    this.#next = 1;
    return this.#scan();
  }

  /**
   * A partition nothing else was ever written to may be formatted; a power cut may have torn its first record. The block
   * is erased even where it reads blank: a cut may have broken off an erase, and such cells do not hold what they are given.
   */
  #format(): LedgerRefusal | undefined {
    for (let slot = 1; slot < this.#slots; slot++) {
      if (this.#read(slot) !== 'blank') return failed('the partition holds something that is not a ledger');
    }
    this.#flash.erase(0);
    return this.#program({ kind: 'format', receiptId: 0 });
  }

  /** Takes in every record. Sequence numbers have no gaps, so a record that was lost is missed. */
  #scan(): LedgerRefusal | undefined {
    let blank = false;
    for (let slot = 1; slot < this.#slots; slot++) {
      const record = this.#read(slot);
      if (record === 'blank') {
        blank = true;
        continue;
      }
      if (blank) return failed(`slot ${slot} is written and one before it is not`);
      this.#slot = slot + 1;
      // A power cut can tear the record that was being written; it was never answered, and its slot is passed over. What
      // was written to its end was not torn but damaged later, and may have been answered.
      if (record === 'damaged') {
        if (this.#in[RECORD_BYTES - 1] !== 0xff) return failed(`slot ${slot} is damaged`);
        this.#log?.emit({ event: 'ledger.torn', slot });
        continue;
      }
      if (record === 'other-format') return failed(`slot ${slot} holds a record of another format`);
      if (record.kind === 'format' || record.receiptId !== this.#next) {
        return failed(`slot ${slot} holds record ${record.receiptId}, not ${this.#next}: a record is lost`);
      }
      if (!this.#state.apply(record)) return failed(`slot ${slot} holds a record that does not follow`);
      this.#next++;
    }
    return undefined;
  }

  #read(slot: number): ReturnType<typeof decodeRecord> {
    this.#flash.read(slot * RECORD_BYTES, this.#in);
    return decodeRecord(this.#in);
  }

  /** A flash that fails is a refusal, not an exception. */
  #guarded(work: () => LedgerRefusal | undefined): LedgerRefusal | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof FlashError) return failed(error.message);
      // Not the flash's word, so not a decision of ours; but what it has left behind is not known.
      this.#problem = failed('the flash broke off an operation');
      throw error;
    }
  }
}

function failed(detail: string): LedgerRefusal {
  return { code: 'STORE_FAILED', detail };
}

function full(slots: number): LedgerRefusal {
  return { code: 'STORE_FULL', detail: `all ${slots} records are used` };
}

function refusalOf(result: Receipt | LedgerRefusal): LedgerRefusal | undefined {
  return 'code' in result ? result : undefined;
}
