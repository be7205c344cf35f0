// Ed25519 verification (RFC 8032 §5.1.7) by the strict profile of INTEROP §3, in BigInt arithmetic. On a device it is used
// where no native Ed25519 is linked in, and everywhere it is the reference for the other implementations of the port.

import type { Hash, MessageStream } from '../ports/ports.ts';
import { type AffinePoint, combine, decompress, keyMultiples, negate, ORDER } from './curve.ts';
import { strictPublicKey, strictSignature } from './strict.ts';

/**
 * Verifies a signature: S < L, canonical A and R, neither of small order, and [S]B − [k]A encodes to R, byte for byte.
 * Wrong lengths and points off the curve answer false. It throws only what `message` throws.
 *
 * @param sha512 starts a SHA-512
 * @param publicKey A, 32 bytes
 * @param signature R ‖ S, 64 bytes
 * @param message the signed bytes, whole or as a stream, which runs at most once, and only after the checks on the bytes
 */
export function ed25519Verify(
  sha512: () => Hash,
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array | MessageStream,
): boolean {
  if (!strictSignature(signature)) return false;
  const point = decompressPublicKey(publicKey);
  if (point === undefined) return false;

  const hash = sha512();
  hash.update(signature.subarray(0, 32));
  hash.update(publicKey);
  if (typeof message === 'function') message((part) => hash.update(part));
  else hash.update(message);
  const k = littleEndian(hash.digest(), 0, 64) % ORDER;

  // Cofactorless: the equation itself and not eight times it. R is compared as an encoding, never decompressed; that it
  // is canonical was checked, and a point off the curve is never equal.
  const s = littleEndian(signature, 32, 32);
  const { x, y } = combine(s, k, keyMultiples(negate(point)));
  return (y | ((x & 1n) << 255n)) === littleEndian(signature, 0, 32);
}

/** True where the bytes are a canonical encoding of a point on the curve that is not of small order. */
export function ed25519KeyUsable(publicKey: Uint8Array): boolean {
  return decompressPublicKey(publicKey) !== undefined;
}

function decompressPublicKey(publicKey: Uint8Array): AffinePoint | undefined {
  return strictPublicKey(publicKey) ? decompress(littleEndian(publicKey, 0, 32)) : undefined;
}

/** A number from `length` bytes at `offset`, the lowest first; `length` is a multiple of 8. */
function littleEndian(bytes: Uint8Array, offset: number, length: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  let value = 0n;
  for (let at = length - 8; at >= 0; at -= 8) value = (value << 64n) | view.getBigUint64(at, true);
  return value;
}
