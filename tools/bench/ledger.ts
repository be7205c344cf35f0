// The ledger benchmark: what payments cost in bytes and erases, for how long a partition takes them, what a payment asks of
// the flash, and what a start reads. All of it is counted on a simulated flash; only times depend on the machine.

import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import type { Spend } from '../../core/ledger/ledger.ts';
import { mix } from '../../host-sim/flash/random.ts';
import type { FlashStatistics, SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import {
  BLOCK_BYTES,
  type BootLine,
  bootOf,
  DEVICE_BYTES,
  dearestOf,
  flashOf,
  type HotPathLine,
  keyOf,
  type Wear,
  wearOf,
} from './flash-costs.ts';
import { type JournalRoomLine, type JournalWearLine, runJournalBench } from './journal.ts';

/** How full of live entries the ledger is while its wear is counted. */
const FILLED = 0.8;
/** Entries that a gate's partition must hold. */
const GATE_ENTRIES = 10_000;

const BEGIN_MS = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;
/** After this the entries of a payment for one use have expired. */
const KEEP_MS = 20_000;
const crypto = createNodeCrypto();

/** Wear by one kind of payment. */
export interface WearLine extends Wear {
  readonly name: string;
  /** Entries that stay, over capacity; and all there are on the average, those that go with the next cleaning included. */
  readonly lasting: number;
  readonly filled: number;
}

/** The whole report. */
export interface LedgerBench {
  readonly wear: readonly WearLine[];
  readonly journalWear: readonly JournalWearLine[];
  readonly journalRoom: readonly JournalRoomLine[];
  readonly hotPath: readonly HotPathLine[];
  readonly boot: readonly BootLine[];
}

/** Runs it. `note` hears what is being measured. @param payments to count wear over */
export function runLedgerBench(payments: number, note: (text: string) => void): LedgerBench {
  note(`wear: ${payments} payments of each kind`);
  const wear = [
    countWear('64 KB, payments under live grants and budgets', payments, liveSpends, FILLED),
    countWear('64 KB, each with a new budget for one payment', payments, singleUseSpends, 0.6),
    countWear('64 KB, each with an SPA and an idempotency key', payments, decisionSpends, 0.3),
  ];
  note('hot path');
  const hotPath = [
    countHotPath('grant + SBA, seen before', liveSpends),
    countHotPath('grant + SBA for one payment', singleUseSpends),
    countHotPath('grant + SBA + SPA, idempotency key', decisionSpends),
    countHotPath('the same, velocity limit of 16', windowedSpends),
  ];
  note('journal');
  const journal = runJournalBench(payments);
  note('start at full capacity');
  return {
    wear,
    journalWear: journal.wear,
    journalRoom: journal.room,
    hotPath: [...hotPath, ...journal.hotPath],
    boot: [countBoot('64 KB', DEVICE_BYTES), countBoot('10 000 entries', gateBytes()), journal.boot],
  };
}

/** Gives the n-th payment of a kind; what it leaves behind can go after `keepMs`. */
type Spends = (number: number, timeMs: number, keepMs: number) => Spend;

const LIVE = 150;

const liveSpends: Spends = (number, timeMs) => spend(mix(7, number) % LIVE, timeMs, BEGIN_MS + 10_000 * DAY_MS);

/** Under a grant of its own for ten payments: what a record has in it is kept as long as the grant is. */
const singleUseSpends: Spends = (number, timeMs, keepMs) => {
  const budget = keyOf(`single ${number}`);
  const grant = keyOf(`short ${Math.floor(number / 10)}`);
  return { ...spend(0, timeMs, timeMs + keepMs), grant, budget, replay: budget };
};

const decisionSpends: Spends = (number, timeMs, keepMs) => ({
  ...spend(0, timeMs, timeMs + keepMs),
  grant: keyOf(`short ${Math.floor(number / 10)}`),
  budget: keyOf(`of ${Math.floor(number / 10)}`),
  replay: keyOf(`decision ${number}`),
  idempotency: keyOf(`idempotency ${number}`),
  content: keyOf('content'),
});

const windowedSpends: Spends = (number, timeMs, keepMs) => ({
  ...decisionSpends(number, timeMs, keepMs),
  grant: keyOf('windowed'),
  window: { maxPayments: 16, windowMs: DAY_MS },
});

function spend(pair: number, timeMs: number, keepUntilMs: number): Spend {
  return {
    grant: keyOf(`grant ${pair}`),
    budget: keyOf(`budget ${pair}`),
    replay: undefined,
    idempotency: undefined,
    content: undefined,
    amount: 2500n,
    timeMs,
    keepUntilMs,
  };
}

function idle(ledger: FlashLedger): void {
  while (ledger.step());
}

function pay(ledger: FlashLedger, one: Spend): void {
  const result = ledger.authorize(one);
  if ('code' in result) throw new Error(`a payment was refused: ${result.code} ${result.detail}`);
}

/** Fills with entries that stay until so many parts of the capacity are used. */
function fill(ledger: FlashLedger, part: number): void {
  for (let i = 0; ledger.fill.used < part * ledger.fill.of; i++) {
    pay(ledger, spend(i, BEGIN_MS, BEGIN_MS + 10_000 * DAY_MS));
    idle(ledger);
  }
}

/**
 * Payments, one a second, with idle time between, in a ledger a part of which is taken by entries that stay. What payments
 * leave behind goes when it has expired, a signed time has moved the floor, and its block is cleaned; it needs room on top.
 */
function countWear(name: string, payments: number, spends: Spends, lasting: number): WearLine {
  const flash = flashOf(DEVICE_BYTES);
  const ledger = new FlashLedger(flash, crypto);
  idle(ledger);
  fill(ledger, lasting);
  let timeMs = BEGIN_MS;
  let number = 0;
  const next = () => {
    timeMs += 1000;
    if (number % 20 === 0) ledger.raiseTimeFloor(timeMs);
    pay(ledger, spends(number++, timeMs, KEEP_MS));
    idle(ledger);
  };
  for (let i = 0; i < 5000; i++) next();
  let filled = 0;
  const wear = wearOf(flash, payments, () => {
    next();
    filled += ledger.fill.used / ledger.fill.of / payments;
  });
  return { name, ...wear, lasting, filled, ok: wear.ok && filled >= lasting };
}

/** The dearest of 100 payments in a ledger that is half full of other entries: a payment costs no more. */
function countHotPath(name: string, spends: Spends): HotPathLine {
  const flash = flashOf(DEVICE_BYTES);
  const ledger = new FlashLedger(flash, crypto);
  fill(ledger, 0.5);
  const costs: FlashStatistics[] = [];
  for (let i = 0; i < 100; i++) {
    ledger.raiseTimeFloor(BEGIN_MS + i * 1000);
    idle(ledger);
    const one = spends(i, BEGIN_MS + i * 1000, 5000);
    flash.resetStatistics();
    // As the verifier does: totals and ids are looked up before the spend is recorded.
    ledger.grantTotal(one.grant);
    ledger.budgetTotal(one.budget);
    if (one.replay !== undefined) ledger.seen(one.replay);
    if (one.idempotency !== undefined) ledger.answered(one.idempotency);
    if (one.window !== undefined) ledger.paymentsSince(one.grant, one.timeMs - one.window.windowMs);
    pay(ledger, one);
    costs.push(flash.statistics());
  }
  return dearestOf(name, costs, 1);
}

/** A ledger with as many replay ids as it holds, in small records and with nothing to clean any more. */
function full(bytes: number): { readonly flash: SimulatedFlash; readonly entries: number } {
  const flash = flashOf(bytes);
  const ledger = new FlashLedger(flash, crypto);
  for (let i = 0; ; i++) {
    const budget = keyOf(`full ${i}`);
    const result = ledger.authorize({ ...spend(0, BEGIN_MS, BEGIN_MS + DAY_MS), budget, replay: budget });
    if ('code' in result) return { flash, entries: ledger.fill.keys };
    idle(ledger);
  }
}

/** The least partition of whole blocks that holds a gate's entries. */
function gateBytes(): number {
  let bytes = DEVICE_BYTES;
  let { entries } = full(bytes);
  while (entries < GATE_ENTRIES) {
    // Entries per byte are nearly the same for every size; what is missing is added at once, then block by block.
    const more = Math.max(1, Math.floor(((GATE_ENTRIES - entries) * (bytes / entries) * 0.75) / BLOCK_BYTES));
    bytes += more * BLOCK_BYTES;
    entries = full(bytes).entries;
  }
  return bytes;
}

function countBoot(name: string, bytes: number): BootLine {
  const { flash, entries } = full(bytes);
  return bootOf(name, flash, entries, () => new FlashLedger(flash, crypto).memoryBytes);
}
