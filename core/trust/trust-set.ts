// The admitted bundles of a device, at most four and one per identity where they came by `put`, and the questions a
// payment asks of them.

import type { BundleIssuer, BundleKey, TrustBundle } from '../artifacts/trust-bundle.ts';
import { BUNDLES_HELD } from '../limits.ts';
import type { Crypto } from '../ports/ports.ts';
import type { Refusal } from '../reason-codes.ts';
import { refuse } from '../reason-codes.ts';
import { bundleIdentity } from './admission.ts';

/** The admitted bundles. */
export class TrustSet {
  #bundles: readonly TrustBundle[] = [];
  /** What was found out about the points of these bundles' keys, by the array that holds them. */
  #usable = new Map<Uint8Array, boolean>();

  /** A set of bundles that were admitted elsewhere, however many share an identity. */
  static of(bundles: readonly TrustBundle[]): TrustSet {
    const set = new TrustSet();
    set.#bundles = latestFirst(bundles);
    return set;
  }

  /** The bundles, latest expiry first: the order of key lookup. */
  get bundles(): readonly TrustBundle[] {
    return this.#bundles;
  }

  /** STORE_FULL where all places are taken by unexpired bundles of other identities, else undefined. */
  objection(bundle: TrustBundle, nowMs: number): Refusal | undefined {
    if (this.#besides(bundle, nowMs).length < BUNDLES_HELD) return undefined;
    return refuse('trustBundle', 'bundle.room', 'STORE_FULL', `${BUNDLES_HELD} bundles are held and none is expired`);
  }

  /** Puts an admitted bundle in place of the one with its identity; where all places are taken one expired gives way. */
  put(bundle: TrustBundle, nowMs: number): void {
    this.#bundles = latestFirst([...this.#besides(bundle, nowMs), bundle]);
    this.#usable.clear();
  }

  /** What stays when this bundle comes. */
  #besides(bundle: TrustBundle, nowMs: number): readonly TrustBundle[] {
    const identity = bundleIdentity(bundle);
    const others = this.#bundles.filter((held) => bundleIdentity(held) !== identity);
    if (others.length < BUNDLES_HELD) return others;
    // One gives way and no more: what an expired bundle revokes stays revoked while it is held.
    let least: TrustBundle | undefined;
    for (const held of others) if (held.expiresAtMs <= nowMs && (!least || givesWayBefore(held, least))) least = held;
    return others.filter((held) => held !== least);
  }

  /** True where an unexpired bundle revokes this grant (INTEROP §5). */
  revokesGrant(grantId: string, nowMs: number): boolean {
    return this.#bundles.some((bundle) => bundle.expiresAtMs > nowMs && bundle.revokedGrantIds.includes(grantId));
  }

  /** True where a bundle, expired or not, approves or embeds this issuer: then no pinned key speaks for it. */
  names(issuer: string): boolean {
    return this.#bundles.some(
      (bundle) => bundle.approvedIssuers.includes(issuer) || entryOf(bundle, issuer) !== undefined,
    );
  }

  /** True where a key is a point that may be used; found out once for a listed key. */
  usable(crypto: Crypto, key: Uint8Array): boolean {
    const known = this.#usable.get(key);
    if (known !== undefined) return known;
    const usable = crypto.ed25519KeyUsable(key);
    if (this.#bundles.some((bundle) => bundle.issuers.some((entry) => entry.keys.some((listed) => listed.key === key))))
      this.#usable.set(key, usable);
    return usable;
  }

  /** True where a bundle, expired or not, lists keys for this issuer. */
  embeds(issuer: string): boolean {
    return this.#bundles.some((bundle) => entryOf(bundle, issuer) !== undefined);
  }

  /**
   * True where any loaded bundle marks the key revoked: by issuer and kid, or by its bytes under that issuer. The
   * refusal wins over every bundle that still lists it as active, so expired bundles count too.
   */
  revokesKey(issuer: string, kid: string, key: Uint8Array | undefined): boolean {
    return this.#revoked(issuer, (listed) => listed.kid === kid || (key !== undefined && sameKey(listed.x, key)));
  }

  /** True where any loaded bundle marks these key bytes revoked, whoever's they are. */
  revokesBytes(key: Uint8Array): boolean {
    return this.#revoked(undefined, (listed) => sameKey(listed.x, key));
  }

  #revoked(issuer: string | undefined, is: (listed: BundleKey) => boolean): boolean {
    for (const bundle of this.#bundles) {
      for (const entry of bundle.issuers) {
        if (issuer !== undefined && entry.issuer !== issuer) continue;
        for (const listed of entry.keys) if (!listed.active && is(listed)) return true;
      }
    }
    return false;
  }
}

/** Of two expired bundles, whether this one goes first: one that revokes no key, else the one that expired earlier. */
function givesWayBefore(bundle: TrustBundle, other: TrustBundle): boolean {
  const revokes = revokesKeys(bundle);
  return revokes === revokesKeys(other) ? bundle.expiresAtMs < other.expiresAtMs : !revokes;
}

function revokesKeys(bundle: TrustBundle): boolean {
  return bundle.issuers.some((entry) => entry.keys.some((key) => !key.active));
}

function latestFirst(bundles: readonly TrustBundle[]): readonly TrustBundle[] {
  return [...bundles].sort((a, b) => b.expiresAtMs - a.expiresAtMs);
}

/** The first entry of an issuer; later ones are not looked at (INTEROP §3). */
export function entryOf(bundle: TrustBundle, issuer: string): BundleIssuer | undefined {
  for (const entry of bundle.issuers) if (entry.issuer === issuer) return entry;
  return undefined;
}

function sameKey(listed: Uint8Array | undefined, key: Uint8Array): boolean {
  if (listed === undefined || listed.length !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (listed[i] !== key[i]) return false;
  return true;
}
