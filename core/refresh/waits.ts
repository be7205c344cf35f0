// How long to wait: what a fleet does at one moment must not be done again by all of it at one moment.

/** Doublings after which the longest wait is reached, whatever it is. */
const MOST_DOUBLINGS = 30;

/**
 * The wait after failures in a row, in milliseconds, before chance is asked.
 *
 * @param failures that came before the last one
 */
export function backoff(firstMs: number, longestMs: number, failures: number): number {
  return Math.min(firstMs * 2 ** Math.min(failures, MOST_DOUBLINGS), longestMs);
}

/** From half of a time up to all of it. What is no number from 0 to 1 waits longest. */
export function spread(wholeMs: number, random: () => number): number {
  return Math.ceil(wholeMs / 2 + chanceOf(random) * (wholeMs / 2));
}

/** From nothing up to a time. */
export function spreadFromZero(wholeMs: number, random: () => number): number {
  return Math.ceil(chanceOf(random) * wholeMs);
}

function chanceOf(random: () => number): number {
  const chance = random();
  return chance >= 0 && chance < 1 ? chance : 1;
}
