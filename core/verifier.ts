// The verifier: ties reading, trust, the chain of checks and the ledger into one decision. Synchronous; no input makes
// it throw; a refusal leaves everything as it was.

import { amountFrom } from './artifacts/amount.ts';
import { type FleetPolicy, readFleetPolicy } from './artifacts/fleet-policy.ts';
import { ArtifactProblem } from './artifacts/members.ts';
import { type PolicyGrant, readPolicyGrant } from './artifacts/policy-grant.ts';
import { readSessionBudget } from './artifacts/sba.ts';
import { readSettlementIntent } from './artifacts/settlement-intent.ts';
import { readPaymentAuthorization } from './artifacts/spa.ts';
import { BUILD_TIME_MS } from './build-time.ts';
import { type Checked, runChain, type TraceEntry } from './chain/chain.ts';
import { FoundKeys } from './chain/found-keys.ts';
import { type DecisionMode, Payment, type PaymentArtifacts, type PaymentContext } from './chain/payment.ts';
import { nothingAsked, type PaymentRequest, readRequest } from './chain/request.ts';
import { VerifiedGrants } from './chain/verified-grants.ts';
import { readConfiguration, type Site, type SiteConfiguration } from './configuration.ts';
import type { KeyTables } from './ed25519/key-tables.ts';
import { type Presentation, presentationOf, type ReadPresentation, readPresentation } from './intake/presentation.ts';
import { JsonProblem, readJson } from './json/reader.ts';
import type { JsonValue } from './json/value.ts';
import { Books } from './ledger/books.ts';
import type { Journal } from './ledger/journal.ts';
import type { LedgerRefusal, OpenReservation, Receipt, SpendLedger } from './ledger/ledger.ts';
import { ARTIFACT_LIMITS, LATEST_TIME_MS, UNSEEN_GRANT_MS } from './limits.ts';
import { type Clock, type Crypto, FlashError, type Log } from './ports/ports.ts';
import { type ArtifactName, type Refusal, refuse } from './reason-codes.ts';
import { RevocationChecks } from './refresh/revocation.ts';
import { type Admission, admitBundle, type BundleSource, type SetAdmission } from './trust/admission.ts';
import type { BundlePartition } from './trust/bundle-partition.ts';
import { bundleRanges } from './trust/bundle-set.ts';
import type { PinnedRole } from './trust/configuration.ts';
import { MemoryBundle } from './trust/held-bundle.ts';
import { type KeyResult, resolveKey } from './trust/key-resolution.ts';
import { type BundleIntake, StoredBundles } from './trust/stored-bundles.ts';
import { TableUpkeep } from './trust/table-upkeep.ts';
import { TrustSet } from './trust/trust-set.ts';

/** A payment that may go ahead. */
export interface Approval {
  readonly ok: true;
  /** The ledger's number for it; 0 where nothing was recorded (`check`). */
  readonly receiptId: number;
  /** True for the repeat of an answered request: it counts once, and what was paid for must not be given twice. */
  readonly repeated: boolean;
  readonly amountMinor: string;
  readonly grantId: string;
  readonly budgetId: string;
  readonly sessionId: string;
  readonly actorId: string;
  /** When it was accepted, in milliseconds. */
  readonly timeMs: number;
  /** Added by a device whose relay did not move for it: the payer got nothing. The verifier knows of none. */
  readonly relay?: 'failed';
  readonly trace?: readonly TraceEntry[];
}

/** A decision. A refusal carries the trace too where one was asked for. */
export type Decision = Approval | (Refusal & { readonly trace?: readonly TraceEntry[] });

/** The end of a reservation. */
export type Closing =
  | { readonly ok: true; readonly receiptId: number; readonly amountMinor: string; readonly timeMs: number }
  | Refusal;

/** A reservation that an earlier run left open, and its end where the site has such settled. */
export interface ReservationLeft {
  readonly reservation: OpenReservation;
  readonly closing: Closing | undefined;
}

/** A verdict on one artifact alone. */
export type Verdict =
  | { readonly ok: true; readonly trace?: readonly TraceEntry[] }
  | (Refusal & { readonly trace?: readonly TraceEntry[] });

export type { Admission, BundleIntake, SetAdmission };

