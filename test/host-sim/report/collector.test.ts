// What a report says of a run, from small runs that are made up: each event and each figure that comes of it.

import { describe, expect, it } from 'vitest';
import { RunCollector } from '../../../host-sim/report/collector.ts';
import type { DeviceSample, StoreSample } from '../../../host-sim/report/device-sampling.ts';
import { distributionOf, spanClasses } from '../../../host-sim/report/distribution.ts';
import type { DeviceRecord, RunRecord } from '../../../host-sim/report/record.ts';

type Told = readonly [ms: number, event: string, members?: Readonly<Record<string, string | number | boolean>>];

/** What comes of a run of two devices, `a` and `b`, that lasts 1000 ms. */
function recordOf(told: readonly Told[], samples: readonly DeviceSample[] = []): RunRecord {
  const collector = new RunCollector(['a', 'b']);
  const left = [...samples];
  for (const [i, [ms, event, members]] of told.entries()) {
    while (left[0] !== undefined && left[0].ms < ms) collector.sampled(left.shift() as DeviceSample);
    collector.heard({ n: i + 1, ms, event, ...members });
  }
  for (const sample of left) collector.sampled(sample);
  return collector.record(1000);
}

const deviceA = (record: RunRecord) => record.devices[0] as DeviceRecord;
const a = { device: 'a' };
const b = { device: 'b' };
const approved = (receiptId: number, more = {}) => ({
  ...a,
  answer: 'approved',
  receiptId,
  amountMinor: '5',
  grantId: 'g-1',
  grantKey: 'grants-1',
  budgetKey: 'cars-1',
  ...more,
});

describe('a device', () => {
  it('has a link that is up from the beginning until it goes down, and until the end', () => {
    const record = recordOf([
      [100, 'link.down', a],
      [300, 'link.up', a],
      [300, 'link.up', a],
    ]);
    expect(deviceA(record).linkUp).toEqual([
      { fromMs: 0, toMs: 100 },
      { fromMs: 300, toMs: 1000 },
    ]);
    expect(record.devices[1]?.linkUp).toEqual([{ fromMs: 0, toMs: 1000 }]);
  });

  it('has power from a start until it is lost; a start that fails gives none', () => {
    const record = recordOf([
      [0, 'device.started', a],
      [200, 'device.power-lost', a],
      [300, 'device.start-failed', a],
      [400, 'device.started', a],
      [500, 'device.started', a],
    ]);
    expect(deviceA(record)).toMatchObject({
      powered: [
        { fromMs: 0, toMs: 200 },
        { fromMs: 400, toMs: 1000 },
      ],
      starts: 3,
      powerLosses: 1,
    });
  });

  it('has faults, each until its own end', () => {
    const record = recordOf([
      [10, 'fault.begins', { ...a, fault: 'power' }],
      [20, 'fault.begins', { ...a, fault: 'network lost' }],
      [30, 'fault.ends', { ...a, fault: 'power' }],
    ]);
    expect(deviceA(record).faults).toEqual([
      { fault: 'power', fromMs: 10, toMs: 30 },
      { fault: 'network lost', fromMs: 20, toMs: 1000 },
    ]);
  });

  it('has decided at times; a payment that is answered once more is no decision', () => {
    const record = recordOf([
      [10, 'payment', approved(1)],
      [20, 'payment', { ...a, answer: 'repeated', receiptId: 1, amountMinor: '5' }],
      [30, 'payment', { ...a, answer: 'refused', code: 'GRANT_REVOKED' }],
      [40, 'payment', { ...a, answer: 'none' }],
    ]);
    expect(deviceA(record)).toMatchObject({
      approved: 1,
      approvedAtMs: [10],
      refused: 1,
      refusedAtMs: [30],
      unanswered: 1,
    });
  });

  it('has bundles in force: the newest one counts, and nothing where there is none', () => {
    const record = recordOf(
      [
        [0, 'authority.bundle', { bundleId: 'old' }],
        [100, 'authority.bundle', { bundleId: 'new' }],
        [900, 'scenario.ends'],
      ],
      [
        { ...a, ms: 50, bundles: ['old'] },
        { ...a, ms: 150, bundles: ['new', 'old'] },
        { ...a, ms: 160, bundles: ['new'] },
        { ...a, ms: 400, bundles: [] },
        { ...a, ms: 450, bundles: ['new'] },
      ],
    );
    expect(deviceA(record).bundles).toEqual([
      { fromMs: 50, toMs: 150, issuedMs: 0 },
      { fromMs: 150, toMs: 400, issuedMs: 100 },
      { fromMs: 400, toMs: 450, issuedMs: undefined },
      { fromMs: 450, toMs: 1000, issuedMs: 100 },
    ]);
    expect(deviceA(record).oldestBundleMs).toBe(900);
    expect(record.devices[1]?.oldestBundleMs).toBeUndefined();
  });

  it('has stores as they were read last, and the most that was ever in use', () => {
    const store = (usedBytes: number, erases: number): StoreSample => ({
      usedBytes,
      ofBytes: 1000,
      erases: { mean: erases / 2, most: erases },
    });
    const record = recordOf(
      [],
      [
        { ...a, ms: 0, bundles: [], stores: { ledger: store(700, 1), journal: store(0, 0) } },
        { ...b, ms: 0, bundles: [], stores: { ledger: store(300, 3), journal: store(0, 0) } },
        { ...a, ms: 1000, bundles: [], stores: { ledger: store(300, 4), journal: store(10, 0) } },
      ],
    );
    expect(deviceA(record).ledger).toEqual({
      usedBytes: 300,
      peakBytes: 700,
      ofBytes: 1000,
      erases: { mean: 2, most: 4 },
    });
    expect(record.flash.map(({ ms, ledger }) => [ms, ledger])).toEqual([
      [0, { meanFill: 0.5, mostFill: 0.7, meanErases: 1, mostErases: 3 }],
      [1000, { meanFill: 0.3, mostFill: 0.3, meanErases: 1.75, mostErases: 4 }],
    ]);
  });
});

