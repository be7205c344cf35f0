// The relay that lets energy flow. It is open unless held closed, so a device without power never delivers.

import { PowerCut } from '../flash/power-cut.ts';

/** A simulated relay, open at first. */
export class SimulatedRelay {
  readonly #onClose: (() => void) | undefined;
  #closed = false;
  #closings = 0;
  #cut = false;

  /** @param onClose called at the moment it closes, for whoever wants to look at the device right then */
  constructor(onClose?: () => void) {
    this.#onClose = onClose;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How often it was closed. */
  get closings(): number {
    return this.#closings;
  }

  /** The next `close` finds the power gone: it throws PowerCut, and the relay stays open. */
  cutAtNextClose(): void {
    this.#cut = true;
  }

  close(): void {
    if (this.#cut) {
      this.#cut = false;
      throw new PowerCut('power cut before the relay closed');
    }
    this.#closed = true;
    this.#closings++;
    this.#onClose?.();
  }

  open(): void {
    this.#closed = false;
  }
}
