// JSON read in pieces: whatever the window, the verdict is the one on the whole text, and the canonical text is the same.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../core/json/canonical.ts';
import { canonicalParts } from '../../../core/json/canonical-stream.ts';
import { JsonProblem, JsonReader, readJson } from '../../../core/json/reader.ts';
import { type ByteSource, JsonStream } from '../../../core/json/stream.ts';
import type { JsonValue } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS, type JsonLimits } from '../../../core/limits.ts';
import { crypto } from '../../fixtures/device.ts';
import { anyJson } from '../../fixtures/json-arbitrary.ts';
import { bytesOf, jsonBytes, utf8 } from '../../fixtures/text.ts';

const SMALL: JsonLimits = { bytes: 400, values: 40, elements: 8, members: 6, stringBytes: 16, depth: 4 };
const WINDOWS = [1, 2, 3, 7, 16];

/** Text somewhere in a larger source, of which nothing but the text is to be read. */
function sourceOf(bytes: Uint8Array, before = 5): { readonly source: ByteSource; readonly reads: number[] } {
  const reads: number[] = [];
  const source = {
    read(offset: number, target: Uint8Array): void {
      if (offset < before || offset + target.length > before + bytes.length) throw new Error('read beside the text');
      reads.push(target.length);
      target.set(bytes.subarray(offset - before, offset - before + target.length));
    },
  };
  return { source, reads };
}

function opened(bytes: Uint8Array, limits: JsonLimits, window: number): JsonStream {
  return new JsonStream(sourceOf(bytes).source, crypto, limits, window);
}

/** Reads a text in pieces: its canonical text, or the code of the refusal. */
function inPieces(bytes: Uint8Array, limits: JsonLimits, window: number): string {
  const stream = opened(bytes, limits, window);
  try {
    stream.open(5, 5 + bytes.length);
    stream.checkUtf8();
    stream.value();
    stream.end();
  } catch (problem) {
    if (problem instanceof JsonProblem) return problem.code;
    throw problem;
  }
  stream.openTrusted(5, 5 + bytes.length);
  const parts: Buffer[] = [];
  canonicalParts(stream, 5, undefined, (part) => parts.push(Buffer.from(part)));
  return Buffer.concat(parts).toString();
}

/** The same of the whole text. */
function whole(bytes: Uint8Array, limits: JsonLimits): string {
  const value = readJson(bytes, limits);
  return value instanceof JsonProblem ? value.code : canonicalText(value);
}

function sameVerdict(text: string | Uint8Array, limits: JsonLimits = ARTIFACT_LIMITS, windows = WINDOWS): void {
  const bytes = typeof text === 'string' ? utf8(text) : text;
  const expected = whole(bytes, limits);
  for (const window of windows) expect([window, inPieces(bytes, limits, window)]).toEqual([window, expected]);
}

