// Admission of a Trust Bundle, step by step. After every refusal trust, ledger and flash are what they were.

import { describe, expect, it } from 'vitest';
import { domainMessage } from '../../../core/hash/domains.ts';
import type { Refusal } from '../../../core/reason-codes.ts';
import type { Admission } from '../../../core/verifier.ts';
import { sign } from '../../../host-sim/signing/keys.ts';
import {
  BUNDLE,
  bundle,
  type Changes,
  changed,
  entry,
  grant,
  inSeconds,
  iso,
  NOW,
  present,
  revoked,
  sba,
} from '../../fixtures/artifacts.ts';
import { ASKED, Device } from '../../fixtures/device.ts';
import { otherRoot, PA, pa, root, testKey, WALLET, wallet } from '../../fixtures/keys.ts';
import { TERMINAL } from '../../fixtures/site.ts';
import { bytesOf, jsonBytes, utf8 } from '../../fixtures/text.ts';

/** A device that has admitted nothing. */
function bare(configuration: ConstructorParameters<typeof Device>[0] = {}): Device {
  return new Device({ bundles: [], ...configuration });
}

/** The refusal of a bundle, with everything as it was before. */
function refused(device: Device, code: Refusal['code'], bytes: Uint8Array): Refusal {
  const refusal = device.refuses(code, () => device.verifier.admit(bytes));
  expect(refusal.artifact).toBe('trustBundle');
  return refusal;
}

function admitted(admission: Admission): void {
  expect(admission).toMatchObject({ ok: true });
}

/** A bundle with members changed after it was signed. */
function forged(changes: Changes): Uint8Array {
  return jsonBytes(changed(JSON.parse(new TextDecoder().decode(bundle())), changes));
}

/** The usual bundle signed over `prefix ‖ canonical JSON` itself, as the published text has it. */
function signedRaw(encoding: 'base64' | 'base64url'): Uint8Array {
  const body = { ...BUNDLE, bundleKeyId: root.kid };
  const parts: Uint8Array[] = [];
  domainMessage('TrustBundle', body)?.((part) => parts.push(part.slice()));
  return jsonBytes({ ...body, signature: Buffer.from(sign(root, Buffer.concat(parts))).toString(encoding) });
}

/** The usual bundle with its signature spelled another way. */
function respelled(spell: (signature: string) => string): Uint8Array {
  const wire = JSON.parse(new TextDecoder().decode(bundle()));
  return jsonBytes({ ...wire, signature: spell(wire.signature) });
}

describe('a good bundle', () => {
  it('is admitted, and payments are checked with its keys', () => {
    const device = bare();
    admitted(device.verifier.admit(bundle()));
    device.approves(() => device.authorize(present()));
  });

  it('is what the caller gets back', () => {
    expect(bare().verifier.admit(bundle())).toMatchObject({
      ok: true,
      bundle: { bundleId: 'bundle-1', expiresAtMs: NOW + 86_400_000 },
    });
  });

  it('is logged', () => {
    const device = bare();
    device.verifier.admit(bundle());
    expect(device.events).toContainEqual({
      event: 'bundle.admitted',
      bundleId: 'bundle-1',
      expiresAtMs: NOW + 86_400_000,
    });
  });

  it('may be admitted again, and writes nothing the second time', () => {
    const device = new Device();
    const before = device.state();
    admitted(device.verifier.admit(bundle()));
    expect(device.state()).toEqual(before);
  });
});

describe('a bundle for another merchant', () => {
  it('is refused by a terminal that has a merchant, without a bundle scope of its own', () => {
    refused(bare(), 'BUNDLE_SCOPE_MISMATCH', bundle({ merchant: 'did:web:rival.example' }));
    admitted(bare().verifier.admit(bundle({ merchant: TERMINAL.merchant as string })));
  });

  it('is taken where the scope says so', () => {
    const scoped = bare({ configuration: { bundleScope: { merchant: 'did:web:rival.example' } } });
    admitted(scoped.verifier.admit(bundle({ merchant: 'did:web:rival.example' })));
  });
});