it('refusals are counted by code, the most frequent first', () => {
  const refused = (code: string, device = 'a') => ({ device, answer: 'refused', code });
  const { refusals } = recordOf([
    [1, 'payment', refused('LIMIT_EXCEEDED')],
    [2, 'payment', refused('KEY_REVOKED')],
    [3, 'payment', refused('KEY_REVOKED', 'b')],
  ]);
  expect(refusals).toEqual([
    { code: 'KEY_REVOKED', count: 2, devices: 2 },
    { code: 'LIMIT_EXCEEDED', count: 1, devices: 1 },
  ]);
});

describe('requests', () => {
  it('take from their beginning to their answer, or to their failure', () => {
    const { requests } = recordOf([
      [0, 'refresh.begin', a],
      [5, 'refresh.begin', b],
      [40, 'refresh.done', a],
      [65, 'refresh.failed', { ...b, failure: 'timeout' }],
      [70, 'upload.send', { ...a, first: 1, last: 1 }],
      [80, 'upload.failed', { ...a, failure: 'link-down' }],
    ]);
    expect(requests).toEqual([
      {
        kind: 'refresh',
        answeredMs: [40],
        failedMs: [60],
        failures: [{ failure: 'timeout', count: 1 }],
        cutOff: 0,
        notSent: 0,
      },
      {
        kind: 'hand-in',
        answeredMs: [],
        failedMs: [10],
        failures: [{ failure: 'link-down', count: 1 }],
        cutOff: 0,
        notSent: 0,
      },
    ]);
  });

  it('were none where the link was known to be down, and are cut off where power goes', () => {
    const { requests } = recordOf([
      [0, 'refresh.failed', { ...a, failure: 'link-down' }],
      [10, 'refresh.begin', a],
      [20, 'device.power-lost', a],
      [90, 'device.started', a],
    ]);
    expect(requests[0]).toMatchObject({ answeredMs: [], failedMs: [], failures: [], cutOff: 1, notSent: 1 });
  });
});

