// The work of idle time: a bounded piece at a time, soon again while there is more, seldom where there is none. And a second's tick.

import Timer from 'timer';

const SOON_MS = 10;
const SELDOM_MS = 500;
const TICK_MS = 1000;

/** What is done when no payment is. */
export interface IdleWork {
  /** @returns whether there is more to do */
  step(): boolean;
}

/** Does a device's idle work from now on, and calls `tick` each second. */
export function workWhenIdle(work: IdleWork, tick: () => void): void {
  const next = () => {
    Timer.set(next, work.step() ? SOON_MS : SELDOM_MS);
  };
  Timer.set(next, SOON_MS);
  Timer.repeat(tick, TICK_MS);
}
