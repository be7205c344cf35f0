// JSON text written into bytes: it reads back as the same data, and where there is no room it says so.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../core/json/canonical.ts';
import { readJson } from '../../../core/json/reader.ts';
import { writeJson, writeText } from '../../../core/json/text.ts';
import type { JsonValue } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS } from '../../../core/limits.ts';
import { anyJson } from '../../fixtures/json-arbitrary.ts';

function written(value: JsonValue, room = 1024): string {
  const target = new Uint8Array(room);
  const end = writeJson(value, target, 7);
  expect(end).toBeGreaterThan(7);
  return Buffer.from(target.subarray(7, end)).toString('utf8');
}

describe('JSON text in bytes', () => {
  it('reads back with the same canonical text', () => {
    fc.assert(
      fc.property(anyJson(), (value) => {
        const text = written(value as JsonValue, 65_536);
        const limits = { ...ARTIFACT_LIMITS, bytes: 65_536, values: 65_536, stringBytes: 65_536 };
        expect(canonicalText(readJson(Buffer.from(text), limits) as JsonValue)).toBe(canonicalText(value as JsonValue));
      }),
      { numRuns: 300 },
    );
  });

  it('leaves out members that are null, keeps null in arrays, and writes numbers short', () => {
    expect(written({ a: null, b: [null, true], c: 1e20, d: 0.1, e: '"\n\u0001ü\u{1f600}' })).toBe(
      '{"b":[null,true],"c":1e+20,"d":0.1,"e":"\\"\\n\\u0001ü\u{1f600}"}',
    );
  });

  it('is never written past the end', () => {
    const value = { text: 'abc', list: [1, { deep: [true, 'x'.repeat(50)] }], number: 12 };
    const { length } = JSON.stringify(value);
    for (let room = 0; room < length; room++) expect(writeJson(value, new Uint8Array(room), 0)).toBe(-1);
    expect(writeJson(value, new Uint8Array(length), 0)).toBe(length);
  });

  it('goes on saying that there was no room', () => {
    expect(writeText(',', new Uint8Array(8), -1)).toBe(-1);
  });
});
