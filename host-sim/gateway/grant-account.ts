// What was paid under a grant by all sessions together, and what its signer allows: a budget, the largest payment, and so many
// payments in any stretch of time. A merchant that knows nothing of MPCP holds nobody to it.

import type { PolicyGrant } from '../../core/artifacts/policy-grant.ts';
import { Problem } from './problem.ts';

/** When a payment was taken. Two may be at the same time. */
interface Payment {
  readonly atMs: number;
}

/** See the head of the file. */
export class GrantAccount {
  #taken = 0n;
  /** All of them: a grant that is signed again may ask for a longer time than before, and one may last 136 years. */
  readonly #payments = new Set<Payment>();

  /**
   * Takes a payment, before it is made.
   *
   * @param grant as it is presented now: signed again it may allow more, and what was taken stays
   * @returns gives it back
   * @throws Problem 402, 429 where the grant does not allow it; nothing is taken then
   */
  take({ budgetMinor, maxPerTxMinor, velocityLimit }: PolicyGrant, amount: bigint, nowMs: number): () => void {
    const left = budgetMinor === undefined ? undefined : most(budgetMinor - this.#taken, 0n);
    if (left !== undefined && amount > left) throw exceeded(amount, left, `${left} remains of the grant`);
    if (maxPerTxMinor !== undefined && amount > maxPerTxMinor)
      throw exceeded(amount, maxPerTxMinor, `the grant allows ${maxPerTxMinor} in one payment`);
    if (velocityLimit !== undefined) {
      const { maxPayments, windowSeconds } = velocityLimit;
      const sinceMs = nowMs - windowSeconds * 1000;
      if ([...this.#payments].filter(({ atMs }) => atMs > sinceMs).length >= maxPayments)
        throw new Problem(
          429,
          'velocity_exceeded',
          `the grant allows ${maxPayments} payments in ${windowSeconds} seconds, and they were made`,
        );
    }
    this.#taken += amount;
    const payment = { atMs: nowMs };
    this.#payments.add(payment);
    return () => {
      if (this.#payments.delete(payment)) this.#taken -= amount;
    };
  }
}

function exceeded(requested: bigint, remaining: bigint, reason: string): Problem {
  const more = { requestedMinor: requested.toString(), remainingMinor: remaining.toString() };
  return new Problem(402, 'budget_exceeded', `${requested} is asked for and ${reason}`, more);
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
