// Stands for the SDK's TCP sockets, as lwip's are: a test is the other side. What a callback throws is thrown to the test, where on a
// device it ends the engine.

interface TcpOptions {
  readonly address?: string;
  readonly port?: number;
  readonly from?: TCP;
  onReadable?(bytes: number): void;
  onWritable?(bytes: number): void;
  onError?(): void;
}

/** The sockets that were opened, in order. */
export const sockets: TCP[] = [];

/** Whether there is no memory for the next socket that is taken of another. */
export const failing = { next: false };

export default class TCP {
  readonly options: TcpOptions;
  /** What was written, as the other side has it. */
  sent: number[] = [];
  room = 0;
  closed = false;
  #came: number[] = [];
  #hasEnded = false;

  constructor(options: TcpOptions) {
    this.options = options;
    const { from } = options;
    if (from !== undefined) {
      if (failing.next) {
        failing.next = false;
        from.closed = true;
        throw new Error('no memory');
      }
      this.#came = from.#came;
      this.sent = from.sent;
      this.room = from.room;
      from.closed = true;
    }
    sockets.push(this);
  }

  /** The connection is there, or there is room again. */
  makeRoom(bytes: number): void {
    if (this.closed) return;
    this.room = bytes;
    this.options.onWritable?.(bytes);
  }

  /** Bytes come in, and it is told of all that are there. */
  come(bytes: Uint8Array | string): void {
    if (this.closed) return;
    this.#came.push(...(typeof bytes === 'string' ? Buffer.from(bytes) : bytes));
    if (this.#came.length > 0) this.options.onReadable?.(this.#came.length);
  }

  /** The other side closes: told when everything was read. */
  end(): void {
    this.#hasEnded = true;
    this.#tellEnd();
  }

  get unread(): number {
    return this.#came.length;
  }

  read(what: number | Uint8Array): ArrayBuffer | number {
    if (this.closed) throw new Error('closed');
    const count = typeof what === 'number' ? what : what.length;
    if (count <= 0 || count > this.#came.length) throw new Error('invalid');
    const bytes = Uint8Array.from(this.#came.splice(0, count));
    if (typeof what !== 'number') what.set(bytes);
    if (this.#hasEnded && this.#came.length === 0) queueMicrotask(() => this.#tellEnd());
    return typeof what === 'number' ? bytes.buffer : count;
  }

  write(bytes: Uint8Array): number {
    if (this.closed) throw new Error('closed');
    if (bytes.length > this.room) throw new Error('would block');
    this.room -= bytes.length;
    this.sent.push(...bytes);
    return this.room;
  }

  close(): void {
    this.closed = true;
  }

  #tellEnd(): void {
    if (this.#hasEnded && this.#came.length === 0 && !this.closed) this.options.onError?.();
  }
}

/** The socket that was opened last. */
export function lastSocket(): TCP {
  const socket = sockets.at(-1);
  if (socket === undefined) throw new Error('no socket was opened');
  return socket;
}
