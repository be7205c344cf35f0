// Key pairs and a place for tables, for the tests of key tables.

import { getPublicKey, hashes, Point, sign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { combTable } from '../../../core/ed25519/comb.ts';
import { type AffinePoint, ORDER, type Points } from '../../../core/ed25519/curve.ts';
import type { KeyTables } from '../../../core/ed25519/key-tables.ts';
import { littleEndian, toNumber } from './encodings.ts';

hashes.sha512 = sha512;

/** Bytes of a place where blocks have 4096. */
export const PLACE = 28_672;
/** Entries of a table. */
export const ENTRIES = 257;
/** Bytes before them: the head, and the key. */
export const HEADER = 64;
/** Bytes of a table, its header with them. */
export const TABLE = HEADER + ENTRIES * 96;

/** A table in memory. */
export function tableOf(point: AffinePoint): Points {
  const table = combTable(point);
  return { entry: (number) => table[number] as bigint };
}

/** All entries of a table that is read one at a time. */
export function entriesOf(points: Points | undefined): readonly bigint[] | undefined {
  return points && Array.from({ length: ENTRIES }, (_, number) => points.entry(number));
}

/** A key, and a signature by it. */
export interface Signed {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  /** The signature with another S. */
  readonly forged: Uint8Array;
}

/** Always the same for a number. */
export function signed(seed: number): Signed {
  const secret = new Uint8Array(32).fill(seed);
  const message = new Uint8Array(32).fill(seed ^ 0x55);
  const signature = sign(message, secret);
  const forged = signature.slice();
  forged[40] = (forged[40] as number) ^ 1;
  return { publicKey: getPublicKey(secret), message, signature, forged };
}

/** What the holder of a number's key signs in the name of another key: good where the sum is taken with the holder's point. */
export function signedAs(publicKey: Uint8Array, seed: number, message: Uint8Array): Uint8Array {
  const hash = sha512(new Uint8Array(32).fill(seed)).slice(0, 32);
  hash[0] = (hash[0] as number) & 248;
  hash[31] = ((hash[31] as number) & 127) | 64;
  const r = 12345n;
  const R = Point.BASE.multiply(r).toBytes();
  const k = toNumber(sha512(Buffer.concat([R, publicKey, message])));
  return Uint8Array.from(Buffer.concat([R, littleEndian((r + k * toNumber(hash)) % ORDER)]));
}

/** Lets tables be made until there is nothing to do. @returns the steps it took */
export function settle(tables: KeyTables): number {
  for (let steps = 1; ; steps++) {
    if (!tables.step()) return steps;
    if (steps > 2000) throw new Error('there is no end');
  }
}
