// Brokers that lie, and servers that pose as one, over real sockets: a device goes on selling, asks no more often than it may, and
// tells its password to nobody else.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { REFRESH_URGENT_MOST } from '../../../core/limits.ts';
import { DAY_BEGINS_MS, DAY_MS } from '../../../host-sim/day/scene.ts';
import { EmergencyFleet, type FleetDevice } from '../../../host-sim/emergency/fleet.ts';
import { type CertificateParts, certified, keyPair, type Party } from '../../fixtures/server-certificates.ts';

const PAIR = keyPair('rsa', 65_537, 2048);
const STRANGER = keyPair('rsa', 65_537, 2048);
const OWN = certified(PAIR, { names: ['127.0.0.1'] });
/** What a broker of another key shows, valid around the time of the devices. */
const shows = (parts: CertificateParts, by = PAIR.privateKey) =>
  certified(
    STRANGER,
    {
      names: ['127.0.0.1'],
      from: new Date(DAY_BEGINS_MS - DAY_MS),
      to: new Date(DAY_BEGINS_MS + DAY_MS),
      ...parts,
    },
    by,
  );
const CONNACK = [0x20, 2, 0, 0];
const SUBACK = [0x90, 3, 0, 1, 0];
const message = (topic: string, flags = 0) => [0x30 | flags, 2 + topic.length, 0, topic.length, ...Buffer.from(topic)];

let fleet: EmergencyFleet;
let server: Server | undefined;
const sockets: TLSSocket[] = [];
afterEach(async () => {
  await fleet.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
});

/** A device whose broker sends what a test likes. @returns it, and what the broker got */
async function subscribed(
  lies: (socket: TLSSocket) => void,
  shown: Party = OWN,
  pinned = shown.certificate,
): Promise<{ readonly device: FleetDevice; readonly got: Buffer[] }> {
  const got: Buffer[] = [];
  const pem = (der: Uint8Array) =>
    `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
  const key = shown.key.export({ type: 'pkcs8', format: 'pem' });
  const listening = createServer({ key, cert: pem(shown.certificate) }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => got.push(bytes));
    lies(socket);
  });
  server = listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  fleet = new EmergencyFleet({ devices: 1, everyMs: 10 });
  await fleet.open();
  fleet.start({ host: '127.0.0.1', port: (listening.address() as AddressInfo).port, topic: 'mpcp/refresh' }, pinned);
  const [device] = fleet.devices as [FleetDevice];
  await fleet.until('supplied', (one) => one.count('refresh.done') > 0);
  return { device, got };
}

const sells = async (device: FleetDevice) => device.pay(await fleet.payment()).ok;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Lets it in and subscribe. */
const lets = (socket: TLSSocket) => {
  socket.once('data', () => {
    socket.write(Uint8Array.from(CONNACK));
    socket.once('data', () => socket.write(Uint8Array.from(SUBACK)));
  });
};

describe('attack: a broker', () => {
  it.each([
    ['of no MQTT', [...Buffer.from('HTTP/1.1 200 OK\r\n'.repeat(10))]],
    ['of lengths without end', [0x30, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['of answers to nothing', [...CONNACK, ...CONNACK, ...CONNACK]],
    ['that refuses', [0x20, 2, 0, 5]],
    ['that grants no subscription', [...CONNACK, 0x90, 3, 0, 1, 0x80]],
  ])('%s is left, and the device sells', async (_, bytes) => {
    const { device } = await subscribed((socket) => socket.write(Uint8Array.from(bytes)));
    await fleet.until('gone from it', (one) => one.count('mqtt.failed') > 0);
    expect([await sells(device), device.count('refresh.urgent')]).toEqual([true, 0]);
  });

  it('that never ends a message of 200 MB is left when it does not answer a ping, and nothing of it is kept', async () => {
    const { device } = await subscribed((socket) => {
      lets(socket);
      const more = () => {
        if (!socket.destroyed) socket.write(new Uint8Array(65_536), () => setTimeout(more, 1));
      };
      setTimeout(() => {
        socket.write(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f));
        more();
      }, 50);
    });
    await fleet.until('subscribed', (one) => one.count('mqtt.subscribed') > 0);
    const before = process.memoryUsage().arrayBuffers;
    await wait(200);
    for (let i = 0; i < 3; i++) {
      device.clock.leap(61_000);
      await wait(40);
    }
    const failed = device.events.find(({ event }) => event === 'mqtt.failed');
    expect(failed?.detail).toBe('the broker is silent');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    expect([await sells(device), device.count('refresh.urgent')]).toEqual([true, 0]);
  });

  it('that sends 20 000 messages, on any topic, gets no more requests out of a device than are believed', async () => {
    let flood = () => {};
    const { device } = await subscribed((socket) => {
      lets(socket);
      const one = [...message('mpcp/refresh'), ...message('a/strangers/topic'), ...message('mpcp/refresh', 1)];
      const many = Buffer.concat(Array.from({ length: 1000 }, () => Uint8Array.from(one)));
      flood = () => void socket.write(many);
    });
    await fleet.until('subscribed', (one) => one.count('mqtt.subscribed') > 0);
    const before = device.count('refresh.begin');
    // On a busy machine the first may come late.
    for (let i = 0; i < 10 || (i < 200 && device.count('refresh.begin') === before); i++) {
      flood();
      await wait(30);
      device.clock.leap(61_000);
      await wait(60);
    }
    const asked = device.count('refresh.begin') - before;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(REFRESH_URGENT_MOST + 1);
    expect(device.count('refresh.urgent')).toBeLessThan(2 * REFRESH_URGENT_MOST);
    expect(await sells(device)).toBe(true);
  });

  it('that keeps messages for whoever comes says no news by them', async () => {
    const { device } = await subscribed((socket) => {
      lets(socket);
      setTimeout(() => socket.write(Uint8Array.from(message('mpcp/refresh', 1))), 50);
    });
    await fleet.until('subscribed', (one) => one.count('mqtt.subscribed') > 0);
    await wait(150);
    expect([device.count('refresh.urgent'), device.count('mqtt.failed')]).toEqual([0, 0]);
  });

  it.each<[string, Party, boolean]>([
    ['with a certificate of its own', shows({}, STRANGER.privateKey), false],
    ['for another host, though signed by the one that is known', shows({ names: ['10.0.0.1'] }), false],
    ['whose certificate is over by the clock of the device', shows({ to: new Date(DAY_BEGINS_MS) }), false],
    [
      'whose certificate is of a time to come by the clock of the device',
      shows({ from: new Date(DAY_BEGINS_MS + DAY_MS / 2) }),
      false,
    ],
    ['signed by the one that is known, for this host, and valid by the clock of the device', shows({}), true],
  ])('%s: whether it is told the password', async (_, party, isTold) => {
    const { device, got } = await subscribed(lets, party, OWN.certificate);
    await fleet.until('done with it', (one) => one.count('mqtt.failed') + one.count('mqtt.subscribed') > 0);
    expect(Buffer.concat(got).includes('mpcp_key-of-charger-0001')).toBe(isTold);
    expect(got.length > 0).toBe(isTold);
    expect(await sells(device)).toBe(true);
  });
});
