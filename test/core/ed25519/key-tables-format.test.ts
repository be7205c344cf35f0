// docs/FORMAT.md, "Key tables", statement by statement: bytes made here from the statements, with @noble/ed25519, are read by the
// device, and bytes that the device writes are looked at here.

import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Point } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import { KeyTables } from '../../../core/ed25519/key-tables.ts';
import { BlockLog } from '../../../core/ledger/block-log.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { littleEndian, P } from './encodings.ts';
import { mod } from './group.ts';
import { entriesOf, PLACE, settle, signed } from './table-fixtures.ts';

const HALF = (P + 1n) / 2n;
const power = (base: bigint, exponent: bigint): bigint => {
  let result = 1n;
  for (let square = mod(base); exponent > 0n; exponent >>= 1n, square = mod(square * square))
    if (exponent & 1n) result = mod(result * square);
  return result;
};
const D = mod(-121665n * power(121666n, P - 2n));
const bytesOf = (value: bigint, length: number) => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++, value >>= 8n) bytes[i] = Number(value & 255n);
  return bytes;
};

function entry(point: Point): Buffer {
  const { x, y } = point.toAffine();
  return Buffer.concat([mod((y + x) * HALF), mod((y - x) * HALF), mod(D * x * y)].map(littleEndian));
}

const known = new Map<Uint8Array, readonly Buffer[]>();

/** The entries for a key, made once. */
function entriesFor(publicKey: Uint8Array): readonly Buffer[] {
  const entries = known.get(publicKey) ?? entriesOfKey(publicKey);
  known.set(publicKey, entries);
  return entries;
}

function entriesOfKey(publicKey: Uint8Array): readonly Buffer[] {
  const q = Point.fromBytes(publicKey).negate();
  const teeth = [q];
  for (let j = 1; j < 8; j++) teeth.push((teeth[j - 1] as Point).multiplyUnsafe(2n ** 32n));
  const sums: Point[] = [];
  for (let i = 0; i < 128; i++) {
    let sum = teeth[7] as Point;
    for (let j = 0; j < 7; j++) sum = (i >> j) & 1 ? sum.add(teeth[j] as Point) : sum.subtract(teeth[j] as Point);
    sums.push(sum);
  }
  return [...sums, ...sums.map((sum) => sum.multiplyUnsafe(2n ** 16n)), q].map(entry);
}

interface Header {
  readonly kind?: number;
  readonly format?: number;
}

function place(publicKey: Uint8Array, header: Header = {}): Buffer {
  const entries = entriesFor(publicKey);
  const head = Buffer.alloc(28);
  head.set([0x4d, header.kind ?? 4, header.format ?? 3]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(head));
  return Buffer.concat([head, crc, publicKey, ...entries]);
}

const one = signed(1);
const two = signed(2);

function flashWith(...places: readonly Uint8Array[]): MemoryFlash {
  const flash = new MemoryFlash({ size: Math.max(places.length, 1) * PLACE });
  places.forEach((bytes, i) => {
    flash.cells.set(bytes, i * PLACE);
  });
  return flash;
}

