// The signals that end a command before it is done: what it has is closed, and whoever waits is told.

import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type SignalName = (typeof SIGNALS)[number];

/** Has something told of the first signal. A second one, whichever of them, ends the process at once. @returns ends that */
function atFirstSignal(tell: (signal: SignalName) => void): () => void {
  const off = () => {
    for (const name of SIGNALS) process.off(name, first);
  };
  const first = (signal: SignalName) => {
    // Without a listener a signal does what it does to any process.
    off();
    tell(signal);
  };
  for (const name of SIGNALS) process.on(name, first);
  return off;
}

/** The first signal that ends the process, by its name. */
export function signalled(): Promise<SignalName> {
  return new Promise((resolve) => atFirstSignal(resolve));
}

/** What came of work, and the signal that it was to end at, where one came. */
export interface Interruptible<T> {
  readonly came: T;
  readonly signal: SignalName | undefined;
}

/** Does work that ends early at a signal. @param work gets what tells it to */
export async function interruptible<T>(work: (end: AbortSignal) => Promise<T>): Promise<Interruptible<T>> {
  const end = new AbortController();
  let signal: SignalName | undefined;
  const off = atFirstSignal((name) => {
    signal = name;
    end.abort();
  });
  try {
    return { came: await work(end.signal), signal };
  } finally {
    off();
  }
}

/** The exit code of a process that a signal has ended, as shells have it. */
export function exitCodeOf(signal: SignalName): number {
  return 128 + constants.signals[signal];
}
