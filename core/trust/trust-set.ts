// The admitted bundles of a device, at most four and one per identity where they came by `put`, and the questions a
// payment asks of them.

import type { TrustBundle } from '../artifacts/trust-bundle.ts';
import { BUNDLES_HELD } from '../limits.ts';
import { type Crypto, FlashError } from '../ports/ports.ts';
import type { Refusal } from '../reason-codes.ts';
import { refuse } from '../reason-codes.ts';
import { type HeldBundle, MemoryBundle } from './held-bundle.ts';

/** The admitted bundles. Questions throw FlashError where bundles are on flash and cannot be read: nothing is known then. */
export class TrustSet {
  #bundles: readonly HeldBundle[] = [];

  /** A set of bundles that were admitted elsewhere, however many share an identity. */
  static of(bundles: readonly (TrustBundle | HeldBundle)[]): TrustSet {
    const set = new TrustSet();
    set.replace(bundles.map((bundle) => ('approves' in bundle ? bundle : new MemoryBundle(bundle))));
    return set;
  }

  /** The bundles, latest expiry first: the order of key lookup. */
  get bundles(): readonly HeldBundle[] {
    return this.#bundles;
  }

  /** Holds these bundles from now on, and no others. */
  replace(bundles: readonly HeldBundle[]): void {
    this.#bundles = latestFirst(bundles);
  }

  /** STORE_FULL where all places are taken by unexpired bundles of other identities, else undefined. */
  objection(bundle: HeldBundle, nowMs: number): Refusal | undefined {
    if (this.#besides(bundle, nowMs).length < BUNDLES_HELD) return undefined;
    return refuse('trustBundle', 'bundle.room', 'STORE_FULL', `${BUNDLES_HELD} bundles are held and none is expired`);
  }

  /** Puts an admitted bundle in place of the one with its identity; where all places are taken one expired gives way. */
  put(bundle: HeldBundle, nowMs: number): void {
    this.replace([...this.#besides(bundle, nowMs), bundle]);
  }

  /** What stays when this bundle comes. */
  #besides(bundle: HeldBundle, nowMs: number): readonly HeldBundle[] {
    const others = this.#bundles.filter((held) => held.identity !== bundle.identity);
    if (others.length < BUNDLES_HELD) return others;
    // One gives way and no more: what an expired bundle revokes stays revoked while it is held.
    let least: HeldBundle | undefined;
    for (const held of others) if (held.expiresAtMs <= nowMs && (!least || givesWayBefore(held, least))) least = held;
    return others.filter((held) => held !== least);
  }

  /** True where an unexpired bundle revokes this grant (INTEROP §5). */
  revokesGrant(grantId: string, nowMs: number): boolean {
    return this.#bundles.some((bundle) => bundle.expiresAtMs > nowMs && bundle.revokesGrant(grantId));
  }

  /** The bundles that approve this issuer, expired or not, in the order of key lookup. */
  approving(issuer: string): readonly HeldBundle[] {
    return this.#bundles.filter((bundle) => bundle.approves(issuer));
  }

  /** True where a bundle, expired or not, approves or embeds this issuer: then no pinned key speaks for it. */
  names(issuer: string): boolean {
    return this.#bundles.some((bundle) => bundle.approves(issuer)) || this.embeds(issuer);
  }

  /** True where a bundle, expired or not, lists keys for this issuer. */
  embeds(issuer: string): boolean {
    return this.#bundles.some((bundle) => bundle.entry(issuer) !== undefined);
  }

  /**
   * True where any loaded bundle marks the key revoked: by issuer and kid, or by its bytes under that issuer. The
   * refusal wins over every bundle that still lists it as active, so expired bundles count too.
   */
  revokesKey(issuer: string, kid: string, key: Uint8Array | undefined): boolean {
    return this.#bundles.some((bundle) => bundle.revokesKey(issuer, kid, key));
  }

  /**
   * Finds out which keys of one more entry are points that may be used: a payment then need not. For idle time. Where flash
   * cannot be read, payments find out, or say so.
   *
   * @returns whether there is more to do
   */
  step(crypto: Crypto): boolean {
    try {
      return this.#bundles.some((bundle) => bundle.step(crypto));
    } catch (error) {
      if (error instanceof FlashError) return false;
      throw error;
    }
  }

  /** True where any loaded bundle marks these key bytes revoked, whoever's they are. */
  revokesBytes(key: Uint8Array): boolean {
    return this.#bundles.some((bundle) => bundle.revokesBytes(key));
  }
}

/** Of two expired bundles, whether this one goes first: one that revokes no key, else the one that expired earlier. */
function givesWayBefore(bundle: HeldBundle, other: HeldBundle): boolean {
  return bundle.revokesKeys === other.revokesKeys ? bundle.expiresAtMs < other.expiresAtMs : !bundle.revokesKeys;
}

function latestFirst(bundles: readonly HeldBundle[]): readonly HeldBundle[] {
  return [...bundles].sort((a, b) => b.expiresAtMs - a.expiresAtMs);
}
