// The comb: columns that sum up to the scalar, tables whose entries are what they are said to be, made step by step.

import { Point } from '@noble/ed25519';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BASE_TABLE,
  BUILD_STEPS,
  baseColumnsOf,
  COLUMNS,
  columnsOf,
  combTable,
  ENTRIES,
  ITSELF,
  TableBuilder,
} from '../../../core/ed25519/comb.ts';
import { type Addend, negate } from '../../../core/ed25519/curve.ts';
import { L, smallOrderPoints } from './encodings.ts';
import { affine, partsOf, pointOfAddend, times } from './group.ts';

/** What an entry is a multiple of the point by. */
function multipleOf(entry: number): bigint {
  let sum = 0n;
  for (let tooth = 0; tooth < 6; tooth++) {
    const isPlus = tooth === 5 || ((entry >> tooth) & 1) === 1;
    sum += (isPlus ? 1n : -1n) * 2n ** BigInt(43 * tooth);
  }
  return sum;
}

/** What columns come to. */
function sumOf(columns: Int8Array): bigint {
  return columns.reduce((sum, m, i) => {
    const entry = multipleOf((Math.abs(m) - 1) / 2);
    return sum + (m < 0 ? -entry : entry) * 2n ** BigInt(i);
  }, 0n);
}

const edges = [
  1n,
  3n,
  L,
  L - 2n,
  2n ** 252n + 1n,
  2n ** 253n - 1n,
  2n ** 257n - 1n,
  2n ** 258n - 1n,
  ...[25n, 43n, 68n, 86n, 215n, 240n].flatMap((bit) => [2n ** bit + 1n, 2n ** bit - 1n]),
];

describe('columns', () => {
  it('are 43 odd numbers below 64 that come to the scalar', () => {
    const scalar = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 257n - 1n }).map((n) => 2n * n + 1n),
      fc.constantFrom(...edges),
    );
    fc.assert(
      fc.property(scalar, (scalar) => {
        const columns = columnsOf(scalar);
        expect(columns).toHaveLength(COLUMNS);
        expect(columns.every((m) => Math.abs(m) < 64 && (m & 1) === 1)).toBe(true);
        expect(sumOf(columns)).toBe(scalar);
      }),
      { numRuns: 500 },
    );
  });

  it('for the base point come to the scalar modulo its order, even ones too', () => {
    for (const s of [0n, 1n, 2n, L - 1n, L, 2n ** 256n, 2n ** 257n - 1n, 2n ** 257n - 2n])
      expect(((sumOf(baseColumnsOf(s)) % L) + L) % L).toBe(s % L);
  });
});

describe('the table of a point', () => {
  const order8 = smallOrderPoints()[0];
  const points: [string, Point][] = [
    ['the base point', Point.BASE],
    ['any other', times(Point.BASE, 0xfedcba9876543210n)],
    ['its opposite', times(Point.BASE, 0xfedcba9876543210n).negate()],
    ['a point with torsion', times(Point.BASE, 5n).add(order8)],
    ['a point of small order', order8],
    ['the point of order 2', smallOrderPoints()[3]],
    ['the neutral element', Point.ZERO],
  ];

  it.each(points)('of %s: all sums of 2^(43·j) times it, and the point itself, without z', (_name, point) => {
    const table = combTable(affine(point));
    expect(table).toHaveLength(ENTRIES);
    expect(ITSELF >> 1).toBe(ENTRIES - 1);
    table.forEach((entry, i) => {
      // 8·L times any point is neutral.
      const n = i === ENTRIES - 1 ? 1n : multipleOf(i) % (8n * L);
      expect(pointOfAddend(entry)).toEqual(affine(point.multiplyUnsafe(n % L).add(torsionOf(point, n))));
      expect(partsOf(entry)[3]).toBe(0n);
    });
  });

  /** [n − n mod L]Q, with a scalar below L. */
  function torsionOf(point: Point, n: bigint): Point {
    let sum = Point.ZERO;
    const lTimes = point.multiplyUnsafe(L - 1n).add(point);
    for (let i = 0n; i < n / L; i++) sum = sum.add(lTimes);
    return sum;
  }

  it('of −0 is that of 0', () => {
    expect(combTable(negate({ x: 0n, y: 1n }))).toEqual(combTable({ x: 0n, y: 1n }));
  });

  it('is made in the stated number of steps, each entry in just one of them', () => {
    const builder = new TableBuilder(affine(Point.BASE));
    const table: Addend[] = [];
    let entries = 0;
    for (let i = 0; i < BUILD_STEPS; i++) {
      const part = builder.step();
      part?.entries.forEach((entry, j) => {
        table[part.first + j] = entry;
        entries++;
      });
    }
    expect(entries).toBe(ENTRIES);
    expect(table).toEqual(combTable(affine(Point.BASE)));
    expect(table).toEqual(BASE_TABLE);
  });
});
