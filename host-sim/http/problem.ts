// What a server answers when it does not do what it was asked: a status, and the body `{error, detail}`.

import type { JsonObject } from '../../core/json/value.ts';

/** Thrown by a route; the server answers it. */
export class HttpProblem extends Error {
  readonly status: number;
  /** What went wrong, for programs. */
  readonly code: string;
  /** Members that the body has besides. */
  readonly more: JsonObject;

  /** @param detail one sentence for a person */
  constructor(status: number, code: string, detail: string, more: JsonObject = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}
