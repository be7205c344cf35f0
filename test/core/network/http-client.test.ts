// The HTTP client against servers that answer, lie, drip, or break off, whatever brings its connections.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpClient, serverAt, serverOf } from '../../../core/network/http-client.ts';
import { askSmall } from '../../../core/network/small-answer.ts';
import { answer, ORDER, PLAIN, RequestBench, SECURE } from '../../fixtures/http-requests.ts';
import { connect, connections, lastConnection, Timers } from './connections.ts';

/** Those of the last bench. */
let timers: Timers;

/** Requests over connections and timers of a test. */
class Bench extends RequestBench {
  constructor() {
    connections.length = 0;
    timers = new Timers();
    const client = new HttpClient({ connect, after: timers.after, certificate: undefined });
    super(client, () => connections.at(-1)?.open());
  }
}

const sent = () => lastConnection().sent.toString();

describe('a request in the clear', () => {
  it('is one head, and its answer is told part by part', () => {
    const bench = new Bench().send();
    expect(sent()).toBe(
      'GET /trust-bundles HTTP/1.1\r\nhost: pa.example\r\nconnection: close\r\naccept: application/json\r\n' +
        'authorization: Bearer secret\r\n\r\n',
    );
    for (const byte of Buffer.from(answer('{"a":1}', 'ETag: "x"'))) lastConnection().come(Uint8Array.of(byte));
    expect(bench.told).toEqual(['200', 'ended']);
    expect(bench.body).toBe('{"a":1}');
    expect(bench.header('etag')).toBe('"x"');
    expect(lastConnection().closed).toBe(true);
    expect(bench.client.busy).toBe(false);
  });

  it('states its port where it is not the usual one, and brings a body in parts', () => {
    const body = Buffer.from('x'.repeat(3000));
    new Bench().send({ server: { ...PLAIN, port: 8080 }, method: 'POST', body });
    expect(sent()).toContain('host: pa.example:8080\r\n');
    expect(sent()).toContain('content-length: 3000\r\n');
    expect(sent().endsWith('x'.repeat(3000))).toBe(true);
  });

  it('follows no redirect', () => {
    const bench = new Bench().send();
    bench.wanted = false;
    lastConnection().come('HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n');
    expect(bench.told).toEqual(['302', 'ended']);
    expect(connections).toHaveLength(1);
  });

  it.each([
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3;x=y\r\n:1}\r\n0\r\nX: y\r\n\r\n', '{"a":1}'],
    ['a head of its own before', 'Content-Length: 2\r\n\r\n{}', '{}'],
  ])('takes an answer with %s', (_, rest, body) => {
    const bench = new Bench().send();
    const before = rest.startsWith('Content') ? 'HTTP/1.1 100 Continue\r\nX: y\r\n\r\n' : '';
    lastConnection().come(`${before}HTTP/1.1 200 OK\r\n${rest}`);
    expect(bench.told).toEqual(['200', 'ended']);
    expect(bench.body).toBe(body);
  });
});

