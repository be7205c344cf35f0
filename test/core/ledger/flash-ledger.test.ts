// The ledger on flash: the contract across restarts, and what it makes of a partition that is not as it should be.

import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../core/encoding/crc32.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { decodeRecord, encodeRecord, RECORD_BYTES } from '../../../core/ledger/record.ts';
import { NOW } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { type Geometry, MemoryFlash } from '../../fixtures/memory-flash.ts';
import { key, receipt, spend } from '../../fixtures/spends.ts';
import { ledgerContract } from './contract.ts';

const open = (flash: MemoryFlash) => new FlashLedger(flash, crypto);

/** A partition with a ledger of `count` spends of 10. */
function spent(count: number, geometry?: Geometry): MemoryFlash {
  const flash = new MemoryFlash(geometry);
  const ledger = open(flash);
  for (let i = 0; i < count; i++) receipt(ledger.authorize(spend({ replay: key(`r${i}`) })));
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
  expect(ledger.authorize(spend())).toMatchObject({ code });
  expect(ledger.reserve(spend())).toMatchObject({ code });
  expect(ledger.admitted('x', { issuedAtMs: NOW, expiresAtMs: NOW })).toMatchObject({ code });
  expect(ledger.raiseTimeFloor(NOW * 2)).toMatchObject({ code });
  expect(ledger.timeFloorMs()).toBe(0);
  expect(Buffer.compare(flash.cells, before)).toBe(0);
}

describe('on flash, across restarts', () => {
  ledgerContract(() => {
    const flash = new MemoryFlash();
    return { ledger: open(flash), again: () => open(flash) };
  });

  it('a payment costs one program and no erase', () => {
    const flash = spent(0);
    const before = { ...flash.done };
    receipt(open(flash).authorize(spend()));
    expect(flash.done.program - before.program).toBe(1);
    expect(flash.done.erase).toBe(before.erase);
  });

  it('opening a ledger writes nothing', () => {
    const flash = spent(3);
    const before = { ...flash.done };
    open(flash);
    expect([flash.done.program, flash.done.erase]).toEqual([before.program, before.erase]);
  });

  it('what is refused writes nothing: an ended reservation, a floor that is lower, a bundle that is known', () => {
    const flash = new MemoryFlash();
    const ledger = open(flash);
    ledger.admitted('a', { issuedAtMs: NOW, expiresAtMs: NOW });
    const before = flash.snapshot();
    ledger.settle(1, 1n, NOW);
    ledger.release(1, NOW);
    ledger.raiseTimeFloor(NOW);
    ledger.admitted('a', { issuedAtMs: NOW, expiresAtMs: NOW });
    expect(Buffer.compare(flash.cells, before)).toBe(0);
  });
});

describe('a partition that is full', () => {
  it('refuses with STORE_FULL, keeps what it has, and says so before', () => {
    const flash = new MemoryFlash({ size: 512, blockSize: 512 });
    const ledger = open(flash);
    for (let left = 3; left > 0; left--) {
      expect(ledger.room).toBe(left);
      expect(ledger.problem).toBeUndefined();
      receipt(ledger.authorize(spend()));
    }
    expect(ledger.room).toBe(0);
    expectDead(ledger, flash, 'STORE_FULL');
    expect(ledger.grantTotal(key('g'))).toBe(30n);
  });

  it('is full after a restart too', () => {
    const flash = spent(3, { size: 512, blockSize: 512 });
    const ledger = open(flash);
    expectDead(ledger, flash, 'STORE_FULL');
    expect(ledger.grantTotal(key('g'))).toBe(30n);
  });
});

