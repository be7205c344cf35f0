// A run's trace: what is kept of it, and what led to where a device is.

import { expect, it } from 'vitest';
import { Trace, type TraceEvent } from '../../../host-sim/simulation/trace.ts';

function filled(keptOfEach?: number): { readonly trace: Trace; readonly heard: TraceEvent[] } {
  const heard: TraceEvent[] = [];
  const trace = new Trace(() => 0, { heard: (event) => heard.push(event), keptOfEach });
  trace.add({ event: 'scenario.begins' });
  for (let i = 0; i < 40; i++)
    for (const device of ['a', 'b']) trace.add({ event: 'payment', device, receiptId: i, grantId: `grant-${i}` });
  return { trace, heard };
}

it('numbers its events, whether or not they are kept', () => {
  for (const keptOfEach of [undefined, 5]) {
    const { trace, heard } = filled(keptOfEach);
    expect(trace.count).toBe(81);
    expect(heard.map(({ n }) => n)).toEqual(heard.map((_, i) => i + 1));
  }
});

it('leads to a device by its last events, those of nobody, and those that name what it is about', () => {
  const led = filled().trace.leadingTo('a', ['grant-3']);
  expect(led[0]?.event).toBe('scenario.begins');
  expect(led.slice(1).map(({ receiptId }) => receiptId)).toEqual([3, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39]);
});

it('of which a fleet has kept no more than it was told to', () => {
  const led = filled(5).trace.leadingTo('a', ['grant-3']);
  expect(led.map(({ receiptId }) => receiptId)).toEqual([undefined, 35, 36, 37, 38, 39]);
});
