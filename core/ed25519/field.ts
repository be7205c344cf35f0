// Arithmetic modulo p = 2^255 − 19 (RFC 8032 §5.1) on BigInts that are never negative. Reduction is by folding, because
// 2^255 ≡ 19: on the device a `%` costs more than five folds.

// Magnitudes. A fold takes 0 ≤ a < 2^n to a value of the same residue, 0 ≤ … < 2^255 + 19·2^(n−255): `a & LOW_255` and
// `a >> BITS_255` are the remainder r and the quotient q by 2^255, and r + 19·q ≡ a. Where q is a small number, the fold is
// written `a − P·q` (one operation less); a = r + q·2^255, so that is r + 19·q too. Two ranges are named, here and in
// curve.ts:
//
//   tight     0 ≤ a < 2^255 + 2^72; so a < 2p and a < 2^256. What the functions below return, `canonical` excepted.
//   product   0 ≤ a < 2^536. Folded once: < 2^255 + 19·2^281 < 2^286. Folded twice: < 2^255 + 19·2^31, which is tight.
//
// A subtraction is written `a + k·p − b` where k·p ≥ b, so no value is negative at any time. (Folding a negative BigInt
// would keep its residue too, but then every bound below would need a sign.)
//
// Equality. In XS 13, `===` between a computed BigInt and a module's constant in read-only memory is always false (the
// operator compares the two kinds of slot). `===` is used here on computed values and literals only; `<` and `>=` are safe.

/** The prime p = 2^255 − 19. */
export const P = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffedn;

/** 2p: added where a tight value is subtracted. */
export const TWO_P = 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdan;

/** 2^255 − 1: `a & LOW_255` is the low part of a fold. */
export const LOW_255 = 0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffn;

/** `a >> BITS_255` is the high part of a fold. Named, as the device's engine builds a BigInt literal at every use. */
export const BITS_255 = 255n;

/** What the high part of a fold counts: 2^255 mod p. */
export const NINETEEN = 19n;

/**
 * The product of two field elements, tight.
 *
 * @param a not negative
 * @param b not negative, and a·b < 2^536
 */
export function multiply(a: bigint, b: bigint): bigint {
  a *= b;
  a = (a & LOW_255) + (a >> BITS_255) * NINETEEN;
  return a - P * (a >> BITS_255);
}

/**
 * a^(2^times), tight.
 *
 * @param a tight
 * @param times how often to square
 */
export function squareTimes(a: bigint, times: number): bigint {
  // Two squarings share three folds. a < 2^256 gives a² < 2^512, folded once < 2^255 + 19·2^257 < 2^262; its square is
  // < 2^524, folded once < 2^274, folded twice < 2^255 + 19·2^19: tight.
  for (let pairs = times >> 1; pairs > 0; pairs--) {
    a *= a;
    a = (a & LOW_255) + (a >> BITS_255) * NINETEEN;
    a *= a;
    a = (a & LOW_255) + (a >> BITS_255) * NINETEEN;
    a -= P * (a >> BITS_255);
  }
  return (times & 1) === 0 ? a : multiply(a, a);
}

/**
 * The representative of a field element in 0 … p − 1.
 *
 * @param a not negative, below 2^286
 */
export function canonical(a: bigint): bigint {
  // After one fold a < 2^255 + 19·2^31 < 2p: at most one p is left to subtract.
  a -= P * (a >> BITS_255);
  return a >= P ? a - P : a;
}

/** a^((p−5)/8), tight: the power of the square root formula in RFC 8032 §5.1.3. `a` is tight. */
export function powerForRoot(a: bigint): bigint {
  // onesN is a^(2^N − 1), and onesN^(2^M) · onesM is ones(N+M).
  const ones2 = multiply(multiply(a, a), a);
  const ones4 = multiply(squareTimes(ones2, 2), ones2);
  const ones5 = multiply(multiply(ones4, ones4), a);
  const ones10 = multiply(squareTimes(ones5, 5), ones5);
  const ones20 = multiply(squareTimes(ones10, 10), ones10);
  const ones40 = multiply(squareTimes(ones20, 20), ones20);
  const ones50 = multiply(squareTimes(ones40, 10), ones10);
  const ones100 = multiply(squareTimes(ones50, 50), ones50);
  const ones200 = multiply(squareTimes(ones100, 100), ones100);
  const ones250 = multiply(squareTimes(ones200, 50), ones50);
  // (p − 5)/8 = 2^252 − 3 = (2^250 − 1)·2^2 + 1
  return multiply(squareTimes(ones250, 2), a);
}
