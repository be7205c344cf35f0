// The comb: columns that sum up to the scalar, tables whose entries are what they are said to be, made step by step.

import { Point } from '@noble/ed25519';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BASE_COMB,
  BASE_PARTS,
  BUILD_STEPS,
  baseColumnsOf,
  type Comb,
  columnsOf,
  combTable,
  ENTRIES,
  ITSELF,
  KEY_COMB,
  TableBuilder,
} from '../../../core/ed25519/comb.ts';
import { type Addend, affineAddendOf, negate } from '../../../core/ed25519/curve.ts';
import { L, smallOrderPoints } from './encodings.ts';
import { affine, partsOf, pointOfAddend, times } from './group.ts';

/** What an entry is a multiple of the point by. */
function multipleOf(entry: number, { teeth, columns }: Comb = KEY_COMB): bigint {
  let sum = 0n;
  for (let tooth = 0; tooth < teeth; tooth++) {
    const isPlus = tooth === teeth - 1 || ((entry >> tooth) & 1) === 1;
    sum += (isPlus ? 1n : -1n) * 2n ** BigInt(columns * tooth);
  }
  return sum;
}

/** What columns come to. */
function sumOf(columns: Int8Array, comb: Comb): bigint {
  return columns.reduce((sum, m, i) => {
    const entry = multipleOf((Math.abs(m) - 1) / 2, comb);
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
  it.each([
    ['a key', KEY_COMB, 43, 6],
    ['the base point', BASE_COMB, 37, 7],
  ] as const)('for %s are odd numbers that come to the scalar', (_name, comb, count, teeth) => {
    const scalar = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 257n - 1n }).map((n) => 2n * n + 1n),
      fc.constantFrom(...edges),
    );
    fc.assert(
      fc.property(scalar, (scalar) => {
        const columns = columnsOf(scalar, comb);
        expect(columns).toHaveLength(count);
        expect(columns.every((m) => Math.abs(m) < 2 ** teeth && (m & 1) === 1)).toBe(true);
        expect(sumOf(columns, comb)).toBe(scalar);
      }),
      { numRuns: 400 },
    );
  });

  it('for the base point come to the scalar modulo its order, even ones too', () => {
    for (const s of [0n, 1n, 2n, L - 1n, L, 2n ** 256n, 2n ** 257n - 1n, 2n ** 257n - 2n])
      expect(((sumOf(baseColumnsOf(s), BASE_COMB) % L) + L) % L).toBe(s % L);
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
  });

  it('of the base point for the image has seven teeth, and is in parts', () => {
    expect(BASE_PARTS).toHaveLength(3 * 64);
    for (let i = 0; i < 64; i++) {
      const [sum, difference, dt] = BASE_PARTS.slice(3 * i, 3 * i + 3);
      const { x, y } = affine(times(Point.BASE, multipleOf(i, BASE_COMB) % L));
      expect(affineAddendOf({ x, y })).toBe(sum | (difference << 256n) | (dt << 512n));
    }
  });
});
