// What a signal breaks off: it is heard soon, also while thousands of wallets get their grants, nothing runs on, and in a sentence it is
// said how far it came.

import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RunBrokenOff, runScenario } from '../../../host-sim/simulation/run.ts';
import { Servers } from '../../../host-sim/simulation/servers.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { runSites, sitesOf } from '../../../tools/fleet/sites.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { type RunResult, run } from '../cli/run.ts';
import { changedScenario, ScenarioBench } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => bench.remove());

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

/** Sends this process a signal when that many payments were presented, as somebody does who has waited long enough. */
function signalAt(payment: number, signal: NodeJS.Signals): void {
  const honest = VirtualCharger.prototype.present;
  let presented = 0;
  vi.spyOn(VirtualCharger.prototype, 'present').mockImplementation(function (this: VirtualCharger, ...terms) {
    if (++presented === payment) process.emit(signal, signal);
    return honest.apply(this, terms);
  });
}

/** Runs a command that a signal is sent to. @returns what it said, once nothing listens for signals any more */
async function brokenOff(signal: NodeJS.Signals, ...words: readonly string[]): Promise<RunResult> {
  const before = process.listenerCount(signal);
  const result = await run('sim', ...words);
  expect(process.listenerCount(signal)).toBe(before);
  return result;
}

describe('while wallets get their grants', () => {
  const WALLETS = 50;
  const HEARD_AFTER = 5;

  /** How many grants there were when a run was over that is told to end when some are there, as a signal tells it: by the event loop. */
  async function grantsOf(actions: readonly object[], before: number): Promise<number> {
    const text = changedScenario((scenario) => {
      scenario.keys['grants-2'] = 'seeded';
      scenario.wallets[0].count = WALLETS;
      scenario.actions = actions;
    });
    const read = readScenario(bench.write('wallets.yaml', text));
    if (!('scenario' in read)) throw new Error(read.problems[0]?.reason);
    const end = new AbortController();
    const honest = Servers.prototype.issueGrant;
    let grants = 0;
    vi.spyOn(Servers.prototype, 'issueGrant').mockImplementation(function (this: Servers, ...terms) {
      if (++grants === before + HEARD_AFTER) setImmediate(() => end.abort());
      return honest.apply(this, terms);
    });
    await expect(runScenario(read.scenario, { end: end.signal })).rejects.toBeInstanceOf(RunBrokenOff);
    return grants - before;
  }

  it('in the beginning, it ends after the next one', async () => {
    expect(await grantsOf([], 0)).toBeLessThanOrEqual(HEARD_AFTER + 1);
  });

  it('for a key that is replaced, it ends after the next one', async () => {
    const actions = [{ at: '1m', replaceGrantKey: 'grants-2' }];
    expect(await grantsOf(actions, WALLETS)).toBeLessThanOrEqual(HEARD_AFTER + 1);
  });
});

describe('sim exposure', () => {
  const REVOKED = changedScenario((scenario) => {
    scenario.duration = '3h';
    scenario.actions = [{ at: '1h', revokeGrants: { wallets: 'riders' } }];
  });

  it.each(SIGNALS)('that %s breaks off says in which run, writes no report, and ends with %d', async (signal, code) => {
    signalAt(3, signal);
    const [file, report] = [bench.write('revoked.yaml', REVOKED), bench.path(`${signal}.html`)];
    expect(await brokenOff(signal, 'exposure', file, '--intervals', '1h', '--report', report)).toEqual({
      code,
      stdout: '',
      stderr: `${signal}: it was broken off in run 1 of 2, after 25m of its simulated time; no report was written\n`,
    });
    expect(existsSync(report)).toBe(false);
  });

  it('says the same as JSON', async () => {
    signalAt(3, 'SIGINT');
    const file = bench.write('revoked.yaml', REVOKED);
    const { code, stdout } = await brokenOff('SIGINT', 'exposure', file, '--intervals', '1h', '--json');
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toEqual({ brokenOff: 'SIGINT', run: 1, of: 2, ms: 1_500_000 });
  });
});

describe('sim fleet', () => {
  const FLEET = changedScenario((scenario) => {
    scenario.fleet.devices[0].deviceId = 'gate-{n}';
    scenario.arrivals[0] = { ...scenario.arrivals[0], devices: 'gate-*', pattern: { each: 3 } };
  });

  it.each(SIGNALS)('that %s breaks off says how far it came, and ends with %d', async (signal, code) => {
    signalAt(2, signal);
    const words = ['fleet', bench.write('fleet.yaml', FLEET), '--devices', '4', '--payments', '3'];
    const result = await brokenOff(signal, ...words);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(
      new RegExp(`^${signal}: the fleet was broken off after .+ of 5h of simulated time, the mean of its 2 sites\n$`),
    );
  });

  it('says the same as JSON', async () => {
    signalAt(2, 'SIGINT');
    const words = ['fleet', bench.write('fleet.yaml', FLEET), '--devices', '4', '--payments', '3', '--json'];
    const { code, stdout } = await brokenOff('SIGINT', ...words);
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toEqual({ brokenOff: 'SIGINT', ms: expect.any(Number), ofMs: 18_000_000 });
  });

  it('has no thread left, and begins no other site', async () => {
    const source = bench.write(
      'worker.mjs',
      `import { parentPort } from 'node:worker_threads';
parentPort.postMessage({ kind: 'progress', ms: 3000, ofMs: 9000 });
setInterval(() => {}, 1000);`,
    );
    const workers: Worker[] = [];
    const started = (worker: Worker) => void workers.push(worker);
    process.on('worker', started);
    const end = new AbortController();
    const orders = sitesOf({ file: 'f', seed: 3, devices: 10, payments: 1 }, 4);
    const told = (ms: number) => ms === 6000 && end.abort();
    const ran = runSites(orders, told, { source: pathToFileURL(source), most: 2, end: end.signal });
    const broken = await ran.catch((error: unknown) => error);
    process.off('worker', started);
    expect(broken).toBeInstanceOf(RunBrokenOff);
    expect((broken as RunBrokenOff).afterMs).toBe(1500);
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });
});
