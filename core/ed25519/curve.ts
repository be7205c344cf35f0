// The group of Ed25519 (RFC 8032 §5.1), −x² + y² = 1 + d·x²·y², as far as verification needs it: decompression, and the
// sum of a multiple of the base point and a multiple of another. Variable time: only public data comes here.

import { BITS_255, canonical, invert, LOW_255, multiply, NINETEEN, P, powerForRoot, TWO_P } from './field.ts';

/** The order L of the base point (RFC 8032 §5.1). */
export const ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;

/** A scalar is taken apart 15 bits at a time. */
const FIFTEEN = 15n;
const LOW_15 = 0x7fffn;
/** d = −121665/121666 (RFC 8032 §5.1). */
const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;
/** 2d mod p. */
const TWO_D = 0x2406d9dc56dffce7198e80f2eef3d13000e0149a8283b156ebd69b9426b2f159n;
/** A square root of −1: 2^((p−1)/4). */
const ROOT_OF_MINUS_1 = 0x2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0n;
const BASE_X = 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51an;
const BASE_Y = 0x6666666666666666666666666666666666666666666666666666666666666658n;

/** 2^10·p, between 2^264 and 2^265: added where a value below 2^264 is subtracted. */
const LARGE_P = P << 10n;

/** A point in affine coordinates, both in 0 … p − 1. */
export interface AffinePoint {
  readonly x: bigint;
  readonly y: bigint;
}

/**
 * The running point: x/z and y/z are the affine coordinates, and e·h = x·y/z is the fourth of the extended coordinates
 * (Hisil, Wong, Carter, Dawson 2008), T, kept as its factors since only an addition needs it.
 * x, y and z are tight; e and h are below 2^266.
 */
export interface Accumulator {
  x: bigint;
  y: bigint;
  z: bigint;
  e: bigint;
  h: bigint;
}

/**
 * Odd multiples 1·Q, 3·Q, 5·Q … of a point Q, ready to be added, flat: for each multiple (x, y, z, t) the entries
 * y + x, y − x, 2d·t, and 2z unless every z is 1 (then the stride is 3 and not 4). Entries are below 2^257.
 */
export type Multiples = readonly bigint[];
const AFFINE_STRIDE = 3;
const STRIDE = 4;

/**
 * Window widths. A width of w takes 2^(w−2) table entries, and one addition per w + 1 bits on average. The base point's
 * table is a constant; a key's is made for each verification, and is what the device's heap must hold.
 */
const BASE_WIDTH = 6;
const KEY_WIDTH = 4;

/** Replaces Q by 2^times · Q. (RFC 8032 §5.1.4; dbl-2008-hwcd for a = −1.) */
export function double(q: Accumulator, times: number): void {
  let { x, y, z, e, h } = q;
  for (; times > 0; times--) {
    // x, y, z < 2^256: the squares are < 2^512, folded once < 2^255 + 19·2^257 < 2^262.
    let a = x * x;
    a = (a & LOW_255) + (a >> BITS_255) * NINETEEN;
    let b = y * y;
    b = (b & LOW_255) + (b >> BITS_255) * NINETEEN;
    let c = z * z;
    c = (c & LOW_255) + (c >> BITS_255) * NINETEEN;
    e = x * y;
    e = (e & LOW_255) + (e >> BITS_255) * NINETEEN;
    // RFC 8032 has E = H − (x + y)², which is −2xy. LARGE_P is above 2xy and b, so none of the four is negative:
    // h < 2^263, e < 2^265, g < 2^262 + 2^265 < 2^266, f < 2^263 + 2^262 + 2^265 < 2^266.
    h = a + b;
    e = LARGE_P - (e + e);
    const g = a + LARGE_P - b;
    const f = c + c + g;
    // Products (< 2^532), folded twice: tight.
    x = e * f;
    x = (x & LOW_255) + (x >> BITS_255) * NINETEEN;
    x -= P * (x >> BITS_255);
    y = g * h;
    y = (y & LOW_255) + (y >> BITS_255) * NINETEEN;
    y -= P * (y >> BITS_255);
    z = f * g;
    z = (z & LOW_255) + (z >> BITS_255) * NINETEEN;
    z -= P * (z >> BITS_255);
  }
  q.x = x;
  q.y = y;
  q.z = z;
  q.e = e;
  q.h = h;
}

