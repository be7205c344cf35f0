// A meter: each payment buys a period, periods follow on each other, and the output is on while there is time left.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Meter } from '../../../device/meter/meter.ts';
import { present, sba } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';
import { pins, stuck } from '../sdk/io-digital.ts';
import { clearAll } from '../sdk/timer.ts';

beforeEach(() => {
  pins.clear();
  stuck.clear();
});
afterEach(() => clearAll());

let now = 0;
const HOUR = 3_600_000;

function meter(device = new Device()) {
  now = 10;
  return new Meter({
    verifier: device.verifier,
    wiring: { kind: 'meter', relay: 4, active: 'high' },
    terms: { priceMinor: '1000', periodMs: HOUR, longestMs: 2 * HOUR },
    now: () => now,
    log: { emit: () => {} },
  });
}

const budget = (n: number) => present({ sba: sba({ budgetId: `budget-${n}` }), idempotencyKey: undefined });
const level = () => pins.get(4)?.level;

describe('a meter', () => {
  it('is on for the period that was paid', () => {
    const one = meter();
    expect(level()).toBe(0);
    expect(one.present(budget(1))).toMatchObject({ ok: true });
    now += HOUR - 1;
    one.tick();
    expect([level(), one.leftMs]).toEqual([1, 1]);
    now += 1;
    one.tick();
    expect([level(), one.leftMs]).toEqual([0, 0]);
  });

  it('adds a period that is bought before the last one has ended', () => {
    const one = meter();
    one.present(budget(1));
    now += HOUR / 2;
    one.present(budget(2));
    expect(one.leftMs).toBe(HOUR * 1.5);
  });

  it('that does not go off is told to until it does: nothing is on for nothing', () => {
    const one = meter();
    one.present(budget(1));
    now += HOUR;
    stuck.add(4);
    one.tick();
    expect(level()).toBe(1);
    stuck.clear();
    one.tick();
    expect(level()).toBe(0);
  });

  it('that does not go on has sold the period all the same, and says so', () => {
    const one = meter();
    stuck.add(4);
    expect(one.present(budget(1))).toMatchObject({ ok: true, relay: 'failed' });
    expect(one.leftMs).toBe(HOUR);
  });

  it('sells no more time than its site says, and charges nothing then', () => {
    const device = new Device();
    const one = meter(device);
    one.present(budget(1));
    one.present(budget(2));
    const before = device.state();
    expect(one.present(budget(3))).toBeUndefined();
    expect([device.state(), one.leftMs]).toEqual([before, 2 * HOUR]);
  });

  it('sells nothing for a refusal, and nothing for a repeat', () => {
    const one = meter();
    const again = present({ idempotencyKey: 'once' });
    one.present(again);
    expect(one.present(again)).toMatchObject({ ok: true, repeated: true });
    expect(one.leftMs).toBe(HOUR);
    expect(one.present(present({ sba: undefined }))).toMatchObject({ ok: false });
    expect(one.leftMs).toBe(HOUR);
  });
});
