// Tables of keys the device trusts, on a partition of their own, so that a verification takes a third of the time. They are
// made in idle time, in bounded steps. docs/FORMAT.md says what each byte is.
//
// A table only makes a verification faster. Whoever can write flash can write one of another point under a key's name, by which
// forged signatures are good. So no table is used because it is there: after a start idle time makes it once more and compares, and
// until then its key's signatures are verified without. A verification then reads the entries it needs, one at a time, and what it
// refuses by them is decided again without them. No cell is programmed twice between two erases, and nothing is concluded from what
// an erased cell reads as: a place has a table when its header was written, last.

import { HEADER_BYTES as HEAD_BYTES, isStoreHeader, STORE, sealHeader, UNIT } from '../encoding/flash-header.ts';
import { littleEndian, littleEndianOf, readU32, writeLittleEndian } from '../encoding/little-endian.ts';
import { KEY_TABLE_BYTES, KEY_TABLES, KEYS_COUNTED } from '../limits.ts';
import { type Flash, FlashError } from '../ports/ports.ts';
import { BUILD_STEPS, ENTRY_BYTES, TableBuilder, type TablePart } from './comb.ts';
import { negate, type Points } from './curve.ts';
import { decompressPublicKey, type TableSource } from './verify.ts';

const FORMAT = 3;
/** Bytes of a header: the head that every store has, and the key. */
const KEY_BYTES = 32;
const HEADER_BYTES = HEAD_BYTES + KEY_BYTES;

const LOW_32 = 0xffffffffn;

/** Uses that make a key worth a table; and more than twice as many as another one, to take its place. */
const USES_AHEAD = 2;
/** Where a count gets here all are halved: what was used long ago counts less. */
const MOST_USES = 32;

/** What is known of a place. */
const FREE = 0;
/** It has a header. */
const FOUND = 1;
/** It has a header, and the table was made, or found to be right, in this run. */
const CHECKED = 2;
/** Flash failed here: left alone until the next start. */
const OUT = 3;

/** What a header says: whose table a place has. */
interface Header {
  readonly place: number;
  readonly key: bigint;
}

/** A table that is being made, or made once more to compare it with the one that is there. */
interface Work {
  readonly place: number;
  readonly key: bigint;
  readonly isThere: boolean;
  builder: TableBuilder | undefined;
  /** Bytes of the place that were erased. */
  erased: number;
  step: number;
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

/** The entries of a part, as they stand on flash. */
function bytesOf({ entries }: TablePart): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(entries.length * ENTRY_BYTES);
  entries.forEach((entry, i) => {
    writeLittleEndian(bytes, i * ENTRY_BYTES, ENTRY_BYTES, entry);
  });
  return bytes;
}

function workOn({ place, key }: Header, isThere: boolean): Work {
  return { place, key, isThere, builder: undefined, erased: 0, step: 0 };
}

/** Bytes of flash that a table takes, in whole blocks. */
function placeBytes(blockSize: number): number {
  return Math.ceil(KEY_TABLE_BYTES / blockSize) * blockSize;
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

  /** The table of −A for a public key A, which was checked in this run; undefined where there is none. It reads from flash. */
  find(publicKey: Uint8Array): Points | undefined {
    const header = this.#headerOf(publicKey);
    if (header === undefined || !this.#isChecked(header)) return undefined;
    return entriesOn(this.#flash, header.place * this.#placeBytes + HEADER_BYTES);
  }

  /** True for a key that has a table, which was checked in this run: a header alone may name what is no key. */
  has(publicKey: Uint8Array): boolean {
    const header = this.#headerOf(publicKey);
    return header !== undefined && this.#isChecked(header);
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
    const states = this.#open();
    this.#work ??= this.#nextWork();
    const work = this.#work;
    if (work === undefined) {
      // One whose header could not be read is not found any more, others may be.
      this.#isChanged = states.includes(FOUND);
      return this.#isChanged;
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
        // The CRC is for others: what a header says counts only where the table agrees with it.
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
      const bytes = new Uint8Array(KEY_BYTES);
      this.#flash.read(place * this.#placeBytes + HEAD_BYTES, bytes);
      return { place, key: littleEndianOf(bytes.buffer) };
    });
  }

  #isChecked({ place }: Header): boolean {
    return (this.#states as Uint8Array)[place] === CHECKED;
  }

  /** Gives up the table in a place. What was made in this run, and is bad already, would be no better the next time. */
  #drop(place: number): void {
    const states = this.#states as Uint8Array;
    if (states[place] !== OUT) states[place] = this.#made[place] === 1 ? OUT : FREE;
    this.#isChanged = true;
  }

  /** The table that is next to be checked, those of wanted keys first; then the key to have one, and a place for it. */
  #nextWork(): Work | undefined {
    if (!this.#isChanged) return undefined;
    const found = (this.#states as Uint8Array).indexOf(FOUND);
    if (found >= 0) {
      for (const key of this.#wanted) {
        const header = this.#headerFor(key);
        if (header !== undefined && !this.#isChecked(header)) return workOn(header, true);
      }
      const header = this.#header(found);
      return header && workOn(header, true);
    }
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
    return place === undefined ? undefined : workOn({ place, key }, false);
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
    const { place, key, isThere, builder } = work;
    const at = place * this.#placeBytes;
    if (builder === undefined) {
      const bytes = new Uint8Array(KEY_BYTES);
      writeLittleEndian(bytes, 0, KEY_BYTES, key);
      const point = decompressPublicKey(bytes);
      if (!isThere || point === undefined) (this.#states as Uint8Array)[place] = FREE;
      if (point === undefined) {
        this.#forget(key);
        return false;
      }
      work.builder = new TableBuilder(negate(point));
      return true;
    }
    if (!isThere && work.erased < this.#placeBytes) {
      this.#flash.erase(at + work.erased);
      work.erased += this.#flash.blockSize;
      return true;
    }
    if (work.step < BUILD_STEPS) {
      work.step++;
      const part = builder.step();
      if (part === undefined) return true;
      const bytes = bytesOf(part);
      const offset = at + HEADER_BYTES + part.first * ENTRY_BYTES;
      if (!isThere) this.#put(offset, bytes);
      else if (!this.#holds(offset, bytes)) {
        this.#drop(place);
        return false;
      }
      return true;
    }
    if (!isThere) {
      const header = new Uint8Array(HEADER_BYTES);
      writeLittleEndian(header, HEAD_BYTES, KEY_BYTES, key);
      sealHeader(header, STORE.keyTables, FORMAT);
      this.#put(at, header);
      this.#tags[place] = readU32(header, HEAD_BYTES);
      this.#made[place] = 1;
    }
    (this.#states as Uint8Array)[place] = CHECKED;
    return false;
  }

  /** Writes bytes, and looks whether they are there. */
  #put(offset: number, bytes: Uint8Array): void {
    this.#flash.program(offset, bytes);
    if (!this.#holds(offset, bytes)) throw new FlashError('a table reads back differently');
  }

  #holds(offset: number, bytes: Uint8Array): boolean {
    const there = new Uint8Array(bytes.length);
    this.#flash.read(offset, there);
    return littleEndianOf(there.buffer) === littleEndianOf(bytes.buffer);
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
