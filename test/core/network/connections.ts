// Connections that a test is the other side of, and timers that run when it says so.

import type { Connect, Connection, ConnectionOptions } from '../../../core/network/connection.ts';

/** The connections that were asked for, in order. */
export const connections: FakeConnection[] = [];

/** See the head of the file. It is open when the test says so. */
export class FakeConnection implements Connection {
  readonly options: ConnectionOptions;
  sent = Buffer.alloc(0);
  closed = false;
  #isPaused = false;
  #came: Buffer = Buffer.alloc(0);
  #hasEnded = false;

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  /** It is there. */
  open(): void {
    if (!this.closed) this.options.onOpen();
  }

  /** Bytes come in. */
  come(bytes: Uint8Array | string): void {
    this.#came = Buffer.concat([this.#came, Buffer.from(bytes as string)]);
    this.#hand();
  }

  /** The other side closes: told when everything was taken. */
  end(): void {
    this.#hasEnded = true;
    this.#hand();
  }

  get unread(): number {
    return this.#came.length;
  }

  write(bytes: Uint8Array): void {
    if (!this.closed) this.sent = Buffer.concat([this.sent, bytes]);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#hand();
  }

  close(): void {
    this.closed = true;
  }

  #hand(): void {
    if (this.#isPaused || this.closed) return;
    const bytes = this.#came;
    this.#came = Buffer.alloc(0);
    if (bytes.length > 0) this.options.onBytes(bytes);
    // The bytes were good until it returned.
    bytes.fill(0xee);
    if (!this.#hasEnded || this.closed) return;
    this.closed = true;
    this.options.onEnd('the connection was closed');
  }
}

export const connect: Connect = (options) => {
  const connection = new FakeConnection(options);
  connections.push(connection);
  return connection;
};

/** The connection that was asked for last. */
export function lastConnection(): FakeConnection {
  const connection = connections.at(-1);
  if (connection === undefined) throw new Error('nobody was asked');
  return connection;
}

/** Timers. */
export class Timers {
  #nowMs = 0;
  readonly #due: { readonly ms: number; readonly work: () => void }[] = [];

  readonly after = (ms: number, work: () => void): (() => void) => {
    const timer = { ms: this.#nowMs + ms, work };
    this.#due.push(timer);
    return () => {
      const at = this.#due.indexOf(timer);
      if (at >= 0) this.#due.splice(at, 1);
    };
  };

  /** Lets milliseconds pass. */
  pass(ms: number): void {
    this.#nowMs += ms;
    for (const timer of this.#due.filter((one) => one.ms <= this.#nowMs)) {
      this.#due.splice(this.#due.indexOf(timer), 1);
      timer.work();
    }
  }
}
