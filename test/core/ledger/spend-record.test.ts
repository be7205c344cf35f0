// The spend ledger's records: what is written is what is read, a copy keeps what it is asked to keep, and no bit of a record
// can turn unnoticed.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNIT } from '../../../core/encoding/flash-header.ts';
import { BlockLog, COPY } from '../../../core/ledger/block-log.ts';
import {
  answerOf,
  bundleOf,
  CLOSED,
  countersOf,
  flagsOf,
  grantUntil,
  hasKey,
  KIND,
  keepUntil,
  LONGEST_RECORD,
  openOf,
  PART,
  type Parts,
  partAt,
  partKey,
  partTotal,
  RecordWriter,
  SPEND_LAYOUT,
  unitsAlone,
  WINDOW_ENTRIES,
  windowOf,
  windowUnits,
} from '../../../core/ledger/spend-record.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';

const NO_KEY = '\0'.repeat(16);
const key = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => String.fromCharCode(...bytes));
const realKey = key.filter((one) => one !== NO_KEY);
const amount = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
const time = fc.integer({ min: 0, max: 2 ** 47 - 2 });
const number = fc.integer({ min: 0, max: 0xffff_ffff });
const window = fc.record({
  missingUntilMs: time,
  entries: fc.array(fc.record({ timeMs: time, count: fc.integer({ min: 1, max: 0xffff }) }), {
    maxLength: WINDOW_ENTRIES,
  }),
});

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const parts: fc.Arbitrary<Parts> = fc.record(
  {
    counters: fc.record({ nextReceipt: number, closes: number, floorMs: time }),
    grant: fc.record({ key, total: amount, window: maybe(window) }),
    budget: fc.record({ key, total: amount, closed: fc.boolean() }),
    replay: key,
    answer: fc.record({
      key,
      answered: fc.record({
        receiptId: number,
        amount,
        timeMs: time,
        content: maybe(realKey),
        state: fc.constantFrom('paid' as const, 'reserved' as const, 'ended' as const),
      }),
    }),
    open: fc.record({ receiptId: number, grant: key, budget: key, idempotency: maybe(realKey), amount, timeMs: time }),
  },
  { requiredKeys: [] },
);
const bundleParts: fc.Arbitrary<Parts> = fc.record({
  bundle: fc.record({ key, bundle: fc.record({ issuedAtMs: maybe(time), expiresAtMs: time, digest: key }) }),
});

/** A record as it reads on flash: with its flags, which the log writes. */
function written(of: Parts, restMs: number, grantMs = restMs): Uint8Array {
  const writer = new RecordWriter();
  const bytes = writer.write(of, { restMs, grantMs });
  return withFlags(bytes, writer.flags);
}

function withFlags(bytes: Uint8Array, flags: number): Uint8Array {
  bytes[2] = flags & 0xff;
  bytes[3] = flags >> 8;
  return bytes.slice();
}

function read(record: Uint8Array): Parts {
  const has = (part: number) => partAt(record, part) >= 0;
  const counters = countersOf(record);
  const closed = (flagsOf(record) & CLOSED) !== 0;
  return {
    ...(counters ? { counters } : {}),
    ...(has(PART.grant)
      ? {
          grant: {
            key: partKey(record, PART.grant),
            total: partTotal(record, PART.grant),
            window: windowOf(record),
          },
        }
      : {}),
    ...(has(PART.budget)
      ? { budget: { key: partKey(record, PART.budget), total: partTotal(record, PART.budget), closed } }
      : {}),
    ...(has(PART.replay) ? { replay: partKey(record, PART.replay) } : {}),
    ...(has(PART.answer) ? { answer: { key: partKey(record, PART.answer), answered: answerOf(record) } } : {}),
    ...(has(PART.open) ? { open: openOf(record) } : {}),
    ...(has(PART.bundle) ? { bundle: { key: partKey(record, PART.bundle), bundle: bundleOf(record) } } : {}),
  };
}

const NAMES = ['counters', 'grant', 'budget', 'replay', 'answer', 'open', 'bundle'] as const;

