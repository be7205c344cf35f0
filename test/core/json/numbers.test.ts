// Numbers: read as the closest double, of two the even one, and written as ECMAScript does. The same on an engine that rounds
// halves away from even.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domainDigest, textDigest } from '../../../core/hash/domains.ts';
import { readPresentation } from '../../../core/intake/presentation.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import { canonicalParts } from '../../../core/json/canonical-stream.ts';
import { decodeCompact } from '../../../core/json/compact-reader.ts';
import { encodeCompact } from '../../../core/json/compact-writer.ts';
import { isQuick, numberFrom, numberText } from '../../../core/json/numbers.ts';
import { readPlain } from '../../../core/json/plain.ts';
import { JsonProblem, readJson } from '../../../core/json/reader.ts';
import { JsonStream } from '../../../core/json/stream.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import { ARTIFACT_LIMITS } from '../../../core/limits.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { NUMBERS } from '../../vectors/numbers.ts';

function bitsOf(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return [view.getUint32(0), view.getUint32(4)].map((half) => half.toString(16).padStart(8, '0')).join('');
}

function ofBits(bits: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, Number.parseInt(bits.slice(0, 8), 16));
  view.setUint32(4, Number.parseInt(bits.slice(8), 16));
  return view.getFloat64(0);
}

/** All digits of fraction × 2 ** power. */
function exactText(fraction: bigint, power: number): string {
  return power >= 0 ? `${fraction << BigInt(power)}` : `${fraction * 5n ** BigInt(-power)}e${power}`;
}

/** The canonical text of text, by each way that reads and writes numbers. */
const WAYS: readonly (readonly [name: string, of: (text: string) => string])[] = [
  ['the reader', (text) => canonicalText(readJson(Buffer.from(text), ARTIFACT_LIMITS) as JsonValue)],
  ['the reader, in an object', (text) => inObject(readJson(Buffer.from(`{"n":[${text}]}`), ARTIFACT_LIMITS))],
  ['the stream', inStream],
  ['the compact form', inCompact],
];

function inObject(value: JsonValue | JsonProblem): string {
  return canonicalText(value as JsonValue).slice('{"n":['.length, -']}'.length);
}

function inStream(text: string): string {
  const bytes = Buffer.from(text);
  const source = {
    read: (offset: number, target: Uint8Array) => target.set(bytes.subarray(offset, offset + target.length)),
  };
  const stream = new JsonStream(source, createPortableCrypto(), ARTIFACT_LIMITS, 64);
  stream.openTrusted(0, bytes.length);
  let written = '';
  canonicalParts(stream, 0, undefined, (part) => {
    written += Buffer.from(part).toString('utf8');
  });
  return written;
}

function inCompact(text: string): string {
  const bytes = new Uint8Array(64);
  const end = encodeCompact(readJson(Buffer.from(text), ARTIFACT_LIMITS) as JsonValue, bytes, 0) as number;
  const read = decodeCompact(bytes, 0, end);
  return canonicalText('value' in read ? read.value : read.message);
}

