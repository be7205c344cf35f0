// Damage in the journal, each case an attack or a fault and what is expected of it: all that is provably intact stays
// readable in order, what is lost is told, payments go on, and what was not committed never comes back as a payment.

import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { UNIT } from '../../../core/encoding/flash-header.ts';
import { BlockLog } from '../../../core/ledger/block-log.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { Journal, type JournalEntry } from '../../../core/ledger/journal.ts';
import { JOURNAL_LAYOUT } from '../../../core/ledger/journal-record.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { crypto } from '../../fixtures/device.ts';
import { type Geometry, MemoryFlash } from '../../fixtures/memory-flash.ts';
import {
  append,
  end,
  exported,
  fullPayment,
  idle,
  largePayment,
  opened,
  payment,
  SMALL,
  text,
  unsent,
  unsentIds,
} from './journal-entries.ts';

const GIVE_UP = 1;
const VOID = 6;
const GRANT = 2;
const PAYMENT = 3;

interface Place {
  readonly kind: number;
  readonly number: number;
  readonly at: number;
  readonly length: number;
  readonly receiptId: number;
}

/** The records of a journal, with the bytes they take. */
function places(flash: MemoryFlash): Place[] {
  const found: Place[] = [];
  new BlockLog(flash, JOURNAL_LAYOUT).open(({ kind, number, address, units }, bytes) =>
    found.push({
      kind,
      number,
      at: address * UNIT,
      length: units * UNIT,
      receiptId: new DataView(bytes.buffer, bytes.byteOffset).getUint32(kind === VOID ? 12 : 18, true),
    }),
  );
  return found;
}

function flip(flash: MemoryFlash, at: number): void {
  flash.cells[at] = (flash.cells[at] as number) ^ 1;
}

/** Turns a bit in records. */
function damage(flash: MemoryFlash, ...of: readonly (Place | undefined)[]): void {
  for (const place of of) flip(flash, (place as Place).at + 13);
}

/** Erases a block. */
function lose(flash: MemoryFlash, block: number): void {
  flash.cells.fill(0xff, block * flash.blockSize, (block + 1) * flash.blockSize);
}

function filled(count: number, flash: MemoryFlash, of = payment as (receiptId: number) => JournalEntry): Journal {
  const journal = opened(flash);
  for (let i = 1; i <= count; i++) append(journal, of(i));
  return journal;
}

const ranges = (journal: Journal) => journal.damage.map(({ first, last }) => [first, last]);
const numbers = (from: number, to: number, without: readonly number[] = []) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((id) => !without.includes(id));

/** Receipts that are handed out as payments, with their amounts. */
const paid = (journal: Journal) =>
  unsent(journal)
    .filter(({ entry }) => entry !== undefined)
    .map(({ receiptId, entry }) => [receiptId, entry?.amount]);

/** Expects that a payment is taken, and that it is there after a restart. */
function expectGoesOn(flash: MemoryFlash, journal: Journal, receiptId: number): void {
  append(idle(journal), payment(receiptId));
  expect(unsentIds(opened(flash, receiptId)).at(-1)).toBe(receiptId);
}

