// Plain text: what the engine's own parser may be given, and what it read from it is what the careful reader reads. Only JSON
// that nobody could read in two ways is plain; everything else is left to the careful reader.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText, textInOrder } from '../../../core/json/canonical.ts';
import { MEMBER_ORDER } from '../../../core/json/member-order.ts';
import { isWithin, type PlainText, partOf, readPlain } from '../../../core/json/plain.ts';
import { JsonProblem, readJson } from '../../../core/json/reader.ts';
import type { JsonObject } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS, type JsonLimits, PLAIN_BRACKETS, PLAIN_BYTES, PLAIN_COMMAS } from '../../../core/limits.ts';
import { fleetPolicy, grant, intent, sba, spa } from '../../fixtures/artifacts.ts';
import { anyJson } from '../../fixtures/json-arbitrary.ts';
import { bytesOf, utf8 } from '../../fixtures/text.ts';

const WIDE: JsonLimits = { bytes: 1e6, values: 1e6, elements: 1e6, members: 1e6, stringBytes: 1e6, depth: 100 };

describe('plain text is read', () => {
  it.each(['{}', '[]', '"a"', '1', 'true', 'null', '{"b":1,"a":[{"c":null},-1.5,100000000000000,1e-7,"/\u007f"]}'])(
    '%s',
    (json) => {
      expect(readPlain(utf8(json))).toMatchObject({ text: json, value: readJson(utf8(json), WIDE) });
    },
  );

  it('artifacts, as they are issued', () => {
    for (const artifact of [grant(), grant({}, {}, 'envelope'), sba(), spa(), intent(), fleetPolicy()])
      expect(readPlain(utf8(JSON.stringify(artifact)))?.value).toEqual(artifact);
  });
});

describe('left to the careful reader', () => {
  it.each([
    ['a member that appears twice', '{"a":1,"a":1}', '{"a":1,"a":2}', '{"a":{"b":1,"b":[]}}', '[{"":0,"":0}]'],
    ['a member that appears twice beside a number that gets longer', '{"a":1e20,"a":1e20}', '{"a":1e20,"b":0,"b":0}'],
    ['white space', ' {}', '{} ', '{ }', '{"a": 1}', '[1, 2]', '\n1'],
    ['escapes', '"\\n"', '"\\u0061"', '"\\ud800"', '{"\\u0061":1}', '{"a":1,"\\u0061":1}', '"\\/"', '"\\""'],
    ['numbers of another spelling', '1.0', '-0', '1E2', '1e2', '0.10', '1e999', '-1e999', '100000000000000000000000'],
    ['numbers that an engine may not write right', '1e+21', '9007199254740992', '0.30000000000000004'],
    ['text that is not ASCII', '"é"', '{"\u{1f600}":1}', '\ufeff{}'],
    ['members that look like indexes, out of order', '{"b":1,"1":2}', '{"10":1,"9":2}'],
    ['what is not JSON', '', '{', '{"a"}', '[1,]', 'undefined', 'NaN', "{'a':1}", '01', '+1', '.5', '"', '{}{}', '1,2'],
  ])('%s', (_, ...texts) => {
    for (const text of texts) expect(readPlain(utf8(text)), text).toBeUndefined();
  });

  it('bytes that are not UTF-8, are cut, or have a zero in them', () => {
    expect(readPlain(bytesOf('"', 0xc0, 0x80, '"'))).toBeUndefined();
    expect(readPlain(bytesOf('"', 0xed, 0xa0, 0x80, '"'))).toBeUndefined();
    expect(readPlain(bytesOf('{}', 0))).toBeUndefined();
    expect(readPlain(bytesOf('"a', 0, '"'))).toBeUndefined();
  });

  it('text past what a device may parse: bytes, commas, brackets', () => {
    expect(readPlain(utf8(`"${'a'.repeat(PLAIN_BYTES - 2)}"`))).toBeDefined();
    expect(readPlain(utf8(`"${'a'.repeat(PLAIN_BYTES - 1)}"`))).toBeUndefined();
    expect(readPlain(utf8(`[${'0,'.repeat(PLAIN_COMMAS)}0]`))).toBeDefined();
    expect(readPlain(utf8(`[${'0,'.repeat(PLAIN_COMMAS + 1)}0]`))).toBeUndefined();
    const nested = (open: string, close: string, depth: number) => utf8(open.repeat(depth) + close.repeat(depth));
    expect(readPlain(nested('[', ']', PLAIN_BRACKETS))).toBeDefined();
    expect(readPlain(nested('[', ']', PLAIN_BRACKETS + 1))).toBeUndefined();
    expect(readPlain(nested('[[', ']]', PLAIN_BYTES / 4))).toBeUndefined();
    const half = PLAIN_BRACKETS / 2;
    expect(readPlain(utf8(`${'{"a":['.repeat(half)}${']}'.repeat(half)}`))).toBeDefined();
    expect(readPlain(utf8(`${'{"a":['.repeat(half)}[]${']}'.repeat(half)}`))).toBeUndefined();
  });
});

/** JSON text of any value, and of what is nearly one: spaced, with members doubled, numbers respelt, characters changed. */
const nearlyPlain = fc
  .tuple(
    anyJson(),
    fc.nat({ max: 7 }),
    fc.nat(),
    fc.constantFrom('"', ',', '{', '}', ' ', '\\', '0', 'e', '\u0000', ':'),
  )
  .map(([value, how, at, character]) => {
    const text = JSON.stringify(value);
    const place = at % (text.length + 1);
    if (how === 0) return JSON.stringify(value, null, 1);
    if (how === 1) return text.replace('{', '{"a":0,').replace('}', ',"a":0}').replace(',}', '}');
    if (how === 2) return text.slice(0, place) + character + text.slice(place);
    if (how === 3) return text.slice(0, place) + text.slice(place + 1);
    if (how === 4) return text.replace(/\d+/, '1e20');
    return text;
  });

