// The steps of the day as events: what was expected, what came, and whether both agree. Whoever shows them needs nothing
// else.

import type { ReasonCode } from '../../core/reason-codes.ts';

/** What can come of a step. `repeated` is an approval that was given before and counts once. */
export type DayVerdict = 'done' | 'approved' | 'repeated' | 'refused' | 'unreachable' | 'power-cut' | 'failed';

/** What a step is expected to come to. */
export interface Expectation {
  readonly verdict: DayVerdict;
  /** For `refused`. */
  readonly code?: ReasonCode;
}

/** One step. */
export interface DayStep {
  /** From 1. */
  readonly step: number;
  readonly title: string;
  readonly expected: Expectation;
  readonly verdict: DayVerdict;
  readonly code?: ReasonCode;
  /** One sentence for a person; where something else was wrong than verdict and code, it says what. */
  readonly detail: string;
  readonly ok: boolean;
}

/** What a step came to. `wrong` names whatever else was not as it has to be: relay, flash, totals. */
export interface Outcome {
  readonly verdict: DayVerdict;
  readonly code?: ReasonCode;
  readonly detail: string;
  readonly wrong?: readonly string[];
}

interface Announced {
  readonly title: string;
  readonly expected: Expectation;
}

/** Runs steps one after the other, and emits each as it ends. */
export class Steps {
  readonly #emit: (step: DayStep) => void;
  #running: Announced | undefined;
  #count = 0;
  #ok = true;

  constructor(emit: (step: DayStep) => void) {
    this.#emit = emit;
  }

  /** True while every step was as expected. */
  get ok(): boolean {
    return this.#ok;
  }

  /** Runs one step. What it throws comes through: later steps build on it. */
  async run(title: string, expected: Expectation, work: () => Outcome | Promise<Outcome>): Promise<void> {
    const announced = { title, expected };
    this.#running = announced;
    this.#end(announced, await work());
    this.#running = undefined;
  }

  /** Emits that something was thrown, in a step or between two. Nothing more is run then. */
  stop(error: Error): void {
    const announced = this.#running ?? { title: 'between two steps', expected: { verdict: 'done' } };
    this.#end(announced, { verdict: 'failed', detail: `${error.name}: ${error.message}` });
  }

  #end({ title, expected }: Announced, outcome: Outcome): void {
    const { verdict, code, wrong = [] } = outcome;
    const ok = verdict === expected.verdict && code === expected.code && wrong.length === 0;
    this.#ok &&= ok;
    const detail = wrong.length === 0 ? outcome.detail : `${outcome.detail}; but ${wrong.join(', ')}`;
    this.#emit({ step: ++this.#count, title, expected, verdict, ...(code === undefined ? {} : { code }), detail, ok });
  }
}
