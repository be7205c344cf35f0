// A full ledger that gives up what has expired, with the power cut at every operation of that: what lives stays, once.

import { describe, expect, it } from 'vitest';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { NOW } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { key, newest, receipt, spend } from '../../fixtures/spends.ts';

const open = (flash: SimulatedFlash) => new FlashLedger(flash, crypto);

describe('the power that goes while a full ledger gives up what has expired', () => {
  const DAY = 86_400_000;
  const FLOOR = NOW + 6000;
  const lives = (i: number) => i % 3 !== 0;
  const paid = (i: number) => ({ budget: key(`b${i}`), replay: key(`r${i}`), window: undefined });
  const idle = (ledger: FlashLedger) => {
    while (ledger.step());
    return ledger;
  };

  /** Twelve blocks, full of budgets and ids: of three one is over at `FLOOR`, and so is what is reserved. */
  function full(erasedReads: 'ones' | 'scrambled', reserves: boolean) {
    const geometry = { blockSize: 1024, programSize: 16 };
    const flash = new SimulatedFlash(new MemoryStore(12_288), { geometry, erasedReads });
    FlashLedger.format(flash);
    const ledger = open(flash);
    const held = { grant: key('held'), budget: key('held'), amount: 7n };
    const reserved = reserves ? [receipt(ledger.reserve(spend(held)))] : [];
    let count = 0;
    for (; ; count++) {
      const keepUntilMs = NOW + (lives(count) ? DAY : 5000);
      const result = ledger.authorize(spend({ ...paid(count), keepUntilMs, grantUntilMs: NOW + DAY }));
      idle(ledger);
      if ('code' in result) return { flash, count, reserved };
    }
  }

  it.each([
    ['ones', true],
    ['scrambled', false],
  ] as const)(
    'loses nothing that lives and counts nothing twice, at every operation, where erased cells read %s (a reservation: %s)',
    (erasedReads, reserves) => {
      const { flash, count, reserved } = full(erasedReads, reserves);
      const begin = flash.snapshot();
      /** A start, a bundle that moves the floor, and idle time. How many operations and erases that took. */
      const swept = () => {
        const erases = flash.statistics().erases;
        const ledger = idle(open(flash));
        expect(ledger.admitted('a', newest(FLOOR, NOW + DAY))).toBeUndefined();
        idle(ledger);
        return { operations: flash.operations - begin.operations, erases: flash.statistics().erases - erases };
      };
      const { operations, erases } = swept();
      expect(erases).toBeGreaterThan(5);
      let between = 0;
      for (let at = 0; at < operations; at++) {
        for (const form of ['torn', 'after'] as const) {
          const place = `${form} at operation ${at}`;
          flash.restore(begin);
          flash.cutAt(begin.operations + at, form);
          expect(swept, place).toThrow('power cut');
          flash.restart();
          let over = 0;
          for (const start of ['the first', 'another']) {
            const ledger = open(flash);
            const where = `${start} start, ${place}`;
            expect([ledger.problem?.code === 'STORE_FAILED', ledger.damage], where).toEqual([false, []]);
            expect(ledger.grantTotal(key('g')), where).toBe(BigInt(10 * count));
            expect(ledger.openReservations(), where).toMatchObject(reserved);
            if (reserves) expect([ledger.grantTotal(key('held')), ledger.budgetTotal(key('held'))]).toEqual([7n, 7n]);
            expect(ledger.lastReceipt(), where).toBe(count + reserved.length);
            over = 0;
            for (let i = 0; i < count; i++) {
              const is = [ledger.budgetTotal(key(`b${i}`)), ledger.seen(key(`r${i}`))];
              if (lives(i) || is[1]) expect(is, `payment ${i}, ${where}`).toEqual([10n, true]);
              else expect(is[0], `payment ${i}, ${where}`).toBe(0n);
              if (!lives(i) && is[1]) over++;
            }
            if (over > 0 && over < Math.floor(count / 3)) between++;
            idle(ledger);
          }
        }
      }
      // The cuts were in the middle of it.
      expect(between).toBeGreaterThan(20);
    },
  );
});
