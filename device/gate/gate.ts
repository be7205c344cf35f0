// A sample gate: a rider presents a payment of the fare, and the gate opens for a moment. A repeat of an answered request opens it
// never: somebody may have gone through.

import type { Log } from '../../core/ports/ports.ts';
import type { Wiring } from '../../core/provisioning/provisioning.ts';
import type { Decision, Verifier } from '../../core/verifier.ts';
import { moved, Output, Relay } from '../io/outputs.ts';

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
  readonly terms: GateTerms;
  readonly log: Log;
}

/** See the head of the file. Its relay is open from its construction on. */
export class Gate {
  readonly #verifier: Pick<Verifier, 'authorize'>;
  readonly #terms: GateTerms;
  readonly #log: Log;
  readonly #relay: Relay;
  readonly #led: Output | undefined;
  readonly #buzzer: Output | undefined;

  constructor({ verifier, wiring, terms, log }: GateParts) {
    this.#relay = new Relay({ pin: wiring.relay, active: wiring.active });
    this.#verifier = verifier;
    this.#terms = terms;
    this.#log = log;
    this.#led = wiring.led === undefined ? undefined : new Output({ pin: wiring.led, active: 'high' });
    this.#buzzer = wiring.buzzer === undefined ? undefined : new Output({ pin: wiring.buzzer, active: 'high' });
  }

  /** A rider presents. The payment is on flash before the gate opens, and is paid whether that moves or not. */
  present(presentation: Uint8Array): Decision {
    const decision = this.#verifier.authorize(presentation, { amountMinor: this.#terms.fareMinor });
    const opens = decision.ok && !decision.repeated;
    if (opens) {
      moved(this.#log, () => this.#relay.pulse(this.#terms.openMs));
      this.#led?.pulse(this.#terms.openMs);
    }
    this.#buzzer?.pulse(opens ? GOOD_MS : BAD_MS);
    return decision;
  }
}
