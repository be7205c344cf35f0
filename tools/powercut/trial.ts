// One workload on one kind of flash: runs it, remembers the flash before every operation, and tries what is left when the
// power goes at one of them in some form. Nothing is played again for that: the flash goes back to what it was.

import type { ErasedReads } from '../../host-sim/flash/cell-coding.ts';
import { PowerCut } from '../../host-sim/flash/power-cut.ts';
import { type FlashOperation, type FlashSnapshot, SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../host-sim/flash/store.ts';
import { describeForm, type TornForm } from '../../host-sim/flash/torn-forms.ts';
import { Model, type Wrong, wrongIn } from './model.ts';
import {
  blocksOf,
  Device,
  describeStep,
  learn,
  learnUntold,
  mayRefuse,
  type Partitions,
  run,
  type Step,
  waitsForUpload,
} from './operations.ts';
import type { Workload } from './workloads.ts';

/** Bytes that programs are aligned to. */
export const PROGRAM_SIZE = 16;

/** Where a workload can be taken up: the flash, with power; what it must know; the step that comes next. */
export interface Start {
  readonly flash: FlashSnapshot;
  readonly model: Model;
  readonly next: number;
}

/** The moment before a flash operation. */
export interface Point {
  readonly flash: FlashSnapshot;
  readonly operation: FlashOperation;
  /** What was known before the step that the operation belongs to. */
  readonly model: Model;
  readonly step: number;
  /** What was being carried out: the step, or an upload that had to come first. */
  readonly doing: Step;
}

/** A cut that was made. */
export interface Cut {
  readonly point: Point;
  readonly form: TornForm;
}

/** Something that a device got wrong, with all that is needed to see it again. */
export interface Violation {
  readonly workload: string;
  readonly partitions: Partitions;
  readonly erased: ErasedReads;
  readonly seed: number;
  /** The cuts, in words. */
  readonly cuts: readonly string[];
  readonly rule: string;
  readonly detail: string;
  /** The steps up to the violation, where the workload has no name to be found by. */
  readonly steps?: readonly string[];
}

/** A device that was started again after a cut: what it must know, and the step that comes next. */
export type Recovered = Omit<Start, 'flash'>;

/** True for what is wrong. */
export function isWrong(outcome: Wrong | object | undefined): outcome is Wrong {
  return outcome !== undefined && 'rule' in outcome;
}

/** See the head of the file. */
export class Trial {
  readonly workload: Workload;
  readonly erased: ErasedReads;
  readonly seed: number;
  readonly #flash: SimulatedFlash;
  readonly #first: FlashSnapshot;
  #device: Device | undefined;
  #unopened: FlashSnapshot | undefined;
  #heard: ((operation: FlashOperation) => void) | undefined;
  #listening: { readonly points: Point[]; readonly step: number } | undefined;

  constructor(workload: Workload, erased: ErasedReads, seed: number) {
    this.workload = workload;
    this.erased = erased;
    this.seed = seed;
    this.#flash = new SimulatedFlash(new MemoryStore(blocksOf(workload.partitions) * workload.blockSize), {
      geometry: { blockSize: workload.blockSize, programSize: PROGRAM_SIZE },
      erasedReads: erased,
      seed,
      onOperation: (operation) => this.#heard?.(operation),
    });
    if (workload.isProvisioned) new Device(this.#flash, workload.partitions).provision();
    this.#first = this.#flash.snapshot();
  }

  /** The flash before the first step: blank, or provisioned. */
  get begin(): Start {
    return { flash: this.#first, model: new Model(), next: 0 };
  }

  /**
   * Runs the rest of the workload with power, starts the device again and compares.
   *
   * @param points gets the moments before all operations
   */
  rest(start: Start, points?: Point[]): Wrong | undefined {
    return unlessThrown(() => this.#rest(start, points));
  }

  #rest(start: Start, points: Point[] | undefined): Wrong | undefined {
    const flash = this.#flash;
    flash.restore(start.flash);
    const model = start.model.copy();
    try {
      // A blank flash is formatted as it is opened: these operations are the first step's.
      this.#listen(points, model, start.next);
      const device = new Device(flash, this.workload.partitions);
      for (let step = start.next; step < this.workload.steps.length; step++) {
        this.#listen(points, model, step);
        const wrong = this.#carryOut(device, model, this.workload.steps[step] as Step);
        if (wrong) return wrong;
      }
      device.restart();
      return wrongIn(device, model);
    } finally {
      this.#heard = undefined;
      this.#listening = undefined;
    }
  }

  /**
   * Cuts the power at a point, starts again and compares. The device then is there for `nextPayment` and `here`.
   *
   * @param quick leaves comparing the journal to `nextPayment`
   * @returns what is wrong, or how the workload goes on
   */
  cut(cut: Cut, quick = false): Wrong | Recovered {
    return unlessThrown(() => this.#cut(cut, quick));
  }

  #cut({ point, form }: Cut, quick: boolean): Wrong | Recovered {
    const flash = this.#flash;
    const { operation, model } = point;
    flash.restore(point.flash);
    flash.cutAt(operation.number, form);
    try {
      if (operation.bytes === undefined) flash.erase(operation.offset);
      else flash.program(operation.offset, operation.bytes);
      return { rule: 'the harness cuts', detail: `operation ${operation.number} went through` };
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    flash.restart();
    const step = point.doing;
    const again = { model, next: point.step };
    // Nothing was answered before a device is provisioned, and what does not open is provisioned again. Opening may write
    // then, which is for `rest` to walk.
    this.#unopened = step.do === 'provision' ? flash.snapshot() : undefined;
    const device = new Device(flash, this.workload.partitions);
    this.#device = device;
    if (step.do === 'provision') return device.failure === undefined ? (wrongIn(device, model) ?? again) : again;
    // The second first: where all names of a payment are new, a device that has it has all that it had before, too.
    const after = learnUntold(device, step, model);
    if (after !== undefined && wrongIn(device, after, quick) === undefined)
      return { model: after, next: step === UPLOAD ? point.step : point.step + 1 };
    return wrongIn(device, model, quick) ?? again;
  }

  /** Where the workload goes on after a cut, to be taken up any time. */
  here(recovered: Recovered): Start {
    return { ...recovered, flash: this.#unopened ?? this.#flash.snapshot() };
  }

  /** Whether the next payment works right after a cut; `deep`: and all is there after idle time and another start. */
  nextPayment(recovered: Recovered, deep: boolean): Wrong | undefined {
    return unlessThrown(() => this.#nextPayment(recovered, deep));
  }

  #nextPayment({ model, next }: Recovered, deep: boolean): Wrong | undefined {
    if (this.workload.steps[next]?.do === 'provision') return undefined;
    const device = this.#device as Device;
    const known = model.copy();
    const wrong = this.#carryOut(device, known, this.workload.probe);
    if (wrong || !deep) return wrong ?? wrongIn(device, known);
    const idle = this.#carryOut(device, known, { do: 'idle', most: 1000 });
    if (idle) return idle;
    device.restart();
    return wrongIn(device, known);
  }

  /** What was found, in a form to print. */
  violation(wrong: Wrong, cuts: readonly Cut[]): Violation {
    const { name, partitions, steps, isNamed } = this.workload;
    const last = cuts[cuts.length - 1]?.point.step ?? steps.length - 1;
    return {
      workload: name,
      partitions,
      erased: this.erased,
      seed: this.seed,
      cuts: cuts.map(({ point, form }) => describeCut(point, form)),
      ...wrong,
      ...(isNamed ? {} : { steps: steps.slice(0, last + 1).map(describeStep) }),
    };
  }

  #carryOut(device: Device, model: Model, step: Step): Wrong | undefined {
    let answer = run(device, step, model);
    if (answer !== undefined && 'code' in answer && waitsForUpload(device, answer)) {
      const heard = this.#listening;
      this.#listen(heard?.points, model, heard?.step ?? 0, UPLOAD);
      const wrong = this.#carryOut(device, model, UPLOAD);
      if (wrong) return wrong;
      this.#listen(heard?.points, model, heard?.step ?? 0);
      answer = run(device, step, model);
    }
    if (isWrong(answer)) return answer;
    const failure = device.failure;
    if (failure) return { rule: 'the flash obeys', detail: failure.detail };
    if (answer !== undefined && 'code' in answer) {
      if (mayRefuse(device, answer)) return undefined;
      return { rule: 'the next payment works', detail: `${describeStep(step)}: ${answer.code} ${answer.detail}` };
    }
    if (answer !== undefined && 'receiptId' in answer && answer.receiptId !== model.lastReceipt + 1) {
      const detail = `${answer.receiptId} was given, and before that ${model.lastReceipt}`;
      return { rule: 'receipt ids ascend by one', detail };
    }
    learn(model, step, answer);
    return step.do === 'restart' ? wrongIn(device, model) : undefined;
  }

  #listen(points: Point[] | undefined, model: Model, step: number, doing = this.workload.steps[step] as Step): void {
    if (points === undefined) return;
    this.#listening = { points, step };
    let before: Model | undefined;
    this.#heard = (operation) => {
      before ??= model.copy();
      points.push({
        flash: this.#flash.snapshot(),
        operation: { ...operation, bytes: operation.bytes?.slice() },
        model: before,
        step,
        doing,
      });
    };
  }
}

/** What a full journal needs. */
const UPLOAD: Step = { do: 'upload', most: 1000 };

function describeCut({ operation, doing }: Point, form: TornForm): string {
  const { number, kind, offset, length } = operation;
  return `operation ${number} (${kind} of ${length} at ${offset}, during ${describeStep(doing)}): ${describeForm(form)}`;
}

/** Whatever is thrown is wrong. */
function unlessThrown<T>(work: () => T): T | Wrong {
  try {
    return work();
  } catch (error) {
    const { name, message } = error as Error;
    return { rule: 'nothing is thrown', detail: `${name}: ${message}` };
  }
}
