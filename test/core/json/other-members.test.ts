// Members whose names are not known, on a device: an object never has them as members, since the engine would keep the names
// for ever, and yet nothing is missing in canonical text, in compact form, or in what is refused.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCarefully, readPresentation } from '../../../core/intake/presentation.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import { decodeCompact } from '../../../core/json/compact-reader.ts';
import { encodeCompact } from '../../../core/json/compact-writer.ts';
import { KNOWN_NAMES } from '../../../core/json/known-names.ts';
import { JsonProblem, readJson } from '../../../core/json/reader.ts';
import { writeJson } from '../../../core/json/text.ts';
import { type JsonValue, OTHERS } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS } from '../../../core/limits.ts';
import { grant, present, sba, spa } from '../../fixtures/artifacts.ts';
import { onDevice } from '../../fixtures/device-built-ins.ts';
import { anyJson } from '../../fixtures/json-arbitrary.ts';
import { utf8 } from '../../fixtures/text.ts';

function read(json: string): JsonValue | JsonProblem {
  return readJson(utf8(json), ARTIFACT_LIMITS);
}

/** All names that objects in a value have as members. */
function names(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(names)];
}

const ALLOWED = new Set([...KNOWN_NAMES, OTHERS]);

/** What can be said of a text: the problem, or everything that is made of the value. */
function said(json: string): unknown {
  const value = read(json);
  if (value instanceof JsonProblem) return [value.code, value.message];
  const written = new Uint8Array(20_000);
  const end = writeJson(value, written, 0);
  const compact = new Uint8Array(20_000);
  const size = encodeCompact(value, compact, 0);
  if (size instanceof JsonProblem) return [canonicalText(value), size.code];
  const back = decodeCompact(compact, 0, size);
  if (back instanceof JsonProblem) throw back;
  const text = new TextDecoder().decode(written.subarray(0, end));
  return [canonicalText(value), canonicalText(read(text) as JsonValue), size, canonicalText(back.value)];
}

it.each([
  '{"zz":1,"version":"1.0","aa":{"q":[{"r":null,"s":2}]}}',
  '{"zz":1,"zz":1}',
  '{"zz":null,"zz":null}',
  '{"a":{"zz":1,"yy":2,"zz":3}}',
  `{"${OTHERS}":["version","2"],"version":"1.0"}`,
  `{"${OTHERS}":1,"${OTHERS}":2}`,
  '{"1":1,"0":2,"grantId":"g"}',
  '{"__proto__":{"version":"1"},"constructor":1}',
  '{"\\u0067rantId":"g","zz":1}',
  '{"grantId":"g","\\u0067rantId":"g"}',
  '{"é":1,"\u{1f600}":2,"\uff01":3}',
])('%s means the same on a device', (json) => {
  expect(onDevice(() => said(json))).toEqual(said(json));
});

it('any JSON means the same on a device, and its unknown names are no members there', () => {
  fc.assert(
    fc.property(anyJson(), (value) => {
      const json = JSON.stringify(value);
      expect(onDevice(() => said(json))).toEqual(said(json));
      for (const name of onDevice(() => names(read(json)))) expect(ALLOWED).toContain(name);
    }),
    { numRuns: 1500 },
  );
});

describe('a presentation on a device', () => {
  const odd = { [`x-${Math.PI}`]: { y1: [{ y2: 1 }] } };
  const payments = [
    present({ grant: { ...grant(), ...odd }, sba: { ...sba(), ...odd }, spa: { ...spa(), note: odd } as JsonValue }),
    present({ ...odd } as never),
    utf8(JSON.stringify({ ...sba(), ...odd })),
    utf8(JSON.stringify({ grant: { grant: { ...grant(), ...odd }, note: odd }, sba: sba(), spa: null })),
    utf8(`{"sba":${JSON.stringify(sba())},"odd":1,"odd":2}`),
    utf8(`{"sba":${JSON.stringify(sba())},"odd":null,"odder":2}`),
  ];

  it('has no unknown names as members', () => {
    for (const bytes of payments) {
      const presentation = onDevice(() => readPresentation(bytes));
      if ('ok' in presentation) continue;
      for (const part of ['grant', 'sba', 'spa'] as const)
        for (const name of names(presentation[part])) expect(ALLOWED).toContain(name);
    }
  });

  it('gets the verdict it gets anywhere', () => {
    const verdict = (bytes: Uint8Array) => {
      const read = readCarefully(bytes);
      return 'ok' in read ? read : [canonicalText(read.sba), canonicalText(read.grant ?? null)];
    };
    for (const bytes of payments) expect(onDevice(() => verdict(bytes))).toEqual(verdict(bytes));
  });
});
