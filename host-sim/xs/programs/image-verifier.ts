// What the verifier alone has in flash, with native crypto and a ledger in memory: for the size of an image. It is never called.

import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import type { Crypto } from '../../../core/ports/ports.ts';
import { Verifier, type VerifierParts } from '../../../core/verifier.ts';

export default function main(parts: Pick<VerifierParts, 'configuration' | 'clock'>, crypto: Crypto) {
  return new Verifier({ ...parts, crypto, ledger: new MemoryLedger(crypto) });
}
