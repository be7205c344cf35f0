// A bundle on flash answers every question as one in memory does, reads for it no more than it must, and says that it cannot
// answer rather than answer wrongly.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTrustBundle, type SignedTrustBundle } from '../../../core/artifacts/trust-bundle.ts';
import { BUNDLE_LIMITS, BUNDLE_WINDOW_BYTES } from '../../../core/limits.ts';
import { type Crypto, FlashError } from '../../../core/ports/ports.ts';
import { MemoryBundle } from '../../../core/trust/held-bundle.ts';
import { publicJwk } from '../../../host-sim/signing/keys.ts';
import { BUNDLE, type Changes, changed, entry, revoked } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { PA, pa, testKey, WALLET, wallet } from '../../fixtures/keys.ts';
import { flashBundle } from '../../fixtures/stored-bundle.ts';
import { jsonBytes, utf8 } from '../../fixtures/text.ts';

const body = (changes: Changes = {}) => changed(BUNDLE, { bundleKeyId: 'root-1', signature: 's', ...changes });

function inMemory(changes: Changes): MemoryBundle {
  return new MemoryBundle((readTrustBundle(body(changes)) as SignedTrustBundle).bundle);
}

/** Hashes of which two bytes are the same for every text: every look-up finds all elements. */
const COLLIDING: Crypto = {
  ...crypto,
  sha256: () => {
    const hash = crypto.sha256();
    return {
      update: (data) => hash.update(data),
      digest: () => {
        const digest = hash.digest();
        digest[0] = 0;
        digest[1] = 0;
        return digest;
      },
    };
  },
};

const KEY = new Uint8Array(Buffer.from(publicJwk(wallet).x as string, 'base64url'));
const NAMES = ['a', 'b', 'a","b', 'é\u{1f600}', PA, WALLET, 'x"\\y', 'n'.repeat(1024)];
const KIDS = ['k1', 'k2', '', 'wallet-1', '\u{1f600}'];

