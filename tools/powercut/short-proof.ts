// The proof that mutants of the core are put to: every single cut of some workloads, and some pairs of cuts of the short one.
// It stops at the first walk that finds something.

import { walkPairs, walkSingle } from './explore.ts';
import type { Violation } from './trial.ts';
import { namedWorkloads, shortWorkload, type Workload } from './workloads.ts';

/** Walks until something is wrong. @returns what, and the cases that were tried */
export function proveShort(seed: number): { readonly cases: number; readonly violations: readonly Violation[] } {
  let cases = 0;
  const walks = [
    () => walkSingle(shortWorkload(), 'ones', seed, 8),
    () => walkPairs(shortWorkload(), 'ones', seed, { secondForms: 1, oneOf: 40, which: 0 }),
    () => walkSingle(named('busy'), 'ones', seed, 8),
    () => walkSingle(named('restarting'), 'ones', seed, 8),
    () => walkSingle(shortWorkload(), 'scrambled', seed, 8),
  ];
  for (const walk of walks) {
    const { cases: tried, violations } = walk();
    cases += tried;
    if (violations.length > 0) return { cases, violations };
  }
  return { cases, violations: [] };
}

function named(wanted: string): Workload {
  return namedWorkloads().find(({ name }) => name === wanted) as Workload;
}
