// API keys of a Policy Authority: made here, handed out once, kept as hashes.

import { apiKeyHash, freshApiKey, presentedKeyHash } from '../http/bearer.ts';
import { Problem } from './problem.ts';
import type { PolicyAuthorityStorage, Scope } from './storage.ts';

/** Makes a key that may do what `scopes` say. @returns the key itself; it cannot be had again */
export async function issueApiKey(
  storage: PolicyAuthorityStorage,
  keyId: string,
  scopes: readonly Scope[],
): Promise<string> {
  const key = freshApiKey();
  await storage.putApiKey({ keyId, sha256: apiKeyHash(key), scopes });
  return key;
}

/**
 * Lets a request pass whose `Authorization` header carries a key with the scope.
 *
 * @throws Problem 401 without a known key, 403 where it lacks the scope
 */
export async function requireScope(
  storage: PolicyAuthorityStorage,
  authorization: string | undefined,
  scope: Scope,
): Promise<void> {
  const record = await storage.apiKey(presentedKeyHash(authorization));
  if (record === undefined) throw new Problem(401, 'unauthorized', 'the API key is not known');
  if (!record.scopes.includes(scope) && !record.scopes.includes('admin')) {
    throw new Problem(403, 'forbidden', `API key ${record.keyId} does not have the scope ${scope}`);
  }
}
