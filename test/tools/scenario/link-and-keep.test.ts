// Runs over sockets, and runs that leave their files behind: they are the same runs.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Loopback } from '../../../host-sim/http/loopback.ts';
import { SqliteStorage as OperatorStorage } from '../../../host-sim/operator-backend/sqlite-storage.ts';
import { SqliteStorage as AuthorityStorage } from '../../../host-sim/policy-authority/sqlite-storage.ts';
import { Database } from '../../../host-sim/sqlite/database.ts';
import { run } from '../cli/run.ts';
import { changedScenario, ScenarioBench, SMALL } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

/** Three hours of two gates, with an authority that changes its keys, a revocation, and a network that lies. */
const EVENTFUL = changedScenario((scenario) => {
  scenario.duration = '3h';
  scenario.settle = '1h';
  scenario.authority.bundles = { every: '30m', lifetime: '3h' };
  scenario.keys['grants-2'] = 'seeded';
  scenario.keys['root-2'] = 'seeded';
  scenario.fleet.policy.site.rootKeys.push('root-2');
  scenario.fleet.policy.site.refresh = { intervalMs: 900_000 };
  scenario.fleet.devices[0].deviceId = 'gate-{n}';
  scenario.fleet.devices[0].count = 2;
  scenario.arrivals[0].devices = 'gate-*';
  scenario.faults = [
    { devices: 'gate-1', at: '20m', for: '20m', truncated: true },
    { devices: 'gate-2', at: '20m', for: '1h', share: 0.5, status: { code: 503, retryAfter: '2m' } },
    { devices: 'gate-*', at: '90m', for: '20m', lost: true },
  ];
  scenario.actions = [
    { at: '50m', revokeGrants: { wallets: 'riders' } },
    { at: '1h', replaceGrantKey: 'grants-2' },
    { at: '2h', rotateRoot: 'root-2' },
  ];
});

/** Its trace, once it was run over sockets. */
let overSockets = '';

