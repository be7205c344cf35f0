// Runs a scenario: everybody is made from it, and time passes until its end. The same scenario and seed give the same trace.

import type { JsonObject } from '../../core/json/value.ts';
import type { LogEvent } from '../../core/ports/ports.ts';
import type { Refusal } from '../../core/reason-codes.ts';
import type { Approval, Decision } from '../../core/verifier.ts';
import type { Approved, Presented } from '../faults/cheat.ts';
import { beginClockFault, beginFlashFault, beginPowerFault, type TimeServers } from '../faults/device-faults.ts';
import type { Fault, FaultTerms } from '../faults/fault.ts';
import { forgedBy, type HostileClass, hostilePayment } from '../faults/hostile-payer.ts';
import { LyingNetwork } from '../faults/network-faults.ts';
import { ReaderLine } from '../faults/reader-line.ts';
import { CERTIFICATE_LEEWAY_MS } from '../faults/shown-certificate.ts';
import type { SeededRandom } from '../flash/random.ts';
import type { LocalAnswer } from '../http/json-server.ts';
import { INVARIANTS, type Violation } from '../invariants/model.ts';
import { FleetWatch } from '../invariants/watch.ts';
import { createNodeCrypto } from '../ports/node-crypto.ts';
import { documentFrom, replacedImage } from '../provisioning/image.ts';
import type { Action, ArrivalTerms, LinkTerms, RetryTerms, Scenario, SessionTerms } from '../scenario/scenario.ts';
import { randomSpan, seededKey, seededRandom } from '../scenario/seeded.ts';
import type { SignedBy } from '../signing/artifacts.ts';
import type { SigningKey } from '../signing/keys.ts';
import { PULSES_OF_ALL } from '../virtual-device/charging-point.ts';
import { presentationBytes } from '../wallet/presentation.ts';
import { Arrivals } from './arrivals.ts';
import { type CheatsByClass, CheatTally } from './cheat-counts.ts';
import { unmet } from './expectations.ts';
import type { KeptRun } from './kept-run.ts';
import { type GoesOn, Payers } from './payers.ts';
import { PluggedCar } from './plugged-car.ts';
import { type BundleAudience, type LinkKind, type ServerParts, Servers } from './servers.ts';
import { MachineStopped, type MakeCharger, SimulatedDevice } from './simulated-device.ts';
import { Timeline } from './timeline.ts';
import { Trace, type TraceEvent } from './trace.ts';

/** How a run may be watched and changed. */
export interface RunOptions {
  /** Gets every event as it happens. */
  readonly heard?: (event: TraceEvent) => void;
  /** Default: virtual chargers. */
  readonly makeCharger?: MakeCharger;
  /** Is told how far the run is, in simulated milliseconds of all there are. */
  readonly progress?: (ms: number, ofMs: number) => void;
  /** Is called when time is over, while everything is still there: to be measured. */
  readonly timeOver?: () => void;
  /** For fleets: of each device so many events are kept for whoever has to find out why. Default: all. */
  readonly keptOfEach?: number;
  /** For fleets: flash is read back after each of so many approvals of a device. Default 1: after every one. */
  readonly readBackEvery?: number;
  /** Default: in-process. */
  readonly link?: LinkKind;
  /** Where flash and databases are kept. Default: in memory, for as long as the run. */
  readonly keep?: KeptRun;
  /** May look at a device whenever something may have changed on it, and every 15 minutes. It must change nothing. */
  readonly observed?: (device: SimulatedDevice, ms: number) => void;
  /** Where authority and operator keep what they know, without `keep`. Default: in memory. */
  readonly storage?: ServerParts['storage'];
  /** Tells the run to end where it is. What is kept then is kept as it is. */
  readonly end?: AbortSignal | undefined;
}

/** A run that was told to end before its time: nothing came of it. */
export class RunBrokenOff extends Error {
  /** Of simulated time. */
  readonly afterMs: number;
  constructor(afterMs: number) {
    super('the run was broken off');
    this.afterMs = afterMs;
  }
}

