// Whatever is in an image, looking into it ends in words: what is there, what is missing, or that it is no journal.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readReceipt } from '../../../core/ledger/receipt-document.ts';
import { ImageProblem } from '../../../tools/ledger/image.ts';
import { type InspectedJournal, inspectJournal } from '../../../tools/ledger/journal-inspection.ts';
import { append, end, fullPayment, grantNumber, idle, opened, payment } from '../../core/ledger/journal-entries.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';

const BLOCK = 1024;

function image(count: number, acknowledged: number): Uint8Array {
  const flash = new MemoryFlash({ size: 32_768, blockSize: BLOCK });
  const journal = opened(flash);
  for (let i = 1; i <= count; i++) {
    const entry =
      i % 4 === 0 ? end(i, i - 1) : i % 3 === 0 ? fullPayment(i) : payment(i, { grant: grantNumber(i % 2) });
    append(idle(journal), entry);
  }
  if (acknowledged > 0) journal.acknowledge(acknowledged);
  return flash.cells;
}

const whole = image(12, 5);

function looked(bytes: Uint8Array, committed?: number): InspectedJournal | undefined {
  try {
    return inspectJournal(bytes, { blockSize: BLOCK }, committed);
  } catch (error) {
    expect(error).toBeInstanceOf(ImageProblem);
    expect((error as Error).message).not.toBe('');
    return undefined;
  }
}

describe('an image with damage', () => {
  it('anywhere: nothing is shown that was not written, and what is missing is told', () => {
    const written = new Map(
      inspectJournal(whole, { blockSize: BLOCK }).receipts.map(({ document }) => [document.receiptId, document.hash]),
    );
    const spots = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.integer({ min: 1, max: 64 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(spots, fc.oneof(fc.constantFrom(undefined, 12), fc.nat(14)), (list, committed) => {
        const bytes = whole.slice();
        for (const [at, value, length] of list) bytes.fill(value, at, at + length);
        const found = looked(bytes, committed);
        if (found === undefined) return;
        for (const { document } of found.receipts) {
          expect(document.hash).toBe(written.get(document.receiptId as number));
          expect(readReceipt(crypto, document)).not.toHaveProperty('fault');
        }
        const readable = found.receipts.filter(({ document }) => document.kind !== 'unreadable').length;
        if (committed === 12 && readable < 7) expect(found.damage).not.toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('in whole blocks, lost or exchanged', () => {
    const blocks = whole.length / BLOCK;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(blocks - 1), fc.nat(blocks - 1)), { maxLength: 4 }), (list) => {
        const bytes = whole.slice();
        for (const [to, from] of list) bytes.copyWithin(to * BLOCK, from * BLOCK, (from + 1) * BLOCK);
        looked(bytes);
      }),
      { numRuns: 200 },
    );
  });

  it('of any length and any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), fc.constantFrom(256, 1024, 4096), (bytes, blockSize) => {
        expect(() => inspectJournal(bytes, { blockSize })).toThrow(ImageProblem);
      }),
      { numRuns: 100 },
    );
  });
});

describe('an image cut short', () => {
  it.each([0, 1, 31, 1023, 1024, 7168, 20_000, 31_744])('to %d bytes', (length) => {
    looked(whole.slice(0, length));
  });
});
