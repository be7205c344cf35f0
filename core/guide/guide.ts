// The functions that the published integration guide's embedded section calls, in its shapes, over this core: firmware
// written after the guide changes one import. Where upstream is unsafe, these refuse.
//
//   import { verifyTrustBundle, verifySignedSessionBudgetAuthorizationForDecision } from 'mpcp-embedded/guide';

import { totalFrom } from '../artifacts/amount.ts';
import { ArtifactProblem } from '../artifacts/members.ts';
import { type TrustBundle as ReadBundle, readTrustBundle } from '../artifacts/trust-bundle.ts';
import { BUILD_TIME_MS } from '../build-time.ts';
import type { PaymentRequest } from '../chain/request.ts';
import { ConfigurationError, readConfiguration } from '../configuration.ts';
import { ed25519FromSpkiPem } from '../encoding/der.ts';
import { domainHash } from '../hash/domains.ts';
import { canonicalText } from '../json/canonical.ts';
import { jsonData } from '../json/data.ts';
import { JsonProblem } from '../json/reader.ts';
import { isArray, isObject, type JsonObject, type JsonValue, member } from '../json/value.ts';
import { MemoryLedger } from '../ledger/memory-ledger.ts';
import { AMOUNT_DIGITS, ARTIFACT_LIMITS, BUNDLE_LIMITS, DEFAULT_DRIFT_MS, LARGEST_DRIFT_MS } from '../limits.ts';
import { createPortableCrypto } from '../ports/portable-crypto.ts';
import type { Crypto } from '../ports/ports.ts';
import type { Refusal } from '../reason-codes.ts';
import { admitBundleData } from '../trust/admission.ts';
import type { IssuerRule } from '../trust/configuration.ts';
import { type HeldBundle, MemoryBundle } from '../trust/held-bundle.ts';
import { TrustSet } from '../trust/trust-set.ts';
import { Verifier } from '../verifier.ts';

/** A Trust Bundle as it comes from JSON.parse. */
export interface TrustBundle {
  readonly [member: string]: unknown;
}

/** A payment decision as the guide builds it. */
export interface PaymentPolicyDecision {
  readonly action: string;
  readonly policyHash: string;
  readonly priceFiat?: { readonly amountMinor: string; readonly currency?: string };
  readonly rail?: string;
  readonly asset?: unknown;
  readonly purpose?: string;
  readonly chosen?: { readonly rail?: string; readonly quoteId?: string };
  readonly settlementQuotes?: readonly {
    readonly quoteId: string;
    readonly rail?: string;
    readonly destination?: string;
  }[];
  readonly [member: string]: unknown;
}

/** What goes with an SBA. */
export interface SbaVerificationInput {
  readonly sessionId: string;
  readonly decision: PaymentPolicyDecision;
  /** Bundles that `verifyTrustBundle` found valid. */
  readonly trustBundles: readonly TrustBundle[];
  /** What was spent before, in minor units. Left out: nothing. */
  readonly cumulativeSpentMinor?: string;
  /** Milliseconds. Left out: the platform's time, refused while it is before this build's. */
  readonly nowMs?: number;
  /** Default 300 000, at most 600 000. */
  readonly clockDriftToleranceMs?: number;
}

/** The guide's settings: what its shapes have no place for. */
export interface GuideSettings {
  /** Who may sign SBAs. Left out: every issuer the passed bundles approve. */
  readonly sbaIssuers?: readonly IssuerRule[];
  /** Left out: the core's own. */
  readonly crypto?: Crypto;
}

let settings: GuideSettings = {};
let ownCrypto: Crypto | undefined;

/**
 * Narrows who may sign SBAs, and chooses the crypto. Replaces earlier settings.
 *
 * @throws RangeError for what are no settings: what is misspelt would let every approved issuer sign
 */
export function configure(next: GuideSettings): void {
  if (typeof next !== 'object' || next === null) throw new RangeError('the settings are not an object');
  for (const name of Object.keys(next))
    if (name !== 'sbaIssuers' && name !== 'crypto') throw new RangeError(`the settings have no member ${name}`);
  const { sbaIssuers, crypto } = next;
  if (crypto !== undefined && (typeof crypto !== 'object' || crypto === null))
    throw new RangeError('crypto is no implementation of the crypto port');
  if (sbaIssuers !== undefined) checkSigners(sbaIssuers);
  settings = { ...next };
}

