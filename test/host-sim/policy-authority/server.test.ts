// The Policy Authority over real HTTP: what it issues is what a verifier accepts, and what it refuses it says why.

import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
import { PolicyAuthority } from '../../../host-sim/policy-authority/server.ts';
import { SimulatedClock } from '../../../host-sim/ports/clock.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { policyHash } from '../../../host-sim/signing/artifacts.ts';
import { publicJwk } from '../../../host-sim/signing/keys.ts';
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

/** What a charger would make of it. */
function verifier(): Verifier {
  const crypto = createNodeCrypto();
  const ledger = new FlashLedger(new SimulatedFlash(new MemoryStore(16_384)), crypto);
  return new Verifier({ configuration: siteConfiguration(site.cast), crypto, clock: site.clock, ledger });
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
    ['a policy hash in upper case', { policyHash: 'A'.repeat(64) }],
  ])('refuses %s', async (_, changes) => {
    const answer = await site.post('/grants', grantBody(changes));
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request', detail: expect.any(String) } });
  });

  it.each(['policyHash', 'allowedRails', 'expiresAt'])('refuses a grant without %s', async (name) => {
    const { [name]: _, ...rest } = grantBody();
    expect(await site.post('/grants', rest)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
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
    [
      'a private key',
      { issuers: [{ issuer: AUTHORITY, keys: [{ kty: 'OKP', kid: 'k', crv: 'Ed25519', x: 'x', d: 'd' }] }] },
    ],
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

  it('refuses a bundle a device would not take for its size', async () => {
    const issuers = Array.from({ length: 40 }, (_, i) => `issuer-${i}.${'x'.repeat(900)}.example`);
    const answer = await site.post('/trust-bundles', unsigned({ approvedIssuers: issuers, issuers: [] }));
    expect(answer).toMatchObject({ status: 422, body: { error: 'bundle_too_large' } });
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
