// Stands for `embedded:io/socket/tcp` inside XS: sockets of the C host, on loopback.

import './sdk.ts';

interface TcpOptions {
  readonly address?: string;
  readonly port?: number;
  readonly from?: TCP;
  /** The number of what a listener has accepted: nobody heeds it yet. */
  readonly accepted?: number;
  onReadable?(bytes: number): void;
  onWritable?(bytes: number): void;
  onError?(): void;
}

export default class TCP {
  readonly #socket: number;

  constructor({ address, port, from, accepted, onReadable, onWritable, onError }: TcpOptions) {
    this.#socket = from === undefined ? (accepted ?? sdk.connectTcp(address as string, port as number)) : from.#socket;
    sdk.heedTcp(this.#socket, onReadable, onWritable, onError);
  }

  read(what: number | Uint8Array): ArrayBuffer | number {
    const target = typeof what === 'number' ? new Uint8Array(what) : what;
    sdk.readTcp(this.#socket, target);
    return typeof what === 'number' ? (target.buffer as ArrayBuffer) : target.length;
  }

  write(bytes: Uint8Array): number {
    return sdk.writeTcp(this.#socket, bytes);
  }

  close(): void {
    sdk.closeTcp(this.#socket);
  }
}
