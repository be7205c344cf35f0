// What was accepted before: replay, totals, caps, velocity, idempotency. `paid` makes earlier payments.

import type { PaymentRequest } from '../../../../core/chain/request.ts';
import { publicJwk } from '../../../../host-sim/signing/keys.ts';
import {
  bundle,
  entry,
  fleetPolicy,
  grant,
  NOW,
  type Presented,
  present,
  sba,
  spa,
} from '../../../fixtures/artifacts.ts';
import type { Device } from '../../../fixtures/device.ts';
import { OTHER_WALLET, otherWallet, PA, pa, WALLET, wallet } from '../../../fixtures/keys.ts';
import { rule } from '../rule.ts';

const REUSE = { budgetUse: 'reuse' } as const;
/** An SBA may also come without its grant. */
const ALONE = { sbaOnly: { maxAmountMinor: '9000' }, sbaIssuers: { [PA]: [WALLET], '*': [WALLET] } };
/** A second issuer that lists the wallet's key. */
const TWIN = 'twin.example';

/** A payment that must go through before the one that is looked at. */
function paid(presented: Presented = {}, asked: Partial<PaymentRequest> = {}, atMs = 0): (device: Device) => void {
  return (device) => {
    device.nowMs = NOW + atMs;
    device.approves(() => device.authorize(present(presented), asked));
  };
}

/** Several things before. */
function after(...steps: readonly ((device: Device) => void)[]): (device: Device) => void {
  return (device) => {
    for (const step of steps) step(device);
  };
}

/** An SBA of another budget under the same grant. */
const another = (n = 2) => sba({ budgetId: `budget-${n}` });
const key = { idempotencyKey: 'key-1' };

rule('presentation.idempotency', {
  passes: {
    'a key that was never used': () => ({ presented: key }),
    'the same key for the same SBA and amount': () => ({ presented: key, before: paid(key) }),
    'the same key of another wallet’s SBA is another key': () => ({
      presented: key,
      before: paid({ ...key, sba: sba({}, { key: otherWallet, issuer: OTHER_WALLET }) }),
      configuration: { sbaIssuers: { [PA]: [WALLET, OTHER_WALLET] } },
    }),
  },
  refuses: {
    'the same key for another amount': [
      'IDEMPOTENCY_CONFLICT',
      () => ({ presented: key, asked: { amountMinor: '999' }, before: paid(key), configuration: REUSE }),
    ],
    'the same key for another SBA': [
      'IDEMPOTENCY_CONFLICT',
      () => ({ presented: { ...key, sba: another() }, before: paid(key) }),
    ],
    'the same key for an SBA that differs in anything signed': [
      'IDEMPOTENCY_CONFLICT',
      () => ({ presented: { ...key, sba: sba({ note: 1 }) }, before: paid(key), configuration: REUSE }),
    ],
  },
  skips: { 'no key': () => ({}) },
});

rule('sba.replay', {
  passes: {
    'a budget that was never used': () => ({ before: paid({ sba: another() }) }),
    'another decision under a budget that was used with an SPA': () => ({
      presented: { spa: spa({ decisionId: 'decision-2' }) },
      before: paid({ spa: spa() }),
    }),
    'the same budgetId in another wallet’s SBA is another budget': () => ({
      before: paid({ sba: sba({}, { key: otherWallet, issuer: OTHER_WALLET }) }),
      configuration: { sbaIssuers: { [PA]: [WALLET, OTHER_WALLET] } },
    }),
  },
  refuses: {
    'a budget that was used': ['BUDGET_ID_REPLAY', () => ({ before: paid() })],
    'a budget that was used for less': ['BUDGET_ID_REPLAY', () => ({ before: paid({}, { amountMinor: '1' }) })],
    'another SBA with the budgetId of one that was used': [
      'BUDGET_ID_REPLAY',
      () => ({ presented: { sba: sba({ maxAmountMinor: '2999' }) }, before: paid() }),
    ],
    'a budget that was used before a restart': [
      'BUDGET_ID_REPLAY',
      () => ({ before: after(paid(), (device) => void device.restart()) }),
    ],
    'a budget that was reserved and released': [
      'BUDGET_ID_REPLAY',
      () => ({
        before: (device: Device) => {
          const { receiptId } = device.approves(() => device.reserve(present()));
          device.approves(() => device.verifier.release(receiptId));
        },
      }),
    ],
    'a decision that was used': [
      'BUDGET_ID_REPLAY',
      () => ({ presented: { spa: spa() }, before: paid({ spa: spa() }) }),
    ],
    'a decision that was used, though budgets may be reused': [
      'BUDGET_ID_REPLAY',
      () => ({ presented: { spa: spa() }, before: paid({ spa: spa() }), configuration: REUSE }),
    ],
    'a decision that was used under another budget': [
      'BUDGET_ID_REPLAY',
      () => ({
        presented: { sba: another(), spa: spa({ budgetId: 'budget-2' }) },
        before: paid({ spa: spa() }),
      }),
    ],
    'a budget that was used alone, with an SPA put beside it': [
      'BUDGET_ID_REPLAY',
      () => ({ presented: { spa: spa() }, before: paid() }),
    ],
    'a budget that was reserved with an SPA and released, by an SBA the SPA was taken away from': [
      'BUDGET_ID_REPLAY',
      () => ({
        before: (device: Device) => {
          const { receiptId } = device.approves(() => device.reserve(present({ spa: spa() })));
          device.approves(() => device.verifier.release(receiptId));
        },
      }),
    ],
    'a budget that was used with an SPA, by an SBA the SPA was taken away from': [
      'BUDGET_ID_REPLAY',
      () => ({ before: paid({ spa: spa() }) }),
    ],
  },
  skips: {
    'budgets may be reused': () => ({ before: paid(), configuration: REUSE }),
    'the payment was answered before': () => ({ presented: key, before: paid(key) }),
  },
});

