// Base64 as signatures and HTTP headers carry it (INTEROP §3, "Signature text"): either alphabet of RFC 4648, one of them
// per text, padding optional. Apart from alphabet and padding, the same bytes have one text only.

import { encodeUtf8, isAscii } from './utf8.ts';

/** What an invalid character counts: all bits, whatever they are shifted by and put together with. */
const INVALID = -1;

const PADDING = 0x3d;

/** Character codes of RFC 4648 §4, table 1, and §5, table 2, by value. */
const STANDARD = codes(0x2b, 0x2f);
const URL_SAFE = codes(0x2d, 0x5f);
/** Values of both alphabets by character code, for the codes 0 … 127. */
const VALUES = values();

function codes(of62: number, of63: number): readonly number[] {
  const codes: number[] = [];
  for (let i = 0; i < 26; i++) codes[i] = 0x41 + i;
  for (let i = 0; i < 26; i++) codes[26 + i] = 0x61 + i;
  for (let i = 0; i < 10; i++) codes[52 + i] = 0x30 + i;
  codes[62] = of62;
  codes[63] = of63;
  return codes;
}

function values(): readonly number[] {
  const values: number[] = [];
  for (let code = 0; code < 128; code++) values[code] = INVALID;
  for (let value = 0; value < 64; value++) {
    values[STANDARD[value]] = value;
    values[URL_SAFE[value]] = value;
  }
  return values;
}

/**
 * The bytes of a base64 or base64url text; undefined where the text has characters of both alphabets or any other, blanks
 * and line ends included, incomplete or needless padding, an impossible length, or unused bits that are not zero.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if ((text.includes('-') || text.includes('_')) && (text.includes('+') || text.includes('/'))) return undefined;
  let length = text.length;
  if (text.endsWith('=')) {
    // Padded: whole groups, with one or two characters of padding in the last. A third is then an invalid character.
    if ((length & 3) !== 0) return undefined;
    length -= text.endsWith('==') ? 2 : 1;
  }
  if ((length & 3) === 1) return undefined;

  // As bytes: on the device, reading a character of a string takes time by its place.
  const codes = encodeUtf8(text);
  if (codes === undefined || codes.length !== text.length) return undefined;
  return decoded(codes, length, new Uint8Array(bytesOf(length)));
}

/**
 * The same of text that is there as bytes. What it stands for takes their place, from the first one on: it is for long text,
 * which a device has no room for twice.
 */
export function decodeBase64InPlace(text: Uint8Array): Uint8Array | undefined {
  if (!isAscii(text)) return undefined;
  if ((text.includes(0x2d) || text.includes(0x5f)) && (text.includes(0x2b) || text.includes(0x2f))) return undefined;
  let length = text.length;
  if (text[length - 1] === PADDING) {
    if ((length & 3) !== 0) return undefined;
    length -= text[length - 2] === PADDING ? 2 : 1;
  }
  return (length & 3) === 1 ? undefined : decoded(text, length, text.subarray(0, bytesOf(length)));
}

/** How many bytes so many characters stand for. */
function bytesOf(length: number): number {
  const rest = length & 3;
  return (length >> 2) * 3 + (rest === 0 ? 0 : rest - 1);
}

/** Decodes the first `length` characters, which are ASCII, into `bytes`. These may be their own first ones. */
function decoded(codes: Uint8Array, length: number, bytes: Uint8Array): Uint8Array | undefined {
  const rest = length & 3;
  const whole = length - rest;
  const value = VALUES;
  const begun = decodedInWords(codes, whole, bytes);
  if (begun === undefined) return undefined;
  let at = (begun >> 2) * 3;
  for (let i = begun; i < whole; i += 4) {
    const group =
      (value[codes[i]] << 18) | (value[codes[i + 1]] << 12) | (value[codes[i + 2]] << 6) | value[codes[i + 3]];
    // Below zero with an invalid character.
    if (group < 0) return undefined;
    bytes[at++] = group >> 16;
    bytes[at++] = group >> 8;
    bytes[at++] = group;
  }
  if (rest === 0) return bytes;

  // The last two or three characters: 12 bits of which 8 are used, or 18 of which 16 are. The others must be zero
  // (RFC 4648 §3.5), else two texts would stand for the same bytes.
  let group = (value[codes[whole]] << 6) | value[codes[whole + 1]];
  let unused = 4;
  if (rest === 3) {
    group = (group << 6) | value[codes[whole + 2]];
    unused = 2;
  }
  if (group < 0 || (group & ((1 << unused) - 1)) !== 0) return undefined;
  group >>= unused;
  if (rest === 3) bytes[at++] = group >> 8;
  bytes[at] = group & 0xff;
  return bytes;
}

