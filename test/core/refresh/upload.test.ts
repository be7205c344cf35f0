// Handing in, as a state machine: in order and in bounds, again after whatever gets lost, and nothing acknowledged that was
// not sent.

import { describe, expect, it } from 'vitest';
import { readJson } from '../../../core/json/reader.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import type { Journal, JournalPayment } from '../../../core/ledger/journal.ts';
import { readReceipt } from '../../../core/ledger/receipt-document.ts';
import { ARTIFACT_LIMITS, PRESENTATION_BYTES, UPLOAD_BATCH_BYTES } from '../../../core/limits.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { type UploadBatch, Uploader, type UploadOptions, type UploadResult } from '../../../core/refresh/upload.ts';
import { INTENT, NOW, sba, spaFor } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { onDevice } from '../../fixtures/device-built-ins.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import {
  append,
  end,
  fullPayment,
  grantNumber,
  idle,
  opened,
  payment,
  SMALL,
  unsentIds,
} from '../ledger/journal-entries.ts';

const HOUR_MS = 3_600_000;

function journalOf(count: number, flash = new MemoryFlash()): Journal {
  const journal = opened(flash);
  for (let i = 1; i <= count; i++) append(journal, payment(i));
  return journal;
}

function uploader(journal: Journal, options: Partial<UploadOptions> = {}): Uploader {
  return new Uploader(journal, { random: () => 0, mostReceipts: 4, ...options });
}

/** The batch that comes next. */
function batch(of: Uploader, nowMs = 0): UploadBatch {
  const step = of.next(nowMs);
  if (step.kind !== 'send') throw new Error(`${step.kind} instead of a batch`);
  return step.batch;
}

interface Body extends JsonObject {
  readonly format: number;
  readonly receipts: readonly JsonObject[];
}

function body({ body: bytes }: UploadBatch): Body {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Body;
}

function ids(of: UploadBatch): number[] {
  return body(of).receipts.map((receipt) => receipt.receiptId as number);
}

