// Base58 with the Bitcoin alphabet, as multibase "z" has it (draft-msporny-base58, §2): for keys and identifiers. Decoding
// takes time by the square of the length, so the length is bounded.

const FIFTY_EIGHT_TO_5 = 656356768n;

/**
 * The bytes of a base58 text; undefined where a character is not of the alphabet or the text stands for more than
 * `maxBytes` bytes. A leading `1` is a zero byte; apart from those, no text has leading zeros.
 *
 * @param maxBytes small: some tens of bytes
 */
export function decodeBase58(text: string, maxBytes: number): Uint8Array | undefined {
  const length = text.length;
  // A byte is at most 1.366 characters (log 256 / log 58), and a zero byte in front is one: a longer text is refused unread.
  if (length * 100 > maxBytes * 137 + 100) return undefined;
  let zeros = 0;
  while (zeros < length && text.charCodeAt(zeros) === 0x31) zeros++;

  // Five digits at a time are a small integer, 58^5 < 2^30.
  let value = 0n;
  let at = zeros;
  for (; at + 5 <= length; at += 5) {
    let group = 0;
    for (let i = at; i < at + 5; i++) {
      const digit = digitOf(text.charCodeAt(i));
      if (digit < 0) return undefined;
      group = group * 58 + digit;
    }
    value = value * FIFTY_EIGHT_TO_5 + BigInt(group);
  }
  for (; at < length; at++) {
    const digit = digitOf(text.charCodeAt(at));
    if (digit < 0) return undefined;
    value = value * 58n + BigInt(digit);
  }

  const reversed: number[] = [];
  let count = 0;
  for (; value > 0n; value >>= 24n) {
    const part = Number(value & 0xffffffn);
    reversed[count++] = part & 0xff;
    reversed[count++] = (part >> 8) & 0xff;
    reversed[count++] = part >> 16;
  }
  while (count > 0 && reversed[count - 1] === 0) count--;
  if (zeros + count > maxBytes) return undefined;
  const bytes = new Uint8Array(zeros + count);
  for (let i = 0; i < count; i++) bytes[zeros + i] = reversed[count - 1 - i];
  return bytes;
}

/** The value of a character code; −1 for those that are not in the alphabet, which leaves out 0, I, O and l. */
function digitOf(code: number): number {
  if (code >= 0x31 && code <= 0x39) return code - 0x31; // 1 … 9
  if (code >= 0x41 && code <= 0x48) return code - 0x41 + 9; // A … H
  if (code >= 0x4a && code <= 0x4e) return code - 0x4a + 17; // J … N
  if (code >= 0x50 && code <= 0x5a) return code - 0x50 + 22; // P … Z
  if (code >= 0x61 && code <= 0x6b) return code - 0x61 + 33; // a … k
  if (code >= 0x6d && code <= 0x7a) return code - 0x6d + 44; // m … z
  return -1;
}