async function traced(text: string, ...options: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await bench.sim(text, '--json', ...options);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** How many requests HTTP servers of this process are sent while something runs. */
async function requestsDuring(work: () => Promise<unknown>): Promise<number> {
  let requests = 0;
  const count = () => {
    requests++;
  };
  subscribe('http.server.request.start', count);
  try {
    await work();
  } finally {
    unsubscribe('http.server.request.start', count);
  }
  return requests;
}

describe('sim run --link', () => {
  it('gives the same trace over sockets, which is what it does unasked, and without them', async () => {
    let requests = await requestsDuring(async () => {
      overSockets = await traced(EVENTFUL);
    });
    expect(requests).toBeGreaterThan(50);
    let without = '';
    requests = await requestsDuring(async () => {
      without = await traced(EVENTFUL, '--link', 'in-process');
    });
    expect(requests).toBe(0);
    expect(without).toBe(overSockets);
    expect(overSockets).not.toContain('127.0.0.1');
    expect(overSockets).not.toContain(new Date().toISOString().slice(0, 10));
  });

  it('gives the same trace of a ready scenario', async () => {
    const trace = async (link: string) =>
      (await run('sim', 'run', 'host-sim/scenarios/revoked-grant.yaml', '--json', '--link', link)).stdout;
    const one = await trace('sockets');
    expect(one).toContain('GRANT_REVOKED');
    expect(await trace('in-process')).toBe(one);
  });
});

it('a request that meets the end of a connection that was kept is sent again', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', () => {
      // Each connection is good for one answer.
      if (socket.bytesWritten > 0) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const loopback = new Loopback();
  try {
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    for (let i = 0; i < 2; i++)
      expect(await loopback.answer(url, { method: 'GET', path: '/', headers: {} })).toMatchObject({ status: 200 });
    expect(sockets).toHaveLength(2);
  } finally {
    loopback.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

describe('sim run --keep', () => {
  it('leaves flash, images and the database in a folder, and is the same run', async () => {
    const folder = bench.path('kept');
    const kept = await traced(EVENTFUL, '--keep', folder);
    expect(kept).toBe(overSockets);
    expect(readdirSync(folder)).toEqual(['authority.db', 'gate-1', 'gate-2']);
    const events = kept
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const approvedBy = (device: string) => events.filter((one) => one.device === device && one.answer === 'approved');
    for (const device of ['gate-1', 'gate-2']) {
      const file = (name: string) => join(folder, device, name);
      expect((await run('ledger', 'inspect', file('ledger.flash'))).stdout).toContain('spend ledger');
      expect((await run('ledger', 'check', file('ledger.flash'))).code).toBe(0);
      const exported = await run('ledger', 'export', file('journal.flash'), '--json');
      const amounts = (exported.stdout.match(/"amountMinor":"[0-9]+"/g) ?? []).length;
      expect(amounts).toBe(approvedBy(device).length);
      expect((await run('provision', 'verify', file('provisioning.img'))).code).toBe(0);
      expect(statSync(file('provisioning.img')).mode & 0o077).toBe(0);
    }
    const database = await Database.open(join(folder, 'authority.db'));
    try {
      expect(await new AuthorityStorage(database).revocations()).toHaveLength(1);
      const receipts = await new OperatorStorage(database).receipts({ deviceId: 'gate-1', chain: 1 }, 0, 999);
      expect(receipts).toHaveLength(approvedBy('gate-1').length);
    } finally {
      database.close();
    }
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is broken off by %s with its files closed, says so, and ends with %d', async (signal, exitCode) => {
    const folder = bench.path(`broken-${signal}`);
    const long = changedScenario((scenario) => {
      scenario.duration = '300d';
    });
    const listeners = process.listenerCount(signal);
    const running = bench.sim(long, '--keep', folder, '--json');
    const begun = setInterval(() => {
      if (!existsSync(join(folder, 'gate-1')) || process.listenerCount(signal) === listeners) return;
      clearInterval(begun);
      setTimeout(() => process.emit(signal, signal), 300);
    }, 5);
    const { code, stdout, stderr } = await running;
    expect(code).toBe(exitCode);
    expect(stderr).toMatch(
      new RegExp(
        `^${signal}: the run was broken off after .+ of simulated time; ${folder} has flash, images and database as they were then, and no whole run\n$`,
      ),
    );
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) as string)).toMatchObject({ event: 'broken-off', signal });
    expect(stdout).not.toContain('"result"');
    expect(process.listenerCount(signal)).toBe(listeners);
    expect(readdirSync(folder)).toEqual(['authority.db', 'gate-1']);
    expect((await run('ledger', 'check', join(folder, 'gate-1', 'ledger.flash'))).code).toBe(0);
    expect((await run('provision', 'verify', join(folder, 'gate-1', 'provisioning.img'))).code).toBe(0);
  });

  it('touches no folder with something in it, and makes none for a scenario that cannot be used', async () => {
    const folder = bench.path('taken');
    expect((await bench.sim(SMALL, '--keep', folder)).code).toBe(0);
    const before = readFileSync(join(folder, 'gate-1', 'ledger.flash'));
    const again = await bench.sim(SMALL, '--keep', folder);
    expect([again.code, again.stdout]).toEqual([2, '']);
    expect(again.stderr).toContain(`--keep ${folder}: it is not empty`);
    expect(readFileSync(join(folder, 'gate-1', 'ledger.flash')).equals(before)).toBe(true);
    expect((await bench.sim(SMALL, '--keep', '')).stderr).toContain('--keep "": the folder has no name');
    expect((await bench.sim(SMALL, '--keep', join(folder, 'authority.db'))).code).toBe(2);
    expect((await bench.sim('title: no scenario', '--keep', bench.path('none'))).code).toBe(2);
    expect(existsSync(bench.path('none'))).toBe(false);
  });
});

it.each(['authority.db', 'Authority.db-wal'])(
  'a device called %s is not kept in the place of the database',
  async (deviceId) => {
    const text = changedScenario((scenario) => {
      scenario.fleet.devices[0].deviceId = deviceId;
      scenario.arrivals[0].devices = deviceId;
    });
    const keep = bench.path(`kept-as-${deviceId}`);
    const { code, stderr } = await bench.sim(text, '--keep', keep);
    expect(code).toBe(2);
    expect(stderr).toContain(`--keep ${keep}: device ${deviceId} in `);
    expect(existsSync(keep)).toBe(false);
  },
);

it('a report in the place of the kept folder is refused before anything is run', async () => {
  const keep = bench.path('both');
  const { code, stdout, stderr } = await bench.sim(SMALL, '--keep', keep, '--report', keep);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`--report ${keep}: it is the folder of --keep`);
  expect(existsSync(keep)).toBe(false);
});

it('a title has no control characters where it is told', async () => {
  const text = changedScenario((scenario) => {
    scenario.title = 'x\u001b[2J\r\nVIOLATION of all';
  });
  const { stdout } = await bench.sim(text);
  expect(stdout.split('\n')[0]).toBe('x [2J VIOLATION of all, seed 1');
});
