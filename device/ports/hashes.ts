// SHA-2 by the SDK's digests, which are native on every board.

import { Digest } from 'crypt';
import { bytesToHash } from '../../core/encoding/utf8.ts';
import type { NativeHashes } from '../../core/ports/own-ed25519.ts';
import type { Hash } from '../../core/ports/ports.ts';

class SdkHash implements Hash {
  readonly #digest: Digest;

  constructor(type: 'SHA256' | 'SHA512') {
    this.#digest = new Digest(type);
  }

  update(data: Uint8Array | string): void {
    // A digest reads text up to a zero, and lone surrogates it takes for text.
    const bytes = bytesToHash(data);
    if (bytes.length > 0) this.#digest.write(bytes);
  }

  digest(): Uint8Array {
    return new Uint8Array(this.#digest.close());
  }
}

/** The hashes of a device. */
export const deviceHashes: NativeHashes = Object.freeze({
  sha256: () => new SdkHash('SHA256'),
  sha512: () => new SdkHash('SHA512'),
});
