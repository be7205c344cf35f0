// CRC-32 (ISO 3309, IEEE 802.3: polynomial 0x04c11db7, reflected): it tells a torn or worn record on flash from a good one.
// It is no protection against someone who writes a record on purpose.
//
// In XS a step for each byte costs far more than arithmetic on a large integer. There the bytes become one, whose bits are
// the coefficients of a polynomial; a multiple of the CRC's polynomial that has few terms makes it shorter (`FOLD`).

/** What XS has beside the standard. */
interface PlatformBigInt {
  readonly fromArrayBuffer?: (buffer: ArrayBufferLike, signed: boolean, littleEndian: boolean) => bigint;
}
interface PlatformArrayBuffer {
  readonly fromBigInt: (value: bigint, length: number, signed: boolean, littleEndian: boolean) => ArrayBuffer;
}

/** What a byte changes that none, one, two and three others follow. As signed integers: larger ones are floating point on the device. */
const LAST = table();
const THIRD = table(LAST);
const SECOND = table(THIRD);
const FIRST = table(SECOND);

function table(behind?: Int32Array): Int32Array {
  const table = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = behind === undefined ? byte : (behind[byte] as number);
    // 0xedb88320 is the polynomial with its bits in reverse.
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ (0xedb88320 | 0);
    table[byte] = crc;
  }
  return table;
}

/**
 * x^300 + x^155 + x^117 + x^89 + 1 is a multiple of the CRC's polynomial, and no other with five terms has such a distance below
 * the first. So a bit may go if those change that are so many places behind it. The same holds of twice the places: a square.
 */
const FOLD = [145, 183, 211, 300] as const;

/** One step: the first bits go, and change others. */
interface Fold {
  /** Bits that go, and how many there must be. */
  readonly bits: number;
  readonly least: number;
  readonly shift: bigint;
  readonly mask: bigint;
  /** Where else they come to than to the beginning of what stays. */
  readonly to1: bigint;
  readonly to2: bigint;
  readonly to3: bigint;
}

const FOLDS: readonly Fold[] = Object.freeze([foldOf(8), foldOf(4), foldOf(2), foldOf(1)]);

function foldOf(times: number): Fold {
  const [bits, ...others] = FOLD.map((places) => places * times) as [number, number, number, number];
  const [to1, to2, to3] = others.map((places) => BigInt(places - bits)) as [bigint, bigint, bigint];
  const shift = BigInt(bits);
  return Object.freeze({ bits, least: bits + others[2], shift, mask: (1n << shift) - 1n, to1, to2, to3 });
}

/** For fewer words that is not worth it. */
const LEAST_WORDS = 28;

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
  // Elsewhere an engine makes machine code of a loop.
  const count = (BigInt as PlatformBigInt).fromArrayBuffer === undefined ? 0 : (end - start) >> 2;
  const at = end - 4 * count;
  let state = ~crc;
  for (let i = start; i < at; i++) state = (LAST[(state ^ (bytes[i] as number)) & 0xff] as number) ^ (state >>> 8);
  if (count === 0) return ~state >>> 0;
  let buffer = bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + end);
  if (count >= LEAST_WORDS) {
    buffer = folded(buffer, state, 32 * count);
    state = 0;
  }
  const words = new Int32Array(buffer);
  const { length } = words;
  for (let i = 0; i < length; i++) {
    const word = state ^ (words[i] as number);
    state =
      (FIRST[word & 0xff] as number) ^
      (SECOND[(word >>> 8) & 0xff] as number) ^
      (THIRD[(word >>> 16) & 0xff] as number) ^
      (LAST[word >>> 24] as number);
  }
  return ~state >>> 0;
}

/** Goes on with a CRC-32 over four bytes: a number, the lowest byte first. */
export function crc32Word(crc: number, number: number): number {
  const word = ~crc ^ number;
  const state =
    (FIRST[word & 0xff] as number) ^
    (SECOND[(word >>> 8) & 0xff] as number) ^
    (THIRD[(word >>> 16) & 0xff] as number) ^
    (LAST[word >>> 24] as number);
  return ~state >>> 0;
}

/** Fewer words behind which the register is the same, beginning with 0, as it is behind these beginning with `state`. */
function folded(buffer: ArrayBufferLike, state: number, count: number): ArrayBuffer {
  const platform = BigInt as unknown as Required<PlatformBigInt>;
  let number = platform.fromArrayBuffer(buffer, false, true) ^ BigInt(state >>> 0);
  let bits = count;
  for (let i = 0; i < FOLDS.length; i++) {
    const { bits: gone, least, mask, shift, to1, to2, to3 } = FOLDS[i] as Fold;
    for (; bits >= least; bits -= gone) {
      const first = number & mask;
      number = (number >> shift) ^ first ^ (first << to1) ^ (first << to2) ^ (first << to3);
    }
  }
  // Bits that are 0 before all others change nothing.
  const words = (bits + 31) >> 5;
  number <<= BigInt(32 * words - bits);
  return (ArrayBuffer as unknown as PlatformArrayBuffer).fromBigInt(number, 4 * words, false, true);
}
