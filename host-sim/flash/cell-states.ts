// What a simulated flash knows of its cells beyond what they read as: programmed since the last erase or not, bits that
// are unstable after a torn erase, erases per block. Kept beside the store, so that a real restart knows it too.

import type { Beside, Store } from './store.ts';

/** See the head of the file. Whoever changes an array says so with `save`. */
export class CellStates {
  /** Erases per block. */
  readonly wear: Uint32Array;
  /** For each cell 1 where it was programmed since it was erased, else 0. */
  readonly programmed: Uint8Array;
  /** For each cell the bits that read differently from read to read. */
  readonly weak: Uint8Array;
  readonly #beside: Beside;
  #anyWeak = false;

  constructor(store: Store, blocks: number) {
    const wearBytes = blocks * Uint32Array.BYTES_PER_ELEMENT;
    const length = wearBytes + 2 * store.size;
    this.#beside = store.beside?.(length) ?? { bytes: new Uint8Array(length), save: () => {} };
    const { buffer, byteOffset } = this.#beside.bytes;
    this.wear = new Uint32Array(buffer, byteOffset, blocks);
    this.programmed = this.#beside.bytes.subarray(wearBytes, wearBytes + store.size);
    this.weak = this.#beside.bytes.subarray(wearBytes + store.size);
    this.findWeak();
  }

  /** True while any bit is unstable. */
  get anyWeak(): boolean {
    return this.#anyWeak;
  }

  /** Bytes that `copy` gives. */
  get byteLength(): number {
    return this.#beside.bytes.length;
  }

  /** Makes what is known of a range of cells outlive the process. */
  save(offset: number, length: number): void {
    this.#beside.save(this.wear.byteLength + offset, length);
  }

  /** Makes the erases and the unstable bits outlive the process. */
  saveWorn(): void {
    this.#beside.save(0, this.wear.byteLength);
    if (this.#anyWeak) this.#beside.save(this.wear.byteLength + this.programmed.length, this.weak.length);
  }

  /** Looks again whether any bit is unstable, after `weak` was changed. */
  findWeak(): void {
    // Written out: it runs at every restore of a snapshot, where a call per cell was a third of a power-cut run.
    let any = 0;
    for (let cell = 0; cell < this.weak.length; cell++) any |= this.weak[cell];
    this.#anyWeak = any !== 0;
  }

  /** A block is erased whole: nothing is programmed in it and no bit unstable. */
  clear(offset: number, length: number): void {
    this.programmed.fill(0, offset, offset + length);
    this.save(offset, length);
    if (!this.#anyWeak) return;
    this.weak.fill(0, offset, offset + length);
    this.saveWorn();
    this.findWeak();
  }

  /** A copy of all of it. */
  copy(): Uint8Array {
    return this.#beside.bytes.slice();
  }

  /** Takes back what `copy` gave. */
  restore(copy: Uint8Array): void {
    this.#beside.bytes.set(copy);
    this.#beside.save(0, copy.length);
    this.findWeak();
  }
}
