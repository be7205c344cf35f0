// A charger behind a socket that trusts a gateway, a human's did:key or both, for tests of what they pay it.

import type { SiteConfiguration } from '../../../core/configuration.ts';
import { DAY_BEGINS_MS, DAY_MS, DESTINATION, GATEWAY } from '../../../host-sim/day/scene.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { GatewayClient } from '../../../host-sim/gateway/client.ts';
import { DeviceMerchant } from '../../../host-sim/gateway/device-merchant.ts';
import type { GatewayOptions } from '../../../host-sim/gateway/gateway.ts';
import { GatewayServer } from '../../../host-sim/gateway/server.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { generateKey, publicJwk } from '../../../host-sim/signing/keys.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { FIRMWARE_BUILT_MS, provisioned, type TestSite } from '../site.ts';

export const GATEWAY_ISSUER = 'gw.example';
export const API_KEY = 'the-owner-of-budgets';
/** What a charge costs. */
export const PRICE = '1000000';
export const TERMS = { amount: PRICE, currency: 'XRP', address: DESTINATION };
export const EXPIRES = new Date(DAY_BEGINS_MS + DAY_MS).toISOString();

/** A charger, its bundles fetched, with changes to its site; what it costs is `PRICE`. */
export async function charger(site: TestSite, changes: Partial<SiteConfiguration>): Promise<VirtualCharger> {
  const document = site.provisioning();
  const device = new VirtualCharger({
    provisioning: provisioned({ ...document, site: { ...document.site, profile: 'lite', ...changes } }),
    firmwareBuiltMs: FIRMWARE_BUILT_MS,
    flash: new SimulatedFlash(new MemoryStore(32_768)),
    clock: site.clock,
    crypto: createNodeCrypto(),
  });
  device.start();
  await device.refresh();
  return device;
}

/** A gateway, its client, and a charger that sells to it through X-Mpcp-Sba. */
export class GatewayScene {
  readonly keys = {
    grantKey: generateKey('gw-grants'),
    sbaKey: generateKey('gw-sba'),
    receiptKey: generateKey('gw-receipts'),
  };
  readonly site: TestSite;
  readonly gateway: GatewayServer;
  readonly settled: unknown[] = [];
  client = new GatewayClient({ gatewayUrl: 'http://closed.example', apiKey: '' });
  device: VirtualCharger | undefined;
  merchant: DeviceMerchant | undefined;
  /** Where the charger is paid. */
  url = '';

  constructor(site: TestSite, owners: GatewayOptions['owners'] = []) {
    this.site = site;
    this.gateway = new GatewayServer({
      ...this.keys,
      issuer: GATEWAY_ISSUER,
      address: GATEWAY,
      owners,
      clock: site.clock,
      crypto: createNodeCrypto(),
      apiKey: API_KEY,
      settle: async (terms) => `tx-${this.settled.push(terms)}`,
    });
  }

  /** @param approved issuers that the charger's bundle approves besides the gateway: a did:key is its own key */
  async open(changes: Partial<SiteConfiguration> = {}, approved: readonly string[] = []): Promise<void> {
    await this.gateway.listen();
    this.client = new GatewayClient({ gatewayUrl: this.gateway.url, apiKey: API_KEY, clock: this.site.clock });
    const { grantKey, sbaKey } = this.keys;
    await this.site.bundle([], {
      approvedIssuers: [GATEWAY_ISSUER, ...approved],
      issuers: [{ issuer: GATEWAY_ISSUER, keys: [{ ...publicJwk(grantKey) }, { ...publicJwk(sbaKey) }] }],
    });
    this.device = await charger(this.site, {
      // Whoever has the key of SBAs must not make grants with it.
      grantIssuers: [{ issuer: GATEWAY_ISSUER, kids: [grantKey.kid] }],
      sbaIssuers: { [GATEWAY_ISSUER]: [{ issuer: GATEWAY_ISSUER, kids: [sbaKey.kid] }] },
      ...changes,
    });
    this.merchant = new DeviceMerchant(this.device, TERMS);
    this.url = await this.merchant.listen();
  }

  async close(): Promise<void> {
    await Promise.all([this.gateway.close(), this.merchant?.close()]);
  }
}
