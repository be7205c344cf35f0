// The journal's part of the ledger benchmark: what payments cost it, for how long its partition lasts, how many it keeps
// until they are handed in, what a payment asks of ledger and journal together, and what a start reads of a full one.

import type { JsonObject } from '../../core/json/value.ts';
import { Books } from '../../core/ledger/books.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { Journal, type JournalPayment } from '../../core/ledger/journal.ts';
import { FlashWindow } from '../../core/ports/flash-window.ts';
import type { FlashStatistics, SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import {
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
import { BENCH_NOW_MS, benchPayments } from './payments.ts';

/** The journal's partition. */
export const JOURNAL_BYTES = 262_144;
const crypto = createNodeCrypto();

/** Wear of the journal by payments that are handed in. */
export interface JournalWearLine extends Wear {
  readonly name: string;
}

/** Payments that a journal keeps while nobody takes them. */
export interface JournalRoomLine {
  readonly name: string;
  readonly payments: number;
  readonly atLeast: number;
  readonly ok: boolean;
}

/** What the journal adds to the report. */
export interface JournalBench {
  readonly wear: readonly JournalWearLine[];
  readonly room: readonly JournalRoomLine[];
  readonly hotPath: readonly HotPathLine[];
  readonly boot: BootLine;
}

/** Payments that it keeps at least (docs/STORAGE.md): with SPA and intent or without, so many under a grant. */
export const JOURNAL_ROOM = [
  { name: 'grant + SBA, ten payments a grant', full: false, perGrant: 10, atLeast: 750 },
  { name: 'grant + SBA, each its own grant', full: false, perGrant: 1, atLeast: 470 },
  { name: 'grant + SBA + SPA + intent, ten payments a grant', full: true, perGrant: 10, atLeast: 470 },
  { name: 'grant + SBA + SPA + intent, each its own grant', full: true, perGrant: 1, atLeast: 350 },
] as const;

/** Runs it. @param payments to count wear over, of each kind */
export function runJournalBench(payments: number): JournalBench {
  const kept = JOURNAL_ROOM.map((room) => ({ room, ...fullJournal(room.full, room.perGrant) }));
  const each = kept.find(({ room }) => !room.full && room.perGrant === 1) as JournalFilled;
  return {
    wear: [
      countWear('256 KB journal, grant + SBA, ten payments a grant', payments, false, 10),
      countWear('256 KB journal, grant + SBA + SPA + intent, each its own grant', payments, true, 1),
    ],
    room: kept.map(({ room: { name, atLeast }, count }) => ({ name, payments: count, atLeast, ok: count >= atLeast })),
    hotPath: [
      countHotPath('grant + SBA, ledger and journal, grant known', false, 1000, 2),
      countHotPath('grant + SBA, ledger and journal, new grant', false, 1, 3),
      countHotPath('grant + SBA + SPA + intent, ledger and journal, new grant', true, 1, 3),
    ],
    boot: countBoot(each),
  };
}

/** A journal of its own, whose ledger knows of everything. */
function journalOn(flash: SimulatedFlash): Journal {
  const journal = new Journal(flash, crypto);
  journal.reconcile(0);
  return journal;
}

const samples = new Map<boolean, JsonObject>();

/** A signed payment to begin with, made when it is first needed. */
function sampleOf(full: boolean): JsonObject {
  let sample = samples.get(full);
  if (sample === undefined) {
    const [payment] = benchPayments(1, full);
    sample = JSON.parse(new TextDecoder().decode(payment?.presentation)) as JsonObject;
    samples.set(full, sample);
  }
  return sample;
}

/** What a payer presents: members and lengths of the vectors p-grant, p-sba and p-spa, other ids and signatures each time. */
function artifacts(number: number, grantNumber: number, full: boolean): Pick<JournalPayment, 'grant' | 'sba'> {
  const { grant, sba, spa, settlementIntent } = sampleOf(full) as Readonly<Record<string, JsonObject>>;
  const id = String(number).padStart(8, '0');
  const ids = { budgetId: `550e8400-e29b-41d4-a716-0000${id}`, sessionId: `sess-${number}` };
  return {
    grant: signed(grant as JsonObject, 'grant', { grantId: `grant_${grantNumber}` }, grantNumber),
    sba: signed(sba as JsonObject, 'authorization', { ...ids, grantId: `grant_${grantNumber}` }, number * 3),
    ...(full
      ? {
          spa: signed(spa as JsonObject, 'authorization', { ...ids, decisionId: `dec_${number}` }, number * 5),
          settlementIntent,
        }
      : {}),
  };
}

/** The artifact with other members and a signature that is no other's. */
function signed(artifact: JsonObject, name: string, changes: JsonObject, mark: number): JsonObject {
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => (mark >> (i % 4)) * 31 + i * 7);
  return {
    ...artifact,
    [name]: { ...(artifact[name] as JsonObject), ...changes },
    signature: Buffer.from(bytes).toString('base64'),
  };
}

function entry(receiptId: number, perGrant: number, full: boolean): JournalPayment {
  const presented = artifacts(receiptId, Math.floor(receiptId / perGrant), full);
  return {
    kind: 'payment',
    receiptId,
    mode: 'authorize',
    amount: 2500n,
    timeMs: BENCH_NOW_MS + receiptId,
    ...presented,
  };
}

interface JournalFilled {
  readonly flash: SimulatedFlash;
  readonly count: number;
}

/** Payments until it is full, with idle time between. */
function fullJournal(full: boolean, perGrant: number): JournalFilled {
  const flash = flashOf(JOURNAL_BYTES);
  const journal = journalOn(flash);
  for (let count = 0; ; count++) {
    if ('code' in journal.append(entry(count + 1, perGrant, full))) return { flash, count };
    while (journal.step());
  }
}

/** Payments that are handed in ten at a time, with idle time between; the last hundred wait. */
function countWear(name: string, payments: number, full: boolean, perGrant: number): JournalWearLine {
  const flash = flashOf(JOURNAL_BYTES);
  const journal = journalOn(flash);
  let receiptId = 0;
  const next = () => {
    const written = journal.append(entry(++receiptId, perGrant, full));
    if ('code' in written) throw new Error(`an entry was refused: ${written.code} ${written.detail}`);
    if (receiptId % 10 === 0 && receiptId > 100) journal.acknowledge(receiptId - 100);
    while (journal.step());
  };
  for (let i = 0; i < 1500; i++) next();
  return { name, ...wearOf(flash, payments, next) };
}

/** The dearest of 100 payments into ledger and journal, whose idle time was long enough. */
function countHotPath(name: string, full: boolean, perGrant: number, mostPrograms: number): HotPathLine {
  const flash = flashOf(DEVICE_BYTES + JOURNAL_BYTES);
  const ledger = new FlashLedger(new FlashWindow(flash, 0, DEVICE_BYTES), crypto);
  const books = new Books(ledger, new Journal(new FlashWindow(flash, DEVICE_BYTES), crypto));
  const costs: FlashStatistics[] = [];
  for (let i = 0; i < 101; i++) {
    while (books.step());
    const timeMs = BENCH_NOW_MS + i * 1000;
    const grant = keyOf(`journal grant ${Math.floor(i / perGrant)}`);
    const budget = keyOf(`journal budget ${i}`);
    const [replay, idempotency, content] = [undefined, undefined, undefined];
    const of = { grant, budget, replay, idempotency, content, amount: 2500n, timeMs, keepUntilMs: timeMs + 9000 };
    flash.resetStatistics();
    const result = books.begin('authorize', of, artifacts(i, Math.floor(i / perGrant), full));
    if ('code' in result) throw new Error(`a payment was refused: ${result.code} ${result.detail}`);
    // Under a grant that is known to the journal: not the first one.
    if (i > 0) costs.push(flash.statistics());
  }
  return dearestOf(name, costs, mostPrograms);
}

function countBoot({ flash, count }: JournalFilled): BootLine {
  return bootOf('256 KB journal, full of grant + SBA', flash, count, () => {
    const journal = new Journal(flash, crypto);
    journal.reconcile(count);
    return journal.memoryBytes;
  });
}
