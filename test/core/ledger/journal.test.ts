// The journal: payments whole and in order until they are acknowledged, nothing without the ledger's word, blocks given up
// only when nothing in them is needed, and receipts that show where one is missing.

import { describe, expect, it } from 'vitest';
import { UNIT } from '../../../core/encoding/flash-header.ts';
import { canonicalText } from '../../../core/json/canonical.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import { BlockLog } from '../../../core/ledger/block-log.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { Journal } from '../../../core/ledger/journal.ts';
import { JOURNAL_LAYOUT } from '../../../core/ledger/journal-record.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { fleetPolicy, grant, intent, sba, spaFor } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import {
  append,
  end,
  exported,
  fullPayment,
  grantNumber,
  idle,
  largePayment,
  opened,
  payment,
  SMALL,
  text,
  unsent,
  unsentIds,
} from './journal-entries.ts';

/** A journal of so many payments, all of them committed. */
function filled(count: number, flash = new MemoryFlash()): Journal {
  const journal = opened(flash);
  for (let i = 1; i <= count; i++) append(journal, payment(i));
  return journal;
}

describe('what was appended comes back whole, in order, after a restart too:', () => {
  const entries = [
    payment(1),
    fullPayment(2, { grant: grant({}, {}, 'envelope') }),
    payment(3, { grant: undefined, mode: 'reserve', amount: 2n ** 128n - 1n }),
    end(4, 3),
    fullPayment(5, { fleetPolicyAuthorization: fleetPolicy(), mode: 'reserve' }),
    end(6, 5, { how: 'release', amount: 0n }),
    largePayment(7, 6),
    payment(8),
  ];

  it('payments, reservations and their ends, with all their artifacts', () => {
    const flash = new MemoryFlash();
    const journal = opened(flash);
    append(journal, ...entries);
    const expected = entries.map((entry) => text(entry));
    expect(unsent(journal).map((receipt) => text(receipt.entry))).toEqual(expected);
    expect(unsent(opened(flash, 8)).map((receipt) => text(receipt.entry))).toEqual(expected);
  });

  it('so that what was signed is there to the letter', () => {
    const flash = new MemoryFlash();
    const artifacts = {
      grant: grant({ nonstandard: [1.5, -0, 'ä'] }, {}, 'envelope'),
      sba: sba({ '\u{1f600}': 1, '\uff01': 2 }),
      spa: spaFor(intent()),
      settlementIntent: intent({ createdAt: '2026-06-01T11:59:00+00:00' }),
      fleetPolicyAuthorization: fleetPolicy(),
    };
    append(opened(flash), payment(1, artifacts));
    const [receipt] = unsent(opened(flash, 1));
    const read = receipt?.entry as unknown as Record<string, JsonValue>;
    for (const [name, artifact] of Object.entries(artifacts))
      expect(canonicalText(read[name] as JsonValue)).toBe(canonicalText(artifact));
  });

  it('without members of envelopes that no signature covers and nothing uses: a payer could fill the journal', () => {
    const flash = new MemoryFlash();
    const signed = sba() as JsonObject & { authorization: JsonObject };
    const junk = { 'x-junk': 'y'.repeat(1000) };
    append(
      opened(flash),
      payment(1, { sba: { ...signed, ...junk }, grant: { ...grant({}, {}, 'envelope'), ...junk } }),
    );
    const [receipt] = unsent(opened(flash, 1));
    expect(text(receipt?.entry)).toBe(text(payment(1, { sba: signed, grant: grant({}, {}, 'envelope') })));
  });

  it('the largest presentation there may be: 8 KB of artifacts that have no shorter form', () => {
    const flash = new MemoryFlash();
    const strings = (count: number, mark: string) =>
      Array.from({ length: count }, (_, i) => `${i}${mark} ${'\u20ac'.repeat(336)}`);
    const large = payment(1, {
      grant: { grantId: 'g', strings: strings(4, 'a'), signature: 's' },
      sba: { authorization: { strings: strings(4, 'b') }, signature: 's' },
    });
    append(opened(flash), large);
    expect(unsent(opened(flash, 1)).map((receipt) => text(receipt.entry))).toEqual([text(large)]);
  });
});

