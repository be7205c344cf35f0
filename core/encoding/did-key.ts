// The Ed25519 key that a did:key identifier carries in itself (W3C CCG "The did:key Method", §2.1): an issuer of that form
// needs no key lookup.

import { decodeBase58 } from './base58.ts';

/** "z" is multibase for base58btc. */
const PREFIX = 'did:key:z';

/**
 * The 32-byte public key of `did:key:z6Mk…`; undefined for every other text: other methods, key types and encodings, and
 * DID URLs with a path, query or fragment. Whether the bytes are a usable key, `Crypto.ed25519KeyUsable` tells.
 */
export function ed25519FromDidKey(did: string): Uint8Array | undefined {
  if (!did.startsWith(PREFIX)) return undefined;
  const bytes = decodeBase58(did.slice(PREFIX.length), 34);
  // 0xed 0x01 is the multicodec "ed25519-pub" (0xed) as an unsigned varint.
  if (bytes === undefined || bytes.length !== 34 || bytes[0] !== 0xed || bytes[1] !== 0x01) return undefined;
  return bytes.slice(2);
}
