// What can be wrong in a scenario, one thing at a time, with one gate for some hours: it shows, a device says so, and gets over it.

import { describe, expect, it } from 'vitest';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { failures, ran } from './one-gate.ts';

const NOT_ITS_SERVER = /^unreachable: .*the certificate of pa\.metro\.example is not one that is provisioned/;

it('power that is off for longer than is left of the scenario is back when it settles', async () => {
  const { result, events } = await ran({ powerCuts: { rate: '60/h', off: '30d' } });
  expect(events.filter(({ event }) => event === 'device.power-lost')).toHaveLength(1);
  expect(events.filter(({ event }) => event === 'device.started').at(-1)?.ms).toBe(6 * 3_600_000);
  expect(result.unanswered).toBeGreaterThan(5);
});

it('a link that comes up ends the wait after hand-ins that failed', async () => {
  const comesUpMs = 14_700_000;
  const { events } = await ran({ lost: true }, (scenario) => {
    scenario.links = [{ devices: 'gate-1', pattern: { outage: { at: '4h', for: '5m' } } }];
  });
  const { ms, waitMs } = events.filter(({ event }) => event === 'upload.failed').at(-1) as TraceEvent;
  expect(ms + Number(waitMs), 'when it would have tried again').toBeGreaterThan(comesUpMs + 600_000);
  const acknowledged = events.find(({ event, ms }) => event === 'upload.acknowledged' && ms >= comesUpMs);
  expect((acknowledged as TraceEvent).ms - comesUpMs).toBeLessThan(60_000);
});

describe('a network that', () => {
  it.each([
    ['loses every answer', { lost: true }, /^timeout: no whole answer within 60000 ms$/],
    ['is slower than anybody waits', { latency: '2m' }, /^timeout: /],
    ['leads nowhere', { unreachable: true }, /^unreachable: the Policy Authority cannot be reached: /],
    ['cuts answers off', { truncated: true }, /^(refused: LIMIT_EXCEEDED|refused: |empty: )/],
    ['changes bits', { corrupted: true }, /^refused: /],
    ['wants a person to sign in', { captivePortal: true }, /^content-type: /],
    ['redirects', { redirected: true }, /^redirected: /],
    ['gives a byte a second', { drip: { bytes: '1B', every: '1s' } }, /^timeout: /],
    ['gives more than anybody takes', { oversize: '1MiB' }, /^too-large: /],
    ['gives the oldest bundles again', { replayed: true }, /^refused: BUNDLE_ROLLBACK: /],
    ['gives the bundles of others', { otherMerchant: 'did:web:other.example' }, /^refused: BUNDLE_SCOPE_MISMATCH: /],
    ['has a storm of 503', { status: { code: 503, retryAfter: '10m' } }, /^http-status: .*503/],
    ['gives bundles of a stranger', { forged: 'stranger' }, /^refused: TRUST_BUNDLE_SIGNATURE_INVALID: /],
    ['puts a key into bundles', { forged: 'altered' }, /^refused: TRUST_BUNDLE_SIGNATURE_INVALID: /],
    ['shows a certificate that has expired', { wrongCertificate: 'expired' }, NOT_ITS_SERVER],
    ['shows a certificate of a time to come', { wrongCertificate: 'not-yet-valid' }, NOT_ITS_SERVER],
    ['shows a certificate of its own making', { wrongCertificate: 'self-signed' }, NOT_ITS_SERVER],
    ['shows a certificate of another host', { wrongCertificate: 'other-host' }, NOT_ITS_SERVER],
  ])('%s gets no bundle in, and takes no payment away', async (_, fault, reason) => {
    const run = await ran(fault);
    expect([...failures(run)]).toContainEqual(expect.stringMatching(reason));
    expect(run.result.approved).toBe(run.result.payments);
  });

  it('keeps old answers gives nothing fresher while it does', async () => {
    const { events } = await ran({ stale: true });
    const during = events.filter(
      ({ event, ms }) => event === 'bundle.admitted' && ms > 2.6 * 3_600_000 && ms < 4 * 3_600_000,
    );
    expect(new Set(during.map(({ bundleId }) => bundleId)).size).toBeLessThanOrEqual(1);
  });

  it('fails now and then delays, and does not keep a bundle away', async () => {
    const run = await ran({ lost: true, share: 0.5 });
    expect(failures(run).size).toBeGreaterThan(0);
  });

  it('loses what the operator answers has receipts handed in again', async () => {
    const run = await ran({ lost: true, to: 'operator' });
    expect([...failures(run, 'upload.failed')]).toContainEqual(expect.stringContaining('unanswered'));
    expect(failures(run).size).toBe(0);
  });
});

