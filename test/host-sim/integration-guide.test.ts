// The published integration guide as one run, in its order: issuer, wallet, merchant, embedded device, and how the pieces connect.
// The guide pays in US dollars by an asset of ISO 4217, which MPCP 1 does not know: that it is refused is a step, and XRP or an
// IOU stands in its place.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type TrustBundle,
  verifySignedSessionBudgetAuthorizationForDecision,
  verifyTrustBundle,
} from '../../core/guide/guide.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../host-sim/flash/store.ts';
import { DeviceMerchant } from '../../host-sim/gateway/device-merchant.ts';
import { OperatorBackend } from '../../host-sim/operator-backend/server.ts';
import { PolicyAuthority } from '../../host-sim/policy-authority/server.ts';
import { SqliteStorage } from '../../host-sim/policy-authority/sqlite-storage.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { SYSTEM_CLOCK } from '../../host-sim/ports/system-clock.ts';
import type { SignedEnvelope } from '../../host-sim/signing/artifacts.ts';
import { generateKey, privatePem, publicJwk, publicPem } from '../../host-sim/signing/keys.ts';
import { Database } from '../../host-sim/sqlite/database.ts';
import { VirtualCharger } from '../../host-sim/virtual-device/virtual-charger.ts';
import { MpcpBudgetExceededError, MpcpGrantRevokedError } from '../../host-sim/wallet/errors.ts';
import { presentationHeader } from '../../host-sim/wallet/presentation.ts';
import { createSession, type WalletSession } from '../../host-sim/wallet/session.ts';
import { FileSpendStorage } from '../../host-sim/wallet/spend-storage.ts';
import { provisioned } from './site.ts';

const MERCHANT = 'did:web:ionity.eu';
const SCOPE = { category: 'ev-charging', merchant: MERCHANT, region: 'EU' };
const QUERY = '/trust-bundles?category=ev-charging&merchant=did:web:ionity.eu&region=EU';
const ISSUER = 'pa.your-domain.com';
const WALLET = 'vehicle:robox-7.fleet.robox.example';
const XRP = { kind: 'XRP' };
const RLUSD = { kind: 'IOU', currency: 'RLUSD', issuer: 'rnPiz3CjrgbK9Ztwft6WCWoZUpLLttLyp6' };
const ADDRESS = 'rDz5GKSzpNbtoMzpThWUbX26G1gLMzAzzD';
const GATEWAY = 'rJhGXdqqpPeLz67ChDgkgADGLPBh6gU3zU';
const WEEK_MS = 7 * 86_400_000;
/** What the merchant charges. */
const PRICE = '2500';

const grantKey = generateKey('pa-key-1');
const rootKey = generateKey('pa-root-1');
const walletKey = generateKey('vehicle-sba-key-1');
const crypto = createNodeCrypto();
const folder = mkdtempSync(join(tmpdir(), 'mpcp-guide-'));
const expiresAt = new Date(Date.now() + WEEK_MS).toISOString();
const BUNDLE = {
  category: SCOPE.category,
  merchant: SCOPE.merchant,
  geography: { region: SCOPE.region },
  approvedIssuers: [ISSUER, WALLET],
  issuers: [
    { issuer: ISSUER, keys: [publicJwk(grantKey)] },
    { issuer: WALLET, keys: [publicJwk(walletKey)] },
  ],
  expiresAt,
};

let database: Database;
let authority: PolicyAuthority;
let operator: OperatorBackend;
let spends: FileSpendStorage;
let device: VirtualCharger;
let merchant: DeviceMerchant;
let chargeUrl = '';
beforeAll(async () => {
  database = await Database.open(join(folder, 'authority.db'));
  authority = new PolicyAuthority({
    identity: { issuer: ISSUER, grantKey, bundleKey: rootKey },
    clock: SYSTEM_CLOCK,
    storage: new SqliteStorage(database),
    adminKey: 'the-administrator-of-the-guide',
  });
  operator = new OperatorBackend({ crypto, clock: SYSTEM_CLOCK, adminKey: 'the-operator-of-the-guide' });
  await Promise.all([authority.listen(), operator.listen()]);
  spends = await FileSpendStorage.at(join(folder, 'wallet.db'));
});
afterAll(async () => {
  await Promise.all([authority.close(), operator.close(), merchant?.close()]);
  database.close();
  spends.close();
  rmSync(folder, { recursive: true });
});

