// Private keys have no business in what a device is made from. They are looked for in everything that is read, by the marks of
// each form they come in; 32 bytes without any mark cannot be told from a public key.

import { decodeSeed } from 'ripple-address-codec';
import { JsonProblem, readJson } from '../../core/json/reader.ts';
import { DOCUMENT_LIMITS } from '../cli/json-file.ts';

/** Names of members and columns that hold a private key, whatever its form. */
const LABEL = /^((private|secret|signing)[-_ ]?(key|seed)|root[-_ ]?seed|priv(key)?|sk|seed|mnemonic|passphrase)$/i;

/** True for the name of a member or a column that says it holds a private key. */
export function namesPrivateKey(name: string): boolean {
  return LABEL.test(name.trim());
}

/** What kind of private key a text holds, or undefined. */
export function privateKeyIn(text: string): string | undefined {
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) return 'a private key in PEM';
  if (text.includes('"d"') && text.includes('"kty"')) {
    const value = readJson(Buffer.from(text.trim()), DOCUMENT_LIMITS);
    if (value instanceof JsonProblem) return /"d"\s*:/.test(text) ? 'a private key as JWK' : undefined;
    return privateKeyInValue(value, '')?.what;
  }
  return isXrplSeed(text.trim()) ? 'an XRPL seed' : undefined;
}

/** Where in data a private key is, and of what kind. */
export function privateKeyInValue(
  value: unknown,
  at: string,
): { readonly at: string; readonly what: string } | undefined {
  if (typeof value === 'string') {
    const what = privateKeyIn(value);
    return what === undefined ? undefined : { at, what };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if ('kty' in value && 'd' in value) return { at, what: 'a private key as JWK' };
  for (const [name, member] of Object.entries(value)) {
    const path = Array.isArray(value) ? `${at}[${name}]` : at === '' ? name : `${at}.${name}`;
    if (!Array.isArray(value) && namesPrivateKey(name)) return { at: path, what: 'a private key, by its name' };
    const found = privateKeyInValue(member, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isXrplSeed(text: string): boolean {
  if (!/^s[1-9A-HJ-NP-Za-km-z]{25,34}$/.test(text)) return false;
  try {
    decodeSeed(text);
    return true;
  } catch {
    return false;
  }
}
