// `sim fleet`: a fleet of a size ends with everything handed in, a device in it that breaks a rule is found, and what a fleet took is
// held to its limits.

import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { SimulatedFlash } from '../../../host-sim/flash/simulated-flash.ts';
import { runFleet } from '../../../host-sim/fleet/fleet.ts';
import { INVARIANTS } from '../../../host-sim/invariants/model.ts';
import type { MakeCharger } from '../../../host-sim/simulation/simulated-device.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { type FleetFigures, judged } from '../../../tools/bench/fleet.ts';
import { FleetProblem, runSites, sitesFor, sitesOf } from '../../../tools/fleet/sites.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { run } from '../cli/run.ts';
import { changedScenario, ScenarioBench } from '../scenario/bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

const FLEET = changedScenario((scenario) => {
  scenario.fleet.devices[0].deviceId = 'gate-{n}';
  scenario.arrivals[0] = { ...scenario.arrivals[0], devices: 'gate-*', pattern: { each: 3 } };
});

const fleet = (text: string, ...options: readonly string[]) =>
  run('sim', 'fleet', bench.write('fleet.yaml', text), ...options);

describe('sim fleet', () => {
  it('ends with every approval acknowledged, and says what a device took', async () => {
    const { code, stdout, stderr } = await fleet(FLEET, '--devices', '7', '--payments', '2', '--json');
    expect([code, stderr]).toEqual([0, '']);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ devices: 7, sites: 2, readBackEvery: 10 });
    expect(told.result).toMatchObject({ payments: 14, approved: 14, acknowledged: 14, refused: {}, unmet: [] });
    for (const member of ['seconds', 'cpuMsPerDevice', 'heldBytesPerDevice', 'peakBytes'])
      expect(told[member], member).toBeGreaterThan(0);
    // Node throws nothing where a device would run out of memory.
    expect([...told.rules, 'runs'].sort()).toEqual(Object.keys(INVARIANTS).sort());
  });

  it('is held to what the scenario expects of all its sites together', async () => {
    const expecting = (least: number) =>
      fleet(
        changedScenario((scenario) => {
          Object.assign(scenario, parse(FLEET));
          scenario.expect = { approvedAtLeast: least };
        }),
        ...['--devices', '4', '--payments', '1', '--sites', '4'],
      );
    expect((await expecting(4)).code).toBe(0);
    const { code, stdout } = await expecting(5);
    expect(code).toBe(1);
    expect(stdout.match(/NOT AS EXPECTED.*/g)).toEqual(['NOT AS EXPECTED: 4 payments were approved, 5 are expected']);
  });

  it('counts the sessions of all its sites', async () => {
    const sessions = changedScenario((scenario) => {
      scenario.fleet.devices[0].deviceId = 'gate-{n}';
      const session = { lasts: { least: '2m', most: '5m' }, delivered: { least: 0.1, most: 1 } };
      scenario.arrivals[0] = { ...scenario.arrivals[0], devices: 'gate-*', pattern: { each: 1 }, session };
    });
    const { code, stdout } = await fleet(sessions, '--devices', '4', '--payments', '1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sites: 2, result: { approved: 4, settled: 4 } });
  });

  it('counts the cheats of all its sites by class, and approvals that no payer was told of', async () => {
    const deaf = changedScenario((scenario) => {
      scenario.fleet.devices[0].deviceId = 'gate-{n}';
      scenario.arrivals[0] = { ...scenario.arrivals[0], devices: 'gate-*', pattern: { each: 1 } };
      const hostile = { share: 1, classes: ['signature-zero'] };
      scenario.arrivals.push({ ...scenario.arrivals[0], pattern: { every: '20m' }, hostile });
      scenario.faults = [{ devices: 'gate-*', answersLost: true }];
    });
    const { code, stdout } = await fleet(deaf, '--devices', '4', '--payments', '1', '--json');
    expect(code).toBe(0);
    const { result } = JSON.parse(stdout);
    expect(result).toMatchObject({ approved: 0, acknowledged: 0, unheard: { approved: 4, acknowledged: 4 } });
    const attempts = result.unanswered - 4;
    expect(attempts).toBeGreaterThan(2);
    expect(result.cheats).toMatchObject({
      'signature-zero': { attempts, approved: 0, refused: { SBA_SIGNATURE_INVALID: attempts } },
    });
  });

  it('tells the same with the same seed', async () => {
    const told = async (seed: string) => {
      const { stdout } = await fleet(FLEET, '--devices', '3', '--payments', '2', '--seed', seed, '--json');
      return JSON.parse(stdout).result;
    };
    expect(await told('4')).toEqual(await told('4'));
  });

  it('runs the day of a fleet that comes with it, and tells it as a table', async () => {
    const { code, stdout, stderr } = await run('sim', 'fleet', '--devices', '2', '--payments', '2');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^A day of a fleet, seed 1\n/);
    expect(stdout).toMatch(/of these at the operator +4\n/);
    expect(stdout).toMatch(/held by a device +[0-9.]+ KiB\n/);
    expect(stdout).toContain('All rules but "no device runs out of memory, or throws" were watched on every device');
  });

  it.each([
    ['no devices', ['--devices', '0']],
    ['devices that are no number', ['--devices', 'many']],
    ['no payments', ['--payments', '0']],
    ['no sites', ['--sites', '0']],
    ['an option that there is none of', ['--gates', '3']],
  ])('is a wrong call with %s', async (_, options) => {
    expect((await fleet(FLEET, ...options)).code).toBe(2);
  });

  it.each([
    [
      'devices in several rows',
      (s: { fleet: { devices: unknown[] } }) => s.fleet.devices.push({ ...(s.fleet.devices[0] as object) }),
      'one row',
    ],
    [
      'no number in their names',
      (s: { fleet: { devices: { deviceId: string }[] } }) => {
        (s.fleet.devices[0] as { deviceId: string }).deviceId = 'gate-1';
      },
      'one row',
    ],
    [
      'no pattern with each',
      (s: { arrivals: { pattern: unknown }[] }) => {
        (s.arrivals[0] as { pattern: unknown }).pattern = { every: '10m' };
      },
      'one pattern with each',
    ],
  ])('refuses a file with %s, and says in which line', async (_, change, reason) => {
    const { code, stderr } = await fleet(
      changedScenario((scenario) => {
        scenario.fleet.devices[0].deviceId = 'gate-{n}';
        scenario.arrivals[0] = { ...scenario.arrivals[0], devices: 'gate-*', pattern: { each: 3 } };
        change(scenario);
      }),
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/fleet\.yaml, line \d+: /);
    expect(stderr).toContain(reason);
  });
});

