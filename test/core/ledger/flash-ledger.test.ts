// The ledger on flash: the contract across restarts, what compaction keeps and drops, and what the ledger makes of a
// partition that is not as it should be.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UNIT } from '../../../core/encoding/flash-header.ts';
import { BlockLog } from '../../../core/ledger/block-log.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import type { Spend } from '../../../core/ledger/ledger.ts';
import { KIND, LONGEST_RECORD, PART, RecordWriter, SPEND_LAYOUT } from '../../../core/ledger/spend-record.ts';
import type { StoreOptions } from '../../../core/ledger/store-options.ts';
import { FlashError, type LogEvent } from '../../../core/ports/ports.ts';
import { NOW } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { type Geometry, MemoryFlash } from '../../fixtures/memory-flash.ts';
import { key, newest, receipt, spend } from '../../fixtures/spends.ts';
import { ledgerContract } from './contract.ts';

const open = (flash: MemoryFlash, options?: StoreOptions) => new FlashLedger(flash, crypto, options);

/** Sixteen blocks of 1 KB: small enough to go around often. */
const SMALL: Geometry = { size: 16_384, blockSize: 1024 };
/** The units of a spend in `spent`: header, counters, grant, budget, replay id. */
const SPEND_UNITS = 7;
/** Where the first record of a fresh ledger begins. */
const FIRST = 2 * UNIT;

/** Idle time. */
function idle(ledger: FlashLedger): FlashLedger {
  while (ledger.step());
  return ledger;
}

/** A spend under a grant without a velocity limit. */
const plain = (changes: Partial<Spend> = {}) => spend({ window: undefined, ...changes });

/** A partition with a ledger of `count` spends of 10. */
function spent(count: number, geometry?: Geometry): MemoryFlash {
  const flash = new MemoryFlash(geometry);
  const ledger = open(flash);
  for (let i = 0; i < count; i++) receipt(ledger.authorize(plain({ replay: key(`r${i}`) })));
  return flash;
}

/** Expects that nothing is recorded any more, and that the partition stays as it is. */
function expectDead(
  ledger: FlashLedger,
  flash: MemoryFlash,
  code: 'STORE_FAILED' | 'STORE_FULL' = 'STORE_FAILED',
): void {
  const before = flash.snapshot();
  expect(ledger.problem).toMatchObject({ code });
  expect(ledger.authorize(spend({ budget: key('new') }))).toMatchObject({ code });
  expect(ledger.reserve(spend({ budget: key('new') }))).toMatchObject({ code });
  expect(Buffer.compare(flash.cells, before)).toBe(0);
}

describe('on flash, across restarts', () => {
  ledgerContract(() => {
    const flash = new MemoryFlash();
    return { ledger: open(flash), again: () => open(flash) };
  });
});

describe('on flash, compacted before every look', () => {
  ledgerContract(() => {
    const flash = new MemoryFlash(SMALL);
    const ledger = open(flash);
    return {
      ledger,
      again: () => {
        // Payments of others until every block has been given up once.
        let other = open(flash);
        for (let i = 0; i < 200; i++) {
          const mark = { grant: key('filler'), budget: key('filler-b'), window: undefined };
          receipt(idle(other).authorize(spend(mark)));
          if (i % 50 === 49) other = open(flash);
        }
        return open(flash);
      },
    };
  });
});

describe('a payment', () => {
  it('costs one program and no erase, after idle time', () => {
    const flash = spent(20, SMALL);
    const ledger = idle(open(flash));
    const before = { ...flash.done };
    receipt(ledger.authorize(spend({ replay: key('one') })));
    expect([flash.done.program - before.program, flash.done.erase - before.erase]).toEqual([1, 0]);
  });

  it('costs one program and no erase through many blocks, with idle time between', () => {
    const flash = new MemoryFlash(SMALL);
    const ledger = idle(open(flash));
    for (let i = 0; i < 500; i++) {
      const before = { ...flash.done };
      receipt(ledger.authorize(spend({ budget: key(`b${i % 20}`) })));
      expect([flash.done.program - before.program, flash.done.erase - before.erase], `payment ${i}`).toEqual([1, 0]);
      idle(ledger);
    }
    expect(open(flash).grantTotal(key('g'))).toBe(5000n);
  });

  it('without idle time takes the steps itself, and says so', () => {
    const events: LogEvent[] = [];
    const ledger = open(new MemoryFlash(SMALL), { log: { emit: (event) => events.push(event) } });
    for (let i = 0; i < 300; i++) receipt(ledger.authorize(spend()));
    expect(ledger.grantTotal(key('g'))).toBe(3000n);
    expect(events).toContainEqual({ event: 'ledger.behind' });
  });

  it('without idle time is refused where the site wants that, until the steps were taken', () => {
    const flash = new MemoryFlash(SMALL);
    const ledger = open(flash, { whenBehind: 'refuse' });
    let refused = 0;
    for (let i = 0; i < 100; i++) {
      const before = { ...flash.done };
      const result = ledger.authorize(spend());
      if ('code' in result) {
        expect(result).toMatchObject({ code: 'STORE_FULL', detail: expect.stringContaining('behind') });
        expect(flash.done).toEqual({ ...before, read: flash.done.read });
        refused++;
        idle(ledger);
      } else expect(flash.done.erase).toBe(before.erase);
    }
    expect(refused).toBeGreaterThan(3);
    expect(ledger.grantTotal(key('g'))).toBe(BigInt(10 * (100 - refused)));
  });
});

