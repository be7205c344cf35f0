// Answers of servers that are anything: whatever comes, in whatever pieces, ends in one of the states, the same for the same bytes;
// and where Node's own client takes an answer, too, both read the same.

import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpAnswerReader } from '../../../core/network/http-answer.ts';

const SEED = 20_261_121;

/** What came of an answer. */
interface Read {
  readonly state: string;
  readonly status: number | undefined;
  readonly body: string;
}

/** Reads an answer that comes in pieces; they end where told. */
function read(bytes: Uint8Array, cuts: readonly number[] = []): Read {
  let status: number | undefined;
  let told = 0;
  const body: Buffer[] = [];
  const reader = new HttpAnswerReader({
    answered: (stated) => {
      status = stated;
      told++;
      return true;
    },
    take: (part) => {
      body.push(Buffer.from(part));
      return true;
    },
  });
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  let at = 0;
  let state: ReturnType<HttpAnswerReader['push']> = 'more';
  for (const end of ends) {
    state = reader.push(bytes.slice(at, end));
    at = end;
  }
  expect(told).toBeLessThanOrEqual(1);
  // What is over stays over, and nothing more is taken.
  const taken = body.length;
  if (state !== 'more') expect([reader.push(Buffer.from('x\r\n\r\n')), body.length]).toEqual([state, taken]);
  return {
    state: typeof state === 'object' ? `fault: ${state.fault}` : state,
    status,
    body: Buffer.concat(body).toString('latin1'),
  };
}

/** An answer as servers make them: framed by a length or by chunks, with fields and lines around that are allowed. */
const answers = fc
  .record({
    before: fc.constantFrom('', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n'),
    status: fc.constantFrom('200 OK', '200', '302 Found', '404 Not Found', '500 ', '503 Try: later'),
    fields: fc.array(
      fc.constantFrom(
        'Date: Sun, 06 Nov 1994 08:49:37 GMT',
        'ETag: "x"',
        `X-Long: ${'y'.repeat(600)}`,
        'Vary:',
        'a:b',
        'Content-Type: text/html',
      ),
      { maxLength: 4 },
    ),
    parts: fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 }), { maxLength: 5 }),
    isChunked: fc.boolean(),
    extension: fc.constantFrom('', ';a', ';a=b', ';a="b;c"'),
    trailer: fc.constantFrom('', 'X: y\r\n', 'Content-Length: 5\r\n'),
    behind: fc.constantFrom('', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz'),
  })
  .map(({ before, status, fields, parts, isChunked, extension, trailer, behind }) => {
    const body = parts.join('');
    const framed = isChunked
      ? `${parts.map((part) => `${part.length.toString(16)}${extension}\r\n${part}\r\n`).join('')}0${extension}\r\n${trailer}\r\n`
      : body;
    const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
    const head = [`HTTP/1.1 ${status}`, ...fields, framing, 'Connection: close', '', ''].join('\r\n');
    return { bytes: Buffer.from(before + head + framed + behind), body, status: Number(status.slice(0, 3)) };
  });

const cuts = fc.array(fc.nat(2000), { maxLength: 12 });
/** Texts that mean something to readers of HTTP. */
const words = fc.constantFrom(
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  ':',
  ';',
  '0',
  'f',
  '-',
  '+',
  ',',
  '\0',
  '\xff',
  '\r\n\r\n',
  'Content-Length: 3\r\n',
  '\r\nContent-Length: 1',
  'Transfer-Encoding: chunked\r\n',
  '\r\nTransfer-Encoding: identity',
  'HTTP/1.1 200 OK\r\n',
  'ffffffff',
  '0x',
  '0\r\n\r\n',
);
/** A change somewhere: a bit, bytes taken out, or put in. */
const changes = fc.array(
  fc.oneof(
    fc.record({ at: fc.nat(400), bit: fc.nat(7) }),
    fc.record({ at: fc.nat(400), out: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ at: fc.nat(400), put: words }),
  ),
  { minLength: 1, maxLength: 3 },
);

function changed(bytes: Buffer, made: readonly { at: number; bit?: number; out?: number; put?: string }[]): Buffer {
  let now = Buffer.from(bytes);
  for (const { at, bit, out, put } of made) {
    const place = at % (now.length + 1);
    if (bit !== undefined && place < now.length) now[place] = (now[place] as number) ^ (1 << bit);
    now = Buffer.concat([now.subarray(0, place), Buffer.from(put ?? '', 'latin1'), now.subarray(place + (out ?? 0))]);
  }
  return now;
}

describe('an answer', () => {
  it('is read whole, in pieces of any size, whatever comes behind it', () => {
    fc.assert(
      fc.property(answers, cuts, ({ bytes, body, status }, pieces) => {
        expect(read(bytes, pieces)).toEqual({ state: 'whole', status, body });
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });

  it('that is cut off anywhere is not whole', () => {
    fc.assert(
      fc.property(answers, fc.nat(), ({ bytes, status }, end) => {
        // The end of the answer proper: the first byte without which it is not whole.
        let length = bytes.length;
        while (length > 0 && read(bytes.subarray(0, length - 1)).state === 'whole') length--;
        const { state } = read(bytes.subarray(0, end % length));
        expect([state, status]).toEqual(['more', status]);
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('that was changed anywhere, or is any bytes, ends in one state, however it is cut', () => {
    const any = fc.oneof(
      fc.tuple(answers, changes).map(([{ bytes }, made]) => changed(bytes, made)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.array(words, { maxLength: 30 }).map((some) => Buffer.from(`HTTP/1.1 200 OK\r\n${some.join('')}`, 'latin1')),
    );
    fc.assert(
      fc.property(any, cuts, (bytes, pieces) => {
        const whole = read(bytes);
        expect(read(bytes, pieces)).toEqual(whole);
        expect(read(bytes, [...bytes.keys()])).toEqual(whole);
        expect(whole.state).toMatch(/^(more|whole|fault: .+)$/);
      }),
      { seed: SEED, numRuns: 3000 },
    );
  });
});

describe('beside Node’s own client', () => {
  let sends: Uint8Array = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(sends));
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void server.close());

  /** What Node's client makes of an answer; undefined where it takes it for none, or for one that was broken off. */
  function byNode(bytes: Buffer): Promise<Read | undefined> {
    sends = bytes;
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve) => {
      const request = get({ port, host: '127.0.0.1', agent: false, insecureHTTPParser: false }, (response) => {
        const body: Buffer[] = [];
        response.on('data', (part) => void body.push(part));
        response.on('error', () => resolve(undefined));
        response.on('close', () => {
          const read = { state: 'whole', status: response.statusCode, body: Buffer.concat(body).toString('latin1') };
          resolve(response.complete ? read : undefined);
        });
      });
      request.on('upgrade', (_, socket) => {
        socket.destroy();
        resolve(undefined);
      });
      request.on('error', () => resolve(undefined));
    });
  }

  it('an answer that both take is the same to both, unchanged or changed', async () => {
    let both = 0;
    await fc.assert(
      fc.asyncProperty(answers, fc.oneof(fc.constant([]), changes), async ({ bytes }, made) => {
        const sent = changed(bytes, made);
        const own = read(sent);
        if (own.state !== 'whole') return;
        const node = await byNode(sent);
        if (node === undefined) return;
        both++;
        expect(own).toEqual(node);
      }),
      { seed: SEED, numRuns: 800 },
    );
    expect(both).toBeGreaterThan(150);
  });
});
