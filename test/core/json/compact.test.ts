// The compact form of JSON data: what comes back has the same canonical text, whatever went in; nothing that comes in
// throws or takes more memory than the limits of an artifact; and the bytes of the form, row by row of FORMAT.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBase64, encodeBase64Url } from '../../../core/encoding/base64.ts';
import { utf8Length } from '../../../core/encoding/utf8.ts';
import { toHex } from '../../../core/hash/hex.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import { COMPACT_NAMES, COMPACT_VALUES } from '../../../core/json/compact-dictionary.ts';
import { type CompactValue, decodeCompact } from '../../../core/json/compact-reader.ts';
import { encodeCompact } from '../../../core/json/compact-writer.ts';
import { jsonData } from '../../../core/json/data.ts';
import { KNOWN_NAMES } from '../../../core/json/known-names.ts';
import { JsonProblem } from '../../../core/json/reader.ts';
import type { JsonValue } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS } from '../../../core/limits.ts';
import { fleetPolicy, grant, INTENT, sba, spaFor } from '../../fixtures/artifacts.ts';
import { anyJson, objectOf } from '../../fixtures/json-arbitrary.ts';

/** The compact form. */
function compact(value: JsonValue, texts?: string[]): Uint8Array {
  const target = new Uint8Array(4096);
  const end = encodeCompact(value, target, 0, texts);
  if (end instanceof JsonProblem) throw end;
  return target.slice(0, end);
}

/** What the bytes stand for. */
function value(bytes: Uint8Array, texts?: string[]): JsonValue {
  const read = decodeCompact(bytes, 0, bytes.length, texts);
  if (read instanceof JsonProblem) throw read;
  expect(read.end).toBe(bytes.length);
  return read.value;
}

function problemOf(result: CompactValue | number | JsonProblem): JsonProblem {
  expect(result).toBeInstanceOf(JsonProblem);
  return result as JsonProblem;
}

function decodeHex(hex: string): CompactValue | JsonProblem {
  const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  return decodeCompact(bytes, 0, bytes.length);
}

/** Expects that a value comes back and that its form is this. */
function expectForm(of: JsonValue, hex: string): void {
  expect(toHex(compact(of))).toBe(hex.replaceAll(' ', ''));
  expect(canonicalText(value(compact(of)))).toBe(canonicalText(of));
}

/** Texts that are nearly what has a form of its own. */
function hostileText(): fc.Arbitrary<string> {
  const bytes = fc.uint8Array({ maxLength: 70 });
  const digits = fc.stringMatching(/^[0-9]{0,60}$/);
  const time = fc
    .tuple(
      fc.integer({ min: -1e14, max: 1e14 }),
      fc.constantFrom('.000Z', 'Z', '.120Z', '.12Z', 'z', '+00:00', '.999Z', ''),
    )
    .map(([ms, end]) => new Date(ms).toISOString().slice(0, 19) + end);
  const plain = fc.oneof(
    bytes.map(toHex),
    bytes.map(encodeBase64),
    bytes.map(encodeBase64Url),
    digits,
    time,
    fc.uuid(),
    fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(9e12) }).map((date) => date.toISOString()),
    fc.constantFrom(...COMPACT_NAMES, ...COMPACT_VALUES),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ maxLength: 1024 }),
  );
  const change = fc.constantFrom('upper', 'cut', 'grow', 'swap', 'none', 'none', 'none');
  return fc.tuple(plain, change, fc.nat(40)).map(([text, how, at]) => {
    if (how === 'upper') return text.slice(0, at) + text.slice(at).toUpperCase();
    if (how === 'cut') return [...text].slice(0, at).join('');
    if (how === 'grow') return `${text}=`;
    if (how === 'swap') return text.replace('-', '+').replace('0', '\u0660');
    return text;
  });
}

/** JSON values with such texts as values and names. */
function hostileJson(): fc.Arbitrary<JsonValue> {
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(
        hostileText(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.maxSafeInteger(),
        fc.nat(3e6),
        fc.constant(null),
      ),
      fc.array(tie('value'), { maxLength: 20 }),
      fc.array(fc.tuple(hostileText(), tie('value')), { maxLength: 20 }).map(objectOf),
    ),
  }));
  return fc
    .oneof(value, anyJson())
    .map((any) => jsonData(any, ARTIFACT_LIMITS))
    .filter((any) => !(any instanceof JsonProblem)) as fc.Arbitrary<JsonValue>;
}

