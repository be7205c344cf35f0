// The ready scenarios, each with its own seed: no rule is broken, everything is handed in, and each is about what its name says.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../host-sim/simulation/run.ts';
import type { TraceEvent } from '../../../host-sim/simulation/trace.ts';
import { run } from '../cli/run.ts';

const folder = fileURLToPath(new URL('../../../host-sim/scenarios/', import.meta.url));
const HOUR = 3_600_000;

interface Ran {
  readonly result: RunResult;
  readonly events: readonly TraceEvent[];
}

async function ran(name: string): Promise<Ran> {
  const { code, stdout, stderr } = await run('sim', 'run', `${folder}${name}.yaml`, '--json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const result = lines.pop();
  expect([code, stderr, result.unmet, result.violation]).toEqual([0, '', [], undefined]);
  expect(result.acknowledged).toBe(result.approved);
  return { result, events: lines };
}

const paid = (events: readonly TraceEvent[], payer: string) =>
  events.filter((one) => one.event === 'payment' && String(one.payer).startsWith(payer));

const SCENARIOS: { readonly [name: string]: (ran: Ran) => void } = {
  'charging-park': ({ result, events }) => {
    expect(result.approved).toBe(result.payments);
    const offline = events.filter(({ event, ms }) => event === 'payment' && ms > 12 * HOUR && ms < 13 * HOUR);
    expect(offline.length).toBeGreaterThan(10);
  },
  'charging-sessions': ({ result, events }) => {
    const of = (name: string) => events.filter(({ event }) => event === name);
    expect(of('session.ended').length).toBeLessThan(result.settled as number);
    const ends = [...of('payment.settle'), ...of('payment.release')].filter(({ ok }) => ok);
    expect(result.settled).toBeGreaterThanOrEqual(ends.length);
    expect(of('reservation.left').length).toBeGreaterThan(2);
    // What was left open was settled at the start after, in full.
    expect(of('payment.settle').filter(({ amountMinor }) => amountMinor === '40000000').length).toBeGreaterThan(2);
    expect(events.some(({ event, decided }) => event === 'payment' && decided === 'approved')).toBe(true);
  },
  'fleet-day': ({ result, events }) => {
    expect([result.payments, result.approved]).toEqual([200, 200]);
    const at = events.filter(({ event }) => event === 'payment').map(({ device }) => device);
    for (const device of new Set(at)) expect(at.filter((one) => one === device)).toHaveLength(20);
  },
  'transit-rush': ({ result, events }) => {
    expect([result.payments, result.approved]).toEqual([560, 560]);
    const table = readFileSync(new URL('../../../manifests/partitions/4mb-gate.csv', import.meta.url), 'utf8');
    const bytes = (name: string) =>
      Number(
        table
          .split('\n')
          .find((line) => line.startsWith(name))
          ?.split(',')[4],
      );
    const scenario = readFileSync(`${folder}transit-rush.yaml`, 'utf8');
    const [ledger, journal] = [bytes('mpcp_ledger') / 1024, bytes('mpcp_journal') / 1024];
    expect(scenario).toContain(`hardware: { ledger: ${ledger}KiB, journal: ${journal}KiB }`);
    expect(events.some(({ event }) => event === 'upload.failed')).toBe(true);
  },
  'rural-meter': ({ result, events }) => {
    expect(events.filter(({ event }) => event === 'device.power-lost').length).toBeGreaterThan(10);
    expect(Object.keys(result.refused)).toEqual(['CLOCK_UNTRUSTED']);
  },
  'root-rotation': ({ result, events }) => {
    expect(events.filter(({ event }) => event === 'device.provisioned')).toHaveLength(20);
    const after = events.filter(({ event, ms }) => event === 'bundle.admitted' && ms > 6 * 24 * HOUR);
    expect(new Set(after.map(({ device }) => device)).size).toBe(10);
    expect(result.refused).toEqual({});
  },
  'signer-compromise': ({ events }) => {
    const taken = paid(events, 'thieves').filter(({ answer, ms }) => answer === 'approved' && ms > 8 * HOUR + 60_000);
    // Those that were offline, until they are back.
    expect(taken.length).toBeGreaterThan(0);
    for (const { device, ms } of taken) {
      expect(['park-1', 'park-2']).toContain(device);
      expect(ms).toBeLessThan(12 * HOUR + 60_000);
    }
    expect(paid(events, 'cars').every(({ answer }) => answer === 'approved')).toBe(true);
  },
  'revoked-grant': ({ events }) => {
    const taken = paid(events, 'lost').filter(({ answer, ms }) => answer === 'approved' && ms > 4 * HOUR + 60_000);
    expect(taken.length).toBeGreaterThan(5);
    expect(taken.every(({ device, ms }) => String(device).startsWith('offline') && ms < 16 * HOUR + 60_000)).toBe(true);
    expect(paid(events, 'honest').every(({ answer }) => answer === 'approved')).toBe(true);
  },
  exposure: ({ events }) => {
    for (const [payer, revokedMs] of [
      ['lost', 24 * HOUR],
      ['thieves', 30 * HOUR],
    ] as const) {
      const taken = paid(events, payer).filter(({ answer, ms }) => answer === 'approved' && ms > revokedMs);
      expect(taken.length).toBeGreaterThan(5);
      // Six hours without an urgent message, and what a link keeps a device from asking.
      expect(taken.every(({ ms }) => ms < revokedMs + 9 * HOUR)).toBe(true);
    }
  },
  'clock-attack': ({ events }) => {
    const late = events.filter(({ hostile }) => hostile === 'late');
    expect(late.length).toBeGreaterThan(50);
    expect(events.filter(({ event, aheadMs }) => event === 'clock.set' && aheadMs !== 0).length).toBeGreaterThan(1);
  },
  'power-cut-storm': ({ events }) => {
    expect(events.filter(({ event }) => event === 'device.power-lost').length).toBeGreaterThan(100);
    const torn = events.filter(
      ({ event, detail }) => event === 'device.power-lost' && /flash operation/.test(String(detail)),
    );
    expect(torn.length).toBeGreaterThan(50);
    // Power went between the record and the answer, and the payer came again.
    expect(events.some(({ answer, hostile }) => answer === 'repeated' && hostile === undefined)).toBe(true);
  },
};

describe('the ready scenario', () => {
  it.each(Object.entries(SCENARIOS))('%s', async (name, check) => check(await ran(name)));

  it('files are all of these', () => {
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(SCENARIOS)
        .map((name) => `${name}.yaml`)
        .sort(),
    );
  });
});
