// Who sets a virtual charger's clock over its network, as its errands ask for it. As a device does, it has the clock set again where a
// server cannot be reached and none has confirmed it, or it has jumped since: under TLS a clock that is wrong finds the server's
// certificate bad.

import { ClockDoubt } from '../../core/network/clock-doubt.ts';
import type { TimeSource } from '../../core/network/errands.ts';
import type { Clock } from '../../core/ports/ports.ts';
import type { LinkClient } from './link-client.ts';

/** What sets the time. */
export interface TimeAskedParts {
  /** Whose waiters get what is thrown at the answer. */
  readonly client: LinkClient;
  /** Asks somebody for the time; what it throws is why the clock is not set. Left out, there is nobody. */
  readonly setTime: (() => Promise<void>) | undefined;
  /** Whether the clock is set then, by what the device says. */
  readonly isSet: () => boolean;
}

/** Has the clock set, for an errand that is being begun. @param done is told why it is not, or undefined, unless the power goes */
export function askTime({ client, setTime, isSet }: TimeAskedParts, done: (problem: string | undefined) => void): void {
  const tell = client.telling();
  const ask = async () => setTime?.();
  void ask().then(
    () => tell(() => done(isSet() ? undefined : 'nobody sets the clock')),
    (error) => tell(() => done(`the clock cannot be set: ${error instanceof Error ? error.message : error}`)),
  );
}

/** The same for a charger whose errands are in this process, with the doubt of its clock. */
export class ChargerTime implements TimeSource {
  readonly #parts: TimeAskedParts;
  readonly #doubt: ClockDoubt;
  busy = false;

  constructor(parts: TimeAskedParts & { readonly clock: Clock }) {
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
    this.busy = true;
    askTime(this.#parts, (problem) => {
      this.busy = false;
      if (problem === undefined) this.#doubt.wasSet();
      done(problem);
    });
  }

  /** It sets a clock at once, or not at all. */
  abort(): void {}
}
