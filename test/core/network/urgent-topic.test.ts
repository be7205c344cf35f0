// A broker's messages, and what else a broker can send.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UrgentTopic } from '../../../core/network/urgent-topic.ts';
import { connect, connections, lastConnection } from './connections.ts';

const CERTIFICATE = Uint8Array.of(0x30, 0);

class Bench {
  now = 0;
  urgent = 0;
  missed = 0;
  readonly details: unknown[] = [];
  readonly topic = new UrgentTopic({
    connect,
    host: 'broker.example',
    port: 8883,
    certificate: CERTIFICATE,
    deviceId: 'charger-7',
    password: 'mpcp_0123456789',
    topic: 'mpcp/refresh',
    monotonicMs: () => this.now,
    random: () => 0.5,
    log: { emit: ({ detail }) => void (detail !== undefined && this.details.push(detail)) },
    urgent: () => void this.urgent++,
    missed: () => void this.missed++,
  });

  constructor() {
    connections.length = 0;
  }

  seconds(count: number, linkUp = true, isPaying = false): void {
    for (let i = 0; i < count; i++) {
      this.now += 1000;
      this.topic.tick(linkUp, isPaying);
    }
  }

  /** Lets it in and subscribe. */
  subscribed(): this {
    this.seconds(1);
    letIn(this);
    return this;
  }

  send(...bytes: readonly number[]): void {
    lastConnection().come(Uint8Array.from(bytes));
  }
}

/** What a broker says at the beginning. */
function letIn(bench: Bench): void {
  lastConnection().open();
  bench.send(0x20, 2, 0, 0);
  bench.send(0x90, 3, 0, 1, 0);
}

/** A length, as MQTT has it. */
const lengthOf = (length: number) => (length < 128 ? [length] : [(length & 127) | 128, length >> 7]);

const message = (flags = 0) => [0x30 | flags, 5, 0, 2, 0x61, 0x2f, 0x78];

describe('a subscription', () => {
  it('says who it is, under TLS, and what it wants to be told', () => {
    new Bench().subscribed();
    const { sent, options } = lastConnection();
    expect(options).toMatchObject({ host: 'broker.example', port: 8883, certificate: CERTIFICATE });
    const told = sent.toString();
    for (const one of ['MQTT', 'charger-7', 'mpcp_0123456789', 'mpcp/refresh']) expect(told).toContain(one);
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
    for (let i = 0; i < 262; i++) lastConnection().come(new Uint8Array(8000));
    lastConnection().come(new Uint8Array(0x1fffff - 262 * 8000));
    expect([bench.urgent, lastConnection().closed]).toEqual([1, false]);
  });

  it.each([
    ['refuses the device', [0x20, 2, 0, 5]],
    ['refuses the device', [0x20, 2, 0, 0, 0x90, 3, 0, 1, 0x80]],
    ['sends what is no MQTT', [0x30, 0xff, 0xff, 0xff, 0xff]],
    ['sends what is no MQTT', [0x20, 0]],
    ['sends what is no MQTT', [0x20, 1, 0]],
    ['sends what is no MQTT', [0x90, 3, 0, 1, 0]],
    ['sends what is no MQTT', [0xd0, 0]],
    ['sends what is no MQTT', [0x10, 0]],
    ['sends what is no MQTT', [0x00, 0]],
    ['sends what is no MQTT', [0xf0, 0]],
  ])('ends where the broker %s, and is tried again later each time', (why, bytes) => {
    const bench = new Bench();
    bench.seconds(1);
    lastConnection().open();
    bench.send(...bytes);
    expect(bench.details).toEqual([`the broker ${why}`]);
    const before = connections.length;
    bench.seconds(7);
    expect(connections).toHaveLength(before);
    bench.seconds(2);
    expect(connections).toHaveLength(before + 1);
  });

  it('pings, and gives up a broker that is silent', () => {
    const bench = new Bench().subscribed();
    bench.seconds(62);
    expect(lastConnection().sent.subarray(-2)).toEqual(Buffer.from([0xc0, 0]));
    bench.seconds(100);
    expect(bench.details).toContain('the broker is silent');
  });

  it('attack: a broker that lets the device in again and again, and takes nothing, has no answers pile up', () => {
    const bench = new Bench().subscribed();
    const room = lastConnection().sent.length;
    for (let i = 0; i < 1000; i++) bench.send(0x20, 2, 0, 0);
    expect([bench.details, lastConnection().closed]).toEqual([['the broker sends what is no MQTT'], true]);
    expect(lastConnection().sent.length).toBe(room);
  });

  it('attack: a broker that lets the device in and throws it out is tried later each time, until it has answered a ping', () => {
    const bench = new Bench();
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      const before = connections.length;
      let seconds = 0;
      for (; connections.length === before; seconds++) bench.seconds(1);
      waits.push(seconds);
      letIn(bench);
      lastConnection().end();
    }
    expect(waits[3]).toBeGreaterThan(4 * (waits[1] as number) - 4);
    bench.seconds(100);
    letIn(bench);
    bench.seconds(62);
    bench.send(0xd0, 0);
    lastConnection().end();
    const before = connections.length;
    bench.seconds(16);
    expect(connections).toHaveLength(before + 1);
  });

  it('attack: one message of megabytes that drips: a ping is not answered, and the connection ends', () => {
    const bench = new Bench().subscribed();
    bench.send(0x30, 0xff, 0xff, 0xff, 0x7f);
    for (let i = 0; i < 130; i++) {
      bench.seconds(1);
      bench.send(0);
    }
    expect(bench.details[0]).toBe('the broker is silent');
  });

  it('whatever a broker sends, nothing is thrown, and the next connection is told of messages', () => {
    const packet = fc
      .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 200 }), fc.integer({ min: -2, max: 2 }))
      .map(([first, body, lie]) => [first, ...lengthOf(Math.max(0, body.length + lie)), ...body]);
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => [...bytes]),
      fc
        .array(fc.oneof(packet, fc.constant(message()), fc.constant([0x20, 2, 0, 0])), { maxLength: 20 })
        .map((all) => all.flat()),
    );
    fc.assert(
      fc.property(any, fc.nat(300), fc.boolean(), (bytes, cut, isSubscribed) => {
        const bench = new Bench();
        if (isSubscribed) bench.subscribed();
        else {
          bench.seconds(1);
          lastConnection().open();
        }
        bench.send(...bytes.slice(0, cut));
        bench.send(...bytes.slice(cut));
        lastConnection().end();
        expect(bench.details.length).toBe(1);
        bench.seconds(20);
        letIn(bench);
        const before = bench.urgent;
        bench.send(...message());
        expect(bench.urgent).toBe(before + 1);
      }),
      { seed: 20_261_121, numRuns: 300 },
    );
  });

  it('is not begun while a payment is under way, and stays where it was begun before', () => {
    const bench = new Bench();
    bench.seconds(30, true, true);
    expect(connections).toHaveLength(0);
    bench.subscribed().seconds(30, true, true);
    expect([connections.length, lastConnection().closed]).toEqual([1, false]);
  });

  it('is over with the link, and there again with it: messages may have been missed', () => {
    const bench = new Bench().subscribed();
    bench.seconds(1, false);
    expect(lastConnection().closed).toBe(true);
    bench.seconds(1);
    expect([connections.length, bench.missed]).toEqual([2, 0]);
    letIn(bench);
    expect([bench.missed, bench.urgent]).toEqual([1, 0]);
  });
});
