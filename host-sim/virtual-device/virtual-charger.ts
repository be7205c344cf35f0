// A virtual EV charger: the core on simulated flash and clock, real HTTP to its Policy Authority and its operator's backend,
// and a relay. It keeps a spend ledger, its bundles, and where it is given a flash for one a journal, which it hands in.
// Power can go at any moment; whatever happens, the relay is closed only by a payment that is recorded and not a repeat.

import { randomInt } from 'node:crypto';
import { Boot, type BootedDevice, type BootStep } from '../../core/boot/boot.ts';
import { BUILD_TIME_MS } from '../../core/build-time.ts';
import type { PaymentRequest } from '../../core/chain/request.ts';
import { crc32 } from '../../core/encoding/crc32.ts';
import type { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import type { Journal } from '../../core/ledger/journal.ts';
import { ledgerKey } from '../../core/ledger/keys.ts';
import type { LedgerRefusal } from '../../core/ledger/ledger.ts';
import type { Clock, Crypto, Flash, Log } from '../../core/ports/ports.ts';
import { admitCounter } from '../../core/provisioning/counter.ts';
import { readProvisioning } from '../../core/provisioning/partition.ts';
import { type Provisioning, ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import type { BundleFetch, FetchFailure, FetchResult } from '../../core/refresh/bundle-fetch.ts';
import { BundleRefresh, type RefreshConditions } from '../../core/refresh/bundle-refresh.ts';
import { Uploader } from '../../core/refresh/upload.ts';
import { bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import type { Decision, DecisionOptions, ReservationLeft, SetAdmission, Verifier } from '../../core/verifier.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { SeededRandom } from '../flash/random.ts';
import { DEVICE_GEOMETRY, SimulatedFlash } from '../flash/simulated-flash.ts';
import { MemoryStore } from '../flash/store.ts';
import { fetchBundles } from './bundle-fetch.ts';
import { type HandIn, handIn } from './hand-in.ts';
import { Link } from './link.ts';
import { SimulatedRelay } from './relay.ts';
import { askRevocation } from './revocation-ask.ts';
import { receiptsUrl } from './server-urls.ts';
import type { KnownServer } from './tls-fetch.ts';

/** What a charger is built from. */
export interface ChargerParts {
  /** The partition with its provisioning image. */
  readonly provisioning: Flash;
  /** When its firmware was built, in milliseconds: no correct clock shows an earlier time. Default: the core's. */
  readonly firmwareBuiltMs?: number;
  /** The spend ledger's partition. */
  readonly flash: Flash;
  /** The journal's: every accepted payment, whole. Left out, none is kept. */
  readonly journal?: Flash;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log?: Log;
  /** Default: an ordinary one. */
  readonly relay?: SimulatedRelay;
  /** Default: a link of its own. */
  readonly link?: Link;
  /** A random number of 32 bits for a ledger and a journal that are formatted. Default: one is drawn. */
  readonly salt?: number;
  /** The bundle set's partition. Default: one of the published size, in memory: it lasts as long as the object. */
  readonly bundles?: Flash;
  /** Sets the clock over the network, or does not: what a device asks a time server for. Left out, nobody does. */
  readonly setTime?: () => Promise<void>;
  /** Where an https address is served in this simulation, which has no TLS. Default: nowhere else. */
  readonly reach?: (url: URL) => URL;
  /** For one batch that is handed in, in milliseconds. Default 10 000. */
  readonly handInTimeoutMs?: number;
}

/** What a refresh came to. `admissions` holds refusals too: a set is admitted bundle by bundle. */
export type Refresh =
  | Exclude<FetchResult, { readonly kind: 'failed' }>
  | { readonly kind: 'failed'; readonly failure: FetchFailure | 'power-cut'; readonly detail: string }
  /** Nothing is due for so long, in milliseconds; for `refreshIfDue`. */
  | { readonly kind: 'waiting'; readonly ms: number }
  /** A payment is under way. */
  | { readonly kind: 'busy' };

/** A start that has stopped: the message says where, and why. */
export class StartProblem extends Error {
  override name = 'StartProblem';
  readonly step: BootStep;
  constructor(step: BootStep, why: string) {
    super(`the start ended at ${step}: ${why}`);
    this.step = step;
  }
}

/** What exists while there is power. */
interface Running {
  readonly provisioning: Provisioning;
  readonly ledger: FlashLedger;
  readonly journal: Journal | undefined;
  readonly verifier: Verifier;
  /** Where there is a journal, and a backend to hand in to. */
  readonly uploader: Uploader | undefined;
  readonly refresh: BundleRefresh;
}

/** See the head of the file. It does nothing until `start`; without power every method throws PowerCut. */
export class VirtualCharger {
  readonly relay: SimulatedRelay;
  readonly link: Link;
  readonly #parts: ChargerParts;
  readonly #bundles: Flash;
  #running: Running | undefined;
  #left: readonly ReservationLeft[] = [];
  #refreshing: Promise<Refresh> | undefined;
  #handingIn: Promise<HandIn> | undefined;
  #busy = false;
  /** What goes on when the payer has left. */
  readonly #waiting: (() => void)[] = [];

  constructor(parts: ChargerParts) {
    this.relay = parts.relay ?? new SimulatedRelay();
    this.link = parts.link ?? new Link();
    this.#parts = parts;
    this.#bundles = parts.bundles ?? new SimulatedFlash(new MemoryStore(bundlePartitionBytes(BLOCK)));
  }

  /** False before `start` and after a power cut. */
  get powered(): boolean {
    return this.#running !== undefined;
  }

  /** What its image says. */
  get provisioning(): Provisioning {
    return this.#on().provisioning;
  }

  /**
   * Starts, or starts again, by the steps of the core's `Boot`: reads its provisioning image, opens ledger and journal, verifies
   * the stored bundles anew, and takes up the reservations that were left open (`reservationsLeft`). Where the bundles'
   * partition cannot be read that is logged (`bundles.failed`), and they are missing.
   *
   * @throws ProvisioningProblem where there is no image it may run with; StartProblem where a step stops the start; PowerCut
   */
  start(): void {
    this.powerOff();
    this.#guarded(() => {
      const { log } = this.#parts;
      const provisioning = this.#provisioned();
      const { verifier, ledger, journal, reservationsLeft } = this.#booted(provisioning);
      const random = chanceOf(provisioning);
      const refresh = new BundleRefresh({ verifier, crypto: this.#parts.crypto, random, ...(log && { log }) });
      const uploader = journal && this.#uploaderOf(journal, provisioning);
      // What a start leaves to the time between payments.
      idle(verifier);
      this.#left = reservationsLeft;
      this.#running = { provisioning, ledger, journal, verifier, uploader, refresh };
    });
  }

  /** Takes the power away: the relay opens, and what was only in memory is gone. */
  powerOff(): void {
    this.relay.open();
    this.#running = undefined;
    this.attend(false);
  }

  /** Why nothing can be recorded, or undefined. */
  get storeProblem(): LedgerRefusal | undefined {
    const { ledger, journal } = this.#on();
    const problems = [ledger.problem, journal?.problem].filter((problem) => problem !== undefined);
    // As the verifier has it: a full store comes last, it may be full for some payments only.
    return problems.find(({ code }) => code === 'STORE_FAILED') ?? problems[0];
  }

  /** Reservations that the last start found open, and what became of them. */
  get reservationsLeft(): readonly ReservationLeft[] {
    return this.#left;
  }

  /** Ids of the bundles in force, latest expiry first. */
  get bundleIds(): readonly string[] {
    return this.#on().verifier.trust.bundles.map((bundle) => bundle.bundleId);
  }

  /** What was accepted under a grant, in the terminal's unit. */
  grantTotal(grantId: string): bigint {
    return this.#on().ledger.grantTotal(ledgerKey(this.#parts.crypto, 'grant', new Uint8Array(0), grantId));
  }

  /**
   * Decides on a payment, and closes the relay where it is approved and not a repeat of one that was answered before.
   *
   * @throws PowerCut; then the relay is open
   */
  pay(presentation: Uint8Array, request: PaymentRequest, options: DecisionOptions = {}): Decision {
    const running = this.#on();
    return this.#guarded(() => {
      const { verifier } = running;
      // They may have waited for a clock.
      if (!verifier.bundlesLoaded) verifier.loadBundles();
      if (verifier.revocation) verifier.revocation.linkUp = this.link.up;
      const decision = verifier.authorize(presentation, request, options);
      if (decision.ok && !decision.repeated) this.relay.close();
      return decision;
    });
  }

  /** The same; where there is a network and the grant wants its issuer asked whether it was revoked, asks first. */
  async present(presentation: Uint8Array, request: PaymentRequest, options: DecisionOptions = {}): Promise<Decision> {
    const running = this.#on();
    const decision = this.pay(presentation, request, options);
    const { revocation } = running.verifier;
    const question = revocation?.question;
    if (decision.ok || decision.code !== 'REVOCATION_UNKNOWN' || revocation === undefined || question === undefined)
      return decision;
    const device = { link: this.link, reach: this.#parts.reach ?? ((url: URL) => url), known: this.#known() };
    await askRevocation(device, revocation, question);
    return this.pay(presentation, request, options);
  }

  /** The vehicle leaves: the relay opens, and ledger and journal get their idle time, so that the next payment needs no erase. */
  disconnect(): void {
    this.relay.open();
    const running = this.#running;
    if (running !== undefined) this.#guarded(() => idle(running.verifier));
  }

  /** Fetches the Trust Bundles over the link and admits them, because somebody asks for it: nothing is waited for. */
  refresh(): Promise<Refresh> {
    return this.#refreshed(() => this.#on().refresh.hurry());
  }

  /** The same where it is due, as the core has it; else it says for how long it is not. */
  refreshIfDue(): Promise<Refresh> {
    return this.#refreshed(() => undefined);
  }

  /** Something from outside says that there are new bundles. @returns whether it is believed; then a refresh is due soon */
  urgent(reason: string): boolean {
    return this.#on().refresh.urgent(this.#parts.clock.monotonicMs(), reason);
  }

  /** Messages that say so may have been missed: a refresh is due soon, though not each time. */
  missed(): void {
    this.#on().refresh.missed(this.#parts.clock.monotonicMs());
  }

  /** A payer stands at the reader, or leaves it: in between no refresh touches flash. */
  attend(busy: boolean): void {
    this.#busy = busy;
    if (busy) return;
    for (const free of this.#waiting.splice(0)) free();
  }

  /**
   * Hands in over the link what was accepted and is not acknowledged. One at a time; a second call gets the first one's
   * result.
   *
   * @throws Error where there is no journal, or no backend to hand in to; PowerCut
   */
  handIn(): Promise<HandIn> {
    const running = this.#on();
    const { operator, deviceId } = this.provisioning;
    const { uploader } = running;
    if (uploader === undefined || operator === undefined)
      throw new Error('the charger has nothing to hand in, or nobody');
    const device = {
      link: this.link,
      uploader,
      monotonicMs: () => this.#parts.clock.monotonicMs(),
      run: <T>(work: () => T) => (this.#running === running ? this.#guarded(work) : undefined),
      urged: () => void running.refresh.urgent(this.#parts.clock.monotonicMs(), 'http'),
    };
    const url = receiptsUrl(operator.url, deviceId);
    const order = {
      url,
      apiKey: operator.apiKey,
      timeoutMs: this.#parts.handInTimeoutMs ?? 10_000,
      known: this.#known(operator.certificate),
    };
    this.#handingIn ??= handIn(device, order).finally(() => {
      this.#handingIn = undefined;
    });
    return this.#handingIn;
  }

  /** Takes in `{"bundles":[…]}` as if it had been fetched. */
  admit(set: Uint8Array): SetAdmission {
    const { verifier } = this.#on();
    return this.#guarded(() => {
      const intake = verifier.beginBundles();
      if ('ok' in intake) return intake;
      intake.write(set);
      return intake.end();
    });
  }

  /** One at a time; a second call gets the first one's result. */
  #refreshed(begin: () => void): Promise<Refresh> {
    this.#on();
    if (this.#refreshing === undefined) {
      begin();
      this.#refreshing = this.#refresh().finally(() => {
        this.#refreshing = undefined;
      });
    }
    return this.#refreshing;
  }

  async #refresh(): Promise<Refresh> {
    const running = this.#on();
    for (;;) {
      const step = this.#guarded(() => running.refresh.next(this.#conditions()));
      if (step.kind === 'wait') return { kind: 'waiting', ms: step.ms };
      if (step.kind === 'nothing') return { kind: 'busy' };
      const result =
        step.kind === 'fetch' ? await this.#fetched(running, step.fetch) : await this.#prepared(running, step.kind);
      if (this.#running !== running)
        return { kind: 'failed', failure: 'power-cut', detail: 'the power was cut meanwhile' };
      if (result !== undefined) return result;
    }
  }

  /** Brings about what a request needs. @returns the failure where that cannot be had */
  async #prepared(running: Running, stage: 'connect' | 'set-time'): Promise<FetchResult | undefined> {
    const { clock, setTime } = this.#parts;
    const gaveUp = (detail: string) => running.refresh.gaveUp(clock.monotonicMs(), detail);
    // Nobody but whoever switched the link off switches it on.
    if (stage === 'connect') return gaveUp('the link is down');
    await setTime?.();
    if (this.#running !== running) return undefined;
    const isSet = clock.wallMs() !== undefined && typeof running.verifier.now() === 'number';
    return isSet ? undefined : gaveUp('nobody sets the clock');
  }

  #fetched(running: Running, fetch: BundleFetch): Promise<FetchResult | undefined> {
    const { clock } = this.#parts;
    const device = {
      link: this.link,
      certificate: this.provisioning.certificate,
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      run: <T>(work: () => T) => (this.#running === running ? this.#guarded(work) : undefined),
      free: () => this.#free(),
    };
    return fetchBundles(device, this.provisioning.policyAuthorityUrl, fetch);
  }

  /** Whom it knows its servers by; @param certificate of a server that has one of its own */
  #known(certificate = this.provisioning.certificate): KnownServer {
    return { certificate, nowMs: this.#parts.clock.wallMs() };
  }

  #free(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  #conditions(): RefreshConditions {
    const { clock } = this.#parts;
    const clockSet = clock.wallMs() !== undefined;
    return { nowMs: clock.monotonicMs(), linkUp: this.link.up, clockSet, busy: this.#busy };
  }

  #provisioned(): Provisioning {
    const found = readProvisioning(this.#parts.provisioning);
    if (found instanceof ProvisioningProblem) throw found;
    const { provisioning, damage } = found;
    if (damage !== undefined) this.#parts.log?.emit({ event: 'provisioning.damaged', detail: damage });
    return provisioning;
  }

  #booted({ site: configuration, counter, madeAtMs }: Provisioning): BootedDevice {
    const { flash: ledger, journal, clock, crypto, log, firmwareBuiltMs } = this.#parts;
    let older: ProvisioningProblem | undefined;
    const boot = new Boot({
      configuration,
      crypto,
      clock,
      flash: { ledger, journal, bundles: this.#bundles },
      // What payers cannot guess, they cannot write into a record that is damaged.
      salt: this.#parts.salt ?? randomInt(0x1_0000_0000),
      earliestMs: Math.max(firmwareBuiltMs ?? BUILD_TIME_MS, madeAtMs ?? 0),
      admits: (opened) => {
        older = admitCounter(opened, counter);
        return older?.message;
      },
      ...(log && { log }),
    });
    while (boot.step());
    const { device, stoppedBy } = boot;
    if (device !== undefined) return device;
    throw older ?? new StartProblem(stoppedBy?.step as BootStep, stoppedBy?.detail as string);
  }

  #uploaderOf(journal: Journal, provisioning: Provisioning): Uploader | undefined {
    const { log } = this.#parts;
    if (provisioning.operator === undefined) return undefined;
    return new Uploader(journal, { random: chanceOf(provisioning), ...(log && { log }) });
  }

  #on(): Running {
    if (this.#running === undefined) throw new PowerCut('the charger has no power');
    return this.#running;
  }

  /** Runs what may lose power on the way; then all that is left is what is on flash, and an open relay. */
  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof PowerCut) this.powerOff();
      throw error;
    }
  }
}

/** Bytes of an erase block. */
const BLOCK = DEVICE_GEOMETRY.blockSize;

/** Devices that lost the network together must not come back together. */
function chanceOf({ deviceId }: Provisioning): () => number {
  const chance = new SeededRandom(crc32(Buffer.from(deviceId)));
  return () => chance.next();
}

/** Compaction ahead of need, until there is none to do. */
function idle(verifier: Verifier): void {
  while (verifier.step());
}
