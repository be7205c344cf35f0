// Who sets a virtual charger's clock over its network, as its errands ask for it. Unlike a device it does not doubt its clock where a
// server cannot be reached: under TLS a clock that is wrong may find the server's certificate bad, and then goes on doing so.

import type { TimeSource } from '../../core/network/errands.ts';

/** See the head of the file. */
export class ChargerTime implements TimeSource {
  readonly #set: () => Promise<boolean>;
  readonly #run: (work: () => void) => void;
  busy = false;
  readonly doubtful = false;

  /**
   * @param set asks somebody for the time, and says whether the clock is set then; what it throws is why it is not
   * @param run runs what belongs to a start, unless the power has gone meanwhile
   */
  constructor(set: () => Promise<boolean>, run: (work: () => void) => void) {
    this.#set = set;
    this.#run = run;
  }

  doubt(): void {}

  ask(done: (problem: string | undefined) => void): void {
    this.busy = true;
    const over = (problem: string | undefined) => {
      this.busy = false;
      this.#run(() => done(problem));
    };
    void this.#set().then(
      (isSet) => over(isSet ? undefined : 'nobody sets the clock'),
      (error) => over(`the clock cannot be set: ${error instanceof Error ? error.message : error}`),
    );
  }

  /** It sets a clock at once, or not at all. */
  abort(): void {}
}