describe('reading in pieces gives the verdict and the canonical text of reading whole', () => {
  it.each([
    ...['null', 'true', 'false', '0', '-0', '-12.50e+3', '1E5', '1e-5', '1e400', '-', '01', '1.', '1e', '+1', '.5'],
    ...['""', '"a"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u0041\\u00e9\\ud83d\\ude00"', '"é\u{1f600}\u007f\u2028\ufffe"'],
    ...[
      '"\\ud83d"',
      '"\\ud83dx"',
      '"\\ud83d\\u0041"',
      '"\\ude00"',
      '"\\u12"',
      '"\\x"',
      '"\\',
      '"a',
      '"\u0001"',
      '"\t"',
    ],
    ...['[]', '[1]', '[[],{},[null]]', '[1,]', '[,1]', '[1 2]', '[', ']', '[1', '[1,'],
    ...[
      '{}',
      '{"":1}',
      '{"a":1,"b":null}',
      '{"a":null}',
      '{"b":1,"a":2}',
      '{"10":1,"9":2,"a":3}',
      '{"a":{"c":1,"b":2}}',
    ],
    ...['{"a":1,}', '{"a"}', '{"a":}', '{a:1}', '{"a" :\n1 }', '{', '{"a":1', '{"a":1 "b":2}', '{"a":1]', '[}'],
    ...[
      '{"a":1,"a":1}',
      '{"a":1,"b":2,"a":null}',
      '{"issuer":1,"\\u0069ssuer":2}',
      '{"é":1,"\\u00e9":2}',
      '{"":1,"":2}',
    ],
    ...['{"x":{"kid":1,"kid":2}}', '[{"kid":1},{"kid":2}]', '{"kid":{"kid":1}}', '{"__proto__":1,"constructor":2}'],
    ...['{"\\ud800":null}', '{"\\ud800":1}', '{"\\ud800":null,"\\ud800":null}', '{"\\ud800":null,"\\ud801":null}'],
    ...['{"\\ufffd":1,"\\ud800":null}', '{"\u{1f600}":1,"\uff01":2}', '{"\\ud83d\\ude00":1,"\u{1f600}":1}'],
    ...['', ' ', '1 2', ' 1 ', '1\u00a0', '\ufeff1', 'nul', 'nulL', 'truefalse', '1x', '{"a":tru}', '\n[ 1 , 2 ]\r\t'],
  ])('%s', (text) => sameVerdict(text));

  it.each([
    ['a byte that is none of UTF-8', bytesOf('"', 0xff, '"')],
    ['an overlong form', bytesOf('"', 0xc0, 0xaf, '"')],
    ['a surrogate', bytesOf('"', 0xed, 0xa0, 0x80, '"')],
    ['a sequence cut by the quote', bytesOf('"', 0xf0, 0x9f, 0x98, '"')],
    ['a value past U+10FFFF', bytesOf('"', 0xf4, 0x90, 0x80, 0x80, '"')],
    ['a sequence cut by the end', bytesOf('"', 0xc3)],
    ['bytes beside a string', bytesOf('[', 0xc3, 0xa9, ']')],
  ])('%s', (_, bytes) => sameVerdict(bytes));

  it('of any text', () => {
    fc.assert(
      fc.property(anyJson(), fc.integer({ min: 1, max: 16 }), (value, window) =>
        sameVerdict(jsonBytes(value), ARTIFACT_LIMITS, [window]),
      ),
    );
  });

  it('of any text with bytes changed, taken out or doubled', () => {
    const change = fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...'{}[]",:\\u0e-1 n\u0000', 'é', '\ud83d'));
    const text = fc.tuple(anyJson(), fc.array(change, { minLength: 1, maxLength: 3 })).map(([value, changes]) => {
      let json = JSON.stringify({ a: value, kid: [value] });
      for (const [place, how, character] of changes) {
        const at = place % (json.length + 1);
        json = json.slice(0, at) + (how === 0 ? '' : character) + json.slice(how === 2 ? at : at + 1);
      }
      return json;
    });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 16 }), (json, window) =>
        sameVerdict(json, ARTIFACT_LIMITS, [window]),
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['bytes', (n: number) => `[${'1'.repeat(4)}${' '.repeat(394 + n)}]`],
    ['values', (n: number) => `[${Array(4).fill('[0,0,0,0,0,0,0,0]')},[0${',0'.repeat(2 + n)}]]`],
    ['elements', (n: number) => `[0${',0'.repeat(7 + n)}]`],
    ['members', (n: number) => `{"a":0${Array.from({ length: 5 + n }, (_, i) => `,"m${i}":0`).join('')}}`],
    ['bytes of a string', (n: number) => `"${'é'.repeat(7)}${'x'.repeat(2 + n)}"`],
    ['bytes of a string with escapes', (n: number) => `"\\u00e9${'x'.repeat(14 + n)}"`],
    ['bytes of a string that ends with escapes', (n: number) => `"x\\ud83d\\ude00${'\\n'.repeat(11 + n)}"`],
    ['bytes of a name', (n: number) => `{"${'x'.repeat(16 + n)}":1}`],
    ['bytes of a number', (n: number) => `1${'0'.repeat(15 + n)}`],
    ['depth', (n: number) => `${'['.repeat(4 + n)}${']'.repeat(4 + n)}`],
    ['depth of objects', (n: number) => `${'{"a":'.repeat(4 + n)}1${'}'.repeat(4 + n)}`],
  ])('at the limit of %s and one past it', (_, text) => {
    expect(whole(utf8(text(0)), SMALL)).not.toBe('LIMIT_EXCEEDED');
    expect(whole(utf8(text(1)), SMALL)).toBe('LIMIT_EXCEEDED');
    for (const n of [0, 1]) sameVerdict(text(n), SMALL);
  });

  it.each([
    ['a limit, then a fault in the same string', '"xxxxxxxxxxxxxxxxxxxx\u0001"'],
    ['a limit in a string before its first escape', '"xxxxxxxxxxxxxxxxxxxx\\x"'],
    ['a limit in a string behind an escape that is none', '"\\xxxxxxxxxxxxxxxxxxxxx"'],
    ['a limit behind a member that is there twice', '{"a":1,"a":2,"b":"xxxxxxxxxxxxxxxxxxxxxx"}'],
    ['a limit behind an object with a member twice', '[{"a":1,"a":2},"xxxxxxxxxxxxxxxxxxxxxx"]'],
    ['too many members, the last a fault', `{${Array.from({ length: 7 }, (_, i) => `"${i}":1`)},x}`],
    ['a number too long with a fault behind it', `1${'0'.repeat(30)}x`],
    ['a number too long that is none', `1${'0'.repeat(30)}e`],
  ])('of two faults the same one counts: %s', (_, text) => sameVerdict(text, SMALL));

  it('of names that are longer than a string may be, in what is not used', () => {
    const text = (a: string, b: string) => `{"x":{"${a}":1,"${b}":2}}`;
    const long = (end: string) => `${'n'.repeat(40)}${end}`;
    for (const [a, b, ok] of [
      [long('a'), long('b'), true],
      [long('a'), long('a'), false],
      [long('a'), `\\u006e${long('a').slice(1)}`, false],
    ] as const) {
      const bytes = utf8(text(a, b));
      for (const window of WINDOWS) {
        const stream = opened(bytes, SMALL, window);
        stream.open(5, 5 + bytes.length);
        const discard = () => stream.members(() => stream.discard());
        if (ok) expect(discard()).toBe(true);
        else expect(discard).toThrow(JsonProblem);
      }
      const reader = new JsonReader(bytes, SMALL);
      const discard = () => reader.members(() => reader.discard());
      if (ok) expect(discard()).toBe(true);
      else expect(discard).toThrow(JsonProblem);
    }
  });
});

