// What this charger sells: to be changed by whoever builds its firmware. Amounts are in the unit of the provisioned terminal.

import type { ChargingTerms } from '../../core/charging/session.ts';

export const TERMS: ChargingTerms = Object.freeze({
  pricePerKwhMinor: '400000',
  pulsesPerKwh: 1000,
  reserveMinor: '20000000',
  idleMs: 900_000,
  longestMs: 43_200_000,
});
