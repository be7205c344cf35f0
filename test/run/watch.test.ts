// A run that stands still ends by itself, and says where.

import { expect, it } from 'vitest';
import type { TestCase, TestModule } from 'vitest/node';
import Watch from './watch.ts';

const moduleId = (path: string) => `${process.cwd()}/${path}`;
const module = (path: string, ok = true) => ({ moduleId: moduleId(path), ok: () => ok }) as TestModule;
const test = (path: string, fullName: string) => ({ module: module(path), fullName }) as TestCase;

/** @param files those of the run; its clock begins with it */
function watched(...files: readonly string[]) {
  const told: unknown[] = [];
  const clock = { minutes: 0 };
  const watch = new Watch({ now: () => clock.minutes * 60_000, end: (...ended) => void told.push(ended) });
  watch.onTestRunStart(files.map((path) => ({ moduleId: moduleId(path) })));
  for (const path of files) watch.onTestModuleQueued(module(path));
  return { watch, told, clock };
}

it('a file that has not ended in 20 minutes ends the run as failed, with the test that was begun last', () => {
  const { watch, told, clock } = watched('test/a.test.ts');
  watch.onTestCaseReady(test('test/a.test.ts', 'adds'));
  clock.minutes = 20;
  watch.look();
  expect(told).toEqual([]);
  clock.minutes = 21;
  watch.look();
  watch.onTestRunEnd();
  expect(told).toEqual([['test/a.test.ts has not ended in 21 minutes; the last test that was begun: adds', 1]]);
});

it('a file that has ended is forgotten, one that goes on is not', () => {
  const { watch, told, clock } = watched('test/a.test.ts', 'test/b.test.ts');
  watch.onTestModuleEnd(module('test/a.test.ts'));
  clock.minutes = 30;
  watch.look();
  watch.onTestRunEnd();
  expect(told).toEqual([['test/b.test.ts has not ended in 30 minutes; the last test that was begun: none yet', 1]]);
});

it.each([
  [true, 'all 2 files have results, and vitest has not ended; none failed', 0],
  [false, 'all 2 files have results, and vitest has not ended; failed: test/b.test.ts', 1],
])(
  'a run that does not end with its last result is ended three minutes later, by its results: %s',
  (ok, text, code) => {
    const { watch, told, clock } = watched('test/a.test.ts', 'test/b.test.ts');
    watch.onTestModuleEnd(module('test/a.test.ts'));
    clock.minutes = 10;
    watch.onTestModuleEnd(module('test/b.test.ts', ok));
    clock.minutes = 13;
    watch.look();
    expect(told).toEqual([]);
    clock.minutes = 14;
    watch.look();
    watch.onTestRunEnd();
    expect(told).toEqual([[text, code]]);
  },
);

it('what no test has caught is a failure of a run that ends by its results', () => {
  const { watch, told, clock } = watched('test/a.test.ts');
  watch.onInit({ state: { getUnhandledErrors: () => [new Error('nobody waits for this')] } });
  watch.onTestModuleEnd(module('test/a.test.ts'));
  clock.minutes = 4;
  watch.look();
  watch.onTestRunEnd();
  const failed = 'what no test has caught: nobody waits for this';
  expect(told).toEqual([[`all 1 files have results, and vitest has not ended; failed: ${failed}`, 1]]);
});

it('a run in which no file is begun any more is ended as failed, with those that have no result', () => {
  const { watch, told, clock } = watched('test/a.test.ts');
  watch.onTestRunEnd();
  watch.onTestRunStart(['test/a.test.ts', 'test/b.test.ts'].map((path) => ({ moduleId: moduleId(path) })));
  watch.onTestModuleEnd(module('test/a.test.ts'));
  clock.minutes = 4;
  watch.look();
  watch.onTestRunEnd();
  expect(told).toEqual([['vitest begins no file any more; without a result: test/b.test.ts', 1]]);
});
