// What merchants, agents and owners try at the gateway: terms that cannot be paid cost nothing, a grant is spent once however many
// sessions are under it, and whatever a merchant answers, the agent gets an answer.

import type { AddressInfo } from 'node:net';
import { createServer as createRawServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import { DAY_BEGINS_MS, DESTINATION, GATEWAY, PURPOSE, XRP } from '../../../host-sim/day/scene.ts';
import type { GatewaySession } from '../../../host-sim/gateway/client.ts';
import { policyHash, signGrant } from '../../../host-sim/signing/artifacts.ts';
import { generateKey } from '../../../host-sim/signing/keys.ts';
import { withServer } from '../../fixtures/listening.ts';
import { TestSite } from '../site.ts';
import { EXPIRES, GatewayScene, PRICE, TERMS } from './charger.ts';

const OWNER = 'owner.example';
const ownerKey = generateKey('owner-1');

let site: TestSite;
let scene: GatewayScene;
beforeAll(async () => {
  site = await TestSite.open();
  const { kid, publicKey } = ownerKey;
  scene = new GatewayScene(site, [{ issuer: OWNER, key: { kid, publicKey } }]);
  await scene.open();
});
afterAll(async () => {
  await scene.close();
  await site.close();
});
beforeEach(() => site.clock.set(DAY_BEGINS_MS));

const REQUEST = { budget: { amount: '2500000', currency: 'XRP' }, purposes: [PURPOSE], expiresAt: EXPIRES };

function open(changes: object = {}): Promise<GatewaySession> {
  return scene.client.createSession({ ...REQUEST, ...changes });
}

let grants = 0;
function ownersGrant(changes: object = {}): JsonObject {
  const grant = {
    version: '1.0',
    grantId: `grant-${++grants}`,
    policyHash: policyHash({ owner: OWNER }),
    allowedRails: ['xrpl'],
    allowedAssets: [XRP],
    budgetMinor: PRICE,
    expiresAt: EXPIRES,
    ...changes,
  };
  return signGrant(grant, { key: ownerKey, issuer: OWNER }, 'flat');
}

async function paid(session: GatewaySession, url: string): Promise<{ status: number; body: JsonObject }> {
  const response = await session.fetch(url, { purpose: PURPOSE });
  return { status: response.status, body: (await response.json()) as JsonObject };
}

/** A merchant that asks with this header until it is paid, and then says thanks. */
function selling(header: string, work: (url: string) => Promise<void>): Promise<void> {
  return withServer((request, response) => {
    const receipt = request.headers['x-payment-receipt'];
    response.writeHead(receipt === undefined ? 402 : 200, { 'x-payment': header, 'content-type': 'application/json' });
    response.end(JSON.stringify({ sba: request.headers['x-mpcp-sba'] ?? null }));
  }, work);
}

describe('a merchant whose terms cannot be paid takes nothing from the budget:', () => {
  it.each<[string, string]>([
    ['an address with a lone surrogate', '\ud800'],
    ['an address that is empty', ''],
    ['an address longer than a header holds', 'r'.repeat(9_000)],
    ['an address with a line break', `${DESTINATION}\n`],
  ])('%s', async (_, address) => {
    const session = await open();
    await selling(JSON.stringify({ ...TERMS, address }), async (url) => {
      expect(await paid(session, url)).toMatchObject({ status: 502, body: { error: 'payment_terms_invalid' } });
    });
    expect(await session.remaining()).toMatchObject({ allocatedMinor: '0' });
    expect(await scene.client.getReceipts(session.id)).toEqual([]);
  });
});

describe("an owner's grant", () => {
  const merchant = JSON.stringify(TERMS);

  it('is spent once, however many sessions are under it', async () => {
    const signedPolicyGrant = ownersGrant();
    const [one, other] = [await open({ signedPolicyGrant }), await open({ signedPolicyGrant })];
    await selling(merchant, async (url) => {
      const answers = await Promise.all([paid(one, url), paid(other, url), paid(one, url)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 402, 402]);
      expect(answers.find(({ status }) => status === 402)?.body).toMatchObject({
        error: 'budget_exceeded',
        requestedMinor: PRICE,
        remainingMinor: '0',
      });
    });
  });

  it('signed again with the same id and a higher budget counts what was spent', async () => {
    const before = ownersGrant();
    await selling(merchant, async (url) => {
      expect((await paid(await open({ signedPolicyGrant: before }), url)).status).toBe(200);
      const higher = ownersGrant({ grantId: before.grantId, budgetMinor: '1999999' });
      expect((await paid(await open({ signedPolicyGrant: higher }), url)).status).toBe(402);
    });
  });

  it('is not charged with what the session refuses', async () => {
    const signedPolicyGrant = ownersGrant({ destinationAllowlist: ['rrshVojrm2VNYzWgshmorN9LafmRWaDgp', DESTINATION] });
    const small = await open({ signedPolicyGrant, budget: { amount: '1', currency: 'XRP' } });
    const large = await open({ signedPolicyGrant });
    await selling(merchant, async (url) => {
      expect((await paid(small, url)).status).toBe(402);
      expect((await paid(large, url)).status).toBe(200);
    });
  });

  it('is held to its largest payment and its payments in a stretch of time, by all sessions together', async () => {
    const velocityLimit = { maxPayments: 2, windowSeconds: 600 };
    const signedPolicyGrant = ownersGrant({ budgetMinor: '9000000', velocityLimit });
    const small = ownersGrant({ budgetMinor: '9000000', maxSpend: { perTxMinor: '999999' } });
    const [one, other] = [await open({ signedPolicyGrant }), await open({ signedPolicyGrant })];
    await selling(merchant, async (url) => {
      expect(await paid(await open({ signedPolicyGrant: small }), url)).toMatchObject({
        status: 402,
        body: { error: 'budget_exceeded', remainingMinor: '999999' },
      });
      expect((await paid(one, url)).status).toBe(200);
      site.clock.advance(300_000);
      expect((await paid(other, url)).status).toBe(200);
      expect(await paid(one, url)).toMatchObject({ status: 429, body: { error: 'velocity_exceeded' } });
      site.clock.advance(300_000);
      expect((await paid(one, url)).status).toBe(200);
      expect((await paid(other, url)).status).toBe(429);
    });
  });

  it("that names another gateway is not this one's to spend", async () => {
    const authorizedGateway = 'rrshVojrm2VNYzWgshmorN9LafmRWaDgp';
    await expect(open({ signedPolicyGrant: ownersGrant({ authorizedGateway }) })).rejects.toMatchObject({
      code: 'grant_not_accepted',
      message: expect.stringContaining('GATEWAY_NOT_AUTHORIZED'),
    });
    await open({ signedPolicyGrant: ownersGrant({ authorizedGateway: GATEWAY }) });
  });

  it('whose revocationEndpoint is no address is refused in words', async () => {
    const signedPolicyGrant = ownersGrant({ revocationEndpoint: 'http://[' });
    await expect(open({ signedPolicyGrant })).rejects.toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('pays nothing when its session is revoked while its issuer is asked', async () => {
    let asked = 0;
    let session: GatewaySession | undefined;
    await withServer(
      async (_, response) => {
        if (++asked === 2) await session?.revoke();
        response.end('{"revoked":false}');
      },
      async (url) => {
        session = await open({ signedPolicyGrant: ownersGrant({ revocationEndpoint: `${url}/revoke` }) });
        site.clock.advance(61_000);
        const before = scene.settled.length;
        await selling(merchant, async (shop) => {
          expect(await paid(session as GatewaySession, shop)).toMatchObject({
            status: 403,
            body: { error: 'grant_revoked' },
          });
        });
        expect([asked, scene.settled.length]).toEqual([2, before]);
      },
    );
  });
});

describe('whatever a merchant answers, the agent gets an answer:', () => {
  it.each<[string, string, number]>([
    ['a status that there is none of', 'HTTP/1.1 999 What\r\ncontent-length: 2\r\n\r\n{}', 502],
    ['a status without a body', 'HTTP/1.1 204 Gone\r\n\r\n', 204],
    [
      'a redirect to somewhere else',
      'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
      302,
    ],
    ['a type that is none', 'HTTP/1.1 200 OK\r\ncontent-type: \xff;;=\r\ncontent-length: 2\r\n\r\n{}', 200],
    ['a type that is empty', 'HTTP/1.1 200 OK\r\ncontent-type:\r\ncontent-length: 2\r\n\r\n{}', 200],
    ['no HTTP', 'no HTTP at all\r\n\r\n', 502],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}', 502],
    ['less than it promised', 'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{}', 502],
  ])('%s', async (_, answer, status) => {
    const server = createRawServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(Buffer.from(answer, 'latin1')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const session = await open();
    const response = await session.fetch(`http://127.0.0.1:${port}/`, { purpose: PURPOSE });
    expect(response.status).toBe(status);
    if (status === 502) expect(await response.json()).toMatchObject({ error: 'merchant_unreachable' });
    server.close();
  });
});

describe('a target', () => {
  it.each([
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'http://',
    '/pay',
    'http://user:secret@127.0.0.1/',
    'http://127.0.0.1:1/, http://127.0.0.1:2/',
  ])('that is no single address to ask is refused: %s', async (target) => {
    const session = await open();
    const headers = { ...session.authorization(''), 'x-target-url': target };
    const response = await fetch(new URL('/proxy', scene.gateway.url), { method: 'POST', headers });
    const text = await response.text();
    expect([response.status, JSON.parse(text)]).toMatchObject([400, { error: 'invalid_request' }]);
    expect(text).not.toContain('secret');
  });

  it('that is the gateway itself is nobody who is let in', async () => {
    const session = await open();
    expect(await paid(session, `${scene.gateway.url}/sessions/${session.id}`)).toMatchObject({ status: 404 });
    expect(await paid(session, `${scene.gateway.url}/proxy`)).toMatchObject({ status: 401 });
  });
});
