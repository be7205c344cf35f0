// Known answers: whether the machine computes as it must before anything is decided on it. A signature check that says yes to
// everything is found as well as one that says no.

import { crc32 } from '../encoding/crc32.ts';
import { domainHash } from '../hash/domains.ts';
import { fromHex, toHex } from '../hash/hex.ts';
import type { JsonObject } from '../json/value.ts';
import type { Crypto, Hash } from '../ports/ports.ts';

/** One known answer. */
export interface SelfTest {
  readonly name: string;
  /** True where the machine gives it. */
  readonly passes: (crypto: Crypto) => boolean;
}

/** FIPS 180-4, "abc". */
const SHA256_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const SHA512_ABC =
  'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';
/** RFC 8032 §7.1, test 2: the message is the byte 0x72. */
const KEY = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
const SIGNATURE =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
/** The same with the order of the group added to S: another encoding of the same signature, which is none. */
const SIGNATURE_BEYOND =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69daf52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10';
/** SHA-256 of `MPCP:SettlementIntent:1.0:` and the canonical text of `intent()`. */
const INTENT_HASH = 'd0a05d3641a4cabc043e164caf5a4825466df8b8358151807cc7218dfd65ed37';
const CRC_TEXT = '313233343536373839';
const CRC = 0xcbf43926;

/** All of them, each a bounded piece of work. */
export const SELF_TESTS: readonly SelfTest[] = [
  { name: 'sha256', passes: (crypto) => digestOf(crypto.sha256()) === SHA256_ABC },
  { name: 'sha512', passes: (crypto) => digestOf(crypto.sha512()) === SHA512_ABC },
  { name: 'crc32', passes: () => crc32(bytes(CRC_TEXT)) === CRC },
  { name: 'domain-hash', passes: (crypto) => domainHash(crypto, 'SettlementIntent', intent()) === INTENT_HASH },
  { name: 'ed25519-accepts', passes: (crypto) => verifies(crypto, SIGNATURE, '72') },
  { name: 'ed25519-refuses-message', passes: (crypto) => !verifies(crypto, SIGNATURE, '73') },
  { name: 'ed25519-refuses-encoding', passes: (crypto) => !verifies(crypto, SIGNATURE_BEYOND, '72') },
  {
    name: 'ed25519-key',
    // The neutral element, of order 1: with it anybody can sign.
    passes: (crypto) => crypto.ed25519KeyUsable(bytes(KEY)) && !crypto.ed25519KeyUsable(bytes(`01${'00'.repeat(31)}`)),
  },
];

function intent(): JsonObject {
  return { rail: 'xrpl', amount: '1000', asset: { kind: 'XRP' }, destination: 'rÄ', createdAt: null };
}

function verifies(crypto: Crypto, signature: string, message: string): boolean {
  return crypto.ed25519Verify(bytes(KEY), bytes(signature), bytes(message));
}

function digestOf(hash: Hash): string {
  hash.update(bytes('6162'));
  hash.update('c');
  return toHex(hash.digest());
}

function bytes(hex: string): Uint8Array {
  return fromHex(hex) as Uint8Array;
}
