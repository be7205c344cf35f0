// A ledger that forgets when the program ends: for tools that look at one payment, and for the guide's entry point,
// where the caller keeps the totals. Nothing in it expires, and it is never full.

import type { Crypto } from '../ports/ports.ts';
import { type NewestBundle, newestOf } from '../trust/admission.ts';
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

/** What every total starts from: totals that are kept elsewhere. */
export interface StartingTotals {
  readonly grantSpent?: bigint | undefined;
  readonly budgetSpent?: bigint | undefined;
  /** True where the caller has seen the payment's budget or decision before. */
  readonly seen?: boolean | undefined;
}

/** A reservation that is open, and the payment it was made for. */
interface Reserved {
  readonly spend: Spend;
  readonly receipt: Receipt;
}

/** See the head of the file. */
export class MemoryLedger implements SpendLedger {
  readonly #crypto: Crypto;
  readonly #start: StartingTotals;
  readonly #grantTotals = new Map<LedgerKey, bigint>();
  readonly #budgetTotals = new Map<LedgerKey, bigint>();
  readonly #replays = new Set<LedgerKey>();
  readonly #answers = new Map<LedgerKey, Answered>();
  /** Per grant: when its payments were made. */
  readonly #payments = new Map<LedgerKey, number[]>();
  readonly #open = new Map<number, Reserved>();
  readonly #newest = new Map<LedgerKey, NewestBundle>();
  #floorMs = 0;
  #nextReceipt = 1;

  constructor(crypto: Crypto, start: StartingTotals = {}) {
    this.#crypto = crypto;
    this.#start = start;
  }

  get problem(): undefined {
    return undefined;
  }

  grantTotal(grant: LedgerKey): bigint {
    return (this.#grantTotals.get(grant) ?? 0n) + (this.#start.grantSpent ?? 0n);
  }

  budgetTotal(budget: LedgerKey): bigint {
    return (this.#budgetTotals.get(budget) ?? 0n) + (this.#start.budgetSpent ?? 0n);
  }

  budgetUsed(budget: LedgerKey): boolean {
    return (this.#start.budgetSpent ?? 0n) > 0n || this.#budgetTotals.has(budget);
  }

  seen(replay: LedgerKey): boolean {
    return this.#start.seen === true || this.#replays.has(replay);
  }

  /** One exactly at the window's start is out of it. */
  paymentsSince(grant: LedgerKey, sinceMs: number): number {
    let count = 0;
    for (const timeMs of this.#payments.get(grant) ?? []) if (timeMs > sinceMs) count++;
    return count;
  }

  answered(idempotency: LedgerKey): Answered | undefined {
    return this.#answers.get(idempotency);
  }

  openReservations(): readonly OpenReservation[] {
    return [...this.#open.values()].map(({ spend: { grant, budget }, receipt }) => ({ ...receipt, grant, budget }));
  }

  timeFloorMs(): number {
    return this.#floorMs;
  }

  newestBundle(identity: string): NewestBundle | undefined {
    return this.#newest.get(bundleKey(this.#crypto, identity));
  }

  objection(): undefined {
    return undefined;
  }

  lastReceipt(): number {
    return this.#nextReceipt - 1;
  }

  authorize(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.#begin('paid', spend, before);
  }

  reserve(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.#begin('reserved', spend, before);
  }

  settle(receiptId: number, amount: bigint, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal {
    const open = this.#open.get(receiptId);
    if (open === undefined) return notOpen(receiptId);
    return settleObjection(amount, open.spend.amount) ?? this.#end(open, amount, timeMs, before);
  }

  release(receiptId: number, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal {
    const open = this.#open.get(receiptId);
    return open === undefined ? notOpen(receiptId) : this.#end(open, 0n, timeMs, before);
  }

  admitted(identity: string, bundle: NewestBundle): undefined {
    const key = bundleKey(this.#crypto, identity);
    this.#newest.set(key, newestOf(this.#newest.get(key), bundle));
    this.raiseTimeFloor(bundle.issuedAtMs ?? 0);
  }

  bundleRecords(_identity: string, _bundle: NewestBundle, promised: number): number {
    return promised + 1;
  }

  raiseTimeFloor(timeMs: number): undefined {
    this.#floorMs = Math.max(this.#floorMs, timeMs);
  }

  step(): boolean {
    return false;
  }

  #begin(state: 'paid' | 'reserved', spend: Spend, before: BeforeRecord | undefined): Receipt | LedgerRefusal {
    const refusal = before?.(this.#nextReceipt);
    if (refusal) return refusal;
    const { grant, budget, amount, timeMs } = spend;
    const receipt = { receiptId: this.#nextReceipt++, amount, timeMs };
    this.#count(grant, budget, amount);
    if (spend.replay !== undefined) this.#replays.add(spend.replay);
    this.#answer(spend, receipt, state);
    const times = this.#payments.get(grant);
    if (times === undefined) this.#payments.set(grant, [timeMs]);
    else times.push(timeMs);
    if (state === 'reserved') this.#open.set(receipt.receiptId, { spend, receipt });
    return receipt;
  }

  #end(
    { spend, receipt }: Reserved,
    amount: bigint,
    timeMs: number,
    before: BeforeRecord | undefined,
  ): Receipt | LedgerRefusal {
    const refusal = before?.(this.#nextReceipt);
    if (refusal) return refusal;
    this.#count(spend.grant, spend.budget, amount - spend.amount);
    this.#open.delete(receipt.receiptId);
    // The answer once given does not come again: what it promised is used up.
    this.#answer(spend, receipt, 'ended');
    return { receiptId: this.#nextReceipt++, amount, timeMs };
  }

  #count(grant: LedgerKey, budget: LedgerKey, amount: bigint): void {
    this.#grantTotals.set(grant, (this.#grantTotals.get(grant) ?? 0n) + amount);
    this.#budgetTotals.set(budget, (this.#budgetTotals.get(budget) ?? 0n) + amount);
  }

  #answer({ idempotency, content }: Spend, receipt: Receipt, state: Answered['state']): void {
    if (idempotency !== undefined) this.#answers.set(idempotency, { ...receipt, content, state });
  }
}
