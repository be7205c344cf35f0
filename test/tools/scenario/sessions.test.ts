// Sessions of scenarios: what a session may cost is reserved when it begins and settled when it ends; a power cut in between
// leaves it to the next start. Devices that do otherwise are found out.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Closing } from '../../../core/verifier.ts';
import { PowerCut } from '../../../host-sim/flash/power-cut.ts';
import { FleetModel } from '../../../host-sim/invariants/model.ts';
import { type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import type { MakeCharger } from '../../../host-sim/simulation/simulated-device.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
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

async function ran(text: string, makeCharger?: MakeCharger) {
  const read = readScenario(bench.write('scenario.yaml', text));
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const events: TraceEvent[] = [];
  const heard = (event: TraceEvent) => events.push(event);
  const result: RunResult = await runScenario(read.scenario, { heard, ...(makeCharger && { makeCharger }) });
  return { result, events };
}

const ends = (events: readonly TraceEvent[]) => events.filter(({ event }) => event === 'session.ended');

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
});

describe('a session that a power cut ends', () => {
  it('is settled in full at the next start, where the site says so', async () => {
    const { result, events } = await ran(eventful((scenario) => (scenario.faults = [CUT])));
    expect([result.violation, result.acknowledged]).toEqual([undefined, result.approved]);
    expect(result.settled).toBe(result.approved - 1);
    expect(events.filter(({ event }) => event === 'reservation.left')).toHaveLength(1);
    expect(events.filter(({ event }) => event === 'payment.settle').length).toBeGreaterThan(result.settled as number);
  });

  it('stays open, and counts, where the site holds it', async () => {
    const { result, events } = await ran(
      eventful((scenario) => {
        scenario.fleet.policy.site.reservationsLeft = 'hold';
        scenario.faults = [CUT];
      }),
    );
    expect([result.violation, result.acknowledged]).toEqual([undefined, result.approved]);
    expect(events.filter(({ event }) => event === 'reservation.left').length).toBeGreaterThan(0);
  });

  it.each(['settle', 'hold'])('in the middle of anything keeps every rule (%s)', async (reservationsLeft) => {
    const { result, events } = await ran(
      eventful((scenario) => {
        scenario.fleet.policy.site.reservationsLeft = reservationsLeft;
        scenario.wallets[0].grant.budget = '900000000';
        scenario.arrivals[0].retry = { after: '90s', times: 3 };
        scenario.arrivals[0].pattern = { every: '3m' };
        scenario.arrivals[0].session = { ...SESSION, lasts: '90s' };
        scenario.faults = [
          { devices: 'gate-1', at: '30m', for: '3h', powerCuts: { rate: '40/h', off: '20s', torn: true } },
        ];
      }),
    );
    expect(result.violation).toBeUndefined();
    expect(events.filter(({ event }) => event === 'device.power-lost').length).toBeGreaterThan(20);
  });

  it.each([true, false])('in the middle of its end is settled once (recorded: %s)', async (isRecorded) => {
    const cutAtEnd: MakeCharger = (parts) => {
      const charger = new VirtualCharger(parts);
      const end = charger.end.bind(charger);
      let count = 0;
      charger.end = (...args) => {
        if (++count % 4 !== 0) return end(...args);
        if (isRecorded) end(...args);
        charger.powerOff();
        throw new PowerCut('the power was cut');
      };
      return charger;
    };
    const { result } = await ran(eventful(), cutAtEnd);
    expect(result).toMatchObject({ approved: 24, settled: 18, acknowledged: 24 });
    expect(result.violation).toBeUndefined();
  });
});

describe('a device is found out that', () => {
  const ending =
    (change: (closing: Closing, charger: VirtualCharger) => Closing): MakeCharger =>
    (parts) => {
      const charger = new VirtualCharger(parts);
      const end = charger.end.bind(charger);
      charger.end = (...args) => change(end(...args), charger);
      return charger;
    };
  const changed = (members: object) => ending((closing) => ({ ...closing, ...members }) as Closing);
  /** A charger that says it has ended a session, and leaves it open. */
  const leavingOpen: MakeCharger = (parts) => {
    const charger = new VirtualCharger(parts);
    charger.end = (_, amountMinor) => ({ ok: true, receiptId: 500, amountMinor, timeMs: 0 });
    return charger;
  };

  it.each([
    ['settles more than was reserved', 'cap', changed({ amountMinor: '1000001' })],
    ['settles another amount than it says', 'durable', changed({ amountMinor: '7' })],
    ['gives the receipt of another', 'durable', changed({ receiptId: 1 })],
    ['ends nothing', 'durable', leavingOpen],
  ] as const)('%s', async (_, invariant, makeCharger) => {
    const { result } = await ran(eventful(), makeCharger);
    expect(result.violation?.invariant).toBe(invariant);
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
  /** A model in which one of 5 is open. */
  const modelWith = (settlesLeft: boolean) => {
    const model = new FleetModel();
    const nobody = { roots: [], grantIssuers: [], budgetIssuers: new Map() };
    model.made('park-1', { ...nobody, driftMs: 0, earliestMs: 0, patienceMs: 0, settlesLeft });
    model.unanswered('park-1', 'bytes');
    model.repeated('park-1', { payment, forged: undefined, amount: 5n, receiptId: 1, presented: 'bytes' });
    return model;
  };
  const end = (amount: bigint, receiptId = 2) => ({ reservation: 1, amount, receiptId, recorded: undefined });
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
    expect(model.leftOpen('park-1', 1, false)?.detail).toBe('reservation 1 is open, and has ended before');
  });

  it('whose end was cut off may be open or ended, and counts as it then is', () => {
    const model = modelWith(false);
    model.endInDoubt('park-1', 1, 3n, false);
    expect(model.started('park-1', 0, () => 3n)).toBeUndefined();
    expect(model.leftOpen('park-1', 1, false)).toBeUndefined();
    expect(model.started('park-1', 0, () => 3n)?.invariant).toBe('durable');
    expect(model.started('park-1', 0, () => 5n)).toBeUndefined();
  });
});

it('devices in XS have no sessions, which is told before anything is run', async () => {
  const { code, stdout, stderr } = await bench.sim(eventful(), '--engine', 'xs');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/--engine xs: arrivals\[0\]\.session in .*scenario\.yaml: devices in XS are paid at once/);
});