rule('sba.budget-total', {
  passes: {
    'nothing spent': () => ({ configuration: REUSE }),
    'spent and asked make the ceiling': () => ({ before: after(paid(), paid()), configuration: REUSE }),
    'what was spent under another budget does not count': () => ({
      asked: { amountMinor: '3000' },
      before: paid({ sba: another() }),
      configuration: REUSE,
    }),
    'grant-total: the grant’s total and the amount make the ceiling': () => ({
      before: paid({ sba: another() }, { amountMinor: '2000' }),
      configuration: { ...REUSE, spendRule: 'grant-total' },
    }),
  },
  refuses: {
    'one above the ceiling': [
      'AMOUNT_EXCEEDED',
      () => ({ asked: { amountMinor: '1001' }, before: after(paid(), paid()), configuration: REUSE }),
    ],
    'one above the ceiling, after a restart': [
      'AMOUNT_EXCEEDED',
      () => ({
        asked: { amountMinor: '1001' },
        before: after(paid(), paid(), (device) => void device.restart()),
        configuration: REUSE,
      }),
    ],
    'reservations count in full': [
      'AMOUNT_EXCEEDED',
      () => ({
        asked: { amountMinor: '1' },
        before: (device: Device) => void device.approves(() => device.reserve(present(), { amountMinor: '3000' })),
        configuration: REUSE,
      }),
    ],
    'payments with SPAs count': [
      'AMOUNT_EXCEEDED',
      () => ({
        presented: { spa: spa({ decisionId: 'decision-2', amount: '2001' }) },
        asked: { amountMinor: '2001' },
        before: paid({ spa: spa() }),
      }),
    ],
    'the ceiling of the SBA at hand counts, not that of an earlier one': [
      'AMOUNT_EXCEEDED',
      () => ({ presented: { sba: sba({ maxAmountMinor: '1999' }) }, before: paid(), configuration: REUSE }),
    ],
    'a wallet key listed under two issuers does not give one signed SBA two totals': [
      'AMOUNT_EXCEEDED',
      () => ({
        presented: { sba: { ...sba(), issuer: TWIN } },
        asked: { amountMinor: '2001' },
        before: paid(),
        configuration: { ...REUSE, sbaIssuers: { [PA]: [WALLET, TWIN] } },
        bundles: [
          bundle({
            approvedIssuers: [PA, WALLET, TWIN],
            issuers: [entry(PA, pa), entry(WALLET, wallet), entry(TWIN, wallet)],
          }),
        ],
      }),
    ],
    'nor does the same key under two kids': [
      'AMOUNT_EXCEEDED',
      () => ({
        presented: { sba: { ...sba(), issuerKeyId: 'again' } },
        asked: { amountMinor: '2001' },
        before: paid(),
        configuration: REUSE,
        bundles: [bundle({ issuers: [entry(PA, pa), entry(WALLET, wallet, { ...publicJwk(wallet), kid: 'again' })] })],
      }),
    ],
    'grant-total: what was spent under another budget of the grant counts': [
      'AMOUNT_EXCEEDED',
      () => ({
        asked: { amountMinor: '1001' },
        before: paid({ sba: another() }, { amountMinor: '2000' }),
        configuration: { ...REUSE, spendRule: 'grant-total' },
      }),
    ],
    'what was spent with the grant counts when the SBA comes alone': [
      'AMOUNT_EXCEEDED',
      () => ({
        presented: { grant: undefined },
        asked: { amountMinor: '2001' },
        before: paid(),
        configuration: { ...REUSE, ...ALONE },
      }),
    ],
    'without a grant, the site’s cap holds for all payments of a budget together': [
      'AMOUNT_EXCEEDED',
      () => ({
        presented: { grant: undefined },
        before: paid({ grant: undefined }),
        configuration: { ...REUSE, ...ALONE, sbaOnly: { maxAmountMinor: '1999' } },
      }),
    ],
    'grant-total: what was spent with the grant counts when the SBA comes alone': [
      'AMOUNT_EXCEEDED',
      () => ({
        presented: { grant: undefined },
        asked: { amountMinor: '2001' },
        before: paid(),
        configuration: { ...REUSE, ...ALONE, spendRule: 'grant-total' },
      }),
    ],
    'grant-total: what was spent by the SBA alone counts when its grant is there': [
      'AMOUNT_EXCEEDED',
      () => ({
        asked: { amountMinor: '2001' },
        before: paid({ grant: undefined }),
        configuration: { ...REUSE, ...ALONE, spendRule: 'grant-total' },
      }),
    ],
  },
  skips: { 'the payment was answered before': () => ({ presented: key, before: paid(key) }) },
});

