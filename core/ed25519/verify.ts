// Ed25519 verification (RFC 8032 §5.1.7) by the strict profile of INTEROP §3, in BigInt arithmetic. On a device it is used
// where no native Ed25519 is linked in, and everywhere it is the reference for the other implementations of the port.

import { littleEndian } from '../encoding/little-endian.ts';
import { FlashError, type Hash, type MessageStream } from '../ports/ports.ts';
import { type Accumulator, type AffinePoint, decompress, isOnCurve, negate, ORDER, type Points } from './curve.ts';
import { BITS_255, canonical, LOW_255, multiply } from './field.ts';
import { invert } from './inverse.ts';
import { combine, combineByTable } from './multiply.ts';
import { strictPublicKey, strictSignature } from './strict.ts';

/** Where tables of public keys come from: each is the table of −A. */
export interface TableSource {
  /** The table of a key, or undefined where there is none, or one that was not whole when it was looked at. */
  find(publicKey: Uint8Array): Points | undefined;
  /** True for a key that has a table: it is a point that may be used. */
  has(publicKey: Uint8Array): boolean;
  /** Told of a key whose table could not be read, or refused a signature that is good. */
  wrong(publicKey: Uint8Array): void;
}

/**
 * Verifies a signature: S < L, canonical A and R, neither of small order, and [S]B − [k]A encodes to R, byte for byte.
 * Wrong lengths and points off the curve answer false. It throws only what `message` throws.
 *
 * @param sha512 starts a SHA-512
 * @param publicKey A, 32 bytes
 * @param signature R ‖ S, 64 bytes
 * @param message the signed bytes, whole or as a stream, which runs at most once, and only after the checks on the bytes
 * @param tables make it faster for keys that have one; what a table refuses is decided again without it
 */
export function ed25519Verify(
  sha512: () => Hash,
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array | MessageStream,
  tables?: TableSource,
): boolean {
  if (!strictSignature(signature)) return false;
  const table = tables?.find(publicKey);
  let point = table === undefined ? decompressPublicKey(publicKey) : undefined;
  if (table === undefined && point === undefined) return false;

  const hash = sha512();
  hash.update(signature.subarray(0, 32));
  hash.update(publicKey);
  if (typeof message === 'function') message((part) => hash.update(part));
  else hash.update(message);
  const k = littleEndian(hash.digest(), 0, 64) % ORDER;
  const r = littleEndian(signature, 0, 32);
  const s = littleEndian(signature, 32, 32);

  // Cofactorless: the equation itself and not eight times it. R is compared as an encoding, never decompressed; that it
  // is canonical was checked, and a point off the curve is never equal.
  if (table !== undefined) {
    if (isAcceptedBy(table, s, k, r)) return true;
    point = decompressPublicKey(publicKey);
  }
  const isGood = point !== undefined && xWhere(combine(s, k, negate(point)), r) !== undefined;
  if (isGood && table !== undefined) tables?.wrong(publicKey);
  return isGood;
}

/**
 * True where a table says that [s]B − [k]A encodes to r. It was checked as a whole, but is read again, entry by entry: one that
 * cannot be read refuses, and so does one whose entries bring the sum off the curve. Bytes that are not those of points do, above
 * all flash that reads as zeros or ones throughout, with which sums would be easy to foretell.
 */
function isAcceptedBy(table: Points, s: bigint, k: bigint, r: bigint): boolean {
  try {
    const x = xWhere(combineByTable(s, k, table), r);
    return x !== undefined && isOnCurve({ x, y: r & LOW_255 });
  } catch (error) {
    if (error instanceof FlashError) return false;
    throw error;
  }
}

/** True where the bytes are a canonical encoding of a point on the curve that is not of small order. */
export function ed25519KeyUsable(publicKey: Uint8Array): boolean {
  return decompressPublicKey(publicKey) !== undefined;
}

/** The point of a key, where `ed25519KeyUsable`. */
export function decompressPublicKey(publicKey: Uint8Array): AffinePoint | undefined {
  return strictPublicKey(publicKey) ? decompress(littleEndian(publicKey, 0, 32)) : undefined;
}

/** The affine x of a point whose encoding, as a little-endian number with y below p, is `encoding`; undefined for others. */
function xWhere({ x, y, z }: Accumulator, encoding: bigint): bigint | undefined {
  // Most that are refused are so before the inversion.
  if (canonical(multiply(encoding & LOW_255, z)) !== canonical(y)) return undefined;
  const affine = canonical(multiply(x, invert(canonical(z))));
  return (affine & 1n) === encoding >> BITS_255 ? affine : undefined;
}
