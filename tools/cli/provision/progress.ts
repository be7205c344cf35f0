// A bar that says how far a long command is: on a terminal only, so that files and pipes get nothing of it.

import { SingleBar } from 'cli-progress';
import type { Io } from '../io.ts';

/** Fewer steps than this are over before a bar is read. */
const LEAST_STEPS = 200;

/** Runs steps one by one under a bar; it is gone when they are done. */
export function withProgress<T>(io: Io, what: string, items: readonly T[], step: (item: T) => void): void {
  const { terminal } = io;
  if (terminal === undefined || items.length < LEAST_STEPS) {
    for (const item of items) step(item);
    return;
  }
  const format = `${what} {bar} {percentage} % · {value} of {total} · {eta_formatted} left`;
  const bar = new SingleBar({ format, stream: terminal, clearOnComplete: true, hideCursor: true, fps: 5 });
  bar.start(items.length, 0);
  try {
    for (const item of items) {
      step(item);
      bar.increment();
    }
  } finally {
    bar.stop();
  }
}
