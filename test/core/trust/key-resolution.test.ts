// From an issuer and a kid to a key (INTEROP §3, Lookup): bundles, then did:key, then pinned keys; revocation wins.

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import type { PinnedKey } from '../../../core/trust/configuration.ts';
import { permits } from '../../../core/trust/configuration.ts';
import type { KeyResult } from '../../../core/trust/key-resolution.ts';
import { publicJwk } from '../../../host-sim/signing/keys.ts';
import { bundle, type Changes, entry, grant, inSeconds, NOW, present, revoked, sba } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';
import { OTHER_WALLET, PA, pa, stranger, testKey, WALLET, wallet } from '../../fixtures/keys.ts';

const one = testKey('k', 70);
const two = testKey('k', 71);
const three = testKey('k3', 72);

/** A bundle of one operator that approves WALLET and lists the entries. */
function listing(operator: string, entries: readonly JsonObject[], changes: Changes = {}): Uint8Array {
  return bundle({
    bundleIssuer: operator,
    bundleId: operator,
    approvedIssuers: [WALLET],
    issuers: entries,
    ...changes,
  });
}

function device(bundles: readonly Uint8Array[], pinnedKeys: readonly PinnedKey[] = []): Device {
  return new Device({ bundles, configuration: { pinnedKeys } });
}

function lookup(bundles: readonly Uint8Array[], issuer: string | undefined = WALLET, kid = 'k'): KeyResult {
  return device(bundles).verifier.resolveKey(issuer, kid, 'sba');
}

function key(result: KeyResult): Uint8Array | string {
  return result.ok ? result.key : result.code;
}

/** `did:key` of an Ed25519 key, by the definition: base58 of 0xed 0x01 and the key. */
function didKey(publicKey: Uint8Array): string {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let value = BigInt(`0xed01${Buffer.from(publicKey).toString('hex')}`);
  let text = '';
  for (; value > 0n; value /= 58n) text = (alphabet[Number(value % 58n)] as string) + text;
  return `did:key:z${text}`;
}

describe('in a bundle', () => {
  it('the key is found by issuer and kid', () => {
    expect(lookup([listing('a', [entry(WALLET, one)])])).toEqual({
      ok: true,
      key: one.publicKey,
      issuer: WALLET,
      source: 'bundle',
    });
  });

  it('issuer and kid are compared as they are', () => {
    const bundles = [listing('a', [entry(WALLET, one)])];
    expect(key(lookup(bundles, WALLET.toUpperCase()))).toBe('KEY_NOT_FOUND');
    expect(key(lookup(bundles, `${WALLET} `))).toBe('KEY_NOT_FOUND');
    expect(key(lookup(bundles, WALLET, 'K'))).toBe('KEY_NOT_FOUND');
    expect(key(lookup(bundles, WALLET, ''))).toBe('KEY_NOT_FOUND');
  });

  it('an issuer that is embedded and not approved has no key', () => {
    expect(key(lookup([listing('a', [entry(WALLET, one)], { approvedIssuers: [PA] })]))).toBe('KEY_NOT_FOUND');
  });

  it('an issuer that is approved and not embedded has no key offline', () => {
    expect(key(lookup([listing('a', [])]))).toBe('KEY_NOT_FOUND');
  });

  it('approval in one bundle does not serve entries of another', () => {
    const approving = listing('a', []);
    const embedding = listing('b', [entry(WALLET, one)], { approvedIssuers: [] });
    expect(key(lookup([approving, embedding]))).toBe('KEY_NOT_FOUND');
  });

  it('the first entry of an issuer counts, and in it the first key of a kid', () => {
    expect(key(lookup([listing('a', [entry(WALLET, one, two)])]))).toEqual(one.publicKey);
    expect(key(lookup([listing('a', [entry(WALLET, one), entry(WALLET, two)])]))).toEqual(one.publicKey);
    expect(key(lookup([listing('a', [entry(WALLET, three), entry(WALLET, one)])]))).toBe('KEY_NOT_FOUND');
  });

  it('issuers named after members of Object.prototype are issuers like any other', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(key(lookup([listing('a', [entry(WALLET, one)])], name))).toBe('KEY_NOT_FOUND');
      const named = listing('a', [entry(name, one)], { approvedIssuers: [name] });
      expect(key(lookup([named], name))).toEqual(one.publicKey);
    }
  });

  it('without a bundle nothing is found', () => {
    expect(key(lookup([]))).toBe('KEY_NOT_FOUND');
  });
});

