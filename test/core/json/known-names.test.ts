// Known names: each is found by its hash, so none hides another.

import { expect, it } from 'vitest';
import { KNOWN_NAMES, knownName, nameHash } from '../../../core/json/known-names.ts';

const hashOf = (name: string): number => [...Buffer.from(name)].reduce(nameHash, 0);

it.each(KNOWN_NAMES)('%s is found', (name) => {
  expect(knownName(hashOf(name))).toBe(name);
});
