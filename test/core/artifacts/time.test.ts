// Times: RFC 3339 with a zone, cut to milliseconds; everything else is no time (INTEROP §4).

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyTime, timeFrom, usualTime } from '../../../core/artifacts/time.ts';

describe('times that are read', () => {
  it.each([
    ['2026-06-01T12:00:00Z', '2026-06-01T12:00:00.000Z'],
    ['2026-06-01T12:00:00.5Z', '2026-06-01T12:00:00.500Z'],
    ['2026-06-01T12:00:00.123456789Z', '2026-06-01T12:00:00.123Z'],
    ['2026-06-01T12:00:00.9999Z', '2026-06-01T12:00:00.999Z'],
    ['2026-06-01T12:00:00+00:00', '2026-06-01T12:00:00.000Z'],
    ['2026-06-01T12:00:00-00:00', '2026-06-01T12:00:00.000Z'],
    ['2026-06-01T12:00:00+02:00', '2026-06-01T10:00:00.000Z'],
    ['2026-06-01T12:00:00-05:30', '2026-06-01T17:30:00.000Z'],
    ['2026-01-01T00:00:00+23:59', '2025-12-31T00:01:00.000Z'],
    ['2026-06-01t12:00:00z', '2026-06-01T12:00:00.000Z'],
    ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, instant) => {
    expect(timeFrom(text)).toBe(Date.parse(instant));
  });

  it('have any number of fraction digits', () => {
    for (const digits of [1, 3, 4, 9, 30, 43, 44, 100, 1000]) {
      expect(timeFrom(`2026-06-01T12:00:00.${'1'.repeat(digits)}Z`), `${digits} digits`).toBe(
        Date.parse('2026-06-01T12:00:00Z') + Number('1'.repeat(digits).slice(0, 3).padEnd(3, '0')),
      );
    }
  });
});