it('whatever text is taken, the careful reader takes it too, and reads the same', () => {
  let taken = 0;
  fc.assert(
    fc.property(nearlyPlain, (text) => {
      const bytes = utf8(text);
      const plain = readPlain(bytes);
      if (plain === undefined) return;
      taken++;
      const careful = readJson(bytes, WIDE);
      expect(careful).not.toBeInstanceOf(JsonProblem);
      expect(JSON.stringify(plain.value)).toBe(JSON.stringify(careful));
      expect(canonicalText(plain.value)).toBe(canonicalText(careful as never));
    }),
    { numRuns: 4000 },
  );
  expect(taken).toBeGreaterThan(100);
});

describe('limits', () => {
  const limits: JsonLimits = { bytes: 60, values: 8, elements: 4, members: 4, stringBytes: 10, depth: 3 };
  const isWithinAll = (text: string, around?: number) => {
    const plain = readPlain(utf8(text));
    return plain !== undefined && isWithin(plain, limits, around);
  };
  const isRead = (text: string) => !(readJson(utf8(text), limits) instanceof JsonProblem);

  it.each([
    ['bytes', `["${'a'.repeat(10)}","${'b'.repeat(10)}","${'c'.repeat(10)}","${'d'.repeat(10)}","${'e'.repeat(8)}"]`],
    ['elements', '[1,2,3,4,5]'],
    ['members', '{"a":1,"b":1,"c":1,"d":1,"e":1}'],
    ['values', '[[1,2],[3,4],[5,6]]'],
    ['depth', '[[[[]]]]'],
    ['a long string', '["aaaaaaaaaaa"]'],
    ['a long name', '{"aaaaaaaaaaa":1}'],
  ])('past the limit of %s nothing is within', (_, text) => {
    expect(isRead(text)).toBe(false);
    expect(isWithinAll(text)).toBe(false);
  });

  it('what a limit just holds is within', () => {
    for (const text of ['[1,2,3,4]', '{"a":1,"b":1,"c":1,"d":1}', '[[[]]]', '["aaaaaaaaaa"]', '{"aaaaaaaaaa":1}'])
      expect(isWithinAll(text), text).toBe(true);
  });

  it('brackets around the value do not count', () => {
    expect(isWithinAll('{"a":[[[]]]}')).toBe(false);
    expect(isWithinAll('{"a":[[[]]]}', 1)).toBe(true);
  });

  it('what is within them is within them for the careful reader', () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.string({ unit: fc.constantFrom('a', ',', '[', '{'), maxLength: 12 }),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 11 }), tie('value'), { maxKeys: 5 }),
      ),
    })).value;
    let within = 0;
    fc.assert(
      fc.property(value, (one) => {
        const text = JSON.stringify(one);
        if (!isWithinAll(text)) return;
        within++;
        expect(isRead(text)).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(within).toBeGreaterThan(100);
  });

  it('an ordinary payment is within those of an artifact', () => {
    const plain = readPlain(utf8(JSON.stringify({ grant: grant(), sba: sba(), spa: spa() }))) as PlainText;
    expect(isWithin(plain, ARTIFACT_LIMITS, 1)).toBe(true);
  });

  it('a part of plain text is counted by itself', () => {
    const plain = readPlain(utf8('{"a":[1,{"b":"["}],"c":[2,3,4]}')) as PlainText;
    expect(partOf(plain, (plain.value as JsonObject).a as JsonObject)).toEqual({
      length: 13,
      text: '[1,{"b":"["}]',
      commas: 1,
      brackets: 3,
    });
  });
});

describe('text in the order of the usual members', () => {
  it('is the canonical text of what is signed', () => {
    const signed: [string, JsonObject][] = [
      ['PolicyGrant', grant({}, {}, 'envelope').grant as JsonObject],
      ['PolicyGrant', { ...grant(), signature: null as never, velocityLimit: { windowSeconds: 1, maxPayments: 2 } }],
      ['SBA', sba().authorization as JsonObject],
      ['SPA', spa().authorization as JsonObject],
      ['SettlementIntent', intent()],
      ['FPA', fleetPolicy().authorization as JsonObject],
    ];
    for (const [domain, object] of signed) {
      const { signature: _, ...members } = object;
      expect(textInOrder(members, MEMBER_ORDER[domain] as string[]), domain).toBe(canonicalText(members));
    }
  });

  it('is not offered where a member has another name, at any depth, or is null', () => {
    const order = ['a', 'b'];
    for (const object of [{ c: 1 }, { a: { c: 1 } }, { a: [{ b: 1, c: '' }] }, { a: null }, { a: { b: null } }])
      expect(textInOrder(object, order), JSON.stringify(object)).toBeUndefined();
    expect(textInOrder({ b: [null], a: { b: 1, a: 2 } }, order)).toBe('{"a":{"a":2,"b":1},"b":[null]}');
  });

  it('has every list in order, nothing twice', () => {
    for (const order of Object.values(MEMBER_ORDER)) expect([...new Set(order)].sort()).toEqual(order);
  });

  it('of any object is the canonical text or not offered', () => {
    fc.assert(
      fc.property(anyJson(), (value) => {
        const object = { a: value, b: value } as JsonObject;
        const text = textInOrder(object, ['', '\u0000', '__proto__', 'a', 'b', 'constructor', 'toString']);
        if (text !== undefined) expect(text).toBe(canonicalText(object));
      }),
      { numRuns: 2000 },
    );
  });
});
