// The shape of a Trust Bundle, and its keys: one that cannot be used is kept with the reason and spoils nothing.

import { describe, expect, it } from 'vitest';
import { ArtifactProblem } from '../../../core/artifacts/members.ts';
import {
  type BundleKey,
  readKey,
  readTrustBundle,
  type SignedTrustBundle,
} from '../../../core/artifacts/trust-bundle.ts';
import { readJson } from '../../../core/json/reader.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import { BUNDLE_LIMITS } from '../../../core/limits.ts';
import { publicJwk } from '../../../host-sim/signing/keys.ts';
import { BUNDLE, changed, entry } from '../../fixtures/artifacts.ts';
import { onDevice } from '../../fixtures/device-built-ins.ts';
import { pa } from '../../fixtures/keys.ts';
import { shape, text, texts, time } from './shape.ts';

const BODY = changed(BUNDLE, { bundleKeyId: 'root-1', signature: 's' });
const read = (body: JsonValue) => readTrustBundle(body);

/** The key a bundle with this JWK has. */
function keyOf(jwk: JsonValue): BundleKey {
  const result = read(changed(BODY, { issuers: [{ issuer: 'i', keys: [jwk] }] }));
  return (result as SignedTrustBundle).bundle.issuers[0]?.keys[0] as BundleKey;
}

const JWK = { ...publicJwk(pa) };

