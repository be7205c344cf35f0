// A request under TLS 1.2 to the server that a device's provisioning names, and to nobody else: nothing is sent before its certificate
// was looked at.

import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import type { LinkRequest } from './link.ts';
import { connectKnown } from './tls-socket.ts';

/** Whom a device knows a server by. */
export interface KnownServer {
  /** The provisioned certificate, in DER; undefined where there is none. */
  readonly certificate: Uint8Array | undefined;
  /** What the device's clock shows. */
  readonly nowMs: number | undefined;
}

const HTTPS_PORT = 443;

/** What is asked for, until a signal ends it. */
type Sent = Pick<LinkRequest, 'method' | 'headers' | 'body'> & { readonly signal: AbortSignal };

/** Asks. Redirects are answers like others. @throws Error where the server is not the one that is known */
export async function tlsFetch(url: URL, init: Sent, known: KnownServer): Promise<Response> {
  const { certificate, nowMs } = known;
  if (certificate === undefined) throw new Error('the device has no certificate to know a server by');
  const { hostname: host, pathname, search, port } = url;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({
      host,
      path: `${pathname}${search}`,
      method: init.method ?? 'GET',
      headers: { host: url.host, ...init.headers, ...(init.body && { 'content-length': init.body.length }) },
      signal: init.signal,
      createConnection: (_, created) => {
        const server = { host, port: port === '' ? HTTPS_PORT : Number(port), certificate, wallMs: () => nowMs };
        const socket = connectKnown(server, (refusal) => {
          if (refusal === undefined) created(null, socket);
          else socket.destroy(new Error(refusal));
        });
        socket.once('error', (error) => created(error, socket));
        return undefined;
      },
    });
    // What ended it is more than that it was ended.
    sent.once('error', (error) => reject(init.signal.aborted ? init.signal.reason : error));
    sent.once('response', resolve);
    sent.end(init.body);
  });
  const headers = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  const status = answer.statusCode as number;
  if (BODILESS.includes(status)) {
    answer.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, { status, headers });
}

/** Statuses whose answers have no body. */
const BODILESS = [204, 205, 304];
