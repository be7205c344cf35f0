// What the walk of power cuts (`npm run -s powercut`) has found, each as a test of its own.

import { expect, it } from 'vitest';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { receipt, spend } from '../../fixtures/spends.ts';
import { append, grantNumber, opened, payment } from './journal-entries.ts';

const open = (flash: SimulatedFlash) => new FlashLedger(flash, crypto);
const blank = () => new SimulatedFlash(new MemoryStore(8192), { geometry: { blockSize: 1024, programSize: 16 } });

it('a ledger in which nothing was recorded yet is not formatted again at a start: a cut there left no ledger at all', () => {
  const flash = blank();
  open(flash);
  const formatted = flash.operations;
  expect(open(flash).problem).toBeUndefined();
  expect(flash.operations).toBe(formatted);
  receipt(open(flash).authorize(spend()));
});

it('a partition whose first header was broken off is formatted at the next start', () => {
  for (let landed = 0; landed < 32; landed++) {
    const flash = blank();
    flash.cutAt(1, 'torn', landed);
    expect(() => open(flash)).toThrow('power cut');
    flash.restart();
    expect(open(flash).problem, `${landed} bytes`).toBeUndefined();
    receipt(open(flash).authorize(spend()));
  }
});

it('blocks of a journal with entries that were made void can be given up: so many cuts filled it for ever', () => {
  const flash = new MemoryFlash({ size: 7 * 1024, blockSize: 1024 });
  append(opened(flash), payment(1));
  expect(opened(flash, 1).acknowledge(1)).toBeUndefined();
  for (let cut = 0; cut < 20; cut++) {
    // The power goes before the ledger has recorded receipt 2.
    append(opened(flash, 1), payment(2, { grant: grantNumber(cut) }));
  }
  append(opened(flash, 1), payment(2));
});
