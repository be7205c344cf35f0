// What the benchmarks of ledger and journal share: a simulated flash as devices have it, budgets, and how wear and the cost of
// a payment are worked out of its counters.

import { ledgerKey } from '../../core/ledger/keys.ts';
import type { LedgerKey } from '../../core/ledger/ledger.ts';
import { type FlashStatistics, SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../host-sim/flash/store.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';

/** The ledger's partition of a device, and what blocks take. */
export const DEVICE_BYTES = 65_536;
export const BLOCK_BYTES = 4096;
const ERASES = 100_000;
/** Payments before the first block is worn out: this many, the most worn block at most twice the mean. */
export const LEAST_PAYMENTS = 10_000_000;
export const MOST_UNEVEN = 2;

/** Wear by payments of one kind. */
export interface Wear {
  readonly payments: number;
  readonly bytesPerPayment: number;
  readonly erasesPerPayment: number;
  /** The most worn block over the mean. */
  readonly unevenness: number;
  /** Payments until the most worn block has had its erases. */
  readonly paymentsUntilWorn: number;
  /** False where a budget is missed. */
  readonly ok: boolean;
}

/** What one payment asks of the flash, after idle time. */
export interface HotPathLine {
  readonly name: string;
  readonly programs: number;
  readonly erases: number;
  readonly bytesProgrammed: number;
  readonly reads: number;
  readonly bytesRead: number;
  /** False where it takes more programs than it may, or an erase. */
  readonly ok: boolean;
}

/** What a start at full capacity asks. */
export interface BootLine {
  readonly name: string;
  readonly bytes: number;
  readonly entries: number;
  readonly reads: number;
  readonly bytesRead: number;
  readonly milliseconds: number;
  /** Of the tables and buffers. */
  readonly memoryBytes: number;
}

/** A blank flash. */
export function flashOf(bytes: number): SimulatedFlash {
  return new SimulatedFlash(new MemoryStore(bytes), { geometry: { blockSize: BLOCK_BYTES, programSize: 16 } });
}

/** The wear of so many payments, each made by `next`. */
export function wearOf(flash: SimulatedFlash, payments: number, next: () => void): Wear {
  const before = flash.wear();
  flash.resetStatistics();
  for (let i = 0; i < payments; i++) next();
  const worn = flash.wear().map((erases, block) => erases - (before[block] as number));
  const total = worn.reduce((sum, erases) => sum + erases, 0);
  const most = Math.max(...worn);
  const unevenness = (most * worn.length) / total;
  const paymentsUntilWorn = Math.floor((ERASES / most) * payments);
  return {
    payments,
    bytesPerPayment: flash.statistics().bytesProgrammed / payments,
    erasesPerPayment: total / payments,
    unevenness,
    paymentsUntilWorn,
    ok: paymentsUntilWorn >= LEAST_PAYMENTS && unevenness <= MOST_UNEVEN,
  };
}

/** The dearest of payments, by each of their costs. */
export function dearestOf(name: string, costs: readonly FlashStatistics[], mostPrograms: number): HotPathLine {
  const most = (member: keyof FlashStatistics) => Math.max(...costs.map((cost) => cost[member]));
  const [programs, erases] = [most('programs'), most('erases')];
  return {
    name,
    programs,
    erases,
    bytesProgrammed: most('bytesProgrammed'),
    reads: most('reads'),
    bytesRead: most('bytesRead'),
    ok: programs <= mostPrograms && erases === 0,
  };
}

/** What five starts read, and the fastest of them. @param start opens what is on the flash, and tells its memory */
export function bootOf(name: string, flash: SimulatedFlash, entries: number, start: () => number): BootLine {
  const times: number[] = [];
  let memoryBytes = 0;
  for (let i = 0; i < 5; i++) {
    flash.resetStatistics();
    const started = performance.now();
    memoryBytes = start();
    times.push(performance.now() - started);
  }
  const { reads, bytesRead } = flash.statistics();
  return { name, bytes: flash.size, entries, reads, bytesRead, milliseconds: Math.min(...times), memoryBytes };
}

const crypto = createNodeCrypto();
const NO_SIGNER = new Uint8Array(0);
const names = new Map<string, LedgerKey>();

/** The ledger key of a name. */
export function keyOf(name: string): LedgerKey {
  // Names with numbers come once; the others again and again.
  if (names.size > 5000) names.clear();
  let key = names.get(name);
  if (key === undefined) {
    key = ledgerKey(crypto, 'grant', NO_SIGNER, name);
    names.set(name, key);
  }
  return key;
}
