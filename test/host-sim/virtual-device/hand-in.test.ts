// A charger hands in what it has accepted, over real HTTP and whatever lies between: everything arrives once.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../core/json/value.ts';
import type { ProvisioningDocument } from '../../../core/provisioning/provisioning.ts';
import { DAY_BEGINS_MS } from '../../../host-sim/day/scene.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { OperatorBackend } from '../../../host-sim/operator-backend/server.ts';
import { CollectingLog } from '../../../host-sim/ports/log.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { type ChargerParts, VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import type { WalletSession } from '../../../host-sim/wallet/session.ts';
import { FIRMWARE_BUILT_MS, provisioned, TestSite } from '../site.ts';

const HOUR_MS = 3_600_000;
const crypto = createNodeCrypto();
let site: TestSite;
let operator: OperatorBackend;
let between: Between;
beforeAll(async () => {
  site = await TestSite.open();
  await site.bundle();
  operator = new OperatorBackend({ crypto, clock: site.clock });
  await operator.listen();
  between = await Between.open(operator.url);
});
afterAll(async () => {
  between.close();
  await operator.close();
  await site.close();
});
afterEach(() => {
  between.how = 'pass on';
});

type How = 'pass on' | 'lose answer' | 'lose request' | 'hang' | ((response: ServerResponse) => void);

/** What stands between a charger and the backend. */
class Between {
  how: How = 'pass on';
  requests: JsonObject[] = [];
  /** Called when a request has come, before it is answered. */
  onRequest: (() => void) | undefined;
  readonly #server: Server;
  readonly #to: string;

