// What is accepted is in the ledger and in the journal, or in neither, whatever fails between the two.

import { describe, expect, it } from 'vitest';
import { Journal, type JournalReceipt } from '../../../core/ledger/journal.ts';
import { ledgerKey } from '../../../core/ledger/keys.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { grant, INTENT, NOW, present, sba, spaFor } from '../../fixtures/artifacts.ts';
import { crypto, Device } from '../../fixtures/device.ts';
import { PA, WALLET } from '../../fixtures/keys.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';

const REUSE = { configuration: { budgetUse: 'reuse' } } as const;

/** What waits to be sent. */
function unsent(device: Device): JournalReceipt[] {
  const found: JournalReceipt[] = [];
  expect(device.journal.unsent(0, 1e6, (receipt) => found.push(receipt))).toBe(found.length);
  return found;
}

function ids(device: Device): number[] {
  return unsent(device).map((receipt) => receipt.receiptId);
}

describe('an accepted payment', () => {
  it('is in the journal with the artifacts as they were presented, under the receipt id of the ledger', () => {
    const device = new Device({ configuration: { profile: 'full' } });
    const artifacts = { grant: grant(), sba: sba(), spa: spaFor(INTENT), settlementIntent: INTENT };
    const bytes = new TextEncoder().encode(JSON.stringify({ ...artifacts, idempotencyKey: 'k-1' }));
    const { receiptId, timeMs } = device.approves(() => device.authorize(bytes));
    expect(unsent(device)).toMatchObject([
      {
        receiptId,
        entry: { kind: 'payment', mode: 'authorize', amount: 1000n, timeMs, ...artifacts, idempotencyKey: 'k-1' },
      },
    ]);
  });

  it('takes one program in the ledger and its own in the journal, and no erase', () => {
    const device = new Device(REUSE);
    while (device.verifier.step());
    const before = [device.flash, device.journalFlash].map(({ done }) => ({ ...done }));
    device.approves(() => device.authorize(present()));
    const [ledger, journal] = [device.flash, device.journalFlash].map(({ done }, i) => ({
      program: done.program - (before[i]?.program ?? 0),
      erase: done.erase - (before[i]?.erase ?? 0),
    }));
    expect(ledger).toEqual({ program: 1, erase: 0 });
    // The grant, which comes first, and the payment.
    expect(journal?.erase).toBe(0);
    expect(journal?.program).toBeGreaterThanOrEqual(2);
  });

  it('that is answered again is there once', () => {
    const device = new Device(REUSE);
    const bytes = new TextEncoder().encode(JSON.stringify({ grant: grant(), sba: sba(), idempotencyKey: 'k-1' }));
    device.approves(() => device.authorize(bytes));
    const before = device.state();
    expect(device.approves(() => device.authorize(bytes)).repeated).toBe(true);
    expect(device.state()).toEqual(before);
    expect(ids(device)).toHaveLength(1);
  });

  it('that is only checked leaves nothing', () => {
    const device = new Device();
    const before = device.state();
    device.approves(() => device.verifier.check(present(), { amountMinor: '1000', sessionId: 'session-1' }));
    expect(device.state()).toEqual(before);
  });
});

describe('a reservation', () => {
  it('is an entry, and its end another', () => {
    const device = new Device(REUSE);
    const first = device.approves(() => device.reserve(present(), { amountMinor: '3000' })).receiptId;
    const settled = device.approves(() => device.verifier.settle(first, '1200'));
    const second = device.approves(() => device.reserve(present())).receiptId;
    const released = device.approves(() => device.verifier.release(second));
    expect(unsent(device).map(({ receiptId, entry }) => ({ receiptId, entry }))).toMatchObject([
      { receiptId: first, entry: { kind: 'payment', mode: 'reserve', amount: 3000n } },
      { receiptId: settled.receiptId, entry: { kind: 'end', how: 'settle', reservation: first, amount: 1200n } },
      { receiptId: second, entry: { mode: 'reserve' } },
      { receiptId: released.receiptId, entry: { kind: 'end', how: 'release', reservation: second, amount: 0n } },
    ]);
  });

  it('whose end is refused leaves no entry', () => {
    const device = new Device();
    const { receiptId } = device.approves(() => device.reserve(present()));
    device.refuses('AMOUNT_EXCEEDED', () => device.verifier.settle(receiptId, '1001'));
    device.refuses('RESERVATION_NOT_FOUND', () => device.verifier.release(receiptId + 1));
    expect(ids(device)).toEqual([receiptId]);
  });
});

