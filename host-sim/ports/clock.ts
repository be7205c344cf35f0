// A clock that stands still until it is told to move: every expiry, window and retry of a simulation is reproducible.

import type { Clock } from '../../core/ports/ports.ts';

/** A settable clock. Unset until it is given a wall time, like a device's after power-up. */
export class SimulatedClock implements Clock {
  #wallMs: number | undefined;
  #monotonicMs = 0;

  /** @param wallMs milliseconds since 1970-01-01 UTC; left out, the clock is unset */
  constructor(wallMs?: number) {
    this.#wallMs = wallMs;
  }

  wallMs(): number | undefined {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Sets the wall time, forwards or backwards; undefined unsets it. Monotonic time stays. */
  set(wallMs: number | undefined): void {
    this.#wallMs = wallMs;
  }

  /** Lets time pass. @throws RangeError for less than no time */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`time does not pass by ${ms} ms`);
    this.#monotonicMs += ms;
    if (this.#wallMs !== undefined) this.#wallMs += ms;
  }
}
