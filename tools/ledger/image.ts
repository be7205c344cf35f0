// A flash image in a file's bytes, as a partition that can only be read: looking at a ledger must not change it. Which log it
// holds, and what speaks against its being all of a partition, in blocks of the size that the caller says.

import { crc32Update } from '../../core/encoding/crc32.ts';
import { HEADER_BYTES, isStoreHeader, STORE, UNIT } from '../../core/encoding/flash-header.ts';
import { readU32 } from '../../core/encoding/little-endian.ts';
import { BlockLog, type LogLayout, RECORD_HEADER } from '../../core/ledger/block-log.ts';
import { type Flash, FlashError } from '../../core/ports/ports.ts';

/** See the head of the file. */
export class FlashImage implements Flash {
  readonly size: number;
  readonly blockSize: number;
  readonly programSize = 16;
  readonly #bytes: Uint8Array;

  /** @param blockSize bytes of an erase block; 4096 on the devices */
  constructor(bytes: Uint8Array, blockSize: number) {
    this.#bytes = bytes;
    this.size = bytes.length;
    this.blockSize = blockSize;
  }

  read(offset: number, target: Uint8Array): void {
    target.set(this.#bytes.subarray(offset, offset + target.length));
  }

  program(offset: number, _bytes: Uint8Array): void {
    throw new FlashError(`the image is read only; nothing is written at ${offset}`);
  }

  erase(offset: number): void {
    throw new FlashError(`the image is read only; nothing is erased at ${offset}`);
  }
}

/**
 * A copy of an image that can be written: what a device does at its start can be tried out, and the image stays as it is.
 */
export class ScratchImage extends FlashImage {
  readonly #cells: Uint8Array;

  /** @param blockSize see `FlashImage` */
  constructor(bytes: Uint8Array, blockSize: number) {
    const cells = bytes.slice();
    super(cells, blockSize);
    this.#cells = cells;
  }

  override program(offset: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++)
      this.#cells[offset + i] = (this.#cells[offset + i] as number) & (bytes[i] as number);
  }

  override erase(offset: number): void {
    this.#cells.fill(0xff, offset, offset + this.blockSize);
  }
}

/** True where the headers of an image's blocks say that it is such a store: most of them, where they differ. */
export function isImageOf(store: number, bytes: Uint8Array, blockSize: number): boolean {
  const stores = storesIn(bytes, blockSize);
  const own = stores.filter((one) => one === store).length;
  return own > stores.length - own;
}

/** What each header at the beginning of a block says the partition is for. */
function storesIn(bytes: Uint8Array, blockSize: number): readonly number[] {
  const stores: number[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; at += blockSize) {
    const header = bytes.subarray(at, at + HEADER_BYTES);
    if (isStoreHeader(header)) stores.push(header[1] as number);
  }
  return stores;
}

/** What a caller knows of an image's shape. */
export interface ImageShape {
  /** Bytes of an erase block. */
  readonly blockSize: number;
  /** Bytes of the partition, where they are known: no header states them. */
  readonly size?: number | undefined;
}

/** Why an image cannot be looked into. */
export class ImageProblem extends Error {}

/** Refuses what is no image of a ledger or a journal, damaged ones apart. @throws ImageProblem */
export function checkImage(bytes: Uint8Array, { blockSize }: ImageShape): void {
  if (bytes.length === 0) throw new ImageProblem('it is empty');
  if (bytes.every((byte) => byte === 0xff)) throw new ImageProblem('it is blank: all its bytes are 0xFF');
  if (bytes.length % blockSize !== 0)
    throw new ImageProblem(
      `its ${bytes.length} bytes are no whole blocks of ${blockSize}: it is cut off, or --block-size is wrong`,
    );
  const stores = storesIn(bytes, blockSize);
  if (stores.length > 0 && stores.every((store) => store === STORE.bundles))
    throw new ImageProblem('it holds Trust Bundles, not a spend ledger or a journal');
  if (!stores.some((store) => store === STORE.ledger || store === STORE.journal))
    throw new ImageProblem(`it holds neither a spend ledger nor a journal${hintOf(bytes, blockSize)}`);
}