describe('times that are none', () => {
  it.each([
    ['month 13', '2026-13-01T00:00:00Z'],
    ['month 0', '2026-00-01T00:00:00Z'],
    ['30 February', '2026-02-30T00:00:00Z'],
    ['29 February of a common year', '2026-02-29T00:00:00Z'],
    ['29 February 1900', '1900-02-29T00:00:00Z'],
    ['31 April', '2026-04-31T00:00:00Z'],
    ['day 0', '2026-06-00T00:00:00Z'],
    ['day 32', '2026-01-32T00:00:00Z'],
    ['hour 24', '2026-06-01T24:00:00Z'],
    ['minute 60', '2026-06-01T12:60:00Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['no zone', '2026-06-01T12:00:00'],
    ['no zone after a fraction', '2026-06-01T12:00:00.000'],
    ['a zone of 24 hours', '2026-06-01T12:00:00+24:00'],
    ['a zone with minute 60', '2026-06-01T12:00:00+01:60'],
    ['a zone without a colon', '2026-06-01T12:00:00+0200'],
    ['a zone of hours only', '2026-06-01T12:00:00+02'],
    ['a zone by name', '2026-06-01T12:00:00CET'],
    ['text after the zone', '2026-06-01T12:00:00Z '],
    ['text after a zone of hours and minutes', '2026-06-01T12:00:00+02:00x'],
    ['a zone of hours and minutes cut short', '2026-06-01T12:00:00.00+02:0'],
    ['two zones', '2026-06-01T12:00:00Z+00:00'],
    ['blanks before', ' 2026-06-01T12:00:00Z'],
    ['a blank between', '2026-06-01 12:00:00Z'],
    ['a date alone', '2026-06-01'],
    ['no seconds', '2026-06-01T12:00Z'],
    ['a point without digits', '2026-06-01T12:00:00.Z'],
    ['a comma for the point', '2026-06-01T12:00:00,5Z'],
    ['a year of five digits', '12026-06-01T12:00:00Z'],
    ['a year of two digits', '26-06-01T12:00:00.000Z'],
    ['a signed year', '+002026-06-01T12:00:00Z'],
    ['no separators', '20260601T120000.0000Z'],
    ['other separators', '2026/06/01T12:00:00Z'],
    ['a month of one digit', '2026-6-01T12:00:00.0Z'],
    ['a sign in a field', '2026-06--1T12:00:00Z'],
    ['a blank in a field', '2026-06- 1T12:00:00Z'],
    ['digits that are not ASCII', '２０２６-06-01T12:00:00Z'],
    ['seconds since 1970', '1780315200'],
    ['a date for people', 'Mon, 01 Jun 2026 12:00:00 GMT'],
    ['nothing', ''],
    ['a NUL at the end', '2026-06-01T12:00:00Z\u0000'],
  ])('%s: %s', (_, text) => {
    expect(timeFrom(text)).toBeUndefined();
  });
});

describe('any time', () => {
  const moment = fc.date({
    min: new Date(Date.UTC(0, 0, 1) - 6e13),
    max: new Date('9999-12-30T23:59:59.999Z'),
    noInvalidDate: true,
  });

  it('reads as what JavaScript writes', () => {
    fc.assert(
      fc.property(moment, (date) => {
        fc.pre(/^\d{4}-/.test(date.toISOString()));
        expect(timeFrom(date.toISOString())).toBe(date.getTime());
      }),
      { numRuns: 500 },
    );
  });

  it('reads as Date.parse reads it, with every zone and fraction', () => {
    const zone = fc.oneof(
      fc.constant('Z'),
      fc
        .tuple(fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
        .map(([sign, hours, minutes]) => `${sign}${two(hours)}:${two(minutes)}`),
    );
    const fraction = fc.oneof(fc.constant(''), fc.stringMatching(/^\.[0-9]{1,3}$/));
    fc.assert(
      fc.property(moment, zone, fraction, (date, offset, digits) => {
        fc.pre(/^\d{4}-/.test(date.toISOString()));
        const text = date.toISOString().slice(0, 19) + digits + offset;
        expect(timeFrom(text), text).toBe(Date.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('is one of the days that exist, for every day of every kind of year', () => {
    for (const year of [1900, 1999, 2000, 2023, 2024, 2100, 2400]) {
      for (let month = 0; month <= 13; month++) {
        for (let day = 0; day <= 32; day++) {
          const text = `${year}-${two(month)}-${two(day)}T00:00:00Z`;
          const time = Date.UTC(year, month - 1, day);
          const exists = new Date(time).toISOString().startsWith(`${year}-${two(month)}-${two(day)}`);
          expect(timeFrom(text), text).toBe(exists ? time : undefined);
        }
      }
    }
  });

  it('is no time after any character was taken away or put in', () => {
    const text = '2026-06-01T12:00:00.250+02:00';
    for (let i = 0; i < text.length; i++) {
      const shorter = text.slice(0, i) + text.slice(i + 1);
      // A fraction may be shorter or longer.
      if (i < 20 || i > 22) expect(timeFrom(shorter), shorter).toBeUndefined();
      expect(timeFrom(`${text.slice(0, i)} ${text.slice(i)}`)).toBeUndefined();
    }
  });
});

describe("the engine's own reading of usual times", () => {
  it('takes times as they are written most', () => {
    for (const text of [
      '2026-06-01T12:00:00Z',
      '2026-06-01T12:00:00.250Z',
      '0000-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999Z',
    ])
      expect(usualTime(text), text).toBe(anyTime(text));
    expect(usualTime('2026-06-01T12:00:00Z')).toBe(Date.UTC(2026, 5, 1, 12));
  });

  it('never takes another text, nor for another time', () => {
    const near = fc.tuple(
      fc.constantFrom(
        '2026-06-01T12:00:00.250Z',
        '2026-02-28T23:59:59Z',
        '2024-02-29T24:00:00.000Z',
        '+02026-06-01T12:00:00Z',
      ),
      fc.nat({ max: 24 }),
      fc.nat({ max: 2 }),
      fc.constantFrom('', '0', '3', '9', 'z', 'T', ' ', '+', '-', ':', '.'),
    );
    fc.assert(
      fc.property(near, ([text, at, taken, put]) => {
        const changed = text.slice(0, at) + put + text.slice(at + taken);
        const time = usualTime(changed);
        if (time !== undefined) expect(time).toBe(anyTime(changed));
      }),
      { numRuns: 3000 },
    );
  });
});

function two(number: number): string {
  return String(number).padStart(2, '0');
}
