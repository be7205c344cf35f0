// Sessions of scenarios: what a session may cost is reserved when it begins and settled when it ends; a power cut in between
// leaves it to the next start. Devices that do otherwise are found out.

import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OpenReservation } from '../../../core/ledger/ledger.ts';
import { type ReasonCode, refuse } from '../../../core/reason-codes.ts';
import { type Closing, Verifier } from '../../../core/verifier.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { FleetModel } from '../../../host-sim/invariants/model.ts';
import { Backend } from '../../../host-sim/operator-backend/backend.ts';
import { MemoryStorage as OperatorMemory } from '../../../host-sim/operator-backend/storage.ts';
import { MemoryStorage as AuthorityMemory } from '../../../host-sim/policy-authority/storage.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { type RunOptions, type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import { type MakeCharger, SimulatedDevice } from '../../../host-sim/simulation/simulated-device.ts';
import { Timeline } from '../../../host-sim/simulation/timeline.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { ChargingPoint } from '../../../host-sim/virtual-device/charging-point.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { changedScenario, ScenarioBench } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

// biome-ignore lint/suspicious/noExplicitAny: tests change what they like
type Values = any;

const SESSION = { lasts: '6m', delivered: { least: 0.1, most: 0.9 } };
/** Power goes for an hour while cars charge. */
const CUT = { devices: 'gate-1', at: '2h', for: '1m', powerCuts: { rate: '60/m', off: '10m' } };

/** Four hours of one charger, with a session every ten minutes. */
function eventful(change: (scenario: Values) => void = () => {}): string {
  return changedScenario((scenario) => {
    scenario.duration = '4h';
    scenario.settle = '1h';
    scenario.fleet.policy.site.reservationsLeft = 'settle';
    scenario.arrivals[0] = { ...scenario.arrivals[0], from: '8m', session: SESSION };
    change(scenario);
  });
}

function scenarioOf(text: string) {
  const read = readScenario(bench.write('scenario.yaml', text));
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.scenario;
}

async function ran(text: string, makeCharger?: MakeCharger, options: RunOptions = {}) {
  const events: TraceEvent[] = [];
  const heard = (event: TraceEvent) => events.push(event);
  const result: RunResult = await runScenario(scenarioOf(text), {
    ...options,
    heard,
    ...(makeCharger && { makeCharger }),
  });
  return { result, events };
}

const named = (events: readonly TraceEvent[], name: string) => events.filter(({ event }) => event === name);
const ends = (events: readonly TraceEvent[]) => named(events, 'session.ended');

describe('a session', () => {
  it('reserves what it may cost, and is settled with what was delivered', async () => {
    const { result, events } = await ran(eventful());
    expect(result).toMatchObject({ payments: 24, approved: 24, settled: 24, refused: {}, acknowledged: 24 });
    expect(result.violation).toBeUndefined();
    for (const { amountMinor } of ends(events)) expect(Number(amountMinor) / 1_000_000).toBeLessThan(0.9);
  });

  it('of which nothing was delivered is given back', async () => {
    const { result } = await ran(
      eventful((scenario) => {
        // Enough for two.
        scenario.wallets[0].grant.budget = '2000000';
        scenario.arrivals[0].session = { lasts: '6m', delivered: 0 };
      }),
    );
    expect([result.violation, result.approved, result.settled]).toEqual([undefined, 24, 24]);
  });

  it('that was given back has paid nothing, by which nobody cheats afterwards', async () => {
    const { result } = await ran(
      eventful((scenario) => {
        const [some] = scenario.arrivals;
        some.session = { lasts: '6m', delivered: 0 };
        const hostile = { share: 1, classes: ['budget-used', 'fleet-policy-used'] };
        scenario.arrivals.push({ ...some, pattern: { every: '3m' }, hostile });
      }),
    );
    const counts = Object.values(result.cheats ?? {});
    // They try while somebody charges.
    expect(counts.map(({ attempts, refused }) => attempts === refused.DEVICE_BUSY && attempts > 5)).toEqual([
      true,
      true,
    ]);
  });

  it('counts with all that it reserves as long as it lasts', async () => {
    const { result } = await ran(
      eventful((scenario) => {
        scenario.wallets[0].grant.budget = '1500000';
        scenario.arrivals[0].session = { lasts: '6m', delivered: 0.25 };
      }),
    );
    // 250 000 each: three are 750 000, and a fourth would reserve 1 750 000.
    expect(result).toMatchObject({ approved: 3, refused: { GRANT_BUDGET_EXCEEDED: 21 } });
    expect(result.violation).toBeUndefined();
  });

  it('has the charger for itself', async () => {
    const { result } = await ran(
      eventful((scenario) => {
        scenario.arrivals[0].session = { ...SESSION, lasts: '25m' };
      }),
    );
    expect(result).toMatchObject({ payments: 24, approved: 8, settled: 8, refused: { DEVICE_BUSY: 16 } });
  });

  it('has it also before those who would pay at once', async () => {
    const { result } = await ran(
      eventful((scenario) => {
        const { session, ...atOnce } = scenario.arrivals[0];
        // Three minutes after each car but the last, and seven.
        scenario.arrivals.push({ ...atOnce, from: '11m' }, { ...atOnce, from: '15m' });
      }),
    );
    expect(result.violation).toBeUndefined();
    expect(result).toMatchObject({ approved: 24 + 23, settled: 24, refused: { DEVICE_BUSY: 23 } });
  });
});