const limited = (name: string, value: string) => ({ grant: grant({ [name]: value }) });

for (const [id, name, code] of [
  ['policyGrant.budget-total', 'budgetMinor', 'GRANT_BUDGET_EXCEEDED'],
  ['policyGrant.offline-cumulative', 'offlineMaxCumulativePayment', 'OFFLINE_CUMULATIVE_EXCEEDED'],
] as const) {
  rule(id, {
    passes: {
      'the whole of it at once': () => ({ presented: limited(name, '1000') }),
      'spent and asked make the limit': () => ({
        presented: { ...limited(name, '2000'), sba: another() },
        before: paid(limited(name, '2000')),
      }),
      'what was spent under another grant does not count': () => ({
        presented: limited(name, '1000'),
        before: paid({ grant: grant({ grantId: 'grant-2' }), sba: sba({ grantId: 'grant-2', budgetId: 'budget-2' }) }),
      }),
      'a reservation counts with what it was settled for': () => ({
        presented: { ...limited(name, '1001'), sba: another() },
        before: (device: Device) => {
          const { receiptId } = device.approves(() => device.reserve(present(limited(name, '1001'))));
          device.approves(() => device.verifier.settle(receiptId, '1'));
        },
      }),
      'what another wallet spent under another grant does not count': () => ({
        presented: limited(name, '1000'),
        before: paid({
          grant: grant({ grantId: 'grant-2' }),
          sba: sba({ grantId: 'grant-2' }, { key: otherWallet, issuer: OTHER_WALLET }),
        }),
        configuration: { sbaIssuers: { [PA]: [WALLET, OTHER_WALLET] } },
      }),
      'a reservation that was released does not count': () => ({
        presented: { ...limited(name, '1000'), sba: another() },
        before: (device: Device) => {
          const { receiptId } = device.approves(() => device.reserve(present(limited(name, '1000'))));
          device.approves(() => device.verifier.release(receiptId));
        },
      }),
    },
    refuses: {
      'one above it at once': [code, () => ({ presented: limited(name, '999') })],
      'one above it with what was spent': [
        code,
        () => ({ presented: { ...limited(name, '1999'), sba: another() }, before: paid(limited(name, '1999')) }),
      ],
      'one above it with what was spent before a restart': [
        code,
        () => ({
          presented: { ...limited(name, '1999'), sba: another() },
          before: after(paid(limited(name, '1999')), (device) => void device.restart()),
        }),
      ],
      'what SBAs alone spent in its name counts': [
        code,
        () => ({
          presented: { ...limited(name, '1999'), sba: another() },
          before: paid({ grant: undefined }),
          configuration: ALONE,
        }),
      ],
      'what other wallets spent under it counts': [
        code,
        () => ({
          presented: limited(name, '1999'),
          before: paid({ ...limited(name, '1999'), sba: sba({}, { key: otherWallet, issuer: OTHER_WALLET }) }),
          configuration: { sbaIssuers: { [PA]: [WALLET, OTHER_WALLET] } },
        }),
      ],
      'a reservation that is open counts in full, after a restart too': [
        code,
        () => ({
          presented: { ...limited(name, '1999'), sba: another() },
          before: (device: Device) => {
            device.approves(() => device.reserve(present(limited(name, '1999'))));
            device.restart();
          },
        }),
      ],
      'what was spent counts under another version of the grant': [
        code,
        () => ({
          presented: { grant: grant({ [name]: '1999', operatorId: 'x' }, {}, 'envelope'), sba: another() },
          before: paid(limited(name, '9999')),
        }),
      ],
    },
    skips: {
      'the grant has none': () => ({}),
      'the payment was answered before': () => ({
        presented: { ...key, ...limited(name, '1000') },
        before: paid({ ...key, ...limited(name, '1000') }),
      }),
    },
  });
}