describe('the power fails', () => {
  it('behind the entry and before the record: the entry is nothing, and its number is given again', () => {
    const device = new Device(REUSE);
    device.approves(() => device.authorize(present()));
    device.flash.fail('program');
    const refusal = device.authorize(present(), { amountMinor: '666' });
    expect(refusal).toMatchObject({ ok: false, code: 'STORE_FAILED' });
    device.flash.recover();
    device.restart();
    expect(ids(device)).toEqual([1]);
    device.approves(() => device.authorize(present(), { amountMinor: '7' }));
    expect(unsent(device).map(({ entry }) => entry?.amount)).toEqual([1000n, 7n]);
    expect(device.journal.export(() => {})).toEqual([]);
  });

  it('a flash that fails between the two: the refused payment is not handed in, and cannot be acknowledged', () => {
    const device = new Device(REUSE);
    device.approves(() => device.authorize(present()));
    device.flash.fail('program');
    expect(device.authorize(present(), { amountMinor: '666' })).toMatchObject({ ok: false, code: 'STORE_FAILED' });
    expect(ids(device)).toEqual([1]);
    expect(device.journal.acknowledge(2)).toMatchObject({ code: 'ARTIFACT_INVALID' });
    expect(device.journal.acknowledge(1)).toBeUndefined();
    device.flash.recover();
    device.restart();
    expect(ids(device)).toEqual([]);
    device.approves(() => device.authorize(present(), { amountMinor: '7' }));
    expect(unsent(device)).toMatchObject([{ receiptId: 2, entry: { amount: 7n } }]);
  });

  it('behind the record: both have it', () => {
    const device = new Device(REUSE);
    device.approves(() => device.authorize(present()));
    device.restart();
    expect(ids(device)).toEqual([1]);
    expect(device.ledger.lastReceipt()).toBe(1);
  });

  it('in the entry: neither has it', () => {
    const device = new Device(REUSE);
    device.journalFlash.fail('program', 1, 16);
    expect(device.authorize(present())).toMatchObject({ ok: false, code: 'STORE_FAILED' });
    device.journalFlash.recover();
    device.restart();
    expect(ids(device)).toEqual([]);
    expect(device.ledger.lastReceipt()).toBe(0);
  });
});

