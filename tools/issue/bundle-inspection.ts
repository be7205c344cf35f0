// What is in a bundle, for a person: whose keys, which of them a device would use, why not the others, until when.

import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { type BundleKey, readTrustBundle, type TrustBundle } from '../../core/artifacts/trust-bundle.ts';
import { ed25519FromDidKey } from '../../core/encoding/did-key.ts';
import { isArray, isObject, type JsonObject, member } from '../../core/json/value.ts';
import { entryOf } from '../../core/trust/held-bundle.ts';
import { timeText } from './duration.ts';
import { IssueProblem } from './problem.ts';
import { readBackCrypto } from './read-back.ts';

/** One key, or the lack of one. */
export interface InspectedKey {
  readonly issuer: string;
  readonly kid: string;
  /** `no key`: approved, and its key must come from elsewhere. */
  readonly state: 'usable' | 'revoked' | 'unusable' | 'no key';
  /** Why it is in that state, where that is not plain. */
  readonly why: string;
  /** Base64url, where there are 32 bytes. */
  readonly x?: string;
}

/** A bundle for a person. */
export interface InspectedBundle {
  readonly bundleId: string;
  readonly bundleIssuer: string;
  readonly bundleKeyId: string | undefined;
  /** Whether there is a signature; nothing here says that it is good. */
  readonly signed: boolean;
  readonly category: string | undefined;
  readonly merchant: string | undefined;
  readonly region: string | undefined;
  readonly countryCodes: readonly string[];
  readonly issuedAt: string | undefined;
  readonly expiresAt: string;
  readonly expired: boolean;
  readonly keys: readonly InspectedKey[];
  readonly revokedGrantIds: readonly string[];
}

/** Looks into a bundle, signed or not. @throws IssueProblem where it is not one */
export function inspectBundle(value: JsonObject, nowMs: number): InspectedBundle {
  const kid = member(value, 'bundleKeyId');
  // A bundle that waits for its signature may not know its key yet.
  const read = readTrustBundle(kid === undefined ? { ...value, bundleKeyId: 'none yet' } : value);
  if (read instanceof ArtifactProblem) throw new IssueProblem(`not a Trust Bundle: ${read.message}`);
  const { bundle, signature } = read;
  return {
    bundleId: bundle.bundleId,
    bundleIssuer: bundle.bundleIssuer,
    bundleKeyId: kid === undefined ? undefined : bundle.bundleKeyId,
    signed: signature !== undefined,
    category: bundle.category,
    merchant: bundle.merchant,
    region: bundle.region,
    countryCodes: countryCodes(value),
    issuedAt: bundle.issuedAtMs === undefined ? undefined : timeText(bundle.issuedAtMs),
    expiresAt: timeText(bundle.expiresAtMs),
    expired: bundle.expiresAtMs <= nowMs,
    keys: [...embedded(bundle), ...withoutKeys(bundle)],
    revokedGrantIds: bundle.revokedGrantIds,
  };
}

function embedded(bundle: TrustBundle): InspectedKey[] {
  return bundle.issuers.flatMap((entry) =>
    entry.keys.map((key, i) => {
      const isFirst =
        entryOf(bundle, entry.issuer) === entry && entry.keys.findIndex((other) => other.kid === key.kid) === i;
      const x = typeof key.key === 'string' ? {} : { x: Buffer.from(key.key).toString('base64url') };
      return {
        issuer: entry.issuer,
        kid: key.kid,
        ...stateOf(key, bundle.approvedIssuers.includes(entry.issuer), isFirst),
        ...x,
      };
    }),
  );
}

function stateOf(key: BundleKey, approved: boolean, isFirst: boolean): Pick<InspectedKey, 'state' | 'why'> {
  if (!key.active) return { state: 'revoked', why: 'active is false' };
  if (typeof key.key === 'string') return { state: 'unusable', why: key.key };
  if (!readBackCrypto.ed25519KeyUsable(key.key)) return { state: 'unusable', why: 'the key is not a usable point' };
  if (key.kid === '') return { state: 'unusable', why: 'the key has no kid' };
  if (!approved) return { state: 'unusable', why: 'the issuer is not approved' };
  return isFirst
    ? { state: 'usable', why: '' }
    : { state: 'unusable', why: 'another entry with this name comes first' };
}

/** Issuers that are approved and have no key in the bundle. */
function withoutKeys(bundle: TrustBundle): InspectedKey[] {
  return bundle.approvedIssuers
    .filter((issuer) => (entryOf(bundle, issuer)?.keys.length ?? 0) === 0)
    .map((issuer) => {
      const own = ed25519FromDidKey(issuer);
      return own === undefined
        ? { issuer, kid: '', state: 'no key', why: 'approved; a device offline has no key for it' }
        : {
            issuer,
            kid: 'any',
            state: 'usable',
            why: 'the did:key is the key',
            x: Buffer.from(own).toString('base64url'),
          };
    });
}

function countryCodes(value: JsonObject): readonly string[] {
  const geography = member(value, 'geography');
  const codes = isObject(geography) ? member(geography, 'countryCodes') : undefined;
  return isArray(codes) ? codes.filter((code): code is string => typeof code === 'string') : [];
}
