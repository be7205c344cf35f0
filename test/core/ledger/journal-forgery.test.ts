// A payer chooses bytes of an entry. Where the entry is torn, or what stands before them is damaged, they must not pass for
// records of the journal.

import { describe, expect, it } from 'vitest';
import { crc32Update } from '../../../core/encoding/crc32.ts';
import { Journal } from '../../../core/ledger/journal.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { append, idle, opened, payment, unsentIds } from './journal-entries.ts';

/** Where a record claims to be. */
interface Guess {
  readonly sequence: number;
  readonly salt: number;
}

/** What a payer knows of a journal that was formatted without a salt, before its second block. */
const KNOWN: Guess = { sequence: 1, salt: 0 };

/** A record as the log writes it, of a kind and with a body from offset 12 on. */
function forged(kind: number, flags: number, number: number, body: readonly number[], guess: Guess): Uint8Array {
  const units = Math.ceil((12 + body.length) / 16);
  const record = new Uint8Array(units * 16);
  const view = new DataView(record.buffer);
  record[0] = kind;
  record[1] = units;
  view.setUint16(2, flags, true);
  view.setUint32(4, number, true);
  record.set(body, 12);
  const seed = new Uint8Array(8);
  new DataView(seed.buffer).setUint32(0, guess.sequence, true);
  new DataView(seed.buffer).setUint32(4, guess.salt, true);
  const head = crc32Update(crc32Update(0, seed, 0, 8), record, 0, 8);
  view.setUint32(8, crc32Update(head, record, 12, record.length), true);
  return record;
}

/** One of a unit that says a number. */
const saying = (kind: number, number: number, value: number) => forged(kind, 0, number, [value, 0, 0, 0], KNOWN);

/** A whole payment of an SBA `{}`, with a receipt id that the ledger never gave. */
function paymentOf(receiptId: number, number: number, guess: Guess): Uint8Array {
  const entry = [36, 0, 0, 0, 0, 0, receiptId, 0, 0, 0, ...Array(16).fill(0), 9, 0, 0, 0, 0, 0, 0, 1, 7, 0xa0];
  return forged(3, 0x300, number, entry, guess);
}

/** Text whose bytes on flash are these, padded so that they come to stand at a unit for one of 16 paddings. */
const textOf = (pad: number, records: readonly Uint8Array[]) =>
  Buffer.concat([Buffer.alloc(pad, 1), ...records, Buffer.alloc(400, 2)]).toString('base64');

/** A payment with it. */
const carrying = (receiptId: number, text: string) =>
  payment(receiptId, { sba: { authorization: { memo: text }, signature: 's' } });

/** Appends it, and has the power fail after so many bytes. */
function tear(flash: MemoryFlash, journal: Journal, receiptId: number, text: string): void {
  flash.fail('program', 0, 400);
  expect(journal.append(carrying(receiptId, text))).toMatchObject({ code: 'STORE_FAILED' });
  flash.recover();
}

/** Kinds: 1 gives up blocks, 5 is an acknowledgement, 6 makes an entry void. */
it.each([
  ['acknowledges all there is', 5, 7, 5],
  ['acknowledges all there is, by another number', 5, 9, 5],
  ['makes what was accepted void', 6, 7, 0],
  ['makes the last payment void', 6, 7, 4],
  ['makes the last payment void, by another number', 6, 9, 4],
  ['gives up blocks', 1, 7, 2],
  ['gives up blocks, by another number', 1, 9, 2],
])('a text that %s, in an entry that the power cut tears, takes nothing from what waits', (_, kind, from, value) => {
  for (let pad = 0; pad < 16; pad++) {
    const flash = new MemoryFlash();
    const journal = opened(flash);
    for (let i = 1; i <= 5; i++) expect(journal.append(payment(i))).toHaveProperty('number');
    // Five payments and their grant.
    const records = Array.from({ length: 12 }, (_, i) => saying(kind, from + i, value));
    tear(flash, journal, 6, textOf(pad, records));
    const later = opened(flash, 5);
    expect([later.acknowledgedUpTo, unsentIds(later)], `pad ${pad}`).toEqual([0, [1, 2, 3, 4, 5]]);
    expect(later.append(payment(6))).toHaveProperty('number');
    const after = opened(flash, 6);
    expect([after.acknowledgedUpTo, unsentIds(after)], `pad ${pad}`).toEqual([0, [1, 2, 3, 4, 5, 6]]);
  }
});

