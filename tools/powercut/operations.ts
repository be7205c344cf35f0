// What a workload can ask of a device: each operation says how it is carried out, and what the model learns from it. What
// joins the device adds its operations here, opens its part in `Device`, and says in model.ts what is expected of it.

import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import type { LedgerRefusal, Receipt } from '../../core/ledger/ledger.ts';
import { LONGEST_RECORD } from '../../core/ledger/spend-record.ts';
import type { NewestBundle } from '../../core/trust/admission.ts';
import type { SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { type Model, type NamedSpend, WINDOW_MS } from './model.ts';
import { CRYPTO, keyOf } from './names.ts';

/** One step of a workload, as data, so that a trace can print it. */
export type Step =
  | { readonly do: 'provision' }
  | ({ readonly do: 'pay' } & NamedSpend)
  | ({ readonly do: 'reserve' } & NamedSpend)
  | { readonly do: 'settle'; readonly of: string; readonly amount: bigint; readonly timeMs: number }
  | { readonly do: 'release'; readonly of: string; readonly timeMs: number }
  | { readonly do: 'admit'; readonly identity: string; readonly bundle: NewestBundle }
  | { readonly do: 'floor'; readonly timeMs: number }
  | { readonly do: 'idle'; readonly most: number }
  | { readonly do: 'restart' };

/** A device on a flash; what its parts keep in memory is gone with the object. All parts share the one flash. */
export class Device {
  readonly flash: SimulatedFlash;
  ledger: FlashLedger;

  constructor(flash: SimulatedFlash) {
    this.flash = flash;
    this.ledger = new FlashLedger(flash, CRYPTO);
  }

  /** Makes the flash one of an empty device, whatever is on it, as at the factory. */
  provision(): void {
    if (this.ledger.problem === undefined) return;
    FlashLedger.format(this.flash);
    this.restart();
  }

  /** Starts again on what is on flash. */
  restart(): void {
    this.ledger = new FlashLedger(this.flash, CRYPTO);
  }
}

/** What an operation answered: a receipt, a refusal, or nothing where there is nothing to say. */
export type Answer = Receipt | LedgerRefusal | undefined;

interface Operation<S extends Step> {
  readonly run: (device: Device, step: S, model: Model) => Answer;
  /** @param receiptId of the receipt, or the least it can be where nobody got to see it */
  readonly learn?: (model: Model, step: S, receiptId: number) => void;
  /** The receipt id of a step that was recorded without anybody being told, as far as the device tells. */
  readonly recorded?: (device: Device, step: S, model: Model) => number | undefined;
}

const OPERATIONS: { readonly [D in Step['do']]: Operation<Extract<Step, { do: D }>> } = {
  provision: {
    run: (device) => {
      device.provision();
      return undefined;
    },
  },
  pay: {
    run: ({ ledger }, step) => ledger.authorize(spendOf(step)),
    learn: (model, step, receiptId) => model.spent(step, receiptId, false),
    recorded: recordedSpend,
  },
  reserve: {
    run: ({ ledger }, step) => ledger.reserve(spendOf(step)),
    learn: (model, step, receiptId) => model.spent(step, receiptId, true),
    recorded: recordedSpend,
  },
  settle: {
    run: ({ ledger }, { of, amount, timeMs }, model) => {
      const open = model.reservations.get(of);
      return open && ledger.settle(open.receiptId, amount, timeMs);
    },
    learn: (model, { of, amount }) => model.ended(of, amount),
  },
  release: {
    run: ({ ledger }, { of, timeMs }, model) => {
      const open = model.reservations.get(of);
      return open && ledger.release(open.receiptId, timeMs);
    },
    learn: (model, { of }) => model.ended(of, 0n),
  },
  admit: {
    run: ({ ledger }, { identity, bundle }) => ledger.admitted(identity, bundle),
    learn: (model, { identity, bundle }) => model.admitted(identity, bundle),
  },
  floor: {
    run: ({ ledger }, { timeMs }) => ledger.raiseTimeFloor(timeMs),
    learn: (model, { timeMs }) => {
      model.floorMs = Math.max(model.floorMs, timeMs);
    },
  },
  idle: {
    run: ({ ledger }, { most }) => {
      for (let left = most; left > 0 && ledger.step(); left--);
      return ledger.problem?.code === 'STORE_FAILED' ? ledger.problem : undefined;
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

/** Carries a step out. */
export function run(device: Device, step: Step, model: Model): Answer {
  return operationOf(step).run(device, step, model);
}

/** Lets the model know what was answered. */
export function learn(model: Model, step: Step, answer: Answer): void {
  const receiptId = answer !== undefined && 'receiptId' in answer ? answer.receiptId : model.lastReceipt;
  operationOf(step).learn?.(model, step, receiptId);
  model.lastReceipt = Math.max(model.lastReceipt, receiptId);
}

/** What the model would be had the step been recorded, with ids that nobody was told taken from the device. */
export function learnUntold(device: Device, step: Step, model: Model): Model | undefined {
  const operation = operationOf(step);
  if (operation.learn === undefined) return undefined;
  const after = model.copy();
  const receiptId = operation.recorded?.(device, step, model) ?? model.lastReceipt + 1;
  operation.learn(after, step, receiptId);
  return after;
}

/** True where a refusal is as it should be: the ledger is nearly full. */
export function mayRefuse(device: Device, { code }: LedgerRefusal): boolean {
  const { used, of } = device.ledger.fill;
  return code === 'STORE_FULL' && used + LONGEST_RECORD > of;
}

/** A step in one line. */
export function describeStep(step: Step): string {
  return JSON.stringify(step, (_, value) => (typeof value === 'bigint' ? Number(value) : value));
}

function recordedSpend({ ledger }: Device, step: NamedSpend & { do: string }, model: Model): number | undefined {
  if (step.idempotency !== undefined) return ledger.answered(keyOf(step.idempotency))?.receiptId;
  if (step.do !== 'reserve') return undefined;
  const known = new Set([...model.reservations.values()].map((open) => open.receiptId));
  return ledger.openReservations().find((open) => !known.has(open.receiptId))?.receiptId;
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
