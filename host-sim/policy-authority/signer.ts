// The Policy Authority's signatures: PolicyGrants with its issuing key, Trust Bundles with the root key that devices are
// provisioned with. Two keys, because the second one is far more precious.

import type { JsonObject } from '../../core/json/value.ts';
import { signBundle, signGrant } from '../signing/artifacts.ts';
import { type PublicJwk, publicJwk, type SigningKey } from '../signing/keys.ts';

/** Who a Policy Authority is. */
export interface AuthorityIdentity {
  /** A domain or DID; what a site's `grantIssuers` lists. */
  readonly issuer: string;
  readonly grantKey: SigningKey;
  /** Who issues its Trust Bundles. Default: the issuer. */
  readonly bundleIssuer?: string;
  readonly bundleKey: SigningKey;
}

/** See the head of the file. */
export class AuthoritySigner {
  readonly issuer: string;
  readonly bundleIssuer: string;
  readonly #grantKey: SigningKey;
  readonly #bundleKey: SigningKey;

  constructor(identity: AuthorityIdentity) {
    this.issuer = identity.issuer;
    this.bundleIssuer = identity.bundleIssuer ?? identity.issuer;
    this.#grantKey = identity.grantKey;
    this.#bundleKey = identity.bundleKey;
  }

  /** The envelope `{grant, issuer, issuerKeyId, signature}`; only `grant` is signed (INTEROP §1). */
  signGrant(grant: JsonObject): JsonObject {
    return signGrant(grant, { key: this.#grantKey, issuer: this.issuer }, 'envelope');
  }

  /** The bundle with `bundleIssuer`, `bundleKeyId` and `signature`. */
  signBundle(bundle: JsonObject): JsonObject {
    return signBundle({ ...bundle, bundleIssuer: this.bundleIssuer }, this.#bundleKey);
  }

  /** The public keys grants are signed with. The root key is not among them: it is never fetched. */
  publicKeys(): readonly PublicJwk[] {
    return [publicJwk(this.#grantKey)];
  }
}
