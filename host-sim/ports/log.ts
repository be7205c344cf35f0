// Where a simulated device's events go: lines of JSON for people and pipes, or a list for tests.

import type { Clock, Log, LogEvent } from '../../core/ports/ports.ts';

/**
 * A log of one JSON object per line.
 *
 * @param write takes one line, without its newline
 * @param clock adds `timeMs`, its wall time, to every event while it is set
 */
export function ndjsonLog(write: (line: string) => void, clock?: Clock): Log {
  return {
    emit: (event) => {
      const timeMs = clock?.wallMs();
      write(JSON.stringify(timeMs === undefined ? event : { timeMs, ...event }));
    },
  };
}

/** A log that keeps its events. */
export class CollectingLog implements Log {
  readonly events: LogEvent[] = [];

  emit(event: LogEvent): void {
    this.events.push(event);
  }

  /** The events of one name, oldest first. */
  named(event: string): readonly LogEvent[] {
    return this.events.filter((entry) => entry.event === event);
  }
}
