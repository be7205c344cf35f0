// The local endpoint: what wallets send, and what others do to it.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HTTP_DISCARDED_BYTES, HTTP_REQUEST_MS, HTTP_SENT_MS } from '../../../core/limits.ts';
import { refuse } from '../../../core/reason-codes.ts';
import type { Decision } from '../../../core/verifier.ts';
import { HttpEndpoint } from '../../../device/network/http-endpoint.ts';
import { listeners } from '../sdk/io-listener.ts';
import { failing, sockets } from '../sdk/io-tcp.ts';
import { clearAll, pass } from '../sdk/timer.ts';

const ACCEPTED = { ok: true, amountMinor: '1000', receiptId: 7, repeated: false } as unknown as Decision;

class Bench {
  now = 0;
  decision: Decision | undefined = ACCEPTED;
  serving = true;
  readonly presented: string[] = [];
  readonly answers: ((decision: Decision) => void)[] = [];
  readonly endpoint = new HttpEndpoint({
    port: 80,
    monotonicMs: () => this.now,
    present: (bytes, answer) => {
      this.presented.push(Buffer.from(bytes).toString());
      if (this.decision !== undefined) answer(this.decision);
      else this.answers.push(answer);
    },
    state: () => Buffer.from('{"format":1,"state":"serving"}'),
    notServing: () => (this.serving ? undefined : { error: 'not just now', reasons: ['NO_TRUST_BUNDLE'] }),
    log: { emit: () => {} },
  });

  constructor() {
    this.endpoint.open();
  }

  connect() {
    const [listener] = listeners;
    if (listener === undefined) throw new Error('nobody listens');
    const socket = listener.connect();
    socket.makeRoom(5000);
    return socket;
  }

  /** Sends a request. @returns status and body of its answer, and whether the connection was closed */
  ask(text: string) {
    const socket = this.connect();
    socket.come(text);
    const whole = Buffer.from(socket.sent).toString();
    socket.makeRoom(5000);
    const body = whole.slice(whole.indexOf('\r\n\r\n') + 4);
    return {
      status: Number(whole.slice(9, 12)),
      body: body === '' ? undefined : JSON.parse(body),
      closed: socket.closed,
    };
  }
}

