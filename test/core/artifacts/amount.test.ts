// Amounts: digits only, above zero, at most 38 of them (INTEROP §4).

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountFrom, totalFrom } from '../../../core/artifacts/amount.ts';

const NOT_AMOUNTS: readonly unknown[] = [
  '',
  '00',
  '01',
  '-1',
  '+1',
  '1.0',
  '1,5',
  '1e3',
  '0x10',
  '0b1',
  '1n',
  '1_000',
  ' 1',
  '1 ',
  '\t1',
  '1\n',
  '１',
  '١',
  'one',
  'Infinity',
  '9'.repeat(39),
  `1${'0'.repeat(38)}`,
  1,
  1n,
  1.5,
  true,
  null,
  undefined,
  {},
  [],
  ['1'],
  { toString: () => '1' },
];

describe('amounts', () => {
  it('are 1 to 38 digits', () => {
    expect(amountFrom('1')).toBe(1n);
    expect(amountFrom('10')).toBe(10n);
    expect(amountFrom('9'.repeat(38))).toBe(10n ** 38n - 1n);
  });

  it('are above zero', () => {
    expect(amountFrom('0')).toBeUndefined();
  });

  it('are nothing else: no sign, no blank, no leading zero, no other notation, no other type', () => {
    for (const value of NOT_AMOUNTS) expect(amountFrom(value), String(value)).toBeUndefined();
  });

  it('are what BigInt makes of the digits, and nothing else is one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.bigInt({ min: 1n, max: 10n ** 38n - 1n }).map(String), fc.string()), (text) => {
        expect(amountFrom(text)).toBe(/^[1-9][0-9]{0,37}$/.test(text) ? BigInt(text) : undefined);
      }),
    );
  });
});

describe('totals', () => {
  it('may be zero, and are amounts otherwise', () => {
    expect(totalFrom('0')).toBe(0n);
    expect(totalFrom('25')).toBe(25n);
  });

  it('are nothing else', () => {
    for (const value of NOT_AMOUNTS) expect(totalFrom(value), String(value)).toBeUndefined();
  });
});
