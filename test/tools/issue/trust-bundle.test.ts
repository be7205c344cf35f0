// Trust Bundles: what is refused before it is signed, how templates and changes make one, and what inspection tells.

import { describe, expect, it } from 'vitest';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { admitBundle } from '../../../core/trust/admission.ts';
import { generateKey, privateJwk, publicJwk } from '../../../host-sim/signing/keys.ts';
import { inspectBundle } from '../../../tools/issue/bundle-inspection.ts';
import { bundleSample, DevelopmentKeys } from '../../../tools/issue/bundle-samples.ts';
import { bundleFrom, readTemplate } from '../../../tools/issue/bundle-template.ts';
import { issueBundle } from '../../../tools/issue/trust-bundle.ts';

const NOW = Date.UTC(2026, 2, 1, 12);
const rules = { nowMs: NOW, allowPast: false, checkAddresses: true };
const root = generateKey('root-1');
const pa = generateKey('pa-1');
const wallet = generateKey('wallet-1');
const noFiles = {
  fromFile: (path: string): never => {
    throw new Error(path);
  },
};

const jwk = (key: typeof pa) => ({ ...publicJwk(key) });
const bundle = {
  version: '1.0',
  bundleId: 'b-1',
  bundleIssuer: 'pa.example',
  category: 'parking',
  approvedIssuers: ['pa.example', 'wallet.example'],
  issuers: [
    { issuer: 'pa.example', keys: [jwk(pa)] },
    { issuer: 'wallet.example', keys: [jwk(wallet)] },
  ],
  issuedAt: '2026-03-01T12:00:00Z',
  expiresAt: '2026-03-08T12:00:00Z',
};

function admitted(text: string) {
  return admitBundle(Buffer.from(text), {
    crypto: createPortableCrypto(),
    rootKeys: [{ kid: 'root-1', publicKey: root.publicKey }],
    scope: {},
    nowMs: NOW,
    newest: () => undefined,
  });
}

describe('a signed bundle', () => {
  it('is admitted by the core', () => {
    expect(admitted(issueBundle(bundle, root, rules))).toMatchObject({
      bundle: { bundleId: 'b-1', bundleKeyId: 'root-1' },
    });
  });

  it('that is signed again has the new signature only', () => {
    const once = JSON.parse(issueBundle(bundle, root, rules));
    const again = issueBundle({ ...once, revokedGrantIds: ['g'] }, root, rules);
    expect(admitted(again)).toMatchObject({ bundle: { revokedGrantIds: ['g'] } });
  });

  it('whose root has another kid than it says is refused', () => {
    expect(() => issueBundle({ ...bundle, bundleKeyId: 'root-0' }, root, rules)).toThrow(
      "bundleKeyId is root-0, the key's kid is root-1",
    );
  });

  it.each([
    [
      'a private key in it',
      { issuers: [{ issuer: 'pa.example', keys: [{ ...privateJwk(pa) }] }] },
      'issuers[0].keys[0]: it is a private key',
    ],
    [
      'a key of another curve',
      { issuers: [{ issuer: 'pa.example', keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'k' }] }] },
      'a P-256 key, not Ed25519',
    ],
    [
      'a key whose alg conflicts',
      { issuers: [{ issuer: 'pa.example', keys: [{ ...jwk(pa), alg: 'ES256K' }] }] },
      'alg conflicts',
    ],
    [
      'a key without kid',
      { issuers: [{ issuer: 'pa.example', keys: [{ ...jwk(pa), kid: undefined }] }] },
      'issuers[0].keys[0].kid is missing',
    ],
    [
      'a key of small order',
      { issuers: [{ issuer: 'pa.example', keys: [{ ...jwk(pa), x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }] }] },
      'not a usable point',
    ],
    [
      'one kid twice',
      { issuers: [{ issuer: 'pa.example', keys: [jwk(pa), jwk(pa)] }] },
      'issuers[0].keys[1]: pa.example has a key pa-1 already',
    ],
    [
      'one issuer twice',
      { issuers: [bundle.issuers[0], bundle.issuers[0]] },
      'issuers[1]: pa.example has an entry already',
    ],
    [
      'an issuer that is not approved',
      { approvedIssuers: ['pa.example'] },
      'issuers[1]: wallet.example is not among approvedIssuers',
    ],
    ['a slip in a name', { revokedGrantsIds: ['g'] }, 'revokedGrantsIds: there is no such member'],
    ['another version', { version: '1.1' }, 'version: '],
    ['an expiry in the past', { expiresAt: '2026-03-01T11:00:00Z' }, 'is in the past'],
    ['an issue after its expiry', { issuedAt: '2026-04-01T12:00:00Z' }, 'issuedAt is not before expiresAt'],
    ['no expiry', { expiresAt: undefined }, 'expiresAt is missing'],
    ['a damaged DID', { merchant: 'did:web:' }, 'merchant: did:web: is not a DID'],
    ['a country that is none', { geography: { countryCodes: ['DEU'] } }, 'geography.countryCodes[0]: "DEU"'],
    [
      'five keys of one issuer',
      { issuers: [{ issuer: 'pa.example', keys: [1, 2, 3, 4, 5].map((n) => jwk(generateKey(`k${n}`))) }] },
      'more than 4 entries',
    ],
  ])('is refused with %s', (_, members, why) => {
    expect(() => issueBundle({ ...bundle, ...members } as never, root, rules)).toThrow(why);
  });
});

