// Key pairs and a place for tables, for the tests of key tables.

import { getPublicKey, hashes, sign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { combTable } from '../../../core/ed25519/comb.ts';
import type { AffinePoint, Points } from '../../../core/ed25519/curve.ts';
import type { KeyTables } from '../../../core/ed25519/key-tables.ts';

hashes.sha512 = sha512;

/** Bytes of a place where blocks have 4096. */
export const PLACE = 28_672;
/** Entries of a table. */
export const ENTRIES = 257;
/** Bytes of a table. */
export const TABLE = 176 + ENTRIES * 96;

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

/** Lets tables be made until there is nothing to do. @returns the steps it took */
export function settle(tables: KeyTables): number {
  for (let steps = 1; ; steps++) {
    if (!tables.step()) return steps;
    if (steps > 2000) throw new Error('there is no end');
  }
}
