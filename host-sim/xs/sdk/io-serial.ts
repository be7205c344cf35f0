// Stands for `embedded:io/serial` inside XS: ports of the C host.

import './sdk.ts';

interface SerialOptions {
  readonly port: number;
  readonly baud: number;
  onReadable?(bytes: number): void;
  onWritable?(bytes: number): void;
}

export default class Serial {
  readonly #port: number;

  constructor({ port, baud, onReadable, onWritable }: SerialOptions) {
    this.#port = port;
    sdk.openSerial(port, baud, onReadable, onWritable);
  }

  read(): ArrayBuffer | undefined {
    return sdk.readSerial(this.#port);
  }

  write(bytes: Uint8Array): void {
    sdk.writeSerial(this.#port, bytes);
  }

  close(): void {
    sdk.closeSerial(this.#port);
  }
}