function checkSigners(sbaIssuers: readonly IssuerRule[]): void {
  try {
    readConfiguration({ grantIssuers: [], sbaIssuers: { '*': sbaIssuers } });
  } catch (error) {
    if (error instanceof ConfigurationError) throw new RangeError(error.message);
    throw error;
  }
}

/**
 * Verifies a Trust Bundle against a root key.
 *
 * @returns `{valid: true}`, or a reason: `bundle_key_id_mismatch`, `invalid_root_public_key`,
 *   `invalid_bundle_signature`, `signature_verification_failed`, `bundle_expired`, `clock_untrusted`, or
 *   `invalid_artifact: …` for what upstream takes and this refuses (another version, a shape that is not a bundle's)
 */
export function verifyTrustBundle(
  bundle: TrustBundle,
  rootPublicKeyPem: string,
  options: { readonly nowMs?: number; readonly expectedKeyId?: string } = {},
): { readonly valid: true } | { readonly valid: false; readonly reason: string } {
  const { nowMs: givenMs, expectedKeyId } = options ?? {};
  const nowMs = platformTime(givenMs);
  if (nowMs === undefined) return { valid: false, reason: 'clock_untrusted' };
  const publicKey = typeof rootPublicKeyPem === 'string' ? ed25519FromSpkiPem(rootPublicKeyPem) : undefined;
  if (publicKey === undefined || !crypto().ed25519KeyUsable(publicKey))
    return { valid: false, reason: 'invalid_root_public_key' };
  const data = jsonData(bundle, BUNDLE_LIMITS);
  if (data instanceof JsonProblem) return { valid: false, reason: `invalid_artifact: ${data.message}` };
  if (isObject(data) && typeof member(data, 'signature') !== 'string')
    return { valid: false, reason: 'signature_verification_failed' };
  const kid = expectedKeyId === '' ? undefined : expectedKeyId;
  const result = admitBundleData(data, {
    crypto: crypto(),
    rootKeys: [{ kid, publicKey }],
    scope: {},
    nowMs,
    newest: () => undefined,
  });
  return 'ok' in result ? { valid: false, reason: bundleReason(result) } : { valid: true };
}

/**
 * Finds a key in bundles that `verifyTrustBundle` found valid.
 *
 * @returns the JWK as the bundle has it, or null: not found, not approved, expired, revoked or unusable
 */
export function resolveFromTrustBundle(
  issuer: string,
  issuerKeyId: string,
  bundles: readonly TrustBundle[],
  options: { readonly nowMs?: number } = {},
): { readonly [member: string]: unknown } | null {
  const nowMs = platformTime(options?.nowMs);
  if (nowMs === undefined) return null;
  const read = readBundles(bundles);
  if (read === undefined) return null;
  const held: readonly HeldBundle[] = read.map(({ bundle }) => new MemoryBundle(bundle));
  const trust = TrustSet.of(held);
  for (const bundle of trust.bundles) {
    if (bundle.expiresAtMs <= nowMs || !bundle.approves(issuer)) continue;
    const listed = bundle.entry(issuer)?.keys.find((key) => key.kid === issuerKeyId);
    if (listed === undefined) continue;
    if (
      typeof listed.key === 'string' ||
      !bundle.usable(crypto(), listed) ||
      trust.revokesKey(issuer, issuerKeyId, listed.key)
    )
      return null;
    return jwkOf(read[held.indexOf(bundle)]?.source, issuer, issuerKeyId);
  }
  return null;
}

/**
 * Verifies an SBA for a payment decision, as the guide's embedded section calls it. The SBA's issuer must be one that an
 * unexpired passed bundle approves, and one that `configure` lets sign. An amount is always needed, the action must be
 * ALLOW, and a chosen quote must exist: upstream skips its checks where they are missing.
 *
 * @returns `{ok: true}`, or a reason: `invalid_signature`, `expired`, `mismatch`, `budget_exceeded`, `clock_untrusted`,
 *   `grant_revoked`, or `invalid_artifact: …`
 */
