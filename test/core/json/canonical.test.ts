// MPCP canonical JSON, row by row of INTEROP §2: what is hashed and signed.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalBytes, canonicalPieces, canonicalText, compareUtf16 } from '../../../core/json/canonical.ts';
import { JsonProblem, readJson } from '../../../core/json/reader.ts';
import type { JsonValue } from '../../../core/json/value.ts';
import type { JsonLimits } from '../../../core/limits.ts';
import { onDevice as byDevice } from '../../fixtures/device-built-ins.ts';
import { anyJson, objectOf } from '../../fixtures/json-arbitrary.ts';
import { utf8 } from '../../fixtures/text.ts';

const WIDE: JsonLimits = { bytes: 1e6, values: 1e6, elements: 1e6, members: 1e6, stringBytes: 1e6, depth: 100 };

function read(json: string): JsonValue {
  const value = readJson(utf8(json), WIDE);
  if (value instanceof JsonProblem) throw value;
  return value;
}

/** Canonical text of JSON text. */
function canonical(json: string): string {
  return canonicalText(read(json));
}

/** The same by another road: JSON.stringify for scalars, Array.prototype.sort for the order, which is UTF-16 under Node. */
function reference(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(reference).join(',')}]`;
  const members = Object.entries(value).filter(([, inner]) => inner !== null);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${reference(inner)}`).join(',')}}`;
}

/** Compares strings cut into UTF-16 code units. */
function naive(a: string, b: string): number {
  const left = [...Array(a.length).keys()].map((i) => a.charCodeAt(i));
  const right = [...Array(b.length).keys()].map((i) => b.charCodeAt(i));
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i] as number) - (right[i] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** A string as the devices' XS holds it: its length, places and characters are code points (XS.md, Traps). */
function onDevice(text: string): string {
  const points = [...text].map((character) => character.codePointAt(0));
  return { length: points.length, codePointAt: (i: number) => points[i] } as unknown as string;
}

/** Text full of characters whose order by code point is not their order by code unit. */
const tricky = fc
  .array(
    fc.constantFrom(
      'a',
      '\ud7ff',
      '\ue000',
      '\uff01',
      '\uffff',
      '\u{10000}',
      '\u{103ff}',
      '\u{10400}',
      '\u{1f600}',
      '\u{10ffff}',
    ),
    { maxLength: 4 },
  )
  .map((characters) => characters.join(''));

describe('keys', () => {
  it('are sorted at every depth', () => {
    expect(canonical('{"b":1,"a":{"d":[{"f":1,"e":2}],"c":3}}')).toBe('{"a":{"c":3,"d":[{"e":2,"f":1}]},"b":1}');
  });

  it('are sorted by UTF-16 code units: U+1F600 before U+FF01', () => {
    expect(canonical('{"\uff01":1,"\u{1f600}":2,"z":3}')).toBe('{"z":3,"\u{1f600}":2,"\uff01":1}');
  });

  it('are sorted as text where they look like numbers', () => {
    expect(canonical('{"10":1,"9":2,"1":3,"-1":4,"01":5}')).toBe('{"-1":4,"01":5,"1":3,"10":1,"9":2}');
  });

  it('are sorted with upper case first and the shorter of two first', () => {
    expect(canonical('{"b":1,"B":2,"aa":3,"a":4,"":5}')).toBe('{"":5,"B":2,"a":4,"aa":3,"b":1}');
  });

  it('keep their spelling: no normalisation', () => {
    expect(canonical('{"\u00e9":1,"e\u0301":2}')).toBe('{"e\u0301":2,"\u00e9":1}');
  });

  it('may be __proto__, constructor and toString', () => {
    expect(canonical('{"toString":1,"__proto__":{"x":1},"constructor":2}')).toBe(
      '{"__proto__":{"x":1},"constructor":2,"toString":1}',
    );
  });
});

describe('null', () => {
  it('is left out as a member, at every depth', () => {
    expect(canonical('{"a":null,"b":{"c":null},"d":[{"e":null,"f":1}]}')).toBe('{"b":{},"d":[{"f":1}]}');
    expect(canonical('{"a":null}')).toBe('{}');
  });

  it('stays in an array', () => {
    expect(canonical('[null,1,[null]]')).toBe('[null,1,[null]]');
    expect(canonical('{"a":[null]}')).toBe('{"a":[null]}');
  });

  it('is null when it stands alone', () => {
    expect(canonical('null')).toBe('null');
  });
});

describe('numbers', () => {
  it.each([
    ['1.0', '1'],
    ['-0', '0'],
    ['-0.0', '0'],
    ['0e5', '0'],
    ['100', '100'],
    ['1E2', '100'],
    ['1e20', '100000000000000000000'],
    ['1e21', '1e+21'],
    ['123456789012345680000', '123456789012345680000'],
    ['1e-6', '0.000001'],
    ['1e-7', '1e-7'],
    ['0.10', '0.1'],
    ['-1.5', '-1.5'],
    ['1e-400', '0'],
    ['5e-324', '5e-324'],
    ['1.7976931348623157e308', '1.7976931348623157e+308'],
    ['9007199254740993', '9007199254740992'],
    ['0.1e1', '1'],
    ['333333333.33333329', '333333333.3333333'],
  ])('%s is %s', (json, text) => {
    expect(canonical(json)).toBe(text);
  });
});

describe('strings', () => {
  it('have the short escapes', () => {
    expect(canonical('"\\u0008\\u000c\\u000a\\u000d\\u0009\\u0022\\u005c"')).toBe('"\\b\\f\\n\\r\\t\\"\\\\"');
  });

  it('have every other control character as \\u00xx in lower case', () => {
    expect(canonical('"\\u0000\\u000B\\u001F\\u001f"')).toBe('"\\u0000\\u000b\\u001f\\u001f"');
    for (let control = 0; control < 0x20; control++) {
      const text = String.fromCharCode(control);
      expect(canonicalText(text)).toBe(JSON.stringify(text));
    }
  });

  it('have everything else as it is: slash, DEL, C1, U+2028, U+2029, noncharacters', () => {
    expect(canonical('"\\/\\u007f\\u0080\\u009f\\u2028\\u2029\\ufffe"')).toBe(
      '"/\u007f\u0080\u009f\u2028\u2029\ufffe"',
    );
  });

  it('have a pair of surrogates as the character it stands for', () => {
    expect(canonical('"\\ud83d\\ude00"')).toBe('"\u{1f600}"');
    expect(canonicalBytes(read('"\\ud83d\\ude00"'))).toEqual(Uint8Array.of(0x22, 0xf0, 0x9f, 0x98, 0x80, 0x22));
  });

  it('are escaped as names too', () => {
    expect(canonical('{"a\\"\\n":1}')).toBe('{"a\\"\\n":1}');
  });

  it('with a lone surrogate have no bytes', () => {
    expect(canonicalBytes('\ud800')).toBeUndefined();
    expect(canonicalBytes({ '\udc00': 1 })).toBeUndefined();
  });
});

describe('UTF-16 order', () => {
  const signs = fc.tuple(
    fc.oneof(tricky, fc.string({ unit: 'binary', maxLength: 5 })),
    fc.oneof(tricky, fc.string({ unit: 'binary', maxLength: 5 })),
  );

  it('is that of code units', () => {
    fc.assert(
      fc.property(signs, ([a, b]) => {
        expect(Math.sign(compareUtf16(a, b))).toBe(Math.sign(naive(a, b)));
      }),
      { numRuns: 1500 },
    );
  });

  it('is the same on an engine whose strings are code points', () => {
    fc.assert(
      fc.property(signs, ([a, b]) => {
        expect(Math.sign(compareUtf16(onDevice(a), onDevice(b)))).toBe(Math.sign(naive(a, b)));
      }),
      { numRuns: 1500 },
    );
  });

  it('is that of characters 10 000 to 10FFFF among themselves', () => {
    expect(compareUtf16('\u{10000}', '\u{10001}')).toBeLessThan(0);
    expect(compareUtf16('\u{103ff}', '\u{10400}')).toBeLessThan(0);
    expect(compareUtf16('\u{10ffff}', '\u{10000}')).toBeGreaterThan(0);
  });

  it('has every character from U+E000 to U+FFFF after every one beyond', () => {
    for (const low of ['\ue000', '\uf8ff', '\uff01', '\uffff']) {
      for (const astral of ['\u{10000}', '\u{1f600}', '\u{10ffff}'])
        expect(compareUtf16(low, astral)).toBeGreaterThan(0);
    }
  });
});

describe('the canonical text of any JSON', () => {
  it('is what an independent reference gives', () => {
    fc.assert(
      fc.property(anyJson(), (value) => {
        const json = JSON.stringify(value);
        expect(canonical(json)).toBe(reference(JSON.parse(json)));
      }),
      { numRuns: 400 },
    );
  });

  it('is its own canonical text', () => {
    fc.assert(
      fc.property(anyJson(), (value) => {
        const once = canonical(JSON.stringify(value));
        expect(canonical(once)).toBe(once);
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order of members', () => {
    const members = fc.uniqueArray(fc.tuple(fc.oneof(tricky, fc.string({ maxLength: 4 })), anyJson()), {
      selector: ([name]) => name,
      maxLength: 8,
    });
    const orders = members.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
    );
    fc.assert(
      fc.property(orders, ([list, shuffled]) => {
        const text = (entries: typeof list) => canonicalText(read(JSON.stringify(objectOf(entries))));
        expect(text(shuffled)).toBe(text(list));
      }),
      { numRuns: 200 },
    );
  });

  it('does not depend on white space, escapes or the spelling of numbers', () => {
    expect(canonical(' { "\\u0061" : [ 1.0 , "\\/" ] , "b" : 1e2 } ')).toBe(canonical('{"b":100,"a":[1,"/"]}'));
  });

  it('does not change with members that are null', () => {
    fc.assert(
      fc.property(anyJson(), (value) => {
        const json = JSON.stringify(value);
        expect(canonical(`{"x":${json},"y":null}`)).toBe(canonical(`{"x":${json}}`));
      }),
    );
  });

  it('leaves the value as it was', () => {
    const value = read('{"b":[{"d":1,"c":null}],"a":2}');
    const before = JSON.stringify(value);
    canonicalText(value);
    expect(JSON.stringify(value)).toBe(before);
  });
});

it('any JSON has the same canonical text, whole or in pieces, by the ways a device takes', () => {
  fc.assert(
    fc.property(anyJson(), (value) => {
      const json = value as JsonValue;
      expect(byDevice(() => canonicalText(json))).toBe(canonicalText(json));
      const pieces: string[] = [];
      canonicalPieces(json, (piece) => pieces.push(piece));
      expect(pieces.join('')).toBe(canonicalText(json));
    }),
    { numRuns: 1500 },
  );
});