describe('a record', () => {
  it('reads as what was written, whatever its parts', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 5, arbitrary: parts }, bundleParts), (of) => {
        const record = written(of, 0);
        expect(read(record)).toEqual(present(of));
        expect(record.length % UNIT).toBe(0);
        expect(record.length).toBeLessThanOrEqual(LONGEST_RECORD * UNIT);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves nothing of the one that was written before it', () => {
    fc.assert(
      fc.property(parts, parts, (before, of) => {
        const writer = new RecordWriter();
        writer.write(before, { restMs: 7, grantMs: 2 ** 40 });
        const bytes = writer.write(of, { restMs: 0, grantMs: 0 });
        expect(withFlags(bytes, writer.flags)).toEqual(written(of, 0));
      }),
      { numRuns: 100 },
    );
  });

  it('is kept until the second that begins at its time or after it; at the ends of the range that is the end', () => {
    const until = (ms: number) => keepUntil(written({}, ms));
    expect([until(1000), until(1001), until(-5), until(2 ** 46), until(Number.POSITIVE_INFINITY)]).toEqual([
      1000,
      2000,
      0,
      0xffff_ffff * 1000,
      0xffff_ffff * 1000,
    ]);
  });

  it('keeps its grant by so many hours longer, rounded up, where it has counters; beyond 65534 hours for ever', () => {
    const counters = { nextReceipt: 1, closes: 0, floorMs: 0 };
    const grant = { key: 'g'.repeat(16), total: 1n, window: undefined };
    const hours = (more: number) => (grantUntil(written({ counters, grant }, 5000, 5000 + more)) - 5000) / 3_600_000;
    expect([hours(0), hours(1), hours(3_600_000), hours(3_600_001), hours(-1)]).toEqual([0, 1, 1, 2, 0]);
    expect(hours(65_534 * 3_600_000)).toBe(65_534);
    for (const more of [65_534 * 3_600_000 + 1, Number.POSITIVE_INFINITY])
      expect(grantUntil(written({ counters, grant }, 5000, 5000 + more))).toBe(0xffff_ffff * 1000);
    expect(grantUntil(written({ grant }, 5000, 2 ** 45))).toBe(5000);
    expect(keepUntil(written({ counters, grant }, 5000, 2 ** 45))).toBe(5000);
  });

  it('that is copied states the time of what is copied', () => {
    const counters = { nextReceipt: 1, closes: 0, floorMs: 0 };
    const one = { key: 'g'.repeat(16), total: 1n };
    const record = written(
      { counters, grant: { ...one, window: undefined }, budget: { ...one, closed: true } },
      5000,
      5001,
    );
    const writer = new RecordWriter();
    expect(keepUntil(writer.copy(record, PART.grant))).toBe(5000 + 3_600_000);
    expect(keepUntil(writer.copy(record, PART.budget))).toBe(5000);
  });

  it('has a key only where it has the part, and all 16 bytes are right', () => {
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: 15 }), (of, at) => {
        const record = written(of, 0);
        for (const name of ['grant', 'budget', 'answer'] as const) {
          const one = of[name]?.key ?? NO_KEY;
          const other = one.slice(0, at) + String.fromCharCode(one.charCodeAt(at) ^ 1) + one.slice(at + 1);
          expect(hasKey(record, PART[name], one)).toBe(of[name] !== undefined);
          expect(hasKey(record, PART[name], other)).toBe(false);
        }
      }),
    );
  });

  it('takes one unit and, for each part, what the part takes alone less one', () => {
    fc.assert(
      fc.property(parts, (of) => {
        const record = written(of, 0);
        const alone = NAMES.filter((name) => of[name] !== undefined).map((name) => unitsAlone(record, PART[name]) - 1);
        expect(record.length / UNIT).toBe(alone.reduce((sum, units) => sum + units, 1));
      }),
    );
  });

  it.each([
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [15, 8],
    [16, 9],
  ])('with a window of %i entries gives it %i units', (entries, units) => {
    expect(windowUnits(entries)).toBe(units);
    const list = Array.from({ length: entries }, (_, i) => ({ timeMs: i, count: 1 }));
    const record = written({ grant: { key: NO_KEY, total: 0n, window: { missingUntilMs: 0, entries: list } } }, 0);
    expect(record.length / UNIT).toBe(3 + units);
  });
});

describe('a copy', () => {
  it('has exactly the parts it was asked for, as they were, and says that it is one', () => {
    fc.assert(
      fc.property(parts, fc.nat(0x7f), time, (of, choice, keepUntilMs) => {
        const source = written(of, keepUntilMs);
        const kept = NAMES.filter((_, i) => (choice & (1 << i)) !== 0);
        const writer = new RecordWriter();
        const bytes = writer.copy(
          source,
          kept.reduce((mask, name) => mask | PART[name], 0),
        );
        const copy = withFlags(bytes, writer.flags);
        const wanted = Object.fromEntries(Object.entries(of).filter(([name]) => kept.some((one) => one === name)));
        expect(read(copy)).toEqual(present(wanted));
        expect(flagsOf(copy) & COPY).toBe(COPY);
        expect(keepUntil(copy)).toBe(keepUntil(source));
        expect(copy.length).toBeLessThanOrEqual(source.length);
      }),
      { numRuns: 300 },
    );
  });

  it('of a copy is the same again', () => {
    fc.assert(
      fc.property(parts, (of) => {
        const writer = new RecordWriter();
        const copy = withFlags(writer.copy(written(of, 5), 0x7f00), writer.flags);
        expect(withFlags(writer.copy(copy, 0x7f00), writer.flags)).toEqual(copy);
      }),
      { numRuns: 100 },
    );
  });
});

describe('in the log', () => {
  it('any bit of a record that turns makes it none', () => {
    fc.assert(
      fc.property(parts, fc.nat(), (of, where) => {
        const flash = new MemoryFlash({ size: 16_384 });
        const log = new BlockLog(flash, SPEND_LAYOUT);
        log.format();
        const writer = new RecordWriter();
        const bytes = writer.write(of, { restMs: 1000, grantMs: 1000 });
        const at = log.append(KIND.spend, writer.flags, bytes) * UNIT;
        const bit = where % (bytes.length * 8);
        flash.cells[at + (bit >> 3)] = (flash.cells[at + (bit >> 3)] as number) ^ (1 << (bit & 7));
        let visited = 0;
        new BlockLog(flash, SPEND_LAYOUT).open(() => visited++);
        expect(visited).toBe(0);
        expect(() => log.read(at / UNIT)).toThrow('damaged');
      }),
      { numRuns: 300 },
    );
  });
});

/** Without members that are absent: an absent part and one that is undefined are the same. */
function present(of: Partial<Parts>): Partial<Parts> {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined));
}