describe('step 1, reading', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['text that is not JSON', utf8('bundle')],
    ['text after the bundle', utf8(`${new TextDecoder().decode(bundle())} x`)],
    ['a byte-order mark', bytesOf(0xef, 0xbb, 0xbf, ...bundle())],
    ['a duplicate member', utf8(new TextDecoder().decode(bundle()).replace('{', '{"version":"1.0",'))],
  ])('refuses %s', (_, bytes) => {
    expect(refused(bare(), 'ARTIFACT_INVALID', bytes).check).toBe('bundle.read');
  });

  it('refuses more than 32 KB', () => {
    const padded = (size: number) => utf8(new TextDecoder().decode(bundle()).padEnd(size, ' '));
    expect(refused(bare(), 'LIMIT_EXCEEDED', padded(32_769)).check).toBe('bundle.read');
    admitted(bare().verifier.admit(padded(32_768)));
  });

  it('refuses another version', () => {
    for (const version of ['1.1', '2.0', 1]) {
      expect(refused(bare(), 'VERSION_UNSUPPORTED', bundle({ version })).check).toBe('bundle.shape');
    }
  });

  it('refuses a shape that is not a bundle’s', () => {
    expect(refused(bare(), 'ARTIFACT_INVALID', bundle({ approvedIssuers: undefined })).check).toBe('bundle.shape');
    expect(refused(bare(), 'ARTIFACT_INVALID', jsonBytes(grant())).check).toBe('bundle.shape');
  });

  it('refuses more than 160 issuers', () => {
    const issuers = (n: number) => Array.from({ length: n }, (_, i) => `i${i}`);
    expect(refused(bare(), 'LIMIT_EXCEEDED', bundle({ approvedIssuers: issuers(161) })).check).toBe('bundle.shape');
    admitted(bare().verifier.admit(bundle({ approvedIssuers: issuers(160) })));
    const entries = (n: number) => issuers(n).map((name) => entry(name, pa));
    expect(refused(bare(), 'LIMIT_EXCEEDED', bundle({ issuers: entries(161) })).check).toBe('bundle.shape');
    admitted(bare().verifier.admit(bundle({ issuers: entries(160) })));
  });

  it('refuses more than 4 keys of an issuer', () => {
    const keys = (n: number) => [entry(PA, ...Array.from({ length: n }, (_, i) => testKey(`k${i}`, 50 + i)))];
    expect(refused(bare(), 'LIMIT_EXCEEDED', bundle({ issuers: keys(5) })).check).toBe('bundle.shape');
    admitted(bare().verifier.admit(bundle({ issuers: keys(4) })));
  });

  it('admits a bundle with a malformed key: only that key is unusable', () => {
    const device = bare();
    const bad = { kty: 'OKP', crv: 'Ed25519', kid: 'bad', x: 'AAAA' };
    admitted(device.verifier.admit(bundle({ issuers: [entry(PA, bad, pa), entry(WALLET, wallet)] })));
    device.approves(() => device.authorize(present()));
    device.refuses('KEY_FORMAT_INVALID', () =>
      device.authorize(present({ grant: grant({ grantId: 'grant-1' }, { key: testKey('bad', 51) }) })),
    );
  });
});

describe('step 2, scope', () => {
  const scope = { merchant: 'm1', category: 'c1', region: 'EU' };
  const scoped = () => bare({ configuration: { bundleScope: scope } });

  it.each<[string, Changes]>([
    ['merchant', { merchant: 'm2' }],
    ['category', { category: 'c2' }],
    ['region', { geography: { region: 'US' } }],
  ])('refuses a bundle for another %s', (_, changes) => {
    expect(refused(scoped(), 'BUNDLE_SCOPE_MISMATCH', bundle(changes)).check).toBe('bundle.scope');
  });

  it('tells scopes apart by case', () => {
    refused(scoped(), 'BUNDLE_SCOPE_MISMATCH', bundle({ merchant: 'M1' }));
  });

  it('admits a bundle for this device, one that names part of its scope, and one for nobody in particular', () => {
    admitted(scoped().verifier.admit(bundle({ merchant: 'm1', category: 'c1', geography: { region: 'EU' } })));
    admitted(scoped().verifier.admit(bundle({ category: 'c1' })));
    admitted(scoped().verifier.admit(bundle()));
  });
});

