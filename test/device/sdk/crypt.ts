// Stands for the SDK's digests. Text is read up to its first zero, as C reads it there.

import { createHash } from 'node:crypto';

export class Digest {
  readonly #hash;

  constructor(type: 'SHA256' | 'SHA512') {
    this.#hash = createHash(type.toLowerCase());
  }

  write(data: Uint8Array | string): void {
    this.#hash.update(typeof data === 'string' ? (data.split('\0')[0] as string) : data);
  }

  close(): ArrayBuffer {
    return Uint8Array.from(this.#hash.digest()).buffer;
  }
}
