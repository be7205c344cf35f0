// What devices accept under what was revoked until they know it: measured, bounded, and plotted against the refresh interval.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { measureExposure, percentile } from '../../../host-sim/exposure/exposure.ts';
import { connectedBound, Reach, urgentBound } from '../../../host-sim/exposure/reach.ts';
import { VirtualCharger } from '../../../host-sim/virtual-device/virtual-charger.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';
import { type RunResult, run } from '../cli/run.ts';
import { changedScenario, ScenarioBench, SMALL } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => bench.remove());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Three hours of two gates, one of which is offline when a grant is revoked: from 50 minutes on until 110. */
const REVOKED = changedScenario((scenario) => {
  scenario.duration = '3h';
  scenario.settle = '10m';
  scenario.authority.bundles = { every: '7d', lifetime: '28d' };
  scenario.fleet.devices = [{ ...scenario.fleet.devices[0], deviceId: 'gate-{n}', count: 2 }];
  scenario.wallets[0].grant = { budget: '60000000', cumulative: '20000000' };
  scenario.arrivals = ['gate-1', 'gate-2'].map((devices) => ({ ...scenario.arrivals[0], devices, until: '130m' }));
  scenario.links = [{ devices: 'gate-2', pattern: { outage: { at: '50m', for: '1h' } } }];
  scenario.actions = [{ at: '1h', revokeGrants: { wallets: 'riders' } }];
});

function exposure(text: string, ...options: readonly string[]): Promise<RunResult> {
  return run('sim', 'exposure', bench.write('scenario.yaml', text), ...options);
}

describe('the bound of a device', () => {
  const asking = { intervalMs: HOUR, timeoutMs: MINUTE };
  const END = 100 * HOUR;
  const boundAfter = (revokedMs: number, ...events: readonly (readonly [ms: number, event: string])[]) => {
    const reach = new Reach();
    for (const [n, [ms, event]] of events.entries()) reach.heard({ n, ms, event, believed: true });
    return reach.bound(revokedMs, END, asking);
  };

  it('is a request, the interval and a request where it is connected', () => {
    expect(boundAfter(10 * HOUR)).toBe(HOUR + 2 * MINUTE);
    expect(connectedBound(asking)).toBe(HOUR + 2 * MINUTE);
  });

  it('is half a minute and two requests where it believes an urgent message, then or later', () => {
    expect(boundAfter(HOUR, [HOUR, 'refresh.urgent'])).toBe(urgentBound(asking));
    expect(boundAfter(HOUR, [HOUR + 9 * MINUTE, 'refresh.urgent'])).toBe(9 * MINUTE + urgentBound(asking));
    expect(boundAfter(HOUR, [HOUR - 1, 'refresh.urgent'])).toBe(connectedBound(asking));
  });

  it('counts from when its link is back: half an hour and a request', () => {
    expect(boundAfter(HOUR, [0, 'link.down'], [5 * HOUR, 'link.up'])).toBe(4 * HOUR + 31 * MINUTE);
  });

  it('passes over a link that is up too shortly to ask', () => {
    const flapping = [0, 1, 2, 3].flatMap((i) => [
      [i * HOUR, 'link.down'] as const,
      [i * HOUR + 31 * MINUTE, 'link.up'] as const,
    ]);
    expect(boundAfter(0, ...flapping)).toBe(3 * HOUR + 31 * MINUTE + 31 * MINUTE);
  });

  it('is an hour and a request after power is back or a network is honest again, which its link alone does not end', () => {
    expect(boundAfter(0, [0, 'device.power-lost'], [5 * HOUR, 'device.started'])).toBe(6 * HOUR + MINUTE);
    expect(boundAfter(0, [0, 'fault.begins'], [0, 'link.down'], [HOUR, 'link.up'], [5 * HOUR, 'fault.ends'])).toBe(
      6 * HOUR + MINUTE,
    );
  });

  it('is that of a device that is connected where only a reader loses answers', () => {
    const reach = new Reach();
    reach.heard({ n: 1, ms: 0, event: 'fault.begins', fault: 'reader answers-lost' });
    expect(reach.bound(10 * HOUR, END, asking)).toBe(connectedBound(asking));
  });

  it('begins anew with an image that somebody gives it', () => {
    expect(boundAfter(0, [HOUR, 'device.started'])).toBe(2 * HOUR + MINUTE);
  });

  it('is none for a device that cannot ask before the end', () => {
    expect(boundAfter(0, [0, 'link.down'])).toBeUndefined();
    expect(boundAfter(END - HOUR)).toBeUndefined();
  });
});