describe('step 3, expiry', () => {
  it('attack: issuedAt at or behind the expiry would move the time floor past everything', () => {
    for (const issuedAt of [inSeconds(3600), inSeconds(7200)]) {
      refused(bare(), 'ARTIFACT_INVALID', bundle({ issuedAt, expiresAt: inSeconds(3600) }));
    }
    admitted(bare().verifier.admit(bundle({ issuedAt: inSeconds(3599), expiresAt: inSeconds(3600) })));
  });

  it('has no drift: a bundle that expires now is expired', () => {
    expect(refused(bare(), 'ARTIFACT_EXPIRED', bundle({ expiresAt: iso(NOW) })).check).toBe('bundle.expiry');
    refused(bare(), 'ARTIFACT_EXPIRED', bundle({ expiresAt: iso(NOW - 1) }));
    admitted(bare().verifier.admit(bundle({ expiresAt: iso(NOW + 1) })));
  });

  it('takes the earlier of two expiries', () => {
    refused(bare(), 'ARTIFACT_EXPIRED', bundle({ expiresAtISO: inSeconds(-1) }));
  });

  it('admits an issuedAt ahead of the clock, which moves the time floor', () => {
    const device = bare();
    admitted(device.verifier.admit(bundle({ issuedAt: inSeconds(600) })));
    expect(device.verifier.now()).toBe(NOW + 600_000);
  });

  it('goes by the time floor where the clock was set back', () => {
    const device = new Device({ bundles: [bundle({ issuedAt: inSeconds(0) })] });
    device.nowMs = NOW - 86_400_000;
    refused(device, 'ARTIFACT_EXPIRED', bundle({ bundleIssuer: 'x', issuedAt: undefined, expiresAt: inSeconds(-1) }));
  });

  it('refuses everything while the clock was never set', () => {
    const device = bare();
    device.nowMs = undefined;
    device.refuses('CLOCK_UNTRUSTED', () => device.verifier.admit(bundle()));
  });
});

describe('step 4, rollback', () => {
  it('refuses an older issuedAt, and admits the same and a later one', () => {
    const same = bundle({ issuedAt: inSeconds(-100) });
    const device = new Device({ bundles: [same] });
    const refusal = refused(device, 'BUNDLE_ROLLBACK', bundle({ issuedAt: inSeconds(-101) }));
    expect(refusal.check).toBe('bundle.rollback');
    admitted(device.verifier.admit(same));
    admitted(device.verifier.admit(bundle({ issuedAt: inSeconds(-99) })));
    refused(device, 'BUNDLE_ROLLBACK', bundle({ issuedAt: inSeconds(-100) }));
  });

  it('an older bundle with the issuedAt of the newest does not come back', () => {
    const older = bundle({ issuedAt: inSeconds(-100), revokedGrantIds: [] });
    const newer = bundle({ issuedAt: inSeconds(-100), revokedGrantIds: ['g-1'] });
    const device = new Device({ bundles: [newer] });
    expect(refused(device, 'BUNDLE_ROLLBACK', older).check).toBe('bundle.twin');
    admitted(device.verifier.admit(newer));
  });

  it('is not fooled by a later expiry', () => {
    const device = new Device();
    refused(device, 'BUNDLE_ROLLBACK', bundle({ issuedAt: inSeconds(-3601), expiresAt: inSeconds(999_999) }));
  });

  it('goes by expiresAt where bundles have no issuedAt', () => {
    const of = (seconds: number) => bundle({ issuedAt: undefined, expiresAt: inSeconds(seconds) });
    const device = new Device({ bundles: [of(1000)] });
    refused(device, 'BUNDLE_ROLLBACK', of(999));
    admitted(device.verifier.admit(of(1000)));
    admitted(device.verifier.admit(of(1001)));
  });

  it('goes by expiresAt where only one of the two has an issuedAt', () => {
    const device = new Device({ bundles: [bundle({ expiresAt: inSeconds(1000) })] });
    refused(device, 'BUNDLE_ROLLBACK', bundle({ issuedAt: undefined, expiresAt: inSeconds(999) }));
  });

  it('still knows the latest issuedAt after a bundle without one', () => {
    const device = new Device({ bundles: [bundle({ issuedAt: inSeconds(-10), expiresAt: inSeconds(1000) })] });
    admitted(device.verifier.admit(bundle({ issuedAt: undefined, expiresAt: inSeconds(2000) })));
    refused(device, 'BUNDLE_ROLLBACK', bundle({ issuedAt: inSeconds(-11), expiresAt: inSeconds(3000) }));
  });

  it('is not fooled by another bundleId: a bundle is known by issuer, category, merchant and region', () => {
    const device = new Device();
    refused(device, 'BUNDLE_ROLLBACK', bundle({ bundleId: 'quite another', issuedAt: inSeconds(-3601) }));
  });

  it.each<[string, Changes]>([
    ['issuer', { bundleIssuer: 'another.example' }],
    ['category', { category: 'gates' }],
    ['merchant', { merchant: TERMINAL.merchant as string }],
    ['region', { geography: { region: 'EU' } }],
  ])('leaves bundles of another %s alone', (_, changes) => {
    const device = new Device();
    admitted(device.verifier.admit(bundle({ ...changes, issuedAt: inSeconds(-9999) })));
  });

  it('does not run names together: ("a", "bc") is not ("ab", "c")', () => {
    const device = bare();
    admitted(device.verifier.admit(bundle({ bundleIssuer: 'a', category: 'bc' })));
    admitted(device.verifier.admit(bundle({ bundleIssuer: 'ab', category: 'c', issuedAt: inSeconds(-9999) })));
  });

  it('remembers after a restart, before any bundle is loaded again', () => {
    const device = new Device().restart([]);
    expect(device.verifier.trust.bundles).toHaveLength(0);
    refused(device, 'BUNDLE_ROLLBACK', bundle({ issuedAt: inSeconds(-3601) }));
    admitted(device.verifier.admit(bundle()));
  });

  it('remembers after the bundle has expired', () => {
    const device = new Device({ bundles: [bundle({ expiresAt: inSeconds(60) })] });
    device.nowMs = NOW + 120_000;
    device.restart([]);
    refused(device, 'BUNDLE_ROLLBACK', bundle({ issuedAt: inSeconds(-3601) }));
  });

  it('is not remembered from a bundle that was refused', () => {
    const device = bare();
    refused(device, 'TRUST_BUNDLE_SIGNATURE_INVALID', forged({ issuedAt: inSeconds(-1) }));
    admitted(device.verifier.admit(bundle()));
  });
});

