// The authorization benchmark: payments from bytes to a durable decision, beside the bare signature checks they contain,
// in alternating rounds of one run, so that both meet the same machine. Ratios count; rates are for orientation.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { RECORD_BYTES } from '../../core/ledger/record.ts';
import { createPortableCrypto } from '../../core/ports/portable-crypto.ts';
import type { Crypto } from '../../core/ports/ports.ts';
import { Verifier } from '../../core/verifier.ts';
import { SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { FileStore, MemoryStore, type Store } from '../../host-sim/flash/store.ts';
import { SimulatedClock } from '../../host-sim/ports/clock.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import {
  BENCH_NOW_MS,
  BENCH_REQUEST,
  BENCH_ROOT,
  BENCH_SITE,
  type BenchPayment,
  benchBundle,
  benchPayments,
  checkBare,
} from './payments.ts';

/** One measured line. */
export interface BenchLine {
  readonly name: string;
  /** Payments (or sets of bare checks) per second, the median of the rounds. */
  readonly perSecond: number;
  /** Time of one payment over the time of its bare checks, the median of the rounds; 1 is the floor. */
  readonly ratio: number;
  /** What the ratio may be at most, where there is a budget. */
  readonly budget?: number;
}

interface Contender {
  readonly name: string;
  readonly budget?: number;
  /** Makes a fresh device with room for the payments; what it returns decides on them, and is what is timed. */
  prepare(payments: readonly BenchPayment[]): { run(): void; close(): void };
}

/** Runs the whole benchmark. `note` hears what is being measured. */
export function runAuthorizeBench(rounds: number, note: (text: string) => void): readonly BenchLine[] {
  return [false, true].flatMap((withSpa) => {
    const what = withSpa ? 'grant + SBA + SPA' : 'grant + SBA';
    note(`${what}: signing payments`);
    const payments = benchPayments(500, withSpa);
    const ofNode = [
      {
        name: `${what}, node:crypto, memory flash`,
        prepare: decider(createNodeCrypto, memory),
        ...(withSpa ? {} : { budget: 1.25 }),
      },
      { name: `${what}, node:crypto, file with fsync`, prepare: decider(createNodeCrypto, file) },
    ];
    const ofCore = [{ name: `${what}, core's own, memory flash`, prepare: decider(createPortableCrypto, memory) }];
    note(`${what}: measuring`);
    const checks = withSpa ? '3' : '2';
    return [
      ...compare(`${checks} bare checks, node:crypto`, checkAll, ofNode, payments, rounds),
      ...compare(
        `${checks} bare checks, core's own`,
        checkAllPortable,
        ofCore,
        payments.slice(0, 40),
        Math.max(3, Math.ceil(rounds / 4)),
      ),
    ];
  });
}

/** Alternates the floor and the contenders, and takes medians of the rounds. */
function compare(
  floorName: string,
  floor: (payments: readonly BenchPayment[]) => void,
  contenders: readonly Contender[],
  payments: readonly BenchPayment[],
  rounds: number,
): readonly BenchLine[] {
  const floorTimes: number[] = [];
  const times = contenders.map(() => [] as number[]);
  const ratios = contenders.map(() => [] as number[]);
  for (let round = -2; round < rounds; round++) {
    const floorTime = timeOf(() => floor(payments)) / payments.length;
    const taken = contenders.map((one) => {
      const prepared = one.prepare(payments);
      const time = timeOf(() => prepared.run()) / payments.length;
      prepared.close();
      return time;
    });
    // The first rounds warm the compiler.
    if (round < 0) continue;
    floorTimes.push(floorTime);
    for (const [i, time] of taken.entries()) {
      times[i]?.push(time);
      ratios[i]?.push(time / floorTime);
    }
  }
  return [
    { name: floorName, perSecond: 1000 / median(floorTimes), ratio: 1 },
    ...contenders.map((one, i) => ({
      name: one.name,
      perSecond: 1000 / median(times[i] ?? []),
      ratio: median(ratios[i] ?? []),
      ...(one.budget === undefined ? {} : { budget: one.budget }),
    })),
  ];
}

function checkAll(payments: readonly BenchPayment[]): void {
  for (const payment of payments) if (!checkBare(payment)) throw new Error('a bare check failed');
}

const portable = createPortableCrypto();

function checkAllPortable(payments: readonly BenchPayment[]): void {
  for (const payment of payments) {
    for (const one of payment.signatures) {
      if (!portable.ed25519Verify(one.publicKey, one.signature, one.digest)) throw new Error('a bare check failed');
    }
  }
}

type OpenStore = (size: number) => { readonly store: Store; close(): void };

function decider(crypto: () => Crypto, open: OpenStore): Contender['prepare'] {
  const shared = crypto();
  return (payments) => {
    const blocks = Math.ceil(((payments.length + 8) * RECORD_BYTES) / 4096);
    const { store, close } = open(blocks * 4096);
    const verifier = verifierOn(store, shared);
    const run = () => {
      for (const payment of payments) {
        const decision = verifier.authorize(payment.presentation, BENCH_REQUEST);
        if (!decision.ok) throw new Error(`a payment was refused: ${decision.code} ${decision.detail}`);
      }
    };
    return { run, close };
  };
}

function verifierOn(store: Store, crypto: Crypto): Verifier {
  const verifier = new Verifier({
    configuration: { ...BENCH_SITE, rootKeys: [BENCH_ROOT] },
    crypto,
    clock: new SimulatedClock(BENCH_NOW_MS),
    ledger: new FlashLedger(new SimulatedFlash(store), crypto),
  });
  const admission = verifier.admit(benchBundle());
  if (!admission.ok) throw new Error(`the bundle was refused: ${admission.code} ${admission.detail}`);
  return verifier;
}

function memory(size: number): ReturnType<OpenStore> {
  return { store: new MemoryStore(size), close: () => undefined };
}

function file(size: number): ReturnType<OpenStore> {
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-bench-'));
  const store = new FileStore(join(folder, 'ledger.flash'), { size });
  return {
    store,
    close: () => {
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Milliseconds. */
function timeOf(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
