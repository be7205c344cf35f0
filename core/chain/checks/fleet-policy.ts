// Fleet policy: it narrows the grant, for the actor that pays, and never widens it.

import { checkOf, fail, PASS, skip } from '../check.ts';

const CLAUSE = 'INTEROP §5 FPA';

/** The FPA's rails are within the grant's, and the payment's rail and asset within the FPA's. */
export const fleetPolicyTerms = checkOf(
  'fleetPolicy',
  'fleetPolicyAuthorization',
  'terms',
  CLAUSE,
  ({ artifacts: { grant, fleetPolicy, spa }, asked }) => {
    for (const rail of fleetPolicy.allowedRails) {
      if (grant && !grant.allowedRails.includes(rail))
        return fail('RAIL_MISMATCH', `the fleet policy allows ${rail}, the grant does not`);
    }
    const rail = asked.rail ?? spa?.rail;
    if (rail !== undefined && !fleetPolicy.allowedRails.includes(rail))
      return fail('RAIL_MISMATCH', `the fleet policy does not allow ${rail}`);
    const asset = asked.asset ?? spa?.asset;
    if (asset !== undefined && fleetPolicy.allowedAssets.length > 0 && !fleetPolicy.allowedAssets.includes(asset)) {
      return fail('ASSET_MISMATCH', `the fleet policy does not allow ${asset}`);
    }
    if (asked.unit?.kind === 'fiat' && fleetPolicy.currency !== asked.unit.currency) {
      return fail(
        'CURRENCY_MISMATCH',
        `the fleet policy is in ${fleetPolicy.currency}, the terminal in ${asked.unit.currency}`,
      );
    }
    return PASS;
  },
);

/** The FPA is for the actor that pays; else any vehicle's policy would satisfy a site that requires one. */
export const fleetPolicyActor = checkOf(
  'fleetPolicy',
  'fleetPolicyAuthorization',
  'actor',
  CLAUSE,
  ({ artifacts: { fleetPolicy, sba } }) => {
    return fleetPolicy.actorId === sba.actorId
      ? PASS
      : fail('SUBJECT_ACTOR_MISMATCH', `the fleet policy is for ${fleetPolicy.actorId}`);
  },
);

/** The grant's operator is among those the FPA allows. */
export const fleetPolicyOperator = checkOf(
  'fleetPolicy',
  'fleetPolicyAuthorization',
  'operator',
  CLAUSE,
  ({ artifacts: { grant, fleetPolicy } }) => {
    if (fleetPolicy.allowedOperators.length === 0) return skip('the fleet policy lists no operators');
    if (grant?.operatorId === undefined)
      return fail('FPA_OPERATOR_NOT_ALLOWED', 'the fleet policy lists operators and the grant names none');
    return fleetPolicy.allowedOperators.includes(grant.operatorId)
      ? PASS
      : fail('FPA_OPERATOR_NOT_ALLOWED', `the fleet policy does not list ${grant.operatorId}`);
  },
);

/** The FPA's cap is within the grant's budget, and the amount within the cap. */
export const fleetPolicyCap = checkOf(
  'fleetPolicy',
  'fleetPolicyAuthorization',
  'cap',
  CLAUSE,
  ({ artifacts: { grant, fleetPolicy }, asked }) => {
    if (grant?.budgetMinor !== undefined && fleetPolicy.maxAmountMinor > grant.budgetMinor) {
      return fail(
        'FPA_CAP_EXCEEDED',
        `the fleet policy's ${fleetPolicy.maxAmountMinor} is above the grant's ${grant.budgetMinor}`,
      );
    }
    return asked.amount <= fleetPolicy.maxAmountMinor
      ? PASS
      : fail('AMOUNT_EXCEEDED', `${asked.amount} is above the fleet policy's ${fleetPolicy.maxAmountMinor}`);
  },
);
