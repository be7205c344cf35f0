// The group of Ed25519 (RFC 8032 §5.1), −x² + y² = 1 + d·x²·y², as far as verification needs it: decompression, doubling,
// addition. Variable time: only public data comes here.

import { BITS_255, canonical, LOW_255, multiply, NINETEEN, P, powerForRoot, TWO_P } from './field.ts';

/** The order L of the base point (RFC 8032 §5.1). */
export const ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;

/** d = −121665/121666 (RFC 8032 §5.1). */
const D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;
/** A square root of −1: 2^((p−1)/4). */
const ROOT_OF_MINUS_1 = 0x2b8324804fc1df0b2b4d00993dfbd7a72f431806ad2fe478c4ee1b274a0ea0b0n;

/** 4·p, 2^10·p and 2^31·p, below 2^257, 2^265 and 2^286: added where a smaller value is subtracted. */
const FOUR_P = P << 2n;
const LARGE_P = P << 10n;
const HUGE_P = P << 31n;

const ONE = 1n;
const BITS_256 = 256n;
const BITS_512 = 512n;
const BITS_768 = 768n;
/** 2^256 − 1. */
const LOW_256 = 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffn;

/** A point in affine coordinates, both in 0 … p − 1. */
export interface AffinePoint {
  readonly x: bigint;
  readonly y: bigint;
}

/** The base point B. */
export const BASE: AffinePoint = Object.freeze({
  x: 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51an,
  y: 0x6666666666666666666666666666666666666666666666666666666666666658n,
});

/**
 * The running point: x/z and y/z are the affine coordinates, and e·h = x·y/z is the fourth of the extended coordinates
 * (Hisil, Wong, Carter, Dawson 2008), T, kept as its factors since only an addition needs it. x, y and z are below 2p, e is
 * below 2^266 and h below 2^264. `run` leaves x, y and z tight.
 */
export interface Accumulator {
  x: bigint;
  y: bigint;
  z: bigint;
  e: bigint;
  h: bigint;
}

/** The neutral element. */
export function neutral(): Accumulator {
  return { x: 0n, y: 1n, z: 1n, e: 0n, h: 1n };
}

/** A point as a running point. x and y may be anything below 2p. */
export function running({ x, y }: AffinePoint): Accumulator {
  return { x, y, z: 1n, e: x, h: y };
}

/**
 * A point (x, y, z, t) ready to be added, in one number: from the lowest bits on (y + x)/2, (y − x)/2, d·t and z, each in
 * 0 … p − 1 and 256 bits wide. The last is left out for z = 1.
 */
export type Addend = bigint;

/** Points to be added, by their numbers. */
export type Table = readonly Addend[];

/** Where points to be added come from one at a time: memory, or flash. */
export interface Points {
  /** @throws FlashError where they are on flash and it fails */
  entry(number: number): Addend;
}

/** A point, ready to be added to others. */
export function addendOf({ x, y, z, e, h }: Accumulator): Addend {
  return parts(x, y, multiply(e, h)) | (canonical(z) << BITS_768);
}

/** An affine point, ready to be added to others. */
export function affineAddendOf({ x, y }: AffinePoint): Addend {
  return parts(x, y, multiply(x, y));
}

/** x, y, t < 2p. */
function parts(x: bigint, y: bigint, t: bigint): Addend {
  return (
    canonical(half(y + x)) | (canonical(half(y + TWO_P - x)) << BITS_256) | (canonical(multiply(t, D)) << BITS_512)
  );
}

function half(a: bigint): bigint {
  return ((a & ONE) === 0n ? a : a + P) >> ONE;
}

/** The point R or −R for an addend R without z, each of its parts being any 256 bits. x and y are tight. */
export function pointOf(addend: Addend, isNegative: boolean): Accumulator {
  const half = addend & LOW_256;
  const other = (addend >> BITS_256) & LOW_256;
  const x = isNegative ? other + FOUR_P - half : half + FOUR_P - other;
  const y = half + other;
  return running({ x: x - P * (x >> BITS_255), y: y - P * (y >> BITS_255) });
}

/** A step that doubles. Any other is ±n: the point n − 1 is added, or subtracted. */
export const DOUBLE = 0;

/**
 * Takes steps, the last of the list first: doubles q, or adds a point to it or subtracts one. All is in one function, as a call
 * costs the device a tenth of what it does.
 *
 * @param count how many of the steps
 * @param base the first points; none of them has a z
 * @param inBase how many those are
 * @param others the points after those; each part of one may be any 256 bits, as flash may have been damaged
 * @param isProjective whether the others have z
 */
