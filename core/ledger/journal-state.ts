// How far a journal is: its newest receipt and the chain's hash, what is acknowledged, and up to which receipt everything must
// be acknowledged before a block can go. A start finds it out, and writing goes on with it.

import type { BlockLog } from './block-log.ts';
import { HASH_BYTES } from './journal-record.ts';

/** See the head of the file. */
export class JournalState {
  /** The newest entry that counts, and the oldest that was seen; 0 for none. */
  newest = 0;
  first = 0;
  /** The newest entry, where damage has taken what says whether it counts. */
  doubtful = 0;
  /** The hashes of the newest entry and of the one before it. */
  readonly hash = new Uint8Array(HASH_BYTES);
  readonly previous = new Uint8Array(HASH_BYTES);
  /** Up to which receipt everything is acknowledged; up to which that is on flash, and where. */
  acknowledged = 0;
  acknowledgedOnFlash = 0;
  acknowledgedAt = 0;
  /** Per block: the receipt up to which everything must be acknowledged before the block can go. */
  readonly #neededUntil: Uint32Array;

  /** @param blocks of the partition */
  constructor(blocks: number) {
    this.#neededUntil = new Uint32Array(blocks);
  }

  /** Bytes that it takes for the blocks of the partition. */
  get memoryBytes(): number {
    return this.#neededUntil.byteLength;
  }

  /** Up to which receipt everything must be acknowledged before a block can go. */
  neededUntil(block: number): number {
    return this.#neededUntil[block] as number;
  }

  /** Counts an entry that is whole, with the addresses of it and of its grant. */
  count(blocks: BlockLog, receiptId: number, address: number, grantAddress: number): void {
    this.newest = receiptId;
    if (this.first === 0) this.first = receiptId;
    this.need(blocks.blockOf(address), receiptId);
    if (grantAddress !== 0) this.need(blocks.blockOf(grantAddress), receiptId);
  }

  /** The newest entry is none. What its blocks are needed for is acknowledged with the one before it at the latest. */
  makeVoid(lastCommitted: number): void {
    this.newest = lastCommitted;
    this.hash.set(this.previous);
    const { length } = this.#neededUntil;
    for (let block = 0; block < length; block++)
      this.#neededUntil[block] = Math.min(this.#neededUntil[block] as number, lastCommitted);
  }

  /** Blocks of the log, from one to another, stay until everything up to a receipt is acknowledged: it may be lost in them. */
  needUntil(blocks: BlockLog, from: number, to: number, receiptId: number): void {
    const oldest = blocks.newerThan(from);
    const newest = blocks.newerThan(to);
    for (let block = 0; block < this.#neededUntil.length; block++) {
      const place = blocks.newerThan(block);
      if (place <= oldest && place >= newest && place >= 0) this.need(block, receiptId);
    }
  }

  private need(block: number, receiptId: number): void {
    // Where a grant is said to be anything may stand: its entry is not checked before it is read.
    if (block < this.#neededUntil.length)
      this.#neededUntil[block] = Math.max(this.#neededUntil[block] as number, receiptId);
  }
}
