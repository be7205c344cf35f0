// What people do in a scenario, as devices and payers then find it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runScenario } from '../../../host-sim/simulation/run.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { changedScenario, ScenarioBench } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

const HOUR = 3_600_000;

/** Two gates for six hours; the second one has no network from the first hour to the fourth. */
async function paid(actions: readonly object[]): Promise<(device: string, from: number, to: number) => Set<unknown>> {
  const text = changedScenario((scenario) => {
    scenario.duration = '6h';
    scenario.settle = '1h';
    scenario.keys['grants-2'] = 'seeded';
    scenario.fleet.devices[0].deviceId = 'gate-{n}';
    scenario.fleet.devices[0].count = 2;
    scenario.wallets[0].grant.budget = '900000000';
    scenario.fleet.policy.site.refresh = { intervalMs: 1_800_000 };
    scenario.arrivals = ['gate-1', 'gate-2'].map((devices) => ({
      ...scenario.arrivals[0],
      devices,
      pattern: { every: '20m' },
    }));
    scenario.links = [{ devices: 'gate-2', pattern: { outage: { at: '1h', for: '3h' } } }];
    scenario.actions = actions;
  });
  const read = readScenario(bench.write('scenario.yaml', text));
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const events: TraceEvent[] = [];
  const { violation } = await runScenario(read.scenario, { heard: (event) => events.push(event) });
  expect(violation).toBeUndefined();
  return (device, from, to) =>
    new Set(
      events
        .filter((one) => one.event === 'payment' && one.device === device && one.ms > from * HOUR && one.ms < to * HOUR)
        .map(({ answer, code }) => code ?? answer),
    );
}

describe('a new key for grants', () => {
  it('lets wallets pay on when the old one is revoked, wherever the bundle with it has come', async () => {
    const answers = await paid([
      { at: '2h', replaceGrantKey: 'grants-2' },
      { at: '3h', revokeKey: 'grants-1' },
    ]);
    expect(answers('gate-1', 0, 2)).toEqual(new Set(['approved']));
    expect(answers('gate-1', 2.5, 6)).toEqual(new Set(['approved']));
    expect(answers('gate-2', 0, 2)).toEqual(new Set(['approved']));
    expect(answers('gate-2', 2, 4)).toEqual(new Set(['KEY_NOT_FOUND']));
    expect(answers('gate-2', 4.1, 6)).toEqual(new Set(['approved']));
  });

  it('is what they need: with the old one revoked and no other nobody pays', async () => {
    const answers = await paid([{ at: '3h', revokeKey: 'grants-1' }]);
    expect(answers('gate-1', 3.6, 6)).toEqual(new Set(['KEY_REVOKED']));
    expect(answers('gate-2', 2, 4)).toEqual(new Set(['approved']));
    expect(answers('gate-2', 4.1, 6)).toEqual(new Set(['KEY_REVOKED']));
  });
});
