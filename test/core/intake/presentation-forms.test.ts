// The two ways in which a presentation is read agree: whatever the engine's own parser is given, the careful reader says the
// same of it, over all vectors, over issued artifacts, and over texts that were tampered with.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readByEngine, readCarefully } from '../../../core/intake/presentation.ts';
import { fullPayment, grant, sba } from '../../fixtures/artifacts.ts';
import { utf8 } from '../../fixtures/text.ts';

/** What the engine reads is what the careful reader reads. @returns whether the engine was asked */
function agrees(text: string): boolean {
  const byEngine = readByEngine(utf8(text));
  if (byEngine === undefined) return false;
  const careful = readCarefully(utf8(text));
  if ('ok' in byEngine || 'ok' in careful) expect(byEngine, text).toEqual(careful);
  else expect({ ...byEngine, sources: [] }, text).toEqual({ ...careful, sources: [] });
  return true;
}

const FULL = fullPayment();

describe('read by the engine', () => {
  it('is every ordinary payment', () => {
    const { fleetPolicyAuthorization: _, ...usual } = FULL;
    for (const payment of [FULL, usual, { sba: sba() }, sba(), { grant: grant(), sba: sba() }])
      expect(agrees(JSON.stringify(payment))).toBe(true);
  });

  it('is an idempotency key that is none: refused by both', () => {
    for (const idempotencyKey of ['', 1, 'k'.repeat(129)])
      expect(agrees(JSON.stringify({ ...FULL, idempotencyKey }))).toBe(true);
  });
});

describe('left to the careful reader', () => {
  it.each([
    ['members that a presentation does not have', { ...FULL, x: 1 }, { sba: sba(), __proto__: null, constructor: {} }],
    ['members that an envelope does not use', { sba: { ...sba(), note: 'n' } }, { ...sba(), nonce: 'n' }],
    ['an absent artifact', { ...FULL, grant: null }, { sba: null }],
    ['what is no object', [], 'text', 1, null],
    ['an artifact past a limit', { sba: { ...sba(), signature: 's'.repeat(1025) } }],
    ['an artifact nested too deep', { grant: { grant: JSON.parse(`${'['.repeat(17)}${']'.repeat(17)}`) }, sba: sba() }],
  ])('%s', (_, ...payments) => {
    for (const payment of payments) expect(agrees(JSON.stringify(payment))).toBe(false);
  });
});

it('on all artifacts of the vectors', () => {
  let asked = 0;
  let all = 0;
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { grant, sba, spa, settlementIntent, fleetPolicyAuthorization, authorization } = value as never;
    const parts = { grant, sba, spa, settlementIntent, fleetPolicyAuthorization };
    for (const text of [sba && JSON.stringify(parts), authorization && JSON.stringify(value)]) {
      if (!text) continue;
      all++;
      if (agrees(text)) asked++;
    }
    for (const inner of Object.values(value)) look(inner);
  };
  for (const file of ['chains', 'spa-chains', 'mutations', 'sbas', 'merchant-sdk', 'stateful', 'fpa'])
    look(JSON.parse(readFileSync(join('test/vectors/interop', `${file}.json`), 'utf8')));
  expect(asked / all).toBeGreaterThan(0.8);
});

it('on payments that were tampered with', () => {
  const texts = [JSON.stringify(FULL), JSON.stringify(sba()), JSON.stringify({ grant: grant(), sba: sba() })];
  const piece = fc.constantFrom(
    '"',
    ',',
    '{',
    '}',
    '[',
    ']',
    ':',
    ' ',
    '\\',
    '0',
    '1e5',
    'null',
    '"a":1,',
    ',"sba":{}',
    'é',
  );
  const edit = fc.tuple(fc.nat(), fc.nat({ max: 3 }), piece);
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
      let changed = text;
      for (const [at, taken, put] of edits) {
        const place = at % changed.length;
        changed = changed.slice(0, place) + put + changed.slice(place + taken);
      }
      agrees(changed);
    }),
    { numRuns: 3000 },
  );
});
