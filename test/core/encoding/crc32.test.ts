// CRC-32 against its check value and zlib.

import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32, crc32Update } from '../../../core/encoding/crc32.ts';

describe('crc32', () => {
  it('gives the check value of CRC-32/ISO-HDLC', () => {
    expect(crc32(new Uint8Array(Buffer.from('123456789')))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
    expect(crc32(new Uint8Array(32))).toBe(0x190a55ad);
    expect(crc32(new Uint8Array(32).fill(0xff))).toBe(0xff6cab0b);
  });

  it('agrees with zlib, whole or in part', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (bytes, one, other) => {
        const start = Math.min(one, other, bytes.length);
        const end = Math.min(Math.max(one, other), bytes.length);
        expect(crc32(bytes)).toBe(zlibCrc32(bytes));
        expect(crc32(bytes, start)).toBe(zlibCrc32(bytes.subarray(start)));
        expect(crc32(bytes, start, end)).toBe(zlibCrc32(bytes.subarray(start, end)));
      }),
    );
  });

  it('agrees with zlib for every kind of length up to the longest record', () => {
    const bytes = Uint8Array.from({ length: 772 }, (_, i) => (i * i * 7 + i * 13) >> 3);
    for (let length = 0; length <= bytes.length; length += length < 40 ? 1 : 29) {
      const part = bytes.subarray(bytes.length - length);
      expect(crc32(part)).toBe(zlibCrc32(part));
    }
  });

  it('goes on where it stopped', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (one, other) => {
        const both = new Uint8Array([...one, ...other]);
        expect(crc32Update(crc32(one), other, 0, other.length)).toBe(crc32(both));
        expect(crc32Update(0, both, 0, both.length)).toBe(crc32(both));
      }),
    );
  });

  it('tells every single changed bit of a record', () => {
    const record = new Uint8Array(48).map((_, i) => i * 11);
    const good = crc32(record);
    for (let bit = 0; bit < record.length * 8; bit++) {
      record[bit >> 3] ^= 1 << (bit & 7);
      expect(crc32(record)).not.toBe(good);
      record[bit >> 3] ^= 1 << (bit & 7);
    }
  });
});
