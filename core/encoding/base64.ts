// Base64 as signatures and HTTP headers carry it (INTEROP §3, "Signature text"): either alphabet of RFC 4648, one of them
// per text, padding optional. Apart from alphabet and padding, the same bytes have one text only.

/** What an invalid character counts: so far below zero that no other characters of a group can make up for it. */
const INVALID = -0x40000000;

/** Longer texts are cut in pieces: reading a character takes time by its place in the string on the device. A signature fits. */
const PIECE = 96;

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
  if ((text.includes('+') || text.includes('/')) && (text.includes('-') || text.includes('_'))) return undefined;
  let length = text.length;
  if (text.endsWith('=')) {
    // Padded: whole groups, with one or two characters of padding in the last. A third is then an invalid character.
    if ((length & 3) !== 0) return undefined;
    length -= text.endsWith('==') ? 2 : 1;
  }
  const rest = length & 3;
  if (rest === 1) return undefined;

  const bytes = new Uint8Array((length >> 2) * 3 + (rest === 0 ? 0 : rest - 1));
  const whole = length - rest;
  let at = 0;
  for (let start = 0; start < whole; start += PIECE) {
    const size = whole - start < PIECE ? whole - start : PIECE;
    const piece = whole <= PIECE ? text : text.slice(start, start + size);
    for (let i = 0; i < size; i += 4) {
      const group =
        ((VALUES[piece.charCodeAt(i)] * 64 + VALUES[piece.charCodeAt(i + 1)]) * 64 + VALUES[piece.charCodeAt(i + 2)]) *
          64 +
        VALUES[piece.charCodeAt(i + 3)];
      // Below zero with an invalid character, not a number with a code above 127.
      if (!(group >= 0)) return undefined;
      bytes[at++] = group >> 16;
      bytes[at++] = (group >> 8) & 0xff;
      bytes[at++] = group & 0xff;
    }
  }
  if (rest === 0) return bytes;

  // The last two or three characters: 12 bits of which 8 are used, or 18 of which 16 are. The others must be zero
  // (RFC 4648 §3.5), else two texts would stand for the same bytes.
  const last = text.slice(whole, length);
  let group = VALUES[last.charCodeAt(0)] * 64 + VALUES[last.charCodeAt(1)];
  let unused = 4;
  if (rest === 3) {
    group = group * 64 + VALUES[last.charCodeAt(2)];
    unused = 2;
  }
  if (!(group >= 0) || (group & ((1 << unused) - 1)) !== 0) return undefined;
  group >>= unused;
  if (rest === 3) bytes[at++] = group >> 8;
  bytes[at] = group & 0xff;
  return bytes;
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
