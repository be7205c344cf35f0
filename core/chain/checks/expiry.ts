// Time: no artifact past its expiry by the site's drift or more, and no grant that a bundle revokes.

import { check, checkOf, fail, type Outcome, PASS } from '../check.ts';
import type { Payment } from '../payment.ts';

const CLAUSE = 'INTEROP §4 Expiry, Drift';

/** The grant is not expired. */
export const grantExpiry = checkOf('grant', 'policyGrant', 'expiry', CLAUSE, (p) => notExpired(p, p.artifacts.grant));

/** The SBA is not expired. */
export const sbaExpiry = check('sba', 'expiry', CLAUSE, (p) => notExpired(p, p.artifacts.sba));

/** The SPA is not expired; the same drift as everywhere. */
export const spaExpiry = checkOf('spa', 'spa', 'expiry', CLAUSE, (p) => notExpired(p, p.artifacts.spa));

/** The fleet policy is not expired. */
export const fleetPolicyExpiry = checkOf('fleetPolicy', 'fleetPolicyAuthorization', 'expiry', CLAUSE, (p) =>
  notExpired(p, p.artifacts.fleetPolicy),
);

/** No unexpired bundle revokes the grant. Without the grant the SBA's word on its id counts. */
export const grantRevoked = check(
  'policyGrant',
  'not-revoked',
  'INTEROP §5 Revoked grants',
  ({ artifacts, context }) => {
    const grantId = artifacts.grant?.grantId ?? artifacts.sba.grantId;
    return context.trust.revokesGrant(grantId, context.nowMs)
      ? fail('GRANT_REVOKED', `a Trust Bundle revokes ${grantId}`)
      : PASS;
  },
);

/** Valid while now is before expiry plus drift: expired exactly drift ago is expired. */
function notExpired({ context }: Payment, artifact: { readonly expiresAtMs: number }): Outcome {
  if (artifact.expiresAtMs + context.site.driftMs > context.nowMs) return PASS;
  const late = Math.ceil((context.nowMs - artifact.expiresAtMs) / 1000);
  return fail('ARTIFACT_EXPIRED', `expired ${late} s ago; drift allowed is ${context.site.driftMs / 1000} s`);
}