describe('no approval without both:', () => {
  it('a journal that is full refuses the payment, and the ledger has nothing of it', () => {
    const device = new Device({ ...REUSE, journalFlash: new MemoryFlash({ size: 16_384, blockSize: 1024 }) });
    while (device.authorize(present(), { amountMinor: '1' }).ok);
    device.refuses('STORE_FULL', () => device.authorize(present(), { amountMinor: '1' }));
    const last = device.ledger.lastReceipt() as number;
    expect(ids(device)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
    expect(device.journal.acknowledge(last)).toBeUndefined();
    device.approves(() => device.authorize(present(), { amountMinor: '1' }));
  });

  it('a journal that is full refuses it when it is only checked, too, and as long as the payment would be refused', () => {
    const device = new Device({ ...REUSE, journalFlash: new MemoryFlash({ size: 16_384, blockSize: 1024 }) });
    const request = { amountMinor: '1', sessionId: 'session-1' };
    const verdicts: string[] = [];
    for (let i = 0; i < 60; i++) {
      const budget = present({ sba: sba({ budgetId: `b-${i}` }) });
      const checked = device.verifier.check(budget, request);
      const paid = device.authorize(budget, request);
      expect([i, checked.ok ? 'ok' : checked.code]).toEqual([i, paid.ok ? 'ok' : paid.code]);
      verdicts.push(paid.ok ? 'ok' : paid.code);
      if (verdicts.filter((verdict) => verdict !== 'ok').length === 3)
        expect(device.journal.acknowledge(device.ledger.lastReceipt() as number)).toBeUndefined();
    }
    expect(new Set(verdicts)).toEqual(new Set(['ok', 'STORE_FULL']));
    expect(verdicts.at(-1)).toBe('ok');
  });

  it('a ledger that is full refuses it, and the journal has nothing of it', () => {
    const device = new Device({ flash: new MemoryFlash({ size: 6 * 1024, blockSize: 1024 }) });
    let paid = 0;
    for (; paid < 1000; paid++) {
      if (!device.authorize(present({ sba: sba({ budgetId: `b-${paid}` }) }), { amountMinor: '1' }).ok) break;
    }
    expect(paid).toBeGreaterThan(5);
    device.refuses('STORE_FULL', () => device.authorize(present({ sba: sba({ budgetId: 'one more' }) })));
    expect(ids(device)).toHaveLength(paid);
  });

  it.each(['read', 'program', 'erase'] as const)('a journal whose flash fails at every %s refuses', (operation) => {
    const journalFlash = new MemoryFlash();
    journalFlash.fail(operation);
    const device = new Device({ journalFlash });
    device.refuses('STORE_FAILED', () => device.authorize(present()));
    device.refuses('STORE_FAILED', () =>
      device.verifier.check(present(), { amountMinor: '1000', sessionId: 'session-1' }),
    );
  });

  it("a journal that holds somebody else's data refuses", () => {
    const journalFlash = new MemoryFlash();
    journalFlash.cells.set(new TextEncoder().encode('somebody else'), 5000);
    const device = new Device({ journalFlash });
    device.refuses('STORE_FAILED', () => device.authorize(present()));
  });

  it("a journal on the ledger's partition, and the other way round, refuses", () => {
    const one = new Device();
    const other = new Device({ flash: one.journalFlash, journalFlash: one.flash, bundles: [] });
    expect(other.ledger.problem).toMatchObject({ code: 'STORE_FAILED' });
    expect(other.journal.problem).toMatchObject({ code: 'STORE_FAILED' });
  });
});

describe('a journal that was erased beside a ledger that was not', () => {
  it('is told: which receipts were there nobody else knows', () => {
    const device = new Device(REUSE);
    for (let i = 0; i < 3; i++) device.approves(() => device.authorize(present(), { amountMinor: '1' }));
    const events: LogEvent[] = [];
    const journal = new Journal(new MemoryFlash(), crypto, { log: { emit: (event) => events.push(event) } });
    expect(journal.reconcile(device.ledger.lastReceipt() as number)).toBeUndefined();
    expect(events).toContainEqual({ event: 'journal.missing', after: 0, upTo: 3 });
  });
});

describe('a reservation that is open at a start', () => {
  const left = (reservationsLeft?: 'hold' | 'settle') => {
    const device = new Device({ configuration: { budgetUse: 'reuse', ...(reservationsLeft && { reservationsLeft }) } });
    const { receiptId } = device.approves(() => device.reserve(present(), { amountMinor: '3000' }));
    device.restart();
    return { device, receiptId, taken: device.verifier.takeUpReservations() };
  };

  it.each([undefined, 'hold' as const])('is told and held (%s)', (how) => {
    const { device, receiptId, taken } = left(how);
    expect(taken).toMatchObject([{ reservation: { receiptId, amount: 3000n }, closing: undefined }]);
    expect(device.events).toContainEqual({ event: 'reservation.left', reservation: receiptId, amountMinor: '3000' });
    expect(device.verifier.openReservations()).toHaveLength(1);
    device.approves(() => device.verifier.settle(receiptId, '1'));
  });

  it('is settled in full where the site has it so', () => {
    const { device, receiptId, taken } = left('settle');
    expect(taken).toMatchObject([{ reservation: { receiptId }, closing: { ok: true, amountMinor: '3000' } }]);
    expect(device.verifier.openReservations()).toEqual([]);
    expect(unsent(device)[1]?.entry).toMatchObject({ kind: 'end', reservation: receiptId, amount: 3000n });
    device.restart();
    expect(device.verifier.takeUpReservations()).toEqual([]);
  });
});

describe('what was spent by an SBA alone', () => {
  it('still counts under its grant when the SBA has expired: how long the grant lives nobody knows', () => {
    const sbaIssuers = { [PA]: [WALLET], '*': [WALLET] };
    const device = new Device({
      configuration: { ...REUSE.configuration, sbaOnly: { maxAmountMinor: '9000' }, sbaIssuers },
    });
    device.approves(() => device.authorize(new TextEncoder().encode(JSON.stringify(sba())), { amountMinor: '2000' }));
    expect(device.ledger.raiseTimeFloor(NOW + 30 * 86_400_000)).toBeUndefined();
    // Other payments until every block has been given up.
    const spend = { replay: undefined, idempotency: undefined, content: undefined, amount: 1n, timeMs: NOW };
    const other = { grant: 'o'.repeat(16), budget: 'p'.repeat(16), keepUntilMs: NOW * 2 };
    for (let i = 0; i < 1500; i++) {
      expect(device.ledger.authorize({ ...spend, ...other })).toHaveProperty('receiptId');
      while (device.ledger.step());
    }
    expect(device.ledger.grantTotal(ledgerKey(crypto, 'grant', new Uint8Array(0), 'grant-1'))).toBe(2000n);
  });
});
