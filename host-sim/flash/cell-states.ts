// What a simulated flash knows of its cells beyond what they read as: programmed since the last erase or not, bits that
// are unstable after a torn erase, erases per block. Kept beside the store, so that a real restart knows it too.

import type { Beside, Store } from './store.ts';

/** See the head of the file. */
export interface CellStates {
  /** Erases per block. */
  readonly wear: Uint32Array;
  /** True while any bit is unstable. */
  readonly anyWeak: boolean;
  /** Bytes that `copy` gives. */
  readonly byteLength: number;
  /** The first cell of a range that was programmed since it was erased; -1 where none was. */
  firstProgrammed(offset: number, length: number): number;
  /** Cells of a range were programmed, or erased without `clear`. */
  mark(offset: number, length: number, programmed: boolean): void;
  /** The bits of a cell that read differently from read to read. */
  weakBits(cell: number): number;
  /** Sets them; then `findWeak` is to be called. */
  setWeak(cell: number, bits: number): void;
  /** Looks again whether any bit is unstable. */
  findWeak(): void;
  /** A block is erased whole: nothing is programmed in it and no bit unstable. */
  clear(offset: number, length: number): void;
  /** Makes what is known of a range of cells outlive the process. */
  save(offset: number, length: number): void;
  /** Makes the erases and the unstable bits outlive the process. */
  saveWorn(): void;
  /** A copy of all of it, the same whoever keeps it: the erases, a byte for each cell that was programmed, one for its bits. */
  copy(): Uint8Array;
  /** Takes back what `copy` gave. */
  restore(copy: Uint8Array): void;
}

/** With bytes for each cell. Whoever changes `wear` says so with `saveWorn`. */
export class DenseCellStates implements CellStates {
  readonly wear: Uint32Array;
  readonly #programmed: Uint8Array;
  readonly #weak: Uint8Array;
  readonly #beside: Beside;
  #anyWeak = false;

  constructor(store: Store, blocks: number) {
    const wearBytes = blocks * Uint32Array.BYTES_PER_ELEMENT;
    const length = wearBytes + 2 * store.size;
    this.#beside = store.beside?.(length) ?? { bytes: new Uint8Array(length), save: () => {} };
    const { buffer, byteOffset } = this.#beside.bytes;
    this.wear = new Uint32Array(buffer, byteOffset, blocks);
    this.#programmed = this.#beside.bytes.subarray(wearBytes, wearBytes + store.size);
    this.#weak = this.#beside.bytes.subarray(wearBytes + store.size);
    this.findWeak();
  }

  get anyWeak(): boolean {
    return this.#anyWeak;
  }

  get byteLength(): number {
    return this.#beside.bytes.length;
  }

  firstProgrammed(offset: number, length: number): number {
    const programmed = this.#programmed;
    for (let cell = offset; cell < offset + length; cell++) if (programmed[cell] !== 0) return cell;
    return -1;
  }

  mark(offset: number, length: number, programmed: boolean): void {
    this.#programmed.fill(programmed ? 1 : 0, offset, offset + length);
  }

  weakBits(cell: number): number {
    return this.#weak[cell] as number;
  }

  setWeak(cell: number, bits: number): void {
    this.#weak[cell] = bits;
  }

  save(offset: number, length: number): void {
    this.#beside.save(this.wear.byteLength + offset, length);
  }

