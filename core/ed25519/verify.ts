// Ed25519 verification (RFC 8032 §5.1.7) by the strict profile of INTEROP §3, in BigInt arithmetic. On a device it is used
// where no native Ed25519 is linked in, and everywhere it is the reference for the other implementations of the port.

import { littleEndian } from '../encoding/little-endian.ts';
import type { Hash, MessageStream } from '../ports/ports.ts';
import { type Accumulator, type AffinePoint, decompress, negate, ORDER, type Table } from './curve.ts';
import { BITS_255, canonical, LOW_255, multiply } from './field.ts';
import { invert } from './inverse.ts';
import { combine, combineByTable } from './multiply.ts';
import { strictPublicKey, strictSignature } from './strict.ts';

/** Where tables of public keys come from: each is the table of −A. */
export interface TableSource {
  /** The table of a key, or undefined where there is none that is whole. */
  find(publicKey: Uint8Array): Table | undefined;
  /** True for a key that has a table: it is a point that may be used. */
  has(publicKey: Uint8Array): boolean;
  /** Told of a key whose table refused a signature that is good. */
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
  let table = tables?.find(publicKey);
  const hasTable = table !== undefined;
  let point = hasTable ? undefined : decompressPublicKey(publicKey);
  if (!hasTable && point === undefined) return false;

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
    if (encodesTo(combineByTable(s, k, table), r)) return true;
    // The memory it takes is needed.
    table = undefined;
    point = decompressPublicKey(publicKey);
  }
  const isGood = point !== undefined && encodesTo(combine(s, k, negate(point)), r);
  if (isGood && hasTable) tables?.wrong(publicKey);
  return isGood;
}

/** True where the bytes are a canonical encoding of a point on the curve that is not of small order. */
export function ed25519KeyUsable(publicKey: Uint8Array): boolean {
  return decompressPublicKey(publicKey) !== undefined;
}

/** The point of a key, where `ed25519KeyUsable`. */
export function decompressPublicKey(publicKey: Uint8Array): AffinePoint | undefined {
  return strictPublicKey(publicKey) ? decompress(littleEndian(publicKey, 0, 32)) : undefined;
}

/** True where the encoding of the point is `encoding`, as a little-endian number with y below p. */
function encodesTo({ x, y, z }: Accumulator, encoding: bigint): boolean {
  // Most that are refused are so before the inversion.
  if (canonical(multiply(encoding & LOW_255, z)) !== canonical(y)) return false;
  const inverse = invert(canonical(z));
  return (canonical(multiply(x, inverse)) & 1n) === encoding >> BITS_255;
}
