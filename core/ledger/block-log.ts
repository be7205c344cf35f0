// A log of records on raw flash that is used up block by block, in a circle: records are appended to the newest block, and
// the oldest is given up once what still counts in it was written again. docs/FORMAT.md says what each byte is.
//
// No cell is programmed twice between two erases, and nothing is concluded from what an erased cell reads as: it may read
// as anything (flash encryption). What is in the log is what has a good CRC and the number that follows. A block whose
// writing a power cut may have broken off is not written to any further.

import { crc32Update, crc32Word } from '../encoding/crc32.ts';
import { HEADER_BYTES, isStoreHeader, sealHeader, UNIT } from '../encoding/flash-header.ts';
import { readU32, writeU32 } from '../encoding/little-endian.ts';
import { sameBytes } from '../encoding/same-bytes.ts';
import { type Flash, FlashError } from '../ports/ports.ts';
import { BlockChain } from './block-chain.ts';

/** Units a block's header takes. */
const HEADER_UNITS = HEADER_BYTES / UNIT;
/** Units at the end of a block that only the record that gives up a block may use. */
const KEPT_UNITS = 2;
/** Bytes of a record before its body: kind, units, flags, number, CRC. */
export const RECORD_HEADER = 12;
const CRC_AT = 8;
/** The kind of record that gives up all blocks before a sequence number. */
const GIVE_UP = 1;
/** The first kind that is the owner's. */
export const FIRST_KIND = 2;
/** A flag of records: written again, and nothing is lost while the block it was written from is still in the log. */
export const COPY = 1;

/** What tells one log from another. */
export interface LogLayout {
  /** What the partition is for: one of `STORE`. */
  readonly store: number;
  /** The format of the records. */
  readonly format: number;
  /** Units of the longest record. */
  readonly longest: number;
  /** Where blocks are lost: what is older is still read, and a block without its header is known by its records. */
  readonly salvage?: boolean;
  /** The format of what was on such partitions before there were blocks with headers; undefined where it is not that. */
  readonly formerFormat?: (flash: Flash) => number | undefined;
}

/** A record in the log. */
export interface LogRecord {
  readonly kind: number;
  readonly flags: number;
  /** Ascending by one from record to record. */
  readonly number: number;
  readonly units: number;
  /** The unit at which it begins, counted from the start of the partition. */
  readonly address: number;
  /** At a start: units before it in its block are no record. It may be text that a payer has put into what is damaged. */
  readonly behindDamage?: true;
}

/** Is told of each record in order. `bytes` holds the record, its header included, and is reused after the call. */
export type Visit = (record: LogRecord, bytes: Uint8Array) => void;

/** A record that was looked up. `bytes` is memory that the next call reuses. */
export interface FoundRecord {
  readonly record: LogRecord;
  readonly bytes: Uint8Array;
}

/** What is missing from the log although it must have been there. */
export interface LogDamage {
  /** Numbers of the records that are lost, from `first` (0: not known) up to and without `next`: that one is there. */
  readonly first: number;
  readonly next: number;
  readonly detail: string;
}

/** Why a log cannot be opened. */
export class LogError extends Error {
  override name = 'LogError';
}

/** See the head of the file. Its methods throw FlashError where the flash fails. */
export class BlockLog {
  readonly #flash: Flash;
  readonly #layout: LogLayout;
  readonly #blocks: number;
  readonly #unitsPerBlock: number;
  /** The blocks of the log, the oldest first. */
  readonly #chain: BlockChain;
  /** Blocks that are neither in the log nor known to be bad. */
  #spare = 0;
  /** Per block, in rows of as many places: `SEQUENCE` and what follows it. An array of its own for each would take more memory. */
  readonly #table: Uint32Array;
  /** Per block, as its header says, in two rows: the block before it, and the oldest block when it was made ready. For a start. */
  #links: Uint32Array | undefined;
  /** Where records are read into: there while it is needed, see `rest`. */
  #memory: Uint8Array | undefined;
  /** Its first unit: making a view takes memory of a device. */
  #firstUnit: Uint8Array | undefined;
  readonly #header = new Uint8Array(HEADER_BYTES);
  /** The highest sequence number there is. */
  #newest = 0;
  /** Where the next record goes: a block, and the unit in it; undefined until there is one that may be written to. */
  #openBlock: number | undefined;
  #at = 0;
  /** The number of the record that `visitTail` comes to next; undefined at the oldest block's beginning. */
  #tailNumber: number | undefined;
  /** The block after the head: erased, with its header, without a record. */
  #prepared: number | undefined;
  #next = 1;
  /** The number behind the newest record that is no copy, and the highest that a header has stated of it. */
  #ownNext = 1;
  #promised = 0;
  /** Where older blocks are lost: the sequence number of the oldest there should be, 0 where none is. */
  #lostTail = 0;

