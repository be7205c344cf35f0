// The Crypto port of a device: hashes that the platform has, and the core's own Ed25519 on them. Apart from the core's own hashes,
// which such a device need not have in flash.

import { ed25519KeyUsable, ed25519Verify, type TableSource } from '../ed25519/verify.ts';
import type { Crypto } from './ports.ts';

/** The hashes of a platform that has them natively, but no Ed25519. */
export type NativeHashes = Pick<Crypto, 'sha256' | 'sha512'>;

/**
 * A Crypto port on hashes that are there.
 *
 * @param tables of keys, for Ed25519 (`KeyTables`)
 */
export function cryptoWithHashes(hashes: NativeHashes, tables?: TableSource): Crypto {
  const sha512 = () => hashes.sha512();
  return {
    sha256: () => hashes.sha256(),
    sha512,
    ed25519Verify: (publicKey, signature, message) => ed25519Verify(sha512, publicKey, signature, message, tables),
    ed25519KeyUsable: (publicKey) => tables?.has(publicKey) === true || ed25519KeyUsable(publicKey),
  };
}
