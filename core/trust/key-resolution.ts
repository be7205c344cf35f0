// From an issuer and a kid to a key (INTEROP §3): admitted bundles by latest expiry, then a did:key that a bundle
// approves, then pinned keys. Never "no key, so no check".

import { ed25519FromDidKey } from '../encoding/did-key.ts';
import type { Crypto } from '../ports/ports.ts';
import type { ReasonCode } from '../reason-codes.ts';
import type { PinnedKey, PinnedRole } from './configuration.ts';
import type { HeldBundle } from './held-bundle.ts';
import type { TrustSet } from './trust-set.ts';

/** A key that was found and whose it is, or the code and reason why none was. */
export type KeyResult =
  | {
      readonly ok: true;
      readonly key: Uint8Array;
      /** Undefined for a key pinned for nobody in particular, whatever issuer the artifact names: no signature covers that. */
      readonly issuer: string | undefined;
      readonly source: string;
    }
  | { readonly ok: false; readonly code: ReasonCode; readonly detail: string };

/** What lookup reads. */
export interface KeySources {
  readonly crypto: Crypto;
  readonly trust: TrustSet;
  readonly pinnedKeys: readonly PinnedKey[];
  /** Effective time in milliseconds. */
  readonly nowMs: number;
}

/**
 * Finds the key an artifact names.
 *
 * @param role which pinned keys may serve
 * @returns the key; KEY_NOT_FOUND, KEY_REVOKED or KEY_FORMAT_INVALID where there is none to use
 */
export function resolveKey(
  sources: KeySources,
  role: PinnedRole,
  issuer: string | undefined,
  kid: string | undefined,
): KeyResult {
  if (kid === undefined) return fail('KEY_NOT_FOUND', 'the artifact names no kid');
  if (issuer !== undefined) {
    const approving = sources.trust.approving(issuer);
    if (approving.length > 0 || sources.trust.embeds(issuer)) return bundleKey(sources, issuer, kid, approving);
  }
  const pinned = pinnedKey(sources.pinnedKeys, role, issuer, kid);
  if (pinned === undefined) {
    const why = issuer === undefined ? 'no issuer is named' : `no bundle names ${issuer}`;
    return fail('KEY_NOT_FOUND', `${why} and no pinned key has the kid ${kid}`);
  }
  const owner = pinned.issuer;
  if (owner !== undefined && sources.trust.names(owner)) {
    // Leaving its issuer out must not bring back what the bundles say about it.
    if (sources.trust.revokesKey(owner, kid, pinned.publicKey))
      return fail('KEY_REVOKED', `key ${kid} of ${owner} is revoked`);
    return fail('KEY_NOT_FOUND', `a bundle names ${owner}, so the pinned key ${kid} does not speak for it`);
  }
  // Pinned for nobody in particular: then nobody's revoked key may come in by it, whatever issuer the artifact names.
  if (owner === undefined && sources.trust.revokesBytes(pinned.publicKey)) {
    return fail('KEY_REVOKED', `the pinned key ${kid} is revoked`);
  }
  return { ok: true, key: pinned.publicKey, issuer: owner, source: 'pinned' };
}

/** What the bundles have for an issuer that one of them names. @param approving those that approve it */
function bundleKey(sources: KeySources, issuer: string, kid: string, approving: readonly HeldBundle[]): KeyResult {
  const found = listedKey(sources, issuer, kid, approving);
  const key = found === undefined || typeof found.key === 'string' ? undefined : found.key;
  if (sources.trust.revokesKey(issuer, kid, key ?? ed25519FromDidKey(issuer)))
    return fail('KEY_REVOKED', `key ${kid} of ${issuer} is revoked`);
  if (found === undefined) {
    const expired = approving.length > 0 && approving.every((bundle) => bundle.expiresAtMs <= sources.nowMs);
    const why = expired
      ? `every bundle that approves ${issuer} is expired`
      : `no loaded bundle has an approved key ${kid} of ${issuer}`;
    return fail('KEY_NOT_FOUND', why);
  }
  if (typeof found.key === 'string') return fail('KEY_FORMAT_INVALID', `key ${kid} of ${issuer}: ${found.key}`);
  if (!found.usable()) return fail('KEY_FORMAT_INVALID', `key ${kid} of ${issuer}: the key is not a usable point`);
  return { ok: true, key: found.key, issuer, source: 'bundle' };
}

/** A key that the bundles have: its bytes or why there are none, and whether they are a point that may be used. */
interface Found {
  readonly key: Uint8Array | string;
  usable(): boolean;
}

/** The first listed key in the first unexpired bundle that approves the issuer and has the kid. */
function listedKey(
  sources: KeySources,
  issuer: string,
  kid: string,
  approving: readonly HeldBundle[],
): Found | undefined {
  const { crypto } = sources;
  let approved = false;
  for (const bundle of approving) {
    if (bundle.expiresAtMs <= sources.nowMs) continue;
    approved = true;
    const listed = bundle.key(issuer, kid);
    if (listed !== undefined) return { key: listed.key, usable: () => bundle.usable(crypto, listed) };
  }
  // A did:key is its own key where bundles only approve it. One that embeds keys for it has said which ones count; else a
  // kid that nobody revoked, which no signature covers, would bring a revoked key back.
  if (!approved || sources.trust.embeds(issuer)) return undefined;
  const own = ed25519FromDidKey(issuer);
  return own && { key: own, usable: () => crypto.ed25519KeyUsable(own) };
}

/** The key pinned for exactly this issuer, or for none where none is named; else the first that may serve. */
function pinnedKey(
  pinned: readonly PinnedKey[],
  role: PinnedRole,
  issuer: string | undefined,
  kid: string,
): PinnedKey | undefined {
  let found: PinnedKey | undefined;
  for (const entry of pinned) {
    if (entry.role !== role || entry.kid !== kid) continue;
    if (entry.issuer === issuer) return entry;
    if (issuer === undefined || entry.issuer === undefined) found ??= entry;
  }
  return found;
}

function fail(code: ReasonCode, detail: string): KeyResult {
  return { ok: false, code, detail };
}
