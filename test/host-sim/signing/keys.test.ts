// Signing keys: what is read from JWK and PEM, and what is refused and why.

import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  generateKey,
  KeyError,
  keyFromSeed,
  privateJwk,
  privatePem,
  publicJwk,
  publicPem,
  readPublicKey,
  readSigningKey,
  sign,
  thumbprint,
} from '../../../host-sim/signing/keys.ts';

/** RFC 8037, appendix A. */
const RFC_8037 = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
};

describe('a signing key', () => {
  it('is the one of RFC 8037, appendix A, with its thumbprint', () => {
    const key = readSigningKey(JSON.stringify(RFC_8037));
    expect(publicJwk(key).x).toBe(RFC_8037.x);
    expect(key.kid).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
    expect(thumbprint(key.publicKey)).toBe(key.kid);
  });

  it('is the same read from JWK and from PEM', () => {
    const key = generateKey('k');
    expect(readSigningKey(JSON.stringify(privateJwk(key)))).toEqual(key);
    expect(readSigningKey(privatePem(key), 'k')).toEqual(key);
    expect(readPublicKey(publicPem(key))).toEqual({ publicKey: key.publicKey, kid: undefined, isPrivate: false });
    expect(readPublicKey(JSON.stringify(publicJwk(key)))).toEqual({
      publicKey: key.publicKey,
      kid: 'k',
      isPrivate: false,
    });
    expect(readPublicKey(`${publicJwk(key).x}\n`)).toMatchObject({ publicKey: key.publicKey });
    expect(readPublicKey(privatePem(key))).toMatchObject({ publicKey: key.publicKey, isPrivate: true });
  });

  it('goes by the kid that is given, then by its own, then by its thumbprint', () => {
    const key = generateKey('own');
    expect(readSigningKey(JSON.stringify(privateJwk(key)), 'given').kid).toBe('given');
    expect(readSigningKey(JSON.stringify(privateJwk(key))).kid).toBe('own');
    expect(readSigningKey(privatePem(key)).kid).toBe(thumbprint(key.publicKey));
  });

  it('makes signatures that OpenSSL verifies', () => {
    const key = generateKey('k');
    const message = Buffer.from('message');
    expect(verify(null, message, createPublicKey(publicPem(key)), sign(key, message))).toBe(true);
  });
});

describe('reading refuses', () => {
  const jwk = privateJwk(keyFromSeed('k', new Uint8Array(32).fill(7)));
  const other = publicJwk(keyFromSeed('k', new Uint8Array(32).fill(8)));
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const encrypted = generateKeyPairSync('ed25519').privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  });

  it.each([
    ['a public JWK', JSON.stringify(other), 'public key'],
    ['a JWK of another curve', JSON.stringify({ ...jwk, crv: 'X25519' }), 'a X25519 key, not Ed25519'],
    ['a JWK whose alg conflicts', JSON.stringify({ ...jwk, alg: 'ES256' }), 'alg conflicts'],
    ['a JWK with a short d', JSON.stringify({ ...jwk, d: 'AAAA' }), 'not 32 bytes'],
    ['a JWK with loose base64', JSON.stringify({ ...jwk, d: `${jwk.d}!` }), 'not 32 bytes'],
    ['a JWK with the x of another key', JSON.stringify({ ...jwk, x: other.x }), 'does not belong'],
    ['a JWK with a member twice', JSON.stringify(jwk).replace('{', '{"kty":"OKP",'), 'appears twice'],
    ['a key set', JSON.stringify({ keys: [jwk] }), 'key set'],
    ['a public PEM', publicPem(keyFromSeed('k', new Uint8Array(32))), 'public key'],
    ['an RSA key', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 'a rsa key, not Ed25519'],
    ['an encrypted PEM', encrypted as string, 'encrypted'],
    ['some text', 'hello', 'not a private key'],
  ])('%s as a private key', (_, text, why) => {
    expect(() => readSigningKey(text)).toThrow(KeyError);
    expect(() => readSigningKey(text)).toThrow(why);
  });

  it.each([
    ['a point of small order', 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'usable point'],
    ['31 bytes', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'neither a JWK'],
    ['an RSA key', rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string, 'not Ed25519'],
    ['a JWK without x', JSON.stringify({ kty: 'OKP', crv: 'Ed25519' }), "the JWK's x is not 32 bytes"],
  ])('%s as a public key', (_, text, why) => {
    expect(() => readPublicKey(text)).toThrow(KeyError);
    expect(() => readPublicKey(text)).toThrow(why);
  });
});