describe('a record that is damaged', () => {
  it('in the middle: the others are there in order, the lost receipt is named, payments go on', () => {
    for (let lost = 1; lost < 20; lost++) {
      const flash = new MemoryFlash(SMALL);
      filled(20, flash);
      damage(
        flash,
        places(flash).find(({ kind, receiptId }) => kind === PAYMENT && receiptId === lost),
      );
      const events: LogEvent[] = [];
      const journal = opened(flash, 20, { log: { emit: (event) => events.push(event) } });
      expect(journal.problem).toBeUndefined();
      expect(unsentIds(journal)).toEqual(numbers(1, 20, [lost]));
      expect(ranges(journal)).toEqual([[lost, lost]]);
      expect(events).toContainEqual({
        event: 'journal.damage',
        first: lost,
        last: lost,
        detail: `receipt ${lost} is missing`,
      });
      const { wrong } = exported(journal);
      expect(wrong).toEqual(lost === 1 ? [] : [`receipts between ${lost - 1} and ${lost + 1} are missing`]);
      expectGoesOn(flash, journal, 21);
    }
  });

  it('as the newest: the ledger says that it was there, its receipt id is not given again, the gap shows', () => {
    const flash = new MemoryFlash(SMALL);
    filled(5, flash);
    damage(flash, places(flash).at(-1));
    const journal = opened(flash, 5);
    expect(unsentIds(journal)).toEqual([1, 2, 3, 4]);
    expect(ranges(journal)).toEqual([
      [4, 4],
      [5, 5],
    ]);
    expect(journal.append(payment(5))).toHaveProperty('number');
    const other = new MemoryFlash(SMALL);
    filled(5, other);
    damage(other, places(other).at(-1));
    expectGoesOn(other, opened(other, 5), 6);
    expect(exported(opened(other, 6)).wrong).toEqual([
      expect.stringContaining('receipt 4: what says whether it was accepted is lost'),
      'the chain begins anew at receipt 6: what was before it was damaged when it was written',
    ]);
  });

  it('of an entry in parts: all of that entry is lost, and no more', () => {
    for (const part of [0, 1, 2]) {
      const flash = new MemoryFlash({ size: 32_768, blockSize: 1024 });
      const journal = opened(flash);
      append(journal, payment(1), largePayment(2, 3), payment(3), payment(4));
      const parts = places(flash).filter(({ kind, number }) => kind === PAYMENT && number > 2);
      damage(flash, parts[part]);
      const later = opened(flash, 4);
      expect(unsentIds(later)).toEqual([1, 3, 4]);
      expect(ranges(later)).toEqual([[2, 2]]);
    }
  });

  it('of a grant: its payments say so, with amount and time; a copy of it elsewhere will do', () => {
    const flash = new MemoryFlash(SMALL);
    filled(14, flash);
    const grants = places(flash).filter(({ kind }) => kind === GRANT);
    expect(grants.length).toBeGreaterThan(1);
    const whole = unsent(opened(flash, 14)).map(({ entry }) => text(entry));
    damage(flash, grants[0]);
    expect(unsent(opened(flash, 14)).map(({ entry }) => text(entry))).toEqual(whole);
    damage(flash, ...grants.slice(1));
    const journal = opened(flash, 14);
    expect(unsent(journal).map(({ problem }) => problem)).toEqual(
      numbers(1, 14).map((id) => expect.stringMatching(`its grant is lost: a payment of 1000 at .*0${id}Z`)),
    );
    expect(ranges(journal)).toEqual(numbers(1, 14).map((id) => [id, id]));
    expectGoesOn(flash, journal, 15);
  });

  it('that acknowledges: what was acknowledged is handed out again, nothing else', () => {
    const flash = new MemoryFlash();
    expect(filled(5, flash).acknowledge(3)).toBeUndefined();
    damage(flash, places(flash).at(-1));
    expect(unsentIds(opened(flash, 5))).toEqual([1, 2, 3, 4, 5]);
  });

  it('of an acknowledged receipt is no loss', () => {
    const flash = new MemoryFlash();
    filled(5, flash);
    // In a block of its own: what stands behind damage could be a payer's text, and is not believed.
    expect(opened(flash, 5).acknowledge(3)).toBeUndefined();
    damage(flash, places(flash)[2]);
    const journal = opened(flash, 5);
    expect(journal.damage).toEqual([
      { first: 0, last: 0, detail: 'records before number 4 are lost; all receipts concerned are acknowledged' },
    ]);
    expect(unsentIds(journal)).toEqual([4, 5]);
  });

  it('an acknowledgement behind it, in its block, is not believed: it may be a text that a payer has put there', () => {
    const flash = new MemoryFlash();
    expect(filled(5, flash).acknowledge(3)).toBeUndefined();
    damage(flash, places(flash)[3]);
    const journal = opened(flash, 5);
    expect(journal.acknowledgedUpTo).toBe(0);
    expect(unsentIds(journal)).toContain(1);
  });

  it('more often than can be listed: the list ends with a range over the rest', () => {
    const flash = new MemoryFlash({ size: 65_536, blockSize: 1024 });
    filled(80, flash);
    for (const place of places(flash)) if (place.kind === PAYMENT && place.receiptId % 2 === 0) damage(flash, place);
    const journal = opened(flash, 80);
    expect(journal.damage).toHaveLength(16);
    expect(journal.damage.at(-1)).toMatchObject({ first: 32, last: 80, detail: expect.stringContaining('more than') });
    expect(unsentIds(journal)).toEqual(numbers(1, 80).filter((id) => id % 2 === 1));
  });
});

