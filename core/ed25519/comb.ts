// Multiples of a point that is known beforehand, by a comb in two blocks (Lim, Lee 1994) with signed digits: a table of sums of
// 2^(16·i) times the point makes one multiplication 32 additions, and all that are done together share 15 doublings.

import { littleEndianOf, writeLittleEndian } from '../encoding/little-endian.ts';
import {
  type Accumulator,
  type Addend,
  type AffinePoint,
  add,
  addendOf,
  affineAddendOf,
  BASE,
  double,
  type Points,
  running,
  type Table,
} from './curve.ts';
import { canonical, multiply } from './field.ts';
import { invert } from './inverse.ts';

// A scalar has 256 digits, each 1 or −1. A tooth is 32 of them that follow each other, and each of its two blocks 16. A column takes
// one digit of each tooth, from the same place in it.

const TEETH = 8;
const BLOCKS = 2;
/** Columns of a block, and so the positions between which is doubled. */
export const POSITIONS = 16;
const TOOTH = BLOCKS * POSITIONS;
const ALL_DIGITS = (1n << 256n) - 1n;

/** Sums of a block: one for each choice of all signs of a column but one. */
const SUMS = 1 << (TEETH - 1);
/** Where the point itself is, for scalars that are even: behind the sums of both blocks. */
export const ITSELF = BLOCKS * SUMS;
/** Entries of a table. */
export const ENTRIES = ITSELF + 1;
/** Points that are divided by their z together. */
const BATCH = 8;
/** Steps of making the table of a block. */
const BLOCK_STEPS = TEETH + SUMS / BATCH;
/** Steps of making a table. */
export const BUILD_STEPS = BLOCKS * BLOCK_STEPS;

/** Columns are taken apart four at a time. */
const GROUP = 4;
const SIGNS = (1 << TEETH) - 1;
/** The bits of a number below 16, as far apart as a column takes. */
const SPREAD = Object.freeze(Array.from({ length: 1 << GROUP }, (_, bits) => spread(bits)));
/** Where each tooth but the first begins in a scalar. No array of them: the linker of the devices' SDK takes no BigInts in arrays. */
const TOOTH_1 = BigInt(TOOTH);
const TOOTH_2 = BigInt(2 * TOOTH);
const TOOTH_3 = BigInt(3 * TOOTH);
const TOOTH_4 = BigInt(4 * TOOTH);
const TOOTH_5 = BigInt(5 * TOOTH);
const TOOTH_6 = BigInt(6 * TOOTH);
const TOOTH_7 = BigInt(7 * TOOTH);
const LOW_32 = 0xffffffffn;
const ONE = 1n;

function spread(bits: number): number {
  let number = 0;
  for (let bit = 0; bit < GROUP; bit++) number |= ((bits >> bit) & 1) << (bit * TEETH);
  return number;
}

/** Entries of a table that are ready, and the number of the first. */
export interface TablePart {
  readonly first: number;
  readonly entries: readonly Addend[];
}

/**
 * Writes an odd scalar with binary digits 1 and −1, takes it apart into columns, and puts a step for each where `run` takes it:
 * the sum of all, doubled from one position to the next, is the scalar times the point whose table it is.
 *
 * @param scalar odd, between −2^256 and 2^256
 * @param steps gets two of them for each position: ±n for entry n − `first`
 * @param at the place of the first, that of position 0
 * @param stride places from one position to the next
 */
export function putColumns(scalar: bigint, steps: Int16Array, at: number, stride: number, first: number): void {
  // (scalar + 2^256 − 1)/2 has a bit for each of 256 digits, set for 1 and not for −1.
  const digits = (scalar + ALL_DIGITS) >> ONE;
  let a = Number(digits & LOW_32) | 0;
  let b = Number((digits >> TOOTH_1) & LOW_32) | 0;
  let c = Number((digits >> TOOTH_2) & LOW_32) | 0;
  let d = Number((digits >> TOOTH_3) & LOW_32) | 0;
  let e = Number((digits >> TOOTH_4) & LOW_32) | 0;
  let f = Number((digits >> TOOTH_5) & LOW_32) | 0;
  let g = Number((digits >> TOOTH_6) & LOW_32) | 0;
  let h = Number((digits >> TOOTH_7) & LOW_32) | 0;
  for (let block = 0; block < BLOCKS; block++) {
    // Entries have plus for the highest tooth. Where it is minus all signs are turned, and the entry is subtracted.
    const plus = first + block * SUMS - SUMS;
    const minus = 1 - first - block * SUMS - SUMS;
    let place = at + block;
    for (let groups = POSITIONS / GROUP; groups > 0; groups--) {
      let group =
        SPREAD[a & 15] |
        (SPREAD[b & 15] << 1) |
        (SPREAD[c & 15] << 2) |
        (SPREAD[d & 15] << 3) |
        (SPREAD[e & 15] << 4) |
        (SPREAD[f & 15] << 5) |
        (SPREAD[g & 15] << 6) |
        (SPREAD[h & 15] << 7);
      for (let i = GROUP; i > 0; i--) {
        const signs = group & SIGNS;
        steps[place] = signs < SUMS ? minus + signs : plus + signs;
        place += stride;
        group >>= TEETH;
      }
      a >>= GROUP;
      b >>= GROUP;
      c >>= GROUP;
      d >>= GROUP;
      e >>= GROUP;
      f >>= GROUP;
      g >>= GROUP;
      h >>= GROUP;
    }
  }
}

