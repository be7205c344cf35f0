// The chain of checks, in the order they run: cheapest first, signatures after everything that needs none. The list is
// data; running it is a loop.

import { type ArtifactName, type ReasonCode, type Refusal, refuse } from '../reason-codes.ts';
import type { Check } from './check.ts';
import { grantPerTransaction, offlineSingle, sbaCeiling, spaAmount } from './checks/amounts.ts';
import {
  budgetTotal,
  fleetPolicyTotal,
  grantTotal,
  idempotency,
  offlineCumulative,
  replay,
  velocity,
} from './checks/counters.ts';
import { fleetPolicyExpiry, grantExpiry, grantRevoked, sbaExpiry, spaExpiry } from './checks/expiry.ts';
import { fleetPolicyActor, fleetPolicyCap, fleetPolicyOperator, fleetPolicyTerms } from './checks/fleet-policy.ts';
import {
  sbaActor,
  sbaGrantLink,
  sbaPolicyHash,
  sbaScope,
  sbaSession,
  sbaSubject,
  spaBudgetLink,
} from './checks/links.ts';
import {
  fleetPolicyPresented,
  grantPresented,
  intentPresented,
  spaPresented,
  storeSound,
  strictXrpl,
  trustLoaded,
} from './checks/presented.ts';
import { fleetPolicySignature, grantSignature, sbaSignature, spaSignature } from './checks/signatures.ts';
import { fleetPolicySigner, grantSigner, sbaSigner, spaSigner } from './checks/signers.ts';
import {
  asset,
  gateway,
  grantDestination,
  intentHash,
  intentTerms,
  purpose,
  rail,
  sbaAssetsInGrant,
  sbaCurrency,
  sbaDestination,
  sbaRailsInGrant,
  spaTerms,
} from './checks/terms.ts';
import type { Payment } from './payment.ts';

/** Every check of a payment, in order. */
export const CHAIN: readonly Check[] = Object.freeze([
  trustLoaded,
  storeSound,
  grantPresented,
  spaPresented,
  intentPresented,
  fleetPolicyPresented,
  strictXrpl,
  grantExpiry,
  sbaExpiry,
  spaExpiry,
  fleetPolicyExpiry,
  grantRevoked,
  sbaGrantLink,
  sbaPolicyHash,
  sbaSession,
  spaBudgetLink,
  sbaScope,
  sbaActor,
  sbaSubject,
  sbaRailsInGrant,
  sbaAssetsInGrant,
  sbaCurrency,
  rail,
  asset,
  sbaDestination,
  grantDestination,
  purpose,
  gateway,
  spaTerms,
  intentHash,
  intentTerms,
  spaAmount,
  sbaCeiling,
  grantPerTransaction,
  offlineSingle,
  fleetPolicyTerms,
  fleetPolicyActor,
  fleetPolicyOperator,
  fleetPolicyCap,
  grantSigner,
  sbaSigner,
  spaSigner,
  fleetPolicySigner,
  idempotency,
  replay,
  budgetTotal,
  grantTotal,
  fleetPolicyTotal,
  offlineCumulative,
  velocity,
  grantSignature,
  sbaSignature,
  spaSignature,
  fleetPolicySignature,
]);

/** The checks a grant gets when it is looked at alone. */
export const GRANT_CHAIN: readonly Check[] = Object.freeze([
  trustLoaded,
  grantExpiry,
  grantRevoked,
  grantSigner,
  grantSignature,
]);

/** The checks a fleet policy gets when it is looked at alone, against its grant. */
export const FLEET_POLICY_CHAIN: readonly Check[] = Object.freeze([
  trustLoaded,
  fleetPolicyExpiry,
  fleetPolicyTerms,
  fleetPolicyOperator,
  fleetPolicyCap,
  fleetPolicySigner,
  fleetPolicySignature,
]);

/** One line of a trace. */
export interface TraceEntry {
  readonly artifact: ArtifactName;
  readonly check: string;
  readonly clause: string;
  readonly verdict: 'pass' | 'skip' | 'fail' | 'not-run';
  readonly code?: ReasonCode;
  readonly detail?: string;
}

/** Runs checks until one fails. With `trace`, every check adds its line, those after a failure as not run. */
export function runChain(checks: readonly Check[], payment: Payment, trace?: TraceEntry[]): Refusal | undefined {
  let refusal: Refusal | undefined;
  for (const check of checks) {
    if (refusal !== undefined) {
      trace?.push({ artifact: check.artifact, check: check.id, clause: check.clause, verdict: 'not-run' });
      continue;
    }
    const outcome = check.run(payment);
    if (outcome.verdict === 'fail') refusal = refuse(check.artifact, check.id, outcome.code, outcome.detail);
    trace?.push({ artifact: check.artifact, check: check.id, clause: check.clause, ...outcome });
    if (refusal !== undefined && trace === undefined) return refusal;
  }
  return refusal;
}