describe('a block that is damaged', () => {
  /** Seven blocks of payments. */
  function blocks(): { flash: MemoryFlash; journal: Journal; of: number[][] } {
    const flash = new MemoryFlash(SMALL);
    const journal = filled(22, flash);
    const of: number[][] = Array.from({ length: 16 }, () => []);
    for (const { kind, at, receiptId } of places(flash))
      if (kind === PAYMENT) of[Math.floor(at / flash.blockSize)]?.push(receiptId);
    return { flash, journal, of };
  }

  it('in its header only: its records are known by their CRCs, nothing is lost', () => {
    const used = blocks().of.flatMap((ids, block) => (ids.length > 0 ? [block] : []));
    expect(used.length).toBeGreaterThan(4);
    for (const block of used) {
      const { flash } = blocks();
      flip(flash, block * flash.blockSize + 9);
      const journal = opened(flash, 22);
      expect(unsentIds(journal), `block ${block}`).toEqual(numbers(1, 22));
      expect(journal.damage).toEqual([
        { first: 0, last: 0, detail: expect.stringContaining('has lost its header; all receipts') },
      ]);
      expect(exported(journal).wrong).toEqual([]);
      expectGoesOn(flash, journal, 23);
    }
  });

  it('and lost whole: all before it and behind it is there, and what it held is named', () => {
    const { of } = blocks();
    const used = of.flatMap((ids, block) => (ids.length > 0 ? [block] : []));
    for (const block of used.slice(0, -1)) {
      const { flash } = blocks();
      lose(flash, block);
      const ids = of[block] as number[];
      const journal = opened(flash, 22);
      expect(journal.problem).toBeUndefined();
      expect(unsentIds(journal), `block ${block}`).toEqual(numbers(1, 22, ids));
      expect(journal.damage[0]).toMatchObject({ first: ids[0], last: ids.at(-1) });
      expectGoesOn(flash, journal, 23);
      // It is told at every start, until it is acknowledged.
      expect(opened(flash, 23).damage[0]).toMatchObject({ first: ids[0], last: ids.at(-1) });
    }
  });

  it('and is the newest: what the ledger has beyond the journal is named, its receipt ids are not given again', () => {
    const { flash, of } = blocks();
    const ids = of.find((list) => list.includes(22)) as number[];
    lose(flash, of.indexOf(ids));
    const journal = opened(flash, 22);
    const last = (ids[0] as number) - 1;
    expect(unsentIds(journal)).toEqual(numbers(1, last));
    expect(ranges(journal)).toEqual([
      [last, last],
      [ids[0], 22],
    ]);
    expectGoesOn(flash, journal, 23);
  });

  it('and all that had entries: what the ledger has is named', () => {
    const flash = new MemoryFlash(SMALL);
    opened(flash);
    append(opened(flash), payment(1), payment(2));
    lose(flash, 1);
    const journal = opened(flash, 2);
    expect(ranges(journal)).toEqual([[1, 2]]);
    expectGoesOn(flash, journal, 3);
    expect(ranges(opened(flash, 3))).toEqual([[1, 2]]);
    // A new journal beside an older ledger lacks nothing.
    expect(opened(new MemoryFlash(SMALL), 2).damage).toEqual([]);
  });

  it('of which nothing is left but headers of others: refused until it is formatted, not taken for a new journal', () => {
    const flash = new MemoryFlash(SMALL);
    filled(3, flash);
    flip(flash, 0);
    flash.cells.fill(0, 32, 1024);
    expect(new Journal(flash, crypto).problem).toMatchObject({
      code: 'STORE_FAILED',
      detail: expect.stringContaining('no log'),
    });
  });

  it('and the oldest: it stays until everything that may have been in it is acknowledged, and goes then', () => {
    const flash = new MemoryFlash(SMALL);
    filled(22, flash, (id) => payment(id, { grant: undefined }));
    const first = places(flash).flatMap(({ at, receiptId }) => (at < 1024 ? [receiptId] : []));
    // All its records but the header.
    flash.cells.fill(0, 32, 1024);
    const upTo = first.at(-1) as number;
    const journal = idle(opened(flash, 22));
    expect(ranges(journal)).toContainEqual([1, upTo]);
    const isGivenUp = () => places(flash).some(({ kind }) => kind === GIVE_UP);
    expect(journal.acknowledge(upTo - 1)).toBeUndefined();
    let count = 22;
    while (!('code' in journal.append(payment(count + 1, { grant: undefined })))) count++;
    expect(isGivenUp()).toBe(false);
    expect(journal.acknowledge(upTo)).toBeUndefined();
    append(journal, payment(++count, { grant: undefined }));
    expect(isGivenUp()).toBe(true);
    expect(journal.acknowledge(count)).toBeUndefined();
    for (let i = 0; i < 60; i++) {
      append(idle(journal), payment(++count));
      journal.acknowledge(count);
    }
  });

  it('with all others behind its first entry, in a full journal: there is room when that one is acknowledged', () => {
    const flash = new MemoryFlash(SMALL);
    const journal = opened(flash);
    let count = 0;
    while (!('code' in journal.append(payment(count + 1, { grant: undefined })))) count++;
    const [, ...others] = places(flash);
    damage(flash, ...others.slice(0, -1));
    flash.cells[(others.at(-1) as Place).at] = 99;
    const last = others.at(-1) as Place;
    // A record that nothing is known of, with a good CRC: the blocks are in the log.
    const bytes = Buffer.from(flash.cells.subarray(last.at, last.at + last.length));
    const header = flash.cells.subarray(Math.floor(last.at / 1024) * 1024);
    const seed = [header.subarray(4, 8), header.subarray(24, 28)];
    bytes.writeUInt32LE(crc32(Buffer.concat([...seed, bytes.subarray(0, 8), bytes.subarray(12)])), 8);
    flash.cells.set(bytes, last.at);
    const later = opened(flash, count);
    expect([later.newestReceipt, later.problem?.code]).toEqual([1, 'STORE_FULL']);
    expect(later.append(payment(count + 1))).toMatchObject({ code: 'STORE_FULL' });
    expect(later.acknowledge(1)).toBeUndefined();
    append(later, payment(count + 1));
  });

  it('in its last record: it stays until that receipt is acknowledged, whatever came after it', () => {
    for (const isNewest of [false, true]) {
      const flash = new MemoryFlash(SMALL);
      const journal = opened(flash);
      const of = (id: number) => payment(id, { grant: undefined });
      let last = 0;
      while (flash.done.erase < 2) append(journal, of(++last));
      // The last one is in the second block.
      last--;
      const other = new MemoryFlash(SMALL);
      let later = opened(other);
      for (let id = 1; id <= last; id++) append(later, of(id));
      if (isNewest) {
        later.acknowledge(1);
        damage(other, places(other).at(-2));
      } else {
        append(later, of(last + 1));
        damage(other, places(other).at(-2));
      }
      let count = isNewest ? last : last + 1;
      later = opened(other, count);
      expect(ranges(later)).toContainEqual([last, last]);
      append(later, of(++count));
      expect(later.acknowledge(last - 1)).toBeUndefined();
      while (!('code' in later.append(of(count + 1)))) count++;
      const isGivenUp = () => places(other).some(({ kind }) => kind === GIVE_UP);
      expect(isGivenUp()).toBe(false);
      expect(later.acknowledge(last + 1)).toBeUndefined();
      append(later, of(++count));
      expect(isGivenUp()).toBe(true);
    }
  });
});

