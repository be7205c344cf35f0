// Requests to a device's local endpoint: what is read, and what is refused before two programs could read it
// differently.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HttpFault, type HttpRequest, HttpRequestReader } from '../../../core/intake/http-request.ts';
import { decisionResponse, httpResponse } from '../../../core/intake/http-response.ts';
import { HTTP_HEADERS, HTTP_REQUEST_MS } from '../../../core/limits.ts';
import { refuse } from '../../../core/reason-codes.ts';
import { bytesOf, utf8 } from '../../fixtures/text.ts';

/** What is made of bytes that come at once. */
function read(bytes: string | Uint8Array): HttpRequest | HttpFault | undefined {
  return new HttpRequestReader(0).push(typeof bytes === 'string' ? utf8(bytes) : bytes, 0);
}

const status = (bytes: string) => {
  const result = read(bytes);
  return result && 'status' in result ? result.status : result && 'read';
};

/** A request of these lines. */
const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;
const get = (...fields: string[]) => lines('GET /pay HTTP/1.1', 'Host: device', ...fields);
const post = (body: string, ...fields: string[]) =>
  lines('POST /pay HTTP/1.1', 'Host: device', `Content-Length: ${body.length}`, ...fields) + body;

const base64 = (text: string) => Buffer.from(text).toString('base64');
const paid = (result: HttpRequest | HttpFault | undefined) => {
  if (result === undefined || 'status' in result || !(result.presentation instanceof Uint8Array)) return result;
  return new TextDecoder().decode(result.presentation);
};

describe('a payment', () => {
  it('is in the Authorization header', () => {
    expect(paid(read(get(`Authorization: MPCP ${base64('{"sba":1}')}`)))).toBe('{"sba":1}');
    expect(paid(read(get(`aUTHORIZATION:\t mpcp  ${base64('{"sba":1}')} `)))).toBe('{"sba":1}');
  });

  it('is in X-Mpcp-Sba', () => {
    expect(paid(read(get(`X-Mpcp-Sba: ${base64('{"sba":1}')}`)))).toBe('{"sba":1}');
  });

  it('is in the body', () => {
    expect(paid(read(post('{"sba":1}')))).toBe('{"sba":1}');
  });

  it('is in X-Mpcp-Sba where Authorization is of another scheme: a gateway’s own credentials', () => {
    const both = get('Authorization: Bearer x', `X-Mpcp-Sba: ${base64('{"sba":1}')}`);
    expect(paid(read(both))).toBe('{"sba":1}');
    expect(paid(read(get('Authorization: MPCPx AAAA', `X-Mpcp-Sba: ${base64('{"sba":1}')}`)))).toBe('{"sba":1}');
  });

  it('in a header comes before one in the body', () => {
    expect(paid(read(post('{"sba":2}', `Authorization: MPCP ${base64('{"sba":1}')}`)))).toBe('{"sba":1}');
  });

  it('is in the body where the header carries none, as the merchant SDK has it', () => {
    expect(paid(read(post('{"sba":2}', 'Authorization: Bearer x')))).toBe('{"sba":2}');
  });

  it('as long as a header may carry, or a body', () => {
    expect(paid(read(get(`Authorization: MPCP ${base64('x'.repeat(6144))}`)))).toBe('x'.repeat(6144));
    expect(paid(read(post('x'.repeat(8192))))).toBe('x'.repeat(8192));
  });

  it('as long as a header may carry leaves room for others behind it', () => {
    const long = `Authorization: MPCP ${base64('x'.repeat(6144))}`;
    expect(paid(read(get(long, `Cookie: ${'c'.repeat(1500)}`, 'Accept: */*')))).toBe('x'.repeat(6144));
  });

  it('that is not there is none, and one that cannot be read is refused', () => {
    expect(read(get())).toEqual({ method: 'GET', target: '/pay', presentation: undefined });
    expect(read(get('Authorization: Bearer x'))).toMatchObject({ presentation: undefined });
    expect(read(get('Authorization: MPCP ?'))).toMatchObject({ presentation: { ok: false, code: 'SBA_INVALID' } });
    expect(read(get('X-Mpcp-Sba: ?'))).toMatchObject({ presentation: { ok: false, code: 'SBA_INVALID' } });
  });
});

