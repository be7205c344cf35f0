// Simulated time: what happens, happens in order, and what a thing leads to is over before the next one begins.

import { expect, it } from 'vitest';
import { Timeline } from '../../../host-sim/simulation/timeline.ts';

it('does what is due in the order of its time, and of its asking where that is the same', async () => {
  const timeline = new Timeline();
  const done: string[] = [];
  for (const [name, ms] of [
    ['c', 30],
    ['a', 10],
    ['d', 30],
    ['b', 20],
    ['later', 41],
  ] as const)
    timeline.at(ms, () => done.push(`${name} ${timeline.nowMs}`));
  await timeline.run(40);
  expect(done).toEqual(['a 10', 'b 20', 'c 30', 'd 30']);
  expect(timeline.nowMs).toBe(40);
});

it('keeps its order with many things in it', async () => {
  const timeline = new Timeline();
  const done: number[] = [];
  const times = Array.from({ length: 500 }, (_, i) => (i * 7919) % 1009);
  for (const ms of times) timeline.at(ms, () => done.push(ms));
  await timeline.run(2000);
  expect(done).toEqual([...times].sort((a, b) => a - b));
});

it('lets work that sleeps go on at its time, among what others do', async () => {
  const timeline = new Timeline();
  const done: string[] = [];
  timeline.at(0, async () => {
    done.push('asleep');
    await timeline.sleep(100);
    done.push(`awake ${timeline.nowMs}`);
  });
  timeline.at(50, () => done.push('between'));
  await timeline.run(1000);
  expect(done).toEqual(['asleep', 'between', 'awake 100']);
});

it('waits for work outside of simulated time, and for what follows from it, before time passes', async () => {
  const timeline = new Timeline();
  const done: string[] = [];
  const slow = () => new Promise<void>((resolve) => setTimeout(resolve, 5));
  timeline.at(1, async () => {
    await timeline.outside(slow());
    await timeline.outside(slow());
    done.push(`answered ${timeline.nowMs}`);
  });
  timeline.at(2, () => done.push('next'));
  await timeline.run(10);
  expect(done).toEqual(['answered 1', 'next']);
});

it('ends with what anybody throws, at once or later', async () => {
  for (const work of [
    () => {
      throw new Error('lost');
    },
    async () => {
      throw new Error('lost');
    },
  ]) {
    const timeline = new Timeline();
    timeline.at(1, work);
    await expect(timeline.run(10)).rejects.toThrow('lost');
  }
});

it('lets nothing happen that was called off', async () => {
  const timeline = new Timeline();
  const done: string[] = [];
  const late = timeline.at(20, () => done.push('late'));
  timeline.at(10, () => late.cancel());
  timeline.at(30, () => done.push(`then ${timeline.nowMs}`));
  await timeline.run(40);
  expect(done).toEqual(['then 30']);
});