describe('among several bundles', () => {
  const early = (entries: readonly JsonObject[], changes: Changes = {}) =>
    listing('early', entries, { expiresAt: inSeconds(1000), ...changes });
  const late = (entries: readonly JsonObject[], changes: Changes = {}) =>
    listing('late', entries, { expiresAt: inSeconds(2000), ...changes });

  it('the one that expires last is asked first, whichever came first', () => {
    const both = [early([entry(WALLET, one)]), late([entry(WALLET, two)])];
    expect(key(lookup(both))).toEqual(two.publicKey);
    expect(key(lookup([...both].reverse()))).toEqual(two.publicKey);
  });

  it('a kid that is missing in the first falls through to the next', () => {
    expect(key(lookup([early([entry(WALLET, one)]), late([entry(WALLET, three)])]))).toEqual(one.publicKey);
  });

  it('a bundle that does not approve the issuer is passed over', () => {
    expect(key(lookup([early([entry(WALLET, one)]), late([entry(WALLET, two)], { approvedIssuers: [PA] })]))).toEqual(
      one.publicKey,
    );
  });

  it('an unusable key is an answer: nothing falls through it', () => {
    const malformed = { kty: 'OKP', crv: 'Ed25519', kid: 'k', x: 'AAAA' };
    expect(key(lookup([early([entry(WALLET, one)]), late([entry(WALLET, malformed)])]))).toBe('KEY_FORMAT_INVALID');
  });

  it('an expired bundle is passed over from the millisecond it expires in', () => {
    const both = device([early([entry(WALLET, one)]), late([entry(WALLET, two)])]);
    both.nowMs = NOW + 1_999_999;
    expect(key(both.verifier.resolveKey(WALLET, 'k', 'sba'))).toEqual(two.publicKey);
    both.nowMs = NOW + 2_000_000;
    expect(key(both.verifier.resolveKey(WALLET, 'k', 'sba'))).toBe('KEY_NOT_FOUND');
  });

  it('a replaced bundle is gone, with its keys', () => {
    const replaced = device([listing('a', [entry(WALLET, one)])]);
    replaced.verifier.admit(listing('a', [entry(WALLET, three)], { issuedAt: inSeconds(-1) }));
    expect(key(replaced.verifier.resolveKey(WALLET, 'k', 'sba'))).toBe('KEY_NOT_FOUND');
  });
});

describe('active: false', () => {
  const good = listing('good', [entry(WALLET, one)], { expiresAt: inSeconds(5000) });

  it('revokes the key', () => {
    expect(key(lookup([listing('a', [entry(WALLET, revoked(one))])]))).toBe('KEY_REVOKED');
  });

  it('leaves the key beside it alone', () => {
    expect(key(lookup([listing('a', [entry(WALLET, revoked(one), three)])], WALLET, 'k3'))).toEqual(three.publicKey);
  });

  it.each<[string, Changes]>([
    ['that expires earlier', { expiresAt: inSeconds(1000) }],
    ['that expires later', { expiresAt: inSeconds(9000) }],
    ['that does not approve the issuer', { approvedIssuers: [] }],
  ])('wins over a bundle that lists the key as active, in a bundle %s', (_, changes) => {
    const revoking = listing('revoking', [entry(WALLET, revoked(one))], changes);
    expect(key(lookup([good, revoking]))).toBe('KEY_REVOKED');
    expect(key(lookup([revoking, good]))).toBe('KEY_REVOKED');
  });

  it('wins in an expired bundle that is still loaded', () => {
    const both = device([good, listing('revoking', [entry(WALLET, revoked(one))], { expiresAt: inSeconds(10) })]);
    both.nowMs = NOW + 20_000;
    expect(key(both.verifier.resolveKey(WALLET, 'k', 'sba'))).toBe('KEY_REVOKED');
  });

  it('wins in an entry that lookup would not come to', () => {
    expect(key(lookup([listing('a', [entry(WALLET, one), entry(WALLET, revoked(one))])]))).toBe('KEY_REVOKED');
    expect(key(lookup([listing('a', [entry(WALLET, one, revoked(one))])]))).toBe('KEY_REVOKED');
  });

  it('revokes the key under every kid that its issuer lists it by', () => {
    const renamed = { ...publicJwk(one), kid: 'new-name' };
    expect(
      key(
        lookup(
          [listing('a', [entry(WALLET, renamed)]), listing('b', [entry(WALLET, revoked(one))])],
          WALLET,
          'new-name',
        ),
      ),
    ).toBe('KEY_REVOKED');
  });

  it('revokes a kid even where its key cannot be read', () => {
    const unreadable = { kty: 'OKP', crv: 'Ed25519', kid: 'k', active: false };
    expect(key(lookup([good, listing('b', [entry(WALLET, unreadable)])]))).toBe('KEY_REVOKED');
  });

  it('on a key that cannot be read revokes its kid only, not the keys beside it', () => {
    const unreadable = { kty: 'OKP', crv: 'Ed25519', kid: 'old', active: false };
    expect(key(lookup([good, listing('b', [entry(WALLET, unreadable)])]))).toEqual(one.publicKey);
  });

  it('of another issuer says nothing about this one', () => {
    expect(key(lookup([good, listing('b', [entry(OTHER_WALLET, revoked(one))])]))).toEqual(one.publicKey);
  });

  it('stops payments under the key, with its own code', () => {
    const both = new Device({ bundles: [bundle(), listing('revoking', [entry(WALLET, revoked(wallet))])] });
    expect(both.refuses('KEY_REVOKED', () => both.authorize(present())).check).toBe('sba.signer');
  });

  it('stops payments under a grant key', () => {
    const both = new Device({ bundles: [bundle(), listing('revoking', [entry(PA, revoked(pa))])] });
    expect(both.refuses('KEY_REVOKED', () => both.authorize(present())).check).toBe('policyGrant.signer');
  });
});

