// The spend ledger and the journal as one: what was accepted is in both, or it was not accepted. The journal's entry is
// written first, the ledger's record commits it; an entry without its record is nothing.

import type { Journal, JournalEnd, JournalPayment } from './journal.ts';
import type { BeforeRecord, LedgerRefusal, Receipt, Spend, SpendLedger } from './ledger.ts';

/** The artifacts of a payment as they were presented. */
export type PresentedArtifacts = Pick<
  JournalPayment,
  'grant' | 'sba' | 'spa' | 'settlementIntent' | 'fleetPolicyAuthorization' | 'idempotencyKey'
>;

/** See the head of the file. */
export class Books {
  readonly ledger: SpendLedger;
  readonly journal: Journal | undefined;
  /** True between a journal's entry and the ledger's record. */
  #isWritten = false;

  /** Takes in what a power cut has left: an entry that the ledger does not know of is made void. */
  constructor(ledger: SpendLedger, journal?: Journal) {
    this.ledger = ledger;
    this.journal = journal;
    const last = ledger.lastReceipt();
    // A ledger that cannot tell must not make anything void.
    if (last !== undefined) journal?.reconcile(last);
  }

  /** Why nothing can be recorded at the moment, or undefined. A full store comes last: it may be full for some only. */
  get problem(): LedgerRefusal | undefined {
    const { ledger, journal } = this;
    if (ledger.problem?.code === 'STORE_FAILED') return ledger.problem;
    return journal?.problem?.code === 'STORE_FAILED' ? journal.problem : (ledger.problem ?? journal?.problem);
  }

  /** Why a payment would not be recorded at the moment, or undefined. Nothing is written. */
  objection(spend: Spend, artifacts: PresentedArtifacts): LedgerRefusal | undefined {
    const objection = this.ledger.objection(spend);
    const last = this.ledger.lastReceipt();
    if (objection || last === undefined) return objection;
    return this.journal?.objection(paymentOf('authorize', last + 1, spend, artifacts));
  }

  /** Records a payment or a reservation. */
  begin(mode: 'authorize' | 'reserve', spend: Spend, artifacts: PresentedArtifacts): Receipt | LedgerRefusal {
    const before = this.before((receiptId) => paymentOf(mode, receiptId, spend, artifacts));
    return this.settled(mode === 'reserve' ? this.ledger.reserve(spend, before) : this.ledger.authorize(spend, before));
  }

  /** Ends a reservation with the final amount. */
  settle(reservation: number, amount: bigint, timeMs: number): Receipt | LedgerRefusal {
    const before = this.before((receiptId) => ({
      kind: 'end',
      receiptId,
      how: 'settle',
      reservation,
      amount,
      timeMs,
    }));
    return this.settled(this.ledger.settle(reservation, amount, timeMs, before));
  }

  /** Ends a reservation with nothing spent. */
  release(reservation: number, timeMs: number): Receipt | LedgerRefusal {
    const before = this.before((receiptId) => ({
      kind: 'end',
      receiptId,
      how: 'release',
      reservation,
      amount: 0n,
      timeMs,
    }));
    return this.settled(this.ledger.release(reservation, timeMs, before));
  }

  /**
   * Does a bounded piece of the work that keeps payments free of erases. For idle time, until it says there is nothing to do.
   *
   * @returns whether there is more to do
   */
  step(): boolean {
    return this.ledger.step() || (this.journal?.step() ?? false);
  }

  /** Of an entry that the ledger then did not record, nobody knows what a start will find. */
  private settled(result: Receipt | LedgerRefusal): Receipt | LedgerRefusal {
    if (this.#isWritten && 'code' in result) this.journal?.withhold();
    this.#isWritten = false;
    return result;
  }

  private before(entry: (receiptId: number) => JournalPayment | JournalEnd): BeforeRecord | undefined {
    const { journal } = this;
    if (journal === undefined) return undefined;
    return (receiptId) => {
      const written = journal.append(entry(receiptId));
      this.#isWritten = !('code' in written);
      return 'code' in written ? written : undefined;
    };
  }
}

/** The journal's entry of a payment. */
function paymentOf(
  mode: 'authorize' | 'reserve',
  receiptId: number,
  { amount, timeMs }: Spend,
  { grant, sba, spa, settlementIntent, fleetPolicyAuthorization, idempotencyKey }: PresentedArtifacts,
): JournalPayment {
  return {
    kind: 'payment',
    receiptId,
    mode,
    amount,
    timeMs,
    grant,
    sba,
    spa,
    settlementIntent,
    fleetPolicyAuthorization,
    idempotencyKey,
  };
}