function answer(of: Uploader, value: unknown, status = 200, nowMs = 0): UploadResult {
  return of.answered(nowMs, status, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
}

/** Hands everything in to a backend that acknowledges every batch. @returns the ids in the order they came */
function handedIn(of: Uploader): number[] {
  const seen: number[] = [];
  for (;;) {
    const step = of.next(0);
    if (step.kind !== 'send') return seen;
    seen.push(...ids(step.batch));
    answer(of, { acknowledged: step.batch.last });
  }
}

describe('a batch', () => {
  it('takes no memory where nothing is to be sent', () => {
    const flash = new MemoryFlash();
    const journal = journalOf(2, flash);
    // More than there is: to make room for a batch would throw.
    const of = uploader(journal, { mostBytes: 2 ** 50 });
    expect(() => of.next(0)).toThrow(RangeError);
    expect(journal.acknowledge(2)).toBeUndefined();
    expect(of.next(0)).toEqual({ kind: 'done' });
  });

  it('has the oldest receipts, in order, each with a hash that it can be checked by', () => {
    const sent = batch(uploader(journalOf(10)));
    expect(sent).toMatchObject({ first: 1, last: 4, count: 4 });
    expect(body(sent).format).toBe(1);
    expect(ids(sent)).toEqual([1, 2, 3, 4]);
    const grants = new Map<string, JsonValue>();
    for (const document of body(sent).receipts) {
      if (document.grant !== undefined) grants.set(String(document.grantKey), document.grant);
      expect(readReceipt(crypto, document, (key) => grants.get(key))).not.toHaveProperty('fault');
    }
  });

  it('has a grant once for all its payments', () => {
    const journal = opened(new MemoryFlash());
    append(journal, payment(1), payment(2, { grant: grantNumber(2) }), payment(3), payment(4, { grant: undefined }));
    const { receipts } = body(batch(uploader(journal)));
    expect(receipts.map((receipt) => 'grant' in receipt)).toEqual([true, true, false, false]);
    expect(receipts[2]?.grantKey).toBe(receipts[0]?.grantKey);
    expect(receipts[3]).not.toHaveProperty('grantKey');
  });

  it('has it again in the next batch, which may come to a backend that has nothing', () => {
    const of = uploader(journalOf(5));
    answer(of, { acknowledged: batch(of).last });
    expect(body(batch(of)).receipts[0]).toHaveProperty('grant');
  });

  it('is never longer than it may be, and as full as that allows', () => {
    const journal = opened(new MemoryFlash({ size: 262_144 }));
    for (let i = 1; i <= 60; i++) append(journal, fullPayment(i));
    const of = uploader(journal, { mostReceipts: 1000 });
    const sizes: number[] = [];
    const seen: number[] = [];
    for (let step = of.next(0); step.kind === 'send'; step = of.next(0)) {
      sizes.push(step.batch.body.length);
      seen.push(...ids(step.batch));
      answer(of, { acknowledged: step.batch.last });
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(UPLOAD_BATCH_BYTES);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(UPLOAD_BATCH_BYTES * 0.8);
  });

  it.each<[string, string]>([
    ['numbers, which grow by a character', '1e9'],
    ['escapes, which stay as long', `"${'\\u0001'.repeat(8)}"`],
    ['text', `"${'\u20ac'.repeat(12)}"`],
  ])('takes the largest payment there may be: 8 KB of %s', (_, filler) => {
    const names = ['grant', 'sba', 'spa', 'settlementIntent', 'fleetPolicyAuthorization'];
    let given = '';
    // As many as there may be of each and in all.
    for (let each = 1; ; each++) {
      const list = `[${Array.from({ length: Math.min(each, 62) }, () => filler).join(',')}]`;
      const text = `{${names.map((name) => `"${name}":{"a":${list},"b":${list},"c":${list},"d":${list}}`).join(',')}}`;
      if (Buffer.byteLength(text) > PRESENTATION_BYTES || each > 62) break;
      given = text;
    }
    expect(Buffer.byteLength(given)).toBeGreaterThan(5000);
    const artifacts = readJson(Buffer.from(given), { ...ARTIFACT_LIMITS, bytes: PRESENTATION_BYTES, values: 4096 });
    const journal = opened(new MemoryFlash());
    append(journal, payment(1, artifacts as unknown as Partial<JournalPayment>));
    const sent = batch(uploader(journal));
    expect(sent.count).toBe(1);
    expect(sent.body.length).toBeLessThan(UPLOAD_BATCH_BYTES);
  });

  it('is filled to its last byte, and not beyond', () => {
    const sba = (strings: number, filler: number) => ({
      authorization: { list: Array.from({ length: strings }, () => 'x'.repeat(900)), filler: 'x'.repeat(filler) },
    });
    const sized = (filler: number): UploadBatch => {
      const journal = opened(new MemoryFlash());
      append(journal, payment(1, { grant: undefined, sba: sba(4, filler) }));
      append(journal, payment(2, { grant: undefined, sba: sba(8, 0) }));
      return batch(uploader(journal));
    };
    const room = UPLOAD_BATCH_BYTES - sized(1).body.length + 1;
    expect(room).toBeLessThan(1000);
    for (let filler = room - 4; filler <= room + 4; filler++)
      expect(ids(sized(filler))).toEqual(filler <= room ? [1, 2] : [1]);
    expect(sized(room).body.length).toBe(UPLOAD_BATCH_BYTES);
  });

  it('does not read the journal from its beginning on', () => {
    const flash = new MemoryFlash({ size: 262_144 });
    const journal = opened(flash);
    for (let i = 1; i <= 200; i++) append(journal, fullPayment(i));
    const of = uploader(journal, { mostReceipts: 1000 });
    const reads: number[] = [];
    for (;;) {
      const before = flash.done.read;
      const step = of.next(0);
      if (step.kind !== 'send') break;
      reads.push(flash.done.read - before);
      answer(of, { acknowledged: step.batch.last });
    }
    expect(reads.length).toBeGreaterThan(20);
    expect(Math.max(...reads.slice(1))).toBeLessThan(2 * (reads[1] as number));
  });

  it('has the ends of reservations among the payments', () => {
    const journal = opened(new MemoryFlash());
    append(journal, payment(1, { mode: 'reserve' }), end(2, 1), payment(3));
    expect(body(batch(uploader(journal))).receipts.map(({ kind }) => kind)).toEqual(['payment', 'end', 'payment']);
  });

  it('writes nothing to flash', () => {
    const flash = new MemoryFlash();
    const of = uploader(journalOf(3, flash));
    const before = flash.snapshot();
    batch(of);
    expect(Buffer.compare(flash.cells, before)).toBe(0);
  });

  it('has what cannot be read as what cannot be read: the others are not held up by it', () => {
    const flash = new MemoryFlash();
    const journal = journalOf(1, flash);
    append(journal, payment(2, { grant: grantNumber(2) }), payment(3));
    const at = Buffer.from(flash.cells).indexOf('grant-2');
    flash.cells[at] = (flash.cells[at] as number) ^ 1;
    const { receipts } = body(batch(uploader(journal)));
    expect(receipts.map(({ kind }) => kind)).toEqual(['payment', 'unreadable', 'payment']);
    expect(receipts[2]?.previous).toBe(receipts[1]?.hash);
  });
});

describe('an acknowledgement', () => {
  it('moves on until there is nothing left', () => {
    const journal = journalOf(10);
    const of = uploader(journal);
    expect(handedIn(of)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(of.next(0)).toEqual({ kind: 'done' });
    expect([journal.acknowledgedUpTo, of.acknowledgedUpTo, unsentIds(journal)]).toEqual([10, 10, []]);
  });

  it('of a part of the batch: the rest comes again', () => {
    const journal = journalOf(6);
    const of = uploader(journal);
    batch(of);
    expect(answer(of, { acknowledged: 2 })).toEqual({ ok: true, receipts: 2, acknowledgedUpTo: 2 });
    expect(ids(batch(of))).toEqual([3, 4, 5, 6]);
    expect(journal.acknowledgedUpTo).toBe(2);
  });

  it('is understood on a device, which keeps no member whose name it does not know', () => {
    const of = uploader(journalOf(2));
    batch(of);
    const bytes = Buffer.from('{"acknowledged":1,"detail":"receipt 2 is not whole"}');
    expect(onDevice(() => of.answered(0, 409, bytes))).toMatchObject({
      acknowledgedUpTo: 1,
      detail: 'the backend answered 409: receipt 2 is not whole',
    });
  });

  it('has members that a later backend may add', () => {
    const of = uploader(journalOf(1));
    batch(of);
    expect(answer(of, { acknowledged: 1, received: 1, since: { more: [true] } })).toMatchObject({ ok: true });
  });

  it('is kept in memory where the journal cannot write it down: what is later is handed in all the same', () => {
    const flash = new MemoryFlash();
    const events: LogEvent[] = [];
    const of = uploader(journalOf(6, flash), { log: { emit: (event) => events.push(event) } });
    batch(of);
    flash.fail('program');
    expect(answer(of, { acknowledged: 4 })).toEqual({ ok: true, receipts: 4, acknowledgedUpTo: 4 });
    expect(ids(batch(of))).toEqual([5, 6]);
    expect(answer(of, { acknowledged: 6 })).toEqual({ ok: true, receipts: 2, acknowledgedUpTo: 6 });
    expect(of.next(0)).toEqual({ kind: 'done' });
    expect(events.filter(({ event }) => event === 'upload.unrecorded')).toHaveLength(2);
  });
});

describe('nothing is acknowledged that was not sent:', () => {
  it.each<[string, number, string]>([
    ['a backend that acknowledges the receipt after the batch', 5, 'ahead'],
    ['one that acknowledges everything there will ever be', 4_294_967_295, 'ahead'],
    ['one that acknowledges what the journal has but was not sent', 10, 'ahead'],
  ])('%s', (_, acknowledged, failure) => {
    const journal = journalOf(10);
    const of = uploader(journal);
    batch(of);
    expect(answer(of, { acknowledged })).toMatchObject({ ok: false, failure, acknowledgedUpTo: 0 });
    expect([journal.acknowledgedUpTo, unsentIds(journal).length]).toEqual([0, 10]);
  });

  it('an acknowledgement of a receipt between two that were sent, which is lost here', () => {
    const journal = journalOf(1);
    journal.reconcile(2);
    append(journal, payment(3));
    const of = uploader(journal);
    expect(ids(batch(of))).toEqual([1, 3]);
    expect(answer(of, { acknowledged: 2 })).toMatchObject({ ok: false, failure: 'ahead' });
    expect(journal.acknowledgedUpTo).toBe(0);
  });

  it('an answer to nothing', () => {
    const journal = journalOf(2);
    const of = uploader(journal);
    expect(answer(of, { acknowledged: 2 })).toMatchObject({ ok: false, failure: 'unasked' });
    expect(journal.acknowledgedUpTo).toBe(0);
  });

  it('a second answer to the same batch', () => {
    const journal = journalOf(10);
    const of = uploader(journal);
    batch(of);
    answer(of, { acknowledged: 2 });
    expect(answer(of, { acknowledged: 4 })).toMatchObject({ ok: false, failure: 'unasked' });
    expect(journal.acknowledgedUpTo).toBe(2);
  });

  it('an answer that comes after a restart, to what the run before had sent', () => {
    const flash = new MemoryFlash();
    batch(uploader(journalOf(3, flash)));
    const journal = opened(flash, 3);
    expect(answer(uploader(journal), { acknowledged: 3 })).toMatchObject({ ok: false, failure: 'unasked' });
    expect(journal.acknowledgedUpTo).toBe(0);
  });
});

describe('a backend that forgets', () => {
  it('and says so: nothing changes here, and the same batch is sent again', () => {
    const journal = journalOf(8);
    const of = uploader(journal);
    batch(of);
    answer(of, { acknowledged: 4 });
    batch(of);
    expect(answer(of, { acknowledged: 0 })).toMatchObject({ ok: false, failure: 'behind', acknowledgedUpTo: 4 });
    expect(ids(batch(of, HOUR_MS))).toEqual([5, 6, 7, 8]);
    expect(journal.acknowledgedUpTo).toBe(4);
  });

  it('logs what it had and what it has', () => {
    const events: LogEvent[] = [];
    const of = uploader(journalOf(8), { log: { emit: (event) => events.push(event) } });
    batch(of);
    answer(of, { acknowledged: 4 });
    batch(of);
    answer(of, { acknowledged: 1 });
    expect(events.at(-1)).toMatchObject({
      event: 'upload.failed',
      failure: 'behind',
      detail: 'the backend has receipts up to 1, and had those before 5',
    });
  });
});

describe('an answer that is none acknowledges nothing:', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['a page', '<html>welcome to the hotel</html>'],
    ['half of it', '{"acknowledged":'],
    ['a list', '[4]'],
    ['text', '{"acknowledged":"4"}'],
    ['a fraction', '{"acknowledged":3.5}'],
    ['less than nothing', '{"acknowledged":-1}'],
    ['twice', '{"acknowledged":1,"acknowledged":4}'],
    ['null', '{"acknowledged":null}'],
    ['another member', '{"accepted":4}'],
    ['what is far too long', `{"acknowledged":4,"x":"${'y'.repeat(5000)}"}`],
    ['what is far too deep', `{"acknowledged":4,"x":${'['.repeat(500)}${']'.repeat(500)}}`],
  ])('%s', (_, text) => {
    const journal = journalOf(4);
    const of = uploader(journal);
    batch(of);
    expect(answer(of, text)).toMatchObject({ ok: false, failure: 'garbage' });
    expect(journal.acknowledgedUpTo).toBe(0);
  });

  it('bytes that are no text', () => {
    const of = uploader(journalOf(1));
    batch(of);
    expect(of.answered(0, 200, Uint8Array.of(0xff, 0xfe))).toMatchObject({ failure: 'garbage' });
  });
});

