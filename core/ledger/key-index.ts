// Where in the log the newest record of each key is: a table of addresses in memory, two or four bytes a place. The keys
// themselves stay on flash; whether an address is the one looked for, the caller finds out by reading there. A record has
// several keys, so a place says of which part of the record it is: the same record may be the newest of one key, and hold
// what was true before of another.

import { LogError } from './block-log.ts';
import type { LedgerKey } from './ledger.ts';

/** A place that holds nothing; no record is at that address. */
const FREE = 0;

/** Kinds of parts that a place can tell apart. */
const PARTS = 8;

/** See the head of the file. Open addressing, linear probing. */
export class KeyIndex {
  readonly #places: Uint16Array | Uint32Array;
  readonly #mask: number;
  #keys = 0;

  /**
   * @param most keys it must have room for
   * @param addresses addresses are below this
   */
  constructor(most: number, addresses: number) {
    let places = 16;
    while (places < most + most / 4) places *= 2;
    this.#places = addresses * PARTS <= 0x10000 ? new Uint16Array(places) : new Uint32Array(places);
    this.#mask = places - 1;
  }

  /** Keys in it. */
  get size(): number {
    return this.#keys;
  }

  /** Bytes of memory its table takes. */
  get bytes(): number {
    return this.#places.byteLength;
  }

  /** The address of a key, or 0. @param part below 8 @param matches is asked about addresses that may be its */
  find(key: LedgerKey, part: number, matches: (address: number) => boolean): number {
    const place = this.#placeOf(key, (found) => found % PARTS === part && matches((found / PARTS) | 0));
    return place < 0 ? 0 : ((this.#places[place] as number) / PARTS) | 0;
  }

  /** Adds a key that is not in it. @throws LogError where it is full */
  add(key: LedgerKey, part: number, address: number): void {
    let place = this.#home(key);
    for (let probes = 0; probes <= this.#mask; probes++) {
      if (this.#places[place] === FREE) {
        this.#places[place] = address * PARTS + part;
        this.#keys++;
        return;
      }
      place = (place + 1) & this.#mask;
    }
    throw new LogError(`there are more grants, budgets and ids than ${this.#keys}, which the partition has room for`);
  }

  /** Gives a key that is at one address another. */
  move(key: LedgerKey, part: number, from: number, to: number): void {
    const place = this.#placeOf(key, (found) => found === from * PARTS + part);
    if (place >= 0) this.#places[place] = to * PARTS + part;
  }

  /**
   * Takes a key out that is at an address. What was put further on because of it moves back, so that looking up what is not
   * there stays quick however much comes and goes.
   *
   * @param keyAt tells the key of a part at an address
   */
  remove(key: LedgerKey, part: number, address: number, keyAt: (address: number, part: number) => LedgerKey): void {
    let hole = this.#placeOf(key, (found) => found === address * PARTS + part);
    if (hole < 0) return;
    this.#keys--;
    const start = hole;
    for (let next = (hole + 1) & this.#mask; next !== start; next = (next + 1) & this.#mask) {
      const found = this.#places[next] as number;
      if (found === FREE) break;
      const home = this.#home(keyAt((found / PARTS) | 0, found % PARTS));
      // Not to before its home: there nobody looks for it.
      if (((next - home) & this.#mask) < ((next - hole) & this.#mask)) continue;
      this.#places[hole] = found;
      hole = next;
    }
    this.#places[hole] = FREE;
  }

  #placeOf(key: LedgerKey, matches: (found: number) => boolean): number {
    let place = this.#home(key);
    for (let probes = 0; probes <= this.#mask; probes++) {
      const found = this.#places[place] as number;
      if (found === FREE) return -1;
      if (matches(found)) return place;
      place = (place + 1) & this.#mask;
    }
    return -1;
  }

  /** Keys are digests: their first bytes are as good as any hash. */
  #home(key: LedgerKey): number {
    return ((key.charCodeAt(0) << 16) | (key.charCodeAt(1) << 8) | key.charCodeAt(2)) & this.#mask;
  }
}
