// The authorization benchmark: payments from bytes to a durable decision, beside the bare signature checks they contain,
// by turns in one run, so that both meet the same machine. Ratios count; rates are for orientation.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
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
  BENCH_SITE,
  type BenchPayment,
  benchBundle,
  benchPayments,
  benchRoot,
  checkBare,
} from './payments.ts';

/**
 * One measured line. Each payment counts with the fastest of its rounds, which other work on the machine has touched least;
 * times are the medians over the payments.
 */
export interface BenchLine {
  readonly name: string;
  /** Payments (or sets of bare checks) per second. */
  readonly perSecond: number;
  /** Time of a payment over the time of its bare checks; 1 is the floor. */
  readonly ratio: number;
  /** The same ratio of the medians of all rounds, slow moments of the machine included. */
  readonly medianRatio: number;
  /** What the ratio may be at most, where there is a budget. */
  readonly budget?: number;
}

/** The bare checks that a contender is measured against. */
interface Floor {
  readonly name: string;
  check(payment: BenchPayment): void;
}

interface Contender {
  readonly name: string;
  readonly budget?: number;
  /** Makes a fresh device with room for the payments. */
  prepare(payments: readonly BenchPayment[]): {
    decide(payment: BenchPayment): void;
    /** What a device does between payments; not timed. */
    idle(): void;
    close(): void;
  };
}

/** Runs the whole benchmark. `note` hears what is being measured. */
export function runAuthorizeBench(rounds: number, note: (text: string) => void): readonly BenchLine[] {
  return [false, true].flatMap((withSpa) => {
    const what = withSpa ? 'grant + SBA + SPA' : 'grant + SBA';
    const checks = withSpa ? 3 : 2;
    note(`${what}: signing payments`);
    const payments = benchPayments(500, withSpa);
    note(`${what}: measuring`);
    const onNode = {
      name: `${what}, node:crypto, memory flash`,
      prepare: decider(createNodeCrypto(), memory),
      ...(withSpa ? {} : { budget: 1.25 }),
    };
    const onFile = { name: `${what}, node:crypto, file with fsync`, prepare: decider(createNodeCrypto(), file) };
    const onCore = { name: `${what}, core's own, memory flash`, prepare: decider(createPortableCrypto(), memory) };
    const nodeFloor = { name: `${checks} bare checks, node:crypto`, check: checkOnNode };
    const coreFloor = { name: `${checks} bare checks, core's own`, check: checkOnCore };
    const inMemory = compare(nodeFloor, onNode, payments, rounds);
    const inFile = compare(nodeFloor, onFile, payments, Math.ceil(rounds / 5));
    const inCore = compare(coreFloor, onCore, payments.slice(0, 50), Math.ceil(rounds / 3));
    // The floor of node:crypto is shown once; the file's ratio is to the one measured with it.
    return [inMemory.floor, inMemory.contender, inFile.contender, inCore.floor, inCore.contender];
  });
}

/** Times floor and contender by turns, payment by payment, so that both meet the same machine. */
function compare(
  floor: Floor,
  contender: Contender,
  payments: readonly BenchPayment[],
  rounds: number,
): { readonly floor: BenchLine; readonly contender: BenchLine } {
  const floorTimes = payments.map(() => [] as number[]);
  const times = payments.map(() => [] as number[]);
  // The first rounds warm the compiler.
  for (let round = -3; round < rounds; round++) {
    const device = contender.prepare(payments);
    for (const [i, payment] of payments.entries()) {
      const floorTime = timeOf(() => floor.check(payment));
      const time = timeOf(() => device.decide(payment));
      device.idle();
      if (round < 0) continue;
      floorTimes[i]?.push(floorTime);
      times[i]?.push(time);
    }
    device.close();
  }
  const least = (taken: readonly (readonly number[])[]) => median(taken.map((rounds) => Math.min(...rounds)));
  const line = (name: string, taken: readonly (readonly number[])[]) => ({
    name,
    perSecond: 1000 / least(taken),
    ratio: least(taken) / least(floorTimes),
    medianRatio: median(taken.flat()) / median(floorTimes.flat()),
  });
  const { name, budget } = contender;
  return {
    floor: line(floor.name, floorTimes),
    contender: { ...line(name, times), ...(budget === undefined ? {} : { budget }) },
  };
}

function checkOnNode(payment: BenchPayment): void {
  if (!checkBare(payment)) throw new Error('a bare check failed');
}

const portable = createPortableCrypto();

function checkOnCore(payment: BenchPayment): void {
  for (const one of payment.signatures) {
    if (!portable.ed25519Verify(one.publicKey, one.signature, one.digest)) throw new Error('a bare check failed');
  }
}

type OpenStore = (size: number) => { readonly store: Store; close(): void };

function decider(crypto: Crypto, open: OpenStore): Contender['prepare'] {
  return (payments) => {
    const { store, close } = open(Math.ceil((payments.length * BYTES_PER_PAYMENT) / 4096 + 4) * 4096);
    const { verifier, ledger } = deviceOn(store, crypto);
    const decide = (payment: BenchPayment) => {
      const decision = verifier.authorize(payment.presentation, BENCH_REQUEST);
      if (!decision.ok) throw new Error(`a payment was refused: ${decision.code} ${decision.detail}`);
    };
    const idle = () => {
      while (ledger.step());
    };
    idle();
    return { decide, idle, close };
  };
}

/** What the entries of a payment under a grant and a budget of its own take in the ledger, and some air. */
const BYTES_PER_PAYMENT = 160;

function deviceOn(store: Store, crypto: Crypto): { readonly verifier: Verifier; readonly ledger: FlashLedger } {
  const ledger = new FlashLedger(new SimulatedFlash(store), crypto);
  const verifier = new Verifier({
    configuration: { ...BENCH_SITE, rootKeys: [benchRoot()] },
    crypto,
    clock: new SimulatedClock(BENCH_NOW_MS),
    earliestMs: BENCH_NOW_MS,
    ledger,
  });
  const admission = verifier.admit(benchBundle());
  if (!admission.ok) throw new Error(`the bundle was refused: ${admission.code} ${admission.detail}`);
  return { verifier, ledger };
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
  const start = performance.now();
  work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
