// What a device keeps in memory of a bundle's lists: for each element where it begins and two bytes of a digest of its text.
// That says where to look, never what is there: names collide, and whoever makes a bundle chooses them.

import type { Crypto } from '../ports/ports.ts';

/** Two bytes of a digest: what of a text is in the index. */
type Fingerprint = number;

/** Keys that a byte of `points` is about. */
export const POINTS_PER_BYTE = 4;

/** What no text has. */
const NONE = -1;

/** Texts of a list, in order. */
export interface TextIndex {
  readonly prints: Uint16Array;
  /** Where each begins, from the bundle's first byte. */
  readonly offsets: Uint16Array;
}

/** Entries of `issuers`, in order, by their issuer. */
interface EntryIndex extends TextIndex {
  /** Bytes of each. */
  readonly lengths: Uint16Array;
  /** Four bytes of the digest of the entry's text: it is as it was when the bundle was verified. */
  readonly checks: Uint32Array;
  /** What was found out about the points of all keys an entry may have: two bits for each, 1 known, 2 usable. */
  readonly points: Uint8Array;
}

/** Keys that are marked revoked, in order. */
interface RevokedKeyIndex {
  readonly kids: Uint16Array;
  /** The first two bytes of the key; 0 where it has none. */
  readonly keys: Uint16Array;
  /** Which entry each is in. */
  readonly entries: Uint8Array;
}

/** The index of one bundle. */
export interface BundleIndex {
  /** True where the bundle's text is ASCII: a part of it is then quickly made a string of. */
  readonly isAscii: boolean;
  readonly approved: TextIndex;
  readonly revokedGrants: TextIndex;
  readonly entries: EntryIndex;
  readonly revokedKeys: RevokedKeyIndex;
}

/** Bytes of an index's tables. */
export function indexBytes(index: BundleIndex): number {
  const { approved, revokedGrants, entries, revokedKeys } = index;
  const tables = [
    ...[approved.prints, approved.offsets, revokedGrants.prints, revokedGrants.offsets],
    ...[entries.prints, entries.offsets, entries.lengths, entries.checks, entries.points],
    ...[revokedKeys.kids, revokedKeys.keys, revokedKeys.entries],
  ];
  return tables.reduce((sum, table) => sum + table.byteLength, 0);
}

/** Makes fingerprints. Remembers the last one: a payment asks every bundle about the same few names. */
export class Fingerprints {
  readonly #crypto: Crypto;
  #text: string | undefined;
  #print: Fingerprint = 0;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Of a text without lone surrogates. */
  of(text: string): Fingerprint {
    if (text !== this.#text) {
      this.#print = this.#digest(text);
      this.#text = text;
    }
    return this.#print;
  }

  /** Of a text's UTF-8 bytes. */
  ofBytes(bytes: Uint8Array): Fingerprint {
    return this.#digest(bytes);
  }

  #digest(data: string | Uint8Array): Fingerprint {
    const hash = this.#crypto.sha256();
    try {
      hash.update(data);
    } catch (error) {
      // Text with a lone surrogate has no bytes, and is in no bundle.
      if (error instanceof RangeError) return NONE;
      throw error;
    }
    return firstTwo(hash.digest());
  }
}

/** The first two bytes as a number, the lower one first. */
export function firstTwo(bytes: Uint8Array): number {
  return (bytes[0] as number) | ((bytes[1] as number) << 8);
}

/** Numbers of 8, 16 or 32 bits that are put in one by one; `done` has no byte more than they take. */
export class NumberList<T extends Uint8Array | Uint16Array | Uint32Array> {
  readonly #make: new (
    length: number,
  ) => T;
  #numbers: T;
  #count = 0;

  constructor(make: new (length: number) => T) {
    this.#make = make;
    this.#numbers = new make(16);
  }

  get length(): number {
    return this.#count;
  }

  push(value: number): void {
    if (this.#count === this.#numbers.length) {
      const more = new this.#make(2 * this.#count);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#count++] = value;
  }

  done(): T {
    const exact = new this.#make(this.#count);
    exact.set(this.#numbers.subarray(0, this.#count));
    return exact;
  }
}
