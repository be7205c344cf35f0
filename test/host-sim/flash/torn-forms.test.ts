// The lists of torn forms hold every form they promise, once, and each form lands what it says.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitsProgrammed, describeForm, partErased, tornErases, tornForms } from '../../../host-sim/flash/torn-forms.ts';

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
const words = (forms: readonly Parameters<typeof describeForm>[0][]) => forms.map(describeForm);

describe('tornForms', () => {
  it('lists before, prefixes by length, bits of every unit, after', () => {
    expect(words(tornForms(48, 16))).toEqual([
      'before',
      'prefix 1',
      'prefix 16',
      'prefix 32',
      'prefix 33',
      'prefix 47',
      'bits of unit 0, seed 0',
      'bits of unit 0, seed 1',
      'bits of unit 1, seed 0',
      'bits of unit 1, seed 1',
      'bits of unit 2, seed 0',
      'bits of unit 2, seed 1',
      'after',
    ]);
  });

  it('has 28 forms for a record of 8 units of 16 bytes', () => {
    expect(tornForms(128, 16)).toHaveLength(28);
  });

  it('takes in as many units as it is told, the first and the last among them', () => {
    expect(words(tornForms(160, 16, { units: 3, seeds: 1 }))).toEqual([
      'before',
      'prefix 1',
      'prefix 80',
      'prefix 144',
      'prefix 145',
      'prefix 159',
      'bits of unit 0, seed 0',
      'bits of unit 5, seed 0',
      'bits of unit 9, seed 0',
      'after',
    ]);
  });

  it('a single byte has no prefix', () => {
    expect(words(tornForms(1, 1, { seeds: 1 }))).toEqual(['before', 'bits of unit 0, seed 0', 'after']);
  });

  it.each([1, 4, 16, 32])('has no form twice, and all are of the program, in units of %i', (unit) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.option(fc.integer({ min: 2, max: 9 })), (count, units) => {
        const forms = tornForms(count * unit, unit, { units: units ?? 'all' });
        expect(new Set(words(forms)).size).toBe(forms.length);
        for (const form of forms) bitsProgrammed(form, bytes(count * unit, 0), unit);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    [0, 16],
    [24, 16],
    [16, 0],
    [16, 0.5],
  ])('refuses %i bytes in units of %d', (length, unit) => {
    expect(() => tornForms(length, unit)).toThrow(RangeError);
  });

  it('refuses to choose fewer than two units', () => {
    expect(() => tornForms(64, 16, { units: 1 })).toThrow(RangeError);
  });
});

describe('tornErases', () => {
  it('lists before, parts from both ends, unstable parts, after', () => {
    expect(words(tornErases(4096, 16, { seeds: 1 }))).toEqual([
      'before',
      'front 16 erased',
      'front 2048 erased',
      'front 4080 erased',
      'back 16 erased',
      'back 2048 erased',
      'back 4080 erased',
      'front 4096 unstable, seed 0',
      'front 2048 unstable, seed 0',
      'back 2048 unstable, seed 0',
      'after',
    ]);
    expect(tornErases(4096, 16)).toHaveLength(17);
  });

  it('a block of two units has three kinds of parts in one', () => {
    expect(words(tornErases(32, 16, { seeds: 0 }))).toEqual(['before', 'front 16 erased', 'back 16 erased', 'after']);
  });

  it('refuses a block that is not whole units, or only one', () => {
    expect(() => tornErases(100, 16)).toThrow(RangeError);
    expect(() => tornErases(16, 16)).toThrow(RangeError);
  });
});

describe('bits of a program', () => {
  it('land in the unit after the whole ones: one bit to be cleared at least, and never all of several', () => {
    const unitBytes = fc.uint8Array({ minLength: 48, maxLength: 48 });
    fc.assert(
      fc.property(unitBytes, fc.nat(2), fc.nat(), (data, units, seed) => {
        const landed = bitsProgrammed({ kind: 'bits', units, seed }, data, 16);
        const from = units * 16;
        expect(landed.subarray(0, from)).toEqual(bytes(from, 0xff));
        expect(landed.subarray(from + 16)).toEqual(bytes(32 - from, 0));
        const count = (of: (i: number) => number) => {
          let bits = 0;
          for (let i = from; i < from + 16; i++) for (let b = of(i) & 0xff; b > 0; b >>= 1) bits += b & 1;
          return bits;
        };
        const toClear = count((i) => ~(data[i] ?? 0));
        const cleared = count((i) => ~(data[i] ?? 0) & (landed[i] ?? 0));
        if (toClear > 0) expect(cleared).toBeGreaterThan(0);
        if (toClear > 1) expect(cleared).toBeLessThan(toClear);
      }),
    );
  });

  it('differ from seed to seed and are the same for the same seed', () => {
    const landed = (seed: number) => bitsProgrammed({ kind: 'bits', units: 0, seed }, bytes(16, 0), 16).join();
    expect(new Set([0, 1, 2, 3].map(landed)).size).toBe(4);
    expect(landed(3)).toBe(landed(3));
  });

  it.each([
    { kind: 'prefix', landed: 33 },
    { kind: 'prefix', landed: -1 },
    { kind: 'prefix', landed: 1.5 },
    { kind: 'bits', units: 2, seed: 0 },
    { kind: 'part', end: 'front', erased: 16 },
  ] as const)('%o is no form of a program of 32 bytes', (form) => {
    expect(() => bitsProgrammed(form, bytes(32, 0), 16)).toThrow(RangeError);
  });
});

describe('unstable bits of an erase', () => {
  const cellsWithWeakBits = (seed: number) =>
    partErased({ kind: 'unstable', end: 'front', erased: 4096, seed }, 4096).weak?.filter((bits) => bits !== 0).length;

  it('are in one cell of 64, in one of 4, in every one, as the seed says', () => {
    expect([0, 1, 2, 3].map(cellsWithWeakBits)).toEqual([64, 1024, 4096, 64]);
  });

  it('there is one at least', () => {
    for (let seed = 0; seed < 30; seed++) {
      expect(partErased({ kind: 'unstable', end: 'back', erased: 8, seed }, 256).weak?.some((bits) => bits > 0)).toBe(
        true,
      );
    }
  });

  it.each([
    { kind: 'part', end: 'front', erased: 257 },
    { kind: 'unstable', end: 'back', erased: -1, seed: 0 },
    { kind: 'prefix', landed: 1 },
  ] as const)('%o is no form of an erase of 256 bytes', (form) => {
    expect(() => partErased(form, 256)).toThrow(RangeError);
  });
});