/** What a run came to. */
export interface RunResult {
  /** Each time that one was presented: one of approved, repeated, refused and unanswered. */
  readonly payments: number;
  readonly approved: number;
  /** Payments whose payers were told that they were approved before. */
  readonly repeated: number;
  /** Sessions that have ended, at their time or at a start, also of payers who got no answer; there where a scenario has any. */
  readonly settled?: number;
  /** Refusals, by code. */
  readonly refused: { readonly [code: string]: number };
  /** Payers who found a device without power, whose payment was cut off, or whose answer was lost. */
  readonly unanswered: number;
  /** Of the unanswered ones those that were approved all the same, as far as it came out, and how many of these the operator has. */
  readonly unheard: { readonly approved: number; readonly acknowledged: number };
  /** Approved payments that the operator has, without the unheard ones. */
  readonly acknowledged: number;
  /** There where a scenario has payers who cheat. */
  readonly cheats?: CheatsByClass;
  /** What the scenario expects and did not come, in words. */
  readonly unmet: readonly string[];
  readonly events: number;
  /** A rule that was broken, and what led there; the run has ended with it. */
  readonly violation?: Violation & { readonly rule: string; readonly trace: readonly TraceEvent[] };
}

/** Runs a scenario. @throws RunBrokenOff where it is told to end */
export async function runScenario(scenario: Scenario, options: RunOptions = {}): Promise<RunResult> {
  const run = new Run(scenario, options);
  try {
    return await run.toTheEnd();
  } finally {
    await run.close();
  }
}

/** Who pays, which keys their grant and their budgets are signed with, and how they cheat where they do. */
interface PayerName {
  readonly payer: string;
  readonly grantKey: string;
  readonly budgetKey: string;
  readonly hostile?: HostileClass;
}

/** The same with whose wallet it is, and what its payer does who gets no answer. */
interface Payer {
  readonly name: PayerName;
  readonly signer: SignedBy;
  readonly retry?: RetryTerms | undefined;
  /** Left out where it is paid at once. */
  readonly session?: SessionDrawn | undefined;
  /** The event of the first attempt. */
  readonly retryOf?: number;
}

/** A session of a payer: how long it lasts, and what its meter counts by then. */
interface SessionDrawn {
  readonly lastsMs: number;
  readonly pulses: number;
}

/** What is around a device. */
interface Around {
  readonly network: LyingNetwork;
  readonly timeServers: TimeServers;
  readonly reader: ReaderLine;
}

/** How often a charger looks at its session and its meter. Firmware does each second: in between nothing else happens to it. */
const SESSION_LOOKED_MS = 60_000;
/** How often all devices are looked at, beside whenever something happens to one. */
const LOOKED_EVERY_MS = 900_000;
/** Longer than a budget of a wallet lasts, with the drift of clocks. */
const LATE_MS = 3 * 3_600_000;
/** How old the firmware is when a scenario begins: a run may not depend on when this program was built. */
const FIRMWARE_AGE_MS = 30 * 86_400_000;

class Run {
  readonly #scenario: Scenario;
  readonly #timeline = new Timeline();
  readonly #trace: Trace;
  readonly #keep: KeptRun | undefined;
  readonly #devices = new Map<string, SimulatedDevice>();
  /** What is around each of them. */
  readonly #around = new Map<string, Around>();
  /** Whoever cheats has one key. */
  readonly #stranger: SigningKey;
  readonly #heard = new Map<string, LocalAnswer>();
  readonly #hasCheats: boolean;
  /** What each device has approved last, where somebody plays it back. */
  readonly #lastApproved = new Map<string, Approved>();
  readonly #servers: Servers;
  readonly #payers: Payers;
  readonly #watch: FleetWatch;
  readonly #refused = new Map<string, number>();
  #violation: Violation | undefined;
  #payments = 0;
  #approved = 0;
  #repeated = 0;
  /** Receipts of sessions that have not ended, and of those that have, of each device. */
  readonly #openSessions = new Map<string, Set<number>>();
  readonly #endedSessions = new Map<string, Set<number>>();
  #unanswered = 0;
  /** What was approved: the receipts of each device, and those that no payer was given at once. */
  readonly #approvals = new Map<string, Set<number>>();
  readonly #unheard = new Map<string, Set<number>>();
  readonly #cheats = new CheatTally();
  readonly #progress: RunOptions['progress'];
  readonly #tellObserver: RunOptions['observed'];
  readonly #timeOver: RunOptions['timeOver'];
  readonly #end: AbortSignal | undefined;

