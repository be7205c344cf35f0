// Strict JSON: the grammar of RFC 8259, what is refused beyond it, and limits that hold while reading.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../core/json/canonical.ts';
import { JsonProblem, JsonReader, readJson } from '../../../core/json/reader.ts';
import { type JsonObject, type JsonValue, member } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS, BUNDLE_LIMITS, type JsonLimits } from '../../../core/limits.ts';
import { anyJson } from '../../fixtures/json-arbitrary.ts';
import { bytesOf, jsonBytes, utf8 } from '../../fixtures/text.ts';

const WIDE: JsonLimits = { bytes: 1e6, values: 1e6, elements: 1e6, members: 1e6, stringBytes: 1e6, depth: 100 };

function read(json: string | Uint8Array, limits: JsonLimits = ARTIFACT_LIMITS): JsonValue {
  const value = readJson(typeof json === 'string' ? utf8(json) : json, limits);
  if (value instanceof JsonProblem) throw value;
  return value;
}

/** The code of a refusal; undefined where the text was read. */
function refusal(json: string | Uint8Array, limits: JsonLimits = ARTIFACT_LIMITS): string | undefined {
  const value = readJson(typeof json === 'string' ? utf8(json) : json, limits);
  return value instanceof JsonProblem ? value.code : undefined;
}

/** What is wrong with text that must be refused. */
function problem(json: string): JsonProblem {
  const value = readJson(utf8(json), ARTIFACT_LIMITS);
  if (value instanceof JsonProblem) return value;
  throw new Error('it was read');
}

/** Every name an object would answer to without having the member. */
function inheritedNames(object: object): readonly PropertyKey[] {
  const names: PropertyKey[] = [];
  for (let at = Object.getPrototypeOf(object); at !== null; at = Object.getPrototypeOf(at))
    names.push(...Reflect.ownKeys(at));
  return names;
}

describe('the grammar of RFC 8259', () => {
  it.each([
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-12.50e+3',
    '1E5',
    '1e-5',
    '""',
    '"a"',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
    '"\\u0041\\u00e9\\ud83d\\ude00"',
    '"é\u{1f600}\u007f\u0080\u2028\ufffe"',
    '[]',
    '[1]',
    '[[],{},[null]]',
    '{}',
    '{"":1}',
    '{"a":{"b":[1,2,{"c":null}]},"e":"x"}',
    ' \t\r\n{ "a" :\n[ 1 , 2 ]\t} \r\n',
  ])('reads %s as JSON.parse does', (json) => {
    expect(read(json)).toEqual(JSON.parse(json));
  });

  it.each([
    '',
    ' ',
    'nul',
    'nulls',
    'True',
    'NaN',
    'Infinity',
    '-',
    '+1',
    '.5',
    '5.',
    '01',
    '-01',
    '1e',
    '1e+',
    '0x10',
    '1_000',
    "'a'",
    '"a',
    '"a\\',
    '"\\x41"',
    '"\\u12"',
    '"\\u12g4"',
    '"\\U0041"',
    '"a\nb"',
    '"a\tb"',
    '"\u0000"',
    '[',
    '[1',
    '[1,',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[1;2]',
    ']',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{,}',
    '{a:1}',
    '{"a" 1}',
    '{"a"::1}',
    '{1:1}',
    '{"a":1;"b":2}',
    '[1}',
    '{"a":1]',
    '/*x*/1',
    '1//x',
    '\u00a01',
    '\u000b1',
    '\ufeff1',
  ])('refuses %j', (json) => {
    expect(refusal(json)).toBe('ARTIFACT_INVALID');
  });

  it.each(['1 2', '{} {}', '[]]', 'null,', 'true false', '"a" "b"', '1 x', '{}\u0000'])(
    'refuses text after the value: %j',
    (json) => {
      expect(refusal(json)).toBe('ARTIFACT_INVALID');
    },
  );

  it('says at which byte reading stopped', () => {
    const problem = readJson(utf8('{"é": x}'), ARTIFACT_LIMITS);
    expect(problem).toBeInstanceOf(JsonProblem);
    expect((problem as JsonProblem).offset).toBe(7);
  });

  it('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(anyJson(), (value) => {
        expect(JSON.stringify(read(jsonBytes(value), WIDE))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('agrees with JSON.parse on damaged text, but for what is refused beyond the grammar', () => {
    const beyond = /appears twice|lone surrogate|double range/;
    fc.assert(
      fc.property(anyJson(), fc.nat(), fc.nat(), fc.constantFrom(...'{}[]",:0-e.\\ u1\n'), (value, at, length, put) => {
        const text = JSON.stringify(value);
        const from = at % (text.length + 1);
        const damaged = `${text.slice(0, from)}${put}${text.slice(from + (length % 3))}`;
        if (/[\ud800-\udfff]/u.test(damaged)) return;
        const ours = readJson(utf8(damaged), WIDE);
        let theirs: unknown;
        try {
          theirs = JSON.parse(damaged);
        } catch {
          expect(ours).toBeInstanceOf(JsonProblem);
          return;
        }
        if (ours instanceof JsonProblem) expect(ours.message).toMatch(beyond);
        else expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs));
      }),
      { numRuns: 600 },
    );
  });

  it('answers random bytes with a value or a problem and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const value = readJson(bytes, ARTIFACT_LIMITS);
        if (!(value instanceof JsonProblem)) expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(value);
      }),
    );
  });

  it('reads a view into a larger buffer where the view is', () => {
    expect(read(utf8('xx{"a":1}yy').subarray(2, 9))).toEqual({ a: 1 });
  });

  it('keeps nothing of the bytes it read', () => {
    const bytes = utf8('{"name":"text"}');
    const value = read(bytes);
    bytes.fill(0);
    expect(value).toEqual({ name: 'text' });
  });
});

