// The inverse: right for every kind of number, those that make Euclid's algorithm go in unusual steps among them.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invert } from '../../../core/ed25519/inverse.ts';
import { P } from './encodings.ts';

function expectInverse(a: bigint): void {
  const inverse = invert(a);
  if (inverse < 0n || inverse >= P || (inverse * a) % P !== 1n) throw new Error(`1/${a} is not ${inverse}`);
}

/** A continued fraction: P or what is near it divided by the value has these quotients first. */
function withQuotients(quotients: readonly bigint[]): bigint {
  let [numerator, denominator] = [1n, 0n];
  for (const quotient of [...quotients].reverse())
    [numerator, denominator] = [quotient * numerator + denominator, numerator];
  return (P * denominator) / numerator;
}

describe('invert', () => {
  it('of zero is zero', () => {
    expect(invert(0n)).toBe(0n);
  });

  it('of one, of small numbers and of those near p', () => {
    for (let a = 1n; a < 500n; a++) {
      expectInverse(a);
      expectInverse(P - a);
    }
  });

  it('of sums and differences of two powers of two: quotients as large as can be, and long runs of zeros', () => {
    for (let i = 0n; i < 255n; i++) {
      for (let j = 0n; j < i; j += 5n) {
        expectInverse(2n ** i + 2n ** j);
        expectInverse(2n ** i - 2n ** j);
      }
    }
  });

  it('of fractions of p and their neighbours: the leading digits agree for long', () => {
    for (let i = 2n; i < 300n; i++) {
      for (let near = -2n; near <= 2n; near++) {
        expectInverse(P / i + near);
        expectInverse((P * (i - 1n)) / i + near);
      }
    }
  });

  it('of numbers with quotients of any size in any order', () => {
    const quotient = fc.oneof(
      fc.constantFrom(1n, 2n, 3n, 2n ** 15n, 2n ** 16n, 2n ** 30n, 2n ** 31n, 2n ** 32n),
      fc.bigInt({ min: 1n, max: 2n ** 70n }),
    );
    fc.assert(
      fc.property(fc.array(quotient, { minLength: 1, maxLength: 60 }), (quotients) => {
        const a = withQuotients(quotients);
        fc.pre(a > 0n && a < P);
        expectInverse(a);
      }),
      { numRuns: 2000 },
    );
  });

  it('of any number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: P - 1n }), (a) => expectInverse(a)),
      { numRuns: 5000 },
    );
  });
});
