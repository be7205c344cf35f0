// What a site may choose of refreshing its Trust Bundles and of asking about revoked grants, with what it gets where it says
// nothing.

import {
  REFRESH_INTERVAL_MS,
  REFRESH_INTERVAL_RANGE_MS,
  REFRESH_LEAST_MARGIN_MS,
  REFRESH_LEAST_MARGIN_RANGE_MS,
  REFRESH_MARGIN_SHARE,
  REFRESH_MARGIN_SHARE_RANGE,
  REFRESH_TIMEOUT_MS,
  REFRESH_TIMEOUT_RANGE_MS,
  REVOCATION_CACHE_MS,
  REVOCATION_CACHE_RANGE_MS,
  REVOCATION_TIMEOUT_MS,
  REVOCATION_TIMEOUT_RANGE_MS,
} from '../limits.ts';

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
const RANGES: Ranges = {
  intervalMs: REFRESH_INTERVAL_RANGE_MS,
  marginShare: REFRESH_MARGIN_SHARE_RANGE,
  leastMarginMs: REFRESH_LEAST_MARGIN_RANGE_MS,
  timeoutMs: REFRESH_TIMEOUT_RANGE_MS,
};

/** The members there are. */
export const REFRESH_MEMBERS: readonly string[] = ['intervalMs', 'marginShare', 'leastMarginMs', 'timeoutMs'];

/**
 * What becomes of a grant where there is a network and its endpoint cannot be asked, or does not answer: it is refused; or taken
 * where the grant itself limits what one device may accept under it (`offlineMaxCumulativePayment`); or taken as if offline.
 */
export const ON_REVOCATION_FAILURE = Object.freeze(['refuse', 'accept-offline-caps', 'accept'] as const);
export type OnRevocationFailure = (typeof ON_REVOCATION_FAILURE)[number];

/** How grants are asked about that name a `revocationEndpoint`. */
export interface RevocationConfiguration {
  /** Who may be asked, over https: host names in lower case, with a port where it is not 443. At least one. */
  readonly hosts: readonly string[];
  /** Default `refuse`. */
  readonly onFailure?: OnRevocationFailure;
  /** Milliseconds for which "not revoked" is good, 15 seconds to a day. Default five minutes. */
  readonly cacheMs?: number;
  /** Milliseconds for an answer, a tenth of a second to 30 seconds. Default 3 seconds. */
  readonly timeoutMs?: number;
}

/** The same with defaults filled in. */
export type RevocationSettings = Required<RevocationConfiguration>;

/** The members there are. */
export const REVOCATION_MEMBERS: readonly string[] = ['hosts', 'onFailure', 'cacheMs', 'timeoutMs'];

/** The least and the most of its numbers. */
const REVOCATION_RANGES: Ranges = { cacheMs: REVOCATION_CACHE_RANGE_MS, timeoutMs: REVOCATION_TIMEOUT_RANGE_MS };

/** Fills in what is left out. @param problems gets what is no number, or outside what may be chosen */
export function readRefresh(input: RefreshConfiguration | undefined, problems: string[]): RefreshSettings {
  const given: RefreshConfiguration = input ?? {};
  checkRanges('refresh', given as Given, RANGES, problems);
  return {
    intervalMs: given.intervalMs ?? REFRESH_INTERVAL_MS,
    marginShare: given.marginShare ?? REFRESH_MARGIN_SHARE,
    leastMarginMs: given.leastMarginMs ?? REFRESH_LEAST_MARGIN_MS,
    timeoutMs: given.timeoutMs ?? REFRESH_TIMEOUT_MS,
  };
}

/** The same for questions about grants. @returns undefined where none are asked */
export function readRevocation(
  input: RevocationConfiguration | undefined,
  problems: string[],
): RevocationSettings | undefined {
  if (input === undefined) return undefined;
  const { hosts, onFailure = 'refuse', cacheMs = REVOCATION_CACHE_MS, timeoutMs = REVOCATION_TIMEOUT_MS } = input;
  if (!Array.isArray(hosts) || hosts.length === 0 || !hosts.every(isHost))
    problems.push('revocation.hosts is not a list of host names in lower case, with a port where it is not 443');
  if (!ON_REVOCATION_FAILURE.includes(onFailure))
    problems.push(`revocation.onFailure is none of ${ON_REVOCATION_FAILURE.join(', ')}`);
  checkRanges('revocation', input as unknown as Given, REVOCATION_RANGES, problems);
  return { hosts, onFailure, cacheMs, timeoutMs };
}

type Ranges = { readonly [name: string]: readonly [number, number] };
type Given = { readonly [name: string]: unknown };

function checkRanges(part: string, given: Given, ranges: Ranges, problems: string[]): void {
  for (const name of Object.keys(ranges)) {
    const value = given[name];
    const [least, most] = ranges[name] as readonly [number, number];
    if (value !== undefined && !(typeof value === 'number' && value >= least && value <= most))
      problems.push(`${part}.${name} is not a number from ${least} to ${most}`);
  }
}

/** A name or an address as it stands in a URL, without what separates it from its surroundings. */
function isHost(host: unknown): boolean {
  if (typeof host !== 'string' || host === '' || host.length > 253) return false;
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i);
    const isLetter = code >= 0x61 && code <= 0x7a;
    const isDigit = code >= 0x30 && code <= 0x39;
    if (!isLetter && !isDigit && code !== 0x2d && code !== 0x2e && code !== 0x3a) return false;
  }
  return true;
}