describe('an objection', () => {
  it.each(['step', 'refuse'] as const)(
    'is what the payment would be refused for, in a ledger that is whole, behind, full or damaged (%s), and changes nothing',
    (whenBehind) => {
      const codes = new Set<string>();
      for (let seed = 1; seed <= 8; seed++) {
        let random = seed;
        const next = (below: number) => {
          random = (random * 48_271) % 0x7fff_ffff;
          return random % below;
        };
        const flash = new MemoryFlash({ size: 8192, blockSize: 1024 });
        let ledger = open(flash, { whenBehind });
        for (let i = 0; i < 250; i++) {
          const change = spend({
            grant: key(`g${next(5)}`),
            budget: key(`b${next(60)}`),
            ...(next(4) === 0 ? { replay: key(`r${i}`) } : {}),
          });
          const before = flash.snapshot();
          const objection = ledger.objection(change);
          expect(Buffer.compare(flash.cells, before)).toBe(0);
          const result = ledger.authorize(change);
          const refusal = 'code' in result ? result.code : undefined;
          expect([seed, i, objection?.code]).toEqual([seed, i, refusal]);
          codes.add(refusal ?? 'none');
          if (next(3) === 0) ledger.step();
          // Now and then a restart, later on with a record damaged.
          if (next(30) !== 0) continue;
          if (i > 120) flash.cells[next(8) * 1024 + 64 + next(40)] = 0;
          const later = open(flash, { whenBehind });
          if (later.problem?.code !== 'STORE_FAILED') ledger = later;
          else break;
        }
      }
      expect([...codes].sort()).toEqual(['STORE_FAILED', 'STORE_FULL', 'none']);
    },
  );
});

describe('opening', () => {
  it('writes nothing', () => {
    const flash = spent(3);
    const before = { ...flash.done };
    open(flash);
    expect([flash.done.program, flash.done.erase]).toEqual([before.program, before.erase]);
  });

  it('tells how much is alive', () => {
    const flash = spent(3);
    expect(open(flash).fill).toEqual(open(flash).fill);
    expect(open(flash).fill).toMatchObject({ keys: 5 });
  });
});

describe('what is refused writes nothing:', () => {
  it('an ended reservation, a floor that is lower, a bundle that is known', () => {
    const flash = new MemoryFlash();
    const ledger = open(flash);
    ledger.admitted('a', newest(NOW, NOW));
    const before = flash.snapshot();
    ledger.settle(1, 1n, NOW);
    ledger.release(1, NOW);
    ledger.raiseTimeFloor(NOW);
    ledger.admitted('a', newest(NOW, NOW));
    expect(Buffer.compare(flash.cells, before)).toBe(0);
  });

  it('a total of more than 128 bits', () => {
    const ledger = open(new MemoryFlash());
    const most = 2n ** 127n;
    receipt(ledger.authorize(spend({ amount: most })));
    expect(ledger.authorize(spend({ amount: most }))).toMatchObject({ code: 'AMOUNT_EXCEEDED' });
    expect(ledger.grantTotal(key('g'))).toBe(most);
  });
});

