// JSON data from objects a program holds: only what JSON text could have given, within the same limits.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonData } from '../../../core/json/data.ts';
import { JsonProblem } from '../../../core/json/reader.ts';
import { ARTIFACT_LIMITS, type JsonLimits } from '../../../core/limits.ts';
import { anyJson } from '../../fixtures/json-arbitrary.ts';

const WIDE: JsonLimits = { bytes: 1e6, values: 1e6, elements: 1e6, members: 1e6, stringBytes: 1e6, depth: 100 };

function refusal(value: unknown, limits: JsonLimits = ARTIFACT_LIMITS): string | undefined {
  const data = jsonData(value, limits);
  return data instanceof JsonProblem ? data.code : undefined;
}

describe('data from objects', () => {
  it('is a copy of any JSON value, in objects that inherit nothing', () => {
    fc.assert(
      fc.property(anyJson(), (value) => {
        expect(JSON.stringify(jsonData(value, WIDE))).toBe(JSON.stringify(value));
      }),
    );
    const copy = jsonData({ a: 1 }, WIDE) as object;
    expect('constructor' in copy || '__proto__' in copy || 'toString' in copy).toBe(false);
  });

  it('leaves undefined members out, as JSON.stringify does', () => {
    expect(Object.keys(jsonData({ a: undefined, b: 1 }, WIDE) as object)).toEqual(['b']);
  });

  it('takes own members only', () => {
    expect(Object.keys(jsonData(Object.create({ inherited: 1 }), WIDE) as object)).toEqual([]);
  });

  it.each([
    ['a function', () => 1],
    ['a bigint', 1n],
    ['a symbol', Symbol('x')],
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['an element that is undefined', [undefined]],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['a bigint inside', { a: [{ b: 1n }] }],
  ])('refuses %s', (_, value) => {
    expect(refusal(value)).toBe('ARTIFACT_INVALID');
  });

  it('refuses a cycle by its depth', () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(refusal(loop)).toBe('LIMIT_EXCEEDED');
  });

  it('has the limits of reading: at the limit copied, one more refused', () => {
    const bounds = (limits: Partial<JsonLimits>, at: unknown, past: unknown) => {
      expect(refusal(at, { ...WIDE, ...limits })).toBeUndefined();
      expect(refusal(past, { ...WIDE, ...limits })).toBe('LIMIT_EXCEEDED');
    };
    bounds({ depth: 2 }, [[1]], [[[]]]);
    bounds({ values: 3 }, [1, [2]], [1, [2, 3]]);
    bounds({ elements: 2 }, [1, 2], [1, 2, 3]);
    bounds({ members: 2 }, { a: 1, b: 2 }, { a: 1, b: 2, c: 3 });
    bounds({ stringBytes: 4 }, 'éé', 'ééa');
    bounds({ stringBytes: 4 }, { éé: 1 }, { ééa: 1 });
  });
});
