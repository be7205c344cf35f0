// The Policy Authority over real HTTP: what it issues is what a verifier accepts, and what it refuses it says why.

import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { Verifier } from '../../../core/verifier.ts';
import {
  AUTHORITY,
  bundleRequest,
  CATEGORY,
  DAY_BEGINS_MS,
  DAY_MS,
  grantRequest,
  isoTime,
  MERCHANT,
  POLICY,
  REGION,
  siteConfiguration,
} from '../../../host-sim/day/scene.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { Authority } from '../../../host-sim/policy-authority/authority.ts';
import { PolicyAuthority } from '../../../host-sim/policy-authority/server.ts';
import { AuthoritySigner } from '../../../host-sim/policy-authority/signer.ts';
import { MemoryStorage } from '../../../host-sim/policy-authority/storage.ts';
import { SimulatedClock } from '../../../host-sim/ports/clock.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { policyHash } from '../../../host-sim/signing/artifacts.ts';
import { privateJwk, publicJwk } from '../../../host-sim/signing/keys.ts';
import { TestSite } from '../site.ts';

const DEADLINE = isoTime(DAY_BEGINS_MS + DAY_MS);

let site: TestSite;
beforeAll(async () => {
  site = await TestSite.open();
});
afterAll(() => site.close());

function grantBody(changes: JsonObject = {}): JsonObject {
  return { ...grantRequest(site.policyHash, site.cast.vehicleA), ...changes };
}

/** What a charger of a site would make of it. */
function verifierOf({ cast, clock }: TestSite): Verifier {
  const crypto = createNodeCrypto();
  const ledger = new FlashLedger(new SimulatedFlash(new MemoryStore(16_384)), crypto);
  return new Verifier({ configuration: siteConfiguration(cast), crypto, clock, ledger, earliestMs: 0 });
}

function verifier(): Verifier {
  return verifierOf(site);
}

function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

describe('POST /policies', () => {
  it('answers the prefixed policy hash and when the policy was stored', async () => {
    const answer = await site.post('/policies', { policyDocument: { b: 1, a: null, c: 'ü' } });
    expect(answer).toEqual({
      status: 200,
      body: { policyHash: policyHash({ b: 1, c: 'ü' }), storedAt: isoTime(DAY_BEGINS_MS) },
    });
  });

  it('is idempotent: the same document keeps its first date', async () => {
    const other = await TestSite.open();
    other.clock.advance(5_000);
    const { body } = await other.post('/policies', { policyDocument: POLICY });
    expect(body.storedAt).toBe(isoTime(DAY_BEGINS_MS));
    await other.close();
  });

  it.each([{}, { policyDocument: 'text' }, { policyDocument: [] }, { policyDocument: {}, extra: 1 }, [], null])(
    'refuses %j',
    async (body) => {
      const answer = await site.post('/policies', body);
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request', detail: expect.any(String) } });
    },
  );
});

