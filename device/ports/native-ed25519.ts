// The project's C functions for Ed25519 (native/ed25519.c): the strict profile, decided natively. Who calls them hashes: SHA-512 of
// R, A and the message comes in ready, so that a message may be a stream.

import type { Crypto, Hash, MessageStream } from '../../core/ports/ports.ts';

function verifyDigest(this: unknown, publicKey: Uint8Array, signature: Uint8Array, digest: Uint8Array): unknown {
  return native('xs_mpcp_ed25519_verify').call(this, publicKey, signature, digest);
}

function keyUsable(this: unknown, publicKey: Uint8Array): unknown {
  return native('xs_mpcp_ed25519_key_usable').call(this, publicKey);
}

/** The two calls of the Crypto port. @param sha512 starts one */
export function nativeEd25519(sha512: () => Hash): Pick<Crypto, 'ed25519Verify' | 'ed25519KeyUsable'> {
  return {
    ed25519Verify(publicKey, signature, message) {
      if (publicKey.length !== 32 || signature.length !== 64) return false;
      return (
        verifyDigest.call(undefined, publicKey, signature, challenge(sha512(), publicKey, signature, message)) === true
      );
    },
    ed25519KeyUsable: (publicKey) => publicKey.length === 32 && keyUsable.call(undefined, publicKey) === true,
  };
}

function challenge(
  hash: Hash,
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array | MessageStream,
): Uint8Array {
  hash.update(signature.subarray(0, 32));
  hash.update(publicKey);
  if (typeof message === 'function') message((part) => hash.update(part));
  else hash.update(message);
  return hash.digest();
}
