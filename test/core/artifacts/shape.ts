// One table per artifact says what each member may be; this turns it into tests. A member that is null is absent.

import { describe, expect, it } from 'vitest';
import { ArtifactProblem } from '../../../core/artifacts/members.ts';
import type { JsonObject, JsonValue } from '../../../core/json/value.ts';
import { changed } from '../../fixtures/artifacts.ts';

/** What one member may be. */
export interface MemberRule {
  /** True where the artifact is none without it. */
  readonly needed: boolean;
  readonly good: readonly JsonValue[];
  readonly bad: readonly JsonValue[];
}

/** No text, and no text that says nothing. */
const NOT_TEXT: readonly JsonValue[] = ['', 1, true, [], ['a'], {}];
const NOT_LIST: readonly JsonValue[] = ['a', 1, true, {}];

export function text(needed: boolean): MemberRule {
  return { needed, good: ['x', 'é\u{1f600}', ' ', '0'], bad: NOT_TEXT };
}

export function texts(): MemberRule {
  return { needed: false, good: [[], ['a'], ['a', 'b', 'a']], bad: [...NOT_LIST, [''], [1], ['a', null], [['a']]] };
}

export function amount(needed: boolean): MemberRule {
  return {
    needed,
    good: ['1', '9'.repeat(38)],
    bad: ['', '0', '01', '-1', '1.5', '1e3', '0x10', ' 1', '9'.repeat(39), 1, true, [], {}],
  };
}

export function time(needed: boolean): MemberRule {
  return {
    needed,
    good: ['2026-06-01T12:00:00Z', '2026-06-01T14:00:00.000+02:00'],
    bad: [
      '',
      'tomorrow',
      '2026-06-01T12:00:00',
      '2026-13-01T00:00:00Z',
      '2026-02-30T00:00:00Z',
      1780315200000,
      true,
      [],
      {},
    ],
  };
}

export function policyHash(): MemberRule {
  const hex = (n: number) => 'a'.repeat(n);
  return {
    needed: true,
    good: [hex(12), hex(64), '0123456789abcdef'],
    bad: [hex(11), hex(65), hex(64).toUpperCase(), `${hex(63)}g`, ` ${hex(12)}`, `0x${hex(12)}`, ...NOT_TEXT],
  };
}

export function rails(): MemberRule {
  return {
    needed: true,
    good: [[], ['xrpl'], ['xrpl', 'evm', 'stripe', 'hosted']],
    bad: [...NOT_LIST, 'xrpl', ['sepa'], ['XRPL'], [''], [1], [null], ['xrpl', 'sepa']],
  };
}

export function rail(): MemberRule {
  return { needed: true, good: ['xrpl', 'evm', 'stripe', 'hosted'], bad: ['sepa', 'XRPL', ...NOT_TEXT] };
}

/** What an asset may be; `plain` allows names instead of objects. */
export const GOOD_ASSETS: readonly JsonObject[] = [
  { kind: 'XRP' },
  { kind: 'IOU', currency: 'RLUSD', issuer: 'rIssuer' },
  { kind: 'ERC20', chainId: 1, token: '0xabc' },
  { kind: 'ERC20', chainId: 0, token: 't' },
  { kind: 'XRP', note: 'members nobody knows are part of the asset' },
];
export const BAD_ASSETS: readonly JsonValue[] = [
  1,
  true,
  [],
  {},
  { kind: 'BTC' },
  { kind: 'xrp' },
  { kind: 1 },
  { kind: null },
  { kind: 'IOU', currency: 'RLUSD' },
  { kind: 'IOU', issuer: 'rIssuer' },
  { kind: 'IOU', currency: '', issuer: 'rIssuer' },
  { kind: 'ERC20', chainId: '1', token: 't' },
  { kind: 'ERC20', chainId: 1.5, token: 't' },
  { kind: 'ERC20', chainId: -1, token: 't' },
  { kind: 'ERC20', chainId: 1 },
];

export function asset(): MemberRule {
  return { needed: false, good: GOOD_ASSETS, bad: [...BAD_ASSETS, 'XRP'] };
}

export function assets(names: 'no names' | 'names'): MemberRule {
  const bad = [...NOT_LIST, ...BAD_ASSETS.map((item) => [item]), [{ kind: 'XRP' }, 1], [null]];
  return {
    needed: false,
    good: [[], [...GOOD_ASSETS], ...(names === 'names' ? [['RLUSD']] : [])],
    bad: names === 'names' ? bad : [...bad, ['RLUSD']],
  };
}

/** The versions all artifacts but bundles have. */
export function version(needed: boolean): MemberRule {
  return {
    needed,
    good: [1, '1.0', '1.7', '1.12'],
    bad: ['', '1', '1.', '.0', '1.0.0', '1.x', 'v1.0', ' 1.0', '1.0 ', true, [], {}],
  };
}

/** Registers the tests of an artifact's members. */
export function shape(
  base: JsonObject,
  rules: Readonly<Record<string, MemberRule>>,
  read: (body: JsonObject) => object | ArtifactProblem,
): void {
  for (const [name, rule] of Object.entries(rules)) {
    describe(name, () => {
      const problemWith = (value: JsonValue | undefined) => {
        const result = read(changed(base, { [name]: value }));
        expect(result, JSON.stringify(value)).toMatchObject({ code: 'ARTIFACT_INVALID' });
        return result as ArtifactProblem;
      };

      if (rule.needed) {
        it('is needed, and missing where it is null', () => {
          expect(problemWith(undefined).message).toContain(name);
          expect(problemWith(null).message).toContain(name);
        });
      } else {
        it('may be left out, or be null', () => {
          expect(read(changed(base, { [name]: undefined }))).not.toBeInstanceOf(ArtifactProblem);
          expect(read(changed(base, { [name]: null }))).not.toBeInstanceOf(ArtifactProblem);
        });
      }

      it('may be what the schema allows', () => {
        for (const value of rule.good) {
          expect(read(changed(base, { [name]: value })), JSON.stringify(value)).not.toBeInstanceOf(ArtifactProblem);
        }
      });

      it('is refused as anything else', () => {
        for (const value of rule.bad) problemWith(value);
      });
    });
  }
}

/** Registers the tests of a version member: one major version, told apart from a malformed one. */
export function versions(base: JsonObject, read: (body: JsonObject) => object | ArtifactProblem): void {
  it.each([2, 0, 1.5, -1, '2.0', '0.9', '10.0', '01.0'])('version %j is VERSION_UNSUPPORTED', (value) => {
    expect(read(changed(base, { version: value }))).toMatchObject({ code: 'VERSION_UNSUPPORTED' });
  });
}
