// What is done next, and how often, whoever asks for haste.

import { describe, expect, it } from 'vitest';
import { Errands } from '../../../core/network/errands.ts';
import type { HttpOrder, HttpReceiver, HttpTransport } from '../../../core/network/http-client.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import { BundleRefresh } from '../../../core/refresh/bundle-refresh.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';

const AUTHORITY = { host: 'pa.example', port: 443, secure: true };

/** A client that is asked, and answers when a test says so. */
class Client implements HttpTransport {
  readonly orders: HttpOrder[] = [];
  receiver: HttpReceiver | undefined;
  paused = false;

  get busy(): boolean {
    return this.receiver !== undefined;
  }
  send(order: HttpOrder, receiver: HttpReceiver): void {
    this.orders.push(order);
    this.receiver = receiver;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  abort(failure: 'link-down' | 'unreachable', detail: string): void {
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.failed(failure, detail);
  }
  /** Answers with a status and nothing else. */
  answer(status: number, fields: Readonly<Record<string, string>> = {}): void {
    const { receiver } = this;
    receiver?.answered(status, (name) => fields[name]);
    this.receiver = undefined;
    receiver?.ended();
  }
}

class Bench {
  now = 0;
  wall: number | undefined = 1e12;
  up = true;
  readonly client = new Client();
  readonly events: LogEvent[] = [];
  asked = 0;
  answerTime: ((problem: string | undefined) => void) | undefined;
  readonly errands: Errands;

  constructor(hasLink = true) {
    const site = {
      bundleScope: {},
      refresh: { intervalMs: 21_600_000, marginShare: 0.25, leastMarginMs: 86_400_000, timeoutMs: 60_000 },
    };
    const bundles = [{ bundleId: 'b', expiresAtMs: 2e12, issuedAtMs: 9e11 }] as never;
    const verifier = {
      site,
      trust: { bundles },
      now: () => this.wall ?? 0,
      beginBundles: () => {
        throw new Error('nothing is to be written');
      },
    };
    const log = { emit: (event: LogEvent) => void this.events.push(event) };
    const clock = { monotonicMs: () => this.now, wallMs: () => this.wall };
    const time = {
      busy: false,
      doubtful: false,
      doubt: () => {
        time.doubtful = true;
      },
      ask: (done: (problem: string | undefined) => void) => {
        this.asked++;
        this.answerTime = done;
      },
      abort: () => {},
    };
    this.errands = new Errands({
      refresh: new BundleRefresh({ verifier: verifier as never, crypto: createNodeCrypto(), random: () => 0.5, log }),
      authority: AUTHORITY,
      client: this.client,
      time,
      clock,
      linkUp: () => this.up,
      hasLink,
    });
  }

  seconds(count: number, each: () => void = () => {}): void {
    for (let i = 0; i < count; i++) {
      this.now += 1000;
      this.errands.step();
      each();
    }
  }
}

describe('errands', () => {
  it('believe a storm of messages a few times, and then once an hour', () => {
    const bench = new Bench();
    bench.seconds(200);
    bench.client.answer(500);
    const before = bench.client.orders.length;
    bench.seconds(3600, () => {
      bench.errands.urgent('mqtt');
      if (bench.client.busy) bench.client.answer(304);
    });
    const inAnHour = bench.client.orders.length - before;
    expect(inAnHour).toBeGreaterThan(1);
    // Some are those that are due without any message.
    expect(inAnHour).toBeLessThan(14);
  });

  it('believe a flag in every answer no more than that, though each request brings another', () => {
    const bench = new Bench();
    bench.seconds(7200, () => {
      if (bench.client.busy) bench.client.answer(304, { 'mpcp-refresh': 'trust-bundles' });
    });
    expect(bench.client.orders.length).toBeLessThan(24);
    expect(bench.events.filter(({ event }) => event === 'refresh.urgent').length).toBeGreaterThan(2);
  });

  it('begin nothing while a payment is under way, and pause what is', () => {
    const bench = new Bench();
    bench.errands.attend(true);
    bench.seconds(600);
    expect([bench.client.orders.length, bench.client.paused]).toEqual([0, true]);
    bench.errands.attend(false);
    bench.seconds(1);
    expect([bench.client.orders.length, bench.client.paused]).toEqual([1, false]);
  });

  it('end with the link, and wait for it', () => {
    const bench = new Bench();
    bench.seconds(200);
    expect(bench.client.busy).toBe(true);
    bench.up = false;
    bench.errands.linkChanged(false);
    expect(bench.client.busy).toBe(false);
    expect(bench.events).toContainEqual(expect.objectContaining({ event: 'refresh.failed', failure: 'link-down' }));
    bench.seconds(600);
    expect(bench.client.orders).toHaveLength(1);
  });

  it('have the clock set first, and go on where nobody sets it', () => {
    const bench = new Bench();
    bench.wall = undefined;
    bench.seconds(70);
    expect(bench.asked).toBeGreaterThan(0);
    expect(bench.client.orders).toHaveLength(0);
    bench.answerTime?.('nobody answers');
    bench.seconds(1);
    expect(bench.client.orders).toHaveLength(1);
  });

  it('have the clock set again where the authority cannot be reached: one lie of a time server may be why', () => {
    const bench = new Bench();
    bench.seconds(200);
    expect(bench.asked).toBe(0);
    bench.client.abort('unreachable', 'date validation failed');
    bench.seconds(30);
    expect(bench.asked).toBeGreaterThan(0);
  });

  it('give up at once where no network is provisioned', () => {
    const bench = new Bench(false);
    bench.up = false;
    bench.seconds(200);
    expect(bench.events).toContainEqual(
      expect.objectContaining({ failure: 'link-down', detail: 'no network is provisioned' }),
    );
  });
});
