// The Crypto port in the core's own TypeScript: for machines that have no hashes or no Ed25519 of their own, and the
// reference that other implementations are compared with.

import { ed25519KeyUsable, ed25519Verify, type TableSource } from '../ed25519/verify.ts';
import { Sha256 } from '../hash/sha256.ts';
import { Sha512 } from '../hash/sha512.ts';
import type { Crypto } from './ports.ts';

/** The hashes of a platform that has them natively, but no Ed25519. */
export type NativeHashes = Pick<Crypto, 'sha256' | 'sha512'>;

/**
 * A Crypto port without a platform.
 *
 * @param hashes used in place of the core's own, for Ed25519 too
 * @param tables of keys, for Ed25519 (`KeyTables`)
 */
export function createPortableCrypto(hashes?: NativeHashes, tables?: TableSource): Crypto {
  const sha256 = hashes === undefined ? () => new Sha256() : () => hashes.sha256();
  const sha512 = hashes === undefined ? () => new Sha512() : () => hashes.sha512();
  return {
    sha256,
    sha512,
    ed25519Verify: (publicKey, signature, message) => ed25519Verify(sha512, publicKey, signature, message, tables),
    ed25519KeyUsable: (publicKey) => tables?.has(publicKey) === true || ed25519KeyUsable(publicKey),
  };
}
