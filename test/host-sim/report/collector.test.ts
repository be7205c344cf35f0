// What a report says of a run, from small runs that are made up: each event and each figure that comes of it.

import { describe, expect, it } from 'vitest';
import { RunCollector } from '../../../host-sim/report/collector.ts';
import type { DeviceSample, StoreSample } from '../../../host-sim/report/device-sampling.ts';
import { distributionOf, spanClasses } from '../../../host-sim/report/distribution.ts';
import type { DeviceRecord, RunRecord } from '../../../host-sim/report/record.ts';
import { courseOf, type SessionRecord } from '../../../host-sim/report/session-log.ts';

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

describe('a session', () => {
  const begun = (receiptId = 1) => ({ ...a, ok: true, receiptId, amountMinor: '50' });
  const settled = (amountMinor: string, reservation = 1) => ({
    ...a,
    ok: true,
    reservation,
    receiptId: reservation + 1,
    amountMinor,
  });
  const left = (reservation = 1) => ({ ...a, reservation, amountMinor: '50' });
  const sessionsOf = (...told: readonly Told[]) => deviceA(recordOf(told)).sessions;
  const only = (...told: readonly Told[]) => {
    const sessions = sessionsOf(...told);
    expect(sessions).toHaveLength(1);
    return sessions[0] as SessionRecord;
  };

  it('runs from its reservation until it is settled, with what was delivered', () => {
    const session = only([100, 'payment.reserve', begun()], [300, 'payment.settle', settled('20')]);
    expect(session).toMatchObject({ fromMs: 100, isTold: true, end: { ms: 300 } });
    expect([session.reservedMinor, session.end?.amountMinor].map(String)).toEqual(['50', '20']);
    expect(courseOf(session)).toBe('ended');
  });

  it('that is refused has not begun, and one whose receipt is given again has begun once', () => {
    const refusal = { ...a, ok: false, code: 'KEY_REVOKED' };
    expect(
      sessionsOf(
        [100, 'payment.reserve', refusal],
        [150, 'payment.reserve', begun()],
        [200, 'payment.reserve', begun()],
      ).map(({ fromMs }) => fromMs),
    ).toEqual([150]);
  });

  it('whose driver was not told is given back', () => {
    const session = only(
      [100, 'payment.reserve', begun()],
      [100, 'payment', { ...a, answer: 'none', decided: 'approved', receiptId: 1, amountMinor: '50' }],
      [300, 'payment.release', settled('0')],
    );
    expect([session.isTold, String(session.end?.amountMinor), courseOf(session)]).toEqual([false, '0', 'untold']);
  });

  it('that power breaks off is settled at the next start, with all of it', () => {
    const session = only(
      [100, 'payment.reserve', begun()],
      [200, 'device.power-lost', a],
      [400, 'reservation.left', left()],
      [400, 'payment.settle', settled('50')],
      [400, 'device.started', a],
    );
    expect(session).toMatchObject({ fromMs: 100, brokenOffMs: 200, end: { ms: 400 } });
    expect(courseOf(session)).toBe('broken-off');
  });

  it('that power breaks off stays open where its site holds it, through every start', () => {
    const session = only(
      [100, 'payment.reserve', begun()],
      [200, 'device.power-lost', a],
      [400, 'reservation.left', left()],
      [400, 'device.started', a],
      [500, 'device.power-lost', a],
      [600, 'reservation.left', left()],
      [600, 'device.started', a],
    );
    expect(session).toMatchObject({ brokenOffMs: 200, end: undefined });
    expect(courseOf(session)).toBe('open');
  });

  it('that power breaks off, and no start finds, was settled as power went', () => {
    const session = only([100, 'payment.reserve', begun()], [200, 'device.power-lost', a], [400, 'device.started', a]);
    expect(session.end).toEqual({ ms: 200, amountMinor: undefined });
  });

  it('that a start does not find whose flash fails is not taken for settled', () => {
    const fault = { ...a, fault: 'flash' };
    const told: readonly Told[] = [
      [100, 'payment.reserve', begun()],
      [150, 'fault.begins', fault],
      [200, 'device.power-lost', a],
      [400, 'device.started', a],
    ];
    expect(only(...told).end).toBeUndefined();
    expect(
      only(
        ...told,
        [500, 'fault.ends', fault],
        [500, 'reservation.left', left()],
        [500, 'payment.settle', settled('50')],
        [500, 'device.started', a],
      ).end?.ms,
    ).toBe(500);
  });

  it('is broken off by a start without a loss of power too', () => {
    const session = only(
      [100, 'payment.reserve', begun()],
      [300, 'reservation.left', left()],
      [300, 'payment.settle', settled('50')],
      [300, 'device.started', a],
    );
    expect(session).toMatchObject({ brokenOffMs: 300, end: { ms: 300 } });
  });

  it('that nobody was told of, as power went, is known from the start that finds it', () => {
    const session = only(
      [200, 'device.power-lost', a],
      [200, 'payment', { ...a, answer: 'none', amountMinor: '50' }],
      [400, 'reservation.left', left()],
      [400, 'payment.settle', settled('50')],
      [400, 'device.started', a],
    );
    expect(session).toMatchObject({ fromMs: 200, isTold: false, brokenOffMs: 200, end: { ms: 400 } });
  });

  it('whose end its store refuses goes on until it is taken', () => {
    const session = only(
      [100, 'payment.reserve', begun()],
      [200, 'session.unsettled', { ...a, reservation: 1, amountMinor: '20', code: 'STORE_FAILED' }],
      [260, 'session.unsettled', { ...a, reservation: 1, amountMinor: '20', code: 'STORE_FAILED' }],
      [320, 'payment.settle', settled('20')],
    );
    expect(session).toMatchObject({ refusedMs: 200, end: { ms: 320 } });
    expect(courseOf(session)).toBe('refused');
  });
});

