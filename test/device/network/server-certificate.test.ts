// Whose certificate is taken for a server's: certificates that are made here, read by Node's X.509 in the place of the SDK's.

import { describe, expect, it } from 'vitest';
import { isServer } from '../../../device/network/server-certificate.ts';
import { certificate } from '../../fixtures/provisioning.ts';
import { type CertificateParts, certified, keyPair } from '../../fixtures/server-certificates.ts';

const AUTHORITY = certified(keyPair(), { names: ['ca.example'] });
const PAIR = keyPair();
const OTHER = keyPair();
const LONG = keyPair('rsa', 65_537, 4104);
const HOUR_MS = 3_600_000;

const by = (parts: CertificateParts, key = AUTHORITY.key) =>
  certified(PAIR, { names: ['pa.example'], ...parts }, key).certificate;
const taken = (own: Uint8Array, host = 'pa.example', provisioned = AUTHORITY.certificate) =>
  isServer(own, host, provisioned);

describe('a server’s certificate', () => {
  it('is the provisioned one, byte for byte, whatever it says', () => {
    expect(taken(certificate(), 'pa.example', certificate())).toBe(true);
    const changed = certificate();
    changed[299] = (changed[299] as number) ^ 1;
    expect(() => taken(changed, 'pa.example', certificate())).toThrow();
  });

  it.each([
    ['its name', 'pa.example', ['pa.example']],
    ['its name in other letters', 'PA.Example', ['pa.EXAMPLE']],
    ['one of its names', 'pa.example', ['other.example', 'pa.example']],
    ['a star for the first part', 'pa.example', ['*.example']],
    ['its address', '10.0.0.7', ['10.0.0.7']],
  ])('is signed by it, and states %s', (_, host, names) => {
    expect(taken(by({ names }), host)).toBe(true);
  });

  it.each<[string, () => Uint8Array]>([
    ['the host’s name under a signature of its own', () => by({}, PAIR.privateKey)],
    ['the host’s name under another authority', () => by({}, OTHER.privateKey)],
    ['another name', () => by({ names: ['evil.example'] })],
    ['a name that ends like it', () => by({ names: ['evilpa.example'] })],
    ['a name that it ends like', () => by({ names: ['example'] })],
    ['a star for two parts', () => by({ names: ['*.le'] })],
    ['no name but the subject’s', () => by({ names: [] })],
    ['a time that has not begun', () => by({ from: new Date(Date.now() + HOUR_MS) })],
    ['a time that is over', () => by({ to: new Date(Date.now() - HOUR_MS) })],
    ['a signature with SHA-1', () => by({ hash: 'sha1' })],
    [
      'a key of another kind than RSA',
      () => certified(keyPair('ec'), { names: ['pa.example'] }, AUTHORITY.key).certificate,
    ],
    [
      'a key with the exponent 3',
      () => certified(keyPair('rsa', 3), { names: ['pa.example'] }, AUTHORITY.key).certificate,
    ],
    [
      'a key with a longer exponent, which would have the device compute for long',
      () => certified(keyPair('rsa', 65_539), { names: ['pa.example'] }, AUTHORITY.key).certificate,
    ],
    ['a key of more than 4096 bits', () => certified(LONG, { names: ['pa.example'] }, AUTHORITY.key).certificate],
  ])('is not one with %s', (_, own) => {
    expect(taken(own())).toBe(false);
  });

  it('is not one that was changed in any byte behind its outermost length', () => {
    const good = by({});
    for (let at = 4; at < good.length; at += 7) {
      const own = good.slice();
      own[at] = (own[at] as number) ^ 1;
      let answer = false;
      try {
        answer = taken(own);
      } catch {
        // Node’s reader throws at what is malformed, as the SDK’s does.
      }
      expect([at, answer]).toEqual([at, false]);
    }
  });

  it('attack: nobody signed it, and what was signed comes behind it: only its own signature counts', () => {
    const own = by({}, PAIR.privateKey);
    // The SDK's session takes this chain: the name of the first, the signature of the second.
    expect([taken(own), taken(AUTHORITY.certificate)]).toEqual([false, true]);
  });

  it.each<[string, () => Uint8Array]>([
    ['of another kind', () => certified(keyPair('ec'), {}).certificate],
    ['with the exponent 3', () => certified(keyPair('rsa', 3), {}).certificate],
    ['of more than 4096 bits', () => certified(LONG, {}).certificate],
  ])('is not signed by a provisioned key %s', (_, provisioned) => {
    expect(taken(by({}), 'pa.example', provisioned())).toBe(false);
  });
});