describe('POST /grants', () => {
  it('answers an envelope that a verifier accepts', async () => {
    const { status, body } = await site.post('/grants', grantBody());
    expect(status).toBe(201);
    expect(Object.keys(body).sort()).toEqual(['grant', 'issuer', 'issuerKeyId', 'signature']);
    expect(body).toMatchObject({ issuer: AUTHORITY, issuerKeyId: site.cast.grantKey.kid });
    expect(body.grant).toMatchObject(grantBody());
    const v = verifier();
    await site.bundle();
    v.admitSet(await site.bundleSet());
    expect(v.checkGrant(bytes(body))).toEqual({ ok: true });
    const raised = { ...body, grant: { ...(body.grant as JsonObject), budgetMinor: '9999999' } };
    expect(v.checkGrant(bytes(raised))).toMatchObject({ ok: false, code: 'POLICY_GRANT_SIGNATURE_INVALID' });
  });

  it('signs every optional member as it was sent, and no other', async () => {
    const body = grantBody({
      version: '1.0',
      operatorId: 'operator-1',
      scope: 'TRIP',
      budgetCurrency: 'XRP',
      maxSpend: { perTxMinor: '3000000' },
      revocationEndpoint: `${site.authority.url}/revoke`,
      anchorRef: 'hcs:0.0.1:2',
      requireApproval: false,
      reasons: ['fleet'],
    });
    const answer = await site.post('/grants', body);
    const { grantId, ...signed } = answer.body.grant as JsonObject;
    expect(grantId).toMatch(/^[0-9a-f-]{36}$/);
    expect(signed).toEqual(body);
  });

  it('gives every grant an id of its own', async () => {
    const ids = await Promise.all(
      [1, 2, 3].map(async () => ((await site.post('/grants', grantBody())).body.grant as JsonObject).grantId),
    );
    expect(new Set(ids).size).toBe(3);
  });

  it('a policy nobody stored is 404', async () => {
    const answer = await site.post('/grants', grantBody({ policyHash: 'a'.repeat(64) }));
    expect(answer).toMatchObject({
      status: 404,
      body: { error: 'policy_not_found', detail: expect.stringContaining('aaaa') },
    });
  });

  it.each<[string, JsonObject]>([
    ['a rail MPCP does not know', { allowedRails: ['lightning'] }],
    ['an amount that is a number', { budgetMinor: 5 }],
    ['an amount with a sign', { budgetMinor: '-5' }],
    ['an amount of zero', { budgetMinor: '0' }],
    ['an amount of 39 digits', { budgetMinor: '1'.repeat(39) }],
    ['an expiry without a zone', { expiresAt: '2027-01-01T00:00:00' }],
    ['an expiry on a day that does not exist', { expiresAt: '2027-02-30T00:00:00Z' }],
    ['an expiry that has passed', { expiresAt: '2020-01-01T00:00:00Z' }],
    ['a velocity limit of nothing', { velocityLimit: { maxPayments: 0, windowSeconds: 60 } }],
    ['a member a grant does not have', { budgetMinors: '5' }],
    ['a grant id of the caller', { grantId: 'mine' }],
    ['a place of revocation that is no address', { revocationEndpoint: 'http://[' }],
    ['a place of revocation that nobody asks', { revocationEndpoint: 'ftp://pa.example/revoke' }],
    ['a place of revocation with a line break', { revocationEndpoint: 'https://pa.example/\nrevoke' }],
    ['a policy hash in upper case', { policyHash: 'A'.repeat(64) }],
  ])('refuses %s', async (_, changes) => {
    const answer = await site.post('/grants', grantBody(changes));
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request', detail: expect.any(String) } });
  });

  it('names the member a grant does not have', async () => {
    const { body } = await site.post('/grants', grantBody({ budgetMinors: '5' }));
    expect(body.detail).toContain('budgetMinors');
  });

  it.each(['policyHash', 'allowedRails', 'expiresAt'])('refuses a grant without %s', async (name) => {
    const { [name]: _, ...rest } = grantBody();
    expect(await site.post('/grants', rest)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});

describe('POST /grants reads a grant as devices do before it signs it', () => {
  it.each<[string, JsonObject, string, string]>([
    ['an IOU without currency and issuer', { allowedAssets: [{ kind: 'IOU' }] }, 'grant_invalid', 'currency'],
    [
      'an IOU whose issuer is no text',
      { allowedAssets: [{ kind: 'IOU', currency: 'USD', issuer: 1 }] },
      'grant_invalid',
      'issuer',
    ],
    ['an ERC20 without a chain', { allowedAssets: [{ kind: 'ERC20', token: '0x' }] }, 'grant_invalid', 'chainId'],
    [
      'more payments than a number counts exactly',
      { velocityLimit: { maxPayments: 1e20, windowSeconds: 60 } },
      'grant_invalid',
      'maxPayments',
    ],
    [
      'a grant above 6 KB',
      { destinationAllowlist: Array.from({ length: 64 }, (_, i) => `${i}`.padEnd(100, 'x')) },
      'grant_too_large',
      '6144 bytes',
    ],
    [
      'a grant of more values than a device reads',
      {
        allowedAssets: Array.from({ length: 64 }, () => ({ kind: 'XRP' })),
        reasons: Array(64).fill('a'),
        destinationAllowlist: Array(64).fill('b'),
      },
      'grant_too_large',
      '256',
    ],
    [
      'an asset deeper than a device reads',
      { allowedAssets: [{ kind: 'XRP', deep: JSON.parse(`${'['.repeat(13)}${']'.repeat(13)}`) }] },
      'grant_too_large',
      '16',
    ],
  ])('refuses %s, and stores nothing', async (_, changes, error, detail) => {
    const put = vi.spyOn(site.authority.authority.storage, 'putGrant');
    const answer = await site.post('/grants', grantBody(changes));
    expect(answer).toMatchObject({ status: 422, body: { error, detail: expect.stringContaining(detail) } });
    expect(put).not.toHaveBeenCalled();
    put.mockRestore();
  });

  it('signs a grant of as many bytes as a device takes, and none of one more', async () => {
    const grown = async (more: number) =>
      site.post('/grants', grantBody({ reasons: [...Array(5).fill('x'.repeat(1_000)), 'x'.repeat(1 + more)] }));
    const { body } = await grown(0);
    const room = 6_144 - bytes(body).length;
    expect((await grown(room + 1)).status).toBe(422);
    const full = await grown(room);
    expect([full.status, bytes(full.body).length]).toEqual([201, 6_144]);
    const v = verifier();
    await site.bundle();
    v.admitSet(await site.bundleSet());
    expect(v.checkGrant(bytes(full.body))).toEqual({ ok: true });
  });
});

describe('grants and their revocation', () => {
  async function issued(): Promise<{ grantId: string; envelope: JsonObject }> {
    const envelope = await site.grant(site.cast.vehicleA);
    return { grantId: String((envelope.grant as JsonObject).grantId), envelope };
  }

  it('GET /grants/:grantId answers the grant, its date and its status', async () => {
    const { grantId, envelope } = await issued();
    expect(await site.get(`/grants/${grantId}`)).toEqual({
      status: 200,
      body: { grant: envelope, issuedAt: isoTime(site.clock.wallMs() as number), status: 'active' },
    });
    await site.post('/revoke', { grantId });
    expect((await site.get(`/grants/${grantId}`)).body.status).toBe('revoked');
  });

  it('GET /grants/:grantId of an unknown id is 404', async () => {
    expect(await site.get('/grants/none')).toMatchObject({ status: 404, body: { error: 'grant_not_found' } });
  });

  it('GET /revoke says false for a grant in force, and for one nobody knows', async () => {
    const { grantId } = await issued();
    for (const id of [grantId, 'nobody-knows']) {
      expect(await site.get(`/revoke?grantId=${id}`)).toEqual({ status: 200, body: { revoked: false } });
    }
  });

  it('GET /revoke needs an id, and one only', async () => {
    for (const query of ['', '?grantId=', '?grantId=a&grantId=b']) {
      expect(await site.get(`/revoke${query}`)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    }
  });

  it.each(['/revoke', '/grants/:grantId/revoke'])('POST %s is idempotent: the first date stays', async (route) => {
    const { grantId } = await issued();
    const path = route.replace(':grantId', grantId);
    const body = route === '/revoke' ? { grantId } : '';
    const revokedAt = isoTime(site.clock.wallMs() as number);
    expect(await site.post(path, body)).toEqual({ status: 200, body: { revoked: true, revokedAt } });
    site.clock.advance(60_000);
    expect(await site.post(path, body)).toEqual({ status: 200, body: { revoked: true, revokedAt } });
    expect((await site.get(`/revoke?grantId=${grantId}`)).body).toEqual({ revoked: true, revokedAt });
  });

  it('a grant that was never issued cannot be revoked', async () => {
    expect(await site.post('/revoke', { grantId: 'none' })).toMatchObject({
      status: 404,
      body: { error: 'grant_not_found' },
    });
    expect(await site.post('/grants/none/revoke', '')).toMatchObject({
      status: 404,
      body: { error: 'grant_not_found' },
    });
  });
});

describe('GET /.well-known/mpcp-keys.json', () => {
  it('answers the grant key as a JWK, and neither the root key nor anything private', async () => {
    const response = await fetch(new URL('/.well-known/mpcp-keys.json', site.authority.url));
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toEqual({ version: '1.0', keys: [publicJwk(site.cast.grantKey)] });
  });
});

describe('POST /trust-bundles', () => {
  const unsigned = (changes: object = {}) => ({ ...bundleRequest(site.cast, DAY_BEGINS_MS + DAY_MS), ...changes });

  it('answers a signed bundle, dated by the server, that a verifier admits', async () => {
    const { status, body } = await site.post('/trust-bundles', unsigned());
    expect(status).toBe(201);
    expect(body).toMatchObject({
      version: '1.0',
      bundleIssuer: AUTHORITY,
      bundleKeyId: site.cast.root.kid,
      expiresAt: DEADLINE,
    });
    expect(Date.parse(String(body.issuedAt))).toBeGreaterThanOrEqual(site.clock.wallMs() as number);
    expect(verifier().admit(bytes(body))).toMatchObject({ ok: true });
    expect(verifier().admit(bytes({ ...body, expiresAt: isoTime(DAY_BEGINS_MS + 2 * DAY_MS) }))).toMatchObject({
      ok: false,
      code: 'TRUST_BUNDLE_SIGNATURE_INVALID',
    });
  });

  it('never dates two bundles alike, so that the older one is older', async () => {
    const [first, second] = [await site.bundle(), await site.bundle()];
    const v = verifier();
    expect(v.admit(bytes(second))).toMatchObject({ ok: true });
    expect(v.admit(bytes(first))).toMatchObject({ ok: false, code: 'BUNDLE_ROLLBACK' });
  });

  it('adds the grants revoked here, until no verifier would take them', async () => {
    const other = await TestSite.open();
    const soon = isoTime(DAY_BEGINS_MS + 60_000);
    const short = (
      await other.post('/grants', { ...grantRequest(other.policyHash, other.cast.vehicleA), expiresAt: soon })
    ).body;
    const long = await other.grant(other.cast.vehicleB);
    const ids = [short, long].map((envelope) => String((envelope.grant as JsonObject).grantId));
    for (const grantId of ids) await other.post('/revoke', { grantId });
    const named = { revokedGrantIds: ['from-elsewhere', ids[1] as string] };
    expect((await other.bundle([], named)).revokedGrantIds).toEqual(['from-elsewhere', ids[1], ids[0]]);
    other.clock.advance(3_600_000);
    expect((await other.bundle()).revokedGrantIds).toEqual([ids[1]]);
    await other.close();
  });

  it.each<[string, object]>([
    ['a date of the caller', { issuedAt: DEADLINE }],
    ['a signature of the caller', { signature: 'AAAA' }],
    ['a key without a kid', { issuers: [{ issuer: AUTHORITY, keys: [{ kty: 'OKP' }] }] }],
    ['keys of an issuer it does not approve', { issuers: [{ issuer: 'stranger.example', keys: [] }] }],
    [
      'an issuer that is listed twice',
      {
        issuers: [
          { issuer: AUTHORITY, keys: [] },
          { issuer: AUTHORITY, keys: [] },
        ],
      },
    ],
    [
      'more keys of an issuer than a device takes',
      { issuers: [{ issuer: AUTHORITY, keys: Array(5).fill({ kty: 'OKP', kid: 'k' }) }] },
    ],
    [
      'more issuers than a device takes',
      { approvedIssuers: Array.from({ length: 161 }, (_, i) => `i${i}`), issuers: [] },
    ],
    ['an expiry that has passed', { expiresAt: isoTime(DAY_BEGINS_MS - 1) }],
  ])('refuses %s', async (_, changes) => {
    const answer = await site.post('/trust-bundles', unsigned(changes));
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request', detail: expect.any(String) } });
  });

  describe('publishes public keys only', () => {
    const keys = (...list: object[]) => unsigned({ issuers: [{ issuer: AUTHORITY, keys: list }] });
    const good = () => ({ ...publicJwk(site.cast.grantKey) });

    it.each<[string, () => object, string]>([
      ['a private Ed25519 key', () => privateJwk(site.cast.grantKey), 'd'],
      ...['k', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'].map((name): [string, () => object, string] => [
        `${name} beside a public key`,
        () => ({ ...good(), [name]: 'AQAB' }),
        name,
      ]),
      ['a d that is null', () => ({ ...good(), d: null }), 'd'],
      ['a symmetric key', () => ({ kty: 'oct', kid: 'k', k: 'AAAA' }), 'k'],
      ['a symmetric key under another member', () => ({ kty: 'oct', kid: 'k', x: 'AAAA' }), 'oct'],
      ['an RSA key', () => ({ kty: 'RSA', kid: 'k', n: 'AAAA', e: 'AQAB', x: 'AAAA' }), 'RSA'],
      ['a secret under a name of its own', () => ({ ...good(), privateKey: 'AAAA' }), 'privateKey'],
      ['a secret inside another member', () => ({ ...good(), ext: { d: 'AAAA' } }), 'ext'],
      ['a key without x', () => ({ kty: 'OKP', crv: 'Ed25519', kid: 'k' }), 'x'],
      ['a revoked key without x', () => ({ kty: 'OKP', crv: 'Ed25519', kid: 'k', active: false }), 'x'],
      ['a key whose x is null', () => ({ ...good(), x: null }), 'x'],
    ])('refuses %s, names the member and does not repeat it', async (_, key, member) => {
      const put = vi.spyOn(site.authority.authority.storage, 'putBundle');
      const answer = await site.post('/trust-bundles', keys(good(), key()));
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
      expect(answer.body.detail).toMatch(new RegExp(`\\b${member}\\b`));
      expect(answer.body.detail).not.toContain(privateJwk(site.cast.grantKey).d);
      expect(put).not.toHaveBeenCalled();
      put.mockRestore();
    });

    it.each<[string, () => object, string]>([
      ['of 31 bytes', () => ({ ...good(), x: Buffer.alloc(31, 1).toString('base64url') }), '32 bytes'],
      [
        'of 31 bytes, revoked',
        () => ({ ...good(), x: Buffer.alloc(31, 1).toString('base64url'), active: false }),
        '32 bytes',
      ],
      ['that is no point', () => ({ ...good(), x: Buffer.alloc(32).toString('base64url') }), 'usable point'],
      ['of another curve', () => ({ ...good(), crv: 'X25519' }), 'Ed25519'],
      ['for another algorithm', () => ({ ...good(), alg: 'ES256' }), 'alg'],
    ])('refuses an x %s, which no device could use', async (_, key, detail) => {
      const answer = await site.post('/trust-bundles', keys(key()));
      expect(answer).toMatchObject({
        status: 422,
        body: { error: 'bundle_invalid', detail: expect.stringContaining(detail) },
      });
    });

    it('revokes a key that should never have been published', async () => {
      const smallOrder = { ...good(), x: Buffer.alloc(32).toString('base64url'), active: false };
      expect((await site.post('/trust-bundles', keys(smallOrder))).status).toBe(201);
    });

    it('takes an EC key, which other verifiers may use', async () => {
      const coordinate = Buffer.alloc(32, 1).toString('base64url');
      const key = { kty: 'EC', crv: 'P-256', kid: 'k', x: coordinate, y: coordinate, use: 'sig', alg: 'ES256' };
      expect((await site.post('/trust-bundles', keys(key))).status).toBe(201);
    });
  });

  it("refuses an expiry that an issuedAt moved behind an earlier bundle's would reach", async () => {
    const other = await TestSite.open();
    const first = await other.bundle();
    other.clock.set(Date.parse(String(first.issuedAt)) - 1_000);
    const { category, approvedIssuers, issuers } = bundleRequest(other.cast, 0);
    const request = { category, approvedIssuers, issuers, expiresAt: String(first.issuedAt) };
    expect(await other.post('/trust-bundles', request)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', detail: expect.stringContaining('expiresAt') },
    });
    await other.close();
  });

  it('refuses a bundle a device would not take for its size', async () => {
    const issuers = Array.from({ length: 40 }, (_, i) => `issuer-${i}.${'x'.repeat(900)}.example`);
    const answer = await site.post('/trust-bundles', unsigned({ approvedIssuers: issuers, issuers: [] }));
    expect(answer).toMatchObject({
      status: 422,
      body: { error: 'bundle_too_large', detail: expect.stringContaining('a device takes 32768') },
    });
  });
});

describe('as many revocations as a bundle holds', () => {
  const EXPIRES_MS = DAY_BEGINS_MS + DAY_MS;

  /** A site with this many grants, revoked already. */
  async function siteWith(revoked: number): Promise<TestSite> {
    const other = await TestSite.open();
    const { storage } = other.authority.authority;
    for (let i = 0; i < revoked; i++) {
      const grantId = `grant-${String(i).padStart(30, '0')}`;
      await storage.putGrant({ grantId, envelope: {}, issuedAtMs: DAY_BEGINS_MS, expiresAtMs: EXPIRES_MS + i });
      await storage.revoke({ grantId, revokedAtMs: DAY_BEGINS_MS });
    }
    return other;
  }
  const idOf = (envelope: JsonObject) => String((envelope.grant as JsonObject).grantId);

  it('the 513th is refused, says why and until when, and the bundles go on being issued with the 512', async () => {
    const other = await siteWith(512);
    const grantId = idOf(await other.grant(other.cast.vehicleA));
    for (const [path, body] of [
      ['/revoke', { grantId }],
      [`/grants/${grantId}/revoke`, ''],
    ] as const) {
      const answer = await other.post(path, body);
      expect(answer).toMatchObject({ status: 409, body: { error: 'revocations_full' } });
      expect(answer.body.detail).toContain('512');
      expect(answer.body.detail).toContain(isoTime(EXPIRES_MS + 600_000));
    }
    expect((await other.get(`/revoke?grantId=${grantId}`)).body).toEqual({ revoked: false });
    const bundle = await other.bundle();
    expect(bundle.revokedGrantIds).toHaveLength(512);
    expect(verifierOf(other).admit(bytes(bundle))).toMatchObject({ ok: true });
    await other.close();
  });

  it('a grant that was revoked before is revoked still, and one past every drift needs no place', async () => {
    const other = await siteWith(512);
    const soon = { ...grantRequest(other.policyHash, other.cast.vehicleA), expiresAt: isoTime(DAY_BEGINS_MS + 1_000) };
    const expired = idOf((await other.post('/grants', soon)).body);
    expect((await other.post('/revoke', { grantId: `grant-${'0'.repeat(30)}` })).status).toBe(200);
    other.clock.advance(700_000);
    expect((await other.post('/revoke', { grantId: expired })).status).toBe(200);
    expect((await other.bundle()).revokedGrantIds).toHaveLength(512);
    await other.close();
  });

  it('there is room again once the first of them is past every drift', async () => {
    const other = await siteWith(512);
    const grantId = idOf(await other.grant(other.cast.vehicleA));
    other.clock.set(EXPIRES_MS + 600_000);
    expect((await other.post('/revoke', { grantId })).status).toBe(200);
    expect((await other.bundle()).revokedGrantIds).toContain(grantId);
    await other.close();
  });

  it('two at a time do not take one place', async () => {
    const other = await siteWith(511);
    const ids = [idOf(await other.grant(other.cast.vehicleA)), idOf(await other.grant(other.cast.vehicleB))];
    const answers = await Promise.all(ids.map((grantId) => other.post('/revoke', { grantId })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await other.bundle()).revokedGrantIds).toHaveLength(512);
    await other.close();
  });

  it('a bundle that was slow to be made does not come out newer than one with a revocation it lacks', async () => {
    class SlowStorage extends MemoryStorage {
      wait: Promise<void> | undefined;
      override async revocations() {
        const found = await super.revocations();
        const { wait } = this;
        this.wait = undefined;
        await wait;
        return found;
      }
    }
    const storage = new SlowStorage();
    const identity = { issuer: AUTHORITY, grantKey: site.cast.grantKey, bundleKey: site.cast.root };
    const authority = new Authority(new AuthoritySigner(identity), storage, new SimulatedClock(DAY_BEGINS_MS));
    await storage.putGrant({ grantId: 'g', envelope: {}, issuedAtMs: DAY_BEGINS_MS, expiresAtMs: EXPIRES_MS });
    let go = (): void => undefined;
    storage.wait = new Promise((resolve) => {
      go = resolve;
    });
    const request = bundleRequest(site.cast, EXPIRES_MS);
    const slow = authority.issueBundle(request);
    const rest = authority.revokeGrant('g').then(() => authority.issueBundle(request));
    setTimeout(go, 20);
    await Promise.all([slow, rest]);
    expect(await authority.findBundles({})).toMatchObject([{ revokedGrantIds: ['g'] }]);
  });

  it('ids of the caller that do not fit beside them are refused: none is left out', async () => {
    const other = await siteWith(511);
    const issued = await other.post('/trust-bundles', {
      ...bundleRequest(other.cast, EXPIRES_MS),
      revokedGrantIds: ['from-elsewhere', 'from-another'],
    });
    expect(issued).toMatchObject({ status: 422, body: { error: 'bundle_too_large' } });
    expect(issued.body.detail).toContain('511 grants that are revoked here');
    expect(issued.body.detail).toContain('the request names 2 others');
    expect((await other.bundle([], { revokedGrantIds: ['from-elsewhere'] })).revokedGrantIds).toHaveLength(512);
    await other.close();
  });

  it('a storage that holds more is refused: none is left out', async () => {
    const other = await siteWith(513);
    const answer = await other.post('/trust-bundles', bundleRequest(other.cast, EXPIRES_MS));
    expect(answer).toMatchObject({ status: 422, body: { error: 'bundle_too_large' } });
    expect(answer.body.detail).toContain('513 grants that are revoked here');
    expect(answer.body.detail).toContain('revokedGrantIds of a bundle holds 512');
    await other.close();
  });

  it('where their bytes do not fit beside the issuers the answer says so, and a bundle of few issuers brings them', async () => {
    const other = await siteWith(512);
    const many = Array.from({ length: 130 }, (_, i) => `issuer-${i}.${'x'.repeat(100)}.example`);
    const request = { ...bundleRequest(other.cast, EXPIRES_MS), approvedIssuers: many, issuers: [] };
    const answer = await other.post('/trust-bundles', request);
    expect(answer).toMatchObject({ status: 422, body: { error: 'bundle_too_large' } });
    expect(answer.body.detail).toMatch(/ of them for 512 revoked grants; a device takes 32768/);
    expect((await other.bundle()).revokedGrantIds).toHaveLength(512);
    await other.close();
  });
});

describe('GET /trust-bundles', () => {
  let other: TestSite;
  const ids = new Map<string, unknown>();
  const found = async (query: string): Promise<unknown[]> => {
    const { status, body } = await other.get(`/trust-bundles${query}`);
    expect(status).toBe(200);
    return (body.bundles as JsonObject[]).map((bundle) => bundle.bundleId);
  };
  const merchant = encodeURIComponent(MERCHANT);

  beforeAll(async () => {
    other = await TestSite.open();
    const issue = async (name: string, changes: object) => {
      const { merchant: _m, geography: _g, ...request } = bundleRequest(other.cast, DAY_BEGINS_MS + 7 * DAY_MS);
      ids.set(name, (await other.post('/trust-bundles', { ...request, ...changes })).body.bundleId);
    };
    await issue('superseded', { merchant: MERCHANT, geography: { region: REGION } });
    await issue('own', { merchant: MERCHANT, geography: { region: REGION } });
    await issue('other merchant', { merchant: 'did:web:other.example', geography: { region: REGION } });
    await issue('other region', { merchant: MERCHANT, geography: { region: 'US' } });
    await issue('unscoped', {});
    await issue('parking', { category: 'parking' });
    await issue('short', { merchant: 'did:web:short.example', expiresAt: isoTime(DAY_BEGINS_MS + 1_000) });
    other.clock.advance(2_000);
  });
  afterAll(() => other.close());

  const pick = (...names: string[]) => names.map((name) => ids.get(name));

  it('answers the newest bundle of each scope, without those that expired', async () => {
    expect(await found('')).toEqual(pick('own', 'other merchant', 'other region', 'unscoped', 'parking'));
  });

  it('filters by category, merchant and region; unscoped bundles match too', async () => {
    expect(await found(`?category=${CATEGORY}&merchant=${merchant}&region=${REGION}`)).toEqual(pick('own', 'unscoped'));
    expect(await found(`?merchant=${merchant}`)).toEqual(pick('own', 'other region', 'unscoped', 'parking'));
    expect(await found('?region=US')).toEqual(pick('other region', 'unscoped', 'parking'));
    expect(await found('?category=tolls')).toEqual([]);
  });

  it('takes a merchant that is not percent-encoded, as the integration guide writes it', async () => {
    expect(await found(`?category=${CATEGORY}&merchant=${MERCHANT}&region=${REGION}`)).toEqual(pick('own', 'unscoped'));
  });

  it('refuses a filter it cannot mean', async () => {
    expect(await other.get('/trust-bundles?category=')).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
  });

  it.each<[string, string]>([
    ['?unknown=1', 'unknown'],
    [`?category=${CATEGORY}&issuer=x`, 'issuer'],
    ['?Category=parking', 'Category'],
    ['?__proto__=1', '__proto__'],
    ['?constructor=1', 'constructor'],
    ['?=1', '""'],
  ])('%s is refused, by the name of the member nobody asked about', async (query, name) => {
    const answer = await other.get(`/trust-bundles${query}`);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(answer.body.detail).toContain(name);
  });

  it('answers 304 to the tag of what has not changed, and the set once it has', async () => {
    const url = new URL('/trust-bundles?category=parking', other.authority.url);
    const first = await fetch(url);
    const tag = first.headers.get('etag') as string;
    expect(tag).toBe(
      `"${createHash('sha256')
        .update(await first.text())
        .digest('base64url')}"`,
    );
    for (const header of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await fetch(url, { headers: { 'if-none-match': header } });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag]);
    }
    await other.bundle([], { category: 'parking' });
    expect((await fetch(url, { headers: { 'if-none-match': tag } })).status).toBe(200);
  });
});