describe('a partition that is full', () => {
  /** Fills it with budgets; how many there was room for. */
  function fillUp(ledger: FlashLedger): number {
    for (let i = 0; ; i++) {
      const result = ledger.authorize(spend({ budget: key(`full-${i}`) }));
      if (!('code' in result)) continue;
      expect(result.code).toBe('STORE_FULL');
      return i;
    }
  }

  it('refuses with STORE_FULL what needs a new entry, and goes on with what has one', () => {
    const flash = new MemoryFlash(SMALL);
    const ledger = open(flash);
    const room = fillUp(ledger);
    expect(room).toBeGreaterThan(50);
    for (let i = 0; i < 100; i++) receipt(ledger.authorize(spend({ budget: key('full-0') })));
    expect(ledger.authorize(spend({ budget: key('one-more') }))).toMatchObject({ code: 'STORE_FULL' });
    const later = open(flash);
    expect(later.grantTotal(key('g'))).toBe(BigInt(10 * (room + 100)));
    expect(later.authorize(spend({ budget: key('one-more') }))).toMatchObject({ code: 'STORE_FULL' });
  });

  // A device that is never started anew, and is paid once a minute.
  it.each([
    ['of four blocks', { size: 16_384, blockSize: 4096 }],
    ['of sixteen small ones', SMALL],
    ['of 64 KB', undefined],
  ])('%s is no longer when the time floor has moved past what is in it, and there was idle time', (_, geometry) => {
    const ledger = open(new MemoryFlash(geometry));
    let timeMs = NOW;
    for (let turn = 0; turn < 3; turn++) {
      let count = 0;
      for (; ; count++) {
        const id = key(`${turn} ${count}`);
        const result = ledger.authorize(spend({ budget: id, replay: id, timeMs, keepUntilMs: timeMs + 3_600_000 }));
        idle(ledger);
        if ('code' in result) break;
      }
      expect(count, `turn ${turn}`).toBeGreaterThan(20);
      timeMs += 7_200_000;
      ledger.admitted('a', newest(timeMs, timeMs));
      idle(ledger);
    }
  });

  describe('and whose time floor moves', () => {
    const DAY = 86_400_000;

    /** Fills it with budgets that are used up at once, until a time of their own. How many there was room for. */
    function fillLiving(ledger: FlashLedger, untilMs: (i: number) => number): number {
      for (let i = 0; ; i++) {
        const id = key(`living ${i}`);
        const result = ledger.authorize(
          plain({ budget: id, replay: id, keepUntilMs: untilMs(i), grantUntilMs: NOW + 9 * DAY }),
        );
        idle(ledger);
        if ('code' in result) return i;
      }
    }

    /** Moves the floor so often, with idle time. How many blocks were erased. */
    function erasesOf(moves: number, fromMs: number, ledger: FlashLedger, flash: MemoryFlash): number {
      const before = flash.done.erase;
      for (let i = 1; i <= moves; i++) {
        expect(ledger.raiseTimeFloor(fromMs + i)).toBeUndefined();
        idle(ledger);
      }
      return flash.done.erase - before;
    }

    it('erases nothing for it while nothing in it has expired', () => {
      const flash = new MemoryFlash();
      const ledger = open(flash);
      const count = fillLiving(ledger, () => NOW + DAY);
      const keys = ledger.fill.keys;
      expect([count > 900, ledger.fill.keys]).toEqual([true, count + 1]);
      // The floor's own records fill a block now and then.
      expect(erasesOf(100, NOW, ledger, flash)).toBeLessThan(10);
      expect(ledger.fill.keys).toBe(keys);
    });

    it('erases nothing for it after a start either', () => {
      const flash = new MemoryFlash(SMALL);
      fillLiving(open(flash), () => NOW + DAY);
      const ledger = idle(open(flash));
      expect(erasesOf(5, NOW, ledger, flash)).toBeLessThan(5);
    });

    it('gives up the one entry that has expired, once, and later another', () => {
      const flash = new MemoryFlash(SMALL);
      const ledger = open(flash);
      const count = fillLiving(ledger, (i) => NOW + (i === 20 ? 5000 : i === 30 ? 9000 : DAY));
      const gone = () => Array.from({ length: count }, (_, i) => i).filter((i) => !ledger.seen(key(`living ${i}`)));
      for (const [fromMs, expected] of [
        [NOW + 6000, [20]],
        [NOW + 10_000, [20, 30]],
      ] as const) {
        expect(erasesOf(5, fromMs - 3000, ledger, flash)).toBeLessThan(5);
        expect(gone()).toEqual(expected.slice(0, -1));
        expect(erasesOf(1, fromMs, ledger, flash)).toBeGreaterThan(5);
        expect(gone()).toEqual(expected);
        receipt(ledger.authorize(plain({ budget: key(`more ${fromMs}`), keepUntilMs: NOW + DAY })));
      }
      expect(ledger.fill.keys).toBe(count + 1);
    });

    it('does not go through all of it again and again for what a reservation holds', () => {
      const flash = new MemoryFlash(SMALL);
      let ledger = open(flash);
      const { receiptId } = receipt(ledger.reserve(plain({ budget: key('held'), grantUntilMs: NOW + 9 * DAY })));
      fillLiving(ledger, () => NOW + DAY);
      expect(erasesOf(1, NOW + 2000, ledger, flash)).toBeGreaterThan(5);
      expect(erasesOf(5, NOW + 3000, ledger, flash)).toBeLessThan(5);
      for (let start = 0; start < 10; start++) {
        const before = flash.done.erase;
        ledger = idle(open(flash));
        expect(flash.done.erase - before).toBeLessThan(2);
      }
      expect(ledger.budgetTotal(key('held'))).toBe(10n);
      expect(ledger.settle(receiptId, 3n, NOW)).toMatchObject({ amount: 3n });
      idle(ledger);
      expect(ledger.budgetTotal(key('held'))).toBe(3n);
      erasesOf(1, NOW + 4000, ledger, flash);
      expect(ledger.budgetUsed(key('held'))).toBe(false);
    });

    it('is no longer after a start where the power went between the bundle and the end of the sweep', () => {
      for (let steps = 0; steps < 60; steps += 21) {
        const flash = new MemoryFlash(SMALL);
        let ledger = open(flash);
        const count = fillLiving(ledger, (i) => NOW + (i % 2 === 0 ? 5000 : DAY));
        ledger.admitted('a', newest(NOW + 6000, NOW + DAY));
        for (let i = 0; i < steps; i++) ledger.step();
        ledger = idle(open(flash));
        // A sweep goes on only as far as there is need of room.
        expect(ledger.fill.keys, `${steps} steps`).toBeLessThan(count - 4);
        for (let start = 0; start < 10; start++) {
          const before = flash.done.erase;
          ledger = idle(open(flash));
          expect(flash.done.erase - before).toBeLessThan(2);
        }
        const more = { keepUntilMs: NOW + DAY, grantUntilMs: NOW + 9 * DAY };
        for (let i = 0; !('code' in ledger.authorize(plain({ budget: key(`more ${i}`), ...more }))); i++) idle(ledger);
        for (let i = 0; i < count; i++) expect(ledger.seen(key(`living ${i}`)), `${steps} steps`).toBe(i % 2 !== 0);
      }
    });

    it('of a payer far ahead does not: clocks in payments forget nothing, whatever is paid, started and waited for', () => {
      const flash = new MemoryFlash(SMALL);
      let ledger = open(flash);
      const count = fillLiving(ledger, () => NOW + 1000);
      for (let start = 0; start < 10; start++) {
        const before = flash.done.erase;
        const timeMs = NOW + (start + 1) * 365 * DAY;
        for (let i = 0; i < 5; i++) {
          const far = { timeMs, keepUntilMs: timeMs + i, replay: key(`far ${i}`) };
          expect(ledger.authorize(plain({ ...far, budget: key(`far ${i}`) }))).toMatchObject({ code: 'STORE_FULL' });
          expect(ledger.reserve(plain({ ...far, budget: key(`far ${i}`) }))).toMatchObject({ code: 'STORE_FULL' });
          idle(ledger);
        }
        expect(flash.done.erase).toBe(before);
        // A start prepares a block.
        ledger = idle(open(flash));
        expect(flash.done.erase - before).toBeLessThan(2);
        expect([ledger.fill.keys, ledger.timeFloorMs()]).toEqual([count + 1, 0]);
      }
      // What has its place is paid on, with a clock that is ahead.
      receipt(
        ledger.authorize(plain({ budget: key('living 0'), timeMs: NOW + 365 * DAY, keepUntilMs: NOW + 365 * DAY })),
      );
      ledger = idle(open(flash));
      for (let i = 0; i < count; i++) expect(ledger.seen(key(`living ${i}`))).toBe(true);
      expect(ledger.grantTotal(key('g'))).toBe(BigInt(10 * (count + 1)));
      expect(ledger.authorize(plain({ budget: key('far 0') }))).toMatchObject({ code: 'STORE_FULL' });
    });
  });

  it('ends reservations all the same', () => {
    const ledger = open(new MemoryFlash(SMALL));
    const { receiptId } = receipt(ledger.reserve(spend({ budget: key('r') })));
    fillUp(ledger);
    expect(ledger.settle(receiptId, 3n, NOW)).toMatchObject({ amount: 3n });
    expect(ledger.budgetTotal(key('r'))).toBe(3n);
  });

  it('warns before', () => {
    const events: LogEvent[] = [];
    const ledger = open(new MemoryFlash(SMALL), { log: { emit: (event) => events.push(event) } });
    fillUp(ledger);
    expect(events.filter((one) => one.event === 'ledger.filling')).toHaveLength(3);
  });

  it('of 64 KB holds at least 800 grants, budgets and replay ids, whichever they are', () => {
    const kinds = [
      (i: number) => ({ grant: key(`g${i}`) }),
      (i: number) => ({ budget: key(`b${i}`) }),
      (i: number) => ({ replay: key(`r${i}`) }),
    ];
    for (const kind of kinds) {
      const ledger = open(new MemoryFlash());
      let count = 0;
      while (!('code' in ledger.authorize(spend({ window: undefined, ...kind(count) })))) count++;
      expect(count).toBeGreaterThanOrEqual(800);
      expect(ledger.fill.keys).toBeGreaterThanOrEqual(800);
    }
  });
});

