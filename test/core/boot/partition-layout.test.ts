// Partitions that a device must not start on: each would be found out by what it destroys.

import { describe, expect, it } from 'vitest';
import {
  type DeviceFlash,
  layoutProblems,
  layoutWarnings,
  type PlacedPartition,
} from '../../../core/boot/partition-layout.ts';
import { ENTRIES, ENTRY_BYTES } from '../../../core/ed25519/comb.ts';
import { HEADER_BYTES } from '../../../core/encoding/flash-header.ts';
import { KEY_TABLE_BYTES } from '../../../core/limits.ts';
import type { Flash } from '../../../core/ports/ports.ts';
import { bundlePartitionBytes } from '../../../core/trust/bundle-partition.ts';

const BLOCK = 4096;

/** A flash of which nothing but its shape is looked at. */
function shape(blocks: number, changes: Partial<Flash> = {}): Flash {
  const untouched = () => {
    throw new Error('the flash is touched');
  };
  const size = blocks * BLOCK;
  return { size, blockSize: BLOCK, programSize: 16, read: untouched, program: untouched, erase: untouched, ...changes };
}

const USUAL: DeviceFlash = { ledger: shape(16), journal: shape(64), bundles: shape(114), keyTables: shape(56) };

const PLACED: readonly PlacedPartition[] = [
  { name: 'nvs', offset: 0x9000, size: 0x6000 },
  { name: 'ledger', offset: 0x10000, size: 16 * BLOCK },
  { name: 'journal', offset: 0x20000, size: 64 * BLOCK },
  { name: 'bundles', offset: 0x60000, size: 114 * BLOCK },
];

describe('partitions', () => {
  it('that are as they must be are not touched', () => {
    expect(layoutProblems(USUAL, PLACED)).toEqual([]);
    expect(layoutWarnings(USUAL)).toEqual([]);
    expect(layoutProblems({ ledger: shape(4), bundles: shape(2) })).toEqual([]);
  });

  it.each<[string, Partial<DeviceFlash>, string]>([
    ['a ledger of three blocks', { ledger: shape(3) }, 'ledger has 12288 bytes: it needs 16384'],
    ['a journal of six', { journal: shape(6) }, 'journal has 24576 bytes: it needs 28672'],
    ['bundles of one', { bundles: shape(1) }, 'bundles has 4096 bytes: it needs 8192'],
    ['tables without room for one', { keyTables: shape(6) }, 'keyTables has 24576 bytes: it needs 28672'],
    ['half a block', { ledger: shape(4.5) }, 'not whole blocks'],
    ['nothing', { ledger: shape(0) }, 'ledger has 0 bytes'],
    ['units of 32 bytes', { ledger: shape(16, { programSize: 32 }) }, 'must divide 16'],
    ['units of nothing', { ledger: shape(16, { programSize: 0 }) }, 'must divide 16'],
    ['blocks that cut a page', { bundles: shape(114, { blockSize: 4000 }) }, 'whole pages'],
    ['blocks of nothing', { journal: shape(114, { blockSize: 0 }) }, 'whole pages'],
  ])('%s', (_, changes, problem) => {
    expect(layoutProblems({ ...USUAL, ...changes }).join()).toContain(problem);
  });

  it('too small for four large bundles are told, and no reason not to start', () => {
    const blocks = bundlePartitionBytes(BLOCK) / BLOCK;
    expect(layoutWarnings({ ...USUAL, bundles: shape(blocks) })).toEqual([]);
    expect(layoutWarnings({ ...USUAL, bundles: shape(blocks - 2) })).toHaveLength(1);
  });
});

describe('a table of a key', () => {
  it('has as many bytes as its entries and its header take', () => {
    expect(KEY_TABLE_BYTES).toBe(HEADER_BYTES + 32 + ENTRIES * ENTRY_BYTES);
  });
});

describe('a partition table', () => {
  it.each<[string, PlacedPartition, string]>([
    ['two that overlap', { name: 'other', offset: 0x1f000, size: 0x2000 }, 'other and ledger overlap'],
    ['one in another', { name: 'other', offset: 0x11000, size: 0x1000 }, 'other and ledger overlap'],
    ['one around others', { name: 'other', offset: 0, size: 0x400000 }, 'overlap'],
    ['a name twice', { name: 'journal', offset: 0x200000, size: 64 * BLOCK }, 'journal is there twice'],
    ['nowhere', { name: 'other', offset: -1, size: 0x1000 }, 'it is nowhere'],
    ['of no size', { name: 'other', offset: 0x200000, size: 0 }, 'it is nowhere'],
    ['one not at a block', { name: 'keyTables', offset: 0x200800, size: 56 * BLOCK }, 'not at a block'],
    [
      'one of another size than is opened',
      { name: 'keyTables', offset: 0x200000, size: 55 * BLOCK },
      'the partition table says',
    ],
  ])('%s', (_, place, problem) => {
    expect(layoutProblems(USUAL, [...PLACED, place]).join()).toContain(problem);
  });
});
