// How cells look to a reader. Without encryption a bit is a bit and erased cells read 0xFF; with flash encryption a reader
// gets what 16 cells decrypt to, so erased cells read like noise and one wrong bit spoils all 16 bytes.

import type { CellStates } from './cell-states.ts';
import type { StuckBits } from './faults.ts';
import { mix, type SeededRandom } from './random.ts';
import { ERASED, erasedBytes } from './store.ts';

/** Bytes that are encrypted together. */
export const CIPHER_BLOCK = 16;

/**
 * What an erased cell reads as: `ones` 0xFF; `scrambled` a byte that depends on its address and the flash's seed, always
 * the same, as decrypting 0xFF gives.
 */
export type ErasedReads = 'ones' | 'scrambled';

/** The rules of one way. Ranges of cells given to it begin and end at multiples of `unit`; offsets are into the flash. */
export interface CellCoding {
  /** Bytes that one wrong bit spoils together. */
  readonly unit: number;
  /** What erased cells hold, at most a block of them, to be read only. */
  erased(offset: number, length: number): Uint8Array;
  /**
   * Marks as programmed what an earlier run left programmed and nobody noted; gives cells that are erased but never were
   * made to look so their look. True where it changed cells.
   */
  takeOver(cells: Uint8Array, states: CellStates): boolean;
  /** Programs the bits `landed` of `bytes` over `cells`, and marks what was touched. */
  program(offset: number, cells: Uint8Array, bytes: Uint8Array, landed: Uint8Array, states: CellStates): void;
  /** The unit at `at` in `cells` was erased in part: it is neither old nor erased. */
  spoil(offset: number, cells: Uint8Array, at: number, states: CellStates): void;
  /** Flips one bit of the cell at `at`. */
  flip(offset: number, cells: Uint8Array, at: number, bit: number): void;
  /** Lets unstable bits (where `noise` is given) and stuck bits show in what was read. */
  disturb(
    offset: number,
    cells: Uint8Array,
    states: CellStates,
    stuck: StuckBits,
    noise: SeededRandom | undefined,
  ): void;
}

/** Flash without encryption. */
export class PlainCoding implements CellCoding {
  readonly unit = 1;
  readonly #block: Uint8Array;

  constructor(blockSize: number) {
    this.#block = erasedBytes(blockSize);
  }

  erased(_offset: number, length: number): Uint8Array {
    return length === this.#block.length ? this.#block : this.#block.subarray(0, length);
  }

  takeOver(cells: Uint8Array, states: CellStates): boolean {
    for (let i = 0; i < cells.length; i++) if (cells[i] !== ERASED) states.mark(i, 1, true);
    return false;
  }

  program(offset: number, cells: Uint8Array, bytes: Uint8Array, landed: Uint8Array, states: CellStates): void {
    for (let i = 0; i < cells.length; i++) {
      if (landed[i] === 0) continue;
      const kept = bytes[i] | ~landed[i];
      cells[i] &= kept;
      if (states.anyWeak) states.setWeak(offset + i, states.weakBits(offset + i) & kept);
      if (landed[i] === 0xff || (~bytes[i] & landed[i]) !== 0) states.mark(offset + i, 1, true);
    }
  }

  /** A cell is erased or it is not. */
  spoil(): void {}

  flip(_offset: number, cells: Uint8Array, at: number, bit: number): void {
    cells[at] ^= 1 << bit;
  }

  disturb(
    offset: number,
    cells: Uint8Array,
    states: CellStates,
    stuck: StuckBits,
    noise: SeededRandom | undefined,
  ): void {
    if (noise !== undefined && states.anyWeak) {
      for (let i = 0; i < cells.length; i++) {
        const weak = states.weakBits(offset + i);
        if (weak !== 0) cells[i] ^= weak & noise.below(256);
      }
    }
    for (const [cell, { bits, value }] of stuck) {
      const at = cell - offset;
      if (at >= 0 && at < cells.length) cells[at] = (cells[at] & ~bits) | (value & bits);
    }
  }
}

/**
 * Flash with encryption. The cipher itself is not simulated: a cell's encrypted bits are taken from a hash of the
 * 16 bytes and their address, which is all that decides whether a stuck bit does harm.
 */
export class ScrambledCoding implements CellCoding {
  readonly unit = CIPHER_BLOCK;
  readonly #pattern: Uint8Array;
  readonly #seed: number;

