// docs/FORMAT.md on compact JSON: every byte code by hand, in both directions, by an encoder of its own, and the dictionary,
// which is frozen with the journal's format.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPACT_NAMES, COMPACT_VALUES } from '../../../core/json/compact-dictionary.ts';
import { decodeCompact } from '../../../core/json/compact-reader.ts';
import { encodeCompact } from '../../../core/json/compact-writer.ts';
import { JsonProblem } from '../../../core/json/reader.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import { JOURNAL_FORMAT } from '../../../core/ledger/journal-record.ts';
import { fleetPolicy, grant, INTENT, sba, spaFor } from '../../fixtures/artifacts.ts';

const DOCUMENT = readFileSync(new URL('../../../docs/FORMAT.md', import.meta.url), 'utf8');

/** The lists as the document has them. */
function listed(title: string): string[] {
  const from = DOCUMENT.indexOf(title);
  const rows = DOCUMENT.slice(from).split('\n\n')[1] ?? '';
  return [...rows.matchAll(/`([^`]*)`/g)].map(([, text]) => text as string);
}

const NAMES = listed('Known names, in the order of their numbers:');
const VALUES = listed('Known values:');

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function written(value: JsonValue, texts: string[] = []): Buffer {
  const target = new Uint8Array(4096);
  const end = encodeCompact(value, target, 0, texts);
  if (end instanceof JsonProblem) throw end;
  return Buffer.from(target.subarray(0, end));
}

function read(hex: Buffer, texts: string[] = []): JsonValue {
  const value = decodeCompact(hex, 0, hex.length, texts);
  if (value instanceof JsonProblem) throw value;
  expect(value.end).toBe(hex.length);
  return value.value;
}

describe('the dictionary', () => {
  it('is frozen: whoever changes it makes a new format of the journal', () => {
    const digest = createHash('sha256')
      .update(JSON.stringify([COMPACT_NAMES, COMPACT_VALUES]))
      .digest('hex');
    expect([JOURNAL_FORMAT, COMPACT_NAMES.length, COMPACT_VALUES.length, digest]).toEqual([1, 70, 54, DIGEST]);
  });

  it('is what the document says', () => {
    expect(NAMES).toEqual(COMPACT_NAMES);
    expect(VALUES).toEqual(COMPACT_VALUES);
  });

  it('is one byte for each of its texts', () => {
    VALUES.forEach((text, number) => {
      expect(written(text)).toEqual(Buffer.from([number]));
      expect(read(Buffer.from([number]))).toBe(text);
    });
    NAMES.forEach((name, number) => {
      expect(written({ [name]: 0 })).toEqual(Buffer.from([0xa1, number, 0x80]));
      expect(read(Buffer.from([0xa1, number, 0x80]))).toEqual({ [name]: 0 });
    });
  });
});

/** Of names and values as the journal's format 1 has them. */
const DIGEST = '291a7ec5cb1bd296c30d531fd5c1a89eed26e2e87109e65017132e485b2a78f2';

describe('each byte code is written and read:', () => {
  const long = '.'.repeat(300);
  it.each<[string, JsonValue, string]>([
    ['0x00 to 0x7F', 'EUR', '13'],
    ['0x80 to 0x9F', 31, '9f'],
    ['0xA0 to 0xAE', { version: 1 }, 'a1 00 81'],
    ['0xAE', Object.fromEntries(NAMES.slice(0, 14).map((name) => [name, 0])), `ae ${tens(14)}`],
    ['0xAF', Object.fromEntries(NAMES.slice(0, 15).map((name) => [name, 0])), `af 0f ${tens(15)}`],
    ['0xB0 to 0xBE', [1, 2], 'b2 81 82'],
    ['0xBF', new Array(64).fill(3), `bf 40 ${'83'.repeat(64)}`],
    ['0xC0, 0xC1, 0xC2', [null, false, true], 'b3 c0 c1 c2'],
    ['0xC3', 2 ** 21 - 1, 'c3 ffff7f'],
    ['0xC4', -1.25, 'c4 b1 a2 5f'],
    ['0xC4 with exponents', [1e21, 1e-7, 5e-324, 2 ** 21], 'b4 c4 1dc2 1f c4 1db7 ff c4 5db3 24ff c4 2097 152f'],
    ['0xC5', ['abc!', 'abc!'], 'b2 d4 61626321 c500'],
    ['0xC6', long, `c6 ac02 ${'2e'.repeat(300)}`],
    ['0xC7', 'c0ffee', 'c7 03 c0ffee'],
    ['0xC8', '00112233-4455-6677-8899-aabbccddeeff', 'c8 00112233445566778899aabbccddeeff'],
    ['0xC9', '2001-09-09T01:46:40Z', 'c9 00ca9a3b'],
    ['0xCA', '2001-09-09T01:46:40.000Z', 'ca 00ca9a3b'],
    ['0xCB', '2001-09-09T01:46:40.001Z', 'cb 0110a5d4e800'],
    ['0xCC', '300', 'cc ac02'],
    ['0xCD', '00421', 'cd 05 0042 1f'],
    ['0xCE', '++++++++++++++++', 'ce 0c fbefbefbefbefbefbefbefbe'],
    ['0xCF', '----------------', 'cf 0c fbefbefbefbefbefbefbefbe'],
    ['0xD0 to 0xFF', ['', 'ä', '.'.repeat(47)], `b3 d0 d2 c3a4 ff ${'2e'.repeat(47)}`],
  ])('%s', (_, value, hex) => {
    expect(written(value).toString('hex')).toBe(bytesOf(hex).toString('hex'));
    expect(read(bytesOf(hex))).toEqual(value);
  });

  function tens(count: number): string {
    return Array.from({ length: count }, (_, number) => `${number.toString(16).padStart(2, '0')} 80`).join(' ');
  }
});

describe('a text takes the first form that it has:', () => {
  it.each<[string, string]>([
    ['2026', 'cc'],
    ['20260601', 'cc'],
    ['1234567890123456', 'cd'],
    ['12345678901234567890', 'cd'],
    ['deadbeef', 'c7'],
    ['deadbeefdeadbeef', 'c7'],
    ['DEADBEEFDEADBEEF', 'ce'],
    ['abcdefghijklmnopqrst', 'ce'],
    ['abcdefghijklmnopqr.', 'e3'],
    ['abcdefghijklmnopqr_t', 'cf'],
    ['2026-06-01T12:00:00Z', 'c9'],
    ['2026-06-01T12:00:00+00:00', 'e9'],
    ['2026-06-01t12:00:00Z', 'e4'],
    ['2106-02-07T06:28:16Z', 'e4'],
    ['00112233-4455-6677-8899-AABBCCDDEEFF', 'cf'],
  ])('%s', (text, code) => {
    expect(written(text).toString('hex').slice(0, 2)).toBe(code);
    expect(read(written(text))).toBe(text);
  });
});

describe('names', () => {
  it('known ones come in the order of their numbers, then the others in the order of canonical JSON', () => {
    const value = { '\uff01': 1, '\u{1f600}': 2, b: 3, grantId: 4, version: 5, a: 6 };
    expect(written(value).toString('hex')).toBe(
      bytesOf('a6 00 85 01 84 d161 86 d162 83 d4 f09f9880 82 d3 efbc81 81').toString('hex'),
    );
  });

  it('may be a text that was noted before, and are noted', () => {
    const value = [{ 'x.y': 1 }, 'x.y', { 'x.y': 2 }];
    expect(written(value).toString('hex')).toBe(bytesOf('b3 a1 d3 782e79 81 c500 a1 c500 82').toString('hex'));
  });

  it('of null members are not written', () => {
    expect(written({ version: null, a: 1 }).toString('hex')).toBe('a1d16181');
  });

  it('have no other form', () => {
    for (const code of ['c0', 'c1', 'c3', 'c4', 'c7', 'c8', 'c9', 'ca', 'cb', 'cc', 'cd', 'ce', 'cf'])
      expect(decodeCompact(bytesOf(`a1 ${code} 01 010101010101010101010101010101 81`), 0, 19)).toBeInstanceOf(
        JsonProblem,
      );
  });
});

describe('texts that are noted', () => {
  it('are those that take more than two bytes, 64 of them', () => {
    const texts: string[] = [];
    written(['a', 'EUR', 'ab', 'cc', '5', '300'], texts);
    expect(texts).toEqual(['ab', 'cc', '300']);
    for (let i = 0; i < 40; i++) written([`text.${i}`, `more.${i}`], texts);
    expect(texts).toHaveLength(64);
    expect(written('text.30', texts)[0]).toBe(0xc5);
    expect(written('more.39', texts)[0]).not.toBe(0xc5);
  });
});

/** Another encoder, from the document, for what artifacts are made of: no numbers but small ones. */
function again(value: JsonValue, texts: string[]): Buffer {
  if (value === null || typeof value === 'boolean') return Buffer.from([value === null ? 0xc0 : value ? 0xc2 : 0xc1]);
  if (typeof value === 'number') return Buffer.from(value < 32 ? [0x80 + value] : [0xc3, ...varint(value)]);
  if (typeof value === 'string') return textAgain(value, VALUES, texts, true);
  const parts: Buffer[] = [];
  if (Array.isArray(value)) {
    parts.push(counted(0xb0, value.length));
    for (const one of value) parts.push(again(one, texts));
    return Buffer.concat(parts);
  }
  const object = value as JsonObject;
  const names = Object.keys(object).filter((name) => object[name] !== null);
  const rank = (name: string) => (NAMES.includes(name) ? NAMES.indexOf(name) : 1000);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  parts.push(counted(0xa0, names.length));
  for (const name of names) parts.push(textAgain(name, NAMES, texts, false), again(object[name] as JsonValue, texts));
  return Buffer.concat(parts);
}

const counted = (code: number, count: number) => Buffer.from(count < 15 ? [code + count] : [code + 15, count]);

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function textAgain(text: string, known: readonly string[], texts: string[], isValue: boolean): Buffer {
  if (known.includes(text)) return Buffer.from([known.indexOf(text)]);
  if (texts.includes(text)) return Buffer.from([0xc5, texts.indexOf(text)]);
  const plain = Buffer.from(text, 'utf8');
  const form =
    (isValue ? formOf(text) : undefined) ??
    Buffer.concat([Buffer.from(plain.length < 48 ? [0xd0 + plain.length] : [0xc6, ...varint(plain.length)]), plain]);
  if (form.length > 2 && texts.length < 64) texts.push(text);
  return form;
}

function formOf(text: string): Buffer | undefined {
  const of = (code: number, bytes: Buffer, count = true) =>
    Buffer.concat([Buffer.from([code, ...(count ? varint(bytes.length) : [])]), bytes]);
  const le = (value: number, bytes: number) => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeUIntLE(value, 0, bytes);
    return buffer;
  };
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (ms >= 0 && ms < 2 ** 32 * 1000 && new Date(ms).toISOString().startsWith(text.slice(0, 19))) {
    if (text.length === 20) return of(0xc9, le(ms / 1000, 4), false);
    return ms % 1000 === 0 ? of(0xca, le(ms / 1000, 4), false) : of(0xcb, le(ms, 6), false);
  }
  if (/^(0|[1-9]\d{0,14})$/.test(text)) return Buffer.from([0xcc, ...varint(Number(text))]);
  if (/^\d{4,64}$/.test(text))
    return Buffer.concat([Buffer.from([0xcd, text.length]), Buffer.from(text.length % 2 ? `${text}f` : text, 'hex')]);
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))
    return of(0xc8, Buffer.from(text.replaceAll('-', ''), 'hex'), false);
  if (/^([0-9a-f]{2}){2,64}$/.test(text)) return of(0xc7, Buffer.from(text, 'hex'));
  if (text.length < 16) return undefined;
  const base64 = Buffer.from(text, 'base64');
  if (base64.toString('base64') === text) return of(0xce, base64);
  const url = Buffer.from(text, 'base64url');
  return url.toString('base64url') === text ? of(0xcf, url) : undefined;
}

describe('an encoder that is made from the document writes the same bytes', () => {
  it('of artifacts, one after the other', () => {
    const texts: string[] = [];
    const others: string[] = [];
    for (const artifact of [grant(), grant({}, {}, 'envelope'), sba(), spaFor(INTENT), INTENT, fleetPolicy()])
      expect(written(artifact, texts).toString('hex')).toBe(again(artifact, others).toString('hex'));
    expect(texts).toEqual(others);
  });

  it('of any data with such texts', () => {
    const text = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 48 }).map((bytes) => Buffer.from(bytes).toString('hex')),
      fc.uint8Array({ minLength: 9, maxLength: 48 }).map((bytes) => Buffer.from(bytes).toString('base64')),
      fc.uint8Array({ minLength: 9, maxLength: 48 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
      fc.stringMatching(/^[0-9]{1,70}$/),
      fc.uuid(),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(5e12) }).map((date) => date.toISOString()),
      fc.constantFrom(...NAMES, ...VALUES),
      fc.stringMatching(/^[ -~]{0,60}$/),
    );
    const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        text,
        fc.nat(2 ** 21 - 1),
        fc.boolean(),
        fc.array(tie('value'), { maxLength: 17 }) as fc.Arbitrary<JsonValue>,
        fc.dictionary(text, tie('value'), { maxKeys: 17 }) as fc.Arbitrary<JsonValue>,
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        fc.pre(!/"__proto__"/.test(JSON.stringify(json)));
        const target = new Uint8Array(16_384);
        const end = encodeCompact(json, target, 0);
        fc.pre(typeof end === 'number');
        expect(Buffer.from(target.subarray(0, end as number)).toString('hex')).toBe(again(json, []).toString('hex'));
      }),
      { numRuns: 500 },
    );
  });
});
