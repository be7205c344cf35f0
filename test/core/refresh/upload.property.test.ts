// Handing in over anything that may happen on the way, in any order: the backend gets every receipt, in order, each with the
// same content however often it comes, and the journal gives up nothing that the backend has not got.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson } from '../../../core/json/reader.ts';
import type { JsonObject } from '../../../core/json/value.ts';
import { Journal } from '../../../core/ledger/journal.ts';
import { ReceiptChain } from '../../../core/ledger/receipt-chain.ts';
import { Uploader } from '../../../core/refresh/upload.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { crypto } from '../../fixtures/device.ts';
import { end, grantNumber, payment } from '../ledger/journal-entries.ts';

/** What a round of the network comes to. */
const ROUNDS = [
  'answered',
  'answered',
  'answered in part',
  'answer lost',
  'request lost',
  'half a request',
  'error',
  'error after all was kept',
  'garbage',
  'everything acknowledged unread',
  'nothing known any more',
  'conflict at the last',
] as const;
type Round = (typeof ROUNDS)[number];

type Action =
  | { readonly kind: 'pay'; readonly grant: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'round';
      readonly how: Round;
    };

const actions: fc.Arbitrary<readonly Action[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('pay' as const), grant: fc.nat(3) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('round' as const), how: fc.constantFrom(...ROUNDS) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'idle' as const }) },
  ),
  { maxLength: 80 },
);

const LIMITS = { bytes: 65_536, values: 65_536, elements: 1024, members: 64, stringBytes: 1024, depth: 32 };

/** A device, a network and a backend. */
class World {
  readonly flash = new SimulatedFlash(new MemoryStore(16_384), { geometry: { blockSize: 1024, programSize: 16 } });
  /** What the backend keeps: the text of each receipt, without its grant. */
  readonly kept = new Map<number, string>();
  committed = 0;
  journal!: Journal;
  uploader!: Uploader;
  #nowMs = 0;

  constructor() {
    this.restart();
  }

  restart(): void {
    this.flash.restart();
    this.journal = new Journal(this.flash, crypto);
    expect(this.journal.reconcile(this.committed)).toBeUndefined();
    this.uploader = new Uploader(this.journal, { random: () => 0.5, mostReceipts: 3 });
  }

  pay(grant: number): void {
    const receiptId = this.committed + 1;
    const entry =
      receiptId % 5 === 0 ? end(receiptId, receiptId - 1) : payment(receiptId, { grant: grantNumber(grant) });
    // A journal that is full refuses, and the device with it.
    if ('code' in this.journal.append(entry)) return;
    this.committed = receiptId;
  }

  round(how: Round): void {
    this.#nowMs += 3_600_000;
    const step = this.uploader.next(this.#nowMs);
    if (step.kind !== 'send') {
      expect([step.kind, this.journal.acknowledgedUpTo]).toEqual(['done', this.committed]);
      return;
    }
    const receipts = (readJson(step.batch.body, LIMITS) as JsonObject).receipts as readonly JsonObject[];
    const ids = receipts.map((one) => one.receiptId as number);
    // In order and without a gap, from what is acknowledged on.
    expect(ids).toEqual(ids.map((_, i) => this.uploader.acknowledgedUpTo + 1 + i));
    const arrived =
      how === 'request lost' || how === 'garbage' || how === 'everything acknowledged unread' ? 0 : ids.length;
    const taken = how === 'half a request' ? 0 : how === 'answered in part' ? Math.ceil(arrived / 2) : arrived;
    for (const { grant: _, ...receipt } of how === 'error' ? [] : receipts.slice(0, taken)) {
      const text = JSON.stringify(receipt);
      expect(this.kept.get(receipt.receiptId as number) ?? text).toBe(text);
      this.kept.set(receipt.receiptId as number, text);
    }
    this.#answer(how, ids, taken);
    this.check();
  }

  #answer(how: Round, ids: readonly number[], taken: number): void {
    const say = (status: number, body: object | string) =>
      this.uploader.answered(this.#nowMs, status, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
    if (how === 'answered' || how === 'answered in part') say(200, { acknowledged: ids[taken - 1] });
    else if (how === 'error' || how === 'error after all was kept') say(500, { acknowledged: ids.at(-1) });
    else if (how === 'half a request') say(400, { error: 'invalid_request' });
    else if (how === 'garbage') say(200, '<html>');
    else if (how === 'everything acknowledged unread') say(200, { acknowledged: 4_000_000_000 });
    else if (how === 'nothing known any more') say(200, { acknowledged: 0 });
    else if (how === 'conflict at the last') say(409, ids.length > 1 ? { acknowledged: ids.at(-2) } : {});
    else this.uploader.unanswered(this.#nowMs, how);
  }

  /** What must be true at all times. */
  check(): void {
    for (let id = 1; id <= this.journal.acknowledgedUpTo; id++) expect(this.kept.has(id)).toBe(true);
    const unsent: number[] = [];
    expect(typeof this.journal.unsent(0, 1e9, ({ receiptId }) => unsent.push(receiptId))).toBe('number');
    const from = this.journal.acknowledgedUpTo;
    expect(unsent).toEqual(Array.from({ length: this.committed - from }, (_, i) => from + 1 + i));
  }

  /** The network is good at last. */
  finish(): void {
    for (let i = 0; this.journal.acknowledgedUpTo < this.committed; i++) {
      expect(i).toBeLessThan(200);
      this.survive(() => this.round('answered'));
    }
    expect([...this.kept.keys()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: this.committed }, (_, i) => i + 1),
    );
    const chain = new ReceiptChain();
    for (let id = 1; id <= this.committed; id++)
      expect(chain.next(JSON.parse(this.kept.get(id) as string))).toBeUndefined();
  }

  /** Does something; where the power goes, it starts again. */
  survive(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.restart();
    }
  }

  act(action: Action): void {
    if (action.kind === 'pay') this.pay(action.grant);
    else if (action.kind === 'round') this.round(action.how);
    else if (action.kind === 'restart') this.restart();
    else while (this.journal.step());
  }
}

describe('whatever happens on the way', () => {
  it('every receipt arrives, and nothing is given up before', () => {
    fc.assert(
      fc.property(actions, (list) => {
        const world = new World();
        for (const action of list) world.act(action);
        world.finish();
      }),
      { numRuns: 150 },
    );
  });

  it('and the power goes at any operation on flash', () => {
    fc.assert(
      fc.property(
        actions,
        fc.nat(120),
        fc.constantFrom('before' as const, 'torn' as const, 'after' as const),
        (list, cut, form) => {
          const world = new World();
          world.flash.cutAt(world.flash.operations + cut, form);
          for (const action of list) world.survive(() => world.act(action));
          world.finish();
        },
      ),
      { numRuns: 400 },
    );
  });
});
