// Canonical text from slices of the text that was read: the same as canonical text, or not offered.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../core/json/canonical.ts';
import { JsonReader } from '../../../core/json/reader.ts';
import { sourceText } from '../../../core/json/source-members.ts';
import type { JsonObject } from '../../../core/json/value.ts';
import type { JsonLimits } from '../../../core/limits.ts';
import { anyJson } from '../../fixtures/json-arbitrary.ts';
import { utf8 } from '../../fixtures/text.ts';

const WIDE: JsonLimits = { bytes: 1e6, values: 1e6, elements: 1e6, members: 1e6, stringBytes: 1e6, depth: 100 };

/** Reads `{"authorization": …}` as an artifact: the object, and its text from slices where that is offered. */
function read(authorization: string): { object: JsonObject; slices: string | undefined } {
  const reader = new JsonReader(utf8(`{"authorization":${authorization}}`), WIDE);
  const artifact = reader.artifact('authorization', ['authorization']) as { authorization: JsonObject };
  const source = reader.sources.find((one) => one.object === artifact.authorization);
  return { object: artifact.authorization, slices: source && sourceText(source) };
}

describe('slices are offered, and are the canonical text', () => {
  it.each([
    '{}',
    '{"b":1,"a":2}',
    '{"b":{"a":1,"b":[1,null,{"c":"x"}]},"a":true}',
    '{"10":1,"9":2,"1":3}',
    '{"b":null,"a":1,"c":null}',
    '{"a":null}',
    '{"a":"/\u007f~"}',
    '{"n":0,"m":-1.5,"o":1e+21,"p":1e-7}',
  ])('of %s', (json) => {
    const { object, slices } = read(json);
    expect(slices).toBe(canonicalText(object));
  });
});

describe('slices are not offered', () => {
  it.each([
    ['white space', '{ "a":1}', '{"a" :1}', '{"a": 1}', '{"a":1 }', '{"a":1, "b":2}', '{"a":[1, 2]}'],
    ['an escape', '{"a":"\\u0061"}', '{"\\u0061":1}', '{"a":"\\/"}', '{"a":"\\n"}'],
    [
      'a number of another spelling',
      '{"a":1.0}',
      '{"a":-0}',
      '{"a":1E2}',
      '{"a":100000000000000000000000}',
      '{"a":[0.10]}',
    ],
    ['members out of order below', '{"a":{"c":1,"b":2}}', '{"a":[{"b":1,"a":1}]}'],
    ['a null member below', '{"a":{"b":null}}', '{"a":[{"b":null}]}'],
    ['text that is not ASCII', '{"a":"é"}', '{"é":1}'],
  ])('for %s', (_, ...texts) => {
    for (const json of texts) expect(read(json).slices, json).toBeUndefined();
  });
});

it('for any object, spelled in any way, slices are the canonical text or not offered', () => {
  const offered = { compact: 0, spaced: 0 };
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ maxLength: 4 }), anyJson()),
      fc.constantFrom(undefined, 1),
      (value, space) => {
        const { object, slices } = read(JSON.stringify(value, null, space));
        if (slices === undefined) return;
        expect(slices).toBe(canonicalText(object));
        offered[space === undefined ? 'compact' : 'spaced']++;
      },
    ),
    { numRuns: 2000 },
  );
  expect(offered.compact).toBeGreaterThan(0);
});

it('the inner object of a grant is offered, and each artifact has its own', () => {
  const reader = new JsonReader(utf8('{"g":{"grant":{"b":1,"a":2},"issuer":"i"},"s":{"authorization":{"a":3}}}'), WIDE);
  reader.members((name) => void reader.artifact(name === 's' ? 'authorization' : 'grant'));
  expect(reader.sources.map(sourceText)).toEqual(['{"a":2,"b":1}', '{"a":3}']);
});

it('only the member that is named as signed is offered', () => {
  const reader = new JsonReader(utf8('{"grant":{"a":1},"authorization":{"b":2},"other":{"c":3}}'), WIDE);
  reader.artifact('other');
  expect(reader.sources.map(sourceText)).toEqual(['{"c":3}']);
});

it('a name that comes twice is refused there too', () => {
  expect(() => read('{"a":1,"b":2,"a":1}')).toThrow('member "a" appears twice');
});
