// Each fault does what it says while it is on, nothing while it is off, and a flash says so with FlashError or not at all.

import { describe, expect, it } from 'vitest';
import { FlashError } from '../../../core/ports/ports.ts';
import type { ErasedReads } from '../../../host-sim/flash/cell-coding.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';

const BLOCK = 256;
const GEOMETRY = { blockSize: BLOCK, programSize: 16 };
const KINDS: readonly ErasedReads[] = ['ones', 'scrambled'];

function flashOf(erasedReads: ErasedReads = 'ones'): SimulatedFlash {
  return new SimulatedFlash(new MemoryStore(4 * BLOCK), { geometry: GEOMETRY, erasedReads });
}

function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function readBack(from: SimulatedFlash, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(length);
  from.read(offset, target);
  return target;
}

function differing(a: Uint8Array, b: Uint8Array): readonly number[] {
  return [...a.keys()].filter((i) => a[i] !== b[i]);
}

describe.each(KINDS)('read-disturb, cells that read %s', (erasedReads) => {
  it('flips a bit of the block after so many reads, and the block only', () => {
    const flash = flashOf(erasedReads);
    flash.program(BLOCK, bytes(BLOCK, 0x3c));
    const before = flash.contents();
    flash.faults.disturbAfter(3);
    for (let i = 0; i < 3; i++) expect(readBack(flash, BLOCK + 16, 16)).toEqual(bytes(16, 0x3c));
    const changed = differing(before, flash.contents());
    expect(changed.every((at) => at >= BLOCK && at < 2 * BLOCK)).toBe(true);
    if (erasedReads === 'ones') expect(changed).toHaveLength(1);
    else expect(new Set(changed.map((at) => at >> 4)).size).toBe(1);
  });

  it('counts a read in every block it touches', () => {
    const flash = flashOf(erasedReads);
    const before = flash.contents();
    flash.faults.disturbAfter(1);
    readBack(flash, BLOCK - 1, 2);
    const blocks = differing(before, flash.contents()).map((at) => Math.floor(at / BLOCK));
    expect(new Set(blocks)).toEqual(new Set([0, 1]));
  });

  it('an erase heals it and counts from the start; switched off, it flips no more', () => {
    const flash = flashOf(erasedReads);
    const blank = flash.contents();
    flash.faults.disturbAfter(2);
    readBack(flash, 0, 16);
    flash.erase(0);
    readBack(flash, 0, 16);
    expect(flash.contents()).toEqual(blank);
    readBack(flash, 0, 16);
    expect(flash.contents()).not.toEqual(blank);
    flash.erase(0);
    flash.faults.disturbAfter(undefined);
    for (let i = 0; i < 9; i++) readBack(flash, 0, 16);
    expect(flash.contents()).toEqual(blank);
  });

  it('refuses a count that is none', () => {
    for (const count of [0, -1, 1.5]) expect(() => flashOf(erasedReads).faults.disturbAfter(count)).toThrow(RangeError);
  });
});

it('an erased bit that read-disturb has cleared stays 0 when its cell is programmed', () => {
  const flash = flashOf();
  flash.faults.disturbAfter(1);
  readBack(flash, 0, 1);
  const at = flash.contents().findIndex((byte) => byte !== 0xff);
  const flipped = flash.contents()[at] ?? 0;
  flash.faults.clear();
  flash.program(0, bytes(BLOCK, 0xff));
  expect(readBack(flash, at, 1)[0]).toBe(flipped);
});

