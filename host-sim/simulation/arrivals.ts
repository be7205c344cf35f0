// When payers come, by the pattern of a scenario.

import type { SeededRandom } from '../flash/random.ts';
import type { ArrivalTerms } from '../scenario/scenario.ts';
import { randomSpan } from '../scenario/seeded.ts';

const HOUR_MS = 3_600_000;

/** Those of a scenario's terms, one after the other. */
export class Arrivals {
  readonly terms: ArrivalTerms;
  /** Where they come. */
  readonly devices: readonly string[];
  /** Draws what they do. */
  readonly random: SeededRandom;
  readonly #times: readonly number[];
  #at = 0;

  constructor(terms: ArrivalTerms, devices: readonly string[], random: SeededRandom) {
    this.terms = terms;
    this.devices = devices;
    this.random = random;
    this.#times = arrivalTimes(terms, random);
  }

  /** When the next one comes; undefined where none does. */
  next(): number | undefined {
    return this.#times[this.#at++];
  }
}

/** The times, in order; with `each` those of one device. */
function arrivalTimes({ pattern, fromMs, untilMs }: ArrivalTerms, random: SeededRandom): readonly number[] {
  const times: number[] = [];
  switch (pattern.kind) {
    case 'every':
      for (let ms = fromMs; ms < untilMs; ms += pattern.everyMs) times.push(ms);
      return times;
    case 'poisson': {
      const meanMs = HOUR_MS / pattern.perHour;
      for (let ms = fromMs + randomSpan(random, meanMs); ms < untilMs; ms += randomSpan(random, meanMs)) times.push(ms);
      return times;
    }
    case 'rush':
      // The mean of two is more often in the middle.
      for (let i = 0; i < pattern.count; i++)
        times.push(fromMs + Math.floor(((random.next() + random.next()) / 2) * (untilMs - fromMs)));
      return times.sort((a, b) => a - b);
    case 'each':
      for (let i = 0; i < pattern.count; i++) times.push(fromMs + Math.floor(random.next() * (untilMs - fromMs)));
      return times.sort((a, b) => a - b);
  }
}
