// `gateway serve` as a process: an agent pays a charger through it, which trusts its keys alone; and what keeps it from starting is
// told in one line.

import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import { DESTINATION, GATEWAY, PURPOSE } from '../../../../host-sim/day/scene.ts';
import { GatewayClient } from '../../../../host-sim/gateway/client.ts';
import { DeviceMerchant } from '../../../../host-sim/gateway/device-merchant.ts';
import { verifyReceipt } from '../../../../host-sim/gateway/receipts.ts';
import { publicJwk, readSigningKey } from '../../../../host-sim/signing/keys.ts';
import { charger } from '../../../host-sim/gateway/charger.ts';
import { TestSite } from '../../../host-sim/site.ts';
import { Program } from '../program.ts';
import { Bench, changed, DAMAGED_ADDRESS, run } from '../run.ts';

const API_KEY = 'the-owner-of-the-test';
const bench = new Bench();
const program = new Program();
afterAll(() => {
  program.remove();
  bench.remove();
});

/** Makes keys, and gives the words that serve with them. */
async function words(): Promise<readonly string[]> {
  const files = await Promise.all(
    ['grants', 'sba', 'receipts'].map(async (name) => {
      const file = bench.path(`${name}.jwk`);
      await bench.ok('keygen', '--kid', `gw-${name}`, '--out', file, '--force');
      return file;
    }),
  );
  const [grants, sba, receipts] = files as [string, string, string];
  const keys = ['--grant-key', grants, '--sba-key', sba, '--receipt-key', receipts];
  return ['gateway', 'serve', '--port', '0', '--json', '--issuer', 'gw.example', '--address', GATEWAY, ...keys];
}

describe('a gateway as a service', () => {
  it('pays a charger for an agent, within the session, and signs a receipt', async () => {
    const gateway = program.start(await words(), bench.folder, { MPCP_GATEWAY_API_KEY: API_KEY });
    const site = await TestSite.open();
    let merchant: DeviceMerchant | undefined;
    try {
      const [told] = (await once(gateway.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
      const document = JSON.parse(told.toString());
      expect(Object.keys(document)).toEqual(['gateway']);
      // The service goes by the machine's clock.
      site.clock.set(Date.now());
      const keys = ['grants', 'sba'].map((name) => publicJwk(readSigningKey(bench.text(`${name}.jwk`), undefined)));
      await site.bundle([], {
        approvedIssuers: ['gw.example'],
        issuers: [{ issuer: 'gw.example', keys: keys.map((key) => ({ ...key })) }],
        expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
      });
      const device = await charger(site, {
        grantIssuers: [{ issuer: 'gw.example', kids: ['gw-grants'] }],
        sbaIssuers: { 'gw.example': [{ issuer: 'gw.example', kids: ['gw-sba'] }] },
      });
      merchant = new DeviceMerchant(device, { amount: '1000000', currency: 'XRP', address: DESTINATION });
      const url = await merchant.listen();
      const client = new GatewayClient({ gatewayUrl: document.gateway, apiKey: API_KEY });
      const session = await client.createSession({
        budget: { amount: '1500000', currency: 'XRP' },
        purposes: [PURPOSE],
        expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      });
      expect(await (await session.fetch(url, { purpose: PURPOSE })).json()).toMatchObject({
        ok: true,
        amountMinor: '1000000',
      });
      expect(device.relay.closed).toBe(true);
      expect(await (await session.fetch(url, { purpose: PURPOSE })).json()).toMatchObject({ error: 'budget_exceeded' });
      const [key] = await client.fetchGatewayKeys();
      const receipts = await client.getReceipts(session.id);
      expect(receipts).toMatchObject([{ txRef: 'simulated-1' }]);
      expect(verifyReceipt(receipts[0] as never, key as never)).toBe(true);
    } finally {
      const gone = once(gateway, 'exit');
      gateway.kill('SIGTERM');
      expect(await gone).toEqual([0, null]);
      await merchant?.close();
      await site.close();
    }
  });
});

describe('no gateway', () => {
  it('for an address whose checksum is wrong', async () => {
    const { code, stderr } = await run(...changed(await words(), '--address', DAMAGED_ADDRESS));
    expect([code, stderr]).toEqual([2, expect.stringContaining('--address: ')]);
    expect(stderr).toContain('its checksum is wrong');
  });

  it('whose keys have one kid in common', async () => {
    const all = await words();
    const { code, stderr } = await run(...changed(all, '--sba-key', bench.path('grants.jwk')));
    expect([code, stderr]).toEqual([2, expect.stringContaining('each needs its own')]);
  });

  it('with a key that cannot be read', async () => {
    const { code, stderr } = await run(...changed(await words(), '--grant-key', bench.path('nobody.jwk')));
    expect([code, stderr]).toEqual([2, expect.stringContaining('--grant-key')]);
  });

  it('whose owners cannot be told apart', async () => {
    const all = await words();
    const owner = ['--owner', `owner.example=${bench.path('sba.jwk')}`];
    const { code, stderr } = await run(...all, ...owner, ...owner);
    expect([code, stderr.trim().split('\n')]).toEqual([2, [expect.stringContaining('--owner: ')]]);
  });

  it('with an API key that is easily guessed', async () => {
    process.env.MPCP_GATEWAY_API_KEY = 'short';
    const { code, stderr } = await run(...(await words()));
    delete process.env.MPCP_GATEWAY_API_KEY;
    expect([code, stderr]).toEqual([2, expect.stringContaining('MPCP_GATEWAY_API_KEY is not 16 visible characters')]);
  });
});
