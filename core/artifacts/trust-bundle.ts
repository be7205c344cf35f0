// TrustBundle: which issuers a merchant's devices may trust, with their keys, signed by a root. Keys are read into
// bytes here; one that cannot be used stays in the list with the reason, because it must still be found (INTEROP §3).

import { decodeBase64 } from '../encoding/base64.ts';
import { anyMember, isArray, isObject, type JsonObject, type JsonValue, member, without } from '../json/value.ts';
import { BUNDLE_ISSUERS, BUNDLE_KEYS_PER_ISSUER, BUNDLE_REVOKED_GRANTS } from '../limits.ts';
import {
  ArtifactProblem,
  expiryMember,
  invalid,
  objectOf,
  optionalText,
  optionalTime,
  reading,
  textList,
  textMember,
} from './members.ts';

/** One key of an issuer. */
export interface BundleKey {
  readonly kid: string;
  /** False where the JWK says `active: false`, or anything else that is not true: revoked. */
  readonly active: boolean;
  /**
   * 32 bytes of Ed25519 public key, or the reason why there are none. Whether they are a usable point is asked when the key
   * is: it costs an exponentiation, and a bundle that nobody signed may list hundreds.
   */
  readonly key: Uint8Array | string;
  /** The bytes of `x` whatever else is wrong with the JWK: a revocation goes by them too. */
  readonly x: Uint8Array | undefined;
}

/** One issuer with its embedded keys. */
export interface BundleIssuer {
  readonly issuer: string;
  readonly keys: readonly BundleKey[];
}

/** What a bundle says about itself. */
export interface BundleFacts {
  readonly bundleId: string;
  readonly bundleIssuer: string;
  readonly bundleKeyId: string;
  readonly category: string | undefined;
  readonly merchant: string | undefined;
  readonly region: string | undefined;
  readonly issuedAtMs: number | undefined;
  readonly expiresAtMs: number;
}

/** A Trust Bundle, read but not yet admitted. */
export interface TrustBundle extends BundleFacts {
  readonly approvedIssuers: readonly string[];
  readonly issuers: readonly BundleIssuer[];
  readonly revokedGrantIds: readonly string[];
}

/** A bundle with what its signature covers; the second part is dropped once it is admitted. */
export interface SignedTrustBundle {
  readonly bundle: TrustBundle;
  readonly signed: JsonObject;
  readonly signature: string | undefined;
}

/**
 * Reads a bundle from JSON data.
 *
 * @returns the bundle; VERSION_UNSUPPORTED for any version but `1.0`, LIMIT_EXCEEDED past 160 issuers, 4 keys each or
 *   512 revoked grants, ARTIFACT_INVALID for a shape that is not a bundle's
 */
export function readTrustBundle(value: JsonValue): SignedTrustBundle | ArtifactProblem {
  return reading(() => {
    const wire = objectOf(value, 'the Trust Bundle');
    const names = readBundleNames(wire);
    const lists = {
      approvedIssuers: approvedMember(wire),
      issuers: issuersMember(wire),
      revokedGrantIds: bounded(
        textList(wire.revokedGrantIds, 'revokedGrantIds'),
        BUNDLE_REVOKED_GRANTS,
        'revokedGrantIds',
      ),
    };
    const times = readBundleTimes(wire);
    const signature = member(wire, 'signature');
    return {
      bundle: { ...names, ...lists, ...times },
      signed: without(wire, ['signature']),
      signature: typeof signature === 'string' ? signature : undefined,
    };
  });
}

/** What of a bundle's facts is read before its lists: the order in which its faults count. */
export type BundleNames = Omit<BundleFacts, 'issuedAtMs' | 'expiresAtMs'>;

/** Reads a bundle's version and names. Throws ArtifactProblem. @param wire the bundle, or of it the members that are read here */
export function readBundleNames(wire: JsonObject): BundleNames {
  const version = member(wire, 'version');
  if (version !== '1.0') {
    throw version === undefined
      ? invalid('version is missing')
      : new ArtifactProblem('VERSION_UNSUPPORTED', 'version is not "1.0"');
  }
  return {
    bundleId: textMember(wire.bundleId, 'bundleId'),
    bundleIssuer: textMember(wire.bundleIssuer, 'bundleIssuer'),
    bundleKeyId: textMember(wire.bundleKeyId, 'bundleKeyId'),
    category: optionalText(wire.category, 'category'),
    merchant: optionalText(wire.merchant, 'merchant'),
    region: regionMember(wire),
  };
}

