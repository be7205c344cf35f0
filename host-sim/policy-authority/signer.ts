// The Policy Authority's signatures: PolicyGrants with its issuing key, Trust Bundles with the root key that devices are
// provisioned with. Two keys, because the second one is far more precious. Nothing is signed that devices cannot read.

import type { JsonObject } from '../../core/json/value.ts';
import { signBundle, signGrant } from '../signing/artifacts.ts';
import { type PublicJwk, publicJwk, type SigningKey } from '../signing/keys.ts';
import { checkBundle, checkGrant } from './read-back.ts';

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

  /** The envelope `{grant, issuer, issuerKeyId, signature}`; only `grant` is signed (INTEROP §1). @throws Problem 422 */
  signGrant(grant: JsonObject): JsonObject {
    checkGrant({ grant, issuer: this.issuer, issuerKeyId: this.#grantKey.kid });
    return signGrant(grant, { key: this.#grantKey, issuer: this.issuer }, 'envelope');
  }

  /** The bundle with `bundleIssuer`, `bundleKeyId` and `signature`. @throws Problem 422 */
  signBundle(bundle: JsonObject): JsonObject {
    const unsigned = { ...bundle, bundleIssuer: this.bundleIssuer, bundleKeyId: this.#bundleKey.kid };
    checkBundle(unsigned);
    return signBundle(unsigned, this.#bundleKey);
  }

  /** The public keys grants are signed with. The root key is not among them: it is never fetched. */
  publicKeys(): readonly PublicJwk[] {
    return [publicJwk(this.#grantKey)];
  }
}
