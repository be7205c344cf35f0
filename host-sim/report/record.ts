// What a report says of a run, gathered from its events and from what was asked from its devices. Times are milliseconds since the
// scenario began. The same events give the same record.

import type { StoreSample } from './device-sampling.ts';
import type { Distribution } from './distribution.ts';
import type { SessionRecord } from './session-log.ts';
import type { UnansweredRecord } from './unanswered-log.ts';

/** See the head of the file. */
export interface RunRecord {
  /** When nobody paid any more, and when the run was over. */
  readonly settlesMs: number | undefined;
  readonly endedMs: number;
  /** In the order of the scenario. */
  readonly devices: readonly DeviceRecord[];
  /** Refused payments by code, the most frequent first. */
  readonly refusals: readonly { readonly code: string; readonly count: number; readonly devices: number }[];
  readonly requests: readonly RequestRecord[];
  readonly handedIn: HandInRecord;
  readonly revocations: readonly RevocationRecord[];
  /** Of all devices, at the times at which their flash was read. */
  readonly flash: readonly FlashMoment[];
}

/** A stretch of time. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A device. */
export interface DeviceRecord {
  readonly device: string;
  readonly approved: number;
  readonly refused: number;
  readonly unanswered: number;
  /** When it decided, and told the payer. */
  readonly approvedAtMs: readonly number[];
  readonly refusedAtMs: readonly number[];
  /** When it told a payer once more what it had told before, or could not. */
  readonly repeatedAtMs: readonly number[];
  /** Payments that had no answer at first. */
  readonly withoutAnswer: readonly UnansweredRecord[];
  readonly sessions: readonly SessionRecord[];
  readonly linkUp: readonly Stretch[];
  readonly powered: readonly Stretch[];
  readonly faults: readonly (Stretch & { readonly fault: string })[];
  /** Starts, the first one too, and how often power went. */
  readonly starts: number;
  readonly powerLosses: number;
  /** The newest bundle in force: since when, and when it was issued; undefined where there was none. */
  readonly bundles: readonly (Stretch & { readonly issuedMs: number | undefined })[];
  /** The longest that the newest bundle in force was old; undefined where there never was one. */
  readonly oldestBundleMs: number | undefined;
  /** In the end, and the most bytes that were ever used when its flash was read. */
  readonly ledger: StoreRecord | undefined;
  readonly journal: StoreRecord | undefined;
}

export interface StoreRecord extends StoreSample {
  readonly peakBytes: number;
}

/** Requests of a kind. */
export interface RequestRecord {
  readonly kind: 'refresh' | 'hand-in';
  /** How long those took that were answered as the device wants it, and those that were not. */
  readonly answeredMs: readonly number[];
  readonly failedMs: readonly number[];
  /** By reason. */
  readonly failures: readonly { readonly failure: string; readonly count: number }[];
  /** Those that the loss of power ended. */
  readonly cutOff: number;
  /** Attempts that came to no request: the link was known to be down. */
  readonly notSent: number;
}

/** From an approval on. */
export interface HandInRecord {
  readonly sentMs: readonly number[];
  readonly acknowledgedMs: readonly number[];
  /** Approvals that no device had an acknowledgement of when the run was over. */
  readonly open: number;
}

/** A revocation. */
export interface RevocationRecord {
  readonly atMs: number;
  readonly what:
    | { readonly kind: 'key'; readonly kid: string }
    | { readonly kind: 'grants'; readonly wallets: string; readonly count: number };
  /** All devices: after how long each had a bundle that says so, undefined where it had none in the end. */
  readonly devices: readonly ExposureRecord[];
  /** Of the devices that came to know. */
  readonly knownAfter: Distribution | undefined;
}

/** A device after a revocation. */
export interface ExposureRecord {
  readonly device: string;
  readonly knownAfterMs: number | undefined;
  /** Payments that were approved by what was revoked, after it was. */
  readonly approved: number;
  readonly amountMinor: bigint;
  /** From the revocation to the last one of them. */
  readonly lastAfterMs: number | undefined;
}

/** The flash of all devices at a time. */
export interface FlashMoment {
  readonly ms: number;
  readonly ledger: StoreMoment;
  readonly journal: StoreMoment;
}

/** Parts of what there is room for, from 0 to 1; erases of a block. */
export interface StoreMoment {
  readonly meanFill: number;
  readonly mostFill: number;
  readonly meanErases: number;
  readonly mostErases: number;
}