describe('a payment without an answer', () => {
  const payment = (answer: string, more = {}) => ({ ...a, payer: 'cars-1', amountMinor: '5', answer, ...more });
  const withoutAnswer = (...told: readonly Told[]) => deviceA(recordOf(told)).withoutAnswer;

  it('is told with all attempts of its payer, to the last one', () => {
    const found = withoutAnswer(
      [100, 'payment', payment('none', { decided: 'approved', receiptId: 3 })],
      [120, 'payment', payment('approved', { payer: 'cars-2' })],
      [150, 'payment', payment('none', { decided: 'refused', code: 'DEVICE_BUSY', retryOf: 1 })],
      [200, 'payment', payment('repeated', { receiptId: 3, retryOf: 1 })],
    );
    expect(found).toMatchObject([
      {
        payer: 'cars-1',
        amountMinor: '5',
        attempts: [
          { ms: 100, isAnswered: false, decided: 'approved' },
          { ms: 150, isAnswered: false, decided: 'refused', code: 'DEVICE_BUSY' },
          { ms: 200, isAnswered: true, decided: 'repeated' },
        ],
      },
    ]);
  });

  it('is told apart by whether power went meanwhile, or there was none', () => {
    const found = withoutAnswer(
      [100, 'device.power-lost', a],
      [100, 'payment', payment('none')],
      [150, 'payment', payment('none', { hostile: 'late' })],
    );
    expect(found.map(({ cheat, attempts }) => [cheat, attempts[0]?.isCutOff])).toEqual([
      [undefined, true],
      ['late', false],
    ]);
  });

  it('that was approved all the same is spent: it is to be handed in, and stands under what was revoked', () => {
    const record = recordOf([
      [100, 'authority.revoke-key', { key: 'cars-1' }],
      [110, 'payment', { ...approved(1), answer: 'none', decided: 'approved' }],
      [120, 'payment', { ...approved(2), answer: 'none', decided: 'refused', code: 'KEY_REVOKED' }],
    ]);
    expect(record.revocations[0]?.devices[0]?.approved).toBe(1);
    expect(record.handedIn.open).toBe(1);
    expect(deviceA(record)).toMatchObject({ approved: 0, unanswered: 2 });
  });

  it('that is answered again later is at that time', () => {
    expect(deviceA(recordOf([[40, 'payment', payment('repeated')]])).repeatedAtMs).toEqual([40]);
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
