// The line between a device and its reader, where answers to payers get lost while something is wrong with it.

import type { SeededRandom } from '../flash/random.ts';
import type { ReaderFault } from './fault.ts';

/** See the head of the file. */
export class ReaderLine {
  readonly #random: SeededRandom;
  readonly #faults = new Set<ReaderFault>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Something goes wrong. @returns what ends it */
  begin(fault: ReaderFault): () => void {
    this.#faults.add(fault);
    return () => {
      this.#faults.delete(fault);
    };
  }

  /** Whether the answer that is given now gets lost. */
  losesAnswer(): boolean {
    for (const { share } of this.#faults) if (this.#random.next() < share) return true;
    return false;
  }
}
