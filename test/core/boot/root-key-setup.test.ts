// A root key that is fetched once: shown to somebody before it is trusted, and never fetched where there is one.

import { describe, expect, it } from 'vitest';
import {
  keyFingerprint,
  RootKeySetup,
  type RootKeySetupParts,
  type RootKeyStep,
} from '../../../core/boot/root-key-setup.ts';
import { PUBLISHED_KEYS_LIMITS, ROOT_KEY_CONFIRM_MS, ROOT_KEY_TRIES, ROOT_KEYS_SHOWN } from '../../../core/limits.ts';
import type { LogEvent } from '../../../core/ports/ports.ts';
import type { RootKey } from '../../../core/trust/configuration.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';

const crypto = createNodeCrypto();
/** RFC 8032 §7.1, tests 1 to 3. */
const KEYS = [
  'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));
const [FIRST, SECOND, THIRD] = KEYS as [Uint8Array, Uint8Array, Uint8Array];

function jwk(key: Uint8Array, kid?: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const x = Buffer.from(key).toString('base64url');
  return { kty: 'OKP', crv: 'Ed25519', x, ...(kid === undefined ? {} : { kid }), ...more };
}

class Bench {
  readonly kept: RootKey[] = [];
  readonly events: LogEvent[] = [];
  readonly setup: RootKeySetup;
  nowMs = 1000;
  keeperProblem: string | undefined;

  constructor(changes: Partial<RootKeySetupParts> = {}) {
    const keep = (key: RootKey): string | undefined => {
      if (this.keeperProblem === undefined) this.kept.push(key);
      return this.keeperProblem;
    };
    const log = { emit: (event: LogEvent) => void this.events.push(event) };
    this.setup = new RootKeySetup({ crypto, keeper: { keep }, mayFetch: true, rootKeys: 0, log, ...changes });
  }

  next(): RootKeyStep {
    return this.setup.next(this.nowMs);
  }

  /** Answers with keys. @returns why nothing is shown */
  answer(keys: readonly unknown[], status = 200, type?: string): string | undefined {
    return this.answerText(JSON.stringify({ version: '1.0', keys }), status, type);
  }

  answerText(text: string, status = 200, type?: string): string | undefined {
    const header = (name: string) => (name === 'content-type' ? type : undefined);
    return this.setup.answered(this.nowMs, status, header, Buffer.from(text));
  }

  confirm(fingerprint: string): string | undefined {
    return this.setup.confirm(this.nowMs, fingerprint);
  }
}

const print = (key: Uint8Array): string => keyFingerprint(crypto, key);

describe('a fingerprint', () => {
  it('is the base64url of the SHA-256 of the key, in groups of four', () => {
    const hash = crypto.sha256();
    hash.update(FIRST);
    const text = Buffer.from(hash.digest()).toString('base64url');
    expect(
      print(FIRST)
        .split(' ')
        .map((group) => group.length),
    ).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3]);
    expect(print(FIRST).replaceAll(' ', '')).toBe(text);
    expect(print(FIRST)).toBe('If4x 36FU omFi a_hU BG_S Jxt7 7Utq vkWq WId- 9H-X Ibk');
    expect(print(SECOND)).not.toBe(print(FIRST));
  });
});

