// The strict profile's conditions on bytes (INTEROP §3), which every implementation of the Crypto port applies before it
// verifies, so that the verdicts are the same. No arithmetic: y ≥ p and small orders are seen in the encoding.

/**
 * y of two of the points of order 8, little-endian (the other is p − y); the other six points of small order have y = 0, 1
 * or p − 1, which need no table.
 */
// biome-ignore format: sixteen bytes a line
const ORDER_8_Y = Object.freeze([
  0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
  0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
]);
// biome-ignore format: sixteen bytes a line
const ORDER_8_MINUS_Y = Object.freeze([
  0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
  0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
]);

/** The lower half of L, little-endian; above it are fifteen zero bytes and 0x10 (RFC 8032 §5.1). */
// biome-ignore format: sixteen bytes a line
const ORDER_LOW_HALF = Object.freeze([
  0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
]);

/**
 * True for 32 bytes that may be a public key: y < p, and the point is not of small order. Whether y belongs to a point at
 * all, `decompress` tells.
 */
export function strictPublicKey(key: Uint8Array): boolean {
  return key.length === 32 && strictPoint(key);
}

/** True for 64 bytes R ‖ S that may be a signature: S < L, and R is as `strictPublicKey` wants a key. */
export function strictSignature(signature: Uint8Array): boolean {
  return signature.length === 64 && belowOrder(signature) && strictPoint(signature);
}

/** Judges the first 32 bytes. */
function strictPoint(bytes: Uint8Array): boolean {
  // The top bit is the sign of x. The sign is not looked at: where y is that of a point of small order, both points with
  // that y are (a pair ±x), or there is only one, x being 0, and its other sign is not canonical (RFC 8032 §5.1.3, 4).
  const top = bytes[31] & 0x7f;
  const first = bytes[0];
  // y = 0 and y = 1: orders 4 and 1.
  if (top === 0 && first <= 1 && middleIs(bytes, 0)) return false;
  // y = p − 1, of order 2, and all y ≥ p: 0xec is the lowest byte of p − 1, and the others are ones.
  if (top === 0x7f && first >= 0xec && middleIs(bytes, 0xff)) return false;
  if (first === ORDER_8_Y[0] && hasY(bytes, ORDER_8_Y)) return false;
  if (first === ORDER_8_MINUS_Y[0] && hasY(bytes, ORDER_8_MINUS_Y)) return false;
  return true;
}

/** True where the bytes 1 … 30 have the value. */
function middleIs(bytes: Uint8Array, value: number): boolean {
  for (let i = 1; i < 31; i++) {
    if (bytes[i] !== value) return false;
  }
  return true;
}

/** True where the first 32 bytes, without the sign, are y. */
function hasY(bytes: Uint8Array, y: readonly number[]): boolean {
  for (let i = 1; i < 31; i++) {
    if (bytes[i] !== y[i]) return false;
  }
  return (bytes[31] & 0x7f) === y[31];
}

/** S < L, S being the bytes 32 … 63 (RFC 8032 §5.1.7, 1): S + L would be a second signature otherwise. */
function belowOrder(signature: Uint8Array): boolean {
  if (signature[63] !== 0x10) return signature[63] < 0x10;
  for (let i = 62; i >= 48; i--) {
    if (signature[i] !== 0) return false;
  }
  for (let i = 15; i >= 0; i--) {
    if (signature[32 + i] !== ORDER_LOW_HALF[i]) return signature[32 + i] < ORDER_LOW_HALF[i];
  }
  return false;
}