describe('a text that is a whole record, its sequence number guessed right,', () => {
  /** Five payments in the first block, and a sixth by the attacker that the power cut tears. */
  function attacked(salt: number, pad: number, guess: Guess): MemoryFlash {
    const flash = new MemoryFlash();
    const journal = opened(flash, 0, { salt });
    for (let i = 1; i <= 5; i++) append(journal, payment(i));
    const records = Array.from({ length: 6 }, (_, i) => paymentOf(99, 9 + i, guess));
    tear(flash, journal, 6, textOf(pad, records));
    return flash;
  }

  /** Whether a start of one of the paddings takes a forged payment for one. */
  const isBelieved = (flashes: readonly MemoryFlash[]) =>
    flashes.some((flash) => {
      const journal = new Journal(flash, crypto);
      return journal.newestReceipt !== 5 || journal.reconcile(5) !== undefined || journal.damage.length > 0;
    });

  const paddings = Array.from({ length: 16 }, (_, pad) => pad);

  it('is one where the salt is known too: the attack is real', () => {
    expect(isBelieved(paddings.map((pad) => attacked(0, pad, KNOWN)))).toBe(true);
    expect(isBelieved(paddings.map((pad) => attacked(0x1234_5678, pad, { ...KNOWN, salt: 0x1234_5678 })))).toBe(true);
  });

  it('is none behind a torn entry of a journal that was formatted with a salt', () => {
    for (const salt of [1, 0x1234_5678, 0xffff_ffff])
      expect(isBelieved(paddings.map((pad) => attacked(salt, pad, KNOWN)))).toBe(false);
  });

  it('is none behind a torn entry in a block whose header is damaged: its salt is that of its neighbours', () => {
    const salt = 0x1234_5678;
    for (const guess of [KNOWN, { sequence: 2, salt: 0 }, { sequence: 3, salt: 0 }]) {
      const flashes = paddings.map((pad) => attacked(salt, pad, guess));
      for (const flash of flashes) {
        // A start has prepared the block behind it.
        const journal = opened(flash, 5);
        idle(journal);
        flash.cells[9] = (flash.cells[9] as number) ^ 4;
        const later = new Journal(flash, crypto);
        expect([later.reconcile(5), later.newestReceipt, unsentIds(later)]).toEqual([undefined, 5, [1, 2, 3, 4, 5]]);
      }
    }
  });

  it('is none, without a salt either, once another payer has begun a block', () => {
    for (const pad of paddings) {
      const flash = new MemoryFlash();
      const journal = opened(flash);
      let count = 0;
      const sequenceOfNewest = () =>
        Math.max(...[0, 1, 2, 3].map((block) => (flash.cells[block * 4096 + 4] as number) % 255));
      idle(journal);
      while (journal.fill.used < 3) {
        append(journal, payment(++count));
        idle(journal);
      }
      const sequence = sequenceOfNewest() - 1;
      const before = journal.damage.length;
      const number = (journal.append(payment(++count)) as { readonly number: number }).number;
      const records = Array.from({ length: 6 }, (_, i) => paymentOf(250, number + 2 + i, { sequence, salt: 0 }));
      tear(flash, journal, count + 1, textOf(pad, records));
      const later = opened(flash, count);
      expect([later.newestReceipt, later.damage.length]).toEqual([count, before]);
      expect(unsentIds(later)).toHaveLength(count);
    }
  });
});