describe('what was not committed never comes back as a payment:', () => {
  const orphan = payment(2, { amount: 666n });

  /** An orphan, the record that makes it void after a restart, and the receipts after that. */
  function voided(upTo: number, flash = new MemoryFlash(SMALL)): MemoryFlash {
    append(opened(flash), payment(1), orphan);
    let journal = opened(flash, 1);
    for (let i = 2; i <= upTo; i++) append(journal, payment(i));
    journal = opened(flash, upTo);
    return flash;
  }

  /** The record that makes it void, and the payments after it. */
  const behind = (flash: MemoryFlash) => {
    const all = places(flash);
    return all.slice(all.findIndex(({ kind }) => kind === VOID)).filter(({ kind }) => kind !== GRANT);
  };

  it('the record that makes it void is lost: the later one with the receipt id is the payment', () => {
    for (const upTo of [2, 3, 8]) {
      const flash = voided(upTo);
      damage(
        flash,
        places(flash).find(({ kind }) => kind === VOID),
      );
      const journal = opened(flash, upTo);
      expect(paid(journal)).toEqual(numbers(1, upTo).map((id) => [id, 1000n]));
      expect(exported(journal).receipts.map(({ receiptId }) => receiptId)).toEqual(numbers(1, upTo));
      expectGoesOn(flash, journal, upTo + 1);
    }
  });

  it('the record that makes it void is lost, and nothing came after: it is made void again', () => {
    const flash = new MemoryFlash(SMALL);
    append(opened(flash), payment(1), orphan);
    opened(flash, 1);
    damage(
      flash,
      places(flash).find(({ kind }) => kind === VOID),
    );
    expect(unsentIds(opened(flash, 1))).toEqual([1]);
    append(opened(flash, 1), payment(2));
    expect(paid(opened(flash, 2))).toEqual([
      [1, 1000n],
      [2, 1000n],
    ]);
  });

  it('the record that makes it void is lost while the device runs', () => {
    const flash = new MemoryFlash(SMALL);
    append(opened(flash), payment(1), orphan);
    const journal = opened(flash, 1);
    damage(
      flash,
      places(flash).find(({ kind }) => kind === VOID),
    );
    expect(unsentIds(journal)).toEqual([1]);
    expect(exported(journal).receipts).toHaveLength(1);
  });

  it('that record and the payment in its place are lost: the next receipt carries another hash', () => {
    const flash = voided(5);
    damage(flash, ...behind(flash).slice(0, 2));
    const journal = opened(flash, 5);
    expect(paid(journal)).toEqual([1, 3, 4, 5].map((id) => [id, 1000n]));
    expect(ranges(journal)).toEqual([[2, 2]]);
    expect(unsentIds(journal)).toEqual([1, 3, 4, 5]);
  });

  it('those and the next receipt are lost: nobody can tell, so it is no payment but handed out as doubtful', () => {
    const flash = voided(5);
    damage(flash, ...behind(flash).slice(0, 3));
    const journal = opened(flash, 5);
    expect(paid(journal)).toEqual([1, 4, 5].map((id) => [id, 1000n]));
    const doubtful = unsent(journal).find(({ receiptId }) => receiptId === 2);
    expect(doubtful).toMatchObject({ entry: undefined, doubtful: { amount: 666n } });
    expect(doubtful?.problem).toContain('a payment of 666 at 2026');
  });

  it('any block is lost: what makes it void and what has its receipt id are in two of them', () => {
    for (const upTo of [2, 3]) {
      for (let block = 0; block < 16; block++) {
        const flash = voided(upTo);
        lose(flash, block);
        const journal = new Journal(flash, crypto);
        if (journal.reconcile(upTo)) continue;
        for (const { entry } of unsent(journal)) expect(entry?.amount, `block ${block}`).not.toBe(666n);
      }
    }
  });

  it('all that followed is lost with its blocks: it is doubtful then, and stays so when the journal goes on', () => {
    const flash = voided(4);
    for (const { at } of behind(flash)) lose(flash, Math.floor(at / 1024));
    let journal = opened(flash, 4);
    expect(paid(journal)).toEqual([[1, 1000n]]);
    for (let i = 5; i < 9; i++) {
      append(idle(journal), payment(i));
      journal = opened(flash, i);
      expect(paid(journal)).toEqual([1, ...numbers(5, i)].map((id) => [id, 1000n]));
      expect(unsentIds(journal)).toEqual([1, 2, ...numbers(5, i)]);
    }
    expect(exported(journal).receipts[1]).toMatchObject({ receiptId: 2, entry: undefined, doubtful: { amount: 666n } });
  });

  it('the ledger was not asked: the newest is doubtful', () => {
    const flash = new MemoryFlash(SMALL);
    append(opened(flash), payment(1), orphan);
    const { receipts } = exported(new Journal(flash, crypto));
    expect(receipts.map(({ entry, doubtful }) => [entry?.amount, doubtful?.amount])).toEqual([
      [1000n, undefined],
      [undefined, 666n],
    ]);
  });

  it('with damage right before it', () => {
    const flash = new MemoryFlash(SMALL);
    append(opened(flash), payment(1), payment(2), payment(3, { amount: 666n }));
    damage(
      flash,
      places(flash).find(({ receiptId, kind }) => kind === PAYMENT && receiptId === 2),
    );
    const journal = opened(flash, 2);
    expect(paid(journal)).toEqual([[1, 1000n]]);
    expect(ranges(journal)).toEqual([[2, 2]]);
    append(journal, payment(3));
    expect(paid(opened(flash, 3))).toEqual([
      [1, 1000n],
      [3, 1000n],
    ]);
  });

  it('any one or two records lost, of a day with two of them: no receipt id twice, none of theirs', () => {
    const day = (flash: MemoryFlash) => {
      append(opened(flash), payment(1), orphan);
      append(opened(flash, 1), payment(2), payment(3), payment(4, { amount: 666n }));
      const journal = opened(flash, 3);
      journal.acknowledge(1);
      append(journal, payment(4), fullPayment(5), end(6, 5));
    };
    const whole = new MemoryFlash(SMALL);
    day(whole);
    const all = places(whole);
    for (let i = 0; i < all.length; i++) {
      for (let j = i; j < all.length; j++) {
        const flash = new MemoryFlash(SMALL);
        day(flash);
        damage(flash, all[i]);
        if (j !== i) damage(flash, all[j]);
        const journal = opened(flash, 6);
        const receipts = unsent(journal);
        const ids = receipts.map(({ receiptId }) => receiptId);
        expect(ids, `records ${i} and ${j}`).toEqual([...new Set(ids)].sort());
        for (const { entry } of receipts) expect(entry?.amount).not.toBe(666n);
        for (const id of numbers(2, 6, ids)) {
          const isTold = journal.damage.some(({ first, last }) => first <= id && id <= last);
          expect(isTold || journal.acknowledgedUpTo >= id, `records ${i} and ${j}, receipt ${id}`).toBe(true);
        }
        expectGoesOn(flash, journal, 7);
      }
    }
  });
});

