// The key inside a did:key identifier.

import { describe, expect, it } from 'vitest';
import { ed25519FromDidKey } from '../../../core/encoding/did-key.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function base58(bytes: number[]): string {
  let value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (; value > 0n; value /= 58n) text = ALPHABET[Number(value % 58n)] + text;
  return text;
}

const KEY = new Array<number>(32).fill(0).map((_, i) => i * 5 + 1);

describe('ed25519FromDidKey', () => {
  it('reads the Ed25519 example of the did:key specification', () => {
    const key = ed25519FromDidKey('did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK');
    expect(key && Buffer.from(key).toString('hex')).toBe(
      '2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6',
    );
  });

  it('reads any 32 bytes behind 0xed 0x01', () => {
    for (const key of [KEY, new Array<number>(32).fill(0), new Array<number>(32).fill(0xff)]) {
      const did = `did:key:z${base58([0xed, 0x01, ...key])}`;
      expect(did.startsWith('did:key:z6Mk')).toBe(true);
      expect(ed25519FromDidKey(did)).toEqual(new Uint8Array(key));
    }
  });

  it('refuses a fragment, query or path: that is a DID URL', () => {
    const did = `did:key:z${base58([0xed, 0x01, ...KEY])}`;
    for (const tail of [`#${did.slice(8)}`, '#', '?a=b', '/path', ' ', '\n']) {
      expect(ed25519FromDidKey(did + tail)).toBeUndefined();
    }
  });

  it('refuses other key types, lengths, methods and multibases', () => {
    const text = base58([0xed, 0x01, ...KEY]);
    const refused = [
      `did:key:z${base58([0xec, 0x01, ...KEY])}`, // X25519
      `did:key:z${base58([0xe7, 0x01, ...KEY, 0x02])}`, // secp256k1
      `did:key:z${base58([0xed, 0x02, ...KEY])}`,
      `did:key:z${base58([0xed, 0x01, ...KEY.slice(1)])}`,
      `did:key:z${base58([0xed, 0x01, ...KEY, 1])}`,
      `did:key:z1${text}`,
      `did:key:m${Buffer.from([0xed, 0x01, ...KEY]).toString('base64')}`,
      `did:key:${text}`,
      `did:web:z${text}`,
      `DID:key:z${text}`,
      ` did:key:z${text}`,
      'did:key:z',
      'did:key:',
      '',
    ];
    for (const did of refused) expect(ed25519FromDidKey(did), did).toBeUndefined();
  });

  it('refuses a text of any length at once', () => {
    expect(ed25519FromDidKey(`did:key:z${'6'.repeat(1_000_000)}`)).toBeUndefined();
  });
});