describe('compaction', () => {
  it('drops what the time floor has passed, and nothing else', () => {
    const flash = new MemoryFlash(SMALL);
    const ledger = idle(open(flash));
    receipt(ledger.authorize(spend({ grant: key('old'), budget: key('old-b'), replay: key('old-r') })));
    receipt(ledger.authorize(spend({ grant: key('new'), budget: key('new-b'), keepUntilMs: NOW + 1_000_000 })));
    ledger.admitted('bundle', newest(NOW + 500_000, NOW + 900_000));
    for (let i = 0; i < 200; i++) {
      receipt(ledger.authorize(spend({ keepUntilMs: NOW + 1_000_000 })));
      idle(ledger);
    }
    for (const one of [ledger, open(flash)]) {
      expect([one.grantTotal(key('old')), one.grantTotal(key('new'))]).toEqual([0n, 10n]);
      expect(one.seen(key('old-r'))).toBe(false);
      expect(one.newestBundle('bundle')).toEqual(newest(NOW + 500_000, NOW + 900_000));
      expect(one.timeFloorMs()).toBe(NOW + 500_000);
    }
  });

  it('drops a budget and its ids when they have expired, though their grant lives on', () => {
    const flash = new MemoryFlash(SMALL);
    let ledger = open(flash);
    const month = NOW + 30 * 86_400_000;
    let keys = 0;
    for (let i = 0; i < 400; i++) {
      const ids = { budget: key(`b${i}`), replay: key(`r${i}`) };
      const until = { keepUntilMs: NOW + i * 1000 + 5000, grantUntilMs: month };
      receipt(ledger.authorize(plain({ ...ids, ...until, timeMs: NOW + i * 1000 })));
      expect(ledger.raiseTimeFloor(NOW + i * 1000)).toBeUndefined();
      if (i % 50 === 49) ledger = open(flash);
      idle(ledger);
      keys = Math.max(keys, ledger.fill.keys);
    }
    expect(ledger.grantTotal(key('g'))).toBe(4000n);
    // Five seconds of budgets and ids, and what waits for the next cleaning: far less than there were.
    expect(keys).toBeLessThan(300);
    expect(ledger.seen(key('r399'))).toBe(true);
    expect(ledger.raiseTimeFloor(month + 3_600_000)).toBeUndefined();
    for (let i = 0; i < 400; i++) {
      receipt(idle(ledger).authorize(plain({ grant: key('later'), budget: key('later'), keepUntilMs: 2 * month })));
    }
    expect(ledger.grantTotal(key('g'))).toBe(0n);
  });

  it('keeps what a reservation that is open still needs, however old', () => {
    const flash = new MemoryFlash(SMALL);
    const ledger = idle(open(flash));
    const { receiptId } = receipt(ledger.reserve(spend({ grant: key('old'), budget: key('old-b') })));
    ledger.admitted('bundle', newest(NOW + 500_000, NOW + 900_000));
    for (let i = 0; i < 200; i++) {
      receipt(ledger.authorize(spend({ keepUntilMs: NOW + 1_000_000 })));
      idle(ledger);
    }
    const later = open(flash);
    expect(later.openReservations()).toMatchObject([
      { receiptId, amount: 10n, grant: key('old'), budget: key('old-b') },
    ]);
    expect(later.settle(receiptId, 4n, NOW)).toMatchObject({ amount: 4n });
    expect(later.grantTotal(key('old'))).toBe(4n);
  });

  it('never gives a receipt id again', () => {
    const flash = new MemoryFlash(SMALL);
    let last = 0;
    for (let i = 0; i < 300; i++) {
      const ledger = i % 20 === 0 ? idle(open(flash)) : open(flash);
      const { receiptId } = receipt(ledger.authorize(spend()));
      expect(receiptId).toBeGreaterThan(last);
      last = receiptId;
    }
  });

  it('wears all blocks alike', () => {
    const flash = new MemoryFlash(SMALL);
    const ledger = idle(open(flash));
    for (let i = 0; i < 3000; i++) {
      receipt(ledger.authorize(spend({ budget: key(`b${i % 30}`) })));
      idle(ledger);
    }
    const wear = [...ledger.wear];
    const mean = wear.reduce((sum, one) => sum + one) / wear.length;
    expect(mean).toBeGreaterThan(20);
    expect(Math.max(...wear)).toBeLessThan(mean * 1.5);
  });
});

describe('a partition of another kind', () => {
  it('that is blank is formatted', () => {
    const flash = new MemoryFlash();
    expect(open(flash).problem).toBeUndefined();
    expect(open(flash).problem).toBeUndefined();
  });

  it('that is blank is not formatted where the site says so', () => {
    const flash = new MemoryFlash();
    expectDead(open(flash, { autoFormat: 'never' }), flash);
    FlashLedger.format(flash);
    expect(open(flash, { autoFormat: 'never' }).problem).toBeUndefined();
  });

  it.each<[string, Geometry]>([
    ['too small', { size: 4096, blockSize: 4096 }],
    ['empty', { size: 0, blockSize: 4096 }],
    ['with blocks too small for a record', { size: 16_384, blockSize: 256 }],
    ['with blocks that cut units', { size: 40_000, blockSize: 1000 }],
    ['with program units of more than 16', { size: 65_536, blockSize: 4096, programSize: 256 }],
  ])('%s is refused', (_, geometry) => {
    const flash = new MemoryFlash(geometry);
    expectDead(open(flash), flash);
  });

  it('with program units of 1, 4 or 16 bytes is fine', () => {
    for (const programSize of [1, 4, 16]) {
      const flash = new MemoryFlash({ programSize });
      receipt(open(flash).authorize(spend()));
      expect(open(flash).grantTotal(key('g'))).toBe(10n);
    }
  });

  it('full of something else is refused and not overwritten', () => {
    for (const byte of [0x00, 0x4d, 0x5a]) {
      const flash = new MemoryFlash();
      flash.cells.fill(byte);
      expectDead(open(flash), flash);
    }
  });

  it('with something far behind a blank beginning is refused and not overwritten', () => {
    const flash = new MemoryFlash();
    flash.cells[flash.size - 1] = 0x7f;
    expectDead(open(flash), flash);
  });
});

