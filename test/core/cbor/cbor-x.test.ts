// Any JSON value, written as CBOR by another implementation, is the same value; and any bytes give a value or a refusal.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCbor, readCborWithBytes } from '../../../core/cbor/reader.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import { JsonProblem, readJson } from '../../../core/json/reader.ts';
import { type JsonValue, namesOf, OTHERS } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS, type JsonLimits } from '../../../core/limits.ts';
import { grant, sba, spa } from '../../fixtures/artifacts.ts';
import { cbor } from '../../fixtures/cbor.ts';
import { onDevice } from '../../fixtures/device-built-ins.ts';
import { anyJson } from '../../fixtures/json-arbitrary.ts';
import { jsonBytes, utf8 } from '../../fixtures/text.ts';

const WIDE: JsonLimits = { bytes: 1e6, values: 1e6, elements: 1e6, members: 1e6, stringBytes: 1e6, depth: 100 };

/** What is said of bytes, whatever engine it runs on. */
function said(value: JsonValue | JsonProblem): string {
  return value instanceof JsonProblem ? value.code : canonicalText(value);
}

describe('any JSON value', () => {
  it.each(['compact', 'wide'] as const)('from cbor-x, %s, is what its JSON text is', (form) => {
    fc.assert(
      fc.property(anyJson(), (value) => {
        const expected = readJson(jsonBytes(value), WIDE);
        const bytes = cbor(value, form);
        expect(said(readCbor(bytes, WIDE))).toBe(said(expected));
        if (!(expected instanceof JsonProblem)) expect(readCbor(bytes, WIDE)).toEqual(withoutMinusZero(expected));
      }),
      { numRuns: 3000 },
    );
  });

  it('is the same on a device, and its unknown names are no members there', () => {
    fc.assert(
      fc.property(anyJson(), (value) => {
        const [text, layout] = onDevice(() => {
          const read = readCbor(cbor(value), WIDE) as JsonValue;
          return [canonicalText(read), layoutOf(read)] as const;
        });
        expect(text).toBe(said(readJson(jsonBytes(value), WIDE)));
        expect(layout).toEqual(onDevice(() => layoutOf(readJson(jsonBytes(value), WIDE) as JsonValue)));
      }),
      { numRuns: 1500 },
    );
  });

  it('is within the limits exactly where its JSON text is', () => {
    let past = 0;
    fc.assert(
      fc.property(
        anyJson(),
        fc.nat({ max: 80 }),
        fc.integer({ min: 1, max: 8 }),
        fc.nat({ max: 6 }),
        (value, bytes, few, size) => {
          const encoded = cbor(value);
          // A number of more than fifteen characters counts as the longest one, and may be longer as CBOR.
          const limits = {
            ...WIDE,
            bytes: 40 + bytes,
            elements: few,
            members: few,
            values: 3 * few,
            // A number's text is within this limit, too.
            stringBytes: 26 + size,
          };
          const byJson = readJson(jsonBytes(value), { ...limits, depth: 3 });
          const byCbor = readCbor(encoded, { ...limits, depth: 3 });
          if (said(byJson) === said(byCbor)) {
            if (byCbor instanceof JsonProblem) past++;
            return;
          }
          expect(encoded.length > limits.bytes || /[-+.e\d]{16}/.test(JSON.stringify(value))).toBe(true);
          expect(said(byCbor)).toBe('LIMIT_EXCEEDED');
        },
      ),
      { numRuns: 3000 },
    );
    expect(past).toBeGreaterThan(100);
  });
});

describe('any bytes', () => {
  /** A value, or a refusal with a sentence; the same on a device. */
  function survives(bytes: Uint8Array): void {
    const value = readCbor(bytes, ARTIFACT_LIMITS);
    if (value instanceof JsonProblem) expect(value.message).toMatch(/^[a-zA-Z0-9].* at byte \d+$/s);
    else expect(said(readJson(utf8(canonicalText(value)), WIDE))).toBe(canonicalText(value));
    // What stands for a device's converter here takes text that is no UTF-8.
    if (!(value instanceof JsonProblem && value.message.includes('UTF-8')))
      expect(onDevice(() => said(readCbor(bytes, ARTIFACT_LIMITS)))).toBe(said(value));
    const more = readCborWithBytes(bytes, ARTIFACT_LIMITS);
    if (!(value instanceof JsonProblem)) expect(more).toEqual(value);
  }

  it('of an artifact that was cut anywhere are refused', () => {
    for (const artifact of [grant({}, {}, 'envelope'), sba(), spa()]) {
      const bytes = cbor(artifact);
      for (let length = 0; length < bytes.length; length++)
        expect(said(readCbor(bytes.subarray(0, length), ARTIFACT_LIMITS))).toBe('ARTIFACT_INVALID');
      expect(said(readCbor(Uint8Array.of(...bytes, 0), ARTIFACT_LIMITS))).toBe('ARTIFACT_INVALID');
    }
  });

  it('of an artifact with any bit turned are read or refused', () => {
    for (const artifact of [grant({}, {}, 'envelope'), sba(), spa()]) {
      const bytes = cbor(artifact, 'wide');
      for (let bit = 0; bit < 8 * bytes.length; bit++) {
        const turned = bytes.slice();
        turned[bit >> 3] = (turned[bit >> 3] as number) ^ (1 << (bit & 7));
        survives(turned);
      }
    }
  });

  it('at all are read or refused', () => {
    const heads = fc.constantFrom(
      0x00,
      0x18,
      0x3b,
      0x41,
      0x61,
      0x81,
      0x9f,
      0xa1,
      0xbf,
      0xc1,
      0xf4,
      0xf7,
      0xf9,
      0xfb,
      0xff,
    );
    const any = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.array(fc.oneof(heads, fc.nat(255)), { maxLength: 40 }));
    fc.assert(
      fc.property(any, (bytes) => survives(Uint8Array.from(bytes))),
      { numRuns: 5000 },
    );
  });
});

/** How a value lies in objects. */
function layoutOf(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  if (Array.isArray(value)) return value.map(layoutOf);
  const object = value as { readonly [name: string]: JsonValue };
  const names = Object.keys(object).filter((name) => name !== OTHERS);
  return [names.sort(), namesOf(object).sort(), names.map((name) => layoutOf(object[name] as JsonValue))];
}

function withoutMinusZero(value: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
