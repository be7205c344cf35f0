// The wallet: what it signs is what a verifier accepts, it keeps within its ceiling, and it minds a revoked grant.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { presentationFromAuthorization } from '../../../core/intake/http-authorization.ts';
import type { JsonObject } from '../../../core/json/value.ts';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import { Verifier } from '../../../core/verifier.ts';
import { DAY_BEGINS_MS, DAY_MS, DESTINATION, isoTime, siteConfiguration, XRP } from '../../../host-sim/day/scene.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { intentHash } from '../../../host-sim/signing/artifacts.ts';
import { MpcpBudgetExceededError, MpcpGrantRevokedError, WalletError } from '../../../host-sim/wallet/errors.ts';
import { presentationBytes, presentationHeader } from '../../../host-sim/wallet/presentation.ts';
import { createSession, type WalletSession } from '../../../host-sim/wallet/session.ts';
import type { SessionOptions } from '../../../host-sim/wallet/session-options.ts';
import { withServer } from '../../fixtures/listening.ts';
import { TestSite } from '../site.ts';

let site: TestSite;
let grant: JsonObject;
beforeAll(async () => {
  site = await TestSite.open();
  grant = await site.grant(site.cast.vehicleA);
  await site.bundle();
});
afterAll(() => site.close());
beforeEach(() => site.clock.set(DAY_BEGINS_MS));

function options(changes: Partial<SessionOptions> = {}): SessionOptions {
  const { address, key, issuer } = site.cast.vehicleA;
  const ceiling = { amount: '3000000', currency: 'XRP' };
  return {
    actorId: address,
    signingKey: key,
    issuer,
    scope: 'SESSION',
    ceiling,
    minorUnit: 6,
    clock: site.clock,
    ...changes,
  };
}

async function verifier(): Promise<Verifier> {
  const crypto = createNodeCrypto();
  const configuration = siteConfiguration(site.cast);
  const v = new Verifier({ configuration, crypto, clock: site.clock, ledger: new MemoryLedger(crypto), earliestMs: 0 });
  v.admitSet(await site.bundleSet());
  return v;
}

describe('createPayment', () => {
  it('makes a presentation that a verifier approves, as bytes and as a header', async () => {
    const session = await createSession(grant, options());
    const v = await verifier();
    const payment = await session.createPayment({ amount: '2000000', asset: XRP, destination: DESTINATION });
    expect(v.check(presentationBytes(payment), { amountMinor: '2000000' })).toMatchObject({ ok: true });
    const fromHeader = presentationFromAuthorization(presentationHeader(payment)) as Uint8Array;
    expect(fromHeader).toEqual(presentationBytes(payment));
    expect(v.authorize(fromHeader, { amountMinor: '2000000' })).toMatchObject({
      ok: true,
      sessionId: session.sessionId,
      actorId: site.cast.vehicleA.address,
    });
  });

  it('carries grant, SBA, SPA, intent, and the idempotency key where there is one', async () => {
    const session = await createSession(grant, options());
    const terms = { amount: '1', asset: XRP, destination: DESTINATION };
    expect(Object.keys(await session.createPayment(terms))).toEqual(['grant', 'sba', 'spa', 'settlementIntent']);
    expect((await session.createPayment({ ...terms, idempotencyKey: 'once' })).idempotencyKey).toBe('once');
  });
});

