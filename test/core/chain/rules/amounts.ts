// What one payment may be, whatever was paid before.

import { grant, sba, spa } from '../../../fixtures/artifacts.ts';
import { rule } from '../rule.ts';

const max = '9'.repeat(38);

rule('spa.amount', {
  passes: {
    'the amount asked for': () => ({ presented: { spa: spa() } }),
    'the amount asked for in atomic units': () => ({
      presented: { spa: spa() },
      terminal: { unit: { kind: 'atomic' } },
    }),
    'the SBA’s ceiling': () => ({ presented: { spa: spa({ amount: '3000' }) }, asked: { amountMinor: '3000' } }),
  },
  refuses: {
    'more than asked for': ['AMOUNT_MISMATCH', () => ({ presented: { spa: spa({ amount: '1001' }) } })],
    'less than asked for': ['AMOUNT_MISMATCH', () => ({ presented: { spa: spa({ amount: '999' }) } })],
    'more than the SBA’s ceiling': [
      'AMOUNT_EXCEEDED',
      () => ({ presented: { spa: spa({ amount: '3001' }) }, asked: { amountMinor: '3001' } }),
    ],
  },
  skips: { 'no SPA': () => ({}) },
});

rule('sba.ceiling', {
  passes: {
    'the ceiling itself': () => ({ asked: { amountMinor: '3000' } }),
    'the largest amount there is': () => ({
      presented: { sba: sba({ maxAmountMinor: max }) },
      asked: { amountMinor: max },
    }),
  },
  refuses: {
    'one above it': ['AMOUNT_EXCEEDED', () => ({ asked: { amountMinor: '3001' } })],
    'an amount that begins with a smaller digit': ['AMOUNT_EXCEEDED', () => ({ asked: { amountMinor: '10000' } })],
    'an amount beyond 64 bits': ['AMOUNT_EXCEEDED', () => ({ asked: { amountMinor: (2n ** 64n + 1n).toString() } })],
  },
});

const perTx = (perTxMinor: string | null) => ({ presented: { grant: grant({ maxSpend: { perTxMinor } }) } });

rule('policyGrant.per-transaction', {
  passes: { 'the limit itself': () => perTx('1000') },
  refuses: { 'one above it': ['AMOUNT_EXCEEDED', () => perTx('999')] },
  skips: {
    'the grant has no maxSpend': () => ({}),
    'maxSpend says nothing about one transaction': () => perTx(null),
  },
});

const single = (offlineMaxSinglePayment: string) => ({ presented: { grant: grant({ offlineMaxSinglePayment }) } });

rule('policyGrant.offline-single', {
  passes: { 'the SBA’s ceiling is the limit': () => single('3000') },
  refuses: {
    'the SBA’s ceiling is one above it, whatever the amount': [
      'OFFLINE_SINGLE_EXCEEDED',
      () => ({ ...single('2999'), asked: { amountMinor: '1' } }),
    ],
  },
  skips: { 'the grant has none': () => ({}) },
});