describe('a place', () => {
  it('is written as it is stated, byte by byte', () => {
    const flash = flashWith();
    const tables = new KeyTables(flash);
    tables.wanted([one.publicKey]);
    settle(tables);
    expect(Buffer.from(flash.cells.subarray(0, 24_736))).toEqual(place(one.publicKey));
    expect(flash.cells.subarray(24_736).every((cell) => cell === 0xff)).toBe(true);
  });

  it('is read as it is stated, wherever it is', () => {
    const flash = flashWith(new Uint8Array(0), place(one.publicKey), place(two.publicKey));
    const tables = new KeyTables(flash);
    const crypto = createPortableCrypto(createNodeCrypto(), tables);
    settle(tables);
    for (const { publicKey, signature, forged, message } of [one, two]) {
      expect(entriesOf(tables.find(publicKey))?.map((number) => bytesOf(number, 96))).toEqual(entriesFor(publicKey));
      expect(crypto.ed25519Verify(publicKey, signature, message)).toBe(true);
      expect(crypto.ed25519Verify(publicKey, forged, message)).toBe(false);
    }
    expect(tables.tables).toBe(2);
  });

  it('is written by one program of its header, the last of all, after programs of entries', () => {
    const operations: string[] = [];
    const flash = new SimulatedFlash(new MemoryStore(PLACE), {
      onOperation: ({ kind, offset, length }) => operations.push(`${kind} ${offset} ${length}`),
    });
    const tables = new KeyTables(flash);
    tables.wanted([one.publicKey]);
    settle(tables);
    expect(operations.slice(0, 7)).toEqual([0, 1, 2, 3, 4, 5, 6].map((block) => `erase ${4096 * block} 4096`));
    const eights = Array.from({ length: 32 }, (_, i) => `program ${64 + i * 768} 768`);
    expect(operations.slice(7, -1).sort()).toEqual([...eights, `program ${64 + 256 * 96} 96`].sort());
    expect(operations[7]).toBe(`program ${64 + 256 * 96} 96`);
    expect(operations.at(-1)).toBe('program 0 64');
  });

  it('nothing depends on what erased cells read as', () => {
    const flash = new SimulatedFlash(new MemoryStore(2 * PLACE), { erasedReads: 'scrambled' });
    const tables = new KeyTables(flash);
    tables.wanted([one.publicKey, two.publicKey]);
    settle(tables);
    const again = new KeyTables(flash);
    settle(again);
    expect([one, two].map(({ publicKey }) => again.find(publicKey) !== undefined)).toEqual([true, true]);
  });
});

describe('other bytes', () => {
  it('are a free place, another format too', () => {
    for (const bytes of [
      place(one.publicKey, { format: 4 }),
      place(one.publicKey, { format: 2 }),
      place(one.publicKey, { format: 1 }),
      Buffer.alloc(PLACE, 0x4d),
      Buffer.alloc(PLACE),
    ]) {
      const flash = flashWith(bytes);
      const tables = new KeyTables(flash);
      tables.wanted([one.publicKey]);
      settle(tables);
      expect(flash.cells.subarray(0, 24_736)).toEqual(new Uint8Array(place(one.publicKey)));
    }
  });

  it('that are another log’s header keep the partition from being used, and are left as they are', () => {
    for (const kind of [1, 2, 3]) {
      const flash = flashWith(place(one.publicKey), place(two.publicKey, { kind }));
      const before = flash.snapshot();
      const tables = new KeyTables(flash);
      tables.wanted([one.publicKey, two.publicKey]);
      settle(tables);
      expect(tables.problem).toBe('the key table partition holds something else');
      expect([tables.tables, tables.find(one.publicKey)]).toEqual([0, undefined]);
      expect(flash.snapshot()).toEqual(before);
    }
  });

  it('tables of format 1, of which a place had 4096 bytes, are free places', () => {
    const flash = new MemoryFlash({ size: 2 * PLACE });
    for (let at = 0; at < flash.size; at += 4096)
      flash.cells.set(place(one.publicKey, { format: 1 }).subarray(0, 3344), at);
    const tables = new KeyTables(flash);
    expect([tables.tables, tables.problem]).toEqual([0, undefined]);
    tables.wanted([two.publicKey]);
    settle(tables);
    expect(flash.cells.subarray(0, 24_736)).toEqual(new Uint8Array(place(two.publicKey)));
    expect([tables.has(one.publicKey), tables.tables]).toEqual([false, 1]);
  });

  it('a place is not taken for a log’s', () => {
    const flash = new MemoryFlash({ size: 8 * PLACE });
    flash.cells.set(place(one.publicKey));
    const log = new BlockLog(flash, { store: 1, format: 3, longest: 26 });
    expect(() => log.open(() => {})).toThrow('the partition holds something else');
  });
});

describe('the document', () => {
  const text = readFileSync('docs/FORMAT.md', 'utf8');

  it.each([28, 64, 224, 256])('has a line for a partition of %i KB', (kilobytes) => {
    const { places } = new KeyTables(new MemoryFlash({ size: kilobytes * 1024 }));
    expect(text).toContain(`| ${kilobytes} KB | ${places} |`);
  });

  it('states the steps', () => {
    const tables = new KeyTables(flashWith());
    tables.wanted([one.publicKey]);
    // The last call finds nothing to do.
    expect(text).toContain(`In idle time, in ${settle(tables) - 1} steps`);
  });
});
