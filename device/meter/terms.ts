// What this meter sells: to be changed by whoever builds its firmware. Amounts are in the unit of the provisioned terminal.

import type { MeterTerms } from './meter.ts';

export const TERMS: MeterTerms = Object.freeze({ priceMinor: '500000', periodMs: 900_000, longestMs: 14_400_000 });
