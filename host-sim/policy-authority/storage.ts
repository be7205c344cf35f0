// What a Policy Authority remembers: policies, grants, revocations, Trust Bundles and API keys. The service sees the
// interface only; its methods are asynchronous so that a database can stand behind it.

import type { JsonObject } from '../../core/json/value.ts';

/** A policy document under its hash. */
export interface StoredPolicy {
  /** 64 hexadecimal digits. */
  readonly policyHash: string;
  readonly policyDocument: JsonObject;
  readonly storedAtMs: number;
}

/** A signed grant. */
export interface StoredGrant {
  readonly grantId: string;
  /** `{grant, issuer, issuerKeyId, signature}` */
  readonly envelope: JsonObject;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** A grant that was taken back. */
export interface Revocation {
  readonly grantId: string;
  readonly revokedAtMs: number;
}

/** A signed Trust Bundle, with the members it is found by. */
export interface StoredBundle {
  readonly bundleIssuer: string;
  readonly category: string;
  readonly merchant: string | undefined;
  readonly region: string | undefined;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** As it was signed. */
  readonly bundle: JsonObject;
}

/** What bundles are asked for; what is left out does not matter. */
export interface BundleFilter {
  readonly category?: string;
  readonly merchant?: string;
  readonly region?: string;
}

/** Which bundles are wanted: those that expire later than a time, and of these so many at most. */
export interface BundlesAsked {
  readonly filter: BundleFilter;
  readonly afterMs: number;
  readonly most: number;
}

/** What an API key may do. `admin` may do everything. */
export type Scope = 'grants:write' | 'grants:revoke' | 'admin';

/** An API key without its secret. */
export interface ApiKeyRecord {
  readonly keyId: string;
  /** SHA-256 of the key, hexadecimal. Keys are 32 random bytes, so the hash needs no salt. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
}

/** See the head of the file. */
export interface PolicyAuthorityStorage {
  /** Keeps a policy. One that is there already stays as it is. @returns what is kept */
  putPolicy(policy: StoredPolicy): Promise<StoredPolicy>;
  policy(policyHash: string): Promise<StoredPolicy | undefined>;
  putGrant(grant: StoredGrant): Promise<void>;
  grant(grantId: string): Promise<StoredGrant | undefined>;
  /** Revokes a grant. The first revocation stays. @returns what is kept */
  revoke(revocation: Revocation): Promise<Revocation>;
  revocation(grantId: string): Promise<Revocation | undefined>;
  /** All of them, oldest first. */
  revocations(): Promise<readonly Revocation[]>;
  /** Keeps a bundle. The newest of its issuer, category, merchant and region stands in for those before it. */
  putBundle(bundle: StoredBundle): Promise<void>;
  /** The newest of each that is asked for and has not expired, unscoped ones included, in the order they came. */
  newestBundles(asked: BundlesAsked): Promise<readonly StoredBundle[]>;
  /** When the newest of all was issued; 0 where there is none. */
  newestBundleMs(): Promise<number>;
  /** @returns false where there is a key with this id already */
  putApiKey(key: ApiKeyRecord): Promise<boolean>;
  /** The key with this hash. */
  apiKey(sha256: string): Promise<ApiKeyRecord | undefined>;
  /** @returns false where there is none */
  deleteApiKey(keyId: string): Promise<boolean>;
}

/** A storage that ends with the process. */
export class MemoryStorage implements PolicyAuthorityStorage {
  readonly #policies = new Map<string, StoredPolicy>();
  readonly #grants = new Map<string, StoredGrant>();
  readonly #revocations = new Map<string, Revocation>();
  /** The newest of each issuer, category, merchant and region, the last that came at the end. */
  readonly #bundles = new Map<string, StoredBundle>();
  #newestBundleMs = 0;
  readonly #apiKeys = new Map<string, ApiKeyRecord>();

  async putPolicy(policy: StoredPolicy): Promise<StoredPolicy> {
    return keepFirst(this.#policies, policy.policyHash, policy);
  }

  async policy(policyHash: string): Promise<StoredPolicy | undefined> {
    return this.#policies.get(policyHash);
  }

  async putGrant(grant: StoredGrant): Promise<void> {
    this.#grants.set(grant.grantId, grant);
  }

  async grant(grantId: string): Promise<StoredGrant | undefined> {
    return this.#grants.get(grantId);
  }

  async revoke(revocation: Revocation): Promise<Revocation> {
    return keepFirst(this.#revocations, revocation.grantId, revocation);
  }

  async revocation(grantId: string): Promise<Revocation | undefined> {
    return this.#revocations.get(grantId);
  }

  async revocations(): Promise<readonly Revocation[]> {
    return [...this.#revocations.values()];
  }

  async putBundle(bundle: StoredBundle): Promise<void> {
    this.#newestBundleMs = Math.max(this.#newestBundleMs, bundle.issuedAtMs);
    const identity = bundleIdentity(bundle);
    if (isNewer(bundle, this.#bundles.get(identity))) {
      this.#bundles.delete(identity);
      this.#bundles.set(identity, bundle);
    }
  }

  async newestBundles({ filter, afterMs, most }: BundlesAsked): Promise<readonly StoredBundle[]> {
    return [...this.#bundles.values()]
      .filter((stored) => stored.expiresAtMs > afterMs && fits(filter.category, stored.category))
      .filter((stored) => fits(filter.merchant, stored.merchant) && fits(filter.region, stored.region))
      .slice(0, most);
  }

  async newestBundleMs(): Promise<number> {
    return this.#newestBundleMs;
  }

  async putApiKey(key: ApiKeyRecord): Promise<boolean> {
    if (this.#apiKeys.has(key.keyId)) return false;
    this.#apiKeys.set(key.keyId, key);
    return true;
  }

  async apiKey(sha256: string): Promise<ApiKeyRecord | undefined> {
    return [...this.#apiKeys.values()].find((key) => key.sha256 === sha256);
  }

  async deleteApiKey(keyId: string): Promise<boolean> {
    return this.#apiKeys.delete(keyId);
  }
}

/** What a newer bundle replaces an older one by. */
export function bundleIdentity({ bundleIssuer, category, merchant, region }: StoredBundle): string {
  return JSON.stringify([bundleIssuer, category, merchant ?? null, region ?? null]);
}

function isNewer(bundle: StoredBundle, before: StoredBundle | undefined): boolean {
  return before === undefined || bundle.issuedAtMs > before.issuedAtMs;
}

function fits(wanted: string | undefined, own: string | undefined): boolean {
  return wanted === undefined || own === undefined || wanted === own;
}

function keepFirst<T>(map: Map<string, T>, key: string, value: T): T {
  const kept = map.get(key) ?? value;
  map.set(key, kept);
  return kept;
}
