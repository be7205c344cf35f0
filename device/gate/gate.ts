// A sample gate: a rider presents a payment of the fare, and the gate opens for a moment. A repeat of an answered request opens it
// never: somebody may have gone through.

import type { Log } from '../../core/ports/ports.ts';
import type { Wiring } from '../../core/provisioning/provisioning.ts';
import type { Decision, Verifier } from '../../core/verifier.ts';
import { moved, type Relay, relayOf, Signal } from '../io/outputs.ts';

const GOOD_MS = 150;
const BAD_MS = 800;

/** What a ride costs, and how long the gate stays open. */
export interface GateTerms {
  /** In the terminal's unit: decimal digits. */
  readonly fareMinor: string;
  readonly openMs: number;
}

/** What a gate is made of. */
export interface GateParts {
  readonly verifier: Pick<Verifier, 'authorize'>;
  readonly wiring: Wiring;
  /** Left out, it is opened by the wiring. */
  readonly relay?: Relay;
  readonly terms: GateTerms;
  readonly log: Log;
}

/** See the head of the file. Its relay is open from its construction on. */
export class Gate {
  readonly #verifier: Pick<Verifier, 'authorize'>;
  readonly #terms: GateTerms;
  readonly #log: Log;
  readonly #relay: Relay;
  readonly #led: Signal;
  readonly #buzzer: Signal;

  constructor({ verifier, wiring, relay = relayOf(wiring), terms, log }: GateParts) {
    this.#relay = relay;
    this.#verifier = verifier;
    this.#terms = terms;
    this.#log = log;
    this.#led = new Signal(wiring.led, log);
    this.#buzzer = new Signal(wiring.buzzer, log);
  }

  /** A rider presents. The payment is on flash before the gate opens, and is paid whether that moves or not. */
  present(presentation: Uint8Array): Decision {
    const decision = this.#verifier.authorize(presentation, { amountMinor: this.#terms.fareMinor });
    if (!decision.ok || decision.repeated) return decision;
    if (!moved(this.#log, () => this.#relay.pulse(this.#terms.openMs))) return { ...decision, relay: 'failed' };
    this.#led.pulse(this.#terms.openMs);
    return decision;
  }

  /** Lets a rider hear what came of a payment. */
  told(decision: Decision | undefined): void {
    this.#buzzer.pulse(decision?.ok && !decision.repeated && !decision.relay ? GOOD_MS : BAD_MS);
  }
}
