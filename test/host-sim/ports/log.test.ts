// Logs: one line of JSON per event, or a list.

import { expect, it } from 'vitest';
import { SimulatedClock } from '../../../host-sim/ports/clock.ts';
import { CollectingLog, ndjsonLog } from '../../../host-sim/ports/log.ts';

it('writes one JSON object per line, dated while the clock is set', () => {
  const lines: string[] = [];
  const clock = new SimulatedClock(1_000);
  const log = ndjsonLog((line) => lines.push(line), clock);
  log.emit({ event: 'a', text: 'two\nlines', left: undefined });
  clock.set(undefined);
  log.emit({ event: 'b', count: 2 });
  expect(lines).toEqual(['{"timeMs":1000,"event":"a","text":"two\\nlines"}', '{"event":"b","count":2}']);
});

it('collects events, and finds them by name', () => {
  const log = new CollectingLog();
  log.emit({ event: 'a', n: 1 });
  log.emit({ event: 'b' });
  log.emit({ event: 'a', n: 2 });
  expect(log.events).toHaveLength(3);
  expect(log.named('a')).toEqual([
    { event: 'a', n: 1 },
    { event: 'a', n: 2 },
  ]);
});
