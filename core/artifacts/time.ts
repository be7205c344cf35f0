// RFC 3339 times to milliseconds. Dates that do not exist and times without a zone are refused (INTEROP §4): upstream
// reads the first as "never expires" and the second in whatever zone the machine is in.

import { builtInsAreFaster } from '../encoding/utf8.ts';

const DAY_MS = 86_400_000;

/**
 * Milliseconds since 1970-01-01 UTC of an RFC 3339 date-time, fractions cut to milliseconds; undefined for anything
 * else: month 13, 30 February, hour 24, a leap second, no zone, other separators.
 */
export function timeFrom(text: string): number | undefined {
  return (builtInsAreFaster() ? usualTime(text) : undefined) ?? anyTime(text);
}

/** The time of text as toISOString writes it, with or without its milliseconds; undefined for all other. */
export function usualTime(text: string): number | undefined {
  const whole = text.length === 20 && text.endsWith('Z') ? `${text.slice(0, 19)}.000Z` : text;
  if (whole.length !== 24) return undefined;
  const time = Date.parse(whole);
  // Whatever the engine makes of it, it is this time only if the time is written like that.
  return Number.isNaN(time) || new Date(time).toISOString() !== whole ? undefined : time;
}

/** The time of any text. */
export function anyTime(text: string): number | undefined {
  if (text.length < 20) return undefined;
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return undefined;
  if (text[10] !== 'T' && text[10] !== 't') return undefined;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return undefined;
  let at = 19;
  let fraction = 0;
  if (text[at] === '.') {
    const start = ++at;
    let scale = 100;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      fraction += digit * scale;
      scale = scale === 100 ? 10 : scale === 10 ? 1 : 0;
    }
    if (at === start) return undefined;
  }
  const offset = zoneMinutes(text, at);
  if (offset === undefined) return undefined;
  return daysSinceEpoch(year, month, day) * DAY_MS + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction;
}

/** Minutes east of UTC of the zone that ends the text at `at`. */
function zoneMinutes(text: string, at: number): number | undefined {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return at + 1 === text.length ? 0 : undefined;
  if ((sign !== '+' && sign !== '-') || text.length !== at + 6 || text[at + 3] !== ':') return undefined;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes);
}

function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar; the year is counted from March so that leap days come last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const m = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + Math.floor((153 * m + 2) / 5) + day - 1 - 719_468;
}
