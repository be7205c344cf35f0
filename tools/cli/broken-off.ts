// Runs that a signal has broken off: what commands that run scenarios say of them, and how they end.

import { RunBrokenOff } from '../../host-sim/simulation/run.ts';
import type { Io } from './io.ts';
import { exitCodeOf, type Interruptible, interruptible } from './signals.ts';

/** Runs until it is over, or until a signal breaks it off. */
export function untilSignal<T>(work: (end: AbortSignal) => Promise<T>): Promise<Interruptible<T | RunBrokenOff>> {
  return interruptible<T | RunBrokenOff>((end) =>
    work(end).catch((error: unknown) => {
      if (error instanceof RunBrokenOff) return error;
      throw error;
    }),
  );
}

/** Says in a sentence that there is nothing whole, and ends as a process does that a signal has ended. */
export function tellBrokenOff(io: Io, signal: Interruptible<unknown>['signal'], text: string): void {
  io.note(`${signal}: ${text}`);
  io.fail(signal && exitCodeOf(signal));
}