describe('what was written comes back with the same canonical text:', () => {
  it('every JSON value within the limits of an artifact', () => {
    fc.assert(
      fc.property(hostileJson(), (json) => {
        expect(canonicalText(value(compact(json)))).toBe(canonicalText(json));
      }),
      { numRuns: 2000 },
    );
  });

  it('every text as it is', () => {
    fc.assert(
      fc.property(hostileText(), (text) => {
        fc.pre(Buffer.byteLength(text) <= 1024 && utf8Length(text) >= 0);
        expect(value(compact(text))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('every number as it is, minus zero as zero', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.maxSafeInteger()),
        (number) => {
          expect(value(compact(number))).toBe(number === 0 ? 0 : number);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('several values with the texts of those before them', () => {
    fc.assert(
      fc.property(fc.array(hostileJson(), { maxLength: 5 }), (values) => {
        const written: string[] = [];
        const forms = values.map((one) => compact(one, written));
        const read: string[] = [];
        expect(forms.map((form) => canonicalText(value(form, read)))).toEqual(values.map((one) => canonicalText(one)));
        expect(read).toEqual(written);
      }),
      { numRuns: 300 },
    );
  });

  it('the largest there may be: 1 KB strings, 64 members, 16 deep, 256 values', () => {
    const wide = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`m${i}`, [i, `t${i}`]]));
    let deep: JsonValue = 'x'.repeat(1024);
    for (let i = 0; i < 16; i++) deep = [deep];
    for (const large of [wide, deep, ['\u20ac'.repeat(341), 'ab'.repeat(512)]]) {
      expect(canonicalText(value(compact(large)))).toBe(canonicalText(large));
    }
  });
});

describe('the same data has one form:', () => {
  it('whatever the order of the members, known and unknown names', () => {
    const one = { b: 1, version: '1.0', '\uff01': 2, '\u{1f600}': 3, grantId: 'g', a: { y: 1, x: 2 } };
    const other = { grantId: 'g', a: { x: 2, y: 1 }, '\u{1f600}': 3, '\uff01': 2, version: '1.0', b: 1 };
    expect(compact(one)).toEqual(compact(other));
  });

  it('with a null member or without it, even one whose name has no UTF-8 form', () => {
    expect(compact({ a: 1, b: null, '\ud800': null })).toEqual(compact({ a: 1 }));
  });
});

describe('it takes no more bytes than compact JSON text', () => {
  it('for any value, up to the comma or bracket that goes with it', () => {
    fc.assert(
      fc.property(hostileJson(), (json) => {
        expect(compact(json).length).toBeLessThanOrEqual(Buffer.byteLength(JSON.stringify(json)) + 1);
      }),
      { numRuns: 1000 },
    );
  });

  it('for numbers written as short as can be', () => {
    for (const text of ['1e20', '1e7', '12e19', '1e-7', '5e-324', '1e300', '-1e9', '0.5', '1e6']) {
      expect(compact(Number(text)).length, text).toBeLessThanOrEqual(text.length + 1);
    }
  });
});

describe('any bytes', () => {
  const tight = { numRuns: 3000 };

  it('are a value or a problem, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const read = decodeCompact(bytes, 0, bytes.length);
        if (read instanceof JsonProblem) return;
        expect(read.end).toBeLessThanOrEqual(bytes.length);
        expect(jsonData(read.value, ARTIFACT_LIMITS)).not.toBeInstanceOf(JsonProblem);
      }),
      tight,
    );
  });

  it('that were a value before a byte was changed or cut off, too', () => {
    fc.assert(
      fc.property(hostileJson(), fc.nat(), fc.nat(255), fc.boolean(), (json, place, byte, cut) => {
        const bytes = compact(json);
        const at = place % bytes.length;
        if (cut) expect(decodeCompact(bytes, 0, at)).toBeInstanceOf(JsonProblem);
        bytes[at] = byte;
        decodeCompact(bytes, 0, bytes.length);
      }),
      tight,
    );
  });

  it.each([
    ['text longer than what is there', 'c6 8008'],
    ['hexadecimal text of more than 1 KB', 'c7 8108'],
    ['base64 text of more than 1 KB', 'ce 8106'],
    ['a length of 2^53', 'c6 ffffffffffffff1f'],
    ['a length without end', 'c6 ffffffffffffffffffff'],
    ['an array of 255', 'bf ff'],
    ['an object of 65', 'af 41'],
    ['17 arrays in each other', `${'b1'.repeat(17)}c0`],
    ['257 values', `b5${'bf40'.concat('c0'.repeat(64)).repeat(5)}`],
    ['a known value that is not known', '7f'],
    ['a known name that is not known', 'a1 bf c1'],
    ['a number as a name', 'a1 81 c1'],
    ['hexadecimal text as a name', 'a1 c7 02 abcd c1'],
    ['a reference to nothing', 'c5 00'],
    ['a member twice', 'a2 00 81 00 81'],
    ['a member that is null', 'a1 00 c0'],
    ['text that is not UTF-8', 'd1 ff'],
    ['a lone surrogate', 'd3 eda080'],
    ['a number without digits', 'c4 ff'],
    ['a number that is none', 'c4 bbff'],
    ['a number outside the double range', 'c4 1d999fff'],
    ['a time after 2106', 'cb ffffffffffff'],
    ['digits that are none', 'cd 04 1a11'],
    ['nothing', ''],
  ])('%s: a problem', (_, hex) => {
    problemOf(decodeHex(hex));
  });

  it('behind the end stay unread', () => {
    const bytes = Uint8Array.from([0xb2, 0x81, 0x82]);
    problemOf(decodeCompact(bytes, 0, 2));
    expect(decodeCompact(bytes, 0, 100)).toEqual({ value: [1, 2], end: 3 });
    problemOf(decodeCompact(bytes.subarray(0, 2), 0, 100));
  });
});