const pay = (body: string) => `POST /pay HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

beforeEach(() => {
  sockets.length = 0;
  failing.next = false;
  listeners.length = 0;
});
afterEach(() => clearAll());

describe('the local endpoint', () => {
  it('takes a payment in a body, and in the header that wallets send', () => {
    const bench = new Bench();
    expect(bench.ask(pay('{"a":1}'))).toEqual({
      status: 200,
      body: { ok: true, amountMinor: '1000', receiptId: 7, repeated: false },
      closed: true,
    });
    const header = Buffer.from('{"b":2}').toString('base64');
    expect(bench.ask(`GET /pay HTTP/1.1\r\nHost: x\r\nAuthorization: MPCP ${header}\r\n\r\n`).status).toBe(200);
    expect(bench.presented).toEqual(['{"a":1}', '{"b":2}']);
  });

  it('tells a wallet where a relay did not move for its payment', () => {
    const bench = new Bench();
    bench.decision = { ...ACCEPTED, relay: 'failed' } as Decision;
    expect(bench.ask(pay('{}'))).toMatchObject({ status: 200, body: { ok: true, receiptId: 7, relay: 'failed' } });
  });

  it('answers 402 to no payment, and to one that is refused', () => {
    const bench = new Bench();
    expect(bench.ask('GET /pay HTTP/1.1\r\nHost: x\r\n\r\n')).toMatchObject({
      status: 402,
      body: { error: 'sba_invalid' },
    });
    bench.decision = refuse('policyGrant', 'grant.revoked', 'GRANT_REVOKED', 'it was');
    expect(bench.ask(pay('{}'))).toMatchObject({ status: 402, body: { error: 'grant_revoked' } });
    expect(bench.ask('GET /pay HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eA==\r\n\r\n').status).toBe(402);
  });

  it('says what the device is, and that there is nothing else', () => {
    const bench = new Bench();
    expect(bench.ask('GET /state?x HTTP/1.1\r\nHost: x\r\n\r\n')).toMatchObject({
      status: 200,
      body: { state: 'serving' },
    });
    expect(bench.ask('GET / HTTP/1.1\r\nHost: x\r\n\r\n').status).toBe(404);
    bench.serving = false;
    expect(bench.ask(pay('{}'))).toMatchObject({ status: 503, body: { reasons: ['NO_TRUST_BUNDLE'] } });
    expect(bench.presented).toEqual([]);
  });

  it.each([
    ['no request', 'hello\r\n', 400],
    ['a request of another kind', 'PUT /pay HTTP/1.1\r\n', 405],
    ['a body that is too large', 'POST /pay HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n', 413],
    ['a head that does not end', `GET /pay HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`, 431],
  ])('answers %s, closes, and takes the next', (_, text, status) => {
    const bench = new Bench();
    expect(bench.ask(text)).toMatchObject({ status, closed: true });
    expect(bench.ask(pay('{}')).status).toBe(200);
  });

  it('takes a request byte by byte, and sends an answer where there is little room', () => {
    const bench = new Bench();
    const socket = bench.connect();
    socket.makeRoom(10);
    for (const byte of Buffer.from(pay('{}'))) socket.come(Uint8Array.of(byte));
    while (!socket.closed) socket.makeRoom(10);
    expect(Buffer.from(socket.sent).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\}$/);
    expect(bench.presented).toEqual(['{}']);
  });

  it('ends a request that drips with 408, whatever keeps coming', () => {
    const bench = new Bench();
    const socket = bench.connect();
    for (let ms = 0; ms < HTTP_REQUEST_MS + 500; ms += 500) {
      socket.come('G');
      bench.now += 500;
      pass(500);
    }
    expect(Buffer.from(socket.sent).toString()).toMatch(/^HTTP\/1\.1 408 /);
    socket.makeRoom(100);
    expect(socket.closed).toBe(true);
  });

  it('closes one that says nothing, and one that does not take its answer', () => {
    const bench = new Bench();
    const silent = bench.connect();
    bench.now = HTTP_REQUEST_MS + 1;
    pass(HTTP_REQUEST_MS + 100);
    silent.makeRoom(100);
    expect(silent.closed).toBe(true);
    const slow = bench.connect();
    slow.room = 0;
    slow.options.onWritable?.(0);
    slow.come(pay('{}'));
    pass(60_000);
    expect(slow.closed).toBe(true);
    expect(bench.ask(pay('{}')).status).toBe(200);
  });

  it('tells whoever comes while another is there when to come again, whatever is asked', () => {
    const bench = new Bench();
    const first = bench.connect();
    const { status, body, closed } = bench.ask(pay('{"b":2}'));
    expect([status, body, closed]).toEqual([
      503,
      { error: 'the device does not sell just now', reasons: ['DEVICE_BUSY'] },
      true,
    ]);
    expect(Buffer.from(sockets.at(-1)?.sent ?? []).toString()).toContain('\r\nRetry-After: 5\r\n');
    expect(bench.presented).toEqual([]);
    first.come(pay('{}'));
    expect(Buffer.from(first.sent).toString()).toContain('200 OK');
  });

  it('closes those who come while others are told already, and those who do not listen', () => {
    const bench = new Bench();
    const first = bench.connect();
    const told = [bench.connect(), bench.connect()];
    listeners[0]?.connect();
    expect([sockets.at(-1)?.closed, told.map(({ closed }) => closed)]).toEqual([true, [false, false]]);
    pass(2000);
    expect(told.map(({ closed }) => closed)).toEqual([true, true]);
    const next = bench.connect();
    expect([next.closed, first.closed]).toEqual([false, false]);
    first.come(pay('{}'));
    expect(Buffer.from(first.sent).toString()).toContain('200 OK');
  });

  it('waits for a decision that takes longer, and answers then; a wallet that left is no matter', () => {
    const bench = new Bench();
    bench.decision = undefined;
    const stays = bench.connect();
    stays.come(pay('{"a":1}'));
    pass(10_000);
    expect(stays.sent).toEqual([]);
    bench.answers[0]?.(ACCEPTED);
    expect(Buffer.from(stays.sent).toString()).toContain('200 OK');
    stays.makeRoom(10);
    const leaves = bench.connect();
    leaves.come(pay('{"b":2}'));
    leaves.end();
    bench.answers[1]?.(ACCEPTED);
    expect(leaves.sent).toEqual([]);
    expect(leaves.closed).toBe(true);
  });

  it.each([
    ['its state', 'GET /state HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a payment', pay('{}')],
  ])('is free again soon where nobody takes the answer to %s', (_, text) => {
    const bench = new Bench();
    const slow = bench.connect();
    slow.come(text);
    expect([slow.sent.length > 0, slow.closed]).toEqual([true, false]);
    pass(HTTP_SENT_MS);
    expect(slow.closed).toBe(true);
    expect(bench.ask(pay('{}')).status).toBe(200);
  });

  it('notices that a wallet left while its payment is decided on, whatever came behind the request', () => {
    const bench = new Bench();
    bench.decision = undefined;
    const leaves = bench.connect();
    leaves.come(pay('{"a":1}'));
    leaves.come('x');
    leaves.end();
    expect([leaves.closed, bench.presented]).toEqual([true, ['{"a":1}']]);
    bench.decision = ACCEPTED;
    expect(bench.ask(pay('{"b":2}')).status).toBe(200);
  });

  it('closes a connection that goes on behind its request without end', () => {
    const bench = new Bench();
    bench.decision = undefined;
    const floods = bench.connect();
    floods.come(pay('{"a":1}'));
    for (let bytes = 0; bytes < HTTP_DISCARDED_BYTES; bytes += 1024) {
      expect(floods.closed).toBe(false);
      floods.come('x'.repeat(1024));
    }
    floods.come('x');
    expect(floods.closed).toBe(true);
  });

  describe('where memory is short', () => {
    it('takes the next connection, and closes the one that it cannot take', () => {
      const bench = new Bench();
      failing.next = true;
      expect(() => bench.connect()).not.toThrow();
      expect(bench.ask(pay('{}')).status).toBe(200);
      const stays = bench.connect();
      // What was begun of the other one ends nobody else's.
      pass(HTTP_REQUEST_MS - 100);
      expect(bench.ask(pay('{}')).status).toBe(503);
      stays.come(pay('{}'));
      expect(Buffer.from(stays.sent).toString()).toContain('200 OK');
    });

    it('tells those who come meanwhile after that as before', () => {
      const bench = new Bench();
      bench.connect();
      for (let i = 0; i < 5; i++) {
        failing.next = true;
        listeners[0]?.connect();
      }
      pass(2000);
      expect(bench.ask(pay('{}')).status).toBe(503);
    });
  });

  it('decides once, whatever comes behind a request', () => {
    const bench = new Bench();
    bench.ask(pay('{"a":1}') + pay('{"b":2}'));
    expect(bench.presented).toEqual(['{"a":1}']);
  });

  it('is gone with the network, and there again with it', () => {
    const bench = new Bench();
    const socket = bench.connect();
    bench.endpoint.close();
    expect([socket.closed, listeners.length]).toEqual([true, 0]);
    bench.endpoint.open();
    expect(bench.ask(pay('{}')).status).toBe(200);
  });
});