const policy = (maxAmountMinor: string) => ({ fleetPolicyAuthorization: fleetPolicy({ maxAmountMinor }) });

rule('fleetPolicyAuthorization.cap-total', {
  passes: {
    'spent and asked make the cap': () => ({
      presented: { ...policy('2000'), sba: another() },
      before: paid(policy('2000')),
    }),
  },
  refuses: {
    'one above the cap': [
      'AMOUNT_EXCEEDED',
      () => ({ presented: { ...policy('1999'), sba: another() }, before: paid(policy('1999')) }),
    ],
    'what was spent without the policy counts': [
      'AMOUNT_EXCEEDED',
      () => ({ presented: { ...policy('1999'), sba: another() }, before: paid() }),
    ],
  },
  skips: {
    'no fleet policy': () => ({}),
    'the payment was answered before': () => ({
      presented: { ...key, ...policy('1000') },
      before: paid({ ...key, ...policy('1000') }),
    }),
  },
});

const velocity = (maxPayments: number, windowSeconds = 60) => ({
  grant: grant({ velocityLimit: { maxPayments, windowSeconds } }),
});

rule('policyGrant.velocity', {
  passes: {
    'the first of one': () => ({ presented: velocity(1) }),
    'the second of two': () => ({ presented: { ...velocity(2), sba: another() }, before: paid(velocity(2)) }),
    'an earlier payment exactly at the start of the window is out of it': () => ({
      presented: { ...velocity(1), sba: another() },
      before: paid(velocity(1)),
      atMs: 60_000,
    }),
    'payments under another grant do not count': () => ({
      presented: velocity(1),
      before: paid({
        grant: grant({ grantId: 'grant-2' }),
        sba: sba({ grantId: 'grant-2', budgetId: 'budget-2' }),
      }),
    }),
    'the window slides: the oldest of two is out': () => ({
      presented: { ...velocity(2), sba: another(3) },
      before: after(paid(velocity(2), {}, 0), paid({ ...velocity(2), sba: another(2) }, {}, 30_000)),
      atMs: 60_000,
    }),
  },
  refuses: {
    'one too many in the same moment': [
      'VELOCITY_LIMIT_EXCEEDED',
      () => ({ presented: { ...velocity(1), sba: another() }, before: paid(velocity(1)) }),
    ],
    'one millisecond before the earlier payment is out of the window': [
      'VELOCITY_LIMIT_EXCEEDED',
      () => ({ presented: { ...velocity(1), sba: another() }, before: paid(velocity(1)), atMs: 59_999 }),
    ],
    'across a restart': [
      'VELOCITY_LIMIT_EXCEEDED',
      () => ({
        presented: { ...velocity(1), sba: another() },
        before: after(paid(velocity(1)), (device) => void device.restart()),
        atMs: 59_999,
      }),
    ],
    'payments without the limit in their grant count': [
      'VELOCITY_LIMIT_EXCEEDED',
      () => ({ presented: { ...velocity(1), sba: another() }, before: paid() }),
    ],
    'reservations count, and go on counting when they are released': [
      'VELOCITY_LIMIT_EXCEEDED',
      () => ({
        presented: { ...velocity(1), sba: another() },
        before: (device: Device) => {
          const { receiptId } = device.approves(() => device.reserve(present(velocity(1))));
          device.approves(() => device.verifier.release(receiptId));
        },
      }),
    ],
    'a clock set back does not open the window': [
      'VELOCITY_LIMIT_EXCEEDED',
      () => ({ presented: { ...velocity(1), sba: another() }, before: paid(velocity(1)), atMs: -3_000_000 }),
    ],
    'a window as long as can be': [
      'VELOCITY_LIMIT_EXCEEDED',
      () => ({
        presented: { ...velocity(1, 2 ** 32 - 1), sba: another() },
        before: paid(velocity(1)),
        atMs: 1_000_000,
      }),
    ],
  },
  skips: {
    'the grant has none': () => ({}),
    'the payment was answered before': () => ({
      presented: { ...key, ...velocity(1) },
      before: paid({ ...key, ...velocity(1) }),
    }),
  },
});
