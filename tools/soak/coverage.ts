// What a soak has seen of all there is, so that what it never saw has a name.

import type { ReasonCode } from '../../core/reason-codes.ts';
import { HOSTILE_CLASSES } from '../../host-sim/faults/hostile-payer.ts';
import type { RunResult } from '../../host-sim/simulation/run.ts';
import type { TraceEvent } from '../../host-sim/simulation/trace.ts';
import { ACTIONS, FAULTS, type ScenarioValues } from '../scenario/schema.ts';

/** How often something was seen, by its name; 0 where it never was. */
export type Counts = { readonly [name: string]: number };

/** See the head of the file. */
export interface Coverage {
  /** Members of a scenario file's `faults`: in so many scenarios. */
  readonly faults: Counts;
  readonly actions: Counts;
  /** Payments. */
  readonly hostile: Counts;
  /** Payments, by the code of their refusal: those that payers of a simulation can cause. */
  readonly refused: Counts;
  /** Bundles and requests that were refused or failed, by why. */
  readonly refreshes: Counts;
}

/** What payments of a scenario can be refused with. */
export const REFUSALS_OF_PAYMENTS: readonly ReasonCode[] = [
  'AMOUNT_EXCEEDED',
  'AMOUNT_MISMATCH',
  'ARTIFACT_EXPIRED',
  'ARTIFACT_INVALID',
  'ASSET_MISMATCH',
  'BUDGET_ID_REPLAY',
  'CLOCK_UNTRUSTED',
  'CURRENCY_MISMATCH',
  'DESTINATION_MISMATCH',
  'DESTINATION_NOT_ALLOWED',
  'DEVICE_BUSY',
  'FPA_CAP_EXCEEDED',
  'FPA_OPERATOR_NOT_ALLOWED',
  'FPA_SIGNATURE_INVALID',
  'GATEWAY_NOT_AUTHORIZED',
  'GRANT_BUDGET_EXCEEDED',
  'GRANT_REVOKED',
  'IDEMPOTENCY_CONFLICT',
  'INTENT_HASH_MISMATCH',
  'ISSUER_NOT_PERMITTED',
  'KEY_NOT_FOUND',
  'KEY_REVOKED',
  'LIMIT_EXCEEDED',
  'NO_TRUST_BUNDLE',
  'OFFLINE_CUMULATIVE_EXCEEDED',
  'OFFLINE_SINGLE_EXCEEDED',
  'POLICY_GRANT_NOT_FOUND',
  'POLICY_GRANT_SIGNATURE_INVALID',
  'POLICY_HASH_MISMATCH',
  'PURPOSE_NOT_ALLOWED',
  'RAIL_MISMATCH',
  'SBA_INVALID',
  'SBA_NOT_FOUND',
  'SBA_SIGNATURE_INVALID',
  'SCOPE_UNSUPPORTED',
  'SESSION_MISMATCH',
  'SPA_SIGNATURE_INVALID',
  'STORE_FAILED',
  'STORE_FULL',
  'SUBJECT_ACTOR_MISMATCH',
  'VELOCITY_LIMIT_EXCEEDED',
  'VERSION_UNSUPPORTED',
];

/** What is seen in one scenario alone: where it is broken off, it was not seen. */
export class HeardInScenario {
  readonly hostile = new Map<string, number>();
  readonly refreshes = new Map<string, number>();

  heard({ event, hostile, failure }: TraceEvent): void {
    if (event === 'payment' && hostile !== undefined) add(this.hostile, String(hostile));
    if (event === 'refresh.failed' || event === 'upload.failed') add(this.refreshes, String(failure ?? event));
  }
}

/** Gathers it. */
export class CoverageCount {
  readonly #faults = zeroes(FAULTS);
  readonly #actions = zeroes(ACTIONS);
  readonly #hostile = zeroes(HOSTILE_CLASSES);
  readonly #refused = zeroes(REFUSALS_OF_PAYMENTS);
  readonly #refreshes = new Map<string, number>();

  /** What a scenario has in it. */
  has({ faults = [], actions = [] }: Pick<ScenarioValues, 'faults' | 'actions'>): void {
    for (const [all, of] of [
      [faults, this.#faults],
      [actions, this.#actions],
    ] as const)
      for (const name of of.keys()) if (all.some((one) => name in one)) add(of, name);
  }

  /** A scenario is over, with what was heard in it. */
  ended({ refused }: Pick<RunResult, 'refused'>, { hostile, refreshes }: HeardInScenario): void {
    for (const [code, count] of Object.entries(refused)) add(this.#refused, code, count);
    for (const [name, count] of hostile) add(this.#hostile, name, count);
    for (const [why, count] of refreshes) add(this.#refreshes, why, count);
  }

  get coverage(): Coverage {
    return {
      faults: Object.fromEntries(this.#faults),
      actions: Object.fromEntries(this.#actions),
      hostile: Object.fromEntries(this.#hostile),
      refused: Object.fromEntries(this.#refused),
      refreshes: Object.fromEntries(this.#refreshes),
    };
  }
}

function zeroes(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name) => [name, 0]));
}

function add(counts: Map<string, number>, name: string, more = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + more);
}
