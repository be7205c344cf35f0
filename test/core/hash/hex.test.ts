// Hexadecimal text.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../core/hash/hex.ts';

describe('toHex', () => {
  it('writes two lower-case digits for each byte', () => {
    expect(toHex(new Uint8Array([0x00, 0x09, 0xa0, 0xff]))).toBe('0009a0ff');
    expect(toHex(new Uint8Array(0))).toBe('');
  });

  it('agrees with Buffer', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => toHex(bytes) === Buffer.from(bytes).toString('hex')));
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