describe('a template', () => {
  const template = readTemplate({
    bundleIssuer: 'pa.example',
    category: 'parking',
    geography: { region: 'EU', countryCodes: ['DE'] },
    issuers: [
      { issuer: 'pa.example', keys: [jwk(pa)] },
      { issuer: 'wallet.example', keys: [{ file: 'wallet.jwk', kid: 'w' }] },
    ],
    valid: '7d',
  });
  const files = { fromFile: (_: string, kid: string | undefined) => ({ ...wallet, kid: kid ?? wallet.kid }) };

  it('makes a bundle with fresh dates, all issuers approved', () => {
    expect(bundleFrom(template, {}, files, NOW)).toEqual({
      version: '1.0',
      bundleId: 'parking-20260301120000',
      bundleIssuer: 'pa.example',
      category: 'parking',
      geography: { region: 'EU', countryCodes: ['DE'] },
      approvedIssuers: ['pa.example', 'wallet.example'],
      issuers: [
        { issuer: 'pa.example', keys: [jwk(pa)] },
        { issuer: 'wallet.example', keys: [{ ...jwk(wallet), kid: 'w' }] },
      ],
      issuedAt: '2026-03-01T12:00:00Z',
      expiresAt: '2026-03-08T12:00:00Z',
    });
  });

  it('gives way to what options say', () => {
    const changes = {
      merchant: 'did:web:city.example',
      region: 'US',
      issuers: new Map([['pa.example', [generateKey('pa-2')]]]),
      approved: ['did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'],
      revokedKeys: [{ issuer: 'wallet.example', kid: 'w' }],
      revokedGrants: ['g-1'],
      validMs: 3_600_000,
    };
    const made = bundleFrom(template, changes, files, NOW) as unknown as {
      readonly [name: string]: unknown;
      readonly issuers: readonly { readonly keys: readonly { readonly kid: string; readonly active?: boolean }[] }[];
    };
    expect(made.merchant).toBe('did:web:city.example');
    expect(made.geography).toEqual({ region: 'US', countryCodes: ['DE'] });
    expect(made.issuers.map((entry) => entry.keys.map((key) => [key.kid, key.active]))).toEqual([
      [['pa-2', undefined]],
      [['w', false]],
    ]);
    expect(made.approvedIssuers).toHaveLength(3);
    expect(made.revokedGrantIds).toEqual(['g-1']);
    expect(made.expiresAt).toBe('2026-03-01T13:00:00Z');
  });

  it('with development keys makes no bundle for the field', () => {
    const development = readTemplate({ issuers: [{ issuer: 'pa.example', keys: [{ development: 'k' }] }] });
    expect(() => bundleFrom(development, {}, noFiles, NOW)).toThrow('issuers[0].keys[0] is a development key');
  });

  it.each([
    [{ issuer: 'pa.example' }, 'issuer: there is no such member'],
    [
      { issuers: [{ issuer: 'pa.example', keys: [{ file: 'x', keyid: 'y' }] }] },
      'issuers[0].keys[0].keyid: there is no such member',
    ],
    [{ issuers: [{ issuer: 'pa.example', keys: ['x'] }] }, 'issuers[0].keys[0]: expected object'],
    [{ valid: 'a week' }, 'valid: "a week" is not a span such as 7d'],
    [{ geography: 'EU' }, 'geography: expected object, received string'],
  ])('%j is refused', (value, why) => {
    expect(() => readTemplate(value as never)).toThrow(why);
  });

  it('that says its lifetime twice is refused', () => {
    const twice = readTemplate({ bundleIssuer: 'x', valid: '1d', expiresAt: '2026-03-08T12:00:00Z' });
    expect(() => bundleFrom(twice, {}, noFiles, NOW)).toThrow('valid and expiresAt');
    expect(bundleFrom(twice, { validMs: 1000 }, noFiles, NOW)).toMatchObject({ expiresAt: '2026-03-01T12:00:01Z' });
  });

  it('cannot revoke a key that is not in it', () => {
    expect(() => bundleFrom(template, { revokedKeys: [{ issuer: 'pa.example', kid: 'x' }] }, files, NOW)).toThrow(
      'the bundle has no such key',
    );
  });
});

