// The firmware of the sample gate.

import type { Log } from '../../core/ports/ports.ts';
import type { Wiring } from '../../core/provisioning/provisioning.ts';
import { run, type Seller } from '../firmware/run.ts';
import type { Device } from '../firmware/start.ts';
import { Gate } from './gate.ts';
import { TERMS } from './terms.ts';

/** Called by the SDK when the engine has started. */
export default function main(): void {
  run('gate', gateOf);
}

function gateOf({ verifier, relay }: Device, wiring: Wiring, log: Log): Seller {
  const gate = new Gate({ verifier, wiring, relay, terms: TERMS, log });
  return { present: (bytes) => gate.present(bytes), told: (decision) => gate.told(decision), tick: () => {} };
}