describe('numbers', () => {
  it('reads every double that JSON.stringify writes, to the bit', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(read(JSON.stringify(number))).toBe(Object.is(number, -0) ? 0 : number);
      }),
    );
  });

  it('reads -0 as negative zero, which is 0 in canonical JSON', () => {
    expect(read('-0')).toBe(-0);
    expect(read('-0.0e5')).toBe(-0);
  });

  it('refuses numbers beyond the double range', () => {
    for (const text of ['1e400', '-1e400', '1e309', '1.8e308', '1e999999999999', `1${'0'.repeat(400)}`]) {
      expect(refusal(text), text).toBe('ARTIFACT_INVALID');
    }
  });

  it('reads the largest double', () => {
    expect(read('1.7976931348623157e308')).toBe(Number.MAX_VALUE);
  });

  it('reads what is too small for a double as zero, as JSON.parse does', () => {
    expect(read('1e-400')).toBe(0);
    expect(read('123e-10000000')).toBe(0);
  });

  it('rounds digits a double does not hold, as JSON.parse does', () => {
    expect(read('9007199254740993')).toBe(9007199254740992);
    expect(read(`0.${'1'.repeat(1000)}`)).toBe(0.1111111111111111);
  });

  it('bounds the digits of a number like a string', () => {
    const limits = { ...WIDE, stringBytes: 8 };
    expect(read('12345678', limits)).toBe(12345678);
    expect(refusal('123456789', limits)).toBe('LIMIT_EXCEEDED');
    expect(refusal('[1.00000e00]', limits)).toBe('LIMIT_EXCEEDED');
  });
});

