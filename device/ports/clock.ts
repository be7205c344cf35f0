// The Clock port on the SDK's time: the wall clock, which a chip without power loses, and ticks of 32 bits made to last.

import Time from 'time';
import { BUILD_TIME_MS } from '../../core/build-time.ts';
import { LATEST_TIME_MS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports/ports.ts';

/** See the head of the file. To be asked at least once in 49 days, or the monotonic time falls behind. */
export class DeviceClock implements Clock {
  readonly #earliestMs: number;
  #ticks: number;
  #elapsedMs = 0;

  /** @param earliestMs a clock before it was never set; left out: this firmware's build */
  constructor(earliestMs = BUILD_TIME_MS) {
    this.#earliestMs = earliestMs;
    this.#ticks = Time.ticks;
  }

  /** Without power the chip's clock begins at 1970: what is before the build was not set since. It outlasts a restart. */
  wallMs(): number | undefined {
    const now = Date.now();
    return this.#credible(now) ? now : undefined;
  }

  monotonicMs(): number {
    const ticks = Time.ticks;
    // The difference of two 32-bit counts, whichever sign they have.
    this.#elapsedMs += (ticks - this.#ticks) >>> 0;
    this.#ticks = ticks;
    return this.#elapsedMs;
  }

  /**
   * Sets the wall clock.
   *
   * @param timeMs milliseconds since 1970-01-01 UTC
   * @returns false, and nothing is set, for a time before the build or past what the core reckons with
   */
  set(timeMs: number): boolean {
    if (!this.#credible(timeMs)) return false;
    Time.set(Math.floor(timeMs / 1000));
    return true;
  }

  #credible(timeMs: number): boolean {
    return timeMs >= this.#earliestMs && timeMs <= LATEST_TIME_MS;
  }
}
