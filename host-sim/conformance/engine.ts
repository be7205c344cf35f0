// What a conformance run asks of an implementation, as bytes and plain JSON: the part that runs wherever the core runs.
// The cases, files and verdicts are the runner's business; nothing in here knows what is expected.

import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { readSessionBudget } from '../../core/artifacts/sba.ts';
import { hashedIntent } from '../../core/artifacts/settlement-intent.ts';
import { readTrustBundle } from '../../core/artifacts/trust-bundle.ts';
import type { PaymentRequest } from '../../core/chain/request.ts';
import type { SiteConfiguration } from '../../core/configuration.ts';
import { ed25519FromSpkiPem } from '../../core/encoding/der.ts';
import { verifySessionProof } from '../../core/gateway/session-proof.ts';
import { type Domain, domainHash } from '../../core/hash/domains.ts';
import { toHex } from '../../core/hash/hex.ts';
import {
  presentationFromAuthorization,
  presentationFromAuthorizationBytes,
} from '../../core/intake/http-authorization.ts';
import { readPresentation } from '../../core/intake/presentation.ts';
import { canonicalText } from '../../core/json/canonical.ts';
import { JsonProblem, readJson } from '../../core/json/reader.ts';
import type { JsonValue } from '../../core/json/value.ts';
import { ledgerKey } from '../../core/ledger/keys.ts';
import type { SpendLedger } from '../../core/ledger/ledger.ts';
import { MemoryLedger } from '../../core/ledger/memory-ledger.ts';
import { BUNDLE_LIMITS } from '../../core/limits.ts';
import type { Crypto } from '../../core/ports/ports.ts';
import type { ReasonCode, Refusal } from '../../core/reason-codes.ts';
import { type AdmissionContext, admitBundle } from '../../core/trust/admission.ts';
import type { BundleScope, PinnedRole } from '../../core/trust/configuration.ts';
import { type HeldBundle, MemoryBundle } from '../../core/trust/held-bundle.ts';
import { TrustSet } from '../../core/trust/trust-set.ts';
import { Verifier } from '../../core/verifier.ts';

/** What came out: accepted with what was computed, or refused with a code. */
export type EngineResult =
  | { readonly ok: true; readonly value?: string; readonly total?: string }
  | { readonly ok: false; readonly code: ReasonCode; readonly detail: string; readonly total?: string };

/** A pinned key as plain data. */
export interface PinnedKeyData {
  readonly role: PinnedRole;
  readonly kid: string;
  readonly publicKey: Uint8Array;
}

/**
 * The verifier of one case: configuration, bundles taken as admitted, time, and totals to start from.
 *
 * @typeParam Bundle what a bundle is given as: its bytes, or where they are
 */
export interface VerifierSetup<Bundle = Uint8Array> {
  readonly configuration: Omit<SiteConfiguration, 'pinnedKeys'>;
  readonly pinned: readonly PinnedKeyData[];
  readonly bundles: readonly Bundle[];
  readonly nowMs: number;
  readonly grantSpentMinor?: string | undefined;
  readonly budgetSpentMinor?: string | undefined;
  readonly seen?: boolean | undefined;
}

/** One payment of a sequence; `total` in its result is the grant's total after it. */
export interface SequenceStep {
  readonly presentation: Uint8Array;
  readonly request: PaymentRequest;
}

/** The implementation under test: everything is bytes in, verdict out. */
export interface ConformanceEngine<Bundle = Uint8Array> {
  /** Canonical text of JSON text; `value` is the text, then a space and its SHA-256. */
  canonical(json: Uint8Array): EngineResult;
  /** The domain hash of JSON text, as hexadecimal digits. */
  digest(domain: Domain, json: Uint8Array): EngineResult;
  /** The intentHash of a settlement intent. */
  intentHash(json: Uint8Array): EngineResult;
  /** Admission of a bundle under one root key. `kid` undefined answers to any. */
  admit(bundle: Bundle, rootPem: string, kid: string | undefined, scope: BundleScope, nowMs: number): EngineResult;
  /** Key lookup; `value` is the key in hexadecimal digits. */
  resolve(setup: VerifierSetup<Bundle>, issuer: string, kid: string): EngineResult;
  grant(setup: VerifierSetup<Bundle>, grant: Uint8Array): EngineResult;
  fleetPolicy(setup: VerifierSetup<Bundle>, fleetPolicy: Uint8Array, grant: Uint8Array): EngineResult;
  /** Payments one after the other on the same state. */
  payments(setup: VerifierSetup<Bundle>, steps: readonly SequenceStep[]): readonly EngineResult[];
  /** An `Authorization` header, as far as reading the presentation. Bytes are written over. */
  header(value: string | Uint8Array): EngineResult;
  sessionProof(
    payload: { readonly sessionId: string; readonly method: string; readonly path: string; readonly ts: string },
    body: Uint8Array,
    proof: string,
    publicKey: Uint8Array,
    nowMs: number,
    maxSkewMs: number,
  ): EngineResult;
}

/** How bundles are read and held: in memory, or as a device does. */
export interface BundleForm<Bundle = Uint8Array> {
  admit(
    bundle: Bundle,
    context: AdmissionContext,
  ): { readonly bundle: unknown } | { readonly facts: unknown } | Refusal;
  /** A bundle that was admitted elsewhere; the refusal of one that is none. */
  hold(bundle: Bundle): HeldBundle | (EngineResult & { ok: false });
}

/** As tools hold bundles. */
const IN_MEMORY: BundleForm = {
  admit: admitBundle,
  hold(bundle) {
    const value = readJson(bundle, BUNDLE_LIMITS);
    if (value instanceof JsonProblem) return problem(value);
    const read = readTrustBundle(value);
    return read instanceof ArtifactProblem ? problem(read) : new MemoryBundle(read.bundle);
  },
};

