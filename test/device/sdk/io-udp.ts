// Stands for the SDK's UDP sockets: what is written lies in `sent`, and a test sends packets back.

/** The sockets that are open. */
export const udpSockets: UDP[] = [];

export default class UDP {
  readonly options: { onReadable(packets: number): void };
  readonly sent: { readonly bytes: Uint8Array; readonly address: string; readonly port: number }[] = [];
  #came: (ArrayBuffer & { address: string; port: number })[] = [];

  constructor(options: UDP['options']) {
    this.options = options;
    udpSockets.push(this);
  }

  /** A packet comes in. */
  come(bytes: Uint8Array, address: string, port: number): void {
    this.#came.push(Object.assign(Uint8Array.from(bytes).buffer, { address, port }));
    this.options.onReadable(this.#came.length);
  }

  read(): ArrayBuffer & { address: string; port: number } {
    return this.#came.shift() as ArrayBuffer & { address: string; port: number };
  }

  write(bytes: Uint8Array, address: string, port: number): void {
    this.sent.push({ bytes: bytes.slice(), address, port });
  }

  close(): void {
    udpSockets.splice(udpSockets.indexOf(this), 1);
  }
}
