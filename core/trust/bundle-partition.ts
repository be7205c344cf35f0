// The bundle set on flash: two copies on one partition, of which one is in force. What arrives is written into the other as
// it comes; one record at its beginning, written last, puts it in force. docs/FORMAT.md says what each byte is.
//
// No cell is programmed twice between two erases, and nothing is concluded from what an erased cell reads as. The copy in
// force is never touched, so that a cut at any operation leaves it whole, or the other one.

import { crc32 } from '../encoding/crc32.ts';
import { HEADER_BYTES, isStoreHeader, PAGE, STORE, sealHeader, UNIT } from '../encoding/flash-header.ts';
import { readU32, writeU32 } from '../encoding/little-endian.ts';
import { BUNDLE_LIMITS, BUNDLE_SET_BYTES, BUNDLES_HELD } from '../limits.ts';
import { type Crypto, type Flash, FlashError } from '../ports/ports.ts';
import { BundleReader } from './bundle-reader.ts';
import type { BundleRange, BundleRanges } from './bundle-set.ts';

const BUNDLE_SET_FORMAT = 1;

/** Behind a copy's header a place for each bundle. */
const PLACE_BYTES = 16;
const RECORD_BYTES = HEADER_BYTES + BUNDLES_HELD * PLACE_BYTES;
const CHECK_BYTES = 8;

/** What a start finds. */
export interface FoundBundles {
  /** The bundles of the copy in force; none where no copy is whole. */
  readonly ranges: BundleRanges;
  /** In words: a copy has its record, but not the bundles the record was written for. No power cut leaves that. */
  readonly damage: string | undefined;
}

/** A copy whose record is good. */
interface Copy {
  readonly which: 0 | 1;
  readonly sequence: number;
  readonly ranges: BundleRanges;
  /** Per bundle: the first bytes of the digest of its text. */
  readonly checks: readonly Uint8Array[];
}

/**
 * Bytes a partition must have so that any answer within the limits can be taken in while all other bundles are kept.
 *
 * @param bundles how many the device is to hold
 * @param bundleBytes the longest of them
 * @param answerBytes the longest answer
 */
export function bundlePartitionBytes(
  blockSize: number,
  bundles: number = BUNDLES_HELD,
  bundleBytes: number = BUNDLE_LIMITS.bytes,
  answerBytes: number = BUNDLE_SET_BYTES,
): number {
  const copy = RECORD_BYTES + whole(answerBytes) + (bundles - 1) * whole(bundleBytes);
  return 2 * Math.ceil(copy / blockSize) * blockSize;
}

/** See the head of the file. Its methods throw FlashError where the flash fails. */
export class BundlePartition {
  readonly reader: BundleReader;
  readonly #flash: Flash;
  readonly #copyBytes: number;
  #active: Copy | undefined;
  /** The highest sequence number that is, or may be, on flash. */
  #sequence = 0;
  /** While a copy is being written: which, up to where it is erased, where the next byte goes, where the page begins. */
  #writing: 0 | 1 = 0;
  #erasedTo = 0;
  #at = 0;
  #pageAt = 0;
  #page = new Uint8Array(0);

