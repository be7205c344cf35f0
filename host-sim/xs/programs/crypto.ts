// The Crypto ports that programs in the engine can be run with: the core's own TypeScript, native hashes under it as every
// device has them, or all of it native.

import './host.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import type { Crypto, Hash, MessageStream } from '../../../core/ports/ports.ts';
import type { NativeHash } from './host.ts';

/** Names of the ports. */
export const CRYPTO_NAMES: readonly string[] = ['core', 'hashes', 'native'];

/** The port of that name: `core` (the default), `hashes` or `native`. */
export function chosenCrypto(name = 'core'): Crypto {
  if (name === 'core') return createPortableCrypto();
  if (name === 'hashes') return createPortableCrypto({ sha256, sha512 });
  if (name === 'native') return native;
  throw new Error(`there is no crypto ${name}`);
}

/** A hash of the host. */
class HostHash implements Hash {
  readonly #hash: NativeHash;

  constructor(bits: 256 | 512) {
    this.#hash = host.hashStart(bits);
  }

  update(data: Uint8Array | string): void {
    host.hashUpdate(this.#hash, data);
  }

  digest(): Uint8Array {
    return new Uint8Array(host.hashDigest(this.#hash));
  }
}

const sha256 = () => new HostHash(256);
const sha512 = () => new HostHash(512);

const native: Crypto = {
  sha256,
  sha512,
  ed25519Verify: (publicKey, signature, message) =>
    typeof message === 'function'
      ? verifyStream(publicKey, signature, message)
      : host.ed25519Verify(publicKey, signature, message),
  ed25519KeyUsable: (publicKey) => host.ed25519KeyUsable(publicKey),
};

function verifyStream(publicKey: Uint8Array, signature: Uint8Array, message: MessageStream): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const hash = sha512();
  hash.update(signature.subarray(0, 32));
  hash.update(publicKey);
  message((part) => hash.update(part));
  return host.ed25519VerifyDigest(publicKey, signature, hash.digest());
}