describe('a device that may fetch a root key', () => {
  it('asks for what the authority publishes, shows it, and keeps what is confirmed', () => {
    const bench = new Bench();
    expect(bench.next()).toMatchObject({
      kind: 'fetch',
      order: { path: '/.well-known/mpcp-keys.json', maxBytes: PUBLISHED_KEYS_LIMITS.bytes },
    });
    expect(bench.answer([jwk(FIRST, 'root-1')], 200, 'application/json; charset=utf-8')).toBeUndefined();
    expect(bench.next()).toEqual({ kind: 'confirm', keys: [{ kid: 'root-1', fingerprint: print(FIRST) }] });
    expect(bench.kept).toEqual([]);
    expect(bench.confirm(print(FIRST))).toBeUndefined();
    expect(bench.kept).toMatchObject([{ kid: 'root-1' }]);
    expect([...(bench.kept[0]?.publicKey ?? [])]).toEqual([...FIRST]);
    expect(bench.next()).toEqual({ kind: 'done' });
  });

  it('keeps the one of several that is confirmed, however it is typed', () => {
    const bench = new Bench();
    bench.answer([jwk(FIRST, 'a'), jwk(SECOND, 'b'), jwk(THIRD, 'c')]);
    expect(bench.confirm(` ${print(SECOND).replaceAll(' ', '')} `)).toBeUndefined();
    expect(bench.kept).toMatchObject([{ kid: 'b' }]);
  });

  it('passes over keys of other kinds, and those that are not active', () => {
    const bench = new Bench();
    const p256 = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'p' };
    const weak = new Uint8Array(32);
    weak[0] = 1;
    const keys = [p256, jwk(FIRST, 'old', { active: false }), jwk(weak, 'weak'), 7, jwk(SECOND, 'root')];
    expect(bench.answer(keys)).toBeUndefined();
    expect(bench.next()).toMatchObject({ keys: [{ kid: 'root' }] });
  });

  it('takes as many keys as it can show, with all that a JWK may state', () => {
    const bench = new Bench();
    const more = {
      use: 'sig',
      alg: 'EdDSA',
      active: true,
      key_ops: ['verify'],
      nbf: 1_780_000_000,
      exp: 1_790_000_000,
    };
    const keys = Array.from({ length: ROOT_KEYS_SHOWN }, (_, i) =>
      jwk(FIRST, `root-key-of-the-year-${2026 + i}`, more),
    );
    expect(bench.answer(keys)).toBeUndefined();
    expect(bench.next()).toMatchObject({ kind: 'confirm', keys: { length: ROOT_KEYS_SHOWN } });
  });

  it('says which limit an answer passes that it does not read', () => {
    const bench = new Bench();
    const { values, stringBytes } = PUBLISHED_KEYS_LIMITS;
    expect(
      bench.answerText(
        `{"keys":[],"x":{"y":[${'0,'.repeat(40)}0],"z":[${'0,'.repeat(63)}0],"a":[${'0,'.repeat(63)}0],"b":[${'0,'.repeat(63)}0],"c":[${'0,'.repeat(63)}0]}}`,
      ),
    ).toMatch(new RegExp(`^the answer cannot be read: .*${values}`));
    expect(bench.answerText(`{"keys":[{"x":"${'y'.repeat(stringBytes + 1)}"}]}`)).toContain(`${stringBytes}`);
  });

  it('goes on where the keeper fails: nothing is kept, and it can be confirmed again', () => {
    const bench = new Bench();
    bench.answer([jwk(FIRST, 'root')]);
    bench.keeperProblem = 'the flash is read-only';
    expect(bench.confirm(print(FIRST))).toContain('the flash is read-only');
    expect(bench.next()).toMatchObject({ kind: 'confirm' });
    bench.keeperProblem = undefined;
    expect(bench.confirm(print(FIRST))).toBeUndefined();
  });
});