describe('a partition of another kind', () => {
  it('that is blank is formatted', () => {
    const flash = new MemoryFlash();
    expect(open(flash).problem).toBeUndefined();
    expect(decodeRecord(flash.cells.subarray(0, RECORD_BYTES))).toEqual({ kind: 'format', receiptId: 0 });
  });

  it.each<[string, Geometry]>([
    ['too small for a record', { size: 128, blockSize: 128 }],
    ['empty', { size: 0, blockSize: 128 }],
    ['with blocks that cut records', { size: 4000, blockSize: 1000 }],
    ['with program units that cut records', { size: 8192, blockSize: 4096, programSize: 256 }],
    ['with program units that do not divide a record', { size: 4608, blockSize: 1536, programSize: 48 }],
  ])('%s is refused', (_, geometry) => {
    const flash = new MemoryFlash(geometry);
    expectDead(open(flash), flash);
  });

  it('with program units of 1, 16 or 128 bytes is fine', () => {
    for (const programSize of [1, 16, 128]) {
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

  it('that holds a ledger of another format is refused and not overwritten', () => {
    for (const slot of [0, 1]) {
      const flash = spent(2);
      const record = flash.cells.subarray(slot * RECORD_BYTES, (slot + 1) * RECORD_BYTES);
      record[1] = 2;
      new DataView(record.buffer, record.byteOffset).setUint32(124, crc32(record, 0, 124), true);
      expectDead(open(flash), flash);
    }
  });

  it('that holds a record of a kind nobody knows is refused', () => {
    const flash = spent(1);
    const record = flash.cells.subarray(RECORD_BYTES, 2 * RECORD_BYTES);
    record[2] = 99;
    new DataView(record.buffer, record.byteOffset).setUint32(124, crc32(record, 0, 124), true);
    expectDead(open(flash), flash);
  });

  it('that begins with a record other than the one that opens a ledger is refused', () => {
    const flash = new MemoryFlash();
    flash.cells.set(encodeRecord({ kind: 'spend', receiptId: 0, spend: spend() }));
    expectDead(open(flash), flash);
  });

  it('with two beginnings is refused', () => {
    const flash = spent(0);
    flash.cells.set(encodeRecord({ kind: 'format', receiptId: 1 }), RECORD_BYTES);
    expectDead(open(flash), flash);
  });
});

describe('a record that is lost', () => {
  it('between others refuses every payment', () => {
    for (const damage of [0x00, 0x5a]) {
      const flash = spent(4);
      flash.cells.fill(damage, 2 * RECORD_BYTES, 3 * RECORD_BYTES);
      expectDead(open(flash), flash);
    }
  });

  it('at the end refuses every payment too: it was written whole, so it was answered', () => {
    for (const bit of Array.from({ length: RECORD_BYTES * 8 }, (_, i) => i)) {
      const flash = spent(2);
      const at = 2 * RECORD_BYTES + (bit >> 3);
      flash.cells[at] = (flash.cells[at] as number) ^ (1 << (bit & 7));
      // The one flip that makes the last byte look unwritten cannot be told from a write that lacked one byte.
      if (flash.cells[3 * RECORD_BYTES - 1] !== 0xff) expect(open(flash).problem, `bit ${bit}`).toBeDefined();
    }
  });

  it('by one bit refuses every payment', () => {
    const flash = spent(4);
    flash.cells[2 * RECORD_BYTES + 100] = (flash.cells[2 * RECORD_BYTES + 100] as number) ^ 1;
    expectDead(open(flash), flash);
  });

  it('and erased refuses every payment', () => {
    const flash = spent(4);
    flash.cells.fill(0xff, 2 * RECORD_BYTES, 3 * RECORD_BYTES);
    expectDead(open(flash), flash);
  });

  it('with its whole block refuses every payment', () => {
    const flash = spent(40);
    flash.cells.fill(0xff, 0, flash.blockSize);
    expectDead(open(flash), flash);
  });

  it('in favour of another copy refuses every payment: records are not replayed', () => {
    const flash = spent(4);
    flash.cells.copyWithin(2 * RECORD_BYTES, RECORD_BYTES, 2 * RECORD_BYTES);
    expectDead(open(flash), flash);
  });

  it('that a settlement needs refuses every payment', () => {
    const flash = spent(1);
    flash.cells.set(encodeRecord({ kind: 'settle', receiptId: 2, of: 1, amount: 1n, timeMs: NOW }), 2 * RECORD_BYTES);
    expectDead(open(flash), flash);
  });

  it('is no settlement above its reservation', () => {
    const flash = new MemoryFlash();
    const { receiptId } = receipt(open(flash).reserve(spend()));
    flash.cells.set(
      encodeRecord({ kind: 'settle', receiptId: 2, of: receiptId, amount: 11n, timeMs: NOW }),
      2 * RECORD_BYTES,
    );
    expectDead(open(flash), flash);
  });
});

describe('power lost while a record is written', () => {
  it('leaves every spend that was answered, and a ledger that goes on', () => {
    for (let keep = 0; keep < RECORD_BYTES; keep++) {
      const flash = spent(2);
      const ledger = open(flash);
      flash.fail('program', 0, keep);
      expect(ledger.authorize(spend({ replay: key('torn') })), `${keep} bytes`).toMatchObject({ code: 'STORE_FAILED' });
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
    const ledger = open(flash);
    flash.fail('program', 0, RECORD_BYTES);
    expect(ledger.authorize(spend({ replay: key('torn') }))).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    const later = open(flash);
    expect(later.grantTotal(key('g'))).toBe(30n);
    expect(later.seen(key('torn'))).toBe(true);
  });

  it('several times in a row leaves a ledger that goes on', () => {
    const flash = spent(2);
    for (let i = 0; i < 5; i++) {
      flash.fail('program', 0, 40);
      expect(open(flash).authorize(spend())).toMatchObject({ code: 'STORE_FAILED' });
      flash.recover();
    }
    receipt(open(flash).authorize(spend()));
    expect(open(flash).grantTotal(key('g'))).toBe(30n);
  });

  it('while the first record is written leaves a partition that is formatted at the next start', () => {
    for (let keep = 0; keep <= RECORD_BYTES; keep++) {
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

describe('a flash that fails', () => {
  it('while writing approves nothing, now or later in the run', () => {
    const flash = spent(1);
    const ledger = open(flash);
    flash.fail('program');
    expect(ledger.authorize(spend())).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    expectDead(ledger, flash);
    expect(ledger.grantTotal(key('g'))).toBe(10n);
  });

  it('while reading back approves nothing', () => {
    const flash = spent(1);
    const ledger = open(flash);
    flash.fail('read');
    expect(ledger.authorize(spend())).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    expectDead(ledger, flash);
    expect(ledger.grantTotal(key('g'))).toBe(10n);
  });

  it('with a cell that does not take what is written approves nothing', () => {
    const flash = spent(1);
    const ledger = open(flash);
    flash.cells[2 * RECORD_BYTES + 50] = 0;
    expect(
      ledger.authorize(spend({ grant: '\xff'.repeat(16), budget: '\xff'.repeat(16), replay: '\xff'.repeat(16) })),
    ).toMatchObject({
      code: 'STORE_FAILED',
    });
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

  it('while it is erased for a new ledger refuses every payment', () => {
    const flash = new MemoryFlash();
    flash.cells[0] = 0x4d;
    flash.fail('erase');
    const ledger = open(flash);
    flash.recover();
    expectDead(ledger, flash);
  });

  it('does not end reservations', () => {
    const flash = new MemoryFlash();
    const ledger = open(flash);
    const { receiptId } = receipt(ledger.reserve(spend()));
    flash.fail('program');
    expect(ledger.release(receiptId, NOW)).toMatchObject({ code: 'STORE_FAILED' });
    expect(ledger.grantTotal(key('g'))).toBe(10n);
    expect(ledger.openReservations()).toHaveLength(1);
  });
});