describe('a bit that turns while the device runs', () => {
  it('in an entry: it is told when it is to be sent, and the journal goes on and frees itself', () => {
    const flash = new MemoryFlash(SMALL);
    const events: LogEvent[] = [];
    const journal = opened(flash, 0, { log: { emit: (event) => events.push(event) } });
    for (let i = 1; i <= 10; i++) append(journal, payment(i));
    for (const id of [1, 5, 10])
      damage(
        flash,
        places(flash).find(({ kind, receiptId }) => kind === PAYMENT && receiptId === id),
      );
    expect(unsentIds(journal)).toEqual([2, 3, 4, 6, 7, 8, 9]);
    expect(ranges(journal)).toEqual([
      [1, 1],
      [5, 5],
      [10, 10],
    ]);
    expect(events.filter(({ event }) => event === 'journal.damage')).toHaveLength(3);
    expect(journal.problem).toBeUndefined();
    for (let i = 11; i < 100; i++) {
      append(idle(journal), payment(i));
      expect(journal.acknowledge(i)).toBeUndefined();
    }
    expect(journal.damage).toHaveLength(3);
  });

  it('in a grant: the next payment under it writes it again', () => {
    const flash = new MemoryFlash(SMALL);
    const journal = filled(2, flash);
    damage(
      flash,
      places(flash).find(({ kind }) => kind === GRANT),
    );
    append(journal, payment(3));
    expect(unsent(journal).map(({ entry }) => text(entry))).toEqual([1, 2, 3].map((id) => text(payment(id))));
  });
});