describe('step 5, signature', () => {
  it('is by a root key the device has', () => {
    expect(refused(bare(), 'KEY_NOT_FOUND', bundle({}, otherRoot)).check).toBe('bundle.root');
  });

  it('is by that root key and not by one with its kid', () => {
    const impostor = testKey(root.kid, 60);
    expect(refused(bare(), 'TRUST_BUNDLE_SIGNATURE_INVALID', bundle({}, impostor)).check).toBe('bundle.signature');
  });

  it('may be by a root key configured without a kid, whatever kid the bundle names', () => {
    const device = bare({ configuration: { rootKeys: [{ kid: undefined, publicKey: root.publicKey }] } });
    admitted(device.verifier.admit(bundle()));
    refused(device, 'TRUST_BUNDLE_SIGNATURE_INVALID', bundle({ bundleIssuer: 'x' }, otherRoot));
  });

  it('may be by the second of two root keys with one kid', () => {
    const rootKeys = [
      { kid: root.kid, publicKey: otherRoot.publicKey },
      { kid: root.kid, publicKey: root.publicKey },
    ];
    admitted(bare({ configuration: { rootKeys } }).verifier.admit(bundle()));
  });

  it('is never found without root keys', () => {
    refused(bare({ configuration: { rootKeys: [] } }), 'KEY_NOT_FOUND', bundle());
  });

  it('is over the digest, in either alphabet, with or without padding', () => {
    admitted(bare().verifier.admit(bundle()));
    admitted(bare().verifier.admit(respelled((text) => text.replace(/=+$/, ''))));
    admitted(bare().verifier.admit(respelled((text) => text.replaceAll('+', '-').replaceAll('/', '_'))));
  });

  it('is over the raw bytes, in either alphabet', () => {
    admitted(bare().verifier.admit(signedRaw('base64url')));
    admitted(bare().verifier.admit(signedRaw('base64')));
  });

  it.each<[string, (signature: string) => unknown]>([
    ['missing', () => undefined],
    ['null', () => null],
    ['a number', () => 1],
    ['empty', () => ''],
    ['cut', (text) => text.slice(0, 84)],
    ['one byte too long', (text) => Buffer.concat([Buffer.from(text, 'base64'), Buffer.from([0])]).toString('base64')],
    ['broken by white space', (text) => `${text.slice(0, 40)}\n${text.slice(40)}`],
    ['hexadecimal', (text) => Buffer.from(text, 'base64').toString('hex')],
    ['all zeros', () => Buffer.alloc(64).toString('base64')],
    ['another bundle’s', () => JSON.parse(new TextDecoder().decode(bundle({ bundleId: 'other' }))).signature],
  ])('is refused where it is %s', (_, spell) => {
    const bytes = respelled(spell as (signature: string) => string);
    expect(refused(bare(), 'TRUST_BUNDLE_SIGNATURE_INVALID', bytes).check).toBe('bundle.signature');
  });

  it.each<[string, Changes]>([
    ['an approved issuer was added', { approvedIssuers: [...(BUNDLE.approvedIssuers as string[]), 'mallory.example'] }],
    ['a key was replaced', { issuers: [entry(PA, testKey(pa.kid, 61))] }],
    ['the expiry was moved', { expiresAt: inSeconds(999_999) }],
    ['the issue was moved', { issuedAt: inSeconds(-1) }],
    ['a revocation was taken out', { revokedGrantIds: [] }],
    ['a member nobody knows was added', { note: 1 }],
    ['the scope was changed', { merchant: TERMINAL.merchant as string }],
  ])('is refused where %s after signing', (_, changes) => {
    refused(bare(), 'TRUST_BUNDLE_SIGNATURE_INVALID', forged(changes));
  });

  it('still holds where members were added that are null: they are not signed', () => {
    admitted(bare().verifier.admit(forged({ note: null })));
  });

  it('does not let a payment key sign bundles', () => {
    refused(bare(), 'KEY_NOT_FOUND', bundle({}, pa));
    refused(bare(), 'TRUST_BUNDLE_SIGNATURE_INVALID', bundle({}, testKey(root.kid, 3)));
  });
});

