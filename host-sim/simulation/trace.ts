// What happened in a run, in order: each event is an object of plain values, with its time and the device it is about. The same
// scenario and seed give the same lines. All of it is kept, or of each device its last events.

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

/** Shorter texts are copied when they are cut out of others. */
const CUT_OUT = 13;

/** A text that was cut out of a presentation would keep all of it in memory. */
function copied(event: TraceEvent): TraceEvent {
  const copy: { [name: string]: TraceEvent[string] } = { ...event };
  for (const [name, value] of Object.entries(event))
    if (typeof value === 'string' && value.length >= CUT_OUT) copy[name] = Buffer.from(value).toString();
  return copy as TraceEvent;
}

/** How a trace is told and kept. */
export interface TraceOptions {
  /** Is given every event as it happens. */
  readonly heard?: ((event: TraceEvent) => void) | undefined;
  /** Of each device so many events are kept, and those of no device; default: all. */
  readonly keptOfEach?: number | undefined;
}

/** See the head of the file. */
export class Trace {
  readonly #nowMs: () => number;
  readonly #options: TraceOptions;
  /** Those of no device, and all of them where all are kept. */
  readonly #events: TraceEvent[] = [];
  readonly #byDevice = new Map<string, TraceEvent[]>();
  #count = 0;

  constructor(nowMs: () => number, options: TraceOptions = {}) {
    this.#nowMs = nowMs;
    this.#options = options;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /**
   * What led to where a device is: how it came to be as it is, whatever names one of the ids, and the last that happened to it.
   */
  leadingTo(device: string, about: readonly string[]): readonly TraceEvent[] {
    const kept = [...this.#events, ...(this.#byDevice.get(device) ?? [])].sort((a, b) => a.n - b.n);
    const own = kept.filter((event) => event.device === device);
    const last = own.slice(-LAST_EVENTS);
    return kept.filter((event) => {
      if (event.device !== undefined && event.device !== device) return false;
      const isState = STATE_EVENTS.some((name) => event.event.startsWith(name));
      return isState || last.includes(event) || Object.values(event).some((value) => about.includes(String(value)));
    });
  }

  /** Adds an event. */
  add(event: LogEvent): void {
    const { heard, keptOfEach } = this.#options;
    const traced = { n: ++this.#count, ms: this.#nowMs(), ...event };
    if (keptOfEach === undefined || event.device === undefined) this.#events.push(traced);
    else {
      const own = this.#byDevice.get(String(event.device)) ?? [];
      this.#byDevice.set(String(event.device), own);
      own.push(copied(traced));
      if (own.length > keptOfEach) own.shift();
    }
    heard?.(traced);
  }
}