  private constructor(to: string) {
    this.#to = to;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  static async open(to: string): Promise<Between> {
    const made = new Between(to);
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    this.requests.push(JSON.parse(body.toString('utf8')) as JsonObject);
    this.onRequest?.();
    const { how } = this;
    if (typeof how === 'function') return how(response);
    if (how === 'hang') return;
    if (how === 'lose request') return void response.destroy();
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const headers = { authorization, 'content-type': type };
    const answer = await fetch(new URL(request.url as string, this.#to), { method: 'POST', headers, body });
    const text = await answer.text();
    if (how === 'lose answer') return void response.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  }
}

let chargers = 0;

/** A charger with its journal, a wallet that pays at it, and what the backend has of it. */
class Bench {
  readonly id = `charger-${++chargers}`;
  readonly flash = new SimulatedFlash(new MemoryStore(32_768));
  readonly journal = new SimulatedFlash(new MemoryStore(65_536));
  readonly log = new CollectingLog();
  charger!: VirtualCharger;
  #key = '';
  #wallet: WalletSession | undefined;

  static async started(changes: Partial<ChargerParts> = {}): Promise<Bench> {
    const bench = new Bench();
    bench.#key = await operator.issueDeviceKey(bench.id);
    await bench.start(changes);
    return bench;
  }

  /** What it is given at manufacture. */
  get document(): ProvisioningDocument {
    return { ...site.provisioning(), deviceId: this.id, operator: { url: between.url, apiKey: this.#key } };
  }

  /** Starts, or starts again on the same flash. */
  async start(changes: Partial<ChargerParts> = {}): Promise<void> {
    this.charger = new VirtualCharger({
      provisioning: provisioned(this.document),
      firmwareBuiltMs: FIRMWARE_BUILT_MS,
      flash: this.flash,
      journal: this.journal,
      clock: site.clock,
      crypto,
      log: this.log,
      ...changes,
    });
    this.charger.start();
    await this.charger.refresh();
  }

  /** So many payments, each under a budget of its own. */
  async pays(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#wallet = await site.wallet(site.cast.vehicleA, await site.grant(site.cast.vehicleA));
      const { bytes, amountMinor } = await site.payment(this.#wallet, '1000');
      expect(this.charger.pay(bytes, { amountMinor })).toMatchObject({ ok: true });
      this.charger.disconnect();
    }
  }

  report(): Promise<JsonObject> {
    return operator.backend.report(this.id) as unknown as Promise<JsonObject>;
  }

  /** Expects that the backend has this many payments, each once and in an unbroken chain. */
  async expectArrived(count: number): Promise<void> {
    expect(await this.report()).toMatchObject({
      receipts: count,
      first: count === 0 ? 0 : 1,
      newest: count,
      spentMinor: String(1000 * count),
      breaks: [],
      incomplete: [],
      evidence: [],
    });
  }
}

describe('a charger that is back on the network', () => {
  it('hands in everything it has accepted, and the second time nothing', async () => {
    const bench = await Bench.started();
    await bench.pays(3);
    expect(await bench.charger.handIn()).toEqual({ kind: 'done', receipts: 3, batches: 1 });
    await bench.expectArrived(3);
    const before = between.requests.length;
    expect(await bench.charger.handIn()).toEqual({ kind: 'done', receipts: 0, batches: 0 });
    expect(between.requests.length).toBe(before);
  });

  it('in batches, where there is much', async () => {
    const bench = await Bench.started();
    await bench.pays(12);
    expect(await bench.charger.handIn()).toEqual({ kind: 'done', receipts: 12, batches: 3 });
    await bench.expectArrived(12);
  });

  it('what came since then', async () => {
    const bench = await Bench.started();
    await bench.pays(2);
    await bench.charger.handIn();
    await bench.pays(1);
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'done', receipts: 1 });
    await bench.expectArrived(3);
  });

  it('once, where it is asked for twice at the same time', async () => {
    const bench = await Bench.started();
    await bench.pays(2);
    const [one, other] = await Promise.all([bench.charger.handIn(), bench.charger.handIn()]);
    expect(one).toBe(other);
    await bench.expectArrived(2);
  });

  it('nothing that was refused', async () => {
    const bench = await Bench.started();
    await bench.pays(1);
    const wallet = await site.wallet(site.cast.vehicleA, await site.grant(site.cast.vehicleA));
    const { bytes } = await site.payment(wallet, '1000');
    expect(bench.charger.pay(bytes, { amountMinor: '2000' })).toMatchObject({ ok: false });
    await bench.charger.handIn();
    await bench.expectArrived(1);
  });
});

describe('nothing is lost and nothing doubled', () => {
  it('while the link is down', async () => {
    const bench = await Bench.started();
    await bench.pays(2);
    bench.charger.link.set(false);
    for (let i = 0; i < 5; i++)
      expect(await bench.charger.handIn()).toMatchObject({ kind: 'failed', failure: 'link-down', receipts: 0 });
    bench.charger.link.set(true);
    // A link that was known to be down was no attempt.
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'done', receipts: 2 });
    await bench.expectArrived(2);
  });

  it('where the link goes down while the answer is awaited', async () => {
    const bench = await Bench.started();
    await bench.pays(2);
    between.how = 'hang';
    between.onRequest = () => bench.charger.link.set(false);
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'failed', failure: 'link-down' });
    between.onRequest = undefined;
    between.how = 'pass on';
    bench.charger.link.set(true);
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'waiting' });
    site.clock.advance(10_000);
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'done', receipts: 2 });
    await bench.expectArrived(2);
  });

  it.each<[How & string, string]>([
    ['lose request', 'unreachable'],
    ['lose answer', 'unreachable'],
  ])('where the network does this: %s', async (how, failure) => {
    const bench = await Bench.started();
    await bench.pays(3);
    between.how = how;
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'failed', failure, receipts: 0 });
    between.how = 'pass on';
    site.clock.advance(HOUR_MS / 60);
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'done', receipts: 3 });
    await bench.expectArrived(3);
  });

  it('where the backend takes its time', async () => {
    const bench = await Bench.started({ handInTimeoutMs: 100 });
    await bench.pays(1);
    between.how = 'hang';
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'failed', failure: 'timeout' });
    between.how = 'pass on';
    site.clock.advance(HOUR_MS / 60);
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'done', receipts: 1 });
  });

  it('over a restart between two attempts', async () => {
    const bench = await Bench.started();
    await bench.pays(12);
    let batches = 0;
    between.onRequest = () => {
      if (++batches === 2) between.how = 'lose answer';
    };
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'failed', failure: 'unreachable' });
    between.onRequest = undefined;
    between.how = 'pass on';
    await bench.start();
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'done' });
    await bench.expectArrived(12);
  });

  it('where the power goes while the answer is awaited', async () => {
    const bench = await Bench.started();
    await bench.pays(2);
    between.onRequest = () => bench.charger.powerOff();
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'failed', failure: 'power-cut', receipts: 0 });
    between.onRequest = undefined;
    await bench.start();
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'done', receipts: 2 });
    await bench.expectArrived(2);
  });

  it('where the power goes while the acknowledgement is written down', async () => {
    const bench = await Bench.started();
    await bench.pays(2);
    bench.journal.cutAt(bench.journal.operations, 'before');
    await expect(bench.charger.handIn()).rejects.toThrow(PowerCut);
    expect(bench.charger.powered).toBe(false);
    bench.journal.restart();
    await bench.start();
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'done', receipts: 2 });
    await bench.expectArrived(2);
  });
});

