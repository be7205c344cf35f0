// An emergency refresh measured in small, over Debian's mosquitto: every device refuses, and all times are after the message.

import { describe, expect, it } from 'vitest';
import { whyNoBroker } from '../../../host-sim/broker/mosquitto.ts';
import { run } from '../cli/run.ts';

const why = whyNoBroker();

describe.skipIf(why !== undefined)(`bench-emergency${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  it('has a fleet refuse a revoked key, and says how long that took', async () => {
    const { code, stdout } = await run('bench-emergency', '--devices', '3', '--no-spread', '--json');
    const { atOnce, fetched, ...report } = JSON.parse(stdout);
    expect([code, report]).toEqual([0, { devices: 3, bundleBytes: expect.any(Number) }]);
    expect(atOnce.told.first).toBeGreaterThan(0);
    for (const part of ['first', 'median', 'last']) expect(atOnce.refused[part]).toBeGreaterThan(atOnce.told[part]);
    expect(fetched.inTurnMs).toBeGreaterThan(0);
  });
});
