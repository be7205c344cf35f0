// An admitted Trust Bundle as a payment sees it: the questions it is asked, wherever its lists are. In memory for tools, the
// guide and conformance; on flash (flash-bundle.ts) on a device.

import type { BundleIssuer, BundleKey, TrustBundle } from '../artifacts/trust-bundle.ts';
import type { Crypto } from '../ports/ports.ts';
import { bundleIdentity } from './admission.ts';

/** A bundle that was admitted. Its questions throw FlashError where it is on flash and what they need cannot be read there. */
export interface HeldBundle {
  readonly bundleId: string;
  /** As `bundleIdentity` makes it. */
  readonly identity: string;
  readonly issuedAtMs: number | undefined;
  readonly expiresAtMs: number;
  /** True where it marks any key revoked. */
  readonly revokesKeys: boolean;
  /** True where the issuer is among the approved ones. */
  approves(issuer: string): boolean;
  /** The first entry of an issuer; later ones are not looked at for keys (INTEROP §3). */
  entry(issuer: string): BundleIssuer | undefined;
  /** The first key of that entry with this kid. */
  key(issuer: string, kid: string): BundleKey | undefined;
  /** True where the grant is among the revoked ones. */
  revokesGrant(grantId: string): boolean;
  /** True where any entry of the issuer marks a key revoked that has this kid, or these bytes. */
  revokesKey(issuer: string, kid: string, key: Uint8Array | undefined): boolean;
  /** True where any entry marks a key of these bytes revoked. */
  revokesBytes(key: Uint8Array): boolean;
  /** True where a key that `entry` or `key` gave is a point that may be used; found out once. */
  usable(crypto: Crypto, listed: BundleKey): boolean;
  /** Finds that out about the keys of one more entry, ahead of payments. @returns whether there are more */
  step(crypto: Crypto): boolean;
}

/** A bundle whose lists are in memory. */
export class MemoryBundle implements HeldBundle {
  readonly bundle: TrustBundle;
  readonly identity: string;
  readonly revokesKeys: boolean;
  /** What was found out about the points of its keys. */
  readonly #usable = new Map<BundleKey, boolean>();

  constructor(bundle: TrustBundle) {
    this.bundle = bundle;
    this.identity = bundleIdentity(bundle);
    this.revokesKeys = bundle.issuers.some((entry) => entry.keys.some((key) => !key.active));
  }

  get bundleId(): string {
    return this.bundle.bundleId;
  }

  get issuedAtMs(): number | undefined {
    return this.bundle.issuedAtMs;
  }

  get expiresAtMs(): number {
    return this.bundle.expiresAtMs;
  }

  approves(issuer: string): boolean {
    return this.bundle.approvedIssuers.includes(issuer);
  }

  entry(issuer: string): BundleIssuer | undefined {
    return entryOf(this.bundle, issuer);
  }

  key(issuer: string, kid: string): BundleKey | undefined {
    return this.entry(issuer)?.keys.find((listed) => listed.kid === kid);
  }

  revokesGrant(grantId: string): boolean {
    return this.bundle.revokedGrantIds.includes(grantId);
  }

  revokesKey(issuer: string, kid: string, key: Uint8Array | undefined): boolean {
    return (
      this.revokesKeys && this.bundle.issuers.some((entry) => entry.issuer === issuer && revokesKeyIn(entry, kid, key))
    );
  }

  revokesBytes(key: Uint8Array): boolean {
    return this.revokesKeys && this.bundle.issuers.some((entry) => revokesKeyIn(entry, undefined, key));
  }

  usable(crypto: Crypto, listed: BundleKey): boolean {
    const known = this.#usable.get(listed);
    if (known !== undefined) return known;
    const usable = isPoint(crypto, listed);
    this.#usable.set(listed, usable);
    return usable;
  }

  /** Programs that hold bundles like this have no idle time. */
  step(): boolean {
    return false;
  }
}

/** The first entry of an issuer; later ones are not looked at (INTEROP §3). */
export function entryOf(bundle: TrustBundle, issuer: string): BundleIssuer | undefined {
  for (const entry of bundle.issuers) if (entry.issuer === issuer) return entry;
  return undefined;
}

/** True where an entry marks a key revoked that has this kid, or these bytes. */
export function revokesKeyIn(entry: BundleIssuer, kid: string | undefined, key: Uint8Array | undefined): boolean {
  for (const listed of entry.keys) {
    if (listed.active) continue;
    if (kid !== undefined && listed.kid === kid) return true;
    if (key !== undefined && sameKey(listed.x, key)) return true;
  }
  return false;
}

/** True where a listed key has bytes, and these are a point that may be used. */
export function isPoint(crypto: Crypto, listed: BundleKey): boolean {
  return typeof listed.key !== 'string' && crypto.ed25519KeyUsable(listed.key);
}

function sameKey(listed: Uint8Array | undefined, key: Uint8Array): boolean {
  if (listed === undefined || listed.length !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (listed[i] !== key[i]) return false;
  return true;
}
