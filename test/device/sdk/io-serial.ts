// Stands for the SDK's serial port: what is written lies in `sent`, and a test decides how much room there is and what comes in.

/** The ports that were opened, in order. */
export const ports: Serial[] = [];

interface SerialOptions {
  readonly port: number;
  readonly baud: number;
  readonly receive?: number;
  readonly transmit?: number;
  onReadable?(bytes: number): void;
  onWritable?(bytes: number): void;
}

export default class Serial {
  readonly options: SerialOptions;
  readonly sent: number[] = [];
  room = 0;
  #came: number[] = [];

  constructor(options: SerialOptions) {
    this.options = options;
    ports.push(this);
  }

  /** The port has room for so many bytes, and says so. */
  makeRoom(bytes: number): void {
    this.room = bytes;
    this.options.onWritable?.(bytes);
  }

  /** Bytes come in. */
  come(bytes: Uint8Array): void {
    this.#came.push(...bytes);
    this.options.onReadable?.(this.#came.length);
  }

  read(): ArrayBuffer | undefined {
    if (this.#came.length === 0) return undefined;
    const bytes = Uint8Array.from(this.#came);
    this.#came = [];
    return bytes.buffer;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > this.room) throw new Error('output full');
    this.room -= bytes.length;
    this.sent.push(...bytes);
  }

  close(): void {}
}
