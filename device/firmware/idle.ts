// The work of idle time: a bounded piece at a time, soon again while there is more, seldom where there is none. And a second's tick.
// It waits while a message comes in: a chip keeps 128 bytes of one that nobody takes, 11 ms of a line.

import Timer from 'timer';

const SOON_MS = 10;
const SELDOM_MS = 500;
const TICK_MS = 1000;

/** What is done when no payment is. */
export interface IdleWork {
  /** @returns whether there is more to do */
  step(): boolean;
}

/** The longest that it waits: a line that is never silent would keep it from being done at all. */
const LONGEST_WAIT_MS = 5000;

/** What idle work waits for. */
export interface IdleConditions {
  /** Whether a message is coming in. */
  receiving(): boolean;
  /** Monotonic time. */
  now(): number;
}

/** Does a device's idle work from now on, and calls `tick` each second, which is told whether what can wait is to. */
export function workWhenIdle(
  work: IdleWork,
  { receiving, now }: IdleConditions,
  tick: (isPutOff: boolean) => void,
): void {
  let sinceMs: number | undefined;
  const isPutOff = () => {
    if (!receiving()) sinceMs = undefined;
    else sinceMs ??= now();
    return sinceMs !== undefined && now() - sinceMs < LONGEST_WAIT_MS;
  };
  const next = () => {
    Timer.set(next, isPutOff() || work.step() ? SOON_MS : SELDOM_MS);
  };
  Timer.set(next, SOON_MS);
  Timer.repeat(() => tick(isPutOff()), TICK_MS);
}
