// Base58 with the Bitcoin alphabet, bounded.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase58 } from '../../../core/encoding/base58.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** The textbook encoder, to compare with. */
function encode(bytes: Uint8Array): string {
  let value = BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
  let text = '';
  for (; value > 0n; value /= 58n) text = ALPHABET[Number(value % 58n)] + text;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = `1${text}`;
  }
  return text;
}

describe('decodeBase58', () => {
  it('gives the examples of draft-msporny-base58 and of Bitcoin', () => {
    const examples: [string, string][] = [
      ['', ''],
      ['1', '00'],
      ['2NEpo7TZRRrLZSi2U', Buffer.from('Hello World!').toString('hex')],
      [
        'USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z',
        Buffer.from('The quick brown fox jumps over the lazy dog.').toString('hex'),
      ],
      ['11233QC4', '0000287fb4cd'],
      ['1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L', '00eb15231dfceb60925886b67d065299925915aeb172c06647'],
    ];
    for (const [text, hex] of examples) {
      const bytes = decodeBase58(text, 64);
      expect(bytes && Buffer.from(bytes).toString('hex')).toBe(hex);
    }
  });

  it('reads what the textbook encoder writes, leading zeros included, in just as many bytes', () => {
    const bytes = fc
      .tuple(fc.nat({ max: 4 }), fc.uint8Array({ maxLength: 40 }))
      .map(([zeros, rest]) => new Uint8Array([...new Array<number>(zeros).fill(0), ...rest]));
    fc.assert(
      fc.property(bytes, (bytes) => {
        const text = encode(bytes);
        expect(decodeBase58(text, bytes.length)).toEqual(bytes);
        if (bytes.length > 0) expect(decodeBase58(text, bytes.length - 1)).toBeUndefined();
      }),
    );
  });

  it('reads the largest and the smallest values of each length', () => {
    for (let length = 0; length <= 40; length++) {
      const largest = new Uint8Array(length).fill(0xff);
      expect(decodeBase58(encode(largest), length)).toEqual(largest);
      expect(decodeBase58('1'.repeat(length), length)).toEqual(new Uint8Array(length));
    }
  });

  it('refuses the characters that are left out, and all others', () => {
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCharCode(code);
      const good = ALPHABET.includes(character);
      // At every place of the group of five, and behind it.
      for (const text of [`${character}2222`, `2222${character}`, `22222${character}`]) {
        expect(decodeBase58(text, 64) !== undefined).toBe(good);
      }
    }
  });

  it('refuses a text beyond the bound without reading it', () => {
    expect(decodeBase58('z'.repeat(1_000_000), 34)).toBeUndefined();
    expect(decodeBase58('1'.repeat(1_000_000), 34)).toBeUndefined();
    expect(decodeBase58('1'.repeat(35), 34)).toBeUndefined();
  });
});
