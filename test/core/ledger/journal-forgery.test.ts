// A payer chooses bytes of an entry. Where the entry is torn they must not pass for records of the journal.

import { expect, it } from 'vitest';
import { crc32Update } from '../../../core/encoding/crc32.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { opened, payment, unsentIds } from './journal-entries.ts';

/** A record of a unit as the log writes it. */
function forged(kind: number, number: number, value: number): Uint8Array {
  const record = new Uint8Array(16);
  const view = new DataView(record.buffer);
  record[0] = kind;
  record[1] = 1;
  view.setUint32(4, number, true);
  view.setUint32(12, value, true);
  const seeded = crc32Update(0, Uint8Array.of(1, 0, 0, 0), 0, 4);
  view.setUint32(8, crc32Update(crc32Update(seeded, record, 0, 8), record, 12, 16), true);
  return record;
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
    const records = Array.from({ length: 12 }, (_, i) => forged(kind, from + i, value));
    const text = Buffer.concat([Buffer.alloc(pad, 1), ...records, Buffer.alloc(400, 2)]).toString('base64');
    flash.fail('program', 0, 400);
    const refused = journal.append(payment(6, { sba: { authorization: { memo: text }, signature: 's' } }));
    expect(refused).toMatchObject({ code: 'STORE_FAILED' });
    flash.recover();
    const later = opened(flash, 5);
    expect([later.acknowledgedUpTo, unsentIds(later)], `pad ${pad}`).toEqual([0, [1, 2, 3, 4, 5]]);
    expect(later.append(payment(6))).toHaveProperty('number');
    const after = opened(flash, 6);
    expect([after.acknowledgedUpTo, unsentIds(after)], `pad ${pad}`).toEqual([0, [1, 2, 3, 4, 5, 6]]);
  }
});
