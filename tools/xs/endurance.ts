// Payments without end: what one machine in XS is put through, one after the other, so that what grows shows. All are distinct;
// refusals, repeats and hostile input come in between.

import { domainDigest } from '../../core/hash/domains.ts';
import { type JsonObject, without } from '../../core/json/value.ts';
import { LEDGER_KEY_BYTES } from '../../core/ledger/keys.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import type { Step } from '../../host-sim/xs/steps.ts';
import type { Trial } from './hostile.ts';
import { answerOf, bundleOf, bytesOf, chainOf } from './scene.ts';

/** Grants that are paid under, in turn: more than a verifier remembers. They divide `ROUND`. */
const GRANTS = 10;
/**
 * Payments of a round. After each the machine must hold what it held after the first: every payment is handed in then, idle work
 * is done, and the same keys and grants were seen last.
 */
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
      const bytes = answerOf(bundleOfRound(laterSeconds));
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

const crypto = createNodeCrypto();

/**
 * A bundle of that time. Of the newest one its digest is kept as text, in which a byte from 0x80 on takes two bytes, as a zero
 * does: it is one that has as many of them as any other here, so that the machine holds the same after each round.
 */
function bundleOfRound(laterSeconds: number): JsonObject {
  for (let number = 0; ; number++) {
    const bundle = bundleOf(2 + laterSeconds, { x: String(number).padStart(4, '0') });
    const digest = domainDigest(crypto, 'TrustBundle', without(bundle, ['signature'])).subarray(0, LEDGER_KEY_BYTES);
    if (digest.filter((byte) => byte === 0 || byte >= 0x80).length === LEDGER_KEY_BYTES / 2) return bundle;
  }
}
