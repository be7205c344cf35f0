// A virtual EV charger: the core on simulated flash and clock, real HTTP to its Policy Authority, and a relay. Power can
// go at any moment; whatever happens, the relay is closed only by a payment that is recorded and not a repeat.

import type { PaymentRequest } from '../../core/chain/request.ts';
import { ConfigurationError, deploymentProblems, readConfiguration } from '../../core/configuration.ts';
import { crc32 } from '../../core/encoding/crc32.ts';
import { JsonProblem } from '../../core/json/reader.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { Journal } from '../../core/ledger/journal.ts';
import { ledgerKey } from '../../core/ledger/keys.ts';
import type { LedgerRefusal } from '../../core/ledger/ledger.ts';
import { BUNDLE_SET_BYTES } from '../../core/limits.ts';
import type { Clock, Crypto, Flash, Log } from '../../core/ports/ports.ts';
import { type Refusal, refuse } from '../../core/reason-codes.ts';
import { Uploader } from '../../core/refresh/upload.ts';
import { type BundleSource, bundleIdentity } from '../../core/trust/admission.ts';
import { bundleRanges } from '../../core/trust/bundle-set.ts';
import {
  type Admission,
  type Decision,
  type DecisionOptions,
  type ReservationLeft,
  Verifier,
} from '../../core/verifier.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { SeededRandom } from '../flash/random.ts';
import { type FetchFailure, fetchBundles } from './bundle-fetch.ts';
import { type BundleStore, BundleStoreError, FileBundleStore, MemoryBundleStore } from './bundle-store.ts';
import { type HandIn, handIn } from './hand-in.ts';
import { Link } from './link.ts';
import { bundleUrl, type Provisioning, receiptsUrl } from './provisioning.ts';
import { SimulatedRelay } from './relay.ts';

/** What a charger is built from. */
export interface ChargerParts {
  readonly provisioning: Provisioning;
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
  /** Default: the provisioning's folder, or memory. */
  readonly bundles?: BundleStore;
  /** For one fetch, in milliseconds. Default 10 000. */
  readonly fetchTimeoutMs?: number;
  /** For one batch that is handed in, in milliseconds. Default 10 000. */
  readonly handInTimeoutMs?: number;
}

/** What became of a set of bundles. */
export type SetAdmission = readonly Admission[] | Refusal;

/** What a refresh came to. `admissions` holds refusals too: a set is admitted bundle by bundle. */
export type Refresh =
  | { readonly kind: 'fetched'; readonly admissions: SetAdmission }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'failed'; readonly failure: FetchFailure | 'power-cut'; readonly detail: string };

/** What exists while there is power. */
interface Running {
  readonly ledger: FlashLedger;
  readonly journal: Journal | undefined;
  readonly verifier: Verifier;
  /** Where there is a journal, and a backend to hand in to. */
  readonly uploader: Uploader | undefined;
  /** The bytes of every bundle in force, by identity. */
  readonly held: Map<string, Uint8Array>;
  /** Of the set that is in force and kept, all of it. Never stored: what a start finds may be another set. */
  etag: string | undefined;
  /** True while stored bundles wait for a clock: nothing can be admitted without one. */
  waiting: boolean;
  /** True while the stored set in force could not be read; it is not written over then. */
  unread: boolean;
  /** True while the stored set in force is not what is in force. Then the staged set has all of that. */
  unkept: boolean;
}

/** See the head of the file. It does nothing until `start`; without power every method throws PowerCut. */
export class VirtualCharger {
  readonly provisioning: Provisioning;
  readonly relay: SimulatedRelay;
  readonly link: Link;
  readonly #parts: ChargerParts;
  readonly #bundles: BundleStore;
  #running: Running | undefined;
  #left: readonly ReservationLeft[] = [];
  #refreshing: Promise<Refresh> | undefined;
  #handingIn: Promise<HandIn> | undefined;

  constructor(parts: ChargerParts) {
    const folder = parts.provisioning.bundleFolder;
    this.provisioning = parts.provisioning;
    this.relay = parts.relay ?? new SimulatedRelay();
    this.link = parts.link ?? new Link();
    this.#parts = parts;
    this.#bundles = parts.bundles ?? (folder === undefined ? new MemoryBundleStore() : new FileBundleStore(folder));
  }

