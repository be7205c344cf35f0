// The core's domain hashes for spec files inside XS: of copies, since XS writes no object that is in flash as JSON.

import * as core from '../../core/hash/domains.ts';
import type { JsonValue } from '../../core/json/value.ts';
import type { Crypto } from '../../core/ports/ports.ts';
import { copied } from './node-globals.ts';

export { domainMessage, partsDigest, partsMessage, textDigest } from '../../core/hash/domains.ts';

export function domainDigest(crypto: Crypto, domain: core.Domain, value: JsonValue): Uint8Array {
  return core.domainDigest(crypto, domain, copied(value) as JsonValue);
}

export function domainHash(crypto: Crypto, domain: core.Domain, value: JsonValue): string {
  return core.domainHash(crypto, domain, copied(value) as JsonValue);
}
