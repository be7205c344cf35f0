// Simulated time: what is to happen stands in a queue, and time jumps from one thing to the next. What a thing leads to at once
// is over before the next one begins, so that a run is the same however fast the machine is.

/** Something that is to happen. */
export interface Planned {
  /** It does not happen. */
  cancel(): void;
}

class Entry implements Planned {
  readonly ms: number;
  /** Those of one moment happen in the order in which they were asked for. */
  readonly order: number;
  work: (() => unknown) | undefined;

  constructor(ms: number, order: number, work: () => unknown) {
    this.ms = ms;
    this.order = order;
    this.work = work;
  }

  cancel(): void {
    this.work = undefined;
  }
}

/** See the head of the file. */
export class Timeline {
  #nowMs = 0;
  #order = 0;
  /** Work in turns of the event loop: how much of it was ever begun, and how much is not over. */
  #begun = 0;
  #outside = 0;
  #failure: { readonly error: unknown } | undefined;
  #isStopped = false;
  /** A binary heap, the next entry first. */
  readonly #heap: Entry[] = [];

  /** Milliseconds since the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Has something happen at a time, or now where that is past. A promise that it gives is not waited for, but may not fail. */
  at(ms: number, work: () => unknown): Planned {
    const entry = new Entry(Math.max(ms, this.#nowMs), this.#order++, work);
    this.#push(entry);
    return entry;
  }

  /** The same after a span. */
  after(ms: number, work: () => unknown): Planned {
    return this.at(this.#nowMs + ms, work);
  }

  /** Is over after a span of simulated time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Waits for work that takes turns of the event loop and no simulated time: a server's answer. */
  async outside<T>(work: Promise<T>): Promise<T> {
    this.#begun++;
    this.#outside++;
    try {
      return await work;
    } finally {
      this.#outside--;
    }
  }

  /** Nothing happens any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Lets time pass up to a moment, or until somebody stops it. @throws whatever is thrown by what happens */
  async run(untilMs: number): Promise<void> {
    while (!this.#isStopped) {
      const next = this.#heap[0];
      if (next === undefined || next.ms > untilMs) break;
      this.#pop();
      if (next.work === undefined) continue;
      this.#nowMs = next.ms;
      this.#watch(next.work());
      await this.#settled();
      if (this.#failure !== undefined) throw this.#failure.error;
    }
    if (!this.#isStopped) this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #watch(result: unknown): void {
    if (!(result instanceof Promise)) return;
    result.catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }

  /** Nothing goes on any more that does not wait for simulated time. */
  async #settled(): Promise<void> {
    // A turn ends when no promise is left to go on. An answer's last one may be followed by the first one of another request.
    for (let isQuiet = false; !isQuiet; ) {
      const begun = this.#begun;
      const isBusy = this.#outside > 0;
      await new Promise<void>((resolve) => setImmediate(resolve));
      isQuiet = !isBusy && this.#outside === 0 && this.#begun === begun;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(entry, heap[above] as Entry)) break;
      heap[at] = heap[above] as Entry;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Entry, heap[below] as Entry)) below++;
      if (!isBefore(heap[below] as Entry, last)) break;
      heap[at] = heap[below] as Entry;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.ms < b.ms || (a.ms === b.ms && a.order < b.order);
}
