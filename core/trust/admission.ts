// Admission of a Trust Bundle: the numbered steps between bytes from a network and keys a payment may be checked with.
// A bundle that fails any step changes nothing.

import { ArtifactProblem } from '../artifacts/members.ts';
import { type BundleFacts, readTrustBundle, type TrustBundle } from '../artifacts/trust-bundle.ts';
import { decodeBase64 } from '../encoding/base64.ts';
import { domainDigest, domainMessage } from '../hash/domains.ts';
import { JsonProblem, readJson } from '../json/reader.ts';
import type { JsonValue } from '../json/value.ts';
import { keyText } from '../ledger/keys.ts';
import type { LedgerKey } from '../ledger/ledger.ts';
import { BUNDLE_LIMITS, LATEST_TIME_MS } from '../limits.ts';
import type { Crypto, MessageStream } from '../ports/ports.ts';
import { type Refusal, refuse } from '../reason-codes.ts';
import type { BundleScope, RootKey } from './configuration.ts';

/** The newest bundle ever admitted for one identity. It outlives the bundle. */
export interface NewestBundle {
  readonly issuedAtMs: number | undefined;
  readonly expiresAtMs: number;
  /** Of the one with this `issuedAt`: the first 16 bytes of the digest that is signed. */
  readonly digest: LedgerKey;
}

/** What is to be remembered of an identity, once a bundle of it is admitted after another. */
export function newestOf(before: NewestBundle | undefined, bundle: NewestBundle): NewestBundle {
  if (before === undefined) return bundle;
  const isLater =
    bundle.issuedAtMs === undefined
      ? before.issuedAtMs === undefined
      : before.issuedAtMs === undefined || bundle.issuedAtMs > before.issuedAtMs;
  const { issuedAtMs, digest } = isLater ? bundle : before;
  return { issuedAtMs, expiresAtMs: Math.max(before.expiresAtMs, bundle.expiresAtMs), digest };
}

/** A bundle that may be used, and what is to be remembered of it. */
export interface AdmittedBundle {
  readonly bundle: TrustBundle;
  readonly newest: NewestBundle;
}

/** What became of one bundle. */
export type Admission = { readonly ok: true; readonly bundle: BundleFacts } | Refusal;

/** What became of an answer: of each of its bundles, or why none of it was looked at or kept. Then nothing has changed. */
export type SetAdmission = readonly Admission[] | Refusal;

/**
 * Where bundle bytes come from. A stored bundle was admitted before and comes back at a start: it may have expired since.
 * Its keys then verify nothing, but a key it revokes stays revoked, as it would have without the restart.
 */
export type BundleSource = 'network' | 'store';

/** What admission needs besides the bundle. */
export interface AdmissionContext {
  readonly crypto: Crypto;
  readonly rootKeys: readonly RootKey[];
  readonly scope: BundleScope;
  /** Effective time in milliseconds. */
  readonly nowMs: number;
  readonly source?: BundleSource;
  /** The newest bundle admitted so far for an identity. */
  newest(identity: string): NewestBundle | undefined;
}

/**
 * What a bundle replaces and what may not be older than it: bundles of one issuer for one category, merchant and
 * region. Not the `bundleId`, which anybody who makes a bundle chooses (docs/ARCHITECTURE.md).
 */
export function bundleIdentity(bundle: BundleFacts): string {
  return JSON.stringify([bundle.bundleIssuer, bundle.category ?? '', bundle.merchant ?? '', bundle.region ?? '']);
}

/** Decides whether bundle bytes may be used. @returns the bundle, or the refusal of the step that failed */
export function admitBundle(bytes: Uint8Array, context: AdmissionContext): AdmittedBundle | Refusal {
  const value = readJson(bytes, BUNDLE_LIMITS);
  if (value instanceof JsonProblem) return refuseBundle('bundle.read', value.code, value.message);
  return admitBundleData(value, context);
}

/** The same from JSON data that was read before. */
export function admitBundleData(value: JsonValue, context: AdmissionContext): AdmittedBundle | Refusal {
  // Step 1: a bundle's shape, within its limits; version must be 1.0.
  const read = readTrustBundle(value);
  if (read instanceof ArtifactProblem) return refuseBundle('bundle.shape', read.code, read.message);
  const newest = checkBundle(
    {
      facts: read.bundle,
      signature: read.signature,
      digest: () => domainDigest(context.crypto, 'TrustBundle', read.signed),
      message: (sink) => domainMessage('TrustBundle', read.signed)(sink),
    },
    context,
  );
  return 'ok' in newest ? newest : { bundle: read.bundle, newest };
}

/** A bundle that was read, from whatever it was read. */
export interface SignedFacts {
  readonly facts: BundleFacts;
  /** As it is spelled; undefined where there is none. */
  readonly signature: string | undefined;
  /** Of what the signature covers: its digest, and the bytes themselves (INTEROP §1). */
  digest(): Uint8Array;
  readonly message: MessageStream;
}