describe('a record that is lost', () => {
  /** Any record but the last. */
  const second = FIRST + SPEND_UNITS * UNIT;

  /** Expects that what may be missing is refused, and no byte is written. */
  function expectDoubt(flash: MemoryFlash, act: (ledger: FlashLedger) => unknown, detail: string): void {
    const ledger = open(flash);
    expect(ledger.problem).toBeUndefined();
    expect(ledger.damage[0]).toContain('lost');
    const before = flash.snapshot();
    expect(act(ledger)).toMatchObject({ code: 'STORE_FAILED', detail: expect.stringContaining(detail) });
    expect(Buffer.compare(flash.cells, before)).toBe(0);
  }

  /** Four spends under one grant, then one under another; the second is lost. */
  function damaged(): MemoryFlash {
    const flash = spent(4);
    receipt(open(flash).authorize(plain({ grant: key('g2'), budget: key('b2') })));
    flash.cells.fill(0, second, second + UNIT);
    return flash;
  }

  it('between others refuses what it may have been about, by any one bit', () => {
    for (let bit = 0; bit < SPEND_UNITS * UNIT * 8; bit += 7) {
      const flash = spent(4);
      const at = second + (bit >> 3);
      flash.cells[at] = (flash.cells[at] as number) ^ (1 << (bit & 7));
      expectDoubt(flash, (ledger) => ledger.authorize(plain({ grant: key('other') })), 'under this grant is not known');
    }
  });

  it.each<[string, Partial<Spend>, string]>([
    ['a grant that was not paid from since', { grant: key('new') }, 'what was spent under this grant'],
    ['a budget that was not paid from since', { budget: key('new') }, 'what was spent of this budget'],
    ['a decision', { replay: key('decision') }, 'whether this decision was paid for'],
    ['an idempotency key', { idempotency: key('i') }, 'whether this request was answered'],
  ])('refuses %s', (_, changes, detail) => {
    expectDoubt(damaged(), (ledger) => ledger.authorize(plain(changes)), detail);
    expectDoubt(damaged(), (ledger) => ledger.reserve(plain(changes)), detail);
    expectDoubt(damaged(), (ledger) => ledger.objection(plain(changes)), detail);
  });

  it('does not refuse a grant and a budget that were paid from since: their newest record has all of it', () => {
    const flash = damaged();
    const ledger = open(flash);
    expect([ledger.grantTotal(key('g')), ledger.grantTotal(key('g2'))]).toEqual([40n, 10n]);
    expect(ledger.objection(plain())).toBeUndefined();
    expect(receipt(ledger.authorize(plain())).receiptId).toBe(6);
    expect(receipt(open(flash).authorize(plain({ grant: key('g2'), budget: key('b2') }))).receiptId).toBe(7);
    expect(open(flash).grantTotal(key('g'))).toBe(50n);
  });

  it('is told as an event, and goes on being missed: no block is given up', () => {
    const events: LogEvent[] = [];
    const flash = damaged();
    const ledger = open(flash, { log: { emit: (event) => events.push(event) } });
    expect(events).toContainEqual({ event: 'ledger.damaged', detail: 'records before number 3 are lost' });
    let last: unknown;
    for (let i = 0; i < 3000; i++) {
      last = ledger.authorize(plain({ amount: 1n }));
      idle(ledger);
      if ('code' in (last as object)) break;
    }
    expect(last).toMatchObject({ code: 'STORE_FULL', detail: expect.stringContaining('nothing is compacted') });
    expect(open(flash).damage).toEqual(ledger.damage);
  });

  it('may have ended a reservation: it is told, and ended by nobody here', () => {
    const flash = new MemoryFlash();
    const ledger = open(flash);
    const { receiptId } = receipt(ledger.reserve(plain({ amount: 100n })));
    const settled = FIRST + 11 * UNIT;
    receipt(ledger.settle(receiptId, 60n, NOW));
    receipt(ledger.authorize(plain()));
    flash.cells.fill(0, settled, settled + UNIT);
    expect(open(flash).openReservations()).toHaveLength(1);
    expectDoubt(flash, (again) => again.settle(receiptId, 60n, NOW), `whether reservation ${receiptId} was ended`);
    expectDoubt(flash, (again) => again.release(receiptId, NOW), `whether reservation ${receiptId} was ended`);
    expect(open(flash).grantTotal(key('g'))).toBe(70n);
  });

  it('may have been of a bundle: no other is remembered', () => {
    const flash = damaged();
    expectDoubt(flash, (ledger) => ledger.admitted('a', newest(NOW, NOW)), 'whether a newer bundle was admitted');
  });

  it('may have been of a newer bundle: the one that is remembered comes back from the store, and from nowhere else', () => {
    const flash = new MemoryFlash();
    const ledger = open(flash);
    ledger.admitted('a', newest(NOW, NOW + 1000));
    const second = FIRST + 5 * UNIT;
    ledger.admitted('a', newest(NOW + 1, NOW + 1000));
    receipt(ledger.authorize(plain()));
    flash.cells.fill(0, second, second + UNIT);
    expectDoubt(flash, (again) => again.admitted('a', newest(NOW, NOW + 1000)), 'whether a newer bundle was admitted');
    const again = open(flash);
    const floorMs = again.timeFloorMs();
    expect(again.admitted('a', newest(NOW, NOW + 1000), true)).toBeUndefined();
    expect(again.timeFloorMs()).toBe(floorMs);
  });

  it('leaves room for as many bundles as it says, however many blocks they need', () => {
    const flash = new MemoryFlash(SMALL);
    const ledger = open(flash);
    for (const timeMs of [1, 2]) ledger.raiseTimeFloor(timeMs);
    ledger.admitted('a', newest(NOW, NOW + 1000));
    const floors = 2 * UNIT;
    flash.cells.fill(0, FIRST + floors, FIRST + 2 * floors);
    const again = open(flash);
    expect(again.damage).toHaveLength(1);
    const news = (n: number) => newest(NOW + n, NOW + 1000);
    let promised = 0;
    for (;;) {
      const records = again.bundleRecords('a', news(1), promised);
      if (typeof records !== 'number') {
        expect(records).toMatchObject({ code: 'STORE_FULL' });
        break;
      }
      expect(records).toBe(promised + 1);
      promised = records;
    }
    expect(again.bundleRecords('a', newest(NOW, NOW + 1000), promised)).toBe(promised);
    // Fourteen blocks of twelve records: one is in use, one stays over.
    expect(promised).toBe(14 * 12);
    for (let n = 1; n <= promised; n++) expect(again.admitted('a', news(n)), `bundle ${n}`).toBeUndefined();
    expect(again.admitted('a', news(promised + 1))).toMatchObject({ code: 'STORE_FULL' });
  });

  it('may have ended what an idempotency key was answered with: the old answer is not given', () => {
    const flash = new MemoryFlash();
    const ledger = open(flash);
    const { receiptId } = receipt(ledger.reserve(plain({ idempotency: key('i') })));
    receipt(ledger.release(receiptId, NOW));
    const released = FIRST + 15 * UNIT;
    receipt(ledger.authorize(plain({ grant: key('other') })));
    flash.cells.fill(0, released, released + UNIT);
    const again = open(flash);
    expect(again.damage).not.toEqual([]);
    expect(again.answered(key('i'))).toBeUndefined();
  });

  it('with nothing behind it that counts refuses every payment', () => {
    const flash = spent(4);
    const last = FIRST + 3 * SPEND_UNITS * UNIT;
    idle(open(flash));
    const sealed = open(flash);
    idle(sealed);
    receipt(sealed.authorize(plain({ replay: key('last') })));
    idle(sealed);
    const at = Buffer.from(flash.cells).indexOf(Buffer.from(key('last'), 'latin1'));
    flash.cells.fill(0, at, at + UNIT);
    expect(last).toBeGreaterThan(0);
    expectDead(open(flash), flash);
    expect(open(flash).lastReceipt()).toBeUndefined();
  });

  it('at the end refuses every payment, once idle time has sealed it', () => {
    for (let bit = 0; bit < SPEND_UNITS * UNIT * 8; bit += 7) {
      const flash = spent(1);
      idle(open(flash));
      const ledger = open(flash);
      receipt(ledger.authorize(plain({ budget: key('last'), replay: key('last-r') })));
      idle(ledger);
      // The flash has the bytes of this budget's key once.
      const at = Buffer.from(flash.cells).indexOf(Buffer.from(key('last'), 'latin1')) - 4 * UNIT + (bit >> 3);
      flash.cells[at] = (flash.cells[at] as number) ^ (1 << (bit & 7));
      expect(open(flash).problem, `bit ${bit}`).toMatchObject({ code: 'STORE_FAILED' });
    }
  });

  it('and erased is missed too', () => {
    const flash = spent(4);
    flash.cells.fill(0xff, second, second + SPEND_UNITS * UNIT);
    expectDoubt(flash, (ledger) => ledger.authorize(plain({ grant: key('new') })), 'what was spent under this grant');
  });

  it('with its whole block is missed too', () => {
    const flash = spent(100);
    for (let block = 0; block < 2; block++) {
      const without = new MemoryFlash();
      without.cells.set(flash.cells);
      without.cells.fill(0xff, block * 4096, (block + 1) * 4096);
      expectDoubt(
        without,
        (ledger) => ledger.authorize(plain({ grant: key('new') })),
        'what was spent under this grant',
      );
    }
  });

  it('in favour of another copy refuses every payment: records are not replayed', () => {
    const flash = spent(4);
    flash.cells.copyWithin(second, FIRST, second);
    expectDead(open(flash), flash);
  });
});