export function verifySignedSessionBudgetAuthorizationForDecision(
  sba: unknown,
  input: SbaVerificationInput,
): { readonly ok: true } | { readonly ok: false; readonly reason: string } {
  if (typeof input !== 'object' || input === null)
    return { ok: false, reason: 'invalid_artifact: the input is not an object' };
  const nowMs = platformTime(input.nowMs);
  if (nowMs === undefined) return { ok: false, reason: 'clock_untrusted' };
  const data = jsonData(sba, ARTIFACT_LIMITS);
  if (data instanceof JsonProblem) return { ok: false, reason: `invalid_artifact: ${data.message}` };
  const spent = input.cumulativeSpentMinor === undefined ? 0n : totalFrom(input.cumulativeSpentMinor);
  if (spent === undefined) return { ok: false, reason: 'invalid_artifact: cumulativeSpentMinor is not decimal digits' };
  const drift = input.clockDriftToleranceMs ?? DEFAULT_DRIFT_MS;
  if (!Number.isInteger(drift) || drift < 0 || drift > LARGEST_DRIFT_MS) {
    const bounds = `a whole number of milliseconds from 0 to ${LARGEST_DRIFT_MS}`;
    return { ok: false, reason: `invalid_artifact: clockDriftToleranceMs is not ${bounds}` };
  }
  const read = readBundles(input.trustBundles ?? []);
  if (read === undefined) return { ok: false, reason: 'invalid_signature' };
  const request = requestOf(input);
  if (typeof request === 'string') return { ok: false, reason: request };
  const bundles = read.map((entry) => entry.bundle);
  const approved = bundles.flatMap((bundle) => bundle.approvedIssuers);
  const verifier = new Verifier({
    configuration: {
      grantIssuers: [],
      sbaIssuers: { '*': settings.sbaIssuers ?? approved },
      sbaOnly: { maxAmountMinor: '9'.repeat(AMOUNT_DIGITS) },
      budgetUse: 'reuse',
      driftMs: drift,
    },
    crypto: crypto(),
    clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
    ledger: new MemoryLedger(crypto(), { budgetSpent: spent }),
    // The platform's time was held against the build already; a caller's own is the caller's.
    earliestMs: 0,
    trust: TrustSet.of(bundles),
  });
  const decision = verifier.check({ sba: data }, request);
  return decision.ok ? { ok: true } : { ok: false, reason: sbaReason(decision) };
}

/**
 * The canonical JSON of a value (INTEROP §2).
 *
 * @throws RangeError for what JSON cannot hold, where upstream writes null
 */
export function canonicalJson(value: unknown): string {
  return canonicalText(dataOrThrow(value));
}

/**
 * policyHash of a policy document: 64 hexadecimal digits over the prefixed canonical JSON.
 *
 * @param version `1.x`; the prefix is that of 1.0 for all of them
 * @throws RangeError for what JSON cannot hold, and for another major version
 */
export function hashPolicyDocument(document: unknown, version = '1.0'): string {
  if (!/^1\.[0-9]+$/.test(version)) throw new RangeError(`policy version ${version} is not 1.x`);
  return domainHash(crypto(), 'Policy', dataOrThrow(document));
}

function crypto(): Crypto {
  ownCrypto ??= createPortableCrypto();
  return settings.crypto ?? ownCrypto;
}

/** The time to decide by. The platform's own counts only when it is not before this build's: then it was never set. */
function platformTime(nowMs: number | undefined): number | undefined {
  if (nowMs !== undefined) return Number.isFinite(nowMs) && nowMs >= 0 ? Math.floor(nowMs) : undefined;
  const now = Date.now();
  return now >= BUILD_TIME_MS ? now : undefined;
}

function dataOrThrow(value: unknown): JsonValue {
  const data = jsonData(value, BUNDLE_LIMITS);
  if (data instanceof JsonProblem) throw new RangeError(data.message);
  return data;
}

/** The bundles read, each with its data; undefined where one is not a bundle. */
function readBundles(bundles: readonly TrustBundle[]): { bundle: ReadBundle; source: JsonObject }[] | undefined {
  const read: { bundle: ReadBundle; source: JsonObject }[] = [];
  if (!Array.isArray(bundles)) return undefined;
  for (const bundle of bundles) {
    const data = jsonData(bundle, BUNDLE_LIMITS);
    if (data instanceof JsonProblem || !isObject(data)) return undefined;
    const result = readTrustBundle(data);
    if (result instanceof ArtifactProblem) return undefined;
    read.push({ bundle: result.bundle, source: data });
  }
  return read;
}

/** The JWK of an issuer's kid in bundle data, as a plain object. */
function jwkOf(bundle: JsonObject | undefined, issuer: string, kid: string): { [member: string]: unknown } | null {
  const issuers = bundle && member(bundle, 'issuers');
  if (!isArray(issuers)) return null;
  for (const entry of issuers) {
    if (!isObject(entry) || member(entry, 'issuer') !== issuer) continue;
    const keys = member(entry, 'keys');
    const jwk = isArray(keys) ? keys.find((key) => isObject(key) && member(key, 'kid') === kid) : undefined;
    return isObject(jwk) ? { ...jwk } : null;
  }
  return null;
}

