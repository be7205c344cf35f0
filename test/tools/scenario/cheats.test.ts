// Payers who cheat are counted by class, with what devices decided about them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOSTILE_CLASSES } from '../../../host-sim/faults/hostile-payer.ts';
import { cheatsTogether } from '../../../host-sim/simulation/cheat-counts.ts';
import { type RunResult, runScenario } from '../../../host-sim/simulation/run.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { changedScenario, ScenarioBench } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

/** A day of one gate, with a cheat every ten minutes. */
const CHEATED = (faults: readonly object[] = []) =>
  changedScenario((scenario) => {
    scenario.duration = '1d';
    scenario.settle = '1h';
    scenario.wallets[0].grant.budget = '900000000';
    const [honest] = scenario.arrivals;
    scenario.arrivals.push({ ...honest, hostile: { share: 1, classes: [...HOSTILE_CLASSES] } });
    scenario.faults = faults;
  });

async function ran(text: string): Promise<{ readonly result: RunResult; readonly cheats: readonly TraceEvent[] }> {
  const read = readScenario(bench.write('scenario.yaml', text));
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  const cheats: TraceEvent[] = [];
  const heard = (event: TraceEvent) => {
    if (event.hostile !== undefined) cheats.push(event);
  };
  return { result: await runScenario(read.scenario, { heard }), cheats };
}

const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);

describe('payers who cheat', () => {
  it('are counted by class, each attempt once, with the code that it was refused with', async () => {
    const { result, cheats } = await ran(CHEATED());
    const counted = Object.entries(result.cheats ?? {});
    expect(counted.length).toBeGreaterThan(20);
    expect(counted.map(([name]) => name)).toEqual([...new Set(cheats.map(({ hostile }) => String(hostile)))].sort());
    for (const [name, { attempts, refused, approved, repeated, undecided }] of counted) {
      const events = cheats.filter(({ hostile }) => hostile === name);
      expect([name, attempts, approved + repeated + undecided]).toEqual([name, events.length, 0]);
      for (const [code, count] of Object.entries(refused))
        expect([name, count]).toEqual([name, events.filter((event) => event.code === code).length]);
      expect([name, sum(Object.values(refused))]).toEqual([name, attempts]);
    }
  });

  it('are counted with what a device decided, whether they were told or not', async () => {
    const { result } = await ran(CHEATED([{ devices: 'gate-1', answersLost: true }]));
    expect(result.refused).toEqual({});
    for (const { attempts, refused } of Object.values(result.cheats ?? {}))
      expect(sum(Object.values(refused))).toBe(attempts);
  });

  it('whom no device decided about are counted as such', async () => {
    const off = { devices: 'gate-1', at: '12h', for: '12h', powerCuts: { rate: '60/h', off: '11h' } };
    const { result, cheats } = await ran(CHEATED([off]));
    const undecided = sum(Object.values(result.cheats ?? {}).map((one) => one.undecided));
    expect(undecided).toBeGreaterThan(10);
    expect(undecided).toBe(cheats.filter(({ answer, decided }) => answer === 'none' && decided === undefined).length);
  });

  it('are not counted where a scenario has none', async () => {
    expect((await ran(changedScenario(() => {}))).result.cheats).toBeUndefined();
  });

  it('of several sites are counted together', () => {
    const none = { attempts: 1, refused: {}, approved: 0, repeated: 0, undecided: 0 };
    const one = { late: { ...none, refused: { X: 1 } }, garbage: none };
    const other = { late: { ...none, attempts: 3, refused: { X: 1, A: 1 }, approved: 1 }, replayed: none };
    expect(JSON.stringify(cheatsTogether(one, other))).toBe(
      JSON.stringify({
        garbage: none,
        late: { attempts: 4, refused: { A: 1, X: 2 }, approved: 1, repeated: 0, undecided: 0 },
        replayed: none,
      }),
    );
  });
});