/**
 * Decodes sixteen characters at a time by words: a device reads and writes a word in the time of a byte. All that this runs on
 * have a word's lowest byte first.
 *
 * @returns how many characters of the first `length` were decoded, or undefined where one is invalid
 */
function decodedInWords(codes: Uint8Array, length: number, bytes: Uint8Array): number | undefined {
  // Words begin at every fourth byte of memory.
  if (((codes.byteOffset | bytes.byteOffset) & 3) !== 0) return 0;
  const value = VALUES;
  const blocks = length >> 4;
  const source = new Int32Array(codes.buffer, codes.byteOffset, 4 * blocks);
  const target = new Int32Array(bytes.buffer, bytes.byteOffset, 3 * blocks);
  let invalid = 0;
  let to = 0;
  for (let i = 0; i < 4 * blocks; i += 4) {
    let word = source[i];
    const a =
      (value[word & 255] << 18) |
      (value[(word >> 8) & 255] << 12) |
      (value[(word >> 16) & 255] << 6) |
      value[word >>> 24];
    word = source[i + 1];
    const b =
      (value[word & 255] << 18) |
      (value[(word >> 8) & 255] << 12) |
      (value[(word >> 16) & 255] << 6) |
      value[word >>> 24];
    word = source[i + 2];
    const c =
      (value[word & 255] << 18) |
      (value[(word >> 8) & 255] << 12) |
      (value[(word >> 16) & 255] << 6) |
      value[word >>> 24];
    word = source[i + 3];
    const d =
      (value[word & 255] << 18) |
      (value[(word >> 8) & 255] << 12) |
      (value[(word >> 16) & 255] << 6) |
      value[word >>> 24];
    invalid |= a | b | c | d;
    target[to] = (a >> 16) | (a & 0xff00) | ((a & 0xff) << 16) | ((b & 0xff0000) << 8);
    target[to + 1] = ((b >> 8) & 0xff) | ((b & 0xff) << 8) | (c & 0xff0000) | ((c & 0xff00) << 16);
    target[to + 2] = (c & 0xff) | ((d >> 8) & 0xff00) | ((d & 0xff00) << 8) | (d << 24);
    to += 3;
  }
  // Below zero with an invalid character.
  return invalid < 0 ? undefined : 16 * blocks;
}

/** The base64 text of `bytes`, padded (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  const text = encode(bytes, STANDARD);
  const rest = bytes.length % 3;
  if (rest === 0) return text;
  return rest === 1 ? `${text}==` : `${text}=`;
}

/** The base64url text of `bytes`, not padded (RFC 4648 §5 and §3.2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encode(bytes, URL_SAFE);
}

function encode(bytes: Uint8Array, alphabet: readonly number[]): string {
  const groups: string[] = [];
  let filled = 0;
  const rest = bytes.length % 3;
  const whole = bytes.length - rest;
  for (let i = 0; i < whole; i += 3) {
    const group = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    groups[filled++] = String.fromCharCode(
      alphabet[group >> 18],
      alphabet[(group >> 12) & 63],
      alphabet[(group >> 6) & 63],
      alphabet[group & 63],
    );
  }
  if (rest === 1) {
    const group = bytes[whole] << 4;
    groups[filled] = String.fromCharCode(alphabet[group >> 6], alphabet[group & 63]);
  } else if (rest === 2) {
    const group = (bytes[whole] << 10) | (bytes[whole + 1] << 2);
    groups[filled] = String.fromCharCode(alphabet[group >> 12], alphabet[(group >> 6) & 63], alphabet[group & 63]);
  }
  return groups.join('');
}