  constructor(scenario: Scenario, options: RunOptions) {
    const { heard, makeCharger, progress, keptOfEach, readBackEvery = 1, link = 'in-process', keep } = options;
    this.#scenario = scenario;
    this.#progress = progress;
    this.#tellObserver = options.observed;
    this.#timeOver = options.timeOver;
    this.#keep = keep;
    this.#end = options.end;
    this.#hasCheats = scenario.arrivals.some(({ hostileShare }) => hostileShare > 0);
    this.#stranger = seededKey(scenario.seed, 'stranger');
    this.#trace = new Trace(() => this.#timeline.nowMs, { heard, keptOfEach });
    const trueMs = () => scenario.beginsMs + this.#timeline.nowMs;
    const clock = { wallMs: trueMs, monotonicMs: () => this.#timeline.nowMs };
    const crypto = createNodeCrypto();
    const builtMs = scenario.beginsMs - FIRMWARE_AGE_MS;
    this.#watch = new FleetWatch({
      crypto,
      trueMs,
      builtMs,
      readBackEvery,
      around: ({ terms }) => this.#surroundings(terms.deviceId),
      broken: (violation) => this.#broken(violation),
    });
    for (const terms of scenario.devices) {
      const { deviceId } = terms;
      const network = new LyingNetwork({
        timeline: this.#timeline,
        random: seededRandom(scenario.seed, `network ${deviceId}`),
        stranger: this.#stranger,
        honest: (url, request) => this.#servers.answer(url, request),
        trueMs,
        shownMs: () => this.#device(deviceId).clock.wallMs(),
        heard: this.#heard,
      });
      const timeServers: TimeServers = { aheadMs: 0 };
      const reader = new ReaderLine(seededRandom(scenario.seed, `reader ${deviceId}`));
      this.#around.set(deviceId, { network, timeServers, reader });
      const device: SimulatedDevice = new SimulatedDevice({
        terms,
        seed: scenario.seed,
        timeline: this.#timeline,
        trueMs,
        builtMs,
        crypto,
        network: network.answer,
        store: keep && ((partition, bytes) => keep.store(deviceId, partition, bytes)),
        askTime: () => {
          const ahead = timeServers.aheadMs;
          return device.link.up && ahead !== undefined ? trueMs() + ahead : undefined;
        },
        makeCharger,
        tell: (event) => this.#said(deviceId, event),
        started: () => {
          this.#watch.started(device);
          this.#endedBefore(device);
        },
        provisioned: () => this.#watch.made(device),
        changed: () => this.#observed(device),
      });
      this.#devices.set(deviceId, device);
      this.#watch.made(device);
    }
    const run = {
      timeline: this.#timeline,
      trace: this.#trace,
      clock,
      link,
      storage: keep?.storage ?? options.storage,
    };
    const audiences = audiencesOf(this.#devices.values(), otherMerchants(scenario));
    this.#servers = new Servers(scenario, run, audiences, (issued) => this.#watch.issued(issued));
    this.#payers = new Payers(
      scenario,
      this.#servers,
      clock,
      [...this.#devices.values()].map((device) => device.sale),
    );
  }

