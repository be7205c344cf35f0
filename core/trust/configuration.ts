// Who may sign what, and which keys are built in: the part of a site's configuration that trust rests on (INTEROP §3).

/** An issuer that may sign, with all its kids or only those listed. */
export type IssuerRule = string | { readonly issuer: string; readonly kids: readonly string[] };

/** A root key that signs Trust Bundles; it comes with provisioning, never in a bundle. */
export interface RootKey {
  /** The `bundleKeyId` it answers to; undefined answers to any. */
  readonly kid: string | undefined;
  /** 32 bytes, Ed25519. */
  readonly publicKey: Uint8Array;
}

/** What a pinned key may verify. */
export const PINNED_ROLES = Object.freeze(['policyGrant', 'sba', 'spa', 'fleetPolicyAuthorization'] as const);
export type PinnedRole = (typeof PINNED_ROLES)[number];

/** A key configured on the device, used where no bundle names the issuer. */
export interface PinnedKey {
  readonly role: PinnedRole;
  /**
   * The issuer it speaks for. Undefined: nobody in particular; it serves artifacts without an issuer, or with one that no
   * bundle names and no pinned key is for, and stands for none of them.
   */
  readonly issuer?: string | undefined;
  readonly kid: string;
  /** 32 bytes, Ed25519. */
  readonly publicKey: Uint8Array;
}

/** Where a device stands: it takes bundles for this merchant, category and region, or unscoped ones. */
export interface BundleScope {
  readonly merchant?: string | undefined;
  readonly category?: string | undefined;
  readonly region?: string | undefined;
}

/** True where a rule of the list lets `issuer` sign with `kid`. */
export function permits(rules: readonly IssuerRule[], issuer: string, kid: string): boolean {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as IssuerRule;
    if (typeof rule === 'string' ? rule === issuer : rule.issuer === issuer && rule.kids.includes(kid)) return true;
  }
  return false;
}
