// Hexadecimal text, for digests and keys. Written for short texts: on the device a string is read in time by the square of
// its length.

/** Lower-case digits. An array, as indexing a string takes time by the place on the device. */
const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

/** Two lower-case digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  const pairs: string[] = [];
  const length = bytes.length;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i];
    pairs[i] = DIGITS[byte >> 4] + DIGITS[byte & 15];
  }
  return pairs.join('');
}

/**
 * The bytes of a text of hexadecimal digits, upper or lower case; undefined for an odd number of them and for any other
 * character.
 */
export function fromHex(text: string): Uint8Array | undefined {
  const length = text.length;
  if ((length & 1) !== 0) return undefined;
  const bytes = new Uint8Array(length >> 1);
  for (let i = 0; i < length; i += 2) {
    const high = digitOf(text.charCodeAt(i));
    const low = digitOf(text.charCodeAt(i + 1));
    if (high < 0 || low < 0) return undefined;
    bytes[i >> 1] = (high << 4) | low;
  }
  return bytes;
}

/** The value of a character code, −1 for those that are no hexadecimal digit. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30; // 0 … 9
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10; // a … f
  if (code >= 0x41 && code <= 0x46) return code - 0x41 + 10; // A … F
  return -1;
}
