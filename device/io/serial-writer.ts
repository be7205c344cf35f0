// Bytes to a serial port whose buffer is small: what does not fit waits here, up to a limit, and goes out as room is told.

/** What it writes to: throws where more is written than there is room for. */
export interface SerialOutput {
  write(bytes: Uint8Array): void;
}

/** A queue of whole messages. One that does not fit is not taken; none is cut. */
export class SerialWriter {
  readonly #output: SerialOutput;
  readonly #limit: number;
  readonly #waiting: Uint8Array[] = [];
  #bytes = 0;
  #room = 0;

  /** @param limit bytes that may wait */
  constructor(output: SerialOutput, limit: number) {
    this.#output = output;
    this.#limit = limit;
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.#bytes;
  }

  /** Takes a message. @returns false where too much waits already */
  send(message: Uint8Array): boolean {
    if (this.#bytes + message.length > this.#limit) return false;
    if (message.length === 0) return true;
    this.#waiting.push(message);
    this.#bytes += message.length;
    this.#drain();
    return true;
  }

  /** The port has room for so many bytes. */
  writable(bytes: number): void {
    this.#room = bytes;
    this.#drain();
  }

  /** A port that has less room than it told keeps the message waiting, until it tells again. */
  #written(part: Uint8Array): boolean {
    try {
      this.#output.write(part);
      return true;
    } catch {
      this.#room = 0;
      return false;
    }
  }

  #drain(): void {
    let first = this.#waiting[0];
    while (this.#room > 0 && first !== undefined) {
      const part = first.length <= this.#room ? first : first.subarray(0, this.#room);
      if (!this.#written(part)) return;
      this.#room -= part.length;
      this.#bytes -= part.length;
      if (part.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(part.length);
      first = this.#waiting[0];
    }
  }
}
