// What stands for host-sim's node:crypto port inside XS: the Crypto port by the host's native code.

import type { Crypto } from '../../core/ports/ports.ts';
import { chosenCrypto } from '../../host-sim/xs/programs/crypto.ts';

export function createNodeCrypto(): Crypto {
  return chosenCrypto('native');
}