  constructor(size: number, seed: number) {
    this.#seed = mix(seed, 0x5c7a);
    this.#pattern = new Uint8Array(size);
    for (let at = 0; at < size; at += CIPHER_BLOCK) noiseInto(this.#pattern, at, mix(this.#seed, at));
  }

  erased(offset: number, length: number): Uint8Array {
    return this.#pattern.subarray(offset, offset + length);
  }

  takeOver(cells: Uint8Array, states: CellStates): boolean {
    let changed = false;
    for (let at = 0; at < cells.length; at += CIPHER_BLOCK) {
      const end = at + CIPHER_BLOCK;
      if (states.firstProgrammed(at, 1) >= 0 || this.#looksErased(cells, at, at)) continue;
      if (cells.subarray(at, end).every((byte) => byte === ERASED)) {
        cells.set(this.#pattern.subarray(at, end), at);
        changed = true;
      } else states.mark(at, CIPHER_BLOCK, true);
    }
    return changed;
  }

  program(offset: number, cells: Uint8Array, bytes: Uint8Array, landed: Uint8Array, states: CellStates): void {
    for (let at = 0; at < cells.length; at += CIPHER_BLOCK) {
      const end = at + CIPHER_BLOCK;
      const bits = landed.subarray(at, end);
      if (bits.every((byte) => byte === 0)) continue;
      const hash = this.#hash(bytes, at, offset + at);
      // A bit that flipped while the cells were erased stays 0; that does harm where 1 was to be written, half the time.
      const sound = this.#looksErased(cells, at, offset + at) || (hash & 1) === 0;
      const whole = bits.every((byte) => byte === 0xff);
      if (whole && sound) cells.set(bytes.subarray(at, end), at);
      else noiseInto(cells, at, mix(hash, this.#hash(landed, at, 0)));
      for (let i = at; i < end && states.anyWeak; i++)
        states.setWeak(offset + i, states.weakBits(offset + i) & (cipherByte(hash, i - at) | ~bits[i - at]));
      states.mark(offset + at, CIPHER_BLOCK, true);
    }
  }

  spoil(offset: number, cells: Uint8Array, at: number, states: CellStates): void {
    noiseInto(cells, at, mix(this.#hash(cells, at, offset + at), 1));
    states.mark(offset + at, CIPHER_BLOCK, true);
  }

  flip(offset: number, cells: Uint8Array, at: number, bit: number): void {
    const begin = at - (at % CIPHER_BLOCK);
    noiseInto(cells, begin, mix(this.#hash(cells, begin, offset + begin), 2 + (at - begin) * 8 + bit));
  }

  disturb(
    offset: number,
    cells: Uint8Array,
    states: CellStates,
    stuck: StuckBits,
    noise: SeededRandom | undefined,
  ): void {
    for (const [cell, { bits, value }] of stuck) {
      const at = cell - offset;
      if (at < 0 || at >= cells.length) continue;
      const begin = at - (at % CIPHER_BLOCK);
      const hash = this.#hash(cells, begin, offset + begin);
      const written = states.firstProgrammed(cell, 1) >= 0 ? cipherByte(hash, at - begin) : ERASED;
      if (((written ^ value) & bits) !== 0) noiseInto(cells, begin, mix(hash, 3));
    }
    if (noise === undefined || !states.anyWeak) return;
    for (let at = 0; at < cells.length; at += CIPHER_BLOCK) {
      let wrong = 0;
      for (let i = at; i < at + CIPHER_BLOCK; i++) {
        const weak = states.weakBits(offset + i);
        if (weak !== 0) wrong |= weak & noise.below(256);
      }
      if (wrong !== 0) noiseInto(cells, at, noise.word());
    }
  }

  #looksErased(cells: Uint8Array, at: number, offset: number): boolean {
    for (let i = 0; i < CIPHER_BLOCK; i++) if (cells[at + i] !== this.#pattern[offset + i]) return false;
    return true;
  }

  #hash(bytes: Uint8Array, at: number, offset: number): number {
    let hash = mix(this.#seed, offset);
    for (let i = at; i < at + CIPHER_BLOCK; i++) hash = mix(hash, bytes[i]);
    return hash;
  }
}

function noiseInto(target: Uint8Array, at: number, seed: number): void {
  for (let i = 0; i < CIPHER_BLOCK; i++) target[at + i] = mix(seed, i >> 2) >> (8 * (i & 3));
}

function cipherByte(hash: number, index: number): number {
  return (mix(hash, 0x100 + (index >> 2)) >> (8 * (index & 3))) & 0xff;
}
