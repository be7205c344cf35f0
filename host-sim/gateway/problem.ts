// What a gateway answers when it does not do what it was asked.

import type { JsonObject } from '../../core/json/value.ts';
import { HttpProblem } from '../http/problem.ts';

/** What went wrong, for programs. */
export type ProblemCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'currency_not_supported'
  | 'grant_not_accepted'
  | 'session_expired'
  | 'grant_revoked'
  | 'session_proof_invalid'
  | 'session_proof_stale'
  | 'purpose_not_allowed'
  | 'budget_exceeded'
  | 'velocity_exceeded'
  | 'payment_terms_invalid'
  | 'merchant_unreachable';

/** Thrown by a route; the server answers it. */
export class Problem extends HttpProblem {
  declare readonly code: ProblemCode;

  /** @param detail one sentence for a person */
  constructor(status: number, code: ProblemCode, detail: string, more: JsonObject = {}) {
    super(status, code, detail, more);
  }
}