describe('four bundles', () => {
  const numbered = (n: number, changes: Changes = {}) =>
    bundle({ bundleIssuer: `operator-${n}`, bundleId: `bundle-${n}`, ...changes });
  const full = () => new Device({ bundles: [1, 2, 3, 4].map((n) => numbered(n, { expiresAt: inSeconds(n * 1000) })) });

  it('are held', () => {
    expect(full().verifier.trust.bundles.map((held) => held.bundleId)).toEqual([
      'bundle-4',
      'bundle-3',
      'bundle-2',
      'bundle-1',
    ]);
  });

  it('leave no room for a fifth, and nothing of it is remembered', () => {
    const device = full();
    expect(refused(device, 'STORE_FULL', numbered(5, { issuedAt: inSeconds(100) })).check).toBe('bundle.room');
    expect(device.verifier.now()).toBe(NOW);
  });

  it('may be replaced, each by a newer one of its identity', () => {
    const device = full();
    admitted(device.verifier.admit(numbered(2, { bundleId: 'newer', issuedAt: inSeconds(-1) })));
    expect(device.verifier.trust.bundles).toHaveLength(4);
    expect(device.verifier.trust.bundles.map((held) => held.bundleId)).toContain('newer');
    expect(device.verifier.trust.bundles.map((held) => held.bundleId)).not.toContain('bundle-2');
  });

  it('make room for a fifth once one of them has expired', () => {
    const device = full();
    device.nowMs = NOW + 1_000_000;
    admitted(device.verifier.admit(numbered(5)));
    expect(device.verifier.trust.bundles.map((held) => held.bundleId)).toEqual([
      'bundle-5',
      'bundle-4',
      'bundle-3',
      'bundle-2',
    ]);
  });
});

