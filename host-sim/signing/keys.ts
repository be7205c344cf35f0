// Ed25519 signing keys for issuers, wallets and roots, as JWK (RFC 8037) and PEM (RFC 8410). Secrets exist only here and
// in the tools; the verifier never holds one.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign as signWith,
} from 'node:crypto';
import { ed25519KeyUsable } from '../../core/ed25519/verify.ts';
import { decodeBase64 } from '../../core/encoding/base64.ts';
import { JsonProblem, readJson } from '../../core/json/reader.ts';
import { isObject, type JsonObject, member } from '../../core/json/value.ts';
import { ARTIFACT_LIMITS } from '../../core/limits.ts';

/** A public key with its kid. */
export interface VerificationKey {
  readonly kid: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** A key pair with its kid. */
export interface SigningKey extends VerificationKey {
  /** 32-byte seed (RFC 8032 §5.1.5). */
  readonly secretKey: Uint8Array;
}

/** A public key as the Policy Authority publishes it. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
  readonly active?: boolean;
}

/** Thrown where text is not a usable key; the message names what is wrong. */
export class KeyError extends Error {}

/** A fresh key. */
export function generateKey(kid: string): SigningKey {
  return keyFromSeed(kid, randomBytes(32));
}

/** The key of a 32-byte seed. */
export function keyFromSeed(kid: string, seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw new KeyError(`an Ed25519 seed has 32 bytes, this one ${seed.length}`);
  const secretKey = Uint8Array.from(seed);
  const { x } = createPublicKey(imported(secretKey)).export({ format: 'jwk' });
  return { kid, secretKey, publicKey: Uint8Array.from(Buffer.from(x as string, 'base64url')) };
}

/** The name a key has by itself: its JWK thumbprint (RFC 7638), base64url. */
export function thumbprint(publicKey: Uint8Array): string {
  const x = Buffer.from(publicKey).toString('base64url');
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
}

/** The public half as a JWK with `kid`, `use` and `alg`. */
export function publicJwk(key: VerificationKey): PublicJwk {
  return {
    kty: 'OKP',
    crv: 'Ed25519',
    x: Buffer.from(key.publicKey).toString('base64url'),
    kid: key.kid,
    use: 'sig',
    alg: 'EdDSA',
  };
}

/** The private JWK. */
export function privateJwk(key: SigningKey): PublicJwk & { readonly d: string } {
  return { ...publicJwk(key), d: Buffer.from(key.secretKey).toString('base64url') };
}

/** The private key as PKCS #8 PEM. */
export function privatePem(key: SigningKey): string {
  return createPrivateKey({ key: privateJwk(key) as unknown as JsonWebKey, format: 'jwk' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

/** The public key as SPKI PEM. */
export function publicPem(key: VerificationKey): string {
  return createPublicKey({ key: publicJwk(key) as unknown as JsonWebKey, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  }) as string;
}

/**
 * Reads a private key from a JWK or PKCS #8 PEM text.
 *
 * @param kid overrides the JWK's; a key without either goes by its thumbprint
 * @throws KeyError
 */
export function readSigningKey(text: string, kid?: string): SigningKey {
  const found = text.trimStart().startsWith('{')
    ? privateFromJwk(readJwk(text))
    : { seed: privateFromPem(text), kid: undefined };
  if (kid === '') throw new KeyError('the kid is empty');
  const key = keyFromSeed(kid ?? found.kid ?? '', found.seed);
  return key.kid === '' ? { ...key, kid: thumbprint(key.publicKey) } : key;
}

/** A public key, and what the text said besides. */
export interface PublicKeyText {
  readonly publicKey: Uint8Array;
  /** Where the text is a JWK that has one. */
  readonly kid: string | undefined;
  /** True where the text was a private key. */
  readonly isPrivate: boolean;
}

/**
 * Reads a public key from a JWK, an SPKI PEM or 32 bytes of base64; of a private key it takes the public half.
 *
 * @throws KeyError, also for a key that no verifier accepts: not on the curve, not canonical, of small order
 */
export function readPublicKey(text: string): PublicKeyText {
  const trimmed = text.trim();
  const found = trimmed.startsWith('{')
    ? publicKeyOfJwk(readJwk(text))
    : trimmed.startsWith('-----')
      ? publicFromPem(text)
      : publicFromBase64(trimmed);
  if (!ed25519KeyUsable(found.publicKey)) throw new KeyError('the key is not a usable point of the curve');
  return found;
}

/** The same from a JWK that is JSON data already. @throws KeyError */
export function publicKeyOfJwk(jwk: JsonObject): PublicKeyText {
  if (member(jwk, 'd') !== undefined) {
    const found = privateFromJwk(jwk);
    return { publicKey: keyFromSeed('', found.seed).publicKey, kid: found.kid, isPrivate: true };
  }
  checkJwkType(jwk);
  return { publicKey: bytesOf(jwk, 'x'), kid: kidOf(jwk), isPrivate: false };
}

function readJwk(text: string): JsonObject {
  const value = readJson(Buffer.from(text), ARTIFACT_LIMITS);
  if (value instanceof JsonProblem) throw new KeyError(`the JWK is not JSON: ${value.message}`);
  if (!isObject(value)) throw new KeyError('the key is neither a JWK nor PEM');
  return value;
}

function privateFromJwk(jwk: JsonObject): { readonly seed: Uint8Array; readonly kid: string | undefined } {
  checkJwkType(jwk);
  if (member(jwk, 'd') === undefined) throw new KeyError('the JWK is a public key; a private one is needed');
  const seed = bytesOf(jwk, 'd');
  const belongs = Buffer.compare(bytesOf(jwk, 'x'), keyFromSeed('', seed).publicKey) === 0;
  if (!belongs) throw new KeyError("the JWK's x does not belong to its d");
  return { seed, kid: kidOf(jwk) };
}

function checkJwkType(jwk: JsonObject): void {
  if (member(jwk, 'keys') !== undefined) throw new KeyError('the text is a key set; one key is needed');
  const kty = member(jwk, 'kty');
  const crv = member(jwk, 'crv');
  if (kty === undefined) throw new KeyError('the JSON is no JWK: it has no kty');
  if (kty !== 'OKP' || crv !== 'Ed25519') {
    throw new KeyError(`the JWK is ${named(crv ?? kty)} key, not Ed25519`);
  }
  const alg = member(jwk, 'alg');
  if (alg !== undefined && alg !== 'EdDSA' && alg !== 'Ed25519')
    throw new KeyError("the JWK's alg conflicts with its curve");
}

function named(type: unknown): string {
  return typeof type === 'string' ? `a ${type.slice(0, 40)}` : 'another';
}

function bytesOf(jwk: JsonObject, name: string): Uint8Array {
  const text = member(jwk, name);
  const bytes = typeof text === 'string' ? decodeBase64(text) : undefined;
  if (bytes === undefined || bytes.length !== 32) throw new KeyError(`the JWK's ${name} is not 32 bytes of base64url`);
  return bytes;
}

function kidOf(jwk: JsonObject): string | undefined {
  const kid = member(jwk, 'kid');
  if (kid === undefined) return undefined;
  if (typeof kid !== 'string' || kid.length === 0) throw new KeyError("the JWK's kid is not a non-empty string");
  return kid;
}

function privateFromPem(text: string): Uint8Array {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    if (text.includes('ENCRYPTED')) throw new KeyError('the PEM is encrypted; decrypt it first');
    if (text.includes('PUBLIC KEY-----')) throw new KeyError('the PEM is a public key; a private one is needed');
    throw new KeyError('the text is not a private key in JWK or PKCS #8 PEM');
  }
  checkPemType(key);
  return Buffer.from(key.export({ format: 'jwk' }).d as string, 'base64url');
}

function publicFromPem(text: string): PublicKeyText {
  if (text.includes('PRIVATE KEY-----')) {
    return { publicKey: keyFromSeed('', privateFromPem(text)).publicKey, kid: undefined, isPrivate: true };
  }
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch {
    throw new KeyError('the text is not a public key in SPKI PEM');
  }
  checkPemType(key);
  return {
    publicKey: Uint8Array.from(Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url')),
    kid: undefined,
    isPrivate: false,
  };
}

function checkPemType(key: KeyObject): void {
  if (key.asymmetricKeyType === 'ed25519') return;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  throw new KeyError(`the PEM is ${named(curve ?? key.asymmetricKeyType)} key, not Ed25519`);
}

function publicFromBase64(text: string): PublicKeyText {
  const publicKey = decodeBase64(text);
  if (publicKey?.length !== 32) throw new KeyError('the text is neither a JWK, nor PEM, nor 32 bytes of base64');
  return { publicKey, kid: undefined, isPrivate: false };
}

/** An Ed25519 signature (RFC 8032), 64 bytes. */
export function sign(key: SigningKey, message: Uint8Array): Uint8Array {
  return Uint8Array.from(signWith(null, message, imported(key.secretKey)));
}

/** What stands before a seed in PKCS #8 (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Seeds that were handed to OpenSSL; nobody writes into one. */
const imports = new WeakMap<Uint8Array, KeyObject>();

function imported(seed: Uint8Array): KeyObject {
  const known = imports.get(seed);
  if (known !== undefined) return known;
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  try {
    imports.set(seed, key);
  } catch {
    // Inside XS what modules hold is in flash: there it is made each time.
  }
  return key;
}
