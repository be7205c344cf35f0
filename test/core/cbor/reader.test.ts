// CBOR as data: the values that JSON text gives, and nothing else. Examples are those of RFC 8949, Appendix A, and attacks.

import { describe, expect, it } from 'vitest';
import {
  CborReader,
  type CborValue,
  cborMember,
  cborNames,
  isCborObject,
  readCbor,
  readCborWithBytes,
} from '../../../core/cbor/reader.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import { JsonProblem, readJson } from '../../../core/json/reader.ts';
import type { JsonValue } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS, type JsonLimits } from '../../../core/limits.ts';
import { bytesOf, hexBytes, utf8 } from '../../fixtures/text.ts';

const WIDE: JsonLimits = { bytes: 1e6, values: 1e6, elements: 1e6, members: 1e6, stringBytes: 1e6, depth: 100 };

/** Canonical text of what CBOR says. */
function read(digits: string, limits = WIDE): string {
  const value = readCbor(hexBytes(digits), limits);
  if (value instanceof JsonProblem) throw value;
  return canonicalText(value);
}

/** Code and sentence of a refusal; undefined where something was read. */
function refusal(bytes: string | Uint8Array, limits = WIDE): string | undefined {
  const value = readCbor(typeof bytes === 'string' ? hexBytes(bytes) : bytes, limits);
  return value instanceof JsonProblem ? `${value.code}: ${value.message}` : undefined;
}

/** A head with the number in two bytes. */
const head16 = (major: number, count: number) => [major * 32 + 25, count >> 8, count & 255];

describe('examples of RFC 8949 are read', () => {
  it.each([
    ['00', '0'],
    ['01', '1'],
    ['0a', '10'],
    ['17', '23'],
    ['1818', '24'],
    ['1819', '25'],
    ['1864', '100'],
    ['1903e8', '1000'],
    ['1a000f4240', '1000000'],
    ['1b000000e8d4a51000', '1000000000000'],
    ['20', '-1'],
    ['29', '-10'],
    ['3863', '-100'],
    ['3903e7', '-1000'],
    ['f90000', '0'],
    ['f98000', '0'],
    ['f93c00', '1'],
    ['fb3ff199999999999a', '1.1'],
    ['f93e00', '1.5'],
    ['f97bff', '65504'],
    ['fa47c35000', '100000'],
    ['fa7f7fffff', '3.4028234663852886e+38'],
    ['fb7e37e43c8800759c', '1e+300'],
    ['f90001', '5.960464477539063e-8'],
    ['f90400', '0.00006103515625'],
    ['f9c400', '-4'],
    ['fbc010666666666666', '-4.1'],
    ['f4', 'false'],
    ['f5', 'true'],
    ['f6', 'null'],
    ['60', '""'],
    ['6161', '"a"'],
    ['6449455446', '"IETF"'],
    ['62225c', '"\\"\\\\"'],
    ['62c3bc', '"ü"'],
    ['63e6b0b4', '"水"'],
    ['64f0908591', '"\u{10151}"'],
    ['80', '[]'],
    ['83010203', '[1,2,3]'],
    ['8301820203820405', '[1,[2,3],[4,5]]'],
    [
      '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
      '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]',
    ],
    ['a0', '{}'],
    ['a26161016162820203', '{"a":1,"b":[2,3]}'],
    ['826161a161626163', '["a",{"b":"c"}]'],
    ['a56161614161626142616361436164614461656145', '{"a":"A","b":"B","c":"C","d":"D","e":"E"}'],
  ])('%s is %s', (digits, json) => {
    expect(read(digits)).toBe(json);
  });
});

describe('examples of RFC 8949 that JSON does not have are refused', () => {
  it.each([
    ['1bffffffffffffffff', 'an integer beyond 2^53'],
    ['3bffffffffffffffff', 'an integer beyond 2^53'],
    ['c249010000000000000000', 'a byte string or a tag'],
    ['f97c00', 'a number that JSON does not have'],
    ['f97e00', 'a number that JSON does not have'],
    ['f9fc00', 'a number that JSON does not have'],
    ['fa7f800000', 'a number that JSON does not have'],
    ['fa7fc00000', 'a number that JSON does not have'],
    ['fbfff0000000000000', 'a number that JSON does not have'],
    ['fb7ff8000000000000', 'a number that JSON does not have'],
    ['f7', 'a value that JSON does not have'],
    ['f0', 'a value that JSON does not have'],
    ['f8ff', 'a value that JSON does not have'],
    ['c074323031332d30332d32315432303a30343a30305a', 'a byte string or a tag'],
    ['d9d9f7a0', 'a byte string or a tag'],
    ['40', 'a byte string or a tag'],
    ['4401020304', 'a byte string or a tag'],
    ['a201020304', 'a member name that is not text'],
    ['5f42010243030405ff', 'a byte string or a tag'],
    ['7f657374726561646d696e67ff', 'an indefinite length, or none'],
    ['9fff', 'an indefinite length, or none'],
    ['83018202039f0405ff', 'an indefinite length, or none'],
    ['bf61610161629f0203ffff', 'an indefinite length, or none'],
    ['ff', 'a value that JSON does not have'],
  ])('%s: %s', (digits, why) => {
    expect(refusal(digits)).toContain(`ARTIFACT_INVALID: ${why} at byte `);
  });
});

