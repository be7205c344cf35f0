// `sim run`: what a run prints, and that the same scenario and seed give the same trace.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKey, privateJwk, publicJwk, type SigningKey } from '../../../host-sim/signing/keys.ts';
import { run } from '../cli/run.ts';
import { changedScenario, ScenarioBench, SMALL, smallValues } from './bench.ts';

let bench: ScenarioBench;
beforeAll(() => {
  bench = new ScenarioBench();
});
afterAll(() => bench.remove());

const lines = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('sim run', () => {
  it('says what came of a run', async () => {
    const { code, stdout } = await bench.sim(SMALL);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^A small one, seed 1\n/);
    expect(stdout).toMatch(/payments +6\n/);
    expect(stdout).toMatch(/approved +6\n/);
    expect(stdout).toMatch(/of these at the operator +6\n/);
  });

  it('gives every event with --json, and the same bytes each time', async () => {
    const once = await bench.sim(SMALL, '--json');
    expect(once.code).toBe(0);
    expect((await bench.sim(SMALL, '--json')).stdout).toBe(once.stdout);
    const events = lines(once.stdout);
    expect(events.slice(0, -1).map(({ n }) => n)).toEqual(events.slice(0, -1).map((_, i) => i + 1));
    expect(events.filter(({ event }) => event === 'payment')).toHaveLength(6);
    expect(events.at(-1)).toMatchObject({ event: 'result', payments: 6, approved: 6, acknowledged: 6 });
  });

  it('is another run with another seed', async () => {
    const one = await bench.sim(SMALL, '--json');
    const two = await bench.sim(SMALL, '--json', '--seed', '2');
    expect(two.stdout).not.toBe(one.stdout);
  });

  it('ends with 1 where what is expected did not come', async () => {
    const text = changedScenario((scenario) => {
      scenario.expect = { approvedAtLeast: 7, some: ['KEY_REVOKED'] };
    });
    const { code, stdout } = await bench.sim(text);
    expect(code).toBe(1);
    expect(stdout).toContain('NOT AS EXPECTED: 6 payments were approved, 7 are expected');
    expect(stdout).toContain('NOT AS EXPECTED: no payment was refused with KEY_REVOKED');
  });

  it.each([
    ['provisioning images', { images: ['images/gate-1.img'] }],
    ['a fleet file and a policy file', { policy: 'policy.json', devices: 'fleet.csv' }],
  ])('runs devices from %s, with the keys that sign for them', async (_, fleet) => {
    const keys = Object.fromEntries(['root-1', 'grants-1', 'riders-1'].map((kid) => [kid, generateKey(kid)]));
    for (const [kid, key] of Object.entries(keys)) bench.write(`${kid}.jwk`, privateJwk(key));
    const { policy, devices } = smallValues().fleet;
    const root = keys['root-1'] as SigningKey;
    bench.write('policy.json', {
      ...policy,
      site: { ...policy.site, rootKeys: [{ kid: root.kid, publicKey: publicJwk(root) }] },
    });
    const device = { ...devices[0], apiKey: 'mpcp_gate-1' };
    bench.write('fleet.csv', `${Object.keys(device).join(',')}\n${Object.values(device).join(',')}\n`);
    const files = [bench.path('fleet.csv'), bench.path('policy.json'), '--out', bench.path('images')];
    if ('images' in fleet) await bench.ok('provision', 'create', ...files, '--now', '2026-06-01T05:00:00Z');
    const text = changedScenario((scenario) => {
      scenario.fleet = fleet;
      for (const kid of Object.keys(keys)) scenario.keys[kid] = { file: `${kid}.jwk` };
    });
    const { code, stdout } = await bench.sim(text, '--json');
    expect(code).toBe(0);
    expect(lines(stdout).at(-1)).toMatchObject({ approved: 6, acknowledged: 6 });
  });

  it('is the same trace in the time of day of whoever runs it', async () => {
    const before = process.env.TZ;
    try {
      process.env.TZ = 'Asia/Kathmandu';
      const there = await bench.sim(SMALL, '--json');
      process.env.TZ = 'UTC';
      expect((await bench.sim(SMALL, '--json')).stdout).toBe(there.stdout);
    } finally {
      if (before === undefined) delete process.env.TZ;
      else process.env.TZ = before;
    }
  });
});

it('a file that is not there is told in a line', async () => {
  const { code, stderr } = await run('sim', 'run', bench.path('nowhere.yaml'));
  expect([code, stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
  expect(stderr).toContain('no such file');
});
