// A bundle read from where it is stored gets the verdict of one read whole: the same code by the same check, whatever is
// wrong with it and however much of it is read at a time.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BundleFacts, TrustBundle } from '../../../core/artifacts/trust-bundle.ts';
import { domainMessage } from '../../../core/hash/domains.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import { FlashError } from '../../../core/ports/ports.ts';
import type { Refusal } from '../../../core/reason-codes.ts';
import { type AdmissionContext, admitBundle } from '../../../core/trust/admission.ts';
import { admitStream } from '../../../core/trust/streamed-bundle.ts';
import { sign } from '../../../host-sim/signing/keys.ts';
import { BUNDLE, bundle, changed, entry, inSeconds, NOW, revoked } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { otherRoot, PA, pa, root, testKey, WALLET, wallet } from '../../fixtures/keys.ts';
import { readerOf } from '../../fixtures/stored-bundle.ts';
import { bytesOf, utf8 } from '../../fixtures/text.ts';

const CONTEXT: AdmissionContext = { crypto, rootKeys: [root], scope: {}, nowMs: NOW, newest: () => undefined };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** What reading whole says, and what reading in pieces says. */
function verdicts(bytes: Uint8Array, context: AdmissionContext, window: number): readonly [unknown, unknown] {
  const whole = admitBundle(bytes, context);
  const { reader, start, end } = readerOf(bytes, context.crypto, window);
  const pieces = admitStream(reader, start, end, context);
  const said = (result: Refusal | { facts: BundleFacts; newest: unknown }) =>
    'ok' in result ? `${result.code} ${result.check}` : result;
  return [said('ok' in whole ? whole : { facts: factsOf(whole.bundle), newest: whole.newest }), said(plain(pieces))];
}

function plain(pieces: ReturnType<typeof admitStream>): Refusal | { facts: BundleFacts; newest: unknown } {
  return 'ok' in pieces ? pieces : { facts: pieces.facts, newest: pieces.newest };
}

function factsOf({ approvedIssuers: _, issuers: __, revokedGrantIds: ___, ...facts }: TrustBundle): BundleFacts {
  return facts;
}

function same(
  bytes: Uint8Array,
  context: AdmissionContext = CONTEXT,
  windows: readonly number[] = [1, 16, 64],
): unknown {
  let verdict: unknown;
  for (const window of windows) {
    const [whole, pieces] = verdicts(bytes, context, window);
    expect(pieces).toEqual(whole);
    verdict = whole;
  }
  return verdict;
}

/** Bundle JSON text, as signed or changed after it. */
const GOOD = text(bundle({ category: 'ev', geography: { region: 'EU', x: [1] }, revokedGrantIds: ['g1', 'g2'] }));

