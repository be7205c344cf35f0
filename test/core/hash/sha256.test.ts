// SHA-256 against its standard and against other implementations.

import { describe, expect, it } from 'vitest';
import { Sha256 } from '../../../core/hash/sha256.ts';
import { hashSpecification } from './sha.ts';

hashSpecification('sha256', () => new Sha256());

describe('SHA-256', () => {
  it('hashes a million "a" (FIPS 180-4 example)', () => {
    const hash = new Sha256();
    hash.update(new Uint8Array(1_000_000).fill(0x61));
    expect(Buffer.from(hash.digest()).toString('hex')).toBe(
      'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
    );
  });
});
