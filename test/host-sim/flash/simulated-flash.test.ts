// The simulated flash behaves as NOR flash does, and loses power where it is told to.

import { describe, expect, it } from 'vitest';
import { FlashError } from '../../../core/ports/ports.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { type CutForm, SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';

const SIZE = 3 * 4096;

function flash(): SimulatedFlash {
  return new SimulatedFlash(new MemoryStore(SIZE));
}

function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function readBack(from: SimulatedFlash, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(length);
  from.read(offset, target);
  return target;
}

describe('NOR semantics', () => {
  it('a fresh flash is erased', () => {
    expect(flash().contents()).toEqual(bytes(SIZE, 0xff));
  });

  it('what is programmed reads back, and its neighbours stay erased', () => {
    const f = flash();
    f.program(32, bytes(32, 0x5a));
    expect(readBack(f, 16, 64)).toEqual(Uint8Array.from([...bytes(16, 0xff), ...bytes(32, 0x5a), ...bytes(16, 0xff)]));
  });

  it('a cell is programmed once between two erases', () => {
    const f = flash();
    f.program(0, bytes(16, 0xf0));
    expect(() => f.program(0, bytes(16, 0x00))).toThrow(FlashError);
    f.erase(0);
    f.program(0, bytes(16, 0x00));
    expect(readBack(f, 0, 16)).toEqual(bytes(16, 0));
  });

  it('a cell programmed to 0xFF counts as programmed too', () => {
    const f = flash();
    f.program(0, bytes(16, 0xff));
    expect(() => f.program(0, bytes(16, 0x00))).toThrow(FlashError);
  });

  it('a program that is refused changes nothing and is no operation', () => {
    const f = flash();
    f.program(16, bytes(16, 1));
    const before = f.contents();
    expect(() => f.program(0, bytes(32, 2))).toThrow(FlashError);
    expect(f.contents()).toEqual(before);
    expect(f.operations).toBe(1);
  });

  it.each([
    ['an offset that is not a multiple of the unit', 8, 16],
    ['a length that is not a multiple of the unit', 0, 24],
    ['no bytes at all', 0, 0],
    ['a range that leaves the partition', SIZE - 16, 32],
    ['a negative offset', -16, 16],
  ])('programming refuses %s', (_, offset, length) => {
    expect(() => flash().program(offset, bytes(length, 0))).toThrow(FlashError);
  });

  it.each([1, 16, 4095, SIZE, -4096])('erasing refuses offset %i, where no block begins', (offset) => {
    expect(() => flash().erase(offset)).toThrow(FlashError);
  });

  it('reading refuses a range that leaves the partition', () => {
    expect(() => readBack(flash(), SIZE - 1, 2)).toThrow(FlashError);
  });

  it('an erase sets one block, and wears that one', () => {
    const f = flash();
    for (const block of [0, 1, 2]) f.program(block * 4096, bytes(16, block));
    f.erase(4096);
    f.erase(4096);
    expect(readBack(f, 4096, 4096)).toEqual(bytes(4096, 0xff));
    expect(readBack(f, 0, 16)).toEqual(bytes(16, 0));
    expect(readBack(f, 8192, 16)).toEqual(bytes(16, 2));
    expect(f.wear()).toEqual([0, 2, 0]);
  });

  it('over a store of an earlier run, what is there counts as programmed', () => {
    const store = new MemoryStore(SIZE);
    new SimulatedFlash(store).program(64, bytes(16, 7));
    const later = new SimulatedFlash(store);
    expect(() => later.program(64, bytes(16, 0))).toThrow(FlashError);
    later.program(80, bytes(16, 0));
  });

  it('over a store of an earlier run, a cell programmed to 0xFF counts too', () => {
    const store = new MemoryStore(SIZE);
    new SimulatedFlash(store).program(64, bytes(16, 0xff));
    const later = new SimulatedFlash(store);
    expect(() => later.program(64, bytes(16, 0))).toThrow(FlashError);
    later.erase(0);
    new SimulatedFlash(store).program(64, bytes(16, 0));
  });

  it('a store that does not hold whole blocks is refused', () => {
    expect(() => new SimulatedFlash(new MemoryStore(5000))).toThrow(RangeError);
  });

  it.each([
    [4096, 3],
    [4096, 0],
    [0, 16],
    [-4096, -16],
    [24, 16],
  ])('blocks of %i bytes in units of %i are refused', (blockSize, programSize) => {
    expect(() => new SimulatedFlash(new MemoryStore(SIZE), { geometry: { blockSize, programSize } })).toThrow(
      RangeError,
    );
  });

  it.each([1, 4, 16, 32])('units of %i bytes can be programmed one by one', (programSize) => {
    const f = new SimulatedFlash(new MemoryStore(1024), { geometry: { blockSize: 256, programSize } });
    for (let at = 0; at < 64; at += programSize) f.program(at, bytes(programSize, at));
    expect(readBack(f, programSize, programSize)).toEqual(bytes(programSize, programSize));
    if (programSize > 1) expect(() => f.program(64, bytes(1, 0))).toThrow(FlashError);
  });
});

