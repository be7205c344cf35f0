// Tables of keys the device trusts, on a partition of their own, so that a verification takes a third of the time. They are
// made in idle time, in bounded steps. docs/FORMAT.md says what each byte is.
//
// A table only makes a verification faster. It is checked whole once after a start, before it is used; a verification then reads
// the entries it needs, one at a time, and what it refuses by them is decided again without them. No cell is programmed twice between two erases, and nothing is concluded from what an erased cell reads as: a
// place has a table when its header was written, last.

import { HEADER_BYTES as HEAD_BYTES, isStoreHeader, STORE, sealHeader, UNIT } from '../encoding/flash-header.ts';
import { littleEndian, littleEndianOf, readU32, writeLittleEndian } from '../encoding/little-endian.ts';
import { KEY_TABLES, KEYS_COUNTED } from '../limits.ts';
import { type Flash, FlashError } from '../ports/ports.ts';
import { BUILD_STEPS, ENTRIES, ENTRY_BYTES, TableBuilder, type TablePart } from './comb.ts';
import { negate, type Points } from './curve.ts';
import { decompressPublicKey, type TableSource } from './verify.ts';

const FORMAT = 2;
/** Bytes of a header: the head that every store has, the key, and the check of the table. */
const KEY_BYTES = 32;
const CHECK_BYTES = 112;
const HEADER_BYTES = HEAD_BYTES + KEY_BYTES + CHECK_BYTES;
/** Entries that are read at a time. */
const ENTRIES_READ = 4;
/** Bytes of a table. */
const TABLE_BYTES = HEADER_BYTES + ENTRIES * ENTRY_BYTES;

const BITS_256 = 256n;
const BITS_768 = 768n;
/** 2^256 − 1, 2^768 − 1 and 2^32 − 1. */
const LOW_256 = 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffn;
const LOW_768 = (1n << 768n) - 1n;
const LOW_32 = 0xffffffffn;

/**
 * The check of a table is 515 times its first entry, 513 times the next and so on to 3 times the last, and 517 times the key.
 * Whatever changes in one of them, and whichever two bits change, it is another one: factors are odd, above 1, and no two are
 * the same.
 */
const FIRST_FACTOR = BigInt(2 * ENTRIES + 1);
const KEY_FACTOR = FIRST_FACTOR + 2n;
const TWO = 2n;

/** Uses that make a key worth a table; and more than twice as many as another one, to take its place. */
const USES_AHEAD = 2;
/** Where a count gets here all are halved: what was used long ago counts less. */
const MOST_USES = 32;

/** What is known of a place. */
const FREE = 0;
/** It has a header. */
const FOUND = 1;
/** It has a header, and the table was checked in this run. */
const CHECKED = 2;
/** Flash failed here: left alone until the next start. */
const OUT = 3;

/** What a header says. */
interface Header {
  readonly place: number;
  readonly key: bigint;
  readonly check: bigint;
}

/** A table that is being made. */
interface Work {
  readonly place: number;
  readonly key: bigint;
  builder: TableBuilder | undefined;
  /** Bytes of the place that were erased. */
  erased: number;
  step: number;
  check: bigint;
}

/** The entries on flash from an offset on, each read when it is asked for. */
function entriesOn(flash: Flash, offset: number): Points {
  const bytes = new Uint8Array(ENTRY_BYTES);
  const { buffer } = bytes;
  return {
    entry(number) {
      flash.read(offset + number * ENTRY_BYTES, bytes);
      return littleEndianOf(buffer);
    },
  };
}

/** Bytes of flash that a table takes, in whole blocks. */
function placeBytes(blockSize: number): number {
  return Math.ceil(TABLE_BYTES / blockSize) * blockSize;
}

