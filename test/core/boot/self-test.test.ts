// Known answers: each is the one that is published, and each finds the machine that gives another.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SELF_TESTS } from '../../../core/boot/self-test.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import type { Crypto, Hash } from '../../../core/ports/ports.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';

const good = createNodeCrypto();

function failing(crypto: Crypto): string[] {
  return SELF_TESTS.filter(({ passes }) => !passes(crypto)).map(({ name }) => name);
}

/** A hash that gets the last byte wrong. */
function broken(hash: Hash): Hash {
  return {
    update: (data) => hash.update(data),
    digest: () => {
      const digest = hash.digest();
      digest[digest.length - 1] = (digest[digest.length - 1] as number) ^ 1;
      return digest;
    },
  };
}

describe('known answers', () => {
  it('are those of the platform and of the core itself', () => {
    expect(failing(good)).toEqual([]);
    expect(failing(createPortableCrypto())).toEqual([]);
  });

  it.each<[string, Partial<Crypto>, string[]]>([
    ['SHA-256 that is wrong', { sha256: () => broken(good.sha256()) }, ['sha256', 'domain-hash']],
    ['SHA-512 that is wrong', { sha512: () => broken(good.sha512()) }, ['sha512']],
    ['a hash that forgets text', { sha256: () => forgetsText(good.sha256()) }, ['sha256', 'domain-hash']],
    [
      'signatures that are all good',
      { ed25519Verify: () => true },
      ['ed25519-refuses-message', 'ed25519-refuses-encoding'],
    ],
    ['signatures that are all bad', { ed25519Verify: () => false }, ['ed25519-accepts']],
    ['keys that are all good', { ed25519KeyUsable: () => true }, ['ed25519-key']],
    ['keys that are all bad', { ed25519KeyUsable: () => false }, ['ed25519-key']],
  ])('find %s', (_, changes, names) => {
    expect(failing({ ...good, ...changes })).toEqual(names);
  });

  it('of a domain is worked out as anybody else would', () => {
    const text = '{"amount":"1000","asset":{"kind":"XRP"},"destination":"r\u00c4","rail":"xrpl"}';
    const hash = createHash('sha256').update(`MPCP:SettlementIntent:1.0:${text}`).digest('hex');
    const sees = { ...good, sha256: () => ({ update: () => undefined, digest: () => Buffer.from(hash, 'hex') }) };
    expect(failing(sees)).toEqual(['sha256']);
  });
});

function forgetsText(hash: Hash): Hash {
  return { update: (data) => (typeof data === 'string' ? undefined : hash.update(data)), digest: () => hash.digest() };
}
