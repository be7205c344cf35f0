// The simulated clock: unset like a device's after power-up, moved by hand.

import { expect, it } from 'vitest';
import { SimulatedClock } from '../../../host-sim/ports/clock.ts';

it('is unset until it is given a time; monotonic time passes all the same', () => {
  const clock = new SimulatedClock();
  clock.advance(10);
  expect(clock.wallMs()).toBeUndefined();
  expect(clock.monotonicMs()).toBe(10);
  clock.set(5_000);
  clock.advance(1);
  expect(clock.wallMs()).toBe(5_001);
});

it('can be set back and unset, and monotonic time never steps back', () => {
  const clock = new SimulatedClock(10_000);
  clock.advance(7);
  clock.set(3_000);
  expect(clock.wallMs()).toBe(3_000);
  clock.set(undefined);
  expect(clock.wallMs()).toBeUndefined();
  expect(clock.monotonicMs()).toBe(7);
});

it.each([-1, Number.NaN])('time does not pass by %d ms', (ms) => {
  expect(() => new SimulatedClock().advance(ms)).toThrow(RangeError);
});
