// Where cars charge at a virtual charger, in Node and inside XS: the core's session, one at a time, as the sample's firmware holds it.
// What a session may cost is the payer's to say here; firmware has one amount for all.

import { amountFrom } from '../../core/artifacts/amount.ts';
import {
  ChargingSession,
  type ChargingTerms,
  type EnergyRelay,
  type SessionEvent,
} from '../../core/charging/session.ts';
import type { Log } from '../../core/ports/ports.ts';
import { type Refusal, refuse } from '../../core/reason-codes.ts';
import type { Decision, Verifier } from '../../core/verifier.ts';

/** What a meter gives for all that was reserved: a pulse is a millionth of it. */
export const PULSES_OF_ALL = 1_000_000;

/** A session ends where no pulse has come for so long, and when it has lasted so long: the sample's terms (device/charger). */
export const SESSION_IDLE_MS = 900_000;
export const SESSION_LONGEST_MS = 43_200_000;

/** What a charging point is made of. */
export interface ChargingPointParts {
  readonly verifier: Pick<Verifier, 'reserve' | 'settle' | 'release'>;
  readonly relay: EnergyRelay;
  readonly log?: Log | undefined;
}

/** See the head of the file. Times are monotonic. */
export class ChargingPoint {
  readonly #parts: ChargingPointParts;
  #session: ChargingSession | undefined;

  constructor(parts: ChargingPointParts) {
    this.#parts = parts;
  }

  /** The refusal of whoever else presents something while a session is under way, or has an end that is not recorded. */
  get busy(): Refusal | undefined {
    return this.#session === undefined || this.#session.state === 'idle' ? undefined : notNow();
  }

  /** A driver presents, for the most that a session may cost. */
  begin(presentation: Uint8Array, amountMinor: string, nowMs: number): Decision {
    if (this.busy !== undefined) return this.busy;
    // No terms are made of what is no amount, or of one that nobody may have: the verifier says what is wrong with it.
    if (amountFrom(amountMinor) === undefined) return this.#parts.verifier.reserve(presentation, { amountMinor });
    // Of one that is over nothing is left but what it came to.
    this.#session = this.#for(amountMinor);
    return this.#session.begin(presentation, nowMs) ?? notNow();
  }

  /** The meter may have counted, and some time is over. @returns the end of the session, where that is one */
  tick(pulses: number, nowMs: number): SessionEvent | undefined {
    return this.#counted(pulses, nowMs) ?? this.#session?.tick(nowMs);
  }

  /** The driver ends the session. @param pulses what the meter has counted since it was looked at */
  stop(pulses: number, nowMs: number): SessionEvent | undefined {
    return this.#counted(pulses, nowMs) ?? this.#session?.stop();
  }

  #counted(pulses: number, nowMs: number): SessionEvent | undefined {
    return pulses > 0 ? this.#session?.pulse(pulses, nowMs) : undefined;
  }

  #for(amountMinor: string): ChargingSession {
    const { verifier, relay, log } = this.#parts;
    const terms: ChargingTerms = {
      pricePerKwhMinor: amountMinor,
      pulsesPerKwh: PULSES_OF_ALL,
      reserveMinor: amountMinor,
      idleMs: SESSION_IDLE_MS,
      longestMs: SESSION_LONGEST_MS,
    };
    return new ChargingSession(verifier, relay, terms, log);
  }
}

/** As firmware says it. */
function notNow(): Refusal {
  return refuse('device', 'device.ready', 'DEVICE_BUSY', 'the device does not sell just now');
}