describe('a listed key that is', () => {
  const points = {
    'a point of small order': [0],
    'the neutral point': [1],
    'no point': [2],
    'not canonical': Array(32).fill(0xff),
  };

  it.each(Object.entries(points))('%s is KEY_FORMAT_INVALID when it is used, every time', (_, bytes) => {
    const x = Buffer.concat([Buffer.from(bytes)], 32).toString('base64url');
    const { verifier } = device([listing('a', [entry(WALLET, { ...publicJwk(one), x })])]);
    for (let i = 0; i < 2; i++) expect(key(verifier.resolveKey(WALLET, 'k', 'sba'))).toBe('KEY_FORMAT_INVALID');
  });

  it('attack: revoked under one kid with a JWK that cannot be used, and listed under another', () => {
    const spoilt = { ...revoked(one), alg: 'ES256' };
    const again = { ...publicJwk(one), kid: 'again' };
    expect(key(lookup([listing('a', [entry(WALLET, spoilt, again)])], WALLET, 'again'))).toBe('KEY_REVOKED');
  });
});

describe('a did:key issuer', () => {
  const did = didKey(one.publicKey);

  it('carries its own key where a bundle approves it', () => {
    expect(key(lookup([listing('a', [], { approvedIssuers: [did] })], did, 'any'))).toEqual(one.publicKey);
  });

  it('has no key where no bundle approves it', () => {
    expect(key(lookup([listing('a', [entry(did, one)], { approvedIssuers: [WALLET] })], did))).toBe('KEY_NOT_FOUND');
    expect(key(lookup([listing('a', [])], did))).toBe('KEY_NOT_FOUND');
    expect(key(lookup([], did))).toBe('KEY_NOT_FOUND');
  });

  it('has no key once the bundle that approves it has expired', () => {
    const approving = device([listing('a', [], { approvedIssuers: [did] })]);
    approving.nowMs = NOW + 86_400_000;
    expect(key(approving.verifier.resolveKey(did, 'any', 'sba'))).toBe('KEY_NOT_FOUND');
  });

  it('has the listed key where a bundle lists one under the kid', () => {
    expect(key(lookup([listing('a', [entry(did, two)], { approvedIssuers: [did] })], did))).toEqual(two.publicKey);
  });

  it('attack: revoked by kid alone, it is presented under a kid that nobody revoked', () => {
    const { x: _, ...withoutX } = revoked(one);
    const listed = [listing('a', [{ issuer: did, keys: [withoutX] }], { approvedIssuers: [did] })];
    expect(key(lookup(listed, did, 'k'))).toBe('KEY_REVOKED');
    expect(key(lookup(listed, did, 'zz'))).toBe('KEY_NOT_FOUND');
  });

  it('does not carry its own key where a bundle lists another for it', () => {
    const listed = [listing('a', [entry(did, two)], { approvedIssuers: [did] })];
    expect(key(lookup(listed, did, 'another'))).toBe('KEY_NOT_FOUND');
  });

  it('is revoked under every kid where its key is', () => {
    const listed = [listing('a', [entry(did, revoked(one))], { approvedIssuers: [did] })];
    expect(key(lookup(listed, did, 'k'))).toBe('KEY_REVOKED');
    expect(key(lookup(listed, did, 'another'))).toBe('KEY_REVOKED');
  });

  it('of a point that cannot be used is KEY_FORMAT_INVALID', () => {
    const small = didKey(new Uint8Array(32));
    expect(key(lookup([listing('a', [], { approvedIssuers: [small] })], small))).toBe('KEY_FORMAT_INVALID');
  });

  it('that is no Ed25519 key has none', () => {
    for (const other of [
      'did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc',
      'did:key:',
      `${did}#k`,
      'did:web:wallet.example',
    ]) {
      expect(key(lookup([listing('a', [], { approvedIssuers: [other] })], other)), other).toBe('KEY_NOT_FOUND');
    }
  });

  it('signs grants where the configuration permits it', () => {
    const configuration = { grantIssuers: [did], sbaIssuers: { [did]: [WALLET] } };
    const approving = listing('a', [entry(WALLET, wallet)], { approvedIssuers: [did, WALLET] });
    const payment = present({ grant: grant({}, { key: one, issuer: did }) });
    new Device({ configuration, bundles: [approving] }).approves(() =>
      new Device({ configuration, bundles: [approving] }).authorize(payment),
    );
    const closed = new Device({ configuration, bundles: [listing('a', [entry(WALLET, wallet)])] });
    closed.refuses('KEY_NOT_FOUND', () => closed.authorize(payment));
  });
});

