// What a spend ledger does for the verifier: totals, replay ids, velocity, reservations, the time floor and the newest
// bundle per identity. `flash-ledger.ts` keeps them on flash, `memory-ledger.ts` in memory.

import type { ReasonCode } from '../reason-codes.ts';
import type { NewestBundle } from '../trust/admission.ts';
import type { WindowLimit } from './window.ts';

/**
 * A name in the ledger: 16 bytes of a digest as text, one character a byte. `ledgerKey` makes them.
 */
export type LedgerKey = string;

/** What an accepted payment writes. Amounts are in the terminal's unit. */
export interface Spend {
  /** Whose total the amount counts towards: the grant, and the budget. */
  readonly grant: LedgerKey;
  readonly budget: LedgerKey;
  /** The id that may not be used again, where there is one. */
  readonly replay: LedgerKey | undefined;
  /** The payer's idempotency key, where there is one. */
  readonly idempotency: LedgerKey | undefined;
  /** What the idempotency key stands for: the SBA and the amount. There with the key. */
  readonly content: LedgerKey | undefined;
  /** Above zero, below 2^128. */
  readonly amount: bigint;
  /** When it was accepted, in milliseconds. */
  readonly timeMs: number;
  /** The grant's velocity limit, where it has one: what `paymentsSince` will be asked about. */
  readonly window?: WindowLimit | undefined;
  /**
   * From when on the budget, the ids and the answer can no longer matter, in milliseconds: the latest expiry of SBA and SPA,
   * and drift.
   */
  readonly keepUntilMs: number;
  /** The same of the grant, where it is later. */
  readonly grantUntilMs?: number | undefined;
}

/** A payment the ledger has recorded. */
export interface Receipt {
  /** Ascending, never used twice. */
  readonly receiptId: number;
  readonly amount: bigint;
  readonly timeMs: number;
}

/**
 * Is called when nothing but the flash can stop a record any more, with the receipt id it will have; the journal's entry is
 * written here. What it returns is the refusal, and nothing is recorded.
 */
export type BeforeRecord = (receiptId: number) => LedgerRefusal | undefined;

/** A receipt with what it was given for, and what has become of it. */
export interface Answered extends Receipt {
  /** `paid`: a payment. `reserved`: a reservation that is open. `ended`: one that was settled or released. */
  readonly state: 'paid' | 'reserved' | 'ended';
  readonly content: LedgerKey | undefined;
}

/** A reservation that is neither settled nor released. */
export interface OpenReservation extends Receipt {
  readonly grant: LedgerKey;
  readonly budget: LedgerKey;
}

/** Why the ledger did not record something. Nothing has changed. */
export interface LedgerRefusal {
  readonly code: Extract<
    ReasonCode,
    'STORE_FULL' | 'STORE_FAILED' | 'AMOUNT_EXCEEDED' | 'AMOUNT_MISMATCH' | 'RESERVATION_NOT_FOUND'
  >;
  readonly detail: string;
}

/** The spend ledger. On flash every write is durable when it returns. */
export interface SpendLedger {
  /** Why nothing can be recorded at the moment, or undefined. */
  readonly problem: LedgerRefusal | undefined;
  /** Amounts accepted for a grant, reservations included. */
  grantTotal(grant: LedgerKey): bigint;
  /** Amounts accepted for a budget, reservations included. */
  budgetTotal(budget: LedgerKey): bigint;
  /** True where anything was ever recorded for a budget, released reservations included. */
  budgetUsed(budget: LedgerKey): boolean;
  /** True where a replay id is recorded. */
  seen(replay: LedgerKey): boolean;
  /** Payments accepted for a grant after `sinceMs`. */
  paymentsSince(grant: LedgerKey, sinceMs: number): number;
  /** The answer given to an idempotency key. */
  answered(idempotency: LedgerKey): Answered | undefined;
  /** Reservations that are neither settled nor released. */
  openReservations(): readonly OpenReservation[];
  /** The latest time a signed source has vouched for, in milliseconds. */
  timeFloorMs(): number;
  /** The newest receipt there is, 0 for none; undefined where that cannot be told. */
  lastReceipt(): number | undefined;
  /** Why this could not be recorded at the moment, or undefined. Nothing is written. */
  objection(spend: Spend): LedgerRefusal | undefined;
  /** The newest bundle admitted for an identity. */
  newestBundle(identity: string): NewestBundle | undefined;

  /** Records a payment: reserved and settled in one record. */
  authorize(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal;
  /** Records a ceiling that counts as spent at once. */
  reserve(spend: Spend, before?: BeforeRecord): Receipt | LedgerRefusal;
  /** Ends a reservation with the final amount, from 1 to what was reserved. AMOUNT_EXCEEDED above it. */
  settle(receiptId: number, amount: bigint, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal;
  /** Ends a reservation with nothing spent. Its replay id stays used. */
  release(receiptId: number, timeMs: number, before?: BeforeRecord): Receipt | LedgerRefusal;
  /**
   * Records an admitted bundle, and raises the time floor to its `issuedAt`.
   *
   * @param isStored true for one that was admitted in an earlier run: it is no news
   */
  admitted(identity: string, bundle: NewestBundle, isStored?: boolean): LedgerRefusal | undefined;
  /**
   * Asks for room for the record of a bundle that is new, behind those of others of the same answer. Nothing is written.
   *
   * @param promised records of bundles that room was asked for before
   * @returns how many they are with this one, as many as before where the bundle is known; or why it could not be recorded
   */
  bundleRecords(identity: string, bundle: NewestBundle, promised: number): number | LedgerRefusal;
  /** Raises the time floor; a lower value changes nothing. */
  raiseTimeFloor(timeMs: number): LedgerRefusal | undefined;
  /** Does a bounded piece of the work that is for idle time. @returns whether there is more */
  step(): boolean;
}

/** Why a reservation of so much cannot be settled with an amount, or undefined. */
export function settleObjection(amount: bigint, reserved: bigint): LedgerRefusal | undefined {
  if (amount < 1n)
    return { code: 'AMOUNT_MISMATCH', detail: 'a final amount is above zero; nothing spent is a release' };
  if (amount > reserved)
    return { code: 'AMOUNT_EXCEEDED', detail: `${amount} is above the ${reserved} that was reserved` };
  return undefined;
}

/** The refusal to end what is no open reservation. */
export function notOpen(receiptId: number): LedgerRefusal {
  return { code: 'RESERVATION_NOT_FOUND', detail: `no reservation ${receiptId} is open` };
}
