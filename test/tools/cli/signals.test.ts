// The signals that end a command before it is done.

import { expect, it } from 'vitest';
import { signalled } from '../../../tools/cli/signals.ts';

it.each(['SIGINT', 'SIGTERM'] as const)(
  'after %s the next signal, whichever it is, ends the process',
  async (signal) => {
    const heard = () => [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
    const before = heard();
    const first = signalled();
    expect(heard()).toEqual(before.map((count) => count + 1));
    process.emit(signal, signal);
    expect(await first).toBe(signal);
    expect(heard()).toEqual(before);
  },
);
