// Multiples of a point that is known beforehand, by a comb (Lim, Lee 1994) with signed digits: a table of a few sums of
// 2^(43·j) times a key's point makes one multiplication 43 additions, and all that are done together share 42 doublings.

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
  partsOf,
  running,
  type Table,
} from './curve.ts';
import { canonical, multiply } from './field.ts';
import { invert } from './inverse.ts';

/** How a scalar is taken apart. */
export interface Comb {
  /** A column takes one digit of each tooth, and a table has an entry for every choice of all their signs but one. */
  readonly teeth: number;
  /** A tooth is so many digits of the scalar. */
  readonly columns: number;
  /** 2^(teeth·columns) − 1. */
  readonly allDigits: bigint;
  /** Where the first digits of each tooth begin in a scalar, and the others; seven of them, where there are six one of zeros. */
  readonly lower: readonly bigint[];
  readonly upper: readonly bigint[];
  /** The bits of a number below 16, as far apart as a column takes. */
  readonly spread: readonly number[];
}

/** The columns that are taken from the first digits of each tooth. */
const LOWER_COLUMNS = 20;
const LOW_24 = 0xffffffn;
/** Columns are taken apart four at a time. */
const GROUP = 4;
const ONE = 1n;

function combOf(teeth: number, columns: number): Comb {
  const starts = [0, 1, 2, 3, 4, 5, 6].map((tooth) => tooth * columns);
  const spread: number[] = [];
  for (let i = 0; i < 1 << GROUP; i++) {
    let number = 0;
    for (let bit = 0; bit < GROUP; bit++) number |= ((i >> bit) & 1) << (bit * teeth);
    spread[i] = number;
  }
  return Object.freeze({
    teeth,
    columns,
    allDigits: (1n << BigInt(teeth * columns)) - 1n,
    lower: Object.freeze(starts.map((start) => BigInt(start))),
    upper: Object.freeze(starts.map((start) => BigInt(start + LOWER_COLUMNS))),
    spread: Object.freeze(spread),
  });
}

/** For keys: a table of it, with its header, fits a block of flash. */
export const KEY_COMB = combOf(6, 43);
/** For the base point, whose table is in the image. */
export const BASE_COMB = combOf(7, 37);

/** Sums of a key's table. */
const SUMS = 1 << (KEY_COMB.teeth - 1);
/** Entries of a key's table: behind the sums the point itself, for scalars that are even. */
export const ENTRIES = SUMS + 1;
/** The odd number that stands for the point itself. */
export const ITSELF = 2 * SUMS + 1;
/** Points that are divided by their z together. */
const BATCH = 8;
/** Steps of making a key's table. */
export const BUILD_STEPS = stepsOf(KEY_COMB);

function stepsOf({ teeth }: Comb): number {
  return teeth + (1 << (teeth - 1)) / BATCH;
}

/** Entries of a table that are ready, and the number of the first. */
export interface TablePart {
  readonly first: number;
  readonly entries: readonly Addend[];
}

/**
 * Writes an odd scalar with binary digits 1 and −1 and takes it apart into columns: odd numbers m, so that the sum of all
 * 2^position·m·R is the scalar times Q, where R is what `combTable` makes of Q.
 *
 * @param scalar odd, positive, with no more digits than the comb has
 */
export function columnsOf(scalar: bigint, comb: Comb): Int8Array {
  // (scalar + 2^n − 1)/2 has a bit for each of n digits, set for 1 and not for −1.
  const digits = (scalar + comb.allDigits) >> ONE;
  const columns = new Int8Array(comb.columns);
  takeApart(digits, comb, comb.lower, columns, 0, LOWER_COLUMNS);
  takeApart(digits, comb, comb.upper, columns, LOWER_COLUMNS, comb.columns);
  return columns;
}

