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
 * @param signer the key the name belongs to, its bytes or `signerText` of them; empty where the name stands for itself
 * @param name text without lone surrogates, as the reader gives it
 */
export function ledgerKey(crypto: Crypto, kind: LedgerKind, signer: Uint8Array | string, name: string): LedgerKey {
  const hash = crypto.sha256();
  // Kinds have no colon and the signer one length per kind, none or 32, so no two inputs run together.
  const by = typeof signer === 'string' ? signer : signer.length === 0 ? '' : signerText(signer);
  hash.update(`${kind}:${by}${name}`);
  return keyText(hash.digest());
}

/** The 32 bytes of a key or a digest as text, for names and comparisons. */
export function signerText(bytes: Uint8Array): string {
  return keyText(bytes) + keyText(bytes, LEDGER_KEY_BYTES);
}

/** The ledger key of a bundle's identity. */
export function bundleKey(crypto: Crypto, identity: string): LedgerKey {
  return ledgerKey(crypto, 'bundle', new Uint8Array(0), identity);
}

/** Sixteen bytes as a key. Written out, as engines do this several times faster than `apply` on a part of an array. */
export function keyText(bytes: Uint8Array, at = 0): LedgerKey {
  return String.fromCharCode(
    bytes[at] as number,
    bytes[at + 1] as number,
    bytes[at + 2] as number,
    bytes[at + 3] as number,
    bytes[at + 4] as number,
    bytes[at + 5] as number,
    bytes[at + 6] as number,
    bytes[at + 7] as number,
    bytes[at + 8] as number,
    bytes[at + 9] as number,
    bytes[at + 10] as number,
    bytes[at + 11] as number,
    bytes[at + 12] as number,
    bytes[at + 13] as number,
    bytes[at + 14] as number,
    bytes[at + 15] as number,
  );
}

/** Writes a key's bytes. */
export function writeKey(target: Uint8Array, offset: number, key: LedgerKey): void {
  for (let i = 0; i < LEDGER_KEY_BYTES; i++) target[offset + i] = key.charCodeAt(i);
}
