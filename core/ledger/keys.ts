// Names in the ledger. What counts is what a signature covers: issuer and kid stand outside it, so a wallet key that is
// listed under two issuers would otherwise give one signed budget two totals. Budgets go by the key that signed them.

import type { Crypto } from '../ports/ports.ts';
import type { LedgerKey } from './ledger.ts';

/** Bytes of a ledger key: two different names meet with odds of 2^-64 per pair. */
export const LEDGER_KEY_BYTES = 16;

/** What is named. */
export type LedgerKind = 'grant' | 'budget' | 'decision' | 'idempotency' | 'content' | 'bundle';

/**
 * The ledger key of a name.
 *
 * @param signer the key bytes the name belongs to; empty where the name stands for itself
 * @param name text without lone surrogates, as the reader gives it
 */
export function ledgerKey(crypto: Crypto, kind: LedgerKind, signer: Uint8Array, name: string): LedgerKey {
  const hash = crypto.sha256();
  // Kinds have no colon and the signer one length per kind, so no two inputs run together.
  hash.update(`${kind}:${String.fromCharCode.apply(null, signer as unknown as number[])}${name}`);
  return keyText(hash.digest());
}

/** The first 16 bytes as a key. */
export function keyText(bytes: Uint8Array, offset = 0): LedgerKey {
  return String.fromCharCode.apply(null, bytes.subarray(offset, offset + LEDGER_KEY_BYTES) as unknown as number[]);
}

/** Writes a key's bytes. */
export function writeKey(target: Uint8Array, offset: number, key: LedgerKey): void {
  for (let i = 0; i < LEDGER_KEY_BYTES; i++) target[offset + i] = key.charCodeAt(i);
}
