// The firmware of the sample charger.

import type { Log } from '../../core/ports/ports.ts';
import type { Wiring } from '../../core/provisioning/provisioning.ts';
import { run, type Seller } from '../firmware/run.ts';
import type { Device } from '../firmware/start.ts';
import { Charger } from './charger.ts';
import { TERMS } from './terms.ts';

/** Called by the SDK when the engine has started. */
export default function main(): void {
  run('charger', chargerOf);
}

function chargerOf({ verifier, clock, relay }: Device, wiring: Wiring, log: Log): Seller {
  const charger = new Charger({ verifier, wiring, relay, terms: TERMS, now: () => clock.monotonicMs(), log });
  return {
    present: (bytes) => charger.present(bytes),
    told: (decision) => charger.told(decision),
    stop: () => charger.stop(),
    tick: () => void charger.tick(),
  };
}
