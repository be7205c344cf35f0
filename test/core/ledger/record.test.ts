// The ledger's records: what is written is what is read, and nothing damaged is read as something else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecord, encodeRecord, type LedgerRecord, RECORD_BYTES } from '../../../core/ledger/record.ts';
import { spend } from '../../fixtures/spends.ts';

const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const ledgerKey = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((bytes) => String.fromCharCode(...bytes));
const amount = fc.bigInt({ min: 1n, max: 10n ** 38n - 1n });
const time = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
const issued = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(9999, 11, 31) });

const anySpend = fc.record({
  grant: ledgerKey,
  budget: ledgerKey,
  replay: fc.option(ledgerKey, { nil: undefined }),
  idempotency: fc.option(ledgerKey, { nil: undefined }),
  content: ledgerKey,
  amount,
  timeMs: time,
  keepUntilMs: time,
});

const anyRecord: fc.Arbitrary<LedgerRecord> = fc.oneof(
  fc.record({ kind: fc.constant('format' as const), receiptId: id }),
  fc.record({ kind: fc.constantFrom('spend' as const, 'reserve' as const), receiptId: id, spend: anySpend }),
  fc.record({ kind: fc.constant('settle' as const), receiptId: id, of: id, amount, timeMs: time }),
  fc.record({ kind: fc.constant('release' as const), receiptId: id, of: id, timeMs: time }),
  fc.record({ kind: fc.constant('floor' as const), receiptId: id, timeMs: time }),
  fc.record({
    kind: fc.constant('bundle' as const),
    receiptId: id,
    identity: ledgerKey,
    bundle: fc.record({ issuedAtMs: fc.option(issued, { nil: undefined }), expiresAtMs: time }),
  }),
);

describe('a record', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(decodeRecord(encodeRecord(record))).toEqual(record);
      }),
      { numRuns: 500 },
    );
  });

  it('is 128 bytes, whole program units of 16', () => {
    expect(RECORD_BYTES).toBe(128);
    expect(encodeRecord({ kind: 'spend', receiptId: 1, spend: spend() })).toHaveLength(RECORD_BYTES);
  });

  it('overwrites all of the memory it is given', () => {
    const dirty = new Uint8Array(RECORD_BYTES).fill(0xaa);
    expect(encodeRecord({ kind: 'floor', receiptId: 1, timeMs: 5 }, dirty)).toEqual(
      encodeRecord({ kind: 'floor', receiptId: 1, timeMs: 5 }),
    );
  });

  it('is read where it lies in a larger buffer', () => {
    const buffer = new Uint8Array(3 * RECORD_BYTES);
    buffer.set(encodeRecord({ kind: 'floor', receiptId: 7, timeMs: 5 }), RECORD_BYTES);
    expect(decodeRecord(buffer.subarray(RECORD_BYTES, 2 * RECORD_BYTES))).toEqual({
      kind: 'floor',
      receiptId: 7,
      timeMs: 5,
    });
  });

  it('with any bit flipped is damaged', () => {
    const good = encodeRecord({ kind: 'spend', receiptId: 1, spend: spend() });
    for (let bit = 0; bit < RECORD_BYTES * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(decodeRecord(bad), `bit ${bit}`).toBe('damaged');
    }
  });

  it('that was written in part is damaged, and never another record', () => {
    const good = encodeRecord({ kind: 'spend', receiptId: 1, spend: spend() });
    for (let length = 1; length < RECORD_BYTES; length++) {
      const torn = new Uint8Array(RECORD_BYTES).fill(0xff);
      torn.set(good.subarray(0, length));
      expect(decodeRecord(torn), `${length} bytes`).toBe('damaged');
    }
  });

  it('was never written where every byte is 0xFF', () => {
    expect(decodeRecord(new Uint8Array(RECORD_BYTES).fill(0xff))).toBe('blank');
  });

  it('is not made of zeros', () => {
    expect(decodeRecord(new Uint8Array(RECORD_BYTES))).toBe('damaged');
  });

  it('is not made of random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: RECORD_BYTES, maxLength: RECORD_BYTES }), (bytes) => {
        expect(['damaged', 'blank']).toContain(decodeRecord(bytes));
      }),
    );
  });
});
