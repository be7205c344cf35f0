// API keys of a Policy Authority: made here, handed out once, kept as hashes. One, the administrator's, is not kept: it comes
// with the start.

import { apiKeyHash, freshApiKey, presentedKeyHash } from '../http/bearer.ts';
import { Problem } from './problem.ts';
import type { ApiKeyRecord, PolicyAuthorityStorage, Scope } from './storage.ts';

/** The id of the administrator's key. No other key has it. */
export const ADMINISTRATOR = 'administrator';

/** See the head of the file. */
export class ApiKeys {
  readonly #storage: PolicyAuthorityStorage;
  readonly #administrator: ApiKeyRecord | undefined;

  /** @param adminKey a key that may do everything for as long as this object; left out, there is none */
  constructor(storage: PolicyAuthorityStorage, adminKey?: string) {
    this.#storage = storage;
    this.#administrator =
      adminKey === undefined ? undefined : { keyId: ADMINISTRATOR, sha256: apiKeyHash(adminKey), scopes: ['admin'] };
  }

  /**
   * Makes a key that may do what `scopes` say.
   *
   * @returns the key itself; it cannot be had again
   * @throws Problem 409 where there is one with this id
   */
  async issue(keyId: string, scopes: readonly Scope[]): Promise<string> {
    const key = freshApiKey();
    const isNew =
      keyId !== ADMINISTRATOR && (await this.#storage.putApiKey({ keyId, sha256: apiKeyHash(key), scopes }));
    if (!isNew) throw new Problem(409, 'key_exists', `there is an API key ${keyId} already`);
    return key;
  }

  /** Takes a key back. @throws Problem 404 where there is none */
  async revoke(keyId: string): Promise<void> {
    const detail =
      keyId === ADMINISTRATOR
        ? `API key ${keyId} comes with the start and is changed there`
        : `there is no API key ${keyId}`;
    if (!(await this.#storage.deleteApiKey(keyId))) throw new Problem(404, 'key_not_found', detail);
  }

  /**
   * Lets a request pass whose `Authorization` header carries a key with the scope.
   *
   * @throws Problem 401 without a known key, 403 where it lacks the scope
   */
  async require(authorization: string | undefined, scope: Scope): Promise<void> {
    const sha256 = presentedKeyHash(authorization);
    const record = sha256 === this.#administrator?.sha256 ? this.#administrator : await this.#storage.apiKey(sha256);
    if (record === undefined) throw new Problem(401, 'unauthorized', 'the API key is not known');
    if (!record.scopes.includes(scope) && !record.scopes.includes('admin')) {
      throw new Problem(403, 'forbidden', `API key ${record.keyId} does not have the scope ${scope}`);
    }
  }
}
