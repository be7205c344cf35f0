// Hexadecimal text, for digests and keys. Written for short texts: on the device a string is read in time by the square of
// its length.

/** What XS has beside the standard. */
interface PlatformArrayBuffer {
  readonly fromBigInt?: (value: bigint, length: number, signed: boolean, littleEndian: boolean) => ArrayBuffer;
}

/** From so many digits on a device takes them all at once. */
const LEAST_AT_ONCE = 4;

/** Character codes of the lower-case digits. */
const CODES = [0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66];

/** Two lower-case digits for each byte. Eight bytes at a time, written out: a call for each digit costs a device twice that. */
export function toHex(bytes: Uint8Array): string {
  const { length } = bytes;
  const codes = CODES;
  let text = '';
  let at = 0;
  for (; at + 8 <= length; at += 8) {
    const a = bytes[at];
    const b = bytes[at + 1];
    const c = bytes[at + 2];
    const d = bytes[at + 3];
    const e = bytes[at + 4];
    const f = bytes[at + 5];
    const g = bytes[at + 6];
    const h = bytes[at + 7];
    text += String.fromCharCode(
      codes[a >> 4],
      codes[a & 15],
      codes[b >> 4],
      codes[b & 15],
      codes[c >> 4],
      codes[c & 15],
      codes[d >> 4],
      codes[d & 15],
      codes[e >> 4],
      codes[e & 15],
      codes[f >> 4],
      codes[f & 15],
      codes[g >> 4],
      codes[g & 15],
      codes[h >> 4],
      codes[h & 15],
    );
  }
  for (; at < length; at++) {
    const byte = bytes[at];
    text += String.fromCharCode(codes[byte >> 4], codes[byte & 15]);
  }
  return text;
}

/** What XS has beside the standard. */
interface PlatformBigInt {
  readonly fromArrayBuffer?: (buffer: ArrayBufferLike, signed: boolean, littleEndian: boolean) => bigint;
}

/** True where text, of lower-case hexadecimal digits, says these bytes, which are all of their buffer. */
export function isHexOf(text: string, bytes: Uint8Array): boolean {
  const device = BigInt as PlatformBigInt;
  if (device.fromArrayBuffer === undefined) return toHex(bytes) === text;
  return text.length === 2 * bytes.length && device.fromArrayBuffer(bytes.buffer, false, false) === BigInt(`0x${text}`);
}

/**
 * The bytes of a text of hexadecimal digits, upper or lower case; undefined for an odd number of them and for any other
 * character.
 */
export function fromHex(text: string): Uint8Array | undefined {
  const length = text.length;
  if ((length & 1) !== 0) return undefined;
  if (length >= LEAST_AT_ONCE && (ArrayBuffer as PlatformArrayBuffer).fromBigInt !== undefined) return allAtOnce(text);
  const bytes = new Uint8Array(length >> 1);
  for (let i = 0; i < length; i += 2) {
    const high = digitOf(text.charCodeAt(i));
    const low = digitOf(text.charCodeAt(i + 1));
    if (high < 0 || low < 0) return undefined;
    bytes[i >> 1] = (high << 4) | low;
  }
  return bytes;
}

/** The same by the engine's own reading of a number, which passes over blanks behind it and is not asked about most other text. */
function allAtOnce(text: string): Uint8Array | undefined {
  const { length } = text;
  if (digitOf(text.charCodeAt(0)) < 0 || digitOf(text.charCodeAt(length - 1)) < 0) return undefined;
  const { fromBigInt } = ArrayBuffer as unknown as Required<PlatformArrayBuffer>;
  try {
    return new Uint8Array(fromBigInt(BigInt(`0x${text}`), length >> 1, false, false));
  } catch {
    return undefined;
  }
}

/** The value of a character code, −1 for those that are no hexadecimal digit. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30; // 0 … 9
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10; // a … f
  if (code >= 0x41 && code <= 0x46) return code - 0x41 + 10; // A … F
  return -1;
}
