// The firmware of the sample meter.

import type { Log } from '../../core/ports/ports.ts';
import type { Wiring } from '../../core/provisioning/provisioning.ts';
import { run, type Seller } from '../firmware/run.ts';
import type { Device } from '../firmware/start.ts';
import { Meter } from './meter.ts';
import { TERMS } from './terms.ts';

/** Called by the SDK when the engine has started. */
export default function main(): void {
  run('meter', meterOf);
}

function meterOf({ verifier, clock, relay }: Device, wiring: Wiring, log: Log): Seller {
  const meter = new Meter({ verifier, wiring, relay, terms: TERMS, now: () => clock.monotonicMs(), log });
  return {
    present: (bytes) => meter.present(bytes),
    told: (decision) => meter.told(decision),
    tick: () => meter.tick(),
  };
}
