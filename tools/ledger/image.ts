// A flash image in a file's bytes, as a partition that can only be read: looking at a ledger must not change it.

import { type Flash, FlashError } from '../../core/ports/ports.ts';

/** See the head of the file. */
export class FlashImage implements Flash {
  readonly size: number;
  readonly blockSize: number;
  readonly programSize = 16;
  readonly #bytes: Uint8Array;

  /** @param blockSize bytes of an erase block; 4096 on the devices */
  constructor(bytes: Uint8Array, blockSize: number) {
    this.#bytes = bytes;
    this.size = bytes.length;
    this.blockSize = blockSize;
  }

  read(offset: number, target: Uint8Array): void {
    target.set(this.#bytes.subarray(offset, offset + target.length));
  }

  program(offset: number): never {
    throw new FlashError(`the image is read only; nothing is written at ${offset}`);
  }

  erase(offset: number): never {
    throw new FlashError(`the image is read only; nothing is erased at ${offset}`);
  }
}