/**
 * Replaces Q by Q + m·R, m odd, with m·R (or −m·R for a negative m) from the table of R. (RFC 8032 §5.1.4;
 * add-2008-hwcd-3. Complete: right for equal points, opposite points and the neutral element too.)
 */
export function add(q: Accumulator, table: Multiples, stride: number, m: number): void {
  const { x, y, z } = q;
  const negative = m < 0;
  const at = ((negative ? -m : m) >> 1) * stride;
  // −(x, y) = (−x, y): the first two entries change places, and the sign of the third is turned below.
  const sum = table[negative ? at + 1 : at];
  const difference = table[negative ? at : at + 1];
  // y + 2p − x < 2^255 + 2^36 + 2^256 < 2^257 and y + x < 2^257; times an entry < 2^514, folded once < 2^264.
  let a = (y + TWO_P - x) * difference;
  a = (a & LOW_255) + (a >> BITS_255) * NINETEEN;
  let b = (y + x) * sum;
  b = (b & LOW_255) + (b >> BITS_255) * NINETEEN;
  // e·h < 2^532 is a product, so t is tight; times an entry < 2^513, folded once < 2^263.
  let c = multiply(q.e, q.h) * table[at + 2];
  c = (c & LOW_255) + (c >> BITS_255) * NINETEEN;
  // 2z < 2^257, or z times an entry < 2^513, folded once < 2^263.
  let d: bigint;
  if (stride === AFFINE_STRIDE) d = z + z;
  else {
    d = z * table[at + 3];
    d = (d & LOW_255) + (d >> BITS_255) * NINETEEN;
  }
  // LARGE_P is above a and c, so none of the four is negative; all are < 2^264 + 2^265 < 2^266, and their products
  // < 2^532.
  const e = b + LARGE_P - a;
  const h = b + a;
  const f = negative ? d + c : d + LARGE_P - c;
  const g = negative ? d + LARGE_P - c : d + c;
  q.x = multiply(e, f);
  q.y = multiply(g, h);
  q.z = multiply(f, g);
  q.e = e;
  q.h = h;
}

/** The table of Q, 3Q, 5Q … (2·count − 1)·Q. */
function oddMultiples(point: AffinePoint, count: number): bigint[] {
  const q: Accumulator = { x: point.x, y: point.y, z: 1n, e: point.x, h: point.y };
  const twice: Accumulator = { x: q.x, y: q.y, z: q.z, e: q.e, h: q.h };
  double(twice, 1);
  const step: bigint[] = [];
  enter(step, 0, twice);
  const table: bigint[] = [];
  enter(table, 0, q);
  for (let i = 1; i < count; i++) {
    add(q, step, STRIDE, 1);
    enter(table, i * STRIDE, q);
  }
  return table;
}

/** Writes the four entries of Q at `at`. */
function enter(table: bigint[], at: number, q: Accumulator): void {
  // x, y, z < 2^256: each entry is below 2^257; y + 2p − x is so as y is tight, and not negative as x < 2p.
  table[at] = q.y + q.x;
  table[at + 1] = q.y + TWO_P - q.x;
  table[at + 2] = multiply(multiply(q.e, q.h), TWO_D);
  table[at + 3] = q.z + q.z;
}

/** The table of the base point, with every z divided out: it is made once, when the module is loaded or preloaded. */
function baseMultiples(): Multiples {
  const entries = oddMultiples({ x: BASE_X, y: BASE_Y }, 1 << (BASE_WIDTH - 2));
  const table: bigint[] = [];
  for (let i = 0, at = 0; i < entries.length; i += STRIDE, at += AFFINE_STRIDE) {
    // Each entry holds z once, and the last is 2z: twice the inverse of 2z is 1/z.
    const inverse = invert(canonical(entries[i + 3])) * 2n;
    table[at] = canonical(multiply(entries[i], inverse));
    table[at + 1] = canonical(multiply(entries[i + 1], inverse));
    table[at + 2] = canonical(multiply(entries[i + 2], inverse));
  }
  return Object.freeze(table);
}

const BASE_MULTIPLES = baseMultiples();

/**
 * Writes a scalar as the sum of terms m·2^i with m odd, |m| < 2^(width−1), and any two i at least `width` apart: its
 * non-adjacent form of that width.
 *
 * @param scalar not negative
 * @param width 2 … 15
 * @returns the pairs i, m, one after the other, i rising
 */
