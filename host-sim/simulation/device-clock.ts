// A device's clock: the true time with an error that may grow. It counts from a start on, and knows no time of day after one
// unless a battery has kept it.

import type { Clock } from '../../core/ports/ports.ts';

/** Gives true wall time, in milliseconds. */
export type TrueTime = () => number;

/** See the head of the file. Right at first. */
export class DeviceClock implements Clock {
  readonly #trueMs: TrueTime;
  readonly #battery: boolean;
  #startedMs: number;
  #isSet = true;
  /** What it showed when it was set last, and the true time then. */
  #shownMs: number;
  #sinceMs: number;
  /** Milliseconds that it gains in a million. */
  #driftPpm = 0;

  constructor(trueMs: TrueTime, battery: boolean) {
    this.#trueMs = trueMs;
    this.#battery = battery;
    this.#startedMs = trueMs();
    this.#shownMs = this.#startedMs;
    this.#sinceMs = this.#startedMs;
  }

  wallMs(): number | undefined {
    return this.#isSet ? this.#shows() : undefined;
  }

  monotonicMs(): number {
    return this.#trueMs() - this.#startedMs;
  }

  /** How much it is ahead of true time, in milliseconds; undefined where it is not set. */
  get aheadMs(): number | undefined {
    return this.#isSet ? this.#shows() - this.#trueMs() : undefined;
  }

  /** Sets it. */
  set(wallMs: number): void {
    this.#isSet = true;
    this.#shownMs = wallMs;
    this.#sinceMs = this.#trueMs();
  }

  /** From now on it gains so much, or loses where that is below zero. */
  drift(ppm: number): void {
    this.#shownMs = this.#shows();
    this.#sinceMs = this.#trueMs();
    this.#driftPpm = ppm;
  }

  /** The device starts: it counts anew. */
  started(): void {
    this.#startedMs = this.#trueMs();
    if (!this.#battery) this.#isSet = false;
  }

  #shows(): number {
    const passedMs = this.#trueMs() - this.#sinceMs;
    return Math.floor(this.#shownMs + passedMs + (passedMs * this.#driftPpm) / 1_000_000);
  }
}
