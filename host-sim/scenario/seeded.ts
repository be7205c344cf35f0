// What a run draws by chance, the same for the same seed: keys, ids, addresses, and streams of numbers that do not move each other.

import { createHash } from 'node:crypto';
import { encodeAccountID } from 'ripple-address-codec';
import { SeededRandom } from '../flash/random.ts';
import { keyFromSeed, type SigningKey } from '../signing/keys.ts';

/** A stream of numbers for one purpose. */
export function seededRandom(seed: number, purpose: string): SeededRandom {
  return new SeededRandom(digest(seed, purpose).readUInt32LE(0));
}

/** A signing key. It protects nothing: whoever has the seed has the key. */
export function seededKey(seed: number, kid: string): SigningKey {
  return keyFromSeed(kid, digest(seed, `key ${kid}`));
}

/** An API key of a device, for which a scenario states none. */
export function seededApiKey(seed: number, deviceId: string): string {
  return `mpcp_${digest(seed, `api key ${deviceId}`).toString('base64url')}`;
}

/** An XRPL classic address. */
export function seededAddress(seed: number, whose: string): string {
  return encodeAccountID(digest(seed, `address ${whose}`).subarray(0, 20));
}

/** Makes ids that look like random UUIDs. */
export function seededIds(seed: number, purpose: string): () => string {
  let made = 0;
  return () => {
    const hex = digest(seed, `id ${purpose} ${made++}`).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
}

/** A span at random, so long on average and at most ten times as long (exponential). */
export function randomSpan(random: SeededRandom, meanMs: number): number {
  return Math.max(1, Math.round(Math.min(-Math.log(1 - random.next()), 10) * meanMs));
}

function digest(seed: number, purpose: string): Buffer {
  return createHash('sha256').update(`mpcp-embedded scenario ${seed}: ${purpose}`).digest();
}
