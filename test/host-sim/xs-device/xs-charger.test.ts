// Devices of a scenario in XS: what they decide, write and hand in is what they do in Node, event by event; and one whose machine
// stops ends the run in words.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantRequest } from '../../../host-sim/day/scene.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { Link, type LinkAnswer } from '../../../host-sim/virtual-device/link.ts';
import type { MachineMemory } from '../../../host-sim/xs/runner.ts';
import { sampleMemory } from '../../../host-sim/xs/sample-memory.ts';
import { type Engine, type Machine, MachineStop, withEngine } from '../../../host-sim/xs-device/engine.ts';
import { COMMAND, type CommandName } from '../../../host-sim/xs-device/protocol.ts';
import { XsCharger } from '../../../host-sim/xs-device/xs-charger.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { engineIsHere } from '../../fixtures/engine.ts';
import { changedScenario, ScenarioBench, SMALL } from '../../tools/scenario/bench.ts';
import { FIRMWARE_BUILT_MS, provisioned, type ReadyPayment, TestSite } from '../site.ts';

const bench = new ScenarioBench();
afterAll(() => bench.remove());

/** A compiler may have to build the engine first. */
const LONG_MS = 600_000;

/** Two gates for two hours: riders who cheat, a key that is revoked, outages, cuts of power in the middle of flash, a bad block. */
const BUSY = changedScenario((scenario) => {
  scenario.duration = '2h';
  scenario.fleet.devices[0].deviceId = 'gate-{n}';
  scenario.fleet.devices[0].count = 2;
  scenario.authority.bundles = { every: '30m', lifetime: '4h' };
  Object.assign(scenario.arrivals[0], {
    devices: 'gate-*',
    pattern: { every: '3m' },
    hostile: {
      share: 0.5,
      classes: ['replayed', 'amount-raised', 'signature-flipped', 'truncated', 'oversize', 'late'],
    },
  });
  scenario.hardware = { ledger: '32KiB', journal: '64KiB', clockBattery: false };
  scenario.links = [{ devices: 'gate-1', pattern: { cycle: { up: '10m', down: '20m' } } }];
  scenario.faults = [
    { devices: 'gate-*', at: '20m', for: '1h', powerCuts: { rate: '12/h', torn: true } },
    { devices: 'gate-2', at: '30m', for: '20m', flash: { partition: 'ledger', what: 'bad-block' } },
    { devices: 'gate-*', at: '50m', for: '10m', corrupted: true },
    { devices: 'gate-1', at: '1h', for: '10m', oversize: '200KiB' },
  ];
  scenario.actions = [
    { at: '95m', revokeKey: 'riders-1' },
    { at: '96m', urgent: 'gate-*' },
  ];
});

/** Two gates whose authority answers with more than a set may have, and whose power then goes in the middle of flash again and again. */
const OVERSIZE = changedScenario((scenario) => {
  scenario.duration = '2h';
  scenario.settle = '1h';
  scenario.fleet.devices[0].deviceId = 'gate-{n}';
  scenario.fleet.devices[0].count = 2;
  scenario.authority.bundles = { every: '30m', lifetime: '8h' };
  Object.assign(scenario.arrivals[0], { devices: 'gate-*', pattern: { every: '10m' } });
  scenario.actions = ['25m', '50m', '70m', '90m'].map((at) => ({ at, urgent: 'gate-*' }));
  scenario.faults = [
    { devices: 'gate-*', at: '20m', for: '40m', oversize: '1MiB' },
    { devices: 'gate-*', at: '1h', for: '1h', powerCuts: { rate: '20/h', torn: true } },
  ];
});

/** A gate that forgets the time, whose link comes and goes, and whose servers are reached by all that may lie between. */
const ERRANDS = changedScenario((scenario) => {
  scenario.duration = '6h';
  scenario.authority.bundles = { every: '15m', lifetime: '6h' };
  scenario.hardware = { clockBattery: false };
  scenario.arrivals[0].pattern = { every: '5m' };
  scenario.arrivals.push({
    ...scenario.arrivals[0],
    pattern: { every: '45m' },
    session: { lasts: '12m', delivered: 0.5 },
  });
  const troubles = [
    { lost: true },
    { unreachable: true },
    { truncated: true },
    { corrupted: true },
    { captivePortal: true },
    { redirected: true },
    { drip: { bytes: '50B', every: '1s' } },
    { oversize: '200KiB' },
    { status: { code: 503, retryAfter: '1m' } },
    { wrongCertificate: 'expired' },
    { noTimeServer: true },
  ];
  scenario.faults = troubles.map((what, i) => ({ devices: 'gate-1', at: `${(i + 1) * 25}m`, for: '25m', ...what }));
  scenario.faults.push({ devices: 'gate-1', at: '4h', for: '90m', powerCuts: { rate: '6/h', off: '1m' } });
  scenario.actions = troubles.map((_, i) => ({ at: `${(i + 1) * 25 + 5}m`, urgent: 'gate-1' }));
  scenario.links = [{ devices: 'gate-1', pattern: { outage: { at: '20m', for: '4m' } } }];
});

