// Base64 by INTEROP §3, "Signature text": base64 or base64url, one alphabet per text, padding optional, unused bits zero,
// nothing else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, decodeBase64InPlace, encodeBase64, encodeBase64Url } from '../../../core/encoding/base64.ts';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const anyBytes = fc.uint8Array({ maxLength: 200 });

describe('encodeBase64 and encodeBase64Url', () => {
  it('give the examples of RFC 4648 §10', () => {
    const examples = ['', 'Zg==', 'Zm8=', 'Zm9v', 'Zm9vYg==', 'Zm9vYmE=', 'Zm9vYmFy'];
    examples.forEach((text, length) => {
      const foobar = new Uint8Array(Buffer.from('foobar')).subarray(0, length);
      expect(encodeBase64(foobar)).toBe(text);
      expect(encodeBase64Url(foobar)).toBe(text.replaceAll('=', ''));
    });
  });

  it('agree with Buffer', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(encodeBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
      }),
    );
  });
});

describe('decodeBase64', () => {
  it('reads both alphabets, padded or not', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const padded = encodeBase64(bytes);
        const url = encodeBase64Url(bytes);
        for (const text of [padded, padded.replaceAll('=', ''), url, url + padded.slice(url.length)]) {
          expect(decodeBase64(text)).toEqual(bytes);
        }
      }),
    );
  });

  it('reads text in place that begins anywhere in memory', () => {
    fc.assert(
      fc.property(anyBytes, fc.nat({ max: 5 }), (bytes, at) => {
        const memory = new Uint8Array(300);
        const text = Buffer.from(encodeBase64(bytes));
        memory.set(text, at);
        expect(decodeBase64InPlace(memory.subarray(at, at + text.length))).toEqual(bytes);
      }),
    );
  });

  it('reads every value of a signature, and the longest header', () => {
    const signature = new Uint8Array(64).map((_, i) => 255 - i * 3);
    expect(decodeBase64(encodeBase64(signature))).toEqual(signature);
    const header = new Uint8Array(6144).map((_, i) => (i * 7919) >> 3);
    expect(encodeBase64(header)).toHaveLength(8192);
    expect(decodeBase64(encodeBase64(header))).toEqual(header);
  });

  it('refuses a text that mixes the alphabets, however far apart', () => {
    for (const text of ['+-AA', '-/AA', '+_AA', '_/AA', `+${'A'.repeat(8000)}AA_`]) {
      expect(decodeBase64(text)).toBeUndefined();
    }
    expect(decodeBase64('+/AA')).toEqual(bytes(0xfb, 0xf0, 0x00));
    expect(decodeBase64('-_AA')).toEqual(bytes(0xfb, 0xf0, 0x00));
  });

  it('refuses unused bits that are not zero: a second text for the same bytes', () => {
    expect(decodeBase64('Zg')).toEqual(bytes(0x66));
    expect(decodeBase64('Zm8')).toEqual(bytes(0x66, 0x6f));
    for (const text of ['Zh', 'Zv', 'Zh==', 'Zm9', 'Zm-', 'Zm9=']) expect(decodeBase64(text)).toBeUndefined();
  });

  it('refuses padding that is incomplete, needless, doubled, or not at the end', () => {
    for (const text of [
      'Zg=',
      'Zm8==',
      'Zm9v=',
      'Zm9v==',
      'Zm9v====',
      'Zg===',
      '=',
      '==',
      '===',
      '====',
      'Z===',
      'A=AA',
    ]) {
      expect(decodeBase64(text)).toBeUndefined();
    }
    for (const text of ['Zg==Zg==', 'Zg==Zm9v', '=Zm9', 'Z=g=']) expect(decodeBase64(text)).toBeUndefined();
  });

  it('refuses a length that no bytes have', () => {
    for (const text of ['A', 'AAAAA', 'A'.repeat(65)]) expect(decodeBase64(text)).toBeUndefined();
  });

  it('refuses every other character at every place of a group, whole or not', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_';
    const others = [0x100 + 0x41, 0x2028, 0xd83d, 0xfeff, 0xffff];
    for (let code = 0; code < 256; code++) {
      if (!alphabet.includes(String.fromCharCode(code))) others.push(code);
    }
    for (const code of others) {
      const other = String.fromCharCode(code);
      for (const text of ['____', '//', '///', '9999AA', 'AAA', 'A'.repeat(132)]) {
        for (let at = 0; at < Math.min(text.length, 20); at++) {
          const spoilt = text.slice(0, at) + other + text.slice(at + 1);
          // A "=" at the end is padding, and another matter.
          if (other === '=' && at >= text.length - 2) continue;
          expect(decodeBase64(spoilt), JSON.stringify(spoilt)).toBeUndefined();
        }
      }
    }
  });

  it('refuses blanks and line ends, inside and around', () => {
    for (const text of [' Zm9v', 'Zm9v ', 'Zm9v\n', 'Zm\r\n9v', 'Zm 9v', '\tZm9v', 'Zg== ']) {
      expect(decodeBase64(text)).toBeUndefined();
    }
  });

  it('accepts a text only where encoding gives it back', () => {
    const character = fc.constantFrom(...'AQgwZz09+/-_= \n');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 12 }), (text) => {
        const decoded = decodeBase64(text);
        const forms =
          decoded === undefined
            ? []
            : [encodeBase64(decoded), encodeBase64Url(decoded)].flatMap((form) => [
                form,
                form.replaceAll('=', ''),
                form.padEnd(Math.ceil(form.length / 4) * 4, '='),
              ]);
        expect(forms.includes(text)).toBe(decoded !== undefined);
      }),
      { numRuns: 2000 },
    );
  });
});