  /** @throws LogError where the partition cannot hold such a log */
  constructor(flash: Flash, layout: LogLayout) {
    this.#flash = flash;
    this.#layout = layout;
    const { size, blockSize, programSize } = flash;
    // Before anything is made of them: the tables are as large as these say.
    if (!(size > 0 && blockSize > 0 && size % blockSize === 0 && blockSize % UNIT === 0 && UNIT % programSize === 0))
      throw new LogError('the partition is not in whole units of 16 bytes');
    this.#blocks = size / blockSize;
    this.#unitsPerBlock = blockSize / UNIT;
    if (this.#blocks < LEAST_BLOCKS || this.room < layout.longest)
      throw new LogError(`a partition of ${size} bytes is too small: ${LEAST_BLOCKS} blocks are needed`);
    if (this.#blocks > MOST_BLOCKS)
      throw new LogError(`a partition of ${this.#blocks} blocks is too large: ${MOST_BLOCKS} are the most`);
    this.#chain = new BlockChain(this.#blocks);
    this.#table = new Uint32Array(ROWS * this.#blocks);
    this.fillEnds();
  }

  private get buffer(): Uint8Array {
    this.#memory ??= new Uint8Array(this.#layout.longest * UNIT);
    return this.#memory;
  }

  private get unit(): Uint8Array {
    this.#firstUnit ??= this.buffer.subarray(0, UNIT);
    return this.#firstUnit;
  }

  /** Gives back the memory that records are read into, until it is needed again. */
  rest(): void {
    this.#memory = undefined;
    this.#firstUnit = undefined;
  }

  /** Units of records that one block takes. */
  get room(): number {
    return this.#unitsPerBlock - HEADER_UNITS - KEPT_UNITS;
  }

  /** Blocks of the partition. */
  get blocks(): number {
    return this.#blocks;
  }

  /** The number the next record will have. */
  get nextNumber(): number {
    return this.#next;
  }

  /** Blocks that are neither in the log nor known to be bad, the prepared one included. */
  get spare(): number {
    return this.#spare;
  }

  /** Bytes that its tables take in memory. */
  get memoryBytes(): number {
    return this.#table.byteLength + this.#chain.memoryBytes;
  }

  /** Blocks in the log. */
  get used(): number {
    return this.#chain.length;
  }

  /** Erases per block, as far as the headers tell. */
  get wear(): readonly number[] {
    return Array.from(this.row(ERASES));
  }

  /**
   * True where every byte reads 0xFF, as a partition nobody has used does where flash is not encrypted. What is where the
   * first header goes does not matter unless it is a header: writing it is what a cut may have broken off.
   */
  isBlank(): boolean {
    return !isStoreHeader(this.firstHeader()) && this.isBlankBehindHeader();
  }

  private isBlankBehindHeader(): boolean {
    const bytes = this.buffer;
    for (let offset = HEADER_BYTES; offset < this.#flash.size; offset += bytes.length) {
      const part = bytes.subarray(0, Math.min(bytes.length, this.#flash.size - offset));
      this.#flash.read(offset, part);
      if (!isErased(part)) return false;
    }
    return true;
  }

  /**
   * Erases everything and begins an empty log. A cut leaves something that does not open, or all of the log that was there;
   * of one of a single block it may leave the beginning.
   *
   * @param salt an unsigned number of 32 bits that nobody can foretell: payers choose bytes of records, and with it they
   *   cannot choose them so that they pass for a record
   */
  format(salt = 0): void {
    this.scanHeaders();
    // The oldest first: what a cut leaves of a log then lacks its beginning, and does not open.
    const blocks = Array.from({ length: this.#blocks }, (_, block) => block);
    blocks.sort((a, b) => this.sequenceOf(a) - this.sequenceOf(b));
    for (const block of blocks) this.#flash.erase(block * this.#flash.blockSize);
    this.#links = undefined;
    this.begin(salt);
  }

  /**
   * Begins an empty log where the partition is blank, as a new one is. A bus that fails for a moment makes a log read like that
   * too. So it is read twice; then the first header is written to cells that read erased, which shows whether the bus tells
   * what is there; and only when all the rest has read blank once more is anything erased: the first block, where a cut may
   * have left cells that do not hold. The other blocks are erased when they are made ready.
   *
   * @param salt see `format`
   * @returns whether it was blank
   * @throws LogError where it was not after all
   */
  formatBlank(salt = 0): boolean {
    if (!this.isBlank() || !this.isBlank()) return false;
    if (isErased(this.firstHeader())) {
      let failure: unknown;
      try {
        this.begin(salt);
      } catch (error) {
        failure = error;
      }
      if (isErased(this.firstHeader())) throw failure;
    }
    if (!this.isBlankBehindHeader()) throw new LogError('the partition has read blank, and is not');
    this.#flash.erase(0);
    this.begin(salt);
    return true;
  }

  private firstHeader(): Uint8Array {
    this.#flash.read(0, this.#header);
    return this.#header;
  }

  /** Begins an empty log in the first block, whose header is written to cells that are erased. */
  private begin(salt: number): void {
    this.row(SEQUENCE).fill(0);
    this.row(ERASES).fill(1);
    this.#chain.clear();
    this.#newest = 0;
    this.#next = 1;
    this.#ownNext = 1;
    this.#lostTail = 0;
    this.fillEnds();
    this.#prepared = undefined;
    this.#tailNumber = undefined;
    this.writeHeader(0, salt);
    this.#chain.push(0);
    this.countSpare();
    this.set(FIRST, 0, 1);
    this.#openBlock = 0;
    this.#at = HEADER_UNITS;
  }

  /**
   * Reads the log from the oldest record to the newest.
   *
   * @returns what is missing
   * @throws LogError where there is no log, or one of another kind or format
   */
  open(visit: Visit): readonly LogDamage[] {
    const damage: LogDamage[] = [];
    let oldest: number | undefined;
    this.#openBlock = undefined;
    this.#prepared = undefined;
    this.#lostTail = 0;
    this.#ownNext = 1;
    this.fillEnds();
    this.readHeaders();
    this.findChain(damage);
    this.countSpare();
    this.#tailNumber = undefined;
    // Where no block came before the oldest, no record did.
    let expected = this.link(PREVIOUS, this.oldest) === 0 ? 1 : undefined;
    this.#links = undefined;
    const visitFrom: Visit = (record, bytes) => {
      oldest ??= record.number;
      if ((record.flags & COPY) === 0) this.#ownNext = record.number + 1;
      visit(record, bytes);
    };
    for (let place = 0; place < this.#chain.length; place++)
      expected = this.visitBlock(this.#chain.at(place), expected, visitFrom, damage);
    this.#next = expected ?? 1;
    if (this.#ownNext < this.#promised) {
      damage.push({
        first: this.#ownNext,
        next: this.#promised,
        detail: `records before number ${this.#promised} are lost`,
      });
      this.#next = Math.max(this.#next, this.#promised);
    }
    const next = oldest ?? this.#next;
    return damage.map((one) => (one.next === 0 ? { ...one, next } : one));
  }

  /** True where a record of so many units could be appended now. */
  hasRoom(units: number): boolean {
    return this.#prepared !== undefined || this.fits(units);
  }

  /** True where it would go into the block that is open. */
  fits(units: number): boolean {
    return this.#openBlock !== undefined && this.#at + units <= this.limit;
  }

  /** The next record goes to another block than the open one. */
  leave(): void {
    this.#openBlock = undefined;
  }

  /**
   * Appends a record: one program, read back.
   *
   * @param bytes the record; its first 12 bytes are written here, the rest is the owner's
   * @returns where it is, in units
   * @throws FlashError where the flash fails, or what was written reads back differently
   * @throws LogError where there is no room: `hasRoom` was not asked
   */
  append(kind: number, flags: number, bytes: Uint8Array): number {
    const units = bytes.length / UNIT;
    if (this.#openBlock === undefined || this.#at + units > (kind === GIVE_UP ? this.#unitsPerBlock : this.limit)) {
      if (this.#prepared === undefined) throw new LogError('there is no room for a record');
      this.#openBlock = this.#prepared;
      this.#prepared = undefined;
      this.#chain.push(this.#openBlock);
      this.#spare--;
      this.set(FIRST, this.#openBlock, this.#next);
      this.#at = HEADER_UNITS;
    }
    const block = this.#openBlock;
    const address = block * this.#unitsPerBlock + this.#at;
    bytes[0] = kind;
    bytes[1] = units;
    bytes[2] = flags & 0xff;
    bytes[3] = flags >> 8;
    writeU32(bytes, 4, this.#next);
    writeU32(bytes, CRC_AT, this.crcOf(bytes, bytes.length, block));
    this.#flash.program(address * UNIT, bytes);
    const back = this.buffer.subarray(0, bytes.length);
    this.#flash.read(address * UNIT, back);
    if (!sameBytes(bytes, back)) throw new FlashError(`what was written at ${address * UNIT} reads back differently`);
    this.#at += units;
    this.#next++;
    if ((flags & COPY) === 0) this.#ownNext = this.#next;
    return address;
  }

  /**
   * Reads the record at an address into memory that is reused by the next call.
   *
   * @throws FlashError where it is not as it was written: a bit may turn while the device runs
   */
  read(address: number): Uint8Array {
    const block = Math.floor(address / this.#unitsPerBlock);
    const record = this.recordAt(block, address - block * this.#unitsPerBlock);
    if (record === undefined) throw new FlashError(`the record at ${address * UNIT} is damaged`);
    return this.buffer.subarray(0, record.units * UNIT);
  }

  /** True while there is a block ahead that records can go to when the open one is full. */
  get isPrepared(): boolean {
    return this.#prepared !== undefined;
  }

  /**
   * Makes a block ready to follow the head: one erase, one program. False where there is no spare block.
   *
   * @throws FlashError where no spare block takes it
   */
  prepare(): boolean {
    if (this.#prepared !== undefined) return true;
    const salt = this.nextSalt();
    let failure: unknown;
    for (;;) {
      const block = this.leastWorn();
      if (block === undefined) {
        if (failure !== undefined) throw failure;
        return false;
      }
      try {
        this.#flash.erase(block * this.#flash.blockSize);
        this.set(ERASES, block, this.get(ERASES, block) + 1);
        this.set(END, block, this.#unitsPerBlock);
        this.writeHeader(block, salt);
        this.#prepared = block;
        return true;
      } catch (error) {
        if (!(error instanceof FlashError)) throw error;
        // A block that has had its day: the others go on.
        this.set(END, block, BAD);
        this.#spare--;
        failure = error;
      }
    }
  }

  /**
   * Visits records of the oldest block. `visit` may append, which reuses the bytes it was given.
   *
   * @param from the unit to begin at: 0, then what the last call returned
   * @param most how many
   * @returns where to go on, or undefined at the end of the block
   * @throws FlashError where a record is missing that was there at the start: what it held must not be given up
   */
  visitTail(from: number, most: number, visit: Visit): number | undefined {
    const block = this.oldest;
    let at = Math.max(from, HEADER_UNITS);
    for (let count = 0; count < most; count++) {
      const record = this.recordFrom(block, at);
      this.#tailNumber ??= this.get(FIRST, block);
      const behind = this.#chain.length > 1 ? this.get(FIRST, this.#chain.at(1)) : this.#next;
      const number = record?.number ?? behind;
      if (number !== this.#tailNumber) throw new FlashError(`record ${this.#tailNumber} is damaged`);
      if (record === undefined) return undefined;
      this.#tailNumber = record.number + 1;
      visit(record, this.buffer.subarray(0, record.units * UNIT));
      at = this.behind(block, record);
    }
    return at;
  }

  /** Units for records left in the open block; 0 where none is open. */
  get left(): number {
    return this.#openBlock === undefined ? 0 : Math.max(this.limit - this.#at, 0);
  }

  /** The block that an address is in. */
  blockOf(address: number): number {
    return Math.floor(address / this.#unitsPerBlock);
  }

  /** The oldest block of the log. */
  get oldest(): number {
    return this.#chain.oldest as number;
  }

  /** Blocks of the log from the oldest that is needed on. */
  neededBlocks(isNeeded: (block: number) => boolean): number {
    for (let place = 0; place < this.#chain.length; place++)
      if (isNeeded(this.#chain.at(place))) return this.#chain.length - place;
    return 0;
  }

  /** How many blocks of the log are newer than a block, or -1 where it is not in the log. */
  newerThan(block: number): number {
    const place = this.#chain.indexOf(block);
    return place < 0 ? -1 : this.#chain.length - 1 - place;
  }

  /** How many blocks of the log are older than a block, or -1 where it is not in the log. */
  olderThan(block: number): number {
    return this.#chain.indexOf(block);
  }

  /** The record at an address, checked; undefined where none is, or its block is not in the log. */
  at(address: number): FoundRecord | undefined {
    const block = this.blockOf(address);
    if (this.#chain.indexOf(block) < 0) return undefined;
    return this.found(this.recordAt(block, address - block * this.#unitsPerBlock));
  }

  /** The record that follows another that is in the log; without one, the oldest. Undefined at the end. */
  after(record?: { readonly address: number; readonly units: number }): FoundRecord | undefined {
    let place = record === undefined ? 0 : this.#chain.indexOf(this.blockOf(record.address));
    if (place < 0) return undefined;
    let at = record === undefined ? HEADER_UNITS : (record.address % this.#unitsPerBlock) + record.units;
    for (; place < this.#chain.length; place++) {
      const found = this.recordFrom(this.#chain.at(place), at);
      if (found !== undefined) return this.found(found);
      at = HEADER_UNITS;
    }
    return undefined;
  }

  private found(record: LogRecord | undefined): FoundRecord | undefined {
    return record && { record, bytes: this.buffer.subarray(0, record.units * UNIT) };
  }

  /**
   * Gives up the oldest block. There must be another, and everything in it that still counts must have been written again.
   *
   * @param body what the owner wants to be found again with it: whole units
   */
  giveUpTail(body: Uint8Array): void {
    const bytes = new Uint8Array(UNIT + body.length);
    bytes.set(body, UNIT);
    if (this.#chain.length < 2) throw new LogError('the only block of a log cannot be given up');
    writeU32(bytes, RECORD_HEADER, this.sequenceOf(this.#chain.at(1)));
    this.append(GIVE_UP, 0, bytes);
    this.#chain.shift();
    this.countSpare();
    this.#tailNumber = undefined;
  }

  private get limit(): number {
    return this.#unitsPerBlock - KEPT_UNITS;
  }

  /** A row of the table. */
  private row(row: number): Uint32Array {
    return this.#table.subarray(row * this.#blocks, (row + 1) * this.#blocks);
  }

  private get(row: number, block: number): number {
    return this.#table[row * this.#blocks + block] as number;
  }

  private set(row: number, block: number, value: number): void {
    this.#table[row * this.#blocks + block] = value;
  }

  private fillEnds(): void {
    this.row(END).fill(this.#unitsPerBlock);
  }

  private sequenceOf(block: number): number {
    return this.#table[block] as number;
  }

  /** The block that has a sequence number, -1 where none has. */
  private blockWith(sequence: number): number {
    return this.row(SEQUENCE).indexOf(sequence);
  }

  private link(row: number, block: number): number {
    return this.#links?.[row * this.#blocks + block] ?? 0;
  }

  private setLinks(block: number, previous: number, stated: number): void {
    const links = this.#links as Uint32Array;
    links[PREVIOUS * this.#blocks + block] = previous;
    links[STATED * this.#blocks + block] = stated;
  }

  private countSpare(): void {
    this.#spare = 0;
    for (let block = 0; block < this.#blocks; block++) if (this.isSpare(block)) this.#spare++;
  }

  private isSpare(block: number): boolean {
    return this.get(END, block) !== BAD && this.#chain.indexOf(block) < 0 && !this.isCutOff(block);
  }

  /** True for a block that was in the log before a block behind it was lost: what it holds is kept for a technician. */
  private isCutOff(block: number): boolean {
    const sequence = this.sequenceOf(block);
    return this.#lostTail > 0 && sequence >= this.#lostTail && sequence < this.sequenceOf(this.oldest);
  }

  /**
   * Which block to use next. Those that a start has left out, newer than the head, only where there is no other, and of them
   * the newest: until a newer header leaves them behind they name each other, and no number of theirs may be given again
   * while nobody knows how a header reads the next time whose erase was broken off.
   */
  private leastWorn(): number | undefined {
    const head = this.sequenceOf(this.#chain.newest as number);
    let best: number | undefined;
    for (let block = 0; block < this.#blocks; block++) {
      if (this.isSpare(block) && (best === undefined || this.goesBefore(block, best, head))) best = block;
    }
    return best;
  }

  private goesBefore(block: number, other: number, head: number): boolean {
    const sequence = this.sequenceOf(block);
    const otherSequence = this.sequenceOf(other);
    if (sequence > head || otherSequence > head)
      return sequence > head ? otherSequence > head && sequence > otherSequence : true;
    return this.get(ERASES, block) < this.get(ERASES, other);
  }

  /**
   * The salt of the block after the head: the head's, and the CRC of its first record. So it is never known to whom the
   * salt of the log or one such record of another payer is not, and of three neighbouring blocks any two tell the third's.
   */
  private nextSalt(): number {
    const head = this.#chain.newest as number;
    const isEmpty = this.get(FIRST, head) === this.#next;
    return (this.get(SALT, head) ^ (isEmpty ? 0 : this.firstCrc(head))) >>> 0;
  }

  /** What stands where the first record of a block has its CRC. */
  private firstCrc(block: number): number {
    this.#flash.read(block * this.#flash.blockSize + HEADER_BYTES, this.#header);
    return readU32(this.#header, CRC_AT);
  }

  private writeHeader(block: number, salt: number): void {
    const last = this.#chain.newest;
    const header = new Uint8Array(HEADER_BYTES);
    this.#newest++;
    this.set(SEQUENCE, block, this.#newest);
    writeU32(header, 4, this.#newest);
    writeU32(header, 8, this.get(ERASES, block));
    writeU32(header, 12, last === undefined ? 0 : this.sequenceOf(last));
    // The oldest there should be: what is lost goes on being missed.
    const tail = last === undefined ? this.#newest : this.sequenceOf(this.oldest);
    writeU32(header, 16, this.#lostTail > 0 ? this.#lostTail : tail);
    writeU32(header, 20, this.#ownNext);
    this.set(SALT, block, salt);
    writeU32(header, SALT_AT, salt);
    sealHeader(header, this.#layout.store, this.#layout.format);
    this.#flash.program(block * this.#flash.blockSize, header);
    this.#flash.read(block * this.#flash.blockSize, this.#header);
    if (!sameBytes(header, this.#header)) throw new FlashError(`the header of block ${block} reads back differently`);
  }

  private readHeaders(): void {
    const strange = this.scanHeaders();
    if (strange !== '') throw new LogError(strange);
    if (this.#newest > 0) return;
    const former = this.#layout.formerFormat?.(this.#flash);
    throw new LogError(former === undefined ? 'the partition holds no log' : this.otherFormat(former));
  }

  private otherFormat(format: number): string {
    return `the partition holds format ${format}, this firmware reads ${this.#layout.format}`;
  }

  /** Takes in what the headers say. @returns why this is not the log looked for, or nothing */
  private scanHeaders(): string {
    const header = this.#header;
    let most = 0;
    let strange = '';
    this.#newest = 0;
    this.#promised = 0;
    this.#links = new Uint32Array(2 * this.#blocks);
    for (let block = 0; block < this.#blocks; block++) {
      this.set(SEQUENCE, block, 0);
      this.set(ERASES, block, 0);
      this.#flash.read(block * this.#flash.blockSize, header);
      if (!isStoreHeader(header)) continue;
      if (header[1] !== this.#layout.store) strange = 'the partition holds something else';
      else if (header[2] !== this.#layout.format) strange = this.otherFormat(header[2] as number);
      this.set(SEQUENCE, block, readU32(header, 4));
      this.set(ERASES, block, readU32(header, 8));
      this.setLinks(block, readU32(header, 12), readU32(header, 16));
      this.#promised = Math.max(this.#promised, readU32(header, 20));
      this.set(SALT, block, readU32(header, SALT_AT));
      this.#newest = Math.max(this.#newest, readU32(header, 4));
      most = Math.max(most, readU32(header, 8));
    }
    // A block without a header has been in use as much as the others, for all anybody knows.
    for (let block = 0; block < this.#blocks; block++) if (this.get(ERASES, block) === 0) this.set(ERASES, block, most);
    return strange;
  }

  /**
   * The blocks of the log, from the newest back. Newest blocks that hold nothing, or nothing but copies of what is still
   * in the log, are not in it: a cut broke off what was begun there.
   */
  private findChain(damage: LogDamage[]): void {
    this.#chain.clear();
    const highest = this.#newest;
    const salvaged: number[] = [];
    for (let ahead = 1; ahead <= SALVAGED_AHEAD && this.#layout.salvage; ahead++)
      salvaged.push(this.findBlock(highest + ahead, damage));
    let sequence = this.#newest;
    let tail: number | undefined;
    let headTail = 0;
    for (;;) {
      let block = this.blockWith(sequence);
      if (block < 0 && this.#layout.salvage) {
        block = this.findBlock(sequence, damage);
        salvaged.push(block);
      }
      if (block < 0) {
        damage.push({ first: 0, next: 0, detail: `the block with sequence number ${sequence} is lost` });
        // What is older may be in the log for all that.
        if (!this.#layout.salvage) this.#lostTail = Math.min(tail ?? headTail, sequence);
        sequence = this.#layout.salvage ? this.writtenBefore(sequence) : 0;
        if (sequence === 0 || sequence < (tail ?? headTail)) return;
        continue;
      }
      const previous = this.link(PREVIOUS, block);
      const stated = this.link(STATED, block);
      // What was given up in blocks older than the two newest was so when the newest was made ready: its header says it.
      const isTold = this.#chain.length > 1 && !salvaged.includes(this.#chain.newest as number);
      const isSearched = this.#chain.length === 0 || (tail === undefined && !isTold);
      const { own, givesUp } = isSearched ? this.lookThrough(block) : NOTHING_NEW;
      if (this.#chain.length > 0 || own || previous === 0 || sequence === stated) {
        if (this.#chain.length === 0) headTail = Math.max(headTail, stated);
        tail ??= givesUp;
        this.#chain.unshift(block);
      } else if (this.#layout.salvage) headTail = stated;
      if (this.#chain.length > 0 && sequence === (tail ?? headTail)) return;
      if (previous === 0 || previous >= sequence) {
        damage.push({ first: 0, next: 0, detail: `the oldest block is ${sequence}, not ${tail ?? headTail}` });
        return;
      }
      sequence = previous;
    }
  }

  /**
   * A block whose header is damaged, by its records: their CRCs begin with its sequence number and its salt.
   *
   * @returns the block, which then counts as if it had its header, or -1
   */
  private findBlock(sequence: number, damage: LogDamage[]): number {
    const neighbours = this.neighboursOf(sequence);
    for (let block = 0; block < this.#blocks; block++) {
      if (this.sequenceOf(block) !== 0) continue;
      this.set(SEQUENCE, block, sequence);
      // Records begin where the header ends: without the first one others are not looked for, a start would take long.
      if (this.findSalt(block, neighbours) && this.lookThrough(block).own) {
        const previous = this.writtenBefore(sequence);
        this.#newest = Math.max(this.#newest, sequence);
        const stated = previous === 0 ? sequence : this.link(STATED, this.blockWith(previous));
        this.setLinks(block, previous, stated);
        damage.push({ first: 0, next: 0, detail: `the block with sequence number ${sequence} has lost its header` });
        return block;
      }
      this.set(SEQUENCE, block, 0);
    }
    return -1;
  }

  /**
   * Blocks that one of a sequence number may have stood between: one that names it as the one before, and the nearest older
   * ones, as some may have been made ready and never written to. Few, so that a start is bounded.
   */
  private neighboursOf(sequence: number): readonly Neighbour[] {
    const found: Neighbour[] = [];
    for (let block = 0; block < this.#blocks && found.length < MOST_FOLLOWERS; block++) {
      if (this.link(PREVIOUS, block) === sequence && this.sequenceOf(block) > sequence)
        found.push({ salt: this.get(SALT, block), crc: undefined });
    }
    let below = sequence;
    for (let count = 0; count < MOST_BEFORE; count++) {
      let nearest = -1;
      for (let block = 0; block < this.#blocks; block++) {
        const one = this.sequenceOf(block);
        if (one !== 0 && one < below && (nearest < 0 || one > this.sequenceOf(nearest))) nearest = block;
      }
      if (nearest < 0) break;
      below = this.sequenceOf(nearest);
      found.push({ salt: this.get(SALT, nearest), crc: this.firstCrc(nearest) });
    }
    return found;
  }

  /** Finds the salt of a block whose header is damaged, out of those of its neighbours. */
  private findSalt(block: number, neighbours: readonly Neighbour[]): boolean {
    // Most blocks without a header have no record either.
    if (!this.mayHaveRecord(block)) return false;
    const own = readU32(this.#header, CRC_AT);
    for (const { salt, crc } of neighbours) {
      this.set(SALT, block, salt ^ (crc ?? own));
      if (this.recordAt(block, HEADER_UNITS) !== undefined) return true;
      // The earlier one of both may have been empty then.
      this.set(SALT, block, salt);
      if (this.recordAt(block, HEADER_UNITS) !== undefined) return true;
    }
    return false;
  }

  /** The highest sequence number below another of a block that was written to, 0 where there is none. */
  private writtenBefore(sequence: number): number {
    let below = sequence;
    for (;;) {
      let best = 0;
      for (let block = 0; block < this.#blocks; block++) {
        const one = this.sequenceOf(block);
        if (one < below && one > best) best = one;
      }
      if (best === 0 || this.lookThrough(this.blockWith(best)).own) return best;
      below = best;
    }
  }

  /**
   * Whether a block has records that are no copies, and the last that gives up blocks. What comes behind units that are no
   * record may be a payer's text inside an entry that was torn: it gives up nothing.
   */
  private lookThrough(block: number): { readonly own: boolean; readonly givesUp: number | undefined } {
    let own = false;
    let givesUp: number | undefined;
    let at = HEADER_UNITS;
    let expected: number | undefined;
    let isWhole = true;
    for (;;) {
      const record = this.recordFrom(block, at);
      if (record === undefined) return { own, givesUp };
      if (record.address !== block * this.#unitsPerBlock + at) {
        isWhole = false;
        if (record.number === expected) return { own, givesUp };
      }
      if ((record.flags & COPY) === 0) own = true;
      if (record.kind === GIVE_UP && isWhole) givesUp = readU32(this.buffer, RECORD_HEADER);
      expected = record.number + 1;
      at = this.behind(block, record);
    }
  }

  /** Visits a block's records; numbers that are passed over are damage. @returns the number that must follow */
  private visitBlock(block: number, first: number | undefined, visit: Visit, damage: LogDamage[]): number | undefined {
    let expected = first;
    let at = HEADER_UNITS;
    let isWhole = true;
    for (;;) {
      const record = this.recordFrom(block, at);
      if (expected === undefined && record?.address !== block * this.#unitsPerBlock + HEADER_UNITS) {
        // A block gets into the log with its first record, so that there is one where the header ends.
        damage.push({ first: 0, next: record?.number ?? 0, detail: 'the oldest records are lost' });
      }
      if (at === HEADER_UNITS) this.set(FIRST, block, expected ?? record?.number ?? 0);
      if (record === undefined) return expected;
      if (record.address !== block * this.#unitsPerBlock + at) {
        isWhole = false;
        // Nothing is written behind what was torn, and what is damaged had a number of its own: this is a payer's text.
        if (record.number === expected) {
          this.set(END, block, at);
          return expected;
        }
      }
      if (expected !== undefined && record.number !== expected)
        damage.push({
          first: expected,
          // One that comes again was copied there by somebody: nothing that follows stands for itself.
          next: record.number > expected ? record.number : Number.MAX_SAFE_INTEGER,
          detail: `records before number ${record.number} are lost`,
        });
      visit(isWhole ? record : { ...record, behindDamage: true }, this.buffer.subarray(0, record.units * UNIT));
      expected = record.number + 1;
      at = this.behind(block, record);
    }
  }

  /** The unit of the block behind a record. */
  private behind(block: number, record: LogRecord): number {
    return record.address - block * this.#unitsPerBlock + record.units;
  }

  /** The first record at or behind a unit, read into the buffer. What is passed over was torn, or is damaged. */
  private recordFrom(block: number, from: number): LogRecord | undefined {
    const end = block === this.#openBlock ? this.#at : this.get(END, block);
    for (let at = from; at < end; at++) {
      const record = this.recordAt(block, at);
      if (record !== undefined) return record;
    }
    return undefined;
  }

  /**
   * Over the block's sequence number, its salt and the record without its CRC: a record of the block's earlier life has
   * another, and so has what a payer wrote.
   */
  private crcOf(bytes: Uint8Array, length: number, block: number): number {
    const seed = crc32Word(
      crc32Word(0, this.#table[block] as number),
      this.#table[SALT * this.#blocks + block] as number,
    );
    const head = crc32Word(crc32Word(seed, readU32(bytes, 0)), readU32(bytes, 4));
    return crc32Update(head, bytes, RECORD_HEADER, length);
  }

  /** True where a block has something like a record behind its header. */
  private mayHaveRecord(block: number): boolean {
    this.#flash.read(block * this.#flash.blockSize + HEADER_BYTES, this.#header);
    return this.isShaped(this.#header[0] as number, this.#header[1] as number);
  }

  private isShaped(kind: number, units: number): boolean {
    return kind !== 0 && units > 0 && units <= this.#layout.longest;
  }

  /** The record that begins at a unit of a block, read into the buffer; undefined where none does. */
  private recordAt(block: number, at: number): LogRecord | undefined {
    const address = block * this.#unitsPerBlock + at;
    const buffer = this.buffer;
    this.#flash.read(address * UNIT, this.unit);
    const kind = buffer[0] as number;
    const units = buffer[1] as number;
    if (!this.isShaped(kind, units) || at + units > this.#unitsPerBlock) return undefined;
    if (units > 1) this.#flash.read((address + 1) * UNIT, buffer.subarray(UNIT, units * UNIT));
    if (readU32(buffer, CRC_AT) !== this.crcOf(buffer, units * UNIT, block)) return undefined;
    return {
      kind,
      flags: (buffer[2] as number) | ((buffer[3] as number) << 8),
      number: readU32(buffer, 4),
      units,
      address,
    };
  }
}

/** Rows of a log's table. The sequence number that a block's header has, 0 where it has none. No two headers have the same. */
const SEQUENCE = 0;
/** How often it was erased, as far as headers tell. */
const ERASES = 1;
/** What the CRCs of its records begin with, beside its sequence number. No payer knows it. */
const SALT = 2;
/** The unit behind what was written to it, where a start has found that out; BAD where it could not be erased or written since. */
const END = 3;
const BAD = 0;
/** Of a block of the log: the number of its first record. */
const FIRST = 4;
const ROWS = 5;
/** Rows of what headers say of other blocks. */
const PREVIOUS = 0;
const STATED = 1;

/** What needs not be known of a block. */
const NOTHING_NEW = Object.freeze({ own: false, givesUp: undefined });

/** In a block's header: its salt. */
const SALT_AT = 24;

/** The head, one that is ready to follow, one to clean into, and one to clean. */
export const LEAST_BLOCKS = 4;

/** Blocks newer than all that have a header are looked for up to so many sequence numbers ahead. */
const SALVAGED_AHEAD = 4;
/** Blocks that may tell the salt of one whose header is damaged: those that name it as the one before, and older ones. */
const MOST_FOLLOWERS = 2;
const MOST_BEFORE = 4;
/** What the ring of blocks can number. */
const MOST_BLOCKS = 65_535;

/** What a block tells of the salt of one beside it. */
interface Neighbour {
  readonly salt: number;
  /** The CRC of its first record, where it is the older one. */
  readonly crc: number | undefined;
}

function isErased(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0xff) return false;
  return true;
}
