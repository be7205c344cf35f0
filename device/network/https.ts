// The core's HTTP client on the SDK's sockets and timers.

import Timer from 'timer';
import { HttpClient, type HttpClientParts } from '../../core/network/http-client.ts';
import type { Log } from '../../core/ports/ports.ts';
import { connecting } from './connection.ts';

/** What a client is made of. */
export interface HttpsClientParts extends Pick<HttpClientParts, 'certificate' | 'observed'> {
  /** Told of what a receiver throws when its connection is over. */
  readonly log: Log;
}

/** See the head of the file. */
export class HttpsClient extends HttpClient {
  constructor({ log, ...parts }: HttpsClientParts) {
    super({ ...parts, connect: connecting(log), after });
  }
}

function after(ms: number, work: () => void): () => void {
  const timer = Timer.set(work, ms);
  return () => Timer.clear(timer);
}
