// Watches the devices of a run: gathers what the model is to be told, from outside of what decides, and keeps the first rule that
// is broken.

import { createHash } from 'node:crypto';
import { DEFAULT_DRIFT_MS, REFRESH_INTERVAL_MS } from '../../core/limits.ts';
import type { Crypto } from '../../core/ports/ports.ts';
import type { IssuerRule } from '../../core/trust/configuration.ts';
import type { Approval as Approved, Closing } from '../../core/verifier.ts';
import type { DeviceReport } from '../operator-backend/backend.ts';
import type { IssuedBundle } from '../simulation/servers.ts';
import type { SimulatedDevice } from '../simulation/simulated-device.ts';
import { type BundleFacts, bundleFacts, paymentFacts } from './facts.ts';
import { FlashReading } from './flash-reading.ts';
import { type EndRefusal, FleetModel, type Violation } from './model.ts';

/** What is around a device, as far as it can be reached by. */
export interface Surroundings {
  /** Nothing changes requests and answers, a time server answers, and flash lets bundles in. */
  readonly isHonest: boolean;
}

/** What is watched. */
export interface WatchParts {
  readonly crypto: Crypto;
  /** True wall time. */
  readonly trueMs: () => number;
  readonly builtMs: number;
  /** Flash is read back after each of so many approvals of a device; 1 is after every one. */
  readonly readBackEvery: number;
  readonly around: (device: SimulatedDevice) => Surroundings;
  /** Is told the first rule that is broken. */
  readonly broken: (violation: Violation) => void;
}

/** The end of a reservation. */
type Settled = Extract<Closing, { readonly ok: true }>;

/** More than the longest wait between two attempts, with what each takes. */
const LONGEST_WAITS_MS = 2 * 3_600_000;

