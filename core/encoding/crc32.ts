// CRC-32 (ISO 3309, IEEE 802.3: polynomial 0x04c11db7, reflected): it tells a torn or worn record on flash from a good one.
// It is no protection against someone who writes a record on purpose.

/** What a byte changes, as signed 32-bit integers: larger numbers would be floating point on the device. */
const TABLE = table();

function table(): readonly number[] {
  const table: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    // 0xedb88320 is the polynomial with its bits in reverse.
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ (0xedb88320 | 0);
    table[byte] = crc | 0;
  }
  return table;
}

/**
 * The CRC-32 of a part of `bytes`.
 *
 * @param start first byte, 0 where absent
 * @param end behind the last byte, `bytes.length` where absent
 * @returns an unsigned 32-bit number
 */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return crc32Update(0, bytes, start, end);
}

/**
 * Goes on with a CRC-32 over more bytes: `crc32Update(crc32(a), b, 0, b.length)` is the CRC-32 of a ‖ b.
 *
 * @param crc of what went before, 0 for nothing
 * @param start first byte
 * @param end behind the last byte
 * @returns an unsigned 32-bit number
 */
export function crc32Update(crc: number, bytes: Uint8Array, start: number, end: number): number {
  crc = ~crc;
  for (let i = start; i < end; i++) crc = TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}
