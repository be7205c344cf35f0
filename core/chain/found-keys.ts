// Keys that were looked up before: the payments of a session are signed by the same few keys, and to find one on flash takes
// longer than most checks together. Whether its owner may sign is asked anew for each payment; what the bundles say about a key
// cannot change while they are the same and none of them expires.

import { KEYS_REMEMBERED } from '../limits.ts';
import type { PinnedRole } from '../trust/configuration.ts';
import type { TrustSet } from '../trust/trust-set.ts';
import type { SignerKey } from './payment.ts';

interface FoundKey {
  readonly role: PinnedRole;
  readonly issuer: string | undefined;
  readonly kid: string;
  readonly key: SignerKey;
}

/** The keys found last, at most `KEYS_REMEMBERED` of them; a key that could not be used is never among them. */
export class FoundKeys {
  /** The latest comes last. */
  readonly #found: FoundKey[] = [];
  /** The bundles they were found in. A trust set never changes its list, it takes another. */
  #bundles: TrustSet['bundles'] | undefined;
  /** From the last expiry of any bundle to the next, in milliseconds: in this time the same bundles count. */
  #fromMs = 0;
  #untilMs = 0;

  /** The key that was found for just this while the trust was what it is now. */
  find(
    role: PinnedRole,
    issuer: string | undefined,
    kid: string,
    trust: TrustSet,
    nowMs: number,
  ): SignerKey | undefined {
    if (!this.#isOf(trust, nowMs)) return undefined;
    const found = this.#found;
    for (let i = found.length - 1; i >= 0; i--) {
      const one = found[i] as FoundKey;
      if (one.kid === kid && one.role === role && one.issuer === issuer) return one.key;
    }
    return undefined;
  }

  /** Takes note of a key that was found just now. */
  add(found: FoundKey, trust: TrustSet, nowMs: number): void {
    if (!this.#isOf(trust, nowMs)) this.#begin(trust, nowMs);
    if (this.#found.length === KEYS_REMEMBERED) this.#found.shift();
    this.#found.push(found);
  }

  #isOf(trust: TrustSet, nowMs: number): boolean {
    return trust.bundles === this.#bundles && nowMs >= this.#fromMs && nowMs < this.#untilMs;
  }

  #begin({ bundles }: TrustSet, nowMs: number): void {
    this.#found.length = 0;
    this.#bundles = bundles;
    this.#fromMs = 0;
    this.#untilMs = Infinity;
    for (let i = 0; i < bundles.length; i++) {
      const { expiresAtMs } = bundles[i] as { expiresAtMs: number };
      if (expiresAtMs > nowMs) this.#untilMs = Math.min(this.#untilMs, expiresAtMs);
      else this.#fromMs = Math.max(this.#fromMs, expiresAtMs);
    }
  }
}
