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

/** What a device, and all of a run, are as they are by. */
const STATE_EVENTS = ['scenario.', 'authority.', 'device.', 'fault.', 'clock.', 'bundle.', 'violation'];
const LAST_EVENTS = 10;

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

  /**
   * What led to where a device is: how it came to be as it is, whatever names one of the ids, and the last that happened to it.
   */
  leadingTo(device: string, about: readonly string[]): readonly TraceEvent[] {
    const own = this.#events.filter((event) => event.device === device);
    const last = own.slice(-LAST_EVENTS);
    return this.#events.filter((event) => {
      if (event.device !== undefined && event.device !== device) return false;
      const isState = STATE_EVENTS.some((name) => event.event.startsWith(name));
      return isState || last.includes(event) || Object.values(event).some((value) => about.includes(String(value)));
    });
  }

  /** Adds an event. */
  add(event: LogEvent): void {
    const traced = { n: this.#events.length + 1, ms: this.#nowMs(), ...event };
    this.#events.push(traced);
    this.#heard?.(traced);
  }
}
