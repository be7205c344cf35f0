// The provisioning run in small: images by the real commands, a sample chosen by a seed that starts on them and sells, and an
// exit code that says so where one does not.

import { describe, expect, it } from 'vitest';
import { runProvisionBench } from '../../../tools/bench/provision.ts';
import { run } from '../cli/run.ts';

const SMALL = ['bench-provision', '--devices', '30', '--boot', '3'];

describe('bench-provision', () => {
  it('makes a fleet’s images, verifies them, and starts some of them', async () => {
    const { code, stdout } = await run(...SMALL, '--json');
    const report = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(report).toMatchObject({ ok: true, devices: 30, imageBytes: 30 * 16_384, problems: [] });
    expect(report.booted).toHaveLength(3);
    for (const took of [report.create, report.verify]) expect(took.cpuSeconds).toBeGreaterThan(0);
  });

  it('starts the same devices for the same seed, and others for another', async () => {
    const booted = async (seed: string) => JSON.parse((await run(...SMALL, '--seed', seed, '--json')).stdout).booted;
    const first = await booted('7');
    expect(await booted('7')).toEqual(first);
    expect(await booted('8')).not.toEqual(first);
  });

  it('fails where a command fails, and starts nothing then', async () => {
    const report = await runProvisionBench({ devices: 2, boot: 1, seed: 1 }, async ([name]) =>
      name === 'verify' ? 'it has findings' : undefined,
    );
    expect(report.booted).toEqual([]);
    expect(report.problems).toEqual(['provision verify: it has findings', 'there are 0 images for 2 devices']);
  });
});
