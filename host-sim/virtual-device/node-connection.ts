// Connections of a virtual device over Node's sockets, in the clear or under TLS 1.2 with the server that its provisioning names and
// nobody else: what the firmware does on its SDK.

import { isIP, connect as openTcp, type Socket } from 'node:net';
import { connect as openTls, type TLSSocket } from 'node:tls';
import type { Connect, Connection, ConnectionOptions } from '../../core/network/connection.ts';
import { isServer } from './server-certificate.ts';

/** Makes connections over the machine's network. */
export const connectByNode: Connect = (options) => new NodeConnection(options);

/** Suites that a device has: keys are exchanged by a curve, and the server signs. */
const CIPHERS = 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384';

class NodeConnection implements Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  #isOver = false;

  constructor(options: ConnectionOptions) {
    const { host, port, certificate } = options;
    this.#options = options;
    if (certificate === undefined) this.#socket = openTcp({ host, port }, () => options.onOpen());
    else {
      const socket = openTls({
        host,
        port,
        ...(isIP(host) === 0 && { servername: host }),
        minVersion: 'TLSv1.2',
        maxVersion: 'TLSv1.2',
        ciphers: CIPHERS,
        // Whose a certificate is, is looked at here: before that nothing is sent.
        rejectUnauthorized: false,
      });
      socket.once('secureConnect', () => this.#shown(socket, certificate));
      this.#socket = socket;
    }
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

  #shown(socket: TLSSocket, provisioned: Uint8Array): void {
    const { host, onOpen } = this.#options;
    if (isKnown(socket, host, provisioned)) onOpen();
    else this.#end(`the certificate of ${host} is not one that is provisioned, nor signed by it`);
  }

  #end(detail: string): void {
    if (this.#isOver) return;
    this.close();
    this.#options.onEnd(detail);
  }
}

/** True where a server is. What is no certificate knows nobody. */
function isKnown(socket: TLSSocket, host: string, provisioned: Uint8Array): boolean {
  try {
    const own = socket.getPeerX509Certificate();
    return own !== undefined && isServer(own, host, provisioned, Date.now());
  } catch {
    return false;
  }
}
