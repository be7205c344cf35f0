// Listens to a run, and makes the record of it that a report is written from.

import type { TraceEvent } from '../simulation/trace.ts';
import type { DeviceSample, StoreSample } from './device-sampling.ts';
import { distributionOf } from './distribution.ts';
import type {
  DeviceRecord,
  ExposureRecord,
  FlashMoment,
  HandInRecord,
  RequestRecord,
  RevocationRecord,
  RunRecord,
  StoreMoment,
  StoreRecord,
  Stretch,
} from './record.ts';
import { SessionLog } from './session-log.ts';
import { UnansweredLog } from './unanswered-log.ts';

/** A stretch that may not be over. */
interface Open {
  readonly fromMs: number;
  toMs: number | undefined;
}

/** What is known of a device so far. */
interface Known {
  readonly device: string;
  readonly approvedAtMs: number[];
  readonly refusedAtMs: number[];
  readonly repeatedAtMs: number[];
  unanswered: number;
  readonly withoutAnswer: UnansweredLog;
  readonly sessions: SessionLog;
  readonly linkUp: Open[];
  readonly powered: Open[];
  readonly faults: (Open & { readonly fault: string })[];
  starts: number;
  powerLosses: number;
  readonly bundles: (Open & { readonly issuedMs: number | undefined })[];
  /** Approvals by receipt that are not handed in, and not acknowledged. */
  readonly unsent: Map<number, number>;
  readonly open: Map<number, number>;
  /** When the request of each kind began that is under way. */
  readonly underWay: Map<RequestRecord['kind'], number>;
  readonly stores: { readonly ms: number; readonly ledger: StoreSample; readonly journal: StoreSample }[];
}

/** Requests of a kind so far. */
interface Requests {
  readonly kind: RequestRecord['kind'];
  readonly answeredMs: number[];
  readonly failedMs: number[];
  readonly failures: Map<string, number>;
  cutOff: number;
  notSent: number;
}

/** A revocation, and what came after it so far. */
interface Revocation {
  readonly n: number;
  readonly atMs: number;
  readonly what: RevocationRecord['what'];
  readonly grantIds: Set<string>;
  readonly exposures: Map<
    string,
    { knownAfterMs?: number; approved: number; amountMinor: bigint; lastAfterMs?: number }
  >;
}

/** See the head of the file. Devices are given in the order in which the report has them. */
export class RunCollector {
  readonly #devices: ReadonlyMap<string, Known>;
  /** By id: the event that told of it, and when. */
  readonly #issued = new Map<string, { readonly n: number; readonly ms: number }>();
  readonly #refusals = new Map<string, { count: number; readonly devices: Set<string> }>();
  readonly #refresh = noRequests('refresh');
  readonly #handIn = noRequests('hand-in');
  readonly #sentMs: number[] = [];
  readonly #acknowledgedMs: number[] = [];
  readonly #revocations: Revocation[] = [];
  #settlesMs: number | undefined;
  #lastMs = 0;

  constructor(devices: readonly string[]) {
    this.#devices = new Map(devices.map((device) => [device, nothingKnown(device)]));
  }

  /** An event of the run; they come in order. */
  heard(event: TraceEvent): void {
    this.#lastMs = event.ms;
    const known = this.#devices.get(String(event.device));
    if (known === undefined) this.#heardOfAll(event);
    else this.#heardOf(known, event);
  }

