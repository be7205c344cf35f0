// The transparent gateway over real sockets: an agent's request is paid for within its session and not beyond, the charger at the
// other end verifies what came in X-Mpcp-Sba by itself, and a stolen token alone pays nothing.

import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import { DAY_BEGINS_MS, DAY_MS, DESTINATION, PURPOSE } from '../../../host-sim/day/scene.ts';
import type { GatewaySession } from '../../../host-sim/gateway/client.ts';
import { verifyReceipt } from '../../../host-sim/gateway/receipts.ts';
import { generateKey } from '../../../host-sim/signing/keys.ts';
import { withServer } from '../../fixtures/listening.ts';
import { TestSite } from '../site.ts';
import { EXPIRES, GatewayScene, PRICE, TERMS } from './charger.ts';

let site: TestSite;
let scene: GatewayScene;
beforeAll(async () => {
  site = await TestSite.open();
  scene = new GatewayScene(site);
  await scene.open();
});
afterAll(async () => {
  await scene.close();
  await site.close();
});
beforeEach(() => {
  site.clock.set(DAY_BEGINS_MS);
  scene.device?.disconnect();
});

const REQUEST = { budget: { amount: '2500000', currency: 'XRP' }, purposes: [PURPOSE], expiresAt: EXPIRES };

function open(changes: object = {}, key?: ReturnType<typeof generateKey>): Promise<GatewaySession> {
  return scene.client.createSession({ ...REQUEST, ...changes }, key);
}

async function answered(response: Promise<Response>): Promise<{ status: number; body: JsonObject }> {
  const { status, ...rest } = await response.then(async (one) => ({ status: one.status, body: await one.json() }));
  return { status, body: rest.body as JsonObject };
}

describe('a paid request', () => {
  it('comes back as the charger answered it, which verified the SBA and closed its relay', async () => {
    const session = await open();
    expect(await answered(session.fetch(scene.url, { purpose: PURPOSE }))).toMatchObject({
      status: 200,
      body: { ok: true, amountMinor: PRICE },
    });
    expect(scene.device?.relay.closed).toBe(true);
    expect(await session.remaining()).toMatchObject({
      budgetMinor: '2500000',
      allocatedMinor: PRICE,
      remainingMinor: '1500000',
    });
  });

  it('has a receipt that the gateway signed, and that nobody can change', async () => {
    const session = await open();
    await session.fetch(scene.url, { purpose: PURPOSE });
    const [key] = await scene.client.fetchGatewayKeys();
    const [receipt] = await scene.client.getReceipts(session.id);
    if (key === undefined || receipt === undefined) throw new Error('there is no receipt, or no key');
    expect(receipt).toMatchObject({
      sessionId: session.id,
      purpose: PURPOSE,
      amount: { amountMinor: PRICE, currency: 'XRP' },
      merchant: scene.url,
      txRef: `tx-${scene.settled.length}`,
      sba: { authorization: { maxAmountMinor: PRICE, destinationAllowlist: [DESTINATION] } },
    });
    expect(verifyReceipt(receipt, key)).toBe(true);
    // Whoever resolves the keys of its grants and SBAs by their issuer's address finds them there too.
    expect((await scene.client.fetchGatewayKeys()).map(({ kid }) => kid)).toEqual([
      'gw-receipts',
      'gw-grants',
      'gw-sba',
    ]);
    expect(verifyReceipt({ ...receipt, purpose: 'travel:hotel' }, key)).toBe(false);
    expect(verifyReceipt(receipt, generateKey(key.kid))).toBe(false);
  });

  it('never goes beyond the budget, however many come at once', async () => {
    const session = await open();
    const before = scene.settled.length;
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => answered(session.fetch(scene.url, { purpose: PURPOSE }))),
    );
    expect(scene.settled.length - before).toBe(2);
    expect(answers.filter(({ body }) => body.error === 'budget_exceeded')).toHaveLength(4);
    expect(answers.find(({ status }) => status === 402)?.body).toMatchObject({ requestedMinor: PRICE });
  });

  it('that a merchant gives away costs nothing, body and type passed on', async () => {
    const session = await open();
    const echo: RequestListener = async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      response.writeHead(201, { 'content-type': 'text/plain' });
      response.end(`${request.headers['content-type']} ${Buffer.concat(parts)} ${request.headers.authorization}`);
    };
    await withServer(echo, async (url) => {
      const response = await session.fetch(url, { body: '{"not":1,"not":2}', headers: { 'content-type': 'text/csv' } });
      // What authorizes the agent at the gateway is no business of the merchant's.
      expect([response.status, await response.text()]).toEqual([201, 'text/csv {"not":1,"not":2} undefined']);
    });
    expect(await session.remaining()).toMatchObject({ allocatedMinor: '0' });
  });
});

