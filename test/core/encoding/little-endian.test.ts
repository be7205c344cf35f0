// Numbers from bytes and back, with the engine's own conversion and without.

import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { littleEndian, littleEndianOf, writeLittleEndian } from '../../../core/encoding/little-endian.ts';

type PlatformBigInt = { fromArrayBuffer?: (buffer: ArrayBuffer, signed: boolean, littleEndian: boolean) => bigint };

const expected = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

afterEach(() => {
  delete (BigInt as PlatformBigInt).fromArrayBuffer;
});

describe.each(['without the engine', 'by the engine'])('little-endian numbers %s', (how) => {
  const offer = (): void => {
    if (how === 'by the engine') {
      (BigInt as PlatformBigInt).fromArrayBuffer = (buffer, signed, isLittle) => {
        expect([signed, isLittle]).toEqual([false, true]);
        return expected(new Uint8Array(buffer));
      };
    }
  };

  it('are read from anywhere in a buffer, and written there and nowhere else', () => {
    offer();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 120, maxLength: 120 }), fc.nat(7), fc.nat(12), (bytes, from, words) => {
        const view = bytes.subarray(from);
        const length = 8 * words + 8;
        const value = littleEndian(view, 3, length);
        expect(value).toBe(expected(view.subarray(3, 3 + length)));
        const target = new Uint8Array(120).fill(0xa5);
        writeLittleEndian(target.subarray(from), 3, length, value);
        const wanted = new Uint8Array(120).fill(0xa5);
        wanted.set(view.subarray(3, 3 + length), from + 3);
        expect(target).toEqual(wanted);
      }),
    );
  });

  it('are read from whole buffers', () => {
    offer();
    const bytes = Uint8Array.from({ length: 112 }, (_, i) => (i * 37) & 0xff);
    expect(littleEndianOf(bytes.buffer)).toBe(expected(bytes));
    expect(littleEndianOf(new ArrayBuffer(64))).toBe(0n);
  });
});
