// A sample charger: a driver presents a payment, the relay closes, the meter's pulses are counted, and what was drawn is settled.

import { ChargingSession, type ChargingTerms, type SessionEvent } from '../../core/charging/session.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { Wiring } from '../../core/provisioning/provisioning.ts';
import type { Decision, Verifier } from '../../core/verifier.ts';
import { openButton } from '../io/button.ts';
import { type Relay, relayOf, Signal } from '../io/outputs.ts';
import { PulseInput } from '../io/pulse-input.ts';

/** A pulse of a meter lasts 30 ms at least (EN 62053-31). */
const BOUNCE_MS = 20;
const GOOD_MS = 150;
const BAD_MS = 800;

/** What a charger is made of. */
export interface ChargerParts {
  readonly verifier: Pick<Verifier, 'reserve' | 'settle' | 'release'>;
  readonly wiring: Wiring;
  /** Left out, it is opened by the wiring. */
  readonly relay?: Relay;
  readonly terms: ChargingTerms;
  readonly now: () => number;
  readonly log: Log;
}

/** See the head of the file. Its relay is open from its construction on. */
export class Charger {
  readonly #session: ChargingSession;
  readonly #now: () => number;
  readonly #pulses: PulseInput | undefined;
  readonly #led: Signal;
  readonly #buzzer: Signal;

  constructor({ verifier, wiring, relay = relayOf(wiring), terms, now, log }: ChargerParts) {
    this.#session = new ChargingSession(verifier, relay, terms, log);
    this.#now = now;
    this.#led = new Signal(wiring.led, log);
    this.#buzzer = new Signal(wiring.buzzer, log);
    if (wiring.stop !== undefined) openButton(wiring.stop, () => this.#pressed());
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
    this.#led.set(this.#session.state === 'charging');
    return decision;
  }

  /** Lets a driver hear what came of a payment. @param decision undefined: another session is under way */
  told(decision: Decision | undefined): void {
    const begun = decision?.ok === true && !decision.repeated && this.#session.state === 'charging';
    this.#buzzer.pulse(begun ? GOOD_MS : BAD_MS);
  }

  /** The driver ends the session. @returns what it came to, or the one before where none is under way */
  stop(): SessionEvent | undefined {
    this.#pulses?.look();
    return this.#shown(this.#session.stop()) ?? this.#session.last;
  }

  /** Whoever presses while nothing is under way hears it: a payment that waits for its issuer may begin a session yet. */
  #pressed(): void {
    if (this.#session.state !== 'charging') this.#buzzer.pulse(BAD_MS);
    this.stop();
  }

  /** Every second or so. */
  tick(): SessionEvent | undefined {
    this.#pulses?.look();
    return this.#shown(this.#session.tick(this.#now()));
  }

  #shown(event: SessionEvent | undefined): SessionEvent | undefined {
    if (event !== undefined) this.#led.set(false);
    return event;
  }
}
