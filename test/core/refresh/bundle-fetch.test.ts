// What comes back to a request for Trust Bundles, and what of it reaches flash: nothing of an access point's page, nothing past
// its size, nothing past its time.

import { describe, expect, it } from 'vitest';
import { refuse } from '../../../core/reason-codes.ts';
import { BundleFetch, type FetchParts, type FetchResult } from '../../../core/refresh/bundle-fetch.ts';
import type { SetAdmission } from '../../../core/trust/admission.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';

const crypto = createNodeCrypto();
const TAKEN = [{ ok: true }] as unknown as SetAdmission;
const BODY = '{"bundles":[{"x":1}]}';

/** What a request was told, and what came of it. */
interface Told {
  readonly results: FetchResult[];
  readonly tags: (string | undefined)[];
  readonly taken: string[];
  begun: number;
  dropped: number;
}

function fetchOf(changes: Partial<FetchParts> & { maxBytes?: number; admissions?: SetAdmission; room?: number } = {}): {
  fetch: BundleFetch;
  told: Told;
} {
  const told: Told = { results: [], tags: [], taken: [], begun: 0, dropped: 0 };
  const { maxBytes = 100, admissions = TAKEN, room = 1000, ...parts } = changes;
  let written = 0;
  const fetch = new BundleFetch({
    order: { path: '/trust-bundles', headers: {}, timeoutMs: 1000, maxBytes },
    etag: undefined,
    beganMs: 0,
    crypto,
    begin: () => {
      told.begun++;
      return {
        write: (chunk) => {
          written += chunk.length;
          told.taken.push(Buffer.from(chunk).toString());
          return written > room ? refuse('trustBundle', 'bundle.room', 'STORE_FULL', 'full') : undefined;
        },
        end: () => admissions,
        drop: () => {
          told.dropped++;
        },
      };
    },
    over: (_, result, tag) => {
      told.results.push(result);
      told.tags.push(tag);
    },
    ...parts,
  });
  return { fetch, told };
}

function headersOf(headers: Record<string, string>): (name: string) => string | undefined {
  return (name) => headers[name];
}

const NONE = headersOf({});

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