function takeApart(
  digits: bigint,
  { teeth, spread }: Comb,
  starts: readonly bigint[],
  columns: Int8Array,
  from: number,
  to: number,
): void {
  let a = Number((digits >> starts[0]) & LOW_24);
  let b = Number((digits >> starts[1]) & LOW_24);
  let c = Number((digits >> starts[2]) & LOW_24);
  let d = Number((digits >> starts[3]) & LOW_24);
  let e = Number((digits >> starts[4]) & LOW_24);
  let f = Number((digits >> starts[5]) & LOW_24);
  let g = Number((digits >> starts[6]) & LOW_24);
  const signs = (1 << teeth) - 1;
  for (let at = from; at < to; ) {
    let group =
      spread[a & 15] |
      (spread[b & 15] << 1) |
      (spread[c & 15] << 2) |
      (spread[d & 15] << 3) |
      (spread[e & 15] << 4) |
      (spread[f & 15] << 5) |
      (spread[g & 15] << 6);
    const next = at + GROUP < to ? at + GROUP : to;
    for (; at < next; at++) {
      // Entries have plus for the highest tooth. Where it is minus all signs are turned, and the entry is subtracted.
      columns[at] = ((group & signs) << 1) - signs;
      group >>= teeth;
    }
    a >>= GROUP;
    b >>= GROUP;
    c >>= GROUP;
    d >>= GROUP;
    e >>= GROUP;
    f >>= GROUP;
    g >>= GROUP;
  }
}

/** The columns of [s]B, B being the base point; 0 ≤ s < 2^257. */
export function baseColumnsOf(s: bigint): Int8Array {
  // The order of B is odd.
  return columnsOf((s & ONE) === 0n ? s + ORDER : s, BASE_COMB);
}

/**
 * Makes the table of a point in steps that take about as long as each other. Entry i of the sums is, for six teeth,
 * T5 ± T4 ± T3 ± T2 ± T1 ± T0 with Tj = 2^(columns·j)·Q, where the sign of Tj is plus if bit j of i is set. Behind them is Q. All
 * are without z.
 *
 * @example const builder = new TableBuilder(point); for (let i = 0; i < BUILD_STEPS; i++) put(builder.step());
 */
export class TableBuilder {
  readonly #point: AffinePoint;
  readonly #comb: Comb;
  /** Sums there are. */
  readonly #sums: number;
  #step = 0;
  /** The next Tj; then the entry that was reached. */
  #running: Accumulator;
  /** The sum of all Tj so far. */
  #sum: Accumulator | undefined;
  /** 2·Tj: what an entry changes by where the sign of Tj turns. */
  readonly #twice: Addend[] = [];

  /** @param point on the curve, of any order */
  constructor(point: AffinePoint, comb: Comb = KEY_COMB) {
    this.#point = point;
    this.#comb = comb;
    this.#sums = 1 << (comb.teeth - 1);
    this.#running = running(point);
  }

  /** Takes the next of the steps. @returns the entries that are ready by it */
  step(): TablePart | undefined {
    const step = this.#step++;
    const { teeth } = this.#comb;
    return step < teeth ? this.#tooth(step) : this.#walk((step - teeth) * BATCH);
  }

  #tooth(tooth: number): TablePart | undefined {
    const q = this.#running;
    const { teeth, columns } = this.#comb;
    if (this.#sum === undefined) this.#sum = { ...q };
    else add(this.#sum, addendOf(q), 1);
    if (tooth < teeth - 1) {
      double(q, 1);
      this.#twice[tooth] = addendOf(q);
      double(q, columns - 1);
      return undefined;
    }
    this.#running = this.#sum;
    return { first: this.#sums, entries: [affineAddendOf(this.#point)] };
  }

  /**
   * Entries along a walk through all choices of signs, from all plus on, that turns one sign at a time (a Gray code): eight
   * steps of it stay within eight neighbouring entries.
   */
  #walk(from: number): TablePart {
    const q = this.#running;
    const points: Accumulator[] = [];
    const first = this.#signsAt(from) & -BATCH;
    for (let i = from; i < from + BATCH; i++) {
      const signs = this.#signsAt(i);
      // The lowest set bit of the step says which sign turns.
      if (i > 0) add(q, this.#twice[31 - Math.clz32(i & -i)], signs > this.#signsAt(i - 1) ? 1 : -1);
      points[signs - first] = { ...q };
    }
    return { first, entries: affine(points).map(affineAddendOf) };
  }

  /** The entry at a step of the walk. */
  #signsAt(step: number): number {
    return (this.#sums - 1) ^ step ^ (step >> 1);
  }
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
export function combTable(point: AffinePoint, comb: Comb = KEY_COMB): Table {
  const builder = new TableBuilder(point, comb);
  const table: Addend[] = [];
  for (let i = 0; i < stepsOf(comb); i++) {
    const part = builder.step();
    part?.entries.forEach((entry, j) => {
      table[part.first + j] = entry;
    });
  }
  return Object.freeze(table);
}

/** The sums of the base point's table in parts, made once when the module is loaded or preloaded. */
export const BASE_PARTS = Object.freeze(partsOf(combTable(BASE, BASE_COMB).slice(0, -1)));
