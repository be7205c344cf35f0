// The comb: columns that sum up to the scalar, tables whose entries are what they are said to be, made step by step.

import { Point } from '@noble/ed25519';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BASE_TABLE,
  BUILD_STEPS,
  combTable,
  ENTRIES,
  ITSELF,
  POSITIONS,
  putColumns,
  TableBuilder,
} from '../../../core/ed25519/comb.ts';
import { type Addend, affineAddendOf, negate } from '../../../core/ed25519/curve.ts';
import { L, smallOrderPoints } from './encodings.ts';
import { affine, partsOf, pointOfAddend, times } from './group.ts';

/** What an entry is a multiple of the point by: eight teeth of 32 digits, in two blocks of 16. */
function multipleOf(entry: number): bigint {
  if (entry === ITSELF) return 1n;
  let sum = 0n;
  for (let tooth = 0; tooth < 8; tooth++) {
    const isPlus = tooth === 7 || ((entry >> tooth) & 1) === 1;
    sum += (isPlus ? 1n : -1n) * 2n ** BigInt(32 * tooth);
  }
  return entry < 128 ? sum : sum * 2n ** 16n;
}

/** What steps come to, two columns being at each position. */
function sumOf(steps: readonly number[], first: number): bigint {
  return steps.reduce((sum, step, i) => {
    const entry = multipleOf(Math.abs(step) - first);
    return sum + (step < 0 ? -entry : entry) * 2n ** BigInt(i >> 1);
  }, 0n);
}

const edges = [
  1n,
  3n,
  L,
  L - 2n,
  2n ** 252n + 1n,
  2n ** 255n - 1n,
  2n ** 256n - 1n,
  ...[15n, 16n, 17n, 31n, 32n, 33n, 63n, 224n, 240n].flatMap((bit) => [2n ** bit + 1n, 2n ** bit - 1n]),
].filter((n) => n % 2n === 1n);

describe('columns', () => {
  const scalar = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 255n - 1n }).map((n) => 2n * n + 1n),
    fc.constantFrom(...edges),
  );

  it('of an odd scalar and of its opposite come to it, each an entry of its block', () => {
    fc.assert(
      fc.property(scalar, fc.boolean(), fc.constantFrom(1, 257), (odd, isNegative, first) => {
        const n = isNegative ? -odd : odd;
        const steps = new Int16Array(2 * POSITIONS);
        putColumns(n, steps, 0, 2, first);
        const entries = [...steps].map((step) => Math.abs(step) - first);
        expect(entries.every((entry, i) => entry >> 7 === (i & 1))).toBe(true);
        expect(sumOf([...steps], first)).toBe(n);
      }),
      { numRuns: 400 },
    );
  });

  it('are put where they are asked for, and nothing else is touched', () => {
    const close = new Int16Array(2 * POSITIONS);
    putColumns(12345n, close, 0, 2, 1);
    const wide = new Int16Array(3 + 5 * POSITIONS).fill(999);
    putColumns(12345n, wide, 3, 5, 1);
    const expected = Array(3).fill(999);
    for (let i = 0; i < POSITIONS; i++) expected.push(close[2 * i], close[2 * i + 1], 999, 999, 999);
    expect([...wide]).toEqual(expected);
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

  it.each(points)(
    'of %s: all sums of 2^(32·j) times it, those 2^16 times, and the point itself, without z',
    (_, point) => {
      const table = combTable(affine(point));
      expect(table).toHaveLength(ENTRIES);
      expect(ENTRIES).toBe(257);
      // 8·L times any point is neutral.
      const lTimes = point.multiplyUnsafe(L - 1n).add(point);
      const multiples = Array.from({ length: 8 }, (_, i) => lTimes.multiplyUnsafe(BigInt(i)));
      table.forEach((entry, i) => {
        const n = ((multipleOf(i) % (8n * L)) + 8n * L) % (8n * L);
        const expected = point.multiplyUnsafe(n % L).add(multiples[Number(n / L)] as Point);
        expect(pointOfAddend(entry)).toEqual(affine(expected));
        expect(partsOf(entry)[3]).toBe(0n);
      });
    },
  );

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
    expect(BUILD_STEPS).toBe(48);
    expect(entries).toBe(ENTRIES);
    expect(table).toEqual(combTable(affine(Point.BASE)));
  });

  it('of the base point is in the image, its sums', () => {
    const sums = Array.from({ length: 256 }, (_, i) => BASE_TABLE.entry(i));
    expect(sums).toEqual(combTable(affine(Point.BASE)).slice(0, 256));
    expect(BASE_TABLE.entry(200)).toBe(affineAddendOf(affine(times(Point.BASE, multipleOf(200) % L))));
  });
});
