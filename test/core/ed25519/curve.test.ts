// The group: right against @noble/ed25519 and against its formulas, with values inside the stated magnitudes.

import { Point } from '@noble/ed25519';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Accumulator,
  type AffinePoint,
  add,
  addendOf,
  affineAddendOf,
  DOUBLE,
  decompress,
  double,
  isOnCurve,
  negate,
  ORDER,
  type Points,
  pointOf,
  run,
  running,
  type Table,
} from '../../../core/ed25519/curve.ts';
import { encodingsFromP, L, littleEndian, offCurveEncodings, P, smallOrderPoints, toNumber } from './encodings.ts';
import { affine, mod, partsOf, times } from './group.ts';

const D = mod(-121665n * power(121666n, P - 2n));
const TIGHT = 2n ** 255n + 2n ** 72n;
const upTo = (bound: bigint) =>
  fc.oneof(fc.bigInt({ min: 0n, max: bound - 1n }), fc.constantFrom(0n, 1n, P, bound - 1n, bound - 2n));

/** Any values in the stated ranges: the formulas are polynomials and need no point of the curve to be compared. */
const accumulator: fc.Arbitrary<Accumulator> = fc.record({
  x: upTo(2n * P),
  y: upTo(2n * P),
  z: upTo(2n * P),
  e: upTo(2n ** 266n),
  h: upTo(2n ** 264n),
});

function expectInRange(q: Accumulator): void {
  expect([q.x, q.y, q.z].every((value) => value >= 0n && value < TIGHT)).toBe(true);
  expect(q.e >= 0n && q.e < 2n ** 266n && q.h >= 0n && q.h < 2n ** 264n).toBe(true);
}

const pointsOf = (table: Table): Points => ({ entry: (number) => table[number] as bigint });

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
    const q = running({ x, y });
    double(q, 0);
    expect(q).toEqual({ x, y, z: 1n, e: x, h: y });
    double(q, 100);
    const expected = times(Point.BASE, 2n ** 100n).toAffine();
    expect(mod(expected.x * q.z)).toBe(mod(q.x));
    expect(mod(expected.y * q.z)).toBe(mod(q.y));
    expect(mod(q.e * q.h * q.z)).toBe(mod(q.x * q.y));
  });
});