  async toTheEnd(): Promise<RunResult> {
    const { durationMs, settleMs, seed, title } = this.#scenario;
    this.#trace.add({ event: 'scenario.begins', title, seed });
    this.#timeline.at(0, () => this.#open());
    await this.#pass(durationMs);
    if (this.#violation === undefined && !this.#end?.aborted) {
      this.#trace.add({ event: 'scenario.settles' });
      for (const device of this.#devices.values()) {
        device.powerUp();
        device.setLink(true);
      }
      await this.#pass(durationMs + settleMs);
    }
    for (const { terms, image } of this.#devices.values()) this.#keep?.image(terms.deviceId, image);
    if (this.#end?.aborted) throw new RunBrokenOff(this.#timeline.nowMs);
    this.#timeOver?.();
    const { acknowledged, unheard } = await this.#handedIn();
    const refused = Object.fromEntries([...this.#refused].sort(([a], [b]) => (a < b ? -1 : 1)));
    const counts = {
      payments: this.#payments,
      approved: this.#approved,
      repeated: this.#repeated,
      refused,
      unanswered: this.#unanswered,
      ...(this.#scenario.arrivals.some(({ session }) => session !== undefined) && { settled: this.#settled() }),
    };
    if (this.#violation === undefined)
      this.#trace.add({ event: 'scenario.ends', payments: this.#payments, approved: this.#approved, acknowledged });
    const cheats = this.#hasCheats && { cheats: this.#cheats.byClass };
    const result = {
      ...counts,
      unheard,
      acknowledged,
      ...cheats,
      unmet: unmet(this.#scenario.expect, counts),
      events: this.#trace.count,
    };
    const violation = this.#violation;
    if (violation === undefined) return result;
    const trace = this.#trace.leadingTo(violation.device, violation.about);
    return { ...result, violation: { ...violation, rule: INVARIANTS[violation.invariant], trace } };
  }

  /** A turn of the event loop: without sockets nothing else may give it one while servers are asked again and again. */
  readonly #goesOn: GoesOn = async () => {
    if (this.#end === undefined) return true;
    await this.#timeline.outside(new Promise<void>((resolve) => setImmediate(resolve)));
    return !this.#end.aborted;
  };

  /** Lets time pass. A device whose machine stops ends the run as a rule does that is broken. */
  async #pass(untilMs: number): Promise<void> {
    const stop = () => this.#timeline.stop();
    this.#end?.addEventListener('abort', stop);
    try {
      if (!this.#end?.aborted) await this.#timeline.run(untilMs);
    } catch (error) {
      if (!(error instanceof MachineStopped)) throw error;
      this.#broken({ invariant: 'runs', device: error.device, detail: error.message, about: [] });
    } finally {
      this.#end?.removeEventListener('abort', stop);
    }
  }

  /** What the operator has in the end: how many of the approvals, and of those that no payer was told of. */
  async #handedIn(): Promise<Pick<RunResult, 'acknowledged' | 'unheard'>> {
    const { backend } = this.#servers.backend;
    let acknowledged = 0;
    const unheard = { approved: 0, acknowledged: 0 };
    for (const deviceId of this.#devices.keys()) {
      const approvals = receiptsOf(this.#approvals, deviceId);
      const untold = receiptsOf(this.#unheard, deviceId);
      const receipts = new Map<number, bigint>();
      const stored = await backend.storage.receipts({ deviceId, chain: 1 }, 0, Number.MAX_SAFE_INTEGER);
      for (const { receiptId, document } of stored) {
        receipts.set(receiptId, BigInt(String(document.amountMinor ?? 0)));
        // Power went between the record and the answer, and nobody came again.
        const isApproval = document.kind === 'payment' && document.doubt === undefined;
        if (isApproval && !approvals.has(receiptId)) untold.add(receiptId);
      }
      for (const receiptId of approvals) if (receipts.has(receiptId)) acknowledged++;
      for (const receiptId of untold) if (receipts.has(receiptId)) unheard.acknowledged++;
      unheard.approved += untold.size;
      const device = this.#device(deviceId);
      if (this.#violation === undefined) this.#watch.ended(device);
      // By a clock that has jumped so far no certificate is good: it is set when the device asks for bundles next.
      const isOff = Math.abs(device.clock.aheadMs ?? 0) >= CERTIFICATE_LEEWAY_MS;
      if (this.#violation !== undefined || device.provisioning.operator === undefined || isOff) continue;
      this.#watch.handedIn(device, receipts, await backend.report(deviceId));
    }
    return { acknowledged, unheard };
  }

  /** Ends the servers. */
  close(): Promise<void> {
    return this.#servers.close();
  }

  async #open(): Promise<void> {
    const { authority, arrivals, links, faults, actions, durationMs, settleMs } = this.#scenario;
    await this.#servers.open([...this.#devices.values()].map(({ provisioning }) => provisioning));
    await this.#payers.open(this.#goesOn);
    if (this.#end?.aborted) return;
    for (const device of this.#devices.values()) device.start();
    for (let ms = authority.bundleEveryMs; ms < durationMs; ms += authority.bundleEveryMs)
      this.#timeline.at(ms, () => this.#servers.issueBundles());
    for (let ms = LOOKED_EVERY_MS; ms < durationMs + settleMs; ms += LOOKED_EVERY_MS)
      this.#timeline.at(ms, () => this.#look());
    for (const [i, terms] of links.entries()) this.#planLink(terms, i);
    for (const [i, terms] of arrivals.entries()) this.#planArrivals(terms, i);
    for (const [i, terms] of faults.entries()) this.#planFault(terms, i);
    for (const action of actions) this.#timeline.at(action.atMs, () => this.#act(action));
  }

  #look(): void {
    const { durationMs, settleMs } = this.#scenario;
    this.#progress?.(this.#timeline.nowMs, durationMs + settleMs);
    for (const device of this.#devices.values()) this.#observed(device);
  }

  #observed(device: SimulatedDevice): void {
    this.#watch.observed(device);
    this.#tellObserver?.(device, this.#timeline.nowMs);
  }

  #planLink({ devices, pattern }: LinkTerms, number: number): void {
    for (const deviceId of devices) {
      const device = this.#device(deviceId);
      if (pattern.kind === 'outage') {
        this.#timeline.at(pattern.atMs, () => device.setLink(false));
        this.#timeline.at(pattern.atMs + pattern.forMs, () => device.setLink(true));
        continue;
      }
      const random = seededRandom(this.#scenario.seed, `link ${number} ${deviceId}`);
      const { upMs, downMs, kind } = pattern;
      const span = (ms: number) => (kind === 'random' ? randomSpan(random, ms) : ms);
      const change = (up: boolean): void => {
        // In the end links are up.
        if (this.#timeline.nowMs >= this.#scenario.durationMs) return;
        device.setLink(up);
        this.#timeline.after(span(up ? upMs : downMs), () => change(!up));
      };
      // Somewhere in the time that it is up: else all would go at one moment.
      this.#timeline.after(Math.ceil(random.next() * upMs), () => change(false));
    }
  }

  #planFault({ devices, atMs, forMs, fault }: FaultTerms, number: number): void {
    const name = fault.kind === 'flash' || fault.kind === 'power' ? fault.kind : `${fault.kind} ${fault.what.kind}`;
    for (const deviceId of devices) {
      const random = seededRandom(this.#scenario.seed, `fault ${number} ${deviceId}`);
      this.#timeline.at(atMs, () => {
        this.#tell(deviceId, { event: 'fault.begins', fault: name });
        const end = this.#begun(fault, deviceId, random, atMs + forMs);
        this.#watch.observed(this.#device(deviceId));
        this.#timeline.at(atMs + forMs, () => {
          this.#tell(deviceId, { event: 'fault.ends', fault: name });
          end();
          this.#watch.observed(this.#device(deviceId));
        });
      });
    }
  }

  #begun(fault: Fault, deviceId: string, random: SeededRandom, untilMs: number): () => void {
    const device = this.#device(deviceId);
    const { network, timeServers, reader } = this.#around.get(deviceId) as Around;
    switch (fault.kind) {
      case 'network':
        network.begin(fault);
        return () => network.end(fault);
      case 'clock':
        return beginClockFault(device, timeServers, fault);
      case 'flash':
        return beginFlashFault(device, fault, random);
      case 'power':
        beginPowerFault(device, fault, { timeline: this.#timeline, random, untilMs });
        return () => undefined;
      case 'reader':
        return reader.begin(fault);
    }
  }

  #surroundings(deviceId: string): { readonly isHonest: boolean } {
    const around = this.#around.get(deviceId);
    const device = this.#device(deviceId);
    const { ledger, bundles } = device.flashes;
    // The ledger records which bundles there were, and records nothing after a write that failed. A bad block that nobody
    // writes to is no excuse.
    const { readsFail, haveRefused } = ledger.faults;
    const isLetIn = !(readsFail || haveRefused || bundles.faults.fail);
    // By the time that it is told no server may be known; and what is before its firmware was built, or its image made, is no time.
    const aheadMs = around?.timeServers.aheadMs ?? Number.NEGATIVE_INFINITY;
    const toldMs = this.#scenario.beginsMs + this.#timeline.nowMs + aheadMs;
    const isTimely = Math.abs(aheadMs) < CERTIFICATE_LEEWAY_MS && toldMs >= this.#watch.earliestMs(device);
    return { isHonest: isLetIn && isTimely && around?.network.isHonest === true };
  }

  /** The first rule that is broken ends the run. */
  #broken(violation: Violation): void {
    if (this.#violation !== undefined) return;
    this.#violation = violation;
    const { invariant, device, detail } = violation;
    this.#tell(device, { event: 'violation', invariant, detail });
    this.#timeline.stop();
  }

  #planArrivals(terms: ArrivalTerms, number: number): void {
    const { seed } = this.#scenario;
    if (terms.pattern.kind !== 'each') {
      this.#planNext(new Arrivals(terms, terms.devices, seededRandom(seed, `arrivals ${number}`)));
      return;
    }
    for (const deviceId of terms.devices)
      this.#planNext(new Arrivals(terms, [deviceId], seededRandom(seed, `arrivals ${number} ${deviceId}`)));
  }

  /** One after the other: all at once would be as much as a fleet's day. */
  #planNext(arrivals: Arrivals): void {
    const ms = arrivals.next();
    if (ms === undefined) return;
    this.#timeline.at(ms, () => {
      this.#planNext(arrivals);
      return this.#arrived(arrivals);
    });
  }

  async #arrived({ terms, devices, random }: Arrivals): Promise<void> {
    const wallets = this.#payers.named(terms.wallets);
    const wallet = wallets[random.below(wallets.length)] as (typeof wallets)[number];
    const device = this.#device(devices[random.below(devices.length)] as string);
    const [least, most] = terms.amountMinor;
    const amount = (least + BigInt(Math.floor(random.next() * Number(most - least + 1n)))).toString();
    const isHostile = random.next() < terms.hostileShare;
    const cheats = isHostile ? terms.hostile[random.below(terms.hostile.length)] : undefined;
    const { retry } = terms;
    const session = terms.session && drawnSession(terms.session, random);
    const honest = await this.#payers.pay(wallet, device.sale, amount, { isKeyed: retry !== undefined });
    const { issuer, key } = wallet.terms;
    const signer = { issuer, key };
    const name = {
      payer: `${wallet.terms.name}-${wallet.number}`,
      grantKey: String(wallet.grant.issuerKeyId),
      budgetKey: key.kid,
    };
    if (cheats === undefined) {
      await this.#pay(
        device,
        { bytes: presentationBytes(honest), amountMinor: amount },
        { name, signer, retry, session },
      );
      return;
    }
    const late = await this.#payers.pay(wallet, device.sale, amount, { agoMs: LATE_MS });
    const approved = this.#lastApproved.get(device.terms.deviceId);
    const context = {
      honest,
      amountMinor: amount,
      late,
      signer,
      sale: device.sale,
      otherGrant: (ending: string, terms: JsonObject) => this.#payers.otherGrant(wallet, ending, terms),
      fleetPolicy: (terms: JsonObject) => this.#payers.fleetPolicy(wallet, device.sale, terms),
      neighbour: this.#servers.neighbour,
      approved,
      stranger: this.#stranger,
      random,
    };
    const presented = hostilePayment(cheats, context);
    if (presented !== undefined)
      await this.#pay(device, presented, { name: { ...name, hostile: cheats }, signer, session });
  }

  async #pay(device: SimulatedDevice, presented: Presented, payer: Payer): Promise<void> {
    const { name, signer, session, retryOf } = payer;
    const { deviceId } = device.terms;
    const { bytes, amountMinor } = presented;
    this.#payments++;
    const hadPower = device.powered;
    const decision = await (session === undefined
      ? device.pay(bytes, amountMinor)
      : device.reserve(bytes, amountMinor));
    const isLost = decision !== undefined && this.#around.get(deviceId)?.reader.losesAnswer() === true;
    if (decision === undefined || isLost) {
      this.#unanswered++;
      if (decision === undefined && hadPower) this.#watch.unanswered(device, bytes, amountMinor);
    } else if (!decision.ok) this.#refused.set(decision.code, (this.#refused.get(decision.code) ?? 0) + 1);
    else if (decision.repeated) this.#repeated++;
    else {
      this.#approved++;
      receiptsOf(this.#approvals, deviceId).add(decision.receiptId);
      if (this.#hasCheats) this.#lastApproved.set(deviceId, { ...presented, signer });
    }
    if (name.hostile !== undefined) this.#cheats.decided(name.hostile, decision);
    // Told or not: what is given again was approved before, and a first answer may have gone with the power.
    if (decision?.ok && !receiptsOf(this.#approvals, deviceId).has(decision.receiptId))
      receiptsOf(this.#unheard, deviceId).add(decision.receiptId);
    this.#tell(deviceId, {
      event: 'payment',
      ...name,
      ...(retryOf !== undefined && { retryOf }),
      amountMinor,
      ...(isLost ? lostAnswer(decision) : answerOf(decision)),
    });
    if (decision === undefined || isLost)
      this.#planRetry(device, presented, { ...payer, retryOf: retryOf ?? this.#trace.count });
    const forged = forgedBy(name.hostile);
    if (decision?.ok && decision.repeated) this.#watch.repeated(device, bytes, forged, decision);
    else if (decision?.ok) this.#watch.approved(device, bytes, forged, decision);
    if (session !== undefined && decision?.ok && !decision.repeated) {
      receiptsOf(this.#openSessions, deviceId).add(decision.receiptId);
      this.#plugIn(device, decision, session, isLost);
      return;
    }
    if (!device.charges) device.leave();
  }

  /**
   * A session has begun. Its driver ends it after its time; one who was not told neither plugs in nor ends anything. With the
   * scenario all are ended.
   */
  #plugIn(
    device: SimulatedDevice,
    { receiptId: reservation, amountMinor: reservedMinor }: Approval,
    { lastsMs, pulses }: SessionDrawn,
    isLost: boolean,
  ): void {
    const beganMs = this.#timeline.nowMs;
    const { durationMs } = this.#scenario;
    const endsMs = isLost ? durationMs : Math.min(beganMs + lastsMs, durationMs);
    const flowsMs = isLost ? undefined : lastsMs;
    this.#planLook(device, new PluggedCar({ reservation, reservedMinor, beganMs, endsMs, flowsMs, pulses }));
  }

  #planLook(device: SimulatedDevice, car: PluggedCar): void {
    const nextMs = this.#timeline.nowMs + SESSION_LOOKED_MS;
    const atMs = car.isCutOff ? nextMs : Math.min(nextMs, car.endsMs);
    this.#timeline.at(atMs, () => this.#lookAt(device, car));
  }

  #lookAt(device: SimulatedDevice, car: PluggedCar): void {
    const { deviceId } = device.terms;
    const { nowMs } = this.#timeline;
    const { reservation } = car;
    const pulses = car.flowed(nowMs);
    const isStopped = nowMs >= car.endsMs && !car.isCutOff;
    const event = isStopped ? device.stopCharging(reservation, pulses) : device.charge(reservation, pulses);
    if (event === 'gone') return;
    const { dueMinor: amountMinor } = car;
    // What is given back has paid nothing: it may be used, and whoever does so is no cheat.
    if (event !== undefined && amountMinor === '0') this.#lastApproved.delete(deviceId);
    if (event === 'cut') {
      this.#watch.endCut(device, reservation, amountMinor);
      return;
    }
    if (isStopped || event !== undefined) car.cutOff();
    if (event?.closing.ok) {
      this.#ended(deviceId, reservation);
      this.#watch.settled(device, reservation, amountMinor, event.closing);
    } else if (event !== undefined) {
      const { code, detail } = event.closing as Refusal;
      this.#tell(deviceId, { event: 'session.unsettled', reservation, amountMinor, code, detail });
      this.#watch.endRefused(device, reservation, amountMinor, code);
    } else if (isStopped) this.#watch.endRefused(device, reservation, amountMinor, 'its driver was not heard');
    if (!device.charges) device.leave();
    else if (nowMs < this.#scenario.durationMs + this.#scenario.settleMs / 2) this.#planLook(device, car);
  }

  #ended(deviceId: string, reservation: number): void {
    this.#openSessions.get(deviceId)?.delete(reservation);
    receiptsOf(this.#endedSessions, deviceId).add(reservation);
  }

  #settled(): number {
    return [...this.#endedSessions.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Its log has also what a start did that power cut off before it was whole. */
  #said(deviceId: string, event: LogEvent): void {
    this.#tell(deviceId, event);
    if ((event.event === 'payment.settle' || event.event === 'payment.release') && event.ok === true)
      this.#ended(deviceId, Number(event.reservation));
  }

  /** A device has started: sessions that it does not find open have ended as its power went. */
  #endedBefore({ terms, reservationsLeft, flashes }: SimulatedDevice): void {
    const { deviceId } = terms;
    const left = new Set(reservationsLeft.map(({ reservation }) => reservation.receiptId));
    // A ledger that fails may not say what is open.
    if (flashes.ledger.faults.fail) return;
    for (const reservation of this.#openSessions.get(deviceId) ?? [])
      if (!left.has(reservation)) this.#ended(deviceId, reservation);
  }

  /** Whoever got no answer comes again, unless the scenario is over by then. */
  #planRetry(device: SimulatedDevice, presented: Presented, { retry, ...payer }: Payer): void {
    if (retry === undefined || retry.times < 1) return;
    const { afterMs, times } = retry;
    if (this.#timeline.nowMs + afterMs >= this.#scenario.durationMs) return;
    this.#timeline.after(afterMs, () =>
      this.#pay(device, presented, { ...payer, retry: { afterMs, times: times - 1 } }),
    );
  }

  async #act(action: Action): Promise<void> {
    const { kind } = action;
    const servers = this.#servers;
    if (kind !== 'urgent' && kind !== 'provision') this.#trace.add({ event: `authority.${kind}`, ...namedIn(action) });
    switch (kind) {
      case 'issue-bundles':
        break;
      case 'revoke-key':
        servers.revokeKey(action.key);
        break;
      case 'revoke-grants':
        for (const { grant } of this.#payers.named(action.wallets).slice(0, action.count)) {
          if (!(await this.#goesOn())) return;
          await servers.revokeGrant(String((grant.grant as { grantId: string }).grantId));
        }
        break;
      case 'replace-grant-key':
        await servers.replaceGrantKey(action.key);
        await this.#payers.renew(this.#goesOn);
        break;
      case 'rotate-root':
        await servers.rotateRoot(action.key);
        break;
      case 'provision':
        this.#planProvisioning(action);
        return;
      case 'urgent':
        for (const deviceId of action.devices) this.#device(deviceId).urgent();
        return;
    }
    await servers.issueBundles();
  }

  #planProvisioning({ devices, rootKeys, withinMs }: Action & { readonly kind: 'provision' }): void {
    const keys = rootKeys.map(({ kid, publicKey }) => ({ kid, publicKey }));
    for (const [i, deviceId] of devices.entries()) {
      const device = this.#device(deviceId);
      this.#timeline.after(Math.floor((withinMs * i) / devices.length), () => {
        const document = documentFrom(device.provisioning);
        const site = { ...device.provisioning.site, rootKeys: keys };
        device.provision(replacedImage(device.image, { ...document, site }, device.provisioning.counter + 1));
      });
    }
  }

  #device(deviceId: string): SimulatedDevice {
    return this.#devices.get(deviceId) as SimulatedDevice;
  }

  #tell(device: string, { event, ...rest }: LogEvent): void {
    this.#trace.add({ event, device, ...rest });
  }
}