describe('what cannot be written is a problem:', () => {
  const roomy = () => new Uint8Array(4096);

  it('a lone surrogate, in a text and in a name that counts', () => {
    for (const json of ['\ud800', { '\udc00': 1 }, ['a'.repeat(60).concat('\ud83d')]]) {
      expect(problemOf(encodeCompact(json, roomy(), 0)).code).toBe('ARTIFACT_INVALID');
    }
  });

  it('a number that JSON cannot hold', () => {
    for (const json of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(problemOf(encodeCompact(json, roomy(), 0)).code).toBe('ARTIFACT_INVALID');
    }
  });

  it('what is past a limit: 17 deep, 65 members or elements, 257 values, a string of 1025 bytes', () => {
    let deep: JsonValue = 1;
    for (let i = 0; i < 17; i++) deep = [deep];
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`m${i}`, 1]));
    const rows = Array.from({ length: 5 }, () => new Array(64).fill(1) as number[]);
    for (const json of [deep, many, new Array(65).fill(1), rows, 'x'.repeat(1025), '\u20ac'.repeat(342)]) {
      expect(problemOf(encodeCompact(json, roomy(), 0)).code).toBe('LIMIT_EXCEEDED');
    }
  });

  it('too little room: at every length, and not a byte behind the end is written', () => {
    const length = compact(sba()).length;
    for (let size = 0; size < length; size++) {
      const memory = new Uint8Array(length + 8);
      expect(problemOf(encodeCompact(sba(), memory.subarray(0, size), 0)).code).toBe('LIMIT_EXCEEDED');
      expect(memory.subarray(size).every((byte) => byte === 0)).toBe(true);
    }
  });
});