describe('the verdict on a bundle in pieces is that on the whole', () => {
  it('for every bundle of the published vectors', () => {
    const published = (name: string) => JSON.parse(readFileSync(`test/vectors/interop/${name}.json`, 'utf8'));
    const bundles: Record<string, JsonObject> = published('bundles').bundles;
    const keys: Record<string, { kid: string; jwk: { x?: string } }> = published('keys').keys;
    const rootOf = (name: string) => new Uint8Array(Buffer.from(keys[name]?.jwk.x ?? '', 'base64url'));
    let admitted = 0;
    for (const json of Object.values(bundles)) {
      for (const publicKey of [rootOf('root'), rootOf('root2')]) {
        for (const source of ['network', 'store'] as const) {
          const context = { ...CONTEXT, rootKeys: [{ kid: undefined, publicKey }], nowMs: 1767960000000, source };
          if (typeof same(utf8(JSON.stringify(json)), context) !== 'string') admitted++;
        }
      }
    }
    expect(admitted).toBeGreaterThan(10);
  });

  it.each<[string, string | Uint8Array]>([
    ['a good one', GOOD],
    ['nothing', ''],
    ['no JSON', 'bundle'],
    ['text after it', `${GOOD} x`],
    ['white space around it', ` \n${GOOD}\t `],
    ['a byte-order mark', bytesOf(0xef, 0xbb, 0xbf, ...utf8(GOOD))],
    ['bytes that are no UTF-8', bytesOf(...utf8(GOOD.slice(0, 20)), 0xff, ...utf8(GOOD.slice(20)))],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '1'],
    ['an empty object', '{}'],
    ['a member twice', GOOD.replace('{', '{"version":"1.0",')],
    ['a member twice, once escaped', GOOD.replace('{', '{"\\u0076ersion":"1.0",')],
    ['an unknown member twice', GOOD.replace('{', '{"odd":1,"odd":2,')],
    ['a member twice in a key', GOOD.replace('"kty":', '"kty":"OKP","kty":')],
    ['a member twice in an entry', GOOD.replace('"keys":', '"keys":[],"keys":')],
    ['a null member that was not signed', GOOD.replace('{', '{"note":null,')],
    ['a null member with a lone surrogate', GOOD.replace('{', '{"\\ud800":null,')],
    ['a member that was not signed', GOOD.replace('{', '{"note":1,')],
    ['a lone surrogate', GOOD.replace('{', '{"note":"\\ud800",')],
    ['a number beyond the double range', GOOD.replace('{', '{"note":1e999,')],
    ['depth 16', `${GOOD.slice(0, -1)},"deep":${'['.repeat(15)}${']'.repeat(15)}}`],
    ['depth 17', `${GOOD.slice(0, -1)},"deep":${'['.repeat(16)}${']'.repeat(16)}}`],
    ['64 members', `${GOOD.slice(0, -1)}${extra(64 - memberCount(GOOD))}}`],
    ['65 members', `${GOOD.slice(0, -1)}${extra(65 - memberCount(GOOD))}}`],
    ['a string of 1024 bytes', `${GOOD.slice(0, -1)},"long":"${'x'.repeat(1024)}"}`],
    ['a string of 1025 bytes', `${GOOD.slice(0, -1)},"long":"${'x'.repeat(1025)}"}`],
    ['32 KB', GOOD.replace('{', `{${' '.repeat(32_768 - utf8(GOOD).length)}`)],
    ['a byte more', GOOD.replace('{', `{${' '.repeat(32_769 - utf8(GOOD).length)}`)],
    ['8192 values', valuesUpTo(8192)],
    ['8193 values', valuesUpTo(8193)],
  ])('of %s', (_, bytes) => {
    same(typeof bytes === 'string' ? utf8(bytes) : bytes, CONTEXT, [1, 7, 64, 512]);
  });

  it.each<[string, JsonValue | undefined]>([
    ...many('version', [undefined, null, '1.1', 1, '', {}, []]),
    ...many('bundleId', [undefined, null, '', 1, {}, [], 'x'.repeat(1024)]),
    ...many('bundleIssuer', [undefined, '', 1]),
    ...many('category', [null, '', 1, {}]),
    ...many('merchant', [null, '', 'x', []]),
    ...many('geography', [null, {}, 'EU', 1, [], { region: null }, { region: 1 }, { region: '' }, { region: 'EU' }]),
    ...many('approvedIssuers', [
      undefined,
      null,
      'i',
      {},
      [],
      [1],
      [''],
      [null],
      [[]],
      ['a', 'a'],
      names(160),
      names(161),
    ]),
    ...many('approvedIssuers', [[...names(161), 1], names(512), names(513)]),
    ...many('issuers', [undefined, null, 'i', 1, {}, [], [1], [null], [{}], [[]], [{ issuer: 'i' }]]),
    ...many('issuers', [
      [{ issuer: '', keys: [] }],
      [{ keys: [] }],
      [{ issuer: 'i', keys: {} }],
      [{ issuer: 1, keys: [] }],
    ]),
    ...many('issuers', [
      entries(160),
      entries(161),
      [...entries(161), 1],
      [entry('i', ...keys(4))],
      [entry('i', ...keys(5))],
    ]),
    ...many('issuers', [[{ issuer: 'i', keys: [null, 1, 'x', [], {}] }], [{ issuer: '', keys: [1, 2, 3, 4, 5] }]]),
    ...many('revokedGrantIds', [null, 'g', {}, [], [1], [''], names(512), names(513)]),
    ...many('issuedAt', [null, '', 1, 'yesterday', inSeconds(1), inSeconds(86_400), inSeconds(99_999)]),
    ...many('expiresAt', [undefined, null, 1, '2026-13-01T00:00:00Z', inSeconds(0), inSeconds(1), inSeconds(-1)]),
    ...many('expiresAtISO', [null, 1, inSeconds(1), inSeconds(-1)]),
    ...many('other', [
      null,
      0,
      -0,
      1.5,
      1e300,
      'é\u{1f600}"\\\n\u0001',
      [null, {}],
      { b: null, a: [{ z: 1, y: null }] },
    ]),
  ])('of one whose %s', (name, value) => {
    const [member, json] = [name.split(' ')[0] as string, value];
    same(bundle({ [member]: json }), CONTEXT, [64]);
  });

  it.each<[string, Uint8Array, Partial<AdmissionContext>]>([
    ['another root key’s kid', bundle({}, otherRoot), {}],
    ['an impostor with the kid', bundle({}, testKey(root.kid, 60)), {}],
    ['no root keys', bundle(), { rootKeys: [] }],
    ['the second root key of a kid', bundle(), { rootKeys: [{ kid: root.kid, publicKey: otherRoot.publicKey }, root] }],
    [
      'a root key for any kid',
      bundle({}, otherRoot),
      { rootKeys: [{ kid: undefined, publicKey: otherRoot.publicKey }] },
    ],
    ['another merchant', bundle({ merchant: 'm2' }), { scope: { merchant: 'm1' } }],
    ['another category and expired', bundle({ category: 'c', expiresAt: inSeconds(-1) }), { scope: { category: 'd' } }],
    ['expired and from the store', bundle({ expiresAt: inSeconds(-1) }), { source: 'store' }],
    ['an older one', bundle(), { newest: () => ({ issuedAtMs: NOW, expiresAtMs: NOW, digest: '' }) }],
    ['a twin', bundle(), { newest: () => ({ issuedAtMs: NOW - 3_600_000, expiresAtMs: NOW, digest: '' }) }],
    [
      'an older one, and forged',
      utf8(GOOD.replace('bundle-1', 'x')),
      { newest: () => ({ issuedAtMs: NOW, expiresAtMs: 0, digest: '' }) },
    ],
    ['forged', utf8(GOOD.replace('bundle-1', 'bundle-2')), {}],
    ['no signature', utf8(GOOD.replace('"signature"', '"signatures"')), {}],
    ['a signature that is a number', utf8(GOOD.replace(/"signature":"[^"]*"/, '"signature":1')), {}],
    ['signed over the raw bytes', signedRaw(), {}],
  ])('with %s', (_, bytes, changes) => {
    same(bytes, { ...CONTEXT, ...changes }, [1, 64]);
  });

  it('of one that is spelled in any way', () => {
    const value = JSON.parse(GOOD) as JsonObject;
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(5)), fc.integer({ min: 1, max: 64 }), (choices, window) => {
        const choose = (): number => choices.next().value as number;
        const verdict = same(utf8(spelled(value, choose)), CONTEXT, [window]);
        expect(typeof verdict).toBe('object');
      }),
      { numRuns: 60 },
    );
  });

  it('of one with bytes changed, left out, doubled or put elsewhere', () => {
    const wide = utf8(
      text(bundle({ note: 'é\u{1f600}\u0001\\"', issuers: [entry(PA, pa), entry(WALLET, revoked(wallet))] })),
    );
    const edit = fc.tuple(fc.nat(wide.length), fc.nat(5), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 64 }), (edits, window) => {
        let bytes = [...wide];
        for (const [at, how, byte] of edits) {
          if (how === 0) bytes.splice(at, 1);
          else if (how === 1) bytes.splice(at, 0, byte);
          else if (how === 2) bytes.splice(at, 0, ...bytes.slice(at, at + 20));
          else if (how === 3) bytes = bytes.slice(0, at);
          else bytes[at] = how === 4 ? byte : ('{}[]",:\\u0'.charCodeAt(byte % 10) as number);
        }
        same(Uint8Array.from(bytes), CONTEXT, [window]);
      }),
      { numRuns: 600 },
    );
  });
});

