// What the chip has counted, as it is read at each look: nothing is charged that no meter gave, whatever a reading says.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PulseInput } from '../../../device/io/pulse-input.ts';
import { clearAll, pass } from '../sdk/timer.ts';

/** What the chip says that it has counted. */
let counted = 0;

beforeEach(() => {
  vi.stubGlobal('MPCP_NATIVE', true);
  vi.stubGlobal('native', (name: string) => () => (name === 'xs_mpcp_pulses' ? counted | 0 : true));
});
afterEach(() => {
  clearAll();
  vi.unstubAllGlobals();
});

/** What is told of at the looks at these readings; the first is there from the beginning. */
function told(first: number, ...readings: readonly number[]): number[] {
  const all: number[] = [];
  counted = first;
  new PulseInput(
    7,
    20,
    () => 0,
    (count) => all.push(count),
  );
  for (const reading of readings) {
    counted = reading;
    pass(100);
  }
  return all;
}

describe('the pulses of a meter, with native code', () => {
  it('are told of at each look that found some', () => {
    expect(told(0, 1, 1, 4)).toEqual([1, 3]);
  });

  it('are not those that were counted before it began', () => {
    expect(told(700, 700, 701)).toEqual([1]);
  });

  it('are two where the counter is full, and was read after it began anew and before that was added up', () => {
    expect(told(32_766, 0, 32_768)).toEqual([2]);
    expect(told(65_533, 32_767, 32_768, 65_536)).toEqual([3]);
  });

  it('are counted on where 32 bits begin anew', () => {
    expect(told(0x7fff_fffe, 0x7fff_ffff, 0x8000_0001, 0x8000_0003)).toEqual([1, 2, 2]);
    expect(told(0xffff_fffe, 0, 3)).toEqual([2, 3]);
  });

  it('are not as many as no meter gives: a reading that jumps up and back is passed over', () => {
    expect(told(5, 0x4000_0000, 6, 32_773, 7)).toEqual([1, 1]);
  });

  it('are as many as came while the engine was at work for a minute', () => {
    expect(told(0, 1200)).toEqual([1200]);
  });

  it('are counted from there on where a jump stays: a second of it is charged to nobody, and all after it is', () => {
    const from = (first: number) => Array.from({ length: 12 }, (_, i) => first + i);
    expect(told(40_000, ...from(0))).toEqual([1, 1]);
    expect(told(0, ...from(1_000_000))).toEqual([1, 1]);
  });
});
