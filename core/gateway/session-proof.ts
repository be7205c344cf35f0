// Proof of possession for a gateway session: the session key signs what the request is (INTEROP §1, Gateway session
// proof). The verifier rebuilds the payload from the request it got, so nothing in it is taken on trust.

import { timeFrom } from '../artifacts/time.ts';
import { decodeBase64 } from '../encoding/base64.ts';
import { domainDigest } from '../hash/domains.ts';
import { toHex } from '../hash/hex.ts';
import { hasUtf8 } from '../json/canonical.ts';
import { emptyObject } from '../json/value.ts';
import { DEFAULT_DRIFT_MS } from '../limits.ts';
import type { Crypto } from '../ports/ports.ts';
import { type Refusal, refuse } from '../reason-codes.ts';

/** A request and the proof that came with it. */
export interface SessionProof {
  readonly sessionId: string;
  /** As sent: `POST`. */
  readonly method: string;
  readonly path: string;
  /** The raw body; empty for none. */
  readonly body: Uint8Array;
  /** RFC 3339, as the sender states it. */
  readonly ts: string;
  /** The value of `X-Mpcp-Session-Proof`: base64url or base64 of 64 bytes. */
  readonly proof: string;
  /** The session's Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * Verifies a session proof.
 *
 * @param nowMs effective time in milliseconds
 * @param maxSkewMs how far `ts` may be from it, either way
 * @returns SESSION_PROOF_STALE outside the skew, SESSION_PROOF_INVALID where the key did not sign this request
 */
export function verifySessionProof(
  crypto: Crypto,
  proof: SessionProof,
  nowMs: number,
  maxSkewMs: number = DEFAULT_DRIFT_MS,
): { readonly ok: true } | Refusal {
  const texts = [proof.sessionId, proof.method, proof.path, proof.ts, proof.proof] as readonly unknown[];
  if (texts.some((text) => typeof text !== 'string') || !(proof.body instanceof Uint8Array))
    return no('SESSION_PROOF_INVALID', 'a part of the request or of the proof is missing');
  const ts = timeFrom(proof.ts);
  if (ts === undefined) return no('SESSION_PROOF_INVALID', 'ts is not an RFC 3339 time with a zone');
  // So that a time that is no number is no time at which the proof is good.
  if (!(Math.abs(nowMs - ts) <= maxSkewMs))
    return no('SESSION_PROOF_STALE', `ts is ${Math.round((nowMs - ts) / 1000)} s from now`);
  const body = crypto.sha256();
  body.update(proof.body);
  const payload = emptyObject();
  payload.sessionId = proof.sessionId;
  payload.method = proof.method;
  payload.path = proof.path;
  payload.bodySha256 = toHex(body.digest());
  payload.ts = proof.ts;
  if (!hasUtf8(payload)) return no('SESSION_PROOF_INVALID', 'a lone surrogate');
  const digest = domainDigest(crypto, 'GatewaySession', payload);
  const signature = decodeBase64(proof.proof);
  if (signature?.length !== 64 || !crypto.ed25519Verify(proof.publicKey, signature, digest)) {
    return no('SESSION_PROOF_INVALID', 'the session key did not sign this request');
  }
  return { ok: true };
}

function no(code: Refusal['code'], detail: string): Refusal {
  return refuse('request', 'request.session-proof', code, detail);
}
