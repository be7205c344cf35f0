// The client of virtual devices over real HTTP, with the core's request for bundles: to servers of every kind, slow, endless, gone, or
// none of what they say.

import { createHash } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type Server as Asked, serverOf } from '../../../core/network/http-client.ts';
import { BundleFetch, type FetchOrder, type FetchResult } from '../../../core/refresh/bundle-fetch.ts';
import type { SetAdmission } from '../../../core/trust/admission.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { Link, type LinkAnswer } from '../../../host-sim/virtual-device/link.ts';
import { LinkClient, PACKET_BYTES } from '../../../host-sim/virtual-device/link-client.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const listening = createServer(listener);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

const TAKEN = [{ ok: true }] as unknown as SetAdmission;

/** What was taken in by a device, and what it remembers of it. */
interface Taken {
  readonly result: FetchResult | undefined;
  readonly bytes: Buffer;
  readonly etag: string | undefined;
}

/** How a request differs from the usual one. */
interface Changes extends Partial<FetchOrder> {
  readonly etag?: string;
  /** Is given the client before it sends. */
  readonly client?: (client: LinkClient) => void;
  /** Whether there is power when something is to be told. */
  readonly isOn?: () => boolean;
  readonly take?: (chunk: Uint8Array) => void;
}

async function fetched(
  url: string,
  { etag, client: given, isOn, take, ...order }: Changes = {},
  link = new Link(),
): Promise<Taken> {
  const parts: Uint8Array[] = [];
  let tag: string | undefined;
  const headers: Record<string, string> = etag === undefined ? {} : { 'if-none-match': etag };
  const began = performance.now();
  const now = () => performance.now() - began;
  const fetch = new BundleFetch({
    order: { path: '/trust-bundles', headers, timeoutMs: 2_000, maxBytes: 1_000, ...order },
    etag,
    beganMs: 0,
    crypto: createNodeCrypto(),
    begin: () => ({
      write: (chunk) => {
        take?.(chunk);
        parts.push(chunk.slice());
        return undefined;
      },
      end: () => TAKEN,
      drop: () => undefined,
    }),
    over: (_, __, kept) => {
      tag = kept;
    },
  });
  const client = new LinkClient({
    link,
    run: (work) => (isOn?.() === false ? undefined : work()),
    reach: (asked) => asked,
    whom: () => 'the Policy Authority',
    known: () => ({ certificate: undefined, nowMs: undefined }),
  });
  given?.(client);
  const result = await client.during<FetchResult>((done) =>
    client.send(
      { server: serverOf(url) as Asked, method: 'GET', ...fetch.order },
      {
        answered: (status, header) => fetch.answered(now(), status, header),
        take: (bytes) => fetch.take(now(), bytes),
        ended: () => done(fetch.ended(now())),
        failed: (failure, detail) => done(fetch.failed(now(), failure, detail)),
      },
    ),
  );
  return { result, bytes: Buffer.concat(parts), etag: tag };
}

/** The tag a Policy Authority gives a body. */
function tagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url')}"`;
}

const FETCHED = { kind: 'fetched', admissions: TAKEN };

describe('an answer', () => {
  const body = '{"bundles":[]}';

  it('is bytes and the tag that is derived from them', async () => {
    const url = await serve((_, response) => response.setHeader('etag', tagOf(body)).end(body));
    expect(await fetched(url)).toEqual({ result: FETCHED, bytes: Buffer.from(body), etag: tagOf(body) });
  });

  it.each([
    ['of another body', tagOf('{"bundles":[1]}')],
    ['of no body', '"1"'],
    ['that is weak', `W/${tagOf(body)}`],
    ['without quotes', tagOf(body).slice(1, -1)],
    ['of every body', '*'],
    ['in a list', `${tagOf('{"bundles":[1]}')}, ${tagOf(body)}`],
  ])('a tag %s says nothing about the bytes and is dropped', async (_, etag) => {
    const url = await serve((_request, response) => response.setHeader('etag', etag).end(body));
    expect(await fetched(url)).toEqual({ result: FETCHED, bytes: Buffer.from(body), etag: undefined });
  });

  it('may have exactly the bytes it may have', async () => {
    const url = await serve((_, response) => response.end(`{${'x'.repeat(999)}`));
    expect(await fetched(url)).toMatchObject({ result: FETCHED, bytes: { length: 1_000 } });
  });

  it('304 to our tag says that nothing has changed; without one it says nothing', async () => {
    const url = await serve((_, response) => {
      response.writeHead(304).end();
    });
    expect((await fetched(url, { etag: '"1"' })).result).toEqual({ kind: 'unchanged' });
    expect((await fetched(url)).result).toMatchObject({ kind: 'failed', failure: 'http-status' });
  });
});

