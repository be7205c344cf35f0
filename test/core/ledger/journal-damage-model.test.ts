// Random days with entries that were not committed, then damage anywhere: what is handed out as a payment is what was
// committed, once; everything else that was committed is told to be missing, and the journal goes on.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal, type JournalEntry, type JournalReceipt } from '../../../core/ledger/journal.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { append, end, fullPayment, grantNumber, idle, largePayment, opened, payment, text } from './journal-entries.ts';

const BLOCKS = 20;
const BLOCK = 1024;

type Act = 'small' | 'other' | 'full' | 'large' | 'end' | 'not committed' | 'acknowledge' | 'idle' | 'restart';
type Fault =
  | { readonly kind: 'bit'; readonly at: number; readonly bit: number }
  | { readonly kind: 'block'; readonly block: number; readonly fill: number }
  | { readonly kind: 'header'; readonly block: number; readonly at: number };

const act = fc.constantFrom<Act>(
  ...(['small', 'small', 'small', 'other', 'full', 'large', 'end'] as const),
  ...(['not committed', 'not committed', 'acknowledge', 'idle', 'restart'] as const),
);
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constant('bit' as const), at: fc.nat(BLOCKS * BLOCK - 1), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('block' as const), block: fc.nat(BLOCKS - 1), fill: fc.constantFrom(0, 0x5a, 0xff) }),
  fc.record({ kind: fc.constant('header' as const), block: fc.nat(BLOCKS - 1), at: fc.nat(31) }),
);

/** A day. @returns what was committed, and up to which receipt it was acknowledged */
function day(flash: MemoryFlash, acts: readonly Act[]): { committed: string[]; acknowledged: number } {
  const committed: string[] = [];
  let acknowledged = 0;
  let journal = opened(flash);
  const entryOf = (one: Act, id: number): JournalEntry => {
    if (one === 'not committed') return payment(id, { amount: 666n, grant: grantNumber(id % 3) });
    if (one === 'other') return payment(id, { grant: grantNumber(id % 3) });
    if (one === 'full') return fullPayment(id);
    if (one === 'large') return largePayment(id, 2);
    return one === 'end' ? end(id, Math.max(id - 1, 1)) : payment(id);
  };
  for (const one of acts) {
    if (one === 'idle') idle(journal);
    else if (one === 'restart') journal = opened(flash, committed.length);
    else if (one === 'acknowledge') {
      acknowledged = Math.floor(committed.length / 3);
      if (acknowledged > journal.acknowledgedUpTo) journal.acknowledge(acknowledged);
    } else {
      const entry = entryOf(one, committed.length + 1);
      const result = journal.append(entry);
      if ('code' in result) continue;
      if (one === 'not committed') journal = opened(flash, committed.length);
      else committed.push(text(entry));
    }
  }
  return { committed, acknowledged };
}

function damage(flash: MemoryFlash, one: Fault): void {
  if (one.kind === 'block') flash.cells.fill(one.fill, one.block * BLOCK, (one.block + 1) * BLOCK);
  else {
    const at = one.kind === 'bit' ? one.at : one.block * BLOCK + one.at;
    flash.cells[at] = (flash.cells[at] as number) ^ (one.kind === 'bit' ? 1 << one.bit : 0xff);
  }
}

/** Checks a journal after damage. @returns false where it cannot be opened */
function check(flash: MemoryFlash, committed: readonly string[], isSure: boolean, isTold: boolean): boolean {
  const journal = new Journal(flash, crypto, { autoFormat: 'never' });
  if (journal.problem?.code === 'STORE_FAILED' || journal.reconcile(committed.length)) return false;
  const receipts: JournalReceipt[] = [];
  journal.unsent(0, 1e9, (receipt) => receipts.push(receipt));
  let before = 0;
  for (const { receiptId, entry, problem } of receipts) {
    expect(receiptId).toBeGreaterThan(before);
    before = receiptId;
    if (entry === undefined) expect(problem).toBeTypeOf('string');
    else if (isSure) expect(text(entry)).toBe(committed[receiptId - 1]);
  }
  if (!isTold) return receipts.at(-1)?.receiptId === committed.length;
  for (let id = journal.acknowledgedUpTo + 1; id <= committed.length; id++) {
    if (receipts.some(({ receiptId, entry }) => receiptId === id && entry !== undefined)) continue;
    expect(
      journal.damage.some(({ first, last }) => first <= id && id <= last),
      `receipt ${id} is missing, and not told`,
    ).toBe(true);
  }
  return true;
}

const days = fc.array(act, { minLength: 5, maxLength: 45 });

describe('whatever a day was like,', () => {
  it.each([
    ['one fault', 1, 400],
    ['several faults', 5, 200],
  ] as const)('%s costs no more than it has hit, brings nothing back, and is told', (_, most, numRuns) => {
    let opens = 0;
    fc.assert(
      fc.property(days, fc.array(fault, { minLength: 1, maxLength: most }), (acts, faults) => {
        const flash = new MemoryFlash({ size: BLOCKS * BLOCK, blockSize: BLOCK });
        const { committed } = day(flash, acts);
        for (const one of faults) damage(flash, one);
        // Of several faults two may hit what made an entry void and the one in its place.
        if (!check(flash, committed, most === 1, true)) return;
        opens++;
        const journal = opened(flash, committed.length);
        journal.acknowledge(journal.newestReceipt);
        append(idle(journal), payment(committed.length + 1));
        expect(check(flash, [...committed, text(payment(committed.length + 1))], most === 1, most === 1)).toBe(true);
      }),
      { numRuns },
    );
    expect(opens).toBeGreaterThan(numRuns / 2);
  });
});
