// The ledger on flash beside the one in memory: whatever is recorded, compacted, cut off by restarts and aged, both say the
// same. What the time floor has passed may be gone from flash.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import type { LedgerKey, LedgerRefusal, Receipt, SpendLedger } from '../../../core/ledger/ledger.ts';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import { NOW } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { key, newest, spend } from '../../fixtures/spends.ts';

const GRANTS = 4;
const BUDGETS = 8;
const SECOND = 1000;
const WINDOW_MS = 20 * SECOND;

type Step =
  | {
      readonly do: 'authorize' | 'reserve';
      readonly grant: number;
      readonly budget: number;
      readonly amount: number;
      readonly life: number;
      /** Seconds by which the grant outlives the rest. */
      readonly grantLife: number;
      readonly replay: 'none' | 'own' | 'budget';
      readonly answer: boolean;
    }
  | { readonly do: 'settle'; readonly which: number; readonly part: number }
  | { readonly do: 'release'; readonly which: number }
  | { readonly do: 'admit'; readonly identity: number; readonly ahead: number }
  | { readonly do: 'floor'; readonly ahead: number }
  | { readonly do: 'step'; readonly most: number }
  | { readonly do: 'busy'; readonly payments: number }
  | { readonly do: 'restart' };

const paying = (kind: 'authorize' | 'reserve') =>
  fc.record({
    do: fc.constant(kind),
    grant: fc.nat(GRANTS - 1),
    budget: fc.nat(BUDGETS - 1),
    amount: fc.integer({ min: 1, max: 1000 }),
    life: fc.constantFrom(5, 30, 3000),
    grantLife: fc.constantFrom(0, 20, 9000),
    replay: fc.constantFrom('none' as const, 'own' as const, 'budget' as const),
    answer: fc.boolean(),
  });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: paying('authorize') },
  { weight: 4, arbitrary: paying('reserve') },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(9),
      part: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat(9) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('admit' as const),
      identity: fc.nat(2),
      ahead: fc.integer({ min: -5, max: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('floor' as const), ahead: fc.integer({ min: 0, max: 10 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('step' as const), most: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('busy' as const), payments: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'restart' as const }) },
);

/** The two ledgers, and until when their entries matter. */
class Pair {
  readonly #flash = new MemoryFlash({ size: 16_384, blockSize: 1024 });
  #ledger = new FlashLedger(this.#flash, crypto);
  readonly #model = new MemoryLedger(crypto);
  /** Receipt ids of the two run apart: the model counts bundles too. */
  readonly #ids = new Map<number, number>();
  readonly #until = new Map<LedgerKey, number>();
  readonly #paid: { readonly grant: LedgerKey; readonly timeMs: number }[] = [];
  readonly #replays: LedgerKey[] = [];
  readonly #answers: LedgerKey[] = [];
  #names = 0;
  #lastReceipt = 0;
  #nowMs = NOW;

