// The partition with a device's provisioning: two slots, of which the one with the higher counter is in force. An image is
// written into the other slot, its header last, so that one program switches. docs/FORMAT.md says what each byte is.

import { crc32, crc32Update } from '../encoding/crc32.ts';
import { HEADER_BYTES, isStoreHeader, PAGE, STORE, sealHeader, UNIT } from '../encoding/flash-header.ts';
import { readU32, writeU32 } from '../encoding/little-endian.ts';
import { sameBytes } from '../encoding/same-bytes.ts';
import { JsonProblem } from '../json/reader.ts';
import { PROVISIONING_LIMITS } from '../limits.ts';
import { type Flash, FlashError } from '../ports/ports.ts';
import { decodeDocument } from './plain-data.ts';
import { type Provisioning, ProvisioningProblem, readDocument } from './provisioning.ts';

/** The format this code reads and writes. */
export const PROVISIONING_FORMAT = 1;
/** The highest counter there is. */
export const LAST_COUNTER = 0xffff_ffff;

/** Where in the header the counter, the document's CRC and its length stand. */
const COUNTER_AT = 4;
const CRC_AT = 8;
const LENGTH_AT = 12;

/** An image that is in force. */
export interface FoundProvisioning {
  readonly provisioning: Provisioning;
  readonly slot: 0 | 1;
  /** In words, where the other slot has an image that is not whole any more. */
  readonly damage: string | undefined;
}

/** A slot with an image. */
export interface ImageSlot {
  readonly slot: 0 | 1;
  readonly counter: number;
  /** Of its document. */
  readonly length: number;
  readonly crc: number;
}

/**
 * Finds the image in force: the whole one with the higher counter. The caller then asks the ledger about its counter
 * (`admitCounter`).
 *
 * @returns it, or why there is none: a document that is whole and cannot be read is not passed over for an older one
 */
export function readProvisioning(flash: Flash): FoundProvisioning | ProvisioningProblem {
  return orProblem(() => {
    const { image, damage } = imageInForce(flash);
    const { slot, counter } = image;
    const value = decodeDocument(documentOf(flash, image));
    if (value instanceof JsonProblem)
      throw new ProvisioningProblem('invalid', `provisioning: the document of slot ${slot}: ${value.message}`);
    return { provisioning: readDocument(value, counter), slot, damage };
  });
}

/**
 * Writes an image into the slot that is not in force, reads it back, and so switches to it. What was in force stays as it is.
 *
 * @param document CBOR
 * @returns the slot, or why nothing was written or does not read back: then what was in force still is
 * @throws RangeError for a document or a counter that no slot holds
 */
export function writeProvisioning(flash: Flash, document: Uint8Array, counter: number): 0 | 1 | ProvisioningProblem {
  if (!(Number.isInteger(counter) && counter >= 1 && counter <= LAST_COUNTER))
    throw new RangeError(`${counter} is no counter: they go from 1 to ${LAST_COUNTER}`);
  return orProblem(() => {
    const slotBytes = slotBytesOf(flash);
    const most = documentBytes(slotBytes);
    if (document.length === 0 || document.length > most)
      throw new RangeError(`a document of ${document.length} bytes: a slot holds 1 to ${most}`);
    const slot = slotToWrite(flash, counter);
    const start = slot * slotBytes;
    for (let at = 0; at < slotBytes; at += flash.blockSize) flash.erase(start + at);
    const end = HEADER_BYTES + document.length;
    for (let at = HEADER_BYTES; at < end; ) {
      // To the end of the page; behind the document the unit is filled up as if it were erased.
      const next = Math.min(at - (at % PAGE) + PAGE, end);
      const page = new Uint8Array(Math.ceil((next - at) / UNIT) * UNIT).fill(0xff);
      page.set(document.subarray(at - HEADER_BYTES, next - HEADER_BYTES));
      program(flash, start + at, page);
      at = next;
    }
    const header = new Uint8Array(HEADER_BYTES);
    writeU32(header, COUNTER_AT, counter);
    writeU32(header, CRC_AT, crc32(document, 0, document.length));
    writeU32(header, LENGTH_AT, document.length);
    sealHeader(header, STORE.provisioning, PROVISIONING_FORMAT);
    program(flash, start, header);
    return slot;
  });
}

/** The bytes of an image's document. */
export function documentOf(flash: Flash, { slot, length }: ImageSlot): Uint8Array {
  const document = new Uint8Array(length);
  flash.read(slot * slotBytesOf(flash) + HEADER_BYTES, document);
  return document;
}

