// A device's clock in simulated time: how it goes wrong, and what a start leaves of it.

import { expect, it } from 'vitest';
import { DeviceClock } from '../../../host-sim/simulation/device-clock.ts';

function clock(battery: boolean) {
  const time = { ms: 1_000_000 };
  return { time, clock: new DeviceClock(() => time.ms, battery) };
}

it('shows true time until something happens to it', () => {
  const { time, clock: it } = clock(true);
  time.ms += 5000;
  expect([it.wallMs(), it.monotonicMs(), it.aheadMs]).toEqual([1_005_000, 5000, 0]);
});

it('gains what it drifts, from then on', () => {
  const { time, clock: it } = clock(true);
  time.ms += 1000;
  it.drift(1000);
  time.ms += 1_000_000;
  expect(it.aheadMs).toBe(1000);
  it.drift(0);
  time.ms += 1_000_000;
  expect(it.aheadMs).toBe(1000);
});

it('keeps what it was set to, right or wrong', () => {
  const { time, clock: it } = clock(true);
  it.set(0);
  time.ms += 60_000;
  expect(it.wallMs()).toBe(60_000);
});

it('forgets the time of day at a start without a battery, and counts anew with one', () => {
  for (const battery of [true, false]) {
    const { time, clock: it } = clock(battery);
    time.ms += 5000;
    it.started();
    time.ms += 100;
    expect([it.wallMs(), it.monotonicMs()]).toEqual([battery ? 1_005_100 : undefined, 100]);
  }
});