function* range(count: number): Iterable<number> {
  for (let i = 0; i < count; i++) yield i;
}

function names(count: number): string[] {
  return [...range(count)].map((i) => `i${i}`);
}

function entries(count: number): JsonObject[] {
  return names(count).map((name) => entry(name));
}

function keys(count: number) {
  return [...range(count)].map((i) => testKey(`k${i}`, 50 + i));
}

function many(name: string, values: readonly (JsonValue | undefined)[]): [string, JsonValue | undefined][] {
  return values.map((value) => [`${name} is ${JSON.stringify(value)?.slice(0, 60)}`, value]);
}

function memberCount(json: string): number {
  return Object.keys(JSON.parse(json)).length;
}

function extra(count: number): string {
  return [...range(count)].map((i) => `,"extra${i}":null`).join('');
}

describe('a source that does not read the same twice', () => {
  it('is refused or says so, and nothing else is thrown, whichever bit of whichever read is another', () => {
    const bytes = utf8(text(bundle({ note: 'é\u0001"', issuers: [entry(PA, pa), entry(WALLET, revoked(wallet))] })));
    let reads = 0;
    const counting = readerOf(bytes, crypto, 64, () => reads++);
    expect(admitStream(counting.reader, counting.start, counting.end, CONTEXT)).toMatchObject({ facts: {} });
    const whole = reads;
    expect(whole).toBeGreaterThan(100);
    const found = { admitted: 0, refused: 0, failed: 0 };
    for (let at = 0; at < whole; at++) {
      for (const bit of [at * 7, at * 11 + 3]) {
        reads = 0;
        const noisy = readerOf(bytes, crypto, 64, (target) => {
          if (reads++ !== at) return;
          const byte = (bit >> 3) % target.length;
          target[byte] = (target[byte] as number) ^ (1 << (bit & 7));
        });
        try {
          const result = admitStream(noisy.reader, noisy.start, noisy.end, CONTEXT);
          found['ok' in result ? 'refused' : 'admitted']++;
        } catch (error) {
          expect(error).toBeInstanceOf(FlashError);
          found.failed++;
        }
      }
    }
    expect(Math.min(found.refused, found.failed)).toBeGreaterThan(10);
  });
});

