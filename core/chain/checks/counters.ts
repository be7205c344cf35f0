// Counters: what was accepted before. These read the ledger; nothing is written until every check has passed, so a
// failed or forged attempt burns nothing (INTEROP §5 Replay).

import { check, checkOf, fail, type Outcome, PASS, skip } from '../check.ts';

const COUNTED = 'answered before, counts already';

/**
 * A repeated request gets its first answer; the same key for anything else is refused: another SBA or amount, a payment
 * where a reservation was answered or the other way round, or a reservation that has ended since.
 */
export const idempotency = check('presentation', 'idempotency', 'INTEROP §5 Idempotency', (payment): Outcome => {
  const name = payment.names.idempotency;
  if (name === undefined) return skip('no idempotency key');
  const before = payment.context.ledger.answered(name);
  if (before === undefined) return PASS;
  if (before.content !== payment.content) {
    return fail('IDEMPOTENCY_CONFLICT', 'the key was used with another SBA or amount');
  }
  const wanted = payment.context.mode === 'reserve' ? 'reserved' : 'paid';
  if (before.state === 'ended' || (before.state !== wanted && payment.context.mode !== 'check')) {
    return fail('IDEMPOTENCY_CONFLICT', `the key was used for what is ${before.state}`);
  }
  payment.answered = before;
  return PASS;
});

/**
 * The decision (SPA) or the budget (single use) was not used before. With single use a budget that was spent from in any
 * way is used: an SPA taken off a presentation must not give its SBA a second life.
 */
export const replay = check('sba', 'replay', 'INTEROP §5 Replay', (payment): Outcome => {
  if (payment.answered) return skip(COUNTED);
  const { ledger, site } = payment.context;
  const { spa, sba } = payment.artifacts;
  const { replay: name, budget } = payment.names;
  if (name === undefined) return skip('budgets may be reused up to their ceiling');
  if (spa !== undefined && ledger.seen(name)) return fail('BUDGET_ID_REPLAY', `decision ${spa.decisionId} was used`);
  if (site.budgetUse === 'reuse') return PASS;
  const used = ledger.seen(budget) || (spa === undefined && ledger.budgetUsed(budget));
  return used ? fail('BUDGET_ID_REPLAY', `budget ${sba.budgetId} was used`) : PASS;
});

/** What was spent so far and this amount stay within the SBA's ceiling; without a grant, within the site's cap too. */
export const budgetTotal = check('sba', 'budget-total', 'INTEROP §5 Counters', (payment): Outcome => {
  if (payment.answered) return skip(COUNTED);
  const { site, ledger } = payment.context;
  const grantWide = site.spendRule === 'grant-total';
  const spent = grantWide ? ledger.grantTotal(payment.names.grant) : ledger.budgetTotal(payment.names.budget);
  const ceiling = payment.artifacts.sba.maxAmountMinor;
  if (spent + payment.asked.amount > ceiling) {
    return fail('AMOUNT_EXCEEDED', `${spent} spent and ${payment.asked.amount} asked pass the SBA's ${ceiling}`);
  }
  const alone = payment.artifacts.grant === undefined ? site.sbaOnlyMax : undefined;
  if (alone === undefined || ledger.budgetTotal(payment.names.budget) + payment.asked.amount <= alone) return PASS;
  return fail('AMOUNT_EXCEEDED', `the budget would pass ${alone}, the site's cap without a grant`);
});

/** What was spent under the grant and this amount stay within its budget. */
export const grantTotal = checkOf('grant', 'policyGrant', 'budget-total', 'INTEROP §5 Counters', (payment): Outcome => {
  if (payment.answered) return skip(COUNTED);
  const budget = payment.artifacts.grant.budgetMinor;
  if (budget === undefined) return skip('the grant has no budgetMinor');
  const spent = payment.context.ledger.grantTotal(payment.names.grant);
  if (spent + payment.asked.amount <= budget) return PASS;
  return fail('GRANT_BUDGET_EXCEEDED', `${spent} spent and ${payment.asked.amount} asked pass the grant's ${budget}`);
});

/** The same against the fleet policy's cap. */
export const fleetPolicyTotal = checkOf(
  'fleetPolicy',
  'fleetPolicyAuthorization',
  'cap-total',
  'INTEROP §5 FPA',
  (payment): Outcome => {
    if (payment.answered) return skip(COUNTED);
    const cap = payment.artifacts.fleetPolicy.maxAmountMinor;
    const spent = payment.context.ledger.grantTotal(payment.names.grant);
    if (spent + payment.asked.amount <= cap) return PASS;
    return fail('AMOUNT_EXCEEDED', `${spent} spent and ${payment.asked.amount} asked pass the fleet policy's ${cap}`);
  },
);

/** What this device accepted for the grant stays within the grant's limit on offline spend. */
export const offlineCumulative = checkOf(
  'grant',
  'policyGrant',
  'offline-cumulative',
  'INTEROP §5 Offline caps',
  (payment): Outcome => {
    if (payment.answered) return skip(COUNTED);
    const cap = payment.artifacts.grant.offlineMaxCumulativePayment;
    if (cap === undefined) return skip('the grant has no offlineMaxCumulativePayment');
    const spent = payment.context.ledger.grantTotal(payment.names.grant);
    if (spent + payment.asked.amount <= cap) return PASS;
    return fail('OFFLINE_CUMULATIVE_EXCEEDED', `${spent} accepted here and ${payment.asked.amount} asked pass ${cap}`);
  },
);

/** Fewer than `maxPayments` were accepted in the window that ends now. */
export const velocity = checkOf('grant', 'policyGrant', 'velocity', 'INTEROP §5 Offline caps', (payment): Outcome => {
  if (payment.answered) return skip(COUNTED);
  const limit = payment.artifacts.grant.velocityLimit;
  if (limit === undefined) return skip('the grant has no velocityLimit');
  const count = payment.context.ledger.paymentsSince(
    payment.names.grant,
    payment.context.nowMs - limit.windowSeconds * 1000,
  );
  if (count < limit.maxPayments) return PASS;
  return fail(
    'VELOCITY_LIMIT_EXCEEDED',
    `${count} payments in the last ${limit.windowSeconds} s; ${limit.maxPayments} are allowed`,
  );
});
