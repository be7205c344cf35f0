// API keys: made here, handed out once, kept as hashes, and presented as `Authorization: Bearer <key>`.

import { createHash, randomBytes } from 'node:crypto';
import { HttpProblem } from './problem.ts';

const BEARER = /^bearer +(\S+)$/i;

/** A fresh key: 32 random bytes, so that its hash needs no salt. */
export function freshApiKey(): string {
  return `mpcp_${randomBytes(32).toString('base64url')}`;
}

/** What is kept of a key: its SHA-256, hexadecimal. */
export function apiKeyHash(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** The hash of the key that a request presents. @throws HttpProblem 401 where it presents none */
export function presentedKeyHash(authorization: string | undefined): string {
  const key = authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
  if (key === undefined)
    throw new HttpProblem(401, 'unauthorized', 'an API key is needed: Authorization: Bearer <key>');
  return apiKeyHash(key);
}
