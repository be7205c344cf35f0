// A virtual EV charger: the core on simulated flash and clock, real HTTP to its Policy Authority and its operator's backend,
// and a relay. It keeps a spend ledger, its bundles, and where it is given a flash for one a journal, which it hands in.
// Power can go at any moment; whatever happens, the relay is closed only by a payment that is recorded and not a repeat.

import { randomInt } from 'node:crypto';
import { Boot, type BootedDevice, type BootStep } from '../../core/boot/boot.ts';
import { BUILD_TIME_MS } from '../../core/build-time.ts';
import type { PaymentRequest } from '../../core/chain/request.ts';
import type { SessionEvent } from '../../core/charging/session.ts';
import { crc32 } from '../../core/encoding/crc32.ts';
import type { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import type { Journal } from '../../core/ledger/journal.ts';
import { ledgerKey } from '../../core/ledger/keys.ts';
import type { LedgerRefusal } from '../../core/ledger/ledger.ts';
import { Errands, handInOrder } from '../../core/network/errands.ts';
import { type Server, serverOf } from '../../core/network/http-client.ts';
import { askRevocation } from '../../core/network/revocation-ask.ts';
import type { Clock, Crypto, Flash, Log } from '../../core/ports/ports.ts';
import { admitCounter } from '../../core/provisioning/counter.ts';
import { readProvisioning } from '../../core/provisioning/partition.ts';
import { type Provisioning, ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import { BundleRefresh } from '../../core/refresh/bundle-refresh.ts';
import { Uploader } from '../../core/refresh/upload.ts';
import { bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import type { Decision, DecisionOptions, ReservationLeft, SetAdmission, Verifier } from '../../core/verifier.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { SeededRandom } from '../flash/random.ts';
import { DEVICE_GEOMETRY, SimulatedFlash } from '../flash/simulated-flash.ts';
import { MemoryStore } from '../flash/store.ts';
import { type ChargerClients, chargerClients } from './charger-clients.ts';
import { ChargerTime } from './charger-time.ts';
import { ChargingPoint } from './charging-point.ts';
import { type BegunErrands, ErrandRuns, type HandIn, type Refresh } from './errand-runs.ts';
import { Link } from './link.ts';
import { SimulatedRelay } from './relay.ts';

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
  /** Where an https address is served in this simulation. Default: nowhere else. */
  readonly reach?: (url: URL) => URL;
  /** For one batch that is handed in, in milliseconds. Default 10 000. */
  readonly handInTimeoutMs?: number;
}

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
  readonly point: ChargingPoint;
  /** Where there is a journal, and a backend to hand in to. */
  readonly uploader: Uploader | undefined;
  readonly refresh: BundleRefresh;
  /** What the device does over its network, and by what. */
  readonly errands: Errands;
  readonly runs: ErrandRuns;
  readonly clients: ChargerClients;
  readonly time: ChargerTime;
}

/** See the head of the file. It does nothing until `start`; without power every method throws PowerCut. */
export class VirtualCharger {
  readonly relay: SimulatedRelay;
  readonly link: Link;
  readonly #parts: ChargerParts;
  readonly #bundles: Flash;
  #running: Running | undefined;
  #left: readonly ReservationLeft[] = [];

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
      const point = new ChargingPoint({ verifier, relay: this.relay, log });
      const running = { provisioning, ledger, journal, verifier, point, uploader, refresh };
      this.#running = { ...running, ...this.#networkOf(running) };
    });
  }

  /** Takes the power away: the relay opens, and what was only in memory is gone. */
  powerOff(): void {
    this.relay.open();
    const running = this.#running;
    this.#running = undefined;
    running?.clients.errands.drop();
    running?.clients.questions.drop();
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
   * Decides on a payment, and closes the relay where it is approved and not a repeat of one that was answered before. While a
   * session is under way it is refused.
   *
   * @throws PowerCut; then the relay is open
   */
  pay(presentation: Uint8Array, request: PaymentRequest, options: DecisionOptions = {}): Decision {
    return this.#decide(({ verifier, point }) => {
      const decision = point.busy ?? verifier.authorize(presentation, request, options);
      if (decision.ok && !decision.repeated) this.relay.close();
      return decision;
    });
  }

  #decide(decide: (running: Running) => Decision): Decision {
    const running = this.#on();
    return this.#guarded(() => {
      const { verifier } = running;
      // They may have waited for a clock.
      if (!verifier.bundlesLoaded) verifier.loadBundles();
      if (verifier.revocation) verifier.revocation.linkUp = this.link.up;
      return decide(running);
    });
  }

  /** The same; where there is a network and the grant wants its issuer asked whether it was revoked, asks first. */
  present(presentation: Uint8Array, request: PaymentRequest, options: DecisionOptions = {}): Promise<Decision> {
    return this.#presented(() => this.pay(presentation, request, options));
  }

  /** A session begins, as the core has it, for the most that it may cost. Issuers are asked as for a payment. */
  begin(presentation: Uint8Array, amountMinor: string): Promise<Decision> {
    const now = () => this.#parts.clock.monotonicMs();
    return this.#presented(() => this.#decide(({ point }) => point.begin(presentation, amountMinor, now())));
  }

  /**
   * Its firmware looks at the session.
   *
   * @param pulses what the meter has counted since
   * @returns what the session has come to, where it has ended or should have
   * @throws PowerCut
   */
  tick(pulses: number): SessionEvent | undefined {
    const { point } = this.#on();
    return this.#guarded(() => point.tick(pulses, this.#parts.clock.monotonicMs()));
  }

  /** Its driver ends it. The same. */
  stop(pulses: number): SessionEvent | undefined {
    const { point } = this.#on();
    return this.#guarded(() => point.stop(pulses, this.#parts.clock.monotonicMs()));
  }

  async #presented(decide: () => Decision): Promise<Decision> {
    const running = this.#on();
    const decision = decide();
    const { revocation } = running.verifier;
    const question = revocation?.question;
    if (decision.ok || decision.code !== 'REVOCATION_UNKNOWN' || revocation === undefined || question === undefined)
      return decision;
    const { questions } = running.clients;
    const asking = { client: questions, checks: revocation };
    await questions.during<true>((done) => askRevocation(asking, question, () => done(true)));
    return decide();
  }

  /** The vehicle leaves: the relay opens, and ledger and journal get their idle time, so that the next payment needs no erase. */
  disconnect(): void {
    this.relay.open();
    const running = this.#running;
    if (running !== undefined) this.#guarded(() => idle(running.verifier));
  }

  /** Fetches the Trust Bundles over the link and admits them, because somebody asks for it: nothing is waited for. */
  refresh(): Promise<Refresh> {
    const { runs, refresh } = this.#on();
    return runs.refresh(() => refresh.hurry());
  }

  /** The same where it is due, as the core has it; else it says for how long it is not. */
  refreshIfDue(): Promise<Refresh> {
    return this.#on().runs.refresh();
  }

  /** Something from outside says that there are new bundles. @returns whether it is believed; then a refresh is due soon */
  urgent(reason: string): boolean {
    return this.#on().errands.urgent(reason);
  }

  /** Messages that say so may have been missed: a refresh is due soon, though not each time. */
  missed(): void {
    this.#on().errands.missed();
  }

  /** The link has come up: what failed to be handed in waits no longer. */
  linkCame(): void {
    this.#on().errands.linkChanged(true);
  }

  /** A server that it knows has said what time it is, and its clock is right by that. */
  confirmTime(): void {
    this.#on().time.confirm();
  }

  /** A payer stands at the reader, or leaves it: in between no refresh touches flash. */
  attend(busy: boolean): void {
    this.#running?.errands.attend(busy);
  }

  /**
   * Hands in over the link what was accepted and is not acknowledged. One at a time; a second call gets the first one's
   * result.
   *
   * @throws Error where there is no journal, or no backend to hand in to; PowerCut
   */
  handIn(): Promise<HandIn> {
    const { uploader, runs } = this.#on();
    if (uploader === undefined) throw new Error('the charger has nothing to hand in, or nobody');
    return runs.handIn();
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

  /** What a device does its errands with. */
  #networkOf({
    provisioning,
    verifier,
    uploader,
    refresh,
  }: Pick<Running, 'provisioning' | 'verifier' | 'uploader' | 'refresh'>) {
    const { clock, setTime, handInTimeoutMs: timeoutMs = 10_000, reach } = this.#parts;
    const { link } = this;
    const isOn = () => this.#running?.clients === clients;
    const run = <T>(work: () => T) => (isOn() ? this.#guarded(work) : undefined);
    const { certificate } = provisioning;
    const clients: ChargerClients = chargerClients({ link, clock, certificate, reach, run });
    const isSet = () => clock.wallMs() !== undefined && typeof verifier.now() === 'number';
    const time = new ChargerTime({ client: clients.errands, clock, setTime, isSet });
    const order = handInOrder(provisioning);
    const errands = new Errands({
      refresh,
      // A provisioned URL is one that the core can use.
      authority: serverOf(provisioning.policyAuthorityUrl) as Server,
      ...(uploader !== undefined && order !== undefined && { handIn: { uploader, order: { ...order, timeoutMs } } }),
      client: clients.errands,
      time,
      clock,
      linkUp: () => link.up,
      hasLink: true,
    });
    const begun: BegunErrands = {
      refresh: (done) =>
        this.#guarded(() => {
          const step = errands.refresh(done);
          // Nobody but whoever switched the link off switches it on.
          if (step.kind === 'connect') done(refresh.gaveUp(clock.monotonicMs(), 'the link is down'));
          return step;
        }),
      handIn: (done) => this.#guarded(() => errands.handIn(done)),
    };
    return { errands, clients, time, runs: new ErrandRuns({ errands: begun, client: clients.errands, link, isOn }) };
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