describe('a grant', () => {
  it('is kept once for all its payments, whatever the order of its members', () => {
    const flash = new MemoryFlash();
    const journal = opened(flash);
    append(journal, payment(1));
    const before = flash.done.program;
    const turned = Object.fromEntries(Object.entries(grant()).reverse()) as JsonValue;
    append(journal, payment(2), payment(3, { grant: turned }));
    expect(flash.done.program - before).toBe(2);
    expect(unsent(opened(flash, 3)).map((receipt) => text(receipt.entry))).toEqual(
      [1, 2, 3].map((i) => text(payment(i))),
    );
  });

  it('is found again after a restart', () => {
    const flash = new MemoryFlash();
    append(opened(flash), payment(1));
    const journal = opened(flash, 1);
    const before = flash.done.program;
    append(idle(journal), payment(2));
    expect(flash.done.program - before).toBe(2); // the next block's header, and the payment
  });

  it('keeps its block while a payment that refers to it is not acknowledged', () => {
    const flash = new MemoryFlash(SMALL);
    const journal = opened(flash);
    // The fourth payment is the first of the second block; the grant is in the first.
    append(journal, payment(1), payment(2), payment(3), payment(4));
    expect(journal.acknowledge(3)).toBeUndefined();
    let count = 4;
    while (!('code' in journal.append(payment(count + 1, { grant: grantNumber(count) })))) count++;
    expect(journal.acknowledge(3)).toBeUndefined();
    expect(unsent(opened(flash, count))[0]).toMatchObject({ receiptId: 4, entry: { grant: grant() } });
  });

  it('that is far back is written again, so that it holds no block for long', () => {
    const journal = opened(new MemoryFlash(SMALL));
    for (let i = 1; i < 500; i++) {
      append(idle(journal), payment(i));
      // One payment is always waiting.
      expect(journal.acknowledge(i - 1)).toBeUndefined();
    }
    expect(unsentIds(journal)).toEqual([499]);
  });
});