describe('a session whose driver got no answer', () => {
  it('keeps the charger until it has idled for a quarter of an hour, and is given back', async () => {
    const { result, events } = await ran(
      eventful((scenario) => {
        scenario.arrivals[0].retry = { after: '20s', times: 1 };
        // One of them comes meanwhile, and again; so does the next.
        scenario.faults = [{ devices: 'gate-1', at: '67m', for: '65s', answersLost: true }];
      }),
    );
    expect(result.violation).toBeUndefined();
    expect(result).toMatchObject({
      payments: 25,
      approved: 22,
      unanswered: 1,
      refused: { DEVICE_BUSY: 2 },
      settled: 23,
    });
    const [given, ...more] = named(events, 'payment.release');
    expect(more).toEqual([]);
    expect(ends(events).filter(({ why }) => why === 'idle')).toMatchObject([{ reservation: given?.reservation }]);
    expect((given?.ms as number) / 60_000).toBe(68 + 15);
  });
});

/** Why the sessions of a scenario ended, when that was within them, and with how much. */
async function endsOf(session: object) {
  const { result, events } = await ran(
    eventful((scenario) => {
      scenario.duration = '20h';
      Object.assign(scenario.arrivals[0], { until: '5m', from: '0s', pattern: { rush: 1 }, session });
    }),
  );
  expect(result).toMatchObject({ approved: 1, settled: 1 });
  expect(result.violation).toBeUndefined();
  const [begun] = named(events, 'payment.reserve');
  return ends(events).map(({ ms, why, amountMinor }) => [
    why,
    Math.round((ms - (begun?.ms as number)) / 60_000),
    amountMinor,
  ]);
}

describe('a session ends as the core has it', () => {
  it.each([
    ['by its driver', { lasts: '6m', delivered: 0.5 }, ['stopped', 6, '500000']],
    ['when all that was reserved is spent', { lasts: '6m', delivered: 1 }, ['spent', 6, '1000000']],
    ['when nothing was drawn for a quarter of an hour', { lasts: '1h', delivered: 0 }, ['idle', 15, '0']],
    ['after twelve hours, with what was drawn by then', { lasts: '16h', delivered: 1 }, ['longest', 720, '750000']],
  ] as const)('%s', async (_, session, end) => {
    expect(await endsOf(session)).toEqual([end]);
  });
});

