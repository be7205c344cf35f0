// Hashes of a device by the SDK's digests, and Ed25519 on them: the verdicts and digests of the core's own.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { createDeviceCrypto } from '../../../device/ports/crypto.ts';
import { signatureSets } from '../../../tools/xs/signatures.ts';

const own = createPortableCrypto();
const [edges] = signatureSets('test/vectors/interop');

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('without native code', () => {
  beforeEach(() => {
    vi.stubGlobal('MPCP_NATIVE', false);
  });

  it('hashes text with a zero in it whole, which a digest of the SDK reads to the zero', () => {
    const crypto = createDeviceCrypto();
    for (const data of ['', 'abc', 'a\0b', 'é\u{1F600}', new Uint8Array(200).fill(9)]) {
      for (const which of ['sha256', 'sha512'] as const) {
        const [one, other] = [crypto[which](), own[which]()];
        one.update(data);
        other.update(data);
        expect(one.digest()).toEqual(other.digest());
      }
    }
  });

  it('refuses to hash half a surrogate pair', () => {
    expect(() => createDeviceCrypto().sha256().update('\ud800')).toThrow(RangeError);
  });

  it('gives the strict verdict on every edge', () => {
    const crypto = createDeviceCrypto();
    for (const { name, publicKey, signature, message, isGood } of edges?.cases ?? [])
      expect([name, crypto.ed25519Verify(publicKey, signature, message)]).toEqual([name, isGood]);
  });
});

describe('with native code', () => {
  const calls: string[] = [];
  beforeEach(() => {
    calls.length = 0;
    vi.stubGlobal('MPCP_NATIVE', true);
    vi.stubGlobal('native', (name: string) => (...parameters: readonly Uint8Array[]) => {
      calls.push(`${name} ${parameters.map(({ length }) => length).join(' ')}`);
      return true;
    });
  });

  it('hands over the key, the signature, and SHA-512 of R, the key and the message', () => {
    const crypto = createDeviceCrypto();
    const key = new Uint8Array(32);
    expect(crypto.ed25519Verify(key, new Uint8Array(64), new Uint8Array(1000))).toBe(true);
    expect(crypto.ed25519Verify(key, new Uint8Array(64), (sink) => sink(new Uint8Array(9)))).toBe(true);
    expect(crypto.ed25519KeyUsable(key)).toBe(true);
    expect(calls).toEqual([
      'xs_mpcp_ed25519_verify 32 64 64',
      'xs_mpcp_ed25519_verify 32 64 64',
      'xs_mpcp_ed25519_key_usable 32',
    ]);
  });

  it('asks C nothing about keys and signatures of other lengths', () => {
    const crypto = createDeviceCrypto();
    expect(crypto.ed25519Verify(new Uint8Array(31), new Uint8Array(64), new Uint8Array(1))).toBe(false);
    expect(crypto.ed25519Verify(new Uint8Array(32), new Uint8Array(65), new Uint8Array(1))).toBe(false);
    expect(crypto.ed25519KeyUsable(new Uint8Array(33))).toBe(false);
    expect(calls).toEqual([]);
  });
});
