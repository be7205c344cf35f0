// A window on a flash: its own offsets, its own bounds, and nothing beside it is touched.

import { describe, expect, it } from 'vitest';
import { FlashWindow } from '../../../core/ports/flash-window.ts';
import { FlashError } from '../../../core/ports/ports.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';

const BLOCK = 4096;

function unit(value: number): Uint8Array {
  return new Uint8Array(16).fill(value);
}

function readAt(flash: { read(offset: number, target: Uint8Array): void }, offset: number): number {
  const bytes = new Uint8Array(16);
  flash.read(offset, bytes);
  return bytes[0] as number;
}

describe('flash window', () => {
  it('has the block and program sizes of its flash, and its own size', () => {
    const window = new FlashWindow(new MemoryFlash({ size: 8 * BLOCK, programSize: 8 }), 2 * BLOCK, 3 * BLOCK);
    expect([window.size, window.blockSize, window.programSize]).toEqual([3 * BLOCK, BLOCK, 8]);
  });

  it('reaches to the end of its flash where no size is given', () => {
    expect(new FlashWindow(new MemoryFlash({ size: 8 * BLOCK }), 6 * BLOCK).size).toBe(2 * BLOCK);
  });

  it('reads, programs and erases at its own offsets, and nothing beside them', () => {
    const flash = new MemoryFlash({ size: 4 * BLOCK });
    for (let block = 0; block < 4; block++) flash.program(block * BLOCK, unit(block + 1));
    const window = new FlashWindow(flash, BLOCK, 2 * BLOCK);
    expect([readAt(window, 0), readAt(window, BLOCK)]).toEqual([2, 3]);
    window.erase(BLOCK);
    window.program(BLOCK, unit(9));
    expect([0, 1, 2, 3].map((block) => readAt(flash, block * BLOCK))).toEqual([1, 2, 9, 4]);
  });

  it('does not let an operation reach past either end', () => {
    const flash = new MemoryFlash({ size: 4 * BLOCK });
    const window = new FlashWindow(flash, BLOCK, BLOCK);
    const before = flash.snapshot();
    for (const offset of [-16, BLOCK - 8, BLOCK, Number.NaN]) {
      expect(() => window.read(offset, new Uint8Array(16))).toThrow(FlashError);
      expect(() => window.program(offset, unit(1))).toThrow(FlashError);
    }
    for (const offset of [-BLOCK, BLOCK, Number.NaN]) expect(() => window.erase(offset)).toThrow(FlashError);
    expect(flash.snapshot()).toEqual(before);
  });

  it('is not made over half a block, nothing, or what is outside the flash', () => {
    const flash = new MemoryFlash({ size: 4 * BLOCK });
    for (const [start, size] of [
      [100, BLOCK],
      [0, 100],
      [0, 0],
      [-BLOCK, BLOCK],
      [3 * BLOCK, 2 * BLOCK],
      [4 * BLOCK, undefined],
      [Number.NaN, BLOCK],
    ] as const)
      expect(() => new FlashWindow(flash, start, size)).toThrow(RangeError);
  });

  it('may lie in a window', () => {
    const flash = new MemoryFlash({ size: 4 * BLOCK });
    const inner = new FlashWindow(new FlashWindow(flash, BLOCK, 3 * BLOCK), BLOCK, BLOCK);
    inner.program(16, unit(5));
    expect(readAt(flash, 2 * BLOCK + 16)).toBe(5);
  });

  it('keeps the operations of several windows in the one line of their flash', () => {
    const numbers: string[] = [];
    const flash = new SimulatedFlash(new MemoryStore(4 * BLOCK), {
      onOperation: ({ number, kind, offset }) => numbers.push(`${number} ${kind} ${offset}`),
    });
    const first = new FlashWindow(flash, 0, 2 * BLOCK);
    const second = new FlashWindow(flash, 2 * BLOCK, 2 * BLOCK);
    first.erase(0);
    second.erase(0);
    first.program(0, unit(1));
    second.program(16, unit(2));
    expect(numbers).toEqual(['0 erase 0', `1 erase ${2 * BLOCK}`, '2 program 0', `3 program ${2 * BLOCK + 16}`]);
  });
});