describe('a session that a power cut ends', () => {
  it('is settled in full at the next start, where the site says so, and counts as ended', async () => {
    const { result, events } = await ran(eventful((scenario) => (scenario.faults = [CUT])));
    expect([result.violation, result.acknowledged]).toEqual([undefined, result.approved]);
    const [left, ...more] = named(events, 'reservation.left');
    expect(more).toEqual([]);
    const settled = named(events, 'payment.settle').filter(({ reservation }) => reservation === left?.reservation);
    expect(settled).toMatchObject([{ ok: true, amountMinor: '1000000' }]);
    expect([ends(events).length, result.settled]).toEqual([result.approved - 1, result.approved]);
  });

  it('stays open, and counts, where the site holds it', async () => {
    const storage = { authority: new AuthorityMemory(), operator: new OperatorMemory() };
    const { result, events } = await ran(
      eventful((scenario) => {
        scenario.fleet.policy.site.reservationsLeft = 'hold';
        // As much as all sessions come to, and one more reserves: not with 1 000 000 that stay reserved.
        scenario.wallets[0].grant.budget = '6500000';
        scenario.arrivals[0].session = { lasts: '6m', delivered: 0.25 };
        scenario.faults = [CUT];
      }),
      undefined,
      { storage },
    );
    expect([result.violation, result.acknowledged]).toEqual([undefined, result.approved]);
    const [left, ...more] = named(events, 'reservation.left');
    expect(more).toEqual([]);
    const ended = [...named(events, 'payment.settle'), ...named(events, 'payment.release')];
    expect(ended.filter(({ reservation }) => reservation === left?.reservation)).toEqual([]);
    const clock = { wallMs: () => undefined, monotonicMs: () => 0 };
    const { openReservations } = await new Backend(storage.operator, createNodeCrypto(), clock).report('gate-1');
    expect(openReservations).toEqual([{ receiptId: left?.reservation, amountMinor: '1000000' }]);
    expect(result.refused).toEqual({ GRANT_BUDGET_EXCEEDED: expect.any(Number) });
    expect(result.settled).toBe(result.approved - 1);
  });

  it.each(['settle', 'hold'])('in the middle of anything keeps every rule (%s)', async (reservationsLeft) => {
    const { result, events } = await ran(
      eventful((scenario) => {
        scenario.fleet.policy.site.reservationsLeft = reservationsLeft;
        scenario.wallets[0].grant.budget = '900000000';
        scenario.arrivals[0].retry = { after: '90s', times: 3 };
        scenario.arrivals[0].pattern = { every: '3m' };
        scenario.arrivals[0].session = { ...SESSION, lasts: '90s' };
        scenario.faults = [{ devices: 'gate-1', at: '30m', for: '3h', powerCuts: { rate: '40/h', torn: true } }];
      }),
    );
    expect(result.violation).toBeUndefined();
    expect(events.filter(({ event }) => event === 'device.power-lost').length).toBeGreaterThan(20);
  });

  it.each([true, false])('in the middle of its end is settled once (recorded: %s)', async (isRecorded) => {
    const cutAtEnd: MakeCharger = (parts) => {
      const charger = new VirtualCharger(parts);
      const stop = charger.stop.bind(charger);
      let count = 0;
      charger.stop = (...args) => {
        if (++count % 4 !== 0) return stop(...args);
        if (isRecorded) stop(...args);
        charger.powerOff();
        throw new PowerCut('the power was cut');
      };
      return charger;
    };
    const { result, events } = await ran(eventful(), cutAtEnd);
    expect(ends(events)).toHaveLength(isRecorded ? 24 : 18);
    expect(result).toMatchObject({ approved: 24, settled: 24, acknowledged: 24 });
    expect(result.violation).toBeUndefined();
  });
});

it('sessions are counted as ended once each, also those that a start has settled before its power went too', async () => {
  const { result, events } = await ran(
    eventful((scenario) => {
      scenario.duration = '6h';
      scenario.arrivals[0] = {
        ...scenario.arrivals[0],
        pattern: { every: '2m' },
        retry: { after: '30s', times: 3 },
        session: { ...SESSION, lasts: '90s' },
      };
      scenario.faults = [{ devices: 'gate-*', powerCuts: { rate: '60/h', torn: true } }];
    }),
  );
  const begun = [
    ...named(events, 'payment.reserve').flatMap(({ ok, receiptId }) => (ok === true ? [receiptId] : [])),
    ...named(events, 'reservation.left').map(({ reservation }) => reservation),
  ];
  expect(begun.length).toBeGreaterThan(60);
  expect(result.settled).toBe(new Set(begun).size);
});

