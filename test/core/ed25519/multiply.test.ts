// [s]B + [k]Q: right against @noble/ed25519, with the table of Q and without, for extreme scalars and for torsion.

import { Point } from '@noble/ed25519';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Accumulator, type AffinePoint, addendOf, negate, type Points } from '../../../core/ed25519/curve.ts';
import { combine, combineByTable, oddMultiples, signedWindows } from '../../../core/ed25519/multiply.ts';
import { L, P, smallOrderPoints } from './encodings.ts';
import { affine, mod, times } from './group.ts';
import { tableOf } from './table-fixtures.ts';

/** Compares x/z and y/z with a point. */
function expectPoint({ x, y, z, e, h }: Accumulator, point: AffinePoint): void {
  expect([mod(x), mod(y)]).toEqual([mod(point.x * z), mod(point.y * z)]);
  expect(mod(e * h * z)).toBe(mod(x * y));
  expect(mod(z)).not.toBe(0n);
}

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
      fc.property(scalar, fc.integer({ min: 2, max: 8 }), (scalar, width) => {
        const terms = [...signedWindows(scalar, width)];
        let sum = 0n;
        let last = -width;
        let isWell = true;
        let at = 0;
        for (; terms[at + 1] !== 0; at += 2) {
          const [position, m] = terms.slice(at, at + 2) as [number, number];
          isWell &&= position - last >= width && Math.abs(m) < 2 ** (width - 1) && (m & 1) === 1;
          sum += BigInt(m) << BigInt(position);
          last = position;
        }
        isWell &&= terms.slice(at).every((zero) => zero === 0) && terms.length > at + 1;
        expect(isWell).toBe(true);
        expect(sum).toBe(scalar);
      }),
      { numRuns: 500 },
    );
  });
});

describe('oddMultiples', () => {
  it('holds Q, 3Q, 5Q …', () => {
    for (const point of [Point.BASE, times(Point.BASE, L - 1n), ...smallOrderPoints()]) {
      oddMultiples(affine(point), 8).forEach((entry, i) => {
        const z = entry >> 768n;
        const { x, y } = affine(times(point, BigInt(2 * i + 1)));
        const low = 2n ** 256n - 1n;
        expect(mod((entry & low) - ((entry >> 256n) & low))).toBe(mod(x * z));
        expect(mod((entry & low) + ((entry >> 256n) & low))).toBe(mod(y * z));
        expect(entry).toBe(addendOf({ x: mod(x * z), y: mod(y * z), z, e: mod(x * z), h: y }));
      });
    }
  });
});

describe.each(['without a table', 'by its table'])('[s]B + [k]Q %s', (how) => {
  const tables = new Map<string, Points>();
  const knownTableOf = (point: AffinePoint) => {
    const name = `${point.x} ${point.y}`;
    const known = tables.get(name) ?? tableOf(point);
    tables.set(name, known);
    return known;
  };
  const compute = (s: bigint, k: bigint, point: AffinePoint): Accumulator =>
    how === 'by its table' ? combineByTable(s, k, knownTableOf(point)) : combine(s, k, point);
  const check = (s: bigint, k: bigint, point: Point): void => {
    const expected = times(Point.BASE, s % L)
      .add(times(point, k))
      .toAffine();
    expectPoint(compute(s, k, affine(point)), expected);
  };

  it('for extreme scalars', () => {
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
    check(0n, 0n, point);
    for (const k of [2n ** 256n - 1n, 2n ** 256n - 2n, 2n ** 255n])
      expectPoint(compute(0n, k, affine(point)), affine(times(point, k % L)));
  });

  it('where equal, opposite and neutral points meet: the addition has no exceptions', () => {
    for (const point of [Point.BASE, Point.BASE.negate(), times(Point.BASE, 3n), times(Point.BASE, L - 3n)]) {
      for (let s = 0n; s < 6n; s++) for (let k = 0n; k < 6n; k++) check(s, k, point);
    }
    check(L - 1n, L - 1n, Point.BASE.negate());
    expectPoint(compute(5n, 5n, affine(Point.BASE.negate())), { x: 0n, y: 1n });
  });

  it('for points with torsion: k counts as it is and not modulo the order of B', () => {
    for (const t of smallOrderPoints()) {
      for (const k of [1n, 2n, 7n, 8n, L - 1n, L - 2n]) {
        check(0n, k, t);
        check(3n, k, times(Point.BASE, 77n).add(t));
      }
    }
  });

  it('for −0, whose x is p', () => {
    expectPoint(compute(0n, 3n, negate({ x: 0n, y: P - 1n })), { x: 0n, y: P - 1n });
  });

  it('anywhere', () => {
    const scalar = fc.bigInt({ min: 0n, max: L - 1n });
    fc.assert(
      fc.property(scalar, scalar, fc.bigInt({ min: 1n, max: L - 1n }), (s, k, n) => check(s, k, times(Point.BASE, n))),
      { numRuns: 25 },
    );
  });
});
