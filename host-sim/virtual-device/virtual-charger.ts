// A virtual EV charger: the core on simulated flash and clock, real HTTP to its Policy Authority, and a relay. Power can
// go at any moment; whatever happens, the relay is closed only by a payment that is recorded and not a repeat.

import type { PaymentRequest } from '../../core/chain/request.ts';
import { ConfigurationError, deploymentProblems, readConfiguration } from '../../core/configuration.ts';
import { JsonProblem } from '../../core/json/reader.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { ledgerKey } from '../../core/ledger/keys.ts';
import type { LedgerRefusal } from '../../core/ledger/ledger.ts';
import type { Clock, Crypto, Flash, Log } from '../../core/ports/ports.ts';
import type { Refusal } from '../../core/reason-codes.ts';
import { type BundleSource, bundleIdentity } from '../../core/trust/admission.ts';
import { BUNDLE_SET_BYTES, bundleRanges } from '../../core/trust/bundle-set.ts';
import { type Admission, type Decision, type DecisionOptions, Verifier } from '../../core/verifier.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { type FetchFailure, fetchBundles } from './bundle-fetch.ts';
import { type BundleStore, FileBundleStore, MemoryBundleStore } from './bundle-store.ts';
import { Link } from './link.ts';
import { bundleUrl, type Provisioning } from './provisioning.ts';
import { SimulatedRelay } from './relay.ts';

/** What a charger is built from. */
export interface ChargerParts {
  readonly provisioning: Provisioning;
  readonly flash: Flash;
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
  readonly verifier: Verifier;
  /** The bytes of every bundle in force, by identity. */
  readonly held: Map<string, Uint8Array>;
  etag: string | undefined;
  /** True while stored bundles wait for a clock: nothing can be admitted without one. */
  waiting: boolean;
}

/** See the head of the file. It does nothing until `start`; without power every method throws PowerCut. */
export class VirtualCharger {
  readonly provisioning: Provisioning;
  readonly relay: SimulatedRelay;
  readonly link: Link;
  readonly #parts: ChargerParts;
  readonly #bundles: BundleStore;
  #running: Running | undefined;
  #refreshing: Promise<Refresh> | undefined;

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
   * Starts, or starts again: opens the ledger, and verifies the stored bundles anew.
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
      const ledger = new FlashLedger(flash, crypto, log);
      const earliest = provisioning.imageBuiltMs === undefined ? {} : { earliestMs: provisioning.imageBuiltMs };
      const verifier = new Verifier({ configuration, crypto, clock, ledger, ...logged, ...earliest });
      const running: Running = { ledger, verifier, held: new Map(), etag: undefined, waiting: true };
      this.#admitStored(running);
      this.#running = running;
    });
  }

  /** Takes the power away: the relay opens, and what was only in memory is gone. */
  powerOff(): void {
    this.relay.open();
    this.#running = undefined;
  }

  /** Power away and back. Flash that lost its power too must have been restarted before. Errors as `start`. */
  restart(): void {
    this.start();
  }

  /** Why the ledger can record nothing, or undefined. */
  get storeProblem(): LedgerRefusal | undefined {
    return this.#on().ledger.problem;
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

  /** The vehicle leaves: the relay opens. */
  disconnect(): void {
    this.relay.open();
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
   * Admits `{"bundles":[…]}`, bundle by bundle, and keeps those in force for the next start. Bytes are staged first: once
   * the ledger remembers a bundle as the newest, the bytes of it have to be there after a power cut too.
   */
  admit(set: Uint8Array): SetAdmission {
    const running = this.#on();
    return this.#guarded(() => {
      this.#bundles.stage(set);
      const admissions = this.#take(running, set, 'network');
      if (admitsAny(admissions)) this.#bundles.commit(heldSet(running));
      else this.#bundles.discard();
      return admissions;
    });
  }

  async #refresh(): Promise<Refresh> {
    const running = this.#on();
    if (running.waiting) this.#guarded(() => this.#admitStored(running));
    const fetched = await fetchBundles(this.link, {
      url: bundleUrl(this.provisioning),
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
    // A tag says "I have all of this"; where something was refused, the next refresh has to bring it again.
    running.etag = admitsAll(admissions) ? fetched.etag : undefined;
    return { kind: 'fetched', admissions };
  }

  /** What an earlier run kept: the set in force, then one whose admission a power cut broke off. */
  #admitStored(running: Running): void {
    if (typeof running.verifier.now() !== 'number') return;
    running.waiting = false;
    const current = this.#bundles.current();
    if (current !== undefined) this.#take(running, current, 'store');
    const incoming = this.#bundles.incoming();
    if (incoming === undefined) return;
    if (admitsAny(this.#take(running, incoming, 'network'))) this.#bundles.commit(heldSet(running));
    else this.#bundles.discard();
  }

  /** Admits a set, and remembers the bytes of what is in force. */
  #take(running: Running, set: Uint8Array, source: BundleSource): SetAdmission {
    const admissions = running.verifier.admitSet(set, source);
    const ranges = bundleRanges(set);
    if ('ok' in admissions || ranges instanceof JsonProblem) return admissions;
    admissions.forEach((admission, i) => {
      const [start, end] = ranges[i] as readonly [number, number];
      if (admission.ok) running.held.set(bundleIdentity(admission.bundle), set.slice(start, end));
    });
    const inForce = new Set(running.verifier.trust.bundles.map(bundleIdentity));
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

function admitsAny(admissions: SetAdmission): boolean {
  return !('ok' in admissions) && admissions.some((admission) => admission.ok);
}

function admitsAll(admissions: SetAdmission): boolean {
  return !('ok' in admissions) && admissions.every((admission) => admission.ok);
}

/** The bundles in force as one set. */
function heldSet(running: Running): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const bytes of running.held.values()) parts.push(COMMA, bytes);
  return Buffer.concat([OPENING, ...parts.slice(1), CLOSING]);
}

const OPENING = Buffer.from('{"bundles":[');
const COMMA = Buffer.from(',');
const CLOSING = Buffer.from(']}');