describe('a session whose end the store refuses', () => {
  it('ends when flash takes it again, and breaks no rule meanwhile', async () => {
    const flash = { partition: 'ledger', what: 'read-only' };
    const { result, events } = await ran(
      eventful((scenario) => (scenario.faults = [{ devices: 'gate-1', at: '90m', for: '1h', flash }])),
    );
    expect(named(events, 'session.unsettled').map(({ code }) => code)).toContain('STORE_FAILED');
    expect([result.violation, result.settled]).toEqual([undefined, result.approved]);
  });

  it.each([
    ['STORE_FAILED', true],
    ['STORE_FULL', true],
    ['RESERVATION_NOT_FOUND', false],
    ['AMOUNT_EXCEEDED', false],
  ] as const)('has the charger for itself until then, and no other does (%s)', async (code, isKept) => {
    const { devices, seed, beginsMs } = scenarioOf(eventful());
    const device = new SimulatedDevice({
      terms: devices[0] as (typeof devices)[number],
      seed,
      timeline: new Timeline(),
      trueMs: () => beginsMs,
      builtMs: beginsMs,
      crypto: createNodeCrypto(),
      network: () => Promise.reject(new Error('nobody asks for anything')),
      askTime: () => undefined,
      makeCharger: (parts) => {
        const charger = new VirtualCharger(parts);
        const names = { grantId: '', budgetId: '', sessionId: '', actorId: '' };
        const approval = { ok: true, receiptId: 1, repeated: false, amountMinor: '5', timeMs: 0, ...names } as const;
        const verifier = { reserve: () => approval, settle: () => refused(code), release: () => refused(code) };
        const point = new ChargingPoint({ verifier, relay: charger.relay });
        charger.begin = async (...presented) => point.begin(...presented, 0);
        charger.stop = (pulses) => point.stop(pulses, 0);
        return charger;
      },
      tell: () => {},
      started: () => {},
      provisioned: () => {},
      changed: () => {},
    });
    device.start();
    await device.reserve(new Uint8Array(0), '5');
    expect(device.charges).toBe(true);
    expect(device.stopCharging(1, 300_000)).toMatchObject({ closing: { code } });
    expect(device.charges).toBe(isKept);
  });
});

function refused(code: ReasonCode): Closing {
  return refuse('device', 'device.store', code, 'it says so');
}

describe('a device is found out that', () => {
  type End = Verifier['settle'];
  afterEach(() => vi.restoreAllMocks());

  /** Has devices end reservations in a way of their own. */
  const ending = (change: (end: End) => End) => () => {
    const { settle, release } = Verifier.prototype;
    const endOf = (verifier: Verifier) =>
      change((reservation, amountMinor) =>
        amountMinor === '0' ? release.call(verifier, reservation) : settle.call(verifier, reservation, amountMinor),
      );
    vi.spyOn(Verifier.prototype, 'settle').mockImplementation(function (this: Verifier, ...args) {
      return endOf(this)(...args);
    });
    vi.spyOn(Verifier.prototype, 'release').mockImplementation(function (this: Verifier, reservation) {
      return endOf(this)(reservation, '0');
    });
  };
  const saying = (members: object) =>
    ending(
      (end) =>
        (...args) =>
          ({ ...end(...args), ...members }) as Closing,
    );
  const settling = (amountMinor: string) => ending((end) => (reservation) => end(reservation, amountMinor));
  const refusing = (code: ReasonCode) => ending(() => () => refused(code));
  /** They say that they have ended it, and leave it open. */
  const leavingOpen = ending(() => (_, amountMinor) => ({ ok: true, receiptId: 500, amountMinor, timeMs: 0 }));
  /** What it records is not what it says. */
  const recordingLess = ending((end) => (reservation, amountMinor) => ({
    ...(end(reservation, '7') as Closing & { readonly ok: true }),
    amountMinor,
  }));

  it.each([
    ['settles more than was reserved', 'cap', saying({ amountMinor: '1000001' })],
    ['settles all that was reserved, whatever was delivered', 'cap', settling('1000000')],
    ['gives everything back', 'session', settling('0')],
    ['settles another amount than it says', 'session', recordingLess],
    ['gives the receipt of another', 'session', saying({ receiptId: 1 })],
    ['ends nothing', 'session', leavingOpen],
    ['finds no reservation to end', 'session', refusing('RESERVATION_NOT_FOUND')],
    ['says that its store fails, which does not', 'session', refusing('STORE_FAILED')],
  ] as const)('%s', async (_, invariant, begin) => {
    begin();
    const { result } = await ran(eventful());
    expect(result.violation).toMatchObject({ invariant, detail: expect.stringContaining('reservation ') });
  });

  /** Has devices end at a start, in a way of their own, what a power cut has left open. */
  const endingLeft = (how: (end: End, left: OpenReservation) => Closing) => () => {
    vi.spyOn(Verifier.prototype, 'takeUpReservations').mockImplementation(function (this: Verifier) {
      const end: End = (...args) => this.settle(...args);
      return this.openReservations().map((reservation) => ({ reservation, closing: how(end, reservation) }));
    });
  };
  it('does not hear its driver', async () => {
    const deaf: MakeCharger = (parts) => {
      const charger = new VirtualCharger(parts);
      charger.stop = () => undefined;
      return charger;
    };
    const { result } = await ran(eventful(), deaf);
    expect(result.violation).toMatchObject({
      invariant: 'session',
      detail: 'reservation 1 was not ended: its driver was not heard',
    });
  });

  const settlingLeft = (amountMinor: string) => endingLeft((end, { receiptId }) => end(receiptId, amountMinor));

  it.each([
    [
      'settles 1 after a power cut',
      'settle',
      'reservation 23 was to end with 1000000, and ended with 1',
      settlingLeft('1'),
    ],
    [
      'ends nothing at a start, and says that its store fails',
      'settle',
      'reservation 23 was not ended: STORE_FAILED',
      endingLeft(() => refused('STORE_FAILED')),
    ],
    [
      'settles after a power cut what its site holds',
      'hold',
      'reservation 23 was ended at a start, and its site holds what is left open',
      settlingLeft('1000000'),
    ],
  ] as const)('%s', async (_, reservationsLeft, detail, begin) => {
    begin();
    const text = eventful((scenario) => {
      scenario.fleet.policy.site.reservationsLeft = reservationsLeft;
      scenario.faults = [CUT];
      // What is delivered before is no part of it.
      scenario.arrivals[0].session = { lasts: '6m', delivered: 0.5 };
    });
    const { result } = await ran(text);
    const rule = 'a session ends once, with what is due, and on record';
    expect(result.violation).toMatchObject({ invariant: 'session', rule, detail });
  });
});

