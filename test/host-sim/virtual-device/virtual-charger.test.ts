// The virtual charger: what it starts on, what it fetches and keeps, and when its relay closes.

import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BUILD_TIME_MS } from '../../../core/build-time.ts';
import type { JsonObject } from '../../../core/json/value.ts';
import { FlashLedger } from '../../../core/ledger/flash-ledger.ts';
import { type Flash, FlashError } from '../../../core/ports/ports.ts';
import { writeProvisioning } from '../../../core/provisioning/partition.ts';
import { type ProvisioningDocument, ProvisioningProblem } from '../../../core/provisioning/provisioning.ts';
import type { SetAdmission } from '../../../core/verifier.ts';
import { DAY_BEGINS_MS, DAY_MS, isoTime } from '../../../host-sim/day/scene.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { SimulatedClock } from '../../../host-sim/ports/clock.ts';
import { CollectingLog } from '../../../host-sim/ports/log.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { documentBytes, imageFlash, imageOf, replacedImage } from '../../../host-sim/provisioning/image.ts';
import { type ChargerParts, StartProblem, VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { key, receipt, spend } from '../../fixtures/spends.ts';
import { FIRMWARE_BUILT_MS, provisioned, type ReadyPayment, TestSite } from '../site.ts';

let site: TestSite;
beforeAll(async () => {
  site = await TestSite.open();
  await site.bundle();
});
afterAll(() => site.close());

interface Bench {
  readonly charger: VirtualCharger;
  readonly flash: SimulatedFlash;
  readonly log: CollectingLog;
}

/** Parts of a charger that differ from the usual; its provisioning as what the image says, or as a partition. */
type Changes = Partial<Omit<ChargerParts, 'provisioning' | 'firmwareBuiltMs'>> & {
  readonly provisioning?: ProvisioningDocument | Flash;
  readonly firmwareBuiltMs?: number | undefined;
};

function bench(changes: Changes = {}, from: TestSite = site): Bench {
  const flash = new SimulatedFlash(new MemoryStore(32_768));
  const log = new CollectingLog();
  const { provisioning = from.provisioning(), firmwareBuiltMs, ...others } = changes;
  const parts = {
    provisioning: 'deviceId' in provisioning ? provisioned(provisioning) : provisioning,
    ...('firmwareBuiltMs' in changes ? {} : { firmwareBuiltMs: FIRMWARE_BUILT_MS }),
    ...(firmwareBuiltMs !== undefined && { firmwareBuiltMs }),
    flash,
    clock: from.clock,
    crypto: createNodeCrypto(),
    log,
    ...others,
  };
  return { charger: new VirtualCharger(parts), flash, log };
}

function bundleFlash(size = 65_536): SimulatedFlash {
  return new SimulatedFlash(new MemoryStore(size));
}

async function running(changes: Changes = {}, from: TestSite = site): Promise<Bench> {
  const made = bench(changes, from);
  made.charger.start();
  expect(await made.charger.refresh()).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
  return made;
}

async function payment(amount = '1000000', idempotencyKey?: string): Promise<ReadyPayment> {
  const wallet = await site.wallet(site.cast.vehicleA, await site.grant(site.cast.vehicleA));
  return site.payment(wallet, amount, idempotencyKey === undefined ? {} : { idempotencyKey });
}

function pay(charger: VirtualCharger, { bytes, amountMinor }: ReadyPayment) {
  return charger.pay(bytes, { amountMinor });
}

function codes(admissions: SetAdmission): unknown {
  return 'ok' in admissions ? admissions.code : admissions.map((admission) => (admission.ok ? 'ok' : admission.code));
}

describe('starting', () => {
  it.each(['rail', 'asset', 'destination', 'merchant', 'unit', 'purpose'])(
    'refuses without terminal.%s, and touches no flash',
    (name) => {
      const provisioning = site.provisioning();
      const { [name as 'rail']: _, ...terminal } = provisioning.site.terminal as JsonObject;
      const configuration = { ...provisioning.site, terminal };
      const { charger, flash } = bench({ provisioning: { ...provisioning, site: configuration } });
      expect(() => charger.start()).toThrow(StartProblem);
      expect(() => charger.start()).toThrow(`terminal.${name} is missing`);
      expect([flash.operations, charger.powered]).toEqual([0, false]);
    },
  );

  it.each<[string, Partial<ProvisioningDocument['site']>]>([
    ['rootKeys is empty', { rootKeys: [] }],
    ['grantIssuers is empty', { grantIssuers: [] }],
  ])('refuses where %s', (problem, changes) => {
    const provisioning = site.provisioning();
    const configuration = { ...provisioning.site, ...changes };
    expect(() => bench({ provisioning: { ...provisioning, site: configuration } }).charger.start()).toThrow(problem);
  });

  describe('from its provisioning image', () => {
    const document = (deviceId: string) => ({ ...site.provisioning(), deviceId });

    it('is the device that the image says, and pays', async () => {
      const { charger } = await running({ provisioning: document('charger-9') });
      expect(charger.provisioning).toMatchObject({ deviceId: 'charger-9', counter: 1 });
      expect(pay(charger, await payment())).toMatchObject({ ok: true });
    });

    it.each([
      ['neither slot', () => imageFlash(new Uint8Array(16_384).fill(0xff))],
      [
        'not as it was written',
        () => imageFlash(imageOf(document('a'), 1).map((byte, i) => (i === 40 ? byte ^ 1 : byte))),
      ],
    ])('refuses one where %s, and touches no ledger', (reason, image) => {
      const { charger, flash } = bench({ provisioning: image() });
      expect(() => charger.start()).toThrow(ProvisioningProblem);
      expect(() => charger.start()).toThrow(reason);
      expect([flash.operations, charger.powered]).toEqual([0, false]);
    });

    it('takes a rotated one, and then the old one no more, whatever is written to its flash', () => {
      const old = imageOf(document('a'), 1);
      const { charger, flash } = bench({ provisioning: imageFlash(old) });
      charger.start();
      const newer = bench({ provisioning: imageFlash(replacedImage(old, document('a'), 2)), flash });
      newer.charger.start();
      expect(newer.charger.provisioning.counter).toBe(2);
      const back = bench({ provisioning: imageFlash(old), flash });
      expect(() => back.charger.start()).toThrow('provisioning: counter 1 is not taken any more: 2 is the newest');
      expect(back.charger.powered).toBe(false);
    });

    it('believes no time before the image was made, where that is later than the firmware', async () => {
      const madeAt = DAY_BEGINS_MS / 1000 + 3600;
      const { charger } = bench({ provisioning: { ...document('a'), madeAt } });
      charger.start();
      expect(pay(charger, await payment())).toMatchObject({ ok: false, code: 'CLOCK_UNTRUSTED' });
    });

    it('tells of a newer image that is damaged, and goes on with the older one it has run with', () => {
      const both = new SimulatedFlash(new MemoryStore(imageOf(document('old'), 1)));
      writeProvisioning(both, documentBytes(document('new')), 2);
      const cells = new Uint8Array(16_384);
      both.read(0, cells);
      cells[8192 + 40] = (cells[8192 + 40] as number) ^ 1;
      const { charger, log } = bench({ provisioning: imageFlash(cells) });
      charger.start();
      expect(charger.provisioning.deviceId).toBe('old');
      expect(log.named('provisioning.damaged')).toHaveLength(1);
    });
  });

  it('does nothing before it is started', async () => {
    const { charger } = bench();
    const ready = await payment();
    expect(() => pay(charger, ready)).toThrow(PowerCut);
    expect(() => charger.refresh()).toThrow(PowerCut);
    expect(() => charger.grantTotal('x')).toThrow(PowerCut);
  });

  it('never believes a time before its firmware was built', async () => {
    const { charger } = bench({ clock: new SimulatedClock(0) });
    charger.start();
    expect(await charger.refresh()).toMatchObject({ kind: 'failed', failure: 'no-time' });
    expect(codes(charger.admit(await site.bundleSet()))).toBe('CLOCK_UNTRUSTED');
    expect(pay(charger, await payment())).toMatchObject({ ok: false, code: 'CLOCK_UNTRUSTED' });
  });

  it('has its clock set before it asks for bundles', async () => {
    const clock = new SimulatedClock();
    const { charger } = bench({ clock, setTime: async () => clock.set(DAY_BEGINS_MS) });
    charger.start();
    expect(await charger.refresh()).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
    expect(pay(charger, await payment())).toMatchObject({ ok: true });
  });

  it('goes on without a time where whoever is asked for it fails', async () => {
    const setTime = () => Promise.reject(new Error('no time server answers'));
    const { charger } = bench({ clock: new SimulatedClock(), setTime });
    charger.start();
    expect(await charger.refresh()).toMatchObject({
      kind: 'failed',
      failure: 'no-time',
      detail: expect.stringContaining('the clock cannot be set: no time server answers'),
    });
  });

  it('hears nothing of a time that it was without power when it came', async () => {
    const asked: (() => void)[] = [];
    const setTime = () => new Promise<void>((resolve) => void asked.push(resolve));
    const { charger, log } = bench({ clock: new SimulatedClock(), setTime });
    charger.start();
    const refresh = charger.refresh();
    await vi.waitUntil(() => asked.length > 0);
    charger.powerOff();
    expect(await refresh).toMatchObject({ failure: 'power-cut' });
    asked[0]?.();
    await new Promise(setImmediate);
    expect(log.named('refresh.failed')).toEqual([]);
  });

  it('never believes a time before the core was built, where it is not told when its firmware was', async () => {
    const { charger } = bench({ firmwareBuiltMs: undefined, clock: new SimulatedClock(BUILD_TIME_MS - 1) });
    charger.start();
    expect(pay(charger, await payment())).toMatchObject({ ok: false, code: 'CLOCK_UNTRUSTED' });
  });

  it('never believes a time before its bundle was issued', async () => {
    const { charger } = await running({ clock: new SimulatedClock(FIRMWARE_BUILT_MS) });
    const decision = pay(charger, await payment());
    expect(decision).toMatchObject({ ok: true });
    expect(decision.ok && decision.timeMs).toBeGreaterThanOrEqual(DAY_BEGINS_MS);
  });
});

describe('paying', () => {
  it('closes the relay for a payment that is approved, and counts it', async () => {
    const { charger } = await running();
    const ready = await payment();
    const { grantId } = ready.presentation.grant.grant as Record<string, string>;
    expect(pay(charger, ready)).toMatchObject({ ok: true, repeated: false });
    expect([charger.relay.closed, charger.relay.closings, charger.grantTotal(grantId as string)]).toEqual([
      true,
      1,
      1_000_000n,
    ]);
    charger.disconnect();
    expect(charger.relay.closed).toBe(false);
  });

  it('leaves the relay open for a refusal, and changes no byte of flash', async () => {
    const { charger, flash } = await running();
    const ready = await payment();
    const before = flash.contents();
    expect(charger.pay(ready.bytes, { amountMinor: '999999' })).toMatchObject({ ok: false, code: 'AMOUNT_MISMATCH' });
    expect(charger.pay(new Uint8Array(3), { amountMinor: '1' })).toMatchObject({ ok: false, code: 'SBA_INVALID' });
    expect(charger.relay.closings).toBe(0);
    expect(flash.contents()).toEqual(before);
  });

  it('answers a repeated request, counts it once, and does not close the relay again', async () => {
    const { charger } = await running();
    const ready = await payment('1000000', 'once');
    pay(charger, ready);
    charger.disconnect();
    expect(pay(charger, ready)).toMatchObject({ ok: true, repeated: true });
    expect([charger.relay.closed, charger.relay.closings]).toEqual([false, 1]);
  });

  it('a refusal while a vehicle charges does not stop it', async () => {
    const { charger } = await running();
    const ready = await payment();
    pay(charger, ready);
    expect(pay(charger, ready)).toMatchObject({ ok: false, code: 'BUDGET_ID_REPLAY' });
    expect(charger.relay.closed).toBe(true);
  });

  it('a flash that fails is a refusal, and the relay stays open', async () => {
    const { charger, flash } = await running();
    flash.program = () => {
      throw new FlashError('worn out');
    };
    expect(pay(charger, await payment())).toMatchObject({ ok: false, code: 'STORE_FAILED' });
    expect(charger.relay.closings).toBe(0);
  });

  it('explains where it is asked to', async () => {
    const { charger } = await running();
    const { bytes, amountMinor } = await payment();
    const decision = charger.pay(bytes, { amountMinor }, { explain: true });
    expect(decision.trace?.every((line) => line.verdict === 'pass' || line.verdict === 'skip')).toBe(true);
  });
});

describe('refreshing', () => {
  it('asks for its own scope, and then whether anything has changed', async () => {
    const asked: string[] = [];
    const set = await site.bundleSet();
    const server = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers['if-none-match']}`);
      if (request.headers['if-none-match'] === tagOf(set)) response.writeHead(304).end();
      else response.setHeader('etag', tagOf(set)).end(set);
    });
    await withServer(server, async (policyAuthorityUrl) => {
      const { charger } = await running({ provisioning: { ...site.provisioning(), policyAuthorityUrl } });
      expect(await charger.refresh()).toEqual({ kind: 'unchanged' });
    });
    const path = '/trust-bundles?category=ev-charging&merchant=did%3Aweb%3Apark-and-charge.example&region=EU';
    expect(asked).toEqual([`${path} undefined`, `${path} ${tagOf(set)}`]);
  });

  it('asks for its merchant where no bundle scope is configured: it would take nobody else’s', async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.end('{"bundles":[]}');
    });
    await withServer(server, async (policyAuthorityUrl) => {
      const provisioning = { ...site.provisioning(), policyAuthorityUrl };
      const { bundleScope: _, ...configuration } = provisioning.site;
      const { charger } = bench({ provisioning: { ...provisioning, site: configuration } });
      charger.start();
      await charger.refresh();
    });
    expect(asked).toEqual(['/trust-bundles?merchant=did%3Aweb%3Apark-and-charge.example']);
  });

  it('gets 304 from the Policy Authority itself', async () => {
    const { charger } = await running();
    expect(await charger.refresh()).toEqual({ kind: 'unchanged' });
  });

  it('does not say it has a set of which it has refused a part', async () => {
    let asked = '';
    const [good] = (JSON.parse(Buffer.from(await site.bundleSet()).toString()) as { bundles: JsonObject[] })
      .bundles as [JsonObject];
    const server = createServer((request, response) => {
      asked = request.headers['if-none-match'] ?? 'nothing';
      const set = JSON.stringify({ bundles: [good, { ...good, merchant: 'did:web:other.example' }] });
      response.setHeader('etag', tagOf(set)).end(set);
    });
    await withServer(server, async (policyAuthorityUrl) => {
      const { charger } = bench({ provisioning: { ...site.provisioning(), policyAuthorityUrl } });
      charger.start();
      const refresh = await charger.refresh();
      expect(refresh.kind === 'fetched' && codes(refresh.admissions)).toEqual(['ok', 'BUNDLE_SCOPE_MISMATCH']);
      await charger.refresh();
      expect(asked).toBe('nothing');
    });
  });

  it('says clearly that the link is down, and keeps what it has', async () => {
    const { charger, log } = await running();
    charger.link.set(false);
    expect(await charger.refresh()).toEqual({ kind: 'failed', failure: 'link-down', detail: 'the link is down' });
    expect(log.named('refresh.failed')).toMatchObject([{ failure: 'link-down', detail: 'the link is down' }]);
    expect(charger.bundleIds).toHaveLength(1);
    expect(pay(charger, await payment())).toMatchObject({ ok: true });
  });

  it.each([
    ['something that is no set', 'no JSON'],
    ['a set of nothing', '{"bundles":[]}'],
  ])('%s changes nothing', async (_, body) => {
    const { charger, flash } = await running();
    const before = [flash.contents(), charger.bundleIds];
    charger.admit(new TextEncoder().encode(body));
    expect([flash.contents(), charger.bundleIds]).toEqual(before);
    charger.start();
    expect(charger.bundleIds).toEqual(before[1]);
  });

  it('an answer of 304, and one that never comes, erase nothing', async () => {
    const bundles = bundleFlash();
    const { charger } = await running({ bundles });
    const before = bundles.operations;
    expect(await charger.refresh()).toEqual({ kind: 'unchanged' });
    charger.link.set(false);
    await charger.refresh();
    expect(bundles.operations).toBe(before);
  });

  it('an answer that breaks off in the middle leaves the bundles in force', async () => {
    const set = await site.bundleSet();
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': set.length });
      response.write(set.subarray(0, set.length - 100), () => response.destroy());
    });
    await withServer(server, async (policyAuthorityUrl) => {
      const bundles = bundleFlash();
      const { charger } = await running({ bundles });
      const broken = bench({ bundles, provisioning: { ...site.provisioning(), policyAuthorityUrl } });
      broken.charger.start();
      expect(await broken.charger.refresh()).toMatchObject({ kind: 'failed', failure: 'unreachable' });
      expect(broken.charger.bundleIds).toEqual(charger.bundleIds);
      expect(pay(broken.charger, await payment())).toMatchObject({ ok: true });
      broken.charger.start();
      expect(broken.charger.bundleIds).toEqual(charger.bundleIds);
    });
  });

  it('two at a time are one', async () => {
    const { charger } = bench();
    charger.start();
    const both = [charger.refresh(), charger.refresh()];
    expect(await both[0]).toBe(await both[1]);
  });

  it('an answer that comes after a power cut is dropped', async () => {
    const { charger } = bench();
    charger.start();
    const refresh = charger.refresh();
    charger.start();
    expect(await refresh).toMatchObject({ kind: 'failed', failure: 'power-cut' });
    expect(charger.bundleIds).toEqual([]);
  });

  it('a grant that the Policy Authority revokes is refused from the next bundle on', async () => {
    const other = await TestSite.open();
    await other.bundle();
    const { charger } = await running({}, other);
    const own = await other.grant(other.cast.vehicleA);
    const wallet = await other.wallet(other.cast.vehicleA, own);
    const [first, second] = [await other.payment(wallet, '100'), await other.payment(wallet, '100')];
    expect(pay(charger, first)).toMatchObject({ ok: true });
    await other.post('/revoke', { grantId: (own.grant as JsonObject).grantId });
    await other.bundle();
    await charger.refresh();
    expect(pay(charger, second)).toMatchObject({ ok: false, code: 'GRANT_REVOKED' });
    await other.close();
  });
});

describe('refreshing when it is due', () => {
  /** A server that answers as `answer` is set, and counts. */
  async function withAuthority(
    work: (
      authority: { answer: (response: ServerResponse) => void; requests: number; conditional: number },
      start: (
        changes?: Changes & Partial<Pick<ProvisioningDocument, 'site'>>,
      ) => Bench & { readonly clock: SimulatedClock },
    ) => Promise<void>,
  ): Promise<void> {
    const set = await site.bundleSet();
    const authority = {
      answer: (response: ServerResponse): void => void response.setHeader('etag', tagOf(set)).end(set),
      requests: 0,
      conditional: 0,
    };
    const server = createServer((request, response) => {
      authority.requests++;
      if (request.headers['if-none-match'] !== undefined) authority.conditional++;
      authority.answer(response);
    });
    await withServer(server, (policyAuthorityUrl) =>
      work(authority, ({ site: configuration = site.provisioning().site, ...changes } = {}) => {
        const clock = new SimulatedClock(DAY_BEGINS_MS);
        const provisioning = site.provisioning();
        const refresh = { timeoutMs: 1000 };
        const made = bench({
          provisioning: { ...provisioning, site: { ...configuration, refresh }, policyAuthorityUrl },
          clock,
          ...changes,
        });
        made.charger.start();
        return { ...made, clock };
      }),
    );
  }

  /** Lives through some time, waking up when it was told to. */
  async function live(charger: VirtualCharger, clock: SimulatedClock, ms: number): Promise<void> {
    for (let left = ms; left > 0; ) {
      const refresh = await charger.refreshIfDue();
      if (refresh.kind !== 'waiting') continue;
      const passes = Math.min(refresh.ms, left);
      clock.advance(passes);
      left -= passes;
    }
  }

  it('a device without bundles asks at once, and then waits', () =>
    withAuthority(async (authority, start) => {
      const { charger } = start();
      expect(await charger.refreshIfDue()).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
      expect(await charger.refreshIfDue()).toMatchObject({ kind: 'waiting' });
      expect(authority.requests).toBe(1);
    }));

  it('a day of fresh bundles is a few requests, all but the first by tag', () =>
    withAuthority(async (authority, start) => {
      const { charger, clock } = start();
      await live(charger, clock, 1000);
      authority.answer = (response) => response.writeHead(304).end();
      await live(charger, clock, DAY_MS);
      expect(authority.requests).toBeGreaterThan(3);
      expect(authority.requests).toBeLessThan(10);
      expect(authority.conditional).toBe(authority.requests - 1);
    }));

  it('a server that answers 304 to everything cannot keep a device busy, nor from asking for all of it', () =>
    withAuthority(async (authority, start) => {
      const bundles = bundleFlash();
      const { charger, clock } = start({ bundles });
      authority.answer = (response) => response.writeHead(304).end();
      const before = bundles.operations;
      await live(charger, clock, DAY_MS);
      expect(authority.requests).toBeGreaterThan(20);
      expect(authority.requests).toBeLessThan(120);
      expect([authority.conditional, bundles.operations]).toEqual([0, before]);
    }));

  it('an access point’s page costs no flash, and the bundles come once it is gone', () =>
    withAuthority(async (authority, start) => {
      const bundles = bundleFlash();
      const { charger, clock } = start({ bundles });
      const { answer } = authority;
      authority.answer = (response) => response.setHeader('content-type', 'text/html').end('<html>Sign in</html>');
      const before = bundles.operations;
      await live(charger, clock, DAY_MS / 24);
      expect(bundles.operations).toBe(before);
      authority.answer = answer;
      await live(charger, clock, DAY_MS / 24);
      expect(charger.bundleIds).toHaveLength(1);
    }));

  it('a slow drip ends, and leaves the bundles in force', () =>
    withAuthority(async (authority, start) => {
      const { charger } = start();
      await charger.refresh();
      const held = charger.bundleIds;
      authority.answer = (response) => {
        response.write('{"bundles":[');
        const drip = (): void => {
          if (!response.destroyed) response.write(' ', () => setTimeout(drip, 5));
        };
        drip();
      };
      expect(await charger.refresh()).toMatchObject({ kind: 'failed', failure: 'timeout' });
      expect([charger.bundleIds, pay(charger, await payment()).ok]).toEqual([held, true]);
    }));

  it('a link that goes in the middle of the body leaves the bundles in force; they come when it is back', () =>
    withAuthority(async (authority, start) => {
      const { charger, clock } = start();
      await charger.refresh();
      const held = charger.bundleIds;
      const set = Buffer.from(await site.bundleSet());
      const { answer } = authority;
      authority.answer = (response) => {
        response.write(set.subarray(0, 500), () => setTimeout(() => charger.link.set(false), 20));
      };
      expect(await charger.refresh()).toEqual({ kind: 'failed', failure: 'link-down', detail: 'the link went down' });
      expect(charger.bundleIds).toEqual(held);
      authority.answer = answer;
      charger.link.set(true);
      const { requests } = authority;
      await live(charger, clock, 120_000);
      expect([charger.bundleIds, authority.requests]).toEqual([held, requests + 1]);
    }));

  it('a server that plays back an old bundle is asked again, later and later, and the newest one stays', async () => {
    const other = await TestSite.open();
    await other.bundle();
    const old = await other.bundleSet();
    await other.bundle();
    const current = await other.bundleSet();
    await withAuthority(async (authority, start) => {
      const { site: configuration } = other.provisioning();
      const { charger, clock, log } = start({ site: configuration });
      authority.answer = (response) => response.end(current);
      await live(charger, clock, 1000);
      const held = charger.bundleIds;
      authority.answer = (response) => response.end(old);
      charger.urgent('test');
      await live(charger, clock, DAY_MS);
      expect(charger.bundleIds).toEqual(held);
      const failed = log.named('refresh.failed');
      expect(failed[0]).toMatchObject({ failure: 'refused', detail: expect.stringContaining('BUNDLE_ROLLBACK') });
      expect(failed.length).toBeGreaterThan(10);
      expect(failed.length).toBeLessThan(60);
    });
    await other.close();
  });

  it('a payer at the reader is not disturbed: what arrives waits, and goes on when they have left', () =>
    withAuthority(async (authority, start) => {
      const bundles = bundleFlash();
      const { charger } = start({ bundles });
      charger.attend(true);
      expect(await charger.refreshIfDue()).toEqual({ kind: 'busy' });
      expect(authority.requests).toBe(0);
      charger.attend(false);
      const { answer } = authority;
      authority.answer = (response) => {
        charger.attend(true);
        answer(response);
      };
      const before = bundles.operations;
      const refreshing = charger.refreshIfDue();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect([authority.requests, bundles.operations]).toEqual([1, before]);
      charger.attend(false);
      expect(await refreshing).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
    }));

  it('an urgent message brings the bundles soon, a thousand of them no more than a few times', () =>
    withAuthority(async (authority, start) => {
      const { charger, clock } = start();
      await charger.refresh();
      for (let i = 0; i < 1000; i++) {
        charger.urgent('mqtt');
        await live(charger, clock, 10_000);
      }
      expect(authority.requests).toBeGreaterThan(3);
      expect(authority.requests).toBeLessThan(10);
    }));
});

describe('a fake access point', () => {
  /** Stands between charger and Policy Authority; answers by itself while `fake` is set. */
  async function between(
    other: TestSite,
    work: (charger: VirtualCharger, point: { fake: ((response: ServerResponse) => void) | undefined }) => Promise<void>,
  ): Promise<void> {
    const point: { fake: ((response: ServerResponse) => void) | undefined } = { fake: undefined };
    const server = createServer(async (request, response) => {
      if (point.fake !== undefined) return point.fake(response);
      const asked = request.headers['if-none-match'];
      const headers: Record<string, string> = asked === undefined ? {} : { 'if-none-match': asked };
      const answer = await fetch(new URL(request.url as string, other.authority.url), { headers });
      response.writeHead(answer.status, { etag: answer.headers.get('etag') as string });
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
    await withServer(server, async (policyAuthorityUrl) => {
      const { charger } = bench({ provisioning: { ...other.provisioning(), policyAuthorityUrl } }, other);
      charger.start();
      await work(charger, point);
    });
  }

  /** Refreshes before, during and after the fake; what `fake` makes of the old and the new set is what it serves. */
  async function revocationArrives(
    fake: (old: Uint8Array, current: Uint8Array) => { body: Uint8Array | string; etag: string },
  ): Promise<void> {
    const other = await TestSite.open();
    await other.bundle();
    const own = await other.grant(other.cast.vehicleA);
    const wallet = await other.wallet(other.cast.vehicleA, own);
    const ready = await other.payment(wallet, '100');
    await between(other, async (charger, point) => {
      await charger.refresh();
      const old = await other.bundleSet();
      await other.post('/revoke', { grantId: (own.grant as JsonObject).grantId });
      await other.bundle();
      const { body, etag } = fake(old, await other.bundleSet());
      point.fake = (response) => response.setHeader('etag', etag).end(body);
      await charger.refresh();
      point.fake = undefined;
      expect(await charger.refresh()).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
      expect(pay(charger, ready)).toMatchObject({ ok: false, code: 'GRANT_REVOKED' });
      expect(await charger.refresh()).toEqual({ kind: 'unchanged' });
    });
    await other.close();
  }

  it('serves the old set with the tag of the new one: once it is gone the revocation arrives', () =>
    revocationArrives((old, current) => ({ body: old, etag: tagOf(current) })));

  it('serves a set of nothing with the tag of the new one: once it is gone the revocation arrives', () =>
    revocationArrives((_, current) => ({ body: '{"bundles":[]}', etag: tagOf(current) })));

  it('serves something that is no set with the tag of the new one: once it is gone the revocation arrives', () =>
    revocationArrives((_, current) => ({ body: 'x', etag: tagOf(current) })));

  it('serves a set of nothing with its own tag: no tag is remembered', async () => {
    await between(site, async (charger, point) => {
      point.fake = (response) => response.setHeader('etag', tagOf('{"bundles":[]}')).end('{"bundles":[]}');
      expect(await charger.refresh()).toEqual({ kind: 'fetched', admissions: [] });
      point.fake = (response) => response.writeHead(304).end();
      expect(await charger.refresh()).toMatchObject({ kind: 'failed', failure: 'http-status' });
    });
  });

  it('a server that makes its tags another way is asked for everything every time', async () => {
    const asked: unknown[] = [];
    const set = await site.bundleSet();
    const server = createServer((request, response) => {
      asked.push(request.headers['if-none-match']);
      response.setHeader('etag', '"1"').end(set);
    });
    await withServer(server, async (policyAuthorityUrl) => {
      const { charger } = await running({ provisioning: { ...site.provisioning(), policyAuthorityUrl } });
      expect(await charger.refresh()).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
    });
    expect(asked).toEqual([undefined, undefined]);
  });

  it('a tag does not outlive a restart, after which the bundles may be others', async () => {
    const { charger } = await running();
    expect(await charger.refresh()).toEqual({ kind: 'unchanged' });
    charger.start();
    expect(await charger.refresh()).toMatchObject({ kind: 'fetched' });
  });
});

describe('why nothing can be recorded', () => {
  function fullLedger(): SimulatedFlash {
    const flash = new SimulatedFlash(new MemoryStore(32_768));
    const ledger = new FlashLedger(flash, createNodeCrypto());
    // Ids are the least entries there are.
    for (let i = 0; ledger.problem === undefined; i++) receipt(ledger.authorize(spend({ replay: key(`r${i}`) })));
    return flash;
  }

  it('a journal that has failed comes before a ledger that is full', () => {
    const flash = fullLedger();
    const { charger } = bench({ flash, journal: bundleFlash() });
    charger.start();
    expect(charger.storeProblem).toMatchObject({ code: 'STORE_FULL' });
    const other = bundleFlash();
    new FlashLedger(other, createNodeCrypto());
    const failing = bench({ flash, journal: other }).charger;
    failing.start();
    expect(failing.storeProblem).toMatchObject({ code: 'STORE_FAILED' });
  });

  it('is nothing on new flash', () => {
    const { charger } = bench({ journal: bundleFlash() });
    charger.start();
    expect(charger.storeProblem).toBeUndefined();
  });
});

describe('a bundle partition that fails', () => {
  const problem = { event: 'bundles.failed', check: 'device.store', code: 'STORE_FAILED' };
  const setOf = (...bundles: JsonObject[]) => new TextEncoder().encode(JSON.stringify({ bundles }));

  it('at start, unreadable: it starts without, says so, and has its bundles again once it can be read', async () => {
    const bundles = bundleFlash();
    const { charger, log } = await running({ bundles });
    const held = charger.bundleIds;
    bundles.faults.readsFail = true;
    charger.start();
    expect(log.named('bundles.failed')).toEqual([{ ...problem, detail: 'the flash cannot be read' }]);
    expect(pay(charger, await payment())).toMatchObject({ ok: false, code: 'NO_TRUST_BUNDLE' });
    bundles.faults.readsFail = false;
    expect(pay(charger, await payment())).toMatchObject({ ok: true });
    expect(charger.bundleIds).toEqual(held);
  });

  it('a set in force that could not be read is not overwritten, and joins the others once it can be', async () => {
    const other = await TestSite.open();
    await other.bundle();
    const anywhere = await other.bundle([], { geography: { countryCodes: ['DE'] } });
    const bundles = bundleFlash();
    const { charger } = bench({ bundles }, other);
    charger.start();
    charger.admit(setOf(anywhere));
    bundles.faults.readsFail = true;
    charger.start();
    expect(charger.bundleIds).toEqual([]);
    const before = bundles.contents();
    const second = await other.bundle();
    const refresh = await charger.refresh();
    expect(refresh.kind === 'fetched' && codes(refresh.admissions)).toBe('STORE_FAILED');
    expect([bundles.contents(), charger.bundleIds]).toEqual([before, []]);
    bundles.faults.readsFail = false;
    expect(codes(charger.admit(setOf(second)))).toEqual(['ok']);
    expect([...charger.bundleIds].sort()).toEqual([second.bundleId, anywhere.bundleId].sort());
    await other.close();
  });

  it('read-only: the refresh is refused, bundles in use stay, and it comes again once it can be written', async () => {
    const other = await TestSite.open();
    const first = await other.bundle();
    const bundles = bundleFlash();
    const { charger, flash, log } = await running({ bundles }, other);
    bundles.faults.readOnly = true;
    const second = await other.bundle();
    const before = [flash.contents(), bundles.contents()];
    const detail = 'the flash is read-only';
    expect(await charger.refresh()).toEqual({
      kind: 'fetched',
      admissions: { ok: false, artifact: 'device', check: 'device.store', code: 'STORE_FAILED', detail },
    });
    expect(log.named('bundles.failed')).toEqual([{ ...problem, detail }]);
    expect([flash.contents(), bundles.contents()]).toEqual(before);
    expect(charger.bundleIds).toEqual([first.bundleId]);
    charger.start();
    expect(charger.bundleIds).toEqual([first.bundleId]);
    bundles.faults.readOnly = false;
    // The tag of a set that could not be kept was not remembered, so it is fetched again.
    expect(await charger.refresh()).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
    expect(charger.bundleIds).toEqual([second.bundleId]);
    await other.close();
  });

  it('while a payment is decided: the payment is refused, and the relay stays open', async () => {
    const bundles = bundleFlash();
    const { charger } = await running({ bundles });
    bundles.faults.readsFail = true;
    expect(pay(charger, await payment())).toMatchObject({ ok: false, code: 'STORE_FAILED' });
    expect(charger.relay.closings).toBe(0);
  });

  it('too small for the answer: the refresh is refused, and bundles in use stay', async () => {
    const other = await TestSite.open();
    const first = await other.bundle();
    const bundles = bundleFlash(2 * 4096);
    const { charger } = await running({ bundles }, other);
    const padded = Buffer.from(await other.bundleSet())
      .toString()
      .padEnd(4096, ' ');
    expect(codes(charger.admit(new TextEncoder().encode(padded)))).toBe('STORE_FULL');
    expect(charger.bundleIds).toEqual([first.bundleId]);
    charger.start();
    expect(charger.bundleIds).toEqual([first.bundleId]);
    await other.close();
  });

  it('a set that comes before the clock is set changes nothing of what an earlier run kept', async () => {
    const other = await TestSite.open();
    const clock = new SimulatedClock(DAY_BEGINS_MS);
    await other.bundle();
    const { charger } = await running({ clock }, other);
    const held = charger.bundleIds;
    const anywhere = await other.bundle([], { geography: { countryCodes: ['DE'] } });
    clock.set(undefined);
    charger.start();
    expect(codes(charger.admit(setOf(anywhere)))).toBe('CLOCK_UNTRUSTED');
    clock.set(DAY_BEGINS_MS);
    expect(codes(charger.admit(setOf(anywhere)))).toEqual(['ok']);
    charger.start();
    expect([...charger.bundleIds].sort()).toEqual([...held, anywhere.bundleId].sort());
    await other.close();
  });

  it("an error that is not the flash's is not taken for one", async () => {
    const bundles = bundleFlash();
    const { charger } = bench({ bundles });
    charger.start();
    bundles.program = () => {
      throw new TypeError('a mistake in the program');
    };
    await expect(charger.refresh()).rejects.toThrow('a mistake in the program');
  });

  it('a power cut while bundles arrive ends the refresh, and the relay is open', async () => {
    const bundles = bundleFlash();
    const { charger } = await running({ bundles, clock: site.clock });
    const held = charger.bundleIds;
    charger.start();
    bundles.cutAt(bundles.operations + 2, 'torn');
    await expect(charger.refresh()).rejects.toThrow(PowerCut);
    expect([charger.powered, charger.relay.closed]).toEqual([false, false]);
    bundles.restart();
    charger.start();
    expect(charger.bundleIds).toEqual(held);
  });
});

describe('restarting', () => {
  it('verifies the kept bundles again, offline, and goes on', async () => {
    const { charger } = await running();
    const [first, second] = [await payment(), await payment()];
    pay(charger, first);
    charger.link.set(false);
    charger.start();
    expect(charger.relay.closed).toBe(false);
    expect(charger.bundleIds).toHaveLength(1);
    expect(pay(charger, first)).toMatchObject({ ok: false, code: 'BUDGET_ID_REPLAY' });
    expect(pay(charger, second)).toMatchObject({ ok: true });
  });

  it('finds bundles on its partition, in another process too; one that was changed there is not used', async () => {
    const [store, bundles] = [new MemoryStore(32_768), new MemoryStore(32_768)];
    await running({ flash: new SimulatedFlash(store), bundles: new SimulatedFlash(bundles) });
    const again = bench({ flash: new SimulatedFlash(store), bundles: new SimulatedFlash(bundles) });
    again.charger.start();
    expect(again.charger.bundleIds).toHaveLength(1);
    const at = Buffer.from(new SimulatedFlash(bundles).contents()).indexOf('vehicle-a.fleet');
    bundles.write(at, Buffer.from('vehicle-x.fleet'));
    again.charger.start();
    expect(again.charger.bundleIds).toEqual([]);
    expect(pay(again.charger, await payment())).toMatchObject({ ok: false, code: 'NO_TRUST_BUNDLE' });
    expect(await again.charger.refresh()).toMatchObject({ kind: 'fetched', admissions: [{ ok: true }] });
  });

  it('keeps every bundle in force, also those the last answer did not bring', async () => {
    const other = await TestSite.open();
    await other.bundle();
    const { charger } = await running({}, other);
    const anywhere = { geography: { countryCodes: ['DE'] }, expiresAt: isoTime(DAY_BEGINS_MS + 3 * DAY_MS) };
    const second = await other.bundle([], anywhere);
    expect(codes(charger.admit(new TextEncoder().encode(JSON.stringify({ bundles: [second] }))))).toEqual(['ok']);
    const held = charger.bundleIds;
    expect(held).toHaveLength(2);
    charger.start();
    expect(charger.bundleIds).toEqual(held);
    await other.close();
  });

  it('without a clock the kept bundles wait until it is set', async () => {
    const clock = new SimulatedClock(DAY_BEGINS_MS);
    const { charger } = await running({ clock });
    clock.set(undefined);
    charger.start();
    expect(charger.bundleIds).toEqual([]);
    const ready = await payment();
    expect(pay(charger, ready)).toMatchObject({ ok: false, code: 'CLOCK_UNTRUSTED' });
    clock.set(DAY_BEGINS_MS);
    expect(pay(charger, ready)).toMatchObject({ ok: true });
  });

  it('a power cut while a vehicle charges opens the relay', async () => {
    const { charger, flash } = await running();
    pay(charger, await payment());
    expect(charger.relay.closed).toBe(true);
    flash.cutAt(flash.operations, 'after');
    const another = await payment();
    expect(() => pay(charger, another)).toThrow(PowerCut);
    expect(charger.relay.closed).toBe(false);
    flash.restart();
    charger.start();
    expect([charger.relay.closed, pay(charger, another).ok]).toEqual([false, false]);
  });

  it('a power cut at the relay leaves it open, and the payment counted', async () => {
    const { charger } = await running();
    const ready = await payment('1000000', 'retry');
    charger.relay.cutAtNextClose();
    expect(() => pay(charger, ready)).toThrow(PowerCut);
    expect([charger.powered, charger.relay.closed, charger.relay.closings]).toEqual([false, false, 0]);
    charger.start();
    expect(pay(charger, ready)).toMatchObject({ ok: true, repeated: true });
    expect(charger.relay.closings).toBe(0);
  });
});

/** The tag a Policy Authority gives a body. */
function tagOf(body: Uint8Array | string): string {
  return `"${createHash('sha256').update(body).digest('base64url')}"`;
}

async function withServer(server: Server, work: (url: string) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    await work(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
