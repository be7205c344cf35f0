// Where the journal has written grants, as far as new payments may refer to them: in its newest blocks. A grant further back
// is written again, as it would keep its block from being given up.

import { UNIT } from '../encoding/flash-header.ts';
import { type BlockLog, type FoundRecord, RECORD_HEADER } from './block-log.ts';
import { FIRST_PART, grantKeyOf, JOURNAL_KIND } from './journal-record.ts';
import { KeyIndex } from './key-index.ts';
import { keyText } from './keys.ts';
import type { LedgerKey } from './ledger.ts';

/** A payment refers to a grant in one of so many newest blocks: a part of the partition's. */
const LEAST_NEAR_BLOCKS = 2;
const MOST_NEAR_BLOCKS = 8;
const NEAR_PART = 8;
/** Units of the least grant: its signature alone takes four. */
const LEAST_GRANT = 16;

/** See the head of the file. */
export class NearGrants {
  readonly #blocks: BlockLog;
  readonly #addresses: number;
  readonly #nearBlocks: number;
  readonly #held: number;
  #index: KeyIndex;

  /** @param size bytes of the partition */
  constructor(blocks: BlockLog, size: number) {
    this.#blocks = blocks;
    this.#addresses = (size / UNIT) | 0;
    this.#nearBlocks = Math.min(Math.max(Math.floor(blocks.blocks / NEAR_PART), LEAST_NEAR_BLOCKS), MOST_NEAR_BLOCKS);
    this.#held = Math.ceil((this.#nearBlocks * blocks.room) / LEAST_GRANT);
    this.#index = this.noGrants();
  }

  /** Bytes that its table takes. */
  get memoryBytes(): number {
    return this.#index.bytes;
  }

  /** Where a grant is that a payment may refer to, or 0. */
  find(key: LedgerKey): number {
    const blocks = this.#blocks;
    return this.#index.find(key, 0, (address) => {
      const newer = blocks.newerThan(blocks.blockOf(address));
      return newer >= 0 && newer < this.#nearBlocks && isGrantOf(blocks.at(address), key);
    });
  }

  /** Notes where a grant is. Where the table is full of old ones it is emptied: grants are then written once more. */
  add(key: LedgerKey, address: number): void {
    if (this.#index.size >= this.#held) this.#index = this.noGrants();
    this.#index.add(key, 0, address);
  }

  private noGrants(): KeyIndex {
    return new KeyIndex(this.#held, this.#addresses, 1);
  }
}

/** True for the beginning of a grant's entry; of one with a key, where one is given. */
export function isGrantOf(found: FoundRecord | undefined, key: LedgerKey | undefined): boolean {
  if (found?.record.kind !== JOURNAL_KIND.grant || (found.record.flags & FIRST_PART) === 0) return false;
  return key === undefined || keyText(grantKeyOf(found.bytes.subarray(RECORD_HEADER))) === key;
}