describe('statistics', () => {
  it('count programs, erases, reads and their bytes, and begin again at zero', () => {
    const f = flash();
    f.program(0, bytes(48, 1));
    f.erase(4096);
    readBack(f, 5, 7);
    readBack(f, 0, 100);
    f.contents();
    expect(f.statistics()).toEqual({ programs: 1, erases: 1, reads: 2, bytesProgrammed: 48, bytesRead: 107 });
    f.resetStatistics();
    expect(f.statistics()).toEqual({ programs: 0, erases: 0, reads: 0, bytesProgrammed: 0, bytesRead: 0 });
    expect(f.wear()).toEqual([0, 1, 0]);
  });

  it('count of a torn program what landed, and of a refused one nothing', () => {
    const f = flash();
    f.cutAt(0, 'torn', 20);
    expect(() => f.program(0, bytes(48, 1))).toThrow(PowerCut);
    f.restart();
    expect(() => f.program(0, bytes(16, 1))).toThrow(FlashError);
    expect(() => readBack(f, SIZE, 1)).toThrow(FlashError);
    expect(f.statistics()).toEqual({ programs: 1, erases: 0, reads: 0, bytesProgrammed: 20, bytesRead: 0 });
  });
});

describe('for a harness', () => {
  it('each operation is heard of before it lands, with the number a cut takes', () => {
    const heard: string[] = [];
    const f: SimulatedFlash = new SimulatedFlash(new MemoryStore(SIZE), {
      onOperation: ({ number, kind, offset, length, bytes: data }) => {
        heard.push(`${number} ${kind} ${offset} ${length} ${data?.[0]} ${f.contents()[16]}`);
        if (number === 2) f.cutAt(number, 'before');
      },
    });
    f.program(16, bytes(32, 9));
    f.erase(0);
    expect(() => f.program(16, bytes(8, 9))).toThrow(FlashError);
    expect(() => f.program(16, bytes(16, 8))).toThrow(PowerCut);
    expect(heard).toEqual(['0 program 16 32 9 255', '1 erase 0 4096 undefined 9', '2 program 16 16 8 255']);
  });

  it('a snapshot brings back cells, what was programmed, unstable bits, wear, numbers and power, and no cuts', () => {
    const f = flash();
    f.program(0, bytes(16, 0xff));
    f.cutAt(1, { kind: 'unstable', end: 'front', erased: 4096, seed: 2 });
    expect(() => f.erase(4096)).toThrow(PowerCut);
    const then = f.snapshot();
    const cells = f.contents();
    f.restart();
    const firstReading = readBack(f, 4096, 4096);
    f.erase(0);
    f.erase(4096);
    f.cutAt(9, 'before');
    f.cutAt(4, 'before');
    expect(() => f.program(0, bytes(16, 1))).toThrow(PowerCut);
    for (const target of [f, flash()]) {
      target.restore(then);
      expect(target.powered).toBe(true);
      expect(target.operations).toBe(2);
      expect(target.contents()).toEqual(cells);
      expect(target.wear()).toEqual([0, 1, 0]);
      expect(readBack(target, 4096, 4096).join()).toBe(firstReading.join());
      expect(() => target.program(0, bytes(16, 1))).toThrow(FlashError);
      for (let i = 0; i < 10; i++) target.erase(0);
    }
  });

  it('a snapshot of a flash of another size or geometry is refused', () => {
    const other = { geometry: { blockSize: 256, programSize: 16 } };
    expect(() => flash().restore(new SimulatedFlash(new MemoryStore(4096)).snapshot())).toThrow(RangeError);
    expect(() => flash().restore(new SimulatedFlash(new MemoryStore(SIZE), other).snapshot())).toThrow(RangeError);
  });
});