/** Sessions that end in every way there is: power goes, answers are lost, flash refuses; what is left is held or settled. */
const sessions = (reservationsLeft: string) =>
  changedScenario((scenario) => {
    scenario.duration = '6h';
    scenario.fleet.policy.site.reservationsLeft = reservationsLeft;
    scenario.wallets[0].grant.budget = '900000000';
    const [car] = scenario.arrivals;
    // Until a session which nobody was told of has idled.
    car.retry = { after: '16m', times: 2 };
    const some = { lasts: { least: '1m', most: '8m' }, delivered: { least: 0.1, most: 0.9 } };
    const hostile = { share: 0.2, classes: ['replayed', 'amount-raised', 'oversize'] };
    scenario.arrivals = [
      { ...car, pattern: { every: '20m' }, session: some, hostile },
      { ...car, pattern: { every: '1h' }, from: '14m', session: { lasts: '20m', delivered: 0 } },
      { ...car, pattern: { every: '1h' }, from: '35m', session: { lasts: '5m', delivered: 1 } },
    ];
    scenario.faults = [
      { devices: 'gate-1', at: '1h', for: '2h', powerCuts: { rate: '20/h', torn: true } },
      { devices: 'gate-1', at: '336m', for: '6m', flash: { partition: 'ledger', what: 'read-only' } },
      { devices: 'gate-1', at: '274m', for: '2m', answersLost: true },
    ];
  });

const lineOf = (event: TraceEvent) => JSON.stringify(event);

/** Runs a scenario, and holds every event. */
async function traceOf(text: string, engine?: Engine, changed: Partial<MachineMemory> = {}) {
  const read = readScenario(bench.write('scenario.yaml', text), undefined);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const events: TraceEvent[] = [];
  const memory = { ...sampleMemory('charger'), ...changed };
  const result: RunResult = await runScenario(read.scenario, {
    heard: (event) => events.push(event),
    link: 'in-process',
    ...(engine && { makeCharger: (parts) => new XsCharger(parts, engine, memory) }),
  });
  return { events, result };
}