describe('an array of objects with many names', () => {
  it('takes memory only for the objects that are open', () => {
    const many = Array.from({ length: 30 }, () => ({ a1: 1, a2: 2, a3: 3, a4: 4 }));
    const bytes = jsonBytes(many);
    const stream = opened(bytes, ARTIFACT_LIMITS, 16);
    stream.open(5, 5 + bytes.length);
    stream.value();
    expect(stream.memoryBytes).toBe(16 + 1024 + 512 + 64);
  });

  it('takes more where objects with many members are in one another', () => {
    let nested: JsonValue = 1;
    for (let depth = 0; depth < 3; depth++)
      nested = Object.fromEntries([...Array.from({ length: 62 }, (_, i) => [`m${i}`, 0]), ['n', nested]]);
    const bytes = jsonBytes(nested);
    const stream = opened(bytes, ARTIFACT_LIMITS, 16);
    stream.open(5, 5 + bytes.length);
    stream.value();
    expect(stream.memoryBytes).toBe(16 + 1024 + 2048 + 64);
  });
});

describe('what reading in pieces reads', () => {
  it('is a window at a time', () => {
    const bytes = jsonBytes({ a: 'x'.repeat(500), b: [1, 2, 3] });
    const { source, reads } = sourceOf(bytes);
    const stream = new JsonStream(source, crypto, ARTIFACT_LIMITS, 64);
    stream.open(5, 5 + bytes.length);
    stream.value();
    expect(Math.max(...reads)).toBe(64);
    expect(reads.length).toBe(Math.ceil(bytes.length / 64));
  });

  it('is at most as long as the longest string', () => {
    const { source } = sourceOf(jsonBytes(1));
    const { stringBytes } = ARTIFACT_LIMITS;
    expect(() => new JsonStream(source, crypto, ARTIFACT_LIMITS, stringBytes + 1)).toThrow(RangeError);
    expect(() => new JsonStream(source, crypto, ARTIFACT_LIMITS, stringBytes)).not.toThrow();
  });

  it('a source that fails is not a fault of the text', () => {
    const failing = {
      read(): void {
        throw new RangeError('gone');
      },
    };
    const stream = new JsonStream(failing, crypto, ARTIFACT_LIMITS, 16);
    stream.open(0, 10);
    expect(() => stream.value()).toThrow(RangeError);
  });
});
