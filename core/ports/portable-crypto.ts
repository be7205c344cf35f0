// The Crypto port in the core's own TypeScript: for machines that have no hashes or no Ed25519 of their own, and the
// reference that other implementations are compared with.

import type { TableSource } from '../ed25519/verify.ts';
import { Sha256 } from '../hash/sha256.ts';
import { Sha512 } from '../hash/sha512.ts';
import { cryptoWithHashes, type NativeHashes } from './own-ed25519.ts';
import type { Crypto } from './ports.ts';

export type { NativeHashes };

const OWN_HASHES: NativeHashes = Object.freeze({ sha256: () => new Sha256(), sha512: () => new Sha512() });

/**
 * A Crypto port without a platform.
 *
 * @param hashes used in place of the core's own, for Ed25519 too
 * @param tables of keys, for Ed25519 (`KeyTables`)
 */
export function createPortableCrypto(hashes: NativeHashes = OWN_HASHES, tables?: TableSource): Crypto {
  return cryptoWithHashes(hashes, tables);
}
