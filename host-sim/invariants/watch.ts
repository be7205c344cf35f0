// Watches the devices of a run: gathers what the model is to be told, from outside of what decides, and keeps the first rule that
// is broken.

import { DEFAULT_DRIFT_MS, REFRESH_INTERVAL_MS } from '../../core/limits.ts';
import type { Crypto } from '../../core/ports/ports.ts';
import type { IssuerRule } from '../../core/trust/configuration.ts';
import type { Approval as Approved } from '../../core/verifier.ts';
import type { IssuedBundle } from '../simulation/servers.ts';
import type { SimulatedDevice } from '../simulation/simulated-device.ts';
import { type BundleFacts, bundleFacts, paymentFacts } from './facts.ts';
import { FlashReading } from './flash-reading.ts';
import { FleetModel, type Violation } from './model.ts';

/** What is around a device, as far as it can be reached by. */
export interface Surroundings {
  /** Nothing changes requests and answers, and a time server answers. */
  readonly isHonest: boolean;
}

/** What is watched. */
export interface WatchParts {
  readonly crypto: Crypto;
  /** True wall time. */
  readonly trueMs: () => number;
  readonly builtMs: number;
  readonly around: (device: SimulatedDevice) => Surroundings;
  /** Is told the first rule that is broken. */
  readonly broken: (violation: Violation) => void;
}

/** More than the longest wait between two attempts, with what each takes. */
const LONGEST_WAITS_MS = 2 * 3_600_000;

/** See the head of the file. */
export class FleetWatch {
  readonly #parts: WatchParts;
  readonly #model = new FleetModel();
  readonly #bundles: BundleFacts[] = [];

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** The authority has issued a bundle. */
  issued({ bundle, root }: IssuedBundle): void {
    const facts = bundleFacts(bundle, root.kid);
    this.#bundles.push(facts);
    this.#model.issued(facts);
  }

  /** A device has got an image. */
  made({ terms, provisioning }: SimulatedDevice): void {
    const { rootKeys = [], grantIssuers, sbaIssuers, driftMs, refresh } = provisioning.site;
    this.#model.made(terms.deviceId, {
      roots: rootKeys.map(({ kid }) => String(kid)),
      grantIssuers: grantIssuers.map(issuerOf),
      budgetIssuers: new Map(Object.entries(sbaIssuers).map(([issuer, rules]) => [issuer, rules.map(issuerOf)])),
      driftMs: driftMs ?? DEFAULT_DRIFT_MS,
      earliestMs: Math.max(this.#parts.builtMs, provisioning.madeAtMs ?? 0),
      patienceMs: (refresh?.intervalMs ?? REFRESH_INTERVAL_MS) + LONGEST_WAITS_MS,
    });
  }

  /** A device has started. */
  started(device: SimulatedDevice): void {
    const flash = new FlashReading(this.#parts.crypto, device.flashes);
    this.#found(this.#model.started(device.terms.deviceId, this.#parts.trueMs(), (grantId) => flash.totalOf(grantId)));
  }

  /** A device has approved what was presented, for the first time. */
  approved(device: SimulatedDevice, bytes: Uint8Array, forged: string | undefined, approved: Approved): void {
    const payment = paymentFacts(bytes);
    const flash = new FlashReading(this.#parts.crypto, device.flashes);
    const { receiptId, amountMinor } = approved;
    this.#found(
      this.#model.approved(device.terms.deviceId, {
        payment,
        forged,
        amount: BigInt(amountMinor),
        receiptId,
        wallMs: device.clock.wallMs(),
        inForce: device.bundleIds,
        recorded: flash.recorded(receiptId, payment?.grantId ?? ''),
      }),
    );
  }

  /** Something may have changed, or some time has passed. */
  observed(device: SimulatedDevice): void {
    const { deviceId } = device.terms;
    const nowMs = this.#parts.trueMs();
    this.#found(this.#model.observed(deviceId, nowMs, device.bundleIds, this.#reaches(device, nowMs)));
  }

  /** A run is over: what the operator has, and what is wrong with it. */
  ended(deviceId: string, receipts: ReadonlyMap<number, bigint>, breaks: readonly string[]): void {
    this.#found(this.#model.ended(deviceId, receipts, breaks));
  }

  /** Whether a good bundle is within a device's reach. */
  #reaches(device: SimulatedDevice, nowMs: number): boolean {
    if (!device.powered || !device.link.up || !this.#parts.around(device).isHonest) return false;
    const { merchant, category, region } = device.audience;
    const identity = [category, merchant ?? null, region ?? null];
    const newest = this.#bundles.findLast((bundle) => same(bundle.identity, identity));
    return newest !== undefined && this.#model.isGood(device.terms.deviceId, newest.bundleId, nowMs);
  }

  #found(violation: Violation | undefined): void {
    if (violation !== undefined) this.#parts.broken(violation);
  }
}

function issuerOf(rule: IssuerRule): string {
  return typeof rule === 'string' ? rule : rule.issuer;
}

/** An identity without its issuer. */
function same(identity: string, parts: readonly (string | null)[]): boolean {
  return JSON.stringify(JSON.parse(identity).slice(1)) === JSON.stringify(parts);
}
