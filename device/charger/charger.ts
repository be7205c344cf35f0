// A sample charger: a driver presents a payment, the relay closes, the meter's pulses are counted, and what was drawn is settled.

import { ChargingSession, type ChargingTerms, type SessionEvent } from '../../core/charging/session.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { Wiring } from '../../core/provisioning/provisioning.ts';
import type { Decision, Verifier } from '../../core/verifier.ts';
import { Output, Relay } from '../io/outputs.ts';
import { PulseInput } from '../io/pulse-input.ts';

/** A pulse of a meter lasts 30 ms at least (EN 62053-31). */
const BOUNCE_MS = 20;
const GOOD_MS = 150;
const BAD_MS = 800;

/** What a charger is made of. */
export interface ChargerParts {
  readonly verifier: Pick<Verifier, 'reserve' | 'settle' | 'release'>;
  readonly wiring: Wiring;
  readonly terms: ChargingTerms;
  readonly now: () => number;
  readonly log: Log;
}

/** See the head of the file. Its relay is open from its construction on. */
export class Charger {
  readonly #session: ChargingSession;
  readonly #now: () => number;
  readonly #pulses: PulseInput | undefined;
  readonly #led: Output | undefined;
  readonly #buzzer: Output | undefined;

  constructor({ verifier, wiring, terms, now, log }: ChargerParts) {
    const relay = new Relay({ pin: wiring.relay, active: wiring.active });
    this.#session = new ChargingSession(verifier, relay, terms, log);
    this.#now = now;
    this.#led = output(wiring.led);
    this.#buzzer = output(wiring.buzzer);
    if (wiring.meter !== undefined)
      this.#pulses = new PulseInput(wiring.meter, BOUNCE_MS, now, (count) =>
        this.#shown(this.#session.pulse(count, now())),
      );
  }

  get session(): ChargingSession {
    return this.#session;
  }

  /** A driver presents. @returns undefined while another session is under way */
  present(presentation: Uint8Array): Decision | undefined {
    // What was drawn before is not this driver's.
    this.#pulses?.look();
    const decision = this.#session.begin(presentation, this.#now());
    const charging = this.#session.state === 'charging';
    this.#led?.set(charging);
    this.#buzzer?.pulse(decision?.ok === true && charging ? GOOD_MS : BAD_MS);
    return decision;
  }

  /** The driver ends the session. */
  stop(): SessionEvent | undefined {
    this.#pulses?.look();
    return this.#shown(this.#session.stop());
  }

  /** Every second or so. */
  tick(): SessionEvent | undefined {
    this.#pulses?.look();
    return this.#shown(this.#session.tick(this.#now()));
  }

  #shown(event: SessionEvent | undefined): SessionEvent | undefined {
    if (event !== undefined) this.#led?.set(false);
    return event;
  }
}

function output(pin: number | undefined): Output | undefined {
  return pin === undefined ? undefined : new Output({ pin, active: 'high' });
}
