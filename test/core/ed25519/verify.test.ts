// The core's own Ed25519, through the Crypto port.

import { createHash } from 'node:crypto';
import { getPublicKey, hashes, sign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { strictProfile } from './profile.ts';

hashes.sha512 = sha512;

const portable = createPortableCrypto();
strictProfile('portable crypto', portable);

describe('portable crypto', () => {
  it("hashes with the core's own SHA-256 and SHA-512", () => {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const hash = portable[algorithm]();
      hash.update(new Uint8Array([1, 2, 3]));
      const expected = createHash(algorithm)
        .update(new Uint8Array([1, 2, 3]))
        .digest('hex');
      expect(Buffer.from(hash.digest()).toString('hex')).toBe(expected);
    }
  });
});

describe('portable crypto on the hashes of a platform', () => {
  it('uses them for Ed25519 too', () => {
    let started = 0;
    const native = (algorithm: string) => () => {
      started++;
      const hash = createHash(algorithm);
      return {
        update: (bytes: Uint8Array): void => {
          hash.update(bytes);
        },
        digest: (): Uint8Array => hash.digest(),
      };
    };
    const crypto = createPortableCrypto({ sha256: native('sha256'), sha512: native('sha512') });
    const secret = new Uint8Array(32).fill(1);
    const message = new Uint8Array([1, 2, 3]);
    expect(crypto.ed25519Verify(getPublicKey(secret), sign(message, secret), message)).toBe(true);
    expect(started).toBe(1);
    expect(Buffer.from(crypto.sha256().digest()).toString('hex')).toMatch(/^e3b0c442/);
    expect(started).toBe(2);
  });
});
