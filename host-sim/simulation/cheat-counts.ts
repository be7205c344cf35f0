// What devices decided about payers who cheat, by class: told or not, for what counts is that no cheat is taken.

import type { Decision } from '../../core/verifier.ts';
import type { HostileClass } from '../faults/hostile-payer.ts';

/** What came of the attempts of a class. */
export interface CheatCounts {
  readonly attempts: number;
  /** By code, sorted. */
  readonly refused: { readonly [code: string]: number };
  /** For the first time. There are to be none: at most a device whose clock is behind takes what has expired. */
  readonly approved: number;
  /** Told the receipt that the payment had before. */
  readonly repeated: number;
  /** The device was off, or its power went meanwhile. */
  readonly undecided: number;
}

/** Of the classes that occurred, by name, sorted. */
export interface CheatsByClass {
  readonly [name: string]: CheatCounts;
}

/** Counts them. */
export class CheatTally {
  readonly #classes = new Map<string, CheatCounts>();

  /** @param decision undefined where there was none */
  decided(name: HostileClass, decision: Decision | undefined): void {
    const one = {
      attempts: 1,
      refused: decision?.ok === false ? { [decision.code]: 1 } : {},
      approved: decision?.ok && !decision.repeated ? 1 : 0,
      repeated: decision?.ok && decision.repeated ? 1 : 0,
      undecided: decision === undefined ? 1 : 0,
    };
    const before = this.#classes.get(name);
    this.#classes.set(name, before === undefined ? one : sumOf(before, one));
  }

  get byClass(): CheatsByClass {
    return sorted(this.#classes);
  }
}

/** Those of several runs. */
export function cheatsTogether(a: CheatsByClass, b: CheatsByClass): CheatsByClass {
  const sums = new Map(Object.entries(a));
  for (const [name, counts] of Object.entries(b)) {
    const before = sums.get(name);
    sums.set(name, before === undefined ? counts : sumOf(before, counts));
  }
  return sorted(sums);
}

function sumOf(a: CheatCounts, b: CheatCounts): CheatCounts {
  const refused = new Map(Object.entries(a.refused));
  for (const [code, count] of Object.entries(b.refused)) refused.set(code, (refused.get(code) ?? 0) + count);
  return {
    attempts: a.attempts + b.attempts,
    refused: sorted(refused),
    approved: a.approved + b.approved,
    repeated: a.repeated + b.repeated,
    undecided: a.undecided + b.undecided,
  };
}

function sorted<Value>(values: ReadonlyMap<string, Value>): { readonly [name: string]: Value } {
  return Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}