describe('a request', () => {
  it('may come in pieces of any size, and what comes behind it changes nothing', () => {
    const whole = bytesOf(`${post('{"sba":1}', 'Accept: */*')}GET / HTTP/1.1\r\n`);
    for (const size of [1, 2, 3, 50]) {
      const reader = new HttpRequestReader(0);
      for (let at = 0; at < whole.length; at += size) reader.push(whole.subarray(at, at + size), 0);
      expect(paid(reader.push(new Uint8Array(0), 1e9))).toBe('{"sba":1}');
    }
  });

  it('is waited for, but not for long', () => {
    const reader = new HttpRequestReader(1000);
    expect(reader.push(bytesOf('GET / HT'), 1000)).toBeUndefined();
    expect(reader.push(new Uint8Array(0), 1000 + HTTP_REQUEST_MS)).toBeUndefined();
    expect(reader.push(new Uint8Array(0), 1001 + HTTP_REQUEST_MS)).toMatchObject({ status: 408 });
    expect(reader.push(bytesOf('TP/1.1\r\nHost: a\r\n\r\n'), 1001)).toMatchObject({ status: 408 });
  });
});

describe('attack: two requests in one, as somebody else reads it', () => {
  it.each([
    ['two lengths', get('Content-Length: 0', 'Content-Length: 5')],
    ['the same length twice', post('abc', 'Content-Length: 3')],
    ['a list of lengths', get('Content-Length: 0, 0')],
    ['a length with a sign', get('Content-Length: +3')],
    ['a length in hexadecimal', get('Content-Length: 0x3')],
    ['an empty length', get('Content-Length:')],
    ['chunks', get('Transfer-Encoding: chunked')],
    ['chunks and a length', post('0\r\n\r\n', 'Transfer-Encoding: chunked')],
    ['an encoding that is none', get('transfer-encoding: identity')],
    ['a blank before the colon', get('Content-Length : 3')],
    ['a line that goes on', get('A: b', ' Content-Length: 3')],
    ['a line that goes on with a tab', get('A: b', '\tc')],
    ['a line without a name', get(': x')],
    ['a line without a colon', get('Content-Length')],
    ['a name that is no token', get('Content(Length: 3')],
    ['a bare LF', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['a bare LF in the head', 'GET / HTTP/1.1\r\nHost: a\nContent-Length: 3\r\n\r\n'],
    ['a bare CR', 'GET / HTTP/1.1\r\nHost: a\rContent-Length: 3\r\n\r\n'],
    ['a NUL', get('A: b\u0000c')],
    ['a GET with a body', get('Content-Length: 3')],
    ['a control character, DEL', get('X-Name: a\x7fb')],
    ['two payments', get('X-Mpcp-Sba: AAAA', 'Authorization: MPCP AAAA')],
    ['one header with a payment twice', get('Authorization: MPCP AAAA', 'Authorization: MPCP AAAA')],
    ['no Host', lines('GET / HTTP/1.1')],
    ['two Hosts', get('Host: other')],
    ['a whole address', lines('GET http://a/ HTTP/1.1', 'Host: a')],
    ['a target with a blank', lines('GET /a b HTTP/1.1', 'Host: a')],
    ['a target with a tab', lines('GET /a\tb HTTP/1.1', 'Host: a')],
    ['another version', lines('GET / HTTP/1.0', 'Host: a')],
    ['no version', lines('GET /', 'Host: a')],
    ['two blanks', lines('GET  / HTTP/1.1', 'Host: a')],
    ['an empty line first', `\r\n${get()}`],
  ])('%s', (_, text) => {
    expect(status(text)).toBe(400);
  });
});

describe('bounds', () => {
  it('of the method, target, fields and body have a status of their own', () => {
    expect(status(lines('PUT / HTTP/1.1', 'Host: a'))).toBe(405);
    expect(status(lines(`GET /${'a'.repeat(255)} HTTP/1.1`, 'Host: a'))).toBe('read');
    expect(status(lines(`GET /${'a'.repeat(256)} HTTP/1.1`, 'Host: a'))).toBe(431);
    const fields = (n: number) => Array.from({ length: n }, (_, i) => `A${i}: b`);
    expect(status(get(...fields(HTTP_HEADERS - 1)))).toBe('read');
    expect(status(get(...fields(HTTP_HEADERS)))).toBe(431);
    expect(status(get(`A: ${'b'.repeat(9000)}`))).toBe(431);
    expect(status(get(...Array(8).fill(`A: ${'b'.repeat(2000)}`)))).toBe(431);
    expect(status(post('x'.repeat(8193)))).toBe(413);
    expect(status(get('Content-Length: 99999999999999999999'))).toBe(413);
    expect(status(post('x'.repeat(8000), `X-Mpcp-Sba: ${'A'.repeat(8000)}`))).toBe(413);
  });

  it('of memory: a line without an end is not kept', () => {
    const reader = new HttpRequestReader(0);
    for (let i = 0; i < 200; i++) reader.push(new Uint8Array(1000).fill(65), 0);
    expect(reader.push(new Uint8Array(0), 0)).toMatchObject({ status: 431 });
  });
});

describe('any bytes', () => {
  it('are a request, a fault, or not whole, however they are cut', () => {
    const piece = fc.constantFrom(
      'GET / HTTP/1.1\r\n',
      'POST /a HTTP/1.1\r\n',
      'Host: a\r\n',
      'Content-Length: 3\r\n',
      'Authorization: MPCP AAAA\r\n',
      'X-Mpcp-Sba: AAAA\r\n',
      '\r\n',
      '\n',
      '\r',
      ' ',
      'abc',
      '\u0000',
      'é',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 12 }),
        fc.integer({ min: 1, max: 9 }),
        (parts, size) => {
          const bytes = Uint8Array.from(Buffer.from(parts.join(''), 'latin1'));
          const reader = new HttpRequestReader(0);
          for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size), 0);
          expect(reader.push(new Uint8Array(0), 0)).toEqual(read(bytes));
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('an answer', () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

  it('has its length in bytes, and closes the connection', () => {
    expect(text(httpResponse(404, { error: 'é' }))).toBe(
      'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 14\r\n' +
        'Cache-Control: no-store\r\nConnection: close\r\n\r\n{"error":"é"}',
    );
    expect(text(httpResponse(405, {}))).toContain('\r\nAllow: GET, POST\r\n');
    for (const status of [200, 400, 402, 408, 413, 431, 503] as const)
      expect(text(httpResponse(status, {}))).toMatch(/^HTTP\/1\.1 \d{3} [A-Z]/);
  });

  it.each([
    ['ARTIFACT_EXPIRED', 'grant_expired'],
    ['AMOUNT_EXCEEDED', 'amount_exceeded'],
    ['GRANT_BUDGET_EXCEEDED', 'amount_exceeded'],
    ['DESTINATION_NOT_ALLOWED', 'destination_not_allowed'],
    ['GRANT_REVOKED', 'grant_revoked'],
    ['SBA_SIGNATURE_INVALID', 'sba_invalid'],
    ['STORE_FULL', 'sba_invalid'],
  ] as const)("to a refusal with %s is 402 and the merchant SDK's %s, with the code in its detail", (code, error) => {
    const answer = text(decisionResponse(refuse('sba', 'a.check', code, 'why')));
    expect(answer).toContain('HTTP/1.1 402 Payment Required\r\n');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] as string)).toEqual({ error, detail: `${code}: why` });
  });

  it('that would quote half a character does without', () => {
    expect(text(decisionResponse(refuse('sba', 'a.check', 'ARTIFACT_INVALID', '\ud83d')))).toContain(
      '"detail":"ARTIFACT_INVALID"}',
    );
  });
});
