// The window of a grant's payments: exact while it has room for each, and never too few beyond.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_COUNTED, WINDOW_ENTRIES, type Window } from '../../../core/ledger/spend-record.ts';
import { countedSince, NO_PAYMENTS, type WindowLimit, withPayment } from '../../../core/ledger/window.ts';

const MORE_THAN_ANY_LIMIT = Number.MAX_SAFE_INTEGER;
const limit = (windowMs: number): WindowLimit => ({ maxPayments: 5, windowMs });

function windowOf(times: readonly number[], windowMs = 1000): Window {
  let window: Window = NO_PAYMENTS;
  for (const time of times) window = withPayment(window, time, limit(windowMs)) as Window;
  return window;
}

describe('payments in a window', () => {
  it('are none at first, whenever it begins', () => {
    for (const since of [-10, 0, 10]) expect(countedSince(NO_PAYMENTS, since)).toBe(0);
  });

  it('are those after its start: one exactly at the start is out', () => {
    const window = windowOf([100, 101, 102]);
    expect([99, 100, 101, 102].map((since) => countedSince(window, since))).toEqual([3, 2, 1, 0]);
  });

  it('are counted in a window that began before 1970', () => {
    expect(countedSince(windowOf([100, 101], 10_000), -9900)).toBe(2);
  });

  it('are more than any limit where no window was kept, and none is begun later', () => {
    expect(countedSince(undefined, 5)).toBe(MORE_THAN_ANY_LIMIT);
    expect(withPayment(undefined, 100, limit(10))).toBeUndefined();
  });

  it('are not kept under a grant without a limit', () => {
    expect(withPayment(windowOf([100]), 101, undefined)).toBeUndefined();
  });
});

describe('a payment that has left the window', () => {
  it('is not listed any more', () => {
    expect(windowOf([100, 600, 1100]).entries.map((entry) => entry.timeMs)).toEqual([600, 1100]);
  });

  it('leaves a longer window with more than any limit: it may be missing there', () => {
    const window = windowOf([100, 1200]);
    expect(window.missingUntilMs).toBe(100);
    expect([99, 100].map((since) => countedSince(window, since))).toEqual([MORE_THAN_ANY_LIMIT, 1]);
  });

  it('is known of when the clock went back in between', () => {
    const window = windowOf([5000, 1000, 6001]);
    expect(countedSince(window, 999)).toBe(MORE_THAN_ANY_LIMIT);
    expect(countedSince(window, 5001)).toBe(1);
  });
});

describe('more payments than entries', () => {
  const many = Array.from({ length: WINDOW_ENTRIES + 4 }, (_, i) => 100 + i);

  it('are exact up to 16', () => {
    const window = windowOf(many.slice(0, 16));
    for (let since = 98; since < 120; since++) {
      expect(countedSince(window, since)).toBe(many.slice(0, 16).filter((time) => time > since).length);
    }
  });

  it('make the oldest one entry, which counts whole until the last of them is out of the window', () => {
    const window = windowOf(many);
    expect(window.entries).toHaveLength(16);
    expect(window.entries[0]).toEqual({ timeMs: 104, count: 5 });
    expect([99, 103, 104].map((since) => countedSince(window, since))).toEqual([20, 20, 15]);
  });

  it('make an entry of at most 65,535, beyond which there are more than any limit', () => {
    const entries = [
      { timeMs: 1, count: MOST_COUNTED },
      ...Array.from({ length: 15 }, (_, i) => ({ timeMs: i + 2, count: 1 })),
    ];
    const window = withPayment({ missingUntilMs: 0, entries }, 20, limit(1000)) as Window;
    expect(Math.max(...window.entries.map((entry) => entry.count))).toBeLessThanOrEqual(MOST_COUNTED);
    expect(countedSince(window, 1)).toBe(MORE_THAN_ANY_LIMIT);
    expect(countedSince(window, 2)).toBe(15);
  });
});

it('counts never too few for any window, and exactly for the limit’s own while there are 16 or fewer in it', () => {
  const history = fc.array(
    fc.record({ timeMs: fc.integer({ min: 1, max: 400 }), windowMs: fc.integer({ min: 1, max: 200 }) }),
    {
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(history, fc.integer({ min: -50, max: 450 }), (payments, sinceMs) => {
      let window: Window = NO_PAYMENTS;
      for (const { timeMs, windowMs } of payments) window = withPayment(window, timeMs, limit(windowMs)) as Window;
      const after = payments.filter((payment) => payment.timeMs > sinceMs).length;
      expect(countedSince(window, sinceMs)).toBeGreaterThanOrEqual(after);
      expect(window.entries.length).toBeLessThanOrEqual(WINDOW_ENTRIES);
    }),
    { numRuns: 1000 },
  );
  const ascending = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
  fc.assert(
    fc.property(ascending, fc.integer({ min: 1, max: 300 }), (gaps, windowMs) => {
      const times: number[] = [];
      for (const gap of gaps) times.push((times[times.length - 1] ?? 1000) + gap);
      const now = times[times.length - 1] ?? 1000;
      const inIt = times.filter((time) => time > now - windowMs).length;
      if (inIt > WINDOW_ENTRIES) return;
      // Nothing was joined that is still in the window where there never were more.
      if (times.some((end) => times.filter((time) => time <= end && time > end - windowMs).length > WINDOW_ENTRIES))
        return;
      expect(countedSince(windowOf(times, windowMs), now - windowMs)).toBe(inIt);
    }),
    { numRuns: 1000 },
  );
});
