// Who sets a virtual charger's clock over its network, as its errands ask for it. Its servers show no certificates that a wrong clock
// would find bad, so that it is not doubted where they cannot be reached.

import type { TimeSource } from '../../core/network/errands.ts';

/** See the head of the file. */
export class ChargerTime implements TimeSource {
  readonly #set: () => Promise<boolean>;
  busy = false;
  readonly doubtful = false;

  /** @param set asks somebody for the time. @returns whether the clock is set then */
  constructor(set: () => Promise<boolean>) {
    this.#set = set;
  }

  doubt(): void {}

  ask(done: (problem: string | undefined) => void): void {
    this.busy = true;
    void this.#set().then((isSet) => {
      this.busy = false;
      done(isSet ? undefined : 'nobody sets the clock');
    });
  }

  /** It sets a clock at once, or not at all. */
  abort(): void {}
}
