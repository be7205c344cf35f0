// A flash image in a file's bytes, as a partition that can only be read: looking at a ledger must not change it. And which
// log it holds.

import { HEADER_UNITS, isLogHeader, UNIT } from '../../core/ledger/block-log.ts';
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

  program(offset: number, _bytes: Uint8Array): void {
    throw new FlashError(`the image is read only; nothing is written at ${offset}`);
  }

  erase(offset: number): void {
    throw new FlashError(`the image is read only; nothing is erased at ${offset}`);
  }
}

/**
 * A copy of an image that can be written: what a device does at its start can be tried out, and the image stays as it is.
 */
export class ScratchImage extends FlashImage {
  readonly #cells: Uint8Array;

  /** @param blockSize see `FlashImage` */
  constructor(bytes: Uint8Array, blockSize: number) {
    const cells = bytes.slice();
    super(cells, blockSize);
    this.#cells = cells;
  }

  override program(offset: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++)
      this.#cells[offset + i] = (this.#cells[offset + i] as number) & (bytes[i] as number);
  }

  override erase(offset: number): void {
    this.#cells.fill(0xff, offset, offset + this.blockSize);
  }
}

const HEADER_BYTES = HEADER_UNITS * UNIT;

/** True where the headers of an image's blocks say that it is a log of this id: most of them, where they differ. */
export function isImageOf(id: number, bytes: Uint8Array, blockSize: number): boolean {
  let own = 0;
  let other = 0;
  for (let at = 0; at + HEADER_BYTES <= bytes.length; at += blockSize) {
    const header = bytes.subarray(at, at + HEADER_BYTES);
    if (!isLogHeader(header)) continue;
    if (header[1] === id) own++;
    else other++;
  }
  return own > other;
}