describe.skipIf(!engineIsHere('m32-bounds'))('inside XS (skipped without its compiler)', () => {
  let engine: Engine;
  let end: () => void;
  let ended: Promise<void>;
  beforeAll(
    () =>
      new Promise<void>((begun, failed) => {
        const work = (made: Engine) => {
          engine = made;
          begun();
          return new Promise<void>((resolve) => {
            end = resolve;
          });
        };
        ended = withEngine({}, work);
        ended.catch(failed);
      }),
    LONG_MS,
  );
  afterAll(async () => {
    end();
    await ended;
  });

  /** Runs a scenario both ways. @returns its events, which are the same */
  async function sameAsInNode(text: string): Promise<readonly TraceEvent[]> {
    const inNode = await traceOf(text);
    const inXs = await traceOf(text, engine);
    expect(inXs.events.map(lineOf)).toEqual(inNode.events.map(lineOf));
    expect(inXs.result).toEqual(inNode.result);
    expect(inNode.result.violation).toBeUndefined();
    return inXs.events;
  }

  it('the same scenario and seed give the same events as in Node', { timeout: LONG_MS }, async () => {
    // What this is about has happened.
    const happened = new Set(
      (await sameAsInNode(BUSY)).map(({ event, answer = '', code = '' }) => [event, answer, code].join(' ').trim()),
    );
    for (const event of [
      'payment approved',
      'payment none',
      'payment refused AMOUNT_EXCEEDED',
      'payment refused LIMIT_EXCEEDED',
      'payment refused POLICY_GRANT_SIGNATURE_INVALID',
      'payment refused KEY_REVOKED',
      'refresh.done',
      'upload.acknowledged',
      'device.power-lost',
      'clock.set',
    ])
      expect(happened).toContain(event);
  });

  it('more than a set may have comes in packets, and a later cut tears what it tears in Node', {
    timeout: LONG_MS,
  }, async () => {
    const told = (await sameAsInNode(OVERSIZE)).map(({ event, failure = '' }) => `${event} ${failure}`.trim());
    const first = told.indexOf('refresh.failed too-large');
    expect(first).toBeGreaterThan(0);
    expect(told.indexOf('device.power-lost')).toBeGreaterThan(first);
  });

  it.each(['settle', 'hold'])(
    'sessions are the same as in Node, however they end (%s)',
    {
      timeout: LONG_MS,
    },
    async (reservationsLeft) => {
      const happened = new Set(
        (await sameAsInNode(sessions(reservationsLeft))).map(({ event, why, answer, code }) =>
          [event, why, answer, code].filter((word) => word !== undefined).join(' '),
        ),
      );
      for (const event of [
        'session.ended stopped',
        'session.ended spent',
        'session.ended idle',
        'session.unsettled STORE_FAILED',
        'payment refused DEVICE_BUSY',
        'payment refused IDEMPOTENCY_CONFLICT',
        'device.power-lost',
        'reservation.left',
      ])
        expect(happened).toContain(event);
    },
  );

  it('the ready scenario with sessions is the same as in Node, byte for byte', { timeout: LONG_MS }, async () => {
    const ready = new URL('../../../host-sim/scenarios/charging-sessions.yaml', import.meta.url);
    const told = await sameAsInNode(readFileSync(ready, 'utf8'));
    expect(told.filter(({ event }) => event === 'session.ended').length).toBeGreaterThan(15);
    expect(told.filter(({ event }) => event === 'reservation.left').length).toBeGreaterThan(2);
  });

  it('errands end as in Node, whatever lies between a device and its servers', { timeout: LONG_MS }, async () => {
    const events = await sameAsInNode(ERRANDS);
    const happened = new Set(events.map(({ event, failure = '' }) => `${event} ${failure}`.trim()));
    for (const event of [
      'refresh.failed timeout',
      'refresh.failed unreachable',
      'refresh.failed content-type',
      'refresh.failed redirected',
      'refresh.failed too-large',
      'refresh.failed http-status',
      'refresh.failed no-time',
      'upload.failed unanswered',
      'upload.failed garbage',
      'upload.failed http-status',
      'upload.acknowledged',
      'device.power-lost',
    ])
      expect(happened).toContain(event);
  });

  /** Does something with a charger that asks issuers about grants, and with two payments under such a grant. */
  async function withAskingCharger(
    link: Link,
    work: (
      charger: XsCharger,
      payments: readonly [ReadyPayment, ReadyPayment],
      grantId: string,
      site: TestSite,
    ) => Promise<void>,
  ): Promise<void> {
    const site = await TestSite.open();
    try {
      await site.bundle();
      const document = site.provisioning();
      const revocation = { hosts: ['pa.example'], timeoutMs: 5000 };
      const parts = {
        provisioning: provisioned({ ...document, site: { ...document.site, strictXrpl: false, revocation } }),
        firmwareBuiltMs: FIRMWARE_BUILT_MS,
        flash: new SimulatedFlash(new MemoryStore(32_768)),
        clock: site.clock,
        crypto: createNodeCrypto(),
        link,
        reach: (url: URL) => new URL(url.pathname + url.search, site.authority.url),
      };
      const charger = new XsCharger(parts, engine, sampleMemory('charger'));
      charger.start();
      expect(await charger.refreshIfDue()).toEqual({ kind: 'fetched' });
      const request = grantRequest(site.policyHash, site.cast.vehicleA);
      const { body } = await site.post('/grants', { ...request, revocationEndpoint: 'https://pa.example/revoke' });
      const wallet = await site.wallet(site.cast.vehicleA, body);
      const payments = [await site.payment(wallet, '100'), await site.payment(wallet, '100')] as const;
      await work(charger, payments, (body.grant as { grantId: string }).grantId, site);
    } finally {
      await site.close();
    }
  }

  const payAt = (charger: XsCharger, { bytes, amountMinor }: ReadyPayment) => charger.present(bytes, { amountMinor });

  it("asks a grant's issuer whether it was revoked, and remembers that it was", { timeout: LONG_MS }, async () => {
    const link = new Link();
    await withAskingCharger(link, async (charger, [first, second], grantId, site) => {
      expect(await payAt(charger, first)).toMatchObject({ ok: true, amountMinor: '100' });
      await site.post('/revoke', { grantId });
      site.clock.advance(300_000);
      expect(await payAt(charger, second)).toMatchObject({ ok: false, code: 'GRANT_REVOKED' });
      link.set(false);
      expect(await payAt(charger, second)).toMatchObject({ ok: false, code: 'GRANT_REVOKED' });
      // Only its memory had it, and without a network nobody is asked.
      charger.start();
      expect(await payAt(charger, second)).toMatchObject({ ok: true });
    });
  });

  it.each(['is answered', 'is lost with the power'])(
    'leaves nobody waiting where two payers ask at once, and the question of the first %s',
    { timeout: LONG_MS },
    async (end) => {
      /** Holds what is asked about grants until it may go. */
      class Held extends Link {
        go: (() => void) | undefined;
        override async fetch(...request: Parameters<Link['fetch']>): Promise<LinkAnswer> {
          if (request[0].pathname === '/revoke')
            await new Promise<void>((resolve) => {
              this.go = resolve;
            });
          return super.fetch(...request);
        }
      }
      const link = new Held();
      await withAskingCharger(link, async (charger, [one, other]) => {
        const first = payAt(charger, one);
        expect(await payAt(charger, other)).toMatchObject({ code: 'REVOCATION_UNKNOWN' });
        if (end === 'is answered') {
          link.go?.();
          expect(await first).toMatchObject({ ok: true });
        } else {
          charger.powerOff();
          await expect(first).rejects.toThrow(PowerCut);
        }
      });
    },
  );

  it.each([
    ['memory for its start', { chunks: 8192 }, /at its start: memory full.* 8 KB of chunks, 2560 slots and 768 slots/],
    ['slots for a payment', { slots: 1000 }, /at .*: memory full/],
    ['stack for a payment', { stack: 330 }, /at .*: stack overflow/],
  ])(
    'a device without enough %s ends the run, and is told by its name',
    { timeout: LONG_MS },
    async (_, memory, words) => {
      const { result, events } = await traceOf(SMALL, engine, memory);
      expect(result.violation).toMatchObject({
        invariant: 'runs',
        device: 'gate-1',
        detail: expect.stringMatching(words),
      });
      expect(events.at(-1)).toMatchObject({ event: 'violation', device: 'gate-1' });
    },
  );

  /** An engine whose machines stop at a command. */
  const stoppingAt = (command: CommandName) => {
    const start = (memory: MachineMemory) => {
      const machine = engine.start(memory);
      const ask: Machine['ask'] = (values, outside) => {
        if (values[1] !== COMMAND[command]) return machine.ask(values, outside);
        machine.off();
        throw new MachineStop('memory full');
      };
      return { ask, off: () => machine.off() };
    };
    return { start } as unknown as Engine;
  };

  // Nobody in it asks about grants.
  it.each((Object.keys(COMMAND) as CommandName[]).filter((command) => command !== 'askRevocation'))(
    'a device whose machine stops at %s ends the run, and is told by its name',
    { timeout: LONG_MS },
    async (command) => {
      const { result, events } = await traceOf(ERRANDS, stoppingAt(command));
      expect(result.violation).toMatchObject({
        invariant: 'runs',
        device: 'gate-1',
        detail: expect.stringMatching(/^its machine in XS stopped at .+: memory full; it has /),
      });
      expect(events.at(-1)).toMatchObject({ event: 'violation', device: 'gate-1' });
    },
  );

  it.each([
    ['never ends', 'host.receive(); for (;;);', 'no end of it within 1 s'],
    ['throws', 'host.receive(); throw new RangeError("no such thing");', 'RangeError: no such thing'],
    ['ends', 'host.receive();', 'the engine crashed, as where the stack is too deep'],
  ])('a device whose program %s is told so', { timeout: LONG_MS }, async (_, body, words) => {
    const program = bench.write('program.ts', `export default (): void => { ${body} };\n`);
    await withEngine({ program, seconds: 1 }, async (engine) => {
      const machine = engine.start(sampleMemory('charger'));
      const outside = { answer: () => [], note: () => undefined };
      const stop = new MachineStop(words);
      expect(() => machine.ask([0, 0], outside)).toThrow(stop);
      // Others start all the same.
      expect(() => engine.start(sampleMemory('gate')).ask([0, 0], outside)).toThrow(stop);
    });
  });
});

it('where the engine cannot be had, that is a wrong call, in a sentence', async () => {
  const before = process.env.MPCP_XS_CACHE;
  process.env.MPCP_XS_CACHE = '/proc/nowhere';
  try {
    const { code, stdout, stderr } = await bench.sim(SMALL, '--engine', 'xs');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^mpcp-embedded sim run: [^\n]*(the cache's folder|apt-get install)[^\n]*\n$/);
  } finally {
    if (before === undefined) delete process.env.MPCP_XS_CACHE;
    else process.env.MPCP_XS_CACHE = before;
  }
});

it('an engine that there is not is a wrong call', async () => {
  const { code, stderr } = await bench.sim(SMALL, '--engine', 'v8');
  expect(code).toBe(2);
  expect(stderr).toMatch(/--engine.*node, xs/);
});