describe('GET /trust-bundles of more than a device takes', () => {
  let crowded: TestSite;
  const merchants = Array.from({ length: 17 }, (_, i) => `did:web:merchant-${i}.example`);
  const issue = (merchant: string, more: object = {}) => crowded.bundle([], { merchant, ...more });
  beforeAll(async () => {
    crowded = await TestSite.open();
    for (const merchant of merchants.slice(0, 16)) await issue(merchant);
  });
  afterAll(() => crowded.close());

  it('sixteen bundles are answered, one more is a Problem that asks for a narrower filter', async () => {
    expect((await crowded.get('/trust-bundles')).status).toBe(200);
    await issue(merchants[16] as string);
    const { status, body } = await crowded.get(`/trust-bundles?category=${CATEGORY}`);
    expect({ status, error: body.error }).toEqual({ status: 422, error: 'too_many_bundles' });
    expect(body.detail).toBe(
      'there are more than 16 bundles, and a device takes 16 bundles of an answer; ask for one merchant or region',
    );
    const narrow = await crowded.get(`/trust-bundles?merchant=${merchants[3]}`);
    expect([narrow.status, (narrow.body.bundles as unknown[]).length]).toEqual([200, 1]);
  });

  it('so are more bytes than a device takes', async () => {
    const large = await TestSite.open();
    const approvedIssuers = Array.from({ length: 28 }, (_, i) => `did:web:${'x'.repeat(980)}-${i}.example`);
    for (const merchant of merchants.slice(0, 5))
      expect((await large.bundle([], { merchant, approvedIssuers, issuers: [] })).signature).toBeDefined();
    const { status, body } = await large.get('/trust-bundles');
    expect({ status, error: body.error }).toEqual({ status: 422, error: 'too_many_bundles' });
    expect(body.detail).toMatch(/bytes of bundles, and a device takes 132096 bytes .*category or merchant or region/);
    expect((await large.get(`/trust-bundles?merchant=${merchants[0]}`)).status).toBe(200);
    await large.close();
  });
});

