// Signing MPCP artifacts the way the upstream code accepts them: SHA-256 over prefix and canonical JSON, the digest
// signed, base64 (INTEROP §1). It hashes with the core's own canonical JSON, which the vectors check against upstream.

import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { hashedIntent } from '../../core/artifacts/settlement-intent.ts';
import { type Domain, domainDigest, domainHash } from '../../core/hash/domains.ts';
import { hasUtf8 } from '../../core/json/canonical.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { createNodeCrypto } from '../ports/node-crypto.ts';
import { type SigningKey, sign } from './keys.ts';

const crypto = createNodeCrypto();

/** A signed `{authorization, issuer?, issuerKeyId, signature}` envelope: SBA, SPA or FPA. */
export interface SignedEnvelope {
  readonly [member: string]: JsonValue;
  readonly authorization: JsonObject;
  readonly issuerKeyId: string;
  readonly signature: string;
}

/** Who signs. */
export interface SignedBy {
  readonly key: SigningKey;
  /** Left out where a verifier pins the key. */
  readonly issuer?: string | undefined;
}

/** Signs an SBA's authorization. */
export function signSba(authorization: JsonObject, by: SignedBy): SignedEnvelope {
  return envelope('SBA', authorization, by);
}

/** Signs an SPA's authorization. */
export function signSpa(authorization: JsonObject, by: SignedBy): SignedEnvelope {
  return envelope('SPA', authorization, by);
}

/** Signs a fleet policy's authorization. */
export function signFleetPolicy(authorization: JsonObject, by: SignedBy): SignedEnvelope {
  return envelope('FPA', authorization, by);
}

/**
 * Signs a PolicyGrant.
 *
 * @param form `flat`: one object, everything but the signature signed, issuer and kid included; `envelope`: the Policy
 *   Authority's `{grant, issuer, issuerKeyId, signature}`, only `grant` signed
 */
export function signGrant(grant: JsonObject, by: SignedBy, form: 'flat' | 'envelope'): JsonObject {
  const signer = { ...(by.issuer === undefined ? {} : { issuer: by.issuer }), issuerKeyId: by.key.kid };
  if (form === 'envelope') return { grant, ...signer, signature: signature('PolicyGrant', grant, by.key) };
  const flat = { ...grant, ...signer };
  return { ...flat, signature: signature('PolicyGrant', flat, by.key) };
}

/** Signs a Trust Bundle; a signature it already has is replaced, and `bundleKeyId` is the signing key's kid. */
export function signBundle(bundle: JsonObject, key: SigningKey): JsonObject {
  const { signature: _, ...rest } = bundle;
  const unsigned = { ...rest, bundleKeyId: key.kid };
  return { ...unsigned, signature: signature('TrustBundle', unsigned, key) };
}

/** policyHash of a policy document, 64 hexadecimal digits, prefixed (INTEROP §1). */
export function policyHash(document: JsonValue): string {
  return hash('Policy', document);
}

/** intentHash of a settlement intent. @throws RangeError where it has a member an intent does not have */
export function intentHash(intent: JsonValue): string {
  const hashed = hashedIntent(intent);
  if (hashed instanceof ArtifactProblem) throw new RangeError(hashed.message);
  return hash('SettlementIntent', hashed);
}

function envelope(domain: Domain, authorization: JsonObject, by: SignedBy): SignedEnvelope {
  return {
    authorization,
    ...(by.issuer === undefined ? {} : { issuer: by.issuer }),
    issuerKeyId: by.key.kid,
    signature: signature(domain, authorization, by.key),
  };
}

function signature(domain: Domain, value: JsonValue, key: SigningKey): string {
  return Buffer.from(sign(key, domainDigest(crypto, domain, wellFormed(value)))).toString('base64');
}

function hash(domain: Domain, value: JsonValue): string {
  return domainHash(crypto, domain, wellFormed(value));
}

function wellFormed<T extends JsonValue>(value: T): T {
  if (!hasUtf8(value)) throw new RangeError('a string holds a lone surrogate');
  return value;
}