/** Receipts of a device. */
function receiptsOf(all: Map<string, Set<number>>, deviceId: string): Set<number> {
  const known = all.get(deviceId) ?? new Set();
  all.set(deviceId, known);
  return known;
}

function answerOf(decision: Decision | undefined): Omit<LogEvent, 'event'> {
  if (decision === undefined) return { answer: 'none' };
  if (!decision.ok) return { answer: 'refused', code: decision.code, detail: decision.detail };
  const { receiptId, budgetId, grantId } = decision;
  return { answer: decision.repeated ? 'repeated' : 'approved', receiptId, budgetId, grantId };
}

/** How long a session lasts, and what is delivered: at most what is reserved. */
function drawnSession({ lastsMs, delivered }: SessionTerms, random: SeededRandom): SessionDrawn {
  const between = ([least, most]: readonly [number, number]) => least + random.next() * (most - least);
  const lasts = Math.round(between(lastsMs));
  return { lastsMs: lasts, pulses: Math.floor(between(delivered) * PULSES_OF_ALL) };
}

/** What a device has decided, and nobody was told. */
function lostAnswer(decision: Decision): Omit<LogEvent, 'event'> {
  const { answer, ...rest } = answerOf(decision);
  return { answer: 'none', decided: answer as string, ...rest };
}

function namedIn(action: Action): { readonly [member: string]: string | number } {
  if ('key' in action) return { key: action.key.kid };
  return action.kind === 'revoke-grants' ? { wallets: action.wallets, count: action.count } : {};
}

/** Merchants whose bundles devices are to get by mistake. */
function otherMerchants({ faults }: Scenario): readonly string[] {
  return faults.flatMap(({ fault }) =>
    fault.kind === 'network' && fault.what.kind === 'other-merchant' ? [fault.what.merchant] : [],
  );
}

function audiencesOf(devices: Iterable<SimulatedDevice>, others: readonly string[]): readonly BundleAudience[] {
  const found = new Map<string, BundleAudience>();
  for (const { audience } of devices)
    for (const merchant of [audience.merchant, ...others])
      found.set(JSON.stringify([audience.category, merchant, audience.region]), { ...audience, merchant });
  return [...found.values()];
}