describe('member names', () => {
  it('refuses a name that appears twice', () => {
    expect(refusal('{"a":1,"a":1}')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"a":1,"b":2,"a":null}')).toBe('ARTIFACT_INVALID');
    expect(refusal('[{"x":{"a":1,"a":2}}]')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"":1,"":1}')).toBe('ARTIFACT_INVALID');
  });

  it('says which name appears twice, in an object that takes nearly all values too', () => {
    const members = Array.from({ length: 60 }, (_, i) => `"m${i}":[0,0,0]`).join(',');
    expect(problem(`{${members},"m7":1}`)).toMatchObject({
      code: 'ARTIFACT_INVALID',
      message: expect.stringMatching(/^member "m7" appears twice/),
    });
  });

  it('cuts a name that appears twice to 40 characters in what it says', () => {
    const name = 'n'.repeat(1000);
    expect(problem(`{"${name}":1,"${name}":1}`).message).toMatch(/^member "n{40}" appears twice at byte/);
  });

  it('refuses a name that appears twice in different spellings', () => {
    expect(refusal('{"a":1,"\\u0061":1}')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"\\u0061":1,"a":1}')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"\u{1f600}":1,"\\ud83d\\ude00":1}')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"/":1,"\\/":1}')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"é":1,"\\u00e9":1}')).toBe('ARTIFACT_INVALID');
  });

  it('refuses a second name whose first value was null', () => {
    expect(refusal('{"a":null,"a":1}')).toBe('ARTIFACT_INVALID');
  });

  it('takes names apart that differ only in normalisation', () => {
    expect(Object.keys(read('{"\u00e9":1,"e\u0301":2}') as object)).toHaveLength(2);
  });

  it('allows one name in different objects', () => {
    expect(read('{"a":{"a":1},"b":{"a":2}}')).toEqual({ a: { a: 1 }, b: { a: 2 } });
  });

  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    it(`takes ${name} as a member like any other`, () => {
      const value = read(`{"${name}":{"admin":true}}`) as JsonObject;
      expect(Object.keys(value)).toEqual([name]);
      expect(inheritedNames(value)).toEqual([]);
      expect((value as { admin?: unknown }).admin).toBeUndefined();
    });

    it(`refuses ${name} twice`, () => {
      expect(refusal(`{"${name}":1,"${name}":2}`)).toBe('ARTIFACT_INVALID');
    });

    it(`finds no ${name} in an object that has none`, () => {
      expect(member(read('{}') as JsonObject, name)).toBeUndefined();
    });
  }

  it('cannot be given to all objects at once', () => {
    const shared = Object.getPrototypeOf(read('{}'));
    expect(shared === null || Object.isFrozen(shared)).toBe(true);
  });

  it('leaves the prototype of everything else alone', () => {
    read('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('the names MPCP artifacts have', () => {
  const names = [
    'grantId',
    'policyHash',
    'sba',
    'x',
    'kid',
    'issuer',
    'issuerKeyId',
    'offlineMaxSinglePaymentCurrency',
    'signature',
  ];

  it('are read like any other, in ASCII text and in text that is not', () => {
    for (const name of names) {
      const near = [
        name,
        `${name}x`,
        `x${name}`,
        name.slice(1),
        name.slice(0, -1),
        name.toUpperCase(),
        `${name.slice(0, -1)}\u00e9`,
      ];
      for (const other of new Set(near)) {
        expect(Object.keys(read(`{"${other}":1}`) as object), other).toEqual([other]);
        expect(Object.keys(read(`{"ö":0,"${other}":1}`) as object), other).toEqual(['ö', other]);
      }
    }
  });

  it('are found twice in whatever spelling', () => {
    for (const name of names) {
      const escaped = `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`;
      expect(Object.keys(read(`{"${escaped}":1}`) as object)).toEqual([name]);
      expect(refusal(`{"${name}":1,"${escaped}":2}`)).toBe('ARTIFACT_INVALID');
      expect(refusal(`{"${name}":1,"${name}":2}`)).toBe('ARTIFACT_INVALID');
    }
  });

  it('need their closing quote and their colon', () => {
    for (const text of [
      '{"grantId:1}',
      '{"grantId"1}',
      '{"grantId',
      '{"grantId\u0000":1}',
      '{grantId:1}',
      '{"grantId\n":1}',
    ]) {
      expect(refusal(text), JSON.stringify(text)).toBe('ARTIFACT_INVALID');
    }
  });

  it('do not stand for names that hash alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abcdgkrtInsue'), minLength: 1, maxLength: 9 }), (name) => {
        expect(Object.keys(read(`{"${name}":1}`) as object)).toEqual([name]);
      }),
      { numRuns: 1500 },
    );
  });
});

