// Large numbers from bytes and back, the lowest byte first. Where the engine takes a whole buffer at once it does the work: on
// the device that is eight times as fast as eight bytes at a time.

/** What XS has beside the standard. */
interface PlatformBigInt {
  readonly fromArrayBuffer?: (buffer: ArrayBufferLike, signed: boolean, littleEndian: boolean) => bigint;
}

const BITS_64 = 64n;
const LOW_64 = 0xffffffffffffffffn;

/** The number in a buffer whose length is a multiple of 8. */
export function littleEndianOf(buffer: ArrayBufferLike): bigint {
  const platform = BigInt as PlatformBigInt;
  if (platform.fromArrayBuffer !== undefined) return platform.fromArrayBuffer(buffer, false, true);
  const view = new DataView(buffer);
  let value = 0n;
  for (let at = view.byteLength - 8; at >= 0; at -= 8) value = (value << BITS_64) | view.getBigUint64(at, true);
  return value;
}

/** The number in `length` bytes at `offset`; `length` is a multiple of 8. */
export function littleEndian(bytes: Uint8Array, offset: number, length: number): bigint {
  const start = bytes.byteOffset + offset;
  return littleEndianOf(bytes.buffer.slice(start, start + length));
}

/** Writes a number that is not negative into `length` bytes at `offset`; `length` is a multiple of 8. */
export function writeLittleEndian(bytes: Uint8Array, offset: number, length: number, value: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  for (let at = 0; at < length; at += 8) {
    view.setBigUint64(at, value & LOW_64, true);
    value >>= BITS_64;
  }
}
