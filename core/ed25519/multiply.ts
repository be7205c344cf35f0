// [s]B + [k]Q, which a verification comes down to: for any Q, and faster for one whose table is at hand.

import { BASE_TABLE, ITSELF, POSITIONS, putColumns } from './comb.ts';
import {
  type Accumulator,
  type AffinePoint,
  add,
  addendOf,
  double,
  neutral,
  ORDER,
  type Points,
  pointOf,
  run,
  running,
  type Table,
} from './curve.ts';

/** A scalar is taken apart 21 bits at a time. */
const TWENTY_ONE = 21n;
const LOW_21 = 0x1fffffn;
const ONE = 1n;
const ZERO = 0n;

/**
 * Window width for Q. A width of w takes 2^(w−2) multiples of Q, which are made for each verification and which the device's
 * heap must hold, and one addition per w + 1 bits on average.
 */
const WIDTH = 5;

/** Steps for `run`: the base point's entries come first in their numbers, and then those of Q. */
const FIRST_OF_BASE = 1;
const FIRST_OF_POINT = FIRST_OF_BASE + ITSELF;
/** Steps of a run with windows: columns, doublings, and windows, which are at least their width apart. */
const MOST_STEPS = 2 * POSITIONS + 256 + Math.ceil(257 / WIDTH);
/** Steps from one position of two combs to the next: two columns each, and a doubling. */
const STRIDE = 5;

/**
 * Writes a scalar as the sum of terms m·2^i with m odd, |m| < 2^(width−1), and any two i at least `width` apart: its
 * non-adjacent form of that width.
 *
 * @param scalar not negative, below 2^256
 * @param width 2 … 8
 * @returns i and m of each term by turns, the lowest first, and zeros behind them
 */
export function signedWindows(scalar: bigint, width: number): Int16Array {
  const terms = new Int16Array(2 * Math.ceil(257 / width) + 2);
  let at = 0;
  const full = 1 << width;
  // The scalar's bits from `position` on: `held` of them in `bits`, a small integer, the others still in `scalar`. A carry
  // can make `bits` 2^held, and is added to what comes next.
  let bits = 0;
  let held = 0;
  let position = 0;
  while (scalar > ZERO || bits > 0) {
    // At most 7 bits are held here, so at most 28 then.
    while (held < width && scalar > ZERO) {
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
    terms[at++] = position;
    terms[at++] = m;
    held -= width;
    position += width;
  }
  return terms;
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

/** An odd number that B has the same multiple by as by s, for s below its order, which is odd. */
function oddFor(s: bigint): bigint {
  return (s & ONE) === 0n ? s - ORDER : s;
}

/**
 * [s]B + [k]Q, B being the base point: a comb for B and windows for Q in one run of doublings (Straus).
 *
 * @param s not negative, below the order
 * @param k not negative, below 2^256
 * @param point Q, on the curve, of any order
 */
export function combine(s: bigint, k: bigint, point: AffinePoint): Accumulator {
  const columns = new Int16Array(2 * POSITIONS);
  putColumns(oddFor(s), columns, 0, 2, FIRST_OF_BASE);
  const terms = signedWindows(k, WIDTH);
  const steps = new Int16Array(MOST_STEPS);
  let count = 0;
  // From position to position; a step that is left out is a doubling.
  let term = 0;
  for (let position = 0; ; ) {
    if (position < POSITIONS) {
      steps[count++] = columns[2 * position];
      steps[count++] = columns[2 * position + 1];
    }
    let m = terms[term + 1];
    if (m !== 0 && terms[term] === position) {
      steps[count++] = m > 0 ? FIRST_OF_POINT + (m >> 1) : (m >> 1) + 1 - FIRST_OF_POINT;
      term += 2;
      m = terms[term + 1];
    }
    let next = position + 1;
    if (next >= POSITIONS) {
      if (m === 0) break;
      next = terms[term];
    }
    count += next - position;
    position = next;
  }
  const multiples = oddMultiples(point, 1 << (WIDTH - 2));
  const q = neutral();
  run(q, steps, count, BASE_TABLE, ITSELF, { entry: (number) => multiples[number] }, true);
  return q;
}

/** The same with the table that `combTable` makes of Q. @throws FlashError where that is on flash and it fails */
export function combineByTable(s: bigint, k: bigint, table: Points): Accumulator {
  const steps = new Int16Array(1 + STRIDE * POSITIONS);
  // The order of Q may not be odd: an even scalar is one too many, and Q is taken away again.
  const isEven = (k & ONE) === 0n;
  const at = isEven ? 1 : 0;
  if (isEven) steps[0] = -FIRST_OF_POINT - ITSELF;
  putColumns(oddFor(s), steps, at, STRIDE, FIRST_OF_BASE);
  putColumns(isEven ? k + ONE : k, steps, at + 2, STRIDE, FIRST_OF_POINT);
  // Behind the last column there is no doubling any more; the run begins with its point.
  const last = at + STRIDE * POSITIONS - 2;
  const step = steps[last];
  const q = pointOf(table.entry((step < 0 ? -step : step) - FIRST_OF_POINT), step < 0);
  run(q, steps, last, BASE_TABLE, ITSELF, table, false);
  return q;
}