describe('a flash that fails:', () => {
  const geometry: Geometry = { size: 16_384, blockSize: 1024 };
  const simulated = () =>
    new SimulatedFlash(new MemoryStore(16_384), { geometry: { blockSize: 1024, programSize: 16 } });
  const journalOn = (flash: SimulatedFlash, committed: number) => {
    const journal = new Journal(flash, crypto);
    journal.reconcile(committed);
    return journal;
  };
  const ids = (journal: Journal) => {
    const found: number[] = [];
    expect(journal.unsent(0, 1e9, ({ receiptId }) => found.push(receiptId))).toBe(found.length);
    return found;
  };

  it('read errors refuse reading as long as they last, and no longer', () => {
    const flash = new MemoryFlash(geometry);
    const journal = filled(3, flash);
    flash.fail('read');
    expect(journal.unsent(0, 9, () => {})).toMatchObject({ code: 'STORE_FAILED' });
    expect(journal.export(() => {})).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    expect(unsentIds(journal)).toEqual([1, 2, 3]);
    append(journal, payment(4));
  });

  it('one that cannot be read at a start refuses everything', () => {
    const flash = simulated();
    append(journalOn(flash, 0), payment(1));
    flash.faults.readsFail = true;
    const journal = journalOn(flash, 1);
    expect(journal.problem).toMatchObject({ code: 'STORE_FAILED' });
    expect(journal.append(payment(2))).toMatchObject({ code: 'STORE_FAILED' });
    flash.faults.clear();
    expect(ids(journalOn(flash, 1))).toEqual([1]);
  });

  it('one that is read-only hands out what it has, and takes nothing', () => {
    const flash = simulated();
    append(journalOn(flash, 0), payment(1), payment(2));
    flash.faults.readOnly = true;
    const journal = journalOn(flash, 2);
    expect(ids(journal)).toEqual([1, 2]);
    expect(journal.append(payment(3))).toMatchObject({ code: 'STORE_FAILED' });
    expect(ids(journal)).toEqual([1, 2]);
    flash.faults.clear();
    append(journalOn(flash, 2), payment(3));
  });

  it('one that is read-only and has an entry that was not committed refuses; in an export it is doubtful', () => {
    const flash = simulated();
    append(journalOn(flash, 0), payment(1), payment(2));
    flash.faults.readOnly = true;
    const journal = journalOn(flash, 1);
    expect(journal.problem).toMatchObject({ code: 'STORE_FAILED' });
    const { receipts } = exported(journal);
    expect(receipts.map(({ entry }) => entry?.receiptId)).toEqual([1, undefined]);
  });

  it('bad blocks are passed over', () => {
    const flash = simulated();
    append(journalOn(flash, 0), payment(1));
    for (const block of [3, 7, 11, 12]) flash.faults.markBad(block);
    let journal = journalOn(flash, 1);
    for (let i = 2; i < 80; i++) {
      append(idle(journal), payment(i));
      expect(journal.acknowledge(i - 1)).toBeUndefined();
      if (i % 9 === 0) journal = journalOn(flash, i);
    }
    expect(ids(journal)).toEqual([79]);
  });

  it('a program or an erase that fails is a refusal; after a restart everything that was answered is there', () => {
    for (let after = 0; after < 40; after++) {
      const flash = simulated();
      let journal = journalOn(flash, 0);
      flash.failAt(flash.operations + after, after % 3 === 0 ? 'torn' : after % 3 === 1 ? 'before' : 'after');
      let committed = 0;
      for (let i = 0; i < 30; i++) {
        const written = idle(journal).append(payment(committed + 1));
        if ('code' in written) {
          expect(written.code).toBe('STORE_FAILED');
          journal = journalOn(flash, committed);
          expect(ids(journal)).toEqual(numbers(Math.min(journal.acknowledgedUpTo, committed) + 1, committed));
        } else committed++;
        if (committed > 3) journal.acknowledge(committed - 3);
      }
      expect(committed).toBeGreaterThan(25);
    }
  });

  it('stuck bits: what was answered as written is there, whatever they do to the rest', () => {
    for (let seed = 1; seed < 25; seed++) {
      const flash = simulated();
      let place = seed * 7919;
      for (let i = 0; i < 12; i++) {
        place = (place * 48_271) % 0x7fff_ffff;
        flash.faults.stickBit(place % 16_384, place % 8, (place & 64) === 0 ? 0 : 1);
      }
      Journal.format(simulated());
      let journal = new Journal(flash, crypto);
      if (journal.problem) {
        expect(journal.problem.code).toBe('STORE_FAILED');
        continue;
      }
      journal.reconcile(0);
      let committed = 0;
      for (let i = 0; i < 20; i++) {
        const written = idle(journal).append(payment(committed + 1));
        if ('number' in written) committed++;
        else journal = journalOn(flash, committed);
      }
      journal = journalOn(flash, committed);
      if (journal.problem?.code !== 'STORE_FAILED') expect(ids(journal)).toEqual(numbers(1, committed));
    }
  });

  it('read disturb: no exception, no receipt twice, and the journal goes on', () => {
    for (let seed = 1; seed < 12; seed++) {
      const flash = new SimulatedFlash(new MemoryStore(16_384), {
        geometry: { blockSize: 1024, programSize: 16 },
        seed,
      });
      let journal = journalOn(flash, 0);
      let committed = 0;
      for (let i = 0; i < 60; i++) {
        if (i === 20) flash.faults.disturbAfter(400);
        if (i === 50) flash.faults.disturbAfter(undefined);
        const written = idle(journal).append(payment(committed + 1));
        if ('number' in written) committed++;
        const found: number[] = [];
        journal.unsent(0, 1e9, ({ receiptId }) => found.push(receiptId));
        expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
        journal.acknowledge(Math.min(journal.newestReceipt, Math.max(committed - 4, 0)));
        if ('code' in written) journal = journalOn(flash, committed);
      }
      journal = journalOn(flash, committed);
      append(idle(journal), payment(committed + 1));
    }
  });

  it('a partition of a wrong size, of garbage or of somebody else is refused, and left as it is', () => {
    const garbage = new MemoryFlash(geometry);
    for (let i = 0; i < garbage.size; i++) garbage.cells[i] = (i * 167 + (i >> 8)) & 0xff;
    const text = new MemoryFlash(geometry);
    text.cells.set(Buffer.from('SQLite format 3\0'.repeat(1000)));
    const ledger = new MemoryFlash(geometry);
    new FlashLedger(ledger, crypto).raiseTimeFloor(1);
    const newer = new MemoryFlash(geometry);
    new BlockLog(newer, { ...JOURNAL_LAYOUT, format: 3 }).format();
    for (const flash of [
      garbage,
      text,
      ledger,
      newer,
      new MemoryFlash({ size: 6 * 1024, blockSize: 1024 }),
      new MemoryFlash({ size: 16_384 + 512, blockSize: 1024 }),
      new MemoryFlash({ size: 16 * 1000, blockSize: 1000 }),
      new MemoryFlash({ size: 16_384, blockSize: 1024, programSize: 32 }),
    ]) {
      const before = flash.snapshot();
      const journal = new Journal(flash, crypto);
      expect(journal.problem).toMatchObject({ code: 'STORE_FAILED' });
      expect(journal.reconcile(0)).toMatchObject({ code: 'STORE_FAILED' });
      expect(journal.append(payment(1))).toMatchObject({ code: 'STORE_FAILED' });
      expect(journal.acknowledge(1)).toMatchObject({ code: 'STORE_FAILED' });
      expect(journal.step()).toBe(false);
      expect(Buffer.compare(flash.cells, before)).toBe(0);
    }
  });
});