describe('stuck bits', () => {
  it.each([0, 1] as const)('read %i whatever is erased or programmed', (value) => {
    const flash = flashOf();
    flash.faults.stickBit(20, 3, value);
    expect(((readBack(flash, 20, 1)[0] ?? 0) >> 3) & 1).toBe(value);
    flash.program(16, bytes(16, value === 1 ? 0 : 0xff));
    expect(readBack(flash, 16, 8)).toEqual(
      Uint8Array.from(bytes(8, value === 1 ? 0 : 0xff), (byte, i) => (i === 4 ? byte ^ 8 : byte)),
    );
    expect(flash.contents()[20]).toBe(readBack(flash, 20, 1)[0]);
    flash.faults.unstickBits();
    expect(readBack(flash, 16, 16)).toEqual(bytes(16, value === 1 ? 0 : 0xff));
  });

  it('several of a cell do not know of each other', () => {
    const flash = flashOf();
    flash.faults.stickBit(0, 0, 0);
    flash.faults.stickBit(0, 7, 0);
    flash.faults.stickBit(0, 0, 1);
    expect(readBack(flash, 0, 1)[0]).toBe(0x7f);
  });

  it('encrypted, they spoil the 16 bytes around them where the other value was written, for about half of what is', () => {
    let spoiled = 0;
    for (let value = 0; value < 100; value++) {
      const flash = flashOf('scrambled');
      flash.faults.stickBit(20, 3, 0);
      flash.program(0, bytes(48, value));
      const wrong = differing(readBack(flash, 0, 48), bytes(48, value));
      if (wrong.length > 0) {
        spoiled++;
        expect(wrong.length).toBeGreaterThan(8);
        expect(readBack(flash, 17, 20)).toEqual(readBack(flash, 16, 32).subarray(1, 21));
      }
      expect(wrong.every((at) => at >= 16 && at < 32)).toBe(true);
    }
    expect(spoiled).toBeGreaterThan(30);
    expect(spoiled).toBeLessThan(70);
  });

  it('encrypted and erased, a bit stuck at 1 does no harm and one at 0 does', () => {
    const flash = flashOf('scrambled');
    const blank = flash.contents();
    flash.faults.stickBit(20, 3, 1);
    expect(readBack(flash, 0, 64)).toEqual(blank.subarray(0, 64));
    flash.faults.stickBit(20, 3, 0);
    expect(readBack(flash, 0, 64)).not.toEqual(blank.subarray(0, 64));
  });

  it.each([
    [-1, 0],
    [4 * BLOCK, 0],
    [0, 8],
    [0.5, 0],
  ])('there is none at %d, bit %i', (offset, bit) => {
    expect(() => flashOf().faults.stickBit(offset, bit, 0)).toThrow(RangeError);
  });
});

describe('bad blocks', () => {
  it('can be read; programs and erases that touch them change nothing', () => {
    const flash = flashOf();
    flash.program(BLOCK + 32, bytes(16, 1));
    flash.faults.markBad(1);
    const before = flash.contents();
    expect(() => flash.program(BLOCK + 16, bytes(16, 0))).toThrow(/block 1 is bad/);
    expect(() => flash.program(BLOCK - 16, bytes(32, 0))).toThrow(FlashError);
    expect(() => flash.erase(BLOCK)).toThrow(FlashError);
    expect(flash.contents()).toEqual(before);
    expect(readBack(flash, BLOCK + 32, 16)).toEqual(bytes(16, 1));
    expect(flash.wear()).toEqual([0, 0, 0, 0]);
    expect(flash.operations).toBe(4);
    flash.erase(0);
    flash.faults.markBad(1, false);
    flash.erase(BLOCK);
  });

  it('a power cut at one shows as the power cut it is', () => {
    const flash = flashOf();
    flash.faults.markBad(0);
    flash.cutAt(0, 'after');
    expect(() => flash.erase(0)).toThrow(PowerCut);
    expect(flash.powered).toBe(false);
    expect(flash.wear()).toEqual([0, 0, 0, 0]);
  });

  it('a block that is not there cannot be one', () => {
    for (const block of [-1, 4, 0.5]) expect(() => flashOf().faults.markBad(block)).toThrow(RangeError);
  });
});

