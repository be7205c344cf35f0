// Stands for the SDK's listener: a test connects.

import TCP, { lastSocket } from './io-tcp.ts';

/** The listeners that are open. */
export const listeners: Listener[] = [];

export default class Listener {
  readonly options: { readonly port: number; onReadable(sockets: number): void };
  readonly #waiting: TCP[] = [];

  constructor(options: Listener['options']) {
    this.options = options;
    listeners.push(this);
  }

  /** Somebody connects. @returns the socket that the device has of it */
  connect(): TCP {
    const raw = new TCP({});
    this.#waiting.push(raw);
    this.options.onReadable(this.#waiting.length);
    return lastSocket();
  }

  read(): TCP | undefined {
    return this.#waiting.shift();
  }

  close(): void {
    listeners.splice(listeners.indexOf(this), 1);
  }
}
