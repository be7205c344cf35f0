// A broker's messages, and what else a broker can send.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UrgentTopic } from '../../../device/network/mqtt.ts';
import { certificate } from '../../fixtures/provisioning.ts';
import { lastSocket, sockets } from '../sdk/io-tcp.ts';
import { rememberAll } from '../sdk/net.ts';
import { opened, server } from '../sdk/ssl-session.ts';
import { clearAll, pass } from '../sdk/timer.ts';

class Bench {
  now = 0;
  urgent = 0;
  readonly details: unknown[] = [];
  readonly topic = new UrgentTopic({
    host: 'broker.example',
    port: 8883,
    certificate: certificate(),
    deviceId: 'charger-7',
    password: 'mpcp_0123456789',
    topic: 'mpcp/refresh',
    monotonicMs: () => this.now,
    random: () => 0.5,
    log: { emit: ({ detail }) => void this.details.push(detail) },
    urgent: () => void this.urgent++,
  });

  seconds(count: number, linkUp = true): void {
    for (let i = 0; i < count; i++) {
      this.now += 1000;
      this.topic.tick(linkUp);
      pass(1000);
    }
  }

  /** Lets it in and subscribe. */
  subscribed(): this {
    this.seconds(1);
    const socket = lastSocket();
    socket.makeRoom(5000);
    socket.come(server.hello(certificate()));
    socket.come(server.finished());
    socket.makeRoom(5000);
    this.send(0x20, 2, 0, 0);
    this.send(0x90, 3, 0, 1, 0);
    return this;
  }

  send(...bytes: readonly number[]): void {
    lastSocket().come(server.data(Uint8Array.from(bytes)));
  }
}

const message = (flags = 0) => [0x30 | flags, 5, 0, 2, 0x61, 0x2f, 0x78];

beforeEach(() => {
  sockets.length = 0;
  rememberAll();
});
afterEach(() => clearAll());

describe('a subscription', () => {
  it('says who it is, under TLS, and what it wants to be told', () => {
    new Bench().subscribed();
    const told = opened(lastSocket().sent);
    for (const one of ['MQTT', 'charger-7', 'mpcp_0123456789', 'mpcp/refresh']) expect(told).toContain(one);
    expect(Buffer.from(lastSocket().sent).includes('mpcp_0123456789')).toBe(false);
  });

  it('is told by each message, however its bytes come, and not by one that was kept', () => {
    const bench = new Bench().subscribed();
    for (const byte of message()) bench.send(byte);
    bench.send(...message(), ...message());
    bench.send(...message(1));
    expect(bench.urgent).toBe(3);
  });

  it('keeps nothing of a message of megabytes', () => {
    const bench = new Bench().subscribed();
    bench.send(0x30, 0xff, 0xff, 0x7f);
    for (let i = 0; i < 300; i++) lastSocket().come(server.data(new Uint8Array(8000)));
    expect([bench.urgent, lastSocket().closed]).toEqual([1, false]);
  });

  it.each([
    ['refuses the device', [0x20, 2, 0, 5]],
    ['sends what is no MQTT', [0x30, 0xff, 0xff, 0xff, 0xff]],
  ])('ends where the broker %s, and is tried again later each time', (why, bytes) => {
    const bench = new Bench();
    bench.seconds(1);
    lastSocket().makeRoom(5000);
    lastSocket().come(server.hello(certificate()));
    lastSocket().come(server.finished());
    bench.send(...bytes);
    expect(bench.details).toEqual([`the broker ${why}`]);
    const before = sockets.length;
    bench.seconds(7);
    expect(sockets).toHaveLength(before);
    bench.seconds(2);
    expect(sockets).toHaveLength(before + 1);
  });

  it('pings, and gives up a broker that is silent', () => {
    const bench = new Bench().subscribed();
    bench.seconds(62);
    lastSocket().makeRoom(5000);
    expect(opened(lastSocket().sent).endsWith(Buffer.from([0xc0, 0]).toString())).toBe(true);
    bench.seconds(100);
    expect(bench.details).toContain('the broker is silent');
  });

  it('is over with the link, and there again with it', () => {
    const bench = new Bench().subscribed();
    bench.seconds(1, false);
    expect(lastSocket().closed).toBe(true);
    bench.seconds(1);
    expect(sockets).toHaveLength(2);
  });
});
