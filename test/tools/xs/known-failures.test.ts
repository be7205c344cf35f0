// The list of what is known to fail inside XS: it can excuse what fails, and cannot go stale.

import { describe, expect, it } from 'vitest';
import { KnownFailures } from '../../../tools/xs/known-failures.ts';

const REASONS = { 'case-1': 'the engine rounds away from even', 'case-2': 'too large' };

describe('a list of known failures', () => {
  it('gives the reason of what fails', () => {
    expect(new KnownFailures(REASONS).judge('case-1', true)).toEqual({ open: 'the engine rounds away from even' });
  });

  it('says nothing about other tests, failed or not', () => {
    const list = new KnownFailures(REASONS);
    expect(list.judge('case-10', true)).toBeUndefined();
    expect(list.judge('case-10', false)).toBeUndefined();
  });

  it('does not keep what passes', () => {
    expect(new KnownFailures(REASONS).judge('case-2', false)).toEqual({
      stale: 'passes, and is still on the list of what fails ("case-2"): take it off',
    });
  });

  it('does not keep what is not there any more', () => {
    const list = new KnownFailures(REASONS);
    list.judge('case-1', true);
    expect(list.notMet()).toEqual(['"case-2" is on the list of what fails, and no test has this name: take it off']);
    list.judge('case-2', false);
    expect(list.notMet()).toEqual([]);
  });

  it('may name tests by a part of their names', () => {
    const list = new KnownFailures({ 'ties to even': 'rounding' }, (part, name) => name.includes(part));
    expect(list.judge('numbers > rounds ties to even', true)).toEqual({ open: 'rounding' });
    expect(list.judge('numbers > rounds', true)).toBeUndefined();
  });
});
