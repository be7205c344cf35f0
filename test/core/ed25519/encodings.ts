// Points and encodings at the edges of the strict profile, made from their definitions with @noble/ed25519.

import { Point } from '@noble/ed25519';

/** 2^255 − 19. */
export const P = 2n ** 255n - 19n;
/** The order of the base point. */
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** 32 bytes, the lowest first. */
export function littleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i++, value >>= 8n) bytes[i] = Number(value & 255n);
  return bytes;
}

export function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** R ‖ S. */
export function signatureOf(r: Uint8Array, s: bigint): Uint8Array {
  return new Uint8Array([...r, ...littleEndian(s)]);
}

/** The eight points of small order, T, 2T … 8T, T being of order 8. */
export function smallOrderPoints(): Point[] {
  // Any point off the subgroup of order L leads there: [L]Q has an order that divides 8.
  let y = 3n;
  let t = Point.ZERO;
  while (t.multiplyUnsafe(4n).is0()) {
    y += 1n;
    try {
      const q = Point.fromBytes(littleEndian(y));
      t = q.multiplyUnsafe(L - 1n).add(q);
    } catch {
      // No point has this y.
    }
  }
  const points: Point[] = [];
  for (let i = 0, sum = t; i < 8; i++, sum = sum.add(t)) points.push(sum);
  return points;
}

/** Encodings that decode to a point of small order where p is not checked, canonical or not: 8 and 6 of them. */
export function smallOrderEncodings(): { canonical: Uint8Array[]; other: Uint8Array[] } {
  const canonical = smallOrderPoints().map((point) => point.toBytes());
  const other: Uint8Array[] = [];
  const sign = 1n << 255n;
  // y + p fits 255 bits for y = 0 and 1 only; with x = 0 (y = 1 and y = −1) the sign bit is a second encoding.
  for (const y of [P, P + 1n]) other.push(littleEndian(y), littleEndian(y | sign));
  other.push(littleEndian(1n | sign), littleEndian((P - 1n) | sign));
  return { canonical, other };
}

/** Encodings with p ≤ y < 2^255, all 19 of them, with both signs. */
export function encodingsFromP(): Uint8Array[] {
  const encodings: Uint8Array[] = [];
  for (let y = P; y < 2n ** 255n; y++) encodings.push(littleEndian(y), littleEndian(y | (1n << 255n)));
  return encodings;
}

/** Encodings of y values that no point has, with both signs; y counts up from `start`. */
export function offCurveEncodings(start: bigint, count: number): Uint8Array[] {
  const encodings: Uint8Array[] = [];
  for (let y = start; encodings.length < count; y++) {
    try {
      Point.fromBytes(littleEndian(y));
    } catch {
      encodings.push(littleEndian(y), littleEndian(y | (1n << 255n)));
    }
  }
  return encodings;
}