  saveWorn(): void {
    this.#beside.save(0, this.wear.byteLength);
    if (this.#anyWeak) this.#beside.save(this.wear.byteLength + this.#programmed.length, this.#weak.length);
  }

  findWeak(): void {
    // Written out: it runs at every restore of a snapshot, where a call per cell was a third of a power-cut run.
    let any = 0;
    for (let cell = 0; cell < this.#weak.length; cell++) any |= this.#weak[cell] as number;
    this.#anyWeak = any !== 0;
  }

  clear(offset: number, length: number): void {
    this.#programmed.fill(0, offset, offset + length);
    this.save(offset, length);
    if (!this.#anyWeak) return;
    this.#weak.fill(0, offset, offset + length);
    this.saveWorn();
    this.findWeak();
  }

  copy(): Uint8Array {
    return this.#beside.bytes.slice();
  }

  restore(copy: Uint8Array): void {
    this.#beside.bytes.set(copy);
    this.#beside.save(0, copy.length);
    this.findWeak();
  }
}

/** With a bit for each cell of the blocks in which something was programmed. They last as long as the object. */
export class SparseCellStates implements CellStates {
  readonly wear: Uint32Array;
  readonly #size: number;
  readonly #blockSize: number;
  /** Of each block a bit for each cell; none where nothing is programmed. */
  readonly #programmed: (Uint8Array | undefined)[];
  readonly #weak = new Map<number, number>();

  constructor(size: number, blockSize: number) {
    this.wear = new Uint32Array(size / blockSize);
    this.#size = size;
    this.#blockSize = blockSize;
    this.#programmed = new Array(size / blockSize).fill(undefined);
  }

  get anyWeak(): boolean {
    return this.#weak.size > 0;
  }

  get byteLength(): number {
    return this.wear.byteLength + 2 * this.#size;
  }

  firstProgrammed(offset: number, length: number): number {
    const blockSize = this.#blockSize;
    for (let cell = offset; cell < offset + length; ) {
      const at = cell % blockSize;
      const bits = this.#programmed[(cell - at) / blockSize];
      if (bits === undefined) cell += blockSize - at;
      else if ((at & 7) === 0 && bits[at >> 3] === 0) cell += 8;
      else if (((bits[at >> 3] as number) & (1 << (at & 7))) !== 0) return cell;
      else cell++;
    }
    return -1;
  }

  mark(offset: number, length: number, programmed: boolean): void {
    const blockSize = this.#blockSize;
    const end = offset + length;
    for (let cell = offset; cell < end; ) {
      const at = cell % blockSize;
      const block = (cell - at) / blockSize;
      const until = Math.min(at + end - cell, blockSize);
      if (programmed || this.#programmed[block] !== undefined) {
        this.#programmed[block] ??= new Uint8Array(Math.ceil(blockSize / 8));
        markBits(this.#programmed[block] as Uint8Array, at, until, programmed);
      }
      cell += until - at;
    }
  }

  weakBits(cell: number): number {
    return this.#weak.get(cell) ?? 0;
  }

  setWeak(cell: number, bits: number): void {
    if (bits === 0) this.#weak.delete(cell);
    else this.#weak.set(cell, bits);
  }

  /** It is always known. */
  findWeak(): void {}

  clear(offset: number, length: number): void {
    for (let block = offset; block < offset + length; block += this.#blockSize)
      this.#programmed[block / this.#blockSize] = undefined;
    if (this.#weak.size > 0) for (let cell = offset; cell < offset + length; cell++) this.#weak.delete(cell);
  }

  /** Nothing outlives the process. */
  save(): void {}

  saveWorn(): void {}

  copy(): Uint8Array {
    const copy = new Uint8Array(this.byteLength);
    const wearBytes = this.wear.byteLength;
    new Uint32Array(copy.buffer, 0, this.wear.length).set(this.wear);
    for (let cell = this.firstProgrammed(0, this.#size); cell >= 0; ) {
      copy[wearBytes + cell] = 1;
      cell = this.firstProgrammed(cell + 1, this.#size - cell - 1);
    }
    for (const [cell, bits] of this.#weak) copy[wearBytes + this.#size + cell] = bits;
    return copy;
  }

  restore(copy: Uint8Array): void {
    const wearBytes = this.wear.byteLength;
    this.wear.set(new Uint32Array(copy.slice(0, wearBytes).buffer));
    this.#programmed.fill(undefined);
    this.#weak.clear();
    for (let cell = 0; cell < this.#size; cell++) {
      if (copy[wearBytes + cell] !== 0) this.mark(cell, 1, true);
      this.setWeak(cell, copy[wearBytes + this.#size + cell] as number);
    }
  }
}

/** Sets or clears the bits from one to before another. */
function markBits(bits: Uint8Array, from: number, to: number, set: boolean): void {
  for (let at = from; at < to; ) {
    if ((at & 7) === 0 && at + 8 <= to) {
      bits[at >> 3] = set ? 0xff : 0;
      at += 8;
    } else {
      const bit = 1 << (at & 7);
      bits[at >> 3] = set ? (bits[at >> 3] as number) | bit : (bits[at >> 3] as number) & ~bit;
      at++;
    }
  }
}
