// Bind: which artifacts the site and the profile want, and that something is there to check them with.

import { check, fail, PASS, skip } from '../check.ts';

/** Without a bundle and without a pinned key nothing can be verified, so nothing is accepted. */
export const trustLoaded = check('device', 'trust-loaded', 'ARCHITECTURE Decisions', ({ context }) =>
  context.trust.bundles.length > 0 || context.site.pinnedKeys.length > 0
    ? PASS
    : fail('NO_TRUST_BUNDLE', 'no Trust Bundle is loaded and no key is pinned'),
);

/** A ledger that cannot say what was spent cannot let anything be spent. */
export const storeSound = check('device', 'store', 'ARCHITECTURE Decisions', ({ context }) => {
  const problem = context.ledger.problem;
  return problem?.code === 'STORE_FAILED' ? fail('STORE_FAILED', problem.detail) : PASS;
});

/** An SBA without its grant only where the site says so, and under the site's own cap. */
export const grantPresented = check(
  'policyGrant',
  'presented',
  'INTEROP §5 SBA without grant',
  ({ artifacts, asked, context }) => {
    if (artifacts.grant) return PASS;
    const cap = context.site.sbaOnlyMax;
    if (cap === undefined || !context.site.sbaIssuers.has('*')) {
      return fail('POLICY_GRANT_NOT_FOUND', 'no grant is presented and the site does not accept an SBA alone');
    }
    return asked.amount <= cap
      ? PASS
      : fail('AMOUNT_EXCEEDED', `${asked.amount} is above ${cap}, the site's cap without a grant`);
  },
);

/** The Full profile wants an SPA. */
export const spaPresented = check('spa', 'presented', 'INTEROP §8 Full', ({ artifacts, context }) => {
  if (artifacts.spa) return PASS;
  if (context.site.profile !== 'full') return skip(`profile ${context.site.profile} does not need an SPA`);
  return fail('ARTIFACT_INVALID', 'profile full needs an SPA and none is presented');
});

/** The Full profile wants the intent bound by its hash; in every profile a hash without its intent proves nothing. */
export const intentPresented = check(
  'settlementIntent',
  'presented',
  'INTEROP §7 intent_required',
  ({ artifacts, context }) => {
    const { spa, intent } = artifacts;
    if (spa?.intentHash !== undefined && intent === undefined) {
      return fail('INTENT_HASH_MISMATCH', 'the SPA carries an intentHash and no intent is presented');
    }
    if (spa !== undefined && spa.intentHash === undefined && context.site.profile === 'full') {
      return fail('INTENT_HASH_MISMATCH', 'profile full needs an intentHash and the SPA has none');
    }
    if (intent !== undefined && spa === undefined)
      return fail('ARTIFACT_INVALID', 'an intent is presented without an SPA');
    return spa?.intentHash === undefined ? skip('no intentHash') : PASS;
  },
);

/** A site may require a fleet policy. */
export const fleetPolicyPresented = check(
  'fleetPolicyAuthorization',
  'presented',
  'INTEROP §5 FPA',
  ({ artifacts, context }) => {
    if (artifacts.fleetPolicy && !artifacts.grant) {
      return fail('POLICY_GRANT_NOT_FOUND', 'a fleet policy is presented without the grant it narrows');
    }
    if (artifacts.fleetPolicy) return PASS;
    if (!context.site.requireFleetPolicy) return skip('none presented, none required');
    return fail('ARTIFACT_INVALID', 'the site requires a fleet policy and none is presented');
  },
);

/** MPCP v1: exactly xrpl on SBA and grant; on the grant gateway and velocity limit present, no revocation endpoint. */
export const strictXrpl = check('policyGrant', 'strict-xrpl', 'INTEROP §4 Rails', ({ artifacts, context }) => {
  if (!context.site.strictXrpl) return skip('not configured');
  const { grant, sba } = artifacts;
  for (const rails of [grant?.allowedRails ?? sba.allowedRails, sba.allowedRails]) {
    if (rails.length !== 1 || rails[0] !== 'xrpl') return fail('RAIL_MISMATCH', 'allowedRails is not exactly ["xrpl"]');
  }
  if (!grant) return PASS;
  if (grant.authorizedGateway === undefined) return fail('ARTIFACT_INVALID', 'authorizedGateway is missing');
  if (grant.velocityLimit === undefined) return fail('ARTIFACT_INVALID', 'velocityLimit is missing');
  if (grant.revocationEndpoint !== undefined) return fail('ARTIFACT_INVALID', 'revocationEndpoint is present');
  return PASS;
});
