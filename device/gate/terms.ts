// What this gate sells: to be changed by whoever builds its firmware. Amounts are in the unit of the provisioned terminal.

import type { GateTerms } from './gate.ts';

export const TERMS: GateTerms = Object.freeze({ fareMinor: '2400000', openMs: 5000 });
