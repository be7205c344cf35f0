// A ledger that forgets when the program ends: for tools that look at one payment, and for the guide's entry point,
// where the caller keeps the totals.

import type { Crypto } from '../ports/ports.ts';
import type { NewestBundle } from '../trust/admission.ts';
import { ledgerKey } from './keys.ts';
import type {
  Answered,
  BeforeRecord,
  LedgerKey,
  LedgerRefusal,
  OpenReservation,
  Receipt,
  Spend,
  SpendLedger,
} from './ledger.ts';
import { type LedgerEvent, SpendState } from './spend-state.ts';

/** What every total starts from: totals that are kept elsewhere. */
export interface StartingTotals {
  readonly grantSpent?: bigint | undefined;
  readonly budgetSpent?: bigint | undefined;
  /** True where the caller has seen the payment's budget or decision before. */
  readonly seen?: boolean | undefined;
}

/** See the head of the file. */
export class MemoryLedger implements SpendLedger {
  readonly #crypto: Crypto;
  readonly #start: StartingTotals;
  readonly #state = new SpendState();
  #next = 1;

  constructor(crypto: Crypto, start: StartingTotals = {}) {
    this.#crypto = crypto;
    this.#start = start;
  }

  get problem(): undefined {
    return undefined;
  }

  grantTotal(grant: LedgerKey): bigint {
    return this.#state.grantTotal(grant) + (this.#start.grantSpent ?? 0n);
  }

  budgetTotal(budget: LedgerKey): bigint {
    return this.#state.budgetTotal(budget) + (this.#start.budgetSpent ?? 0n);
  }

  budgetUsed(budget: LedgerKey): boolean {
    return (this.#start.budgetSpent ?? 0n) > 0n || this.#state.budgetUsed(budget);
  }

  seen(replay: LedgerKey): boolean {
    return this.#start.seen === true || this.#state.seen(replay);
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
    return this.#state.newestBundle(ledgerKey(this.#crypto, 'bundle', new Uint8Array(0), identity));
  }

  objection(): undefined {
    return undefined;
  }

  lastReceipt(): number {
    return this.#next - 1;
  }

  authorize(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.#record({ kind: 'spend', receiptId: this.#next, spend }, spend.amount, spend.timeMs, before);
  }

  reserve(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.#record({ kind: 'reserve', receiptId: this.#next, spend }, spend.amount, spend.timeMs, before);
  }

  settle(receiptId: number, amount: bigint, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal {
    const objection = this.#state.objection(receiptId, amount);
    if (objection) return objection;
    const settled = { kind: 'settle', receiptId: this.#next, of: receiptId, amount, timeMs } as const;
    return this.#record(settled, amount, timeMs, before);
  }

  release(receiptId: number, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal {
    const objection = this.#state.objection(receiptId);
    if (objection) return objection;
    return this.#record({ kind: 'release', receiptId: this.#next, of: receiptId, timeMs }, 0n, timeMs, before);
  }

  admitted(identity: string, bundle: NewestBundle): undefined {
    const key = ledgerKey(this.#crypto, 'bundle', new Uint8Array(0), identity);
    this.#state.apply({ kind: 'bundle', receiptId: this.#next++, identity: key, bundle });
  }

  bundleObjection(): undefined {
    return undefined;
  }

  raiseTimeFloor(timeMs: number): undefined {
    this.#state.apply({ kind: 'floor', receiptId: this.#next++, timeMs });
  }

  step(): boolean {
    return false;
  }

  #record(
    event: LedgerEvent,
    amount: bigint,
    timeMs: number,
    before: BeforeRecord | undefined,
  ): Receipt | LedgerRefusal {
    const refusal = before?.(this.#next);
    if (refusal) return refusal;
    this.#state.apply(event);
    return { receiptId: this.#next++, amount, timeMs };
  }
}
