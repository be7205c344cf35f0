// The inverse modulo p by Euclid's algorithm on leading digits (Lehmer 1938): nearly all of its steps are of small integers,
// and on the device that takes two fifths of the time of the power p − 2.

import { P } from './field.ts';

/** Leading parts are below 2^31, and are worked on while they are at least 2^16. */
const LEADING_BITS = 31;
const LEAST = 65_536;
/** Named, as the device's engine builds a BigInt literal at every use. */
const ZERO = 0n;

/**
 * 1/a in 0 … p − 1. Zero gives zero.
 *
 * @param a in 0 … p − 1
 */
export function invert(a: bigint): bigint {
  // r0 and r1 are not negative, and rᵢ ≡ tᵢ·a mod p. Every step takes a multiple of one from the other, or changes signs: their
  // greatest common divisor stays 1, whatever multiple it was. One that the leading digits have wrong costs time, no more.
  let r0 = P;
  let r1 = a;
  let t0 = 0n;
  let t1 = 1n;
  // Both r are below 2^(31 + hidden); x and y are they without their lowest `hidden` bits.
  let hidden = 255 - LEADING_BITS;
  while (r1 > ZERO) {
    const shift = BigInt(hidden);
    let x = Number(r0 >> shift);
    let y = Number(r1 >> shift);
    if (x < y) {
      const r = r0;
      r0 = r1;
      r1 = r;
      const t = t0;
      t0 = t1;
      t1 = t;
      const leading = x;
      x = y;
      y = leading;
    }
    if (hidden > 0 && y < LEAST) {
      // r1 is far smaller than r0, which is rare: one step with the whole numbers.
      const quotient = r0 / r1;
      const r = r0 - quotient * r1;
      const t = t0 - quotient * t1;
      r0 = r1;
      t0 = t1;
      r1 = r;
      t1 = t;
      while (hidden > 0 && Number(r0 >> BigInt(hidden)) < LEAST) hidden = hidden > 15 ? hidden - 15 : 0;
      continue;
    }
    // With nothing hidden the steps go to the end.
    const least = hidden === 0 ? 1 : LEAST;
    // x = a0·r0 + a1·r1 and y = b0·r0 + b1·r1, in leading parts; a0 … b1 are at most 2^15 here, and below 2^31 at the end.
    let a0 = 1;
    let a1 = 0;
    let b0 = 0;
    let b1 = 1;
    for (;;) {
      // Two quotients of five are 1, and need no division.
      if (x - y < y) {
        x -= y;
        a0 -= b0;
        a1 -= b1;
      } else {
        const quotient = (x / y) | 0;
        x -= quotient * y;
        a0 -= quotient * b0;
        a1 -= quotient * b1;
      }
      if (x < least) break;
      if (y - x < x) {
        y -= x;
        b0 -= a0;
        b1 -= a1;
      } else {
        const quotient = (y / x) | 0;
        y -= quotient * x;
        b0 -= quotient * a0;
        b1 -= quotient * a1;
      }
      if (y < least) break;
    }
    const m00 = BigInt(a0);
    const m01 = BigInt(a1);
    const m10 = BigInt(b0);
    const m11 = BigInt(b1);
    // (The device multiplies by the shorter number faster where it stands second.)
    const r = r0 * m00 + r1 * m01;
    const t = t0 * m00 + t1 * m01;
    r1 = r0 * m10 + r1 * m11;
    t1 = t0 * m10 + t1 * m11;
    r0 = r;
    t0 = t;
    if (hidden === 0) {
      // One is 1 and the other 0.
      if (r0 === 0n) t0 = t1;
      break;
    }
    // What was hidden changes x and y by less than 2^15: the larger is not negative, and both are below it and 2^15.
    if (r0 < ZERO) {
      r0 = -r0;
      t0 = -t0;
    }
    if (r1 < ZERO) {
      r1 = -r1;
      t1 = -t1;
    }
    hidden -= LEADING_BITS - (32 - Math.clz32((x > y ? x : y) + LEAST));
    if (hidden < 0) hidden = 0;
  }
  return t0 < ZERO ? t0 + P : t0;
}
