// What a workload can ask of a device: each operation says how it is carried out, and what the model learns from it. What
// joins the device adds its operations here, opens its part in `Device`, and says in model.ts what is expected of it.

import { Books } from '../../core/ledger/books.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { Journal } from '../../core/ledger/journal.ts';
import type { LedgerRefusal, Receipt } from '../../core/ledger/ledger.ts';
import { type ChainedReceipt, ReceiptChain } from '../../core/ledger/receipt-chain.ts';
import { LONGEST_RECORD } from '../../core/ledger/spend-record.ts';
import { FlashWindow } from '../../core/ports/flash-window.ts';
import type { NewestBundle } from '../../core/trust/admission.ts';
import type { SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { type BundleSize, BundleStore, identityOf, type NamedBundle } from './bundles.ts';
import { type Model, type NamedSpend, WINDOW_MS, type Wrong, wrongReceipt } from './model.ts';
import { CRYPTO, keyOf } from './names.ts';
import { papersOf } from './papers.ts';

/** One step of a workload, as data, so that a trace can print it. */
export type Step =
  | { readonly do: 'provision' }
  | ({ readonly do: 'pay' } & NamedSpend)
  | ({ readonly do: 'reserve' } & NamedSpend)
  | { readonly do: 'settle'; readonly of: string; readonly amount: bigint; readonly timeMs: number }
  | { readonly do: 'release'; readonly of: string; readonly timeMs: number }
  /** Hands the backend the oldest of what it has not acknowledged, and takes its acknowledgement. */
  | { readonly do: 'upload'; readonly most: number }
  | { readonly do: 'admit'; readonly identity: string; readonly bundle: NewestBundle }
  /** An answer with signed bundles is taken in, and they are put in force, in one write. */
  | { readonly do: 'switch'; readonly bundles: readonly NamedBundle[]; readonly size: BundleSize }
  /** The same, with a bundle in the answer that is older than the one in force, if only by a second: that one stays. */
  | {
      readonly do: 'switch beside an older one';
      readonly older: string;
      readonly bundles: readonly NamedBundle[];
      readonly size: BundleSize;
    }
  | { readonly do: 'floor'; readonly timeMs: number }
  | { readonly do: 'idle'; readonly most: number }
  | { readonly do: 'restart' };

/** The partitions of a flash, in blocks, in this order. */
export interface Partitions {
  readonly ledger: number;
  readonly journal: number;
  /** 0 where there is no bundle set. */
  readonly bundles: number;
}

/** Blocks of all of them. */
export function blocksOf({ ledger, journal, bundles }: Partitions): number {
  return ledger + journal + bundles;
}

/** What of a device is in memory. */
interface Parts {
  readonly ledger: FlashLedger;
  readonly journal: Journal;
  readonly books: Books;
  readonly bundles: BundleStore | undefined;
}

/** A device on a flash; what its parts keep in memory is gone with the object. All parts share the one flash. */
export class Device {
  readonly #flash: SimulatedFlash;
  readonly #ledgerFlash: FlashWindow;
  readonly #journalFlash: FlashWindow;
  readonly #bundleFlash: FlashWindow | undefined;
  #parts: Parts;

  constructor(flash: SimulatedFlash, { ledger, journal, bundles }: Partitions) {
    const window = (first: number, blocks: number) =>
      new FlashWindow(flash, first * flash.blockSize, blocks * flash.blockSize);
    this.#flash = flash;
    this.#ledgerFlash = window(0, ledger);
    this.#journalFlash = window(ledger, journal);
    this.#bundleFlash = bundles === 0 ? undefined : window(ledger + journal, bundles);
    this.#parts = this.#start();
  }

  get ledger(): FlashLedger {
    return this.#parts.ledger;
  }

  get journal(): Journal {
    return this.#parts.journal;
  }

  /** The two as one. */
  get books(): Books {
    return this.#parts.books;
  }

  get bundles(): BundleStore | undefined {
    return this.#parts.bundles;
  }

  /** Why nothing can be recorded, other than that there is no room. */
  get failure(): LedgerRefusal | undefined {
    for (const { problem } of [this.ledger, this.journal]) if (problem?.code === 'STORE_FAILED') return problem;
    return undefined;
  }

  /** Makes the flash one of an empty device, whatever is on it, as at the factory. */
  provision(): void {
    if (this.ledger.problem !== undefined) FlashLedger.format(this.#ledgerFlash);
    if (this.journal.problem !== undefined) Journal.format(this.#journalFlash);
    this.restart();
  }

  /** Starts again on what is on flash. */
  restart(): void {
    this.#parts = this.#start();
  }

  #start(): Parts {
    const ledger = new FlashLedger(this.#ledgerFlash, CRYPTO);
    const journal = new Journal(this.#journalFlash, CRYPTO);
    const books = new Books(ledger, journal);
    const flash = this.#bundleFlash;
    const bundles = flash && new BundleStore(flash, ledger, this.#flash.isUnstable);
    return { ledger, journal, books, bundles };
  }
}

/** What the backend was handed last, and has acknowledged. */
export interface Uploaded {
  readonly acknowledged: ChainedReceipt;
}

/** What the ledger remembers of the bundles that are in force now, in the order of the step's bundles. */
export interface Switched {
  readonly newest: readonly NewestBundle[];
}

/** What an operation answered: a receipt, a refusal, what was handed in; or nothing where there is nothing to say. */
export type Answer = Receipt | LedgerRefusal | Uploaded | Switched | Wrong | undefined;

interface Operation<S extends Step> {
  readonly run: (device: Device, step: S, model: Model) => Answer;
  readonly learn?: (model: Model, step: S, answer: Answer) => void;
  /**
   * For a step that is cut off: what it would have answered had it been carried out, as far as the device tells. Undefined
   * where it was not; left out where only comparing tells.
   */
  readonly untold?: (device: Device, model: Model, step: S) => Answer;
}

const OPERATIONS: { readonly [D in Step['do']]: Operation<Extract<Step, { do: D }>> } = {
  provision: {
    run: (device) => {
      device.provision();
      return undefined;
    },
  },
  pay: {
    run: ({ books }, step) => books.begin('authorize', spendOf(step), papersOf(step)),
    learn: (model, step) => model.spent(step, false),
  },
  reserve: {
    run: ({ books }, step) => books.begin('reserve', spendOf(step), papersOf(step)),
    learn: (model, step) => model.spent(step, true),
  },
  settle: {
    run: ({ books }, { of, amount, timeMs }, model) => {
      const open = model.reservations.get(of);
      return open && books.settle(open.receiptId, amount, timeMs);
    },
    learn: (model, { of, amount, timeMs }) => model.ended(of, amount, timeMs),
  },
  release: {
    run: ({ books }, { of, timeMs }, model) => {
      const open = model.reservations.get(of);
      return open && books.release(open.receiptId, timeMs);
    },
    learn: (model, { of, timeMs }) => model.ended(of, 0n, timeMs),
  },
  upload: {
    run: ({ journal }, { most }, model) => {
      const chain = new ReceiptChain(model.acknowledged);
      const known = model.acknowledged?.receiptId ?? 0;
      let wrong: string | undefined;
      let last: ChainedReceipt | undefined;
      const refusal = journal.unsent(0, most, (receipt) => {
        // What was sent before comes again where the acknowledgement was lost: the same, or something is wrong.
        wrong ??= wrongReceipt(receipt, model, 0);
        if (receipt.receiptId > known) wrong ??= chain.next(receipt);
        last = receipt;
      });
      if (typeof refusal !== 'number') return refusal;
      if (wrong !== undefined) return { rule: 'the backend is handed what was approved', detail: wrong };
      if (last === undefined || last.receiptId < known) return undefined;
      const { receiptId, previous, hash } = last;
      const objection = journal.acknowledge(receiptId);
      if (objection) return { rule: 'what was handed in can be acknowledged', detail: objection.detail };
      return { acknowledged: { receiptId, previous, hash } };
    },
    learn: (model, _, answer) => {
      if (answer !== undefined && 'acknowledged' in answer) model.acknowledged = answer.acknowledged;
    },
    untold: ({ journal }, model) => {
      const upTo = journal.acknowledgedUpTo;
      if (upTo <= (model.acknowledged?.receiptId ?? 0)) return undefined;
      let acknowledged: ChainedReceipt | undefined;
      journal.export((receipt) => {
        if (receipt.receiptId === upTo) acknowledged = receipt;
      });
      return acknowledged && { acknowledged };
    },
  },
  admit: {
    run: ({ ledger }, { identity, bundle }) => ledger.admitted(identity, bundle),
    learn: (model, { identity, bundle }) => model.admitted(identity, bundle),
  },
  switch: {
    run: (device, step) => {
      const [refusal] = device.bundles?.take(step.bundles, step.size) ?? [];
      if (refusal) return { rule: 'a good bundle is admitted', detail: `${refusal.code} ${refusal.detail}` };
      return switchedOrWrong(device, step.bundles);
    },
    learn: (model, { bundles }, answer) => learnSwitch(model, bundles, answer),
    untold: (device, _, { bundles }) => switched(device, bundles),
  },
  'switch beside an older one': {
    run: (device, { older, bundles, size }, model) => {
      const inForce = model.inForce.get(identityOf(older));
      const offered = inForce === undefined ? [] : [{ issuer: older, issuedAtMs: inForce - 1000 }];
      const refusals = device.bundles?.take([...offered, ...bundles], size) ?? [];
      if (refusals.length === offered.length && refusals.every(({ code }) => code === 'BUNDLE_ROLLBACK'))
        return switchedOrWrong(device, bundles);
      const detail = refusals.map(({ code, detail }) => `${code} ${detail}`).join(', ') || 'nothing was refused';
      return { rule: 'a bundle older than the one in force is refused, and it alone', detail };
    },
    learn: (model, { bundles }, answer) => learnSwitch(model, bundles, answer),
    untold: (device, _, { bundles }) => switched(device, bundles),
  },
  floor: {
    run: ({ ledger }, { timeMs }) => ledger.raiseTimeFloor(timeMs),
    learn: (model, { timeMs }) => {
      model.floorMs = Math.max(model.floorMs, timeMs);
    },
  },
  idle: {
    run: (device, { most }) => {
      for (let left = most; left > 0 && device.books.step(); left--);
      return device.failure;
    },
  },
  restart: {
    run: (device) => {
      device.restart();
      return undefined;
    },
  },
};

function operationOf(step: Step): Operation<Step> {
  return OPERATIONS[step.do] as unknown as Operation<Step>;
}

/** What the ledger remembers of bundles, where all of them are in force and remembered. */
function switched({ ledger, bundles }: Device, to: readonly NamedBundle[]): Switched | undefined {
  if (!bundles?.holds(to)) return undefined;
  const newest: NewestBundle[] = [];
  for (const { issuer, issuedAtMs } of to) {
    const remembered = ledger.newestBundle(identityOf(issuer));
    if (remembered?.issuedAtMs === issuedAtMs) newest.push(remembered);
  }
  return newest.length === to.length ? { newest } : undefined;
}

function switchedOrWrong(device: Device, to: readonly NamedBundle[]): Switched | Wrong {
  const rule = 'an admitted bundle is in force and remembered';
  return switched(device, to) ?? { rule, detail: `not all of ${JSON.stringify(to)} are` };
}

function learnSwitch(model: Model, to: readonly NamedBundle[], answer: Answer): void {
  if (answer === undefined || !('newest' in answer)) return;
  to.forEach(({ issuer, issuedAtMs }, i) => {
    model.admitted(identityOf(issuer), answer.newest[i] as NewestBundle);
    model.inForce.set(identityOf(issuer), issuedAtMs);
  });
}

/** Carries a step out. */
export function run(device: Device, step: Step, model: Model): Answer {
  return operationOf(step).run(device, step, model);
}

/** Lets the model know what was answered. */
export function learn(model: Model, step: Step, answer: Answer): void {
  operationOf(step).learn?.(model, step, answer);
}

/** What the model would be had the step been carried out, with what nobody was told taken from the device. */
export function learnUntold(device: Device, step: Step, model: Model): Model | undefined {
  const { learn, untold } = operationOf(step);
  const answer = untold?.(device, model, step);
  if (learn === undefined || (untold !== undefined && answer === undefined)) return undefined;
  const after = model.copy();
  learn(after, step, answer);
  return after;
}

/** True where a refusal is as it should be: the ledger is nearly full. */
export function mayRefuse(device: Device, { code }: LedgerRefusal): boolean {
  const { used, of } = device.ledger.fill;
  return code === 'STORE_FULL' && used + LONGEST_RECORD > of;
}

/** True where a refusal is as it should be because so much waits to be handed in; after an upload there must be room. */
export function waitsForUpload({ journal }: Device, { code }: LedgerRefusal): boolean {
  return code === 'STORE_FULL' && journal.fill.unsent > 0 && journal.fill.used >= journal.fill.of;
}

/** A step in one line. */
export function describeStep(step: Step): string {
  return JSON.stringify(step, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
}

function spendOf(spend: NamedSpend) {
  return {
    grant: keyOf(spend.grant),
    budget: keyOf(spend.budget),
    replay: spend.replay === undefined ? undefined : keyOf(spend.replay),
    idempotency: spend.idempotency === undefined ? undefined : keyOf(spend.idempotency),
    content: spend.idempotency === undefined ? undefined : keyOf(`${spend.budget} ${spend.amount}`),
    amount: spend.amount,
    timeMs: spend.timeMs,
    keepUntilMs: spend.keepUntilMs,
    window: spend.perHour === undefined ? undefined : { maxPayments: spend.perHour, windowMs: WINDOW_MS },
  };
}
