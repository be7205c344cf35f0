// One conformance case: what it is called, what must come out, and how to ask an engine for it.

import type { ConformanceEngine, EngineResult } from '../../host-sim/conformance/engine.ts';

/** What must come out. */
export interface Expected {
  readonly ok: boolean;
  readonly code?: string | undefined;
  /** Compared where it is there. */
  readonly value?: string | undefined;
}

/** A case. `run` answers with every result it got; a sequence has as many as steps. */
export interface ConformanceCase {
  readonly id: string;
  /** A policy choice: either outcome passes. */
  readonly optional: boolean;
  /** A curve the case needs; a verifier without it must refuse. */
  readonly requires: string | undefined;
  readonly expected: readonly Expected[];
  run(engine: ConformanceEngine): readonly EngineResult[];
}

/** How a case went. */
export interface CaseResult {
  readonly id: string;
  readonly outcome: 'passed' | 'failed' | 'optional';
  /** Why it failed. */
  readonly detail?: string;
  /** Refused as it must be, with another code. */
  readonly codeDifference?: { readonly expected: string; readonly got: string };
}

/** Runs a case and judges it: `ok` first, values where given; a different code is noted, not failed. */
export function runCase(one: ConformanceCase, engine: ConformanceEngine): CaseResult {
  const results = attempt(one, engine);
  if (typeof results === 'string') return { id: one.id, outcome: 'failed', detail: results };
  if (one.requires !== undefined) {
    const accepted = results.some((result) => result.ok);
    return accepted
      ? { id: one.id, outcome: 'failed', detail: `accepted without ${one.requires}` }
      : { id: one.id, outcome: 'passed' };
  }
  const wrong = firstDifference(one.expected, results);
  if (one.optional) return { id: one.id, outcome: 'optional', ...(wrong ? { detail: wrong } : {}) };
  if (wrong !== undefined) return { id: one.id, outcome: 'failed', detail: wrong };
  const difference = codeDifference(one.expected, results);
  return { id: one.id, outcome: 'passed', ...(difference ? { codeDifference: difference } : {}) };
}

/** A case that cannot be run has failed; it is never skipped. */
function attempt(one: ConformanceCase, engine: ConformanceEngine): readonly EngineResult[] | string {
  try {
    const results = one.run(engine);
    return results.length === one.expected.length
      ? results
      : `${results.length} results, expected ${one.expected.length}`;
  } catch (error) {
    return `cannot be run: ${(error as Error).message.split('\n')[0]}`;
  }
}

function firstDifference(expected: readonly Expected[], results: readonly EngineResult[]): string | undefined {
  for (let i = 0; i < expected.length; i++) {
    const want = expected[i] as Expected;
    const got = results[i] as EngineResult;
    const where = expected.length > 1 ? `step ${i + 1}: ` : '';
    if (want.ok !== got.ok) {
      return `${where}${want.ok ? 'must be accepted' : `must be refused (${want.code ?? 'any code'})`}, ${shown(got)}`;
    }
    const value = got.total ?? (got.ok ? got.value : undefined);
    if (want.value !== undefined && want.value !== value)
      return `${where}expected ${want.value}, got ${value ?? 'nothing'}`;
  }
  return undefined;
}

function codeDifference(expected: readonly Expected[], results: readonly EngineResult[]): CaseResult['codeDifference'] {
  for (let i = 0; i < expected.length; i++) {
    const want = expected[i] as Expected;
    const got = results[i] as EngineResult;
    if (!got.ok && want.code !== undefined && want.code !== got.code) return { expected: want.code, got: got.code };
  }
  return undefined;
}

function shown(result: EngineResult): string {
  return result.ok ? 'was accepted' : `was refused: ${result.code} ${result.detail}`;
}