describe('a bundle on flash answers as one in memory', () => {
  const jwk = fc.oneof(
    fc.constantFrom<unknown>(null, 1, 'x', [], {}, { ...publicJwk(pa), d: 'AA' }, { ...publicJwk(pa), d: null }),
    fc.record(
      {
        kty: fc.constantFrom<unknown>('OKP', 'EC', 1, 'K'.repeat(100)),
        crv: fc.constantFrom<unknown>('Ed25519', 'X25519', null),
        kid: fc.constantFrom<unknown>(...KIDS, 1, null),
        x: fc.constantFrom<unknown>(publicJwk(wallet).x, publicJwk(pa).x, 'AAAA', 'A'.repeat(100), 1),
        alg: fc.constantFrom<unknown>('EdDSA', 'RS256', 'E'.repeat(100), null),
        active: fc.constantFrom<unknown>(true, false, null, 'true', 'y'.repeat(100), 0, [], {}),
        other: fc.constantFrom<unknown>(null, [{ kid: 'k1' }], { active: false }),
      },
      { requiredKeys: [] },
    ),
  );
  const changes = fc.record({
    approvedIssuers: fc.array(fc.constantFrom(...NAMES), { maxLength: 6 }),
    revokedGrantIds: fc.array(fc.constantFrom(...NAMES), { maxLength: 6 }),
    issuers: fc.array(fc.record({ issuer: fc.constantFrom(...NAMES), keys: fc.array(jwk, { maxLength: 4 }) }), {
      maxLength: 6,
    }),
  });

  it.each([
    ['', crypto],
    [', with names that all collide', COLLIDING],
  ])('whatever it lists%s', (_, by) => {
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 64 }), (lists, window) => {
        const whole = inMemory(lists as Changes);
        const pieces = flashBundle(jsonBytes(body(lists as Changes)), by, window);
        expect(pieces).toMatchObject({
          bundleId: whole.bundleId,
          identity: whole.identity,
          issuedAtMs: whole.issuedAtMs,
          expiresAtMs: whole.expiresAtMs,
          revokesKeys: whole.revokesKeys,
        });
        expect([pieces.revokesBytes(KEY), pieces.revokesBytes(pa.publicKey)]).toEqual([
          whole.revokesBytes(KEY),
          whole.revokesBytes(pa.publicKey),
        ]);
        for (const name of [...NAMES, 'nobody']) {
          expect([name, pieces.approves(name), pieces.revokesGrant(name)]).toEqual([
            name,
            whole.approves(name),
            whole.revokesGrant(name),
          ]);
          const listed = pieces.entry(name);
          expect(
            listed && {
              ...listed,
              keys: listed.keys.map((key) => ({ kid: key.kid, active: key.active, key: key.key, x: key.x })),
            },
          ).toEqual(whole.entry(name));
          for (const kid of KIDS) {
            const one = pieces.key(name, kid);
            expect(one && { kid: one.kid, active: one.active, key: one.key, x: one.x }).toEqual(whole.key(name, kid));
            const known = whole.key(name, kid);
            if (one && known) expect(pieces.usable(crypto, one)).toBe(whole.usable(crypto, known));
          }
          listed?.keys.forEach((key, i) => {
            const usable = whole.usable(crypto, whole.entry(name)?.keys[i] as typeof key);
            expect([pieces.usable(crypto, key), pieces.usable(crypto, key)]).toEqual([usable, usable]);
          });
          for (const kid of KIDS)
            for (const key of [undefined, KEY, pa.publicKey])
              expect(pieces.revokesKey(name, kid, key)).toBe(whole.revokesKey(name, kid, key));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('finds out once whether a key is a point that may be used', () => {
    let looks = 0;
    const counting = {
      ...crypto,
      ed25519KeyUsable: (key: Uint8Array) => {
        looks++;
        return crypto.ed25519KeyUsable(key);
      },
    };
    const small = { ...publicJwk(pa), kid: 'small', x: Buffer.alloc(32).toString('base64url') };
    const held = flashBundle(jsonBytes(body({ issuers: [entry(PA, pa, small, { kid: 'none' })] })), crypto);
    for (let i = 0; i < 3; i++) {
      const keys = held.entry(PA)?.keys ?? [];
      expect(keys.map((key) => held.usable(counting, key))).toEqual([true, false, false]);
    }
    expect(looks).toBe(2);
  });

  it('finds that out ahead, entry by entry, but for keys that are revoked or have no bytes', () => {
    const looks: Uint8Array[] = [];
    const counting = {
      ...crypto,
      ed25519KeyUsable: (key: Uint8Array) => {
        looks.push(key);
        return crypto.ed25519KeyUsable(key);
      },
    };
    const issuers = [entry(PA, pa, { kid: 'none' }), entry(WALLET, revoked(testKey('r', 9)), wallet)];
    const held = flashBundle(jsonBytes(body({ issuers })), crypto);
    let steps = 1;
    while (held.step(counting)) steps++;
    expect(steps).toBe(2);
    expect(looks).toEqual([pa.publicKey, wallet.publicKey]);
    for (const [issuer, kid] of [
      [PA, pa.kid],
      [WALLET, wallet.kid],
    ] as const) {
      const listed = held.key(issuer, kid);
      expect(listed && held.usable(counting, listed)).toBe(true);
    }
    expect(looks).toHaveLength(2);
    expect(held.step(counting)).toBe(false);
  });

  it('knows no name that has no UTF-8 form', () => {
    const held = flashBundle(jsonBytes(body()), crypto);
    expect([held.approves('\ud800'), held.entry('\ud800'), held.revokesGrant('\ud800')]).toEqual([
      false,
      undefined,
      false,
    ]);
  });
});

describe('a bundle on flash that has changed since it was verified', () => {
  const lists = { revokedGrantIds: ['g1', 'g2'], issuers: [entry(PA, pa), entry(WALLET, revoked(wallet))] };
  const questions = (held: ReturnType<typeof flashBundle>) => [
    () => held.approves(PA),
    () => held.approves('nobody'),
    () => held.revokesGrant('g1'),
    () => held.revokesGrant('g3'),
    () => held.entry(PA)?.keys.map((key) => [key.kid, key.active, key.key, key.x]),
    () => held.entry(WALLET)?.keys.map((key) => [key.kid, key.active, key.key, key.x]),
    () => held.key(PA, pa.kid)?.key,
    () => held.key(WALLET, wallet.kid)?.x,
    () => held.revokesKey(WALLET, wallet.kid, undefined),
    () => held.revokesKey(WALLET, 'other', wallet.publicKey),
    () => held.revokesBytes(wallet.publicKey),
  ];

  it('in a bit of any byte: every question is answered as before, or not at all', () => {
    const bytes = jsonBytes(body(lists));
    const good = questions(flashBundle(bytes.slice(), crypto)).map((ask) => ask());
    let unanswered = 0;
    for (let at = 0; at < bytes.length; at++) {
      const cells = bytes.slice();
      const asked = questions(flashBundle(cells, crypto));
      cells[at] = (cells[at] as number) ^ (1 << (at % 8));
      asked.forEach((ask, i) => {
        let answer: unknown;
        try {
          answer = ask();
        } catch (error) {
          expect(error).toBeInstanceOf(FlashError);
          unanswered++;
          return;
        }
        expect(answer).toEqual(good[i]);
      });
    }
    expect(unanswered).toBeGreaterThan(500);
  });
});

describe('memory', () => {
  it('of 160 issuers, each approved and with one key, is 2400 bytes', () => {
    const names = Array.from({ length: 160 }, (_, i) => `v${i}`);
    const issuers = names.map((name) => ({
      issuer: name,
      keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'k', x: publicJwk(pa).x }],
    }));
    const bytes = jsonBytes(body({ approvedIssuers: names, issuers }));
    expect(bytes.length).toBeLessThan(BUNDLE_LIMITS.bytes);
    expect(flashBundle(bytes, crypto).memoryBytes).toBe(160 * (2 + 2) + 160 * (2 + 2 + 2 + 4 + 1));
  });

  it('of 512 revoked grants is 2048 bytes more, of a revoked key 6', () => {
    const plain = flashBundle(jsonBytes(body()), crypto).memoryBytes;
    const grants = Array.from({ length: 512 }, (_, i) => `g${i}`);
    expect(flashBundle(jsonBytes(body({ revokedGrantIds: grants })), crypto).memoryBytes - plain).toBe(2048);
    const issuers = [...(BUNDLE.issuers as []), entry('r', revoked(testKey('r', 9)))];
    expect(flashBundle(jsonBytes(body({ issuers })), crypto).memoryBytes - plain).toBe(10 + 6);
  });

  it('reads a window at a time, and for a name that is not there nothing', () => {
    const reads: number[] = [];
    const bytes = jsonBytes(body({ note: 'x'.repeat(1000) }));
    const held = flashBundle(bytes, crypto, BUNDLE_WINDOW_BYTES, (target) => reads.push(target.length));
    expect(Math.max(...reads)).toBe(BUNDLE_WINDOW_BYTES);
    reads.length = 0;
    held.approves('nobody');
    held.entry('nobody');
    held.revokesGrant('nobody');
    held.revokesKey('nobody', 'k', pa.publicKey);
    expect(reads).toEqual([]);
    held.approves(PA);
    expect(reads).toHaveLength(1);
  });

  it('text that goes on behind an element is not read as part of it', () => {
    const held = flashBundle(utf8(JSON.stringify(body({ approvedIssuers: ['ab', 'a'] }))), crypto);
    expect([held.approves('a'), held.approves('ab'), held.approves('abc')]).toEqual([true, true, false]);
  });
});
