// A car at a charger of a run: when its driver ends the session, and what its meter counts meanwhile, evenly. What the session is to
// come to is told from that, whatever the charger says.

import { PULSES_OF_ALL } from '../virtual-device/charging-point.ts';

/** What a driver is there for. Times are those of the run. */
export interface PluggedCarTerms {
  /** The receipt that began the session. */
  readonly reservation: number;
  readonly reservedMinor: string;
  readonly beganMs: number;
  /** When it is ended, where nothing ends it before. */
  readonly endsMs: number;
  /** For how long all of it would flow; undefined where nothing does: the driver was not told, and has plugged nothing in. */
  readonly flowsMs: number | undefined;
  /** What the meter counts for all of it. */
  readonly pulses: number;
}

/** See the head of the file. */
export class PluggedCar {
  readonly #terms: PluggedCarTerms;
  #counted = 0;
  #isCutOff = false;

  constructor(terms: PluggedCarTerms) {
    this.#terms = terms;
  }

  get reservation(): number {
    return this.#terms.reservation;
  }

  get endsMs(): number {
    return this.#terms.endsMs;
  }

  /** What has flown costs so much. */
  get dueMinor(): string {
    return ((BigInt(this.#terms.reservedMinor) * BigInt(this.#counted)) / BigInt(PULSES_OF_ALL)).toString();
  }

  /** Nothing flows any more: the session is over, though its end may not be recorded yet. */
  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  cutOff(): void {
    this.#isCutOff = true;
  }

  /** Lets energy flow up to a moment. @returns pulses of the meter since it was looked at */
  flowed(nowMs: number): number {
    const { beganMs, flowsMs, pulses } = this.#terms;
    if (flowsMs === undefined || this.#isCutOff) return 0;
    const elapsedMs = nowMs - beganMs;
    const counted = elapsedMs >= flowsMs ? pulses : Math.floor((pulses * elapsedMs) / flowsMs);
    const since = counted - this.#counted;
    this.#counted = counted;
    return since;
  }
}
