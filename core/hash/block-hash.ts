// What SHA-256 and SHA-512 have in common: bytes are gathered into blocks, each block is compressed into the state, and the
// last ones carry a one bit, zeros and the length (FIPS 180-4 §5.1).

import { bytesToHash } from '../encoding/utf8.ts';
import type { Hash } from '../ports/ports.ts';

/** An incremental hash over blocks. Whatever is called after `digest` throws an Error. */
export abstract class BlockHash implements Hash {
  readonly #name: string;
  /** Bytes that do not fill a block yet. */
  readonly #block: Uint8Array;
  readonly #view: DataView;
  /** How many bytes of the block are filled; −1 after `digest`. */
  #filled = 0;
  /** Bytes hashed, those in the block included. */
  #length = 0;

  /** @param blockBytes 64 or 128; the length of the message takes an eighth of the last block */
  constructor(name: string, blockBytes: number) {
    this.#name = name;
    this.#block = new Uint8Array(blockBytes);
    this.#view = new DataView(this.#block.buffer);
  }

  /** Takes the block at `offset` into the state. */
  protected abstract compress(view: DataView, offset: number): void;

  /** The state as bytes. */
  protected abstract state(): Uint8Array;

  update(data: Uint8Array | string): void {
    if (this.#filled < 0) throw new Error(`${this.#name}: the digest was taken`);
    const bytes = bytesToHash(data);
    const block = this.#block;
    const size = block.length;
    let at = 0;
    let filled = this.#filled;
    const length = bytes.length;
    this.#length += length;
    if (filled > 0) {
      at = length < size - filled ? length : size - filled;
      block.set(bytes.subarray(0, at), filled);
      filled += at;
      if (filled === size) {
        this.compress(this.#view, 0);
        filled = 0;
      }
    }
    if (length - at >= size) {
      // Whole blocks are read where they are.
      const view = new DataView(bytes.buffer, bytes.byteOffset, length);
      for (; length - at >= size; at += size) this.compress(view, at);
    }
    if (at < length) {
      block.set(bytes.subarray(at), 0);
      filled = length - at;
    }
    this.#filled = filled;
  }

  digest(): Uint8Array {
    if (this.#filled < 0) throw new Error(`${this.#name}: the digest was taken`);
    const block = this.#block;
    const view = this.#view;
    const size = block.length;
    block[this.#filled] = 0x80;
    block.fill(0, this.#filled + 1);
    if (this.#filled >= size - size / 8) {
      this.compress(view, 0);
      block.fill(0);
    }
    // The length in bits. A JavaScript length is below 2^53 bytes, so 64 bits hold it, and what SHA-512 has above stays zero.
    view.setUint32(size - 8, Math.floor(this.#length / 0x20000000));
    view.setUint32(size - 4, (this.#length % 0x20000000) * 8);
    this.compress(view, 0);
    this.#filled = -1;
    return this.state();
  }
}