describe('power cuts', () => {
  const forms: readonly [CutForm, number | undefined, number][] = [
    ['before', undefined, 0],
    ['torn', 0, 0],
    ['torn', 1, 1],
    ['torn', 20, 20],
    ['torn', 99, 48],
    ['after', undefined, 48],
  ];

  it.each(forms)('%s (%s) at a program leaves %i bytes of it', (form, landed, expected) => {
    const f = flash();
    f.cutAt(0, form, landed);
    expect(() => f.program(0, bytes(48, 0x11))).toThrow(PowerCut);
    f.restart();
    expect(readBack(f, 0, 48)).toEqual(Uint8Array.from([...bytes(expected, 0x11), ...bytes(48 - expected, 0xff)]));
  });

  it('a torn erase leaves the end of the block as it was', () => {
    const f = flash();
    f.program(0, bytes(4096, 0));
    f.cutAt(1, 'torn', 1000);
    expect(() => f.erase(0)).toThrow(PowerCut);
    f.restart();
    expect(f.contents().slice(0, 4096)).toEqual(Uint8Array.from([...bytes(1000, 0xff), ...bytes(3096, 0)]));
    expect(() => f.program(992, bytes(16, 1))).toThrow(FlashError);
    f.program(976, bytes(16, 1));
  });

  it('a power cut is no FlashError, so the core cannot take it for one', () => {
    expect(new PowerCut('')).not.toBeInstanceOf(FlashError);
  });

  it('nothing works without power, until the restart', () => {
    const f = flash();
    f.cutAt(0, 'before');
    expect(() => f.erase(0)).toThrow(PowerCut);
    expect(f.powered).toBe(false);
    expect(() => f.erase(0)).toThrow(PowerCut);
    expect(() => f.program(0, bytes(16, 0))).toThrow(PowerCut);
    expect(() => readBack(f, 0, 1)).toThrow(PowerCut);
    expect(f.operations).toBe(1);
    f.restart();
    f.program(0, bytes(16, 0));
  });

  it('several cuts can be set; numbers go on counting after a restart', () => {
    const f = flash();
    f.cutAt(1, 'after');
    f.cutAt(2, 'before');
    f.program(0, bytes(16, 0));
    expect(() => f.program(16, bytes(16, 0))).toThrow(PowerCut);
    f.restart();
    expect(() => f.program(32, bytes(16, 0))).toThrow(PowerCut);
    f.restart();
    f.program(32, bytes(16, 0));
    expect(f.operations).toBe(4);
  });

  it('a cut cannot be set in the past', () => {
    const f = flash();
    f.erase(0);
    expect(() => f.cutAt(0, 'before')).toThrow(RangeError);
  });

  it('without a length the seed decides how much lands: some, not all, the same for the same seed', () => {
    const landed = (seed: number): number => {
      const f = new SimulatedFlash(new MemoryStore(SIZE), { seed });
      f.cutAt(0, 'torn');
      expect(() => f.program(0, bytes(128, 0))).toThrow(PowerCut);
      return f.contents().indexOf(0xff);
    };
    const lengths = [1, 2, 3, 4, 5, 6, 7, 8].map(landed);
    expect(lengths).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map(landed));
    expect(new Set(lengths).size).toBeGreaterThan(4);
    for (const length of lengths) expect(length > 0 && length < 128).toBe(true);
  });
});
