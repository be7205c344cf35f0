// Stands for the SDK's `crypt` inside XS: the C host's native hashes.

import '../programs/host.ts';
import type { NativeHash } from '../programs/host.ts';

export class Digest {
  readonly #hash: NativeHash;

  constructor(type: 'SHA256' | 'SHA512') {
    this.#hash = host.hashStart(type === 'SHA256' ? 256 : 512);
  }

  write(data: Uint8Array): void {
    host.hashUpdate(this.#hash, data);
  }

  close(): ArrayBuffer {
    return host.hashDigest(this.#hash);
  }
}