describe('a status that says no acknowledges nothing:', () => {
  it.each([100, 301, 304, 400, 401, 403, 404, 429, 500, 502, 503, 0, Number.NaN])('%d', (status) => {
    const journal = journalOf(4);
    const of = uploader(journal);
    batch(of);
    // Whatever its body claims.
    expect(answer(of, { acknowledged: 4 }, status)).toMatchObject({ ok: false, failure: 'http-status' });
    expect(journal.acknowledgedUpTo).toBe(0);
    expect(of.next(0).kind).toBe('wait');
  });

  it.each([409, 422])('%d is a conflict: what came before it is acknowledged, the rest is not', (status) => {
    const journal = journalOf(4);
    const of = uploader(journal);
    batch(of);
    const said = { error: 'receipt_conflict', detail: 'receipt 3 is another one here', acknowledged: 2 };
    expect(answer(of, said, status)).toMatchObject({
      ok: false,
      failure: 'conflict',
      detail: `the backend answered ${status}: receipt 3 is another one here`,
      receipts: 2,
      acknowledgedUpTo: 2,
    });
    expect(journal.acknowledgedUpTo).toBe(2);
    expect(ids(batch(of, HOUR_MS))).toEqual([3, 4]);
  });

  it('a conflict that claims more than was sent', () => {
    const journal = journalOf(10);
    const of = uploader(journal);
    batch(of);
    answer(of, { acknowledged: 9 }, 409);
    expect(journal.acknowledgedUpTo).toBe(0);
  });

  it('413: batches are half as long, at once, until there is one receipt in them', () => {
    const of = uploader(journalOf(8), { mostReceipts: 8 });
    const sizes: number[] = [];
    let count = 0;
    while (count !== 1) {
      const sent = batch(of);
      count = sent.count;
      sizes.push(sent.body.length);
      expect(sent.first).toBe(1);
      expect(answer(of, '', 413)).toMatchObject({
        failure: 'too-large',
        detail: `the backend answered 413 to ${sent.body.length} bytes`,
      });
    }
    expect(sizes.length).toBeGreaterThan(2);
    for (let i = 1; i < sizes.length - 1; i++) expect(sizes[i]).toBeLessThanOrEqual((sizes[i - 1] as number) / 2);
    // There is nothing smaller to try.
    expect(of.next(0).kind).toBe('wait');
  });

  it('413: a size that was refused is not sent again, however much is acknowledged', () => {
    const most = 4000;
    const of = uploader(journalOf(60), { mostReceipts: 60 });
    const seen: number[] = [];
    let refused = 0;
    for (let step = of.next(0); step.kind === 'send'; step = of.next(0)) {
      if (step.batch.body.length > most) {
        refused++;
        answer(of, '', 413);
        continue;
      }
      // It is as full as it may be, but for what is left at the end.
      if (step.batch.last < 60) expect(step.batch.body.length).toBeGreaterThan(most / 4);
      seen.push(...ids(step.batch));
      answer(of, { acknowledged: step.batch.last });
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(refused).toBe(2);
  });

  it('413: a receipt longer than that goes alone, and does not make batches smaller', () => {
    const journal = opened(new MemoryFlash());
    const long = { authorization: { list: Array.from({ length: 8 }, () => 'x'.repeat(900)) } };
    append(journal, payment(1), payment(2), payment(3, { grant: undefined, sba: long }), payment(4), payment(5));
    const of = uploader(journal);
    expect(batch(of).body.length).toBeGreaterThan(8000);
    answer(of, '', 413);
    const counts: number[] = [];
    for (let step = of.next(0); step.kind === 'send'; step = of.next(0)) {
      counts.push(step.batch.count);
      answer(of, { acknowledged: step.batch.last });
    }
    expect(counts).toEqual([2, 1, 2]);
  });

  it.each<[string, (of: Uploader, journal: Journal) => Uploader, number]>([
    ['a day', (of) => of, 24 * HOUR_MS],
    ['a restart', (_, journal) => uploader(journal, { mostReceipts: 8 }), 0],
  ])('413: after %s the whole size is tried again', (_, later, nowMs) => {
    const journal = journalOf(20);
    const of = uploader(journal, { mostReceipts: 8 });
    batch(of);
    answer(of, '', 413);
    const smaller = batch(of, Math.max(nowMs - 1, 0));
    expect(smaller.count).toBeLessThan(8);
    answer(of, { acknowledged: smaller.last });
    expect(batch(later(of, journal), nowMs)).toMatchObject({ first: smaller.last + 1, count: 8 });
  });
});

describe('what is lost is sent again:', () => {
  it('a batch that did not arrive, or whose answer did not', () => {
    const journal = journalOf(4);
    const of = uploader(journal);
    const first = Buffer.from(batch(of).body);
    expect(of.unanswered(0, 'timeout')).toMatchObject({ ok: false, failure: 'unanswered' });
    expect(Buffer.from(batch(of, HOUR_MS).body).equals(first)).toBe(true);
    expect(journal.acknowledgedUpTo).toBe(0);
  });

  it('a batch that nobody said anything about', () => {
    const of = uploader(journalOf(4));
    batch(of);
    expect(ids(batch(of))).toEqual([1, 2, 3, 4]);
  });

  it('everything that was not acknowledged, after a restart in the middle', () => {
    const flash = new MemoryFlash();
    const of = uploader(journalOf(10, flash));
    answer(of, { acknowledged: batch(of).last });
    batch(of);
    expect(handedIn(uploader(opened(flash, 10)))).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it('what came meanwhile, in its turn', () => {
    const journal = journalOf(2);
    const of = uploader(journal);
    batch(of);
    append(journal, payment(3));
    answer(of, { acknowledged: 2 });
    expect(ids(batch(of))).toEqual([3]);
  });

  it('never twice where every answer came: over hundreds of payments and blocks given up', () => {
    const journal = opened(new MemoryFlash(SMALL));
    const of = uploader(journal);
    const seen: number[] = [];
    for (let i = 1; i <= 300; i++) {
      append(idle(journal), payment(i));
      if (i % 7 === 0) seen.push(...handedIn(of));
    }
    seen.push(...handedIn(of));
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  });
});

describe('waiting', () => {
  const waits = (chance: number, count: number, options: Partial<UploadOptions> = {}): number[] => {
    const of = uploader(journalOf(1), { random: () => chance, ...options });
    let nowMs = 0;
    return Array.from({ length: count }, () => {
      batch(of, nowMs);
      of.unanswered(nowMs, 'lost');
      const step = of.next(nowMs);
      const ms = step.kind === 'wait' ? step.ms : 0;
      nowMs += ms;
      return ms;
    });
  };

  it('doubles with each failure, up to the longest, and half of it is left to chance', () => {
    const options = { firstWaitMs: 1000, longestWaitMs: 10_000 };
    expect(waits(0, 6, options)).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
    expect(waits(0.5, 6, options)).toEqual([750, 1500, 3000, 6000, 7500, 7500]);
    expect(waits(0.999999, 6, options)).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('stays within an hour however often it fails', () => {
    expect(waits(0, 60).at(-1)).toBe(HOUR_MS / 2);
  });

  it.each([Number.NaN, -1, 1, 7, Number.POSITIVE_INFINITY])('is the longest where chance gives %d', (chance) => {
    expect(waits(chance, 1, { firstWaitMs: 1000 })).toEqual([1000]);
  });

  it('ends when it is over, and not before', () => {
    const of = uploader(journalOf(1), { firstWaitMs: 1000 });
    batch(of, 100);
    of.unanswered(100, 'lost');
    expect(of.next(599)).toEqual({ kind: 'wait', ms: 1 });
    expect(of.next(600).kind).toBe('send');
  });

  it('begins anew after an acknowledgement', () => {
    const of = uploader(journalOf(5), { firstWaitMs: 1000 });
    for (const nowMs of [0, 10_000, 20_000]) {
      batch(of, nowMs);
      of.unanswered(nowMs, 'lost');
    }
    batch(of, 30_000);
    answer(of, { acknowledged: 4 }, 200, 30_000);
    batch(of, 30_000);
    of.unanswered(30_000, 'lost');
    expect(of.next(30_000)).toEqual({ kind: 'wait', ms: 500 });
  });

  it('is cut short by a network that is back', () => {
    const of = uploader(journalOf(1));
    batch(of);
    of.unanswered(0, 'lost');
    of.hurry();
    expect(of.next(0).kind).toBe('send');
  });
});

describe('a journal that gives nothing out', () => {
  it('stops it, and is told', () => {
    const flash = new MemoryFlash();
    const journal = journalOf(2, flash);
    const events: LogEvent[] = [];
    const of = uploader(journal, { log: { emit: (event) => events.push(event) } });
    flash.fail('read');
    expect(of.next(0)).toMatchObject({ kind: 'stopped', code: 'STORE_FAILED' });
    expect(events.map(({ event }) => event)).toEqual(['upload.stopped']);
  });
});

describe('figures', () => {
  it('of a payment with grant, SBA, SPA and intent: bytes of a receipt, receipts of a batch', () => {
    const journal = opened(new MemoryFlash({ size: 131_072 }));
    for (let i = 1; i <= 40; i++)
      append(
        journal,
        payment(i, {
          sba: sba({ budgetId: `550e8400-e29b-41d4-a716-${446655440000 + i}` }),
          spa: spaFor(INTENT, { decisionId: `decision-${i}` }),
          settlementIntent: INTENT,
          timeMs: NOW + i,
        }),
      );
    const sent = batch(uploader(journal, { mostReceipts: 1000 }));
    const [first, second] = body(sent).receipts.map((receipt) => JSON.stringify(receipt).length) as [number, number];
    // 2026 bytes with the grant, 1614 without; 7 in a batch.
    expect([first, second].map((bytes) => bytes < 2100)).toEqual([true, true]);
    expect(second).toBeLessThan(1700);
    expect(sent.count).toBeGreaterThanOrEqual(7);
  });
});