/** See the head of the file. No input and no failing flash makes it throw. */
export class KeyTables implements TableSource {
  /** How many tables there is room for. */
  readonly places: number;
  readonly #flash: Flash;
  readonly #placeBytes: number;
  /** What is known of each place; undefined until the headers were read. */
  #states: Uint8Array | undefined;
  /** Per place the first bytes of its key, which say where to look. */
  readonly #tags: Uint32Array;
  /** Per place: 1 for a table that was made in this run. */
  readonly #made: Uint8Array;
  #problem: string | undefined;
  /** Keys to have tables first, the most important first. */
  #wanted: bigint[] = [];
  /** Keys that were used, and how often. */
  readonly #counted: bigint[] = [];
  readonly #uses: number[] = [];
  #work: Work | undefined;
  /** Whether anything has happened since there was nothing to do. */
  #isChanged = true;

  /** @throws RangeError where the partition has no room for a table */
  constructor(flash: Flash) {
    const { blockSize, programSize, size } = flash;
    if (UNIT % programSize !== 0 || size % blockSize !== 0 || blockSize % UNIT !== 0)
      throw new RangeError(`the key table partition is not in whole units of ${UNIT} bytes`);
    this.#flash = flash;
    this.#placeBytes = placeBytes(blockSize);
    this.places = Math.min(Math.floor(size / this.#placeBytes), KEY_TABLES);
    if (this.places === 0) throw new RangeError(`the table of a key needs ${this.#placeBytes} bytes`);
    this.#tags = new Uint32Array(this.places);
    this.#made = new Uint8Array(this.places);
  }

  /** Why there are no tables, in words: the partition holds something else, or cannot be read. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** How many tables there are. Until `step` has checked those of an earlier run, some may be damaged. */
  get tables(): number {
    let count = 0;
    for (const state of this.#open()) if (state === FOUND || state === CHECKED) count++;
    return count;
  }

  /** The table of −A for a public key A, which was checked; undefined where there is none. It reads from flash. */
  find(publicKey: Uint8Array): Points | undefined {
    const header = this.#headerOf(publicKey);
    if (header === undefined || !this.#isWhole(header)) return undefined;
    return entriesOn(this.#flash, header.place * this.#placeBytes + HEADER_BYTES);
  }

  /** True for a key that has a table, which was checked: a header alone may name a key that nobody made one of. */
  has(publicKey: Uint8Array): boolean {
    const header = this.#headerOf(publicKey);
    return header !== undefined && this.#isWhole(header);
  }

  /** The table of this key could not be read, or refused a signature that is good: it is dropped. */
  wrong(publicKey: Uint8Array): void {
    const header = this.#headerOf(publicKey);
    if (header !== undefined) this.#drop(header.place);
  }

  /** Keys that are to have tables before all others, the most important first. What is not a usable key gets none. */
  wanted(keys: readonly Uint8Array[]): void {
    const wanted: bigint[] = [];
    for (const publicKey of keys) {
      if (publicKey.length !== KEY_BYTES || wanted.length === this.places) continue;
      const key = littleEndian(publicKey, 0, KEY_BYTES);
      if (!wanted.includes(key)) wanted.push(key);
    }
    this.#wanted = wanted;
    this.#isChanged = true;
  }

  /** Counts a use of a key that the device trusts: behind the wanted ones, the most used have tables. */
  used(publicKey: Uint8Array): void {
    const key = littleEndian(publicKey, 0, KEY_BYTES);
    const uses = this.#uses;
    let at = this.#counted.indexOf(key);
    if (at < 0) {
      // The one that was used least is forgotten.
      at = uses.length < KEYS_COUNTED ? uses.length : uses.indexOf(Math.min(...uses));
      this.#counted[at] = key;
      uses[at] = 0;
    }
    uses[at] = (uses[at] as number) + 1;
    if (uses[at] === MOST_USES) for (let i = 0; i < uses.length; i++) uses[i] = (uses[i] as number) >> 1;
    this.#isChanged = true;
  }

  /**
   * Does a bounded piece of what there is to do: checks a table of an earlier run, or a part of making one.
   *
   * @returns whether there is more to do
   */
  step(): boolean {
    const unchecked = this.#open().indexOf(FOUND);
    if (unchecked >= 0) {
      const header = this.#header(unchecked);
      if (header !== undefined) this.#isWhole(header);
      return true;
    }
    this.#work ??= this.#nextWork();
    const work = this.#work;
    if (work === undefined) {
      this.#isChanged = false;
      return false;
    }
    if (!this.#onFlash(work.place, () => this.#advance(work))) this.#work = undefined;
    return true;
  }

  /** The states of the places, from their headers the first time. */
  #open(): Uint8Array {
    if (this.#states !== undefined) return this.#states;
    const states = new Uint8Array(this.places);
    this.#states = states;
    const header = new Uint8Array(HEAD_BYTES + 4);
    try {
      for (let place = 0; place < states.length; place++) {
        this.#flash.read(place * this.#placeBytes, header);
        // The CRC is for others: what a header says counts only where it agrees with the table's check.
        if (header[1] !== STORE.keyTables || header[2] !== FORMAT) {
          if (header[1] !== STORE.keyTables && isStoreHeader(header))
            throw new FlashError('the key table partition holds something else');
          continue;
        }
        states[place] = FOUND;
        this.#tags[place] = readU32(header, HEAD_BYTES);
      }
    } catch (error) {
      if (!(error instanceof FlashError)) throw error;
      this.#problem = error.message;
      states.fill(OUT);
    }
    return states;
  }

  #headerOf(publicKey: Uint8Array): Header | undefined {
    return publicKey.length === KEY_BYTES ? this.#headerFor(littleEndian(publicKey, 0, KEY_BYTES)) : undefined;
  }

  /** The header that names the key. */
  #headerFor(key: bigint): Header | undefined {
    const states = this.#open();
    const tag = Number(key & LOW_32);
    for (let place = 0; place < states.length; place++) {
      if (this.#tags[place] !== tag) continue;
      const header = this.#header(place);
      if (header?.key === key) return header;
    }
    return undefined;
  }

  /** What the header of a place says; undefined where there is no table. */
  #header(place: number): Header | undefined {
    const state = (this.#states as Uint8Array)[place];
    if (state !== FOUND && state !== CHECKED) return undefined;
    return this.#onFlash(place, () => {
      const bytes = new Uint8Array(KEY_BYTES + CHECK_BYTES);
      this.#flash.read(place * this.#placeBytes + HEAD_BYTES, bytes);
      const both = littleEndianOf(bytes.buffer);
      return { place, key: both & LOW_256, check: both >> BITS_256 };
    });
  }

  /** True where the table that a header is of is as it was written, now or when this was asked before; else it is dropped. */
  #isWhole({ place, key, check }: Header): boolean {
    const states = this.#states as Uint8Array;
    if (states[place] === CHECKED) return true;
    if (this.#onFlash(place, () => this.#checkOf(place, key)) !== check) {
      this.#drop(place);
      return false;
    }
    states[place] = CHECKED;
    return true;
  }

  /** The check that the entries in a place come to with the key. */
  #checkOf(place: number, key: bigint): bigint {
    let bytes = new Uint8Array(ENTRIES_READ * ENTRY_BYTES);
    // Sums of sums: cheaper than products by the factors. The first entry is in all of them.
    let sum = 0n;
    let sums = 0n;
    for (let first = 0; first < ENTRIES; first += ENTRIES_READ) {
      const count = Math.min(ENTRIES_READ, ENTRIES - first);
      if (count < ENTRIES_READ) bytes = new Uint8Array(count * ENTRY_BYTES);
      this.#flash.read(place * this.#placeBytes + HEADER_BYTES + first * ENTRY_BYTES, bytes);
      let some = littleEndianOf(bytes.buffer);
      for (let i = 0; i < count; i++) {
        sum += some & LOW_768;
        some >>= BITS_768;
        sums += sum;
      }
    }
    return sums + sums + sum + key * KEY_FACTOR;
  }

  /** Gives up the table in a place. What was made in this run, and is bad already, would be no better the next time. */
  #drop(place: number): void {
    const states = this.#states as Uint8Array;
    if (states[place] !== OUT) states[place] = this.#made[place] === 1 ? OUT : FREE;
    this.#isChanged = true;
  }