describe('the form of the bytes is not looked at', () => {
  it.each([
    ['a number in more bytes than it needs', '1b0000000000000001', '01'],
    ['a whole number as a float', 'fb4270000000000000', '1b0000010000000000'],
    ['a text whose length is in eight bytes', '7b000000000000000161', '6161'],
    ['a map whose size is in two bytes', 'b90001616101', 'a1616101'],
    ['a list whose size is in four bytes', '9a0000000101', '8101'],
    ['members in any order', 'a2616201616102', 'a2616102616201'],
  ])('%s', (_, odd, plain) => {
    expect(read(odd)).toBe(read(plain));
  });
});

describe('numbers', () => {
  it('written as integers are exact: up to 2^53 - 1, and as far below zero', () => {
    expect(read('1b001fffffffffffff')).toBe('9007199254740991');
    expect(read('3b001ffffffffffffe')).toBe('-9007199254740991');
    expect(refusal('1b0020000000000000')).toBe('ARTIFACT_INVALID: an integer beyond 2^53 at byte 9');
    expect(refusal('3b001fffffffffffff')).toBe('ARTIFACT_INVALID: an integer beyond 2^53 at byte 9');
  });

  it('below zero in one, two, four bytes have the bit that a shift would lose', () => {
    expect(read('38ff')).toBe('-256');
    expect(read('39ffff')).toBe('-65536');
    expect(read('3affffffff')).toBe('-4294967296');
    expect(read('1affffffff')).toBe('4294967295');
  });

  it('-0 is 0, as JSON prints it', () => {
    for (const digits of ['f98000', 'fa80000000', 'fb8000000000000000']) {
      expect(Object.is(readCbor(hexBytes(digits), WIDE), 0), digits).toBe(true);
    }
  });
});

describe('attack: a length that is a lie', () => {
  it.each([
    ['a text', '7bffffffffffffffff61', 'LIMIT_EXCEEDED: a string of more than 1000000 bytes at byte 9'],
    ['a text just longer than what is there', '6261', 'ARTIFACT_INVALID: the bytes end in a value at byte 1'],
    ['a list', '9bffffffffffffffff', 'LIMIT_EXCEEDED: more than 1000000 array elements at byte 9'],
    ['a map', 'bbffffffffffffffff', 'LIMIT_EXCEEDED: more than 1000000 members in an object at byte 9'],
    ['a list that ends early', '8201', 'ARTIFACT_INVALID: the bytes end in a value at byte 2'],
    ['a map without its last value', 'a16161', 'ARTIFACT_INVALID: the bytes end in a value at byte 3'],
    ['a head without its number', '1b0000', 'ARTIFACT_INVALID: the bytes end in a value at byte 1'],
    ['a head that CBOR keeps for later', '1c', 'ARTIFACT_INVALID: an indefinite length, or none at byte 0'],
    ['a float that is cut', 'fb3ff0', 'ARTIFACT_INVALID: the bytes end in a value at byte 1'],
    ['nothing', '', 'ARTIFACT_INVALID: the bytes end in a value at byte 0'],
    ['something behind the value', '0000', 'ARTIFACT_INVALID: more bytes after the value at byte 1'],
  ])('%s', (_, digits, why) => {
    expect(refusal(digits)).toBe(why);
  });
});

describe('attack: text that is no UTF-8', () => {
  it.each([
    ['a byte that begins nothing', '61ff'],
    ['a surrogate', '63eda080'],
    ['an overlong slash', '62c0af'],
    ['a character that is cut', '61c3'],
    ['beyond U+10FFFF', '64f4908080'],
    ['in a name', 'a161ff01'],
    ['in a name whose value is null', 'a163eda080f6'],
  ])('%s', (_, digits) => {
    expect(refusal(digits)).toContain('ARTIFACT_INVALID: text that is no UTF-8');
  });

  it('and no text is too long to be looked at', () => {
    const long = bytesOf(...head16(3, 3000), 'x'.repeat(2999), 0xff);
    expect(refusal(long)).toContain('text that is no UTF-8');
  });
});

describe('attack: a name twice', () => {
  it.each([
    ['in an object', 'a2616101616102', 0],
    ['as null', 'a26161f66161f6', 0],
    ['one of MPCP', 'a2637370610163737061f6', 0],
    ['within', 'a16161a3616201616302616203', 3],
    ['in a list', '81a2616101616102', 1],
    ['the second in a longer form', 'a261610178016102', 0],
  ])('%s', (_, digits, at) => {
    expect(refusal(digits)).toBe(`ARTIFACT_INVALID: one name twice in the object at byte ${at}`);
  });

  it('but once in each of several objects is no name twice', () => {
    expect(read('a26161a16161016162a1616101')).toBe('{"a":{"a":1},"b":{"a":1}}');
  });
});

