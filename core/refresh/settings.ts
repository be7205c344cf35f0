// What a site may choose of refreshing its Trust Bundles, with what it gets where it says nothing.

import { REFRESH_INTERVAL_MS, REFRESH_LEAST_MARGIN_MS, REFRESH_MARGIN_SHARE, REFRESH_TIMEOUT_MS } from '../limits.ts';

/** How a device keeps its Trust Bundles fresh. */
export interface RefreshConfiguration {
  /** Milliseconds after which bundles are asked for again, a minute to a week. Default six hours. */
  readonly intervalMs?: number;
  /** The part of a bundle's life before its expiry in which its successor is asked for often, 0 to 0.9. Default 0.25. */
  readonly marginShare?: number;
  /** At least so many milliseconds before it, up to 30 days, but at most half of its life. Default a day. */
  readonly leastMarginMs?: number;
  /** Milliseconds for a whole answer, a second to ten minutes. Default a minute. */
  readonly timeoutMs?: number;
}

/** The same with defaults filled in. */
export type RefreshSettings = Required<RefreshConfiguration>;

/** The least and the most of each. */
const RANGES: { readonly [name in keyof RefreshSettings]: readonly [number, number] } = {
  intervalMs: [60_000, 604_800_000],
  marginShare: [0, 0.9],
  leastMarginMs: [0, 2_592_000_000],
  timeoutMs: [1000, 600_000],
};

/** The members there are. */
export const REFRESH_MEMBERS: readonly string[] = ['intervalMs', 'marginShare', 'leastMarginMs', 'timeoutMs'];

/** Fills in what is left out. @param problems gets what is no number, or outside what may be chosen */
export function readRefresh(input: RefreshConfiguration | undefined, problems: string[]): RefreshSettings {
  const given: RefreshConfiguration = input ?? {};
  for (const name of Object.keys(RANGES) as (keyof RefreshSettings)[]) {
    const value: unknown = given[name];
    const [least, most] = RANGES[name];
    if (value !== undefined && !(typeof value === 'number' && value >= least && value <= most))
      problems.push(`refresh.${name} is not a number from ${least} to ${most}`);
  }
  return {
    intervalMs: given.intervalMs ?? REFRESH_INTERVAL_MS,
    marginShare: given.marginShare ?? REFRESH_MARGIN_SHARE,
    leastMarginMs: given.leastMarginMs ?? REFRESH_LEAST_MARGIN_MS,
    timeoutMs: given.timeoutMs ?? REFRESH_TIMEOUT_MS,
  };
}
