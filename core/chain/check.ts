// What a check is: one small function with the rule's name, the clause it implements, and the code it refuses with. The
// chain is a list of these, so that the order is data and a trace can show all of it.

import type { ArtifactName, ReasonCode } from '../reason-codes.ts';
import type { Payment } from './payment.ts';

/** What a check found. */
export type Outcome =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'skip'; readonly detail: string }
  | { readonly verdict: 'fail'; readonly code: ReasonCode; readonly detail: string };

/** One rule of the chain. */
export interface Check {
  /** `artifact.rule`, as it appears in refusals and traces. */
  readonly id: string;
  /** What a refusal by it is about. */
  readonly artifact: ArtifactName;
  /** The clause it implements. */
  readonly clause: string;
  readonly run: (payment: Payment) => Outcome;
}

/** The rule holds. */
export const PASS: Outcome = Object.freeze({ verdict: 'pass' });

/** The rule has nothing to look at; the reason shows in the trace. */
export function skip(detail: string): Outcome {
  return { verdict: 'skip', detail };
}

/** The rule is broken. */
export function fail(code: ReasonCode, detail: string): Outcome {
  return { verdict: 'fail', code, detail };
}

/** Names a check. */
export function check(artifact: ArtifactName, rule: string, clause: string, run: (payment: Payment) => Outcome): Check {
  return Object.freeze({ id: `${artifact}.${rule}`, artifact, clause, run });
}