/** The request a decision stands for, or the reason why it stands for none. */
function requestOf(input: SbaVerificationInput): PaymentRequest | string {
  const decision = input.decision;
  if (typeof decision !== 'object' || decision === null || decision.action !== 'ALLOW') return 'mismatch';
  const price = decision.priceFiat;
  if (typeof price !== 'object' || price === null) return 'invalid_artifact: priceFiat is missing';
  if (typeof input.sessionId !== 'string' || typeof decision.policyHash !== 'string') return 'mismatch';
  const asset =
    decision.asset === undefined || decision.asset === null ? undefined : jsonData(decision.asset, ARTIFACT_LIMITS);
  if (asset instanceof JsonProblem) return `invalid_artifact: asset: ${asset.message}`;
  if (price.currency !== undefined && typeof price.currency !== 'string')
    return 'invalid_artifact: currency is not text';
  const quote = chosenQuote(decision);
  if (typeof quote === 'string') return quote;
  // The decision may name its rail in three places; what is not the same everywhere is no decision.
  const rail = agreed([decision.rail, decision.chosen?.rail, quote.rail]);
  if (rail === null) return 'mismatch';
  return {
    amountMinor: price.amountMinor,
    sessionId: input.sessionId,
    policyHash: decision.policyHash,
    rail,
    asset,
    destination: quote.destination ?? undefined,
    unit: price.currency === undefined ? undefined : { kind: 'fiat', currency: price.currency },
  };
}

type Quote = Partial<NonNullable<PaymentPolicyDecision['settlementQuotes']>[number]>;

/** The quote that was chosen, an empty one where none was; the reason where what is named does not exist. */
function chosenQuote(decision: PaymentPolicyDecision): Quote | string {
  const { settlementQuotes: quotes, chosen } = decision;
  if ((quotes ?? undefined) !== undefined && !(Array.isArray(quotes) && quotes.every(isPlain)))
    return 'invalid_artifact: settlementQuotes is not a list of quotes';
  if ((chosen ?? undefined) !== undefined && !isPlain(chosen)) return 'invalid_artifact: chosen is not an object';
  const quoteId = chosen?.quoteId ?? undefined;
  if (quoteId !== undefined) return quotes?.find((quote) => quote.quoteId === quoteId) ?? 'mismatch';
  const rail = decision.rail ?? chosen?.rail ?? undefined;
  return (rail === undefined ? undefined : quotes?.find((quote) => quote.rail === rail)) ?? {};
}

/** The one value of those that are there; undefined where none is, null where they differ. */
function agreed(values: readonly (string | null | undefined)[]): string | undefined | null {
  const stated = values.filter((value) => value !== undefined && value !== null);
  return stated.every((value) => value === stated[0]) ? stated[0] : null;
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bundleReason(refusal: Refusal): string {
  switch (refusal.code) {
    case 'KEY_NOT_FOUND':
      return 'bundle_key_id_mismatch';
    case 'TRUST_BUNDLE_SIGNATURE_INVALID':
      return 'invalid_bundle_signature';
    case 'ARTIFACT_EXPIRED':
      return 'bundle_expired';
    default:
      return `invalid_artifact: ${refusal.detail}`;
  }
}

function sbaReason(refusal: Refusal): string {
  switch (refusal.code) {
    case 'SBA_SIGNATURE_INVALID':
    case 'KEY_NOT_FOUND':
    case 'KEY_REVOKED':
    case 'KEY_FORMAT_INVALID':
    case 'ISSUER_NOT_PERMITTED':
    case 'NO_TRUST_BUNDLE':
      return 'invalid_signature';
    case 'ARTIFACT_EXPIRED':
      return 'expired';
    case 'AMOUNT_EXCEEDED':
      return 'budget_exceeded';
    case 'SESSION_MISMATCH':
    case 'POLICY_HASH_MISMATCH':
    case 'SCOPE_UNSUPPORTED':
    case 'RAIL_MISMATCH':
    case 'ASSET_MISMATCH':
    case 'DESTINATION_MISMATCH':
    case 'CURRENCY_MISMATCH':
      return 'mismatch';
    case 'GRANT_REVOKED':
      return 'grant_revoked';
    case 'CLOCK_UNTRUSTED':
      return 'clock_untrusted';
    default:
      return `invalid_artifact: ${refusal.detail}`;
  }
}
