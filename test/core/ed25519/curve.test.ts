// The group: right against @noble/ed25519 and against its formulas, with values inside the stated magnitudes.

import { Point } from '@noble/ed25519';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Accumulator,
  type AffinePoint,
  add,
  combine,
  decompress,
  double,
  keyMultiples,
  negate,
  ORDER,
  signedWindows,
} from '../../../core/ed25519/curve.ts';
import { encodingsFromP, L, littleEndian, offCurveEncodings, P, smallOrderPoints, toNumber } from './encodings.ts';

const TIGHT = 2n ** 255n + 2n ** 36n;
const mod = (a: bigint): bigint => ((a % P) + P) % P;
const upTo = (bound: bigint) =>
  fc.oneof(fc.bigInt({ min: 0n, max: bound - 1n }), fc.constantFrom(0n, 1n, P, bound - 1n, bound - 2n));

/** Any values in the stated ranges: the formulas are polynomials and need no point of the curve to be compared. */
const accumulator: fc.Arbitrary<Accumulator> = fc.record({
  x: upTo(TIGHT),
  y: upTo(TIGHT),
  z: upTo(TIGHT),
  e: upTo(2n ** 266n),
  h: upTo(2n ** 266n),
});

function expectInRange(q: Accumulator): void {
  expect([q.x, q.y, q.z].every((value) => value >= 0n && value < TIGHT)).toBe(true);
  expect([q.e, q.h].every((value) => value >= 0n && value < 2n ** 266n)).toBe(true);
}

const affine = (point: Point): AffinePoint => point.toAffine();
/** [n]Q for any n and Q, torsion and zero included. */
const times = (point: Point, n: bigint): Point => (n === 0n ? Point.ZERO : point.multiply(n, false));

describe('the order', () => {
  it('is L', () => {
    expect(ORDER).toBe(L);
  });
});

describe('double', () => {
  it('is RFC 8032 §5.1.4, in range, for all values in range', () => {
    fc.assert(
      fc.property(accumulator, (q) => {
        const { x, y, z } = q;
        const a = x * x;
        const b = y * y;
        const h = a + b;
        const e = h - (x + y) ** 2n;
        const g = a - b;
        const f = 2n * z * z + g;
        double(q, 1);
        expectInRange(q);
        expect([q.x, q.y, q.z, q.e * q.h].map(mod)).toEqual([e * f, g * h, f * g, e * h].map(mod));
      }),
      { numRuns: 300 },
    );
  });

  it('repeats, and leaves the point alone for zero times', () => {
    const { x, y } = Point.BASE.toAffine();
    const q: Accumulator = { x, y, z: 1n, e: x, h: y };
    double(q, 0);
    expect(q).toEqual({ x, y, z: 1n, e: x, h: y });
    double(q, 100);
    const expected = times(Point.BASE, 2n ** 100n).toAffine();
    expect(mod(expected.x * q.z)).toBe(mod(q.x));
    expect(mod(expected.y * q.z)).toBe(mod(q.y));
    expect(mod(q.e * q.h * q.z)).toBe(mod(q.x * q.y));
  });
});