describe('API keys', () => {
  const changing = ['/policies', '/grants', '/revoke', '/grants/x/revoke', '/trust-bundles'];

  it.each(changing)('POST %s without a key is 401, before anything else is looked at', async (path) => {
    for (const key of ['', 'mpcp_wrong']) {
      const answer = await site.post(path, '{"not":"looked at"', key);
      expect(answer).toMatchObject({ status: 401, body: { error: 'unauthorized', detail: expect.any(String) } });
    }
  });

  it('another scheme is 401, with the scheme that is wanted', async () => {
    const headers = { authorization: `Basic ${site.apiKey}`, 'content-type': 'application/json' };
    const response = await fetch(new URL('/policies', site.authority.url), { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('a key without the scope is 403', async () => {
    const writer = await site.authority.issueApiKey('writer', ['grants:write']);
    const revoker = await site.authority.issueApiKey('revoker', ['grants:revoke']);
    expect((await site.post('/grants', grantBody(), writer)).status).toBe(201);
    expect(await site.post('/grants', grantBody(), revoker)).toMatchObject({
      status: 403,
      body: { error: 'forbidden' },
    });
    expect(await site.post('/revoke', { grantId: 'x' }, writer)).toMatchObject({
      status: 403,
      body: { error: 'forbidden' },
    });
    expect(await site.post('/trust-bundles', {}, writer)).toMatchObject({ status: 403, body: { error: 'forbidden' } });
    expect((await site.post('/revoke', { grantId: 'x' }, revoker)).status).toBe(404);
  });

  it('is kept as a hash only', async () => {
    const key = await site.authority.issueApiKey('kept', ['admin']);
    const record = await site.authority.authority.storage.apiKey(createHash('sha256').update(key).digest('hex'));
    expect(record).toMatchObject({ keyId: 'kept', scopes: ['admin'] });
    expect(JSON.stringify(record)).not.toContain(key);
  });
});

describe('every refusal is {error, detail}', () => {
  const json = { 'content-type': 'application/json' };
  const ask = async (path: string, init: RequestInit): Promise<[number, JsonObject]> => {
    const headers = { authorization: `Bearer ${site.apiKey}`, ...(init.headers as Record<string, string>) };
    const response = await fetch(new URL(path, site.authority.url), { ...init, headers });
    const body = (await response.json()) as JsonObject;
    expect(Object.keys(body)).toEqual(['error', 'detail']);
    return [response.status, body];
  };

  it.each<[string, string, RequestInit, number, string]>([
    ['no such route', '/nothing', {}, 404, 'not_found'],
    ['no such method', '/policies', { method: 'DELETE' }, 404, 'not_found'],
    ['text that is no JSON', '/policies', { method: 'POST', headers: json, body: '{' }, 400, 'invalid_request'],
    [
      'a member that is there twice',
      '/revoke',
      { method: 'POST', headers: json, body: '{"grantId":"a","grantId":"b"}' },
      400,
      'invalid_request',
    ],
    [
      'JSON deeper than can be signed',
      '/policies',
      { method: 'POST', headers: json, body: `{"policyDocument":{"a":${'['.repeat(5000)}${']'.repeat(5000)}}}` },
      400,
      'invalid_request',
    ],
    ['no body', '/policies', { method: 'POST', headers: json }, 400, 'invalid_request'],
    [
      'a body of another type',
      '/policies',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'unsupported_media_type',
    ],
    [
      'a body above the limit',
      '/policies',
      { method: 'POST', headers: json, body: JSON.stringify({ policyDocument: { a: 'x'.repeat(70_000) } }) },
      413,
      'body_too_large',
    ],
    ['a path that is not percent-encoded', '/grants/%zz', {}, 400, 'invalid_request'],
    ['an id longer than ids are', `/grants/${'x'.repeat(2000)}`, {}, 414, 'invalid_request'],
  ])('%s', async (_, path, init, status, error) => {
    const [answered, body] = await ask(path, init);
    expect([answered, body.error]).toEqual([status, error]);
    expect(body.detail).not.toBe('');
  });

  it('bytes that are no HTTP', async () => {
    const { hostname, port } = new URL(site.authority.url);
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('this is no HTTP\r\n\r\n'));
      let received = '';
      socket.on('data', (chunk) => {
        received += chunk;
      });
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(Object.keys(JSON.parse(text.slice(text.indexOf('{'))))).toEqual(['error', 'detail']);
  });

  it('without a clock nothing is dated, and nothing signed', async () => {
    const other = await TestSite.open();
    other.clock.set(undefined);
    for (const [path, body] of [
      ['/policies', { policyDocument: {} }],
      ['/grants', grantRequest(other.policyHash, other.cast.vehicleA)],
      ['/trust-bundles', bundleRequest(other.cast, DAY_BEGINS_MS + DAY_MS)],
    ] as const) {
      expect(await other.post(path, body)).toMatchObject({ status: 503, body: { error: 'clock_not_set' } });
    }
    await other.close();
  });
});

describe('a graceful end', () => {
  it('answers what came in before, within the grace it is given, and takes nothing new', async () => {
    const identity = { issuer: AUTHORITY, grantKey: site.cast.grantKey, bundleKey: site.cast.root };
    const storage = new MemoryStorage();
    const asked: (() => void)[] = [];
    storage.revocation = () => new Promise((resolve) => asked.push(() => resolve(undefined)));
    const authority = new PolicyAuthority({ identity, clock: site.clock, storage });
    const url = await authority.listen();
    const answer = fetch(`${url}/revoke?grantId=slow`);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const closed = authority.close(30_000);
    await expect(fetch(`${url}/.well-known/mpcp-keys.json`)).rejects.toThrow();
    asked[0]?.();
    expect(await (await answer).json()).toEqual({ revoked: false });
    await closed;
  });

  it('drops what is not answered within it', async () => {
    const identity = { issuer: AUTHORITY, grantKey: site.cast.grantKey, bundleKey: site.cast.root };
    const storage = new MemoryStorage();
    let asked = 0;
    storage.revocation = () => {
      asked++;
      return new Promise(() => {});
    };
    const authority = new PolicyAuthority({ identity, clock: site.clock, storage });
    const dropped = expect(fetch(`${await authority.listen()}/revoke?grantId=never`)).rejects.toThrow();
    await vi.waitFor(() => expect(asked).toBe(1));
    await authority.close(20);
    await dropped;
  });
});

describe('listening', () => {
  it('is on loopback, on a free port, unless told otherwise', () => {
    expect(site.authority.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('closes and opens again on its port, and knows what it has issued', async () => {
    const other = await TestSite.open();
    const grantId = String(((await other.grant(other.cast.vehicleA)).grant as JsonObject).grantId);
    const url = other.authority.url;
    await other.close();
    await expect(fetch(url)).rejects.toThrow();
    expect(() => other.authority.url).toThrow(/closed/);
    await other.close();
    expect(await other.authority.listen(Number(new URL(url).port))).toBe(url);
    expect((await other.get(`/grants/${grantId}`)).body.status).toBe('active');
    await expect(other.authority.listen()).rejects.toThrow(/open already/);
    await other.close();
  });

  it('says when a port cannot be had, and can be tried again', async () => {
    const identity = { issuer: AUTHORITY, grantKey: site.cast.grantKey, bundleKey: site.cast.root };
    const other = new PolicyAuthority({ identity, clock: new SimulatedClock(0) });
    await expect(other.listen(Number(new URL(site.authority.url).port))).rejects.toThrow(/EADDRINUSE/);
    await other.listen();
    await other.close();
  });
});
