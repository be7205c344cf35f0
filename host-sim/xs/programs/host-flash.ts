// A partition whose cells the host holds: reads copy bytes into the machine, and nothing of the partition stays there. Blocks
// and units are those of a device.

import './host.ts';
import type { Flash } from '../../../core/ports/ports.ts';

/** A partition whose cells the host holds. */
export class HostFlash implements Flash {
  readonly size: number;
  readonly blockSize = 4096;
  readonly programSize = 16;
  readonly #path: string;

  /** @param path of a file with its first cells; the file stays as it is */
  constructor(path: string) {
    this.#path = path;
    this.size = host.fileSize(path);
  }

  read(offset: number, target: Uint8Array): void {
    host.readInto(this.#path, offset, target);
  }

  program(offset: number, bytes: Uint8Array): void {
    host.writeInto(this.#path, offset, bytes);
  }

  erase(offset: number): void {
    host.eraseIn(this.#path, offset, this.blockSize);
  }
}
