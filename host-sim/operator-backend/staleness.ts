// How stale devices are: when each was last heard of, and how old the Trust Bundles are that it has said it holds.

import { isObject, type JsonObject, type JsonValue } from '../../core/json/value.ts';
import type { SeenDevice } from './storage.ts';

/** How long ago a device was heard of, and how old its Trust Bundles are by now. */
export interface DeviceStaleness {
  readonly deviceId: string;
  readonly lastSeenAt: string;
  readonly silentSeconds: number;
  /** The last that it said of itself, where it has. */
  readonly saidAt?: string;
  /** In one word, as it said it: `serving`, `degraded`, … */
  readonly state?: string;
  readonly reasons?: readonly string[];
  /** Those it held then, older by the time since: a device that has refreshed since has fresher ones. */
  readonly bundles?: readonly {
    readonly id: string;
    readonly ageSeconds: number | null;
    readonly expiresInSeconds: number;
  }[];
}

/** What is wrong with a state document (docs/STATE.md), of which only what tells staleness is looked at. */
export function stateProblem({ format, state, reasons, bundles }: JsonObject): string | undefined {
  if (format !== 1) return 'format is not 1';
  if (typeof state !== 'string') return 'state is not text';
  if (!Array.isArray(reasons) || !reasons.every((reason) => typeof reason === 'string'))
    return 'reasons is not a list of texts';
  if (!Array.isArray(bundles) || !bundles.every(isBundle))
    return 'bundles is not a list of objects with id, ageSeconds and expiresInSeconds';
  return undefined;
}

/** What a device has said, carried on to now. */
export function stalenessOf({ deviceId, seenAtMs, state: said }: SeenDevice, nowMs: number): DeviceStaleness {
  const seen = { deviceId, lastSeenAt: isoTime(seenAtMs), silentSeconds: seconds(nowMs - seenAtMs) };
  if (said === undefined) return seen;
  const since = seconds(nowMs - said.receivedAtMs);
  const bundles = said.document.bundles as unknown as NonNullable<DeviceStaleness['bundles']>;
  return {
    ...seen,
    saidAt: isoTime(said.receivedAtMs),
    state: said.document.state as string,
    reasons: said.document.reasons as readonly string[],
    bundles: bundles.map(({ id, ageSeconds, expiresInSeconds }) => ({
      id,
      ageSeconds: ageSeconds === null ? null : ageSeconds + since,
      expiresInSeconds: expiresInSeconds - since,
    })),
  };
}

function isBundle(value: JsonValue): boolean {
  if (!isObject(value)) return false;
  const { id, ageSeconds, expiresInSeconds } = value;
  // A bundle without `issuedAt` has no age.
  const isAge = ageSeconds === null || Number.isFinite(ageSeconds);
  return typeof id === 'string' && isAge && Number.isFinite(expiresInSeconds);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
