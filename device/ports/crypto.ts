// The Crypto port of a device: hashes by the SDK; Ed25519 by this project's C code where the build has it, else the core's own.

import type { TableSource } from '../../core/ed25519/verify.ts';
import { cryptoWithHashes } from '../../core/ports/own-ed25519.ts';
import type { Crypto } from '../../core/ports/ports.ts';
import { deviceHashes } from './hashes.ts';
import { nativeEd25519 } from './native-ed25519.ts';

/** @param tables of keys; of use where Ed25519 is the core's own */
export function createDeviceCrypto(tables?: TableSource): Crypto {
  // The build knows which of the two it is, and leaves the other out.
  return MPCP_NATIVE
    ? { ...deviceHashes, ...nativeEd25519(deviceHashes.sha512) }
    : cryptoWithHashes(deviceHashes, tables);
}
