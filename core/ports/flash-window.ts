// A part of a flash as a flash of its own: several partitions on one chip, none of which can reach into another.

import { type Flash, FlashError } from './ports.ts';

/**
 * Blocks of a flash, seen as a whole one. Every operation is one operation of the flash it lies on.
 *
 * @example const ledger = new FlashWindow(flash, 0, 65_536); // its offset 0 is the flash's offset 0
 */
export class FlashWindow implements Flash {
  readonly size: number;
  readonly blockSize: number;
  readonly programSize: number;
  readonly #flash: Flash;
  readonly #start: number;

  /**
   * @param start where it begins in the flash, in bytes
   * @param size in bytes; left out, what there is behind `start`
   * @throws RangeError where it is empty, not inside the flash, or not in whole blocks
   */
  constructor(flash: Flash, start: number, size: number = flash.size - start) {
    const { blockSize } = flash;
    if (!(start >= 0 && size > 0 && start + size <= flash.size))
      throw new RangeError(`${size} bytes at ${start} are not inside a flash of ${flash.size}`);
    if (start % blockSize !== 0 || size % blockSize !== 0)
      throw new RangeError(`${size} bytes at ${start} are not whole blocks of ${blockSize}`);
    this.size = size;
    this.blockSize = blockSize;
    this.programSize = flash.programSize;
    this.#flash = flash;
    this.#start = start;
  }

  read(offset: number, target: Uint8Array): void {
    this.#flash.read(this.#inside(offset, target.length), target);
  }

  program(offset: number, bytes: Uint8Array): void {
    this.#flash.program(this.#inside(offset, bytes.length), bytes);
  }

  erase(offset: number): void {
    this.#flash.erase(this.#inside(offset, this.blockSize));
  }

  /** The flash's offset. What reaches past the window would be another partition's. */
  #inside(offset: number, length: number): number {
    if (!(offset >= 0 && offset + length <= this.size))
      throw new FlashError(`${length} bytes at ${offset} are not inside ${this.size}`);
    return this.#start + offset;
  }
}