describe('a clock that', () => {
  it.each([
    ['is ahead', { clockAhead: '30d' }],
    ['is behind', { clockBehind: '2d' }],
    ['says 1970', { clockReset: true }],
  ])('%s is set right by the next answer of a server', async (_, fault) => {
    const { events } = await ran(fault);
    expect(events.filter(({ event }) => event === 'clock.set').at(-1)).toMatchObject({ aheadMs: 0 });
  });

  it('is so far ahead that by it no server’s certificate is good is set by a time server first', async () => {
    const run = await ran({ clockAhead: '90d' });
    expect([...failures(run)]).toEqual([expect.stringMatching(NOT_ITS_SERVER)]);
    expect(run.events.filter(({ event }) => event === 'clock.set').at(-1)).toMatchObject({ aheadMs: 0 });
  });

  it('says 1970 takes no payment until then', async () => {
    const { result } = await ran({ clockReset: true }, (scenario) => {
      scenario.links = [{ devices: 'gate-1', pattern: { outage: { at: '2h', for: '1h' } } }];
    });
    expect(result.refused).toHaveProperty('CLOCK_UNTRUSTED');
  });

  it('drifts is set right again and again', async () => {
    const { events } = await ran({ clockDrift: { ppm: 20_000 } });
    expect(events.filter(({ event }) => event === 'clock.set').length).toBeGreaterThan(1);
  });

  it('was never set believes a time server that lies, until a server is reached', async () => {
    const { events } = await ran({ timeServerAhead: '30d' }, (scenario) => {
      scenario.hardware = { clockBattery: false };
      (scenario.faults as object[]).push({ devices: 'gate-1', at: '2h', for: '10m', powerCuts: { rate: '1/m' } });
    });
    const set = events
      .filter(({ event, ms }) => event === 'clock.set' && ms >= 2 * 3_600_000)
      .map(({ aheadMs }) => aheadMs);
    expect(set[0]).toBe(30 * 86_400_000);
    expect(set.at(-1)).toBe(0);
  });

  it('nobody sets takes no payment', async () => {
    const { result } = await ran({ noTimeServer: true }, (scenario) => {
      scenario.hardware = { clockBattery: false };
      (scenario.faults as object[]).push({ devices: 'gate-1', at: '2h', for: '10m', powerCuts: { rate: '1/m' } });
    });
    expect(result.refused).toHaveProperty('CLOCK_UNTRUSTED');
  });
});

describe('a device', () => {
  it.each([
    ['whose ledger cannot be read', { partition: 'ledger', what: 'reads-fail' }],
    ['whose journal cannot be written', { partition: 'journal', what: 'read-only' }],
  ])('%s takes no payment, and goes on when it can', async (_, flash) => {
    const { result } = await ran({ flash });
    expect(result.refused).toHaveProperty('STORE_FAILED');
    expect(result.approved).toBeGreaterThan(5);
  });

  it('whose bundles cannot be written pays on those it has', async () => {
    const run = await ran({ flash: { partition: 'bundles', what: 'read-only' } });
    expect([...failures(run)]).toContainEqual(expect.stringContaining('STORE_FAILED'));
    expect(run.result.approved).toBe(run.result.payments);
  });

  describe('with bad blocks', () => {
    /** A ledger of four blocks: two have to be good. */
    const small = (scenario: { [member: string]: unknown }) => {
      scenario.hardware = { ledger: '16KiB', journal: '64KiB' };
      scenario.arrivals = [{ ...(scenario.arrivals as object[])[0], pattern: { every: '8m' } }];
    };
    const flash = (blocks: number) => ({ flash: { partition: 'ledger', what: 'bad-block', blocks } });

    it('in its ledger goes on with the others', async () => {
      const { result } = await ran(flash(1), small);
      expect(result.approved).toBe(result.payments);
    });

    it('and too few others takes no payment, and goes on when it can', async () => {
      const { result, events } = await ran(flash(3), small);
      expect(Object.keys(result.refused)).toEqual([expect.stringMatching(/^STORE_/)]);
      const refused = events.filter(({ answer }) => answer === 'refused').map(({ ms }) => ms);
      expect([Math.min(...refused) > 2 * 3_600_000, Math.max(...refused) < 4 * 3_600_000]).toEqual([true, true]);
    });
  });

  it.each([
    ['between its flash operations', false],
    ['in the middle of them', true],
  ])('that loses power %s loses no approval', async (_, torn) => {
    const { events } = await ran({ powerCuts: { rate: '1/m', ...(torn ? { torn } : { off: '20s' }) } });
    expect(events.filter(({ event }) => event === 'device.power-lost').length).toBeGreaterThan(2);
  });
});
