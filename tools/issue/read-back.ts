// After signing: the result is read with the core's own reader, within the published limits, and its signature is
// verified with the core's own Ed25519, before anybody gets to see it. What fails here would fail on every device.

import type { Signer } from '../../core/artifacts/envelope.ts';
import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { decodeBase64 } from '../../core/encoding/base64.ts';
import { type Domain, domainDigest } from '../../core/hash/domains.ts';
import { JsonProblem, readJson } from '../../core/json/reader.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { ARTIFACT_LIMITS, type JsonLimits } from '../../core/limits.ts';
import { createPortableCrypto } from '../../core/ports/portable-crypto.ts';
import { IssueProblem } from './problem.ts';

/** The core's own crypto: signing is done with another implementation. */
export const readBackCrypto = createPortableCrypto();

/** Indented JSON text, or on one line where only that stays within the limit of bytes. */
export function artifactText(value: JsonValue, limits: JsonLimits = ARTIFACT_LIMITS): string {
  const indented = JSON.stringify(value, null, 2);
  return Buffer.byteLength(indented) < limits.bytes ? indented : JSON.stringify(value);
}

/**
 * Reads JSON text as a device would.
 *
 * @throws IssueProblem where it is past a published limit
 */
export function readBack(text: string, what: string, limits: JsonLimits = ARTIFACT_LIMITS): JsonValue {
  const value = readJson(Buffer.from(text), limits);
  if (value instanceof JsonProblem) throw new IssueProblem(`${what}: ${value.message}`);
  return value;
}

/** A signed artifact as the core reads it: an envelope has signed its authorization, a grant one of several forms. */
export type ReadArtifact = Signer &
  ({ readonly authorization: JsonObject } | { readonly signed: readonly JsonObject[] });

/**
 * Reads and verifies what was just signed.
 *
 * @param read the core's reader
 * @returns the text to hand out
 * @throws IssueProblem where a verifier would refuse it
 */
export function verifiedText(
  artifact: JsonObject,
  what: string,
  domain: Domain,
  publicKey: Uint8Array,
  read: (value: JsonValue) => ReadArtifact | ArtifactProblem,
): string {
  const text = artifactText(artifact);
  const result = read(readBack(text, what));
  if (result instanceof ArtifactProblem) throw new IssueProblem(`${what}: ${result.message}`);
  const signature = result.signature === undefined ? undefined : decodeBase64(result.signature);
  const candidates = 'signed' in result ? result.signed : [result.authorization];
  const good = candidates.some((signed) => {
    const digest = domainDigest(readBackCrypto, domain, signed);
    return (
      digest !== undefined && signature !== undefined && readBackCrypto.ed25519Verify(publicKey, signature, digest)
    );
  });
  if (!good) throw new IssueProblem(`${what}: the signature does not verify with the key that made it`);
  return text;
}
