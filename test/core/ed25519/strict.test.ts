// The byte checks of the strict profile, against their definition in numbers.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { strictPublicKey, strictSignature } from '../../../core/ed25519/strict.ts';
import {
  encodingsFromP,
  L,
  littleEndian,
  P,
  signatureOf,
  smallOrderEncodings,
  smallOrderPoints,
  toNumber,
} from './encodings.ts';

const GOOD = littleEndian(3n);
const SMALL_ORDER_Y = smallOrderPoints().map((point) => toNumber(point.toBytes()) & (2n ** 255n - 1n));

/** The definition: y < p and not one of the five y of small order; the sign does not matter (see strict.ts). */
function defined(encoding: Uint8Array): boolean {
  const y = toNumber(encoding) & (2n ** 255n - 1n);
  return y < P && !SMALL_ORDER_Y.includes(y);
}

/** Encodings near everything that the checks look at. */
const nearEdges = fc
  .tuple(
    fc.constantFrom(0n, 1n, P - 1n, P, 2n ** 255n - 1n, ...SMALL_ORDER_Y),
    fc.integer({ min: -3, max: 3 }),
    fc.nat(255),
    fc.boolean(),
  )
  .map(([y, more, bit, flip]) => {
    const encoding = littleEndian((y + BigInt(more)) & (2n ** 256n - 1n));
    if (flip) encoding[bit >> 3] ^= 1 << (bit & 7);
    return encoding;
  });

describe('strictPublicKey', () => {
  it('refuses the eight points of small order, and the six other encodings of them', () => {
    const { canonical, other } = smallOrderEncodings();
    expect(new Set(canonical.map(String)).size).toBe(8);
    for (const encoding of [...canonical, ...other]) expect(strictPublicKey(encoding)).toBe(false);
  });

  it('refuses y ≥ p, and takes y = p − 2', () => {
    for (const encoding of encodingsFromP()) expect(strictPublicKey(encoding)).toBe(false);
    expect(strictPublicKey(littleEndian(P - 2n))).toBe(true);
    expect(strictPublicKey(littleEndian(2n))).toBe(true);
  });

  it('takes 32 bytes only', () => {
    for (const length of [0, 31, 33, 64]) expect(strictPublicKey(new Uint8Array(length).fill(2))).toBe(false);
    expect(strictPublicKey(new Uint8Array(32).fill(2))).toBe(true);
  });

  it('is what the definition says, near the edges and anywhere', () => {
    const anywhere = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.oneof(nearEdges, anywhere), (encoding) => {
        expect(strictPublicKey(encoding)).toBe(defined(encoding));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('strictSignature', () => {
  it('takes S up to L − 1', () => {
    for (const s of [0n, 1n, 2n ** 252n - 1n, 2n ** 252n, L - 1n])
      expect(strictSignature(signatureOf(GOOD, s))).toBe(true);
  });

  it('refuses S from L on', () => {
    for (const s of [L, L + 1n, L + 2n ** 128n, 2n ** 253n - 1n, 2n ** 253n, 2n ** 255n, 2n ** 256n - 1n]) {
      expect(strictSignature(signatureOf(GOOD, s))).toBe(false);
    }
  });

  it('compares S with L at every byte', () => {
    for (let bit = 0; bit < 256; bit++) {
      for (const s of [L ^ (1n << BigInt(bit)), (L - 1n) ^ (1n << BigInt(bit))]) {
        expect(strictSignature(signatureOf(GOOD, s))).toBe(s < L);
      }
    }
  });

  it('judges R as a key', () => {
    fc.assert(
      fc.property(nearEdges, (r) => {
        expect(strictSignature(signatureOf(r, 1n))).toBe(defined(r));
      }),
      { numRuns: 500 },
    );
  });

  it('takes 64 bytes only', () => {
    for (const length of [0, 32, 63, 65]) expect(strictSignature(new Uint8Array(length).fill(2))).toBe(false);
  });
});