  /** How a device is. */
  sampled({ device, ms, bundles, stores }: DeviceSample): void {
    const known = this.#devices.get(device) as Known;
    const times = bundles.map((id) => this.#issued.get(id)?.ms).filter((issued) => issued !== undefined);
    const issuedMs = times.length === 0 ? undefined : Math.max(...times);
    const last = known.bundles.at(-1);
    if (last === undefined || last.issuedMs !== issuedMs) {
      end(last, ms);
      known.bundles.push({ fromMs: ms, toMs: undefined, issuedMs });
    }
    if (stores !== undefined) known.stores.push({ ms, ...stores });
  }

  /** The run is over. @param endedMs when; left out, with its last event */
  record(endedMs = this.#lastMs): RunRecord {
    const devices = [...this.#devices.values()];
    return {
      settlesMs: this.#settlesMs,
      endedMs,
      devices: devices.map((known) => deviceRecord(known, endedMs)),
      refusals: [...this.#refusals]
        .map(([code, { count, devices: at }]) => ({ code, count, devices: at.size }))
        .sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1)),
      requests: [this.#refresh, this.#handIn].map(requestRecord),
      handedIn: this.#handedIn(devices),
      revocations: this.#revocations.map((revocation) => this.#revocationRecord(revocation)),
      flash: flashMoments(devices),
    };
  }

  #heardOfAll(event: TraceEvent): void {
    switch (event.event) {
      case 'scenario.settles':
        this.#settlesMs = event.ms;
        break;
      case 'authority.bundle':
        this.#issued.set(String(event.bundleId), { n: event.n, ms: event.ms });
        break;
      case 'authority.revoke-key':
        this.#revoked(event, { kind: 'key', kid: String(event.key) });
        break;
      case 'authority.revoke-grants':
        this.#revoked(event, { kind: 'grants', wallets: String(event.wallets), count: 0 });
        break;
      case 'authority.grant-revoked':
        this.#revocations.at(-1)?.grantIds.add(String(event.grantId));
        break;
    }
  }

  #revoked({ n, ms }: TraceEvent, what: RevocationRecord['what']): void {
    const exposures = new Map([...this.#devices.keys()].map((device) => [device, { approved: 0, amountMinor: 0n }]));
    this.#revocations.push({ n, atMs: ms, what, grantIds: new Set(), exposures });
  }

  #heardOf(known: Known, event: TraceEvent): void {
    const { ms } = event;
    known.withoutAnswer.heard(event);
    known.sessions.heard(
      event,
      known.faults.some(({ fault, toMs }) => fault === 'flash' && toMs === undefined),
    );
    switch (event.event) {
      case 'payment':
        this.#paid(known, event);
        break;
      case 'link.up':
        if (known.linkUp.at(-1)?.toMs !== undefined) known.linkUp.push({ fromMs: ms, toMs: undefined });
        break;
      case 'link.down':
        end(known.linkUp.at(-1), ms);
        break;
      case 'device.started':
        known.starts++;
        if (known.powered.at(-1)?.toMs !== undefined || known.powered.length === 0)
          known.powered.push({ fromMs: ms, toMs: undefined });
        this.#cutOff(known);
        break;
      case 'device.power-lost':
        known.powerLosses++;
        end(known.powered.at(-1), ms);
        this.#cutOff(known);
        break;
      case 'device.start-failed':
        end(known.powered.at(-1), ms);
        break;
      case 'fault.begins':
        known.faults.push({ fault: String(event.fault), fromMs: ms, toMs: undefined });
        break;
      case 'fault.ends':
        end(
          known.faults.findLast((one) => one.fault === event.fault && one.toMs === undefined),
          ms,
        );
        break;
      case 'bundle.admitted':
        this.#admitted(known, event);
        break;
      case 'refresh.begin':
        known.underWay.set('refresh', ms);
        break;
      case 'refresh.done':
        this.#over(known, this.#refresh, ms);
        break;
      case 'refresh.failed':
        this.#over(known, this.#refresh, ms, String(event.failure));
        break;
      case 'upload.send':
        known.underWay.set('hand-in', ms);
        for (const [receiptId, approvedMs] of known.unsent)
          if (receiptId <= Number(event.last)) {
            known.unsent.delete(receiptId);
            this.#sentMs.push(ms - approvedMs);
          }
        break;
      case 'upload.acknowledged':
        this.#over(known, this.#handIn, ms);
        for (const [receiptId, approvedMs] of known.open)
          if (receiptId <= Number(event.upTo)) {
            known.open.delete(receiptId);
            this.#acknowledgedMs.push(ms - approvedMs);
          }
        break;
      case 'upload.failed':
        this.#over(known, this.#handIn, ms, String(event.failure));
        break;
      case 'upload.unrecorded':
        this.#over(known, this.#handIn, ms, String(event.code));
        break;
    }
  }

  #paid(known: Known, event: TraceEvent): void {
    const { ms, answer } = event;
    if (answer === 'none') known.unanswered++;
    if (answer === 'repeated') known.repeatedAtMs.push(ms);
    if (answer === 'refused') {
      known.refusedAtMs.push(ms);
      const refusal = this.#refusals.get(String(event.code)) ?? { count: 0, devices: new Set() };
      this.#refusals.set(String(event.code), refusal);
      refusal.count++;
      refusal.devices.add(known.device);
    }
    if (answer === 'approved') known.approvedAtMs.push(ms);
    // What is spent is spent, whether its payer was told or not.
    else if (answer !== 'none' || event.decided !== 'approved') return;
    known.unsent.set(Number(event.receiptId), ms);
    known.open.set(Number(event.receiptId), ms);
    for (const { what, grantIds, atMs, exposures } of this.#revocations) {
      const isOfIt =
        what.kind === 'key'
          ? event.grantKey === what.kid || event.budgetKey === what.kid
          : grantIds.has(String(event.grantId));
      const exposure = exposures.get(known.device);
      if (!isOfIt || exposure === undefined) continue;
      exposure.approved++;
      exposure.amountMinor += BigInt(String(event.amountMinor));
      exposure.lastAfterMs = ms - atMs;
    }
  }