async function call(method: string, path: string, body?: object, key = 'the-administrator-of-the-guide') {
  const headers = { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) };
  const response = await fetch(new URL(path, path.startsWith('/v1') ? operator.url : authority.url), {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as JsonObject };
}

/** What a section hands to the next. */
const made: { apiKey: string; grant: JsonObject; session?: WalletSession; sba?: SignedEnvelope } = {
  apiKey: '',
  grant: {},
};

function session(): WalletSession {
  if (made.session === undefined) throw new Error('the wallet has opened no session');
  return made.session;
}

function grantIdOf(grant: JsonObject): string {
  return String((grant.grant as JsonObject).grantId);
}

/** Opens a session as the guide does: a PEM, its kid, a ceiling, and an issuer that bundles name. */
function open(grant: JsonObject, sessionId = 'session-1'): Promise<WalletSession> {
  return createSession(grant, {
    actorId: 'vehicle:robox-7',
    signingKey: privatePem(walletKey),
    signingKeyId: 'vehicle-sba-key-1',
    issuer: WALLET,
    scope: 'SESSION',
    ceiling: { amount: '8000', currency: 'XRP' },
    minorUnit: 6,
    sessionId,
    storage: spends,
    revocationEndpoint: `${authority.url}/revoke`,
    revocationTtl: 0,
  });
}