describe('a number', () => {
  const inRange = NUMBERS.filter(([, , canonical]) => canonical !== '');

  it.each(inRange)('%s is the double %s and is written %s', (text, bits, canonical) => {
    expect(bitsOf(numberFrom(text))).toBe(bits);
    expect(numberText(ofBits(bits))).toBe(canonical);
    expect(numberText(numberFrom(canonical))).toBe(canonical);
    expect(numberText(numberFrom(numberText(ofBits(bits), true)))).toBe(canonical);
  });

  it.each(WAYS)('has one canonical text by %s', (_name, of) => {
    for (const [text, , canonical] of inRange) expect(of(text), text).toBe(canonical);
  });

  it('beyond the largest double is refused, from halfway to the next on', () => {
    for (const [text] of NUMBERS.filter(([, , canonical]) => canonical === '')) {
      expect(readJson(Buffer.from(text), ARTIFACT_LIMITS), text).toBeInstanceOf(JsonProblem);
      expect(() => inStream(text), text).toThrow(JsonProblem);
    }
  });

  it('in the middle of two doubles is the even one; a digit more or less decides', () => {
    for (const [fraction, power] of [
      [0x10_0000_0000_0000n, 0],
      [0x10_0000_0000_0001n, 0],
      [0x1f_ffff_ffff_ffffn, 0],
      [0x12_3456_789a_bcden, 70],
      [0x12_3456_789a_bcdfn, 900],
      [0x1f_ffff_ffff_fffen, 970],
      [0x12_3456_789a_bcdfn, -3],
      [0x1a_aaaa_aaaa_aaabn, -60],
      [0x1a_aaaa_aaaa_aaaan, -700],
      [0x1f_ffff_ffff_ffffn, -1074],
      [0x3n, -1074],
      [0n, -1074],
    ] as const) {
      const middle = 2n * fraction + 1n;
      const below = numberFrom(exactText(fraction, power));
      const above = numberFrom(exactText(fraction + 1n, power));
      const even = (fraction & 1n) > 0n ? above : below;
      const name = `${fraction} × 2 ** ${power}`;
      expect(above > below, name).toBe(true);
      expect(numberFrom(exactText(middle, power - 1)), name).toBe(even);
      expect(numberFrom(`-${exactText(middle, power - 1)}`), name).toBe(-even);
      expect(numberFrom(exactText(16n * middle + 1n, power - 5)), name).toBe(above);
      expect(numberFrom(exactText(16n * middle - 1n, power - 5)), name).toBe(below);
    }
  });

  it('of as many digits as a number may have is read within bounded work', () => {
    for (const text of [
      '9'.repeat(309),
      `0.${'0'.repeat(323)}${'1'.repeat(690)}`,
      `${'1'.repeat(1000)}e-999`,
      `9007199254740993.${'0'.repeat(1000)}1`,
    ])
      expect(numberFrom(numberText(numberFrom(text)))).toBe(numberFrom(text));
    expect(numberText(numberFrom(`9007199254740993.${'0'.repeat(1000)}1`))).toBe('9007199254740994');
    expect(numberText(numberFrom(`9007199254740993.${'0'.repeat(1001)}`))).toBe('9007199254740992');
  });

  it('that needs the exact conversion is not read by the engine’s own parser', () => {
    for (const [, , canonical] of inRange) {
      const quick = isQuick(canonical, numberFrom(canonical));
      expect(readPlain(Buffer.from(`{"nonce":${canonical}}`)) !== undefined, canonical).toBe(quick);
      expect(readPlain(Buffer.from(`{"nonce":[1,${canonical}]}`)) !== undefined, canonical).toBe(quick);
    }
  });

  it('that the engine does not write right is hashed in pieces, with the digest of its canonical text', () => {
    const crypto = createPortableCrypto();
    for (const [text, , canonical] of inRange) {
      const bytes = Buffer.from(`{"sba":{"authorization":{"nonce":${text}}}}`);
      const read = readPresentation(bytes);
      if ('ok' in read) throw new Error(read.detail);
      const { authorization } = read.sba as JsonObject;
      const digest = domainDigest(crypto, 'SBA', authorization as JsonValue, read.inPieces);
      expect(digest, text).toEqual(textDigest(crypto, 'SBA', `{"nonce":${canonical}}`));
    }
  });

  it('is written and read as this engine does, which is exact', () => {
    fc.assert(
      fc.property(
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        fc.integer({ min: 0, max: 20 }),
        (value, places) => {
          expect(numberText(value)).toBe(String(value));
          const exponential = value.toExponential();
          const plain = String(value);
          expect(numberText(value, true)).toBe(exponential.length < plain.length ? exponential : plain);
          for (const text of [plain, exponential, value.toExponential(places), value.toPrecision(places + 1)])
            expect(numberFrom(text)).toBe(Number(text));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('that is whole, or a power of two, or next to one, is written as this engine does', () => {
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.integer({ min: -1074, max: 970 }),
        fc.integer({ min: -1, max: 1 }),
        (whole, power, by) => {
          for (const value of [
            whole * 2 ** power,
            whole * 10 ** (power % 22),
            (2 ** 52 + by) * 2 ** Math.max(power, -1074),
          ])
            if (Number.isFinite(value)) expect(numberText(value)).toBe(String(value));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
