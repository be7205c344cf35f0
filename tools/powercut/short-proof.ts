// The proof that mutants of the core are put to: the short workload with every single cut, and with some pairs of cuts. It
// stops at the first walk that finds something.

import { walkPairs, walkSingle } from './explore.ts';
import type { Violation } from './trial.ts';
import { shortWorkload } from './workloads.ts';

/** Walks until something is wrong. @returns what, and the cases that were tried */
export function proveShort(seed: number): { readonly cases: number; readonly violations: readonly Violation[] } {
  let cases = 0;
  const walks = [
    () => walkSingle(shortWorkload(), 'ones', seed),
    () => walkSingle(shortWorkload(), 'scrambled', seed),
    () => walkPairs(shortWorkload(), 'ones', seed, { secondForms: 1, oneOf: 10, which: 0 }),
  ];
  for (const walk of walks) {
    const { cases: tried, violations } = walk();
    cases += tried;
    if (violations.length > 0) return { cases, violations };
  }
  return { cases, violations: [] };
}