  /** False before `start` and after a power cut. */
  get powered(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Starts, or starts again: opens the ledger, and verifies the stored bundles anew. What the bundle store cannot give is
   * logged (`bundles.failed`) and missing.
   *
   * @throws ConfigurationError where the provisioning lacks what a deployed device must state; PowerCut
   */
  start(): void {
    this.powerOff();
    const { provisioning, flash, clock, crypto, log } = this.#parts;
    const { configuration } = provisioning;
    const problems = deploymentProblems(readConfiguration(configuration));
    if (problems.length > 0) throw new ConfigurationError(problems);
    this.#guarded(() => {
      const logged = log === undefined ? {} : { log };
      const ledger = new FlashLedger(flash, crypto, log && { log });
      const journal = this.#parts.journal && new Journal(this.#parts.journal, crypto, log && { log });
      const earliest = provisioning.imageBuiltMs === undefined ? {} : { earliestMs: provisioning.imageBuiltMs };
      const verifier = new Verifier({
        configuration,
        crypto,
        clock,
        ledger,
        ...(journal && { journal }),
        ...logged,
        ...earliest,
      });
      const running: Running = {
        ledger,
        journal,
        verifier,
        uploader: journal && this.#uploaderOf(journal),
        held: new Map(),
        etag: undefined,
        waiting: true,
        unread: false,
        unkept: false,
      };
      this.#admitStored(running);
      this.#left = verifier.takeUpReservations();
      idle(verifier);
      this.#running = running;
    });
  }

  /** Takes the power away: the relay opens, and what was only in memory is gone. */
  powerOff(): void {
    this.relay.open();
    this.#running = undefined;
  }

  /** Why nothing can be recorded, or undefined. */
  get storeProblem(): LedgerRefusal | undefined {
    return this.#on().ledger.problem ?? this.#on().journal?.problem;
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
      if (running.waiting) this.#admitStored(running);
      const decision = running.verifier.authorize(presentation, request, options);
      if (decision.ok && !decision.repeated) this.relay.close();
      return decision;
    });
  }

  /** The vehicle leaves: the relay opens, and ledger and journal get their idle time, so that the next payment needs no erase. */
  disconnect(): void {
    this.relay.open();
    const running = this.#running;
    if (running !== undefined) this.#guarded(() => idle(running.verifier));
  }

  /** Fetches the Trust Bundles over the link and admits them. One at a time; a second call gets the first one's result. */
  refresh(): Promise<Refresh> {
    this.#on();
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
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
    };
    const url = receiptsUrl(operator.url, deviceId);
    const order = { url, apiKey: operator.apiKey, timeoutMs: this.#parts.handInTimeoutMs ?? 10_000 };
    this.#handingIn ??= handIn(device, order).finally(() => {
      this.#handingIn = undefined;
    });
    return this.#handingIn;
  }

  /**
   * Admits `{"bundles":[…]}`, bundle by bundle, and keeps those in force for the next start. Bytes are staged first: once
   * the ledger remembers a bundle as the newest, the bytes of it have to be there after a power cut too. Where they cannot
   * be staged nothing is admitted: STORE_FAILED, and what is in force stays so.
   */
  admit(set: Uint8Array): SetAdmission {
    const running = this.#on();
    return this.#guarded(() => {
      if (running.waiting) this.#admitStored(running);
      else if (running.unread) this.#admitCurrent(running);
      const bundles = bundlesOf(set);
      // Nothing will be admitted, and what is staged from an earlier run may be needed.
      if (running.waiting || bundles.length === 0) return running.verifier.admitSet(set);
      const staged = running.unkept ? setOf([...running.held.values(), ...bundles]) : set;
      const failure =
        bundlesOf(staged).length > 0 ? this.#stored(() => this.#bundles.stage(staged)) : this.#failed(CROWDED);
      if (isRefusal(failure)) return failure;
      const admissions = this.#take(running, set, 'network');
      if (running.unkept || admitsAny(admissions)) this.#keep(running);
      else this.#stored(() => this.#bundles.discard());
      return admissions;
    });
  }

  async #refresh(): Promise<Refresh> {
    const running = this.#on();
    if (running.waiting) this.#guarded(() => this.#admitStored(running));
    const fetched = await fetchBundles(this.link, {
      url: bundleUrl(this.provisioning.policyAuthorityUrl, running.verifier.site.bundleScope),
      etag: running.etag,
      timeoutMs: this.#parts.fetchTimeoutMs ?? 10_000,
      maxBytes: BUNDLE_SET_BYTES,
    });
    if (this.#running !== running)
      return { kind: 'failed', failure: 'power-cut', detail: 'the power was cut meanwhile' };
    if (fetched.kind === 'failed')
      this.#parts.log?.emit({ event: 'refresh.failed', failure: fetched.failure, detail: fetched.detail });
    if (fetched.kind !== 'fetched') return fetched;
    const admissions = this.admit(fetched.bytes);
    // A tag says "I have all of this"; where something was refused or not kept, the next refresh has to bring it again.
    running.etag = admitsAll(admissions) && !running.unkept ? fetched.etag : undefined;
    return { kind: 'fetched', admissions };
  }

  #uploaderOf(journal: Journal): Uploader | undefined {
    const { crypto, log, provisioning } = this.#parts;
    if (provisioning.operator === undefined) return undefined;
    // Devices that lost the network together must not come back together.
    const chance = new SeededRandom(crc32(Buffer.from(provisioning.deviceId)));
    return new Uploader(journal, crypto, { random: () => chance.next(), ...(log && { log }) });
  }

  /** What an earlier run kept: the set in force, then one whose admission a power cut broke off. */
  #admitStored(running: Running): void {
    if (typeof running.verifier.now() !== 'number') return;
    running.waiting = false;
    this.#admitCurrent(running);
    const incoming = this.#stored(() => this.#bundles.incoming());
    if (!(incoming instanceof Uint8Array)) return;
    if (admitsAny(this.#take(running, incoming, 'network'))) this.#keep(running);
    else this.#stored(() => this.#bundles.discard());
  }

  #admitCurrent(running: Running): void {
    const current = this.#stored(() => this.#bundles.current());
    running.unread = isRefusal(current);
    if (running.unread) running.unkept = true;
    if (current instanceof Uint8Array) this.#take(running, current, 'store');
  }

  /** Puts what is in force in force for the next start too; where that fails the staged set goes on standing for it. */
  #keep(running: Running): void {
    running.unkept =
      running.unread || isRefusal(this.#stored(() => this.#bundles.commit(setOf(running.held.values()))));
  }

  /** What a call to the bundle store comes to; a failure is logged. */
  #stored<T>(call: () => T): T | Refusal {
    try {
      return call();
    } catch (error) {
      if (error instanceof BundleStoreError) return this.#failed(error.message);
      throw error;
    }
  }

  #failed(detail: string): Refusal {
    const refusal = refuse('device', 'device.store', 'STORE_FAILED', detail);
    this.#parts.log?.emit({ event: 'bundles.failed', check: refusal.check, code: refusal.code, detail });
    return refusal;
  }

  /** Admits a set, and remembers the bytes of what is in force. */
  #take(running: Running, set: Uint8Array, source: BundleSource): SetAdmission {
    const admissions = running.verifier.admitSet(set, source);
    if ('ok' in admissions) return admissions;
    const bundles = bundlesOf(set);
    admissions.forEach((admission, i) => {
      if (admission.ok) running.held.set(bundleIdentity(admission.bundle), bundles[i] as Uint8Array);
    });
    const inForce = new Set(running.verifier.trust.bundles.map((held) => held.identity));
    for (const identity of running.held.keys()) if (!inForce.has(identity)) running.held.delete(identity);
    return admissions;
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

