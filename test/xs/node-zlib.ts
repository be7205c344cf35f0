// What stands for 'node:zlib' inside XS: a CRC-32 bit by bit, told from the core's table at a glance.

/** As zlib's: over bytes, going on from `before`. */
export function crc32(bytes: Uint8Array | string, before = 0): number {
  let crc = ~before;
  const length = bytes.length;
  for (let i = 0; i < length; i++) {
    crc ^= typeof bytes === 'string' ? bytes.charCodeAt(i) : (bytes[i] as number);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
