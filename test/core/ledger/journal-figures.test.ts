// What the journal takes, and how much a partition holds: the figures the documents give, with room around them.

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import type { Journal, JournalPayment } from '../../../core/ledger/journal.ts';
import { grant, intent, NOW, sba, spaFor } from '../../fixtures/artifacts.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { idle, largePayment, opened, unsent } from './journal-entries.ts';

/** Figures for the documents, where they are asked for. */
function report(text: string): void {
  if (process.env.MPCP_FIGURES) process.stdout.write(`${text}\n`);
}

const KILOBYTES_256 = 262_144;

/** A payment whose signatures and ids are as long as real ones, and differ from payment to payment. */
function realistic(receiptId: number, grantNumber: number, full: boolean): JournalPayment {
  const signature = (mark: number) =>
    Buffer.from(Uint8Array.from({ length: 64 }, (_, i) => (receiptId * 31 + i * mark * 7) & 0xff)).toString('base64');
  const uuid = (mark: number) => `550e8400-e29b-41d4-a716-${(receiptId * 16 + mark).toString(16).padStart(12, '0')}`;
  const signed = (artifact: JsonObject, changes: JsonObject, mark: number): JsonObject => ({
    ...artifact,
    authorization: { ...(artifact.authorization as JsonObject), ...changes },
    signature: signature(mark),
  });
  const ids = { budgetId: uuid(1), sessionId: uuid(2) };
  const paid = intent({ amount: String(1000 + receiptId) });
  return {
    kind: 'payment',
    receiptId,
    mode: 'authorize',
    amount: BigInt(1000 + receiptId),
    timeMs: NOW + receiptId,
    grant: grant({ grantId: `grant-${grantNumber}` }),
    sba: signed(sba() as JsonObject, ids, 3),
    ...(full
      ? {
          spa: signed(spaFor(paid) as JsonObject, { ...ids, decisionId: uuid(4), amount: String(1000 + receiptId) }, 5),
          settlementIntent: paid,
        }
      : {}),
  };
}

/** Fills a journal. @returns how many payments it holds */
function filled(
  full: boolean,
  perGrant: number,
  size = KILOBYTES_256,
): { journal: Journal; count: number; flash: MemoryFlash } {
  const flash = new MemoryFlash({ size });
  const journal = opened(flash);
  for (let i = 1; ; i++) {
    const result = journal.append(realistic(i, Math.floor(i / perGrant), full));
    if ('code' in result) return { journal, count: i - 1, flash };
  }
}

/** Bytes that programs take for the hundredth payment. */
function bytesOfOne(full: boolean): number {
  const flash = new MemoryFlash({ size: KILOBYTES_256 });
  let bytes = 0;
  const program = flash.program.bind(flash);
  flash.program = (offset, data) => {
    bytes += data.length;
    program(offset, data);
  };
  const journal = opened(flash);
  for (let i = 1; i < 100; i++) {
    journal.append(realistic(i, 1, full));
    idle(journal);
  }
  bytes = 0;
  journal.append(realistic(100, 1, full));
  return bytes;
}

describe('a payment takes', () => {
  it.each([
    ['grant and SBA', false, 280],
    ['grant, SBA, SPA and intent', true, 480],
  ])('with %s, under a grant that is there already: no more than the documents say', (_, full, most) => {
    const bytes = bytesOfOne(full);
    report(`${full ? 'grant + SBA + SPA + intent' : 'grant + SBA'}: ${bytes} bytes`);
    expect(bytes).toBeLessThanOrEqual(most);
  });
});

describe('256 KB hold', () => {
  it.each([
    ['grant and SBA, ten payments a grant', false, 10, 800],
    ['grant and SBA, a grant each', false, 1, 480],
    ['grant, SBA, SPA and intent, ten payments a grant', true, 10, 480],
    ['grant, SBA, SPA and intent, a grant each', true, 1, 320],
  ])('of payments with %s: at least', (_, full, perGrant, least) => {
    const { count, journal } = filled(full, perGrant);
    report(`256 KB: ${count} payments, ${full ? 'SPA' : 'SBA'}, ${perGrant} a grant, memory ${journal.memoryBytes}`);
    expect(count).toBeGreaterThanOrEqual(least);
    expect(unsent(journal)).toHaveLength(count);
  });
});

describe('memory', () => {
  it.each([
    ['256 KB', KILOBYTES_256, 6656],
    ['1 MB', 4 * KILOBYTES_256, 15_360],
  ])('of a journal of %s: 37 bytes a block, and no more than this, whatever it holds', (_, size, most) => {
    const { journal, count } = filled(true, 1, size);
    report(`memory of ${_}: ${journal.memoryBytes}`);
    expect(journal.memoryBytes).toBeLessThan(most);
    expect(journal.acknowledge(count)).toBeUndefined();
    expect(journal.append(largePayment(count + 1, 7))).toHaveProperty('number');
    unsent(journal);
    // The largest payment there is.
    expect(journal.memoryBytes).toBeLessThan(most + 10_240 - 2048);
  });
});

describe('wear', () => {
  it('erases of a 256 KB journal: one for 4 KB of payments', () => {
    const flash = new MemoryFlash({ size: KILOBYTES_256 });
    const journal = opened(flash);
    for (let i = 1; i <= 2000; i++) {
      journal.append(realistic(i, Math.floor(i / 10), false));
      journal.acknowledge(i);
      idle(journal);
    }
    const perErase = 2000 / (flash.done.erase - 1);
    report(
      `payments per erase: ${perErase.toFixed(1)}; 100 000 erases of 64 blocks: ${((perErase * 64e5) / 1e6).toFixed(0)} million`,
    );
    expect(perErase).toBeGreaterThan(9);
  });
});
