// Payments without end: what one machine in XS is put through, one after the other, so that what grows shows. All are distinct;
// refusals, repeats and hostile input come in between.

import type { JsonObject } from '../../core/json/value.ts';
import type { Step } from '../../host-sim/xs/steps.ts';
import type { Trial } from './hostile.ts';
import { answerOf, bundleOf, bytesOf, chainOf } from './scene.ts';

/** Grants that are paid under, in turn: more than a verifier remembers. They divide `ROUND`. */
const GRANTS = 10;
/** Payments of a round. After each the machine must hold what it held after the first. */
export const ROUND = 100;
/** Payments between what is refused. */
const GROUP = 20;
/** Payments of a group that come before what is refused. */
const BEFORE_REFUSED = 14;
/** What is refused in each group: another amount, a payment once more, hostile input. */
const REFUSED = 3;
/** Steps of a round. */
export function stepsOfRound(isRefreshed: boolean): number {
  return (isRefreshed ? 1 : 0) + ROUND + (ROUND / GROUP) * REFUSED;
}

/** Seconds from one payment to the next: what a ledger keeps of the earlier ones expires. */
const APART_SECONDS = 60;

/**
 * So many payments and what comes between. Each has the verdict that must come of it.
 *
 * @param isRefreshed whether each round begins with a new bundle, by which a ledger on flash knows that time has passed
 */
export function endurancePayments(payments: number, hostile: readonly Trial[], isRefreshed: boolean): readonly Trial[] {
  const trials: Trial[] = [];
  let last: Step | undefined;
  for (let i = 0; i < payments; i++) {
    const laterSeconds = APART_SECONDS * i;
    const paying = (inSpa: JsonObject): Step => {
      const chain = chainOf(i, { grant: `grant_${i % GRANTS}`, inSpa, laterSeconds });
      const presented = i % 2 === 0 ? { ...chain, idempotencyKey: `key-${i}` } : chain;
      return { kind: 'payment', bytes: bytesOf(presented as unknown as JsonObject), laterSeconds };
    };
    if (isRefreshed && i % ROUND === 0) {
      const bytes = answerOf(bundleOf(2 + laterSeconds));
      trials.push({
        name: `the bundle before payment ${i}`,
        step: { kind: 'answer', bytes, laterSeconds },
        expected: 'ok',
      });
    }
    if (i % GROUP === BEFORE_REFUSED) {
      const odd = hostile[Math.floor(i / GROUP) % hostile.length] as Trial;
      trials.push(
        { name: `payment ${i} with another amount`, step: paying({ amount: '2501' }), expected: 'AMOUNT_MISMATCH' },
        { name: `payment ${i - 1} once more`, step: last as Step, expected: 'BUDGET_ID_REPLAY' },
        { ...odd, step: { ...odd.step, laterSeconds } },
      );
    }
    last = paying({});
    trials.push({ name: `payment ${i}`, step: last as Step, expected: 'ok' });
  }
  return trials;
}
