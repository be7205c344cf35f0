// What a device says of itself to whoever asks, on a serial line or over HTTP: one JSON document of bounded size, with nothing in
// it that is secret or a payer's. docs/STATE.md has its members.

import { BUILD_TIME_MS } from '../build-time.ts';
import { writeJson } from '../json/text.ts';
import type { JsonObject } from '../json/value.ts';
import { STATE_BYTES, STATE_TEXT_CHARACTERS } from '../limits.ts';
import type { Clock } from '../ports/ports.ts';
import { marginBegins } from '../refresh/margin.ts';
import type { Boot, BootedDevice } from './boot.ts';

/** Why a device does not do all that it should. */
export type StateReason =
  | 'STARTING'
  /** A start was stopped: by its self-test, its partitions, its configuration. */
  | 'SELF_TEST_FAILED'
  | 'LAYOUT_INVALID'
  | 'NOT_PROVISIONED'
  | 'CLOCK_UNTRUSTED'
  /** Stored bundles wait for a clock, or for flash that can be read. */
  | 'BUNDLES_WAITING'
  | 'NO_TRUST_BUNDLE'
  /** A bundle in force is in the last part of its life, and there is no fresher one. */
  | 'BUNDLE_EXPIRING'
  | 'STORE_FAILED'
  /** No payment has room in the journal; those that need a new entry have none in the ledger. */
  | 'JOURNAL_FULL'
  | 'LEDGER_FULL'
  | 'LEDGER_DAMAGED'
  | 'JOURNAL_DAMAGED'
  | 'LEDGER_FILLING'
  | 'JOURNAL_FILLING'
  | 'KEY_TABLES_FAILED'
  | 'OFFLINE';

/** In one word: the worst of it. */
export type StateWord = 'starting' | 'stopped' | 'unprovisioned' | 'refusing' | 'degraded' | 'offline' | 'serving';

/** What the state is made of. */
export interface StateParts {
  readonly deviceId: string | undefined;
  /** Name and version of the firmware. */
  readonly firmware: string;
  readonly boot: Boot;
  readonly clock: Clock;
  readonly linkUp: boolean;
}

/** See the head of the file. */
export interface DeviceState {
  readonly state: StateWord;
  /** It has a configuration that it may run with. */
  readonly provisioned: boolean;
  /** It would take a good payment now. */
  readonly serving: boolean;
  readonly offline: boolean;
  /** Something is not as it should be, whether or not it serves. */
  readonly degraded: boolean;
  readonly reasons: readonly StateReason[];
}

/** The part of a store from which on it says that it fills up. */
const FILLING = 0.8;
/** Reasons for which no payment is taken. */
const REFUSING: readonly StateReason[] = [
  'STARTING',
  'SELF_TEST_FAILED',
  'LAYOUT_INVALID',
  'NOT_PROVISIONED',
  'CLOCK_UNTRUSTED',
  'NO_TRUST_BUNDLE',
  'STORE_FAILED',
  'JOURNAL_FULL',
];
/** Which reason a step gives that has stopped a start; of every other one, that its store has failed. */
const STOPPED: { readonly [step: string]: StateReason } = {
  'self-test': 'SELF_TEST_FAILED',
  layout: 'LAYOUT_INVALID',
  configuration: 'NOT_PROVISIONED',
  provisioning: 'NOT_PROVISIONED',
};

/** How a device is. */
export function deviceState({ boot, linkUp }: StateParts): DeviceState {
  const { stoppedBy, device } = boot;
  const reasons: StateReason[] = [];
  if (stoppedBy !== undefined) reasons.push(STOPPED[stoppedBy.step] ?? 'STORE_FAILED');
  else if (device === undefined) reasons.push('STARTING');
  else findReasons(device, reasons);
  const serving = !reasons.some((reason) => REFUSING.includes(reason));
  const degraded = reasons.length > 0 && device !== undefined;
  if (!linkUp) reasons.push('OFFLINE');
  return {
    state: wordOf(reasons, stoppedBy !== undefined, serving, degraded),
    provisioned:
      !reasons.includes('NOT_PROVISIONED') &&
      boot.reports.some(({ step, outcome }) => step === 'configuration' && outcome === 'ok'),
    serving,
    offline: !linkUp,
    degraded,
    reasons,
  };
}