  /** The key that is next to have a table, and a place for it. */
  #nextWork(): Work | undefined {
    if (!this.#isChanged) return undefined;
    for (const key of this.#wanted) {
      if (this.#headerFor(key) === undefined) return this.#workOn(key, Number.POSITIVE_INFINITY);
    }
    let most: bigint | undefined;
    let uses = USES_AHEAD - 1;
    this.#uses.forEach((count, i) => {
      const key = this.#counted[i] as bigint;
      if (count <= uses || this.#headerFor(key) !== undefined) return;
      most = key;
      uses = count;
    });
    return most === undefined ? undefined : this.#workOn(most, uses);
  }

  #workOn(key: bigint, uses: number): Work | undefined {
    const place = this.#placeFor(uses);
    return place === undefined ? undefined : { place, key, builder: undefined, erased: 0, step: 0, check: 0n };
  }

  /** A free place, or that of the least used key which so many uses may take it from. */
  #placeFor(uses: number): number | undefined {
    const free = (this.#states as Uint8Array).indexOf(FREE);
    if (free >= 0) return free;
    let place: number | undefined;
    let least = (uses - USES_AHEAD) / 2;
    for (let i = 0; i < this.places; i++) {
      const header = this.#header(i);
      if (header === undefined || this.#wanted.includes(header.key)) continue;
      const own = this.#uses[this.#counted.indexOf(header.key)] ?? 0;
      if (place === undefined ? own > least : own >= least) continue;
      place = i;
      least = own;
    }
    return place;
  }

  /** Goes one step further. False where there are no more. */
  #advance(work: Work): boolean {
    const { place, key, builder } = work;
    const at = place * this.#placeBytes;
    if (builder === undefined) {
      const bytes = new Uint8Array(KEY_BYTES);
      writeLittleEndian(bytes, 0, KEY_BYTES, key);
      const point = decompressPublicKey(bytes);
      if (point === undefined) {
        this.#forget(key);
        return false;
      }
      (this.#states as Uint8Array)[place] = FREE;
      work.builder = new TableBuilder(negate(point));
      return true;
    }
    if (work.erased < this.#placeBytes) {
      this.#flash.erase(at + work.erased);
      work.erased += this.#flash.blockSize;
      return true;
    }
    if (work.step < BUILD_STEPS) {
      work.step++;
      const part = builder.step();
      if (part !== undefined) this.#program(work, part);
      return true;
    }
    work.check += key * KEY_FACTOR;
    if (this.#checkOf(place, key) !== work.check) throw new FlashError('a table reads back differently');
    const header = new Uint8Array(HEADER_BYTES);
    writeLittleEndian(header, HEAD_BYTES, KEY_BYTES + CHECK_BYTES, key | (work.check << BITS_256));
    sealHeader(header, STORE.keyTables, FORMAT);
    this.#flash.program(at, header);
    const back = new Uint8Array(HEADER_BYTES);
    this.#flash.read(at, back);
    if (littleEndianOf(back.buffer) !== littleEndianOf(header.buffer))
      throw new FlashError('the header of a table reads back differently');
    this.#tags[place] = readU32(header, HEAD_BYTES);
    this.#made[place] = 1;
    (this.#states as Uint8Array)[place] = CHECKED;
    return false;
  }

  /** Writes entries that are ready. */
  #program(work: Work, { first, entries }: TablePart): void {
    const bytes = new Uint8Array(entries.length * ENTRY_BYTES);
    let factor = FIRST_FACTOR - TWO * BigInt(first);
    entries.forEach((entry, i) => {
      writeLittleEndian(bytes, i * ENTRY_BYTES, ENTRY_BYTES, entry);
      work.check += entry * factor;
      factor -= TWO;
    });
    this.#flash.program(work.place * this.#placeBytes + HEADER_BYTES + first * ENTRY_BYTES, bytes);
  }

  /** A key that is none is not looked at again. */
  #forget(key: bigint): void {
    this.#wanted = this.#wanted.filter((wanted) => wanted !== key);
    const at = this.#counted.indexOf(key);
    if (at < 0) return;
    this.#counted.splice(at, 1);
    this.#uses.splice(at, 1);
  }

  /** What work on a place comes to; where flash fails it is left alone until the next start. */
  #onFlash<T>(place: number, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof FlashError)) throw error;
      (this.#states as Uint8Array)[place] = OUT;
      return undefined;
    }
  }
}