describe('run: an addition', () => {
  // Flash that was damaged may hold any bits.
  const value = upTo(2n ** 256n);

  it('is RFC 8032 §5.1.4, in range, for all values in range, both signs, of the base or others, with z and without', () => {
    fc.assert(
      fc.property(
        accumulator,
        fc.tuple(value, value, value, upTo(P)),
        fc.boolean(),
        fc.constantFrom('base', 'others', 'projective'),
        (q, [halfSum, halfDifference, dt, z2], isNegative, where) => {
          const { x, y, z } = q;
          const t = q.e * q.h;
          const sign = isNegative ? -1n : 1n;
          const a = (y - x) * 2n * (isNegative ? halfSum : halfDifference);
          const b = (y + x) * 2n * (isNegative ? halfDifference : halfSum);
          const c = sign * t * 2n * dt;
          const d = 2n * z * (where === 'projective' ? z2 : 1n);
          const [e, f, g, h] = [b - a, d - c, d + c, b + a];
          const z3 = where === 'projective' ? z2 : 0n;
          const addend = halfSum | (halfDifference << 256n) | (dt << 512n) | (z3 << 768n);
          // ±2 is the second point of all.
          const steps = [isNegative ? -2 : 2];
          if (where === 'base') run(q, steps, 1, pointsOf([0n, addend]), 2, pointsOf([]), true);
          else run(q, steps, 1, pointsOf([0n]), 1, pointsOf([addend]), where === 'projective');
          expectInRange(q);
          // Everything is a quarter of what the formulas have.
          const quarter = [q.x, q.y, q.z, q.e * q.h].map((value) => mod(4n * value));
          expect(quarter).toEqual([e * f, g * h, f * g, e * h].map(mod));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('run', () => {
  const point = times(Point.BASE, 0x123456789abcdefn);
  const multiples = [1n, 3n, 5n, 7n, 9n];
  const table = multiples.map((n) => affineAddendOf(affine(times(point, n))));

  it('takes the last step first: doubles, adds, subtracts', () => {
    const step = fc.constantFrom(DOUBLE, DOUBLE, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.nat(20), fc.nat(5), (steps, count, inBase) => {
        const taken = steps.slice(0, count);
        const q = running(affine(Point.BASE));
        run(q, Int16Array.from(steps), taken.length, pointsOf(table), inBase, pointsOf(table.slice(inBase)), false);
        let base = 1n;
        let n = 0n;
        for (const step of taken.reverse()) {
          if (step === DOUBLE) {
            base *= 2n;
            n *= 2n;
          } else n += BigInt(Math.sign(step)) * (multiples[Math.abs(step) - 1] as bigint);
        }
        const expected = times(Point.BASE, base).add(times(point, ((n % L) + L) % L));
        expect(affineOf(q)).toEqual(expected.toAffine());
      }),
      { numRuns: 60 },
    );
  });
});

function affineOf({ x, y, z }: Accumulator): AffinePoint {
  const inverse = power(z, P - 2n);
  return { x: mod(x * inverse), y: mod(y * inverse) };
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = mod(base); exponent > 0n; exponent >>= 1n, square = mod(square * square)) {
    if (exponent & 1n) result = mod(result * square);
  }
  return result;
}

describe('points ready to be added', () => {
  const points = [Point.BASE, times(Point.BASE, L - 1n), times(Point.BASE, 12345n), ...smallOrderPoints()];

  it('are (y + x)/2, (y − x)/2, d·t and z, each in 0 … p − 1', () => {
    for (const point of points) {
      const q = running(affine(point));
      double(q, 1);
      const twice = affine(times(point, 2n));
      const [sum, difference, dt, z] = partsOf(addendOf(q));
      expect(mod(sum - difference)).toBe(mod(twice.x * z));
      expect(mod(sum + difference)).toBe(mod(twice.y * z));
      expect(mod(dt)).toBe(mod(D * twice.x * twice.y * z));
      const [sum1, difference1, dt1, none] = partsOf(affineAddendOf(affine(point)));
      const { x, y } = affine(point);
      expect([mod(sum1 - difference1), mod(sum1 + difference1), dt1, none]).toEqual([x, y, mod(D * x * y), 0n]);
      for (const value of [sum, difference, dt, z, sum1, difference1, dt1]) expect(value).toBeLessThan(P);
    }
  });

  it('come back, with either sign', () => {
    for (const point of points) {
      const addend = affineAddendOf(affine(point));
      for (const [isNegative, expected] of [
        [false, point],
        [true, point.negate()],
      ] as const) {
        const q = pointOf(addend, isNegative);
        expectInRange(q);
        expect(affineOf(q)).toEqual(affine(expected));
      }
    }
  });

  it('stay in range where damaged flash gives any bits', () => {
    const part = upTo(2n ** 256n);
    fc.assert(
      fc.property(part, part, part, fc.boolean(), (a, b, c, isNegative) => {
        const q = pointOf(a | (b << 256n) | (c << 512n), isNegative);
        expectInRange(q);
        expect([q.x, q.y].map(mod)).toEqual([mod(isNegative ? b - a : a - b), mod(a + b)]);
      }),
    );
  });

  it('of −0 too, whose x is written as p', () => {
    const minus = negate({ x: 0n, y: P - 1n });
    expect(minus.x).toBe(P);
    expect(affineAddendOf(minus)).toBe(affineAddendOf({ x: 0n, y: P - 1n }));
  });
});

describe('add', () => {
  it('is right where equal, opposite and neutral points meet, with z and without', () => {
    const some = [Point.ZERO, Point.BASE, Point.BASE.negate(), times(Point.BASE, 2n), ...smallOrderPoints()];
    for (const one of some) {
      for (const other of some) {
        for (const sign of [1, -1] as const) {
          const expected = affine(sign === 1 ? one.add(other) : one.subtract(other));
          const q = running(affine(one));
          add(q, affineAddendOf(affine(other)), sign, false);
          expect(affineOf(q)).toEqual(expected);
          const p = running(affine(one));
          add(p, addendOf(running(affine(other))), sign);
          expect(affineOf(p)).toEqual(expected);
        }
      }
    }
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

describe('isOnCurve', () => {
  it('is true for points, and for nothing beside them', () => {
    for (const point of smallOrderPoints()) expect(isOnCurve(affine(point))).toBe(true);
    for (const point of [Point.BASE, times(Point.BASE, 12345n)]) {
      const { x, y } = affine(point);
      expect(isOnCurve({ x, y })).toBe(true);
      for (const bit of [0n, 1n, 100n, 253n]) {
        expect(isOnCurve({ x: mod(x ^ (1n << bit)), y })).toBe(false);
        expect(isOnCurve({ x, y: mod(y ^ (1n << bit)) })).toBe(false);
      }
    }
    expect(isOnCurve({ x: 0n, y: 0n })).toBe(false);
  });
});

describe('negate', () => {
  it('is the opposite point', () => {
    const point = times(Point.BASE, 9n);
    expect(negate(affine(point))).toEqual(affine(point.negate()));
  });
});
