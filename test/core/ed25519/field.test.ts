// Field arithmetic: right modulo p, never negative and inside the stated magnitudes, at the ends of the ranges too.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BITS_255,
  canonical,
  LOW_255,
  multiply,
  NINETEEN,
  P,
  powerForRoot,
  squareTimes,
  TWO_P,
} from '../../../core/ed25519/field.ts';

const TIGHT = 2n ** 255n + 2n ** 72n;
const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n;
  for (base %= P; exponent > 0n; exponent >>= 1n, base = (base * base) % P) {
    if (exponent & 1n) result = (result * base) % P;
  }
  return result;
};
const below = (bound: bigint) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: bound - 1n }),
    fc
      .constantFrom(0n, 1n, bound - 1n, bound - 2n, P - 1n, P, P + 1n, 2n ** 255n - 1n, 2n ** 255n)
      .filter((a) => a < bound),
  );
const tight = (a: bigint): boolean => a >= 0n && a < TIGHT;

describe('the constants', () => {
  it('are what they are called', () => {
    expect(P).toBe(2n ** 255n - 19n);
    expect(TWO_P).toBe(2n * P);
    expect(LOW_255).toBe(2n ** 255n - 1n);
    expect(BITS_255).toBe(255n);
    expect(NINETEEN).toBe(2n ** 255n % P);
    expect(TIGHT).toBeLessThan(TWO_P);
  });
});

describe('multiply', () => {
  it('is tight and right up to a product of 2^536 − 1', () => {
    // 2^536 − 1 has factors of every size.
    for (const a of [1n, 3n, 17n, 2n ** 67n - 1n, 2n ** 134n - 1n, 2n ** 268n - 1n, 2n ** 268n + 1n]) {
      const b = (2n ** 536n - 1n) / a;
      expect(a * b).toBe(2n ** 536n - 1n);
      expect(tight(multiply(a, b))).toBe(true);
      expect(multiply(a, b) % P).toBe((a * b) % P);
    }
  });

  it('is tight and right anywhere below', () => {
    fc.assert(
      fc.property(below(2n ** 268n), below(2n ** 268n), (a, b) => {
        expect(tight(multiply(a, b))).toBe(true);
        expect(multiply(a, b) % P).toBe((a * b) % P);
      }),
      { numRuns: 500 },
    );
  });
});

describe('squareTimes', () => {
  it('is tight and right for every tight value', () => {
    fc.assert(
      fc.property(below(TIGHT), fc.nat(12), (a, times) => {
        expect(tight(squareTimes(a, times))).toBe(true);
        expect(squareTimes(a, times) % P).toBe(power(a, 2n ** BigInt(times)));
      }),
      { numRuns: 500 },
    );
  });
});

describe('canonical', () => {
  it('is the value modulo p, for all below 2^286', () => {
    for (const a of [0n, P - 1n, P, TWO_P - 1n, TWO_P, TWO_P + 1n, 2n ** 286n - 1n, P << 30n, (P << 30n) + P - 1n]) {
      expect(canonical(a)).toBe(a % P);
    }
    fc.assert(fc.property(below(2n ** 286n), (a) => canonical(a) === a % P));
  });
});

describe('powerForRoot', () => {
  it('is the power (p − 5)/8', () => {
    fc.assert(
      fc.property(below(TIGHT), (a) => {
        expect(tight(powerForRoot(a))).toBe(true);
        expect(powerForRoot(a) % P).toBe(power(a, (P - 5n) / 8n));
      }),
      { numRuns: 30 },
    );
  });
});
