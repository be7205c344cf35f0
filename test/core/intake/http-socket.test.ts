// The local endpoint's reader and answers on a real socket, with Node's own client at the other end.

import { request as nodeRequest } from 'node:http';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { HttpRequestReader } from '../../../core/intake/http-request.ts';
import { decisionResponse, httpResponse, noPaymentResponse } from '../../../core/intake/http-response.ts';
import { present } from '../../fixtures/artifacts.ts';
import { Device } from '../../fixtures/device.ts';
import { utf8 } from '../../fixtures/text.ts';

it("Node's client pays on a real socket, and is told why where it does not", async () => {
  const device = new Device();
  const server = createServer((socket) => {
    const reader = new HttpRequestReader(0);
    let answered = false;
    socket.on('data', (chunk) => {
      const result = reader.push(new Uint8Array(chunk), 0);
      if (result === undefined || answered) return;
      answered = true;
      if ('status' in result) socket.end(httpResponse(result.status, { error: result.detail }));
      else if (result.presentation === undefined) socket.end(noPaymentResponse());
      else if ('ok' in result.presentation) socket.end(decisionResponse(result.presentation));
      else socket.end(decisionResponse(device.authorize(result.presentation)));
    });
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const ask = (options: object, body?: Uint8Array) =>
    new Promise<readonly [number | undefined, Record<string, unknown>]>((resolve, reject) => {
      const request = nodeRequest({ host: '127.0.0.1', port, path: '/pay', ...options }, (answer) => {
        let text = '';
        answer.on('data', (part) => {
          text += part;
        });
        answer.on('end', () => resolve([answer.statusCode, JSON.parse(text)]));
      });
      request.on('error', reject);
      request.end(body);
    });
  try {
    const payment = present();
    const header = { authorization: `MPCP ${Buffer.from(payment).toString('base64')}` };
    expect(await ask({ headers: header })).toMatchObject([200, { ok: true }]);
    expect(await ask({ method: 'POST', headers: { 'content-length': payment.length } }, payment)).toMatchObject([
      402,
      { error: 'sba_invalid', detail: expect.stringContaining('BUDGET_ID_REPLAY') },
    ]);
    expect(await ask({})).toMatchObject([402, { error: 'sba_invalid' }]);
    expect(await ask({ method: 'POST' }, utf8('{"sba":{}}'))).toMatchObject([402, { error: 'sba_invalid' }]);
    expect(await ask({ method: 'POST', headers: { 'transfer-encoding': 'chunked' } }, payment)).toMatchObject([
      400,
      {},
    ]);
    expect(await ask({ method: 'DELETE' })).toMatchObject([405, {}]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
