// What the writer writes, the reader reads; and both against bytes that stand in RFC 8949.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeCbor } from '../../../core/cbor/writer.ts';
import { decodeDocument } from '../../../core/provisioning/plain-data.ts';
import { cbor } from '../../fixtures/provisioning.ts';

const hex = (value: unknown) => Buffer.from(writeCbor(value)).toString('hex');

describe('CBOR that is written', () => {
  it.each([
    [0, '00'],
    [23, '17'],
    [24, '1818'],
    [1000, '1903e8'],
    [1_000_000, '1a000f4240'],
    [1_000_000_000_000, '1b000000e8d4a51000'],
    [-1, '20'],
    [-1000, '3903e7'],
    [1.1, 'fb3ff199999999999a'],
    [-0, 'fb8000000000000000'],
    [true, 'f5'],
    [null, 'f6'],
    ['ü', '62c3bc'],
    [Uint8Array.of(1, 2, 3, 4), '4401020304'],
    [[1, [2, 3]], '8201820203'],
    [{ b: 1, a: { aa: 2, c: undefined } }, 'a26161a162616102616201'],
  ])('%j is %s', (value, bytes) => {
    expect(hex(value)).toBe(bytes);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, '\ud800', 1n, () => 1, undefined])('%s has no form', (value) => {
    expect(() => writeCbor([value])).toThrow(RangeError);
  });

  it('is what others write, and is read again', () => {
    const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), fc.boolean(), fc.nat(), fc.constant(null));
    const value = fc.dictionary(fc.stringMatching(/^[a-z]{1,30}$/), fc.oneof(leaf, fc.array(leaf, { maxLength: 5 })), {
      maxKeys: 20,
    });
    fc.assert(
      fc.property(value, (one) => {
        const bytes = writeCbor(one);
        expect(Buffer.compare(bytes, cbor(one))).toBe(0);
        expect({ ...(decodeDocument(bytes) as object) }).toEqual(one);
      }),
    );
  });
});