export function signedWindows(scalar: bigint, width: number): number[] {
  const pairs: number[] = [];
  const full = 1 << width;
  let filled = 0;
  // The scalar's bits from `position` on: `held` of them in `bits`, a small integer, the others still in `scalar`. A carry
  // can make `bits` 2^held, and is added to what comes next.
  let bits = 0;
  let held = 0;
  let position = 0;
  while (scalar > 0n || bits > 0) {
    // At most 14 bits are held here, so at most 29 then.
    while (held < width && scalar > 0n) {
      bits += Number(scalar & LOW_15) << held;
      scalar >>= FIFTEEN;
      held += 15;
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
    pairs[filled++] = position;
    pairs[filled++] = m;
    held -= width;
    position += width;
  }
  return pairs;
}

/**
 * The table of a key, for `combine`.
 *
 * @param point on the curve
 */
export function keyMultiples(point: AffinePoint): Multiples {
  return oddMultiples(point, 1 << (KEY_WIDTH - 2));
}

/**
 * [s]B + [k]Q, B being the base point: both sums of windows share one run of doublings (Straus).
 *
 * @param s not negative, below 2^256
 * @param k not negative, below 2^256
 * @param multiples of Q, as `keyMultiples` makes them
 */
export function combine(s: bigint, k: bigint, multiples: Multiples): AffinePoint {
  const ofBase = signedWindows(s, BASE_WIDTH);
  const ofKey = signedWindows(k, KEY_WIDTH);
  // The neutral element.
  const q: Accumulator = { x: 0n, y: 1n, z: 1n, e: 0n, h: 1n };
  // What is not added yet ends before these, and q counts 2^position times. (At first q is neutral, and need not be
  // doubled: `position - next` is negative there, which is no times.)
  let base = ofBase.length;
  let key = ofKey.length;
  let position = 0;
  while (base > 0 || key > 0) {
    const nextOfBase = base > 0 ? ofBase[base - 2] : -1;
    const nextOfKey = key > 0 ? ofKey[key - 2] : -1;
    const next = nextOfBase > nextOfKey ? nextOfBase : nextOfKey;
    double(q, position - next);
    position = next;
    if (nextOfBase === next) {
      add(q, BASE_MULTIPLES, AFFINE_STRIDE, ofBase[base - 1]);
      base -= 2;
    }
    if (nextOfKey === next) {
      add(q, multiples, STRIDE, ofKey[key - 1]);
      key -= 2;
    }
  }
  double(q, position);
  const inverse = invert(q.z);
  return { x: canonical(multiply(q.x, inverse)), y: canonical(multiply(q.y, inverse)) };
}

/**
 * The point that an encoding stands for (RFC 8032 §5.1.3), or undefined where there is none on the curve or the encoding
 * is not canonical.
 *
 * @param encoding 32 bytes as a little-endian number: y, with the lowest bit of x on top
 */
export function decompress(encoding: bigint): AffinePoint | undefined {
  const y = encoding & LOW_255;
  if (y >= P) return undefined;
  // x² = u/v with u = y² − 1 and v = d·y² + 1, which is never zero, −1/d not being a square.
  const y2 = multiply(y, y);
  const u = canonical(y2 + P - 1n);
  const v = multiply(D, y2) + 1n;
  // The candidate root u·v³·(u·v⁷)^((p−5)/8). All the factors are tight, or one above.
  const v3 = multiply(multiply(v, v), v);
  const uv3 = multiply(u, v3);
  const uv7 = multiply(uv3, multiply(v3, v));
  let x = multiply(uv3, powerForRoot(uv7));
  const vx2 = canonical(multiply(v, multiply(x, x)));
  if (vx2 !== u) {
    // v·x² = −u: the root is x·√−1. Anything else: u/v is no square.
    if (canonical(vx2 + u) !== 0n) return undefined;
    x = multiply(x, ROOT_OF_MINUS_1);
  }
  x = canonical(x);
  const odd = encoding >> BITS_255;
  // x = 0 has no odd form.
  if (x === 0n && odd === 1n) return undefined;
  return { x: (x & 1n) === odd ? x : P - x, y };
}

/** The point −Q. (For x = 0, x comes out as p: the bounds above hold for it.) */
export function negate(point: AffinePoint): AffinePoint {
  return { x: P - point.x, y: point.y };
}
