// Set-up at the reader's line: from a device without a root key to one that starts.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyFingerprint } from '../../../core/boot/root-key-setup.ts';
import { PARTITION } from '../../../device/firmware/partitions.ts';
import { run } from '../../../device/firmware/run.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { publicJwk } from '../../../host-sim/signing/keys.ts';
import { bundle, NOW } from '../../fixtures/artifacts.ts';
import { root } from '../../fixtures/keys.ts';
import { cbor, certificate, document, slotBytes } from '../../fixtures/provisioning.ts';
import { site } from '../../fixtures/site.ts';
import { pins } from '../sdk/io-digital.ts';
import { ports } from '../sdk/io-serial.ts';
import { sockets } from '../sdk/io-tcp.ts';
import { rememberAll } from '../sdk/net.ts';
import { stations } from '../sdk/network-wifi.ts';
import { opened, server } from '../sdk/ssl-session.ts';
import { makePartition } from '../sdk/storage-flash.ts';
import { setTicks } from '../sdk/time.ts';
import { clearAll, pass } from '../sdk/timer.ts';

const KB = 1024;
const FINGERPRINT = keyFingerprint(createNodeCrypto(), root.publicKey);
let ticks = 0;

function seconds(count: number): void {
  for (let i = 0; i < count; i++) {
    ticks += 1000;
    setTicks(ticks);
    pass(1000);
  }
}

function provision(changes = {}): void {
  const parts = document({ site: { ...site(), rootKeys: undefined } as never, rootKey: 'fetch', ...changes });
  makePartition(PARTITION.provisioning, 16 * KB).set(slotBytes(cbor(parts), {}));
}

const start = () => run('charger', () => ({ present: () => undefined, tick: () => {} }));

/** What was said on the reader's line since it was last asked. */
function said(): string {
  const line = ports[1];
  line?.makeRoom(10_000);
  const text = Buffer.from(line?.sent.splice(0) ?? []).toString();
  return text;
}

function type(text: string): string {
  said();
  ports[1]?.come(Buffer.from(`${text}\n`));
  return said();
}

/** The authority answers the next request. */
function publish(keys: readonly unknown[]): void {
  const before = sockets.length;
  for (let i = 0; i < 60 && sockets.length === before; i++) seconds(1);
  const socket = sockets.at(-1);
  socket?.makeRoom(5000);
  socket?.come(server.hello(certificate()));
  socket?.come(server.finished());
  socket?.makeRoom(5000);
  expect(opened(socket?.sent ?? [])).toContain('GET /.well-known/mpcp-keys.json HTTP/1.1');
  const body = JSON.stringify({ version: '1.0', keys });
  socket?.come(server.data(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)));
}

function online(changes = {}): void {
  provision(changes);
  expect(start()).toBeUndefined();
  seconds(1);
  stations[0]?.become(500);
}

beforeEach(() => {
  vi.stubGlobal('MPCP_NATIVE', false);
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] });
  ticks = 0;
  setTicks(0);
  for (const list of [ports, sockets, stations]) list.length = 0;
  pins.clear();
  rememberAll();
  makePartition(PARTITION.ledger, 64 * KB);
  makePartition(PARTITION.journal, 64 * KB);
  makePartition(PARTITION.bundles, 456 * KB);
  makePartition(PARTITION.keyTables, 56 * KB);
});
afterEach(() => {
  clearAll();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a device without a root key', () => {
  it('sells nothing, shows what its authority publishes, keeps what is confirmed, and starts with it', () => {
    online();
    // The relay rests for as long as that takes; nothing else is wired yet.
    expect([...pins].map(([pin, { levels }]) => [pin, levels])).toEqual([[4, [0]]]);
    publish([publicJwk(root)]);
    seconds(1);
    expect(said()).toContain(FINGERPRINT);
    expect(type(`confirm ${FINGERPRINT}`)).toContain('is kept');
    clearAll();
    ports.length = 0;
    const running = start();
    expect(running?.device.provisioning).toMatchObject({ counter: 2, fetchesRootKey: false });
    expect(running?.device.verifier.admit(bundle())).toMatchObject({ ok: true });
  });

  it('keeps nothing for a fingerprint that is another’s, and asks again after "decline"', () => {
    online();
    publish([publicJwk(root)]);
    expect(type(`confirm ${FINGERPRINT.replace(/^./, '_')}`)).toContain('no key that was shown');
    type('decline');
    publish([publicJwk(root)]);
    seconds(1);
    expect(said()).toContain(FINGERPRINT);
  });

  it('asks nobody in the clear', () => {
    online({ policyAuthorityUrl: 'http://pa.example' });
    seconds(60);
    expect(sockets).toHaveLength(0);
    expect(said()).toContain('over TLS');
  });

  it('takes no line that is too long, nor bytes that are no text', () => {
    online();
    publish([publicJwk(root)]);
    expect(type('x'.repeat(100_000))).toContain(FINGERPRINT);
    ports[1]?.come(Uint8Array.of(0xff, 0x00, 0x0a));
    expect(said()).toContain(FINGERPRINT);
  });
});
