// A sample meter: time is sold. Each payment buys a period, periods that are bought before the last one ended follow on it, and the
// output (a lamp, a barrier, a socket) is on while there is time left.

import type { Log } from '../../core/ports/ports.ts';
import type { Wiring } from '../../core/provisioning/provisioning.ts';
import type { Decision, Verifier } from '../../core/verifier.ts';
import { moved, type Relay, relayOf, Signal } from '../io/outputs.ts';

const GOOD_MS = 150;
const BAD_MS = 800;

/** What is sold. */
export interface MeterTerms {
  /** In the terminal's unit: decimal digits. */
  readonly priceMinor: string;
  /** What it buys, in milliseconds. */
  readonly periodMs: number;
  /** No more time is sold than so much, in milliseconds. */
  readonly longestMs: number;
}

/** What a meter is made of. */
export interface MeterParts {
  readonly verifier: Pick<Verifier, 'authorize'>;
  readonly wiring: Wiring;
  /** Left out, it is opened by the wiring. */
  readonly relay?: Relay;
  readonly terms: MeterTerms;
  /** Monotonic time. */
  readonly now: () => number;
  readonly log: Log;
}

/** See the head of the file. Time that was bought is in memory: a restart ends it, and the receipts say what is owed. */
export class Meter {
  readonly #parts: MeterParts;
  readonly #relay: Relay;
  readonly #buzzer: Signal;
  #untilMs: number | undefined;

  constructor(parts: MeterParts) {
    this.#relay = parts.relay ?? relayOf(parts.wiring);
    this.#parts = parts;
    this.#buzzer = new Signal(parts.wiring.buzzer, parts.log);
  }

  /** Milliseconds that are paid for. */
  get leftMs(): number {
    return this.#untilMs === undefined ? 0 : Math.max(0, this.#untilMs - this.#parts.now());
  }

  /**
   * Somebody pays for a period, which is paid whether the output moves or not.
   *
   * @returns undefined, and nothing is charged, where no more time is sold
   */
  present(presentation: Uint8Array): Decision | undefined {
    const { verifier, terms, now } = this.#parts;
    if (this.leftMs + terms.periodMs > terms.longestMs) return undefined;
    const decision = verifier.authorize(presentation, { amountMinor: terms.priceMinor });
    if (!decision.ok || decision.repeated) return decision;
    this.#untilMs = now() + this.leftMs + terms.periodMs;
    return moved(this.#parts.log, () => this.#relay.close()) ? decision : { ...decision, relay: 'failed' };
  }

  /** Lets somebody hear what came of a payment. @param decision undefined: no more time is sold */
  told(decision: Decision | undefined): void {
    this.#buzzer.pulse(decision?.ok && !decision.repeated && !decision.relay ? GOOD_MS : BAD_MS);
  }

  /** Every second or so. An output that does not open is told to again. */
  tick(): void {
    if (this.#untilMs === undefined || this.leftMs > 0) return;
    if (moved(this.#parts.log, () => this.#relay.open())) this.#untilMs = undefined;
  }
}