/** What a verifier is made of. */
export interface VerifierParts {
  readonly configuration: SiteConfiguration;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly ledger: SpendLedger;
  /** Where every accepted payment goes, whole, before the ledger's record. Left out, none is kept. */
  readonly journal?: Journal;
  readonly log?: Log;
  /** No earlier time is believed, in milliseconds. Left out: this code's build time. */
  readonly earliestMs?: number;
  /** Bundles that were admitted elsewhere; left out, there are none until `admit`. */
  readonly trust?: TrustSet;
  /** Where a device keeps its bundles: see `loadBundles` and `beginBundles`. */
  readonly bundles?: BundlePartition;
  /** The tables that `crypto` verifies by, if it does: idle time makes them. */
  readonly keyTables?: KeyTables;
}

/** How to decide. */
export interface DecisionOptions {
  /** Adds a line for every check. */
  readonly explain?: boolean;
}

/** See the head of the file. */
export class Verifier {
  readonly site: Site;
  readonly trust: TrustSet;
  /** What is asked online about grants; undefined where the site has nothing asked. */
  readonly revocation: RevocationChecks | undefined;
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #ledger: SpendLedger;
  readonly #books: Books;
  readonly #log: Log | undefined;
  readonly #earliestMs: number;
  readonly #verifiedGrants = new VerifiedGrants();
  readonly #foundKeys = new FoundKeys();
  readonly #stored: StoredBundles | undefined;
  readonly #tables: TableUpkeep | undefined;

  /** @throws ConfigurationError where the configuration cannot be used */
  constructor(parts: VerifierParts) {
    this.site = readConfiguration(parts.configuration);
    this.trust = parts.trust ?? new TrustSet();
    this.#crypto = parts.crypto;
    this.#clock = parts.clock;
    this.#ledger = parts.ledger;
    const { revocation } = this.site;
    this.revocation = revocation && new RevocationChecks(revocation, parts.clock, parts.log);
    this.#books = new Books(parts.ledger, parts.journal);
    this.#log = parts.log;
    this.#earliestMs = Math.max(parts.earliestMs ?? BUILD_TIME_MS, 0);
    const { rootKeys, bundleScope: scope } = this.site;
    this.#stored =
      parts.bundles &&
      new StoredBundles({
        partition: parts.bundles,
        trust: this.trust,
        ledger: parts.ledger,
        log: parts.log,
        now: () => this.now(),
        context: { crypto: parts.crypto, rootKeys, scope },
      });
    const tables = parts.keyTables;
    this.#tables = tables && new TableUpkeep({ tables, site: this.site, trust: this.trust, log: parts.log });
  }

  /** Decides on a payment and records it: reserved and settled in one record, durable before the answer. */
  authorize(presentation: Uint8Array, request: PaymentRequest, options: DecisionOptions = {}): Decision {
    return this.#decide('authorize', presentation, request, options);
  }

  /** Decides on a payment whose amount is not known yet: `amountMinor` is the most it can be, and counts at once. */
  reserve(presentation: Uint8Array, request: PaymentRequest, options: DecisionOptions = {}): Decision {
    return this.#decide('reserve', presentation, request, options);
  }

  /** Decides and records nothing: for tools, and to show a payer what would happen. Takes JSON data too. */
  check(presentation: Uint8Array | Presentation, request: PaymentRequest, options: DecisionOptions = {}): Decision {
    return this.#decide('check', presentation, request, options);
  }

  /** Ends a reservation with the final amount (digits), at most what was reserved. */
  settle(receiptId: number, amountMinor: string): Closing {
    const amount = amountFrom(amountMinor);
    if (amount === undefined)
      return refuse('request', 'request.read', 'ARTIFACT_INVALID', 'amountMinor is not decimal digits above zero');
    return this.#close('settle', receiptId, this.#books.settle(receiptId, amount, this.#lateMs()));
  }

  /** Ends a reservation with nothing spent. */
  release(receiptId: number): Closing {
    return this.#close('release', receiptId, this.#books.release(receiptId, this.#lateMs()));
  }

  /** Reservations that are neither settled nor released, those of an earlier run included. */
  openReservations(): readonly OpenReservation[] {
    return this.#ledger.openReservations();
  }

