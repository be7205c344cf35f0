// What a scenario is once it was read: who takes part, what happens when, and what must come of it. Times are milliseconds from
// its beginning, spans are milliseconds, and whoever is meant is named: nothing is left to be looked up.

import type { JsonObject } from '../../core/json/value.ts';
import type { FaultTerms } from '../faults/fault.ts';
import type { HostileClass } from '../faults/hostile-payer.ts';
import type { SigningKey } from '../signing/keys.ts';

/** See the head of the file. */
export interface Scenario {
  readonly title: string;
  readonly seed: number;
  /** Wall time at which it begins. */
  readonly beginsMs: number;
  readonly durationMs: number;
  /** Time after it in which links are up and nobody pays: until its end everything that was approved is handed in. */
  readonly settleMs: number;
  readonly authority: AuthorityTerms;
  readonly devices: readonly DeviceTerms[];
  readonly wallets: readonly WalletTerms[];
  readonly arrivals: readonly ArrivalTerms[];
  readonly links: readonly LinkTerms[];
  readonly faults: readonly FaultTerms[];
  readonly actions: readonly Action[];
  readonly expect: Expectations;
}

/** Who issues grants and Trust Bundles. */
export interface AuthorityTerms {
  readonly issuer: string;
  readonly grantKey: SigningKey;
  /** Signs Trust Bundles. */
  readonly rootKey: SigningKey;
  readonly bundleEveryMs: number;
  readonly bundleLifetimeMs: number;
}

/** A device, as it leaves manufacture. */
export interface DeviceTerms {
  readonly deviceId: string;
  /** Its provisioning image, whole or packed. */
  readonly image: Uint8Array;
  readonly ledgerBytes: number;
  readonly journalBytes: number;
  /** Whether its clock goes on without power. */
  readonly battery: boolean;
}

/** Wallets of one kind: each has a grant of its own, and all sign with one key, as those of one provider do. */
export interface WalletTerms {
  readonly name: string;
  readonly count: number;
  readonly issuer: string;
  readonly key: SigningKey;
  readonly grantLifetimeMs: number;
  /** Digits, in the terminals' unit. */
  readonly budgetMinor: string;
  readonly singleMinor: string | undefined;
  readonly cumulativeMinor: string | undefined;
  readonly velocity: { readonly maxPayments: number; readonly windowSeconds: number } | undefined;
}

/** When payers come. */
export type ArrivalPattern =
  | { readonly kind: 'every'; readonly everyMs: number }
  /** At random, so many in an hour on average. */
  | { readonly kind: 'poisson'; readonly perHour: number }
  /** So many between beginning and end, most of them in the middle. */
  | { readonly kind: 'rush'; readonly count: number }
  /** So many at each device, at any time between beginning and end. */
  | { readonly kind: 'each'; readonly count: number };

/** Payers who come to devices. */
export interface ArrivalTerms {
  readonly wallets: string;
  readonly devices: readonly string[];
  readonly pattern: ArrivalPattern;
  readonly fromMs: number;
  readonly untilMs: number;
  /** The least and the most of a payment. */
  readonly amountMinor: readonly [bigint, bigint];
  /** Which part of them cheats, from 0 to 1, and how: one of these classes each. */
  readonly hostileShare: number;
  readonly hostile: readonly HostileClass[];
  /** What honest ones do who get no answer; undefined where they leave. */
  readonly retry: RetryTerms | undefined;
  /** They reserve the amount when they come, and settle what was delivered when they go; undefined where they pay at once. */
  readonly session: SessionTerms | undefined;
}

/** A session: how long it lasts, and which part of what was reserved is delivered; each the least and the most. */
export interface SessionTerms {
  readonly lastsMs: readonly [number, number];
  readonly delivered: readonly [number, number];
}

/** A payer who got no answer presents the same payment, under the same idempotency key, again. */
export interface RetryTerms {
  readonly afterMs: number;
  /** As often at most. */
  readonly times: number;
}

/** When links are up. */
export interface LinkTerms {
  readonly devices: readonly string[];
  readonly pattern:
    | { readonly kind: 'cycle'; readonly upMs: number; readonly downMs: number }
    /** Spans at random, so long on average. */
    | { readonly kind: 'random'; readonly upMs: number; readonly downMs: number }
    | { readonly kind: 'outage'; readonly atMs: number; readonly forMs: number };
}

/** What somebody does at a time. */
export type Action =
  | { readonly kind: 'issue-bundles'; readonly atMs: number }
  /** Bundles from then on say that the key is revoked; they are issued at once. */
  | { readonly kind: 'revoke-key'; readonly atMs: number; readonly key: SigningKey }
  /** The grants of so many wallets; bundles that say so are issued at once. */
  | { readonly kind: 'revoke-grants'; readonly atMs: number; readonly wallets: string; readonly count: number }
  /** The authority signs grants with another key, and the wallets get new grants. */
  | { readonly kind: 'replace-grant-key'; readonly atMs: number; readonly key: SigningKey }
  /** It signs bundles with another key. */
  | { readonly kind: 'rotate-root'; readonly atMs: number; readonly key: SigningKey }
  /** Somebody comes by and provisions devices anew, one after the other within a span: they then know these root keys. */
  | {
      readonly kind: 'provision';
      readonly atMs: number;
      readonly withinMs: number;
      readonly devices: readonly string[];
      readonly rootKeys: readonly SigningKey[];
    }
  /** Devices that are connected are told that there are new bundles. */
  | { readonly kind: 'urgent'; readonly atMs: number; readonly devices: readonly string[] };

/** What must come of a scenario, beside what must never happen in any. */
export interface Expectations {
  readonly approvedAtLeast: number | undefined;
  readonly repeatedAtLeast: number | undefined;
  readonly settledAtLeast: number | undefined;
  readonly refusedAtLeast: number | undefined;
  /** Codes of refusals that must not occur, and those that must. */
  readonly never: readonly string[];
  readonly some: readonly string[];
}

/** Terms of sale that a device's image has, as its payers need them. */
export interface SaleTerms {
  readonly rail: string;
  readonly asset: JsonObject;
  readonly destination: string;
  readonly purpose: string;
  readonly gateway: string | undefined;
  readonly currency: string;
  readonly minorUnit: number;
  /** Whether the terminal counts in that currency, and not in the asset's smallest unit. */
  readonly isFiat: boolean;
}
