// One request for Trust Bundles, from what is to be sent to what came of it. Whoever has the network asks `order`, sends it, and
// says what comes back; the bytes go on into the bundle partition as they arrive, within size and time, and are never held.

import { encodeBase64Url } from '../encoding/base64.ts';
import { BUNDLE_SET_BYTES, REFRESH_LONGEST_WAIT_MS } from '../limits.ts';
import type { Crypto, Hash } from '../ports/ports.ts';
import type { Refusal } from '../reason-codes.ts';
import type { SetAdmission } from '../trust/admission.ts';
import type { BundleScope } from '../trust/configuration.ts';
import type { BundleIntake } from '../trust/stored-bundles.ts';

/** A GET that is to be sent to the Policy Authority. Redirects are not to be followed. */
export interface FetchOrder {
  /** Path and query. */
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  /** For a whole answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Bytes of an answer. */
  readonly maxBytes: number;
}

/** Why nothing was fetched. The first three are for those who have the network to say. */
export type FetchFailure =
  | 'link-down'
  | 'unreachable'
  | 'timeout'
  | 'http-status'
  /** An access point that wants a person to sign in, or a server that has moved. */
  | 'redirected'
  /** It is no JSON: an access point's page. */
  | 'content-type'
  | 'too-large'
  | 'empty'
  /** No time could be had. */
  | 'no-time';

/** What a request came to. `admissions` holds refusals too: a set is admitted bundle by bundle. */
export type FetchResult =
  | { readonly kind: 'fetched'; readonly admissions: SetAdmission }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'failed'; readonly failure: FetchFailure; readonly detail: string };

/** A header of an answer by its name in lower case, undefined where there is none. */
export type HeaderOf = (name: string) => string | null | undefined;

/** What a request needs. */
export interface FetchParts {
  readonly order: FetchOrder;
  /** The tag in the order. */
  readonly etag: string | undefined;
  /** Monotonic time when it was begun. */
  readonly beganMs: number;
  readonly crypto: Pick<Crypto, 'sha256'>;
  begin(): BundleIntake | Refusal;
  /** Is called once, at its end. */
  over(nowMs: number, result: FetchResult, etag: string | undefined, retryAfterMs: number): void;
}

/** A tag that says what the bytes say: the base64url of their SHA-256, in quotes. */
const TAG_CHARACTERS = 45;
/** Digits of a Retry-After: more than any bound. */
const RETRY_DIGITS = 9;

/** The path of a scope's bundles. */
export function bundlePath({ category, merchant, region }: BundleScope): string {
  const query: string[] = [];
  if (category !== undefined) query.push(`category=${encodeURIComponent(category)}`);
  if (merchant !== undefined) query.push(`merchant=${encodeURIComponent(merchant)}`);
  if (region !== undefined) query.push(`region=${encodeURIComponent(region)}`);
  return query.length === 0 ? '/trust-bundles' : `/trust-bundles?${query.join('&')}`;
}

/**
 * See the head of the file. What is said about a request that is over changes nothing. Bytes go to flash, and at the end their
 * signatures are verified: whoever has the network does not read on while a payment is under way.
 */
export class BundleFetch {
  readonly order: FetchOrder;
  readonly #parts: FetchParts;
  #result: FetchResult | undefined;
  #intake: BundleIntake | undefined;
  /** Where the server's tag may be one that says what the bytes say. */
  #hash: Hash | undefined;
  #tag = '';
  #bytes = 0;
  #isBody = false;

  constructor(parts: FetchParts) {
    this.order = parts.order;
    this.#parts = parts;
  }

  /** What came of it; undefined while it is under way. */
  get result(): FetchResult | undefined {
    return this.#result;
  }

  /** Milliseconds until its time is up; none where it is over. */
  leftMs(nowMs: number): number {
    return this.#result === undefined ? Math.max(this.#parts.beganMs + this.order.timeoutMs - nowMs, 0) : 0;
  }

