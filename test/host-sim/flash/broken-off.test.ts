// Whatever an operation leaves behind when it is broken off, it does so in its own cells only; what was programmed stays
// programmed, and a restart, real or not, sees exactly what landed. For flash with and without encryption.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlashError } from '../../../core/ports/ports.ts';
import type { ErasedReads } from '../../../host-sim/flash/cell-coding.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import {
  bitsProgrammed,
  partErased,
  type TornForm,
  tornErases,
  tornForms,
} from '../../../host-sim/flash/torn-forms.ts';

const BLOCK = 256;
const SIZE = 4 * BLOCK;
const KINDS: readonly (readonly [ErasedReads, number])[] = [
  ['ones', 1],
  ['ones', 4],
  ['ones', 16],
  ['ones', 32],
  ['scrambled', 16],
  ['scrambled', 32],
];

function flashOf(erasedReads: ErasedReads, programSize: number, store = new MemoryStore(SIZE)): SimulatedFlash {
  return new SimulatedFlash(store, { geometry: { blockSize: BLOCK, programSize }, erasedReads });
}

function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

/** For comparison of many bytes: text compares faster than arrays. */
function hex(of: Uint8Array): string {
  return Buffer.from(of).toString('hex');
}

function readBack(from: SimulatedFlash, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(length);
  from.read(offset, target);
  return target;
}

/** Which units a program is refused at because they are not erased; none is programmed. */
function taken(flash: SimulatedFlash): readonly boolean[] {
  const { programSize } = flash;
  const unit = bytes(programSize, 0xff);
  return Array.from({ length: SIZE / programSize }, (_, i) => {
    flash.failAt(flash.operations, 'before');
    try {
      flash.program(i * programSize, unit);
    } catch (error) {
      if (error instanceof FlashError) return error.message.includes('is not erased');
      throw error;
    }
    throw new Error('the program did not fail');
  });
}

/** Some programs and erases of a life before. */
const life = fc.array(
  fc.record({ erase: fc.nat(5).map((n) => n === 0), at: fc.nat(31), value: fc.constantFrom(0, 0x5a, 0xff) }),
  { maxLength: 20 },
);

function live(flash: SimulatedFlash, steps: readonly { erase: boolean; at: number; value: number }[]): void {
  for (const { erase, at, value } of steps) {
    try {
      if (erase) flash.erase((at % 4) * BLOCK);
      else flash.program(at * 32, bytes(32, value));
    } catch (error) {
      expect(error).toBeInstanceOf(FlashError);
    }
  }
}

/** The cells outside a range, for comparison. */
function outside(cells: Uint8Array, from: number, length: number): Uint8Array {
  return cells.slice().fill(0, from, from + length);
}

