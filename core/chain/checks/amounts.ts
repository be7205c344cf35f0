// Amounts: what one payment may be, whatever was paid before.

import { check, checkOf, fail, PASS, skip } from '../check.ts';

/** SPA.amount is the amount asked; upstream compares text, so 0x10 and 16 would differ there and cannot occur here. */
export const spaAmount = checkOf(
  'spa',
  'spa',
  'amount',
  'INTEROP §5 Amount checks',
  ({ artifacts: { spa, sba }, asked }) => {
    if (spa.amount > sba.maxAmountMinor)
      return fail('AMOUNT_EXCEEDED', `the SPA is for ${spa.amount}, the SBA allows ${sba.maxAmountMinor}`);
    return spa.amount === asked.amount
      ? PASS
      : fail('AMOUNT_MISMATCH', `the SPA is for ${spa.amount}, asked is ${asked.amount}`);
  },
);

/** The amount alone is within the SBA's ceiling; what was spent before is a check of its own. */
export const sbaCeiling = check('sba', 'ceiling', 'INTEROP §5 Amount checks', ({ artifacts: { sba }, asked }) =>
  asked.amount <= sba.maxAmountMinor
    ? PASS
    : fail('AMOUNT_EXCEEDED', `${asked.amount} is above the SBA's ${sba.maxAmountMinor}`),
);

/** The grant's limit on one transaction. */
export const grantPerTransaction = checkOf(
  'grant',
  'policyGrant',
  'per-transaction',
  'INTEROP §5 maxSpend',
  ({ artifacts: { grant }, asked }) => {
    if (grant.maxPerTxMinor === undefined) return skip('the grant has no maxSpend.perTxMinor');
    return asked.amount <= grant.maxPerTxMinor
      ? PASS
      : fail('AMOUNT_EXCEEDED', `${asked.amount} is above maxSpend.perTxMinor ${grant.maxPerTxMinor}`);
  },
);

/** The grant's limit on one offline payment is compared with the SBA's ceiling, not with the amount. */
export const offlineSingle = checkOf(
  'grant',
  'policyGrant',
  'offline-single',
  'INTEROP §5 Offline caps',
  ({ artifacts: { grant, sba } }) => {
    if (grant.offlineMaxSinglePayment === undefined) return skip('the grant has no offlineMaxSinglePayment');
    return sba.maxAmountMinor <= grant.offlineMaxSinglePayment
      ? PASS
      : fail(
          'OFFLINE_SINGLE_EXCEEDED',
          `the SBA's ${sba.maxAmountMinor} is above offlineMaxSinglePayment ${grant.offlineMaxSinglePayment}`,
        );
  },
);
