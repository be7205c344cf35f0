// The clock of the machine, for services that serve real devices.

import type { Clock } from '../../core/ports/ports.ts';

/** See the head of the file. */
export const SYSTEM_CLOCK: Clock = Object.freeze({ wallMs: () => Date.now(), monotonicMs: () => performance.now() });
