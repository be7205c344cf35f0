// A sample's network, whole: from Wi-Fi to bundles in force, receipts handed in, issuers asked, and what servers, access points and
// power do to that.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FRAME_TYPES, writeFrame } from '../../../core/intake/serial-frame.ts';
import { PARTITION } from '../../../device/firmware/partitions.ts';
import { run } from '../../../device/firmware/run.ts';
import { Gate } from '../../../device/gate/gate.ts';
import { bundle, type Changes, grant, inSeconds, NOW, present, sba } from '../../fixtures/artifacts.ts';
import { cbor, certificate, document, slotBytes } from '../../fixtures/provisioning.ts';
import { site } from '../../fixtures/site.ts';
import { pins } from '../sdk/io-digital.ts';
import { listeners } from '../sdk/io-listener.ts';
import { ports } from '../sdk/io-serial.ts';
import type TCP from '../sdk/io-tcp.ts';
import { sockets } from '../sdk/io-tcp.ts';
import { udpSockets } from '../sdk/io-udp.ts';
import config from '../sdk/mc-config.ts';
import { addressOf, rememberAll } from '../sdk/net.ts';
import { stations } from '../sdk/network-wifi.ts';
import { opened, server } from '../sdk/ssl-session.ts';
import { makePartition } from '../sdk/storage-flash.ts';
import { setTicks } from '../sdk/time.ts';
import { clearAll, pass } from '../sdk/timer.ts';

const KB = 1024;
const SITE = {
  ...site({ bundleScope: { category: 'ev-charging', region: 'EU' } }),
  revocation: { hosts: ['issuer.example'], cacheMs: 60_000 },
};
let ticks = 0;
let bundles: Uint8Array;

/** Seconds go by, for timers and for the clock. */
function seconds(count: number): void {
  for (let i = 0; i < count; i++) {
    ticks += 1000;
    setTicks(ticks);
    vi.setSystemTime(NOW + ticks);
    pass(1000);
  }
}

function provision(changes: Changes = {}): void {
  const wiring = { kind: 'gate', relay: 4, active: 'high' };
  const parts = document({ site: SITE as never, wiring, ...changes } as never);
  makePartition(PARTITION.provisioning, 16 * KB).set(slotBytes(cbor(parts), {}));
}

function start() {
  return run('gate', ({ verifier }, wiring, log) => {
    const gate = new Gate({ verifier, wiring, terms: { fareMinor: '1000', openMs: 5000 }, log });
    return { present: (bytes) => gate.present(bytes), tick: () => {} };
  });
}

/** A device whose Wi-Fi is up. */
function online(changes: Changes = {}) {
  provision(changes);
  const device = start();
  if (device === undefined) throw new Error(events());
  seconds(1);
  stations[0]?.become(500);
  return device;
}

function events(): string {
  ports[0]?.makeRoom(100_000);
  return Buffer.from(ports[0]?.sent ?? []).toString();
}

/** Lets a connection under TLS come about. @returns what is asked */
function accept(socket: TCP, der = certificate()): string {
  socket.makeRoom(5000);
  socket.come(server.hello(der));
  socket.come(server.finished());
  for (let i = 0; i < 20; i++) socket.makeRoom(5000);
  return opened(socket.sent);
}