it('a percentile is a value that occurs, and none where it falls on a device that never knew', () => {
  expect([50, 90, 100].map((percent) => percentile([30, 10, 20, 40], percent))).toEqual([20, 40, 40]);
  expect([50, 100].map((percent) => percentile([10, undefined, 5], percent))).toEqual([10, undefined]);
  expect(percentile([], 50)).toBeUndefined();
});

describe('sim exposure', () => {
  it('gives for each interval how long devices take, what they approved meanwhile, and their bounds', async () => {
    const { code, stdout, stderr } = await exposure(REVOKED, '--intervals', '1h,15m', '--json');
    expect([code, stderr]).toEqual([0, '']);
    const { intervals, ...rest } = JSON.parse(stdout);
    expect(rest).toMatchObject({
      seeds: [1],
      devices: 2,
      capMinor: '40000000',
      late: [],
      excesses: [],
      violations: [],
    });
    expect(rest.revocations).toEqual([{ what: 'a grant of riders', atMs: HOUR }]);
    const urgentOf = (row: { intervalMs: number; urgent: boolean }) => [row.intervalMs, row.urgent];
    expect(intervals.map(urgentOf)).toEqual([
      [15 * MINUTE, false],
      [15 * MINUTE, true],
      [HOUR, false],
      [HOUR, true],
    ]);
    const [, told, slow] = intervals;
    expect(told).toMatchObject({ told: { devices: 1, of: 2 }, connectedBoundMs: 2.5 * MINUTE });
    expect(told.told.mostMs).toBeLessThanOrEqual(30_000);
    // Nobody tells the gate that is offline; it is back 50 minutes after the revocation.
    for (const { knownMs } of intervals) expect(knownMs.most).toBeGreaterThanOrEqual(50 * MINUTE);
    expect(slow.knownMs.p50).toBeLessThanOrEqual(slow.connectedBoundMs);
    expect(slow.boundMs).toBe(81 * MINUTE);
    // A payment every ten minutes at each gate, until it knows or the grant's cap is reached.
    expect(slow.amountMinor).toBe(String(slow.payments * 1_000_000));
    expect(told.payments).toBeGreaterThanOrEqual(5);
    expect(slow.payments).toBeGreaterThanOrEqual(told.payments);
  });

  it('counts what was approved whose answer the payer never got', async () => {
    const told = async (text: string) => {
      const { stdout } = await exposure(text, '--json', '--intervals', '1h');
      const { intervals } = JSON.parse(stdout);
      return intervals.map(({ payments, amountMinor }: Record<string, unknown>) => [payments, amountMinor]);
    };
    const lost = changedScenario((scenario) => {
      Object.assign(scenario, parse(REVOKED));
      scenario.faults = [{ devices: 'gate-*', at: '0s', for: '3h', answersLost: true }];
    });
    expect(await told(lost)).toEqual(await told(REVOKED));
  });

  it('names a device that does not ask, and fails', async () => {
    const honest = VirtualCharger.prototype.refreshIfDue;
    vi.spyOn(VirtualCharger.prototype, 'refreshIfDue').mockImplementation(function (this: VirtualCharger) {
      // Once it has its first bundle it never asks again.
      return this.bundleIds.length > 0 ? Promise.resolve({ kind: 'waiting', ms: HOUR }) : honest.call(this);
    });
    const { code, stdout } = await exposure(REVOKED, '--intervals', '15m');
    expect(code).toBe(1);
    expect(stdout).toContain(
      'LATE: gate-1 learned never that a grant of riders is revoked, and 17m is its bound (interval 15m, seed 1)',
    );
    expect(stdout).toContain('LATE: gate-2 learned never');
  });

  it('names a device that asks too late, which is known by its events alone', async () => {
    const read = readScenario(bench.write('scenario.yaml', REVOKED));
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    const honest = VirtualCharger.prototype.refreshIfDue;
    const slow = vi.spyOn(VirtualCharger.prototype, 'refreshIfDue').mockImplementation(async function (
      this: VirtualCharger,
    ) {
      const refresh = await honest.call(this);
      return refresh.kind === 'waiting' ? { kind: 'waiting', ms: refresh.ms + 40 * MINUTE } : refresh;
    });
    const { late } = await measureExposure([read.scenario], { intervalsMs: [15 * MINUTE] });
    expect(slow).toHaveBeenCalled();
    const [first] = late;
    expect(first?.knownMs).toBeGreaterThan(first?.boundMs as number);
  });

  it('names runs in which more is approved than the caps of what was revoked allow, and fails', async () => {
    const text = changedScenario((scenario) => {
      Object.assign(scenario, parse(REVOKED));
      scenario.wallets[0].grant = { budget: '60000000', cumulative: '2000000' };
    });
    const honest = VirtualCharger.prototype.present;
    let cheated = 0;
    vi.spyOn(VirtualCharger.prototype, 'present').mockImplementation(async function (this: VirtualCharger, ...payment) {
      const decision = await honest.apply(this, payment);
      if (decision.ok || decision.code !== 'OFFLINE_CUMULATIVE_EXCEEDED') return decision;
      const { grant } = JSON.parse(Buffer.from(payment[0]).toString()).grant;
      const names = { grantId: grant.grantId, budgetId: '', sessionId: '', actorId: '' };
      // It says that it took nothing: so that its own total stays below the cap.
      return { ok: true, receiptId: 1000 + ++cheated, repeated: false, amountMinor: '0', timeMs: 0, ...names };
    });
    const page = bench.path('excess.html');
    const { code, stdout } = await exposure(text, '--intervals', '1h', '--report', page);
    expect(code).toBe(1);
    const [above] = /ABOVE CAPS: \d+ was .*/.exec(stdout) ?? [''];
    expect(above).toMatch(/revoked, and caps allow 4000000 \(interval 1h, seed 1\)$/);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('data-outcome="broken"');
    expect(html).toContain(above.replace('ABOVE CAPS: ', ''));
  });

  it('counts what grants that are new allow too, and a grant that goes for a revoked one as not revoked', async () => {
    const text = changedScenario((scenario) => {
      Object.assign(scenario, parse(REVOKED));
      scenario.wallets[0].grant = { budget: '60000000', cumulative: '20000000', lifetime: '1h' };
      scenario.actions = [{ at: '30m', revokeGrants: { wallets: 'riders' } }];
    });
    const { code, stdout } = await exposure(text, '--intervals', '15m', '--json');
    expect(code).toBe(0);
    const { capMinor, intervals } = JSON.parse(stdout);
    // Two devices, the first grant and three after it.
    expect(capMinor).toBe('160000000');
    // Told at once at 30 minutes, no device takes any of the first one; all of those after it are good.
    expect(intervals[1]).toMatchObject({ urgent: true, payments: 0, amountMinor: '0' });
  });

  it('writes a page with its charts and figures, the same bytes each time', async () => {
    const page = bench.path('exposure.html');
    const options = ['--intervals', '30m', '--seeds', '2', '--report', page];
    const { code, stdout } = await exposure(REVOKED, ...options);
    expect(code).toBe(0);
    expect(stdout).toContain('A small one, seeds 1 to 2\n');
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('data-outcome="kept"');
    expect(html.match(/<figure>/g)).toHaveLength(2);
    expect(html).toContain('data-table="exposure"');
    expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
    const row = stdout.split('\n').find((line) => line.startsWith('30m')) as string;
    for (const cell of row.split(/ {2,}/)) expect(html).toContain(`>${cell}<`);
    const again = await exposure(REVOKED, ...options);
    expect(again.stdout).toBe(stdout);
    expect(readFileSync(page, 'utf8')).toBe(html);
  });

  it.each([
    [['--intervals', '15'], 'not a list of spans'],
    [['--intervals', '30s,1h'], 'not a list of spans'],
    [['--intervals', '1h,8d'], 'not a list of spans'],
    [['--intervals', '4h'], '--intervals 4h: the scenario lasts 3h, and devices may take until 5h 2m'],
    [['--intervals', '1h', '--seeds', '0'], '--seeds'],
    [['--intervals', '1h', '--report', '-'], '--report -: a report is a file'],
    [['--intervals', '1h', '--report', '/nowhere/x.html'], 'cannot write /nowhere/x.html'],
  ])('refuses %j', async (options, reason) => {
    const { code, stdout, stderr } = await exposure(REVOKED, ...options);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
  });

  it('refuses a scenario that revokes nothing, and a report over the scenario', async () => {
    const { code, stderr } = await exposure(SMALL);
    expect([code, stderr.includes('it revokes nothing')]).toEqual([2, true]);
    const file = bench.write('own.yaml', REVOKED);
    expect((await run('sim', 'exposure', file, '--report', file)).stderr).toContain("it is the scenario's file");
    expect(readFileSync(file, 'utf8')).toBe(REVOKED);
    expect(existsSync(bench.path('exposure.html'))).toBe(true);
  });

  it('prints the figures of docs/SIMULATOR.md', async () => {
    const document = readFileSync(fileURLToPath(new URL('../../../docs/SIMULATOR.md', import.meta.url)), 'utf8');
    const words = (line: string) => line.trim().replace(/\s+/g, ' ');
    const known = document.split('\n').map(words);
    // One of its intervals, the shortest of runs: what is printed of one does not change with the others.
    const { code, stdout } = await run('sim', 'exposure', '--intervals', '12h');
    expect(code).toBe(0);
    const rows = stdout.split('\n').filter((line) => /^(interval|12h) /.test(line));
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(known).toContain(words(row));
  });
});
