// A ledger in memory that begins anew when it is told to. Memory never lets go of a payment; with this one a machine can be
// put through more of them than its memory holds, and what else grows shows.

import type {
  Answered,
  BeforeRecord,
  LedgerKey,
  LedgerRefusal,
  OpenReservation,
  Receipt,
  Spend,
  SpendLedger,
} from '../../../core/ledger/ledger.ts';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import type { Crypto } from '../../../core/ports/ports.ts';
import type { NewestBundle } from '../../../core/trust/admission.ts';

/** See the head of the file. */
export class RenewedLedger implements SpendLedger {
  readonly #crypto: Crypto;
  #ledger: MemoryLedger;
  readonly problem = undefined;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    this.#ledger = new MemoryLedger(crypto);
  }

  /** Forgets payments and bundles; the time floor stays. */
  renew(): void {
    const floorMs = this.#ledger.timeFloorMs();
    this.#ledger = new MemoryLedger(this.#crypto);
    this.#ledger.raiseTimeFloor(floorMs);
  }

  grantTotal(grant: LedgerKey): bigint {
    return this.#ledger.grantTotal(grant);
  }

  budgetTotal(budget: LedgerKey): bigint {
    return this.#ledger.budgetTotal(budget);
  }

  budgetUsed(budget: LedgerKey): boolean {
    return this.#ledger.budgetUsed(budget);
  }

  seen(replay: LedgerKey): boolean {
    return this.#ledger.seen(replay);
  }

  paymentsSince(grant: LedgerKey, sinceMs: number): number {
    return this.#ledger.paymentsSince(grant, sinceMs);
  }

  answered(idempotency: LedgerKey): Answered | undefined {
    return this.#ledger.answered(idempotency);
  }

  openReservations(): readonly OpenReservation[] {
    return this.#ledger.openReservations();
  }

  timeFloorMs(): number {
    return this.#ledger.timeFloorMs();
  }

  lastReceipt(): number {
    return this.#ledger.lastReceipt();
  }

  objection(): undefined {
    return undefined;
  }

  newestBundle(identity: string): NewestBundle | undefined {
    return this.#ledger.newestBundle(identity);
  }

  authorize(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.#ledger.authorize(spend, before);
  }

  reserve(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.#ledger.reserve(spend, before);
  }

  settle(receiptId: number, amount: bigint, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.#ledger.settle(receiptId, amount, timeMs, before);
  }

  release(receiptId: number, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal {
    return this.#ledger.release(receiptId, timeMs, before);
  }

  admitted(identity: string, bundle: NewestBundle): undefined {
    return this.#ledger.admitted(identity, bundle);
  }

  bundleRecords(identity: string, bundle: NewestBundle, promised: number): number {
    return this.#ledger.bundleRecords(identity, bundle, promised);
  }

  raiseTimeFloor(timeMs: number): undefined {
    return this.#ledger.raiseTimeFloor(timeMs);
  }

  step(): boolean {
    return false;
  }
}