/** See the head of the file. */
export class FleetWatch {
  readonly #parts: WatchParts;
  readonly #model = new FleetModel();
  /** The newest by category, merchant and region. */
  readonly #newest = new Map<string, BundleFacts>();
  /** Approvals of each device. */
  readonly #approvals = new Map<string, number>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** The authority has issued a bundle. */
  issued({ bundle, root }: IssuedBundle): void {
    const facts = bundleFacts(bundle, root.kid);
    const { category, merchant, geography } = bundle;
    this.#newest.set(audienceName(category, merchant, (geography as { region?: string } | undefined)?.region), facts);
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
      earliestMs: this.earliestMs({ provisioning }),
      settlesLeft: provisioning.site.reservationsLeft === 'settle',
      patienceMs: (refresh?.intervalMs ?? REFRESH_INTERVAL_MS) + LONGEST_WAITS_MS,
    });
  }

  /** When its firmware was built, or its image was made: what is before that a device takes for no time. */
  earliestMs({ provisioning }: Pick<SimulatedDevice, 'provisioning'>): number {
    return Math.max(this.#parts.builtMs, provisioning.madeAtMs ?? 0);
  }

  /** A device has started. */
  started(device: SimulatedDevice): void {
    for (const { reservation, closing } of device.reservationsLeft) {
      const { receiptId } = reservation;
      if (closing?.ok) this.settled(device, receiptId, undefined, closing);
      else {
        const refusal = closing && refusalOf(device, closing.code);
        this.#found(this.#model.leftOpen(device.terms.deviceId, receiptId, refusal));
      }
    }
    this.#checkTotals(device);
  }

  /** A device has approved what was presented, for the first time. */
  approved(device: SimulatedDevice, bytes: Uint8Array, forged: string | undefined, approved: Approved): void {
    const { deviceId } = device.terms;
    const payment = paymentFacts(bytes);
    const { receiptId, amountMinor } = approved;
    const before = this.#approvals.get(deviceId) ?? 0;
    this.#approvals.set(deviceId, before + 1);
    const isReadBack = before % this.#parts.readBackEvery === 0;
    this.#found(
      this.#model.approved(deviceId, {
        payment,
        forged,
        amount: BigInt(amountMinor),
        receiptId,
        presented: presentedName(bytes, amountMinor),
        wallMs: device.clock.wallMs(),
        inForce: device.bundleIds,
        recorded: isReadBack ? this.#flashOf(device).recorded(receiptId, payment?.grantId ?? '') : undefined,
      }),
    );
  }

  /** A device that had power has given no answer. */
  unanswered(device: SimulatedDevice, bytes: Uint8Array, amountMinor: string): void {
    this.#model.unanswered(device.terms.deviceId, presentedName(bytes, amountMinor));
  }

  /** A device says that it has approved what was presented before. */
  repeated(device: SimulatedDevice, bytes: Uint8Array, forged: string | undefined, approved: Approved): void {
    const { receiptId, amountMinor } = approved;
    this.#found(
      this.#model.repeated(device.terms.deviceId, {
        payment: paymentFacts(bytes),
        forged,
        amount: BigInt(amountMinor),
        receiptId,
        presented: presentedName(bytes, amountMinor),
      }),
    );
  }

  /**
   * A device has ended a reservation.
   *
   * @param askedMinor what it was to end it with; undefined where a start has ended it
   */
  settled(
    device: SimulatedDevice,
    reservation: number,
    askedMinor: string | undefined,
    { receiptId, amountMinor }: Settled,
  ): void {
    const isReadBack = this.#parts.readBackEvery === 1;
    const recorded = isReadBack ? this.#flashOf(device).recorded(receiptId, '') : undefined;
    const amount = BigInt(amountMinor);
    const asked = askedMinor === undefined ? undefined : BigInt(askedMinor);
    this.#found(this.#model.settled(device.terms.deviceId, { reservation, asked, amount, receiptId, recorded }));
  }

  /** Power went while a device ended a reservation. */
  endCut({ terms }: SimulatedDevice, reservation: number, askedMinor: string): void {
    this.#model.endCut(terms.deviceId, reservation, BigInt(askedMinor));
  }

  /** A device has refused to end a reservation. */
  endRefused(device: SimulatedDevice, reservation: number, askedMinor: string, code: string): void {
    const { deviceId } = device.terms;
    this.#found(this.#model.endRefused(deviceId, reservation, BigInt(askedMinor), refusalOf(device, code)));
  }

  /** Something may have changed, or some time has passed. */
  observed(device: SimulatedDevice): void {
    const { deviceId } = device.terms;
    const nowMs = this.#parts.trueMs();
    this.#found(this.#model.observed(deviceId, nowMs, device.bundleIds, this.#reaches(device, nowMs)));
  }

  /** A run is over: what is on flash of each device is looked at where it was not at every approval. */
  ended(device: SimulatedDevice): void {
    if (this.#parts.readBackEvery > 1) this.#checkTotals(device);
  }

  /** A run is over: what the operator has of a device, and what is wrong with it. */
  handedIn(device: SimulatedDevice, receipts: ReadonlyMap<number, bigint>, report: DeviceReport): void {
    const open = report.openReservations.map(({ receiptId }) => receiptId);
    this.#found(this.#model.ended(device.terms.deviceId, receipts, report.breaks, open));
  }

  /** Everything that was approved under a grant is on flash. */
  #checkTotals(device: SimulatedDevice): void {
    let flash: FlashReading | undefined;
    const totalOf = (grantId: string) => {
      flash ??= this.#flashOf(device);
      return flash.totalOf(grantId);
    };
    this.#found(this.#model.started(device.terms.deviceId, this.#parts.trueMs(), totalOf));
  }

  #flashOf({ flashes }: SimulatedDevice): FlashReading {
    return new FlashReading(this.#parts.crypto, flashes);
  }

  /** Whether a good bundle is within a device's reach. */
  #reaches(device: SimulatedDevice, nowMs: number): boolean {
    if (!device.powered || !device.link.up || !this.#parts.around(device).isHonest) return false;
    const { merchant, category, region } = device.audience;
    const newest = this.#newest.get(audienceName(category, merchant, region));
    return newest !== undefined && this.#model.isGood(device.terms.deviceId, newest.bundleId, nowMs);
  }

  #found(violation: Violation | undefined): void {
    if (violation !== undefined) this.#parts.broken(violation);
  }
}

/** Why a device does not end a reservation, and whether its flash gives it a reason. */
function refusalOf({ flashes }: SimulatedDevice, code: string): EndRefusal {
  const isFlashFaulty = [flashes.ledger, flashes.journal].some(({ faults }) => faults.readsFail || faults.haveRefused);
  return { code, isFlashFaulty };
}

/** A payment as it was presented, in brief. */
function presentedName(bytes: Uint8Array, amountMinor: string): string {
  return `${createHash('sha256').update(bytes).digest('base64')} ${amountMinor}`;
}

function issuerOf(rule: IssuerRule): string {
  return typeof rule === 'string' ? rule : rule.issuer;
}

/** Whom a bundle is for. */
function audienceName(...parts: readonly unknown[]): string {
  return JSON.stringify(parts.map((part) => part ?? null));
}
