// UTF-8 both ways: the core's own converters, and the platform's where it has them, give the same.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asciiText,
  bytesToHash,
  decodePortably,
  decodeUtf8,
  encodePortably,
  encodeUtf8,
  utf8Length,
} from '../../../core/encoding/utf8.ts';

/** The platform's strict decoder; it would drop a byte-order mark, so it is told not to. */
function reference(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

const EDGES = [
  0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5,
  0xff,
];

/** Bytes that are nearly UTF-8, short and long: short text is never handed to the platform. */
const nearlyUtf8 = fc
  .tuple(
    fc.constantFrom(0, 47, 48, 200),
    fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.array(fc.constantFrom(...EDGES), { maxLength: 6 }),
      fc.string({ unit: 'binary', maxLength: 40 }).map((text) => new TextEncoder().encode(text)),
    ),
  )
  .map(([before, bytes]) => Uint8Array.from([...Array(before).fill(0x61), ...bytes]));

const anyText = fc
  .tuple(fc.constantFrom(0, 47, 48, 200), fc.string({ unit: 'binary', maxLength: 40 }))
  .map(([before, text]) => 'a'.repeat(before) + text);

describe.each([
  ['as it is', (bytes: Uint8Array, start = 0, end = bytes.length) => decodeUtf8(bytes, start, end)],
  ['without the platform', (bytes: Uint8Array, start = 0, end = bytes.length) => decodePortably(bytes, start, end)],
])('decoding, %s', (_, decode) => {
  it('gives the text of well-formed bytes and nothing for all others', () => {
    fc.assert(
      fc.property(nearlyUtf8, (bytes) => {
        expect(decode(bytes)).toBe(reference(bytes));
      }),
      { numRuns: 1500 },
    );
  });

  it('gives every lead byte with every kind of second byte the right verdict', () => {
    const wrong: string[] = [];
    for (let first = 0; first < 256; first++) {
      for (const second of EDGES) {
        const bytes = Uint8Array.of(first, second, 0x80, 0x80);
        for (let length = 1; length <= 4; length++) {
          const part = bytes.subarray(0, length);
          if (decode(part) !== reference(part)) wrong.push(Buffer.from(part).toString('hex'));
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('keeps a byte-order mark', () => {
    for (const rest of ['', 'x'.repeat(100)])
      expect(decode(new TextEncoder().encode(`\ufeff${rest}`))).toBe(`\ufeff${rest}`);
  });

  it('reads the range it is given and looks no further', () => {
    const bytes = Uint8Array.of(0xff, 0xc3, 0xa9, 0xff);
    expect(decode(bytes, 1, 3)).toBe('é');
    expect(decode(bytes, 1, 2)).toBeUndefined();
    const long = Uint8Array.from([0xff, ...Array(99).fill(0x61), 0xff]);
    expect(decode(long, 1, 100)).toBe('a'.repeat(99));
  });
});

describe.each([
  ['as it is', encodeUtf8],
  ['without the platform', encodePortably],
])('encoding, %s', (_, encode) => {
  it('gives the bytes of well-formed text, which decode to it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = encode(text);
        expect(bytes).toEqual(new TextEncoder().encode(text));
        expect(utf8Length(text)).toBe(bytes?.length);
        expect(decodeUtf8(bytes as Uint8Array)).toBe(text);
      }),
    );
  });

  it('gives none for a lone surrogate', () => {
    for (const lone of [
      '\ud800',
      '\udc00',
      'a\udbff',
      '\ud800\ud800',
      '\udc00\ud800',
      '\ud83dx\ude00',
      '\u{1f600}\ud83d',
    ]) {
      for (const text of [lone, lone + 'x'.repeat(100), 'x'.repeat(100) + lone]) {
        expect(encode(text)).toBeUndefined();
        expect(utf8Length(text)).toBe(-1);
      }
    }
  });
});

describe('text that is hashed', () => {
  it('is its UTF-8 bytes, and bytes are themselves', () => {
    expect(bytesToHash('é')).toEqual(Uint8Array.of(0xc3, 0xa9));
    const bytes = Uint8Array.of(1, 2);
    expect(bytesToHash(bytes)).toBe(bytes);
  });

  it('has no lone surrogate', () => {
    expect(() => bytesToHash('\ud800')).toThrow(RangeError);
  });
});

describe('ASCII', () => {
  it('is text at any length', () => {
    for (const length of [0, 1, 127, 128, 129, 256, 1000]) {
      const text = 'ab~ '.repeat(250).slice(0, length);
      expect(asciiText(new TextEncoder().encode(text), 0, length)).toBe(text);
    }
  });
});
