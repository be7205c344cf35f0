// The core's own Ed25519, through the Crypto port.

import { createHash } from 'node:crypto';
import { getPublicKey, hashes, sign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { combTable } from '../../../core/ed25519/comb.ts';
import { negate, type Table } from '../../../core/ed25519/curve.ts';
import { decompressPublicKey, type TableSource } from '../../../core/ed25519/verify.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { strictProfile } from './profile.ts';

hashes.sha512 = sha512;

const portable = createPortableCrypto();
strictProfile('portable crypto', portable);

/** Tables of all keys there are; a key that is refused has none. */
const tablesOfAll: TableSource = {
  find(publicKey) {
    const point = decompressPublicKey(publicKey);
    return point && combTable(negate(point));
  },
  has: () => false,
  wrong() {
    throw new Error('a table refused a good signature');
  },
};
strictProfile('portable crypto, every key with a table', createPortableCrypto(undefined, tablesOfAll));

describe('portable crypto with tables', () => {
  const secret = new Uint8Array(32).fill(2);
  const publicKey = getPublicKey(secret);
  const message = new Uint8Array([1, 2, 3]);
  const signature = sign(message, secret);

  /** A source of one table, whatever the key, that notes what it is told. */
  function sourceOf(table: Table | undefined): TableSource & { readonly told: string[] } {
    const told: string[] = [];
    return {
      told,
      find: () => table,
      has: () => table !== undefined,
      wrong: (key) => told.push(Buffer.from(key).toString('hex')),
    };
  }

  it('decides without a wrong table again, and says whose it was', () => {
    const wrong = sourceOf(combTable(negate({ x: 0n, y: 1n })));
    const crypto = createPortableCrypto(undefined, wrong);
    expect(crypto.ed25519Verify(publicKey, signature, message)).toBe(true);
    expect(wrong.told).toEqual([Buffer.from(publicKey).toString('hex')]);
    expect(crypto.ed25519Verify(publicKey, signature, message.subarray(1))).toBe(false);
    expect(wrong.told).toHaveLength(1);
  });

  it('runs the message once, even where it decides twice', () => {
    let runs = 0;
    const crypto = createPortableCrypto(undefined, sourceOf(combTable(negate({ x: 0n, y: 1n }))));
    const verdict = crypto.ed25519Verify(publicKey, signature, (sink) => {
      runs++;
      sink(message);
    });
    expect([verdict, runs]).toEqual([true, 1]);
  });

  it('takes a key with a table for a usable one, and asks nobody about others', () => {
    const off = new Uint8Array(32).fill(2);
    expect(portable.ed25519KeyUsable(off)).toBe(false);
    expect(createPortableCrypto(undefined, sourceOf([])).ed25519KeyUsable(off)).toBe(true);
    expect(createPortableCrypto(undefined, sourceOf(undefined)).ed25519KeyUsable(off)).toBe(false);
  });
});

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
