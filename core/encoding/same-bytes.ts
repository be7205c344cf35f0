// Whether two arrays hold the same bytes: what was written to flash against what reads back. In XS reading a byte costs hundreds
// of instructions; there each array becomes one integer, and those are compared.

/** What XS has beside the standard. */
interface PlatformBigInt {
  readonly fromArrayBuffer?: (buffer: ArrayBufferLike, signed: boolean, littleEndian: boolean) => bigint;
}

/** True where both have the same length and the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const { length } = a;
  if (length !== b.length) return false;
  if ((BigInt as PlatformBigInt).fromArrayBuffer !== undefined && length > 0) return integerOf(a) === integerOf(b);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function integerOf(bytes: Uint8Array): bigint {
  const { fromArrayBuffer } = BigInt as unknown as Required<PlatformBigInt>;
  return fromArrayBuffer(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), false, true);
}
