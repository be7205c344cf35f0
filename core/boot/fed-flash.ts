// A flash whose every operation tells a watchdog that the device is alive, as long as it reads and writes no more than a start
// has to: a start that goes round in circles is ended by the watchdog after all.

import { UNIT } from '../encoding/flash-header.ts';
import type { Flash } from '../ports/ports.ts';

/** What feeds a watchdog, until it has fed enough. */
export class Feeder {
  readonly #feed: () => void;
  /** Bytes that may still be read or written. */
  #left = 0;

  constructor(feed: () => void) {
    this.#feed = feed;
  }

  /** From now on so many bytes may be read or written. */
  allow(bytes: number): void {
    this.#left = bytes;
    this.#feed();
  }

  /** An operation on flash. */
  used(bytes: number): void {
    if (this.#left <= 0) return;
    this.#left -= Math.max(bytes, UNIT);
    this.#feed();
  }
}

/** See the head of the file. */
export class FedFlash implements Flash {
  readonly size: number;
  readonly blockSize: number;
  readonly programSize: number;
  readonly #flash: Flash;
  readonly #feeder: Feeder;

  constructor(flash: Flash, feeder: Feeder) {
    this.size = flash.size;
    this.blockSize = flash.blockSize;
    this.programSize = flash.programSize;
    this.#flash = flash;
    this.#feeder = feeder;
  }

  read(offset: number, target: Uint8Array): void {
    this.#flash.read(offset, target);
    this.#feeder.used(target.length);
  }

  program(offset: number, bytes: Uint8Array): void {
    this.#flash.program(offset, bytes);
    this.#feeder.used(bytes.length);
  }

  erase(offset: number): void {
    this.#flash.erase(offset);
    this.#feeder.used(this.blockSize);
  }
}
