// Spans of time as people write them: 90s, 15m, 12h, 7d.

const UNIT_MS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a whole number with its unit (ms, s, m, h or d), e.g. `7d`; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  const parts = /^([0-9]{1,9})(ms|s|m|h|d)$/.exec(text);
  if (parts === null) return undefined;
  return Number(parts[1]) * (UNIT_MS[parts[2] as string] as number);
}

/** An instant as artifacts carry it: RFC 3339 in UTC, without a fraction where there is none. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** The expiry of what is valid for a span from now on, to the full second. */
export function expiryIn(spanMs: number, nowMs: number): string {
  return timeText(Math.ceil((nowMs + spanMs) / 1000) * 1000);
}
