// Stands for the SDK's timers: a test lets time pass.

interface Entry {
  readonly callback: () => void;
  readonly every: number | undefined;
  at: number;
}

let now = 0;
const entries = new Set<Entry>();

/** Lets milliseconds pass; what is due is called in order. */
export function pass(milliseconds: number): void {
  const end = now + milliseconds;
  for (;;) {
    const [next] = [...entries].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
    if (next === undefined) break;
    now = next.at;
    if (next.every === undefined) entries.delete(next);
    else next.at += next.every;
    next.callback();
  }
  now = end;
}

/** Forgets all. */
export function clearAll(): void {
  entries.clear();
}

function add(callback: () => void, milliseconds: number, every: number | undefined): Entry {
  const entry = { callback, every, at: now + milliseconds };
  entries.add(entry);
  return entry;
}

export default {
  set: (callback: () => void, milliseconds: number) => add(callback, milliseconds, undefined),
  repeat: (callback: () => void, milliseconds: number) => add(callback, milliseconds, milliseconds),
  clear: (entry: Entry) => void entries.delete(entry),
};