describe('a bundle', () => {
  it.each([null, true, 1, 'text', [], [{}]])('is not %j', (value) => {
    expect(read(value)).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  it('has the version "1.0" and no other', () => {
    for (const version of [1, '1.1', '1', '2.0', true, {}]) {
      expect(read(changed(BODY, { version })), String(version)).toMatchObject({ code: 'VERSION_UNSUPPORTED' });
    }
    expect(read(changed(BODY, { version: undefined }))).toMatchObject({ code: 'ARTIFACT_INVALID' });
    expect(read(changed(BODY, { version: null }))).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  shape(
    BODY,
    {
      bundleId: text(true),
      bundleIssuer: text(true),
      bundleKeyId: text(true),
      category: text(false),
      merchant: text(false),
      geography: {
        needed: false,
        good: [{}, { region: 'EU' }, { region: null }, { country: 'DE' }],
        bad: ['EU', 1, []],
      },
      approvedIssuers: { ...texts(), needed: true },
      issuers: {
        needed: true,
        good: [[], [entry('i')], [entry('i', pa)], [entry('i', pa), entry('i', pa)]],
        bad: [
          'i',
          1,
          {},
          [1],
          [{}],
          [{ issuer: 'i' }],
          [{ issuer: '', keys: [] }],
          [{ keys: [] }],
          [{ issuer: 'i', keys: {} }],
        ],
      },
      revokedGrantIds: texts(),
      issuedAt: time(false),
      expiresAt: time(true),
    },
    read,
  );

  it('has no region that is not text', () => {
    expect(read(changed(BODY, { geography: { region: 1 } }))).toMatchObject({ code: 'ARTIFACT_INVALID' });
    expect(read(changed(BODY, { geography: { region: '' } }))).toMatchObject({ code: 'ARTIFACT_INVALID' });
  });

  it('is signed without its signature, with everything else', () => {
    const result = read(changed(BODY, { future: [1] })) as SignedTrustBundle;
    expect(result.signed).toEqual(changed(BODY, { future: [1], signature: undefined }));
    expect(result.signature).toBe('s');
  });

  it('without a signature that is text has none', () => {
    expect(read(changed(BODY, { signature: 1 }))).toMatchObject({ signature: undefined });
  });
});

describe('limits of a bundle', () => {
  const list = (n: number) => Array.from({ length: n }, (_, i) => `issuer-${i}`);

  it('160 approved issuers, and not 161', () => {
    expect(read(changed(BODY, { approvedIssuers: list(160) }))).not.toBeInstanceOf(ArtifactProblem);
    expect(read(changed(BODY, { approvedIssuers: list(161) }))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('160 embedded issuers, and not 161', () => {
    const issuers = (n: number) => list(n).map((name) => entry(name));
    expect(read(changed(BODY, { issuers: issuers(160) }))).not.toBeInstanceOf(ArtifactProblem);
    expect(read(changed(BODY, { issuers: issuers(161) }))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('4 keys of an issuer, and not 5', () => {
    const keys = (n: number) => [{ issuer: 'i', keys: Array(n).fill(JWK) }];
    expect(read(changed(BODY, { issuers: keys(4) }))).not.toBeInstanceOf(ArtifactProblem);
    expect(read(changed(BODY, { issuers: keys(5) }))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('512 revoked grants, and not 513', () => {
    expect(read(changed(BODY, { revokedGrantIds: list(512) }))).not.toBeInstanceOf(ArtifactProblem);
    expect(read(changed(BODY, { revokedGrantIds: list(513) }))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});

describe('a key', () => {
  it('is 32 bytes, in base64url or base64', () => {
    expect(keyOf(JWK)).toEqual({ kid: 'pa-1', active: true, key: pa.publicKey, x: pa.publicKey });
    const x = Buffer.from(pa.publicKey).toString('base64');
    expect(keyOf({ ...JWK, x }).key).toEqual(pa.publicKey);
  });

  it('needs neither use nor alg', () => {
    expect(keyOf({ kty: 'OKP', crv: 'Ed25519', x: JWK.x, kid: 'k' }).key).toEqual(pa.publicKey);
    expect(keyOf({ ...JWK, alg: 'Ed25519' }).key).toEqual(pa.publicKey);
    expect(keyOf({ ...JWK, alg: null, use: null }).key).toEqual(pa.publicKey);
  });

  it('is revoked where active is false, and only there', () => {
    expect(keyOf({ ...JWK, active: false }).active).toBe(false);
    expect(keyOf({ ...JWK, active: true }).active).toBe(true);
    expect(keyOf({ ...JWK, active: null }).active).toBe(true);
  });

  it('may carry a d that is null: null is absent', () => {
    expect(keyOf({ ...JWK, d: null }).key).toEqual(pa.publicKey);
  });

  const unusable: Record<string, JsonValue> = {
    'that is no object': 'x',
    'with a private d': { ...JWK, d: JWK.x },
    'with an alg of another curve': { ...JWK, alg: 'ES256' },
    'of another type': { ...JWK, kty: 'EC' },
    'of another curve': { ...JWK, crv: 'X25519' },
    'on P-256': { kty: 'EC', crv: 'P-256', x: JWK.x, y: JWK.x, kid: 'k' },
    'without x': { kty: 'OKP', crv: 'Ed25519', kid: 'k' },
    'with an x of 31 bytes': { ...JWK, x: Buffer.alloc(31, 1).toString('base64url') },
    'with an x of 33 bytes': { ...JWK, x: Buffer.alloc(33, 1).toString('base64url') },
    'with an x that is no base64': { ...JWK, x: `${JWK.x.slice(0, -1)}!` },
  };

  it.each(Object.entries(unusable))('%s stays, with the reason', (_, jwk) => {
    expect(keyOf(jwk).key).toBeTypeOf('string');
  });

  it('with a private d cannot be used on a device either, which keeps names apart that it does not know', () => {
    const onDeviceKey = (jwk: JsonObject) =>
      onDevice(() => readKey(readJson(Buffer.from(JSON.stringify(jwk)), BUNDLE_LIMITS) as JsonValue)).key;
    expect(onDeviceKey({ ...JWK, d: JWK.x })).toBe('the JWK carries a private key');
    expect(onDeviceKey({ ...JWK, d: null })).toEqual(pa.publicKey);
  });

  it('is revoked by anything in active but true and null', () => {
    for (const active of [false, 'false', 0, 'no', {}, 1, 'true']) expect(keyOf({ ...JWK, active }).active).toBe(false);
    for (const active of [true, null]) expect(keyOf({ ...JWK, active }).active).toBe(true);
  });

  it('keeps the bytes of x whatever else is wrong, as a revocation goes by them', () => {
    expect(keyOf({ ...JWK, alg: 'ES256' }).x).toEqual(pa.publicKey);
    expect(keyOf({ kid: 'k' }).x).toBeUndefined();
  });

  it('that is unusable spoils neither the bundle nor the key beside it', () => {
    const keys = [...Object.values(unusable).slice(0, 3), JWK] as JsonObject[];
    const result = read(changed(BODY, { issuers: [{ issuer: 'i', keys }] })) as SignedTrustBundle;
    expect(result.bundle.issuers[0]?.keys.map((key) => typeof key.key)).toEqual([
      'string',
      'string',
      'string',
      'object',
    ]);
  });

  it('without a kid that is text has the kid nobody can name', () => {
    expect(keyOf({ ...JWK, kid: 1 }).kid).toBe('');
    expect(keyOf({ kty: 'OKP' }).kid).toBe('');
  });
});
