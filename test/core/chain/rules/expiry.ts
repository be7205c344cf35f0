// No artifact past its expiry by the site's drift or more, and no revoked grant. Drift is 300 s unless configured.

import type { Presented } from '../../../fixtures/artifacts.ts';
import { bundle, fleetPolicy, grant, inSeconds, sba, spa } from '../../../fixtures/artifacts.ts';
import { WALLET } from '../../../fixtures/keys.ts';
import { rule, type Situation } from '../rule.ts';

const DRIFT = 300_000;
const EXPIRES_NOW = { expiresAt: inSeconds(0) };
const SBA_ONLY = { sbaOnly: { maxAmountMinor: '9000' }, sbaIssuers: { '*': [WALLET] } };

/** The edges of an artifact's life; `presented` has it expire at the moment of the tests. */
function edges(id: string, presented: () => Presented, absent?: () => Situation): void {
  rule(id, {
    passes: {
      'at its expiry: drift counts': () => ({ presented: presented() }),
      'one millisecond inside the drift': () => ({ presented: presented(), atMs: DRIFT - 1 }),
      'one millisecond before its expiry, where no drift is allowed': () => ({
        presented: presented(),
        atMs: -1,
        configuration: { driftMs: 0 },
      }),
    },
    refuses: {
      'expired exactly as long ago as the drift': ['ARTIFACT_EXPIRED', () => ({ presented: presented(), atMs: DRIFT })],
      'expired long ago': ['ARTIFACT_EXPIRED', () => ({ presented: presented(), atMs: 86_000_000 })],
      'at its expiry, where no drift is allowed': [
        'ARTIFACT_EXPIRED',
        () => ({ presented: presented(), configuration: { driftMs: 0 } }),
      ],
      'past a shorter drift that is configured': [
        'ARTIFACT_EXPIRED',
        () => ({ presented: presented(), atMs: 10, configuration: { driftMs: 10 } }),
      ],
    },
    ...(absent ? { skips: { 'it is not presented': absent } } : {}),
  });
}

const late = inSeconds(200_000);

edges(
  'policyGrant.expiry',
  () => ({ grant: grant(EXPIRES_NOW), sba: sba({ expiresAt: late }) }),
  () => ({ presented: { grant: undefined }, configuration: SBA_ONLY }),
);

edges('sba.expiry', () => ({ grant: grant({ expiresAt: late }), sba: sba(EXPIRES_NOW) }));

edges(
  'spa.expiry',
  () => ({ grant: grant({ expiresAt: late }), sba: sba({ expiresAt: late }), spa: spa(EXPIRES_NOW) }),
  () => ({}),
);

edges(
  'fleetPolicyAuthorization.expiry',
  () => ({
    grant: grant({ expiresAt: late }),
    sba: sba({ expiresAt: late }),
    fleetPolicyAuthorization: fleetPolicy(EXPIRES_NOW),
  }),
  () => ({}),
);

const revoking = (revokedGrantIds: string[], changes = {}) =>
  bundle({ bundleIssuer: 'revoking', bundleId: 'revoking', revokedGrantIds, ...changes });

rule('policyGrant.not-revoked', {
  passes: {
    'no bundle revokes it': () => ({}),
    'a bundle revokes another grant': () => ({ bundles: [revoking(['grant-2', 'GRANT-1', 'grant-1 ', 'grant'])] }),
    'the bundle that revoked it has expired': () => ({
      bundles: [bundle(), revoking(['grant-1'], { expiresAt: inSeconds(10) })],
      atMs: 10_000,
    }),
  },
  refuses: {
    'the only bundle revokes it': ['GRANT_REVOKED', () => ({ bundles: [revoking(['x', 'grant-1'])] })],
    'any of several bundles revokes it': ['GRANT_REVOKED', () => ({ bundles: [bundle(), revoking(['grant-1'])] })],
    'a bundle that approves nobody revokes it': [
      'GRANT_REVOKED',
      () => ({ bundles: [bundle(), revoking(['grant-1'], { approvedIssuers: [], issuers: [] })] }),
    ],
    'the bundle expires in a millisecond': [
      'GRANT_REVOKED',
      () => ({ bundles: [bundle(), revoking(['grant-1'], { expiresAt: inSeconds(10) })], atMs: 9999 }),
    ],
    'the SBA alone is presented, and names a revoked grant': [
      'GRANT_REVOKED',
      () => ({ presented: { grant: undefined }, configuration: SBA_ONLY, bundles: [revoking(['grant-1'])] }),
    ],
  },
});