  run(one: Step): void {
    this.#nowMs += 700;
    switch (one.do) {
      case 'authorize':
      case 'reserve':
        this.#pay(one);
        break;
      case 'settle':
      case 'release':
        this.#end(one);
        break;
      case 'admit': {
        const bundle = newest(this.#nowMs + one.ahead * SECOND, this.#nowMs + one.ahead * 2000);
        expect(this.#ledger.admitted(`bundle ${one.identity}`, bundle)).toBeUndefined();
        this.#model.admitted(`bundle ${one.identity}`, bundle);
        break;
      }
      case 'floor':
        this.#nowMs += one.ahead * SECOND;
        expect(this.#ledger.raiseTimeFloor(this.#nowMs)).toBeUndefined();
        this.#model.raiseTimeFloor(this.#nowMs);
        break;
      case 'step':
        for (let i = 0; i < one.most && this.#ledger.step(); i++);
        break;
      case 'busy':
        for (let i = 0; i < one.payments; i++) {
          this.#pay({
            do: 'authorize',
            grant: 0,
            budget: 0,
            amount: 1,
            life: 3000,
            grantLife: 0,
            replay: 'none',
            answer: false,
          });
        }
        break;
      case 'restart':
        this.restart();
    }
  }

  restart(): void {
    const before = this.#ledger.fill;
    this.#ledger = new FlashLedger(this.#flash, crypto);
    expect(this.#ledger.problem).toBeUndefined();
    // What was dropped is there again until its block is given up; nothing that counts is gone.
    expect(this.#ledger.fill.keys).toBeGreaterThanOrEqual(before.keys);
  }

  #pay(one: Extract<Step, { do: 'authorize' | 'reserve' }>): void {
    const name = this.#names++;
    const budgetKey = key(`b${one.budget}`);
    const grantKey = key(`g${one.grant}`);
    // As the verifier does: under what has expired nothing is paid.
    if (this.#isPast(grantKey) || this.#isPast(budgetKey)) return;
    const replay = { none: undefined, own: key(`r${name}`), budget: budgetKey }[one.replay];
    const idempotency = one.answer ? key(`i${name}`) : undefined;
    const keepUntilMs = Math.max(this.#nowMs, this.#model.timeFloorMs()) + one.life * SECOND;
    const of = spend({
      grant: grantKey,
      budget: budgetKey,
      replay,
      idempotency,
      amount: BigInt(one.amount),
      timeMs: this.#nowMs,
      keepUntilMs,
      grantUntilMs: keepUntilMs + one.grantLife * SECOND,
      window: { maxPayments: 1000, windowMs: WINDOW_MS },
    });
    const result = this.#ledger[one.do](of);
    if ('code' in result) {
      expect(result.code).toBe('STORE_FULL');
      return;
    }
    expect(result.receiptId).toBeGreaterThan(this.#lastReceipt);
    this.#lastReceipt = result.receiptId;
    const expected = ok(this.#model[one.do](of));
    this.#ids.set(expected.receiptId, result.receiptId);
    this.#keep(grantKey, keepUntilMs + one.grantLife * SECOND);
    for (const each of [budgetKey, replay, idempotency]) if (each !== undefined) this.#keep(each, keepUntilMs);
    this.#paid.push({ grant: grantKey, timeMs: this.#nowMs });
    if (replay !== undefined) this.#replays.push(replay);
    if (idempotency !== undefined) this.#answers.push(idempotency);
  }

  #end(one: Extract<Step, { do: 'settle' | 'release' }>): void {
    const open = this.#model.openReservations();
    const reservation = open[one.which % Math.max(open.length, 1)];
    if (reservation === undefined) {
      expect(this.#ledger.release(this.#lastReceipt + 1, this.#nowMs)).toMatchObject({ code: 'RESERVATION_NOT_FOUND' });
      return;
    }
    const { receiptId, amount } = reservation;
    const flashId = this.#ids.get(receiptId) as number;
    if (one.do === 'release') {
      ok(this.#model.release(receiptId, this.#nowMs));
      this.#lastReceipt = ok(this.#ledger.release(flashId, this.#nowMs)).receiptId;
      return;
    }
    const final = amount / BigInt(one.part) || 1n;
    ok(this.#model.settle(receiptId, final, this.#nowMs));
    this.#lastReceipt = ok(this.#ledger.settle(flashId, final, this.#nowMs)).receiptId;
  }

  #keep(of: LedgerKey, untilMs: number): void {
    this.#until.set(of, Math.max(this.#until.get(of) ?? 0, untilMs));
  }

  /** True where the floor has passed an entry: it may be gone. A second may be gained by rounding. */
  #isPast(of: LedgerKey): boolean {
    return (this.#until.get(of) ?? Number.POSITIVE_INFINITY) < this.#model.timeFloorMs();
  }

  /** Expects that both say the same, but for what may be gone. */
  compare(): void {
    const [flash, model]: SpendLedger[] = [this.#ledger, this.#model];
    if (flash === undefined || model === undefined) return;
    for (let i = 0; i < GRANTS; i++) {
      const grant = key(`g${i}`);
      this.#same(grant, flash.grantTotal(grant), model.grantTotal(grant), 0n);
      for (const back of [0, 5, 10, 20]) {
        if (this.#isPast(grant)) continue;
        const since = this.#nowMs - back * SECOND;
        const exact = model.paymentsSince(grant, since);
        const counted = flash.paymentsSince(grant, since);
        expect(counted).toBeGreaterThanOrEqual(exact);
        if (this.#paid.filter((one) => one.grant === grant).length <= 16) expect(counted).toBe(exact);
      }
    }
    for (let i = 0; i < BUDGETS; i++) {
      const budget = key(`b${i}`);
      this.#same(budget, flash.budgetTotal(budget), model.budgetTotal(budget), 0n);
      this.#same(budget, flash.budgetUsed(budget), model.budgetUsed(budget), false);
      this.#same(budget, flash.seen(budget), model.seen(budget), false);
    }
    for (const replay of this.#replays) this.#same(replay, flash.seen(replay), true, false);
    for (const answer of this.#answers) {
      const said = model.answered(answer);
      const expected = said && { ...said, receiptId: this.#ids.get(said.receiptId) as number };
      this.#same(answer, flash.answered(answer), expected, undefined);
    }
    expect(flash.seen(key('never'))).toBe(false);
    const open = (of: SpendLedger) => [...of.openReservations()].sort((a, b) => a.receiptId - b.receiptId);
    expect(open(flash)).toEqual(
      open(model).map((one) => ({ ...one, receiptId: this.#ids.get(one.receiptId) as number })),
    );
    expect(flash.timeFloorMs()).toBe(model.timeFloorMs());
    for (let i = 0; i < 3; i++) expect(flash.newestBundle(`bundle ${i}`)).toEqual(model.newestBundle(`bundle ${i}`));
  }

  /** Expects the same, or `gone` where the entry may be gone. A reservation that is open keeps its grant and budget. */
  #same<T>(of: LedgerKey, found: T, expected: T, gone: T): void {
    const held = this.#model.openReservations().some((one) => one.grant === of || one.budget === of);
    if (this.#isPast(of) && !held) expect([expected, gone]).toContainEqual(found);
    else expect(found).toEqual(expected);
  }
}

function ok(result: Receipt | LedgerRefusal): Receipt {
  if ('code' in result) throw new Error(`${result.code}: ${result.detail}`);
  return result;
}

it('the ledger on flash says what the one in memory says, whatever happens to it', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 40, maxLength: 120 }), (steps) => {
      const pair = new Pair();
      for (const [i, one] of steps.entries()) {
        pair.run(one);
        if (one.do === 'restart' || i % 20 === 19) pair.compare();
      }
      pair.restart();
      pair.compare();
    }),
    { numRuns: 200 },
  );
}, 60_000);
