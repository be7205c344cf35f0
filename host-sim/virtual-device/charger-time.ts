// Who sets a virtual charger's clock over its network, as its errands ask for it. As a device does, it has the clock set again where a
// server cannot be reached and none has confirmed it: under TLS a clock that is wrong finds the server's certificate bad.

import { ClockDoubt } from '../../core/network/clock-doubt.ts';
import type { TimeSource } from '../../core/network/errands.ts';
import type { Clock } from '../../core/ports/ports.ts';

/** What sets the time. */
export interface ChargerTimeParts {
  readonly clock: Clock;
  /** Asks somebody for the time, and says whether the clock is set then; what it throws is why it is not. */
  readonly set: () => Promise<boolean>;
  /** Runs what belongs to a start, unless the power has gone meanwhile. */
  readonly run: (work: () => void) => void;
}

/** See the head of the file. */
export class ChargerTime implements TimeSource {
  readonly #parts: ChargerTimeParts;
  readonly #doubt: ClockDoubt;
  busy = false;

  constructor(parts: ChargerTimeParts) {
    this.#parts = parts;
    this.#doubt = new ClockDoubt(parts.clock);
  }

  get doubtful(): boolean {
    return this.#doubt.isDoubtful;
  }

  doubt(): void {
    this.#doubt.doubt();
  }

  /** A server that is known has said what time it is, and so it is. */
  confirm(): void {
    this.#doubt.confirm();
  }

  ask(done: (problem: string | undefined) => void): void {
    const { set, run } = this.#parts;
    this.busy = true;
    const over = (problem: string | undefined) => {
      this.busy = false;
      if (problem === undefined) this.#doubt.wasSet();
      run(() => done(problem));
    };
    void set().then(
      (isSet) => over(isSet ? undefined : 'nobody sets the clock'),
      (error) => over(`the clock cannot be set: ${error instanceof Error ? error.message : error}`),
    );
  }

  /** It sets a clock at once, or not at all. */
  abort(): void {}
}
