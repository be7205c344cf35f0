// Fetching bundles from servers of every kind: slow, endless, gone, or none of what they say.

import { createHash } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type FetchOrder, type FetchResult, fetchBundles } from '../../../host-sim/virtual-device/bundle-fetch.ts';
import { Link } from '../../../host-sim/virtual-device/link.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<URL> {
  const listening = createServer(listener);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(listening.address() as AddressInfo).port}/trust-bundles`);
}

function order(url: URL, changes: Partial<FetchOrder> = {}): FetchOrder {
  return { url, etag: undefined, timeoutMs: 2_000, maxBytes: 1_000, ...changes };
}

/** What a fetch came to, with the bytes that were handed on where it came to some. */
async function collected(link: Link, from: FetchOrder): Promise<FetchResult & { readonly bytes?: Uint8Array }> {
  const parts: Uint8Array[] = [];
  const result = await fetchBundles(link, from, (chunk) => parts.push(chunk.slice()) > 0);
  return result.kind === 'fetched' ? { ...result, bytes: Buffer.concat(parts) } : result;
}

/** The tag a Policy Authority gives a body. */
function tagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url')}"`;
}

describe('an answer', () => {
  const body = '{"bundles":[]}';

  it('is bytes and the tag that is derived from them', async () => {
    const url = await serve((_, response) => response.setHeader('etag', tagOf(body)).end(body));
    const result = await collected(new Link(), order(url));
    expect(result).toEqual({ kind: 'fetched', bytes: Buffer.from(body), etag: tagOf(body) });
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
    expect(await collected(new Link(), order(url))).toEqual({
      kind: 'fetched',
      bytes: Buffer.from(body),
      etag: undefined,
    });
  });

  it('may have exactly the bytes it may have, and none at all', async () => {
    for (const length of [1_000, 0]) {
      const url = await serve((_, response) => response.end('x'.repeat(length)));
      const result = await collected(new Link(), order(url));
      expect(result).toMatchObject({ kind: 'fetched', bytes: { length } });
      server?.close();
    }
  });

  it('304 to our tag says that nothing has changed; without one it says nothing', async () => {
    const url = await serve((request, response) => {
      response.statusCode = 304;
      response.setHeader('x-asked', request.headers['if-none-match'] ?? '').end();
    });
    expect(await collected(new Link(), order(url, { etag: '"1"' }))).toEqual({ kind: 'unchanged' });
    expect(await collected(new Link(), order(url))).toMatchObject({ kind: 'failed', failure: 'http-status' });
  });
});

describe('the bytes of an answer', () => {
  it('are handed on as they arrive', async () => {
    const url = await serve((_, response) => {
      response.write('{"bundles"');
      setTimeout(() => response.end(':[]}'), 20);
    });
    const chunks: string[] = [];
    await fetchBundles(new Link(), order(url), (chunk) => chunks.push(Buffer.from(chunk).toString()) > 0);
    expect(chunks).toEqual(['{"bundles"', ':[]}']);
  });

  it('of an error are nobody’s', async () => {
    const url = await serve((_, response) => {
      response.statusCode = 500;
      response.end('{"bundles":[]}');
    });
    await fetchBundles(new Link(), order(url), () => {
      throw new Error('handed on');
    });
  });

  it('end where no more are wanted, though the server never ends', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      const more = (): void => {
        if (response.destroyed) return;
        sent += 10;
        response.write('x'.repeat(10), () => setTimeout(more, 1));
      };
      more();
    });
    expect(await fetchBundles(new Link(), order(url), () => false)).toEqual({ kind: 'stopped' });
    expect(sent).toBeLessThan(1_000);
  });

  it('an error in whoever takes them is not taken for one of the network', async () => {
    const url = await serve((_, response) => response.end('x'));
    const failing = fetchBundles(new Link(), order(url), () => {
      throw new RangeError('a mistake');
    });
    await expect(failing).rejects.toThrow('a mistake');
  });
});

describe('a failure', () => {
  it.each([204, 404, 500])('status %i', async (status) => {
    const url = await serve((_, response) => {
      response.statusCode = status;
      response.end();
    });
    const result = await collected(new Link(), order(url));
    expect(result).toMatchObject({
      kind: 'failed',
      failure: 'http-status',
      detail: expect.stringContaining(String(status)),
    });
  });

  it('a redirect is not followed', async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked++;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(await collected(new Link(), order(url))).toMatchObject({ kind: 'failed', failure: 'unreachable' });
    expect(asked).toBe(1);
  });

  it('more bytes than a set has are not waited for, though the server never ends', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      const more = (): void => {
        if (response.destroyed) return;
        sent += 100;
        response.write('x'.repeat(100), () => setTimeout(more, 1));
      };
      more();
    });
    expect(await collected(new Link(), order(url))).toMatchObject({ kind: 'failed', failure: 'too-large' });
    expect(sent).toBeLessThan(20_000);
  });

  it('bytes count as they are unpacked: a small answer that unpacks to a large one is too large', async () => {
    const url = await serve((_, response) =>
      response.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(1_000_000))),
    );
    expect(await collected(new Link(), order(url))).toMatchObject({ kind: 'failed', failure: 'too-large' });
  });

  it('an answer that does not begin, or does not end, runs into the deadline', async () => {
    for (const listener of [
      () => undefined,
      (_: unknown, response: { write(text: string): void }) => response.write('{'),
    ]) {
      const url = await serve(listener as RequestListener);
      const result = await collected(new Link(), order(url, { timeoutMs: 50 }));
      expect(result).toEqual({ kind: 'failed', failure: 'timeout', detail: 'no whole answer within 50 ms' });
      server?.closeAllConnections();
    }
  });

  it('a connection that breaks off', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-length', '500').write('{');
      setTimeout(() => response.destroy(), 5);
    });
    expect(await collected(new Link(), order(url))).toMatchObject({ kind: 'failed', failure: 'unreachable' });
  });

  it('nobody there', async () => {
    const url = await serve(() => undefined);
    await new Promise((resolve) => server?.close(resolve));
    expect(await collected(new Link(), order(url))).toMatchObject({
      failure: 'unreachable',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('the link', () => {
  it('down: nothing is asked', async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked++;
      response.end();
    });
    const link = new Link();
    link.set(false);
    expect(await collected(link, order(url))).toEqual({
      kind: 'failed',
      failure: 'link-down',
      detail: 'the link is down',
    });
    expect([asked, link.up]).toEqual([0, false]);
    link.set(true);
    expect(await collected(link, order(url))).toMatchObject({ kind: 'fetched' });
  });

  it('going down breaks off what is under way, and the next request works once it is up', async () => {
    const link = new Link();
    let first = true;
    const url = await serve((_, response) => {
      if (!first) return void response.end('x');
      first = false;
      response.write('{');
      link.set(false);
    });
    expect(await collected(link, order(url))).toEqual({
      kind: 'failed',
      failure: 'link-down',
      detail: 'the link went down',
    });
    link.set(true);
    expect(await collected(link, order(url))).toMatchObject({ kind: 'fetched' });
  });
});