describe('1 — grant issuers', () => {
  let policyHash: unknown;
  const terms = () => ({
    policyHash,
    expiresAt,
    allowedRails: ['xrpl'],
    allowedPurposes: ['ev-charging:session'],
    authorizedGateway: GATEWAY,
    velocityLimit: { maxPayments: 500, windowSeconds: 86_400 },
    budgetMinor: '50000',
    destinationAllowlist: [ADDRESS],
  });

  it('POST /admin/keys gives the platform a key, which may not make others', async () => {
    const { status, body } = await call('POST', '/admin/keys', { scopes: ['grants:write', 'grants:revoke'] });
    expect(status).toBe(201);
    made.apiKey = String(body.key);
    expect((await call('POST', '/admin/keys', { scopes: ['admin'] }, made.apiKey)).status).toBe(403);
  });

  it('POST /policies stores a policy and gives its hash', async () => {
    const policyDocument = { name: 'robox charging', purposes: ['ev-charging:session'] };
    ({ policyHash } = (await call('POST', '/policies', { policyDocument }, made.apiKey)).body);
    expect(policyHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('POST /grants refuses the ISO 4217 asset that the guide shows, and says why', async () => {
    const allowedAssets = [{ standard: 'ISO4217', code: 'USD' }];
    expect(await call('POST', '/grants', { ...terms(), allowedAssets }, made.apiKey)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', detail: expect.stringContaining('kind') },
    });
    const asIou = [{ kind: 'ISO4217', currency: 'USD' }];
    expect((await call('POST', '/grants', { ...terms(), allowedAssets: asIou }, made.apiKey)).status).toBe(400);
  });

  it('POST /grants signs a grant in XRP or an IOU in its place', async () => {
    const { status, body } = await call('POST', '/grants', { ...terms(), allowedAssets: [XRP, RLUSD] }, made.apiKey);
    expect(status).toBe(201);
    expect(body).toMatchObject({ issuer: ISSUER, issuerKeyId: 'pa-key-1', grant: { allowedAssets: [XRP, RLUSD] } });
    made.grant = body;
  });

  it('GET /.well-known/mpcp-keys.json has the key that signed it', async () => {
    expect((await call('GET', '/.well-known/mpcp-keys.json')).body.keys).toEqual([publicJwk(grantKey)]);
  });

  it('GET /revoke?grantId= says that it is not revoked', async () => {
    expect((await call('GET', `/revoke?grantId=${grantIdOf(made.grant)}`)).body).toEqual({ revoked: false });
  });

  it('POST /trust-bundles issues what offline verifiers need', async () => {
    const issued = await call('POST', '/trust-bundles', BUNDLE);
    expect(issued.status).toBe(201);
    expect((await call('GET', QUERY)).body).toEqual({ bundles: [issued.body] });
  });
});

describe('2 — wallets and AI agents', () => {
  it('createSession opens a session under the grant', async () => {
    made.session = await open(made.grant);
    expect(session().remaining()).toEqual({ remainingMinor: '8000' });
  });

  it('createSba signs a budget, and takes it from what remains', async () => {
    made.sba = await session().createSba({ amount: PRICE, currency: 'XRP', rail: 'xrpl' });
    expect(made.sba).toMatchObject({ issuer: WALLET, issuerKeyId: 'vehicle-sba-key-1' });
    expect(session().remaining()).toEqual({ remainingMinor: '5500' });
  });

  it('createSba refuses what is above the ceiling, in another currency, or on a rail that the grant does not allow', async () => {
    await expect(session().createSba({ amount: '5501' })).rejects.toThrow(MpcpBudgetExceededError);
    await expect(session().createSba({ amount: '1', currency: 'USD' })).rejects.toThrow('the session counts in XRP');
    await expect(session().createSba({ amount: '1', rail: 'stripe' })).rejects.toThrow('does not allow rail stripe');
    expect(session().remaining()).toEqual({ remainingMinor: '5500' });
  });

  it('a wallet that is restarted remembers what it authorized', async () => {
    spends.close();
    spends = await FileSpendStorage.at(join(folder, 'wallet.db'));
    made.session = await open(made.grant);
    expect(session().remaining()).toEqual({ remainingMinor: '5500' });
  });
});

describe('3 — merchants and service providers', () => {
  const charge = (headers: Record<string, string>, body?: object) =>
    fetch(chargeUrl, { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) }).then(
      async (response) => [response.status, await response.json()] as const,
    );

  it('a charger of the merchant is provisioned with the root key and who may sign what, and starts', async () => {
    const { key } = (await call('POST', '/v1/devices/ionity-1/keys', undefined, 'the-operator-of-the-guide')).body;
    device = new VirtualCharger({
      provisioning: provisioned({
        deviceId: 'ionity-1',
        site: {
          profile: 'lite',
          strictXrpl: true,
          terminal: {
            rail: 'xrpl',
            asset: XRP,
            destination: ADDRESS,
            merchant: MERCHANT,
            unit: { kind: 'atomic' },
            purpose: 'ev-charging:session',
            gateway: GATEWAY,
          },
          grantIssuers: [ISSUER],
          sbaIssuers: { [ISSUER]: [WALLET] },
          rootKeys: [{ kid: rootKey.kid, publicKey: rootKey.publicKey }],
          bundleScope: SCOPE,
        },
        policyAuthorityUrl: authority.url,
        operator: { url: operator.url, apiKey: String(key) },
      }),
      firmwareBuiltMs: 0,
      flash: new SimulatedFlash(new MemoryStore(32_768)),
      journal: new SimulatedFlash(new MemoryStore(65_536)),
      clock: SYSTEM_CLOCK,
      crypto,
    });
    device.start();
    merchant = new DeviceMerchant(device, { amount: PRICE, currency: 'XRP', address: ADDRESS });
    chargeUrl = await merchant.listen();
  });

  it('POST /charge without a payment is 402', async () => {
    expect(await charge({})).toMatchObject([402, { error: 'sba_invalid' }]);
  });

  it('no payment is taken before the merchant has a Trust Bundle', async () => {
    const sba = made.sba as SignedEnvelope;
    const authorization = presentationHeader({ grant: made.grant, sba });
    expect(await charge({ authorization })).toMatchObject([
      402,
      { detail: expect.stringContaining('NO_TRUST_BUNDLE') },
    ]);
    expect(await device.refresh()).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
  });

  it('POST /charge with Authorization: MPCP … is authorized, once', async () => {
    const authorization = presentationHeader({ grant: made.grant, sba: made.sba as SignedEnvelope });
    expect(await charge({ authorization })).toMatchObject([200, { ok: true, amountMinor: PRICE }]);
    expect(device.relay.closed).toBe(true);
    device.disconnect();
    expect(await charge({ authorization })).toMatchObject([
      402,
      { detail: expect.stringContaining('BUDGET_ID_REPLAY') },
    ]);
  });

  it('POST /charge with the SBA in the body is authorized, and an amount above it is refused', async () => {
    const sba = await session().createSba({ amount: PRICE });
    expect(await charge({}, { grant: made.grant, sba })).toMatchObject([200, { ok: true }]);
    device.disconnect();
    const small = await session().createSba({ amount: '1' });
    expect(await charge({}, { grant: made.grant, sba: small })).toMatchObject([402, { error: 'amount_exceeded' }]);
  });

  it('an SBA in ISO 4217 dollars pays in no asset', async () => {
    const dollars = {
      ...(made.sba as SignedEnvelope).authorization,
      allowedAssets: [{ standard: 'ISO4217', code: 'USD' }],
    };
    const sba = { ...made.sba, authorization: dollars };
    expect(await charge({}, { grant: made.grant, sba })).toMatchObject([
      402,
      { detail: expect.stringContaining('ARTIFACT_INVALID') },
    ]);
  });
});

describe('4 — embedded devices and offline verifiers', () => {
  let validBundles: readonly TrustBundle[] = [];

  it('fetches bundles, and keeps those that the pre-installed root key signed', async () => {
    const { bundles } = (await call('GET', QUERY)).body as unknown as { bundles: TrustBundle[] };
    const forged = { ...bundles[0], approvedIssuers: ['mallory.example'] };
    validBundles = [...bundles, forged].filter((b) => verifyTrustBundle(b, publicPem(rootKey)).valid);
    expect(validBundles).toEqual(bundles);
  });

  it('verifies an SBA offline by the decision that the guide builds of it, and counts what was spent', async () => {
    const sba = made.sba as SignedEnvelope;
    const authorization = sba.authorization as Record<string, string>;
    const verdict = (amountMinor: string, spent: string) =>
      verifySignedSessionBudgetAuthorizationForDecision(sba, {
        sessionId: String(authorization.sessionId),
        decision: {
          action: 'ALLOW',
          reasons: [],
          policyHash: String(authorization.policyHash),
          expiresAtISO: authorization.expiresAt,
          decisionId: authorization.budgetId,
          sessionGrantId: authorization.grantId,
          priceFiat: { amountMinor, currency: String(authorization.currency) },
        },
        trustBundles: validBundles,
        cumulativeSpentMinor: spent,
        nowMs: Date.now(),
      });
    expect(verdict(PRICE, '0')).toEqual({ ok: true });
    expect(verdict(PRICE, '1')).toMatchObject({ ok: false, reason: 'budget_exceeded' });
  });

  it('pays without a network, and hands in when it is back', async () => {
    device.link.set(false);
    const next = await open(made.grant, 'session-2');
    const sba = await next.createSba({ amount: PRICE });
    const bytes = new TextEncoder().encode(JSON.stringify({ grant: made.grant, sba }));
    expect(device.pay(bytes, { amountMinor: PRICE })).toMatchObject({ ok: true });
    device.disconnect();
    expect(await device.handIn()).toMatchObject({ failure: 'link-down' });
    device.link.set(true);
    expect(await device.handIn()).toMatchObject({ kind: 'done', receipts: 3 });
    const { body } = await call('GET', '/v1/devices/ionity-1/report', undefined, 'the-operator-of-the-guide');
    expect(body).toMatchObject({ spentMinor: '7500', breaks: [], evidence: [] });
  });

  it('takes a revoked grant until it refreshes, and not after', async () => {
    const next = await open(made.grant, 'session-3');
    const [before, after] = [await next.createSba({ amount: PRICE }), await next.createSba({ amount: PRICE })];
    const pay = (sba: SignedEnvelope) =>
      device.pay(new TextEncoder().encode(JSON.stringify({ grant: made.grant, sba })), { amountMinor: PRICE });
    const grantId = grantIdOf(made.grant);
    expect((await call('POST', `/grants/${grantId}/revoke`, undefined, made.apiKey)).status).toBe(200);
    await expect(next.createSba({ amount: PRICE })).rejects.toThrow(MpcpGrantRevokedError);
    expect(pay(before)).toMatchObject({ ok: true });
    device.disconnect();
    expect((await call('POST', '/trust-bundles', BUNDLE)).body).toMatchObject({ revokedGrantIds: [grantId] });
    expect(await device.refresh()).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
    expect(pay(after)).toMatchObject({ ok: false, code: 'GRANT_REVOKED' });
  });
});
