// Each rule that holds for every device can be broken, and is then found: devices that misbehave, one rule each, in a scenario in
// which honest ones do not.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../../host-sim/flash/store.ts';
import type { Invariant } from '../../../host-sim/invariants/model.ts';
import { type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import type { Charger, MakeCharger } from '../../../host-sim/simulation/simulated-device.ts';
import { type ChargerParts, VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { changedScenario, ScenarioBench } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

/** Thirty hours of one gate, with everything in them that a rule is about. */
const EVENTFUL = changedScenario((scenario) => {
  scenario.duration = '30h';
  scenario.authority.bundles = { every: '5h', lifetime: '10h' };
  scenario.keys['thieves-1'] = 'seeded';
  scenario.fleet.policy.site.sbaIssuers['pa.metro.example'].push('thieves.example');
  scenario.fleet.policy.site.refresh = { intervalMs: 3_600_000 };
  scenario.wallets[0].count = 3;
  scenario.wallets[0].grant = { budget: '10000000' };
  const thieves = { name: 'thieves', issuer: 'thieves.example', key: 'thieves-1', grant: { budget: '60000000' } };
  const lost = { name: 'lost', issuer: 'riders.example', key: 'riders-1', grant: { budget: '60000000' } };
  scenario.wallets.push(thieves, lost);
  scenario.arrivals[0].pattern = { every: '40m' };
  for (const wallets of ['thieves', 'lost'])
    scenario.arrivals.push({ wallets, devices: 'gate-1', pattern: { every: '3h' }, amount: '1000000' });
  const classes = ['budget-forged', 'late', 'replayed', 'amount-raised'];
  scenario.arrivals.push({ ...scenario.arrivals[0], pattern: { every: '50m' }, hostile: { share: 1, classes } });
  scenario.actions = [
    { at: '15h', revokeKey: 'thieves-1' },
    { at: '15h', revokeGrants: { wallets: 'lost' } },
  ];
});

async function runWith(makeCharger?: MakeCharger, text = EVENTFUL): Promise<RunResult> {
  const read = readScenario(bench.write('scenario.yaml', text));
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return runScenario(read.scenario, makeCharger === undefined ? {} : { makeCharger });
}

/** A charger with some of its methods replaced. */
function misbehaving(change: (charger: VirtualCharger, parts: ChargerParts) => Partial<Charger>): MakeCharger {
  return (parts) => {
    const charger = new VirtualCharger(parts);
    const changed = change(charger, parts);
    return new Proxy(charger, {
      get: (target, name) => {
        const own = Object.getOwnPropertyDescriptor(changed, name);
        if (own !== undefined) return own.get === undefined ? own.value : own.get.call(changed);
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
}

/** A charger that approves what it should refuse with a code. */
function approving(code: string): MakeCharger {
  return misbehaving((charger) => ({
    present: async (bytes, request) => {
      const decision = await charger.present(bytes, request);
      if (decision.ok || decision.code !== code) return decision;
      const texts = { grantId: '', budgetId: '', sessionId: '', actorId: '' };
      return { ok: true, receiptId: 9999, repeated: false, amountMinor: request.amountMinor, timeMs: 0, ...texts };
    },
  }));
}

/** A charger whose stores are in memory alone. */
const forgetful: MakeCharger = (parts) => {
  const memory = (like: { readonly size: number }) => new SimulatedFlash(new MemoryStore(like.size));
  return new VirtualCharger({
    ...parts,
    flash: memory(parts.flash),
    journal: memory(parts.journal as NonNullable<ChargerParts['journal']>),
  });
};

/** A charger that shows the first bundles it had for good. */
const backwards = misbehaving((charger) => {
  const seen: string[] = [];
  return {
    get bundleIds() {
      for (const id of charger.bundleIds) if (!seen.includes(id)) seen.push(id);
      return seen.length > 2 ? seen.slice(0, 1) : charger.bundleIds;
    },
  };
});

const MUTANTS: readonly (readonly [string, Invariant, MakeCharger])[] = [
  ['keeps what it approves in memory alone', 'durable', forgetful],
  ['goes on above the cap of a grant', 'cap', approving('GRANT_BUDGET_EXCEEDED')],
  ['takes what has expired', 'expired', approving('ARTIFACT_EXPIRED')],
  ['takes a key that its bundle revokes', 'revoked', approving('KEY_REVOKED')],
  ['takes a grant that its bundle revokes', 'revoked', approving('GRANT_REVOKED')],
  ['takes what nobody has signed', 'unapproved', approving('SBA_SIGNATURE_INVALID')],
  ['takes what was paid before', 'cap', approving('BUDGET_ID_REPLAY')],
  [
    'has a bundle in force that nobody has issued',
    'unapproved',
    misbehaving(() => ({
      get bundleIds() {
        return ['somebodys'];
      },
    })),
  ],
  ['goes back to an older bundle', 'rolled-back', backwards],
  [
    'hands nothing in',
    'acknowledged',
    misbehaving(() => ({ handIn: async () => ({ kind: 'done', receipts: 0, batches: 0 }) })),
  ],
  [
    'fetches no bundle after the first',
    'stuck',
    misbehaving((charger) => ({
      refreshIfDue: async () =>
        charger.bundleIds.length > 0 ? { kind: 'waiting', ms: 600_000 } : charger.refreshIfDue(),
    })),
  ],
];

describe('the rules', () => {
  it('hold for a device as it is', async () => {
    const result = await runWith();
    expect(result.violation).toBeUndefined();
    expect(result.approved).toBeGreaterThan(30);
    for (const code of [
      'GRANT_BUDGET_EXCEEDED',
      'ARTIFACT_EXPIRED',
      'KEY_REVOKED',
      'GRANT_REVOKED',
      'BUDGET_ID_REPLAY',
    ])
      expect(result.refused, code).toHaveProperty(code);
  });

  it.each(MUTANTS)('find a device that %s: %s', async (_, invariant, makeCharger) => {
    const { violation } = await runWith(makeCharger);
    expect(violation?.invariant).toBe(invariant);
    expect(violation?.device).toBe('gate-1');
    expect(violation?.trace.at(-1)).toMatchObject({ event: 'violation', invariant });
  });

  it('find a device that takes a payment after all its bundles have expired', async () => {
    const text = changedScenario((scenario) => {
      scenario.duration = '4h';
      scenario.arrivals[0].pattern = { every: '20m' };
      scenario.authority.bundles = { every: '3d', lifetime: '2h' };
    });
    const honest = await runWith(undefined, text);
    expect([honest.violation, honest.refused]).toEqual([undefined, { KEY_NOT_FOUND: expect.any(Number) }]);
    const { violation } = await runWith(approving('KEY_NOT_FOUND'), text);
    expect(violation?.invariant).toBe('expired');
  });

  it('find a device that takes payments without knowing the time', async () => {
    const text = changedScenario((scenario) => {
      scenario.faults = [{ devices: 'gate-1', at: '20m', clockReset: true }];
    });
    const { violation } = await runWith(approving('CLOCK_UNTRUSTED'), text);
    expect(violation?.invariant).toBe('expired');
  });

  it('end the run, and what led there is less than all of it', async () => {
    const { violation, events } = await runWith(approving('KEY_REVOKED'));
    expect(violation?.trace.length).toBeLessThan(events / 3);
    expect(violation?.trace.map(({ event }) => event)).toContain('authority.revoke-key');
  });

  it('are told with exit 1, in words and as events', async () => {
    // A device that nobody serves: what it has approved never gets anywhere.
    const text = changedScenario((scenario) => {
      scenario.settle = '1m';
      scenario.faults = [
        { devices: 'gate-1', unreachable: true, to: 'operator' },
        { devices: 'gate-1', at: '50m', powerCuts: { rate: '10/m', off: '1d' } },
      ];
    });
    const { code, stdout } = await bench.sim(text);
    expect(code).toBe(1);
    expect(stdout).toContain(
      'VIOLATION of "every approval is acknowledged in the end" by gate-1: receipt 1 of 1000000',
    );
    const json = await bench.sim(text, '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout.trimEnd().split('\n').at(-1) as string)).toMatchObject({
      event: 'result',
      violation: { invariant: 'acknowledged', device: 'gate-1' },
    });
  });
});
