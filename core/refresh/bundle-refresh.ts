// When to fetch Trust Bundles: a state machine without input and output. Whoever has a network asks what to do next, does it,
// and says what came of it.
//
//   const step = refresh.next({ nowMs, linkUp, clockSet, busy });
//   'connect' → bring the network up; 'set-time' → ask for the time; 'fetch' → send step.fetch.order, and tell step.fetch
//
// What is asked for again and again is asked for at a bounded pace, whatever a server answers and whoever asks for haste: a
// radio, a flash and a Policy Authority wear out. What is in force is on flash; all that is remembered here may be lost.

import {
  LOGGED_CHARACTERS,
  REFRESH_FIRST_WAIT_MS,
  REFRESH_LEAST_GAP_MS,
  REFRESH_LONGEST_WAIT_MS,
  REFRESH_MARGIN_PACE_MS,
  REFRESH_SPREAD_MS,
  REFRESH_STAGE_MS,
  REFRESH_START_SPREAD_MS,
  REFRESH_URGENT_EACH_MS,
  REFRESH_URGENT_MOST,
} from '../limits.ts';
import type { Crypto, Log } from '../ports/ports.ts';
import type { Refusal } from '../reason-codes.ts';
import type { SetAdmission } from '../trust/admission.ts';
import type { BundleScope } from '../trust/configuration.ts';
import type { HeldBundle } from '../trust/held-bundle.ts';
import type { BundleIntake } from '../trust/stored-bundles.ts';
import { BundleFetch, bundlePath, FETCH_BYTES, type FetchFailure, type FetchResult } from './bundle-fetch.ts';
import { marginBegins } from './margin.ts';
import type { RefreshSettings } from './settings.ts';
import { backoff, spread, spreadFromZero } from './waits.ts';

/** What of a verifier is asked and told. */
export interface Refreshed {
  readonly site: { readonly bundleScope: BundleScope; readonly refresh: RefreshSettings };
  readonly trust: { readonly bundles: readonly HeldBundle[] };
  now(): number | Refusal;
  beginBundles(): BundleIntake | Refusal;
}

/** What a refresh is made of. */
export interface RefreshParts {
  readonly verifier: Refreshed;
  readonly crypto: Pick<Crypto, 'sha256'>;
  /** From 0 up to 1, without 1: spreads the requests of a fleet. */
  readonly random: () => number;
  readonly log?: Log;
}

/** How things stand with the device. */
export interface RefreshConditions {
  /** A monotonic time. */
  readonly nowMs: number;
  readonly linkUp: boolean;
  /** Whether the clock was set since power-up: TLS needs it. */
  readonly clockSet: boolean;
  /** True from the moment that a payer presents something until the answer: flash and processor are the payment's. */
  readonly busy: boolean;
}

/** What to do next. */
export type RefreshStep =
  /** Bring the network up, then ask again. */
  | { readonly kind: 'connect' }
  /** Have the clock set over the network, then ask again. */
  | { readonly kind: 'set-time' }
  /** Send the order, and tell the fetch what comes back. */
  | { readonly kind: 'fetch'; readonly fetch: BundleFetch }
  /** Ask again in so many milliseconds, or when something has changed. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** A payment is under way: ask again after it. */
  | { readonly kind: 'nothing' };

type Stage = 'connect' | 'set-time';

/** The header by which any answer, whoever gives it, may say that there are new bundles: `Mpcp-Refresh: trust-bundles`. */
export const REFRESH_HEADER = 'mpcp-refresh';

/** True where an answer's `REFRESH_HEADER` says so. */
export function asksForRefresh(header: string | null | undefined): boolean {
  return header === 'trust-bundles';
}

/** See the head of the file. No answer makes it throw. */
export class BundleRefresh {
  readonly #verifier: Refreshed;
  readonly #crypto: Pick<Crypto, 'sha256'>;
  readonly #random: () => number;
  readonly #log: Log | undefined;
  /** Monotonic time before which nothing is done; undefined until the first question. */
  #waitUntilMs: number | undefined;
  /** What a server has asked for, which no haste goes below. */
  #heldUntilMs = 0;
  #failures = 0;
  /** True where what failed last was the network. */
  #lostLink = false;
  #wasUp = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  #stage: Stage | undefined;
  #stageSinceMs = 0;
  /** True where a clock that cannot be set need not be, for this attempt. */
  #withoutTime = false;
  #fetch: BundleFetch | undefined;
  #etag: string | undefined;
  /** What was in force when the tag came. A trust set never changes its list, it takes another. */
  #etagOf: readonly HeldBundle[] | undefined;
  /** True where the last answer said that nothing has changed. */
  #wasUnchanged = false;
  #isUrgent = false;
  #urgentLeft = REFRESH_URGENT_MOST;
  #urgentFromMs = 0;
  /** True where a refused message was told: one line, not one for each. */
  #toldRefused = false;

  constructor(parts: RefreshParts) {
    this.#verifier = parts.verifier;
    this.#crypto = parts.crypto;
    this.#random = parts.random;
    this.#log = parts.log;
  }

