// The times of a grant's payments that a velocity limit may ask about: few are kept one by one, more are counted together,
// always so that too many count rather than too few.

import { WINDOW_ENTRIES, type Window } from './spend-record.ts';

/** A grant without payments. */
export const NO_WINDOW: Window = { missingUntilMs: 0, entries: [] };

/** What a velocity limit will ask about. */
export interface WindowLimit {
  readonly maxPayments: number;
  readonly windowMs: number;
}

/** Payments after `sinceMs`; one exactly at the window's start is out of it. More than any limit where that is not known. */
export function countedSince(window: Window, sinceMs: number): number {
  if (window.missingUntilMs > sinceMs) return Number.MAX_SAFE_INTEGER;
  let count = 0;
  for (const entry of window.entries) if (entry.timeMs > sinceMs) count += entry.count;
  return count;
}

/**
 * The window with one payment more.
 *
 * @param limit left out: nobody asks so far, and only when the last payment was is kept
 */
export function withPayment(window: Window, timeMs: number, limit: WindowLimit | undefined): Window {
  if (limit === undefined)
    return { missingUntilMs: Math.max(window.missingUntilMs, timeMs, newest(window)), entries: [] };
  let missingUntilMs = window.missingUntilMs;
  const entries = [];
  for (const entry of window.entries) {
    if (entry.timeMs > timeMs - limit.windowMs) entries.push(entry);
    // Of the limit as it is now it can no longer matter; a longer one must know that it is not listed.
    else missingUntilMs = Math.max(missingUntilMs, entry.timeMs);
  }
  entries.push({ timeMs, count: 1 });
  entries.sort((a, b) => a.timeMs - b.timeMs);
  // The two oldest become one that counts until the later of them is out of the window.
  while (entries.length > WINDOW_ENTRIES) {
    const [first, second] = entries as [Window['entries'][number], Window['entries'][number]];
    entries.splice(0, 2, { timeMs: second.timeMs, count: first.count + second.count });
  }
  return { missingUntilMs, entries };
}

function newest(window: Window): number {
  return window.entries.reduce((most, entry) => Math.max(most, entry.timeMs), 0);
}