/** The state as JSON, at most `STATE_BYTES` of it. */
export function stateDocument(parts: StateParts): Uint8Array {
  const { deviceId, firmware, boot, clock } = parts;
  const { device, stoppedBy } = boot;
  const wallMs = clock.wallMs();
  const now = device?.verifier.now();
  const { reasons, ...flags } = deviceState(parts);
  const document: JsonObject = {
    format: 1,
    device: deviceId === undefined ? null : shown(deviceId),
    firmware: shown(firmware),
    build: isoTime(BUILD_TIME_MS),
    ...flags,
    reasons: [...reasons],
    stopped: stoppedBy === undefined ? null : { step: stoppedBy.step, detail: shown(stoppedBy.detail ?? '') },
    bootMs: boot.reports.reduce((sum, { ms }) => sum + ms, 0),
    uptimeSeconds: seconds(clock.monotonicMs()),
    clock: { set: wallMs !== undefined, time: typeof now === 'number' ? isoTime(now) : null },
    bundles: device === undefined || typeof now !== 'number' ? [] : bundlesOf(device, now),
    ledger: device === undefined ? null : { used: device.ledger.fill.used, of: device.ledger.fill.of },
    journal: device?.journal === undefined ? null : { ...device.journal.fill },
    reservations: device === undefined ? null : device.verifier.openReservations().length,
  };
  const target = new Uint8Array(STATE_BYTES);
  return target.subarray(0, Math.max(writeJson(document, target, 0), 0));
}

function findReasons({ verifier, ledger, journal, keyTables }: BootedDevice, reasons: StateReason[]): void {
  const now = verifier.now();
  if (typeof now !== 'number') reasons.push('CLOCK_UNTRUSTED');
  else findBundleReasons(verifier, now, reasons);
  if (!verifier.bundlesLoaded) reasons.push('BUNDLES_WAITING');
  const [ofLedger, ofJournal] = [ledger.problem?.code, journal?.problem?.code];
  if (ofLedger === 'STORE_FAILED' || ofJournal === 'STORE_FAILED') reasons.push('STORE_FAILED');
  if (ofJournal === 'STORE_FULL') reasons.push('JOURNAL_FULL');
  if (ofLedger === 'STORE_FULL') reasons.push('LEDGER_FULL');
  if (ledger.damage.length > 0) reasons.push('LEDGER_DAMAGED');
  if (journal !== undefined && journal.damage.length > 0) reasons.push('JOURNAL_DAMAGED');
  if (isFilling(ledger.fill)) reasons.push('LEDGER_FILLING');
  if (journal !== undefined && isFilling(journal.fill)) reasons.push('JOURNAL_FILLING');
  if (keyTables?.problem !== undefined) reasons.push('KEY_TABLES_FAILED');
}

function findBundleReasons({ trust, site }: BootedDevice['verifier'], now: number, reasons: StateReason[]): void {
  const inForce = trust.bundles.filter(({ expiresAtMs }) => expiresAtMs > now);
  if (inForce.length === 0) reasons.push('NO_TRUST_BUNDLE');
  else if (inForce.some((bundle) => marginBegins(bundle, site.refresh) <= now)) reasons.push('BUNDLE_EXPIRING');
}

function isFilling({ used, of }: { readonly used: number; readonly of: number }): boolean {
  return of > 0 && used >= FILLING * of;
}

function wordOf(reasons: readonly StateReason[], isStopped: boolean, serving: boolean, degraded: boolean): StateWord {
  if (reasons.includes('STARTING')) return 'starting';
  if (reasons.includes('NOT_PROVISIONED')) return 'unprovisioned';
  if (isStopped) return 'stopped';
  if (!serving) return 'refusing';
  if (degraded) return 'degraded';
  return reasons.includes('OFFLINE') ? 'offline' : 'serving';
}

/** How old each bundle is by its `issuedAt`, and how long it lasts, in seconds; below zero for one that has expired. */
function bundlesOf({ verifier }: BootedDevice, now: number): readonly JsonObject[] {
  return verifier.trust.bundles.map(({ bundleId, issuedAtMs, expiresAtMs }) => ({
    id: shown(bundleId),
    ageSeconds: issuedAtMs === undefined ? null : seconds(now - issuedAtMs),
    expiresInSeconds: seconds(expiresAtMs - now),
  }));
}

/** What others have chosen, in characters that take one byte each, and no more of them than fit. */
function shown(text: string): string {
  let safe = '';
  for (const character of text.slice(0, STATE_TEXT_CHARACTERS)) {
    const code = character.charCodeAt(0);
    safe += code >= 0x20 && code < 0x7f && code !== 0x22 && code !== 0x5c ? character : '?';
  }
  return safe;
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