/** A bundle of so many values, most of them in lists of lists. */
function valuesUpTo(count: number): string {
  const of = (json: string): number => {
    let values = 0;
    JSON.parse(json, () => {
      values++;
    });
    return values - 1;
  };
  const fill = (n: number): string => {
    const lists: string[] = [];
    for (let left = n; left > 0; left -= 513)
      lists.push(
        `[${Array(Math.min(left, 513) - 1)
          .fill('0')
          .join(',')}]`,
      );
    return `${GOOD.slice(0, -1)},"fill":[${lists.join(',')}]}`;
  };
  return fill(count - of(fill(0)));
}

/** The usual bundle signed over `prefix ‖ canonical JSON` itself. */
function signedRaw(): Uint8Array {
  const body = changed(BUNDLE, { bundleKeyId: root.kid });
  const parts: Buffer[] = [];
  domainMessage('TrustBundle', body)((part) => parts.push(Buffer.from(part)));
  return utf8(JSON.stringify({ ...body, signature: Buffer.from(sign(root, Buffer.concat(parts))).toString('base64') }));
}

/** JSON text of a value with members in another order, escapes, white space and null members as `choose` has it. */
function spelled(value: JsonValue, choose: () => number): string {
  const space = () => ['', '', ' ', '\n', '\t', '\r '][choose()] as string;
  if (typeof value === 'string')
    return `"${[...value].map((c) => (choose() === 0 && c.length === 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : JSON.stringify(c).slice(1, -1))).join('')}"`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => space() + spelled(item, choose) + space()).join(',')}]`;
  const members = Object.entries(value as JsonObject);
  for (let i = members.length - 1; i > 0; i--) {
    const j = choose() % (i + 1);
    [members[i], members[j]] = [members[j] as (typeof members)[0], members[i] as (typeof members)[0]];
  }
  if (choose() === 0) members.push(['zz', null]);
  return `{${members.map(([name, inner]) => `${space()}${spelled(name, choose)}${space()}:${space()}${spelled(inner, choose)}`).join(',')}${space()}}`;
}
