// What the ledger knows, in memory: rebuilt from records at start, moved by the same records afterwards, so that a
// restart and a running device cannot disagree.

import { type NewestBundle, newestOf } from '../trust/admission.ts';
import type { Answered, LedgerKey, LedgerRefusal, OpenReservation, Receipt, Spend } from './ledger.ts';

/** A record's meaning. `receiptId` is the record's sequence number. */
export type LedgerEvent =
  | { readonly kind: 'spend' | 'reserve'; readonly receiptId: number; readonly spend: Spend }
  | {
      readonly kind: 'settle';
      readonly receiptId: number;
      readonly of: number;
      readonly amount: bigint;
      readonly timeMs: number;
    }
  | { readonly kind: 'release'; readonly receiptId: number; readonly of: number; readonly timeMs: number }
  | { readonly kind: 'floor'; readonly receiptId: number; readonly timeMs: number }
  | {
      readonly kind: 'bundle';
      readonly receiptId: number;
      readonly identity: LedgerKey;
      readonly bundle: NewestBundle;
    };

/** Totals, ids and windows. */
export class SpendState {
  readonly #grantTotals = new Map<LedgerKey, bigint>();
  readonly #budgetTotals = new Map<LedgerKey, bigint>();
  readonly #replays = new Set<LedgerKey>();
  readonly #answers = new Map<LedgerKey, Answered>();
  readonly #payments = new Map<LedgerKey, number[]>();
  readonly #open = new Map<number, { readonly spend: Spend; readonly receipt: OpenReservation }>();
  readonly #newest = new Map<LedgerKey, NewestBundle>();
  #floorMs = 0;

  grantTotal(grant: LedgerKey): bigint {
    return this.#grantTotals.get(grant) ?? 0n;
  }

  budgetTotal(budget: LedgerKey): bigint {
    return this.#budgetTotals.get(budget) ?? 0n;
  }

  budgetUsed(budget: LedgerKey): boolean {
    return this.#budgetTotals.has(budget);
  }

  seen(replay: LedgerKey): boolean {
    return this.#replays.has(replay);
  }

  /** Payments after `sinceMs`; one exactly at the window's start is out of it. */
  paymentsSince(grant: LedgerKey, sinceMs: number): number {
    let count = 0;
    for (const timeMs of this.#payments.get(grant) ?? []) if (timeMs > sinceMs) count++;
    return count;
  }

  answered(idempotency: LedgerKey): Answered | undefined {
    return this.#answers.get(idempotency);
  }

  openReservations(): readonly OpenReservation[] {
    return [...this.#open.values()].map((entry) => entry.receipt);
  }

  timeFloorMs(): number {
    return this.#floorMs;
  }

  newestBundle(identity: LedgerKey): NewestBundle | undefined {
    return this.#newest.get(identity);
  }

  /** Why a reservation cannot be settled with this amount, or undefined; left out: why it cannot be released. */
  objection(receiptId: number, amount?: bigint): LedgerRefusal | undefined {
    const open = this.#open.get(receiptId);
    if (open === undefined) return { code: 'RESERVATION_NOT_FOUND', detail: `no reservation ${receiptId} is open` };
    if (amount === undefined) return undefined;
    if (amount < 1n)
      return { code: 'AMOUNT_MISMATCH', detail: 'a final amount is above zero; nothing spent is a release' };
    if (amount > open.spend.amount) {
      return { code: 'AMOUNT_EXCEEDED', detail: `${amount} is above the ${open.spend.amount} that was reserved` };
    }
    return undefined;
  }

  /** True where remembering this bundle would change nothing. */
  remembers(identity: LedgerKey, bundle: NewestBundle): boolean {
    const before = this.#newest.get(identity);
    if (before === undefined || bundle.expiresAtMs > before.expiresAtMs) return false;
    return bundle.issuedAtMs === undefined || bundle.issuedAtMs <= (before.issuedAtMs ?? Number.NEGATIVE_INFINITY);
  }

  /** Takes in one record. False where it cannot follow from those before it; then nothing has changed. */
  apply(event: LedgerEvent): boolean {
    switch (event.kind) {
      case 'spend':
      case 'reserve':
        this.#take(event.spend, event.receiptId, event.kind === 'reserve');
        return true;
      case 'settle':
        return this.#end(event.of, event.amount);
      case 'release':
        return this.#end(event.of, 0n);
      case 'floor':
        if (event.timeMs > this.#floorMs) this.#floorMs = event.timeMs;
        return true;
      case 'bundle':
        this.#admit(event.identity, event.bundle);
        return true;
    }
  }

  #take(spend: Spend, receiptId: number, open: boolean): void {
    this.#grantTotals.set(spend.grant, this.grantTotal(spend.grant) + spend.amount);
    this.#budgetTotals.set(spend.budget, this.budgetTotal(spend.budget) + spend.amount);
    if (spend.replay !== undefined) this.#replays.add(spend.replay);
    const receipt: Receipt = { receiptId, amount: spend.amount, timeMs: spend.timeMs };
    if (spend.idempotency !== undefined) this.#answer(spend, receipt, open ? 'reserved' : 'paid');
    const times = this.#payments.get(spend.grant);
    if (times === undefined) this.#payments.set(spend.grant, [spend.timeMs]);
    else times.push(spend.timeMs);
    if (open) this.#open.set(receiptId, { spend, receipt: { ...receipt, grant: spend.grant, budget: spend.budget } });
  }

  #answer(spend: Spend, receipt: Receipt, state: Answered['state']): void {
    const { receiptId, amount, timeMs } = receipt;
    this.#answers.set(spend.idempotency as LedgerKey, { receiptId, amount, timeMs, content: spend.content, state });
  }

  #end(of: number, amount: bigint): boolean {
    const open = this.#open.get(of);
    if (open === undefined || amount > open.spend.amount) return false;
    const unused = open.spend.amount - amount;
    this.#grantTotals.set(open.spend.grant, this.grantTotal(open.spend.grant) - unused);
    this.#budgetTotals.set(open.spend.budget, this.budgetTotal(open.spend.budget) - unused);
    this.#open.delete(of);
    // The answer once given does not come again: what it promised is used up.
    if (open.spend.idempotency !== undefined) this.#answer(open.spend, open.receipt, 'ended');
    return true;
  }

  #admit(identity: LedgerKey, bundle: NewestBundle): void {
    this.#newest.set(identity, newestOf(this.#newest.get(identity), bundle));
    if (bundle.issuedAtMs !== undefined && bundle.issuedAtMs > this.#floorMs) this.#floorMs = bundle.issuedAtMs;
  }
}
