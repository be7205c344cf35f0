// Hexadecimal text.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, isHexOf, toHex } from '../../../core/hash/hex.ts';

describe('toHex', () => {
  it('writes two lower-case digits for each byte', () => {
    expect(toHex(new Uint8Array([0x00, 0x09, 0xa0, 0xff]))).toBe('0009a0ff');
    expect(toHex(new Uint8Array(0))).toBe('');
  });

  it('agrees with Buffer', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => toHex(bytes) === Buffer.from(bytes).toString('hex')));
  });
});

describe('isHexOf', () => {
  it('is true of the digits of just these bytes', () => {
    for (const bytes of [[0, 0, 0, 1], [0xff, 0x80, 0, 0], Array.from({ length: 32 }, (_, i) => 7 * i)]) {
      const text = toHex(new Uint8Array(bytes));
      expect(isHexOf(text, new Uint8Array(bytes))).toBe(true);
      expect(isHexOf(text.slice(2), new Uint8Array(bytes))).toBe(false);
      expect(isHexOf(`00${text}`, new Uint8Array(bytes))).toBe(false);
      for (let i = 0; i < text.length; i++) {
        const other = text[i] === '5' ? '6' : '5';
        expect(isHexOf(text.slice(0, i) + other + text.slice(i + 1), new Uint8Array(bytes))).toBe(false);
      }
    }
  });
});

describe('fromHex', () => {
  it('reads lower and upper case', () => {
    expect(fromHex('0009a0fF')).toEqual(new Uint8Array([0x00, 0x09, 0xa0, 0xff]));
    expect(fromHex('')).toEqual(new Uint8Array(0));
  });

  it('reads back what toHex writes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes);
      }),
    );
  });

  it('reads keys and digests, zeros in front among them', () => {
    for (const length of [16, 32, 64]) {
      for (const zeros of [0, 1, 5, length]) {
        const bytes = Uint8Array.from({ length }, (_, i) => (i < zeros ? 0 : 255 - i * 7));
        expect(Array.from(fromHex(toHex(bytes)) as Uint8Array)).toEqual(Array.from(bytes));
        expect(Array.from(fromHex(toHex(bytes).toUpperCase()) as Uint8Array)).toEqual(Array.from(bytes));
      }
    }
    expect(fromHex(`${'0a'.repeat(31)}g0`)).toBeUndefined();
    expect(fromHex(`${'0a'.repeat(31)}a `)).toBeUndefined();
    expect(fromHex(`${'0a'.repeat(15)} 0${'0a'.repeat(16)}`)).toBeUndefined();
  });

  it('refuses an odd number of digits', () => {
    expect(fromHex('0')).toBeUndefined();
    expect(fromHex('abc')).toBeUndefined();
  });

  it('refuses every other character, in either place', () => {
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCharCode(code);
      if ('0123456789abcdefABCDEF'.includes(character)) continue;
      expect(fromHex(`0${character}`)).toBeUndefined();
      expect(fromHex(`${character}0`)).toBeUndefined();
    }
    expect(fromHex('0x12')).toBeUndefined();
    expect(fromHex(' 12 ')).toBeUndefined();
  });
});