it('approvals are handed in with the first batch that has them, and acknowledged by the first answer that comes', () => {
  const { handedIn } = recordOf([
    [10, 'payment', approved(1)],
    [20, 'payment', approved(2)],
    [30, 'upload.send', { ...a, first: 1, last: 1 }],
    [60, 'upload.failed', { ...a, failure: 'timeout' }],
    [70, 'upload.send', { ...a, first: 1, last: 2 }],
    [90, 'upload.acknowledged', { ...a, upTo: 2 }],
    [95, 'payment', approved(3)],
  ]);
  expect(handedIn).toEqual({ sentMs: [20, 50], acknowledgedMs: [80, 70], open: 1 });
});

describe('a revocation', () => {
  it('is known to a device with the first bundle that was issued after it', () => {
    const { revocations } = recordOf([
      [0, 'authority.bundle', { bundleId: 'before' }],
      [100, 'authority.revoke-key', { key: 'cars-1' }],
      [100, 'authority.bundle', { bundleId: 'after' }],
      [150, 'bundle.admitted', { ...a, bundleId: 'before' }],
      [180, 'bundle.admitted', { ...a, bundleId: 'after' }],
      [200, 'bundle.admitted', { ...a, bundleId: 'after' }],
    ]);
    expect(revocations).toHaveLength(1);
    expect(revocations[0]).toMatchObject({
      atMs: 100,
      what: { kind: 'key', kid: 'cars-1' },
      devices: [{ device: 'a', knownAfterMs: 80 }, { device: 'b' }],
      knownAfter: { count: 1, p50: 80, most: 80 },
    });
    expect(revocations[0]?.devices[1]?.knownAfterMs).toBeUndefined();
  });

  it.each([
    ['of a key that signs budgets', { key: 'cars-1' }, 2],
    ['of a key that signs grants', { key: 'grants-1' }, 3],
    ['of a key that signs nothing', { key: 'other' }, 0],
  ])('%s exposes what is approved by it afterwards', (_, revoked, count) => {
    const { revocations } = recordOf([
      [90, 'payment', approved(1)],
      [100, 'authority.revoke-key', revoked],
      [110, 'payment', approved(2)],
      [120, 'payment', approved(3, { budgetKey: 'vans-1' })],
      [130, 'payment', { ...approved(4), answer: 'refused', code: 'KEY_REVOKED' }],
      [140, 'payment', approved(5)],
    ]);
    expect(revocations[0]?.devices[0]).toMatchObject({ approved: count, amountMinor: BigInt(5 * count) });
  });

  it('of grants exposes those grants, each amount by its digits', () => {
    const { revocations } = recordOf([
      [100, 'authority.revoke-grants', { wallets: 'lost', count: 7 }],
      [100, 'authority.grant-revoked', { grantId: 'g-1' }],
      [110, 'payment', approved(1, { amountMinor: '9007199254740993' })],
      [120, 'payment', approved(2, { grantId: 'g-2' })],
    ]);
    expect(revocations[0]).toMatchObject({ what: { kind: 'grants', wallets: 'lost', count: 1 } });
    expect(revocations[0]?.devices[0]).toMatchObject({ approved: 1, amountMinor: 9007199254740993n, lastAfterMs: 10 });
  });
});

describe('a distribution', () => {
  it('has percentiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(distributionOf(hundred)).toEqual({ count: 100, p50: 50, p90: 90, p99: 99, most: 100 });
    expect(distributionOf([7])).toEqual({ count: 1, p50: 7, p90: 7, p99: 7, most: 7 });
    expect(distributionOf([])).toBeUndefined();
  });

  it('has classes from the first to the last that has any', () => {
    expect(spanClasses([500, 15_000, 999])).toEqual([
      { name: 'less than 1s', count: 2 },
      { name: '1s to 10s', count: 0 },
      { name: '10s to 1m', count: 1 },
    ]);
    expect(spanClasses([0, 1])).toEqual([
      { name: 'at once', count: 1 },
      { name: 'less than 1s', count: 1 },
    ]);
    expect(spanClasses([])).toEqual([]);
  });
});