const text = (body: string, fields = '', status = '200 OK') =>
  Buffer.from(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`,
  );
const set = (...all: readonly Uint8Array[]) => `{"bundles":[${all.map((one) => Buffer.from(one).toString()).join()}]}`;

/** The next connection that is made within a while. */
function nextSocket(limit = 200): TCP {
  const before = sockets.length;
  for (let i = 0; i < limit && sockets.length === before; i++) seconds(1);
  const socket = sockets.at(-1);
  if (sockets.length === before || socket === undefined) throw new Error(`nobody is asked: ${events()}`);
  return socket;
}

/** Fetches a set of bundles. */
function fetched(...all: readonly Uint8Array[]): void {
  const socket = nextSocket();
  expect(accept(socket)).toContain('GET /trust-bundles?category=ev-charging&merchant=');
  socket.come(server.data(text(set(...all))));
}

/** A payment over the local endpoint. */
function pay(presentation = present()): TCP {
  const socket = listeners[0]?.connect() as TCP;
  socket.makeRoom(5000);
  socket.come(`POST /pay HTTP/1.1\r\nHost: x\r\nContent-Length: ${presentation.length}\r\n\r\n`);
  socket.come(presentation);
  return socket;
}

const said = (socket: TCP) => Buffer.from(socket.sent).toString();

beforeEach(() => {
  config.mpcp.network = { port: 80 };
  vi.stubGlobal('MPCP_NATIVE', false);
  vi.useFakeTimers({ now: NOW });
  ticks = 0;
  setTicks(0);
  for (const list of [ports, sockets, stations, udpSockets, listeners]) list.length = 0;
  pins.clear();
  rememberAll();
  makePartition(PARTITION.ledger, 64 * KB);
  makePartition(PARTITION.journal, 64 * KB);
  bundles = makePartition(PARTITION.bundles, 456 * KB);
  makePartition(PARTITION.keyTables, 56 * KB);
});
afterEach(() => {
  delete config.mpcp.network;
  clearAll();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a device with a network', () => {
  it('fetches its bundles, takes a payment over HTTP, and hands it in', () => {
    const device = online();
    expect(device.linkUp()).toBe(true);
    fetched(bundle());
    expect(device.device.verifier.trust.bundles).toHaveLength(1);
    const paid = pay();
    expect(said(paid)).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(pins.get(4)?.levels).toEqual([0, 1]);
    const handIn = nextSocket();
    const sent = accept(handIn);
    expect(sent).toContain('POST /v1/devices/charger-7/receipts HTTP/1.1');
    expect(sent).toContain('authorization: Bearer mpcp_0123456789');
    expect(sent).toContain('"receiptId":1');
    handIn.come(server.data(text('{"acknowledged":1}')));
    expect(device.device.journal?.acknowledgedUpTo).toBe(1);
  });

  it('hands in to who shows the operator’s own certificate, where one is provisioned, and to nobody else', () => {
    const own = certificate(320);
    online({ operator: { url: 'https://operator.example', apiKey: 'mpcp_0123456789', certificate: own } } as never);
    fetched(bundle());
    pay();
    const posing = nextSocket();
    expect(accept(posing)).toBe('');
    expect(posing.closed).toBe(true);
    expect(accept(nextSocket(2000), own)).toContain('authorization: Bearer mpcp_0123456789');
  });

  it('has its clock set by who shows the authority’s certificate, and not by an operator with its own', () => {
    const own = certificate(320);
    const device = online({
      operator: { url: 'https://operator.example', apiKey: 'mpcp_0123456789', certificate: own },
    } as never);
    fetched(bundle());
    pay();
    const handIn = nextSocket();
    accept(handIn, own);
    const ahead = `Date: ${new Date(NOW + 86_400_000).toUTCString()}\r\n`;
    handIn.come(server.data(text('{"acknowledged":1}', ahead)));
    expect(device.device.journal?.acknowledgedUpTo).toBe(1);
    expect(events()).not.toContain('time.set');
  });

  it('asks no broker while a payment is under way', () => {
    provision({ mqtt: { host: 'fleet-broker.example', port: 8884, topic: 'fleet/bundles' } });
    const device = start();
    device?.device.verifier.admit(bundle());
    seconds(1);
    stations[0]?.become(500);
    const paying = pay(present({ grant: grant({ revocationEndpoint: 'https://issuer.example/r' }) }));
    pass(1);
    const question = sockets.at(-1) as TCP;
    seconds(2);
    const asked = () => sockets.filter(({ options }) => options.port === 8884).length;
    expect([said(paying), asked()]).toEqual(['', 0]);
    accept(question);
    question.come(server.data(text('{"revoked":false}')));
    expect(said(paying)).toMatch(/^HTTP\/1\.1 200 OK/);
    seconds(1);
    expect(asked()).toBe(1);
  });

  it('says in its state that it is on line, and off line when the link goes', () => {
    const device = online();
    const ask = () => {
      const socket = listeners[0]?.connect() as TCP;
      socket.makeRoom(5000);
      socket.come('GET /state HTTP/1.1\r\nHost: x\r\n\r\n');
      const whole = said(socket);
      return JSON.parse(whole.slice(whole.indexOf('\r\n\r\n')));
    };
    expect(ask()).toMatchObject({ offline: false, device: 'charger-7' });
    stations[0]?.become(200);
    expect([device.linkUp(), listeners.length]).toEqual([false, 0]);
  });

  it('has its clock set before anything under TLS', () => {
    vi.setSystemTime(0);
    provision();
    start();
    pass(1000);
    stations[0]?.become(500);
    for (let i = 0; i < 5; i++) {
      ticks += 1000;
      setTicks(ticks);
      pass(1000);
    }
    expect(sockets).toHaveLength(0);
    expect(udpSockets).toHaveLength(1);
  });

  it.each([
    ['its provisioning has, whatever the firmware’s manifest says', { host: 'fleet-broker.example', port: 8884 }],
    ['the manifest has, where the provisioning has none', undefined],
  ])('asks the broker that %s', (_, broker) => {
    config.mpcp.network = { broker: { host: 'manifest.example', port: 8883, topic: 'm' } };
    online({ mqtt: broker && { ...broker, topic: 'fleet/bundles' } });
    const { host, port } = broker ?? { host: 'manifest.example', port: 8883 };
    seconds(2);
    const asked = sockets.map((one) => [one.options.address, one.options.port]);
    expect(asked.filter(([, at]) => at !== 443)).toEqual([[addressOf(host), port]]);
  });

  it('opens no port in its network unless its manifest asks for one', () => {
    delete config.mpcp.network;
    expect(online().linkUp()).toBe(true);
    expect(listeners).toEqual([]);
  });

  it('sells over the line without any network', () => {
    provision({ wifi: undefined } as never);
    const device = start();
    device?.device.verifier.admit(bundle());
    let answer: unknown;
    device?.till.present(present(), (decision) => {
      answer = decision;
    });
    expect(answer).toMatchObject({ ok: true });
    seconds(100);
    expect([sockets.length, stations.length]).toEqual([0, 0]);
  });
});

describe('a fetch', () => {
  const inForce = (device: ReturnType<typeof online>) =>
    device.device.verifier.trust.bundles.map((one) => one.bundleId);

  it('whose link goes in its body leaves what was in force, and is made again', () => {
    const device = online();
    fetched(bundle());
    device.device.verifier.admit(bundle());
    const socket = urged(device);
    accept(socket);
    socket.come(server.data(text(set(bundle({ bundleId: 'bundle-2', issuedAt: inSeconds(0) }))).subarray(0, 700)));
    stations[0]?.become(200);
    expect(inForce(device)).toEqual(['bundle-1']);
    expect(events()).toContain('"failure":"link-down"');
    stations[0]?.become(500);
    fetched(bundle({ bundleId: 'bundle-2', issuedAt: inSeconds(0) }));
    expect(inForce(device)).toContain('bundle-2');
  });

  it.each([
    ['a page to sign in at', text('<html>'), 'content-type'],
    ['a redirect', text('', 'Location: http://portal/\r\n', '302 Found'), 'redirected'],
    ['an error', text('{}', 'Retry-After: 60\r\n', '503 Busy'), 'http-status'],
    ['what is too large', Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n'), 'too-large'],
  ])('that is answered with %s fails, and no flash is erased', (_, bytes, failure) => {
    online();
    const before = bundles.slice();
    const socket = nextSocket();
    accept(socket);
    socket.come(server.data(bytes));
    expect(events()).toContain(`"failure":"${failure}"`);
    expect(Buffer.compare(bundles, before)).toBe(0);
    expect(socket.closed).toBe(true);
  });

  it('is not told to a server with another certificate, nor to one in the clear', () => {
    online();
    const socket = nextSocket();
    accept(socket, certificate(333));
    expect(socket.closed).toBe(true);
    const next = nextSocket();
    next.makeRoom(5000);
    next.come('HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n');
    expect([next.closed, said(next).includes('trust-bundles')]).toEqual([true, false]);
  });

  it('that drips is over with its time', () => {
    online();
    const socket = nextSocket();
    accept(socket);
    socket.come(server.data(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n')));
    for (let i = 0; i < 61 && !socket.closed; i++) {
      seconds(1);
      socket.come(server.data(Buffer.from(' ')));
    }
    expect(socket.closed).toBe(true);
    expect(events()).toContain('"failure":"timeout"');
  });

  it('during which the power goes leaves what was in force', () => {
    online();
    fetched(bundle());
    clearAll();
    for (const list of [ports, sockets, stations, listeners]) list.length = 0;
    const again = start();
    if (again === undefined) throw new Error('it does not start');
    seconds(1);
    stations[0]?.become(500);
    const socket = urged(again);
    accept(socket);
    const whole = text(set(bundle({ bundleId: 'bundle-2', issuedAt: inSeconds(0) })));
    socket.come(server.data(whole.subarray(0, whole.length - 300)));
    clearAll();
    for (const list of [ports, sockets, stations, listeners]) list.length = 0;
    expect(start()?.device.verifier.trust.bundles.map((one) => one.bundleId)).toEqual(['bundle-1']);
  });

  it('waits while a payment does, reads nothing, and goes on', () => {
    const device = online();
    fetched(bundle());
    const fetch = urged(device);
    accept(fetch);
    const whole = text(set(bundle({ bundleId: 'bundle-2', issuedAt: inSeconds(0) })));
    fetch.come(server.data(whole.subarray(0, 200)));
    const paying = pay(present({ grant: grant({ revocationEndpoint: 'https://issuer.example/r' }) }));
    pass(1);
    const question = sockets.at(-1) as TCP;
    expect(accept(question)).toContain('GET /r?grantId=grant-1 HTTP/1.1');
    fetch.come(server.data(whole.subarray(200)));
    expect([fetch.unread > 0, said(paying)]).toEqual([true, '']);
    question.come(server.data(text('{"revoked":false}')));
    expect(said(paying)).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(fetch.unread).toBe(0);
    expect(inForce(device)).toContain('bundle-2');
  });

  it.each([
    ['is whole', (rest: Uint8Array) => ports[1]?.come(rest)],
    ['is not gone on with', () => seconds(2)],
  ])('waits while a message comes in at the reader, until that %s', (_, then) => {
    const device = online();
    fetched(bundle());
    const fetch = urged(device);
    accept(fetch);
    const whole = text(set(bundle({ bundleId: 'bundle-2', issuedAt: inSeconds(0) })));
    fetch.come(server.data(whole.subarray(0, 200)));
    const frame = writeFrame(FRAME_TYPES.state, 1, new Uint8Array(0));
    ports[1]?.come(frame.subarray(0, 4));
    fetch.come(server.data(whole.subarray(200)));
    expect([fetch.unread > 0, inForce(device)]).toEqual([true, ['bundle-1']]);
    then(frame.subarray(4));
    expect([fetch.unread, inForce(device).includes('bundle-2')]).toEqual([0, true]);
  });

  /** Says that there are new bundles. @returns the connection of the request that follows */
  function urged(device: ReturnType<typeof online>): TCP {
    flag(device);
    return nextSocket(100);
  }

  /** An answer to what is handed in says that there are new bundles. */
  function flag(device: ReturnType<typeof online>): void {
    device.till.present(present({ sba: sba({ budgetId: 'flag' }) }), () => {});
    const socket = nextSocket();
    expect(accept(socket)).toContain('POST /v1/devices');
    const last = [...opened(socket.sent).matchAll(/"receiptId":(\d+)/g)].at(-1)?.[1];
    socket.come(server.data(text(`{"acknowledged":${last}}`, 'Mpcp-Refresh: trust-bundles\r\n')));
  }
});

describe('a question to an issuer', () => {
  const asking = () => present({ grant: grant({ revocationEndpoint: 'https://issuer.example/r' }) });

  function ready() {
    const device = online();
    fetched(bundle());
    return device;
  }

  it('that says revoked refuses, and the gate stays shut', () => {
    ready();
    const paying = pay(asking());
    pass(1);
    const question = sockets.at(-1) as TCP;
    accept(question);
    question.come(server.data(text('{"revoked":true}')));
    expect(said(paying)).toContain('grant_revoked');
    expect(pins.get(4)?.levels).toEqual([0]);
  });

  it('that nobody answers is over in its time, and another payer need not wait for that', () => {
    const device = ready();
    const paying = pay(asking());
    pass(1);
    let other: unknown;
    device.till.present(present({ idempotencyKey: 'other' }), (decision) => {
      other = decision;
    });
    expect(other).toMatchObject({ ok: false, code: 'DEVICE_BUSY' });
    seconds(4);
    expect(said(paying)).toContain('REVOCATION_UNKNOWN');
    expect(device.till.busy).toBe(false);
  });

  it('is not put without a network: bundles and what is remembered decide', () => {
    const device = ready();
    stations[0]?.become(200);
    let answer: unknown;
    device.till.present(asking(), (decision) => {
      answer = decision;
    });
    expect(answer).toMatchObject({ ok: true });
  });
});
