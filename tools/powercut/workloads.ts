// The workloads that are walked cut by cut. Each begins with a payment of what the probe pays under, so that the probe needs
// no new entry. `random` makes longer ones.

import { SeededRandom } from '../../host-sim/flash/random.ts';
import type { BundleSize } from './bundles.ts';
import { type NamedSpend, WINDOW_MS } from './model.ts';
import { keyOf } from './names.ts';
import type { Partitions, Step } from './operations.ts';

/** Steps, and the flash they run on. */
export interface Workload {
  readonly name: string;
  /** True where the name is all that is needed to have it again. */
  readonly isNamed: boolean;
  readonly partitions: Partitions;
  readonly blockSize: number;
  /** What was done to the flash before the first step, without a cut. */
  readonly already: readonly Step[];
  readonly steps: readonly Step[];
  /** What must work after every cut, in this order. */
  readonly probes: readonly Step[];
}

const BEGIN_MS = Date.UTC(2026, 5, 1, 12);
const DAY_MS = 86_400_000;
/** Expires within the workload, once a bundle has moved the time floor. */
const SOON_MS = BEGIN_MS + 600_000;
const LATE_MS = BEGIN_MS + 30 * DAY_MS;

/** Writes steps down; every step is a second after the one before. */
class Script {
  readonly steps: Step[] = [{ do: 'provision' }];
  #timeMs = BEGIN_MS;