describe('add', () => {
  const entry = upTo(2n ** 257n);

  it('is RFC 8032 §5.1.4, in range, for all values in range, both signs and both strides', () => {
    fc.assert(
      fc.property(
        accumulator,
        fc.tuple(entry, entry, upTo(TIGHT), entry),
        fc.boolean(),
        fc.boolean(),
        (q, [sum, difference, td, z2], negative, projective) => {
          const { x, y, z } = q;
          const t = q.e * q.h;
          const sign = negative ? -1n : 1n;
          const a = (y - x) * (negative ? sum : difference);
          const b = (y + x) * (negative ? difference : sum);
          const c = sign * t * td;
          const d = z * (projective ? z2 : 2n);
          const [e, f, g, h] = [b - a, d - c, d + c, b + a];
          // m = ±3 is the second multiple of the table.
          if (projective) add(q, [0n, 0n, 0n, 0n, sum, difference, td, z2], 4, negative ? -3 : 3);
          else add(q, [0n, 0n, 0n, sum, difference, td], 3, negative ? -3 : 3);
          expectInRange(q);
          expect([q.x, q.y, q.z, q.e * q.h].map(mod)).toEqual([e * f, g * h, f * g, e * h].map(mod));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('keyMultiples', () => {
  it('holds Q, 3Q, 5Q …, entries not negative and below 2^257', () => {
    for (const point of [Point.BASE, times(Point.BASE, L - 1n), ...smallOrderPoints()]) {
      const table = keyMultiples(affine(point));
      for (let i = 0; i * 4 < table.length; i++) {
        const [sum, difference, td, twoZ] = table.slice(i * 4, i * 4 + 4);
        for (const value of [sum, difference, td, twoZ]) expect(value >= 0n && value < 2n ** 257n).toBe(true);
        expect(td).toBeLessThan(TIGHT);
        const { x, y } = times(point, BigInt(2 * i + 1)).toAffine();
        expect(mod(sum - difference)).toBe(mod(x * twoZ));
        expect(mod(sum + difference)).toBe(mod(y * twoZ));
      }
      expect(Math.log2(table.length / 4) % 1).toBe(0);
    }
  });
});

describe('signedWindows', () => {
  it('sums up to the scalar, with odd small terms that keep their distance', () => {
    const scalar = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
      fc.bigInt({ min: 0n, max: 300n }),
      fc.nat(255).map((n) => 2n ** BigInt(n)),
      fc.nat(255).map((n) => 2n ** BigInt(n) - 1n),
      fc.nat(255).map((n) => 2n ** 256n - 2n ** BigInt(n)),
      fc.tuple(fc.nat(127), fc.nat(127)).map(([a, b]) => ((2n ** BigInt(a)) << 128n) | (2n ** BigInt(b))),
    );
    fc.assert(
      fc.property(scalar, fc.integer({ min: 2, max: 15 }), (scalar, width) => {
        const pairs = signedWindows(scalar, width);
        let sum = 0n;
        let last = -width;
        let well = true;
        for (let i = 0; i < pairs.length; i += 2) {
          const [position, m] = [pairs[i], pairs[i + 1]];
          well &&= position - last >= width && Math.abs(m) < 2 ** (width - 1) && (m & 1) === 1;
          sum += BigInt(m) << BigInt(position);
          last = position;
        }
        expect(well).toBe(true);
        expect(sum).toBe(scalar);
      }),
      { numRuns: 500 },
    );
  });
});

describe('combine', () => {
  const check = (s: bigint, k: bigint, point: Point): void => {
    const expected = times(Point.BASE, s % L)
      .add(times(point, k))
      .toAffine();
    expect(combine(s, k, keyMultiples(affine(point)))).toEqual(expected);
  };

  it('is [s]B + [k]Q for extreme scalars', () => {
    const alternating = 0x5555555555555555555555555555555555555555555555555555555555555555n;
    const scalars = [
      0n,
      1n,
      2n,
      L - 1n,
      L - 2n,
      2n ** 252n - 1n,
      2n ** 252n,
      alternating & (2n ** 252n - 1n),
      (alternating << 1n) & (2n ** 252n - 1n),
      0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0fn,
    ];
    const point = times(Point.BASE, 0x123456789abcdefn);
    for (const s of scalars) {
      check(s, scalars[3], point);
      check(scalars[3], s, point);
      check(s, s, point);
    }
    check(2n ** 256n - 1n, 0n, point);
    check(0n, 0n, point);
  });

  it('is right where equal, opposite and neutral points meet: the addition has no exceptions', () => {
    for (const point of [Point.BASE, Point.BASE.negate(), times(Point.BASE, 3n), times(Point.BASE, L - 3n)]) {
      for (let s = 0n; s < 6n; s++) for (let k = 0n; k < 6n; k++) check(s, k, point);
    }
    check(L - 1n, L - 1n, Point.BASE.negate());
    expect(combine(5n, 5n, keyMultiples(affine(Point.BASE.negate())))).toEqual({ x: 0n, y: 1n });
  });

  it('is right for points with torsion', () => {
    for (const t of smallOrderPoints()) {
      for (const k of [1n, 2n, 7n, 8n, L - 1n]) {
        check(0n, k, t);
        check(3n, k, times(Point.BASE, 77n).add(t));
      }
    }
  });

  it('is right anywhere', () => {
    const scalar = fc.bigInt({ min: 0n, max: L - 1n });
    fc.assert(
      fc.property(scalar, scalar, fc.bigInt({ min: 1n, max: L - 1n }), (s, k, n) => {
        check(s, k, times(Point.BASE, n));
      }),
      { numRuns: 25 },
    );
  });
});

describe('decompress', () => {
  it('agrees with @noble/ed25519 on every encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (encoding) => {
        let expected: AffinePoint | undefined;
        try {
          expected = Point.fromBytes(encoding, false).toAffine();
        } catch {
          expected = undefined;
        }
        expect(decompress(toNumber(encoding))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('gives back the point, for either sign of x', () => {
    for (let n = 1n; n < 20n; n++) {
      for (const point of [times(Point.BASE, n), times(Point.BASE, n).negate()]) {
        expect(decompress(toNumber(point.toBytes()))).toEqual(point.toAffine());
      }
    }
    for (const point of smallOrderPoints()) expect(decompress(toNumber(point.toBytes()))).toEqual(point.toAffine());
  });

  it('refuses what is not canonical: y ≥ p, and x = 0 with the sign bit', () => {
    for (const encoding of encodingsFromP()) expect(decompress(toNumber(encoding))).toBeUndefined();
    for (const y of [1n, P - 1n]) {
      expect(decompress(y)).toEqual({ x: 0n, y });
      expect(decompress(y | (1n << 255n))).toBeUndefined();
    }
  });

  it('refuses what is not on the curve', () => {
    for (const encoding of offCurveEncodings(2n, 20)) expect(decompress(toNumber(encoding))).toBeUndefined();
    expect(decompress(toNumber(littleEndian(2n)))).toBeUndefined();
  });
});

describe('negate', () => {
  it('is the opposite point, and usable with x = 0 too', () => {
    const point = times(Point.BASE, 9n);
    expect(negate(affine(point))).toEqual(affine(point.negate()));
    expect(combine(0n, 3n, keyMultiples(negate({ x: 0n, y: P - 1n })))).toEqual({ x: 0n, y: P - 1n });
  });
});