describe('a pinned key', () => {
  const pinned: PinnedKey = { role: 'sba', issuer: WALLET, kid: 'k', publicKey: one.publicKey };
  const anybody: PinnedKey = { role: 'sba', kid: 'k', publicKey: one.publicKey };
  const find = (keys: readonly PinnedKey[], bundles: readonly Uint8Array[], issuer: string | undefined, kid = 'k') =>
    device(bundles, keys).verifier.resolveKey(issuer, kid, 'sba');

  it('serves an issuer that no bundle names', () => {
    expect(find([pinned], [], WALLET)).toEqual({ ok: true, key: one.publicKey, issuer: WALLET, source: 'pinned' });
  });

  it('of nobody in particular serves such an issuer too, and is not that issuer’s for it', () => {
    expect(find([anybody], [], WALLET)).toEqual({
      ok: true,
      key: one.publicKey,
      issuer: undefined,
      source: 'pinned',
    });
  });

  it('for the issuer that is named goes before one of nobody in particular, whatever their order', () => {
    const other: PinnedKey = { ...anybody, publicKey: three.publicKey };
    for (const keys of [
      [other, pinned],
      [pinned, other],
    ]) {
      expect(find(keys, [], WALLET)).toMatchObject({ key: one.publicKey, issuer: WALLET });
      expect(find(keys, [], OTHER_WALLET)).toMatchObject({ key: three.publicKey, issuer: undefined });
      expect(find(keys, [], undefined)).toMatchObject({ key: three.publicKey, issuer: undefined });
    }
  });

  it('serves an artifact that names no issuer', () => {
    expect(find([anybody], [], undefined)).toMatchObject({ ok: true, issuer: undefined, source: 'pinned' });
  });

  it('speaks for its own issuer where the artifact names none', () => {
    expect(find([pinned], [], undefined)).toMatchObject({ ok: true, issuer: WALLET });
  });

  it('serves its issuer, kid and role only', () => {
    expect(key(find([pinned], [], OTHER_WALLET))).toBe('KEY_NOT_FOUND');
    expect(key(find([pinned], [], WALLET, 'K'))).toBe('KEY_NOT_FOUND');
    expect(key(find([{ ...pinned, role: 'spa' }], [], WALLET))).toBe('KEY_NOT_FOUND');
    expect(key(find([{ ...pinned, role: 'policyGrant' }], [], WALLET))).toBe('KEY_NOT_FOUND');
  });

  it.each<[string, Uint8Array]>([
    ['approves', listing('a', [])],
    ['embeds without approving', listing('a', [entry(WALLET, three)], { approvedIssuers: [] })],
    ['embeds under other kids', listing('a', [entry(WALLET, three)])],
    ['revokes', listing('a', [entry(WALLET, revoked(one))])],
  ])('is no fall-back for an issuer that a bundle %s', (_, naming) => {
    expect(find([pinned], [naming], WALLET).ok).toBe(false);
    expect(find([anybody], [naming], WALLET).ok).toBe(false);
  });

  it('is no fall-back for an issuer that only an expired bundle names', () => {
    const expired = device([listing('a', [])], [pinned]);
    expired.nowMs = NOW + 86_400_000;
    expect(key(expired.verifier.resolveKey(WALLET, 'k', 'sba'))).toBe('KEY_NOT_FOUND');
  });

  it('of an issuer that a bundle names does not serve an artifact that leaves the issuer out', () => {
    expect(find([pinned], [listing('a', [entry(WALLET, three)])], undefined).ok).toBe(false);
  });

  it('that a bundle revokes does not come back by leaving the issuer out', () => {
    expect(key(find([pinned], [listing('a', [entry(WALLET, revoked(one))])], undefined))).toBe('KEY_REVOKED');
  });
});