/** A partition with these records, each whole for the log: kind, flags, units, and the bytes behind the first 12. */
function recorded(
  records: readonly { kind: number; flags: number; units: number; body?: Uint8Array }[],
  geometry?: Geometry,
): MemoryFlash {
  const flash = new MemoryFlash(geometry);
  const log = new BlockLog(flash, SPEND_LAYOUT);
  log.format();
  for (const { kind, flags, units, body } of records) {
    if (!log.hasRoom(units)) log.prepare();
    const bytes = new Uint8Array(units * UNIT);
    bytes.set((body ?? new Uint8Array(0)).subarray(0, units * UNIT - 12), 12);
    log.append(kind, flags, bytes);
  }
  return flash;
}

describe('a record whose CRC is good and whose parts cannot be', () => {
  const window = (entries: number) => {
    const body = new Uint8Array((LONGEST_RECORD - 1) * UNIT);
    body[4 + 2 * UNIT + 6] = entries;
    return body;
  };

  it.each<[string, number, number, number, Uint8Array | undefined, string]>([
    ['counters that it has no unit for', 2, PART.counters, 1, undefined, 'its parts take 2 units, it has 1'],
    ['a grant without its window', 2, PART.grant, 3, undefined, 'its parts take 4 units, it has 3'],
    ['an answer that goes beyond it', 2, PART.answer, 4, undefined, 'its parts take 5 units, it has 4'],
    ['more units than its parts', 9, 0, 2, undefined, 'its parts take 1 unit, it has 2'],
    ['a window of 17 entries', 2, PART.grant, 12, window(17), 'its window has 17 entries, of 16 at most'],
    ['flags that nobody knows', 2, 0x8008, 1, undefined, 'its flags 0x8008 are not all known'],
    ['a block given up in one unit', 1, 0, 1, undefined, 'what gives up blocks has 2 units, it has 1'],
    ['a block given up in three', 1, 0, 3, undefined, 'what gives up blocks has 2 units, it has 3'],
  ])('refuses the ledger whole, and says where: %s', (_, kind, flags, units, body, what) => {
    const flash = recorded([
      { kind: KIND.floor, flags: PART.counters, units: 2 },
      { kind, flags, units, ...(body && { body }) },
    ]);
    expect(open(flash).problem).toEqual({
      code: 'STORE_FAILED',
      detail: `record 2 at byte 64 is not one of a spend ledger of format 3: ${what}`,
    });
    expectDead(open(flash), flash);
  });

  it('refuses the ledger whole where there are more keys than it could ever have', () => {
    const geometry = { size: 4 * 1024, blockSize: 1024 };
    const flash = new MemoryFlash(geometry);
    const log = new BlockLog(flash, SPEND_LAYOUT);
    const writer = new RecordWriter();
    log.format();
    const until = { grantMs: NOW, restMs: NOW };
    for (let i = 0; ; i++) {
      const bytes = writer.write({ replay: key(`r${i}`) }, until);
      if (!log.hasRoom(bytes.length / UNIT) && (log.spare === 0 || !log.prepare())) break;
      log.append(KIND.state + 10, writer.flags, bytes);
    }
    expect(open(flash).problem).toMatchObject({
      code: 'STORE_FAILED',
      detail: expect.stringContaining('more grants, budgets and ids'),
    });
    expectDead(open(flash), flash);
  });
});