describe('an answer', () => {
  it('is handed on as it arrives, and admitted when it is whole', () => {
    const { fetch, told } = fetchOf();
    expect(fetch.answered(0, 200, NONE)).toBe(true);
    expect(fetch.take(1, bytes('{"bun'))).toBe(true);
    expect(fetch.take(2, bytes('dles":[]}'))).toBe(true);
    expect(told.taken).toEqual(['{"bun', 'dles":[]}']);
    expect(fetch.result).toBeUndefined();
    expect(fetch.ended(3)).toEqual({ kind: 'fetched', admissions: TAKEN });
    expect(told.results).toHaveLength(1);
  });

  it('begins nothing on flash before its first byte is there', () => {
    const { fetch, told } = fetchOf();
    fetch.answered(0, 200, NONE);
    fetch.take(0, bytes(''));
    expect(told.begun).toBe(0);
    expect(fetch.ended(0)).toMatchObject({ failure: 'empty' });
    expect(told.begun).toBe(0);
  });

  it('may be of JSON with parameters, in any case, with blanks before it', () => {
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json;charset=utf-8']) {
      const { fetch } = fetchOf();
      expect(fetch.answered(0, 200, headersOf({ 'content-type': type }))).toBe(true);
      expect(fetch.take(0, bytes(' \r\n\t{'))).toBe(true);
    }
  });

  it('ends where the partition takes no more of it', () => {
    const { fetch, told } = fetchOf({
      room: 5,
      admissions: refuse('trustBundle', 'bundle.room', 'STORE_FULL', 'full'),
    });
    fetch.answered(0, 200, NONE);
    expect(fetch.take(0, bytes('{"bundles'))).toBe(false);
    expect(fetch.result).toMatchObject({ kind: 'fetched', admissions: { code: 'STORE_FULL' } });
    expect(told.results).toHaveLength(1);
  });

  it('that cannot be begun is not read', () => {
    const refusal = refuse('device', 'device.store', 'STORE_FAILED', 'the flash is read-only');
    const { fetch } = fetchOf({ begin: () => refusal });
    fetch.answered(0, 200, NONE);
    expect(fetch.take(0, bytes('{'))).toBe(false);
    expect(fetch.result).toEqual({ kind: 'fetched', admissions: refusal });
  });

  it('keeps its tag where the tag says what the bytes say', () => {
    const hash = crypto.sha256();
    hash.update(bytes(BODY));
    const tag = `"${Buffer.from(hash.digest()).toString('base64url')}"`;
    for (const [etag, kept] of [
      [tag, tag],
      [tag.replace(/.{3}"$/, 'AAA"'), undefined],
      ['"1"', undefined],
    ] as const) {
      const { fetch, told } = fetchOf();
      fetch.answered(0, 200, headersOf({ etag }));
      fetch.take(0, bytes(BODY.slice(0, 7)));
      fetch.take(0, bytes(BODY.slice(7)));
      fetch.ended(0);
      expect(told.tags).toEqual([kept]);
    }
  });
});

describe('304', () => {
  it('to a tag says that nothing has changed', () => {
    const { fetch } = fetchOf({ etag: '"1"' });
    expect(fetch.answered(0, 304, NONE)).toBe(false);
    expect(fetch.result).toEqual({ kind: 'unchanged' });
  });

  it('without one says nothing', () => {
    const { fetch } = fetchOf();
    fetch.answered(0, 304, NONE);
    expect(fetch.result).toMatchObject({ failure: 'http-status' });
  });
});

describe('a captive portal', () => {
  it.each<[string, number, Record<string, string>, string]>([
    ['a page with status 200', 200, { 'content-type': 'text/html; charset=utf-8' }, 'content-type'],
    ['a redirect to its page', 302, { location: 'http://login.example/' }, 'redirected'],
    ['one for good', 301, {}, 'redirected'],
    ['one that keeps the method', 307, {}, 'redirected'],
    ['511', 511, {}, 'http-status'],
    ['204', 204, {}, 'http-status'],
    ['a packed page', 200, { 'content-encoding': 'gzip' }, 'content-type'],
    ['a page in another form of JSON', 200, { 'content-type': 'application/problem+json' }, 'content-type'],
  ])('%s: nothing is read', (_, status, headers, failure) => {
    const { fetch, told } = fetchOf({ etag: '"1"' });
    expect(fetch.answered(0, status, headersOf(headers))).toBe(false);
    expect(fetch.result).toMatchObject({ kind: 'failed', failure });
    expect(fetch.take(0, bytes(BODY))).toBe(false);
    expect([told.begun, told.results.length]).toEqual([0, 1]);
  });

  it('a page that says it is JSON erases no flash', () => {
    const { fetch, told } = fetchOf();
    fetch.answered(0, 200, headersOf({ 'content-type': 'application/json' }));
    expect(fetch.take(0, bytes('<!doctype html>'))).toBe(false);
    expect(fetch.result).toMatchObject({ failure: 'content-type' });
    expect(told.begun).toBe(0);
  });
});

describe('an answer that is too large', () => {
  it('by its own word is not read', () => {
    const { fetch, told } = fetchOf();
    expect(fetch.answered(0, 200, headersOf({ 'content-length': '101' }))).toBe(false);
    expect([fetch.result, told.begun]).toMatchObject([{ failure: 'too-large' }, 0]);
  });

  it('whatever it says, ends with the byte that is too many', () => {
    for (const length of ['100', '-1', 'x', undefined]) {
      const { fetch, told } = fetchOf();
      expect(fetch.answered(0, 200, (name) => (name === 'content-length' ? length : undefined))).toBe(true);
      expect(fetch.take(0, bytes(`{${'x'.repeat(99)}`))).toBe(true);
      expect(fetch.take(0, bytes('x'))).toBe(false);
      expect(fetch.result).toMatchObject({ failure: 'too-large' });
      expect([told.taken.length, told.dropped]).toEqual([1, 1]);
    }
  });
});

describe('time', () => {
  it('a slow drip ends when the time for the whole is up, however steadily it drips', () => {
    const { fetch, told } = fetchOf();
    fetch.answered(100, 200, NONE);
    let at = 100;
    while (fetch.take(at, bytes('{'))) at += 50;
    expect(at).toBe(1000);
    expect(fetch.result).toEqual({ kind: 'failed', failure: 'timeout', detail: 'no whole answer within 1000 ms' });
    expect(told.dropped).toBe(1);
  });

  it('headers, and the end, that come too late are nothing', () => {
    const late = fetchOf();
    expect(late.fetch.answered(1000, 200, NONE)).toBe(false);
    expect(late.fetch.result).toMatchObject({ failure: 'timeout' });
    const { fetch } = fetchOf();
    fetch.answered(0, 200, NONE);
    fetch.take(0, bytes(BODY));
    expect(fetch.ended(1000)).toMatchObject({ failure: 'timeout' });
  });
});

describe('a link that goes', () => {
  it('in the middle of the body: what was written is given up', () => {
    const { fetch, told } = fetchOf();
    fetch.answered(0, 200, NONE);
    fetch.take(0, bytes('{"bundles":['));
    expect(fetch.failed(1, 'link-down', 'the link went down')).toMatchObject({ failure: 'link-down' });
    expect([told.dropped, told.tags]).toEqual([1, [undefined]]);
  });

  it('what is said after the end changes nothing', () => {
    const { fetch, told } = fetchOf();
    fetch.answered(0, 200, NONE);
    fetch.take(0, bytes(BODY));
    const result = fetch.ended(1);
    expect(fetch.failed(2, 'unreachable', 'late')).toBe(result);
    expect(fetch.ended(2)).toBe(result);
    expect(fetch.answered(2, 200, NONE)).toBe(false);
    expect(told.results).toEqual([result]);
  });

  it('a body without an answer is nothing', () => {
    const { fetch, told } = fetchOf();
    expect(fetch.take(0, bytes(BODY))).toBe(false);
    expect(fetch.ended(0)).toMatchObject({ failure: 'unreachable' });
    expect(told.begun).toBe(0);
  });
});
