// The Crypto ports that programs in the engine can be run with.

import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import type { Crypto } from '../../../core/ports/ports.ts';

/** The port of that name: `core` (the default). */
export function chosenCrypto(name: string | undefined): Crypto {
  if (name === undefined || name === 'core') return createPortableCrypto();
  throw new Error(`there is no crypto ${name}`);
}
