// Axes of charts: where their marks stand, and what is written at them.

/** An axis. Values are numbers; without bounds it spans what there is. */
export interface Axis {
  /** What it measures, with the unit where the marks do not have it. */
  readonly name: string;
  readonly least?: number;
  readonly most?: number;
  /** Between two marks. Default: about five marks, at round values. */
  readonly step?: number;
  /** What a mark says. Default: the value. */
  readonly text?: (value: number) => string;
  /** Each mark ten times the one before; values are above zero. */
  readonly logarithmic?: boolean;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Steps that are read with ease: whole parts of minutes, hours and days. */
const ROUND_STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR_MS),
  ...[1, 2, 5, 7, 14, 28, 56, 112, 365].map((n) => n * DAY_MS),
];

/** An axis of spans of time, in milliseconds from nothing to a longest one. @param marks how many marks at most */
export function spanAxis(name: string, mostMs: number, marks = 8): Axis {
  const step = ROUND_STEPS_MS.find((ms) => mostMs / ms <= marks) ?? Math.ceil(mostMs / marks / DAY_MS) * DAY_MS;
  return { name, least: 0, most: Math.max(mostMs, 1), step, text: spanText };
}

/**
 * A span in words, in at most two units: `1d 6h`, `2m 5s`, `0.3s`, `0`. What is left is cut off, so that what is said has passed.
 */
export function spanText(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 0) return `-${spanText(-ms)}`;
  if (ms < SECOND_MS) return `${Math.floor(ms)}ms`;
  const tenths = Math.floor(ms / 100);
  if (ms < 10 * SECOND_MS && tenths % 10 > 0) return `${tenths / 10}s`;
  const units: readonly (readonly [string, number])[] = [
    ['d', DAY_MS],
    ['h', HOUR_MS],
    ['m', MINUTE_MS],
    ['s', SECOND_MS],
  ];
  const first = units.findIndex(([, unit]) => ms >= unit);
  let left = ms;
  const words: string[] = [];
  for (const [letter, unit] of units.slice(first, first + 2)) {
    const count = Math.floor(left / unit);
    left -= count * unit;
    if (count > 0) words.push(`${count}${letter}`);
  }
  return words.join(' ');
}
