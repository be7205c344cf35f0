// What was paid under a grant by all sessions together, and what its signer allows: a budget, the largest payment, and so many
// payments in any stretch of time. A merchant that knows nothing of MPCP holds nobody to it.

import type { PolicyGrant } from '../../core/artifacts/policy-grant.ts';
import { Problem } from './problem.ts';

/** See the head of the file. */
export class GrantAccount {
  #taken = 0n;
  /** When the payments were that a limit on their number counts. */
  #times: number[] = [];

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
      this.#times = this.#times.filter((time) => time > nowMs - windowSeconds * 1000);
      if (this.#times.length >= maxPayments)
        throw new Problem(
          429,
          'velocity_exceeded',
          `the grant allows ${maxPayments} payments in ${windowSeconds} seconds, and they were made`,
        );
    }
    this.#taken += amount;
    this.#times.push(nowMs);
    return () => {
      this.#taken -= amount;
      this.#times.splice(this.#times.lastIndexOf(nowMs), 1);
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
