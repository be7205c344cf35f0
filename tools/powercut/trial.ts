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

/**
 * What is tried after a cut: the next payment; all probes of the workload, of which it is the first; or all of them, then idle
 * time and another start.
 */
export type Depth = 'payment' | 'probes' | 'deep';

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
  readonly #begin: Start;
  /** What went wrong before the workload. */
  readonly #notBegun: Wrong | undefined;
  #device: Device | undefined;
  /** The flash before the device was opened on it after a cut, where opening it wrote something. */
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
    const model = new Model();
    this.#notBegun = unlessThrown(() => this.#already(model));
    this.#begin = { flash: this.#flash.snapshot(), model, next: 0 };
  }

  /** The flash before the first step: blank, or what has already been done to it. */
  get begin(): Start {
    return this.#begin;
  }

  /** Carries out what comes before the workload, without a cut. */
  #already(model: Model): Wrong | undefined {
    const { already, partitions } = this.workload;
    if (already.length === 0) return undefined;
    const device = new Device(this.#flash, partitions);
    for (const step of already) {
      const wrong = this.#carryOut(device, model, step);
      if (wrong) return wrong;
    }
    return undefined;
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
    if (this.#notBegun) return this.#notBegun;
    const flash = this.#flash;
    flash.restore(start.flash);
    const model = start.model.copy();
    try {
      // A blank flash is formatted as it is opened: these operations are the first step's.
      const isBlank = this.workload.steps[start.next]?.do === 'provision';
      this.#listen(points, model, start.next, isBlank ? PROVISION : RESTART);
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
   * Cuts the power at a point, starts again and compares. The device then is there for `probe` and `here`.
   *
   * @param quick leaves comparing the journal to `probe`
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
    const device = this.#open();
    // Nothing was answered before a device is provisioned, and what does not open is provisioned again.
    if (step.do === 'provision') return device.failure === undefined ? (wrongIn(device, model) ?? again) : again;
    // The second first: where all names of a payment are new, a device that has it has all that it had before, too.
    const after = learnUntold(device, step, model);
    if (after !== undefined && wrongIn(device, after, quick) === undefined)
      return { model: after, next: step === UPLOAD ? point.step : point.step + 1 };
    return wrongIn(device, model, quick) ?? again;
  }

  /** Starts the device. Where that writes, the power may go again as it does, which is for `rest` to walk. */
  #open(): Device {
    this.#unopened = undefined;
    this.#heard = () => {
      this.#unopened ??= this.#flash.snapshot();
    };
    try {
      this.#device = new Device(this.#flash, this.workload.partitions);
    } finally {
      this.#heard = undefined;
    }
    return this.#device;
  }

  /** Where the workload goes on after a cut, to be taken up any time. */
  here(recovered: Recovered): Start {
    return { ...recovered, flash: this.#unopened ?? this.#flash.snapshot() };
  }

  /** Whether what must work right after a cut does. */
  probe(recovered: Recovered, depth: Depth): Wrong | undefined {
    return unlessThrown(() => this.#probe(recovered, depth));
  }

  #probe({ model, next }: Recovered, depth: Depth): Wrong | undefined {
    if (this.workload.steps[next]?.do === 'provision') return undefined;
    const device = this.#device as Device;
    const known = model.copy();
    for (const probe of this.workload.probes.slice(0, depth === 'payment' ? 1 : undefined)) {
      const wrong = this.#carryOut(device, known, probe);
      if (wrong) return wrong;
    }
    if (depth !== 'deep') return wrongIn(device, known);
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

/** What a device does when the power is back. */
const PROVISION: Step = { do: 'provision' };
const RESTART: Step = { do: 'restart' };

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