describe('the bytes of an answer', () => {
  it('are handed on as they arrive', async () => {
    let end: () => void = () => undefined;
    const url = await serve((_, response) => {
      response.write('{"bundles"');
      end = () => response.end(':[]}');
    });
    const chunks: string[] = [];
    const take = (chunk: Uint8Array) => {
      chunks.push(Buffer.from(chunk).toString());
      // The rest is not sent before the first part was handed on.
      if (chunks.length === 1) end();
    };
    expect((await fetched(url, { take })).result).toEqual(FETCHED);
    expect(chunks).toEqual(['{"bundles"', ':[]}']);
  });

  it('are handed on in packets, however many come at once', async () => {
    const body = Buffer.from(`{${'x'.repeat(2 * PACKET_BYTES)}`);
    class InOnePiece extends Link {
      override async fetch(): Promise<LinkAnswer> {
        const parts = (async function* () {
          yield Uint8Array.from(body);
        })();
        return { status: 200, headers: new Headers(), body: Object.assign(parts, { cancel: async () => undefined }) };
      }
    }
    const lengths: number[] = [];
    const take = (chunk: Uint8Array) => void lengths.push(chunk.length);
    const { bytes } = await fetched('http://pa.example', { maxBytes: 10_000, take }, new InOnePiece());
    expect([lengths, bytes.equals(body)]).toEqual([[PACKET_BYTES, PACKET_BYTES, 1], true]);
  });

  it('wait while a payment is under way', async () => {
    const url = await serve((_, response) => response.end('{"bundles":[]}'));
    let leave: () => void = () => undefined;
    const client = (client: LinkClient) => {
      client.pause();
      leave = () => client.resume();
    };
    let taken = 0;
    const fetching = fetched(url, { client, take: () => taken++ });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(taken).toBe(0);
    leave();
    expect((await fetching).result).toEqual(FETCHED);
  });

  it('of an error are nobody’s', async () => {
    const url = await serve((_, response) => {
      response.statusCode = 500;
      response.end('{"bundles":[]}');
    });
    expect((await fetched(url)).bytes).toHaveLength(0);
  });

  it('an error in whoever takes them is not taken for one of the network', async () => {
    const url = await serve((_, response) => response.end('{'));
    const failing = fetched(url, {
      take: () => {
        throw new RangeError('a mistake');
      },
    });
    await expect(failing).rejects.toThrow('a mistake');
  });
});

describe('a failure', () => {
  it.each([204, 404, 500, 511])('status %i', async (status) => {
    const url = await serve((_, response) => {
      response.statusCode = status;
      response.end();
    });
    expect((await fetched(url)).result).toMatchObject({
      kind: 'failed',
      failure: 'http-status',
      detail: expect.stringContaining(String(status)),
    });
  });

  it('a redirect is not followed', async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked++;
      response.writeHead(302, { location: '/elsewhere' }).end('{}');
    });
    expect(await fetched(url)).toMatchObject({
      result: { kind: 'failed', failure: 'redirected' },
      bytes: { length: 0 },
    });
    expect(asked).toBe(1);
  });

  it('the page of an access point', async () => {
    const url = await serve((_, response) => response.setHeader('content-type', 'text/html').end('<html>'));
    expect(await fetched(url)).toMatchObject({ result: { failure: 'content-type' }, bytes: { length: 0 } });
  });

  it('more bytes than a set has are not waited for, though the server never ends', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      response.write('{');
      const more = (): void => {
        if (response.destroyed) return;
        sent += 100;
        response.write('x'.repeat(100), () => setTimeout(more, 1));
      };
      more();
    });
    expect((await fetched(url)).result).toMatchObject({ kind: 'failed', failure: 'too-large' });
    expect(sent).toBeLessThan(20_000);
  });

  it('a small answer that unpacks to a large one is not asked for, and not read', async () => {
    const asked: unknown[] = [];
    const url = await serve((request, response) => {
      asked.push(request.headers['accept-encoding']);
      response.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(1_000_000)));
    });
    const { result } = await fetched(url, { headers: { 'accept-encoding': 'identity' } });
    expect([asked, result]).toMatchObject([['identity'], { kind: 'failed', failure: 'content-type' }]);
  });

  it('an answer that does not begin, does not end, or only drips runs into the deadline', async () => {
    const listeners: RequestListener[] = [
      () => undefined,
      (_, response) => void response.write('{'),
      (_, response) => {
        response.write('{');
        const drip = (): void => {
          if (!response.destroyed) response.write('x', () => setTimeout(drip, 5));
        };
        drip();
      },
    ];
    for (const listener of listeners) {
      const url = await serve(listener);
      const { result } = await fetched(url, { timeoutMs: 50 });
      expect(result).toEqual({ kind: 'failed', failure: 'timeout', detail: 'no whole answer within 50 ms' });
      server?.closeAllConnections();
    }
  });

  it('a connection that breaks off', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-length', '500').write('{');
      setTimeout(() => response.destroy(), 5);
    });
    expect((await fetched(url)).result).toMatchObject({ kind: 'failed', failure: 'unreachable' });
  });

  it('nobody there', async () => {
    const url = await serve(() => undefined);
    await new Promise((resolve) => server?.close(resolve));
    expect((await fetched(url)).result).toMatchObject({
      failure: 'unreachable',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('the power goes while the answer arrives: nothing came of it', async () => {
    const url = await serve((_, response) => response.end('{'));
    let drop: () => void = () => undefined;
    const client = (client: LinkClient) => {
      drop = () => client.drop();
    };
    const isOn = () => {
      drop();
      return false;
    };
    expect((await fetched(url, { client, isOn })).result).toBeUndefined();
  });
});

describe('the link', () => {
  it('down: nothing is asked', async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked++;
      response.end('{');
    });
    const link = new Link();
    link.set(false);
    const down = { kind: 'failed', failure: 'link-down', detail: 'the link is down' };
    expect((await fetched(url, {}, link)).result).toEqual(down);
    expect([asked, link.up]).toEqual([0, false]);
    link.set(true);
    expect((await fetched(url, {}, link)).result).toEqual(FETCHED);
  });

  it('going down breaks off what is under way, and the next request works once it is up', async () => {
    const link = new Link();
    let first = true;
    const url = await serve((_, response) => {
      if (!first) return void response.end('{');
      first = false;
      response.write('{');
      link.set(false);
    });
    const broken = { kind: 'failed', failure: 'link-down', detail: 'the link went down' };
    expect((await fetched(url, {}, link)).result).toEqual(broken);
    link.set(true);
    expect((await fetched(url, {}, link)).result).toEqual(FETCHED);
  });
});
