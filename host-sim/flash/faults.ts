// What can be wrong with a flash other than its power: bits that flip from reading, stuck bits, bad and worn blocks, a
// device that cannot be read or written. All of it is switched while the flash runs, and none of it is kept in its file.

import { FlashError } from '../../core/ports/ports.ts';

/** Cells with stuck bits: which bits of the cell, and what they hold. */
export type StuckBits = ReadonlyMap<number, { readonly bits: number; readonly value: number }>;

/** What blocks do once they are worn out. */
export interface WearOut {
  /** Erases that a block takes; the next one has the effect. Counted over the life of the store. */
  readonly erases: number;
  /** `erase-fails`: it throws FlashError and changes nothing. `stuck-bits`: it is done, and one more bit is stuck at 0. */
  readonly effect: 'erase-fails' | 'stuck-bits';
}

/** The faults of one simulated flash; at first it has none. */
export class FlashFaults {
  readonly #size: number;
  readonly #blockSize: number;
  readonly #stuck = new Map<number, { bits: number; value: number }>();
  readonly #bad = new Set<number>();
  readonly #reads: Uint32Array;
  #readsFail = false;
  #readOnly = false;
  #disturbAfter = 0;
  #wearOut: WearOut | undefined;
  #onRead = false;
  #haveRefused = false;

  /** @param size bytes of the flash; `blockSize` divides it */
  constructor(size: number, blockSize: number) {
    this.#size = size;
    this.#blockSize = blockSize;
    this.#reads = new Uint32Array(size / blockSize);
  }

  /** Every read throws FlashError. */
  get readsFail(): boolean {
    return this.#readsFail;
  }
  set readsFail(fail: boolean) {
    this.#readsFail = fail;
    this.#look();
  }

  /** Every program and erase throws FlashError and changes nothing. */
  get readOnly(): boolean {
    return this.#readOnly;
  }
  set readOnly(readOnly: boolean) {
    this.#readOnly = readOnly;
  }

  /** What blocks do once they are worn out; undefined while they last for ever. */
  get wearOut(): WearOut | undefined {
    return this.#wearOut;
  }
  set wearOut(wearOut: WearOut | undefined) {
    if (wearOut !== undefined && !(Number.isInteger(wearOut.erases) && wearOut.erases >= 0)) {
      throw new RangeError(`${wearOut.erases} is no number of erases`);
    }
    this.#wearOut = wearOut;
  }

  /**
   * Read-disturb: of every `reads` reads that touch a block since its last erase, the last one flips a bit of it, which
   * stays so until the block is erased. A cell that was erased when its bit flipped cannot hold a 1 there; after a real
   * restart such a cell counts as programmed. Undefined ends it; bits that have flipped stay.
   *
   * @throws RangeError where `reads` is no whole number above 0
   */
  disturbAfter(reads: number | undefined): void {
    if (reads !== undefined && !(Number.isInteger(reads) && reads > 0)) throw new RangeError(`${reads} is no count`);
    this.#disturbAfter = reads ?? 0;
    this.#reads.fill(0);
    this.#look();
  }

  /**
   * A bit of a cell always reads `value`, whatever is programmed or erased. With encryption it is the encrypted bit, so the
   * cipher block reads as garbage where its encrypted form has the other value there; erased, it has ones.
   *
   * @param bit from 0, the least significant, to 7
   * @throws RangeError where there is no such cell or bit
   */
  stickBit(offset: number, bit: number, value: 0 | 1): void {
    if (
      !(Number.isInteger(offset) && offset >= 0 && offset < this.#size && Number.isInteger(bit) && (bit & ~7) === 0)
    ) {
      throw new RangeError(`there is no bit ${bit} at ${offset}`);
    }
    const { bits, value: values } = this.#stuck.get(offset) ?? { bits: 0, value: 0 };
    const mask = 1 << bit;
    this.#stuck.set(offset, { bits: bits | mask, value: value === 1 ? values | mask : values & ~mask });
    this.#look();
  }

  /** No bit is stuck any more. */
  unstickBits(): void {
    this.#stuck.clear();
    this.#look();
  }

  /** The cells with stuck bits, those of worn-out blocks included. */
  get stuck(): StuckBits {
    return this.#stuck;
  }

  /**
   * A block that can be read, but every program and erase that touches it throws FlashError and changes nothing.
   *
   * @param bad false makes it good again
   * @throws RangeError where there is no such block
   */
  markBad(block: number, bad = true): void {
    if (!(Number.isInteger(block) && block >= 0 && block < this.#reads.length)) {
      throw new RangeError(`there is no block ${block}`);
    }
    if (bad) this.#bad.add(block);
    else this.#bad.delete(block);
  }

  /** Whether anything cannot be read or written. */
  get fail(): boolean {
    return this.#readsFail || this.#readOnly || this.#bad.size > 0;
  }

  /** Whether a program or an erase was refused since faults were last cleared. */
  get haveRefused(): boolean {
    return this.#haveRefused;
  }

  /** Ends all faults. Bits that read-disturb has flipped stay until their block is erased. */
  clear(): void {
    this.#readsFail = false;
    this.#readOnly = false;
    this.#wearOut = undefined;
    this.#bad.clear();
    this.#stuck.clear();
    this.disturbAfter(undefined);
    this.#haveRefused = false;
  }

  /** For the flash: whether a read has to ask here at all. */
  get onRead(): boolean {
    return this.#onRead;
  }

  /** For the flash: why a program of these bytes, or an erase, cannot be carried out. */
  refusal(offset: number, length: number, erasesBefore: number | undefined): FlashError | undefined {
    const refusal = this.#refusal(offset, length, erasesBefore);
    if (refusal !== undefined) this.#haveRefused = true;
    return refusal;
  }

  #refusal(offset: number, length: number, erasesBefore: number | undefined): FlashError | undefined {
    if (this.#readOnly) return new FlashError('the flash is read-only');
    if (this.#bad.size > 0) {
      for (let block = this.#blockAt(offset); block <= this.#blockAt(offset + length - 1); block++) {
        if (this.#bad.has(block)) return new FlashError(`block ${block} is bad`);
      }
    }
    if (erasesBefore === undefined || this.#wearOut?.effect !== 'erase-fails') return undefined;
    if (erasesBefore < this.#wearOut.erases) return undefined;
    return new FlashError(`block ${this.#blockAt(offset)} is worn out after ${erasesBefore} erases`);
  }

  /** For the flash: a block was erased, so many times before; `place` says which bit of it wears out now, if one does. */
  erased(block: number, erasesBefore: number, place: () => number): void {
    this.#reads[block] = 0;
    if (this.#wearOut?.effect !== 'stuck-bits' || erasesBefore < this.#wearOut.erases) return;
    const bit = place();
    this.stickBit(block * this.#blockSize + (bit >> 3), bit & 7, 0);
  }

  /** For the flash: a range was read; `flip` is called for each block of which a bit flips. */
  wasRead(offset: number, length: number, flip: (block: number) => void): void {
    if (this.#disturbAfter === 0 || length === 0) return;
    for (let block = this.#blockAt(offset); block <= this.#blockAt(offset + length - 1); block++) {
      this.#reads[block] += 1;
      if (this.#reads[block] % this.#disturbAfter === 0) flip(block);
    }
  }

  #blockAt(offset: number): number {
    return Math.floor(offset / this.#blockSize);
  }

  #look(): void {
    this.#onRead = this.#readsFail || this.#disturbAfter > 0 || this.#stuck.size > 0;
  }
}
