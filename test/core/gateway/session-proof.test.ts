// Gateway session proofs: the session key signs what the request is, and only that request, for a while.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { verifySessionProof } from '../../../core/gateway/session-proof.ts';
import { domainDigest } from '../../../core/hash/domains.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { generateKey, sign } from '../../../host-sim/signing/keys.ts';

const crypto = createNodeCrypto();
const key = generateKey('session');
const nowMs = Date.UTC(2026, 0, 9, 12);
const body = new TextEncoder().encode('{"amount":"2500"}');

function proofOf(more: object = {}) {
  const payload = { sessionId: 's', method: 'POST', path: '/proxy', ts: '2026-01-09T12:00:00Z', ...more };
  const bodySha256 = createHash('sha256').update(body).digest('hex');
  const digest = domainDigest(crypto, 'GatewaySession', { ...payload, bodySha256 });
  return { ...payload, body, proof: Buffer.from(sign(key, digest)).toString('base64url'), publicKey: key.publicKey };
}

describe('a session proof', () => {
  it('is accepted for the request it was made for', () => {
    expect(verifySessionProof(crypto, proofOf(), nowMs)).toEqual({ ok: true });
  });

  for (const [what, change] of Object.entries({
    'another session': { sessionId: 't' },
    'another method': { method: 'GET' },
    'another path': { path: '/proxy/x' },
    'another time': { ts: '2026-01-09T12:00:01Z' },
    'another body': { body: new Uint8Array(1) },
    'another key': { publicKey: generateKey('x').publicKey },
    'a time without zone': { ts: '2026-01-09T12:00:00' },
    'a proof that is no base64': { proof: '!' },
    'a short proof': { proof: 'AAAA' },
  })) {
    it(`is refused for ${what}`, () => {
      expect(verifySessionProof(crypto, { ...proofOf(), ...change }, nowMs)).toMatchObject({
        code: 'SESSION_PROOF_INVALID',
      });
    });
  }

  it('is never good at a time, or within a skew, that is no number', () => {
    for (const odd of [Number.NaN, undefined, { ok: false }, 'now']) {
      expect(verifySessionProof(crypto, proofOf(), odd as number)).toMatchObject({ code: 'SESSION_PROOF_STALE' });
    }
    expect(verifySessionProof(crypto, proofOf(), nowMs, Number.NaN)).toMatchObject({ code: 'SESSION_PROOF_STALE' });
  });

  it.each(['sessionId', 'method', 'path', 'ts', 'body', 'proof'])('is refused where there is no %s', (name) => {
    const proof = { ...proofOf(), [name]: undefined };
    expect(verifySessionProof(crypto, proof, nowMs)).toMatchObject({ code: 'SESSION_PROOF_INVALID' });
  });

  it('is stale past the skew, either way, and good at it', () => {
    for (const offset of [-300_000, 300_000])
      expect(verifySessionProof(crypto, proofOf(), nowMs + offset).ok).toBe(true);
    for (const offset of [-300_001, 300_001]) {
      expect(verifySessionProof(crypto, proofOf(), nowMs + offset)).toMatchObject({ code: 'SESSION_PROOF_STALE' });
    }
  });
});
