// What is about to be signed is read with the core's own readers first, within the published limits: what fails here
// would be refused by every device, and the holder would find out at the charger.

import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { readPolicyGrant } from '../../core/artifacts/policy-grant.ts';
import { readTrustBundle } from '../../core/artifacts/trust-bundle.ts';
import { ed25519KeyUsable } from '../../core/ed25519/verify.ts';
import { JsonProblem, readJson } from '../../core/json/reader.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { ARTIFACT_LIMITS, BUNDLE_LIMITS, type JsonLimits } from '../../core/limits.ts';
import type { ReasonCode } from '../../core/reason-codes.ts';
import { Problem } from './problem.ts';

/** As long as every Ed25519 signature in base64: it stands for the one that is not made yet. */
const UNSIGNED = 'A'.repeat(88);

/** Reads a grant that lacks only its signature. @throws Problem 422 with the reason where a device would refuse it */
export function checkGrant(unsigned: JsonObject): void {
  const value = readAsDevice('grant', { ...unsigned, signature: UNSIGNED }, ARTIFACT_LIMITS);
  const grant = readPolicyGrant(value);
  if (grant instanceof ArtifactProblem) throw refused('grant', grant.code, grant.message);
}

/** The same for a Trust Bundle; its Ed25519 keys must be such as a device can use, or revoke by their bytes. */
export function checkBundle(unsigned: JsonObject): void {
  const value = readAsDevice('bundle', { ...unsigned, signature: UNSIGNED }, BUNDLE_LIMITS);
  const read = readTrustBundle(value);
  if (read instanceof ArtifactProblem) throw refused('bundle', read.code, read.message);
  const given = unsigned.issuers as readonly { readonly keys: readonly JsonObject[] }[];
  read.bundle.issuers.forEach(({ issuer, keys }, i) => {
    keys.forEach(({ kid, key, x, active }, k) => {
      // A device has no use for a key of another type, but need not be the only reader of the bundle.
      if (given[i]?.keys[k]?.kty !== 'OKP') return;
      const problem = typeof key === 'string' ? key : ed25519KeyUsable(key) ? undefined : 'x is not a usable point';
      if (problem !== undefined && (active || x === undefined))
        throw refused('bundle', 'ARTIFACT_INVALID', `key ${kid} of ${issuer}: ${problem}`);
    });
  });
}

function readAsDevice(what: 'grant' | 'bundle', artifact: JsonObject, limits: JsonLimits): JsonValue {
  const text = Buffer.from(JSON.stringify(artifact));
  if (text.length > limits.bytes) throw refused(what, 'LIMIT_EXCEEDED', tooLong(artifact, text.length, limits.bytes));
  const value = readJson(text, limits);
  if (value instanceof JsonProblem) throw refused(what, value.code, value.message);
  return value;
}

function tooLong(artifact: JsonObject, bytes: number, most: number): string {
  const revoked = artifact.revokedGrantIds;
  const part = Array.isArray(revoked)
    ? `, ${Buffer.byteLength(JSON.stringify(revoked))} of them for ${revoked.length} revoked grants`
    : '';
  return `${bytes} bytes${part}; a device takes ${most} bytes`;
}

function refused(what: 'grant' | 'bundle', code: ReasonCode, reason: string): Problem {
  const detail = `no device would take the ${what}: ${reason}`;
  return new Problem(422, code === 'LIMIT_EXCEEDED' ? `${what}_too_large` : `${what}_invalid`, detail);
}
