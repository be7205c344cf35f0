// The core's own Ed25519, through the Crypto port.

import { createHash } from 'node:crypto';
import { getPublicKey, hashes, sign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { type AffinePoint, negate, type Points } from '../../../core/ed25519/curve.ts';
import { invert } from '../../../core/ed25519/inverse.ts';
import { combineByTable } from '../../../core/ed25519/multiply.ts';
import { decompressPublicKey, type TableSource } from '../../../core/ed25519/verify.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { FlashError } from '../../../core/ports/ports.ts';
import { L, littleEndian, P, toNumber } from './encodings.ts';
import { strictProfile } from './profile.ts';
import { tableOf } from './table-fixtures.ts';

hashes.sha512 = sha512;

const portable = createPortableCrypto();
strictProfile('portable crypto', portable);

/** Tables of all keys there are; a key that is refused has none. */
const tablesOfAll: TableSource = {
  find(publicKey) {
    const point = decompressPublicKey(publicKey);
    return point && tableOf(negate(point));
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
  function sourceOf(table: Points | undefined): TableSource & { readonly told: string[] } {
    const told: string[] = [];
    return {
      told,
      find: () => table,
      has: () => table !== undefined,
      wrong: (key) => told.push(Buffer.from(key).toString('hex')),
    };
  }

  it('decides without a wrong table again, and says whose it was', () => {
    const wrong = sourceOf(tableOf(negate({ x: 0n, y: 1n })));
    const crypto = createPortableCrypto(undefined, wrong);
    expect(crypto.ed25519Verify(publicKey, signature, message)).toBe(true);
    expect(wrong.told).toEqual([Buffer.from(publicKey).toString('hex')]);
    expect(crypto.ed25519Verify(publicKey, signature, message.subarray(1))).toBe(false);
    expect(wrong.told).toHaveLength(1);
  });

  it('decides again where a table cannot be read, even in its middle, and says whose it was', () => {
    const whole = tableOf(negate(decompressPublicKey(publicKey) as AffinePoint));
    for (const reads of [0, 1, 20, 31]) {
      let left = reads;
      const failing = sourceOf({
        entry(number) {
          if (left-- === 0) throw new FlashError('it cannot be read');
          return whole.entry(number);
        },
      });
      const crypto = createPortableCrypto(undefined, failing);
      expect(crypto.ed25519Verify(publicKey, signature, message)).toBe(true);
      expect(failing.told).toEqual([Buffer.from(publicKey).toString('hex')]);
      left = reads;
      expect(crypto.ed25519Verify(publicKey, signature, message.subarray(1))).toBe(false);
    }
  });

  it('accepts nothing by flash that gives the same bits everywhere, for which an attacker could work out R beforehand', () => {
    const full = 2n ** 768n - 1n;
    const ones = 1n | (1n << 256n) | (1n << 512n);
    for (const same of [0n, full, ones, (full / 255n) * 0x4dn, 1n << 767n]) {
      const stuck: Points = { entry: () => same };
      const crypto = createPortableCrypto(undefined, sourceOf(stuck));
      for (let s = 0; s < 8; s++) {
        const forged = new Uint8Array(64);
        forged[32] = s;
        // What the entries come to with S, and some R that are as good as any where z is zero.
        for (const r of [...forgedBy(stuck, s, forged), 9n, 10n ** 40n]) {
          forged.set(littleEndian(r));
          expect(crypto.ed25519Verify(publicKey, forged, message)).toBe(false);
        }
      }
    }
  });

  /** The encoding that a forger would take for R. */
  function forgedBy(stuck: Points, s: number, signature: Uint8Array): readonly bigint[] {
    const k = toNumber(
      createHash('sha512').update(signature.subarray(0, 32)).update(publicKey).update(message).digest(),
    );
    const { x, y, z } = combineByTable(BigInt(s), k % L, stuck);
    const inverse = invert(z % P);
    return [((y * inverse) % P) | ((((x * inverse) % P) & 1n) << 255n)];
  }

  it('runs the message once, even where it decides twice', () => {
    let runs = 0;
    const crypto = createPortableCrypto(undefined, sourceOf(tableOf(negate({ x: 0n, y: 1n }))));
    const verdict = crypto.ed25519Verify(publicKey, signature, (sink) => {
      runs++;
      sink(message);
    });
    expect([verdict, runs]).toEqual([true, 1]);
  });

  it('takes a key with a table for a usable one, and asks nobody about others', () => {
    const off = new Uint8Array(32).fill(2);
    expect(portable.ed25519KeyUsable(off)).toBe(false);
    expect(createPortableCrypto(undefined, sourceOf(tableOf({ x: 0n, y: 1n }))).ed25519KeyUsable(off)).toBe(true);
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