/** Steps 2 to 6 of a bundle whose shape is one. @returns what is to be remembered of it, or the refusal of the step that failed */
export function checkBundle(read: SignedFacts, context: AdmissionContext): NewestBundle | Refusal {
  const { facts } = read;
  const before = context.newest(bundleIdentity(facts));
  const refusal =
    checkScope(facts, context.scope) ??
    (context.source === 'store' ? undefined : checkExpiry(facts, context.nowMs)) ??
    checkRollback(facts, before);
  if (refusal) return refusal;
  const digest = read.digest();
  const newest = {
    issuedAtMs: facts.issuedAtMs === undefined ? undefined : Math.min(facts.issuedAtMs, LATEST_TIME_MS),
    expiresAtMs: Math.min(facts.expiresAtMs, LATEST_TIME_MS),
    digest: keyText(digest),
  };
  return checkSignature(read, digest, context) ?? checkTwin(newest, before) ?? newest;
}

/** Step 2: made for this device, or for no one in particular. */
function checkScope(bundle: BundleFacts, scope: BundleScope): Refusal | undefined {
  return (
    mismatch('merchant', bundle.merchant, scope.merchant) ??
    mismatch('category', bundle.category, scope.category) ??
    mismatch('region', bundle.region, scope.region)
  );
}

function mismatch(what: string, stated: string | undefined, own: string | undefined): Refusal | undefined {
  if (stated === undefined || own === undefined || stated === own) return undefined;
  return refuseBundle('bundle.scope', 'BUNDLE_SCOPE_MISMATCH', `${what} is ${stated}, this device's is ${own}`);
}

/** Step 3: not expired. Bundles get no drift (INTEROP §3). An `issuedAt` ahead of the clock is fine: it is signed. */
function checkExpiry(bundle: BundleFacts, nowMs: number): Refusal | undefined {
  if (bundle.expiresAtMs <= nowMs)
    return refuseBundle('bundle.expiry', 'ARTIFACT_EXPIRED', `expired at ${isoTime(bundle.expiresAtMs)}`);
  // The time floor goes to issuedAt: behind the expiry it would leave nothing that is not expired.
  if (bundle.issuedAtMs !== undefined && bundle.issuedAtMs >= bundle.expiresAtMs)
    return refuseBundle('bundle.expiry', 'ARTIFACT_INVALID', 'issuedAt is not before expiresAt');
  return undefined;
}

/** Step 4: not older than the newest ever admitted for its identity: by `issuedAt`, or by expiry where one has none. */
function checkRollback(bundle: BundleFacts, newest: NewestBundle | undefined): Refusal | undefined {
  if (newest === undefined) return undefined;
  const byIssue = bundle.issuedAtMs !== undefined && newest.issuedAtMs !== undefined;
  const own = byIssue ? (bundle.issuedAtMs as number) : bundle.expiresAtMs;
  const floor = byIssue ? (newest.issuedAtMs as number) : newest.expiresAtMs;
  if (own >= floor) return undefined;
  const name = byIssue ? 'issuedAt' : 'expiresAt';
  return refuseBundle(
    'bundle.rollback',
    'BUNDLE_ROLLBACK',
    `${name} ${isoTime(own)} is before ${isoTime(floor)}, admitted earlier`,
  );
}

/** Step 5: signed by a root key, over the digest or over the raw bytes (INTEROP §1). */
function checkSignature(read: SignedFacts, digest: Uint8Array, context: AdmissionContext): Refusal | undefined {
  const kid = read.facts.bundleKeyId;
  const roots = context.rootKeys.filter((root) => root.kid === undefined || root.kid === kid);
  if (roots.length === 0) return refuseBundle('bundle.root', 'KEY_NOT_FOUND', `no root key has the kid ${kid}`);
  const signature = read.signature === undefined ? undefined : decodeBase64(read.signature);
  if (signature?.length === 64) {
    for (const root of roots) {
      if (context.crypto.ed25519Verify(root.publicKey, signature, digest)) return undefined;
      // A digest can't be mistaken for text that begins with the prefix, so trying both forms opens nothing.
      if (context.crypto.ed25519Verify(root.publicKey, signature, read.message)) return undefined;
    }
  }
  return refuseBundle('bundle.signature', 'TRUST_BUNDLE_SIGNATURE_INVALID', `no root key ${kid} made this signature`);
}

/** Step 6: of the same `issuedAt` only the same bundle. Of two that differ nobody can tell which came first. */
function checkTwin(bundle: NewestBundle, newest: NewestBundle | undefined): Refusal | undefined {
  const { issuedAtMs } = bundle;
  if (issuedAtMs === undefined || newest?.issuedAtMs !== issuedAtMs || newest.digest === bundle.digest)
    return undefined;
  return refuseBundle(
    'bundle.twin',
    'BUNDLE_ROLLBACK',
    `another bundle issued at ${isoTime(issuedAtMs)} was admitted earlier`,
  );
}

/** The refusal of a step. */
export function refuseBundle(check: string, code: Refusal['code'], detail: string): Refusal {
  return refuse('trustBundle', check, code, detail);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