describe('worn-out blocks', () => {
  it('throw at the erase after the last they take, unchanged', () => {
    const flash = flashOf();
    flash.faults.wearOut = { erases: 2, effect: 'erase-fails' };
    flash.erase(0);
    flash.erase(0);
    flash.program(0, bytes(16, 3));
    expect(() => flash.erase(0)).toThrow(/block 0 is worn out after 2 erases/);
    expect(readBack(flash, 0, 16)).toEqual(bytes(16, 3));
    expect(flash.wear()).toEqual([2, 0, 0, 0]);
    flash.erase(BLOCK);
  });

  it('or keep a bit more at 0 with every erase', () => {
    const flash = flashOf();
    flash.faults.wearOut = { erases: 1, effect: 'stuck-bits' };
    flash.erase(0);
    expect(flash.faults.stuck.size).toBe(0);
    flash.erase(0);
    expect(differing(readBack(flash, 0, BLOCK), bytes(BLOCK, 0xff))).toHaveLength(1);
    for (let i = 0; i < 5; i++) flash.erase(0);
    expect(flash.faults.stuck.size).toBeGreaterThan(3);
    expect(readBack(flash, BLOCK, BLOCK)).toEqual(bytes(BLOCK, 0xff));
    expect(flash.wear()).toEqual([7, 0, 0, 0]);
  });

  it('the wear of an earlier run counts', () => {
    const store = new MemoryStore(4 * BLOCK);
    new SimulatedFlash(store, { geometry: GEOMETRY }).erase(BLOCK);
    const later = new SimulatedFlash(store, { geometry: GEOMETRY });
    later.faults.wearOut = { erases: 1, effect: 'erase-fails' };
    expect(() => later.erase(BLOCK)).toThrow(FlashError);
  });

  it('a number of erases that is none is refused', () => {
    expect(() => {
      flashOf().faults.wearOut = { erases: -1, effect: 'erase-fails' };
    }).toThrow(RangeError);
  });
});

describe('a device that fails', () => {
  it('cannot be read, and can again', () => {
    const flash = flashOf();
    flash.faults.readsFail = true;
    expect(() => readBack(flash, 0, 16)).toThrow(FlashError);
    flash.program(0, bytes(16, 4));
    flash.faults.readsFail = false;
    expect(readBack(flash, 0, 16)).toEqual(bytes(16, 4));
  });

  it('is read-only, and then takes nothing', () => {
    const flash = flashOf();
    flash.faults.readOnly = true;
    expect(() => flash.program(0, bytes(16, 4))).toThrow(/read-only/);
    expect(() => flash.erase(0)).toThrow(FlashError);
    expect(readBack(flash, 0, 16)).toEqual(bytes(16, 0xff));
    flash.faults.readOnly = false;
    flash.program(0, bytes(16, 4));
  });

  it('fails at one operation, with nothing or a part of it landed, and not at the next', () => {
    const flash = flashOf();
    flash.failAt(0);
    flash.failAt(1, 'torn', 20);
    flash.failAt(2, { kind: 'part', end: 'back', erased: 16 });
    expect(() => flash.program(0, bytes(32, 0))).toThrow(FlashError);
    expect(flash.contents()).toEqual(bytes(4 * BLOCK, 0xff));
    expect(() => flash.program(0, bytes(32, 0))).toThrow(/write failure at flash operation 1 \(prefix 20\)/);
    expect(flash.contents().indexOf(0xff)).toBe(20);
    expect(() => flash.erase(0)).toThrow(FlashError);
    flash.erase(0);
    flash.program(0, bytes(32, 0));
    expect(flash.powered).toBe(true);
  });

  it('loses its power where cut and failure meet, and does not fail again afterwards', () => {
    const flash = flashOf();
    flash.failAt(0);
    flash.cutAt(0, 'after');
    expect(() => flash.program(0, bytes(16, 0))).toThrow(PowerCut);
    flash.restart();
    flash.erase(0);
  });

  it('a failure cannot be set in the past', () => {
    const flash = flashOf();
    flash.erase(0);
    expect(() => flash.failAt(0)).toThrow(RangeError);
  });
});

it('all faults end at once', () => {
  const flash = flashOf();
  flash.faults.readsFail = true;
  flash.faults.readOnly = true;
  flash.faults.wearOut = { erases: 0, effect: 'erase-fails' };
  flash.faults.markBad(0);
  flash.faults.stickBit(0, 0, 0);
  flash.faults.disturbAfter(1);
  flash.faults.clear();
  flash.erase(0);
  flash.program(0, bytes(16, 0xff));
  expect(readBack(flash, 0, 16)).toEqual(bytes(16, 0xff));
});