describe('the form, row by row:', () => {
  it('known values and names are their number', () => {
    expectForm('1.0', '00');
    expectForm('xrpl', '01');
    expectForm({ version: '1.0', grantId: 'XRP' }, 'a2 0000 0105');
  });

  it('whole numbers: below 32 one byte, below 2^21 seven bits a byte', () => {
    expectForm(0, '80');
    expectForm(31, '9f');
    expectForm(32, 'c320');
    expectForm(300, 'c3ac02');
    expectForm(2 ** 21 - 1, 'c3ffff7f');
  });

  it('other numbers: their characters, four bits each', () => {
    expectForm(-1, 'c4 b1 ff');
    expectForm(1.5, 'c4 1a5f');
    expectForm(1e20, 'c4 1dc2 0f');
    expectForm(2 ** 21, 'c4 2097 152f');
  });

  it('null, false, true, arrays and objects', () => {
    expectForm([null, false, true, [], {}], 'b5 c0c1c2 b0 a0');
    expectForm(new Array(15).fill(1), `bf0f${'81'.repeat(15)}`);
  });

  it('text: its UTF-8 bytes with their count, in the first byte below 48', () => {
    expectForm('', 'd0');
    expectForm('\u20ac', 'd3 e282ac');
    expectForm('.'.repeat(47), `ff${'2e'.repeat(47)}`);
    expectForm('.'.repeat(48), `c630${'2e'.repeat(48)}`);
    expectForm('.'.repeat(200), `c6c801${'2e'.repeat(200)}`);
  });

  it('lower-case hexadecimal text of 4 to 128 digits: its bytes', () => {
    expectForm('00ff', 'c702 00ff');
    expectForm('ab'.repeat(64), `c740${'ab'.repeat(64)}`);
    expectForm('00FF', 'd4 30304646');
    expectForm('abc', 'd3 616263');
  });

  it('UUIDs: 16 bytes', () => {
    expectForm('550e8400-e29b-41d4-a716-446655440082', 'c8 550e8400e29b41d4a716446655440082');
    expect(compact('550E8400-e29b-41d4-a716-446655440082')).toHaveLength(29);
  });

  it('times in UTC from 1970 to 2106: seconds, or milliseconds in 48 bits', () => {
    expectForm('1970-01-01T00:00:01Z', 'c9 01000000');
    expectForm('2106-02-07T06:28:15.000Z', 'ca ffffffff');
    expectForm('1970-01-01T00:00:00.256Z', 'cb 000100000000');
    for (const text of ['2106-02-07T06:28:16Z', '1969-12-31T23:59:59Z', '2026-06-01t12:00:00Z', '2026-02-30T12:00:00Z'])
      expect(compact(text)).toHaveLength(21);
  });

  it('digits: up to 15 as a number, more or with a zero in front four bits each', () => {
    expectForm('0', 'cc 00');
    expectForm('3000', 'cc b817');
    expectForm('999999999999999', 'cc ffff99a6eaafe301');
    expectForm('0012', 'cd 04 0012');
    expectForm('1234567890123456', 'cd 10 1234567890123456');
    expectForm('12345678901234567', 'cd 11 12345678901234567f');
    expectForm('007', 'd3 303037');
  });

  it('base64 text of 16 characters or more: its bytes; base64url where it is not padded', () => {
    expectForm('AAECAwQFBgcICQoL', 'ce0c 000102030405060708090a0b');
    expectForm('AAECAwQFBgcICQoLDA==', 'ce0d 000102030405060708090a0b0c');
    expectForm('AAECAwQFBgcICQoLDA', 'cf0d 000102030405060708090a0b0c');
    // Unused bits that are not zero have no bytes.
    expect(compact('AAECAwQFBgcICQoLDB==')).toHaveLength(21);
  });

  it('a text that was there before, name or value: its number, where its form had more than two bytes', () => {
    expectForm(['abc!', 'abc!', { 'abc!': 'abc!' }], 'b3 d461626321 c500 a1 c500 c500');
    expectForm(['a', 'a', '.!', '.!'], 'b4 d161 d161 d22e21 c500');
  });

  it('up to 64 of them', () => {
    const many = Array.from({ length: 64 }, (_, i) => `text${i}`);
    const texts = ['first', ...many.slice(0, 63)];
    expect(toHex(compact('text62', [...texts]))).toBe('c53f');
    expect(toHex(compact('text63', [...texts]))).toMatch(/^d6/);
    compact('text63', texts);
    expect(texts).toHaveLength(64);
  });
});

describe('the dictionary', () => {
  it('has room', () => {
    expect(COMPACT_NAMES.length).toBeLessThanOrEqual(192);
    expect(COMPACT_VALUES.length).toBeLessThanOrEqual(128);
  });

  it('names nothing twice', () => {
    expect(new Set(COMPACT_NAMES).size).toBe(COMPACT_NAMES.length);
    expect(new Set(COMPACT_VALUES).size).toBe(COMPACT_VALUES.length);
  });

  it('knows every member that artifacts of payments have', () => {
    const others = ['bundleId', 'bundleIssuer', 'bundleKeyId', 'approvedIssuers', 'issuers', 'keys', 'revokedGrantIds'];
    const keys = ['kty', 'crv', 'use', 'alg', 'active', 'x', 'kid'];
    const carriers = ['grant', 'sba', 'spa', 'settlementIntent', 'fleetPolicyAuthorization'];
    const needed = KNOWN_NAMES.filter((name) => ![...others, ...keys, ...carriers].includes(name));
    expect(needed.filter((name) => !COMPACT_NAMES.includes(name))).toEqual([]);
  });
});

describe('what artifacts take', () => {
  it('a grant, an SBA, an SPA and an intent together: less than half of their JSON text', () => {
    const artifacts = [grant(), sba(), spaFor(INTENT), INTENT, fleetPolicy()];
    const texts: string[] = [];
    let bytes = 0;
    let json = 0;
    for (const artifact of artifacts) {
      bytes += compact(artifact, texts).length;
      json += JSON.stringify(artifact).length;
    }
    expect(bytes).toBeLessThan(json / 2);
  });
});
