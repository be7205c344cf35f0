// A gate: it opens for a payment, once, for as long as its site says, and for nothing else.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Gate } from '../../../device/gate/gate.ts';
import { present } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';
import { pins, stuck } from '../sdk/io-digital.ts';
import { clearAll, pass } from '../sdk/timer.ts';

const events: string[] = [];

beforeEach(() => {
  pins.clear();
  stuck.clear();
  events.length = 0;
});
afterEach(() => clearAll());

const WIRING = { kind: 'gate', relay: 4, active: 'low', led: 2, buzzer: 3 } as const;

function gate(device = new Device(), terms = {}) {
  return new Gate({
    verifier: device.verifier,
    wiring: WIRING,
    terms: { fareMinor: '1000', openMs: 3000, ...terms },
    log: { emit: ({ event }) => events.push(event) },
  });
}

const relay = () => pins.get(4)?.levels;

describe('a gate', () => {
  it('opens for a payment, for as long as its site says', () => {
    const one = gate();
    expect(one.present(present())).toMatchObject({ ok: true, repeated: false });
    pass(2999);
    expect(relay()).toEqual([1, 0]);
    pass(1);
    expect(relay()).toEqual([1, 0, 1]);
  });

  it('stays shut for a refusal', () => {
    expect(gate(undefined, { fareMinor: '99999999999' }).present(present())).toMatchObject({ ok: false });
    expect(relay()).toEqual([1]);
  });

  it('never opens for the repeat of an answered request', () => {
    const one = gate();
    const again = present({ idempotencyKey: 'once' });
    one.present(again);
    pass(5000);
    expect(one.present(again)).toMatchObject({ ok: true, repeated: true });
    expect(relay()).toEqual([1, 0, 1]);
  });

  it('stays shut where the store fails', () => {
    const device = new Device();
    device.flash.fail('program');
    expect(gate(device).present(present())).toMatchObject({ ok: false, code: 'STORE_FAILED' });
    expect(relay()).toEqual([1]);
  });

  it('that does not move has sold the ride all the same: the rider is told so, and the log that it did not move', () => {
    const device = new Device();
    const one = gate(device);
    stuck.add(4);
    const decision = one.present(present());
    expect(decision).toMatchObject({ ok: true, relay: 'failed' });
    expect([events, relay()]).toEqual([['relay.failed'], [1]]);
    one.told(decision);
    pass(799);
    expect(pins.get(3)?.level).toBe(1);
  });

  it('that does not shut is told to until it does', () => {
    const one = gate();
    one.present(present());
    stuck.add(4);
    pass(4000);
    expect(relay()).toEqual([1, 0]);
    stuck.clear();
    pass(100);
    expect(relay()).toEqual([1, 0, 1]);
  });

  it('opens where its LED and its buzzer are broken', () => {
    const one = gate();
    for (const pin of [2, 3]) stuck.add(pin);
    const decision = one.present(present());
    one.told(decision);
    expect([decision, relay()]).toMatchObject([{ ok: true }, [1, 0]]);
    expect(events).toEqual(['signal.failed', 'signal.failed']);
  });

  it('buzzes long for a refusal, short for a payment', () => {
    const one = gate();
    one.told(one.present(present()));
    pass(150);
    expect(pins.get(3)?.levels).toEqual([0, 1, 0]);
    one.told(one.present(present()));
    pass(799);
    expect(pins.get(3)?.level).toBe(1);
  });
});
