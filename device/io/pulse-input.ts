// The pulse output of an energy meter on a pin: a contact to ground. With native code pulses are counted by the chip, whatever the
// engine is at (native/pulses.c), and looked at several times a second; without it one that comes while another waits is lost.

import Digital from 'embedded:io/digital';
import Timer from 'timer';

/** How often the count is looked at: between two pulses of a meter that draws 36 kW at a thousand a kilowatt-hour. */
const LOOK_MS = 100;
/** More at a look come from no meter: it gives 17 a second at most, and the engine is not at work for ten minutes. */
const MOST_PULSES = 10_000;
/** A count that is doubted in so many looks, one after the other, is what the chip has now. */
const DOUBTED_LOOKS = 10;

function nativeBegin(this: unknown, pin: unknown, bounce: unknown): unknown {
  return native('xs_mpcp_pulses_begin').call(this, pin, bounce);
}

function nativePulses(this: unknown): unknown {
  return native('xs_mpcp_pulses').call(this);
}

/** Counts pulses. */
export class PulseInput {
  readonly #onPulses: (count: number) => void;
  #lastMs: number | undefined;
  #count = 0;
  #doubted = 0;

  /**
   * @param bounceMs a pulse that follows the one before in less is none; EN 62053-31 has pulses of 30 ms and more. A chip with a
   *   pulse counter does not know of it: its contact must not bounce
   * @param now monotonic time
   * @param onPulses called outside of an interrupt, with how many there were since
   * @throws Error where the chip has no such pin, or it is taken
   */
  constructor(pin: number, bounceMs: number, now: () => number, onPulses: (count: number) => void) {
    this.#onPulses = onPulses;
    if (MPCP_NATIVE) {
      if (nativeBegin.call(undefined, pin, bounceMs * 1000) !== true) throw new Error(`no pulses on pin ${pin}`);
      this.#count = nativePulses.call(undefined) as number;
      Timer.repeat(() => this.look(), LOOK_MS);
      return;
    }
    new Digital({
      pin,
      mode: Digital.InputPullUp,
      edge: Digital.Falling,
      onReadable: () => {
        const ms = now();
        if (this.#lastMs !== undefined && ms - this.#lastMs < bounceMs) return;
        this.#lastMs = ms;
        onPulses(1);
      },
    });
  }

  /** Tells at once of pulses that were counted and not told yet. */
  look(): void {
    if (MPCP_NATIVE) {
      const count = nativePulses.call(undefined) as number;
      // In 32 bits, which begin anew.
      const more = (count - this.#count) | 0;
      // The chip's counter of 16 bits begins anew a moment before that is added up: what is read then is 32 767 too low.
      const isDoubted = more < 0 || more > MOST_PULSES;
      if (isDoubted && ++this.#doubted < DOUBTED_LOOKS) return;
      this.#doubted = 0;
      this.#count = count;
      if (more > 0 && !isDoubted) this.#onPulses(more);
    }
  }
}
