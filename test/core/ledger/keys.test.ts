// Names in the ledger: two names never share a key, and one name has one key on every engine.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyText, LEDGER_KEY_BYTES, type LedgerKind, ledgerKey, writeKey } from '../../../core/ledger/keys.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { crypto } from '../../fixtures/device.ts';

const none = new Uint8Array(0);
const one = new Uint8Array(32).fill(1);
const two = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);

describe('a ledger key', () => {
  it('is 16 bytes, one character each', () => {
    const key = ledgerKey(crypto, 'grant', none, 'g');
    expect(key).toHaveLength(LEDGER_KEY_BYTES);
    expect([...key].every((character) => character.charCodeAt(0) < 256)).toBe(true);
  });

  it('differs by kind, by signer and by name', () => {
    const kinds: LedgerKind[] = ['grant', 'budget', 'decision', 'idempotency', 'content', 'bundle'];
    const keys = kinds.flatMap((kind) =>
      [one, two].flatMap((signer) => ['a', 'b', ''].map((name) => ledgerKey(crypto, kind, signer, name))),
    );
    expect(new Set(keys).size).toBe(kinds.length * 6);
  });

  it('does not run kind, signer and name together', () => {
    expect(ledgerKey(crypto, 'grant', none, 'budget:x')).not.toBe(ledgerKey(crypto, 'budget', none, 'x'));
    expect(ledgerKey(crypto, 'budget', one, 'x')).not.toBe(ledgerKey(crypto, 'budget', two, 'x'));
    expect(ledgerKey(crypto, 'budget', Uint8Array.from([...one.subarray(0, 31), 0x61]), 'b')).not.toBe(
      ledgerKey(crypto, 'budget', one, 'ab'),
    );
  });

  it('is the same with the core’s own hash', () => {
    for (const signer of [none, one, two]) {
      for (const name of ['', 'a', 'é\u{1f600}', 'x'.repeat(1000)]) {
        expect(ledgerKey(createPortableCrypto(), 'budget', signer, name)).toBe(
          ledgerKey(crypto, 'budget', signer, name),
        );
      }
    }
  });

  it('goes by text: two names that look alike are two names', () => {
    expect(ledgerKey(crypto, 'grant', none, '\u00e9')).not.toBe(ledgerKey(crypto, 'grant', none, 'e\u0301'));
  });

  it('is a beginning of SHA-256', () => {
    const digest = createHash('sha256').update('grant:g').digest();
    expect(ledgerKey(crypto, 'grant', none, 'g')).toBe(keyText(digest));
  });

  it('is written as its bytes', () => {
    const bytes = new Uint8Array(20);
    const key = String.fromCharCode(...two.subarray(0, 16));
    writeKey(bytes, 2, key);
    expect(keyText(bytes, 2)).toBe(key);
    expect([bytes[0], bytes[1], bytes[18], bytes[19]]).toEqual([0, 0, 0, 0]);
  });
});