describe('attack: a fifth bundle to make the device forget what expired bundles revoke', () => {
  const names = (device: Device) => device.verifier.trust.bundles.map((held) => held.bundleId).sort();
  const operator = (n: number, seconds: number, issuer = entry(PA, pa)) =>
    bundle({
      bundleIssuer: `operator-${n}`,
      bundleId: `op${n}`,
      expiresAt: inSeconds(seconds),
      issuers: [issuer],
    });
  const revoking = entry(WALLET, revoked(wallet));
  const listing = entry(WALLET, wallet);
  const artifactsTomorrow = () =>
    present({ sba: sba({ expiresAt: inSeconds(9999) }), grant: grant({ expiresAt: inSeconds(9999) }) });

  it('takes the place of one expired bundle that revokes nothing, and of no other', () => {
    const bundles = [operator(1, 9000), operator(2, 200), operator(3, 100, revoking), operator(4, 9000, listing)];
    const device = new Device({ bundles });
    device.nowMs = NOW + 1_000_000;
    admitted(device.verifier.admit(operator(5, 9000)));
    expect(names(device)).toEqual(['op1', 'op3', 'op4', 'op5']);
    device.refuses('KEY_REVOKED', () => device.authorize(artifactsTomorrow()));
  });

  it('takes the place of the one that expired first, where several revoke nothing', () => {
    const device = new Device({ bundles: [operator(1, 9000), operator(2, 300), operator(3, 100), operator(4, 200)] });
    device.nowMs = NOW + 1_000_000;
    admitted(device.verifier.admit(operator(5, 9000)));
    expect(names(device)).toEqual(['op1', 'op2', 'op4', 'op5']);
  });

  it('takes the place of the one that expired first, where all that are expired revoke something', () => {
    const bundles = [operator(1, 9000), operator(2, 300, revoking), operator(3, 100, revoking), operator(4, 9000)];
    const device = new Device({ bundles });
    device.nowMs = NOW + 1_000_000;
    admitted(device.verifier.admit(operator(5, 9000)));
    expect(names(device)).toEqual(['op1', 'op2', 'op4', 'op5']);
  });
});

describe('a stored bundle that comes back at a start', () => {
  const short = (changes: Changes = {}) => bundle({ expiresAt: inSeconds(60), ...changes });
  /** A payment that is still good an hour later. */
  const long = () =>
    present({ sba: sba({ expiresAt: inSeconds(9999) }), grant: grant({ expiresAt: inSeconds(9999) }) });
  /** A device that is started again an hour after it admitted a bundle. */
  const later = (bytes: Uint8Array) => {
    const device = new Device({ bundles: [bytes] });
    device.nowMs = NOW + 3_600_000;
    return device.restart([]);
  };

  it('is held though it has expired, and its keys verify nothing', () => {
    const device = later(short());
    admitted(device.verifier.admit(short(), 'store'));
    device.refuses('KEY_NOT_FOUND', () => device.authorize(long()));
  });

  it('goes on revoking keys though it has expired', () => {
    const revoking = short({ bundleIssuer: 'r', issuers: [entry(WALLET, revoked(wallet))] });
    const device = later(revoking);
    admitted(device.verifier.admit(bundle()));
    device.approves(() => device.verifier.check(long(), ASKED));
    admitted(device.verifier.admit(revoking, 'store'));
    device.refuses('KEY_REVOKED', () => device.authorize(long()));
  });

  it('is refused from the network once it has expired', () => {
    refused(later(short()), 'ARTIFACT_EXPIRED', short());
  });

  it('is checked like any other but for its expiry', () => {
    const from = (bytes: Uint8Array) => (device: Device) => () => device.verifier.admit(bytes, 'store');
    for (const [code, bytes] of [
      ['BUNDLE_ROLLBACK', short({ issuedAt: inSeconds(-9999) })],
      ['KEY_NOT_FOUND', bundle({ expiresAt: inSeconds(60) }, otherRoot)],
      ['TRUST_BUNDLE_SIGNATURE_INVALID', forged({ expiresAt: inSeconds(60) })],
      ['VERSION_UNSUPPORTED', short({ version: '2.0' })],
      ['ARTIFACT_INVALID', utf8('{}')],
    ] as const) {
      const device = later(short());
      device.refuses(code, from(bytes)(device));
    }
    const elsewhere = new Device({ bundles: [], configuration: { bundleScope: { merchant: 'm1' } } });
    elsewhere.refuses('BUNDLE_SCOPE_MISMATCH', from(short({ merchant: 'm2' }))(elsewhere));
  });

  it('comes back in a set', () => {
    const device = later(short());
    const set = utf8(`{"bundles":[${new TextDecoder().decode(short())}]}`);
    expect(device.verifier.admitSet(set)).toMatchObject([{ ok: false, code: 'ARTIFACT_EXPIRED' }]);
    expect(device.verifier.admitSet(set, 'store')).toMatchObject([{ ok: true }]);
  });
});

describe('a store that fails', () => {
  it('admits nothing: a bundle in use has been remembered', () => {
    const device = bare();
    device.flash.fail('program');
    expect(device.verifier.admit(bundle())).toMatchObject({ ok: false, code: 'STORE_FAILED', check: 'bundle.record' });
    expect(device.verifier.trust.bundles).toHaveLength(0);
    device.refuses('STORE_FAILED', () => device.authorize(present()));
  });
});
