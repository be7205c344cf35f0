// Key files as commands take them: private ones to sign with, public ones to verify with, in JWK, PEM or base64url.

import type { RootKey } from '../../core/trust/configuration.ts';
import {
  KeyError,
  type PublicKeyText,
  readPublicKey,
  readSigningKey,
  type SigningKey,
  thumbprint,
  type VerificationKey,
} from '../../host-sim/signing/keys.ts';
import { readText, UsageError } from './io.ts';

/** Reads a private key. @throws UsageError that names the file and what is wrong with it */
export function readPrivateKeyFile(path: string, kid: string | undefined, what = '--key'): SigningKey {
  const text = readText(path, what);
  return naming(`${what}: ${path}`, () => readSigningKey(text, kid));
}

/**
 * Reads a public key, or the public half of a private one.
 *
 * @param kid overrides the file's own; a key without either is named by its thumbprint
 */
export function readPublicHalf(path: string, what: string, kid?: string): VerificationKey {
  const found = readKeyText(path, what);
  return { kid: kid ?? found.kid ?? thumbprint(found.publicKey), publicKey: found.publicKey };
}

/** Reads a root key that bundles are verified with. A JWK's kid must then be the bundle's `bundleKeyId`. */
export function readRootKeyFile(path: string, what = '--root'): RootKey {
  const found = readKeyText(path, what);
  if (found.isPrivate) throw new UsageError(`${what}: ${path}: the key is a private key; a public one is needed`);
  return { kid: found.kid, publicKey: found.publicKey };
}

function readKeyText(path: string, what: string): PublicKeyText {
  const text = readText(path, what);
  return naming(`${what}: ${path}`, () => readPublicKey(text));
}

function naming<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KeyError) throw new UsageError(`${where}: ${error.message}`);
    throw error;
  }
}
