// Where in the log the newest record of each key is: a table of addresses in memory, two or four bytes a place. The keys
// themselves stay on flash; whether an address is the one looked for, the caller finds out by reading there. A record has
// several keys, so a place says of which part of the record it is: the same record may be the newest of one key, and hold
// what was true before of another.

import { LogError } from './block-log.ts';
import type { LedgerKey } from './ledger.ts';

/** A place that holds nothing; no record is at that address. */
const FREE = 0;

/** Kinds of parts that a place can tell apart, where nothing else is said. */
const PARTS = 8;

/** See the head of the file. Open addressing, linear probing. */
export class KeyIndex {
  readonly #places: Uint16Array | Uint32Array;
  readonly #mask: number;
  readonly #parts: number;
  #keys = 0;

  /**
   * @param most keys it must have room for
   * @param addresses addresses are below this
   * @param parts parts are below this: 1 where records have one key
   */
  constructor(most: number, addresses: number, parts = PARTS) {
    let places = 16;
    while (places < most + most / 4) places *= 2;
    this.#parts = parts;
    this.#places = addresses * parts <= 0x10000 ? new Uint16Array(places) : new Uint32Array(places);
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

  /** The address of a key, or 0. @param part below the number of parts @param matches is asked about addresses that may be its */
  find(key: LedgerKey, part: number, matches: (address: number) => boolean): number {
    const parts = this.#parts;
    const place = this.placeOf(key, (found) => found % parts === part && matches((found / parts) | 0));
    return place < 0 ? 0 : ((this.#places[place] as number) / parts) | 0;
  }

  /** Adds a key that is not in it. @throws LogError where it is full */
  add(key: LedgerKey, part: number, address: number): void {
    let place = this.home(key);
    for (let probes = 0; probes <= this.#mask; probes++) {
      if (this.#places[place] === FREE) {
        this.#places[place] = address * this.#parts + part;
        this.#keys++;
        return;
      }
      place = (place + 1) & this.#mask;
    }
    throw new LogError(`there are more grants, budgets and ids than ${this.#keys}, which the partition has room for`);
  }

  /** Gives a key that is at one address another. */
  move(key: LedgerKey, part: number, from: number, to: number): void {
    const place = this.placeOf(key, (found) => found === from * this.#parts + part);
    if (place >= 0) this.#places[place] = to * this.#parts + part;
  }

  /**
   * Takes a key out that is at an address. What was put further on because of it moves back, so that looking up what is not
   * there stays quick however much comes and goes.
   *
   * @param keyAt tells the key of a part at an address
   */
  remove(key: LedgerKey, part: number, address: number, keyAt: (address: number, part: number) => LedgerKey): void {
    const parts = this.#parts;
    let hole = this.placeOf(key, (found) => found === address * parts + part);
    if (hole < 0) return;
    this.#keys--;
    const start = hole;
    for (let next = (hole + 1) & this.#mask; next !== start; next = (next + 1) & this.#mask) {
      const found = this.#places[next] as number;
      if (found === FREE) break;
      const home = this.home(keyAt((found / parts) | 0, found % parts));
      // Not to before its home: there nobody looks for it.
      if (((next - home) & this.#mask) < ((next - hole) & this.#mask)) continue;
      this.#places[hole] = found;
      hole = next;
    }
    this.#places[hole] = FREE;
  }

  private placeOf(key: LedgerKey, matches: (found: number) => boolean): number {
    let place = this.home(key);
    for (let probes = 0; probes <= this.#mask; probes++) {
      const found = this.#places[place] as number;
      if (found === FREE) return -1;
      if (matches(found)) return place;
      place = (place + 1) & this.#mask;
    }
    return -1;
  }

  /** Keys are digests: their first bytes are as good as any hash. */
  private home(key: LedgerKey): number {
    return ((key.charCodeAt(0) << 16) | (key.charCodeAt(1) << 8) | key.charCodeAt(2)) & this.#mask;
  }
}
