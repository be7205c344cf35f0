// Terms: the SBA stays inside the grant, and rail, asset, destination, purpose and gateway of this payment are inside
// both. What the terminal does not state is taken from the SPA where there is one, else skipped, visibly.

import type { Rail } from '../../artifacts/asset.ts';
import { isHexOf } from '../../hash/hex.ts';
import { check, checkOf, fail, type Outcome, PASS, skip } from '../check.ts';
import type { Payment } from '../payment.ts';

const LISTS = 'INTEROP §4 Lists';

/** SBA.allowedRails is a subset of the grant's. */
export const sbaRailsInGrant = checkOf(
  'grant',
  'sba',
  'rails-in-grant',
  'INTEROP §5 Subsets',
  ({ artifacts: { grant, sba } }) => {
    const { allowedRails } = sba;
    for (let i = 0; i < allowedRails.length; i++) {
      const rail = allowedRails[i] as Rail;
      if (!grant.allowedRails.includes(rail))
        return fail('RAIL_MISMATCH', `the SBA allows ${rail}, the grant does not`);
    }
    return PASS;
  },
);

/** SBA.allowedAssets is a subset of the grant's. */
export const sbaAssetsInGrant = checkOf(
  'grant',
  'sba',
  'assets-in-grant',
  'INTEROP §5 Subsets',
  ({ artifacts: { grant, sba } }) => {
    if (grant.allowedAssets.length === 0) return skip('the grant lists no assets');
    const { allowedAssets } = sba;
    for (let i = 0; i < allowedAssets.length; i++) {
      const asset = allowedAssets[i] as string;
      if (!grant.allowedAssets.includes(asset))
        return fail('ASSET_MISMATCH', `the SBA allows ${asset}, the grant does not`);
    }
    return PASS;
  },
);

/** The SBA is in the terminal's currency, where the terminal counts in one. Nothing is ever converted. */
export const sbaCurrency = check(
  'sba',
  'currency',
  'INTEROP §5 Units',
  ({ artifacts: { grant, sba }, asked, context }) => {
    if (asked.unit === undefined) return skip('the terminal states no unit');
    if (asked.unit.kind !== 'fiat') return skip('the terminal counts in atomic units');
    if (sba.currency !== asked.unit.currency)
      return fail('CURRENCY_MISMATCH', `the SBA is in ${sba.currency}, the terminal in ${asked.unit.currency}`);
    if (asked.unit.minorUnit !== undefined && sba.minorUnit !== asked.unit.minorUnit) {
      return fail(
        'CURRENCY_MISMATCH',
        `the SBA has ${sba.minorUnit} decimal places, the terminal ${asked.unit.minorUnit}`,
      );
    }
    if (!context.site.strictCurrency || !grant) return PASS;
    const labels = [
      grant.budgetCurrency,
      grant.offlineMaxSinglePaymentCurrency,
      grant.offlineMaxCumulativePaymentCurrency,
    ];
    for (const label of labels) {
      if (label !== undefined && label !== asked.unit.currency)
        return fail('CURRENCY_MISMATCH', `the grant counts in ${label}`);
    }
    return PASS;
  },
);

/** The rail is allowed by SBA and grant; an empty list allows none. */
export const rail = check('sba', 'rail', LISTS, ({ artifacts: { grant, sba, spa }, asked }) => {
  const wanted = asked.rail ?? spa?.rail;
  if (wanted === undefined) return skip('no rail is asked for');
  if (!sba.allowedRails.includes(wanted)) return fail('RAIL_MISMATCH', `the SBA does not allow ${wanted}`);
  if (grant && !grant.allowedRails.includes(wanted)) return fail('RAIL_MISMATCH', `the grant does not allow ${wanted}`);
  return PASS;
});

/** The asset is allowed by SBA and grant; a grant's list binds even where the SBA's is empty. */
export const asset = check('sba', 'asset', LISTS, ({ artifacts: { grant, sba, spa }, asked }) => {
  const wanted = asked.asset ?? spa?.asset;
  if (wanted === undefined) return skip('no asset is asked for');
  if (!allows(sba.allowedAssets, wanted)) return fail('ASSET_MISMATCH', `the SBA does not allow ${wanted}`);
  if (grant && !allows(grant.allowedAssets, wanted))
    return fail('ASSET_MISMATCH', `the grant does not allow ${wanted}`);
  return PASS;
});

/** The destination is on the SBA's list. */
export const sbaDestination = check('sba', 'destination', LISTS, (payment) => {
  const wanted = destinationOf(payment);
  if (wanted === undefined) return skip('no destination is asked for');
  return allows(payment.artifacts.sba.destinationAllowlist, wanted)
    ? PASS
    : fail('DESTINATION_MISMATCH', `the SBA does not list ${wanted}`);
});

