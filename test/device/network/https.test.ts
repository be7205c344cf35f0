// The HTTP client on the SDK's sockets: what is sent in parts, and servers under TLS that lie, or are somebody else.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpsClient } from '../../../device/network/https.ts';
import { answer, ORDER, RequestBench, SECURE } from '../../fixtures/http-requests.ts';
import { certificate } from '../../fixtures/provisioning.ts';
import { certified, keyPair } from '../../fixtures/server-certificates.ts';
import { lastSocket, sockets } from '../sdk/io-tcp.ts';
import { forget, rememberAll } from '../sdk/net.ts';
import { computed, messages, opened, server } from '../sdk/ssl-session.ts';
import { clearAll, pass } from '../sdk/timer.ts';

const CERTIFICATE = certificate();

/** Requests over the SDK's sockets, and what the device heard besides. */
class Bench extends RequestBench {
  readonly faults: readonly unknown[];
  readonly dates: readonly (string | null | undefined)[];

  constructor(der: Uint8Array | undefined = CERTIFICATE) {
    const faults: unknown[] = [];
    const dates: (string | null | undefined)[] = [];
    const client = new HttpsClient({
      certificate: der,
      observed: (header) => void dates.push(header('date')),
      log: { emit: (event) => void faults.push(event) },
    });
    super(client, () => {
      pass(1);
      if (sockets.length > 0) lastSocket().makeRoom(5000);
    });
    this.faults = faults;
    this.dates = dates;
  }
}

const sent = () => Buffer.from(lastSocket().sent).toString();

beforeEach(() => {
  sockets.length = 0;
  computed.length = 0;
  rememberAll();
});
afterEach(() => clearAll());

describe('a request in the clear', () => {
  it('waits where the network has no room, and loses nothing', () => {
    const bench = new Bench();
    bench.client.send(ORDER, { answered: () => true, take: () => true, ended: () => {}, failed: () => {} });
    pass(1);
    for (let i = 0; i < 30; i++) lastSocket().makeRoom(7);
    expect(sent().endsWith('\r\n\r\n')).toBe(true);
  });

  it('to a name without an address fails', () => {
    forget('pa.example');
    expect(new Bench().send().told).toEqual(['unreachable: the name pa.example has no address']);
  });

  it('that is paused reads nothing, and goes on where it was', () => {
    const bench = new Bench().send();
    bench.client.pause();
    lastSocket().come(answer('{"a":1}'));
    lastSocket().end();
    expect([bench.told, lastSocket().unread > 0]).toEqual([[], true]);
    bench.client.resume();
    expect(bench.told).toEqual(['200', 'ended']);
  });
});

describe('whatever a server sends', () => {
  it('under TLS: a bit that turns anywhere, bytes that are lost or come twice, an end in the middle', () => {
    const whole = Buffer.concat([
      server.hello(CERTIFICATE),
      server.finished(),
      server.data(Buffer.from(answer('{"a":1}'))),
      server.alert(),
    ]);
    const part = fc.tuple(fc.nat(whole.length - 1), fc.constantFrom('turned', 'lost', 'twice', 'end'), fc.nat(7));
    fc.assert(
      fc.property(part, fc.nat(whole.length), ([at, what, bit], cut) => {
        const bench = new Bench().send({ server: SECURE });
        const rest = whole.subarray(what === 'twice' ? at : at + 1);
        const kept = what === 'turned' ? Uint8Array.of((whole[at] as number) ^ (1 << bit)) : new Uint8Array(0);
        const bytes = Buffer.concat([
          whole.subarray(0, at + (what === 'twice' ? 1 : 0)),
          kept,
          what === 'end' ? kept : rest,
        ]);
        lastSocket().come(bytes.subarray(0, cut));
        lastSocket().makeRoom(5000);
        lastSocket().come(bytes.subarray(cut));
        lastSocket().makeRoom(5000);
        expect(sent()).not.toContain('secret');
        if (what === 'end') lastSocket().end();
        pass(60_000);
        expect(bench.told.filter((told) => !/^\d/.test(told))).toHaveLength(1);
        expect([bench.client.busy, lastSocket().closed]).toEqual([false, true]);
      }),
      { seed: 20_261_121, numRuns: 600 },
    );
  });
});