/** The core as it is, with the crypto given. */
export function createEngine(crypto: Crypto): ConformanceEngine;
/** The same, with bundles read and held in another form. */
export function createEngine<Bundle>(crypto: Crypto, form: BundleForm<Bundle>): ConformanceEngine<Bundle>;
export function createEngine(crypto: Crypto, form: BundleForm = IN_MEMORY): ConformanceEngine {
  return {
    canonical(json) {
      const value = readJson(json, BUNDLE_LIMITS);
      if (value instanceof JsonProblem) return problem(value);
      const text = canonicalText(value);
      const hash = crypto.sha256();
      hash.update(text);
      return { ok: true, value: `${text} ${toHex(hash.digest())}` };
    },
    digest(domain, json) {
      const value = readJson(json, BUNDLE_LIMITS);
      return value instanceof JsonProblem ? problem(value) : hashed(crypto, domain, value);
    },
    intentHash(json) {
      const value = readJson(json, BUNDLE_LIMITS);
      if (value instanceof JsonProblem) return problem(value);
      const intent = hashedIntent(value);
      return intent instanceof ArtifactProblem ? problem(intent) : hashed(crypto, 'SettlementIntent', intent);
    },
    admit(bundle, rootPem, kid, scope, nowMs) {
      const publicKey = ed25519FromSpkiPem(rootPem);
      if (publicKey === undefined || !crypto.ed25519KeyUsable(publicKey)) {
        return { ok: false, code: 'KEY_FORMAT_INVALID', detail: 'the root key is not an Ed25519 public key' };
      }
      const rootKeys = [{ kid, publicKey }];
      const result = form.admit(bundle, { crypto, rootKeys, scope, nowMs, newest: () => undefined });
      return 'ok' in result ? refused(result) : { ok: true };
    },
    resolve(setup, issuer, kid) {
      const made = verifierOf(crypto, form, setup);
      if ('ok' in made) return made;
      const result = made.verifier.resolveKey(issuer, kid, 'sba');
      if (!result.ok) return { ok: false, code: result.code, detail: result.detail };
      return { ok: true, value: toHex(result.key) };
    },
    grant(setup, grant) {
      const made = verifierOf(crypto, form, setup);
      return 'ok' in made ? made : verdict(made.verifier.checkGrant(grant));
    },
    fleetPolicy(setup, fleetPolicy, grant) {
      const made = verifierOf(crypto, form, setup);
      return 'ok' in made ? made : verdict(made.verifier.checkFleetPolicy(fleetPolicy, grant));
    },
    payments(setup, steps) {
      const made = verifierOf(crypto, form, setup);
      if ('ok' in made) return steps.map(() => made);
      return steps.map((step) => {
        const result = verdict(made.verifier.authorize(step.presentation, step.request));
        return { ...result, total: made.total(step) };
      });
    },
    header(value) {
      const bytes =
        typeof value === 'string' ? presentationFromAuthorization(value) : presentationFromAuthorizationBytes(value);
      if ('ok' in bytes) return refused(bytes);
      const presentation = readPresentation(bytes);
      return 'ok' in presentation ? refused(presentation) : { ok: true };
    },
    sessionProof(payload, body, proof, publicKey, nowMs, maxSkewMs) {
      const { sessionId, method, path, ts } = payload;
      return verdict(
        verifySessionProof(crypto, { sessionId, method, path, body, ts, proof, publicKey }, nowMs, maxSkewMs),
      );
    },
  };
}

interface Made {
  readonly verifier: Verifier;
  /** The total of the grant a step is under, in digits. */
  total(step: SequenceStep): string;
}

function verifierOf(crypto: Crypto, form: BundleForm, setup: VerifierSetup): Made | (EngineResult & { ok: false }) {
  const bundles: HeldBundle[] = [];
  for (const bytes of setup.bundles) {
    const held = form.hold(bytes);
    if ('ok' in held) return held;
    bundles.push(held);
  }
  const ledger = new MemoryLedger(crypto, {
    grantSpent: BigInt(setup.grantSpentMinor ?? '0'),
    budgetSpent: BigInt(setup.budgetSpentMinor ?? '0'),
    seen: setup.seen,
  });
  const verifier = new Verifier({
    configuration: { ...setup.configuration, pinnedKeys: setup.pinned },
    crypto,
    clock: { wallMs: () => setup.nowMs, monotonicMs: () => setup.nowMs },
    ledger,
    // Cases have times of their own.
    earliestMs: 0,
    trust: TrustSet.of(bundles),
  });
  return { verifier, total: (step) => grantTotal(crypto, ledger, step.presentation) };
}

/** What the ledger has for the grant of a presentation, in digits. */
function grantTotal(crypto: Crypto, ledger: SpendLedger, presentation: Uint8Array): string {
  const read = readPresentation(presentation);
  const sba = 'ok' in read ? undefined : readSessionBudget(read.sba);
  if (sba === undefined || sba instanceof ArtifactProblem) return '0';
  return ledger.grantTotal(ledgerKey(crypto, 'grant', new Uint8Array(0), sba.grantId)).toString();
}

function hashed(crypto: Crypto, domain: Domain, value: JsonValue): EngineResult {
  return { ok: true, value: domainHash(crypto, domain, value) };
}

function verdict(result: { readonly ok: true } | Refusal): EngineResult {
  return result.ok ? { ok: true } : refused(result);
}

function refused(refusal: Refusal): EngineResult & { ok: false } {
  return { ok: false, code: refusal.code, detail: `${refusal.check}: ${refusal.detail}` };
}

function problem(problem: JsonProblem | ArtifactProblem): EngineResult & { ok: false } {
  return { ok: false, code: problem.code, detail: problem.message };
}
