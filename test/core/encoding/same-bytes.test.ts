// Whether two arrays hold the same bytes.

import { describe, expect, it } from 'vitest';
import { sameBytes } from '../../../core/encoding/same-bytes.ts';

describe('sameBytes', () => {
  it('is true for the same bytes, wherever they lie', () => {
    const bytes = Uint8Array.of(0, 1, 2, 3, 0);
    expect(sameBytes(bytes, Uint8Array.of(9, 0, 1, 2, 3, 0, 9).subarray(1, 6))).toBe(true);
    expect(sameBytes(new Uint8Array(0), bytes.subarray(2, 2))).toBe(true);
  });

  it('is false for another byte, the first or the last', () => {
    const bytes = Uint8Array.of(5, 1, 2, 3, 0);
    expect(sameBytes(bytes, Uint8Array.of(4, 1, 2, 3, 0))).toBe(false);
    expect(sameBytes(bytes, Uint8Array.of(5, 1, 2, 3, 1))).toBe(false);
  });

  it('is false for another length, even where what is more is 0', () => {
    expect(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
    expect(sameBytes(Uint8Array.of(1, 2, 0), Uint8Array.of(1, 2))).toBe(false);
  });
});