describe.each(KINDS)('cells that read %s, units of %i', (erasedReads, programSize) => {
  /** Which cells are taken is asked unit by unit. */
  const runs = programSize === 1 ? 15 : 60;
  const program = fc.integer({ min: 1, max: 4 }).chain((units) =>
    fc.record({
      data: fc.uint8Array({ minLength: units * 32, maxLength: units * 32 }),
      form: fc.constantFrom(...tornForms(units * 32, programSize, { units: 4 })),
    }),
  );
  const erase = fc.constantFrom(...tornErases(BLOCK, programSize));

  it('a broken-off program changes no cell outside it, and a real restart sees what landed', () => {
    fc.assert(
      fc.property(life, program, fc.nat(3), (steps, { data, form }, block) => {
        const store = new MemoryStore(SIZE);
        const flash = flashOf(erasedReads, programSize, store);
        live(flash, steps);
        flash.erase(block * BLOCK);
        const offset = block * BLOCK + 64;
        const before = flash.contents();
        flash.cutAt(flash.operations, form);
        expect(() => flash.program(offset, data)).toThrow(PowerCut);
        const after = flash.contents();
        expect(hex(outside(after, offset, data.length))).toBe(hex(outside(before, offset, data.length)));
        const landed = bitsProgrammed(form, data, programSize);
        const unit = erasedReads === 'ones' ? 1 : 16;
        for (let at = 0; at < data.length; at += unit) {
          const bits = landed.subarray(at, at + unit);
          const now = after.subarray(offset + at, offset + at + unit);
          if (bits.every((byte) => byte === 0xff)) expect(hex(now)).toBe(hex(data.subarray(at, at + unit)));
          else if (bits.every((byte) => byte === 0)) {
            expect(hex(now)).toBe(hex(before.subarray(offset + at, offset + at + unit)));
          } else if (unit === 1) expect(now[0]).toBe(((data[at] ?? 0) | ~(bits[0] ?? 0)) & 0xff);
          else {
            expect(now).not.toEqual(data.subarray(at, at + unit));
            expect(now).not.toEqual(before.subarray(offset + at, offset + at + unit));
          }
        }
        flash.restart();
        const later = flashOf(erasedReads, programSize, store);
        expect(hex(later.contents())).toBe(hex(after));
        expect(later.wear()).toEqual(flash.wear());
        expect(taken(later)).toEqual(taken(flash));
      }),
      { numRuns: runs },
    );
  });

  it('a broken-off erase changes no cell outside it, and a real restart sees what landed', () => {
    fc.assert(
      fc.property(life, erase, fc.nat(3), (steps, form, block) => {
        const store = new MemoryStore(SIZE);
        const flash = flashOf(erasedReads, programSize, store);
        const blank = flash.contents();
        live(flash, steps);
        const offset = block * BLOCK;
        const before = flash.contents();
        const takenBefore = taken(flash);
        flash.cutAt(flash.operations, form);
        expect(() => flash.erase(offset)).toThrow(PowerCut);
        const { from, to } = partErased(form, BLOCK);
        const expected = before.slice();
        expected.set(blank.subarray(offset + from, offset + to), offset + from);
        expect(hex(flash.contents())).toBe(hex(expected));
        flash.restart();
        const later = flashOf(erasedReads, programSize, store);
        expect(hex(later.contents())).toBe(hex(expected));
        expect(taken(later)).toEqual(
          takenBefore.map((was, i) => {
            const at = i * programSize - offset;
            return was && !(at >= from && at < to);
          }),
        );
      }),
      { numRuns: runs },
    );
  });

  it('what was programmed is never changed by a second program, torn or not', () => {
    fc.assert(
      fc.property(life, program, fc.nat(31), (steps, { data, form }, at) => {
        const flash = flashOf(erasedReads, programSize);
        live(flash, steps);
        const offset = Math.min(at * 32, SIZE - data.length);
        const unitsTaken = taken(flash).slice(offset / programSize, (offset + data.length) / programSize);
        const before = flash.contents();
        const number = flash.operations;
        flash.cutAt(number, form);
        expect(() => flash.program(offset, data)).toThrow(unitsTaken.includes(true) ? FlashError : PowerCut);
        if (!unitsTaken.includes(true)) return;
        expect(flash.operations).toBe(number);
        expect(hex(flash.contents())).toBe(hex(before));
      }),
      { numRuns: runs },
    );
  });

  it('a write failure lands what a cut lands, but the power stays', () => {
    fc.assert(
      fc.property(program, ({ data, form }) => {
        const cut = flashOf(erasedReads, programSize);
        const failed = flashOf(erasedReads, programSize);
        cut.cutAt(0, form);
        failed.failAt(0, form);
        expect(() => cut.program(32, data)).toThrow(PowerCut);
        expect(() => failed.program(32, data)).toThrow(FlashError);
        expect(failed.powered).toBe(true);
        expect(hex(failed.contents())).toBe(hex(cut.contents()));
      }),
      { numRuns: 30 },
    );
  });

  it('every form of an erase that was broken off is healed by one that is not', () => {
    for (const form of tornErases(BLOCK, programSize)) {
      const flash = flashOf(erasedReads, programSize);
      const blank = flash.contents();
      flash.program(0, bytes(BLOCK, 0));
      flash.cutAt(1, form);
      expect(() => flash.erase(0)).toThrow(PowerCut);
      flash.restart();
      flash.erase(0);
      for (let i = 0; i < 10; i++) expect(hex(readBack(flash, 0, BLOCK))).toBe(hex(blank.subarray(0, BLOCK)));
      flash.program(0, bytes(BLOCK, 0x81));
      for (let i = 0; i < 10; i++) expect(hex(readBack(flash, 0, BLOCK))).toBe(hex(bytes(BLOCK, 0x81)));
    }
  });
});

describe.each([
  ['ones', 16],
  ['scrambled', 16],
] as const)('unstable cells that read %s', (erasedReads, programSize) => {
  const unstable = (form: TornForm, store = new MemoryStore(SIZE)) => {
    const flash = flashOf(erasedReads, programSize, store);
    flash.program(0, bytes(BLOCK, 0));
    flash.program(BLOCK, bytes(BLOCK, 7));
    flash.cutAt(2, form);
    expect(() => flash.erase(0)).toThrow(PowerCut);
    flash.restart();
    return flash;
  };
  const readings = (flash: SimulatedFlash, offset: number, length: number) =>
    new Set(Array.from({ length: 20 }, () => readBack(flash, offset, length).join())).size;

  it.each([0, 1, 2])('give another value from read to read, over a real restart too (seed %i)', (seed) => {
    const store = new MemoryStore(SIZE);
    const flash = unstable({ kind: 'unstable', end: 'front', erased: BLOCK, seed }, store);
    expect(readings(flash, 0, BLOCK)).toBeGreaterThan(1);
    expect(readings(flash, BLOCK, BLOCK)).toBe(1);
    expect(readings(flashOf(erasedReads, programSize, store), 0, BLOCK)).toBeGreaterThan(1);
  });

  it('look erased from outside', () => {
    const flash = unstable({ kind: 'unstable', end: 'front', erased: BLOCK, seed: 2 });
    expect(flash.contents().subarray(0, BLOCK)).toEqual(
      flashOf(erasedReads, programSize).contents().subarray(0, BLOCK),
    );
  });

  it.each(['front', 'back'] as const)('are in the %s half only, where only that was reached', (end) => {
    const flash = unstable({ kind: 'unstable', end, erased: BLOCK / 2, seed: 1 });
    const half = end === 'front' ? 0 : BLOCK / 2;
    expect(readings(flash, half, BLOCK / 2)).toBeGreaterThan(1);
    expect(readBack(flash, BLOCK / 2 - half, BLOCK / 2)).toEqual(bytes(BLOCK / 2, 0));
  });

  it('take what is programmed without complaint, and do not hold it', () => {
    const flash = unstable({ kind: 'unstable', end: 'front', erased: BLOCK, seed: 2 });
    flash.program(0, bytes(BLOCK, 0xff));
    expect(readings(flash, 0, BLOCK)).toBeGreaterThan(1);
  });

  it('an erase in part does not make them sound', () => {
    const flash = unstable({ kind: 'unstable', end: 'front', erased: BLOCK, seed: 2 });
    flash.cutAt(3, { kind: 'part', end: 'front', erased: BLOCK / 2 });
    expect(() => flash.erase(0)).toThrow(PowerCut);
    flash.restart();
    expect(readings(flash, 0, BLOCK / 2)).toBeGreaterThan(1);
  });

  it('read the same for the same seed', () => {
    const [one, other] = [0, 1].map(() => unstable({ kind: 'unstable', end: 'front', erased: BLOCK, seed: 1 }));
    for (let i = 0; i < 5; i++) expect(one && readBack(one, 0, BLOCK)).toEqual(other && readBack(other, 0, BLOCK));
  });
});

