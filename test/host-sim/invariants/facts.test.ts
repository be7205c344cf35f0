// What the rules of a run read of a payment, whatever its payer has written into it.

import { describe, expect, it } from 'vitest';
import { paymentFacts } from '../../../host-sim/invariants/facts.ts';

const SOON = '2026-06-01T00:00:00Z';
const LATER = '2026-06-02T00:00:00Z';

function payment(grantExpires: unknown, budgetExpires: unknown, fleetPolicyExpires?: unknown): Uint8Array {
  const fleetPolicy = fleetPolicyExpires !== undefined && {
    fleetPolicyAuthorization: { authorization: { expiresAt: fleetPolicyExpires, maxAmountMinor: '5' } },
  };
  const grant = {
    issuer: 'pa',
    issuerKeyId: 'k-1',
    grant: { grantId: 'g', expiresAt: grantExpires, budgetMinor: '9' },
  };
  const sba = {
    issuer: 'w',
    issuerKeyId: 'k-2',
    authorization: { budgetId: 'b', maxAmountMinor: '7', expiresAt: budgetExpires },
  };
  return Buffer.from(JSON.stringify({ grant, sba, ...fleetPolicy }));
}

describe('a payment expires', () => {
  it.each([[payment(SOON, LATER)], [payment(LATER, SOON)], [payment(LATER, LATER, SOON)]])(
    'with the first of its grant, its budget and its fleet policy',
    (bytes) => {
      expect(paymentFacts(bytes)?.expiresAtMs).toBe(Date.parse(SOON));
    },
  );

  it.each([[payment('soon', LATER)], [payment(LATER, 'soon')], [payment(LATER, LATER, 'soon')]])(
    'at once where one of these is no time: whoever takes it breaks the rule',
    (bytes) => {
      expect(paymentFacts(bytes)?.expiresAtMs).toBe(Number.NEGATIVE_INFINITY);
    },
  );
});

it('what is no payment has no facts', () => {
  for (const text of ['', '{}', 'null', '{"grant":{}}']) expect(paymentFacts(Buffer.from(text))).toBeUndefined();
});
