// Domain-separated hashing: SHA-256 over a prefix and canonical JSON (INTEROP §1). The 32-byte digest is itself the
// message that is signed. The prefix says 1.0 for every 1.x artifact.

import { builtInsAreFaster, bytesToHash } from '../encoding/utf8.ts';
import { canonicalPieces, canonicalText, textInOrder } from '../json/canonical.ts';
import { MEMBER_ORDER } from '../json/member-order.ts';
import { isObject, type JsonValue } from '../json/value.ts';
import type { Crypto, MessageStream } from '../ports/ports.ts';
import { toHex } from './hex.ts';

/** What is hashed under which prefix. */
export type Domain =
  | 'PolicyGrant'
  | 'SBA'
  | 'SPA'
  | 'SettlementIntent'
  | 'TrustBundle'
  | 'FPA'
  | 'Policy'
  | 'GatewaySession';

/** The prefix of a domain, `MPCP:<domain>:1.0:`. */
function domainPrefix(domain: Domain): string {
  return `MPCP:${domain}:1.0:`;
}

/**
 * SHA-256(prefix ‖ canonicalJson(value)), 32 bytes.
 *
 * @param inPieces false where a device may hold the value's text whole, and its engine writes all numbers in it right
 */
export function domainDigest(crypto: Crypto, domain: Domain, value: JsonValue, inPieces = true): Uint8Array {
  if (!builtInsAreFaster()) return textDigest(crypto, domain, canonicalText(value));
  const order = inPieces ? undefined : MEMBER_ORDER[domain];
  const text = order && isObject(value) ? textInOrder(value, order) : undefined;
  const hash = crypto.sha256();
  hash.update(domainPrefix(domain));
  // What is large is not put together in the memory of a device.
  if (text === undefined) canonicalPieces(value, (piece) => hash.update(piece));
  else hash.update(text);
  return hash.digest();
}

/** The same of a value whose canonical text is at hand. */
export function textDigest(crypto: Crypto, domain: Domain, canonical: string): Uint8Array {
  const hash = crypto.sha256();
  hash.update(domainPrefix(domain) + canonical);
  return hash.digest();
}

/** The same digest as 64 lower-case hexadecimal digits: policyHash, intentHash. */
export function domainHash(crypto: Crypto, domain: Domain, value: JsonValue): string {
  return toHex(domainDigest(crypto, domain, value));
}

/** prefix ‖ canonicalJson(value) itself, for signatures over the raw bytes (INTEROP §1, TrustBundle). */
export function domainMessage(domain: Domain, value: JsonValue): MessageStream {
  const bytes = bytesToHash(domainPrefix(domain) + canonicalText(value));
  return (sink) => sink(bytes);
}

/** The digest of a domain over canonical bytes that come in parts. */
export function partsDigest(crypto: Crypto, domain: Domain, canonical: MessageStream): Uint8Array {
  const hash = crypto.sha256();
  hash.update(domainPrefix(domain));
  canonical((part) => hash.update(part));
  return hash.digest();
}

/** prefix ‖ canonical bytes that come in parts, themselves. */
export function partsMessage(domain: Domain, canonical: MessageStream): MessageStream {
  const prefix = bytesToHash(domainPrefix(domain));
  return (sink) => {
    sink(prefix);
    canonical(sink);
  };
}