describe('a reservation', () => {
  const signer = { issuer: 'pa', kid: 'k' };
  const payment = {
    grantId: 'grant',
    budgetId: 'budget',
    grantSigner: signer,
    budgetSigner: signer,
    expiresAtMs: 9,
    grantExpiresAtMs: 9,
    singleMost: undefined,
    budgetMost: 5n,
    grantMost: 5n,
  };
  /** A model of one device, which has given nothing yet. */
  const emptyModel = (settlesLeft: boolean) => {
    const model = new FleetModel();
    const nobody = { roots: [], grantIssuers: [], budgetIssuers: new Map() };
    model.made('park-1', { ...nobody, driftMs: 0, earliestMs: 0, patienceMs: 0, settlesLeft });
    return model;
  };
  const again = { payment, forged: undefined, amount: 5n, receiptId: 1, presented: 'bytes' };
  /** A model in which one of 5 is open. */
  const modelWith = (settlesLeft: boolean) => {
    const model = emptyModel(settlesLeft);
    model.unanswered('park-1', 'bytes');
    model.repeated('park-1', again);
    return model;
  };
  const end = (amount: bigint, receiptId = 2) => ({
    reservation: 1,
    asked: amount,
    amount,
    receiptId,
    recorded: undefined,
  });
  /** At a start. */
  const endLeft = (amount: bigint, reservation = 1, receiptId = 2) => ({
    ...end(amount, receiptId),
    reservation,
    asked: undefined,
  });
  const atOperator = new Map([
    [1, 5n],
    [2, 3n],
  ]);

  it('that a device ended has its end at the operator', () => {
    const model = modelWith(false);
    expect(model.settled('park-1', end(3n))).toBeUndefined();
    expect(model.ended('park-1', atOperator, [], [])).toBeUndefined();
    expect(model.ended('park-1', atOperator, [], [1])?.detail).toBe('the operator has no end of reservation 1');
  });

  it('that nobody ended stays open only where the site holds it', () => {
    expect(modelWith(false).ended('park-1', atOperator, [], [1])).toBeUndefined();
    expect(modelWith(true).ended('park-1', atOperator, [], [1])?.invariant).toBe('acknowledged');
  });

  it('ends once, and is not open afterwards', () => {
    const model = modelWith(false);
    model.settled('park-1', end(3n));
    expect(model.settled('park-1', end(3n, 3))?.detail).toBe('reservation 1 has ended twice');
    expect(model.leftOpen('park-1', 1, undefined)?.detail).toBe('reservation 1 is open, and has ended before');
  });

  it('whose end was cut off may be open or ended, and counts as it then is', () => {
    const model = modelWith(false);
    model.endCut('park-1', 1, 3n);
    expect(model.started('park-1', 0, () => 3n)).toBeUndefined();
    expect(model.leftOpen('park-1', 1, undefined)).toBeUndefined();
    expect(model.started('park-1', 0, () => 3n)?.invariant).toBe('durable');
    expect(model.started('park-1', 0, () => 5n)).toBeUndefined();
  });

  it('ends with what was delivered, neither with more nor with less', () => {
    const ended = (amount: bigint) => modelWith(false).settled('park-1', { ...end(amount), asked: 3n });
    expect(ended(3n)).toBeUndefined();
    expect(ended(4n)).toMatchObject({ invariant: 'cap', detail: expect.stringContaining('was to end with 3') });
    expect(ended(2n)).toMatchObject({ invariant: 'session', detail: expect.stringContaining('was to end with 3') });
  });

  it('ends with all of it at a start, and only where the site has such settled', () => {
    expect(modelWith(true).settled('park-1', endLeft(5n))).toBeUndefined();
    expect(modelWith(true).settled('park-1', endLeft(4n))?.invariant).toBe('session');
    expect(modelWith(false).settled('park-1', endLeft(5n))?.detail).toContain('its site holds what is left open');
  });

  it.each([
    ['STORE_FULL', false, undefined],
    ['STORE_FAILED', true, undefined],
    ['STORE_FAILED', false, 'session'],
    ['RESERVATION_NOT_FOUND', true, 'session'],
  ] as const)(
    'is held by a store that takes no end, and by nothing else (%s, faulty flash: %s)',
    (code, isFlashFaulty, invariant) => {
      const refusal = { code, isFlashFaulty };
      expect(modelWith(true).endRefused('park-1', 1, 3n, refusal)?.invariant).toBe(invariant);
      const model = modelWith(true);
      expect(model.leftOpen('park-1', 1, refusal)?.invariant).toBe(invariant);
      if (invariant === undefined) expect(model.ended('park-1', atOperator, [], [1])).toBeUndefined();
    },
  );

  it('that was held and has ended since has its end at the operator', () => {
    const model = modelWith(true);
    model.endRefused('park-1', 1, 3n, { code: 'STORE_FULL', isFlashFaulty: false });
    expect(model.settled('park-1', end(3n))).toBeUndefined();
    expect(model.ended('park-1', atOperator, [], [1])?.detail).toBe('the operator has no end of reservation 1');
  });

  describe('whose payer got no answer', () => {
    const lost = (...presented: readonly string[]) => {
      const model = emptyModel(true);
      for (const one of presented) model.unanswered('park-1', one);
      return model;
    };

    it('may be settled at a start, once, and each takes a payer who got none', () => {
      const model = lost('bytes');
      expect(model.settled('park-1', endLeft(5n))).toBeUndefined();
      expect(model.settled('park-1', endLeft(5n, 1, 3))?.detail).toBe('reservation 1 has ended twice');
      expect(model.settled('park-1', endLeft(5n, 4, 5))?.detail).toBe('reservation 4 has ended, and was never given');
    });

    it('may be open at each start, and each takes a payer who got none', () => {
      const model = lost('bytes');
      expect(model.leftOpen('park-1', 1, undefined)).toBeUndefined();
      expect(model.leftOpen('park-1', 1, undefined)).toBeUndefined();
      expect(model.leftOpen('park-1', 4, undefined)?.detail).toBe('reservation 4 is open, and was never given');
    });

    it('is given when the same is presented again, ended as it is', () => {
      const model = lost('bytes');
      model.settled('park-1', endLeft(5n));
      expect(model.repeated('park-1', again)).toBeUndefined();
      expect(model.leftOpen('park-1', 1, undefined)?.detail).toBe('reservation 1 is open, and has ended before');
      expect(model.settled('park-1', endLeft(5n, 4, 6))?.detail).toContain('was never given');
    });

    it('was settled with all of it, as is seen when the same is presented again', () => {
      const model = lost('bytes');
      model.settled('park-1', endLeft(1n));
      expect(model.repeated('park-1', again)).toMatchObject({ invariant: 'session', about: ['grant', 'budget'] });
    });

    it('has its end at the operator', () => {
      const model = lost('bytes');
      model.settled('park-1', endLeft(5n));
      expect(model.ended('park-1', new Map(), [])?.detail).toContain('receipt 2 of 5');
    });
  });
});

it('sessions that have ended stand in the report of a run', async () => {
  const file = bench.path('report.html');
  const { code } = await bench.sim(eventful(), '--report', file);
  expect(code).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('<span data-figure="settled">24</span>');
});
