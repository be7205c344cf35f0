// What is counted under a grant where payments are given back, and where the grant is signed again.

import { expect, it } from 'vitest';
import type { PolicyGrant } from '../../../core/artifacts/policy-grant.ts';
import { GrantAccount } from '../../../host-sim/gateway/grant-account.ts';

/** A grant with that velocity limit. */
const allows = (maxPayments: number, windowSeconds: number) =>
  ({ budgetMinor: 100n, velocityLimit: { maxPayments, windowSeconds } }) as PolicyGrant;

it('a payment that is given back late takes no other one with it', () => {
  const account = new GrantAccount();
  const grant = allows(2, 600);
  const giveBack = account.take(grant, 10n, 0);
  account.take(grant, 10n, 700_000);
  giveBack();
  account.take(grant, 10n, 700_000);
  expect(() => account.take(grant, 10n, 700_000)).toThrow('allows 2 payments in 600 seconds');
});

it('a payment that is given back leaves another of the same time', () => {
  const account = new GrantAccount();
  const grant = allows(1, 600);
  account.take(grant, 10n, 0)();
  account.take(grant, 10n, 0);
  expect(() => account.take(grant, 10n, 0)).toThrow('allows 1 payments in 600 seconds');
});

it('a payment that is given back twice is given back once', () => {
  const account = new GrantAccount();
  account.take(allows(9, 600), 60n, 0);
  const giveBack = account.take(allows(9, 600), 40n, 0);
  giveBack();
  giveBack();
  expect(() => account.take(allows(9, 600), 41n, 0)).toThrow('40 remains of the grant');
});

it('a grant that is signed again with a wider window counts what the narrower one did not ask for', () => {
  const account = new GrantAccount();
  for (const seconds of [0, 20, 40]) account.take(allows(1, 10), 10n, seconds * 1000);
  expect(() => account.take(allows(3, 3600), 10n, 60_000)).toThrow('allows 3 payments in 3600 seconds');
});
