// What a Policy Authority answers when it does not do what it was asked: a status, and the body `{error, detail}`.

import { HttpProblem } from '../http/problem.ts';

/** What went wrong, for programs. */
export type ProblemCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'policy_not_found'
  | 'grant_not_found'
  | 'key_not_found'
  | 'key_exists'
  | 'grant_invalid'
  | 'grant_too_large'
  | 'revocations_full'
  | 'body_too_large'
  | 'bundle_invalid'
  | 'bundle_too_large'
  | 'too_many_bundles'
  | 'unsupported_media_type'
  | 'clock_not_set'
  | 'internal_error';

/** Thrown by a route; the server answers it. */
export class Problem extends HttpProblem {
  declare readonly code: ProblemCode;

  /** @param detail one sentence for a person */
  // biome-ignore lint/complexity/noUselessConstructor: it narrows the code
  constructor(status: number, code: ProblemCode, detail: string) {
    super(status, code, detail);
  }
}
