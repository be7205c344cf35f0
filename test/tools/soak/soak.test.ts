// The soak: its scenarios are files like any other, the same for the same seed; a device that breaks a rule ends it, and what it
// then says is enough to have it once more.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MakeCharger } from '../../../host-sim/simulation/simulated-device.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { randomScenario } from '../../../tools/soak/random-scenario.ts';
import { type Soaked, soak } from '../../../tools/soak/soak.ts';
import { Bench, run } from '../cli/run.ts';

let bench: Bench;
beforeAll(() => {
  bench = new Bench();
});
afterAll(() => bench.remove());

/** One that is over soon, and one in which payers cheat. */
const SHORT = 214;
const CHEATED = 2;

/** A device that takes whatever is presented. */
const trusting: MakeCharger = (parts) => {
  const charger = new VirtualCharger(parts);
  charger.present = async (_, { amountMinor }) => {
    const names = { grantId: '', budgetId: '', sessionId: '', actorId: '' };
    return { ok: true, receiptId: 1, repeated: false, amountMinor, timeMs: 0, ...names };
  };
  return charger;
};

describe('a scenario at random', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(randomScenario(7)).toBe(randomScenario(7));
    expect(randomScenario(7)).not.toBe(randomScenario(8));
  });

  it('is a file without findings, whatever its seed', () => {
    for (let seed = 0; seed < 25; seed++) {
      const read = readScenario(bench.write('random.yaml', randomScenario(seed)));
      expect(read, `seed ${seed}`).not.toHaveProperty('problems');
    }
  });
});

describe('sim soak', () => {
  it('says what came of each scenario, and what was never seen', async () => {
    const { code, stdout } = await run('sim', 'soak', '--seed', String(SHORT), '--count', '1');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^seed 214: \d+ payments, \d+ approved, \d+ answered again, \d+ sessions ended, \d+ refused, \d+ without an answer, \d+ events\n/,
    );
    expect(stdout).toMatch(/\nfaults: .*\n {2}never seen: .*\n/);
    expect(stdout).toMatch(/\nrefused: .*\n {2}never seen: .*/);
  });

  it('gives the same as JSON, line by line', async () => {
    const { code, stdout } = await run('sim', 'soak', '--seed', String(SHORT), '--count', '1', '--json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(lines).toMatchObject([
      { event: 'scenario', seed: SHORT, settled: expect.any(Number) },
      {
        event: 'result',
        scenarios: 1,
        payments: lines[0].payments,
        settled: lines[0].settled,
        coverage: { faults: {}, hostile: {} },
      },
    ]);
  });
});

describe('a soak', () => {
  const order = { seed: SHORT, count: 3, untilMs: Number.POSITIVE_INFINITY, ran: () => {} };

  it('runs nothing where what it finds could not be kept', async () => {
    const file = bench.write('a-file', 'x');
    const { code, stdout, stderr } = await run('sim', 'soak', '--seed', String(SHORT), '--count', '1', '--keep', file);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`--keep ${file}: cannot write there`);
  });

  it('ends with the first rule that is broken, and keeps the file', async () => {
    const keep = bench.path('kept');
    const { scenarios, failure } = await soak({ ...order, keep, makeCharger: trusting });
    expect(scenarios).toBe(1);
    expect(failure).toMatchObject({ seed: SHORT, what: { device: expect.any(String), trace: expect.any(Array) } });
    expect(readFileSync(String(failure?.file), 'utf8')).toBe(randomScenario(SHORT));
  });

  it('ends where something is thrown, and says what', async () => {
    const makeCharger: MakeCharger = () => {
      throw new Error('no such charger');
    };
    const { failure } = await soak({ ...order, keep: undefined, makeCharger });
    expect(failure).toMatchObject({ what: { thrown: expect.stringContaining('no such charger') }, file: undefined });
  });

  it('begins no scenario after its time, but one', async () => {
    const { scenarios } = await soak({ ...order, untilMs: 0, keep: undefined });
    expect(scenarios).toBe(1);
  });

  it('counts nothing of a scenario that was broken off', async () => {
    const end = new AbortController();
    let presented = 0;
    let last = Number.POSITIVE_INFINITY;
    class Counting extends VirtualCharger {
      override present(...payment: Parameters<VirtualCharger['present']>) {
        if (++presented === last) end.abort();
        return super.present(...payment);
      }
    }
    const makeCharger: MakeCharger = (parts) => new Counting(parts);
    const one = { ...order, seed: CHEATED, count: 1, keep: undefined, makeCharger };
    const cheats = ({ coverage }: Soaked) => Object.values(coverage.hostile).reduce((sum, count) => sum + count, 0);
    expect(cheats(await soak(one))).toBeGreaterThan(0);
    last = presented;
    presented = 0;
    const broken = await soak({ ...one, end: end.signal });
    expect(broken).toMatchObject({ scenarios: 0, payments: 0, coverage: { refreshes: {} } });
    expect([presented, cheats(broken)]).toEqual([last, 0]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('tells its totals so far after %s, and ends with %d', async (signal, exitCode) => {
    const before = process.listenerCount(signal);
    const running = run('sim', 'soak', '--seed', String(SHORT), '--json');
    const begun = setInterval(() => {
      if (process.listenerCount(signal) === before) return;
      clearInterval(begun);
      setTimeout(() => process.emit(signal, signal), 1500);
    }, 5);
    const { code, stdout, stderr } = await running;
    expect(code).toBe(exitCode);
    expect(stderr).toBe(`${signal}: the soak was broken off; the scenario that ran is not counted\n`);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ event: 'result', brokenOff: signal, scenarios: lines.length - 1 });
    expect(process.listenerCount(signal)).toBe(before);
  });
});