function isRefusal(result: unknown): result is Refusal {
  return typeof result === 'object' && result !== null && 'ok' in result;
}

function admitsAny(admissions: SetAdmission): boolean {
  return !('ok' in admissions) && admissions.some((admission) => admission.ok);
}

/** True where there were bundles, and none was refused. */
function admitsAll(admissions: SetAdmission): boolean {
  return admitsAny(admissions) && (admissions as readonly Admission[]).every((admission) => admission.ok);
}

/** Copies of the bundles of a set; none where it is no set. */
function bundlesOf(set: Uint8Array): readonly Uint8Array[] {
  const ranges = bundleRanges(set);
  return ranges instanceof JsonProblem ? [] : ranges.map(([start, end]) => set.slice(start, end));
}

/** Bundles as one set. */
function setOf(bundles: Iterable<Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const bytes of bundles) parts.push(COMMA, bytes);
  return Buffer.concat([OPENING, ...parts.slice(1), CLOSING]);
}

const OPENING = Buffer.from('{"bundles":[');
const COMMA = Buffer.from(',');
const CLOSING = Buffer.from(']}');
const CROWDED = 'the bundles in force are not kept yet, and are too many to be staged together with these';

/** Compaction ahead of need, until there is none to do. */
function idle(verifier: Verifier): void {
  while (verifier.step());
}