describe('a fault of the device’s own, in what an answer is told to', () => {
  const order = (fails: 'ended' | 'failed') => ({
    answered: () => true,
    take: () => true,
    ended: () => {
      if (fails === 'ended') throw new Error('the journal is damaged');
    },
    failed: () => {
      throw new Error('the journal is damaged');
    },
  });

  it.each<['ended' | 'failed', () => void]>([
    ['ended', () => lastSocket().come(answer('{"a":1}'))],
    ['failed', () => lastSocket().come('SSH-2.0-OpenSSH_9.6\r\n')],
    ['failed', () => lastSocket().end()],
  ])('after the connection is over is told in the log, and is not thrown at the SDK: %s', (fails, what) => {
    const bench = new Bench();
    bench.client.send(ORDER, order(fails));
    pass(1);
    lastSocket().makeRoom(5000);
    what();
    expect(bench.faults).toEqual([{ event: 'network.fault', detail: 'the journal is damaged' }]);
    expect([bench.client.busy, lastSocket().closed]).toEqual([false, true]);
  });
});

describe('under TLS', () => {
  const secure = (der?: Uint8Array) => new Bench(der).send({ server: SECURE });
  const OTHER = certificate(301);
  const NO_SIGNATURE = new Uint8Array(8);
  const begun = () => [messages.hello(), messages.certificate(CERTIFICATE)];
  const flight = (...sent: readonly Uint8Array[]) =>
    Buffer.concat([server.plain(...sent, messages.done()), server.finished()]);
  const together = (...sent: readonly Uint8Array[]) =>
    Buffer.concat([server.together(...sent, messages.done()), server.finished()]);

  it('a request is sent when the server has shown the certificate, and not before', () => {
    const bench = secure();
    expect(opened(lastSocket().sent)).toBe('');
    lastSocket().come(server.hello(CERTIFICATE));
    expect(opened(lastSocket().sent)).toBe('');
    lastSocket().come(server.finished());
    lastSocket().makeRoom(5000);
    expect(opened(lastSocket().sent)).toContain('authorization: Bearer secret');
    expect(sent()).not.toContain('secret');
    const whole = Buffer.from(server.data(Buffer.from(answer('{"a":1}', 'Date: Sun, 06 Nov 1994 08:49:37 GMT'))));
    for (const byte of whole) lastSocket().come(Uint8Array.of(byte));
    expect(bench.told).toEqual(['200', 'ended']);
    expect(bench.body).toBe('{"a":1}');
    expect(bench.dates).toEqual(['Sun, 06 Nov 1994 08:49:37 GMT']);
  });

  it('a server with another certificate is told nothing', () => {
    const bench = secure();
    lastSocket().come(server.hello(OTHER));
    expect(bench.told[0]).toMatch(/^unreachable: /);
    expect(sent()).not.toContain('secret');
  });

  it.each<[string, () => Uint8Array]>([
    ['an alert', () => server.alert()],
    ['“finished” at once', () => server.plain(messages.finished())],
    ['a certificate, and an alert', () => Buffer.concat([server.plain(...begun()), server.alert()])],
    [
      'a key exchange that says it is not signed',
      () => Buffer.concat([server.hello(CERTIFICATE, { hash: 0, signature: NO_SIGNATURE }), server.finished()]),
    ],
    [
      'a key exchange of no kind of signature',
      () => Buffer.concat([server.hello(CERTIFICATE, { kind: 0, signature: NO_SIGNATURE }), server.finished()]),
    ],
    ['a key exchange with ECDSA', () => Buffer.concat([server.hello(CERTIFICATE, { kind: 3 }), server.finished()])],
    [
      'a key exchange that is no curve’s, the other bytes being right',
      () => Buffer.concat([server.hello(CERTIFICATE, { curve: 1 }), server.finished()]),
    ],
    [
      'a point of another length',
      () => Buffer.concat([server.hello(CERTIFICATE, { point: 60, signature: NO_SIGNATURE }), server.finished()]),
    ],
    [
      'a key exchange of its own key before the certificate',
      () => flight(messages.hello(), messages.exchange(CERTIFICATE, { hash: 0 }), messages.certificate(CERTIFICATE)),
    ],
    [
      'a certificate of its own, its key exchange, and then the right certificate',
      () => together(messages.hello(), messages.certificate(OTHER), messages.exchange(OTHER), ...begun().slice(1)),
    ],
    ['two certificates', () => together(...begun(), messages.certificate(CERTIFICATE), messages.exchange(CERTIFICATE))],
    ['no key exchange', () => flight(...begun())],
    ['no hello', () => flight(messages.certificate(CERTIFICATE), messages.exchange(CERTIFICATE))],
    [
      'a suite of other key exchanges',
      () => flight(messages.hello(0), ...begun().slice(1), messages.exchange(CERTIFICATE)),
    ],
    [
      '“finished” in the record of its hello',
      () => server.together(...begun(), messages.exchange(CERTIFICATE), messages.done(), messages.finished()),
    ],
    ['ciphers before there are keys', () => Buffer.concat([server.plain(...begun()), server.finished()])],
    ['a request to begin anew', () => server.plain(messages.of(0))],
    ['the hello of a client', () => server.plain(messages.of(1, 40))],
  ])('whoever answers the greeting with %s is not sent the request', (_, bytes) => {
    const bench = secure();
    lastSocket().come(bytes());
    lastSocket().makeRoom(5000);
    expect(bench.told[0]).toMatch(/^unreachable: /);
    expect(opened(lastSocket().sent)).toBe('');
    expect(sent()).not.toContain('secret');
  });

  it('a key exchange with ECDSA is refused before the SDK looks at it, which would not come back from zeros', () => {
    const bench = secure();
    lastSocket().come(
      server.together(messages.hello(), messages.certificate(CERTIFICATE), messages.exchange(CERTIFICATE, { kind: 3 })),
    );
    expect(bench.told).toEqual(['unreachable: the TLS key exchange is not signed with RSA and SHA-256']);
  });

  it('what came in the clear before there were keys is no answer', () => {
    const bench = secure();
    lastSocket().come(server.plain(...begun()));
    lastSocket().come(server.plainData(Buffer.from(answer('{"forged":1}'))));
    lastSocket().come(
      Buffer.concat([server.plain(messages.exchange(CERTIFICATE), messages.done()), server.finished()]),
    );
    expect(bench.told).toEqual(['unreachable: the TLS handshake is out of order']);
  });

  it('a server may have all its messages in one record, and ask for a certificate, of which there is none', () => {
    const bench = secure();
    const asked = [messages.exchange(CERTIFICATE), messages.of(13, 8), messages.done()];
    for (const byte of server.together(...begun(), ...asked)) lastSocket().come(Uint8Array.of(byte));
    lastSocket().come(server.finished());
    lastSocket().makeRoom(5000);
    expect(opened(lastSocket().sent)).toContain('authorization: Bearer secret');
    expect(bench.told).toEqual([]);
  });

  it.each(['at once', 'a byte at a time'])(
    'attack: a stranger has the device compute with a key of its own, %s: the certificate decides before that',
    (how) => {
      const { certificate: known } = certified(keyPair(), {});
      const bench = secure(known);
      const { certificate: own } = certified(keyPair(), { names: ['pa.example'] });
      const forged = messages.exchange(own, { signature: NO_SIGNATURE });
      // Behind its own it sends the right one.
      const all = server.together(messages.hello(), messages.certificate(own, known), forged, messages.done());
      if (how === 'at once') lastSocket().come(all);
      else for (const byte of all) lastSocket().come(Uint8Array.of(byte));
      const why = 'the certificate of pa.example is not one that is provisioned, nor signed by it';
      expect([bench.told, computed]).toEqual([[`unreachable: ${why}`], []]);
    },
  );

  it('a server may send a chain, and the session computes with its own key', () => {
    secure();
    const chain = messages.certificate(CERTIFICATE, OTHER);
    lastSocket().come(server.together(messages.hello(), chain, messages.exchange(CERTIFICATE), messages.done()));
    lastSocket().come(server.finished());
    lastSocket().makeRoom(5000);
    expect(opened(lastSocket().sent)).toContain('authorization: Bearer secret');
    expect(computed).toEqual([CERTIFICATE]);
  });

  it.each<[string, Uint8Array]>([
    ['no certificate in the message of it', messages.of(11, 3)],
    ['a certificate of no bytes', messages.of(11, 6)],
    [
      'a certificate that is longer than its message',
      messages.certificate(CERTIFICATE).map((byte, i) => (i === 8 ? byte + 1 : byte)),
    ],
  ])('attack: %s: nothing is computed', (_, sent) => {
    const bench = secure();
    lastSocket().come(together(messages.hello(), sent, messages.exchange(CERTIFICATE)));
    expect(bench.told[0]).toMatch(/^unreachable: /);
    expect(computed).toEqual([]);
  });

  it('attack: before a server is known, a record of more than 6 KB, or a certificate of more than 2 KB, has no room made for it', () => {
    const long = secure();
    lastSocket().come(Uint8Array.of(22, 3, 3, 0x18, 1));
    expect(long.told).toEqual(['unreachable: a TLS record of 6145 bytes']);
    const other = secure();
    // The head of one, and nothing of itself.
    lastSocket().come(server.plain(messages.hello(), messages.certificate(new Uint8Array(2049))).subarray(0, 25));
    expect(other.told).toEqual(['unreachable: a TLS certificate of 2049 bytes']);
  });

  it('attack: it is not known yet between its change of ciphers and the end of the handshake', () => {
    const bench = secure();
    lastSocket().come(server.hello(CERTIFICATE));
    lastSocket().come(Buffer.concat([server.enciphers(), Uint8Array.of(22, 3, 3, 0x18, 1)]));
    expect(bench.told).toEqual(['unreachable: a TLS record of 6145 bytes']);
  });

  it('once it is known, a record of 16 KB is read', () => {
    const bench = new Bench().send({ server: SECURE, maxBytes: 20_000 });
    lastSocket().come(Buffer.concat([server.hello(CERTIFICATE), server.finished()]));
    lastSocket().makeRoom(5000);
    lastSocket().come(server.data(Buffer.from(answer('x'.repeat(16_000)))));
    expect([bench.told, bench.body.length]).toEqual([['200', 'ended'], 16_000]);
  });

  it('only what is trusted by the client’s own certificate is observed: an operator’s with its own does not set the clock', () => {
    const own = certificate(320);
    const bench = new Bench().send({ server: { ...SECURE, certificate: own } });
    lastSocket().come(Buffer.concat([server.hello(own), server.finished()]));
    lastSocket().makeRoom(5000);
    lastSocket().come(server.data(Buffer.from(answer('{}', 'Date: Sun, 06 Nov 1994 08:49:37 GMT'))));
    expect([bench.told, bench.dates]).toEqual([['200', 'ended'], []]);
  });

  it('a record that says it is larger than any ends it before there is room made for it', () => {
    const bench = secure();
    lastSocket().come(Uint8Array.of(22, 3, 3, 0xff, 0xff));
    expect(bench.told).toEqual(['unreachable: a TLS record of 65535 bytes']);
  });

  it('what is no record, at any time, ends it and nothing else', () => {
    const bench = secure();
    lastSocket().come(server.hello(CERTIFICATE));
    lastSocket().come(server.finished());
    lastSocket().come(Uint8Array.of(99, 3, 3, 0, 1, 0));
    expect(bench.told[0]).toMatch(/^unreachable/);
  });
});