/** The destination is on the grant's list. */
export const grantDestination = checkOf('grant', 'policyGrant', 'destination', LISTS, (payment) => {
  const wanted = destinationOf(payment);
  if (wanted === undefined) return skip('no destination is asked for');
  return allows(payment.artifacts.grant.destinationAllowlist, wanted)
    ? PASS
    : fail('DESTINATION_NOT_ALLOWED', `the grant does not list ${wanted}`);
});

/** The purpose is one the grant allows. In the Human-Agent profile a grant that lists purposes needs one stated. */
export const purpose = checkOf(
  'grant',
  'policyGrant',
  'purpose',
  'INTEROP §4 Lists; INTEROP §8 Human-Agent',
  ({ artifacts: { grant }, asked, context }) => {
    if (grant.allowedPurposes.length === 0) return skip('the grant lists no purposes');
    if (asked.purpose === undefined) {
      return context.site.profile === 'human-agent'
        ? fail('PURPOSE_NOT_ALLOWED', 'the grant lists purposes and the terminal states none')
        : skip('the terminal states no purpose');
    }
    return grant.allowedPurposes.includes(asked.purpose)
      ? PASS
      : fail('PURPOSE_NOT_ALLOWED', `the grant does not list ${asked.purpose}`);
  },
);

/** The terminal settles through the grant's gateway. */
export const gateway = checkOf(
  'grant',
  'policyGrant',
  'gateway',
  'INTEROP §5 What the terminal states',
  ({ artifacts: { grant }, asked }) => {
    if (grant.authorizedGateway === undefined) return skip('the grant names no gateway');
    if (asked.gateway === undefined) return skip('the terminal states no gateway');
    return grant.authorizedGateway === asked.gateway
      ? PASS
      : fail('GATEWAY_NOT_AUTHORIZED', `the grant's gateway is ${grant.authorizedGateway}`);
  },
);

/** What the SPA authorizes is what is asked: an SPA is for one payment, so what it names must have been asked for. */
export const spaTerms = checkOf(
  'spa',
  'spa',
  'terms',
  'INTEROP §5 Amount checks',
  ({ artifacts: { spa }, asked }): Outcome => {
    if (spa.rail === 'xrpl' && spa.destination === undefined)
      return fail('DESTINATION_MISMATCH', 'an SPA on xrpl needs a destination');
    if (asked.rail !== undefined && spa.rail !== asked.rail)
      return fail('RAIL_MISMATCH', `the SPA is for ${spa.rail}, asked is ${asked.rail}`);
    if (asked.asset !== undefined && spa.asset !== asked.asset)
      return fail('ASSET_MISMATCH', `the SPA is for ${spa.asset ?? 'no asset'}`);
    if (spa.destination !== asked.destination) {
      return fail(
        'DESTINATION_MISMATCH',
        `the SPA pays ${spa.destination ?? 'nobody'}, asked is ${asked.destination ?? 'nobody'}`,
      );
    }
    return PASS;
  },
);

/** The intent is the payment the SPA authorizes, member by member. */
export const intentTerms = checkOf(
  'intent',
  'settlementIntent',
  'terms',
  'INTEROP §7 intent_*',
  ({ artifacts: { spa, intent } }): Outcome => {
    if (!spa) return skip('no SPA');
    if (intent.rail !== spa.rail)
      return fail('RAIL_MISMATCH', `the intent is for ${intent.rail}, the SPA for ${spa.rail}`);
    if (intent.amount !== spa.amount)
      return fail('AMOUNT_MISMATCH', `the intent is for ${intent.amount}, the SPA for ${spa.amount}`);
    if (intent.destination !== undefined && intent.destination !== spa.destination) {
      return fail(
        'DESTINATION_MISMATCH',
        `the intent pays ${intent.destination}, the SPA ${spa.destination ?? 'nobody'}`,
      );
    }
    if (intent.asset !== undefined && intent.asset !== spa.asset) {
      return fail('ASSET_MISMATCH', `the intent is for ${intent.asset}, the SPA for ${spa.asset ?? 'no asset'}`);
    }
    return PASS;
  },
);

/** The intent is the one whose hash the SPA carries. */
export const intentHash = checkOf(
  'intent',
  'settlementIntent',
  'hash',
  'INTEROP §1 SettlementIntent',
  (payment): Outcome => {
    const { spa, intent } = payment.artifacts;
    if (spa?.intentHash === undefined) return skip('no intentHash');
    return isHexOf(spa.intentHash, payment.digest('SettlementIntent', intent.hashed))
      ? PASS
      : fail('INTENT_HASH_MISMATCH', "the intent's hash is not the SPA's intentHash");
  },
);

function destinationOf({ asked, artifacts }: Payment): string | undefined {
  return asked.destination ?? artifacts.spa?.destination;
}

/** Absent or empty restricts nothing. */
function allows(list: readonly string[], item: string): boolean {
  return list.length === 0 || list.includes(item);
}