it('is cut into sites that have all of its devices, each once, and no two the same seed', () => {
  const orders = sitesOf({ file: 'f', seed: 3, devices: 10, payments: 1 }, 3);
  expect(orders.map(({ devices, firstNumber }) => [firstNumber, devices])).toEqual([
    [1, 3],
    [4, 3],
    [7, 4],
  ]);
  expect(new Set(orders.map(({ seed }) => seed)).size).toBe(3);
  for (const [devices, sites] of [
    [1, 2],
    [2, 3],
    [2, 5],
    [3, 4],
  ] as const) {
    const cut = sitesOf({ file: 'f', seed: 3, devices, payments: 1 }, sites);
    expect(cut.map((site) => [site.firstNumber, site.devices])).toEqual(cut.map((_, i) => [i + 1, 1]));
    expect(cut).toHaveLength(devices);
  }
});

it('is cut into two sites, and into more where they would be of more than 2500 devices', () => {
  expect([1, 5000, 5001, 10_000, 100_000].map(sitesFor)).toEqual([2, 2, 3, 4, 40]);
});

it('runs no more sites at a time than there are threads, and tells what came of each in their order', async () => {
  const source = bench.write(
    'worker.mjs',
    `import { parentPort, workerData } from 'node:worker_threads';
setTimeout(() => parentPort.postMessage({ kind: 'over', run: workerData.firstNumber }), 20);`,
  );
  let atOnce = 0;
  let most = 0;
  const started = (worker: Worker) => {
    most = Math.max(most, ++atOnce);
    worker.once('exit', () => atOnce--);
  };
  process.on('worker', started);
  const orders = sitesOf({ file: 'f', seed: 3, devices: 5, payments: 1 }, 5);
  const runs = await runSites(orders, () => undefined, { source: pathToFileURL(source), most: 2 });
  process.off('worker', started);
  expect(runs).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

describe('where a site of several fails', () => {
  /** Runs two sites by workers of that source; the second goes on for good. @returns the workers */
  async function failed(throws: string, expected: (ran: Promise<unknown>) => Promise<void>) {
    const source = bench.write(
      'worker.mjs',
      `import { workerData } from 'node:worker_threads';
if (workerData.firstNumber === 1) ${throws};
setInterval(() => {}, 1000);`,
    );
    const workers: Worker[] = [];
    const started = (worker: Worker) => void workers.push(worker);
    process.on('worker', started);
    const orders = sitesOf({ file: 'f', seed: 3, devices: 10, payments: 1 }, 2);
    await expected(runSites(orders, () => undefined, { source: pathToFileURL(source), most: 2 }));
    process.off('worker', started);
    return workers;
  }

  it('the others end with it', async () => {
    const workers = await failed("throw new Error('it broke')", (ran) => expect(ran).rejects.toThrow('it broke'));
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });

  it('for want of memory, that is told in a sentence', async () => {
    const throws = "throw Object.assign(new Error('limit'), { code: 'ERR_WORKER_OUT_OF_MEMORY' })";
    await failed(throws, async (ran) => {
      const problem = await ran.catch((error: unknown) => error);
      expect(problem).toBeInstanceOf(FleetProblem);
      expect(String(problem)).toMatch(/a site of 5 devices with 1 payments each does not fit into the \d+ MiB/);
    });
  });
});

describe('bench-fleet', () => {
  const { argv } = process;
  afterEach(() => {
    process.argv = argv;
  });

  /** Runs it with a program that says that, and ends with that code. */
  function told(says: string, code: number) {
    const program = bench.write(
      'program.mjs',
      `process.stdout.write(${JSON.stringify(says)}); process.exitCode = ${code};`,
    );
    process.argv = [argv[0] as string, program];
    return run('bench-fleet', '--devices', '20,30');
  }
  const result = { payments: 2, approved: 2, acknowledged: 2, unmet: [] as string[] };

  it('tells a rule that is broken with its seed and what led there, and ends with 1', async () => {
    const violation = {
      rule: 'all is acknowledged',
      device: 'gate-4',
      detail: 'it is not',
      trace: [{ event: 'payment' }],
    };
    const says = JSON.stringify({ title: 'A day', seed: 7, result: { ...result, violation } });
    expect(await told(says, 1)).toEqual({
      code: 1,
      stdout: `A day, 20 devices, seed 7

VIOLATION of "all is acknowledged" by gate-4: it is not
  {"event":"payment"}
`,
      stderr: '',
    });
  });

  it('tells why a fleet did not run, and ends with 1', async () => {
    const { code, stdout, stderr } = await told('{"error":"it does not fit"}', 1);
    expect([code, stdout, stderr]).toEqual([1, '', '20 devices: it does not fit\n']);
  });
});

describe('a device of a fleet that', () => {
  const scenario = () => {
    const size = { devices: 6, payments: 3, firstNumber: 1 };
    const read = readScenario(bench.write('fleet.yaml', FLEET), undefined, size);
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    return read.scenario;
  };
  /** A charger of which the fourth is another. */
  const fourth = (change: (charger: VirtualCharger) => void): MakeCharger => {
    let made = 0;
    return (parts) => {
      const charger = new VirtualCharger(parts);
      if (++made === 4) change(charger);
      return charger;
    };
  };

  it('hands nothing in is found in the end, with the events that led there', async () => {
    const makeCharger = fourth((charger) => {
      charger.handIn = async () => ({ kind: 'done', receipts: 0, batches: 0 });
    });
    const { violation } = (await runFleet(scenario(), { makeCharger })).result;
    expect(violation).toMatchObject({ invariant: 'acknowledged', device: 'gate-4' });
    expect(violation?.trace.some(({ event }) => event === 'payment')).toBe(true);
  });

  it('loses what it approved after its flash was read back is found in the end, though it has no operator', async () => {
    const text = changedScenario((of) => {
      of.fleet.devices[0].deviceId = 'gate-{n}';
      of.arrivals[0] = { ...of.arrivals[0], devices: 'gate-*', pattern: { each: 3 } };
      delete of.fleet.policy.operatorUrl;
    });
    const read = readScenario(bench.write('fleet.yaml', text), undefined, { devices: 6, payments: 3, firstNumber: 1 });
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    let made = 0;
    const makeCharger: MakeCharger = (parts) => {
      const charger = new VirtualCharger(parts);
      if (++made !== 4) return charger;
      const present = charger.present.bind(charger);
      const flash = parts.flash as SimulatedFlash;
      let paid = 0;
      let first: ReturnType<SimulatedFlash['snapshot']>;
      charger.present = async (...payment) => {
        const decision = await present(...payment);
        if (++paid === 1) first = flash.snapshot();
        if (paid === 3) flash.restore(first);
        return decision;
      };
      return charger;
    };
    expect((await runFleet(read.scenario)).result).toMatchObject({ approved: 18, unmet: [] });
    const { violation } = (await runFleet(read.scenario, { makeCharger })).result;
    expect(violation).toMatchObject({ invariant: 'durable', device: 'gate-4' });
  });

  it('says that it took what it did not is found at once', async () => {
    const makeCharger = fourth((charger) => {
      charger.present = async (_, { amountMinor }) => {
        const texts = { grantId: '', budgetId: '', sessionId: '', actorId: '' };
        return { ok: true, receiptId: 1, repeated: false, amountMinor, timeMs: 0, ...texts };
      };
    });
    const { violation } = (await runFleet(scenario(), { makeCharger })).result;
    expect(violation).toMatchObject({ invariant: 'durable', device: 'gate-4' });
  });
});

describe('what fleets took', () => {
  const figures = (devices: number, changed: Partial<FleetFigures> = {}): FleetFigures => ({
    devices,
    seconds: 10,
    cpuSeconds: 10,
    peakBytes: 1000,
    cpuMsPerDevice: 50,
    heldBytesPerDevice: 100,
    result: { payments: 20, approved: 20, acknowledged: 20 },
    ...changed,
  });

  it('is within its limits up to a fifth more for a device', () => {
    const { missed, cpuRatio } = judged([figures(10), figures(100, { cpuMsPerDevice: 60, heldBytesPerDevice: 40 })]);
    expect([missed, cpuRatio]).toEqual([[], 1.2]);
  });

  it.each([
    ['time', { seconds: 601 }],
    ['memory', { peakBytes: 2 ** 31 + 1 }],
    ['processor time of a device', { cpuMsPerDevice: 61 }],
    ['memory of a device', { heldBytesPerDevice: 121 }],
    ['receipts', { result: { payments: 20, approved: 20, acknowledged: 19 } }],
  ])('is told where it is too much, or too little: %s', (_, changed) => {
    expect(judged([figures(10), figures(100, changed)]).missed).toHaveLength(1);
  });
});
