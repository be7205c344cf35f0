// Numbers from bytes and back, the lowest byte first. Where the engine takes a whole buffer of a large one at once it does the
// work: on the device that is eight times as fast as eight bytes at a time.

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

/** Writes an unsigned 32-bit number, the lowest byte first. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}

/** Reads one. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
