// What devices accept under what was revoked, until they know it: a scenario with revocations, run once for each refresh interval,
// without and with an urgent message, and measured from its events. No device may take longer than its bound, and no more be accepted
// than the caps of what was revoked allow.

import { REFRESH_TIMEOUT_MS } from '../../core/limits.ts';
import { ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import type { Violation } from '../invariants/model.ts';
import { documentFrom, imageOf, readImage, wholeImage } from '../provisioning/image.ts';
import type { Action, DeviceTerms, Scenario, WalletTerms } from '../scenario/scenario.ts';
import { type RunOptions, runScenario } from '../simulation/run.ts';
import type { TraceEvent } from '../simulation/trace.ts';
import { type Asking, connectedBound, Reach, urgentBound } from './reach.ts';

/** Somebody says that a key or grants count no more. */
export type RevocationAction = Action & { readonly kind: 'revoke-key' | 'revoke-grants' };

/** A device and a revocation. */
export interface Learned {
  readonly device: string;
  readonly seed: number;
  readonly what: string;
  /** How long after the revocation it knew it; undefined where it did not before the end of the run. */
  readonly knownMs: number | undefined;
  /** How long it may take; undefined where it could not ask for long enough. */
  readonly boundMs: number | undefined;
  /** Whether it got an urgent message at that moment. */
  readonly wasTold: boolean;
}

/** What came of the runs with one interval. */
export interface ExposureRow {
  readonly intervalMs: number;
  readonly isUrgent: boolean;
  readonly learned: readonly Learned[];
  /** Approved under what was revoked: all runs together. */
  readonly payments: number;
  readonly amountMinor: bigint;
  /** The longest that a device takes that is connected all the time; with an urgent message, one that gets it. */
  readonly connectedMs: number;
}

/** A run in which more was approved under what was revoked than caps allow. */
export interface Excess {
  readonly seed: number;
  readonly intervalMs: number;
  readonly isUrgent: boolean;
  readonly amountMinor: bigint;
  readonly capMinor: bigint;
}

/** What was measured. */
export interface Exposure {
  readonly title: string;
  readonly seeds: readonly number[];
  readonly devices: number;
  readonly revocations: readonly { readonly what: string; readonly atMs: number }[];
  /** What the caps of revoked grants let a fleet accept in one run, at most and all in all, in the terminals' unit. */
  readonly capMinor: bigint;
  readonly rows: readonly ExposureRow[];
  /** Devices that took longer than they may. */
  readonly late: readonly (Learned & { readonly intervalMs: number; readonly isUrgent: boolean })[];
  /** Runs in which devices accepted more than they may. */
  readonly excesses: readonly Excess[];
  /** Other rules that were broken. */
  readonly violations: readonly Violation[];
}

/** How it is measured. */
export interface ExposureOptions {
  readonly intervalsMs: readonly number[];
  /** Is told each run as it begins. */
  readonly progress?: (run: number, of: number) => void;
  readonly makeCharger?: RunOptions['makeCharger'];
  /** Tells it to end where it is. */
  readonly end?: RunOptions['end'];
}

/** Flash is read back after each of so many approvals of a device: this is about another rule. */
const READ_BACK_EVERY = 20;

/** The revocations of a scenario. */
export function revocationsOf({ actions }: Scenario): readonly RevocationAction[] {
  return actions.filter((action): action is RevocationAction => /^revoke-/.test(action.kind));
}

/** How long devices take after a revocation at the latest, where they are connected. */
export function longestBound({ devices }: Scenario, intervalMs: number): number {
  return Math.max(...devices.map((device) => connectedBound(askingOf(device, intervalMs))));
}

/** Measures. @param scenarios one scenario, read with each seed. @throws RunBrokenOff where it is told to end */
export async function measureExposure(scenarios: readonly Scenario[], options: ExposureOptions): Promise<Exposure> {
  const [first] = scenarios as readonly [Scenario];
  const { intervalsMs, progress, makeCharger, end } = options;
  const rows: ExposureRow[] = [];
  const violations: Violation[] = [];
  const excesses: Excess[] = [];
  let run = 0;
  for (const intervalMs of intervalsMs)
    for (const isUrgent of [false, true]) {
      const learned: Learned[] = [];
      let payments = 0;
      let amountMinor = 0n;
      for (const scenario of scenarios) {
        progress?.(++run, intervalsMs.length * 2 * scenarios.length);
        const changed = changedFor(scenario, intervalMs, isUrgent);
        const meter = new ExposureMeter(changed);
        const { violation } = await runScenario(changed, {
          heard: (event) => meter.heard(event),
          readBackEvery: READ_BACK_EVERY,
          end,
          ...(makeCharger === undefined ? {} : { makeCharger }),
        });
        if (violation !== undefined) violations.push(violation);
        // Where a rule is broken the run ends before its end.
        else learned.push(...meter.learned(intervalMs));
        payments += meter.payments;
        amountMinor += meter.amountMinor;
        const capMinor = capOf(scenario);
        if (meter.amountMinor > capMinor)
          excesses.push({ seed: scenario.seed, intervalMs, isUrgent, amountMinor: meter.amountMinor, capMinor });
      }
      const bound = isUrgent ? urgentBound : connectedBound;
      const connectedMs = Math.max(...first.devices.map((device) => bound(askingOf(device, intervalMs))));
      rows.push({ intervalMs, isUrgent, learned, payments, amountMinor, connectedMs });
    }
  return {
    title: first.title,
    seeds: scenarios.map(({ seed }) => seed),
    devices: first.devices.length,
    revocations: revocationsOf(first).map((action) => ({ what: wordsOf(action), atMs: action.atMs })),
    capMinor: capOf(first),
    rows,
    late: rows.flatMap(({ learned, intervalMs, isUrgent }) =>
      learned.filter(isLate).map((one) => ({ ...one, intervalMs, isUrgent })),
    ),
    excesses,
    violations,
  };
}

function isLate({ knownMs, boundMs }: Learned): boolean {
  return boundMs !== undefined && (knownMs === undefined || knownMs > boundMs);
}

/** Devices ask at that interval, and are told of each revocation, or of none. */
function changedFor(scenario: Scenario, intervalMs: number, isUrgent: boolean): Scenario {
  const devices = scenario.devices.map((terms) => withInterval(terms, intervalMs));
  const all = devices.map(({ deviceId }) => deviceId);
  const actions = scenario.actions
    .filter(({ kind }) => kind !== 'urgent')
    .flatMap((action): readonly Action[] =>
      isUrgent && /^revoke-/.test(action.kind)
        ? [action, { kind: 'urgent', atMs: action.atMs, devices: all }]
        : [action],
    );
  return { ...scenario, devices, actions };
}

function withInterval(terms: DeviceTerms, intervalMs: number): DeviceTerms {
  const provisioning = provisioningOf(terms);
  const document = documentFrom(provisioning);
  const { site } = document;
  const changed = { ...document, site: { ...site, refresh: { ...site.refresh, intervalMs } } };
  return { ...terms, image: imageOf(changed, provisioning.counter) };
}

function provisioningOf({ image }: DeviceTerms) {
  const found = readImage(wholeImage(image));
  if (found instanceof ProvisioningProblem) throw found;
  return found.provisioning;
}

function askingOf(terms: DeviceTerms, intervalMs: number): Asking {
  return { intervalMs, timeoutMs: provisioningOf(terms).site.refresh?.timeoutMs ?? REFRESH_TIMEOUT_MS };
}

function wordsOf(action: RevocationAction): string {
  if (action.kind === 'revoke-key') return `key ${action.key.kid}`;
  return `${action.count === 1 ? 'a grant' : `${action.count} grants`} of ${action.wallets}`;
}

/**
 * What each device may accept of each revoked grant, all in all: its budget, or less where the grant says so. A wallet gets another
 * grant when one has expired, and when grants get another key.
 */
function capOf(scenario: Scenario): bigint {
  const { wallets, arrivals, actions, durationMs } = scenario;
  const replaced = actions.filter(({ kind }) => kind === 'replace-grant-key').length;
  const revocations = revocationsOf(scenario);
  let cap = 0n;
  for (const terms of wallets) {
    const devices = new Set(arrivals.filter((one) => one.wallets === terms.name).flatMap((one) => one.devices));
    const inTurn = 1 + replaced + Math.floor(durationMs / terms.grantLifetimeMs);
    const grants = inTurn * Math.max(0, ...revocations.map((action) => revokedGrants(action, terms, scenario)));
    const budget = BigInt(terms.budgetMinor);
    const cumulative = BigInt(terms.cumulativeMinor ?? terms.budgetMinor);
    cap += BigInt(devices.size * grants) * (cumulative < budget ? cumulative : budget);
  }
  return cap;
}

/** How many of these wallets cannot pay any more. */
function revokedGrants(action: RevocationAction, terms: WalletTerms, { authority, actions }: Scenario): number {
  if (action.kind === 'revoke-grants') return action.wallets === terms.name ? Math.min(action.count, terms.count) : 0;
  const { kid } = action.key;
  const isOfGrants = actions.some((one) => one.kind === 'replace-grant-key' && one.key.kid === kid);
  return kid === terms.key.kid || kid === authority.grantKey.kid || isOfGrants ? terms.count : 0;
}

/** A revocation of a run. */
interface Happened {
  readonly what: string;
  readonly atMs: number;
  readonly action: RevocationAction;
  /** The grants, where it is about grants. */
  readonly grantIds: Set<unknown>;
  /** Who knows it since when. */
  readonly known: Map<string, number>;
}

/** Gathers from the events of one run what devices knew when, and what they approved meanwhile. */
class ExposureMeter {
  readonly #scenario: Scenario;
  readonly #reach = new Map<string, Reach>();
  readonly #happened: Happened[] = [];
  /** The revocations that were before a bundle. */
  readonly #bundles = new Map<string, number>();
  readonly #revocations: readonly RevocationAction[];
  payments = 0;
  amountMinor = 0n;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#revocations = revocationsOf(scenario);
    for (const { deviceId } of scenario.devices) this.#reach.set(deviceId, new Reach());
  }

  heard(event: TraceEvent): void {
    const { event: name, ms, device } = event;
    const [whose, kind] = name.split('.') as [string, string?];
    if (whose === 'authority') {
      if (kind === 'bundle') this.#bundles.set(String(event.bundleId), this.#happened.length);
      else if (kind === 'grant-revoked') this.#happened.at(-1)?.grantIds.add(event.grantId);
      else if (kind?.startsWith('revoke-')) this.#revoked(ms);
      return;
    }
    if (device === undefined) return;
    this.#reach.get(String(device))?.heard(event);
    if (name === 'bundle.admitted') this.#admitted(String(device), String(event.bundleId), ms);
    // Also where the payer never heard of it.
    else if (name === 'payment' && (event.answer === 'approved' || event.decided === 'approved')) this.#approved(event);
  }

  learned(intervalMs: number): readonly Learned[] {
    const { devices, seed, durationMs, settleMs } = this.#scenario;
    return this.#happened.flatMap(({ what, atMs, known }) =>
      devices.map((terms): Learned => {
        const reach = this.#reach.get(terms.deviceId) as Reach;
        const since = known.get(terms.deviceId);
        return {
          device: terms.deviceId,
          seed,
          what,
          knownMs: since === undefined ? undefined : since - atMs,
          boundMs: reach.bound(atMs, durationMs + settleMs, askingOf(terms, intervalMs)),
          wasTold: reach.wasTold(atMs),
        };
      }),
    );
  }

  /** They happen in the order of their time, and of the file where that is the same. */
  #revoked(atMs: number): void {
    const inOrder = [...this.#revocations].sort((a, b) => a.atMs - b.atMs);
    const action = inOrder[this.#happened.length] as RevocationAction;
    this.#happened.push({ what: wordsOf(action), atMs, action, grantIds: new Set(), known: new Map() });
  }

  #admitted(device: string, bundleId: string, ms: number): void {
    for (const { known } of this.#happened.slice(0, this.#bundles.get(bundleId) ?? 0))
      if (!known.has(device)) known.set(device, ms);
  }

  #approved({ grantId, grantKey, budgetKey, amountMinor }: TraceEvent): void {
    const isRevoked = this.#happened.some(({ action, grantIds }) =>
      action.kind === 'revoke-key' ? [grantKey, budgetKey].includes(action.key.kid) : grantIds.has(grantId),
    );
    if (!isRevoked) return;
    this.payments++;
    this.amountMinor += BigInt(String(amountMinor));
  }
}

/** Of so many values in a hundred none is larger; undefined where it is one that is not known. */
export function percentile(values: readonly (number | undefined)[], percent: number): number | undefined {
  const sorted = values.map((ms) => ms ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const found = sorted[Math.max(Math.ceil((sorted.length * percent) / 100) - 1, 0)];
  return found === undefined || found === Number.POSITIVE_INFINITY ? undefined : found;
}
