// Whether a device's clock is to be set again before a server is asked. Where one cannot be reached, a wrong clock may be why: by it a
// certificate is out of its time. The word of a known server ends that, or whoever keeps servers away could have it set by a lie.

import type { Clock } from '../ports/ports.ts';

/** A clock that was confirmed goes on as the ticks of the device do. Where it has left them by more, it is another: it has jumped. */
const JUMP_MS = 3_600_000;

/** See the head of the file. For one start: ticks begin anew with each. */
export class ClockDoubt {
  readonly #clock: Clock;
  #isDoubted = false;
  /** By how much the clock was ahead of the ticks when it was confirmed; undefined where it never was. */
  #confirmedMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isDoubtful(): boolean {
    return this.#isDoubted && !this.#isConfirmed();
  }

  /** A server could not be reached. */
  doubt(): void {
    this.#isDoubted = true;
  }

  /** The clock was set again, by somebody whom anybody may pose as. */
  wasSet(): void {
    this.#isDoubted = false;
  }

  /** The clock is right, by the word of a server that is known. */
  confirm(): void {
    this.#confirmedMs = this.#aheadMs();
  }

  #isConfirmed(): boolean {
    const aheadMs = this.#aheadMs();
    const confirmedMs = this.#confirmedMs;
    return aheadMs !== undefined && confirmedMs !== undefined && Math.abs(aheadMs - confirmedMs) <= JUMP_MS;
  }

  #aheadMs(): number | undefined {
    const wallMs = this.#clock.wallMs();
    return wallMs === undefined ? undefined : wallMs - this.#clock.monotonicMs();
  }
}