describe('no payment', () => {
  it.each<[string, () => Promise<GatewaySession>, object, string]>([
    ['for another purpose', () => open(), { purpose: 'travel:hotel' }, 'purpose_not_allowed'],
    ['without a purpose', () => open(), {}, 'purpose_not_allowed'],
    [
      'beyond the budget',
      () => open({ budget: { amount: '999999', currency: 'XRP' } }),
      { purpose: PURPOSE },
      'budget_exceeded',
    ],
  ])('%s', async (_, made, request, error) => {
    const session = await made();
    const before = scene.settled.length;
    expect((await answered(session.fetch(scene.url, request))).body).toMatchObject({ error });
    expect(scene.settled.length).toBe(before);
    expect(await scene.client.getReceipts(session.id)).toEqual([]);
  });

  it('after the session was revoked, or is expired', async () => {
    const [revoked, expired] = [await open(), await open()];
    await revoked.revoke();
    expect(await answered(revoked.fetch(scene.url, { purpose: PURPOSE }))).toMatchObject({
      status: 403,
      body: { error: 'grant_revoked' },
    });
    site.clock.set(DAY_BEGINS_MS + DAY_MS);
    expect(await answered(expired.fetch(scene.url, { purpose: PURPOSE }))).toMatchObject({
      body: { error: 'session_expired' },
    });
  });

  it('that was revoked while the merchant thought about its price', async () => {
    const session = await open();
    const slow: RequestListener = async (_, response) => {
      await session.revoke();
      response.writeHead(402, { 'x-payment': JSON.stringify(TERMS) });
      response.end();
    };
    await withServer(slow, async (url) => {
      expect((await answered(session.fetch(url, { purpose: PURPOSE }))).body).toMatchObject({ error: 'grant_revoked' });
    });
  });

  it.each([
    'no JSON',
    '{}',
    '[]',
    'null',
    '{"amount":"-1","currency":"XRP","address":"r"}',
    '{"amount":"1","currency":"EUR","address":"r"}',
  ])('for terms that are not to be paid: %s', async (header) => {
    const session = await open();
    const merchant: RequestListener = (_, response) => {
      response.writeHead(402, { 'x-payment': header });
      response.end('{}');
    };
    await withServer(merchant, async (url) => {
      expect(await answered(session.fetch(url, { purpose: PURPOSE }))).toMatchObject({
        status: 502,
        body: { error: 'payment_terms_invalid' },
      });
    });
    expect(await session.remaining()).toMatchObject({ allocatedMinor: '0' });
  });
});

describe('a session', () => {
  it.each<[string, object, string]>([
    [
      'in an ISO 4217 currency, which the gateway does not pay in',
      { budget: { amount: '80000', currency: 'USD' } },
      'currency_not_supported',
    ],
    [
      'in one that only looks like a member',
      { budget: { amount: '1', currency: 'constructor' } },
      'currency_not_supported',
    ],
    ['that is over already', { expiresAt: '2020-01-01T00:00:00Z' }, 'invalid_request'],
    ['without purposes', { purposes: [] }, 'invalid_request'],
    ['under a grant of a stranger', { signedPolicyGrant: {} }, 'grant_not_accepted'],
  ])('is not opened %s', async (_, changes, code) => {
    await expect(open(changes)).rejects.toMatchObject({ code });
  });

  it('with a key pays for no request that its key did not sign, nor for one twice', async () => {
    const key = generateKey('agent-session');
    const session = await open({}, key);
    const ask = (headers: Record<string, string>, body = 'charge 7') =>
      answered(
        fetch(new URL('/proxy', scene.gateway.url), {
          method: 'POST',
          headers: { ...headers, 'x-target-url': scene.url, 'x-mpcp-purpose': PURPOSE, 'content-type': 'text/plain' },
          body,
        }),
      );
    const good = session.authorization('charge 7');
    const { authorization = '' } = good;
    const before = scene.settled.length;
    expect((await ask({ authorization })).body).toMatchObject({ error: 'session_proof_invalid' });
    expect((await ask(good, 'charge 8')).body).toMatchObject({ error: 'session_proof_invalid' });
    const stranger = await open({}, generateKey('stranger'));
    expect((await ask({ ...stranger.authorization('charge 7'), authorization })).body).toMatchObject({
      error: 'session_proof_invalid',
    });
    site.clock.advance(61_000);
    expect((await ask(good)).body).toMatchObject({ error: 'session_proof_stale' });
    expect(scene.settled.length).toBe(before);
    const fresh = session.authorization('charge 7');
    expect((await ask(fresh)).body.error).not.toBe('session_proof_invalid');
    expect(scene.settled.length).toBe(before + 1);
    const again = Buffer.from(fresh['x-mpcp-session-proof'] as string, 'base64url').toString('base64');
    expect((await ask({ ...fresh, 'x-mpcp-session-proof': again })).body).toMatchObject({
      detail: 'the proof was taken before',
    });
  });

  it('is nothing to whoever does not know its token, or the API key', async () => {
    const session = await open();
    const guess = { method: 'POST', headers: { authorization: 'Bearer gw_sess_guess', 'x-target-url': scene.url } };
    expect((await fetch(new URL('/proxy', scene.gateway.url), guess)).status).toBe(401);
    const path = new URL(`/sessions/${session.id}`, scene.gateway.url);
    expect((await fetch(path, { method: 'DELETE', headers: { authorization: 'Bearer x' } })).status).toBe(401);
  });
});