describe('attack: a revoked wallet whose key is pinned for nobody in particular leaves its issuer out', () => {
  it('and is refused all the same: the key is revoked, whoever it is pinned for', () => {
    const revoking = bundle({ issuers: [entry(PA, pa), entry(WALLET, revoked(wallet))] });
    const pinnedKeys: readonly PinnedKey[] = [{ role: 'sba', kid: wallet.kid, publicKey: wallet.publicKey }];
    const site = new Device({ bundles: [revoking], configuration: { pinnedKeys } });
    site.refuses('KEY_REVOKED', () => site.authorize(present({ sba: sba({}, { issuer: null }) })));
  });
});

describe('attack: a revoked wallet whose key is pinned for nobody in particular names an issuer no bundle knows', () => {
  it('and is refused all the same', () => {
    const forgotten = 'forgotten.example';
    const revoking = bundle({ issuers: [entry(PA, pa), entry(WALLET, revoked(wallet))] });
    const pinnedKeys: readonly PinnedKey[] = [{ role: 'sba', kid: wallet.kid, publicKey: wallet.publicKey }];
    const site = new Device({
      bundles: [revoking],
      configuration: { pinnedKeys, sbaIssuers: { [PA]: [WALLET, forgotten] } },
    });
    site.refuses('KEY_REVOKED', () => site.authorize(present({ sba: sba({}, { issuer: forgotten }) })));
  });
});

describe('attack: a revoked wallet leaves its issuer out', () => {
  it('and is refused all the same', () => {
    const revoking = bundle({ issuers: [entry(PA, pa), entry(WALLET, revoked(wallet))] });
    const pinnedKeys: readonly PinnedKey[] = [
      { role: 'sba', issuer: WALLET, kid: wallet.kid, publicKey: wallet.publicKey },
    ];
    const site = new Device({ bundles: [revoking], configuration: { pinnedKeys } });
    site.refuses('KEY_REVOKED', () => site.authorize(present()));
    site.refuses('any', () => site.authorize(present({ sba: sba({}, { issuer: null }) })));
  });
});

describe('the clock', () => {
  it('that was never set finds no key', () => {
    const unset = device([listing('a', [entry(WALLET, one)])]);
    unset.nowMs = undefined;
    expect(key(unset.verifier.resolveKey(WALLET, 'k', 'sba'))).toBe('CLOCK_UNTRUSTED');
  });
});

describe('a rule', () => {
  it('is an issuer, with all its kids', () => {
    expect(permits([WALLET], WALLET, 'any')).toBe(true);
    expect(permits([WALLET], OTHER_WALLET, 'any')).toBe(false);
    expect(permits([], WALLET, 'any')).toBe(false);
  });

  it('is an issuer with the kids it applies to', () => {
    const rules = [{ issuer: WALLET, kids: ['a', 'b'] }];
    expect(permits(rules, WALLET, 'b')).toBe(true);
    expect(permits(rules, WALLET, 'c')).toBe(false);
    expect(permits(rules, OTHER_WALLET, 'a')).toBe(false);
    expect(permits([{ issuer: WALLET, kids: [] }], WALLET, 'a')).toBe(false);
  });

  it('is no pattern', () => {
    expect(permits(['*'], WALLET, 'a')).toBe(false);
    expect(permits(['wallet.*'], WALLET, 'a')).toBe(false);
  });

  it('that is met is enough', () => {
    expect(
      permits(
        [
          { issuer: WALLET, kids: ['a'] },
          { issuer: WALLET, kids: ['b'] },
        ],
        WALLET,
        'b',
      ),
    ).toBe(true);
    expect(permits([stranger.kid, WALLET], WALLET, 'b')).toBe(true);
  });
});
