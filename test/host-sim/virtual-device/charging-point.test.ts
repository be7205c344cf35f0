// A virtual charger's sessions: the core's, for what each payer reserves, with the terms of the sample's firmware.

import { describe, expect, it } from 'vitest';
import { TERMS } from '../../../device/charger/terms.ts';
import {
  ChargingPoint,
  PULSES_OF_ALL,
  SESSION_IDLE_MS,
  SESSION_LONGEST_MS,
} from '../../../host-sim/virtual-device/charging-point.ts';
import { present, sba } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';

function station() {
  const device = new Device();
  const relay: string[] = [];
  const moves = { close: () => void relay.push('close'), open: () => void relay.push('open') };
  return { device, relay, point: new ChargingPoint({ verifier: device.verifier, relay: moves }) };
}

const payment = (budgetId = 'budget-1') => present({ idempotencyKey: undefined, sba: sba({ budgetId }) });

describe('a charging point', () => {
  it('reserves what the payer says, and settles the part of it that its meter has counted', () => {
    const { point, relay } = station();
    expect(point.begin(payment(), '1000', 0)).toMatchObject({ ok: true, amountMinor: '1000' });
    expect(point.tick(PULSES_OF_ALL / 4, 1000)).toBeUndefined();
    const end = { kind: 'ended', why: 'stopped', amountMinor: '750', closing: { ok: true, amountMinor: '750' } };
    expect(point.stop(PULSES_OF_ALL / 2, 2000)).toMatchObject(end);
    expect(relay).toEqual(['close', 'open']);
  });

  it('is for the next driver what the next one reserves', () => {
    const { point } = station();
    point.begin(payment(), '1000', 0);
    point.stop(PULSES_OF_ALL, 1000);
    expect(point.begin(payment('budget-2'), '400', 2000)).toMatchObject({ ok: true, amountMinor: '400' });
    expect(point.stop(PULSES_OF_ALL / 2, 3000)).toMatchObject({ amountMinor: '200' });
  });

  it('is busy for others as long as a session is under way, and nothing of theirs is reserved', () => {
    const { point, device } = station();
    expect(point.busy).toBeUndefined();
    point.begin(payment(), '1000', 0);
    expect(point.busy).toMatchObject({ code: 'DEVICE_BUSY' });
    expect(point.begin(payment('budget-2'), '1000', 1000)).toMatchObject({ ok: false, code: 'DEVICE_BUSY' });
    expect(device.verifier.openReservations()).toHaveLength(1);
    point.stop(0, 2000);
    expect(point.busy).toBeUndefined();
  });

  it('is busy until the store has taken an end', () => {
    const { point, device } = station();
    point.begin(payment(), '1000', 0);
    device.flash.fail('program');
    expect(point.stop(0, 1000)).toMatchObject({ kind: 'unsettled', closing: { code: 'STORE_FAILED' } });
    expect(point.busy).toMatchObject({ code: 'DEVICE_BUSY' });
  });

  it('sells nothing for what is no amount, and goes on', () => {
    const { point, relay } = station();
    for (const amountMinor of ['0', '1.5', '9'.repeat(60)])
      expect(point.begin(payment(), amountMinor, 0)).toMatchObject({ ok: false });
    expect([relay, point.busy]).toEqual([[], undefined]);
    expect(point.begin(payment(), '1000', 0)).toMatchObject({ ok: true });
  });

  it("idles, and lasts, as long as the sample's does", () => {
    expect([SESSION_IDLE_MS, SESSION_LONGEST_MS]).toEqual([TERMS.idleMs, TERMS.longestMs]);
  });
});
