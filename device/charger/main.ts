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

function chargerOf({ verifier, clock }: Device, wiring: Wiring, log: Log): Seller {
  const charger = new Charger({ verifier, wiring, terms: TERMS, now: () => clock.monotonicMs(), log });
  return { present: (bytes) => charger.present(bytes), stop: () => charger.stop(), tick: () => void charger.tick() };
}