describe('an answer that is none', () => {
  it.each([
    ['has no end but the connection’s', 'HTTP/1.1 200 OK\r\n\r\n{}', 'does not say how long'],
    ['states two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n', 'that differ'],
    [
      'states length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n',
      'certainly',
    ],
    ['is packed twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'certainly'],
    ['has a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'does not say how long'],
    ['is another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', 'no answer of HTTP'],
    ['changes the protocol', 'HTTP/1.1 101 Switching\r\n\r\n', '101'],
    ['has a field without a name', 'HTTP/1.1 200 OK\r\nnothing\r\n', 'without a name'],
    ['has a blank behind a name', 'HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n', 'without a name'],
    ['has a field that goes on in another line', 'HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 5\r\n', 'without a name'],
    ['has a chunk of two sizes', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 2\r\n', 'how long it is'],
    ['has a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'how long it is'],
    [
      'has a chunk that is too long',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
      'longer than it says',
    ],
    [
      'has a chunk of many megabytes',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n',
      'how long it is',
    ],
    ['has a date of two lines', 'HTTP/1.1 200 OK\r\nDate: a\rb\r\n', 'cannot be read'],
    ['has a field that never ends', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(9000)}`, 'more than 8192'],
    ['has fields that never end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(2000)}`, 'more than 8192'],
    ['has no line that ends', 'x'.repeat(9000), 'more than 8192'],
    ['says "not yet" for ever', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(400), 'more than 8192'],
  ])('because it %s fails, and the connection is closed', (_, text, why) => {
    const bench = new Bench().send();
    lastConnection().come(text);
    expect(bench.told.at(-1)).toMatch(/^unreachable: /);
    expect(bench.told.at(-1)).toContain(why);
    expect(lastConnection().closed).toBe(true);
  });

  it('is too large by its own word: nothing of it is taken', () => {
    const bench = new Bench().send();
    lastConnection().come('HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\nx');
    expect(bench.told.at(-1)).toMatch(/^too-large/);
    expect(bench.body).toBe('');
  });

  it('is too large by count: it ends where it is', () => {
    const bench = new Bench().send();
    lastConnection().come('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 0; i < 300; i++) lastConnection().come('4\r\nxxxx\r\n');
    expect(bench.told).toEqual(['200', 'too-large: the answer has more than 1000 bytes']);
    expect(bench.body).toHaveLength(1000);
  });

  it('breaks off in its body: it has not ended', () => {
    const bench = new Bench().send();
    lastConnection().come('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half"');
    lastConnection().end();
    expect(bench.told).toEqual(['200', 'unreachable: the connection was closed']);
  });

  it('drips: the deadline holds however much comes', () => {
    const bench = new Bench().send();
    lastConnection().come('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n');
    for (let i = 0; i < 59; i++) {
      timers.pass(1000);
      lastConnection().come('x');
    }
    expect(bench.told).toEqual(['200']);
    timers.pass(1000);
    expect(bench.told.at(-1)).toBe('timeout: no whole answer within 60000 ms');
    expect(lastConnection().closed).toBe(true);
  });
});

describe('whatever a server sends', () => {
  it('one thing comes of it, in time, and the next request is answered', () => {
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc
        .array(fc.constantFrom('HTTP/1.1 200 OK\r\n', 'Content-Length: 9\r\n', '\r\n', '{"a":1}', 'x', '5\r\n'), {
          maxLength: 12,
        })
        .map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(any, fc.nat(600), fc.boolean(), (bytes, cut, ends) => {
        const bench = new Bench().send();
        lastConnection().come(bytes.subarray(0, cut));
        lastConnection().come(bytes.subarray(cut));
        if (ends) lastConnection().end();
        timers.pass(60_000);
        expect(bench.told.filter((told) => !/^\d/.test(told))).toHaveLength(1);
        expect([bench.client.busy, lastConnection().closed]).toEqual([false, true]);
        bench.body = '';
        bench.send();
        lastConnection().come(answer('{"a":1}'));
        expect([bench.told.at(-1), bench.body]).toEqual(['ended', '{"a":1}']);
      }),
      { seed: 20_261_121, numRuns: 400 },
    );
  });

  it('a byte at a time, and each in a chunk of its own, takes no more memory than all at once', () => {
    const { client } = new Bench();
    const bodies: Uint8Array[] = [];
    askSmall(client, { ...ORDER, maxBytes: 4096 }, (told) => void (told.kind === 'answered' && bodies.push(told.body)));
    lastConnection().open();
    lastConnection().come('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 0; i < 4096; i++) lastConnection().come('1\r\nx\r\n');
    lastConnection().come('0\r\n\r\n');
    expect(bodies.map((body) => [body.length, body.buffer.byteLength])).toEqual([[4096, 4096]]);
  });
});

describe('a request', () => {
  it('that nobody takes ends with its time', () => {
    const bench = new Bench();
    bench.client.send(ORDER, {
      answered: () => true,
      take: () => true,
      ended: () => {},
      failed: (failure) => void bench.told.push(failure),
    });
    timers.pass(60_000);
    expect(bench.told).toEqual(['timeout']);
  });

  it('goes under TLS with the certificate that is provisioned for the server, else with the client’s', () => {
    const [own, other] = [Uint8Array.of(1), Uint8Array.of(2)];
    connections.length = 0;
    const client = new HttpClient({ connect, after: new Timers().after, certificate: own });
    const nobody = { answered: () => true, take: () => true, ended: () => {}, failed: () => {} };
    for (const server of [SECURE, { ...SECURE, certificate: other }, PLAIN]) {
      client.send({ ...ORDER, server }, nobody);
      client.abort('unreachable', 'enough');
    }
    expect(connections.map(({ options }) => options.certificate)).toEqual([own, other, undefined]);
  });

  it('is not sent while another one is under way', () => {
    const bench = new Bench().send();
    expect(() => bench.send()).toThrow(new RangeError('a request is under way'));
    expect(connections).toHaveLength(1);
  });

  it('is not sent where a value would begin a line of its own', () => {
    const bench = new Bench().send({ headers: { 'if-none-match': '"x"\r\nauthorization: other' } });
    expect(bench.told).toEqual(['unreachable: the request cannot be written']);
    expect(connections).toHaveLength(0);
  });

  it('without a certificate nobody is asked', () => {
    const bench = new Bench();
    const bare = new HttpClient({ connect, after: timers.after, certificate: undefined });
    bare.send(
      { ...ORDER, server: SECURE },
      {
        answered: () => true,
        take: () => true,
        ended: () => {},
        failed: (_, detail) => void bench.told.push(detail),
      },
    );
    expect(bench.told).toEqual(['the device has no certificate to know a server by']);
    expect(connections).toHaveLength(0);
  });

  it('that is given up tells its receiver once', () => {
    const bench = new Bench().send();
    bench.client.abort('link-down', 'the link went down');
    lastConnection().end();
    timers.pass(100_000);
    expect(bench.told).toEqual(['link-down: the link went down']);
  });

  it('that is paused reads nothing, and goes on where it was', () => {
    const bench = new Bench().send();
    bench.client.pause();
    lastConnection().come(answer('{"a":1}'));
    lastConnection().end();
    expect([bench.told, lastConnection().unread > 0]).toEqual([[], true]);
    bench.client.resume();
    expect(bench.told).toEqual(['200', 'ended']);
  });
});

describe('a server', () => {
  it('is what a provisioned URL says, without its path', () => {
    expect(serverOf('https://pa.example/v1')).toEqual(SECURE);
    expect(serverOf('http://10.0.0.1:8080')).toEqual({ host: '10.0.0.1', port: 8080, secure: false });
    expect(serverOf('ftp://pa.example')).toBeUndefined();
  });

  it.each(['', ':443', 'a:0', 'a:65536', 'a:x'])('is none at %j', (authority) => {
    expect(serverAt(authority, true)).toBeUndefined();
  });
});
