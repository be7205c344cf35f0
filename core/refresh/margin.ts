// From when on a bundle's successor is wanted: the last part of its life.

import type { RefreshSettings } from './settings.ts';

/** When a bundle begins to be near its expiry, in milliseconds: so long before it as the site has it, at most half of its life. */
export function marginBegins(
  { issuedAtMs, expiresAtMs }: { readonly issuedAtMs: number | undefined; readonly expiresAtMs: number },
  { marginShare, leastMarginMs }: RefreshSettings,
): number {
  if (issuedAtMs === undefined) return expiresAtMs - leastMarginMs;
  const life = expiresAtMs - issuedAtMs;
  return expiresAtMs - Math.min(Math.max(life * marginShare, leastMarginMs), life / 2);
}