  /** A bundle that was issued after a revocation says that it was. */
  #admitted({ device }: Known, { ms, bundleId }: TraceEvent): void {
    const issued = this.#issued.get(String(bundleId));
    if (issued === undefined) return;
    for (const { n, atMs, exposures } of this.#revocations) {
      const exposure = exposures.get(device);
      if (exposure !== undefined && issued.n > n) exposure.knownAfterMs ??= ms - atMs;
    }
  }

  #over(known: Known, requests: Requests, ms: number, failure?: string): void {
    const fromMs = known.underWay.get(requests.kind);
    known.underWay.delete(requests.kind);
    if (fromMs === undefined) requests.notSent++;
    else if (failure === undefined) requests.answeredMs.push(ms - fromMs);
    else {
      requests.failedMs.push(ms - fromMs);
      requests.failures.set(failure, (requests.failures.get(failure) ?? 0) + 1);
    }
  }

  #cutOff({ underWay }: Known): void {
    for (const requests of [this.#refresh, this.#handIn]) if (underWay.delete(requests.kind)) requests.cutOff++;
  }

  #handedIn(devices: readonly Known[]): HandInRecord {
    const open = devices.reduce((sum, known) => sum + known.open.size, 0);
    return { sentMs: this.#sentMs, acknowledgedMs: this.#acknowledgedMs, open };
  }

  #revocationRecord({ atMs, what, grantIds, exposures }: Revocation): RevocationRecord {
    const devices: ExposureRecord[] = [...exposures].map(([device, exposure]) => {
      const { knownAfterMs, approved, amountMinor, lastAfterMs } = exposure;
      return { device, knownAfterMs, approved, amountMinor, lastAfterMs };
    });
    const known = devices.map(({ knownAfterMs }) => knownAfterMs).filter((ms) => ms !== undefined);
    return {
      atMs,
      what: what.kind === 'key' ? what : { ...what, count: grantIds.size },
      devices,
      knownAfter: distributionOf(known),
    };
  }
}

