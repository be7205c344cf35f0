// A Policy Authority's answer, {"bundles": […]}: admitted bundle by bundle, one that is refused stops no other.

import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../../core/reason-codes.ts';
import { admitBundle } from '../../../core/trust/admission.ts';
import { bundlePartitionBytes } from '../../../core/trust/bundle-partition.ts';
import type { Admission, SetAdmission } from '../../../core/verifier.ts';
import { bundle, type Changes, entry, inSeconds, NOW } from '../../fixtures/artifacts.ts';
import { crypto, Device } from '../../fixtures/device.ts';
import { otherRoot, PA, pa, root } from '../../fixtures/keys.ts';
import { MemoryFlash } from '../../fixtures/memory-flash.ts';
import { utf8 } from '../../fixtures/text.ts';

const numbered = (n: number, changes: Changes = {}) =>
  bundle({ bundleIssuer: `operator-${n}`, bundleId: `bundle-${n}`, ...changes });
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function answer(...bundles: readonly (Uint8Array | string)[]): Uint8Array {
  return utf8(`{"bundles":[${bundles.map((item) => (typeof item === 'string' ? item : text(item))).join(',')}]}`);
}

/** Takes an answer: in memory, or as it arrives. */
type Take = (device: Device, set: Uint8Array) => SetAdmission;
const WAYS: readonly (readonly [string, Take])[] = [
  ['in memory', (device, set) => device.verifier.admitSet(set)],
  ['as it arrives', (device, set) => device.take(set, 1000)],
  ['as it arrives, cut everywhere', (device, set) => device.take(set, 7)],
];

function bare(): Device {
  return new Device({ bundles: [], bundleFlash: new MemoryFlash({ size: bundlePartitionBytes(4096) }) });
}

/** The code of each admission, or "ok". */
function verdicts(take: Take, device: Device, set: Uint8Array): readonly string[] {
  const result = take(device, set);
  if ('ok' in result) throw new Error(`${result.code} ${result.detail}`);
  return (result as readonly Admission[]).map((admission) => (admission.ok ? 'ok' : admission.code));
}

function held(device: Device): readonly string[] {
  return device.verifier.trust.bundles.map((item) => item.bundleId).sort();
}

it('an answer costs no look at the points of keys before a root has signed for them', () => {
  let looks = 0;
  const ed25519KeyUsable = (key: Uint8Array) => {
    looks++;
    return crypto.ed25519KeyUsable(key);
  };
  const counting = { ...crypto, ed25519KeyUsable };
  const forged = { ...JSON.parse(text(bundle())), signature: Buffer.alloc(64).toString('base64') };
  const context = { crypto: counting, rootKeys: [root], scope: {}, nowMs: NOW, newest: () => undefined };
  expect(admitBundle(utf8(JSON.stringify(forged)), context)).toMatchObject({ ok: false });
  expect(looks).toBe(0);
});

