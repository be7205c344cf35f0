// A run that stands still ends by itself, and says where.

import { expect, it } from 'vitest';
import type { TestCase, TestModule } from 'vitest/node';
import Watch from './watch.ts';

const module = (path: string) => ({ moduleId: `${process.cwd()}/${path}` }) as TestModule;
const test = (path: string, fullName: string) => ({ module: module(path), fullName }) as TestCase;

function watched() {
  const told: string[] = [];
  const clock = { minutes: 0 };
  const watch = new Watch({ now: () => clock.minutes * 60_000, end: (text) => void told.push(text) });
  return { watch, told, clock };
}

it('a file that has not ended in 20 minutes is told, with the test that was begun last', () => {
  const { watch, told, clock } = watched();
  watch.onTestModuleStart(module('test/a.test.ts'));
  watch.onTestCaseReady(test('test/a.test.ts', 'adds'));
  clock.minutes = 20;
  watch.look();
  expect(told).toEqual([]);
  clock.minutes = 21;
  watch.look();
  expect(told).toEqual(['test/a.test.ts has not ended in 21 minutes; the last test that was begun: adds']);
});

it('a file that has ended is forgotten, one that goes on is not', () => {
  const { watch, told, clock } = watched();
  watch.onTestModuleStart(module('test/a.test.ts'));
  watch.onTestModuleStart(module('test/b.test.ts'));
  watch.onTestModuleEnd(module('test/a.test.ts'));
  clock.minutes = 30;
  watch.look();
  expect(told).toEqual(['test/b.test.ts has not ended in 30 minutes; the last test that was begun: none yet']);
});
