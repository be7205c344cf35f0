// The rollback counter: an image that is older than one a device has run with is refused for ever, whatever the power does.

import { describe, expect, it } from 'vitest';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { ledgerKey } from '../../../core/ledger/keys.ts';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import type { Flash } from '../../../core/ports/ports.ts';
import { admitCounter, newestCounter } from '../../../core/provisioning/counter.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { key, newest, receipt, spend } from '../../fixtures/spends.ts';

const BLOCK = 1024;
const SIZE = 8 * BLOCK;
const open = (flash: Flash) => new FlashLedger(flash, crypto);
const memory = () => new MemoryFlash({ size: SIZE, blockSize: BLOCK });

describe.each([
  ['in memory', () => new MemoryLedger(crypto)],
  ['on flash', () => open(memory())],
])('a ledger %s', (_, make) => {
  it('takes the first counter, the same again, and higher ones', () => {
    const ledger = make();
    expect(newestCounter(ledger)).toBe(0);
    for (const counter of [1, 1, 2, 7, 0xffff_ffff, 0xffff_ffff]) {
      expect(admitCounter(ledger, counter)).toBeUndefined();
      expect(newestCounter(ledger)).toBe(counter);
    }
  });

  it('refuses every lower one, and says which is the newest', () => {
    const ledger = make();
    admitCounter(ledger, 7);
    for (const counter of [1, 6]) {
      expect(admitCounter(ledger, counter)).toMatchObject({
        fault: 'rollback',
        message: `provisioning: counter ${counter} is not taken any more: 7 is the newest`,
      });
    }
    expect(newestCounter(ledger)).toBe(7);
  });
});

describe('on flash', () => {
  it('is durable before the image is used, and nothing is written for one that is known', () => {
    const flash = memory();
    expect(admitCounter(open(flash), 3)).toBeUndefined();
    const { program } = flash.done;
    const ledger = open(flash);
    expect(newestCounter(ledger)).toBe(3);
    expect(admitCounter(ledger, 3)).toBeUndefined();
    expect(admitCounter(ledger, 2)).toMatchObject({ fault: 'rollback' });
    expect(flash.done.program).toBe(program);
  });

  it('outlives everything that the ledger forgets', () => {
    const flash = memory();
    let ledger = open(flash);
    expect(admitCounter(ledger, 3)).toBeUndefined();
    for (let i = 0; i < 400; i++) {
      receipt(ledger.authorize(spend({ budget: key(`${i}`), timeMs: 1000 * i, keepUntilMs: 1000 * i + 1 })));
      ledger.raiseTimeFloor(1000 * i);
      while (ledger.step());
      if (i % 50 === 0) ledger = open(flash);
    }
    expect(admitCounter(open(flash), 2)).toMatchObject({ fault: 'rollback' });
  });

  it('has a name that no bundle has', () => {
    const ledger = open(memory());
    ledger.admitted('["provisioning","","",""]', newest(50, 60));
    expect(newestCounter(ledger)).toBe(0);
    expect(ledgerKey(crypto, 'bundle', new Uint8Array(0), 'provisioning')).toHaveLength(16);
  });

  it('moves the time floor nowhere that a clock could be', () => {
    const ledger = open(memory());
    admitCounter(ledger, 0xffff_ffff);
    expect(ledger.timeFloorMs()).toBeLessThan(Date.UTC(1970, 2));
  });

  it('is refused, and not forgotten, where the ledger cannot remember it', () => {
    const flash = memory();
    const ledger = open(flash);
    admitCounter(ledger, 1);
    flash.fail('program');
    expect(admitCounter(ledger, 2)).toMatchObject({
      fault: 'store',
      message: expect.stringMatching(/^provisioning: counter 2 cannot be remembered: ./),
    });
    flash.recover();
    const foreign = memory();
    foreign.cells.fill(0x55);
    expect(admitCounter(open(foreign), 1)).toMatchObject({ fault: 'store' });
  });

  it('is taken again where something is missing from the ledger, and no other one is: a higher one may be what is missing', () => {
    const flash = memory();
    const ledger = open(flash);
    admitCounter(ledger, 3);
    // Behind the block's header and the counter's record of five units.
    const next = 32 + 80;
    for (let i = 0; i < 3; i++) receipt(ledger.authorize(spend({ budget: key(`${i}`) })));
    flash.cells[next + 20] = (flash.cells[next + 20] as number) ^ 1;
    const damaged = open(flash);
    expect([damaged.damage.length, damaged.problem]).toEqual([1, undefined]);
    expect(admitCounter(damaged, 3)).toBeUndefined();
    expect(admitCounter(damaged, 2)).toMatchObject({ fault: 'rollback' });
    expect(admitCounter(damaged, 4)).toMatchObject({ fault: 'store' });
  });

  it('a power cut at any operation leaves the counter there was or the new one, and never a lower one', () => {
    for (const form of ['before', 'torn', 'after'] as const) {
      for (let operation = 0; ; operation++) {
        const flash = new SimulatedFlash(new MemoryStore(SIZE), { geometry: { blockSize: BLOCK, programSize: 16 } });
        expect(admitCounter(open(flash), 1)).toBeUndefined();
        flash.cutAt(flash.operations + operation, form);
        let cut = false;
        try {
          const ledger = open(flash);
          expect(admitCounter(ledger, 2)).toBeUndefined();
          receipt(ledger.authorize(spend()));
          while (ledger.step());
          expect(admitCounter(ledger, 5)).toBeUndefined();
        } catch (error) {
          expect(error).toBeInstanceOf(PowerCut);
          cut = true;
          flash.restart();
        }
        const ledger = open(flash);
        const found = newestCounter(ledger);
        expect(cut ? [1, 2, 5] : [5]).toContain(found);
        if (found > 1) expect(admitCounter(ledger, found - 1)).toMatchObject({ fault: 'rollback' });
        expect(admitCounter(ledger, found)).toBeUndefined();
        if (!cut) break;
      }
    }
  });

  it('a counter that was taken is never lost to a cut in what follows', () => {
    for (let operation = 0; ; operation++) {
      const flash = new SimulatedFlash(new MemoryStore(SIZE), { geometry: { blockSize: BLOCK, programSize: 16 } });
      const first = open(flash);
      expect(admitCounter(first, 9)).toBeUndefined();
      const start = flash.operations;
      flash.cutAt(start + operation, 'torn');
      try {
        for (let i = 0; i < 40; i++) receipt(first.authorize(spend({ budget: key(`${i}`) })));
        while (first.step());
        break;
      } catch (error) {
        expect(error).toBeInstanceOf(PowerCut);
        flash.restart();
        expect(newestCounter(open(flash))).toBe(9);
      }
    }
  });
});