describe('sending', () => {
  it('goes on behind a receipt, as many as are asked for', () => {
    const journal = filled(10);
    expect(unsentIds(journal, 0, 3)).toEqual([1, 2, 3]);
    expect(unsentIds(journal, 3, 3)).toEqual([4, 5, 6]);
    expect(unsentIds(journal, 0, 2)).toEqual([1, 2]);
    expect(unsentIds(journal, 9)).toEqual([10]);
    expect(unsentIds(journal, 10)).toEqual([]);
    expect(unsentIds(journal, 2, 0)).toEqual([]);
  });

  it('leaves out what is acknowledged, after a restart too', () => {
    const flash = new MemoryFlash();
    const journal = filled(10, flash);
    expect(journal.acknowledge(4)).toBeUndefined();
    expect(unsentIds(journal)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(unsentIds(opened(flash, 10))).toEqual([5, 6, 7, 8, 9, 10]);
    expect(journal.fill).toMatchObject({ unsent: 6 });
  });

  it('goes on where it was, though the block it was in is given up', () => {
    const journal = opened(new MemoryFlash(SMALL));
    for (let i = 1; i <= 100; i++) {
      append(idle(journal), payment(i));
      if (i % 10 === 0) {
        expect(unsentIds(journal, i - 10, 9)).toEqual(Array.from({ length: 9 }, (_, n) => i - 9 + n));
        journal.acknowledge(i - 1);
      }
      if (i % 10 === 9 && i > 10) expect(unsentIds(journal)[0]).toBe(i - 9);
    }
  });

  it('writes nothing', () => {
    const flash = new MemoryFlash();
    const journal = filled(3, flash);
    const before = flash.snapshot();
    unsent(journal);
    exported(journal);
    expect(Buffer.compare(flash.cells, before)).toBe(0);
  });
});

describe('an acknowledgement', () => {
  it('that was given before, or reaches less far, writes nothing', () => {
    const flash = new MemoryFlash();
    const journal = filled(3, flash);
    journal.acknowledge(2);
    const before = flash.snapshot();
    expect([journal.acknowledge(2), journal.acknowledge(1), journal.acknowledge(0)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(Buffer.compare(flash.cells, before)).toBe(0);
    expect(unsentIds(journal)).toEqual([3]);
  });

  it.each([4, Number.NaN, Number.POSITIVE_INFINITY])(
    'of receipt %d, which there is not, is refused: what comes next would go unsent',
    (receiptId) => {
      const journal = filled(3);
      expect(journal.acknowledge(receiptId)).toMatchObject({ code: 'ARTIFACT_INVALID' });
      expect(unsentIds(journal)).toEqual([1, 2, 3]);
    },
  );

  it('outlives the block it was written to', () => {
    const flash = new MemoryFlash(SMALL);
    const journal = opened(flash);
    for (let i = 1; i <= 60; i++) {
      append(idle(journal), payment(i));
      if (i === 30 || i === 59) journal.acknowledge(i);
      if (i === 45) journal.acknowledge(40);
    }
    expect(unsentIds(opened(flash, 60))).toEqual([60]);
  });
});

describe('an entry the ledger does not know of is nothing:', () => {
  it('it is void after the start at which that shows, and its receipt id is given again', () => {
    const flash = new MemoryFlash();
    append(opened(flash), payment(1), payment(2, { amount: 5n }));
    const journal = opened(flash, 1);
    expect(unsentIds(journal)).toEqual([1]);
    append(journal, payment(2, { amount: 6n }));
    expect(unsent(journal).map((receipt) => receipt.entry?.amount)).toEqual([1000n, 6n]);
    const later = opened(flash, 2);
    expect(unsent(later).map((receipt) => receipt.entry?.amount)).toEqual([1000n, 6n]);
    expect(exported(later).wrong).toEqual([]);
  });

  it('it never comes back, whatever the ledger has later', () => {
    const flash = new MemoryFlash();
    append(opened(flash), payment(1), payment(2));
    opened(flash, 1);
    expect(unsentIds(opened(flash, 2))).toEqual([1]);
  });

  it('at the same start as well, where the ledger refused', () => {
    const journal = opened(new MemoryFlash());
    append(journal, payment(1));
    expect(journal.reconcile(0)).toBeUndefined();
    expect(unsentIds(journal)).toEqual([]);
    append(journal, payment(1, { amount: 7n }));
    expect(unsent(journal).map((receipt) => receipt.entry?.amount)).toEqual([7n]);
    expect(exported(journal).wrong).toEqual([]);
  });

  it('with acknowledgements written behind it', () => {
    const flash = new MemoryFlash();
    const journal = opened(flash);
    append(journal, payment(1), payment(2));
    journal.acknowledge(1);
    expect(unsentIds(opened(flash, 1))).toEqual([]);
    expect(unsentIds(opened(flash, 1))).toEqual([]);
  });

  it('nothing is written or handed out before the ledger was asked', () => {
    const flash = new MemoryFlash();
    filled(2, flash);
    const before = flash.snapshot();
    const journal = new Journal(flash, crypto);
    expect(journal.append(payment(3))).toMatchObject({ code: 'STORE_FAILED' });
    expect(journal.unsent(0, 9, () => {})).toMatchObject({ code: 'STORE_FAILED' });
    expect(journal.acknowledge(1)).toMatchObject({ code: 'STORE_FAILED' });
    expect(journal.step()).toBe(false);
    expect(Buffer.compare(flash.cells, before)).toBe(0);
  });
});

describe('a ledger that does not go with the journal:', () => {
  it('one that has lost its memory takes no payments with it', () => {
    const flash = new MemoryFlash();
    filled(3, flash);
    const before = flash.snapshot();
    const journal = new Journal(flash, crypto);
    expect(journal.reconcile(0)).toMatchObject({ code: 'STORE_FAILED', detail: expect.stringContaining('receipt 3') });
    expect(journal.append(payment(4))).toMatchObject({ code: 'STORE_FAILED' });
    expect(Buffer.compare(flash.cells, before)).toBe(0);
    expect(exported(journal).receipts).toHaveLength(3);
  });

  it('one that is ahead: the next receipt shows the gap', () => {
    const flash = new MemoryFlash();
    filled(3, flash);
    const events: LogEvent[] = [];
    const journal = opened(flash, 5, { log: { emit: (event) => events.push(event) } });
    expect(events).toContainEqual({ event: 'journal.missing', after: 3, upTo: 5 });
    expect(journal.damage).toEqual([
      { first: 3, last: 3, detail: expect.stringContaining('receipt 3: what says whether it was accepted is lost') },
      { first: 4, last: 5, detail: 'receipts 4 to 5 are missing' },
    ]);
    append(journal, payment(6));
    expect(exported(journal).wrong).toEqual([
      expect.stringContaining('receipt 3: what says whether it was accepted is lost'),
      'the chain begins anew at receipt 6: what was before it was damaged when it was written',
    ]);
  });

  it('one that is older than the journal: its receipts go on from where they are', () => {
    const journal = opened(new MemoryFlash(), 56);
    append(journal, payment(57));
    expect(exported(journal).wrong).toEqual([]);
    expect(journal.fill.unsent).toBe(1);
  });
});

describe('the chain of receipts:', () => {
  it('each carries the hash of the one before, the first of nothing', () => {
    const flash = new MemoryFlash();
    const journal = filled(4, flash);
    append(journal, end(5, 3));
    for (const one of [journal, opened(flash, 5)]) {
      const { receipts } = exported(one);
      expect(receipts[0]?.previous).toBe('00'.repeat(16));
      for (let i = 1; i < receipts.length; i++) expect(receipts[i]?.previous).toBe(receipts[i - 1]?.hash);
    }
  });

  it('goes on over a restart, over a void entry, and over a journal that was given up to the last block', () => {
    const flash = new MemoryFlash(SMALL);
    let journal = opened(flash);
    let before = '';
    for (let i = 1; i <= 120; i++) {
      append(idle(journal), payment(i));
      if (i % 7 === 0) {
        append(journal, payment(i + 1));
        journal = opened(flash, i);
      }
      const [receipt] = unsent(journal, i - 1);
      if (i > 1) expect(receipt?.previous, `receipt ${i}`).toBe(before);
      before = receipt?.hash ?? '';
      journal.acknowledge(i);
      if (i % 5 === 0) journal = opened(flash, i);
    }
  });

  it('shows every part of an entry that was changed', () => {
    const hashes = new Set<string>();
    const changes = [
      {},
      { amount: 1n },
      { timeMs: 1 },
      { mode: 'reserve' as const },
      { sba: sba({ budgetId: 'other' }) },
      { grant: grantNumber(2) },
    ];
    for (const change of changes) {
      const journal = opened(new MemoryFlash());
      append(journal, payment(1, change));
      hashes.add(unsent(journal)[0]?.hash ?? '');
    }
    expect(hashes.size).toBe(changes.length);
  });

  it('tells where an entry is missing or was put in the place of another', () => {
    const flash = new MemoryFlash();
    filled(3, flash);
    // Someone who writes records on purpose: a journal with another second payment, its cells in place of these.
    const other = new MemoryFlash();
    const journal = opened(other);
    append(journal, payment(1), payment(2, { amount: 999n }), payment(3));
    const log = new BlockLog(flash, JOURNAL_LAYOUT);
    const places: number[] = [];
    log.open((record) => places.push(record.address));
    const at = (places[2] as number) * UNIT;
    flash.cells.set(other.cells.subarray(at, (places[3] as number) * UNIT), at);
    const { wrong, receipts } = exported(opened(flash, 3));
    expect(wrong).toEqual(['receipt 3 carries another hash than that of 2']);
    expect(receipts.map((receipt) => receipt.gap)).toEqual([undefined, undefined, wrong[0]]);
  });

  it('tells which entry has lost its grant', () => {
    const flash = new MemoryFlash();
    const journal = filled(2, flash);
    // The grant is the first record of all.
    flash.cells[3 * UNIT] = 0;
    const { receipts, wrong } = exported(journal);
    expect(receipts.map((receipt) => receipt.problem)).toEqual([
      'its grant is lost: a payment of 1000 at 2026-06-01T12:00:00.001Z',
      'its grant is lost: a payment of 1000 at 2026-06-01T12:00:00.002Z',
    ]);
    expect(wrong).toHaveLength(2);
    expect(unsent(journal)).toHaveLength(2);
  });
});

describe('room:', () => {
  /** Appends until it is full. @returns how many there are */
  function fill(journal: Journal, from = 1): number {
    for (let i = from; ; i++) {
      const result = journal.append(payment(i, { grant: grantNumber(i % 3) }));
      if ('code' in result) {
        expect(result).toMatchObject({ code: 'STORE_FULL' });
        return i - 1;
      }
    }
  }

  it('a full journal refuses, keeps all it has, and takes more when the oldest are acknowledged', () => {
    const flash = new MemoryFlash(SMALL);
    const journal = opened(flash);
    const count = fill(journal);
    expect(journal.problem).toMatchObject({ code: 'STORE_FULL' });
    expect(unsentIds(journal)).toHaveLength(count);
    expect(journal.acknowledge(count - 4)).toBeUndefined();
    const more = fill(journal, count + 1);
    expect(more).toBeGreaterThan(count + 3);
    expect(unsentIds(opened(flash, more))).toEqual(Array.from({ length: more - count + 4 }, (_, i) => count - 3 + i));
  });

  it('what is acknowledged in part goes in part: nothing that waits is lost', () => {
    const flash = new MemoryFlash(SMALL);
    const journal = opened(flash);
    let count = 0;
    for (let round = 0; round < 10; round++) {
      while (!('code' in journal.append(payment(count + 1, { grant: undefined })))) count++;
      const [first = 0] = unsentIds(journal);
      expect(unsentIds(opened(flash, count))).toEqual(Array.from({ length: count - first + 1 }, (_, i) => first + i));
      journal.acknowledge(first + 6);
    }
  });

  it('an acknowledgement that was not written for want of room is, before a block goes by it', () => {
    const flash = new MemoryFlash(SMALL);
    const journal = opened(flash);
    const count = fill(journal);
    expect(journal.acknowledge(count)).toBeUndefined();
    append(journal, payment(count + 1));
    expect(opened(flash, count + 1).acknowledgedUpTo).toBe(count);
  });

  it('what is refused for room writes nothing', () => {
    const flash = new MemoryFlash(SMALL);
    const journal = opened(flash);
    const count = fill(journal);
    const before = flash.snapshot();
    expect(journal.append(payment(count + 1))).toMatchObject({ code: 'STORE_FULL' });
    expect(Buffer.compare(flash.cells, before)).toBe(0);
  });

  it('a full journal that is restarted over and over takes acknowledgements, and frees itself', () => {
    const flash = new MemoryFlash(SMALL);
    const count = fill(opened(flash));
    for (let i = 1; i <= count; i++) {
      const journal = idle(opened(flash, count));
      expect(journal.acknowledge(i)).toBeUndefined();
      idle(journal);
    }
    const journal = opened(flash, count);
    append(journal, payment(count + 1));
    expect(unsentIds(journal).at(-1)).toBe(count + 1);
  });

  it('a full journal with an entry that the ledger does not know, restarted over and over, frees itself', () => {
    const flash = new MemoryFlash(SMALL);
    const count = fill(opened(flash)) - 1;
    for (let i = 0; i < 5; i++) opened(flash, count);
    for (let i = 1; i <= count; i++) expect(idle(opened(flash, count)).acknowledge(i)).toBeUndefined();
    expect(fill(opened(flash, count), count + 1)).toBeGreaterThanOrEqual(count);
  });

  it('warns before it is full', () => {
    const events: LogEvent[] = [];
    const journal = opened(new MemoryFlash(SMALL), 0, { log: { emit: (event) => events.push(event) } });
    fill(journal);
    const warnings = events.filter(({ event }) => event === 'journal.filling');
    expect(warnings.map(({ used, of }) => Math.floor((100 * Number(used)) / Number(of)))).toEqual([
      expect.toSatisfy((part: number) => part >= 80 && part < 90),
      expect.toSatisfy((part: number) => part >= 90 && part < 95),
      expect.toSatisfy((part: number) => part >= 95),
    ]);
  });

  it('does not warn while what it holds is acknowledged, however often it went round', () => {
    const events: LogEvent[] = [];
    const journal = opened(new MemoryFlash(SMALL), 0, { log: { emit: (event) => events.push(event) } });
    for (let i = 1; i <= 300; i++) {
      append(idle(journal), payment(i));
      expect(journal.acknowledge(i)).toBeUndefined();
      expect(journal.fill.used).toBe(0);
    }
    expect(events.filter(({ event }) => event === 'journal.filling')).toEqual([]);
    fill(journal, 301);
    expect(events.filter(({ event }) => event === 'journal.filling')).toHaveLength(3);
  });

  it('no erase and one program for a payment, two with a new grant, where idle time is given', () => {
    const flash = new MemoryFlash();
    const journal = idle(opened(flash));
    for (let i = 1; i <= 300; i++) {
      const before = { ...flash.done };
      append(journal, payment(i, { grant: grantNumber(i >> 3) }));
      expect(flash.done.erase).toBe(before.erase);
      expect(flash.done.program - before.program).toBeLessThanOrEqual(2);
      journal.acknowledge(i);
      idle(journal);
    }
  });

  it('where idle time is not given and the site wants that, payments wait for it', () => {
    const flash = new MemoryFlash(SMALL);
    const journal = opened(flash, 0, { whenBehind: 'refuse' });
    let refused = 0;
    for (let i = 1; i <= 40; ) {
      const before = flash.done.erase;
      const result = journal.append(payment(i));
      expect(flash.done.erase).toBe(before);
      if ('code' in result) {
        expect(result).toMatchObject({ code: 'STORE_FULL', detail: expect.stringContaining('behind') });
        refused++;
        idle(journal);
      } else journal.acknowledge(i++);
    }
    expect(refused).toBeGreaterThan(3);
  });

  it('wear is even', () => {
    const journal = opened(new MemoryFlash(SMALL));
    for (let i = 1; i <= 2000; i++) {
      append(idle(journal), payment(i));
      journal.acknowledge(i);
    }
    expect(Math.max(...journal.wear)).toBeLessThanOrEqual(Math.min(...journal.wear) + 2);
  });
});

describe('what is no entry is refused, and writes nothing:', () => {
  it.each([
    ['a receipt id that was there', payment(3)],
    ['a receipt id that is no whole number', payment(3.5)],
    ['a receipt id of more than 32 bits', payment(2 ** 32)],
    ['an amount below zero', payment(4, { amount: -1n })],
    ['an amount of 129 bits', payment(4, { amount: 2n ** 128n })],
    ['a time before 1970', payment(4, { timeMs: -1 })],
    ['no time', payment(4, { timeMs: Number.NaN })],
    ['a lone surrogate', payment(4, { sba: { authorization: { a: '\ud800' } } })],
    ['more than an artifact may have', payment(4, { grant: new Array(65).fill(1) })],
  ])('%s', (_, entry) => {
    const flash = new MemoryFlash();
    const journal = filled(3, flash);
    const before = flash.snapshot();
    expect(journal.append(entry)).toMatchObject({ code: 'STORE_FAILED' });
    expect(Buffer.compare(flash.cells, before)).toBe(0);
    append(journal, payment(4));
  });
});

describe('partitions:', () => {
  const reopened = (flash: MemoryFlash) => new Journal(flash, crypto);

  it('one that is blank is formatted, unless the site says never', () => {
    expect(reopened(new MemoryFlash()).problem).toBeUndefined();
    expect(new Journal(new MemoryFlash(), crypto, { autoFormat: 'never' }).problem).toMatchObject({
      code: 'STORE_FAILED',
    });
  });

  it('one that is too small, holds something else or another format, is left as it is', () => {
    const ledger = new MemoryFlash();
    new FlashLedger(ledger, crypto).raiseTimeFloor(1);
    const garbage = new MemoryFlash();
    garbage.cells.fill(0x5a);
    for (const flash of [new MemoryFlash({ size: 6 * 4096 }), ledger, garbage]) {
      const before = flash.snapshot();
      const journal = reopened(flash);
      expect(journal.problem).toMatchObject({ code: 'STORE_FAILED' });
      expect(journal.reconcile(0)).toMatchObject({ code: 'STORE_FAILED' });
      expect(journal.append(payment(1))).toMatchObject({ code: 'STORE_FAILED' });
      expect(journal.fill).toMatchObject({ unsent: 0 });
      expect(Buffer.compare(flash.cells, before)).toBe(0);
    }
  });

  it('format makes any of them an empty journal', () => {
    const flash = new MemoryFlash();
    filled(3, flash);
    Journal.format(flash);
    expect(unsentIds(opened(flash, 3))).toEqual([]);
  });

  it('a flash that fails: nothing is written any more until a restart', () => {
    const flash = new MemoryFlash();
    const journal = filled(3, flash);
    flash.fail('program');
    expect(journal.append(payment(4))).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    expect(journal.append(payment(4))).toMatchObject({ code: 'STORE_FAILED' });
    append(opened(flash, 3), payment(4));
  });

  it('any bytes behind a good CRC: no exception', () => {
    for (let seed = 0; seed < 200; seed++) {
      const flash = new MemoryFlash();
      const log = new BlockLog(flash, JOURNAL_LAYOUT);
      log.format();
      let random = seed + 1;
      const next = () => (random = (random * 48_271) % 0x7fff_ffff);
      for (let i = 0; i < 20; i++) {
        const record = Uint8Array.from({ length: UNIT * (1 + (next() % 48)) }, () => next() & (next() & 1 ? 0xff : 3));
        if (!log.hasRoom(48)) log.prepare();
        log.append(2 + (next() % 6), (next() & 3) << 8, record);
      }
      const journal = new Journal(flash, crypto);
      journal.reconcile(1e9);
      journal.unsent(0, 100, () => {});
      journal.export(() => {});
      journal.acknowledge(5);
      idle(journal);
    }
  });
});

describe('an objection', () => {
  it.each(['step', 'refuse'] as const)(
    'is what the entry would be refused for, whatever is full, acknowledged or behind (%s), and changes nothing',
    (whenBehind) => {
      const codes = new Set<string>();
      for (let seed = 1; seed <= 12; seed++) {
        let random = seed;
        const next = (below: number) => {
          random = (random * 48_271) % 0x7fff_ffff;
          return random % below;
        };
        const flash = new MemoryFlash({ size: 16_384, blockSize: 1024 });
        let journal = opened(flash, 0, { whenBehind });
        let last = 0;
        for (let i = 0; i < 150; i++) {
          const kinds = [
            () => payment(last + 1, { grant: grant({ grantId: `grant-${next(4)}` }) }),
            () => payment(last + 1, { grant: undefined }),
            () => fullPayment(last + 1),
            () => largePayment(last + 1, 1 + next(6)),
            () => end(last + 1, 1),
          ];
          const entry = (kinds[next(kinds.length)] as (typeof kinds)[number])();
          const before = flash.snapshot();
          const objection = journal.objection(entry);
          expect(Buffer.compare(flash.cells, before)).toBe(0);
          const written = journal.append(entry);
          const refusal = 'code' in written ? written.code : undefined;
          expect([seed, i, objection?.code]).toEqual([seed, i, refusal]);
          codes.add(refusal ?? 'none');
          if (refusal === undefined) last++;
          if (next(12) === 0) journal.acknowledge(next(last + 1));
          if (next(3) === 0) journal.step();
          if (next(40) === 0) journal = opened(flash, last, { whenBehind });
        }
      }
      expect([...codes].sort()).toEqual(['STORE_FULL', 'none']);
    },
  );

  it('is also what is wrong with the entry, or with the journal', () => {
    const journal = new Journal(new MemoryFlash(), crypto);
    expect(journal.objection(payment(1))).toMatchObject({ code: 'STORE_FAILED' });
    journal.reconcile(0);
    expect(journal.objection(payment(1))).toBeUndefined();
    expect(journal.objection(payment(0))).toMatchObject({ code: 'STORE_FAILED' });
  });
});
