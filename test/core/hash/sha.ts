// What both hashes must do, whatever the implementation: used for the core's own and for the adapters.

import { createHash } from 'node:crypto';
import { sha256 as nobleSha256, sha512 as nobleSha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hash } from '../../../core/ports/ports.ts';

const latin = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** FIPS 180-4 examples as published by NIST (CSRC, "Examples with Intermediate Values"), and the empty message. */
const ANSWERS = {
  sha256: [
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ],
  sha512: [
    [
      '',
      'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    ],
    [
      'abc',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    [
      'abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu',
      '8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909',
    ],
  ],
} as const;

/** Registers the tests of one hash. */
export function hashSpecification(algorithm: 'sha256' | 'sha512', start: () => Hash): void {
  const block = algorithm === 'sha256' ? 64 : 128;
  const noble = algorithm === 'sha256' ? nobleSha256 : nobleSha512;
  const node = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash(algorithm).update(bytes).digest());
  const hash = (bytes: Uint8Array): Uint8Array => {
    const hash = start();
    hash.update(bytes);
    return hash.digest();
  };

  describe(algorithm, () => {
    it('gives the known answers of FIPS 180-4', () => {
      for (const [text, digest] of ANSWERS[algorithm]) {
        expect(Buffer.from(hash(latin(text))).toString('hex')).toBe(digest);
      }
    });

    it('agrees with node:crypto and @noble/hashes for every length from 0 to 300', () => {
      const bytes = new Uint8Array(300).map((_, i) => (i * 167 + 13) & 0xff);
      for (let length = 0; length <= bytes.length; length++) {
        const part = bytes.subarray(0, length);
        const digest = Buffer.from(hash(part));
        expect(digest.equals(node(part)) && digest.equals(noble(part)), `length ${length}`).toBe(true);
      }
    });

    it('does not depend on how the message is cut into parts', () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 3 * block + 10 }),
          fc.array(fc.nat({ max: 2 * block + 3 }), { maxLength: 8 }),
          (bytes, cuts) => {
            const hash = start();
            let at = 0;
            for (const cut of cuts) {
              // `slice` and then overwritten: a part may be reused as soon as `update` returns.
              const part = bytes.slice(at, at + cut);
              hash.update(part);
              part.fill(0xaa);
              at += part.length;
            }
            hash.update(bytes.subarray(at));
            expect(hash.digest()).toEqual(node(bytes));
          },
        ),
        { numRuns: 60 },
      );
    });

    it('reads a view into a larger buffer where the view is, and leaves it alone', () => {
      const whole = new Uint8Array(5 * block).map((_, i) => i & 0xff);
      const copy = whole.slice();
      const part = whole.subarray(7, 7 + 3 * block + 1);
      expect(hash(part)).toEqual(node(part));
      expect(whole).toEqual(copy);
    });

    it('hashes text as its UTF-8 bytes, alone and mixed with bytes', () => {
      // Characters of one to four bytes, in texts that end on both sides of a block.
      for (let length = 0; length < 2 * block + 3; length += 5) {
        const text = `${'x'.repeat(length)}${['a', 'é', '€', '😀'].join('').repeat(length % 7)}`;
        const whole = start();
        whole.update(text);
        expect(whole.digest()).toEqual(node(new Uint8Array(Buffer.from(text))));
      }
      const mixed = start();
      for (const part of ['prefix:', new Uint8Array([0xff, 0x00]), 'é', '', new Uint8Array(0), '😀'.repeat(block)]) {
        mixed.update(part);
      }
      const bytes = Buffer.concat([
        Buffer.from('prefix:'),
        Buffer.from([0xff, 0x00]),
        Buffer.from(`é${'😀'.repeat(block)}`),
      ]);
      expect(mixed.digest()).toEqual(node(new Uint8Array(bytes)));
    });

    it('keeps hashes that run at the same time apart', () => {
      const one = start();
      const other = start();
      one.update(latin('on'));
      other.update(latin('oth'));
      one.update(latin('e'));
      other.update(latin('er'));
      expect(one.digest()).toEqual(node(latin('one')));
      expect(other.digest()).toEqual(node(latin('other')));
    });

    it('gives a digest that the caller owns', () => {
      const first = hash(latin('abc'));
      expect(first.constructor).toBe(Uint8Array);
      expect(first.buffer.byteLength).toBe(algorithm === 'sha256' ? 32 : 64);
      first.fill(0);
      expect(hash(latin('abc'))).toEqual(node(latin('abc')));
    });

    it('is finished after the digest', () => {
      const hash = start();
      hash.digest();
      expect(() => hash.digest()).toThrow();
      expect(() => hash.update(latin('x'))).toThrow();
    });
  });
}
