// The blocks of a log in their order, the oldest first: a ring of the partition's blocks, in which the place of each is known
// without looking for it.

/** See the head of the file. */
export class BlockChain {
  /** The ring, and behind it per block its place in the ring and one more, 0 for none. */
  readonly #ring: Uint16Array;
  readonly #blocks: number;
  /** Where the oldest is. */
  #first = 0;
  #length = 0;

  /** @param blocks of the partition */
  constructor(blocks: number) {
    this.#blocks = blocks;
    this.#ring = new Uint16Array(2 * blocks);
  }

  /** Blocks in it. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that its tables take. */
  get memoryBytes(): number {
    return this.#ring.byteLength;
  }

  /** The oldest block, the newest; undefined where there is none. */
  get oldest(): number | undefined {
    return this.#length === 0 ? undefined : this.at(0);
  }

  get newest(): number | undefined {
    return this.#length === 0 ? undefined : this.at(this.#length - 1);
  }

  /** The block of an index below `length`, 0 for the oldest. */
  at(index: number): number {
    return this.#ring[(this.#first + index) % this.#blocks] as number;
  }

  /** How many blocks of it are older than a block, or -1 where it is not in it. */
  indexOf(block: number): number {
    // A payer may have written where a grant is said to be: there need not be such a block.
    const place = block < this.#blocks ? (this.#ring[this.#blocks + block] as number) : 0;
    if (place === 0) return -1;
    const index = place - 1 - this.#first;
    return index < 0 ? index + this.#blocks : index;
  }

  /** Takes all blocks out of it. */
  clear(): void {
    this.#ring.fill(0);
    this.#length = 0;
  }

  /** Adds a block that is newer than all. */
  push(block: number): void {
    this.put(block, this.#length);
    this.#length++;
  }

  /** Adds a block that is older than all. */
  unshift(block: number): void {
    this.#first = (this.#first === 0 ? this.#blocks : this.#first) - 1;
    this.put(block, 0);
    this.#length++;
  }

  /** Takes the oldest block out of it. */
  shift(): void {
    this.#ring[this.#blocks + this.at(0)] = 0;
    this.#first = (this.#first + 1) % this.#blocks;
    this.#length--;
  }

  private put(block: number, index: number): void {
    const at = (this.#first + index) % this.#blocks;
    this.#ring[at] = block;
    this.#ring[this.#blocks + block] = at + 1;
  }
}
