// CRC-32, the comparison of bytes, and hexadecimal text as they are on a device, where the engine makes a large integer of bytes.

import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crc32, crc32Update } from '../../../core/encoding/crc32.ts';
import { sameBytes } from '../../../core/encoding/same-bytes.ts';
import { fromHex, toHex } from '../../../core/hash/hex.ts';

/** What XS has beside the standard. */
interface Engine {
  readonly BigInt: { fromArrayBuffer?: (buffer: ArrayBuffer, signed: boolean, littleEndian: boolean) => bigint };
  readonly ArrayBuffer: {
    fromBigInt?: (value: bigint, length: number, signed: boolean, littleEndian: boolean) => ArrayBuffer;
  };
}

const engine = globalThis as unknown as Engine;

beforeEach(() => {
  engine.BigInt.fromArrayBuffer = (buffer, signed, littleEndian) => {
    expect([signed, littleEndian]).toEqual([false, true]);
    // The engine refuses it.
    expect(buffer.byteLength).toBeGreaterThan(0);
    return BigInt(`0x${Buffer.from(buffer).reverse().toString('hex')}`);
  };
  engine.ArrayBuffer.fromBigInt = (value, length, signed, littleEndian) => {
    expect(signed).toBe(false);
    const bytes = Uint8Array.from(Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex'));
    expect(bytes.length).toBe(length);
    return (littleEndian ? bytes.reverse() : bytes).buffer;
  };
});

afterEach(() => {
  delete engine.BigInt.fromArrayBuffer;
  delete engine.ArrayBuffer.fromBigInt;
});

/** Bytes without a pattern, the same in every run. */
function someBytes(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state >> 16;
  });
}

describe('crc32 by large integers', () => {
  it('is that of zlib for every length of a record, and beyond', () => {
    const bytes = someBytes(900);
    for (let length = 0; length <= bytes.length; length++) {
      const part = bytes.subarray(bytes.length - length);
      expect(crc32(part)).toBe(zlibCrc32(part));
    }
    const long = someBytes(5001);
    expect(crc32(long)).toBe(zlibCrc32(long));
  });

  it('is that of zlib where all bits are 0, or 1, or one alone is another', () => {
    for (const value of [0, 0xff]) {
      const bytes = new Uint8Array(768).fill(value);
      expect(crc32(bytes)).toBe(zlibCrc32(bytes));
      for (let bit = 0; bit < 8 * bytes.length; bit += 5) {
        bytes[bit >> 3] = value ^ (1 << (bit & 7));
        expect(crc32(bytes)).toBe(zlibCrc32(bytes));
        bytes[bit >> 3] = value;
      }
    }
  });

  it('goes on where it stopped, anywhere in a buffer', () => {
    const { buffer } = someBytes(1000);
    fc.assert(
      fc.property(fc.nat(200), fc.nat(790), fc.nat(790), (from, one, other) => {
        const bytes = new Uint8Array(buffer, from, 790);
        const [middle, end] = [Math.min(one, other), Math.max(one, other)];
        expect(crc32Update(crc32(bytes, 0, middle), bytes, middle, end)).toBe(zlibCrc32(bytes.subarray(0, end)));
      }),
    );
  });
});

describe('sameBytes by large integers', () => {
  it('tells every single changed byte, wherever the bytes lie', () => {
    const bytes = someBytes(64);
    const other = new Uint8Array(80);
    other.set(bytes, 7);
    const copy = other.subarray(7, 71);
    expect(sameBytes(bytes, copy)).toBe(true);
    for (let i = 0; i < bytes.length; i++) {
      copy[i] = (bytes[i] as number) ^ 1;
      expect(sameBytes(bytes, copy)).toBe(false);
      copy[i] = bytes[i] as number;
    }
  });

  it('tells lengths that differ by bytes of 0, and takes none for none', () => {
    expect(sameBytes(new Uint8Array(3), new Uint8Array(4))).toBe(false);
    expect(sameBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  });
});

describe('fromHex by large integers', () => {
  it('reads back what toHex writes, in upper case too', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes);
      }),
    );
    expect(fromHex('00000000000000000001')).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    expect(fromHex('00000000')).toEqual(new Uint8Array(4));
  });

  it('refuses every other character at every place, blanks and signs that a number may have among them', () => {
    for (const character of ['g', ' ', '\n', '\u00a0', '_', '-', '+', '.', 'x', 'n', '\0', '\uffff']) {
      for (let place = 0; place < 8; place++) {
        const text = '0a1b2c3d';
        expect(fromHex(text.slice(0, place) + character + text.slice(place + 1))).toBeUndefined();
      }
    }
    expect(fromHex('0x0a1b2c')).toBeUndefined();
    expect(fromHex('0a1b2c3')).toBeUndefined();
  });
});
