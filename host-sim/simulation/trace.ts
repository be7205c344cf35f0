// What happened in a run, in order: each event is an object of plain values, with its time and the device it is about. The same
// scenario and seed give the same lines.

import type { LogEvent } from '../../core/ports/ports.ts';

/** An event. */
export interface TraceEvent extends LogEvent {
  /** From 1. */
  readonly n: number;
  /** Milliseconds since the scenario began. */
  readonly ms: number;
}

/** See the head of the file. */
export class Trace {
  readonly #nowMs: () => number;
  readonly #heard: ((event: TraceEvent) => void) | undefined;
  readonly #events: TraceEvent[] = [];

  /** @param heard is given every event as it happens */
  constructor(nowMs: () => number, heard?: (event: TraceEvent) => void) {
    this.#nowMs = nowMs;
    this.#heard = heard;
  }

  get events(): readonly TraceEvent[] {
    return this.#events;
  }

  /** Adds an event. */
  add(event: LogEvent): void {
    const traced = { n: this.#events.length + 1, ms: this.#nowMs(), ...event };
    this.#events.push(traced);
    this.#heard?.(traced);
  }
}
