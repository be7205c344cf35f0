// A charger's hands: pulses that come while it is at work.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Charger } from '../../../device/charger/charger.ts';
import { present, sba } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';
import { pins, stuck } from '../sdk/io-digital.ts';
import { clearAll, pass } from '../sdk/timer.ts';

const WIRING = { kind: 'charger', relay: 4, active: 'high', meter: 5 } as const;
/** A pulse costs 100; what is reserved is spent after ten. */
const TERMS = { pricePerKwhMinor: '1000', pulsesPerKwh: 10, reserveMinor: '1000', idleMs: 1e6, longestMs: 1e7 };

/** What the chip has counted. */
let counted = 0;
let begun: readonly unknown[] = [];
const events: string[] = [];

function charger(wiring: object = {}, device = new Device()): Charger {
  return new Charger({
    verifier: device.verifier,
    wiring: { ...WIRING, ...wiring },
    terms: TERMS,
    now: () => 0,
    log: { emit: ({ event }) => events.push(event) },
  });
}

/** A chip that counts pulses itself. */
function countsItself(): void {
  vi.stubGlobal('MPCP_NATIVE', true);
  vi.stubGlobal('native', (name: string) => (...given: readonly unknown[]) => {
    if (name === 'xs_mpcp_pulses') return counted | 0;
    begun = given;
    return given[0] !== 39;
  });
}

const budget = (n: number) => present({ sba: sba({ budgetId: `budget-${n}` }), idempotencyKey: undefined });

beforeEach(() => {
  vi.stubGlobal('MPCP_NATIVE', false);
  pins.clear();
  stuck.clear();
  counted = 0;
  events.length = 0;
});
afterEach(() => {
  clearAll();
  vi.unstubAllGlobals();
});

describe('pulses that the chip counts', () => {
  beforeEach(() => countsItself());

  it('are all there, however many came while the engine was at work', () => {
    const one = charger();
    expect(begun).toEqual([5, 20_000]);
    one.present(budget(1));
    counted += 4;
    pass(100);
    expect(one.session.pulses).toBe(4);
  });

  it('are looked at before a session is settled', () => {
    const one = charger();
    one.present(budget(1));
    counted += 3;
    expect(one.stop()).toMatchObject({ kind: 'ended', amountMinor: '300' });
  });

  it('that came before a session are nobody’s', () => {
    const one = charger();
    counted += 3;
    one.present(budget(1));
    expect([one.session.pulses, events]).toEqual([0, ['energy.unpaid']]);
  });

  it('end a session for what was reserved, of which more is not charged', () => {
    const one = charger();
    one.present(budget(1));
    counted += 25;
    pass(100);
    expect([one.session.state, one.session.dueMinor, pins.get(4)?.level]).toEqual(['idle', '1000', 0]);
  });

  it('are counted on where 32 bits begin anew', () => {
    counted = 0x7fff_fffe;
    const one = charger();
    pass(100);
    one.present(budget(1));
    counted += 5;
    pass(100);
    expect(one.session.pulses).toBe(5);
  });

  it('cannot be had on every pin: the charger does not start', () => {
    expect(() => charger({ meter: 39 })).toThrow('no pulses on pin 39');
  });
});

describe('the button of a charger', () => {
  function press(): void {
    for (const level of [1, 0]) pins.get(6)?.drive(level);
    pass(30);
  }

  it('buzzes long where it ends nothing, as while a payment waits for its issuer', () => {
    const one = charger({ stop: 6, buzzer: 3 });
    press();
    pass(799);
    expect(pins.get(3)?.level).toBe(1);
    pass(1);
    one.present(budget(1));
    press();
    expect([one.session.state, pins.get(3)?.level]).toEqual(['idle', 0]);
  });
});

describe('a charger whose LED and buzzer are broken', () => {
  it('sells all the same, from the payment to the end of the session', () => {
    const one = charger({ led: 2, buzzer: 3 });
    for (const pin of [2, 3]) stuck.add(pin);
    const decision = one.present(budget(1));
    one.told(decision);
    expect([decision?.ok, pins.get(4)?.level]).toEqual([true, 1]);
    expect(one.stop()).toMatchObject({ kind: 'ended' });
    expect([pins.get(4)?.level, events]).toEqual([
      0,
      ['signal.failed', 'signal.failed', 'session.ended', 'signal.failed'],
    ]);
  });
});
