// A virtual charger under TLS: it asks the server that its provisioning names, and tells nobody else anything, as the firmware does.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { type CertificateParts, certified, keyPair, type Party } from '../../fixtures/server-certificates.ts';
import { FIRMWARE_BUILT_MS, provisioned, TestSite } from '../site.ts';

const DAY_MS = 86_400_000;
const pair = keyPair('rsa', 65_537, 2048);
const operator = keyPair('rsa', 65_537, 2048);
const stranger = keyPair('rsa', 65_537, 2048);
/** The provisioned one. */
const own = certified(operator, { names: ['operator.example'] });
let site: TestSite;
let close: (() => void) | undefined;
/** Stands for a provisioning without one. */
const NONE = new Uint8Array(0);
/** What the server says instead of an answer of the authority. */
let says: number | undefined;
/** Paths that were asked for. */
let asked: string[] = [];

beforeAll(async () => {
  site = await TestSite.open();
  await site.bundle();
});
afterAll(() => site.close());
afterEach(() => {
  close?.();
  asked = [];
  says = undefined;
});

/** Serves the authority under TLS. @returns its address */
async function served({ key, certificate }: Party): Promise<string> {
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n-----END CERTIFICATE-----`;
  const server = createServer(
    { key: key.export({ type: 'pkcs8', format: 'pem' }), cert: pem },
    async (request, response) => {
      asked.push(String(request.url));
      if (says !== undefined) {
        response.writeHead(says).end();
        return;
      }
      const { status, headers, body } = await site.authority.answer({
        method: 'GET',
        path: String(request.url),
        headers: { accept: 'application/json' },
      });
      response.writeHead(status, headers).end(body);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a charger's refresh comes to. */
async function refreshed(url: string, certificate = own.certificate) {
  const charger = new VirtualCharger({
    provisioning: provisioned({
      ...site.provisioning(),
      policyAuthorityUrl: url,
      ...(certificate !== NONE && { certificate }),
    }),
    firmwareBuiltMs: FIRMWARE_BUILT_MS,
    flash: new SimulatedFlash(new MemoryStore(65_536)),
    clock: site.clock,
    crypto: createNodeCrypto(),
  });
  charger.start();
  const refresh = await charger.refresh();
  return { refresh, bundles: charger.bundleIds.length };
}

const nowMs = () => site.clock.wallMs() as number;
const shows = (parts: CertificateParts, by = operator.privateKey) =>
  certified(
    pair,
    { names: ['127.0.0.1'], from: new Date(nowMs() - DAY_MS), to: new Date(nowMs() + DAY_MS), ...parts },
    by,
  );

/** The same with the length of what is signed in seven bytes, where two do. */
function oddLength(party: Party): Party {
  const der = Buffer.from(party.certificate);
  const tbs = der.subarray(4);
  const whole = Buffer.from([0x30, 0x82, 0, 0]);
  whole.writeUInt16BE(der.length - 4 + 5, 2);
  const certificate = Buffer.concat([whole, Buffer.from([0x30, 0x87, 0, 0, 0, 0, 0]), tbs.subarray(2)]);
  return { ...party, certificate: new Uint8Array(certificate) };
}

describe('a server is taken', () => {
  it('that shows a certificate which the provisioned one has signed', async () => {
    const { refresh, bundles } = await refreshed(await served(shows({})));
    expect([refresh.kind, bundles]).toEqual(['fetched', 1]);
    expect(asked).toHaveLength(1);
  });

  it('that shows the provisioned one itself, whatever it says', async () => {
    const { refresh } = await refreshed(await served(own));
    expect(refresh.kind).toBe('fetched');
  });
});

describe('a server is refused, and is asked nothing,', () => {
  it.each<[string, () => Party]>([
    ['with a certificate that it has signed itself', () => shows({}, pair.privateKey)],
    ['with one that a stranger has signed', () => shows({}, stranger.privateKey)],
    ['with one that has expired by the clock of the device', () => shows({ to: new Date(nowMs() - 1000) })],
    ['with one of a time to come', () => shows({ from: new Date(nowMs() + 60_000) })],
    ['with one of another host', () => shows({ names: ['pa.example'] })],
    ['with one that names nobody', () => shows({ names: [] })],
    ['with one whose lengths are written as nobody writes them', () => oddLength(shows({}))],
  ])('%s', async (_, party) => {
    const { refresh, bundles } = await refreshed(await served(party()));
    expect(refresh).toMatchObject({
      kind: 'failed',
      failure: 'unreachable',
      detail: expect.stringContaining('the certificate of 127.0.0.1 is not one that is provisioned, nor signed by it'),
    });
    expect([bundles, asked]).toEqual([0, []]);
  });

  it('by a device whose certificate is none', async () => {
    const url = await served(shows({}));
    expect((await refreshed(url, Uint8Array.of(0x30, 0x82, 0, 3, 1, 2, 3))).refresh).toMatchObject({
      failure: 'unreachable',
      detail: expect.stringContaining('is not one that is provisioned'),
    });
    expect(asked).toEqual([]);
  });

  it('by a device that has no certificate to know it by', async () => {
    const url = await served(shows({}));
    expect((await refreshed(url, NONE)).refresh).toMatchObject({
      failure: 'unreachable',
      detail: expect.stringContaining('the device has no certificate to know a server by'),
    });
    expect(asked).toEqual([]);
  });
});

it.each([204, 205, 304])('an answer with status %d has no body, and is an answer', async (status) => {
  const url = await served(shows({}));
  says = status;
  const { refresh } = await refreshed(url);
  expect(refresh).toMatchObject({ kind: 'failed', detail: expect.stringContaining(String(status)) });
  expect(refresh).not.toMatchObject({ failure: 'unreachable' });
});

describe('a device whose clock is wrong, before an honest server:', () => {
  /** A charger whose clock shows what it is set to, and whose time server is right. */
  class Bench {
    wallMs: number;
    /** How often the time server was asked. */
    told = 0;
    readonly charger: VirtualCharger;

    constructor(url: string, shownMs: number) {
      this.wallMs = shownMs;
      this.charger = new VirtualCharger({
        provisioning: provisioned({ ...site.provisioning(), policyAuthorityUrl: url, certificate: own.certificate }),
        firmwareBuiltMs: nowMs() - 30 * DAY_MS,
        flash: new SimulatedFlash(new MemoryStore(65_536)),
        clock: { wallMs: () => this.wallMs, monotonicMs: () => site.clock.monotonicMs() },
        crypto: createNodeCrypto(),
        setTime: async () => {
          this.told++;
          this.wallMs = nowMs();
        },
      });
      this.charger.start();
    }

    async refreshed(): Promise<readonly unknown[]> {
      const refresh = await this.charger.refresh();
      return [refresh.kind === 'failed' ? refresh.failure : refresh.kind, this.told, this.charger.bundleIds.length];
    }
  }

  it('in 1970 it gets the time, and then the bundle', async () => {
    const bench = new Bench(await served(shows({})), 0);
    expect(await bench.refreshed()).toEqual(['fetched', 1, 1]);
  });

  it.each([
    ['before the server’s certificate', -10 * DAY_MS],
    ['after it', 10 * DAY_MS],
  ])('%s it cannot know the server, gets the time, and then the bundle', async (_, byMs) => {
    const bench = new Bench(await served(shows({})), nowMs() + byMs);
    expect(await bench.refreshed()).toEqual(['unreachable', 0, 0]);
    expect(asked).toEqual([]);
    expect(await bench.refreshed()).toEqual(['fetched', 1, 1]);
  });

  it('jumped since a server confirmed it, it gets the time again', async () => {
    const bench = new Bench(await served(shows({})), nowMs());
    await bench.refreshed();
    bench.charger.confirmTime();
    bench.wallMs += 10 * DAY_MS;
    expect(await bench.refreshed()).toEqual(['unreachable', 0, 1]);
    expect(await bench.refreshed()).toEqual(['fetched', 1, 1]);
  });

  it('attack: confirmed, it is not set again by whoever keeps the server away', async () => {
    const bench = new Bench(await served(shows({})), nowMs());
    await bench.refreshed();
    bench.charger.confirmTime();
    close?.();
    for (let i = 0; i < 3; i++) expect(await bench.refreshed()).toEqual(['unreachable', 0, 1]);
  });
});
