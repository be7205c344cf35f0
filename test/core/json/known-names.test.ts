// Known names: each is found by its hash, so none hides another.

import { expect, it } from 'vitest';
import { KNOWN_NAMES, knownName, nameHash, nameRank } from '../../../core/json/known-names.ts';

const hashOf = (name: string): number => [...Buffer.from(name)].reduce(nameHash, 0);

it.each(KNOWN_NAMES)('%s is found', (name) => {
  expect(knownName(hashOf(name))).toBe(name);
});

it('their ranks are their order by UTF-16, and have room for one that none has in a byte', () => {
  const byRank = [...KNOWN_NAMES].sort((a, b) => nameRank(hashOf(a)) - nameRank(hashOf(b)));
  expect(byRank).toEqual([...KNOWN_NAMES].sort());
  expect(KNOWN_NAMES.length).toBeLessThan(255);
});
