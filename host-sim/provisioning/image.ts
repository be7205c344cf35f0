// Provisioning images as files: the document in CBOR, the partition it is written to, and what is in one. What is made here is
// read back by the core before anybody gets it.

import { Encoder } from 'cbor-x/encode';
import { PROVISIONING_PARTITION_BYTES } from '../../core/limits.ts';
import type { Flash } from '../../core/ports/ports.ts';
import { type FoundProvisioning, readProvisioning, writeProvisioning } from '../../core/provisioning/partition.ts';
import {
  type Provisioning,
  type ProvisioningDocument,
  ProvisioningProblem,
} from '../../core/provisioning/provisioning.ts';
import { DEVICE_GEOMETRY, SimulatedFlash } from '../flash/simulated-flash.ts';
import { ERASED, MemoryStore, SparseStore } from '../flash/store.ts';

/** Objects as maps whose size takes what it needs, byte strings without a tag: RFC 8949 §4.2.1, once members are in order. */
const encoder = new Encoder({ useRecords: false, variableMapSize: true, tagUint8Array: false });

/** A document's bytes, the same for the same document. */
export function documentBytes(document: ProvisioningDocument): Uint8Array {
  return Uint8Array.from(encoder.encode(ordered(document)));
}

/** What a document says, as the document has it. */
export function documentFrom({ counter: _, fetchesRootKey, madeAtMs, ...rest }: Provisioning): ProvisioningDocument {
  return {
    ...rest,
    ...(fetchesRootKey && { rootKey: 'fetch' }),
    ...(madeAtMs !== undefined && { madeAt: madeAtMs / 1000 }),
  };
}

/**
 * The image of a partition: erased, with the document in its first slot.
 *
 * @throws ProvisioningProblem where the core does not read it as it is meant; RangeError for one that no slot holds
 */
export function imageOf(document: ProvisioningDocument, counter: number): Uint8Array {
  return withDocument(new MemoryStore(PROVISIONING_PARTITION_BYTES), document, counter);
}

/**
 * The same of an image that a newer document replaces: it goes to the other slot, and the slot it was in is erased, so that
 * nothing is left of what was removed.
 */
export function replacedImage(image: Uint8Array, document: ProvisioningDocument, counter: number): Uint8Array {
  const before = readImage(image);
  if (before instanceof ProvisioningProblem) throw before;
  const replaced = new MemoryStore(withDocument(new MemoryStore(image), document, counter));
  const flash = flashOver(replaced);
  const half = image.length / 2;
  for (let at = 0; at < half; at += flash.blockSize) flash.erase(before.slot * half + at);
  return bytesOf(replaced);
}

/** What is in an image. */
export function readImage(image: Uint8Array): FoundProvisioning | ProvisioningProblem {
  if (image.length !== PROVISIONING_PARTITION_BYTES) {
    const text = `${image.length} bytes are no provisioning image: one has ${PROVISIONING_PARTITION_BYTES}`;
    return new ProvisioningProblem('format', text);
  }
  return readProvisioning(imageFlash(image));
}

/** An image as a device has it in flash. The image stays as it is, and memory is taken for what it holds. */
export function imageFlash(image: Uint8Array): Flash {
  const flash = new SimulatedFlash(new SparseStore(image.length), { geometry: DEVICE_GEOMETRY });
  const { programSize } = flash;
  // Views of what is erased in the end cost more than all else here.
  const { length } = packedImage(image);
  for (let at = 0; at < length; at += programSize) {
    const unit = image.subarray(at, at + programSize);
    if (unit.some((byte) => byte !== ERASED)) flash.program(at, unit);
  }
  return flash;
}

/** An image without what it ends with that is erased: most of it is. */
export function packedImage(image: Uint8Array): Uint8Array {
  return image.slice(0, image.findLastIndex((byte) => byte !== ERASED) + 1);
}

/** The image, packed or not. */
export function wholeImage(image: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.max(image.length, PROVISIONING_PARTITION_BYTES)).fill(ERASED);
  whole.set(image);
  return whole;
}

function flashOver(store: MemoryStore): Flash {
  return new SimulatedFlash(store, { geometry: DEVICE_GEOMETRY });
}

function withDocument(store: MemoryStore, document: ProvisioningDocument, counter: number): Uint8Array {
  const flash = flashOver(store);
  const written = writeProvisioning(flash, documentBytes(document), counter);
  if (written instanceof ProvisioningProblem) throw written;
  const back = readProvisioning(flash);
  if (back instanceof ProvisioningProblem) throw back;
  return bytesOf(store);
}

function bytesOf(store: MemoryStore): Uint8Array {
  const bytes = new Uint8Array(store.size);
  store.read(0, bytes);
  return bytes;
}

/** The same data with the members of every object in the order of their encoded names, and without those that are undefined. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => compareNames(Buffer.from(a), Buffer.from(b)));
  return Object.fromEntries(entries.map(([name, member]) => [name, ordered(member)]));
}

/** A name's head grows with its length, so shorter names come first. */
function compareNames(a: Buffer, b: Buffer): number {
  return a.length - b.length || Buffer.compare(a, b);
}
