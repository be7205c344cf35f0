// The rollback counter of provisioning images, kept in the spend ledger: an image that is older than one the device has run
// with brings back root keys that were removed since.

import type { SpendLedger } from '../ledger/ledger.ts';
import { olderText } from './partition.ts';
import { ProvisioningProblem } from './provisioning.ts';

/**
 * What the ledger keeps it under, among the identities of bundles: they have four parts in brackets, so none is this one. It is
 * kept as they are, for ever.
 */
export const COUNTER_IDENTITY = 'provisioning';
const NO_DIGEST = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0';

/** The highest counter the device has run with; 0 where it has run with none, or the ledger cannot tell. */
export function newestCounter(ledger: SpendLedger): number {
  return ledger.newestBundle(COUNTER_IDENTITY)?.issuedAtMs ?? 0;
}

/**
 * Takes an image's counter before its first use: durable when this returns.
 *
 * @returns why the image may not be used: `rollback` for one that is older than the newest, `store` where the ledger cannot
 *   remember it
 */
export function admitCounter(ledger: SpendLedger, counter: number): ProvisioningProblem | undefined {
  const newest = newestCounter(ledger);
  if (counter < newest) return new ProvisioningProblem('rollback', olderText(counter, newest));
  const refusal = ledger.admitted(
    COUNTER_IDENTITY,
    { issuedAtMs: counter, expiresAtMs: counter, digest: NO_DIGEST },
    // One that is known is no news, also where something is missing from the ledger.
    true,
  );
  if (refusal === undefined) return undefined;
  return new ProvisioningProblem('store', `provisioning: counter ${counter} cannot be remembered: ${refusal.detail}`);
}