  /** What to do next. A request whose time is up is given up by this. */
  next({ nowMs, linkUp, clockSet, busy }: RefreshConditions): RefreshStep {
    if (this.#fetch !== undefined && !this.#fetch.isLate(nowMs)) return { kind: 'wait', ms: this.#fetch.leftMs(nowMs) };
    this.observeLink(nowMs, linkUp);
    this.#waitUntilMs ??= this.isNear(this.leftOfMargin()) ? nowMs : nowMs + this.fromZero(REFRESH_START_SPREAD_MS);
    if (nowMs < this.#waitUntilMs) return { kind: 'wait', ms: this.#waitUntilMs - nowMs };
    if (busy) return { kind: 'nothing' };
    if (!linkUp) return this.stage(nowMs, 'connect');
    const hasTime = clockSet && typeof this.#verifier.now() === 'number';
    if (!hasTime && !this.#withoutTime) return this.stage(nowMs, 'set-time');
    return { kind: 'fetch', fetch: this.begin(nowMs) };
  }

  /**
   * The network does not come up, or no time can be had.
   *
   * @returns the failure; undefined where it goes on all the same: a site that needs no clock may try its luck
   */
  gaveUp(nowMs: number, detail: string): (FetchResult & { readonly kind: 'failed' }) | undefined {
    const failure = this.#stage === 'set-time' ? 'no-time' : 'link-down';
    this.#stage = undefined;
    if (failure === 'no-time' && typeof this.#verifier.now() === 'number') {
      this.#withoutTime = true;
      return undefined;
    }
    this.failed(nowMs, failure, detail, 0);
    return { kind: 'failed', failure, detail };
  }

  /** Forgets that there is something to wait for: somebody who stands before the device asks for it. */
  hurry(): void {
    this.#waitUntilMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Something from outside says that there are new bundles: a message, a flag in an answer. Whoever it is, it is believed a few
   * times and then once an hour. What a server has asked for to wait is waited for.
   *
   * @param reason for the log
   * @returns whether it is believed
   */
  urgent(nowMs: number, reason: string): boolean {
    // One that waits for its request already is as good as two.
    if (this.#isUrgent) return true;
    const earned = Math.floor((nowMs - this.#urgentFromMs) / REFRESH_URGENT_EACH_MS);
    if (earned > 0) {
      this.#urgentLeft = Math.min(this.#urgentLeft + earned, REFRESH_URGENT_MOST);
      this.#urgentFromMs += earned * REFRESH_URGENT_EACH_MS;
    }
    const isBelieved = this.#urgentLeft > 0;
    if (isBelieved) {
      if (this.#urgentLeft === REFRESH_URGENT_MOST) this.#urgentFromMs = nowMs;
      this.#urgentLeft--;
      this.#isUrgent = true;
      this.haste(nowMs);
    }
    if (isBelieved || !this.#toldRefused)
      this.#log?.emit({ event: 'refresh.urgent', reason: reason.slice(0, LOGGED_CHARACTERS), believed: isBelieved });
    this.#toldRefused = !isBelieved;
    return isBelieved;
  }

  /**
   * Messages may have been missed: whoever brings them could not be reached for a while. The next request comes soon, but not
   * within `REFRESH_URGENT_EACH_MS` of the last one, however often that happens; and it costs no urgent one.
   */
  missed(nowMs: number): void {
    this.haste(nowMs, REFRESH_URGENT_EACH_MS);
  }

  /** Milliseconds until the first bundle in force is near its expiry, which may be past; undefined where none is in force. */
  private leftOfMargin(): number | undefined {
    const now = this.#verifier.now();
    if (typeof now !== 'number') return undefined;
    let least: number | undefined;
    for (const bundle of this.#verifier.trust.bundles) {
      // What has expired and nobody has renewed is held for what it revokes.
      if (bundle.expiresAtMs <= now) continue;
      const left = marginBegins(bundle, this.#verifier.site.refresh) - now;
      if (least === undefined || left < least) least = left;
    }
    return least;
  }

  /** True where a bundle is near its expiry, or none is in force: what says "unchanged" then says nothing good. */
  private isNear(left: number | undefined): boolean {
    return left === undefined || left <= 0;
  }

  private begin(nowMs: number): BundleFetch {
    const { site, trust } = this.#verifier;
    const left = this.leftOfMargin();
    const isInForce = trust.bundles === this.#etagOf && left !== undefined;
    // Near an expiry every second request is for all of it: what stands between may say "unchanged" for longer than is true.
    const etag = isInForce && !(this.isNear(left) && this.#wasUnchanged) ? this.#etag : undefined;
    const headers: Record<string, string> = { accept: 'application/json', 'accept-encoding': 'identity' };
    if (etag !== undefined) headers['if-none-match'] = etag;
    if (this.#isUrgent) headers['cache-control'] = 'no-cache';
    const { timeoutMs } = site.refresh;
    const order = { path: bundlePath(site.bundleScope), headers, timeoutMs, maxBytes: FETCH_BYTES };
    this.#stage = undefined;
    this.#withoutTime = false;
    this.#isUrgent = false;
    this.#lastMs = nowMs;
    this.#log?.emit({ event: 'refresh.begin', conditional: etag !== undefined });
    this.#fetch = new BundleFetch({
      order,
      etag,
      beganMs: nowMs,
      crypto: this.#crypto,
      begin: () => this.#verifier.beginBundles(),
      over: (endMs, result, tag, retryAfterMs) => this.over(endMs, result, tag, retryAfterMs),
    });
    return this.#fetch;
  }

  private over(nowMs: number, result: FetchResult, etag: string | undefined, retryAfterMs: number): void {
    this.#fetch = undefined;
    if (result.kind === 'failed') this.failed(nowMs, result.failure, result.detail, retryAfterMs);
    else if (result.kind === 'unchanged') this.succeeded(nowMs, true);
    else this.fetched(nowMs, result.admissions, etag);
    // Asked for while the answer was on its way, which may be older than what was meant.
    if (this.#isUrgent) this.haste(nowMs);
  }

  private fetched(nowMs: number, admissions: SetAdmission, etag: string | undefined): void {
    const { bundles } = this.#verifier.trust;
    const refusal = refusalOfAll(admissions);
    // Where a part was taken, what is in force is another: a tag of before says nothing any more.
    if (refusal === undefined) {
      this.#etag = etag;
      this.#etagOf = bundles;
      this.succeeded(nowMs, false);
      return;
    }
    // The same old bundle again, or somebody else's: nothing is fresher than it was.
    this.#wasUnchanged = false;
    this.failed(nowMs, 'refused', refusal, 0);
  }

  private succeeded(nowMs: number, isUnchanged: boolean): void {
    this.#failures = 0;
    this.#heldUntilMs = 0;
    this.#lostLink = false;
    this.#wasUnchanged = isUnchanged;
    const left = this.leftOfMargin();
    const { intervalMs } = this.#verifier.site.refresh;
    const pace = Math.min(REFRESH_MARGIN_PACE_MS, intervalMs);
    const whole = left === undefined ? pace : Math.min(intervalMs, Math.max(left, 0) + pace);
    const waitMs = spread(whole, this.#random);
    this.#waitUntilMs = nowMs + waitMs;
    this.#log?.emit({ event: 'refresh.done', unchanged: isUnchanged, near: this.isNear(left), waitMs });
  }

  private failed(nowMs: number, failure: FetchFailure | 'refused', detail: string, retryAfterMs: number): void {
    const longest = this.isNear(this.leftOfMargin()) ? REFRESH_MARGIN_PACE_MS : REFRESH_LONGEST_WAIT_MS;
    const whole = backoff(REFRESH_FIRST_WAIT_MS, longest, this.#failures);
    this.#failures++;
    this.#heldUntilMs = nowMs + retryAfterMs;
    const waitMs = Math.max(spread(whole, this.#random), retryAfterMs);
    this.#waitUntilMs = nowMs + waitMs;
    this.#withoutTime = false;
    this.#lostLink = failure === 'link-down' || failure === 'unreachable';
    this.#log?.emit({ event: 'refresh.failed', failure, detail, waitMs });
  }

  /** A stage that does not end is given up. */
  private stage(nowMs: number, stage: Stage): RefreshStep {
    if (this.#stage !== stage) {
      this.#stage = stage;
      this.#stageSinceMs = nowMs;
    }
    if (nowMs - this.#stageSinceMs < REFRESH_STAGE_MS) return { kind: stage };
    const what = stage === 'connect' ? 'no network came up' : 'the clock was not set';
    this.gaveUp(nowMs, `${what} within ${REFRESH_STAGE_MS} ms`);
    return { kind: 'wait', ms: Math.max((this.#waitUntilMs as number) - nowMs, 0) };
  }

  /** A network that is back ends the wait for it. */
  private observeLink(nowMs: number, linkUp: boolean): void {
    if (linkUp && !this.#wasUp && this.#lostLink) {
      this.#lostLink = false;
      // One that comes and goes does not: each request that failed makes the next one later.
      this.haste(nowMs, backoff(REFRESH_LEAST_GAP_MS, REFRESH_MARGIN_PACE_MS, this.#failures));
    }
    this.#wasUp = linkUp;
  }

  /** Soon, but not all devices at one moment, not one of them without end, and not against a server's word. */
  private haste(nowMs: number, gapMs = REFRESH_LEAST_GAP_MS): void {
    const soon = nowMs + this.fromZero(REFRESH_SPREAD_MS);
    const due = Math.max(soon, this.#lastMs + gapMs, this.#heldUntilMs);
    if (this.#waitUntilMs === undefined || due < this.#waitUntilMs) this.#waitUntilMs = due;
  }

  private fromZero(wholeMs: number): number {
    return spreadFromZero(wholeMs, this.#random);
  }
}

/** Why none of an answer was taken, undefined where some of it was. */
function refusalOfAll(admissions: SetAdmission): string | undefined {
  if ('ok' in admissions) return `${admissions.code}: ${admissions.detail}`;
  if (admissions.some((admission) => admission.ok)) return undefined;
  const [first] = admissions;
  return first === undefined || first.ok ? 'the answer holds no bundle' : `${first.code}: ${first.detail}`;
}
