// UTF-8 that comes in pieces: wherever it is cut, the verdict is that on the whole.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePortably } from '../../../core/encoding/utf8.ts';
import { Utf8Check } from '../../../core/encoding/utf8-check.ts';
import { bytesOf, utf8 } from '../../fixtures/text.ts';

function inPieces(bytes: Uint8Array, size: number): boolean {
  const check = new Utf8Check();
  for (let at = 0; at < bytes.length; at += size) check.update(bytes.subarray(at, at + size));
  return check.valid;
}

describe('UTF-8 in pieces', () => {
  it.each([
    ['nothing', new Uint8Array(0), true],
    ['sequences of every length', utf8('a\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}'), true],
    ['a lone continuation', bytesOf(0x80), false],
    ['overlong forms', bytesOf(0xc1, 0xbf), false],
    ['an overlong form of three bytes', bytesOf(0xe0, 0x9f, 0xbf), false],
    ['an overlong form of four bytes', bytesOf(0xf0, 0x8f, 0xbf, 0xbf), false],
    ['a surrogate', bytesOf(0xed, 0xa0, 0x80), false],
    ['a value past U+10FFFF', bytesOf(0xf4, 0x90, 0x80, 0x80), false],
    ['a lead that is none', bytesOf(0xf5, 0x80, 0x80, 0x80), false],
    ['a sequence that a letter breaks off', bytesOf(0xe2, 0x82, 'a'), false],
    ['a sequence that the end breaks off', bytesOf('a', 0xe2, 0x82), false],
    ['what follows a fault', bytesOf(0xff, 'good again'), false],
  ])('%s', (_, bytes, valid) => {
    for (const size of [1, 2, 3, 100]) expect([size, inPieces(bytes, size)]).toEqual([size, valid]);
  });

  it('says whether it is ASCII', () => {
    for (const [bytes, ascii] of [
      [utf8('plain \u007f'), true],
      [utf8('plain\u0080'), false],
      [new Uint8Array(0), true],
    ] as const) {
      const check = new Utf8Check();
      check.update(bytes);
      expect(check.ascii).toBe(ascii);
    }
  });

  it('is judged as whole bytes are', () => {
    const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0xe0, 0xed, 0xf0, 0xf4, 0x80, 0x9f, 0xbf));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 8 }), fc.integer({ min: 1, max: 4 }), (values, size) => {
        const bytes = Uint8Array.from(values);
        expect(inPieces(bytes, size)).toBe(decodePortably(bytes, 0, bytes.length) !== undefined);
      }),
      { numRuns: 2000 },
    );
  });
});
