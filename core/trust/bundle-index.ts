// What a device keeps in memory of a bundle's lists: for each element where it begins and two bytes of a digest of its text.
// That says where to look, never what is there: names collide, and whoever makes a bundle chooses them.

import { BUNDLE_KEYS_PER_ISSUER } from '../limits.ts';
import type { Crypto, Hash } from '../ports/ports.ts';

/** Two bytes of a digest: what of a text is in the index. */
type Fingerprint = number;

/** Two bits for each key that an entry may have: 1 known, 2 usable. */
const KEYS_PER_UNIT = 8;
const KNOWN = 1;
const USABLE = 2;

/** What no text has. */
const NONE = -1;

/** Lists whose elements are looked for by a text. */
export type ListName = 'approved' | 'revokedGrants' | 'entries';

/** What an index is made of, list by list. */
export interface IndexParts {
  readonly approved: TextParts;
  readonly revokedGrants: TextParts;
  /** By their issuer. */
  readonly entries: EntryParts;
  readonly revokedKeys: RevokedKeyParts;
}

/** Texts of a list, in order, and where each begins, from the bundle's first byte. */
export interface TextParts {
  readonly prints: NumberList;
  readonly offsets: NumberList;
}

/** Entries of `issuers`, in order. */
export interface EntryParts extends TextParts {
  /** Bytes of each. */
  readonly lengths: NumberList;
  /** Four bytes of the digest of the entry's text, in two halves: it is as it was when the bundle was verified. */
  readonly checks: NumberList;
  readonly moreChecks: NumberList;
}

/** Keys that are marked revoked, in order. */
export interface RevokedKeyParts {
  readonly kids: NumberList;
  /** The first two bytes of the key; 0 where it has none. */
  readonly keys: NumberList;
  /** Which entry each is in. */
  readonly entries: NumberList;
}

/**
 * The index of one bundle. All of it is one array, list behind list: each array of its own takes a device more than a hundred
 * bytes besides what is in it, and each collection the longer.
 */
export class BundleIndex {
  readonly #table: Uint16Array;
  readonly #approved: number;
  readonly #grants: number;
  readonly #entries: number;
  /** Where what is known about points begins, and the keys that are revoked. */
  readonly #points: number;
  readonly #revoked: number;
  /** Keys that are marked revoked. */
  readonly revokedCount: number;

  constructor({ approved, revokedGrants, entries, revokedKeys }: IndexParts) {
    this.#approved = approved.prints.length;
    this.#grants = revokedGrants.prints.length;
    this.#entries = entries.prints.length;
    this.revokedCount = revokedKeys.kids.length;
    this.#points = 2 * this.#approved + 2 * this.#grants + 5 * this.#entries;
    this.#revoked = this.#points + Math.ceil((this.#entries * BUNDLE_KEYS_PER_ISSUER) / KEYS_PER_UNIT);
    this.#table = new Uint16Array(this.#revoked + 3 * this.revokedCount);
    let at = 0;
    const put = (list: NumberList) => {
      list.copyTo(this.#table, at);
      at += list.length;
    };
    for (const { prints, offsets } of [approved, revokedGrants, entries]) {
      put(prints);
      put(offsets);
    }
    put(entries.lengths);
    put(entries.checks);
    put(entries.moreChecks);
    at = this.#revoked;
    put(revokedKeys.kids);
    put(revokedKeys.keys);
    put(revokedKeys.entries);
  }

  /** Bytes of its table. */
  get bytes(): number {
    return this.#table.byteLength;
  }

  /** Elements of a list. */
  count(list: ListName): number {
    return list === 'approved' ? this.#approved : list === 'revokedGrants' ? this.#grants : this.#entries;
  }

  /** The first element from a place on that may be the one with this fingerprint, or -1. */
  find(list: ListName, print: Fingerprint, from = 0): number {
    const begin = this.#begin(list);
    const found = this.#table.subarray(begin + from, begin + this.count(list)).indexOf(print);
    return found < 0 ? -1 : from + found;
  }

  /** The fingerprint of an element. */
  print(list: ListName, i: number): Fingerprint {
    return this.#table[this.#begin(list) + i] as number;
  }

  /** Where an element begins, from the bundle's first byte. */
  offset(list: ListName, i: number): number {
    return this.#table[this.#begin(list) + this.count(list) + i] as number;
  }

  /** Bytes of an entry. */
  length(entry: number): number {
    return this.#table[this.#begin('entries') + 2 * this.#entries + entry] as number;
  }

  /** What `checkOf` gave of an entry's text. */
  check(entry: number): number {
    const at = this.#begin('entries') + 3 * this.#entries + entry;
    return joined(this.#table[at] as number, this.#table[at + this.#entries] as number);
  }

  /** The fingerprint of the `i`th revoked key's kid. */
  revokedKid(i: number): Fingerprint {
    return this.#table[this.#revoked + i] as number;
  }

  /** The first two bytes of the `i`th revoked key. */
  revokedKey(i: number): number {
    return this.#table[this.#revoked + this.revokedCount + i] as number;
  }

  /** The entry that the `i`th revoked key is in. */
  revokedEntry(i: number): number {
    return this.#table[this.#revoked + 2 * this.revokedCount + i] as number;
  }

  /** Whether the `key`th key of an entry is a point that may be used; undefined where that was not found out. */
  usable(entry: number, key: number): boolean | undefined {
    const place = BUNDLE_KEYS_PER_ISSUER * entry + key;
    const bits = (this.#table[this.#points + Math.floor(place / KEYS_PER_UNIT)] as number) >> bitsAt(place);
    return (bits & KNOWN) === 0 ? undefined : (bits & USABLE) !== 0;
  }

  /** It was found out. */
  setUsable(entry: number, key: number, usable: boolean): void {
    const place = BUNDLE_KEYS_PER_ISSUER * entry + key;
    const at = this.#points + Math.floor(place / KEYS_PER_UNIT);
    this.#table[at] = (this.#table[at] as number) | ((usable ? KNOWN | USABLE : KNOWN) << bitsAt(place));
  }

  /** Where the fingerprints of a list begin. */
  #begin(list: ListName): number {
    if (list === 'approved') return 0;
    return list === 'revokedGrants' ? 2 * this.#approved : 2 * this.#approved + 2 * this.#grants;
  }
}

function bitsAt(place: number): number {
  return 2 * (place % KEYS_PER_UNIT);
}

/** Four bytes of a digest, of which the halves are kept. */
function joined(low: number, high: number): number {
  return (low | (high << 16)) >>> 0;
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

/** Four bytes of a digest. */
export function checkOf(hash: Hash): number {
  const digest = hash.digest();
  return joined(firstTwo(digest), (digest[2] as number) | ((digest[3] as number) << 8));
}

/** The first two bytes as a number, the lower one first. */
export function firstTwo(bytes: Uint8Array): number {
  return (bytes[0] as number) | ((bytes[1] as number) << 8);
}

/** So many more a list has room for when it is full: twice as many would be missing where the index is put together. */
const MORE_NUMBERS = 32;

/** Numbers of 16 bits that are put in one by one. */
export class NumberList {
  #numbers = new Uint16Array(16);
  #count = 0;

  get length(): number {
    return this.#count;
  }

  push(value: number): void {
    if (this.#count === this.#numbers.length) {
      const more = new Uint16Array(this.#count + MORE_NUMBERS);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#count++] = value;
  }

  /** Puts them into a table. */
  copyTo(table: Uint16Array, at: number): void {
    table.set(this.#numbers.subarray(0, this.#count), at);
  }
}