  /**
   * To be called once at a start: says which reservations the run before has left open, and settles them in full where the
   * site says so. Held ones count as spent until somebody settles or releases them.
   */
  takeUpReservations(): readonly ReservationLeft[] {
    return this.#ledger.openReservations().map((reservation) => {
      const { receiptId, amount } = reservation;
      this.#log?.emit({ event: 'reservation.left', reservation: receiptId, amountMinor: amount.toString() });
      const settles = this.site.reservationsLeft === 'settle';
      return { reservation, closing: settles ? this.settle(receiptId, amount.toString()) : undefined };
    });
  }

  /**
   * Does a bounded piece of the work that keeps payments free of erases, in the ledger and the journal, or of that which
   * makes them faster: what keys are good for, and tables of keys. For idle time, until it says there is nothing to do.
   *
   * @returns whether there is more to do
   */
  step(): boolean {
    return this.#books.step() || this.trust.step(this.#crypto) || (this.#tables?.step() ?? false);
  }

  /**
   * Decides on bundle bytes, and loads the bundle where it is admitted.
   *
   * @param source `store` for bytes that were admitted before and come back at a start
   */
  admit(bundle: Uint8Array, source: BundleSource = 'network'): Admission {
    const now = this.now();
    if (typeof now !== 'number') return this.#logged(now);
    const admitted = admitBundle(bundle, {
      crypto: this.#crypto,
      rootKeys: this.site.rootKeys,
      scope: this.site.bundleScope,
      nowMs: now,
      source,
      newest: (identity) => this.#ledger.newestBundle(identity),
    });
    if ('ok' in admitted) return this.#logged(admitted);
    const { bundle: read, newest } = admitted;
    const held = new MemoryBundle(read);
    const objection = this.trust.objection(held, now);
    if (objection) return this.#logged(objection);
    // The memory of the newest comes first: a bundle that is in use has been remembered.
    const unrecorded = this.#ledger.admitted(held.identity, newest, source === 'store');
    if (unrecorded) return this.#logged(refuse('trustBundle', 'bundle.record', unrecorded.code, unrecorded.detail));
    this.trust.put(held, now);
    this.#log?.emit({ event: 'bundle.admitted', bundleId: read.bundleId, expiresAtMs: read.expiresAtMs });
    return { ok: true, bundle: read };
  }

  /** True where no stored bundles wait to be loaded: for a clock, or for flash that can be read. */
  get bundlesLoaded(): boolean {
    return this.#stored?.loaded ?? true;
  }

  /** Bytes of memory that the indexes of the stored bundles take. */
  get bundleIndexBytes(): number {
    return this.#stored?.indexBytes ?? 0;
  }

  /**
   * Verifies the bundles on the partition and puts them in force: at a start, and again while `bundlesLoaded` is false.
   *
   * @returns what became of each; CLOCK_UNTRUSTED without a clock, STORE_FAILED where flash fails. Then nothing has changed
   */
  loadBundles(): SetAdmission {
    return this.#stored?.load() ?? [];
  }

  /**
   * Begins to take in a Policy Authority's answer, `{"bundles":[…]}`, as it arrives: `write` its chunks, then `end`. What is
   * admitted is then on the partition, beside the bundles of other identities, and in force. Flash is erased on the way, so
   * this is for times without a payment.
   *
   * @returns why no answer can be taken in: CLOCK_UNTRUSTED, STORE_FAILED
   */
  beginBundles(): BundleIntake | Refusal {
    const without = 'this verifier has no bundle partition';
    return this.#stored?.begin() ?? refuse('device', 'device.store', 'STORE_FAILED', without);
  }

  /** Admits `{"bundles":[…]}`, a Policy Authority's answer, bundle by bundle: one that is refused stops no other. */
  admitSet(set: Uint8Array, source: BundleSource = 'network'): SetAdmission {
    const ranges = bundleRanges(set);
    if (ranges instanceof JsonProblem) {
      return this.#logged(refuse('trustBundle', 'bundle.read', ranges.code, ranges.message));
    }
    return ranges.map(([start, end]) => this.admit(set.subarray(start, end), source));
  }

  /** Looks at a grant alone. */
  checkGrant(bytes: Uint8Array, options: DecisionOptions = {}): Verdict {
    const read = readOne(bytes, 'policyGrant', readPolicyGrant);
    if ('ok' in read) return read;
    return this.#alone('grant', { grant: read }, options);
  }

  /** Looks at a fleet policy alone, against the grant it narrows. */
  checkFleetPolicy(bytes: Uint8Array, grantBytes: Uint8Array, options: DecisionOptions = {}): Verdict {
    const grant = readOne(grantBytes, 'policyGrant', readPolicyGrant);
    if ('ok' in grant) return grant;
    const fleetPolicy = readOne(bytes, 'fleetPolicyAuthorization', readFleetPolicy);
    if ('ok' in fleetPolicy) return fleetPolicy;
    return this.#alone('fleetPolicy', { grant, fleetPolicy }, options);
  }

  /** The key for an issuer and kid, as the chain would find it. */
  resolveKey(issuer: string | undefined, kid: string, role: PinnedRole): KeyResult {
    const now = this.now();
    if (typeof now !== 'number') return { ok: false, code: now.code, detail: now.detail };
    const sources = { crypto: this.#crypto, trust: this.trust, pinnedKeys: this.site.pinnedKeys, nowMs: now };
    try {
      return resolveKey(sources, role, issuer, kid);
    } catch (error) {
      if (error instanceof FlashError) return { ok: false, code: 'STORE_FAILED', detail: error.message };
      throw error;
    }
  }

  /**
   * Effective time in milliseconds: the later of the clock and the time floor, which only signed sources and the build
   * move. A clock that was never set is CLOCK_UNTRUSTED, unless the site goes on with the floor alone. One that is before
   * the build was never set, whatever it says: an RTC that lost its battery starts at 1970, or 2000.
   */
  now(): number | Refusal {
    const wall = this.#clock.wallMs();
    const floor = Math.max(this.#ledger.timeFloorMs(), this.#earliestMs);
    const set = typeof wall === 'number' && wall >= this.#earliestMs && wall <= LATEST_TIME_MS;
    if (set) return Math.max(Math.floor(wall), floor);
    if (this.site.allowUnsetClock && floor > 0) return floor;
    return refuse('device', 'device.clock', 'CLOCK_UNTRUSTED', 'the clock was not set since power-up');
  }

  #decide(
    mode: DecisionMode,
    bytes: Uint8Array | Presentation,
    request: PaymentRequest,
    options: DecisionOptions,
  ): Decision {
    this.revocation?.begin();
    const decision = this.#decideOrRefuse(mode, bytes, request, options);
    if (this.#log) {
      if (decision.ok)
        this.#log.emit({
          event: `payment.${mode}`,
          ok: true,
          receiptId: decision.receiptId,
          amountMinor: decision.amountMinor,
        });
      else
        this.#log.emit({
          event: `payment.${mode}`,
          ok: false,
          artifact: decision.artifact,
          check: decision.check,
          code: decision.code,
        });
    }
    return decision;
  }

  #decideOrRefuse(
    mode: DecisionMode,
    bytes: Uint8Array | Presentation,
    request: PaymentRequest,
    options: DecisionOptions,
  ): Decision {
    const now = this.now();
    if (typeof now !== 'number') return now;
    const asked = readRequest(request, this.site);
    if ('ok' in asked) return asked;
    const presentation = bytes instanceof Uint8Array ? readPresentation(bytes) : presentationOf(bytes);
    if ('ok' in presentation) return presentation;
    const artifacts = readArtifacts(presentation);
    if ('ok' in artifacts) return artifacts;
    const payment = new Payment(artifacts, asked, this.#context(now, mode));
    const trace: TraceEntry[] | undefined = options.explain ? [] : undefined;
    const refusal = runChain('payment', payment, trace);
    if (refusal) return trace ? { ...refusal, trace } : refusal;
    const receipt = payment.answered ?? this.#commit(mode, payment, presentation);
    if ('code' in receipt) return refuse('device', 'device.store', receipt.code, receipt.detail);
    if (mode !== 'check' && payment.answered === undefined) this.#tables?.used(payment.keys);
    const { sba } = artifacts;
    const approval: Approval = {
      ok: true,
      receiptId: receipt.receiptId,
      repeated: payment.answered !== undefined,
      amountMinor: receipt.amount.toString(),
      grantId: sba.grantId,
      budgetId: sba.budgetId,
      sessionId: sba.sessionId,
      actorId: sba.actorId,
      timeMs: receipt.timeMs,
    };
    return trace ? { ...approval, trace } : approval;
  }

  #commit(mode: DecisionMode, payment: Payment, presentation: Presentation): Receipt | LedgerRefusal {
    const { artifacts, asked, context, names } = payment;
    const { problem } = this.#books;
    if (problem?.code === 'STORE_FAILED') return problem;
    const latest = Math.max(artifacts.sba.expiresAtMs, artifacts.spa?.expiresAtMs ?? 0);
    const limit = artifacts.grant?.velocityLimit;
    const spend = {
      grant: names.grant,
      budget: names.budget,
      replay: names.replay,
      idempotency: names.idempotency,
      content: names.idempotency === undefined ? undefined : payment.content,
      amount: asked.amount,
      timeMs: context.nowMs,
      window: limit && { maxPayments: limit.maxPayments, windowMs: limit.windowSeconds * 1000 },
      keepUntilMs: latest + this.site.driftMs,
      // Without the grant nobody knows how long it lives; what was spent under it must not be forgotten before.
      grantUntilMs: Math.max(latest, artifacts.grant?.expiresAtMs ?? latest + UNSEEN_GRANT_MS) + this.site.driftMs,
    };
    if (mode === 'check') {
      const nothing = { receiptId: 0, amount: asked.amount, timeMs: context.nowMs };
      return this.#books.objection(spend, presentation) ?? nothing;
    }
    return this.#books.begin(mode, spend, presentation);
  }

  #alone(what: Checked, parts: { grant: PolicyGrant; fleetPolicy?: FleetPolicy }, options: DecisionOptions): Verdict {
    const now = this.now();
    if (typeof now !== 'number') return now;
    const artifacts = {
      grant: parts.grant,
      fleetPolicy: parts.fleetPolicy,
      spa: undefined,
      intent: undefined,
      idempotencyKey: undefined,
      sources: [],
      inPieces: true,
    };
    const trace: TraceEntry[] | undefined = options.explain ? [] : undefined;
    const verdict = runChain(
      what,
      Payment.ofParts(artifacts, nothingAsked(this.site), this.#context(now, 'check')),
      trace,
    ) ?? {
      ok: true,
    };
    return trace ? { ...verdict, trace } : verdict;
  }

  #context(nowMs: number, mode: DecisionMode): PaymentContext {
    return {
      site: this.site,
      crypto: this.#crypto,
      trust: this.trust,
      ledger: this.#ledger,
      nowMs,
      mode,
      verifiedGrants: this.#verifiedGrants,
      foundKeys: this.#foundKeys,
      revocation: this.revocation,
    };
  }

  #close(how: 'settle' | 'release', reservation: number, result: Receipt | LedgerRefusal): Closing {
    const event = { event: `payment.${how}`, reservation };
    if ('code' in result) {
      this.#log?.emit({ ...event, ok: false, code: result.code });
      const store = result.code === 'STORE_FULL' || result.code === 'STORE_FAILED';
      return store
        ? refuse('device', 'device.store', result.code, result.detail)
        : refuse('request', 'reservation.open', result.code, result.detail);
    }
    const amountMinor = result.amount.toString();
    this.#log?.emit({ ...event, ok: true, receiptId: result.receiptId, amountMinor });
    return { ok: true, receiptId: result.receiptId, amountMinor, timeMs: result.timeMs };
  }

  /** The time for ending a reservation: a session that began with a set clock must end without one too. */
  #lateMs(): number {
    const now = this.now();
    return typeof now === 'number' ? now : this.#ledger.timeFloorMs();
  }

  #logged(refusal: Refusal): Refusal {
    this.#log?.emit({ event: 'bundle.refused', check: refusal.check, code: refusal.code, detail: refusal.detail });
    return refusal;
  }
}

