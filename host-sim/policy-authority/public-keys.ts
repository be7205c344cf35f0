// Keys that are to be published in a Trust Bundle: public ones of kinds that MPCP knows, with nothing beside them. What is
// signed into a bundle goes to everybody and cannot be called back.

import { type JsonObject, type JsonValue, member } from '../../core/json/value.ts';
import { Problem } from './problem.ts';

/** Key types with a private half that is never `x` (RFC 7518 §6.2, RFC 8037 §2); `oct` and `RSA` are used by nobody here. */
const TYPES: readonly JsonValue[] = ['OKP', 'EC'];
/** The public members of RFC 7517 §4 and of those types, and `active`. A list of what is private would never be complete. */
const PUBLIC = [
  'kty',
  'crv',
  'x',
  'y',
  'kid',
  'use',
  'key_ops',
  'alg',
  'ext',
  'x5u',
  'x5c',
  'x5t',
  'x5t#S256',
  'active',
];
/** What RFC 7518 and its successors call private or symmetric; for a clear answer only. */
const PRIVATE = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];

/**
 * Lets a public key pass. One that is to be revoked needs its `x` too: a revocation goes by the bytes as well as the kid.
 *
 * @throws Problem 400 that names the member, and of all values repeats kid and kty only
 */
export function checkPublicKey(issuer: string, jwk: JsonObject): void {
  const no = (why: string) => new Problem(400, 'invalid_request', `key ${String(jwk.kid)} of ${issuer} ${why}`);
  const names = Object.keys(jwk);
  const secret = names.find((name) => PRIVATE.includes(name));
  if (secret !== undefined) throw no(`has the member ${secret}, which is secret; a bundle carries public keys`);
  if (!TYPES.includes(jwk.kty as JsonValue))
    throw no(`is of type ${String(jwk.kty)}; a bundle carries ${TYPES.join(' and ')}`);
  const unknown = names.find((name) => !PUBLIC.includes(name));
  if (unknown !== undefined) throw no(`has the member ${JSON.stringify(unknown)}, which public keys do not have`);
  const nested = names.find((name) => !isFlat(jwk[name] as JsonValue));
  if (nested !== undefined)
    throw no(`has a member ${nested} that is neither text, nor true or false, nor a list of texts`);
  const x = member(jwk, 'x');
  if (typeof x !== 'string' || x === '') throw no('has no x');
}

function isFlat(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}