describe('a reservation that the ledger does not count', () => {
  const OPEN = { receiptId: 1, grant: key('g'), budget: key('b'), idempotency: undefined, amount: 10n, timeMs: NOW };
  const COUNTERS = { nextReceipt: 2, closes: 0, floorMs: 0 };
  const counted = (total: bigint) => ({
    grant: { key: key('g'), total, window: undefined },
    budget: { key: key('b'), total, closed: false },
  });

  it.each([
    ['under its grant', { budget: counted(10n).budget }, 'is open and its grant has no entry'],
    ['of its budget', { grant: counted(10n).grant }, 'is open and its budget has no entry'],
    ['whole', counted(9n), 'is open with more than its grant and its budget count'],
  ])('%s is not ended', (_, parts, what) => {
    const flash = new MemoryFlash();
    const log = new BlockLog(flash, SPEND_LAYOUT);
    log.format();
    const writer = new RecordWriter();
    const bytes = writer.write({ counters: COUNTERS, ...parts, open: OPEN }, { grantMs: NOW, restMs: NOW });
    log.append(KIND.reserve, writer.flags, bytes);
    const ledger = open(flash);
    const before = flash.snapshot();
    for (const ended of [ledger.release(1, NOW), ledger.settle(1, 1n, NOW)])
      expect(ended).toEqual({ code: 'STORE_FAILED', detail: `reservation 1 ${what}` });
    expect(Buffer.compare(flash.cells, before)).toBe(0);
    expect(ledger.openReservations()).toHaveLength(1);
  });
});

describe('records of whatever content, with good CRCs', () => {
  /** Few keys, so that records meet; and lengths that often are right. */
  const body = fc
    .tuple(fc.uint8Array({ minLength: 500, maxLength: 500 }), fc.constantFrom(0, 1, 2, 17, 255))
    .map(([bytes, most]) => bytes.map((byte) => Math.min(byte, most)));
  const flags = fc
    .subarray([1, 2, 4, 8, ...Object.values(PART), 0x8000])
    .map((some) => some.reduce((a, b) => a | b, 0));
  /** Units that the parts take, as FORMAT.md says, with windows of one unit. */
  const unitsOf = (of: number) =>
    1 +
    [0x100, 0x400, 0x400, 0x800, 0x2000, 0x2000, 0x2000, 0x2000, 0x2000].filter((part) => of & part).length +
    ((of & PART.grant) !== 0 ? ((of & 4) !== 0 ? 2 : 3) : 0) +
    ((of & PART.answer) !== 0 ? 4 : 0) +
    ((of & PART.bundle) !== 0 ? 3 : 0);
  const wild = fc.record({
    kind: fc.integer({ min: 1, max: 255 }),
    flags: fc.oneof(flags, fc.integer({ min: 0, max: 0xffff })),
    units: fc.integer({ min: 1, max: LONGEST_RECORD }),
    body,
  });
  const fitting = fc
    .record({ kind: fc.integer({ min: 2, max: 9 }), flags: flags.map((some) => some & 0x7f07), body })
    .filter((one) => unitsOf(one.flags) <= LONGEST_RECORD)
    .map((one) => ({ ...one, units: unitsOf(one.flags) }));

  /** Does everything that a ledger can be asked for. */
  function tryAll(flash: MemoryFlash): FlashLedger {
    const ledger = open(flash);
    const keys = [key('g'), ...[0, 1, 2].map((byte) => String.fromCharCode(byte).repeat(16))];
    const looks = () => {
      for (const one of keys) {
        ledger.grantTotal(one);
        ledger.budgetTotal(one);
        ledger.budgetUsed(one);
        ledger.seen(one);
        ledger.paymentsSince(one, NOW - 1000);
        ledger.answered(one);
      }
      ledger.newestBundle('a');
      ledger.lastReceipt();
      return [ledger.fill, ledger.wear, ledger.damage, ledger.problem, ledger.timeFloorMs()];
    };
    looks();
    for (const grant of keys)
      for (const changes of [{}, { window: undefined }, { idempotency: grant, replay: grant }]) {
        ledger.objection(spend({ grant, budget: grant, ...changes }));
        ledger.authorize(spend({ grant, budget: grant, ...changes }));
        ledger.reserve(spend({ grant, budget: grant, ...changes }));
      }
    for (const { receiptId, amount } of ledger.openReservations()) {
      ledger.settle(receiptId, amount, NOW);
      ledger.release(receiptId, NOW);
    }
    ledger.bundleRecords('a', newest(NOW, NOW), 3);
    ledger.admitted('a', newest(NOW, NOW));
    ledger.raiseTimeFloor(NOW + 5000);
    for (let steps = 0; steps < 300 && ledger.step(); steps++);
    looks();
    return ledger;
  }

  it.each([
    ['anything', wild, 1],
    ['what its flags say', fitting, 12],
    ['now this, now that', fc.oneof({ weight: 9, arbitrary: fitting }, { weight: 1, arbitrary: wild }), 12],
  ] as const)('make nothing throw: each holds %s', (_, one, most) => {
    let opens = 0;
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: most }), (records) => {
        const flash = recorded(records, SMALL);
        if (tryAll(flash).problem?.code !== 'STORE_FAILED') opens++;
        tryAll(flash);
      }),
      { numRuns: 300 },
    );
    expect(opens).toBeGreaterThan(0);
  });
});