  pay(names: Partial<NamedSpend> = {}): this {
    this.steps.push({ do: 'pay', ...this.#spend(names) });
    return this;
  }

  reserve(name: string, names: Partial<NamedSpend> = {}): this {
    this.steps.push({ do: 'reserve', ...this.#spend({ name, ...names }) });
    return this;
  }

  settle(of: string, amount: bigint): this {
    this.steps.push({ do: 'settle', of, amount, timeMs: this.#tick() });
    return this;
  }

  release(of: string): this {
    this.steps.push({ do: 'release', of, timeMs: this.#tick() });
    return this;
  }

  upload(most = 1000): this {
    this.steps.push({ do: 'upload', most });
    return this;
  }

  admit(identity: string, issuedAtMs: number): this {
    this.steps.push({
      do: 'admit',
      identity,
      bundle: { issuedAtMs, expiresAtMs: issuedAtMs + 7 * DAY_MS, digest: keyOf(`bundle of ${issuedAtMs}`) },
    });
    return this;
  }

  /** Signed bundles that come in one answer are put in force. */
  switch(issuers: readonly string[], issuedAtMs: number, size: BundleSize = 'full'): this {
    this.steps.push({ do: 'switch', bundles: issuers.map((issuer) => ({ issuer, issuedAtMs })), size });
    return this;
  }

  floor(timeMs: number): this {
    this.steps.push({ do: 'floor', timeMs });
    return this;
  }

  idle(most = 1000): this {
    this.steps.push({ do: 'idle', most });
    return this;
  }

  restart(): this {
    this.steps.push({ do: 'restart' });
    return this;
  }

  /** The time moves on by so much. */
  wait(ms: number): this {
    this.#timeMs += ms;
    return this;
  }

  #tick(): number {
    this.#timeMs += 1000;
    return this.#timeMs;
  }

  #spend(names: Partial<NamedSpend>): NamedSpend {
    const timeMs = this.#tick();
    return { name: '', grant: 'g', budget: 'b', amount: 10n, timeMs, keepUntilMs: LATE_MS, ...names };
  }
}

function workload(name: string, partitions: Partitions, script: Script): Workload {
  const probes = new Script().wait(DAY_MS).pay({ amount: 3n }).steps.slice(1);
  const { steps } = script;
  if (partitions.bundles > 0) {
    const bundles = [{ issuer: 'night', issuedAtMs: SOON_MS + 60_000 }];
    probes.push({ do: 'switch beside an older one', older: 'day', bundles, size: 'lean' });
  }
  return { name, isNamed: true, partitions, blockSize: 1024, already: [], steps, probes };
}

/**
 * Small enough for every pair of cuts: the ledger's log goes around and the journal gives blocks up while a reservation is
 * open over restarts, and two bundles in force give way to newer ones, which lets entries expire. It begins on a device that
 * is provisioned and has the first bundles; how it came to that is in the others.
 */
export function shortWorkload(): Workload {
  const script = new Script()
    .pay()
    .idle()
    .reserve('r1', { budget: 'b2', amount: 50n })
    .pay({ budget: 'old', keepUntilMs: SOON_MS, replay: 'old' })
    .switch(['day', 'night'], SOON_MS + 1000, 'lean')
    .upload(2)
    .restart()
    .settle('r1', 20n)
    .idle()
    .upload()
    .restart()
    .pay()
    .idle()
    .upload()
    .reserve('r2', { amount: 9n })
    .release('r2')
    .idle();
  const { steps, ...rest } = workload('short', { ledger: 4, journal: 7, bundles: 4 }, script);
  const already = new Script().switch(['day', 'night'], BEGIN_MS, 'lean').steps;
  return { ...rest, already, steps: steps.slice(1) };
}

/** What a new device does first: its partitions are formatted, and the first payment is made. */
export function firstWorkload(): Workload {
  return workload('first', { ledger: 4, journal: 7, bundles: 0 }, new Script().pay());
}

/** Signed bundles of two issuers are put in force one after the other, over restarts, while payments go on. */
function bundlesWorkload(): Workload {
  const script = new Script()
    .pay()
    .switch(['day'], BEGIN_MS)
    .switch(['night'], BEGIN_MS + 60_000)
    .pay()
    .restart()
    .switch(['day'], BEGIN_MS + 120_000)
    .pay();
  return workload('bundles', { ledger: 6, journal: 7, bundles: 4 }, script);
}

/** Every kind of payment, reservations that end in every way, long windows, entries that expire. */
function mixedWorkload(): Workload {
  const script = new Script().pay().idle();
  for (let round = 0; round < 4; round++) {
    const soon = { keepUntilMs: SOON_MS + round * 60_000 };
    script
      .reserve(`s${round}`, {
        grant: 'v',
        budget: `s${round}`,
        idempotency: `is${round}`,
        perHour: 9,
        amount: 40n,
        papers: 'full',
        ...soon,
      })
      .reserve(`l${round}`, { budget: `l${round}`, replay: `l${round}`, amount: 25n, ...soon })
      .pay({ grant: 'v', budget: `p${round}`, replay: `dec${round}`, perHour: 9, ...soon })
      .pay({ idempotency: `ip${round}`, budget: `p${round}`, papers: round % 2 === 0 ? 'long' : 'lean', ...soon })
      .upload(round)
      .idle(2)
      .restart()
      .settle(`s${round}`, 40n - BigInt(round));
    for (let i = 0; i < 6; i++) script.pay({ amount: BigInt(100 + i) }).idle(i % 3);
    if (round % 2 === 1) script.restart();
    script
      .release(`l${round}`)
      .admit(round % 2 === 0 ? 'day' : 'night', SOON_MS + (round - 1) * 60_000)
      .upload()
      .idle();
  }
  return workload('mixed', { ledger: 10, journal: 12, bundles: 0 }, script);
}

/** No idle time at all: payments take the steps themselves; a window longer than is kept one by one. */
function busyWorkload(): Workload {
  const script = new Script();
  for (let i = 0; i < 45; i++) {
    script.pay({ perHour: 30, budget: i % 9 === 0 ? `b${i}` : 'b', keepUntilMs: i % 9 === 0 ? SOON_MS : LATE_MS });
    if (i === 30) script.reserve('r', { budget: 'r', perHour: 30, amount: 99n });
    if (i === 36) script.admit('bundle', SOON_MS + 60_000);
    if (i % 11 === 10) script.restart();
    if (i % 9 === 8) script.upload();
  }
  return workload('busy', { ledger: 8, journal: 8, bundles: 0 }, script.settle('r', 98n));
}

/** Restarts after every second payment, so that each finds another state of the log. */
function restartingWorkload(): Workload {
  const script = new Script();
  for (let i = 0; i < 20; i++) {
    script.pay({
      replay: i % 3 === 0 ? `d${i}` : 'b',
      budget: i % 3 === 0 ? 'b2' : 'b',
      keepUntilMs: i % 3 === 0 ? SOON_MS + i * 1000 : LATE_MS,
    });
    if (i % 4 === 1) script.reserve(`r${i}`, { idempotency: `i${i}`, keepUntilMs: SOON_MS });
    if (i % 4 === 3) script.settle(`r${i - 2}`, 1n);
    if (i % 7 === 6) script.floor(SOON_MS + i * 1000);
    if (i % 3 === 2) script.upload(4);
    script.idle(i % 5).restart();
  }
  return workload('restarting', { ledger: 8, journal: 10, bundles: 0 }, script);
}

/** The workloads with names. */
export function namedWorkloads(): readonly Workload[] {
  return [firstWorkload(), shortWorkload(), bundlesWorkload(), mixedWorkload(), busyWorkload(), restartingWorkload()];
}

/** A workload that a seed chooses; it never asks for what a verifier would have refused before. */
export function randomWorkload(seed: number): Workload {
  const random = new SeededRandom(seed);
  const one = <T>(of: readonly T[]): T => of[random.below(of.length)] as T;
  const script = new Script().pay();
  const open: string[] = [];
  let floorMs = 0;
  let nowMs = BEGIN_MS;
  const count = 30 + random.below(90);
  for (let i = 0; i < count; i++) {
    const wait = random.below(8) === 0 ? random.below(WINDOW_MS) : random.below(60_000);
    nowMs += wait + 1000;
    script.wait(wait);
    // What has expired is not paid under again; names of a quarter of an hour each.
    const epoch = Math.floor(Math.max(nowMs, floorMs) / 900_000);
    const grant = one(['g', 'g', 'v', `e${epoch}`]);
    const isLasting = !grant.startsWith('e');
    const budget = isLasting ? one(['b', 'b1', 'b2', `f${epoch}`]) : `f${epoch}`;
    const keepUntilMs = budget.startsWith('f') && !isLasting ? (epoch + 2) * 900_000 : LATE_MS;
    const names: Partial<NamedSpend> = {
      grant,
      budget,
      keepUntilMs,
      amount: BigInt(1 + random.below(1000)),
      ...(random.below(3) === 0 ? { replay: random.below(2) === 0 ? `d${i}` : budget, keepUntilMs } : {}),
      ...(random.below(4) === 0 ? { idempotency: `i${i}` } : {}),
      ...(grant === 'v' ? { perHour: 20 } : {}),
    };
    switch (random.below(14)) {
      case 0:
        script.restart();
        break;
      case 1:
      case 2:
        script.idle(random.below(12));
        break;
      case 3:
        script.idle();
        break;
      case 4:
        if (open.length < 3) {
          open.push(`r${i}`);
          script.reserve(`r${i}`, names);
        }
        break;
      case 5: {
        const name = open.splice(random.below(open.length), 1)[0];
        if (name === undefined) break;
        if (random.below(3) === 0) script.release(name);
        else script.settle(name, 1n);
        break;
      }
      case 6:
        floorMs = nowMs;
        if (random.below(3) === 0) script.floor(nowMs);
        else script.admit(one(['day', 'night']), nowMs);
        break;
      case 7:
        script.upload(random.below(10));
        break;
      case 8:
        script.upload();
        break;
      case 9:
        script.pay({ ...names, papers: one(['full', 'long']) });
        break;
      default:
        script.pay(names);
    }
  }
  const partitions = { ledger: 10 + random.below(8), journal: 9 + random.below(6), bundles: 0 };
  return { ...workload(`random ${seed}`, partitions, script), isNamed: false };
}