describe('a ledger that has lost its memory', () => {
  it('refuses payments and says what to do; what the journal has can be read, the newest is doubtful', () => {
    const flash = new MemoryFlash(SMALL);
    filled(9, flash);
    for (const committed of [0, 3, 7]) {
      const before = flash.snapshot();
      const journal = new Journal(flash, crypto);
      const refusal = {
        code: 'STORE_FAILED',
        detail: `the journal has receipt 9, the ledger only ${committed}: export the journal, then format both`,
      };
      expect(journal.reconcile(committed)).toEqual(refusal);
      expect(journal.problem).toEqual(refusal);
      expect(journal.append(payment(committed + 1))).toEqual(refusal);
      expect(journal.acknowledge(4)).toEqual(refusal);
      expect(unsentIds(journal)).toEqual(numbers(1, 9));
      const { receipts } = exported(journal);
      expect(receipts.map(({ entry }) => entry?.receiptId)).toEqual([...numbers(1, 8), undefined]);
      expect(receipts.at(-1)).toMatchObject({ doubtful: { receiptId: 9 } });
      expect(Buffer.compare(flash.cells, before)).toBe(0);
    }
    Journal.format(flash);
    append(opened(flash, 0), payment(1));
  });
});

describe('ends of reservations', () => {
  it('are taken by a journal that is full of payments: as many as a block holds', () => {
    const flash = new MemoryFlash({ size: 65_536 });
    const journal = opened(flash);
    let count = 0;
    while (!('code' in journal.append(payment(count + 1, { mode: 'reserve' })))) count++;
    expect(journal.problem).toMatchObject({ code: 'STORE_FULL' });
    let ends = 0;
    while (!('code' in journal.append(end(count + ends + 1, 1)))) ends++;
    expect(ends).toBeGreaterThanOrEqual(60);
    expect(journal.append(end(count + ends + 1, 1))).toMatchObject({ code: 'STORE_FULL' });
    expect(unsentIds(opened(flash, count + ends))).toEqual(numbers(1, count + ends));
    expect(journal.acknowledge(count)).toBeUndefined();
    append(journal, end(count + ends + 1, 1));
  });

  it('after a restart too, and what was full frees itself as before', () => {
    const flash = new MemoryFlash(SMALL);
    let journal = opened(flash);
    let count = 0;
    while (!('code' in journal.append(payment(count + 1)))) count++;
    journal = opened(flash, count);
    append(journal, end(count + 1, 1));
    for (let i = 0; i < 4; i++) journal = opened(flash, count + 1);
    expect(journal.acknowledge(count + 1)).toBeUndefined();
    append(idle(journal), payment(count + 2));
    expect(unsentIds(opened(flash, count + 2))).toEqual([count + 2]);
  });
});