describe('text', () => {
  it('refuses surrogates that are not a pair, escaped', () => {
    for (const text of [
      '\\ud800',
      '\\udbff',
      '\\udc00',
      '\\udfff',
      '\\ud800x',
      '\\ud800\\n',
      '\\ud800\\ud800',
      '\\udc00\\ud800',
      '\\ud83d\\u0041',
    ]) {
      expect(refusal(`"${text}"`), text).toBe('ARTIFACT_INVALID');
      expect(refusal(`{"${text}":1}`), text).toBe('ARTIFACT_INVALID');
    }
  });

  it('reads a lone surrogate in the name of a member that is null: nothing is hashed of it', () => {
    expect(canonicalText(read('{"\\ud800":null,"a":1}'))).toBe('{"a":1}');
    expect(refusal('{"\\ud800":nul}')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"\\ud800":null,"\\ud800":null}')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"\\ud800":null,"\\ud800":1}')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"\\ud800":null,"a":"\\ud800"}')).toBe('ARTIFACT_INVALID');
    expect(refusal('{"\\ud800":{"a":null}}')).toBe('ARTIFACT_INVALID');
  });

  it('refuses half a pair escaped and half of it raw', () => {
    expect(refusal(bytesOf('"\\ud83d', 0xed, 0xb8, 0x80, '"'))).toBe('ARTIFACT_INVALID');
    expect(refusal(bytesOf('"', 0xed, 0xa0, 0xbd, '\\ude00"'))).toBe('ARTIFACT_INVALID');
  });

  it('reads an escaped pair as the character it stands for', () => {
    expect(read('"\\uD83D\\uDE00"')).toBe('\u{1f600}');
    expect(read('"\\uDBFF\\uDFFF"')).toBe('\u{10ffff}');
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['the last continuation byte alone', [0xbf]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong DEL', [0xc1, 0xbf]],
    ['an overlong form of three bytes', [0xe0, 0x9f, 0xbf]],
    ['an overlong form of four bytes', [0xf0, 0x8f, 0xbf, 0xbf]],
    ['a raw high surrogate', [0xed, 0xa0, 0x80]],
    ['a raw low surrogate', [0xed, 0xbf, 0xbf]],
    ['a raw pair of surrogates (CESU-8)', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    ['a code point past U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a lead byte past U+10FFFF', [0xf5, 0x80, 0x80, 0x80]],
    ['a sequence of five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ['a sequence of six bytes', [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]],
    ['0xFE', [0xfe]],
    ['0xFF', [0xff]],
    ['a sequence of two bytes cut by the quote', [0xc3]],
    ['a sequence of three bytes cut by the quote', [0xe2, 0x82]],
    ['a sequence of four bytes cut by the quote', [0xf0, 0x9f, 0x98]],
    ['a sequence cut by an ASCII letter', [0xe2, 0x41, 0x82]],
    ['a sequence with a second lead byte', [0xc3, 0xc3]],
  ])('refuses %s, in a value, in a name and after an escape', (_, sequence) => {
    expect(refusal(bytesOf('"', ...sequence, '"'))).toBe('ARTIFACT_INVALID');
    expect(refusal(bytesOf('{"', ...sequence, '":1}'))).toBe('ARTIFACT_INVALID');
    expect(refusal(bytesOf('"\\n', ...sequence, '"'))).toBe('ARTIFACT_INVALID');
    expect(refusal(bytesOf('"', ...sequence, '\\n"'))).toBe('ARTIFACT_INVALID');
  });

  it('refuses a sequence that an escape cuts in two', () => {
    expect(refusal(bytesOf('"', 0xe2, 0x82, '\\n', 0xac, '"'))).toBe('ARTIFACT_INVALID');
  });

  it('refuses bytes above ASCII outside strings', () => {
    expect(refusal(bytesOf('[1', 0xc2, 0xa0, ']'))).toBe('ARTIFACT_INVALID');
  });

  it('refuses a byte-order mark, in UTF-8 and in UTF-16', () => {
    expect(refusal(bytesOf(0xef, 0xbb, 0xbf, '{}'))).toBe('ARTIFACT_INVALID');
    expect(refusal(bytesOf(0xfe, 0xff, 0, '{', 0, '}'))).toBe('ARTIFACT_INVALID');
    expect(refusal(bytesOf(0xff, 0xfe, '{', 0, '}', 0))).toBe('ARTIFACT_INVALID');
  });

  it('keeps a byte-order mark inside a string: it is a character there', () => {
    expect(read('"\ufeffa"')).toBe('\ufeffa');
  });

  it('refuses every raw control character in a string', () => {
    for (let control = 0; control < 0x20; control++) {
      expect(refusal(bytesOf('"', control, '"')), String(control)).toBe('ARTIFACT_INVALID');
      expect(refusal(bytesOf('"\\n', control, '"')), String(control)).toBe('ARTIFACT_INVALID');
    }
  });
});

describe('limits: what is at the limit is read, one more is refused', () => {
  function bounds(limits: Partial<JsonLimits>, at: string, past: string): void {
    expect(refusal(at, { ...WIDE, ...limits }), at.slice(0, 60)).toBeUndefined();
    expect(refusal(past, { ...WIDE, ...limits }), past.slice(0, 60)).toBe('LIMIT_EXCEEDED');
  }

  it('bytes of the text, white space included', () => {
    bounds({ bytes: 7 }, '{"a":1}', '{"a":1} ');
    bounds({ bytes: 5 }, '"éa"', '"éaa"');
  });

  it('is told by the bytes alone: text past the limit is not looked at', () => {
    expect(refusal('not JSON at all', { ...WIDE, bytes: 3 })).toBe('LIMIT_EXCEEDED');
  });

  it('values, members and elements together, at every depth', () => {
    bounds({ values: 3 }, '[1,2,3]', '[1,2,3,4]');
    bounds({ values: 3 }, '{"a":1,"b":[1]}', '{"a":1,"b":[1,2]}');
    bounds({ values: 4 }, '[[],{},{"a":1}]', '[[],{},{"a":[1]}]');
  });

  it('elements of one array', () => {
    bounds({ elements: 2 }, '[1,2]', '[1,2,3]');
    bounds({ elements: 2 }, '[[1,2],[1,2]]', '[[1,2],[1,2,3]]');
  });

  it('members of one object', () => {
    bounds({ members: 2 }, '{"a":1,"b":2}', '{"a":1,"b":2,"c":3}');
    bounds({ members: 2 }, '{"a":{"a":1,"b":2},"b":2}', '{"a":{"a":1,"b":2,"c":3}}');
  });

  it('bytes of a string and of a name', () => {
    bounds({ stringBytes: 4 }, '"abcd"', '"abcde"');
    bounds({ stringBytes: 4 }, '{"abcd":1}', '{"abcde":1}');
  });

  it('bytes of a string in UTF-8, not characters', () => {
    bounds({ stringBytes: 4 }, '"éé"', '"éée"');
    bounds({ stringBytes: 4 }, '"\u20acx"', '"\u20acxx"');
    bounds({ stringBytes: 4 }, '"\u{1f600}"', '"\u{1f600}x"');
  });

  it('bytes of a string with its escapes resolved', () => {
    bounds({ stringBytes: 4 }, '"\\n\\n\\n\\n"', '"\\n\\n\\n\\n\\n"');
    bounds({ stringBytes: 4 }, '"\\u0061\\u0062cd"', '"\\u0061\\u0062cde"');
    bounds({ stringBytes: 4 }, '"\\u00e9\\u00e9"', '"\\u00e9\\u00e9e"');
    bounds({ stringBytes: 4 }, '"\\u20acx"', '"\\u20acxx"');
    bounds({ stringBytes: 4 }, '"\\ud83d\\ude00"', '"\\ud83d\\ude00x"');
    bounds({ stringBytes: 4 }, '"\\ud83d\\ude00"', '"x\\ud83d\\ude00"');
    bounds({ stringBytes: 4 }, '"a\\nbc"', '"a\\nbcd"');
    bounds({ stringBytes: 4 }, '"abc\\n"', '"abcd\\n"');
  });

  it('depth of objects and arrays; a scalar has none', () => {
    bounds({ depth: 2 }, '[[]]', '[[[]]]');
    bounds({ depth: 2 }, '{"a":{}}', '{"a":{"b":{}}}');
    bounds({ depth: 2 }, '[{"a":1}]', '[{"a":[]}]');
    bounds({ depth: 0 }, '1', '[]');
  });

  it('depth again after leaving it', () => {
    bounds({ depth: 2 }, '[[],[],{"a":1},[1]]', '[[],[],{"a":[]},[1]]');
  });

  it('the published ones, for an artifact', () => {
    const l = ARTIFACT_LIMITS;
    const list = (n: number) => `[${Array(n).fill(0).join(',')}]`;
    const object = (n: number) => `{${Array.from({ length: n }, (_, i) => `"m${i}":0`).join(',')}}`;
    const deep = (n: number) => '['.repeat(n) + ']'.repeat(n);
    const at = [
      list(64),
      object(64),
      deep(16),
      `"${'a'.repeat(1024)}"`,
      `[${list(63)},${list(63)},${list(63)},${list(63)}]`,
    ];
    const past = [
      list(65),
      object(65),
      deep(17),
      `"${'a'.repeat(1025)}"`,
      `[${list(63)},${list(63)},${list(63)},${list(64)}]`,
    ];
    for (const json of at) expect(refusal(json, l), json.slice(0, 40)).toBeUndefined();
    for (const json of past) expect(refusal(json, l), json.slice(0, 40)).toBe('LIMIT_EXCEEDED');
    expect(refusal(`${' '.repeat(6143)}1`, l)).toBeUndefined();
    expect(refusal(`${' '.repeat(6144)}1`, l)).toBe('LIMIT_EXCEEDED');
  });

  it('the published ones, for a bundle', () => {
    expect(refusal(`${' '.repeat(32767)}1`, BUNDLE_LIMITS)).toBeUndefined();
    expect(refusal(`${' '.repeat(32768)}1`, BUNDLE_LIMITS)).toBe('LIMIT_EXCEEDED');
    const list = (n: number) => `[${Array(n).fill(0).join(',')}]`;
    expect(refusal(list(512), BUNDLE_LIMITS)).toBeUndefined();
    expect(refusal(list(513), BUNDLE_LIMITS)).toBe('LIMIT_EXCEEDED');
  });
});

describe('an artifact inside a larger text', () => {
  const limits: JsonLimits = { bytes: 40, values: 4, elements: 4, members: 4, stringBytes: 8, depth: 2 };

  /** Reads `{"a": <artifact>, "b": <artifact>}`. */
  function artifacts(json: string, signed?: readonly string[]): Record<string, JsonValue> | string {
    const found: Record<string, JsonValue> = {};
    try {
      const reader = new JsonReader(utf8(json), limits, 1000);
      reader.members((name) => {
        found[name] = reader.artifact(undefined, signed);
      });
      reader.end();
      return found;
    } catch (problem) {
      if (problem instanceof JsonProblem) return problem.code;
      throw problem;
    }
  }

  it('has values of its own: those of another do not count', () => {
    expect(artifacts('{"a":[1,2,3,4],"b":[1,2,3,4]}')).toEqual({ a: [1, 2, 3, 4], b: [1, 2, 3, 4] });
    expect(artifacts('{"a":[1,2,[3,4]]}')).toBe('LIMIT_EXCEEDED');
  });

  it('has a depth of its own: that of what carries it does not count', () => {
    expect(artifacts('{"a":[[1]]}')).toEqual({ a: [[1]] });
    expect(artifacts('{"a":[[[]]]}')).toBe('LIMIT_EXCEEDED');
  });

  it('has bytes of its own', () => {
    expect(artifacts(`{"a":"x"${' '.repeat(60)}}`)).toEqual({ a: 'x' });
    expect(artifacts(`{"a":[${' '.repeat(38)}]}`)).toEqual({ a: [] });
    expect(artifacts(`{"a":[${' '.repeat(39)}]}`)).toBe('LIMIT_EXCEEDED');
  });

  it('may be anything where only some of its members are wanted', () => {
    expect(artifacts('{"a":[1],"b":"x"}', ['kept'])).toEqual({ a: [1], b: 'x' });
  });

  it('is kept whole where nothing is said about its members', () => {
    expect(artifacts('{"a":{"kept":1,"note":2}}')).toEqual({ a: { kept: 1, note: 2 } });
  });

  it('drops the members that its signature does not cover, in a string as long as the artifact', () => {
    const { a } = artifacts('{"a":{"kept":1,"note":"longer than eight"}}', ['kept']) as { a: JsonObject };
    expect(member(a, 'note')).toBeUndefined();
    expect(canonicalText(a)).toBe('{"kept":1}');
  });

  it('checks what it drops', () => {
    expect(artifacts('{"a":{"kept":1,"note":"\\ud800"}}', ['kept'])).toBe('ARTIFACT_INVALID');
    expect(artifacts('{"a":{"kept":1,"note":[[[]]]}}', ['kept'])).toBe('LIMIT_EXCEEDED');
    expect(artifacts('{"a":{"kept":1,"note":[1,2,3]}}', ['kept'])).toBe('LIMIT_EXCEEDED');
  });

  it('refuses a name twice, kept or dropped', () => {
    expect(artifacts('{"a":{"kept":1,"kept":1}}', ['kept'])).toBe('ARTIFACT_INVALID');
    expect(artifacts('{"a":{"note":1,"note":1}}', ['kept'])).toBe('ARTIFACT_INVALID');
    expect(artifacts('{"a":{"n":1,"\\u006e":1}}', ['kept'])).toBe('ARTIFACT_INVALID');
  });

  it('goes back to the short strings after a dropped member', () => {
    expect(artifacts('{"a":{"n":"longer than 8","kept":"123456789"}}', ['kept'])).toBe('LIMIT_EXCEEDED');
  });
});
