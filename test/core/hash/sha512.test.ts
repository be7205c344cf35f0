// SHA-512 against its standard and against other implementations.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Sha512 } from '../../../core/hash/sha512.ts';
import { hashSpecification } from './sha.ts';

hashSpecification('sha512', () => new Sha512());

describe('SHA-512', () => {
  it('hashes a longer message', () => {
    const bytes = new Uint8Array(10_000).map((_, i) => (i * i) & 0xff);
    const hash = new Sha512();
    hash.update(bytes);
    expect(hash.digest()).toEqual(new Uint8Array(createHash('sha512').update(bytes).digest()));
  });
});