it('unstable bits that were programmed to 0 are sound', () => {
  const flash = flashOf('ones', 16);
  flash.cutAt(0, { kind: 'unstable', end: 'front', erased: BLOCK, seed: 2 });
  expect(() => flash.erase(0)).toThrow(PowerCut);
  flash.restart();
  flash.program(0, bytes(BLOCK, 0));
  for (let i = 0; i < 10; i++) expect(readBack(flash, 0, BLOCK)).toEqual(bytes(BLOCK, 0));
});

describe('forms that do not fit', () => {
  it('a form of an erase at a program, or the other way round, is an error of the harness', () => {
    const flash = flashOf('ones', 16);
    flash.cutAt(0, { kind: 'part', end: 'front', erased: 16 });
    flash.cutAt(1, { kind: 'prefix', landed: 16 });
    expect(() => flash.program(0, bytes(16, 0))).toThrow(RangeError);
    expect(() => flash.erase(0)).toThrow(RangeError);
  });
});

describe('encryption', () => {
  it('an erased cell reads a byte of its own, the same after every erase, another for another seed', () => {
    const flash = flashOf('scrambled', 16);
    const blank = flash.contents();
    expect(new Set(blank).size).toBeGreaterThan(200);
    flash.program(0, bytes(16, 1));
    flash.erase(0);
    expect(flash.contents()).toEqual(blank);
    expect(
      new SimulatedFlash(new MemoryStore(SIZE), { geometry: flash, erasedReads: 'scrambled', seed: 2 }).contents(),
    ).not.toEqual(blank);
  });

  it('what is programmed reads back', () => {
    const flash = flashOf('scrambled', 16);
    flash.program(32, bytes(32, 0xff));
    expect(readBack(flash, 32, 32)).toEqual(bytes(32, 0xff));
  });

  it('one byte that landed spoils its 16, and no more', () => {
    const flash = flashOf('scrambled', 32);
    const blank = flash.contents();
    flash.cutAt(0, { kind: 'prefix', landed: 33 });
    expect(() => flash.program(0, bytes(64, 5))).toThrow(PowerCut);
    flash.restart();
    const now = readBack(flash, 0, 64);
    expect(now.subarray(0, 32)).toEqual(bytes(32, 5));
    expect(now.subarray(32, 48).filter((byte) => byte === 5).length).toBeLessThan(4);
    expect(now.subarray(32, 48)).not.toEqual(blank.subarray(32, 48));
    expect(now.subarray(48)).toEqual(blank.subarray(48, 64));
  });

  it('16 cells that were erased in part read neither old nor erased, and cannot be programmed', () => {
    const flash = flashOf('scrambled', 16);
    const blank = flash.contents();
    flash.program(0, bytes(BLOCK, 5));
    flash.cutAt(1, { kind: 'part', end: 'front', erased: 24 });
    expect(() => flash.erase(0)).toThrow(PowerCut);
    flash.restart();
    const now = readBack(flash, 0, BLOCK);
    expect(now.subarray(0, 16)).toEqual(blank.subarray(0, 16));
    expect(now.subarray(16, 32)).not.toEqual(bytes(16, 5));
    expect(now.subarray(16, 24)).not.toEqual(blank.subarray(16, 24));
    expect(now.subarray(32)).toEqual(bytes(BLOCK - 32, 5));
    expect(taken(flash).slice(0, 3)).toEqual([false, true, true]);
  });

  it('units that are no whole cipher blocks are refused', () => {
    expect(() => flashOf('scrambled', 4)).toThrow(RangeError);
  });
});
