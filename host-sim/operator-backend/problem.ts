// What an operator's backend answers when it does not do what it was asked.

import type { JsonObject } from '../../core/json/value.ts';
import { HttpProblem } from '../http/problem.ts';

/** What went wrong, for programs. */
export type ProblemCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'key_not_found'
  | 'format_unknown'
  | 'receipt_invalid'
  | 'receipts_out_of_order'
  | 'grant_missing'
  | 'receipt_altered'
  | 'receipt_conflict'
  | 'state_invalid'
  | 'clock_not_set';

/** Thrown by a route; the server answers it. */
export class Problem extends HttpProblem {
  declare readonly code: ProblemCode;

  /**
   * @param detail one sentence for a person
   * @param more members that the body has besides
   */
  constructor(status: number, code: ProblemCode, detail: string, more: JsonObject = {}) {
    super(status, code, detail, more);
  }
}
