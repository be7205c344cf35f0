// What a check is: one small function with the rule's name, the clause it implements, and the code it refuses with. The
// chain is a list of these, so that the order is data and a trace can show all of it.

import type { ArtifactName, ReasonCode } from '../reason-codes.ts';
import type { Payment, PaymentArtifacts } from './payment.ts';

/** What a check found. */
export type Outcome =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'skip'; readonly detail: string }
  | { readonly verdict: 'fail'; readonly code: ReasonCode; readonly detail: string };

/** An artifact that may be absent. */
export type Needs = 'grant' | 'spa' | 'intent' | 'fleetPolicy';

/** What a check whose artifact is absent shows as. */
export const ABSENT: Outcome = { verdict: 'skip', detail: 'not presented' };

/** One rule of the chain. */
export interface Check {
  /** `artifact.rule`, as it appears in refusals and traces. */
  readonly id: string;
  /** What a refusal by it is about. */
  readonly artifact: ArtifactName;
  /** The clause it implements. */
  readonly clause: string;
  /** The artifact without which it has nothing to look at: then it is not called, and shows as skipped. */
  readonly needs: Needs | undefined;
  readonly run: (payment: Payment) => Outcome;
}

/** The rule holds. */
export const PASS: Outcome = Object.freeze({ verdict: 'pass' } as const);

/** The rule has nothing to look at; the reason shows in the trace. */
export function skip(detail: string): Outcome {
  return { verdict: 'skip', detail };
}

/** The rule is broken. */
export function fail(code: ReasonCode, detail: string): Outcome & { readonly verdict: 'fail' } {
  return { verdict: 'fail', code, detail };
}

/** Names a check. */
export function check(artifact: ArtifactName, rule: string, clause: string, run: (payment: Payment) => Outcome): Check {
  return Object.freeze({ id: `${artifact}.${rule}`, artifact, clause, needs: undefined, run });
}

/** A payment in which an artifact is there. */
export type PaymentWith<N extends Needs> = Payment & {
  readonly artifacts: { readonly [K in N]-?: NonNullable<PaymentArtifacts[K]> };
};

/** Names a check that looks at an artifact which may be absent; it is called only where it is there. */
export function checkOf<N extends Needs>(
  needs: N,
  artifact: ArtifactName,
  rule: string,
  clause: string,
  run: (payment: PaymentWith<N>) => Outcome,
): Check {
  return Object.freeze({ id: `${artifact}.${rule}`, artifact, clause, needs, run: run as Check['run'] });
}