describe('createSba', () => {
  it('signs a budget under the grant, for this actor and session', async () => {
    const session = await createSession(grant, options({ sessionId: 'trip-1', scope: 'TRIP' }));
    const { authorization, issuer, issuerKeyId } = await session.createSba({ amount: '1000000', asset: XRP });
    const body = grant.grant as JsonObject;
    expect({ issuer, issuerKeyId }).toEqual({ issuer: site.cast.vehicleA.issuer, issuerKeyId: 'vehicle-a-1' });
    expect(authorization).toMatchObject({
      version: '1.0',
      grantId: body.grantId,
      policyHash: body.policyHash,
      sessionId: 'trip-1',
      actorId: site.cast.vehicleA.address,
      budgetScope: 'TRIP',
      currency: 'XRP',
      minorUnit: 6,
      maxAmountMinor: '1000000',
      allowedRails: ['xrpl'],
      allowedAssets: [XRP],
      destinationAllowlist: [DESTINATION],
      expiresAt: isoTime(DAY_BEGINS_MS + 3_600_000),
    });
  });

  it('gives every budget an id of its own', async () => {
    const session = await createSession(grant, options());
    const ids = [await session.createSba({ amount: '1' }), await session.createSba({ amount: '1' })].map(
      (sba) => sba.authorization.budgetId,
    );
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('never outlives the grant', async () => {
    const session = await createSession(grant, options({ sbaLifetimeMs: 90 * DAY_MS }));
    const sba = await session.createSba({ amount: '1' });
    expect(sba.authorization.expiresAt).toBe((grant.grant as JsonObject).expiresAt);
  });

  it('leaves the issuer out where the verifier pins the key', async () => {
    const { issuer: _, ...rest } = options();
    const session = await createSession(grant, rest);
    expect(await session.createSba({ amount: '1' })).not.toHaveProperty('issuer');
  });

  it.each<[string, object]>([
    ['another currency', { amount: '1', currency: 'EUR' }],
    ['a rail the grant does not allow', { amount: '1', rail: 'evm' }],
    ['an asset the grant does not allow', { amount: '1', asset: { kind: 'IOU', currency: 'RLUSD', issuer: 'r' } }],
    ['a destination the grant does not allow', { amount: '1', destination: 'rrshVojrm2VNYzWgshmorN9LafmRWaDgp' }],
    ['a destination with a lone surrogate', { amount: '3000000', destination: '\ud800' }],
    ['an amount of zero', { amount: '0' }],
    ['an amount in hexadecimal', { amount: '0x10' }],
  ])('refuses %s', async (_, request) => {
    const session = await createSession(grant, options());
    await expect(session.createSba(request as { amount: string })).rejects.toThrow(WalletError);
    expect(session.remaining()).toEqual({ remainingMinor: '3000000' });
  });

  it('refuses an expired grant, and to sign without a clock', async () => {
    const session = await createSession(grant, options());
    site.clock.set(undefined);
    await expect(session.createSba({ amount: '1' })).rejects.toThrow(/clock/);
    site.clock.set(DAY_BEGINS_MS + 365 * DAY_MS);
    await expect(session.createSba({ amount: '1' })).rejects.toThrow(/expired/);
  });
});

describe('the ceiling', () => {
  it('remaining() counts down, and what is above it is refused and changes nothing', async () => {
    const session = await createSession(grant, options());
    await session.createSba({ amount: '2000000' });
    expect(session.remaining()).toEqual({ remainingMinor: '1000000' });
    const error = await session.createSba({ amount: '1000001' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MpcpBudgetExceededError);
    expect(error).toMatchObject({ requestedMinor: '1000001', remainingMinor: '1000000' });
    await session.createSba({ amount: '1000000' });
    expect(session.remaining()).toEqual({ remainingMinor: '0' });
  });

  it('budgets asked for at the same time share it', async () => {
    const session = await createSession(grant, options());
    const both = await Promise.allSettled([
      session.createSba({ amount: '2000000' }),
      session.createSba({ amount: '2000000' }),
    ]);
    expect(both.map((result) => result.status)).toEqual(['fulfilled', 'rejected']);
  });

  it('payments under one budget share the budget', async () => {
    const session = await createSession(grant, options());
    const sba = await session.createSba({ amount: '1000' });
    session.createSpa({ sba, amount: '600' });
    expect(() => session.createSpa({ sba, amount: '401' })).toThrow(MpcpBudgetExceededError);
    session.createSpa({ sba, amount: '400' });
  });
});

describe('createSpa', () => {
  it('signs one payment, and makes the intent whose hash it carries', async () => {
    const session = await createSession(grant, options());
    const sba = await session.createSba({ amount: '1000' });
    const { spa, settlementIntent } = session.createSpa({
      sba,
      amount: '700',
      asset: XRP,
      destination: DESTINATION,
      referenceId: 'stay',
    });
    expect(settlementIntent).toEqual({
      version: '1.0',
      rail: 'xrpl',
      asset: XRP,
      amount: '700',
      destination: DESTINATION,
      referenceId: 'stay',
      createdAt: isoTime(DAY_BEGINS_MS),
    });
    const { budgetId, sessionId, policyHash, expiresAt } = sba.authorization as Record<string, string>;
    expect(spa.authorization).toMatchObject({
      budgetId,
      sessionId,
      policyHash,
      expiresAt,
      amount: '700',
      intentHash: intentHash(settlementIntent),
    });
  });

  it.each<[string, object, object]>([
    ['a destination that the grant does not allow', {}, { destination: 'rrshVojrm2VNYzWgshmorN9LafmRWaDgp' }],
    ['an asset that the grant does not allow', {}, { asset: { kind: 'IOU', currency: 'RLUSD', issuer: 'r' } }],
    ['a reference with a lone surrogate', {}, { referenceId: '\ud800' }],
  ])('refuses %s, and takes nothing from the budget', async (_, budget, request) => {
    const session = await createSession(grant, options());
    const sba = await session.createSba({ amount: '10', ...budget });
    expect(() => session.createSpa({ sba, amount: '10', ...request })).toThrow(WalletError);
    session.createSpa({ sba, amount: '10', asset: XRP, destination: DESTINATION });
  });

  it('refuses what the grant allows and the budget does not', async () => {
    const { grantId: _, ...request } = grant.grant as JsonObject;
    const { destinationAllowlist: __, allowedAssets: ___, ...open } = request;
    const unrestricted = (await site.post('/grants', open)).body;
    const session = await createSession(unrestricted, options());
    const sba = await session.createSba({ amount: '10', asset: XRP, destination: DESTINATION });
    const spa = (terms: object) => () => session.createSpa({ sba, amount: '10', ...terms });
    expect(spa({ destination: 'rrshVojrm2VNYzWgshmorN9LafmRWaDgp' })).toThrow(/the budget does not allow payments to/);
    expect(spa({ asset: { kind: 'IOU', currency: 'RLUSD', issuer: 'r' } })).toThrow(
      /the budget does not allow the asset/,
    );
    spa({ asset: XRP, destination: DESTINATION })();
  });

  it('refuses a budget that is none', async () => {
    const session = await createSession(grant, options());
    const { issuerKeyId, signature, authorization } = await session.createSba({ amount: '10' });
    const { expiresAt: _, ...rest } = authorization;
    const sba = { issuerKeyId, signature, authorization: rest };
    expect(() => session.createSpa({ sba, amount: '10' })).toThrow(WalletError);
  });

  it('refuses a budget of another session', async () => {
    const [mine, theirs] = [await createSession(grant, options()), await createSession(grant, options())];
    const sba = await theirs.createSba({ amount: '10' });
    expect(() => mine.createSpa({ sba, amount: '1' })).toThrow(WalletError);
  });
});

describe('grants', () => {
  it('takes a flat grant as well as an envelope', async () => {
    const { issuer, issuerKeyId, signature } = grant as Record<string, string>;
    const flat = { ...(grant.grant as JsonObject), issuer, issuerKeyId, signature } as JsonObject;
    const session = await createSession(flat, options());
    const payment = await session.createPayment({ amount: '5', asset: XRP, destination: DESTINATION });
    expect((await verifier()).check(presentationBytes(payment), { amountMinor: '5' })).toMatchObject({ ok: true });
  });

  it('refuses what is no grant, and a ceiling that is no amount', async () => {
    await expect(createSession({ grant: {} }, options())).rejects.toThrow(/grantId is missing/);
    const ceiling = { amount: '-1', currency: 'XRP' };
    await expect(createSession(grant, options({ ceiling }))).rejects.toThrow(WalletError);
  });

  it.each(['actorId', 'issuer', 'sessionId'])(
    'refuses a lone surrogate as %s: nothing could be signed',
    async (name) => {
      await expect(createSession(grant, options({ [name]: 'a\ud800' }))).rejects.toThrow(WalletError);
    },
  );

  it('says when a presentation does not fit into a header', async () => {
    const session = await createSession(grant, options());
    const payment = await session.createPayment({
      amount: '5',
      asset: XRP,
      destination: DESTINATION,
      referenceId: 'x'.repeat(6000),
    });
    expect(() => presentationHeader(payment)).toThrow(/a header holds 8192/);
  });
});

describe('revocation', () => {
  it('a grant the Policy Authority has revoked opens no session and signs no budget', async () => {
    const revoked = await site.grant(site.cast.vehicleA);
    const grantId = String((revoked.grant as JsonObject).grantId);
    const asking = options({ revocationEndpoint: `${site.authority.url}/revoke`, revocationTtl: 1_000 });
    const session = await createSession(revoked, asking);
    await session.createSba({ amount: '1' });
    await site.post('/revoke', { grantId });
    await session.createSba({ amount: '1' });
    site.clock.advance(1_000);
    const error = await session.createSba({ amount: '1' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MpcpGrantRevokedError);
    expect(error).toMatchObject({ grantId, revokedAt: isoTime(DAY_BEGINS_MS) });
    expect(session.remaining()).toEqual({ remainingMinor: '2999998' });
    await expect(createSession(revoked, asking)).rejects.toThrow(MpcpGrantRevokedError);
  });

  it("asks the grant's own endpoint where none is given", async () => {
    const { grantId: _, ...request } = grant.grant as JsonObject;
    const revocationEndpoint = `${site.authority.url}/revoke`;
    const own = (await site.post('/grants', { ...request, revocationEndpoint })).body;
    await site.post('/revoke', { grantId: (own.grant as JsonObject).grantId });
    await expect(createSession(own, options())).rejects.toThrow(MpcpGrantRevokedError);
  });

  it('that was heard of once is not forgotten where the network is gone after it', async () => {
    let revoked = false;
    const session = await new Promise<WalletSession>((resolve, reject) => {
      withServer(
        (_, response) => {
          response.end(JSON.stringify({ revoked }));
        },
        async (url) => {
          const asking = options({ revocationEndpoint: `${url}/revoke`, revocationTtl: 0 });
          const opened = await createSession(grant, asking);
          await opened.createSba({ amount: '1' });
          revoked = true;
          await expect(opened.createSba({ amount: '1' })).rejects.toThrow(MpcpGrantRevokedError);
          resolve(opened);
        },
      ).catch(reject);
    });
    await expect(session.createSba({ amount: '1' })).rejects.toThrow(MpcpGrantRevokedError);
    expect(session.remaining()).toEqual({ remainingMinor: '2999999' });
  });

  it.each(['http://[', 'ftp://pa.example/revoke', 'pa.example'])(
    '%s is no place that can be asked',
    async (endpoint) => {
      await expect(createSession(grant, options({ revocationEndpoint: endpoint }))).rejects.toThrow(WalletError);
    },
  );

  it('an authority that cannot be reached, or errs, stops no payment', async () => {
    for (const revocationEndpoint of ['http://127.0.0.1:1/revoke', `${site.authority.url}/nothing`]) {
      const session = await createSession(grant, options({ revocationEndpoint }));
      await session.createSba({ amount: '1' });
    }
  });
});
