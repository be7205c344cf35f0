// The journal beside plain lists in memory: whatever is appended, committed or not, acknowledged, restarted or left idle, both
// say the same; and a journal that is full takes entries again once what it has is acknowledged.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Journal, type JournalEntry } from '../../../core/ledger/journal.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { crypto } from '../../fixtures/device.ts';
import { end, exported, fullPayment, grantNumber, largePayment, payment, text } from './journal-entries.ts';

type Size = 'small' | 'other grant' | 'no grant' | 'full' | 'large' | 'end';

type Act =
  | { readonly do: 'append'; readonly size: Size; readonly grant: number; readonly commits: boolean }
  | { readonly do: 'acknowledge'; readonly share: number }
  | { readonly do: 'unsent'; readonly share: number; readonly most: number }
  | { readonly do: 'idle'; readonly steps: number }
  | { readonly do: 'restart' }
  | { readonly do: 'fill' }
  | { readonly do: 'export' };

const size = fc.constantFrom<Size>('small', 'small', 'other grant', 'no grant', 'full', 'large', 'end');

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({ do: fc.constant('append' as const), size, grant: fc.nat(5), commits: fc.constant(true) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('append' as const), size, grant: fc.nat(5), commits: fc.constant(false) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('acknowledge' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('unsent' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      most: fc.nat(5),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('idle' as const), steps: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'fill' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'export' as const }) },
);

function entryOf(receiptId: number, of: Size, grant: number): JournalEntry {
  if (of === 'end') return end(receiptId, Math.max(receiptId - 1, 1));
  if (of === 'large') return largePayment(receiptId, 2);
  if (of === 'full') return fullPayment(receiptId);
  if (of === 'no grant') return payment(receiptId, { grant: undefined });
  return payment(receiptId, of === 'small' ? {} : { grant: grantNumber(grant) });
}

/** A journal and what it has to be. */
class Pair {
  readonly #flash: SimulatedFlash;
  #journal: Journal;
  /** What was committed, by receipt id less one. */
  readonly #entries: string[] = [];
  /** Up to which receipt everything was acknowledged, at any time. */
  #acknowledged = 0;
  full = 0;

  constructor(blocks: number, erasedReads: 'ones' | 'scrambled') {
    const geometry = { blockSize: 1024, programSize: 16 };
    this.#flash = new SimulatedFlash(new MemoryStore(blocks * 1024), { geometry, erasedReads });
    if (erasedReads === 'scrambled') Journal.format(this.#flash);
    this.#journal = this.#start();
  }

  run(one: Act): void {
    if (one.do === 'append') this.#append(one.size, one.grant, one.commits);
    else if (one.do === 'acknowledge') this.#acknowledge(Math.floor(one.share * this.#entries.length));
    else if (one.do === 'idle') for (let i = 0; i < one.steps; i++) this.#journal.step();
    else if (one.do === 'restart') this.#journal = this.#start();
    else if (one.do === 'fill') while (this.#append('small', this.#entries.length % 4, true));
    else if (one.do === 'export') this.#export();
    else this.#unsent(Math.floor(one.share * this.#entries.length), one.most);
    expect(this.#journal.newestReceipt).toBe(this.#entries.length);
    expect(this.#journal.damage).toEqual([]);
    expect(this.#journal.problem?.code ?? 'STORE_FULL').toBe('STORE_FULL');
  }

  /** All of it is there, after a restart too; and when it is acknowledged there is room for the largest. */
  finish(): void {
    this.#unsent(0, 1e9);
    this.#journal = this.#start();
    this.#unsent(0, 1e9);
    this.#export();
    this.#acknowledge(this.#entries.length);
    while (this.#journal.step());
    expect(this.#append('large', 0, true)).toBe(true);
    this.#unsent(0, 1e9);
  }

  #start(): Journal {
    const journal = new Journal(this.#flash, crypto);
    expect(journal.reconcile(this.#entries.length)).toBeUndefined();
    expect(journal.acknowledgedUpTo).toBeLessThanOrEqual(this.#acknowledged);
    return journal;
  }

  /** @returns false where it is full */
  #append(of: Size, grant: number, commits: boolean): boolean {
    const receiptId = this.#entries.length + 1;
    const entry = entryOf(receiptId, of, grant);
    const result = this.#journal.append(entry);
    if ('code' in result) {
      expect(result.code).toBe('STORE_FULL');
      this.#unsent(0, 1e9);
      this.full++;
      return false;
    }
    if (commits) this.#entries.push(text(entry));
    else if (grant % 2 === 0) this.#journal = this.#start();
    else expect(this.#journal.reconcile(receiptId - 1)).toBeUndefined();
    return true;
  }

  #acknowledge(receiptId: number): void {
    expect(this.#journal.acknowledge(receiptId)).toBeUndefined();
    this.#acknowledged = Math.max(this.#acknowledged, receiptId);
    expect(this.#journal.acknowledgedUpTo).toBeGreaterThanOrEqual(receiptId);
    expect(this.#journal.acknowledge(this.#entries.length + 1)).toMatchObject({ code: 'ARTIFACT_INVALID' });
  }

  #unsent(after: number, most: number): void {
    const found: string[] = [];
    const from = Math.max(after, this.#journal.acknowledgedUpTo);
    expect(this.#journal.unsent(after, most, ({ entry }) => found.push(text(entry)))).toBe(found.length);
    expect(found).toEqual(this.#entries.slice(from, from + most));
    expect(this.#journal.fill.unsent).toBe(this.#entries.length - this.#journal.acknowledgedUpTo);
  }

  #export(): void {
    const { receipts, wrong } = exported(this.#journal);
    expect(wrong).toEqual([]);
    const first = receipts[0]?.receiptId ?? this.#entries.length + 1;
    expect(first).toBeLessThanOrEqual(this.#journal.acknowledgedUpTo + 1);
    expect(receipts.map(({ receiptId }) => receiptId)).toEqual(receipts.map((_, i) => first + i));
    for (const { receiptId, entry } of receipts)
      if (receiptId > this.#journal.acknowledgedUpTo) expect(text(entry)).toBe(this.#entries[receiptId - 1]);
  }
}

describe('whatever is done, the journal is what plain lists would be', () => {
  it.each([
    [10, 'ones'],
    [24, 'ones'],
    [12, 'scrambled'],
  ] as const)('on %d blocks, with erased cells that read %s', (blocks, erasedReads) => {
    let full = 0;
    fc.assert(
      fc.property(fc.array(act, { minLength: 10, maxLength: 80 }), (acts) => {
        const pair = new Pair(blocks, erasedReads);
        for (const one of acts) pair.run(one);
        pair.finish();
        full += pair.full;
      }),
      { numRuns: 60 },
    );
    // Journals were full, and often.
    expect(full).toBeGreaterThan(30);
  });
});
