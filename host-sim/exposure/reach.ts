// When a device must know a revocation at the latest: worked out of the events of a run, by what the core's refresh promises
// (docs/REFRESH.md), and of nothing that the device says of itself but that it believes an urgent message.

import { REFRESH_LONGEST_WAIT_MS, REFRESH_MARGIN_PACE_MS, REFRESH_SPREAD_MS } from '../../core/limits.ts';
import type { RefreshSettings } from '../../core/refresh/settings.ts';
import type { TraceEvent } from '../simulation/trace.ts';

/** How a device asks for bundles. */
export type Asking = Pick<RefreshSettings, 'intervalMs' | 'timeoutMs'>;

/**
 * The longest that a device with power and an honest network takes to know a revocation, in milliseconds: a request that was
 * under way and brings what was before, the interval, and the request that brings it.
 */
export function connectedBound({ intervalMs, timeoutMs }: Asking): number {
  return timeoutMs + intervalMs + timeoutMs;
}

/** The same where it has believed an urgent message then. */
export function urgentBound({ intervalMs, timeoutMs }: Asking): number {
  return timeoutMs + Math.min(REFRESH_SPREAD_MS, intervalMs) + timeoutMs;
}

/** Time without a break in which a device could ask, and how long after its beginning it does so at the latest where it is due. */
interface Span {
  readonly fromMs: number;
  untilMs: number;
  readonly recoveryMs: number;
}

/** What an event takes away from a device, and what gives it back. */
const TROUBLES: { readonly [event: string]: readonly [what: 'link' | 'power' | 'fault', change: 1 | -1] } = {
  'link.down': ['link', 1],
  'link.up': ['link', -1],
  'device.power-lost': ['power', 1],
  'device.start-failed': ['power', 1],
  'device.started': ['power', -1],
  'fault.begins': ['fault', 1],
  'fault.ends': ['fault', -1],
};

/** When a device can ask: gathered from the events of a run, in their order. */
export class Reach {
  readonly #spans: Span[] = [{ fromMs: 0, untilMs: Number.POSITIVE_INFINITY, recoveryMs: 0 }];
  readonly #troubles = { link: 0, power: 0, fault: 0 };
  /** What was in the way since it could ask last: a link alone is asked over as soon as it is back. */
  #wasOnlyLink = true;
  readonly #urgentMs: number[] = [];

  /** Takes an event of the device. */
  heard({ event, ms, believed, fault }: TraceEvent): void {
    if (event === 'refresh.urgent' && believed === true) this.#urgentMs.push(ms);
    const trouble = TROUBLES[event];
    if (trouble === undefined) return;
    const [what, change] = trouble;
    // What is wrong with a reader's line keeps payers from an answer, and the device from nothing.
    if (what === 'fault' && String(fault).startsWith('reader ')) return;
    const wasFree = this.#isFree();
    // A device has power or has none, however often it is said.
    this.#troubles[what] = what === 'fault' ? this.#troubles.fault + change : change === 1 ? 1 : 0;
    if (what !== 'link' && change === 1) this.#wasOnlyLink = false;
    const isFree = this.#isFree();
    // A start with nothing before it, which a new image brings, forgets what was waited for.
    const isNew = isFree && (!wasFree || (event === 'device.started' && ms > 0));
    if (wasFree && (!isFree || isNew)) (this.#spans.at(-1) as Span).untilMs = ms;
    if (isNew) this.#begin(ms, !wasFree && this.#wasOnlyLink);
  }

  /** Whether it believed an urgent message at a moment. */
  wasTold(atMs: number): boolean {
    return this.#urgentMs.includes(atMs);
  }

  /**
   * How long after a revocation the device knows it at the latest, in milliseconds.
   *
   * @param endMs when the run ends
   * @returns undefined where it could not ask for long enough before the end
   */
  bound(revokedMs: number, endMs: number, { intervalMs, timeoutMs }: Asking): number | undefined {
    const told = this.#urgentMs.filter((ms) => ms >= revokedMs).map((ms) => ms + REFRESH_SPREAD_MS);
    const dueMs = Math.min(revokedMs + intervalMs, ...told) + timeoutMs;
    for (const { fromMs, untilMs, recoveryMs } of this.#spans) {
      const knownMs = Math.max(dueMs, fromMs + recoveryMs) + timeoutMs;
      if (knownMs < Math.min(untilMs, endMs)) return knownMs - revokedMs;
    }
    return undefined;
  }

  #begin(ms: number, afterLinkAlone: boolean): void {
    const recoveryMs = afterLinkAlone ? REFRESH_MARGIN_PACE_MS : REFRESH_LONGEST_WAIT_MS;
    this.#spans.push({ fromMs: ms, untilMs: Number.POSITIVE_INFINITY, recoveryMs });
    this.#wasOnlyLink = true;
  }

  #isFree(): boolean {
    return Object.values(this.#troubles).every((count) => count <= 0);
  }
}
