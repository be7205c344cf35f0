// The ledger that forgets: the contract of all ledgers, and totals that start elsewhere.

import { describe, expect, it } from 'vitest';
import { MemoryLedger } from '../../../core/ledger/memory-ledger.ts';
import { crypto } from '../../fixtures/device.ts';
import { key, receipt, spend } from '../../fixtures/spends.ts';
import { ledgerContract } from './contract.ts';

describe('in memory', () => {
  ledgerContract(() => {
    const ledger = new MemoryLedger(crypto);
    return { ledger, again: () => ledger };
  });
});

describe('totals kept elsewhere', () => {
  it('are where every total starts', () => {
    const ledger = new MemoryLedger(crypto, { grantSpent: 100n, budgetSpent: 50n });
    receipt(ledger.authorize(spend()));
    expect(ledger.grantTotal(key('g'))).toBe(110n);
    expect(ledger.budgetTotal(key('b'))).toBe(60n);
    expect(ledger.grantTotal(key('another'))).toBe(100n);
  });

  it('may include that the payment was seen', () => {
    expect(new MemoryLedger(crypto, { seen: true }).seen(key('any'))).toBe(true);
    expect(new MemoryLedger(crypto, { seen: false }).seen(key('any'))).toBe(false);
  });
});
