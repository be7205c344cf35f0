// The adapter on node:crypto: the strict profile, and the same verdicts as the core's own implementation.

import { getPublicKey, hashes, Point, sign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import {
  encodingsFromP,
  L,
  littleEndian,
  offCurveEncodings,
  P,
  signatureOf,
  smallOrderEncodings,
  smallOrderPoints,
  toNumber,
} from '../../core/ed25519/encodings.ts';
import { strictProfile } from '../../core/ed25519/profile.ts';
import { hashSpecification } from '../../core/hash/sha.ts';

hashes.sha512 = sha512;

const node = createNodeCrypto();
const portable = createPortableCrypto();

strictProfile('node crypto', node);
hashSpecification('sha256', () => node.sha256());
hashSpecification('sha512', () => node.sha512());

describe('node crypto and portable crypto', () => {
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const edges = [
    ...smallOrderEncodings().canonical,
    ...smallOrderEncodings().other,
    ...encodingsFromP(),
    ...offCurveEncodings(2n, 8),
    ...offCurveEncodings(P - 30n, 8),
    littleEndian(2n ** 255n - 20n),
    littleEndian(P - 2n),
    ...smallOrderPoints().map((point) => Point.BASE.multiply(9n).add(point).toBytes()),
    Point.BASE.toBytes(),
  ];
  const point = fc.oneof(bytes32, fc.constantFrom(...edges));
  const scalar = fc.oneof(
    bytes32,
    fc.constantFrom(0n, 1n, L - 1n, L, L + 1n, 2n * L, 8n * L, 2n ** 253n, 2n ** 256n - 1n).map(littleEndian),
  );

  const agree = (a: Uint8Array, s: Uint8Array, m: Uint8Array): boolean => {
    const verdict = portable.ed25519Verify(a, s, m);
    // Not by way of `expect` each time: there are thousands of these.
    if (node.ed25519Verify(a, s, m) !== verdict) {
      expect.fail(`portable ${verdict}, node not: ${[a, s, m].map((part) => Buffer.from(part).toString('hex'))}`);
    }
    return verdict;
  };

  it('agree on every edge encoding as key, as R, and as both', () => {
    const message = new Uint8Array([1]);
    const base = Point.BASE.toBytes();
    for (const edge of edges) {
      expect(node.ed25519KeyUsable(edge)).toBe(portable.ed25519KeyUsable(edge));
      for (const [a, r] of [
        [edge, base],
        [base, edge],
        [edge, edge],
      ]) {
        agree(a, signatureOf(r, 1n), message);
      }
    }
  });

  it('agree on any key, R and S', () => {
    fc.assert(
      fc.property(point, point, scalar, fc.uint8Array({ maxLength: 40 }), (a, r, s, m) => {
        agree(a, new Uint8Array([...r, ...s]), m);
        expect(node.ed25519KeyUsable(a)).toBe(portable.ed25519KeyUsable(a));
      }),
      { numRuns: 200 },
    );
  });

  it('agree on good signatures and on what changes of them', () => {
    const edit = fc.record({ part: fc.nat(2), bit: fc.nat(511) });
    fc.assert(
      fc.property(bytes32, fc.uint8Array({ minLength: 1, maxLength: 100 }), edit, (secret, m, { part, bit }) => {
        const parts = [getPublicKey(secret), sign(m, secret), m];
        expect(agree(parts[0], parts[1], parts[2])).toBe(true);
        const target = parts[part];
        target[(bit >> 3) % target.length] ^= 1 << (bit & 7);
        expect(agree(parts[0], parts[1], parts[2])).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('agree on sums of a good key or R with every point of small order', () => {
    const m = new Uint8Array([5]);
    const secretScalar = 12345n;
    let accepted = 0;
    for (const t of smallOrderPoints()) {
      for (const u of smallOrderPoints()) {
        const a = Point.BASE.multiply(secretScalar).add(t).toBytes();
        const r = Point.BASE.multiply(6789n).add(u).toBytes();
        const digest = sha512(new Uint8Array([...r, ...a, ...m]));
        const k = (toNumber(digest.subarray(0, 32)) + (toNumber(digest.subarray(32)) << 256n)) % L;
        if (agree(a, signatureOf(r, (6789n + k * secretScalar) % L), m)) accepted++;
      }
    }
    // The one without torsion, and those where it happens to cancel out.
    expect(accepted).toBeGreaterThan(1);
    expect(accepted).toBeLessThan(32);
  });
});

describe('node crypto: the cache of keys', () => {
  it('stays right when more keys come than it keeps', () => {
    const crypto = createNodeCrypto();
    const m = new Uint8Array([1, 2, 3]);
    const secret = new Uint8Array(32).fill(3);
    const a = getPublicKey(secret);
    const s = sign(m, secret);
    expect(crypto.ed25519Verify(a, s, m)).toBe(true);
    for (let n = 0; n < 600; n++) {
      const other = sha512(new Uint8Array([n & 0xff, n >> 8])).slice(0, 32);
      crypto.ed25519KeyUsable(other);
    }
    expect(crypto.ed25519Verify(a, s, m)).toBe(true);
    expect(crypto.ed25519Verify(a, s, m.subarray(1))).toBe(false);
  });
});
