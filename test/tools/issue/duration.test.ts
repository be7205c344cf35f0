// Spans of time: a whole number with its unit, nothing else.

import { describe, expect, it } from 'vitest';
import { durationMs, expiryIn, timeText } from '../../../tools/issue/duration.ts';

describe('a span', () => {
  it.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['15m', 900_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('%s is %i ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each(['', '7', 'd', '1.5h', '-1d', '7 d', '7D', '1h30m', '1e3s', '9999999999d'])('%j is none', (text) => {
    expect(durationMs(text)).toBeUndefined();
  });
});

describe('an expiry', () => {
  it('is told to the full second, never too early', () => {
    expect(expiryIn(1000, Date.UTC(2026, 2, 1, 12, 0, 0, 1))).toBe('2026-03-01T12:00:02Z');
    expect(expiryIn(1000, Date.UTC(2026, 2, 1, 12))).toBe('2026-03-01T12:00:01Z');
  });

  it('keeps milliseconds that are there', () => {
    expect(timeText(Date.UTC(2026, 2, 1, 12, 0, 0, 5))).toBe('2026-03-01T12:00:00.005Z');
  });
});