describe('limits are those of the JSON text that says the same', () => {
  const tight = (changes: Partial<JsonLimits>) => ({ ...WIDE, ...changes });

  it('bytes, of the CBOR', () => {
    expect(refusal('190001', tight({ bytes: 3 }))).toBeUndefined();
    expect(refusal('1a00000001', tight({ bytes: 3 }))).toBe('LIMIT_EXCEEDED: more than 3 bytes at byte 0');
  });

  it.each([
    ['{"a":[1,true,null,false,-1.5,"x"],"b":{}}', 'a2616186 01f5f6f4f9be006178 6162a0'],
    ['"\\u0001\\n\\"\\\\é"', '6601 0a 22 5c c3a9'],
    ['{"\\u001f":0}', 'a1611f00'],
    ['[]', '80'],
    ['[{},[]]', '82a080'],
    ['[10,-100,0.5,100000]', '840a3863f93800fa47c35000'],
  ])('bytes, of the JSON text: %s', (json, digits) => {
    const { length } = utf8(json);
    expect(readJson(utf8(json), tight({ bytes: length }))).not.toBeInstanceOf(JsonProblem);
    const reader = new CborReader(hexBytes(digits), tight({ bytes: 1000 }));
    expect(canonicalText(reader.value())).toBe(canonicalText(readJson(utf8(json), WIDE) as JsonValue));
    expect(reader.jsonLength).toBe(length);
  });

  it('attack: control characters, each of which JSON writes as six', () => {
    const text = bytesOf(...head16(3, 200), '\u0001'.repeat(200));
    expect(refusal(text, tight({ bytes: 1202 }))).toBeUndefined();
    expect(refusal(text, tight({ bytes: 1201 }))).toBe('LIMIT_EXCEEDED: more than 1201 bytes as JSON at byte 203');
  });

  it('depth', () => {
    expect(refusal(`${'81'.repeat(16)}00`, ARTIFACT_LIMITS)).toBeUndefined();
    expect(refusal(`${'81'.repeat(17)}00`, ARTIFACT_LIMITS)).toContain('LIMIT_EXCEEDED: nested more than 16 deep');
    expect(refusal('81'.repeat(5000), ARTIFACT_LIMITS)).toContain('LIMIT_EXCEEDED: nested more than 16 deep');
    expect(refusal(`${'a16161'.repeat(17)}00`, ARTIFACT_LIMITS)).toContain('nested more than 16 deep');
    // Beside each other they are not deep.
    expect(refusal(`9814${'80'.repeat(20)}`, ARTIFACT_LIMITS)).toBeUndefined();
  });

  it('elements, members, values, bytes of a string', () => {
    expect(refusal('820102', tight({ elements: 2 }))).toBeUndefined();
    expect(refusal('83010203', tight({ elements: 2 }))).toContain('LIMIT_EXCEEDED: more than 2 array elements');
    expect(refusal('a1616101', tight({ members: 1 }))).toBeUndefined();
    expect(refusal('a2616101616202', tight({ members: 1 }))).toContain('more than 1 members in an object');
    expect(refusal('8282010200', tight({ values: 4 }))).toBeUndefined();
    expect(refusal('828201028100', tight({ values: 4 }))).toContain('LIMIT_EXCEEDED: more than 4 values');
    expect(refusal('63c3a961', tight({ stringBytes: 3 }))).toBeUndefined();
    expect(refusal('64c3a96161', tight({ stringBytes: 3 }))).toContain('a string of more than 3 bytes');
    expect(refusal('a1646161616100', tight({ stringBytes: 3 }))).toContain('a string of more than 3 bytes');
  });
});

describe('CBOR with byte strings', () => {
  const readWithBytes = (digits: string) => readCborWithBytes(hexBytes(digits), { ...WIDE, stringBytes: 2 });

  it('gives views of its input, of any length', () => {
    const bytes = hexBytes('a26161430102036162 40');
    const value = readCborWithBytes(bytes, { ...WIDE, stringBytes: 2 });
    if (!isCborObject(value as CborValue)) throw new Error('no object was read');
    const object = value as { readonly [name: string]: CborValue };
    expect(cborNames(object).sort()).toEqual(['a', 'b']);
    const view = cborMember(object, 'a') as Uint8Array;
    expect([...view]).toEqual([1, 2, 3]);
    expect(view.buffer).toBe(bytes.buffer);
    expect((cborMember(object, 'b') as Uint8Array).length).toBe(0);
    expect(cborMember(object, 'c')).toBeUndefined();
  });

  it('takes nothing else that JSON does not have', () => {
    for (const digits of ['4301', '5f4101ff', 'a1410100', 'd8404101', 'f7', 'f97e00', '5bffffffffffffffff'])
      expect(readWithBytes(digits), digits).toBeInstanceOf(JsonProblem);
  });

  it('takes a byte string for no object and no list', () => {
    for (const digits of ['4101', '80', 'f6', '01', '6161'])
      expect(isCborObject(readWithBytes(digits) as CborValue), digits).toBe(false);
    expect(isCborObject(undefined)).toBe(false);
    expect(isCborObject(readWithBytes('a0') as CborValue)).toBe(true);
  });
});
