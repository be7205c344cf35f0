// The subscription to a broker on the SDK's sockets: under TLS, and with the broker alone.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UrgentTopic } from '../../../core/network/urgent-topic.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { connecting } from '../../../device/network/connection.ts';
import { certificate } from '../../fixtures/provisioning.ts';
import { lastSocket, sockets } from '../sdk/io-tcp.ts';
import { rememberAll } from '../sdk/net.ts';
import { opened, server } from '../sdk/ssl-session.ts';
import { clearAll, pass } from '../sdk/timer.ts';

const details: unknown[] = [];
let urgent = 0;
const log = { emit: ({ detail }: LogEvent) => void (detail !== undefined && details.push(detail)) };

/** One that has made its connection, and got so far that the broker has shown who it is. */
function shown(der = certificate()): void {
  const topic = new UrgentTopic({
    connect: connecting(log),
    host: 'broker.example',
    port: 8883,
    certificate: certificate(),
    deviceId: 'charger-7',
    password: 'mpcp_0123456789',
    topic: 'mpcp/refresh',
    monotonicMs: () => 0,
    random: () => 0.5,
    log,
    urgent: () => void urgent++,
    missed: () => {},
  });
  topic.tick(true, false);
  pass(1);
  lastSocket().makeRoom(5000);
  lastSocket().come(server.hello(der));
  lastSocket().come(server.finished());
  lastSocket().makeRoom(5000);
}

const send = (...bytes: readonly number[]) => lastSocket().come(server.data(Uint8Array.from(bytes)));

beforeEach(() => {
  sockets.length = 0;
  details.length = 0;
  urgent = 0;
  rememberAll();
});
afterEach(() => clearAll());

describe('a subscription', () => {
  it('says who it is, under TLS, and what it wants to be told', () => {
    shown();
    send(0x20, 2, 0, 0);
    send(0x90, 3, 0, 1, 0);
    send(0x30, 5, 0, 2, 0x61, 0x2f, 0x78);
    const told = opened(lastSocket().sent);
    for (const one of ['MQTT', 'charger-7', 'mpcp_0123456789', 'mpcp/refresh']) expect(told).toContain(one);
    expect(Buffer.from(lastSocket().sent).includes('mpcp_0123456789')).toBe(false);
    expect([urgent, details]).toEqual([1, []]);
  });

  it('tells nothing to a broker with another certificate', () => {
    shown(certificate(301));
    expect(opened(lastSocket().sent)).not.toContain('mpcp_0123456789');
    expect([details.length, lastSocket().closed]).toEqual([1, true]);
  });
});
