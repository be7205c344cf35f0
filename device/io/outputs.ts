// Outputs of a device: a relay, an LED, a buzzer. Each is off from the first moment that its pin is one, whichever level that is.

import Digital from 'embedded:io/digital';
import Timer, { type TimerHandle } from 'timer';
import { type EnergyRelay, RelayError } from '../../core/charging/session.ts';
import type { Log } from '../../core/ports/ports.ts';
import { wordsOf } from '../ports/thrown.ts';

/** How an output is wired. */
export interface OutputPin {
  readonly pin: number;
  /** The level that energises it. */
  readonly active: 'high' | 'low';
}

/** A pin that is on or off, and can be on for a while. */
export class Output {
  readonly #digital: Digital;
  readonly #on: number;
  #timer: TimerHandle | undefined;

  constructor({ pin, active }: OutputPin) {
    this.#on = active === 'high' ? 1 : 0;
    this.#digital = new Digital({ pin, mode: Digital.Output, initialValue: 1 - this.#on });
  }

  set(on: boolean): void {
    if (this.#timer !== undefined) Timer.clear(this.#timer);
    this.#timer = undefined;
    this.#digital.write(on ? this.#on : 1 - this.#on);
  }

  /** On for so many milliseconds; again from now where it is on already. @throws where its end cannot be set: then it is off */
  pulse(milliseconds: number): void {
    this.set(true);
    try {
      this.#offIn(milliseconds);
    } catch (error) {
      this.set(false);
      throw error;
    }
  }

  #offIn(milliseconds: number): void {
    this.#timer = Timer.set(() => {
      try {
        this.set(false);
      } catch {
        // Nothing is to stay on because it was told only once.
        this.#offIn(AGAIN_MS);
      }
    }, milliseconds);
  }
}

const AGAIN_MS = 100;

/** An LED or a buzzer, where there is one. Nothing depends on it: that it cannot be written is told, and all else goes on. */
export class Signal {
  readonly #output: Output | undefined;
  readonly #log: Log;

  constructor(pin: number | undefined, log: Log) {
    this.#output = pin === undefined ? undefined : new Output({ pin, active: 'high' });
    this.#log = log;
  }

  set(on: boolean): void {
    this.#carriedOut(() => this.#output?.set(on));
  }

  pulse(milliseconds: number): void {
    this.#carriedOut(() => this.#output?.pulse(milliseconds));
  }

  #carriedOut(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#log.emit({ event: 'signal.failed', detail: wordsOf(error) });
    }
  }
}

/** The relay that lets energy flow, or a gate open. Without power, and while the chip starts, its pin must let it rest open. */
export class Relay implements EnergyRelay {
  readonly #output: Output;

  constructor(pin: OutputPin) {
    this.#output = new Output(pin);
  }

  /** @throws RelayError, and the same for the others */
  close(): void {
    carriedOut(() => this.#output.set(true));
  }

  open(): void {
    carriedOut(() => this.#output.set(false));
  }

  pulse(milliseconds: number): void {
    carriedOut(() => this.#output.pulse(milliseconds));
  }
}

/** The relay of a wiring. */
export function relayOf({ relay, active }: { readonly relay: number; readonly active: 'high' | 'low' }): Relay {
  return new Relay({ pin: relay, active });
}

/** Moves a relay. @returns false where that failed, which is told */
export function moved(log: Log, move: () => void): boolean {
  try {
    move();
    return true;
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    log.emit({ event: 'relay.failed', detail: error.message });
    return false;
  }
}

function carriedOut(move: () => void): void {
  try {
    move();
  } catch (error) {
    throw new RelayError(wordsOf(error));
  }
}
