// Entries for the journal's tests, and a journal with the ledger that commits them.

import { expect } from 'vitest';
import { canonicalText } from '../../../core/json/canonical.ts';
import type { JsonValue } from '../../../core/json/value.ts';
import {
  Journal,
  type JournalEnd,
  type JournalEntry,
  type JournalPayment,
  type JournalReceipt,
} from '../../../core/ledger/journal.ts';
import type { StoreOptions } from '../../../core/ledger/store-options.ts';
import { grant, INTENT, NOW, sba, spaFor } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import type { Geometry, MemoryFlash } from '../../fixtures/memory-flash.ts';

/** Sixteen blocks of 1 KB: a payment or two each. */
export const SMALL: Geometry = { size: 16_384, blockSize: 1024 };

/** A payment of 1000 with grant and SBA, with changes. */
export function payment(receiptId: number, changes: Partial<JournalPayment> = {}): JournalPayment {
  return {
    kind: 'payment',
    receiptId,
    mode: 'authorize',
    amount: 1000n,
    timeMs: NOW + receiptId,
    grant: grant(),
    sba: { ...sba(), authorization: { budgetId: `budget-${receiptId}` } },
    ...changes,
  };
}

/** The same with SPA and intent. */
export function fullPayment(receiptId: number, changes: Partial<JournalPayment> = {}): JournalPayment {
  return payment(receiptId, {
    spa: spaFor(INTENT),
    settlementIntent: INTENT,
    idempotencyKey: `key ${receiptId}`,
    ...changes,
  });
}

/** A payment of so many parts that it goes over several blocks. */
export function largePayment(receiptId: number, kilobytes = 6): JournalPayment {
  const filler = Array.from({ length: kilobytes }, (_, i) => `${i}.${'x'.repeat(980)}`);
  return payment(receiptId, { sba: { authorization: { filler }, signature: 's' } });
}

/** The end of a reservation. */
export function end(receiptId: number, reservation: number, changes: Partial<JournalEnd> = {}): JournalEnd {
  return { kind: 'end', receiptId, how: 'settle', reservation, amount: 700n, timeMs: NOW + receiptId, ...changes };
}

/** A grant like the usual one, by number. */
export function grantNumber(number: number): JsonValue {
  return grant({ grantId: `grant-${number}` });
}

/** An entry as text that tells everything in it. */
export function text(entry: JournalEntry | undefined): string {
  const { amount, ...rest } = entry as JournalEntry;
  return canonicalText({ ...rest, amount: amount.toString() } as unknown as JsonValue);
}

/** A journal that was told what the ledger has. */
export function opened(flash: MemoryFlash, committed = 0, options?: StoreOptions): Journal {
  const journal = new Journal(flash, crypto, options);
  expect(journal.reconcile(committed)).toBeUndefined();
  return journal;
}

/** Appends what must be taken. */
export function append(journal: Journal, ...entries: readonly JournalEntry[]): void {
  for (const entry of entries) expect(journal.append(entry)).toMatchObject({ number: expect.any(Number) });
}

/** All entries that are not acknowledged. */
export function unsent(journal: Journal, after = 0, most = 1e9): JournalReceipt[] {
  const receipts: JournalReceipt[] = [];
  const count = journal.unsent(after, most, (receipt) => receipts.push(receipt));
  expect(count).toBe(receipts.length);
  return receipts;
}

/** Their receipt ids. */
export function unsentIds(journal: Journal, after = 0, most = 1e9): number[] {
  return unsent(journal, after, most).map((receipt) => receipt.receiptId);
}

/** All that is on flash, in order. */
export function exported(journal: Journal): {
  readonly receipts: readonly JournalReceipt[];
  readonly wrong: readonly string[];
} {
  const receipts: JournalReceipt[] = [];
  const wrong = journal.export((receipt) => receipts.push(receipt));
  if ('code' in wrong) throw new Error(wrong.detail);
  return { receipts, wrong };
}

/** Idle time. */
export function idle(journal: Journal): Journal {
  while (journal.step());
  return journal;
}
