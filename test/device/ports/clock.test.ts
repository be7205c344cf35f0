// The Clock port of a device: a clock that was never set is none, and ticks that begin anew never step back.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { DeviceClock } from '../../../device/ports/clock.ts';
import { setTicks, timesSet } from '../sdk/time.ts';

const BUILD = Date.UTC(2026, 0, 1);

afterEach(() => {
  vi.useRealTimers();
});

describe('the wall clock', () => {
  it('was never set while it shows 1970, as a chip does that had no power', () => {
    vi.useFakeTimers({ now: 5000 });
    expect(new DeviceClock(BUILD).wallMs()).toBeUndefined();
  });

  it('is what the chip shows from the build on', () => {
    vi.useFakeTimers({ now: BUILD });
    expect(new DeviceClock(BUILD).wallMs()).toBe(BUILD);
    vi.setSystemTime(BUILD - 1);
    expect(new DeviceClock(BUILD).wallMs()).toBeUndefined();
  });

  it('is set in whole seconds, and not to a time before the build or beyond reckoning', () => {
    const clock = new DeviceClock(BUILD);
    const before = timesSet().length;
    expect(clock.set(BUILD + 1999)).toBe(true);
    for (const time of [BUILD - 1, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(clock.set(time)).toBe(false);
    expect(timesSet().slice(before)).toEqual([BUILD / 1000 + 1]);
  });
});

describe('the monotonic clock', () => {
  it('begins at zero and goes with the ticks', () => {
    setTicks(12_345);
    const clock = new DeviceClock(BUILD);
    setTicks(12_400);
    expect(clock.monotonicMs()).toBe(55);
  });

  it('goes on where the ticks change their sign, and where they begin anew', () => {
    setTicks(0x7fff_ffff);
    const clock = new DeviceClock(BUILD);
    setTicks(0x8000_0009);
    expect(clock.monotonicMs()).toBe(10);
    setTicks(0xffff_fff0);
    clock.monotonicMs();
    setTicks(0x10);
    expect(clock.monotonicMs()).toBe(0x1_0000_0010 - 0x7fff_ffff);
  });

  it('counts past 32 bits', () => {
    setTicks(0);
    const clock = new DeviceClock(BUILD);
    for (let days = 0; days < 120; days += 20) {
      setTicks((days * 86_400_000) % 2 ** 32);
      clock.monotonicMs();
    }
    expect(clock.monotonicMs()).toBe(100 * 86_400_000);
  });
});