/** The whole image with the higher counter. @throws ProvisioningProblem where there is none; FlashError */
export function imageInForce(flash: Flash): { readonly image: ImageSlot; readonly damage: string | undefined } {
  const images = [readHeader(flash, 0), readHeader(flash, 1)].filter((image) => image !== undefined);
  const [first, second] = images;
  if (first !== undefined && second !== undefined && first.counter === second.counter)
    throw new ProvisioningProblem('invalid', `provisioning: both slots have the counter ${first.counter}`);
  images.sort((a, b) => b.counter - a.counter);
  let damage: string | undefined;
  for (const image of images) {
    if (isWhole(flash, image)) return { image, damage };
    const text = `the document of slot ${image.slot} (counter ${image.counter}) is not as it was written`;
    damage = damage === undefined ? text : `${damage}; ${text}`;
  }
  if (damage !== undefined) throw new ProvisioningProblem('damaged', `provisioning: ${damage}`);
  throw new ProvisioningProblem('missing', 'provisioning: neither slot of the partition has an image');
}

/** Runs what reads or writes the partition. */
function orProblem<T>(work: () => T): T | ProvisioningProblem {
  try {
    return work();
  } catch (problem) {
    if (problem instanceof ProvisioningProblem) return problem;
    if (problem instanceof FlashError) return new ProvisioningProblem('store', `provisioning: ${problem.message}`);
    throw problem;
  }
}

/** The slot that an image with this counter goes to. */
function slotToWrite(flash: Flash, counter: number): 0 | 1 {
  const found = orProblem(() => imageInForce(flash));
  if (!(found instanceof ProvisioningProblem)) {
    const { image } = found;
    if (counter <= image.counter) throw new ProvisioningProblem('rollback', olderText(counter, image.counter));
    return image.slot === 0 ? 1 : 0;
  }
  if (found.fault === 'missing' || found.fault === 'damaged') return 0;
  throw found;
}

/** How the refusal of an older image reads. */
export function olderText(counter: number, newest: number): string {
  return `provisioning: counter ${counter} is not taken any more: ${newest} is the newest`;
}

function program(flash: Flash, offset: number, bytes: Uint8Array): void {
  flash.program(offset, bytes);
  const back = new Uint8Array(bytes.length);
  flash.read(offset, back);
  if (!sameBytes(back, bytes)) throw new FlashError('an image reads back differently');
}

/** What a slot's header says; undefined where it has none, or one that is not possible. */
function readHeader(flash: Flash, slot: 0 | 1): ImageSlot | undefined {
  const slotBytes = slotBytesOf(flash);
  const header = new Uint8Array(HEADER_BYTES);
  flash.read(slot * slotBytes, header);
  if (!isStoreHeader(header)) return undefined;
  if (header[1] !== STORE.provisioning)
    throw new ProvisioningProblem('format', `provisioning: slot ${slot} holds something else (store ${header[1]})`);
  if (header[2] !== PROVISIONING_FORMAT) {
    const text = `format ${header[2]}, this firmware reads ${PROVISIONING_FORMAT}`;
    throw new ProvisioningProblem('format', `provisioning: slot ${slot} has an image of ${text}`);
  }
  const counter = readU32(header, COUNTER_AT);
  const length = readU32(header, LENGTH_AT);
  if (counter === 0 || length === 0 || length > documentBytes(slotBytes)) return undefined;
  return { slot, counter, length, crc: readU32(header, CRC_AT) };
}

function isWhole(flash: Flash, { slot, length, crc }: ImageSlot): boolean {
  const start = slot * slotBytesOf(flash) + HEADER_BYTES;
  const piece = new Uint8Array(PAGE);
  let sum = 0;
  for (let at = 0; at < length; at += PAGE) {
    const part = piece.subarray(0, Math.min(PAGE, length - at));
    flash.read(start + at, part);
    sum = crc32Update(sum, part, 0, part.length);
  }
  return sum === crc;
}

/** Bytes of a slot: half of the partition's blocks, rounded down. */
function slotBytesOf({ size, blockSize, programSize }: Flash): number {
  const bytes = Math.floor(size / blockSize / 2) * blockSize;
  if (UNIT % programSize !== 0 || size % blockSize !== 0 || blockSize % PAGE !== 0 || bytes === 0)
    throw new ProvisioningProblem('format', `provisioning: a partition of ${size} bytes is not two slots of blocks`);
  return bytes;
}

function documentBytes(slotBytes: number): number {
  return Math.min(slotBytes - HEADER_BYTES, PROVISIONING_LIMITS.bytes);
}