describe('power lost while a record is written', () => {
  it('leaves every spend that was answered, and a ledger that goes on', () => {
    for (let keep = 0; keep < SPEND_UNITS * UNIT; keep++) {
      const flash = spent(2);
      const ledger = open(flash);
      idle(ledger);
      flash.fail('program', 0, keep);
      expect(ledger.authorize(plain({ replay: key('torn') })), `${keep} bytes`).toMatchObject({ code: 'STORE_FAILED' });
      flash.recover();
      const later = open(flash);
      expect(later.problem, `${keep} bytes`).toBeUndefined();
      expect(later.grantTotal(key('g'))).toBe(20n);
      expect(later.seen(key('torn'))).toBe(false);
      receipt(later.authorize(spend({ amount: 7n })));
      expect(open(flash).grantTotal(key('g'))).toBe(27n);
    }
  });

  it('after its last byte counts it, though nobody was told: nothing is ever spent twice', () => {
    const flash = spent(2);
    const ledger = idle(open(flash));
    flash.fail('program', 0, SPEND_UNITS * UNIT);
    expect(ledger.authorize(plain({ replay: key('torn') }))).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    const later = open(flash);
    expect(later.grantTotal(key('g'))).toBe(30n);
    expect(later.seen(key('torn'))).toBe(true);
  });

  it('again and again leaves a ledger that goes on: no block is used up by it', () => {
    const flash = spent(2, SMALL);
    for (let i = 0; i < 100; i++) {
      const ledger = idle(open(flash));
      flash.fail('program', 0, 40);
      expect(ledger.authorize(spend())).toMatchObject({ code: 'STORE_FAILED' });
      flash.recover();
    }
    receipt(open(flash).authorize(spend()));
    expect(open(flash).grantTotal(key('g'))).toBe(30n);
  });

  it('while the first header is written leaves a partition that is formatted at the next start', () => {
    for (let keep = 0; keep <= 2 * UNIT; keep++) {
      const flash = new MemoryFlash();
      flash.fail('program', 0, keep);
      expect(open(flash).problem).toMatchObject({ code: 'STORE_FAILED' });
      flash.recover();
      const later = open(flash);
      expect(later.problem, `${keep} bytes`).toBeUndefined();
      receipt(later.authorize(spend()));
      expect(open(flash).grantTotal(key('g'))).toBe(10n);
    }
  });
});

describe('idle time', () => {
  it('ends, though there are blocks that cannot be erased and the rest is full', () => {
    const flash = new MemoryFlash(SMALL);
    const erase = flash.erase.bind(flash);
    const ledger = open(flash);
    for (let i = 0; ; i++) if ('code' in ledger.authorize(plain({ budget: key(`b${i}`), keepUntilMs: NOW * 2 }))) break;
    flash.erase = (offset) => {
      if ([3, 5, 7, 9].includes(offset / 1024)) throw new FlashError('worn');
      erase(offset);
    };
    let steps = 0;
    while (ledger.step()) expect(++steps).toBeLessThan(2000);
  });
});

describe('a time that six bytes do not hold', () => {
  it('is kept as the latest they hold: no older bundle comes in by it', () => {
    const far = Date.UTC(9999, 11, 31);
    const flash = new MemoryFlash();
    const ledger = open(flash);
    expect(ledger.admitted('a', newest(undefined, far))).toBeUndefined();
    for (const one of [ledger, open(flash)]) expect(one.newestBundle('a')?.expiresAtMs).toBeGreaterThan(NOW * 10);
  });
});

describe('a flash that fails', () => {
  it('while writing approves nothing, now or later in the run', () => {
    const flash = spent(1);
    const ledger = idle(open(flash));
    flash.fail('program');
    expect(ledger.authorize(spend())).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    expectDead(ledger, flash);
    expect(ledger.grantTotal(key('g'))).toBe(10n);
  });

  it('while reading back approves nothing', () => {
    const flash = new MemoryFlash();
    const ledger = open(flash);
    flash.fail('read');
    expect(ledger.authorize(spend())).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    expectDead(ledger, flash);
  });

  it('while a total is looked up approves nothing', () => {
    const flash = spent(1);
    const ledger = open(flash);
    flash.fail('read');
    expect(ledger.grantTotal(key('g'))).toBe(0n);
    flash.recover();
    expectDead(ledger, flash);
  });

  it('at start refuses every payment', () => {
    for (const after of [0, 1, 2]) {
      const flash = spent(2);
      flash.fail('read', after);
      const ledger = open(flash);
      flash.recover();
      expectDead(ledger, flash);
    }
  });

  it('in one block, the ledger goes on with the others', () => {
    const flash = new MemoryFlash(SMALL);
    const ledger = open(flash);
    const erase = flash.erase.bind(flash);
    flash.erase = (offset) => {
      if (offset === 3 * 1024) flash.fail('erase');
      try {
        erase(offset);
      } finally {
        flash.recover();
      }
    };
    for (let i = 0; i < 300; i++) {
      receipt(ledger.authorize(spend()));
      idle(ledger);
    }
    expect(open(flash).grantTotal(key('g'))).toBe(3000n);
  });
});
