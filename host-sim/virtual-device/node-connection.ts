// Connections of a virtual device over Node's sockets, in the clear or under TLS with the server that its provisioning names and
// nobody else.

import { connect, type Socket } from 'node:net';
import type { Connect, Connection, ConnectionOptions } from '../../core/network/connection.ts';
import type { Clock } from '../../core/ports/ports.ts';
import { connectKnown } from './tls-socket.ts';

/** Makes connections over the machine's network. @param wallMs what the device's clock shows: by it a certificate is valid, or is not */
export function connectingByNode(wallMs: Clock['wallMs']): Connect {
  return (options) => new NodeConnection(options, wallMs);
}

class NodeConnection implements Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  #isOver = false;

  constructor(options: ConnectionOptions, wallMs: Clock['wallMs']) {
    const { host, port, certificate } = options;
    this.#options = options;
    if (certificate === undefined) this.#socket = connect({ host, port }, () => options.onOpen());
    else
      this.#socket = connectKnown({ host, port, certificate, wallMs }, (refusal) => {
        if (refusal === undefined) options.onOpen();
        else this.#end(refusal);
      });
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (bytes) => {
      if (!this.#isOver) options.onBytes(bytes);
    });
    this.#socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#end(`${host} cannot be reached: ${error.code ?? error.message}`),
    );
    this.#socket.on('close', () => this.#end('the connection was closed'));
  }

  write(bytes: Uint8Array): void {
    if (!this.#isOver) this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #end(detail: string): void {
    if (this.#isOver) return;
    this.close();
    this.#options.onEnd(detail);
  }
}