/** Reads a bundle's times: behind its lists. Throws ArtifactProblem. */
export function readBundleTimes(wire: JsonObject): Pick<BundleFacts, 'issuedAtMs' | 'expiresAtMs'> {
  return { issuedAtMs: optionalTime(wire.issuedAt, 'issuedAt'), expiresAtMs: expiryMember(wire) };
}

function regionMember(wire: JsonObject): string | undefined {
  const geography = member(wire, 'geography');
  return geography === undefined ? undefined : optionalText(objectOf(geography, 'geography').region, 'region');
}

function approvedMember(wire: JsonObject): readonly string[] {
  if (member(wire, 'approvedIssuers') === undefined) throw invalid('approvedIssuers is missing');
  return bounded(textList(wire.approvedIssuers, 'approvedIssuers'), BUNDLE_ISSUERS, 'approvedIssuers');
}

function issuersMember(wire: JsonObject): readonly BundleIssuer[] {
  const value = member(wire, 'issuers');
  if (!isArray(value)) throw invalid('issuers is missing or not a list');
  return bounded(value, BUNDLE_ISSUERS, 'issuers').map(readIssuer);
}

/** Reads the `i`th entry of `issuers`. Throws ArtifactProblem. */
export function readIssuer(value: JsonValue, i: number): BundleIssuer {
  const entry = objectOf(value, `issuers[${i}]`);
  const keys = member(entry, 'keys');
  if (!isArray(keys)) throw invalid(`issuers[${i}].keys is missing or not a list`);
  return {
    issuer: textMember(entry.issuer, 'issuer'),
    keys: bounded(keys, BUNDLE_KEYS_PER_ISSUER, `issuers[${i}].keys`).map(readKey),
  };
}

function bounded<T>(list: readonly T[], most: number, what: string): readonly T[] {
  if (list.length > most) throw new ArtifactProblem('LIMIT_EXCEEDED', `${what} has more than ${most} entries`);
  return list;
}

/** The kid of a JWK, '' where it has none. */
export function kidOf(value: JsonValue): string {
  const kid = isObject(value) ? member(value, 'kid') : undefined;
  return typeof kid === 'string' ? kid : '';
}

/** Reads a JWK. A malformed key is unusable, it does not spoil the bundle (INTEROP §3). */
export function readKey(value: JsonValue): BundleKey {
  if (!isObject(value)) return { kid: '', active: true, key: 'the key is not an object', x: undefined };
  const x = keyBytes(value);
  return {
    kid: kidOf(value),
    // Whoever writes "false" or 0 does not mean that the key may be used.
    active: member(value, 'active') === undefined || member(value, 'active') === true,
    key: ed25519FromJwk(value, x),
    x,
  };
}

/** The 32 key bytes of an Ed25519 public JWK (RFC 8037 §2), or why there are none. */
function ed25519FromJwk(jwk: JsonObject, x: Uint8Array | undefined): Uint8Array | string {
  // A device keeps members apart whose names are none of a bundle's.
  if ((anyMember(jwk, 'd') ?? undefined) !== undefined) return 'the JWK carries a private key';
  if (member(jwk, 'kty') !== 'OKP' || member(jwk, 'crv') !== 'Ed25519') return 'the key type is not Ed25519';
  const alg = member(jwk, 'alg');
  if (alg !== undefined && alg !== 'EdDSA' && alg !== 'Ed25519') return 'alg conflicts with the curve';
  return x ?? 'x is not 32 bytes of base64url';
}

function keyBytes(jwk: JsonObject): Uint8Array | undefined {
  const x = member(jwk, 'x');
  const key = typeof x === 'string' ? decodeBase64(x) : undefined;
  return key?.length === 32 ? key : undefined;
}