/** How an image was looked at that does not open, in brackets, and what may help. */
export function hintOf(bytes: Uint8Array, blockSize: number): string {
  const { better } = otherSizes(bytes, blockSize);
  return better === undefined
    ? ` (looked at in blocks of ${blockSize} bytes)`
    : ` (it can be read with --block-size ${better})`;
}

/** Why an image does not seem to be all of a partition in blocks of that size, in words. */
export function shapeDoubts(bytes: Uint8Array, { blockSize, size }: ImageShape): readonly string[] {
  const doubts: string[] = [];
  const { better } = otherSizes(bytes, blockSize);
  if (better !== undefined)
    doubts.push(`the blocks are not of ${blockSize} bytes: more can be read with --block-size ${better}`);
  if (size !== undefined && size !== bytes.length)
    doubts.push(`the image has ${bytes.length} bytes, the partition ${size}: it is not all of it, or of another`);
  return doubts;
}

/** What an image may be though nothing says so, in words. */
export function shapeNotes(image: FlashImage, layout: LogLayout): readonly string[] {
  const log = new BlockLog(image, layout);
  log.open(() => {});
  return log.spare > 0
    ? []
    : ['no block is free, as in an image that was cut off behind its newest block: --size tells whether it was'];
}

/** Other sizes of blocks that as much of an image can be read with: nothing in it tells which is right. */
export function sameSizes(bytes: Uint8Array, blockSize: number): readonly number[] {
  const { better, same } = otherSizes(bytes, blockSize);
  return better === undefined ? same : [];
}

/** Sizes of erase blocks that are tried, and how many of them a log has at least. */
const LEAST_BLOCK = 256;
const MOST_BLOCK = 1_048_576;
const LEAST_BLOCKS = 4;

/** The size of blocks that more of an image can be read with than with one, and the sizes that as much can be read with. */
function otherSizes(
  bytes: Uint8Array,
  blockSize: number,
): { readonly better: number | undefined; readonly same: readonly number[] } {
  let better: number | undefined;
  let most = evidenceFor(bytes, blockSize);
  const same: number[] = [];
  for (let size = LEAST_BLOCK; size <= Math.min(MOST_BLOCK, bytes.length / LEAST_BLOCKS); size *= 2) {
    if (size === blockSize || bytes.length % size !== 0) continue;
    const evidence = evidenceFor(bytes, size);
    const more = evidence.records - most.records || evidence.headers - most.headers;
    if (more === 0 && better === undefined) same.push(size);
    if (more <= 0) continue;
    most = evidence;
    better = size;
  }
  return { better, same };
}

/** Headers at the beginnings of blocks, and records that follow them without a gap: both have CRCs. */
function evidenceFor(bytes: Uint8Array, blockSize: number): { readonly headers: number; readonly records: number } {
  let headers = 0;
  let records = 0;
  for (let block = 0; block + HEADER_BYTES <= bytes.length; block += blockSize) {
    if (!isStoreHeader(bytes.subarray(block, block + HEADER_BYTES))) continue;
    headers++;
    // The CRCs of a block's records begin with its sequence number and its salt.
    const seed = Uint8Array.of(...bytes.subarray(block + 4, block + 8), ...bytes.subarray(block + 24, block + 28));
    const end = Math.min(block + blockSize, bytes.length);
    for (let at = block + HEADER_BYTES; at < end; records++) {
      const length = recordAt(bytes, at, end, seed);
      if (length === 0) break;
      at += length;
    }
  }
  return { headers, records };
}

/** Bytes of the record at a place of a block, 0 where there is none. */
function recordAt(bytes: Uint8Array, at: number, end: number, seed: Uint8Array): number {
  const length = (bytes[at + 1] as number) * UNIT;
  if (bytes[at] === 0 || length === 0 || at + length > end) return 0;
  const record = bytes.subarray(at, at + length);
  const head = crc32Update(crc32Update(0, seed, 0, seed.length), record, 0, RECORD_HEADER - 4);
  return readU32(record, RECORD_HEADER - 4) === crc32Update(head, record, RECORD_HEADER, length) ? length : 0;
}
