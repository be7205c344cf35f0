// Which spec files run inside XS: what is left out is there, and has a reason.

import { describe, expect, it } from 'vitest';
import { LEFT_OUT, LEFT_OUT_TESTS, specFiles } from '../../../tools/xs/unit-tests.ts';

describe('the spec files that run inside XS', () => {
  it('are all of test/core', () => {
    expect(specFiles()).toContain('test/core/verifier.test.ts');
    expect(specFiles()).toContain('test/core/ledger/flash-ledger.test.ts');
  });

  it.each([...Object.keys(LEFT_OUT), ...Object.keys(LEFT_OUT_TESTS)])('that are left out are there: %s', (file) => {
    expect(specFiles()).toContain(file);
  });

  it('are left out for a reason, wholly or in part', () => {
    for (const reason of Object.values(LEFT_OUT)) expect(reason).not.toBe('');
    for (const file of Object.keys(LEFT_OUT_TESTS)) expect(LEFT_OUT).not.toHaveProperty([file]);
  });
});
