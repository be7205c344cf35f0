// docs/HANDING-IN.md keeps its word: its figures are those of the code, and every member of a receipt is in it.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { receiptDocument } from '../../../core/ledger/receipt-document.ts';
import { UPLOAD_BATCH_BYTES } from '../../../core/limits.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { Uploader } from '../../../core/refresh/upload.ts';
import { fleetPolicy } from '../../fixtures/artifacts.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { append, end, fullPayment, opened, payment, unsent } from '../ledger/journal-entries.ts';

const text = readFileSync('docs/HANDING-IN.md', 'utf8');

describe('docs/HANDING-IN.md', () => {
  it('names every member of a receipt', () => {
    const journal = opened(new MemoryFlash());
    append(journal, fullPayment(1, { fleetPolicyAuthorization: fleetPolicy() }), end(2, 1));
    const receipts = unsent(journal);
    const [{ entry, ...chained }] = receipts as [(typeof receipts)[number]];
    const documents = [
      ...receipts.map(receiptDocument),
      receiptDocument({ ...chained, entry: undefined, problem: 'x', ...(entry && { doubtful: entry }) }),
      receiptDocument({ ...chained, entry: undefined, problem: 'x' }),
    ];
    for (const name of new Set(documents.flatMap(Object.keys))) expect(text).toContain(`\`${name}\``);
  });

  it('has the figures of the code', () => {
    const journal = opened(new MemoryFlash());
    for (let i = 1; i <= 40; i++) append(journal, payment(i, { grant: undefined, sba: { authorization: {} } }));
    const step = new Uploader(journal, { random: () => 0 }).next(0);
    if (step.kind !== 'send') throw new Error(step.kind);
    expect(text).toContain(`at most ${step.batch.count} of them`);
    expect(text).toContain(UPLOAD_BATCH_BYTES.toLocaleString('en').replace(',', ' '));
    expect(step.batch.body.length).toBeLessThan(UPLOAD_BATCH_BYTES);
    const uploader = new Uploader(journal, { random: () => 0.999_999_9 });
    uploader.next(0);
    uploader.unanswered(0, 'lost');
    expect(uploader.next(0)).toEqual({ kind: 'wait', ms: 5000 });
    expect(text).toContain('Waiting begins with 5 seconds');
  });

  it('has a program that hands everything in', async () => {
    const [, imports = '', program = ''] = /```ts\n(import .*)\n([\s\S]*?)```/.exec(text) ?? [];
    expect(imports).toBe("import { Uploader } from 'mpcp-embedded';");
    const journal = opened(new MemoryFlash());
    for (let i = 1; i <= 40; i++) append(journal, payment(i));
    const events: LogEvent[] = [];
    let attempts = 0;
    const world = {
      Uploader,
      journal,
      random: () => 0,
      log: { emit: (event: LogEvent) => events.push(event) },
      // An hour has passed whenever it is asked for.
      clock: { monotonicMs: () => ++attempts * 3_600_000 },
      post: async (body: Uint8Array) => {
        if (events.length < 2) return undefined;
        const { receipts } = JSON.parse(Buffer.from(body).toString()) as { receipts: { receiptId: number }[] };
        return { status: 200, body: Buffer.from(JSON.stringify({ acknowledged: receipts.at(-1)?.receiptId })) };
      },
    };
    // The program is the document's, so it is code that stands in this repository.
    const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (...given: unknown[]) => unknown;
    await new AsyncFunction(...Object.keys(world), program)(...Object.values(world));
    expect(journal.acknowledgedUpTo).toBe(40);
    expect(events.map(({ event }) => event).slice(0, 4)).toEqual([
      'upload.send',
      'upload.failed',
      'upload.send',
      'upload.acknowledged',
    ]);
  });

  it('says what the first receipt carries', () => {
    const journal = opened(new MemoryFlash());
    append(journal, payment(1));
    expect(unsent(journal)[0]?.previous).toBe('0'.repeat(32));
    expect(text).toContain('zeros for the first');
  });
});
