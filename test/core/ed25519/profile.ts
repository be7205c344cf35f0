// The strict profile of INTEROP §3 as tests: every implementation of the Crypto port must pass all of them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getPublicKey, hashes, verify as nobleVerify, Point, sign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Crypto } from '../../../core/ports/ports.ts';
import { thirdParty } from '../../vectors/third-party.ts';
import {
  encodingsFromP,
  L,
  offCurveEncodings,
  P,
  signatureOf,
  smallOrderEncodings,
  smallOrderPoints,
  toNumber,
} from './encodings.ts';

hashes.sha512 = sha512;

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** RFC 8032 §7.1, tests 1 to 3: public key, message, signature. */
const RFC_8032 = [
  [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
];

/** A key pair whose secret scalar is known, which signs with any R and any encoding of the key. */
const SCALAR = 0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefn;

/** k = SHA-512(R ‖ A ‖ M) mod L. */
function challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint {
  const digest = sha512(new Uint8Array([...r, ...a, ...message]));
  return (toNumber(digest.subarray(0, 32)) + (toNumber(digest.subarray(32)) << 256n)) % L;
}

/** A signature for the scalar above, whatever is claimed to be R and A: S = nonce + k·scalar. */
function forge(r: Uint8Array, a: Uint8Array, message: Uint8Array, nonce: bigint): Uint8Array {
  return signatureOf(r, (nonce + challenge(r, a, message) * SCALAR) % L);
}

const message = hex('00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff');
const secret = new Uint8Array(32).fill(7);
const publicKey = getPublicKey(secret);
const signature = sign(message, secret);

/** Registers the tests of one implementation. */
export function strictProfile(name: string, crypto: Crypto): void {
  const verify = (a: Uint8Array, s: Uint8Array, m: Uint8Array = message): boolean => crypto.ed25519Verify(a, s, m);

  describe(`${name}: signatures that are good`, () => {
    it('accepts the examples of RFC 8032 §7.1', () => {
      for (const [a, m, s] of RFC_8032) {
        expect(verify(hex(a), hex(s), hex(m))).toBe(true);
        expect(crypto.ed25519KeyUsable(hex(a))).toBe(true);
      }
    });

    it('accepts a message as a stream, cut anywhere, its memory reused', () => {
      const long = new Uint8Array(700).map((_, i) => i & 0xff);
      const s = sign(long, secret);
      for (const size of [1, 31, 64, 127, 128, 129, 699, 700]) {
        const memory = new Uint8Array(size);
        let runs = 0;
        const verdict = crypto.ed25519Verify(publicKey, s, (sink) => {
          runs++;
          for (let at = 0; at < long.length; at += size) {
            const part = long.subarray(at, at + size);
            memory.set(part);
            sink(memory.subarray(0, part.length));
          }
        });
        expect(verdict).toBe(true);
        expect(runs).toBe(1);
      }
      expect(crypto.ed25519Verify(publicKey, s, (sink) => sink(long.subarray(1)))).toBe(false);
      expect(crypto.ed25519Verify(hex(RFC_8032[0][0]), hex(RFC_8032[0][2]), () => {})).toBe(true);
    });

    it('reads views into larger buffers where they are, and changes nothing', () => {
      const whole = new Uint8Array([9, 9, 9, ...publicKey, ...signature, ...message, 9]);
      const copy = whole.slice();
      expect(verify(whole.subarray(3, 35), whole.subarray(35, 99), whole.subarray(99, 131))).toBe(true);
      expect(verify(Buffer.from(publicKey), Buffer.from(signature), Buffer.from(message))).toBe(true);
      expect(whole).toEqual(copy);
    });

    it('is not confused by a key whose memory is reused', () => {
      const memory = publicKey.slice();
      expect(verify(memory, signature)).toBe(true);
      memory.set(hex(RFC_8032[1][0]));
      expect(verify(memory, signature)).toBe(false);
      expect(verify(memory, hex(RFC_8032[1][2]), hex('72'))).toBe(true);
      memory.set(publicKey);
      expect(verify(memory, signature)).toBe(true);
    });
  });

  describe(`${name}: signatures that are refused`, () => {
    it('refuses wrong lengths without throwing', () => {
      for (const length of [0, 1, 31, 33, 64]) {
        expect(verify(new Uint8Array(length).fill(1), signature)).toBe(false);
        expect(crypto.ed25519KeyUsable(new Uint8Array(length).fill(1))).toBe(false);
      }
      for (const length of [0, 32, 63, 65, 96, 128]) {
        const s = new Uint8Array(length);
        s.set(signature.subarray(0, length));
        expect(verify(publicKey, s)).toBe(false);
      }
    });

    it('S + L, S + 2L … of a good signature: malleability', () => {
      const s = toNumber(signature.subarray(32));
      expect(verify(publicKey, signatureOf(signature.subarray(0, 32), s))).toBe(true);
      for (let more = s + L; more < 2n ** 256n; more += L) {
        expect(verify(publicKey, signatureOf(signature.subarray(0, 32), more))).toBe(false);
      }
    });

    it('L − S, and the negative R or A, with everything else as it was', () => {
      const r = signature.slice(0, 32);
      const s = toNumber(signature.subarray(32));
      const minusR = r.slice();
      minusR[31] ^= 0x80;
      const minusA = publicKey.slice();
      minusA[31] ^= 0x80;
      expect(verify(publicKey, signatureOf(r, L - s))).toBe(false);
      expect(verify(publicKey, signatureOf(minusR, s))).toBe(false);
      expect(verify(publicKey, signatureOf(minusR, L - s))).toBe(false);
      expect(verify(minusA, signatureOf(r, s))).toBe(false);
    });

    it('all bytes zero, or all ones', () => {
      for (const fill of [0, 0xff]) {
        expect(verify(new Uint8Array(32).fill(fill), new Uint8Array(64).fill(fill))).toBe(false);
        expect(verify(publicKey, new Uint8Array(64).fill(fill))).toBe(false);
        expect(verify(new Uint8Array(32).fill(fill), signature)).toBe(false);
      }
    });

    it('a key of small order, in any encoding: one signature would do for many messages', () => {
      const { canonical, other } = smallOrderEncodings();
      expect(canonical).toHaveLength(8);
      let accepted = 0;
      for (const a of [...canonical, ...other]) {
        expect(crypto.ed25519KeyUsable(a)).toBe(false);
        // S = nonce and R = [nonce]B satisfy the equation where [k]A is neutral: with order 8, for one message in eight.
        for (let nonce = 1n; nonce <= 8n; nonce++) {
          const r = Point.BASE.multiply(nonce).toBytes();
          if (verify(a, signatureOf(r, nonce))) accepted++;
        }
      }
      expect(accepted).toBe(0);
    });

    it('an R of small order, in any encoding', () => {
      const a = Point.BASE.multiply(SCALAR % L).toBytes();
      const { canonical, other } = smallOrderEncodings();
      // With R neutral and S = k·scalar the equation holds; the others hold but for the cofactor.
      for (const r of [...canonical, ...other]) expect(verify(a, forge(r, a, message, 0n))).toBe(false);
    });

    it('a key that is not canonical, though a point has that y modulo p', () => {
      for (const a of encodingsFromP()) {
        expect(crypto.ed25519KeyUsable(a)).toBe(false);
        expect(verify(a, signature)).toBe(false);
        expect(verify(a, forge(Point.BASE.toBytes(), a, message, 1n))).toBe(false);
      }
    });

    it('an R that is not canonical', () => {
      const a = Point.BASE.multiply(SCALAR % L).toBytes();
      for (const r of encodingsFromP()) expect(verify(a, forge(r, a, message, 0n))).toBe(false);
    });

    it('a key that is no point of the curve', () => {
      const starts = [2n, 2n ** 254n, P - 40n, toNumber(publicKey) & (2n ** 255n - 1n)];
      for (const a of starts.flatMap((start) => offCurveEncodings(start, 8))) {
        expect(crypto.ed25519KeyUsable(a)).toBe(false);
        expect(verify(a, signature)).toBe(false);
        // Twice: an implementation may remember keys.
        expect(verify(a, signature)).toBe(false);
        expect(crypto.ed25519KeyUsable(a)).toBe(false);
      }
    });

    it('an R that is no point of the curve', () => {
      for (const r of offCurveEncodings(2n, 8)) {
        expect(verify(publicKey, signatureOf(r, toNumber(signature.subarray(32))))).toBe(false);
      }
    });

    it('every signature with one bit changed, in R, in S, in the key or in the message', () => {
      for (let bit = 0; bit < 512; bit += 7) {
        const s = signature.slice();
        s[bit >> 3] ^= 1 << (bit & 7);
        expect(verify(publicKey, s)).toBe(false);
      }
      for (let bit = 0; bit < 256; bit += 13) {
        const a = publicKey.slice();
        a[bit >> 3] ^= 1 << (bit & 7);
        expect(verify(a, signature)).toBe(false);
        const m = message.slice();
        m[bit >> 3] ^= 1 << (bit & 7);
        expect(verify(publicKey, signature, m)).toBe(false);
      }
    });

    it('does not run the stream where the bytes alone are refused', () => {
      const stream = (): void => {
        throw new Error('was run');
      };
      expect(crypto.ed25519Verify(new Uint8Array(32), signature, stream)).toBe(false);
      expect(crypto.ed25519Verify(publicKey, signature.subarray(1), stream)).toBe(false);
      expect(crypto.ed25519Verify(publicKey, signatureOf(signature.subarray(0, 32), L), stream)).toBe(false);
      // What a stream throws (a flash that cannot be read) is for its owner to handle.
      expect(() => crypto.ed25519Verify(publicKey, signature, stream)).toThrow('was run');
    });
  });

  describe(`${name}: the equation without the cofactor`, () => {
    it('with a torsion point in the key, holds just where [k]T is neutral', () => {
      const t = smallOrderPoints()[0];
      const a = Point.BASE.multiply(SCALAR % L)
        .add(t)
        .toBytes();
      expect(crypto.ed25519KeyUsable(a)).toBe(true);
      let accepted = 0;
      for (let nonce = 1n; nonce <= 40n; nonce++) {
        const r = Point.BASE.multiply(nonce).toBytes();
        const holds = challenge(r, a, message) % 8n === 0n;
        if (holds) accepted++;
        expect(verify(a, forge(r, a, message, nonce))).toBe(holds);
      }
      expect(accepted).toBeGreaterThan(0);
    });

    it('with torsion points in both, holds just where they cancel out', () => {
      const torsion = smallOrderPoints();
      const a = Point.BASE.multiply(SCALAR % L)
        .add(torsion[0])
        .toBytes();
      let accepted = 0;
      for (let nonce = 1n; nonce <= 24n; nonce++) {
        // R = [nonce]B + [j]T: S·B − k·A = R − (k + j)·T.
        const j = Number(nonce % 8n) + 1;
        const r = Point.BASE.multiply(nonce)
          .add(torsion[j - 1])
          .toBytes();
        const holds = (challenge(r, a, message) + BigInt(j)) % 8n === 0n;
        if (holds) accepted++;
        expect(verify(a, forge(r, a, message, nonce))).toBe(holds);
      }
      expect(accepted).toBeGreaterThan(0);
    });

    it('with a torsion point in R alone, never holds', () => {
      const a = Point.BASE.multiply(SCALAR % L).toBytes();
      smallOrderPoints().forEach((t, i) => {
        const r = Point.BASE.multiply(5n).add(t).toBytes();
        expect(verify(a, forge(r, a, message, 5n))).toBe(i === 7);
      });
    });
  });

  describe(`${name}: agreement with @noble/ed25519 in its strict mode`, () => {
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

    it('on good signatures', () => {
      fc.assert(
        fc.property(bytes32, fc.uint8Array({ maxLength: 200 }), (secret, m) => {
          const a = getPublicKey(secret);
          expect(crypto.ed25519KeyUsable(a)).toBe(true);
          expect(verify(a, sign(m, secret), m)).toBe(true);
        }),
        { numRuns: 25 },
      );
    });

    it('on changed signatures, keys and messages', () => {
      const part = fc.constantFrom('key', 'R', 'S', 'message');
      const change = fc.oneof(fc.nat(255), fc.uint8Array({ minLength: 32, maxLength: 32 }));
      fc.assert(
        fc.property(part, change, (part, change) => {
          const a = publicKey.slice();
          const s = signature.slice();
          const m = message.slice();
          const target =
            part === 'key' ? a : part === 'message' ? m : part === 'R' ? s.subarray(0, 32) : s.subarray(32);
          if (typeof change === 'number') target[change >> 3] ^= 1 << (change & 7);
          else target.set(change);
          expect(verify(a, s, m)).toBe(nobleVerify(s, m, a, { zip215: false }));
        }),
        { numRuns: 60 },
      );
    });

    it('on which keys are points', () => {
      fc.assert(
        fc.property(bytes32, (a) => {
          let point = true;
          try {
            Point.fromBytes(a, false);
          } catch {
            point = false;
          }
          expect(crypto.ed25519KeyUsable(a)).toBe(point);
        }),
        { numRuns: 100 },
      );
    });
  });

  const wycheproof = thirdParty('wycheproof');
  describe.skipIf(wycheproof === undefined)(`${name}: Wycheproof (needs third-party/wycheproof)`, () => {
    it('agrees with every verdict of ed25519_test.json', () => {
      const file = JSON.parse(readFileSync(join(wycheproof ?? '', 'ed25519_test.json'), 'utf8')) as {
        numberOfTests: number;
        testGroups: {
          publicKey: { pk: string };
          tests: { tcId: number; msg: string; sig: string; result: string }[];
        }[];
      };
      const wrong: number[] = [];
      let count = 0;
      for (const group of file.testGroups) {
        for (const test of group.tests) {
          count++;
          const verdict = verify(hex(group.publicKey.pk), hex(test.sig), hex(test.msg));
          if (verdict !== (test.result === 'valid')) wrong.push(test.tcId);
        }
      }
      expect(wrong).toEqual([]);
      expect(count).toBe(151);
      expect(count).toBe(file.numberOfTests);
    });
  });

  const speccheck = thirdParty('ed25519-speccheck');
  describe.skipIf(speccheck === undefined)(`${name}: ed25519-speccheck (needs third-party/ed25519-speccheck)`, () => {
    it('accepts case 3 of 0 … 11 and no other, as libsodium does', () => {
      const cases = JSON.parse(readFileSync(join(speccheck ?? '', 'cases.json'), 'utf8')) as {
        message: string;
        pub_key: string;
        signature: string;
      }[];
      const verdicts = cases.map((test) => verify(hex(test.pub_key), hex(test.signature), hex(test.message)));
      expect(verdicts).toEqual(cases.map((_, i) => i === 3));
      expect(cases).toHaveLength(12);
    });
  });
}