export function run(
  q: Accumulator,
  steps: ArrayLike<number>,
  count: number,
  base: Points,
  inBase: number,
  others: Points,
  isProjective: boolean,
): void {
  let { x, y, z, e, h } = q;
  for (let at = count - 1; at >= 0; at--) {
    const step = steps[at];
    if (step === DOUBLE) {
      // RFC 8032 §5.1.4, dbl-2008-hwcd for a = −1. x, y, z < 2^256: the squares are < 2^512, folded once < 2^262.
      let a = x * x;
      a = (a & LOW_255) + (a >> BITS_255) * NINETEEN;
      let b = y * y;
      b = (b & LOW_255) + (b >> BITS_255) * NINETEEN;
      let c = z * z;
      c = (c & LOW_255) + (c >> BITS_255) * NINETEEN;
      e = x * y;
      e = (e & LOW_255) + (e >> BITS_255) * NINETEEN;
      // RFC 8032 has E = H − (x + y)², which is −2xy. LARGE_P is above 2xy and b, so none of the four is negative:
      // h < 2^263, e < 2^265, g (here b) < 2^262 + 2^265 < 2^266, f (here c) < 2^263 + 2^266 < 2^267.
      h = a + b;
      e = LARGE_P - (e + e);
      b = a + LARGE_P - b;
      c = c + c + b;
      // Products < 2^533, folded once < 2^283, folded twice < 2^255 + 19·2^28: tight.
      x = e * c;
      x = (x & LOW_255) + (x >> BITS_255) * NINETEEN;
      x -= P * (x >> BITS_255);
      y = b * h;
      y = (y & LOW_255) + (y >> BITS_255) * NINETEEN;
      y -= P * (y >> BITS_255);
      z = c * b;
      z = (z & LOW_255) + (z >> BITS_255) * NINETEEN;
      z -= P * (z >> BITS_255);
      continue;
    }
    const isNegative = step < 0;
    const number = (isNegative ? -step : step) - 1;
    let c = number < inBase ? base.entry(number) : others.entry(number - inBase);
    let a = c & LOW_256;
    let b = (c >> BITS_256) & LOW_256;
    c >>= BITS_512;
    let d = z;
    // z < 2^256, or z times that of R < 2^511, folded once < 2^261.
    if (isProjective && number >= inBase) {
      d *= c >> BITS_256;
      c &= LOW_256;
      d = (d & LOW_255) + (d >> BITS_255) * NINETEEN;
    }
    // RFC 8032 §5.1.4, add-2008-hwcd-3, with half of A, B, C, D and so of E, F, G, H. Complete: right for equal points,
    // opposite points and the neutral element too. −(x, y) = (−x, y): y + x and y − x change places, and d·t its sign.
    // y + 2p − x < 2^257 and y + x < 2^257; times a value of R < 2^513, folded once < 2^255 + 19·2^258 < 2^263.
    if (isNegative) {
      b *= y + x;
      a *= y + TWO_P - x;
    } else {
      const sum = a;
      a = (y + TWO_P - x) * b;
      b = (y + x) * sum;
    }
    a = (a & LOW_255) + (a >> BITS_255) * NINETEEN;
    b = (b & LOW_255) + (b >> BITS_255) * NINETEEN;
    // e·h < 2^530, folded once < 2^255 + 19·2^275 < 2^280; times a value of R < 2^536, folded once < 2^255 + 19·2^281, which
    // is below HUGE_P.
    e *= h;
    c *= (e & LOW_255) + (e >> BITS_255) * NINETEEN;
    c = (c & LOW_255) + (c >> BITS_255) * NINETEEN;
    // LARGE_P is above a: e < 2^266 and h < 2^264. Of f and g, which change places with the sign, one is below
    // 2^286 + 2^261 and the other below 19·2^281 + 2^262.
    e = b + LARGE_P - a;
    h = b + a;
    if (isNegative) {
      a = d + c;
      b = d + HUGE_P - c;
    } else {
      a = d + HUGE_P - c;
      b = d + c;
    }
    // e·f and g·h < 2^553, f·g < 19·2^568: folded once < 2^322, folded twice < 2^255 + 19·2^67: tight.
    x = e * a;
    x = (x & LOW_255) + (x >> BITS_255) * NINETEEN;
    x -= P * (x >> BITS_255);
    y = b * h;
    y = (y & LOW_255) + (y >> BITS_255) * NINETEEN;
    y -= P * (y >> BITS_255);
    z = a * b;
    z = (z & LOW_255) + (z >> BITS_255) * NINETEEN;
    z -= P * (z >> BITS_255);
  }
  q.x = x;
  q.y = y;
  q.z = z;
  q.e = e;
  q.h = h;
}

const NO_POINTS: Points = Object.freeze({ entry: () => 0n });

/** Replaces Q by 2^times · Q. */
export function double(q: Accumulator, times: number): void {
  run(q, new Int8Array(times), times, NO_POINTS, 0, NO_POINTS, false);
}

/** Replaces Q by Q + R (sign 1), or by Q − R (sign −1). */
export function add(q: Accumulator, addend: Addend, sign: 1 | -1, isProjective = true): void {
  run(q, [sign], 1, NO_POINTS, 0, { entry: () => addend }, isProjective);
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

/** True for coordinates of a point of the curve, both in 0 … p − 1. */
export function isOnCurve({ x, y }: AffinePoint): boolean {
  const x2 = multiply(x, x);
  const y2 = multiply(y, y);
  // y² − 1 = x²·(d·y² + 1)
  return canonical(multiply(x2, multiply(D, y2) + 1n)) === canonical(y2 + P - 1n);
}

/** The point −Q. (For x = 0, x comes out as p: the bounds above hold for it.) */
export function negate(point: AffinePoint): AffinePoint {
  return { x: P - point.x, y: point.y };
}