  /**
   * Takes status and headers.
   *
   * @param wallMs wall time where there is one, for a Retry-After that is a date
   * @returns whether the body is wanted; else the connection is to be closed
   */
  answered(nowMs: number, status: number, header: HeaderOf, wallMs?: number): boolean {
    if (this.isLate(nowMs)) return false;
    if (status === 304 && this.#parts.etag !== undefined) return this.end(nowMs, { kind: 'unchanged' });
    const retryAfterMs = retryAfter(header('retry-after'), wallMs);
    if (status >= 300 && status < 400 && status !== 304)
      return this.fail(nowMs, 'redirected', `the answer is a redirect (${status}), which is not followed`);
    if (status !== 200) return this.fail(nowMs, 'http-status', `the Policy Authority answered ${status}`, retryAfterMs);
    const type = header('content-type');
    if (typeof type === 'string' && mediaType(type) !== 'application/json')
      return this.fail(nowMs, 'content-type', 'the answer is not application/json');
    const encoding = header('content-encoding');
    if (typeof encoding === 'string' && encoding !== 'identity')
      return this.fail(nowMs, 'content-type', 'the answer is packed, which was not asked for');
    if (Number(header('content-length') ?? 0) > this.order.maxBytes) return this.tooLarge(nowMs);
    const tag = header('etag');
    if (typeof tag === 'string' && tag.length === TAG_CHARACTERS) {
      this.#tag = tag;
      this.#hash = this.#parts.crypto.sha256();
    }
    this.#isBody = true;
    return true;
  }

  /** Takes the next bytes of the body, as many as there are. @returns whether more are wanted */
  take(nowMs: number, chunk: Uint8Array): boolean {
    if (this.isLate(nowMs) || !this.#isBody) return false;
    if (chunk.length === 0) return true;
    this.#bytes += chunk.length;
    if (this.#bytes > this.order.maxBytes) return this.tooLarge(nowMs);
    if (this.#intake === undefined) {
      // What an access point says of itself is not erased flash for.
      if (!beginsAsJson(chunk[0] as number))
        return this.fail(nowMs, 'content-type', 'the answer does not begin as JSON does');
      const begun = this.#parts.begin();
      if ('ok' in begun) return this.end(nowMs, { kind: 'fetched', admissions: begun });
      this.#intake = begun;
    }
    this.#hash?.update(chunk);
    return this.#intake.write(chunk) === undefined ? true : this.whole(nowMs);
  }

  /** The body is whole. @returns what came of the request */
  ended(nowMs: number): FetchResult {
    if (!this.isLate(nowMs)) {
      if (!this.#isBody) this.fail(nowMs, 'unreachable', 'nothing was answered');
      else if (this.#intake === undefined) this.fail(nowMs, 'empty', 'the answer is empty');
      else this.whole(nowMs);
    }
    return this.#result as FetchResult;
  }

  /** No whole answer came. @returns what came of the request */
  failed(nowMs: number, failure: 'link-down' | 'unreachable' | 'timeout' | 'too-large', detail: string): FetchResult {
    if (this.#result === undefined) this.fail(nowMs, failure, detail);
    return this.#result as unknown as FetchResult;
  }

  /** Ends it where its time is up. @returns whether it is over */
  isLate(nowMs: number): boolean {
    if (this.#result !== undefined) return true;
    if (this.leftMs(nowMs) > 0) return false;
    this.fail(nowMs, 'timeout', `no whole answer within ${this.order.timeoutMs} ms`);
    return true;
  }

  private whole(nowMs: number): false {
    const intake = this.#intake as BundleIntake;
    this.#intake = undefined;
    const admissions = intake.end();
    // A tag may only say what the bytes say too. Else a fake access point serves an old set under the tag of the newest, and the
    // Policy Authority answers 304 to it ever after. And it says "I have all of this": not where something was refused.
    const isOwn = this.#hash !== undefined && `"${encodeBase64Url(this.#hash.digest())}"` === this.#tag;
    const etag = isOwn && admitsAll(admissions) ? this.#tag : undefined;
    return this.end(nowMs, { kind: 'fetched', admissions }, etag);
  }

  private tooLarge(nowMs: number): false {
    return this.fail(nowMs, 'too-large', `the answer has more than ${this.order.maxBytes} bytes`);
  }

  private fail(nowMs: number, failure: FetchFailure, detail: string, retryAfterMs = 0): false {
    return this.end(nowMs, { kind: 'failed', failure, detail }, undefined, retryAfterMs);
  }

  private end(nowMs: number, result: FetchResult, etag?: string, retryAfterMs = 0): false {
    this.#intake?.drop();
    this.#intake = undefined;
    this.#hash = undefined;
    this.#result = result;
    this.#parts.over(nowMs, result, etag, retryAfterMs);
    return false;
  }
}

/** What may be asked for at most, whatever there is to be held. */
export const FETCH_BYTES = BUNDLE_SET_BYTES;

/** True where there were bundles, and none was refused. */
function admitsAll(admissions: SetAdmission): boolean {
  return !('ok' in admissions) && admissions.length > 0 && admissions.every((admission) => admission.ok);
}

function beginsAsJson(byte: number): boolean {
  return byte === 0x7b || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The media type of a Content-Type header, without its parameters. */
export function mediaType(header: string): string {
  const end = header.indexOf(';');
  return (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
}

/** What a Retry-After asks for, in milliseconds, within what it may (RFC 9110 §10.2.3): seconds, or a date. */
function retryAfter(header: string | null | undefined, wallMs: number | undefined): number {
  if (typeof header !== 'string') return 0;
  const seconds = header.length <= RETRY_DIGITS && isDigits(header) ? Number(header) * 1000 : undefined;
  const ms = seconds ?? untilDate(header, wallMs);
  return Math.min(Math.max(ms, 0), REFRESH_LONGEST_WAIT_MS);
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`, and nothing else that an engine may take for a date. */
function untilDate(header: string, wallMs: number | undefined): number {
  if (wallMs === undefined || header.length !== 29 || !header.endsWith(' GMT')) return 0;
  const ms = Date.parse(header);
  return Number.isFinite(ms) ? ms - wallMs : 0;
}

function isDigits(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