describe('samples', () => {
  it('use one key for one kid of an issuer, in all of them', () => {
    const keys = new DevelopmentKeys();
    const template = readTemplate({
      bundleIssuer: 'pa.example',
      valid: '1d',
      site: {},
      issuers: [{ issuer: 'pa.example', keys: [{ development: 'k' }] }],
    });
    const first = JSON.parse(bundleSample(template, root, keys, rules).bundle);
    const second = JSON.parse(bundleSample(template, root, keys, rules).bundle);
    expect(first.issuers).toEqual(second.issuers);
    expect(keys.all).toHaveLength(1);
  });

  it('take a key of an earlier run in place of a fresh one, and know it', () => {
    const keys = new DevelopmentKeys((kid) => (kid === 'pa-1' ? pa : undefined));
    expect(keys.key('pa.example', 'pa-1')).toBe(pa);
    expect(keys.key('pa.example', 'k').kid).toBe('k');
    expect(keys.all).toHaveLength(2);
    expect(keys.kept).toEqual([pa]);
  });

  it('ask for no earlier key by a kid that makes no file name', () => {
    const asked: string[] = [];
    const keys = new DevelopmentKeys((kid) => {
      asked.push(kid);
      return undefined;
    });
    expect(() => keys.key('pa.example', '../k')).toThrow('only letters');
    expect(asked).toEqual([]);
  });

  it('refuse one kid for two issuers, and kids that make no file name', () => {
    const keys = new DevelopmentKeys();
    keys.key('pa.example', 'k');
    expect(() => keys.key('wallet.example', 'k')).toThrow('is asked for by pa.example and by wallet.example');
    expect(() => keys.key('pa.example', '../k')).toThrow('only letters');
  });
});

describe('inspection', () => {
  it('tells for every key whether a device would use it, and why not', () => {
    const odd = {
      ...bundle,
      approvedIssuers: ['pa.example', 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK', 'far.example'],
      issuers: [
        {
          issuer: 'pa.example',
          keys: [
            jwk(pa),
            { ...jwk(wallet), kid: 'old', active: false },
            { ...jwk(pa), kid: 'ec', crv: 'P-256' },
            jwk(pa),
          ],
        },
        { issuer: 'wallet.example', keys: [jwk(wallet)] },
      ],
    };
    const { keys, ...rest } = inspectBundle(odd as never, Date.UTC(2026, 3, 1));
    expect(keys.map(({ issuer, kid, state, why }) => `${issuer} ${kid} ${state}: ${why}`)).toEqual([
      'pa.example pa-1 usable: ',
      'pa.example old revoked: active is false',
      'pa.example ec unusable: the key type is not Ed25519',
      'pa.example pa-1 unusable: another entry with this name comes first',
      'wallet.example wallet-1 unusable: the issuer is not approved',
      'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK any usable: the did:key is the key',
      'far.example  no key: approved; a device offline has no key for it',
    ]);
    expect(rest).toMatchObject({ signed: false, expired: true, bundleKeyId: undefined, merchant: undefined });
  });

  it('refuses what is no bundle', () => {
    expect(() => inspectBundle({ bundles: [] } as never, NOW)).toThrow('not a Trust Bundle: ');
  });
});