describe.each(WAYS)('%s', (_, take) => {
  describe('attack: an answer that makes the device work', () => {
    it('of 16 bundles is looked at, bundle by bundle', () => {
      expect(verdicts(take, bare(), answer(...Array(16).fill('{}')))).toHaveLength(16);
    });

    it('of more is refused whole: each could cost two signature checks', () => {
      const device = bare();
      for (const count of [17, 1000])
        device.refuses('LIMIT_EXCEEDED', () => take(device, answer(...Array(count).fill('{}'))) as Refusal);
    });
  });

  describe('an answer', () => {
    it('is admitted bundle by bundle', () => {
      const device = bare();
      expect(verdicts(take, device, answer(numbered(1), numbered(2)))).toEqual(['ok', 'ok']);
      expect(held(device)).toEqual(['bundle-1', 'bundle-2']);
    });

    it('may have a member named bundles elsewhere: only its own counts', () => {
      const device = bare();
      const inside = utf8(
        `{"a":{"bundles":[${text(numbered(1))}]},"bundles":[${text(numbered(2, { bundles: ['x'] }))}]}`,
      );
      expect(verdicts(take, device, inside)).toEqual(['ok']);
      expect(held(device)).toEqual(['bundle-2']);
    });

    it('may be empty', () => {
      expect(verdicts(take, bare(), answer())).toEqual([]);
    });

    it('may have white space and other members around its bundles', () => {
      const device = bare();
      const json = `\n{ "etag" : {"a":[1]} , "bundles" : [ ${text(numbered(1))} ,\n ${text(numbered(2))} ] , "next": null } `;
      expect(verdicts(take, device, utf8(json))).toEqual(['ok', 'ok']);
    });

    it('may hold more bundles than a device: the first four are held', () => {
      const device = bare();
      expect(verdicts(take, device, answer(...[1, 2, 3, 4, 5].map((n) => numbered(n))))).toEqual([
        'ok',
        'ok',
        'ok',
        'ok',
        'STORE_FULL',
      ]);
      expect(held(device)).toEqual(['bundle-1', 'bundle-2', 'bundle-3', 'bundle-4']);
    });

    it('has room for four bundles of the largest size', () => {
      const device = bare();
      const largest = (n: number) => {
        const json = text(numbered(n));
        return `{${' '.repeat(32_768 - json.length)}${json.slice(1)}`;
      };
      expect(verdicts(take, device, answer(...[1, 2, 3, 4].map(largest)))).toEqual(['ok', 'ok', 'ok', 'ok']);
    });
  });

  describe('a bundle that is refused stops no other', () => {
    it.each<[string, Uint8Array | string, string]>([
      ['signed by another root', bundle({ bundleIssuer: 'x' }, otherRoot), 'KEY_NOT_FOUND'],
      ['expired', numbered(9, { expiresAt: inSeconds(-1) }), 'ARTIFACT_EXPIRED'],
      ['of another version', numbered(9, { version: '2.0' }), 'VERSION_UNSUPPORTED'],
      ['that is no bundle', '{"a":1}', 'ARTIFACT_INVALID'],
      ['that is no object', '1', 'ARTIFACT_INVALID'],
      ['that is null', 'null', 'ARTIFACT_INVALID'],
      [
        'with 161 issuers',
        numbered(9, { issuers: Array.from({ length: 161 }, (_, i) => entry(`i${i}`)) }),
        'LIMIT_EXCEEDED',
      ],
      ['of more than 32 KB', `{${' '.repeat(32_768)}${text(numbered(9)).slice(1)}`, 'LIMIT_EXCEEDED'],
      ['with more values than a bundle may have', `[${Array(9000).fill('0').join(',')}]`, 'LIMIT_EXCEEDED'],
      ['nested too deep', `${'['.repeat(17)}${']'.repeat(17)}`, 'LIMIT_EXCEEDED'],
      ['with a string that is too long', `{"a":"${'x'.repeat(1025)}"}`, 'LIMIT_EXCEEDED'],
      ['with a member twice', '{"a":1,"a":1}', 'ARTIFACT_INVALID'],
      ['with a number beyond the double range', '{"a":1e999}', 'ARTIFACT_INVALID'],
      ['with a lone surrogate', '{"a":"\\ud800"}', 'ARTIFACT_INVALID'],
    ])('one %s', (_, bad, code) => {
      const device = bare();
      expect(verdicts(take, device, answer(numbered(1), bad, numbered(2)))).toEqual(['ok', code, 'ok']);
      expect(held(device)).toEqual(['bundle-1', 'bundle-2']);
    });

    it('one older than what the device has', () => {
      const device = bare();
      expect(verdicts(take, device, answer(numbered(1)))).toEqual(['ok']);
      expect(verdicts(take, device, answer(numbered(1, { issuedAt: inSeconds(-9999) }), numbered(2)))).toEqual([
        'BUNDLE_ROLLBACK',
        'ok',
      ]);
    });

    it('one older than another of the same answer', () => {
      const device = bare();
      const older = numbered(1, { issuedAt: inSeconds(-9999), issuers: [entry(PA, pa)] });
      expect(verdicts(take, device, answer(numbered(1), older))).toEqual(['ok', 'BUNDLE_ROLLBACK']);
    });
  });

  describe('what is no answer is refused whole, and nothing changes', () => {
    it.each<[string, Uint8Array, Refusal['code']]>([
      ['nothing', new Uint8Array(0), 'ARTIFACT_INVALID'],
      ['text that is not JSON', utf8('<html>'), 'ARTIFACT_INVALID'],
      ['a list', utf8('[]'), 'ARTIFACT_INVALID'],
      ['an object without bundles', utf8('{}'), 'ARTIFACT_INVALID'],
      ['bundles that are no list', utf8('{"bundles":{}}'), 'ARTIFACT_INVALID'],
      ['bundles that are null', utf8('{"bundles":null}'), 'ARTIFACT_INVALID'],
      ['bundles twice', utf8(`{"bundles":[${text(numbered(1))}],"bundles":[]}`), 'ARTIFACT_INVALID'],
      ['an answer cut short', answer(numbered(1), numbered(2)).slice(0, -2), 'ARTIFACT_INVALID'],
      ['text after it', utf8(`${text(answer(numbered(1)))}x`), 'ARTIFACT_INVALID'],
      [
        'more bytes than four bundles have',
        utf8(text(answer(numbered(1))).padEnd(4 * 32_768 + 1025, ' ')),
        'LIMIT_EXCEEDED',
      ],
      ['a bare bundle', numbered(1), 'ARTIFACT_INVALID'],
    ])('%s', (_, bytes, code) => {
      const device = bare();
      device.refuses(code, () => take(device, bytes) as Refusal);
    });
  });
});
