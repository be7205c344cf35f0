// Multiples of a point that is known beforehand, by a comb (Lim, Lee 1994) with signed digits: a table of a few sums of
// 2^(43·j) times the point makes one multiplication 43 additions, and all that are done together share 42 doublings.

import {
  type Accumulator,
  type Addend,
  type AffinePoint,
  add,
  addendOf,
  affineAddendOf,
  BASE,
  double,
  ORDER,
  running,
  type Table,
} from './curve.ts';
import { canonical, multiply } from './field.ts';
import { invert } from './inverse.ts';

/** Teeth of the comb: a column takes one digit of each. A table has an entry for every choice of all signs but one. */
const TEETH = 6;
/** Columns: a tooth is so many digits of the scalar. */
export const COLUMNS = 43;
/** Entries for the columns. */
const SUMS = 1 << (TEETH - 1);
/** Entries of a key's table: behind the sums the point itself, for scalars that are even. */
export const ENTRIES = SUMS + 1;
/** The odd number that stands for the point itself. */
export const ITSELF = 2 * SUMS + 1;
/** Points that are divided by their z together. */
const BATCH = 8;
/** Steps of building a table. */
export const BUILD_STEPS = TEETH + SUMS / BATCH;

/** Entries of a table that are ready, and the number of the first. */
export interface TablePart {
  readonly first: number;
  readonly entries: readonly Addend[];
}

/** 2^258 − 1: all teeth have 258 digits. */
const ALL_DIGITS = (1n << 258n) - 1n;
const ONE = 1n;
/** Where the first 25 digits of each tooth begin in a scalar, and the other 18. */
const LOWER = Object.freeze([0n, 43n, 86n, 129n, 172n, 215n]);
const UPPER = Object.freeze([25n, 68n, 111n, 154n, 197n, 240n]);
const LOWER_COLUMNS = 25;
const LOW_25 = 0x1ffffffn;
/** Columns are taken apart five at a time: the bits of a number below 32, six bits apart. */
const GROUP = 5;
const SPREAD = spread();

function spread(): readonly number[] {
  const numbers: number[] = [];
  for (let i = 0; i < 1 << GROUP; i++) {
    let number = 0;
    for (let bit = 0; bit < GROUP; bit++) number |= ((i >> bit) & 1) << (bit * TEETH);
    numbers[i] = number;
  }
  return Object.freeze(numbers);
}

/**
 * Writes an odd scalar with binary digits 1 and −1 and takes it apart into columns: 43 odd numbers m, |m| < 64, so that the
 * sum of all 2^position·m·R is the scalar times Q where `combTable` gave the table of Q.
 *
 * @param scalar odd, below 2^258
 */
export function columnsOf(scalar: bigint): Int8Array {
  // (scalar + 2^258 − 1)/2 has a bit for each digit, set for 1 and not for −1.
  const digits = (scalar + ALL_DIGITS) >> ONE;
  const columns = new Int8Array(COLUMNS);
  takeApart(digits, LOWER, columns, 0, LOWER_COLUMNS);
  takeApart(digits, UPPER, columns, LOWER_COLUMNS, COLUMNS);
  return columns;
}

function takeApart(digits: bigint, starts: readonly bigint[], columns: Int8Array, from: number, to: number): void {
  let a = Number((digits >> starts[0]) & LOW_25);
  let b = Number((digits >> starts[1]) & LOW_25);
  let c = Number((digits >> starts[2]) & LOW_25);
  let d = Number((digits >> starts[3]) & LOW_25);
  let e = Number((digits >> starts[4]) & LOW_25);
  let f = Number((digits >> starts[5]) & LOW_25);
  for (let at = from; at < to; ) {
    let group =
      SPREAD[a & 31] |
      (SPREAD[b & 31] << 1) |
      (SPREAD[c & 31] << 2) |
      (SPREAD[d & 31] << 3) |
      (SPREAD[e & 31] << 4) |
      (SPREAD[f & 31] << 5);
    const next = at + GROUP < to ? at + GROUP : to;
    for (; at < next; at++) {
      // Entries have plus for the highest tooth. Where it is minus all signs are turned, and the entry is subtracted.
      columns[at] = ((group & 63) << 1) - 63;
      group >>= TEETH;
    }
    a >>= GROUP;
    b >>= GROUP;
    c >>= GROUP;
    d >>= GROUP;
    e >>= GROUP;
    f >>= GROUP;
  }
}