function nothingKnown(device: string): Known {
  return {
    device,
    approvedAtMs: [],
    refusedAtMs: [],
    repeatedAtMs: [],
    unanswered: 0,
    withoutAnswer: new UnansweredLog(),
    sessions: new SessionLog(),
    // Links are up when a run begins.
    linkUp: [{ fromMs: 0, toMs: undefined }],
    powered: [],
    faults: [],
    starts: 0,
    powerLosses: 0,
    bundles: [],
    unsent: new Map(),
    open: new Map(),
    underWay: new Map(),
    stores: [],
  };
}

function noRequests(kind: RequestRecord['kind']): Requests {
  return { kind, answeredMs: [], failedMs: [], failures: new Map(), cutOff: 0, notSent: 0 };
}

function end(stretch: Open | undefined, ms: number): void {
  if (stretch !== undefined) stretch.toMs ??= ms;
}

/** What is not over ends with the run; what has lasted for no time is left out, faults apart. */
function ended<T extends Open>(stretches: readonly T[], endedMs: number): (T & Stretch)[] {
  return stretches.map((stretch) => ({ ...stretch, toMs: stretch.toMs ?? endedMs }));
}

function lasting<T extends Stretch>(stretches: readonly T[]): T[] {
  return stretches.filter(({ fromMs, toMs }) => toMs > fromMs);
}

function deviceRecord(known: Known, endedMs: number): DeviceRecord {
  const { device, approvedAtMs, refusedAtMs, repeatedAtMs, unanswered, starts, powerLosses, stores } = known;
  const bundles = lasting(ended(known.bundles, endedMs));
  const ages = bundles.map(({ toMs, issuedMs }) => (issuedMs === undefined ? -1 : toMs - issuedMs));
  const oldest = Math.max(-1, ...ages);
  return {
    device,
    approved: approvedAtMs.length,
    refused: refusedAtMs.length,
    unanswered,
    approvedAtMs,
    refusedAtMs,
    repeatedAtMs,
    withoutAnswer: known.withoutAnswer.payments,
    sessions: known.sessions.sessions,
    linkUp: lasting(ended(known.linkUp, endedMs)),
    powered: lasting(ended(known.powered, endedMs)),
    faults: ended(known.faults, endedMs),
    starts,
    powerLosses,
    bundles,
    oldestBundleMs: oldest < 0 ? undefined : oldest,
    ledger: storeRecord(stores.map(({ ledger }) => ledger)),
    journal: storeRecord(stores.map(({ journal }) => journal)),
  };
}

function storeRecord(samples: readonly StoreSample[]): StoreRecord | undefined {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  return { ...last, peakBytes: Math.max(...samples.map(({ usedBytes }) => usedBytes)) };
}

function requestRecord({ failures, ...rest }: Requests): RequestRecord {
  const sorted = [...failures].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return { ...rest, failures: sorted.map(([failure, count]) => ({ failure, count })) };
}

/** Devices are read at times that they have in common; one that was read at another time is in the last of those before it. */
function flashMoments(devices: readonly Known[]): FlashMoment[] {
  const times = [...new Set(devices.flatMap(({ stores }) => stores.map(({ ms }) => ms)))].sort((a, b) => a - b);
  return times.map((ms) => {
    const found = devices
      .map(({ stores }) => stores.findLast((one) => one.ms <= ms))
      .filter((one) => one !== undefined);
    return {
      ms,
      ledger: storeMoment(found.map(({ ledger }) => ledger)),
      journal: storeMoment(found.map(({ journal }) => journal)),
    };
  });
}

function storeMoment(stores: readonly StoreSample[]): StoreMoment {
  const fills = stores.map(({ usedBytes, ofBytes }) => (ofBytes === 0 ? 0 : usedBytes / ofBytes));
  const erases = stores.map((store) => store.erases);
  return {
    meanFill: mean(fills),
    mostFill: Math.max(...fills),
    meanErases: mean(erases.map((of) => of.mean)),
    mostErases: Math.max(...erases.map((of) => of.most)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
