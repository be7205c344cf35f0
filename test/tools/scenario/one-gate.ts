// One gate for six hours, of which something is wrong from the second to the fourth: what came of it, once it has got over it.

import { expect, onTestFinished } from 'vitest';
import { type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { changedScenario, ScenarioBench, type Values } from './bench.ts';

/** What came of a run. */
export interface Ran {
  readonly result: RunResult;
  readonly events: readonly TraceEvent[];
}

/** Runs it with a fault, and with changes. A rule may be broken. */
export async function ranFreely(fault: object, change: (scenario: Values) => void = () => {}): Promise<Ran> {
  const text = changedScenario((scenario) => {
    scenario.duration = '6h';
    scenario.settle = '1h';
    scenario.authority.bundles = { every: '1h', lifetime: '1d' };
    scenario.fleet.policy.site.refresh = { intervalMs: 1_800_000 };
    scenario.arrivals[0].pattern = { every: '25m' };
    scenario.faults = [{ devices: 'gate-1', at: '2h', for: '2h', ...fault }];
    change(scenario);
  });
  const bench = new ScenarioBench();
  onTestFinished(() => bench.remove());
  const read = readScenario(bench.write('scenario.yaml', text));
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const events: TraceEvent[] = [];
  const result = await runScenario(read.scenario, { heard: (event) => events.push(event) });
  return { result, events };
}

/** The same where every rule must hold. */
export async function ran(fault: object, change?: (scenario: Values) => void): Promise<Ran> {
  const { result, events } = await ranFreely(fault, change);
  expect(result.violation).toBeUndefined();
  // Two hours and a pace after the fault a bundle of the time after it is in force.
  const admitted = events.filter(({ event }) => event === 'bundle.admitted').at(-1);
  expect(admitted?.ms, 'a bundle after the fault').toBeGreaterThan(4 * 3_600_000);
  expect(result.acknowledged).toBe(result.approved);
  return { result, events };
}

/** Why bundles did not come, or what an event says else that has a failure. */
export function failures({ events }: Ran, event = 'refresh.failed'): ReadonlySet<string> {
  return new Set(events.filter((one) => one.event === event).map(({ failure, detail }) => `${failure}: ${detail}`));
}
