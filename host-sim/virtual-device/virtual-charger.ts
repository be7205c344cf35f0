// A virtual EV charger: the core on simulated flash and clock, real HTTP to its Policy Authority and its operator's backend,
// and a relay. It keeps a spend ledger, its bundles, and where it is given a flash for one a journal, which it hands in.
// Power can go at any moment; whatever happens, the relay is closed only by a payment that is recorded and not a repeat.

import { randomInt } from 'node:crypto';
import type { PaymentRequest } from '../../core/chain/request.ts';
import { ConfigurationError, deploymentProblems, readConfiguration } from '../../core/configuration.ts';
import { crc32 } from '../../core/encoding/crc32.ts';
import { FlashLedger } from '../../core/ledger/flash-ledger.ts';
import { Journal } from '../../core/ledger/journal.ts';
import { ledgerKey } from '../../core/ledger/keys.ts';
import type { LedgerRefusal } from '../../core/ledger/ledger.ts';
import { BUNDLE_SET_BYTES } from '../../core/limits.ts';
import type { Clock, Crypto, Flash, Log } from '../../core/ports/ports.ts';
import type { Refusal } from '../../core/reason-codes.ts';
import { Uploader } from '../../core/refresh/upload.ts';
import { BundlePartition, bundlePartitionBytes } from '../../core/trust/bundle-partition.ts';
import {
  type BundleIntake,
  type Decision,
  type DecisionOptions,
  type ReservationLeft,
  type SetAdmission,
  Verifier,
} from '../../core/verifier.ts';
import { PowerCut } from '../flash/power-cut.ts';
import { SeededRandom } from '../flash/random.ts';
import { DEVICE_GEOMETRY, SimulatedFlash } from '../flash/simulated-flash.ts';
import { MemoryStore } from '../flash/store.ts';
import { type FetchFailure, fetchBundles } from './bundle-fetch.ts';
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
  /** A random number of 32 bits for a ledger and a journal that are formatted. Default: one is drawn. */
  readonly salt?: number;
  /** The bundle set's partition. Default: one of the published size, in memory: it lasts as long as the object. */
  readonly bundles?: Flash;
  /** For one fetch, in milliseconds. Default 10 000. */
  readonly fetchTimeoutMs?: number;
  /** For one batch that is handed in, in milliseconds. Default 10 000. */
  readonly handInTimeoutMs?: number;
}

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
  /** Of the answer that is in force, all of it. Never stored: what a start finds may be another set. */
  etag: string | undefined;
}

/** See the head of the file. It does nothing until `start`; without power every method throws PowerCut. */
export class VirtualCharger {
  readonly provisioning: Provisioning;
  readonly relay: SimulatedRelay;
  readonly link: Link;
  readonly #parts: ChargerParts;
  readonly #bundles: Flash;
  #running: Running | undefined;
  #left: readonly ReservationLeft[] = [];
  #refreshing: Promise<Refresh> | undefined;
  #handingIn: Promise<HandIn> | undefined;

  constructor(parts: ChargerParts) {
    this.provisioning = parts.provisioning;
    this.relay = parts.relay ?? new SimulatedRelay();
    this.link = parts.link ?? new Link();
    this.#parts = parts;
    this.#bundles = parts.bundles ?? new SimulatedFlash(new MemoryStore(bundlePartitionBytes(BLOCK)));
  }

  /** False before `start` and after a power cut. */
  get powered(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Starts, or starts again: opens ledger and journal, verifies the stored bundles anew, and takes up the reservations
   * that were left open (`reservationsLeft`). Where the bundles' partition cannot be read that is logged
   * (`bundles.failed`), and they are missing.
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
      // What payers cannot guess, they cannot write into a record that is damaged.
      const salt = this.#parts.salt ?? randomInt(0x1_0000_0000);
      const ledger = new FlashLedger(flash, crypto, { salt, ...logged });
      const journal = this.#parts.journal && new Journal(this.#parts.journal, crypto, { salt, ...logged });
      const earliest = provisioning.imageBuiltMs === undefined ? {} : { earliestMs: provisioning.imageBuiltMs };
      const verifier = new Verifier({
        configuration,
        crypto,
        clock,
        ledger,
        bundles: new BundlePartition(this.#bundles, crypto),
        ...(journal && { journal }),
        ...logged,
        ...earliest,
      });
      const running: Running = {
        ledger,
        journal,
        verifier,
        uploader: journal && this.#uploaderOf(journal),
        etag: undefined,
      };
      verifier.loadBundles();
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
      // They may have waited for a clock.
      if (!running.verifier.bundlesLoaded) running.verifier.loadBundles();
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

  async #refresh(): Promise<Refresh> {
    const running = this.#on();
    const { verifier } = running;
    // Begun once there is something to take in: what is answered with 304 erases nothing.
    let intake: BundleIntake | Refusal | undefined;
    const begin = () => {
      intake ??= this.#guarded(() => verifier.beginBundles());
      return intake;
    };
    const take = (chunk: Uint8Array): boolean => {
      if (this.#running !== running) return false;
      const begun = begin();
      return !('ok' in begun) && this.#guarded(() => begun.write(chunk)) === undefined;
    };
    const order = {
      url: bundleUrl(this.provisioning.policyAuthorityUrl, verifier.site.bundleScope),
      etag: running.etag,
      timeoutMs: this.#parts.fetchTimeoutMs ?? 10_000,
      maxBytes: BUNDLE_SET_BYTES,
    };
    const fetched = await fetchBundles(this.link, order, take);
    if (this.#running !== running)
      return { kind: 'failed', failure: 'power-cut', detail: 'the power was cut meanwhile' };
    if (fetched.kind === 'failed')
      this.#parts.log?.emit({ event: 'refresh.failed', failure: fetched.failure, detail: fetched.detail });
    if (fetched.kind === 'failed' || fetched.kind === 'unchanged') return fetched;
    const begun = begin();
    const admissions = 'ok' in begun ? begun : this.#guarded(() => begun.end());
    // A tag says "I have all of this"; where something was refused or not kept, the next refresh has to bring it again.
    running.etag = fetched.kind === 'fetched' && admitsAll(admissions) ? fetched.etag : undefined;
    return { kind: 'fetched', admissions };
  }

  #uploaderOf(journal: Journal): Uploader | undefined {
    const { log, provisioning } = this.#parts;
    if (provisioning.operator === undefined) return undefined;
    // Devices that lost the network together must not come back together.
    const chance = new SeededRandom(crc32(Buffer.from(provisioning.deviceId)));
    return new Uploader(journal, { random: () => chance.next(), ...(log && { log }) });
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

/** True where there were bundles, and none was refused. */
function admitsAll(admissions: SetAdmission): boolean {
  return !('ok' in admissions) && admissions.length > 0 && admissions.every((admission) => admission.ok);
}

/** Bytes of an erase block. */
const BLOCK = DEVICE_GEOMETRY.blockSize;

/** Compaction ahead of need, until there is none to do. */
function idle(verifier: Verifier): void {
  while (verifier.step());
}