/** The columns of [s]B, B being the base point; 0 ≤ s < 2^257. */
export function baseColumnsOf(s: bigint): Int8Array {
  // The order of B is odd.
  return columnsOf((s & ONE) === 0n ? s + ORDER : s);
}

/**
 * Makes the table of a point in steps that take about as long as each other. Entry i of the first 32 is
 * T5 ± T4 ± T3 ± T2 ± T1 ± T0 with Tj = 2^(43·j)·Q, where the sign of Tj is plus if bit j of i is set. Entry 32 is Q. All are
 * without z.
 *
 * @example const builder = new TableBuilder(point); for (let i = 0; i < BUILD_STEPS; i++) put(builder.step());
 */
export class TableBuilder {
  readonly #point: AffinePoint;
  #step = 0;
  /** The next Tj; then the entry that was reached. */
  #running: Accumulator;
  /** The sum of all Tj so far. */
  #sum: Accumulator | undefined;
  /** 2·Tj: what an entry changes by where the sign of Tj turns. */
  readonly #twice: Addend[] = [];

  /** @param point on the curve, of any order */
  constructor(point: AffinePoint) {
    this.#point = point;
    this.#running = running(point);
  }

  /** Takes the next of `BUILD_STEPS` steps. @returns the entries that are ready by it */
  step(): TablePart | undefined {
    const step = this.#step++;
    return step < TEETH ? this.#tooth(step) : this.#sums((step - TEETH) * BATCH);
  }

  #tooth(tooth: number): TablePart | undefined {
    const q = this.#running;
    if (this.#sum === undefined) this.#sum = { ...q };
    else add(this.#sum, addendOf(q), 1);
    if (tooth < TEETH - 1) {
      double(q, 1);
      this.#twice[tooth] = addendOf(q);
      double(q, COLUMNS - 1);
      return undefined;
    }
    this.#running = this.#sum;
    return { first: SUMS, entries: [affineAddendOf(this.#point)] };
  }

  /**
   * Entries along a walk through all choices of signs, from all plus on, that turns one sign at a time (a Gray code): eight
   * steps of it stay within eight neighbouring entries.
   */
  #sums(from: number): TablePart {
    const q = this.#running;
    const points: Accumulator[] = [];
    const first = signsAt(from) & -BATCH;
    for (let i = from; i < from + BATCH; i++) {
      // The lowest set bit of the step says which sign turns.
      if (i > 0) add(q, this.#twice[31 - Math.clz32(i & -i)], signsAt(i) > signsAt(i - 1) ? 1 : -1);
      points[signsAt(i) - first] = { ...q };
    }
    return { first, entries: affine(points).map(affineAddendOf) };
  }
}

/** The entry at a step of the walk. */
function signsAt(step: number): number {
  return (SUMS - 1) ^ step ^ (step >> 1);
}

/** Divides by z, with one inversion for all (Montgomery). */
function affine(points: readonly Accumulator[]): AffinePoint[] {
  const products: bigint[] = [];
  let product = 1n;
  for (const { z } of points) {
    products.push(product);
    product = multiply(product, z);
  }
  let inverse = invert(canonical(product));
  const result: AffinePoint[] = [];
  for (let i = points.length - 1; i >= 0; i--) {
    const { x, y, z } = points[i];
    const own = multiply(inverse, products[i]);
    result[i] = { x: canonical(multiply(x, own)), y: canonical(multiply(y, own)) };
    inverse = multiply(inverse, z);
  }
  return result;
}

/** The whole table of a point at once. */
export function combTable(point: AffinePoint): Table {
  const builder = new TableBuilder(point);
  const table: Addend[] = [];
  for (let i = 0; i < BUILD_STEPS; i++) {
    const part = builder.step();
    part?.entries.forEach((entry, j) => {
      table[part.first + j] = entry;
    });
  }
  return Object.freeze(table);
}

/** The table of the base point, made once when the module is loaded or preloaded. */
export const BASE_TABLE: Table = combTable(BASE);