/** Reads the artifacts of a presentation: the shape checks of the chain. */
function readArtifacts(presentation: ReadPresentation): PaymentArtifacts | Refusal {
  const grant = optional(presentation.grant, 'policyGrant', readPolicyGrant);
  if (grant !== undefined && 'ok' in grant) return grant;
  const sba = shaped(presentation.sba, 'sba', readSessionBudget);
  if ('ok' in sba) return sba;
  const spa = optional(presentation.spa, 'spa', readPaymentAuthorization);
  if (spa !== undefined && 'ok' in spa) return spa;
  const intent = optional(presentation.settlementIntent, 'settlementIntent', readSettlementIntent);
  if (intent !== undefined && 'ok' in intent) return intent;
  const fleetPolicy = optional(presentation.fleetPolicyAuthorization, 'fleetPolicyAuthorization', readFleetPolicy);
  if (fleetPolicy !== undefined && 'ok' in fleetPolicy) return fleetPolicy;
  return {
    grant,
    sba,
    spa,
    intent,
    fleetPolicy,
    idempotencyKey: presentation.idempotencyKey,
    sources: presentation.sources,
    inPieces: presentation.inPieces,
  };
}

type Reader<T> = (value: JsonValue) => T | ArtifactProblem;

function optional<T>(value: JsonValue | undefined, artifact: ArtifactName, read: Reader<T>): T | Refusal | undefined {
  return value === undefined ? undefined : shaped(value, artifact, read);
}

function shaped<T>(value: JsonValue, artifact: ArtifactName, read: Reader<T>): T | Refusal {
  const result = read(value);
  return result instanceof ArtifactProblem
    ? refuse(artifact, `${artifact}.shape`, result.code, result.message)
    : result;
}

function readOne<T>(bytes: Uint8Array, artifact: ArtifactName, read: Reader<T>): T | Refusal {
  const value = readJson(bytes, ARTIFACT_LIMITS);
  if (value instanceof JsonProblem) return refuse(artifact, `${artifact}.read`, value.code, value.message);
  return shaped(value, artifact, read);
}
