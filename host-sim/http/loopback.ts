// Requests over sockets to servers of this machine, over connections that are kept: a run of a scenario makes thousands, one
// after the other.

import { Agent, type IncomingMessage, request as send } from 'node:http';
import type { LocalAnswer, LocalRequest } from './json-server.ts';

/** See the head of the file. */
export class Loopback {
  readonly #agent = new Agent({ keepAlive: true });

  /**
   * Sends a request, and gives its whole answer.
   *
   * @param server `http://host:port`
   * @throws Error where none comes
   */
  async answer(server: string, request: LocalRequest): Promise<LocalAnswer> {
    const message = await this.#sent(server, request);
    const parts: Uint8Array[] = [];
    for await (const part of message) parts.push(part as Uint8Array);
    const headers = Object.entries(message.headers).map(([name, value]) => [name, String(value)] as const);
    return {
      status: message.statusCode as number,
      headers: Object.fromEntries(headers),
      body: new Uint8Array(Buffer.concat(parts)),
    };
  }

  /** Ends the connections. */
  close(): void {
    this.#agent.destroy();
  }

  #sent(server: string, request: LocalRequest): Promise<IncomingMessage> {
    const { method, path, headers, body } = request;
    return new Promise((resolve, reject) => {
      const sent = send(new URL(path, server), { method, headers, agent: this.#agent }, resolve);
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The server has ended a connection that nobody had used for long, while this request was put on it.
        const isStale = sent.reusedSocket && error.code === 'ECONNRESET';
        if (isStale) resolve(this.#sent(server, request));
        else reject(error);
      });
      sent.end(body);
    });
  }
}
