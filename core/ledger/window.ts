// The times of a grant's payments that a velocity limit may ask about: few are kept one by one, more are counted together,
// always so that too many count rather than too few.

import { MOST_COUNTED, WINDOW_ENTRIES, type Window } from './spend-record.ts';

/** A grant without payments. */
export const NO_PAYMENTS: Window = { missingUntilMs: 0, entries: [] };

/** What a velocity limit will ask about. */
export interface WindowLimit {
  readonly maxPayments: number;
  readonly windowMs: number;
}

/**
 * Payments after `sinceMs`; one exactly at the window's start is out of it. More than any limit where that is not known:
 * without a window it never is.
 */
export function countedSince(window: Window | undefined, sinceMs: number): number {
  if (window === undefined || window.missingUntilMs > Math.max(sinceMs, 0)) return Number.MAX_SAFE_INTEGER;
  let count = 0;
  for (const entry of window.entries) if (entry.timeMs > sinceMs) count += entry.count;
  return count;
}

/**
 * The window with one payment more, or undefined: none is kept under a grant without a limit, and one that was not kept from
 * the first payment on would be of no use.
 */
export function withPayment(
  window: Window | undefined,
  timeMs: number,
  limit: WindowLimit | undefined,
): Window | undefined {
  if (limit === undefined || window === undefined) return undefined;
  let missingUntilMs = window.missingUntilMs;
  const entries = [];
  for (const entry of window.entries) {
    if (entry.timeMs > timeMs - limit.windowMs) entries.push(entry);
    // Of the limit as it is now it can no longer matter; a longer one must know that it is not listed.
    else missingUntilMs = Math.max(missingUntilMs, entry.timeMs);
  }
  entries.push({ timeMs, count: 1 });
  entries.sort((a, b) => a.timeMs - b.timeMs);
  // The two oldest become one that counts until the later of them is out of the window; where its count would not fit,
  // they are not listed any more, and until then there are more than any limit.
  while (entries.length > WINDOW_ENTRIES) {
    const [first, second] = entries as [Window['entries'][number], Window['entries'][number]];
    const count = first.count + second.count;
    if (count <= MOST_COUNTED) entries.splice(0, 2, { timeMs: second.timeMs, count });
    else {
      entries.splice(0, 2);
      missingUntilMs = Math.max(missingUntilMs, second.timeMs);
    }
  }
  return { missingUntilMs, entries };
}
