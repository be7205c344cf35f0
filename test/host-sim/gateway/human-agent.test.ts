// The Human-Agent profile: a human with a did:key gives an agent a budget for a trip and some purposes. The agent pays chargers
// itself, which know nothing but the human's identifier, or has a gateway pay under the human's grant.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SiteConfiguration } from '../../../core/configuration.ts';
import { DESTINATION, GATEWAY, PURPOSE, XRP } from '../../../host-sim/day/scene.ts';
import { policyHash, signGrant } from '../../../host-sim/signing/artifacts.ts';
import { didKeyOf } from '../../../host-sim/signing/did-key.ts';
import { generateKey } from '../../../host-sim/signing/keys.ts';
import { MpcpBudgetExceededError, MpcpPurposeNotAllowedError } from '../../../host-sim/wallet/errors.ts';
import { presentationBytes } from '../../../host-sim/wallet/presentation.ts';
import { createSession } from '../../../host-sim/wallet/session.ts';
import { MemorySpendStorage } from '../../../host-sim/wallet/spend-storage.ts';
import { TestSite } from '../site.ts';
import { charger, EXPIRES, GATEWAY_ISSUER, GatewayScene, PRICE } from './charger.ts';

const human = generateKey('alice-did-key-1');
const agent = generateKey('agent-key-1');
const HUMAN = didKeyOf(human.publicKey);
const AGENT = didKeyOf(agent.publicKey);
const TRIP: Partial<SiteConfiguration> = {
  profile: 'human-agent',
  grantIssuers: [HUMAN],
  sbaIssuers: { [HUMAN]: [AGENT] },
};

function tripGrant(changes: object = {}) {
  const grant = {
    version: '1.0',
    grantId: 'grant-paris',
    policyHash: policyHash({ trip: 'Paris' }),
    subjectId: 'ai-trip-planner-v2',
    scope: 'TRIP',
    allowedRails: ['xrpl'],
    allowedAssets: [XRP],
    allowedPurposes: [PURPOSE, 'travel:hotel'],
    destinationAllowlist: [DESTINATION],
    authorizedGateway: GATEWAY,
    velocityLimit: { maxPayments: 200, windowSeconds: 86_400 },
    budgetMinor: '2500000',
    expiresAt: EXPIRES,
    ...changes,
  };
  return signGrant(grant, { key: human, issuer: HUMAN }, 'flat');
}

let site: TestSite;
beforeAll(async () => {
  site = await TestSite.open();
  await site.bundle([], { approvedIssuers: [HUMAN, AGENT], issuers: [] });
});
afterAll(() => site.close());

function trip(grant = tripGrant(), storage = new MemorySpendStorage()) {
  return createSession(grant, {
    actorId: 'ai-trip-planner-v2',
    signingKey: agent,
    issuer: AGENT,
    scope: 'TRIP',
    sessionId: 'paris-2026-alice',
    ceiling: { amount: '2500000', currency: 'XRP' },
    minorUnit: 6,
    clock: site.clock,
    storage,
  });
}

const TERMS = { amount: PRICE, asset: XRP, destination: DESTINATION, purpose: PURPOSE };

describe('an agent with a trip budget', () => {
  it('pays at a charger that knows the human by a did:key, until the trip is spent, over sessions and restarts', async () => {
    const device = await charger(site, TRIP);
    const storage = new MemorySpendStorage();
    for (const at of [1, 2]) {
      const session = await trip(tripGrant(), storage);
      const bytes = presentationBytes(await session.createPayment(TERMS));
      expect(device.pay(bytes, { amountMinor: PRICE }), `payment ${at}`).toMatchObject({ ok: true });
      device.disconnect();
    }
    await expect((await trip(tripGrant(), storage)).createPayment(TERMS)).rejects.toThrow(MpcpBudgetExceededError);
    // An agent that forgets what it spent is found out: the device counts what it accepted under the grant.
    const forgetful = await trip();
    expect(device.pay(presentationBytes(await forgetful.createPayment(TERMS)), { amountMinor: PRICE })).toMatchObject({
      ok: false,
      code: 'GRANT_BUDGET_EXCEEDED',
    });
  });

  it('signs for no purpose that the human did not allow, and a charger takes none', async () => {
    const device = await charger(site, TRIP);
    const hotels = tripGrant({ grantId: 'grant-hotels', allowedPurposes: ['travel:hotel'] });
    const session = await trip(hotels);
    await expect(session.createPayment(TERMS)).rejects.toThrow(MpcpPurposeNotAllowedError);
    const { purpose: _, ...unsaid } = TERMS;
    expect(device.pay(presentationBytes(await session.createPayment(unsaid)), { amountMinor: PRICE })).toMatchObject({
      code: 'PURPOSE_NOT_ALLOWED',
    });
  });

  it('cannot raise its own budget, nor pay with the grant of a human whom the site does not know', async () => {
    const device = await charger(site, TRIP);
    const payment = await (await trip()).createPayment(TERMS);
    const raised = { ...payment, grant: { ...payment.grant, budgetMinor: '99000000' } };
    expect(device.pay(presentationBytes(raised), { amountMinor: PRICE })).toMatchObject({
      code: 'POLICY_GRANT_SIGNATURE_INVALID',
    });
    const { signature: _, issuer: __, issuerKeyId: ___, ...terms } = tripGrant();
    const own = signGrant(terms, { key: agent, issuer: AGENT }, 'flat');
    const selfGiven = await (await trip(own)).createPayment(TERMS);
    expect(device.pay(presentationBytes(selfGiven), { amountMinor: PRICE })).toMatchObject({
      code: 'ISSUER_NOT_PERMITTED',
    });
  });
});

describe('a gateway under the grant of a human', () => {
  it("pays a charger, which sees the human's signature, within what the human allowed", async () => {
    const scene = new GatewayScene(site, [{ issuer: HUMAN, key: { kid: human.kid, publicKey: human.publicKey } }]);
    await scene.open({ grantIssuers: [HUMAN], sbaIssuers: { [HUMAN]: [GATEWAY_ISSUER] } }, [HUMAN]);
    const request = {
      budget: { amount: '2500000', currency: 'XRP' },
      purposes: [PURPOSE, 'travel:flight'],
      expiresAt: EXPIRES,
    };
    const session = await scene.client.createSession({
      ...request,
      signedPolicyGrant: tripGrant({ grantId: 'grant-gw' }),
    });
    const paid = await session.fetch(scene.url, { purpose: PURPOSE });
    expect([paid.status, await paid.json()]).toMatchObject([200, { ok: true, amountMinor: PRICE }]);
    // The session allows it, the human's grant does not.
    const flight = await session.fetch(scene.url, { purpose: 'travel:flight' });
    expect(await flight.json()).toMatchObject({ error: 'purpose_not_allowed' });
    const changed = { ...tripGrant(), budgetMinor: '99000000' };
    await expect(scene.client.createSession({ ...request, signedPolicyGrant: changed })).rejects.toMatchObject({
      code: 'grant_not_accepted',
    });
    await scene.close();
  });
});