/**
 * Makes the table of a point in steps that take about as long as each other. Entry i of the first 128 is T7 ± T6 ± … ± T0 with
 * Tj = 2^(32·j)·Q, where the sign of Tj is plus if bit j of i is set; the next 128 are 2^16 times those. Behind them is Q. All
 * are without z.
 *
 * @example const builder = new TableBuilder(point); for (let i = 0; i < BUILD_STEPS; i++) put(builder.step());
 */
export class TableBuilder {
  readonly #point: AffinePoint;
  #step = 0;
  /** The next Tj of the block; then the entry that was reached. */
  #running: Accumulator;
  /** The sum of all Tj of the block so far. */
  #sum: Accumulator;
  /** 2·Tj: what an entry changes by where the sign of Tj turns. */
  readonly #twice: Addend[] = [];

  /** @param point on the curve, of any order */
  constructor(point: AffinePoint) {
    this.#point = point;
    this.#running = running(point);
    this.#sum = this.#running;
  }

  /** Takes the next of the steps. @returns the entries that are ready by it */
  step(): TablePart | undefined {
    const step = this.#step++;
    const block = step < BLOCK_STEPS ? 0 : 1;
    const inBlock = step - block * BLOCK_STEPS;
    return inBlock < TEETH ? this.#tooth(block, inBlock) : this.#walk(block, (inBlock - TEETH) * BATCH);
  }

  #tooth(block: number, tooth: number): TablePart | undefined {
    if (tooth === 0) {
      this.#running = running(this.#point);
      double(this.#running, block * POSITIONS);
      this.#sum = { ...this.#running };
    } else add(this.#sum, addendOf(this.#running), 1);
    if (tooth < TEETH - 1) {
      double(this.#running, 1);
      this.#twice[tooth] = addendOf(this.#running);
      double(this.#running, TOOTH - 1);
      return undefined;
    }
    this.#running = this.#sum;
    return block === 0 ? { first: ITSELF, entries: [affineAddendOf(this.#point)] } : undefined;
  }

  /**
   * Entries along a walk through all choices of signs, from all plus on, that turns one sign at a time (a Gray code): eight
   * steps of it stay within eight neighbouring entries.
   */
  #walk(block: number, from: number): TablePart {
    const q = this.#running;
    // Full from the beginning: in XS a collection while elements are put before others leaves an array broken.
    const points: Accumulator[] = new Array(BATCH).fill(q);
    const first = signsAt(from) & -BATCH;
    for (let i = from; i < from + BATCH; i++) {
      const signs = signsAt(i);
      // The lowest set bit of the step says which sign turns.
      if (i > 0) add(q, this.#twice[31 - Math.clz32(i & -i)], signs > signsAt(i - 1) ? 1 : -1);
      points[signs - first] = { ...q };
    }
    return { first: block * SUMS + first, entries: affine(points).map(affineAddendOf) };
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
  // Full from the beginning, as above.
  const result: AffinePoint[] = new Array(points.length).fill(BASE);
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

/** Bytes of an entry: the three parts of an addend without z, 256 bits each, the lowest byte first. */
export const ENTRY_BYTES = 96;

/** The sums of the base point's table, made once when the module is loaded or preloaded: in bytes, as they stand above. */
const BASE_BYTES = packed(combTable(BASE).slice(0, ITSELF));

function packed(entries: Table): ArrayBuffer {
  const bytes = new Uint8Array(entries.length * ENTRY_BYTES);
  entries.forEach((entry, i) => {
    writeLittleEndian(bytes, i * ENTRY_BYTES, ENTRY_BYTES, entry);
  });
  return bytes.buffer;
}

/** The sums of the base point's table, `ITSELF` of them. */
export const BASE_TABLE: Points = Object.freeze({
  entry(number: number): Addend {
    const at = number * ENTRY_BYTES;
    return littleEndianOf(BASE_BYTES.slice(at, at + ENTRY_BYTES));
  },
});
