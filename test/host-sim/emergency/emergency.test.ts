// An emergency refresh, whole: the operator tells a real broker, and devices fetch over real sockets and refuse the revoked key.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REFRESH_URGENT_EACH_MS, REFRESH_URGENT_MOST } from '../../../core/limits.ts';
import { Mosquitto, whyNoBroker } from '../../../host-sim/broker/mosquitto.ts';
import { EmergencyFleet, type FleetDevice } from '../../../host-sim/emergency/fleet.ts';
import { certificate } from '../../fixtures/provisioning.ts';

const why = whyNoBroker();
const DEVICES = 25;

describe.skipIf(why !== undefined)(`over a real broker${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let fleet: EmergencyFleet;
  let broker: Mosquitto;
  beforeAll(async () => {
    fleet = new EmergencyFleet({ devices: DEVICES, everyMs: 20 });
    broker = await Mosquitto.start(fleet.passwords);
  });
  afterAll(() => broker?.close());
  afterEach(() => fleet.close());

  /** A fleet that is subscribed, or so many of it. */
  async function started(devices = DEVICES, pinned = broker.certificate, passwords = fleet.passwords): Promise<void> {
    fleet = new EmergencyFleet({ devices, everyMs: 20 });
    await fleet.open();
    const { host, port, topic } = broker;
    fleet.start({ host, port, topic }, pinned, new Map([...passwords].slice(0, devices)));
  }

  const detail = (device: FleetDevice) => device.events.find(({ event }) => event === 'mqtt.failed')?.detail;

  it(`reaches ${DEVICES} devices: all that are connected refuse the stolen key, one that is not has it when it is back`, async () => {
    await started();
    await fleet.ready();
    const before = await fleet.payment();
    for (const device of fleet.devices) expect(device.pay(before)).toMatchObject({ ok: true });
    const [away, ...connected] = fleet.devices as [FleetDevice, ...FleetDevice[]];
    for (const device of connected) device.isSpread = false;
    away.online.charger.link.set(false);
    await fleet.revoke();
    const stolen = await fleet.payment();
    await broker.publish();
    await fleet.refused(stolen, connected);
    for (const device of connected) expect(device.count('refresh.urgent')).toBe(1);
    expect(connected.map((device) => device.pay(stolen))).toEqual(
      connected.map(() => expect.objectContaining({ ok: false, code: 'KEY_REVOKED' })),
    );
    // Who has not heard of it cannot know.
    expect(away.pay(stolen)).toMatchObject({ ok: true });
    away.online.charger.link.set(true);
    await fleet.until('back', (device) => device.count('mqtt.subscribed') === 2, [away]);
    fleet.pass(REFRESH_URGENT_EACH_MS);
    await fleet.refused(await fleet.payment(), [away]);
  });

  it('attack: a storm of messages leads to as many requests as are believed', async () => {
    await started(1);
    await fleet.ready();
    const [device] = fleet.devices as [FleetDevice];
    const before = device.count('refresh.begin');
    for (let i = 0; i < 8; i++) {
      await broker.publish('now!', { times: 50 });
      // All of them came before the next one, which the broker has behind them.
      fleet.pass(60_000);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    const asked = device.count('refresh.begin') - before;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(REFRESH_URGENT_MOST + 1);
  });

  it('attack: a message that the broker keeps, and one on another topic, are no news', async () => {
    await broker.publish('kept', { isKept: true });
    await broker.publish('other', { topic: 'mpcp/other' });
    await started(1);
    await fleet.ready();
    await broker.publish('other', { topic: 'mpcp/other' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const [device] = fleet.devices as [FleetDevice];
    expect(device.count('refresh.urgent')).toBe(0);
    await broker.publish();
    await fleet.until('told', ({ times }) => times.toldMs !== undefined);
    await broker.publish('', { isKept: true });
  });

  it('attack: a device with another password is refused, and tries again later each time', async () => {
    await started(1, broker.certificate, new Map([['charger-0001', 'mpcp_guessed']]));
    await fleet.until('refused', (device) => device.count('mqtt.failed') > 0);
    const [device] = fleet.devices as [FleetDevice];
    fleet.pass(10_000);
    await fleet.until('refused again', (one) => one.count('mqtt.failed') > 1);
    fleet.pass(9000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([detail(device), device.count('mqtt.failed')]).toEqual(['the broker refuses the device', 2]);
    // It has its bundles all the same.
    expect(device.pay(await fleet.payment())).toMatchObject({ ok: true });
  });

  it('attack: a broker with another certificate is told nothing', async () => {
    await started(1, certificate());
    await fleet.until('disappointed', (device) => device.count('mqtt.failed') > 0);
    const [device] = fleet.devices as [FleetDevice];
    expect(detail(device)).toContain('is not one that is provisioned, nor signed by it');
    expect(device.count('mqtt.subscribed')).toBe(0);
  });

  it('a broker that is gone for a while: the fleet is subscribed again, and what was said to nobody is asked for', async () => {
    await started(3);
    await fleet.ready();
    await fleet.revoke();
    await broker.pause();
    await fleet.until('disconnected', (device) => device.count('mqtt.failed') > 0);
    await broker.resume();
    fleet.pass(60_000);
    await fleet.until('subscribed again', (device) => device.count('mqtt.subscribed') > 1);
    fleet.pass(REFRESH_URGENT_EACH_MS);
    await fleet.refused(await fleet.payment());
  });
});
