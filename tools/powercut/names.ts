// Names in workloads, and the ledger keys they stand for.

import { ledgerKey } from '../../core/ledger/keys.ts';
import type { LedgerKey } from '../../core/ledger/ledger.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';

/** What the devices here hash with. */
export const CRYPTO = createNodeCrypto();

const keys = new Map<string, LedgerKey>();

/** The ledger key of a name. */
export function keyOf(name: string): LedgerKey {
  let key = keys.get(name);
  if (key === undefined) {
    // More names than a run has at a time: random workloads bring new ones all the time.
    if (keys.size > 10_000) keys.clear();
    key = ledgerKey(CRYPTO, 'grant', new Uint8Array(0), name);
    keys.set(name, key);
  }
  return key;
}
