// A charger that asks a grant's issuer over HTTP whether the grant was revoked, before it lets energy flow.

import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import type { RevocationConfiguration } from '../../../core/refresh/settings.ts';
import { grantRequest } from '../../../host-sim/day/scene.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { withServer } from '../../fixtures/listening.ts';
import { FIRMWARE_BUILT_MS, provisioned, type ReadyPayment, TestSite } from '../site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await TestSite.open();
  await site.bundle();
});
afterAll(() => site.close());

/** A charger that has its bundles, and reaches the endpoint at `served`. */
async function charger(served = site.authority.url, settings: Partial<RevocationConfiguration> = {}) {
  const document = site.provisioning();
  const revocation = { hosts: ['pa.example'], timeoutMs: 500, ...settings };
  const made = new VirtualCharger({
    provisioning: provisioned({ ...document, site: { ...document.site, strictXrpl: false, revocation } }),
    firmwareBuiltMs: FIRMWARE_BUILT_MS,
    flash: new SimulatedFlash(new MemoryStore(32_768)),
    clock: site.clock,
    crypto: createNodeCrypto(),
    reach: (url) => new URL(url.pathname + url.search, served),
  });
  made.start();
  await made.refresh();
  return made;
}

/** A grant with an endpoint, and two payments under it. */
async function grantAndPayments(): Promise<{ grantId: string; payments: readonly [ReadyPayment, ReadyPayment] }> {
  const request = grantRequest(site.policyHash, site.cast.vehicleA);
  const { body } = await site.post('/grants', { ...request, revocationEndpoint: 'https://pa.example/revoke' });
  const wallet = await site.wallet(site.cast.vehicleA, body);
  const payments = [await site.payment(wallet, '100'), await site.payment(wallet, '100')] as const;
  return { grantId: (body.grant as JsonObject).grantId as string, payments };
}

function pay(device: VirtualCharger, { bytes, amountMinor }: ReadyPayment) {
  return device.present(bytes, { amountMinor });
}

describe('a grant with a revocation endpoint', () => {
  it('pays while its issuer says it is good, and no longer than that', async () => {
    const device = await charger();
    const { grantId, payments } = await grantAndPayments();
    expect(await pay(device, payments[0])).toMatchObject({ ok: true });
    device.disconnect();
    await site.post('/revoke', { grantId });
    site.clock.advance(300_000);
    expect(await pay(device, payments[1])).toMatchObject({ ok: false, code: 'GRANT_REVOKED' });
    expect(device.relay.closed).toBe(false);
    device.link.set(false);
    expect(await pay(device, payments[1])).toMatchObject({ ok: false, code: 'GRANT_REVOKED' });
  });

  it('is asked about before the relay closes, and once for two payments in a row', async () => {
    let asked = 0;
    const answers: RequestListener = (_, response) => {
      asked++;
      response.setHeader('content-type', 'application/json').end('{"revoked":false}');
    };
    await withServer(answers, async (url) => {
      const device = await charger(url);
      const { payments } = await grantAndPayments();
      expect(device.pay(payments[0].bytes, { amountMinor: '100' })).toMatchObject({ code: 'REVOCATION_UNKNOWN' });
      expect([device.relay.closings, asked]).toEqual([0, 0]);
      expect(await pay(device, payments[0])).toMatchObject({ ok: true });
      expect(await pay(device, payments[1])).toMatchObject({ ok: true });
      expect(asked).toBe(1);
    });
  });

  it.each(['is answered', 'is lost with the power'])(
    'leaves nobody waiting where two payers ask at once, and the question of the first %s',
    async (end) => {
      let answer: (() => void) | undefined;
      const answers: RequestListener = (_, response) => {
        answer = () => response.setHeader('content-type', 'application/json').end('{"revoked":false}');
      };
      await withServer(answers, async (url) => {
        const device = await charger(url, { timeoutMs: 10_000 });
        const { payments } = await grantAndPayments();
        const first = pay(device, payments[0]);
        expect(await pay(device, payments[1])).toMatchObject({ code: 'REVOCATION_UNKNOWN' });
        await vi.waitUntil(() => answer);
        if (end === 'is lost with the power') {
          device.powerOff();
          await expect(first).rejects.toThrow(PowerCut);
        } else {
          answer?.();
          expect(await first).toMatchObject({ ok: true });
        }
      });
    },
  );

  it('pays without a network, which is what grants are for', async () => {
    const device = await charger();
    device.link.set(false);
    const { payments } = await grantAndPayments();
    expect(await pay(device, payments[0])).toMatchObject({ ok: true });
  });

  it('that was forged makes nobody ask', async () => {
    let asked = 0;
    const counts: RequestListener = (_, response) => {
      asked++;
      response.end('{"revoked":false}');
    };
    await withServer(counts, async (url) => {
      const device = await charger(url);
      const { payments } = await grantAndPayments();
      const { presentation } = payments[0];
      const forged = structuredClone(presentation) as unknown as { grant: { grant: JsonObject } };
      forged.grant.grant = { ...forged.grant.grant, revocationEndpoint: 'https://pa.example/reboot' };
      const decision = await device.present(Buffer.from(JSON.stringify(forged)), { amountMinor: '100' });
      expect([decision.ok, asked]).toEqual([false, 0]);
    });
  });

  it.each<[string, RequestListener]>([
    ['never answers', () => undefined],
    ['says 500', (_, response) => response.writeHead(500).end('{"revoked":false}')],
    ['sends elsewhere', (_, response) => response.writeHead(302, { location: '/good' }).end()],
    ['is an access point', (_, response) => response.setHeader('content-type', 'text/html').end('<html>')],
    ['says megabytes', (_, response) => response.end(`{"revoked":false,"x":"${'y'.repeat(1_000_000)}"}`)],
  ])('whose endpoint %s is refused, and then taken where the site says so', async (_, listener) => {
    await withServer(listener, async (url) => {
      const { payments } = await grantAndPayments();
      expect(await pay(await charger(url), payments[0])).toMatchObject({ ok: false, code: 'REVOCATION_UNKNOWN' });
      expect(await pay(await charger(url, { onFailure: 'accept' }), payments[0])).toMatchObject({ ok: true });
    });
  });
});