describe('nothing is shown of', () => {
  it.each<[string, readonly unknown[], string]>([
    ['no keys', [], 'no key that can be used'],
    ['a key that is none', [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'a' }], 'no key that can be used'],
    ['a private key beside a good one', [jwk(FIRST, 'a'), jwk(SECOND, 'b', { d: 'x' })], 'a private key'],
    ['a symmetric one', [jwk(FIRST, 'a'), { kty: 'oct', k: 'AA' }], 'a private key'],
    ['a key without a kid', [jwk(FIRST)], 'no kid'],
    ['a kid that begins the line anew', [jwk(FIRST, '\rIf4x 36FU')], 'a kid has blanks'],
    ['a kid that moves the cursor', [jwk(FIRST, '\u001b[1A')], 'a kid has blanks'],
    ['a kid that looks like a fingerprint', [jwk(FIRST, 'If4x 36FU omFi a_hU')], 'a kid has blanks'],
    ['a kid of letters that look alike', [jwk(FIRST, 'r\u043e\u043et')], 'a kid has blanks'],
    ['a kid that fits no display', [jwk(FIRST, 'k'.repeat(65))], 'a kid has more than 64 characters'],
    ['two keys of one kid', [jwk(FIRST, 'a'), jwk(SECOND, 'a')], 'two keys have one kid'],
    ['too many', Array.from({ length: ROOT_KEYS_SHOWN + 1 }, (_, i) => jwk(FIRST, `k${i}`)), 'more than 8 keys'],
  ])('%s', (_, keys, problem) => {
    const bench = new Bench();
    expect(bench.answer(keys)).toContain(problem);
    expect(bench.next()).toMatchObject({ kind: 'fetch' });
  });

  it.each([
    ['a page', '<html>', 200, 'text/html'],
    ['a page that calls itself JSON', '<html>', 200, 'application/json'],
    ['nothing', '', 200, undefined],
    ['a list', '[]', 200, undefined],
    ['keys that are no list', '{"keys":{}}', 200, undefined],
    ['a redirect', '{"keys":[]}', 302, undefined],
    ['an error', '{"keys":[]}', 404, undefined],
    ['too much', `{"keys":[],"x":"${'y'.repeat(5000)}"}`, 200, undefined],
  ])('%s', (_, text, status, type) => {
    const bench = new Bench();
    expect(bench.answerText(text, status, type)).toBeTypeOf('string');
    expect(bench.next()).toMatchObject({ kind: 'fetch' });
  });
});

describe('an attacker', () => {
  it('cannot exchange what is being shown by another answer', () => {
    const bench = new Bench();
    bench.answer([jwk(FIRST, 'root')]);
    expect(bench.answer([jwk(SECOND, 'root')])).toBe('no root key was asked for');
    expect(bench.confirm(print(SECOND))).toContain('no key that was shown');
    expect(bench.confirm(print(FIRST))).toBeUndefined();
  });

  it('cannot have a device that has a root key, or was not meant to, fetch one', () => {
    for (const changes of [{ rootKeys: 1 }, { mayFetch: false }]) {
      const bench = new Bench(changes);
      expect(bench.next()).toMatchObject({ kind: 'refused' });
      expect(bench.answer([jwk(FIRST, 'root')])).toBe('no root key was asked for');
      expect(bench.confirm(print(FIRST))).toBe('no root key waits to be confirmed');
      expect(bench.kept).toEqual([]);
    }
  });

  it('cannot have a second one kept', () => {
    const bench = new Bench();
    bench.answer([jwk(FIRST, 'root'), jwk(SECOND, 'other')]);
    bench.confirm(print(FIRST));
    expect(bench.confirm(print(SECOND))).toBe('no root key waits to be confirmed');
    expect(bench.answer([jwk(SECOND, 'other')])).toBe('no root key was asked for');
    expect(bench.kept).toHaveLength(1);
  });

  it('cannot try fingerprints without end, nor a part of one', () => {
    const bench = new Bench();
    bench.answer([jwk(FIRST, 'root')]);
    for (const wrong of ['', print(FIRST).slice(0, 20), print(SECOND)].slice(0, ROOT_KEY_TRIES))
      expect(bench.confirm(wrong)).toContain('no key that was shown');
    expect(bench.confirm(print(FIRST))).toBe('no root key waits to be confirmed');
    expect(bench.next()).toMatchObject({ kind: 'fetch' });
  });

  it('cannot leave a key behind for somebody who confirms hours later', () => {
    const bench = new Bench();
    bench.answer([jwk(FIRST, 'root')]);
    bench.nowMs += ROOT_KEY_CONFIRM_MS;
    expect(bench.confirm(print(FIRST))).toBe('no root key waits to be confirmed');
    expect(bench.kept).toEqual([]);
  });

  it('is declined by whoever compares', () => {
    const bench = new Bench();
    bench.answer([jwk(FIRST, 'root')]);
    bench.setup.decline();
    expect(bench.confirm(print(FIRST))).toBe('no root key waits to be confirmed');
    expect(bench.next()).toMatchObject({ kind: 'fetch' });
    expect(bench.events.map(({ event }) => event)).toEqual(['rootKey.shown', 'rootKey.declined']);
  });
});
