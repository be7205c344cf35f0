// How everything on flash begins: whatever a partition holds, its blocks or copies have a header of 32 bytes that says what it is
// and in which format, with a CRC. So no store takes another's for its own. docs/FORMAT.md says what each byte is.

import { crc32 } from './crc32.ts';
import { readU32, writeU32 } from './little-endian.ts';

/** Bytes of a unit: what is written to flash takes whole ones. */
export const UNIT = 16;
/** Bytes that are programmed at a time at most: a page of the devices' flash, which none of them crosses, and no block cuts. */
export const PAGE = 256;
/** Bytes of a header. Those from 3 on, but for the CRC, are the store's own. */
export const HEADER_BYTES = 2 * UNIT;

/** What a partition is for. */
export const STORE = Object.freeze({ ledger: 1, journal: 2, bundles: 3, keyTables: 4, provisioning: 5 });

const MAGIC = 0x4d;
const CRC_AT = HEADER_BYTES - 4;

/** Makes the first 32 bytes a header, once the store's own are there. */
export function sealHeader(header: Uint8Array, store: number, format: number): void {
  header[0] = MAGIC;
  header[1] = store;
  header[2] = format;
  writeU32(header, CRC_AT, crc32(header, 0, CRC_AT));
}

/** True for a header, of whichever store. */
export function isStoreHeader(header: Uint8Array): boolean {
  return header[0] === MAGIC && readU32(header, CRC_AT) === crc32(header, 0, CRC_AT);
}
