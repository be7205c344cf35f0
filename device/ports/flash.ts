// The Flash port on a partition of the SDK: what the SDK does not check is checked here, and what it throws is a FlashError.

import storage, { type FlashPartition } from 'embedded:storage/flash';
import { type Flash, FlashError } from '../../core/ports/ports.ts';
import { wordsOf } from './thrown.ts';

/** Flash encryption works on so many bytes at a time. */
const PROGRAM_BYTES = 16;

/** A data partition, by its label in the partition table. What was written is not read back here: the core's stores do that. */
export class PartitionFlash implements Flash {
  readonly size: number;
  readonly blockSize: number;
  readonly programSize = PROGRAM_BYTES;
  readonly #label: string;
  readonly #partition: FlashPartition;

  /** @throws FlashError where there is no such data partition, or its size is no number of whole blocks */
  constructor(label: string) {
    this.#label = label;
    this.#partition = this.#carriedOut('open', 0, () => storage.open({ path: label, mode: 'r+' }));
    const { size, blockLength } = this.#carriedOut('look at', 0, () => this.#partition.status());
    if (!(blockLength > 0 && blockLength % PROGRAM_BYTES === 0 && size > 0 && size % blockLength === 0))
      throw new FlashError(`partition ${label} has ${size} bytes in blocks of ${blockLength}`);
    this.size = size;
    this.blockSize = blockLength;
  }

  read(offset: number, target: Uint8Array): void {
    this.#inside(offset, target.length);
    if (target.length === 0) return;
    const count = this.#carriedOut('read', offset, () => this.#partition.read(target, offset));
    if (count !== target.length) throw this.#failed('read', offset, `${count} bytes of ${target.length} came`);
  }

  program(offset: number, bytes: Uint8Array): void {
    this.#inside(offset, bytes.length);
    if (offset % PROGRAM_BYTES !== 0 || bytes.length % PROGRAM_BYTES !== 0)
      throw this.#failed('program', offset, `${bytes.length} bytes are not whole units of ${PROGRAM_BYTES}`);
    if (bytes.length > 0) this.#carriedOut('program', offset, () => this.#partition.write(bytes, offset));
  }

  erase(offset: number): void {
    this.#inside(offset, this.blockSize);
    if (offset % this.blockSize !== 0) throw this.#failed('erase', offset, 'no block begins there');
    const block = offset / this.blockSize;
    this.#carriedOut('erase', offset, () => this.#partition.eraseBlock(block, block + 1));
  }

  /** The SDK passes what reaches past the end on to the chip, in 32 bits. */
  #inside(offset: number, length: number): void {
    if (!(Number.isInteger(offset) && offset >= 0 && offset + length <= this.size))
      throw this.#failed('use', offset, `${length} bytes are not inside ${this.size}`);
  }

  #carriedOut<T>(what: string, offset: number, operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      throw this.#failed(what, offset, wordsOf(error));
    }
  }

  #failed(what: string, offset: number, why: string): FlashError {
    return new FlashError(`cannot ${what} partition ${this.#label} at ${offset}: ${why}`);
  }
}
