// [s]B + [k]Q, which a verification comes down to: for any Q, and faster for one whose table is at hand.

import { BASE_COMB, BASE_PARTS, baseColumnsOf, columnsOf, ITSELF, KEY_COMB } from './comb.ts';
import {
  type Accumulator,
  type AffinePoint,
  add,
  addendOf,
  double,
  neutral,
  pointOf,
  run,
  running,
  type Table,
} from './curve.ts';

/** A scalar is taken apart 21 bits at a time. */
const TWENTY_ONE = 21n;
const LOW_21 = 0x1fffffn;
const ONE = 1n;

/**
 * Window width for Q. A width of w takes 2^(w−2) multiples of Q, which are made for each verification and which the device's
 * heap must hold, and one addition per w + 1 bits on average.
 */
const WIDTH = 5;

/**
 * Writes a scalar as the sum of terms m·2^i with m odd, |m| < 2^(width−1), and any two i at least `width` apart: its
 * non-adjacent form of that width.
 *
 * @param scalar not negative, below 2^256
 * @param width 2 … 8
 * @returns 257 numbers, at i the m, else 0
 */
export function signedWindows(scalar: bigint, width: number): Int8Array {
  const digits = new Int8Array(257);
  const full = 1 << width;
  // The scalar's bits from `position` on: `held` of them in `bits`, a small integer, the others still in `scalar`. A carry
  // can make `bits` 2^held, and is added to what comes next.
  let bits = 0;
  let held = 0;
  let position = 0;
  while (scalar > 0n || bits > 0) {
    // At most 7 bits are held here, so at most 28 then.
    while (held < width && scalar > 0n) {
      bits += Number(scalar & LOW_21) << held;
      scalar >>= TWENTY_ONE;
      held += 21;
    }
    if ((bits & 1) === 0) {
      bits >>= 1;
      held--;
      position++;
      continue;
    }
    let m = bits & (full - 1);
    bits >>= width;
    if (m > full >> 1) {
      m -= full;
      bits++;
    }
    digits[position] = m;
    held -= width;
    position += width;
  }
  return digits;
}

/** Q, 3Q, 5Q … (2·count − 1)·Q. */
export function oddMultiples(point: AffinePoint, count: number): Table {
  const q = running(point);
  const twice = running(point);
  double(twice, 1);
  const step = addendOf(twice);
  const multiples = [addendOf(q)];
  for (let i = 1; i < count; i++) {
    add(q, step, 1);
    multiples[i] = addendOf(q);
  }
  return multiples;
}

/**
 * [s]B + [k]Q, B being the base point: a comb for B and windows for Q in one run of doublings (Straus).
 *
 * @param s not negative, below 2^257
 * @param k not negative, below 2^256
 * @param point Q, on the curve, of any order
 */
export function combine(s: bigint, k: bigint, point: AffinePoint): Accumulator {
  const digits = signedWindows(k, WIDTH);
  const windows = { digits, table: oddMultiples(point, 1 << (WIDTH - 2)) };
  const columns = { digits: baseColumnsOf(s), table: BASE_PARTS };
  let top = digits.length - 1;
  while (top >= BASE_COMB.columns && digits[top] === 0) top--;
  const q = neutral();
  run(q, top, columns, windows, true);
  return q;
}

/** The same with the table that `combTable` makes of Q. */
export function combineByTable(s: bigint, k: bigint, table: Table): Accumulator {
  // The order of Q may not be odd: an even scalar is one too many, and Q is taken away again.
  const isEven = (k & ONE) === 0n;
  const ofPoint = columnsOf(isEven ? k + ONE : k, KEY_COMB);
  const top = KEY_COMB.columns - 1;
  const q = pointOf(table, ofPoint[top]);
  ofPoint[top] = 0;
  run(q, top, { digits: baseColumnsOf(s), table: BASE_PARTS }, { digits: ofPoint, table }, false);
  if (isEven) add(q, table[ITSELF >> 1], -1, false);
  return q;
}
