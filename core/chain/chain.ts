// The chain of checks, in the order they run: cheapest first, signatures after everything that needs none. The list is
// data; running it is a loop.

import { FlashError } from '../ports/ports.ts';
import { type ArtifactName, type ReasonCode, type Refusal, refuse } from '../reason-codes.ts';
import { ABSENT, type Check, fail, type Outcome } from './check.ts';
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
import { grantOnline } from './checks/online.ts';
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

/** The checks of a payment. The lists that are walked are not frozen: engines walk a frozen array several times slower. */
const PAYMENT_CHECKS: readonly Check[] = [
  storeSound,
  trustLoaded,
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
  intentTerms,
  spaAmount,
  sbaCeiling,
  grantPerTransaction,
  offlineSingle,
  fleetPolicyTerms,
  fleetPolicyActor,
  fleetPolicyOperator,
  fleetPolicyCap,
  intentHash,
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
  grantOnline,
];

/** What may be looked at, and the checks it gets. */
const CHECKS = {
  payment: PAYMENT_CHECKS,
  /** A grant alone. */
  grant: [trustLoaded, grantExpiry, grantRevoked, grantSigner, grantSignature],
  /** A fleet policy alone, against its grant. */
  fleetPolicy: [
    trustLoaded,
    fleetPolicyExpiry,
    fleetPolicyTerms,
    fleetPolicyOperator,
    fleetPolicyCap,
    fleetPolicySigner,
    fleetPolicySignature,
  ],
} satisfies { readonly [what: string]: readonly Check[] };

/** What a chain of checks is run on. */
export type Checked = keyof typeof CHECKS;

/** The checks that something gets, in order, for those who want to show them. */
export function checksOf(what: Checked): readonly Check[] {
  return Object.freeze([...CHECKS[what]]);
}

/** Every check of a payment, in order. */
export const CHAIN: readonly Check[] = checksOf('payment');

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
export function runChain(what: Checked, payment: Payment, trace?: TraceEntry[]): Refusal | undefined {
  const checks: readonly Check[] = CHECKS[what];
  const { artifacts } = payment;
  const { length } = checks;
  let at = 0;
  let refusal: Refusal | undefined;
  try {
    while (at < length) {
      const check = checks[at++] as Check;
      const { needs } = check;
      const absent = needs !== undefined && artifacts[needs] === undefined;
      if (absent && trace === undefined) continue;
      const outcome = absent ? ABSENT : check.run(payment);
      if (outcome.verdict === 'fail') {
        refusal = refused(check, outcome, trace);
        break;
      }
      if (trace !== undefined) note(check, outcome, trace);
    }
  } catch (error) {
    if (!(error instanceof FlashError)) throw error;
    // Where flash could not be read for a check nothing is known, and nothing that is not known passes.
    refusal = refused(checks[at - 1] as Check, fail('STORE_FAILED', error.message), trace);
  }
  for (; trace !== undefined && at < length; at++) note(checks[at] as Check, { verdict: 'not-run' }, trace);
  return refusal;
}

function refused(check: Check, outcome: Outcome & { verdict: 'fail' }, trace: TraceEntry[] | undefined): Refusal {
  if (trace !== undefined) note(check, outcome, trace);
  return refuse(check.artifact, check.id, outcome.code, outcome.detail);
}

function note({ artifact, id, clause }: Check, outcome: Outcome | { verdict: 'not-run' }, trace: TraceEntry[]): void {
  trace.push({ artifact, check: id, clause, ...outcome });
}