describe('a backend that answers anything', () => {
  const say =
    (status: number, body: string, headers: Record<string, string> = {}): How =>
    (response) =>
      response.writeHead(status, headers).end(body);

  it.each<[string, How, string]>([
    ['500', say(500, '{"acknowledged":2}'), 'http-status'],
    ['503 with a page', say(503, '<html>'), 'http-status'],
    ['401', say(401, '{}'), 'http-status'],
    ['a page of a captive portal', say(200, '<html>sign in</html>'), 'garbage'],
    ['a redirect to somebody else', say(307, '', { location: 'http://127.0.0.1:9/' }), 'http-status'],
    ['what was never sent', say(200, '{"acknowledged":3}'), 'ahead'],
    ['less than nothing', say(200, '{"acknowledged":-1}'), 'garbage'],
    ['that it has nothing', say(200, '{"acknowledged":0}'), 'behind'],
    ['ten megabytes', say(200, `{"acknowledged":2,"x":"${'y'.repeat(10_000_000)}"}`), 'answer-too-large'],
    ['an answer that says it is longer than it is', say(200, '{"ack', { 'content-length': '1000' }), 'unreachable'],
  ])('is told %s: nothing is acknowledged', async (_, how, failure) => {
    const bench = await Bench.started({ handInTimeoutMs: 2000 });
    await bench.pays(2);
    between.how = how;
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'failed', receipts: 0 });
    expect(bench.log.named('upload.acknowledged')).toEqual([]);
    expect(bench.log.named('upload.failed')).toHaveLength(1);
    site.clock.advance(HOUR_MS);
    between.how = how;
    const again = await bench.charger.handIn();
    expect(again.kind === 'failed' && ['timeout', failure].includes(again.failure)).toBe(true);
    between.how = 'pass on';
    site.clock.advance(HOUR_MS);
    expect(await bench.charger.handIn()).toMatchObject({ kind: 'done', receipts: 2 });
    await bench.expectArrived(2);
  });

  it('whose answer says that there are new bundles makes it ask for them soon, whatever else it answers', async () => {
    const bench = await Bench.started();
    await bench.pays(1);
    between.how = say(500, '', { 'mpcp-refresh': 'trust-bundles' });
    await bench.charger.handIn();
    between.how = 'pass on';
    expect(bench.log.named('refresh.urgent')).toMatchObject([{ reason: 'http', believed: true }]);
    const refresh = await bench.charger.refreshIfDue();
    expect(refresh.kind === 'waiting' && refresh.ms).toBeLessThan(60_001);
  });

  it('a key that is not its own hands nothing in', async () => {
    const bench = await Bench.started();
    await bench.pays(1);
    const document = { ...bench.document, operator: { url: operator.url, apiKey: 'mpcp_other' } };
    await bench.start({ provisioning: provisioned(document) });
    expect(await bench.charger.handIn()).toMatchObject({
      kind: 'failed',
      failure: 'http-status',
      detail: 'the backend answered 401',
    });
    await bench.expectArrived(0);
  });
});

describe('a charger without a journal, or without a backend', () => {
  it('has nothing to hand in, or nobody', async () => {
    const bench = await Bench.started();
    const { operator: _, ...document } = bench.document;
    await bench.start({ provisioning: provisioned(document) });
    expect(() => bench.charger.handIn()).toThrow('nothing to hand in, or nobody');
    const { operator: kept } = (await Bench.started()).charger.provisioning;
    expect(kept?.url).toBe(between.url);
    expect(site.clock.wallMs()).toBeGreaterThan(DAY_BEGINS_MS);
  });

  it('without power nothing is handed in', async () => {
    const bench = await Bench.started();
    bench.charger.powerOff();
    expect(() => bench.charger.handIn()).toThrow(PowerCut);
  });
});