  /** @throws RangeError where the partition cannot hold two copies of anything */
  constructor(flash: Flash, crypto: Crypto) {
    const { blockSize, programSize, size } = flash;
    if (UNIT % programSize !== 0 || size % blockSize !== 0 || blockSize % PAGE !== 0)
      throw new RangeError(`the partition is not in whole units of ${UNIT} and blocks of ${PAGE} bytes`);
    this.#flash = flash;
    this.#copyBytes = Math.floor(size / blockSize / 2) * blockSize;
    if (this.#copyBytes === 0) throw new RangeError('a bundle partition needs two blocks');
    this.reader = new BundleReader(flash, crypto);
  }

  /** Bytes that one copy has for bundles and what comes with them. */
  get capacity(): number {
    return this.#copyBytes - RECORD_BYTES;
  }

  /** Bytes of its buffers: none between two answers. */
  get memoryBytes(): number {
    return this.#page.length + this.reader.memoryBytes;
  }

  /** Gives back the memory of its buffers. What is being written goes no further. */
  rest(): void {
    this.#page = new Uint8Array(0);
    this.reader.rest();
  }

  /**
   * Finds the copy in force: the newer one whose record and bundles are as they were written.
   *
   * @throws FlashError where flash fails, or the partition holds something else
   */
  open(): FoundBundles {
    this.#active = undefined;
    const first = this.#readRecord(0);
    const second = this.#readRecord(1);
    this.#sequence = Math.max(first?.sequence ?? 0, second?.sequence ?? 0);
    const newer = (second?.sequence ?? 0) > (first?.sequence ?? 0) ? second : first;
    const older = newer === first ? second : first;
    // The older one is looked at only where the newer one is gone: what a cut has left of it is no damage.
    this.#active = [newer, older].find((copy) => copy !== undefined && this.#isWhole(copy));
    if (this.#active === (newer ?? older)) return { ranges: this.#active?.ranges ?? [], damage: undefined };
    if (this.#active === undefined) return { ranges: [], damage: 'no bundle set is as it was written' };
    const damage = 'the newest bundle set is not as it was written: the one before it is taken';
    return { ranges: this.#active.ranges, damage };
  }

  /** Begins to write the copy that is not in force. What it held is gone. */
  begin(): void {
    this.#writing = this.#active?.which === 0 ? 1 : 0;
    this.#at = RECORD_BYTES;
    this.#pageAt = RECORD_BYTES;
    this.#erasedTo = 0;
    this.#page = new Uint8Array(PAGE);
    // With its first block its record is gone: it cannot come into force before a new one is written.
    this.#eraseTo(RECORD_BYTES);
  }

  /** Appends bytes. False where there is no room for them: nothing of them is written. */
  write(bytes: Uint8Array): boolean {
    if (this.#page.length === 0) throw new FlashError('no bundle set is being written');
    if (this.#at + bytes.length > this.#copyBytes) return false;
    for (let from = 0; from < bytes.length; ) {
      const part = this.#pagePart(bytes.length - from);
      part.set(bytes.subarray(from, from + part.length));
      from += part.length;
      this.#wrote(part.length);
    }
    return true;
  }

  /** Appends zeros up to a whole unit, so that all that came is on flash. @returns the range of what came since `begin` */
  flush(): BundleRange {
    const copyAt = this.#writing * this.#copyBytes;
    const range: BundleRange = [copyAt + RECORD_BYTES, copyAt + this.#at];
    this.#pad();
    return range;
  }

  /** Bytes that a bundle of the copy in force takes in the one that is written. */
  room([start, end]: BundleRange): number {
    return whole(end - start);
  }

  /** Bytes left in the copy that is written. */
  get left(): number {
    return this.#copyBytes - whole(this.#at);
  }

  /**
   * Writes a bundle of the copy in force into the other one; there must be room.
   *
   * @returns where it is there
   * @throws FlashError where it is not as it was, or does not read back
   */
  carry([start, end]: BundleRange): BundleRange {
    this.#pad();
    const from = this.#writing * this.#copyBytes + this.#at;
    for (let at = start; at < end; ) {
      const part = this.#pagePart(end - at);
      this.#flash.read(at, part);
      at += part.length;
      this.#wrote(part.length);
    }
    this.#pad();
    const carried: BundleRange = [from, from + end - start];
    const known = this.#active?.checks[this.#active.ranges.findIndex((held) => held[0] === start)];
    if (known === undefined || !same(this.#check(carried), known))
      throw new FlashError('a bundle that is kept does not read back');
    return carried;
  }

  /** Puts what was written in force, in one program, read back. @param ranges the bundles that count, at most four */
  commit(ranges: BundleRanges): void {
    this.#pad();
    const copyAt = this.#writing * this.#copyBytes;
    const checks = ranges.map((range) => this.#check(range));
    const record = new Uint8Array(RECORD_BYTES);
    record[3] = ranges.length;
    writeU32(record, 4, ++this.#sequence);
    ranges.forEach(([start, end], i) => {
      const at = HEADER_BYTES + i * PLACE_BYTES;
      writeU32(record, at, start - copyAt);
      writeU32(record, at + 4, end - start);
      record.set(checks[i] as Uint8Array, at + 8);
    });
    writeU32(record, 8, crc32(record, HEADER_BYTES, RECORD_BYTES));
    sealHeader(record, STORE.bundles, BUNDLE_SET_FORMAT);
    this.#flash.program(copyAt, record);
    const back = new Uint8Array(RECORD_BYTES);
    this.#flash.read(copyAt, back);
    if (!same(record, back)) throw new FlashError('the record of a bundle set reads back differently');
    this.#active = { which: this.#writing, sequence: this.#sequence, ranges, checks };
  }

  #readRecord(which: 0 | 1): Copy | undefined {
    const copyAt = which * this.#copyBytes;
    const record = new Uint8Array(RECORD_BYTES);
    this.#flash.read(copyAt, record);
    const head = record.subarray(0, HEADER_BYTES);
    if (!isStoreHeader(head)) return undefined;
    if (head[1] !== STORE.bundles) throw new FlashError('the bundle partition holds something else');
    if (head[2] !== BUNDLE_SET_FORMAT)
      throw new FlashError(`the bundle partition holds format ${head[2]}, this firmware reads ${BUNDLE_SET_FORMAT}`);
    const count = head[3] as number;
    if (readU32(head, 8) !== crc32(record, HEADER_BYTES, RECORD_BYTES) || count > BUNDLES_HELD) return undefined;
    const ranges: BundleRange[] = [];
    const checks: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const at = HEADER_BYTES + i * PLACE_BYTES;
      const offset = readU32(record, at);
      const length = readU32(record, at + 4);
      if (offset < RECORD_BYTES || offset + length > this.#copyBytes) return undefined;
      ranges.push([copyAt + offset, copyAt + offset + length]);
      checks.push(record.slice(at + 8, at + 8 + CHECK_BYTES));
    }
    return { which, sequence: readU32(head, 4), ranges, checks };
  }

  #isWhole(copy: Copy): boolean {
    return copy.ranges.every((range, i) => same(this.#check(range), copy.checks[i] as Uint8Array));
  }

  #check([start, end]: BundleRange): Uint8Array {
    const hash = this.reader.crypto.sha256();
    this.reader.stream.bytes(start, end, (part) => hash.update(part));
    return hash.digest().slice(0, CHECK_BYTES);
  }

  /** The part of the page that the next bytes go to. */
  #pagePart(most: number): Uint8Array {
    const from = this.#at - this.#pageAt;
    const room = PAGE - (this.#at % PAGE);
    return this.#page.subarray(from, from + Math.min(room, most));
  }

  /** So many bytes were put into the page. */
  #wrote(count: number): void {
    this.#at += count;
    if (this.#at % PAGE === 0) this.#program();
  }

  #pad(): void {
    const end = whole(this.#at);
    this.#page.fill(0, this.#at - this.#pageAt, end - this.#pageAt);
    this.#at = end;
    this.#program();
  }

  #program(): void {
    const length = this.#at - this.#pageAt;
    if (length === 0) return;
    this.#eraseTo(this.#at);
    this.#flash.program(this.#writing * this.#copyBytes + this.#pageAt, this.#page.subarray(0, length));
    this.#pageAt = this.#at;
  }

  /** Erases the blocks before `end` that were not erased since `begin`. */
  #eraseTo(end: number): void {
    while (this.#erasedTo < end) {
      this.#flash.erase(this.#writing * this.#copyBytes + this.#erasedTo);
      this.#erasedTo += this.#flash.blockSize;
    }
  }
}

/** So many bytes in whole units. */
function whole(bytes: number): number {
  return Math.ceil(bytes / UNIT) * UNIT;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return a.length === b.length;
}
