// The pulse output of an energy meter on a pin: a contact to ground, counted at its falling edge. What follows too soon is the
// contact bouncing.

import Digital from 'embedded:io/digital';

/** Counts pulses; each is told at once. */
export class PulseInput {
  readonly #digital: Digital;
  #lastMs: number | undefined;

  /**
   * @param bounceMs a pulse that follows the one before in less is none; EN 62053-31 has pulses of 30 ms and more
   * @param now monotonic time
   * @param onPulse called outside of an interrupt
   */
  constructor(pin: number, bounceMs: number, now: () => number, onPulse: () => void) {
    this.#digital = new Digital({
      pin,
      mode: Digital.InputPullUp,
      edge: Digital.Falling,
      onReadable: () => {
        const ms = now();
        if (this.#lastMs !== undefined && ms - this.#lastMs < bounceMs) return;
        this.#lastMs = ms;
        onPulse();
      },
    });
  }

  close(): void {
    this.#digital.close();
  }
}
