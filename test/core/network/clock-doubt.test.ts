// When a device has its clock set again because a server cannot be reached, and when it does not.

import { describe, expect, it } from 'vitest';
import { ClockDoubt } from '../../../core/network/clock-doubt.ts';
import { NOW } from '../../fixtures/artifacts.ts';

const HOUR_MS = 3_600_000;

class Bench {
  wall: number | undefined = NOW;
  ticks = 5000;
  readonly doubt = new ClockDoubt({ wallMs: () => this.wall, monotonicMs: () => this.ticks });

  /** What is so after so long, when a server cannot be reached. */
  unreachable(afterMs = 0): boolean {
    this.ticks += afterMs;
    if (this.wall !== undefined) this.wall += afterMs;
    this.doubt.doubt();
    return this.doubt.isDoubtful;
  }
}

describe('a clock', () => {
  it('is not doubted while servers can be reached', () => {
    expect(new Bench().doubt.isDoubtful).toBe(false);
  });

  it('that no server has confirmed is doubted where one cannot be reached, until it is set', () => {
    const bench = new Bench();
    expect(bench.unreachable()).toBe(true);
    bench.doubt.wasSet();
    expect(bench.doubt.isDoubtful).toBe(false);
    expect(bench.unreachable()).toBe(true);
  });

  it('attack: once a server has confirmed it, whoever keeps servers away has nobody else asked, however long', () => {
    const bench = new Bench();
    bench.doubt.confirm();
    expect([0, HOUR_MS, 400 * 24 * HOUR_MS].map((ms) => bench.unreachable(ms))).toEqual([false, false, false]);
  });

  it.each([
    ['ahead', 90 * 24 * HOUR_MS],
    ['back', -90 * 24 * HOUR_MS],
  ])('that has jumped %s since it was confirmed is another one, and is doubted', (_, byMs) => {
    const bench = new Bench();
    bench.doubt.confirm();
    bench.wall = NOW + byMs;
    expect(bench.unreachable()).toBe(true);
  });

  it('that is set right by the server that confirms it has not jumped', () => {
    const bench = new Bench();
    bench.doubt.confirm();
    bench.wall = NOW + 2 * HOUR_MS;
    bench.doubt.confirm();
    expect(bench.unreachable(HOUR_MS)).toBe(false);
  });

  it.each([
    ['drifts by minutes between two answers has not jumped', 5 * 60_000, false],
    ['is an hour off, and no more, has not jumped', HOUR_MS, false],
    ['is off by more than an hour has jumped', HOUR_MS + 1, true],
  ])('that %s', (_, byMs, isDoubted) => {
    const bench = new Bench();
    bench.doubt.confirm();
    bench.wall = NOW + byMs;
    expect(bench.unreachable()).toBe(isDoubted);
  });

  it('that has been lost since it was confirmed is doubted', () => {
    const bench = new Bench();
    bench.doubt.confirm();
    bench.wall = undefined;
    expect(bench.unreachable()).toBe(true);
  });
});
