// Rails, assets, destinations, purposes and gateways: the SBA stays inside the grant, the payment inside both.

import { grant, intent, RLUSD, sba, spa, spaFor, XRP } from '../../../fixtures/artifacts.ts';
import { WALLET } from '../../../fixtures/keys.ts';
import { rule } from '../rule.ts';

const SBA_ONLY = { sbaOnly: { maxAmountMinor: '9000' }, sbaIssuers: { '*': [WALLET] } };
const alone = () => ({ presented: { grant: undefined }, configuration: SBA_ONLY });
const silent = { rail: undefined, asset: undefined, destination: undefined };

rule('sba.rails-in-grant', {
  passes: {
    'fewer rails than the grant’s': () => ({}),
    'the grant’s rails in another order': () => ({ presented: { sba: sba({ allowedRails: ['evm', 'xrpl'] }) } }),
  },
  refuses: {
    'a rail the grant does not allow': [
      'RAIL_MISMATCH',
      () => ({ presented: { sba: sba({ allowedRails: ['xrpl', 'stripe'] }) } }),
    ],
    'any rail, where the grant allows none': [
      'RAIL_MISMATCH',
      () => ({ presented: { grant: grant({ allowedRails: [] }) } }),
    ],
  },
  skips: { 'the SBA alone': alone },
});

rule('sba.assets-in-grant', {
  passes: {
    'the grant’s assets': () => ({}),
    'an asset with its members in another order': () => ({
      presented: { sba: sba({ allowedAssets: [{ issuer: 'rIssuer', currency: 'RLUSD', kind: 'IOU' }] }) },
    }),
    'no list of its own: the grant’s binds where the asset is looked at': () => ({
      presented: { sba: sba({ allowedAssets: [] }) },
    }),
  },
  refuses: {
    'an asset the grant does not list': [
      'ASSET_MISMATCH',
      () => ({ presented: { sba: sba({ allowedAssets: [RLUSD, XRP] }) } }),
    ],
    'the same currency of another issuer': [
      'ASSET_MISMATCH',
      () => ({ presented: { sba: sba({ allowedAssets: [RLUSD, { ...RLUSD, issuer: 'rOther' }] }) } }),
    ],
    'an asset with a member more': [
      'ASSET_MISMATCH',
      () => ({ presented: { sba: sba({ allowedAssets: [RLUSD, { ...RLUSD, note: 1 }] }) } }),
    ],
  },
  skips: {
    'the grant lists none': () => ({ presented: { grant: grant({ allowedAssets: [] }) } }),
    'the grant has no list': () => ({ presented: { grant: grant({ allowedAssets: undefined }) } }),
    'the SBA alone': alone,
  },
});

const labels = {
  budgetCurrency: 'EUR',
  offlineMaxSinglePaymentCurrency: 'EUR',
  offlineMaxCumulativePaymentCurrency: 'EUR',
};

rule('sba.currency', {
  passes: {
    'the terminal’s currency': () => ({}),
    'the terminal’s minor unit': () => ({ terminal: { unit: { kind: 'fiat', currency: 'EUR', minorUnit: 2 } } }),
    'any minor unit, where the terminal states none': () => ({
      presented: { sba: sba({ minorUnit: 3 }) },
      terminal: { unit: { kind: 'fiat', currency: 'EUR' } },
    }),
    'the minor unit the request states': () => ({
      presented: { sba: sba({ minorUnit: 3 }) },
      asked: { unit: { kind: 'fiat', currency: 'EUR', minorUnit: 3 } },
    }),
    'any minor unit of another currency, which the request states without one': () => ({
      presented: { sba: sba({ currency: 'USD', minorUnit: 3 }) },
      asked: { unit: { kind: 'fiat', currency: 'USD' } },
    }),
    'the request’s currency': () => ({
      presented: { sba: sba({ currency: 'USD' }) },
      asked: { unit: { kind: 'fiat', currency: 'USD' } },
    }),
    'labels of the grant are not compared': () => ({
      presented: { grant: grant({ ...labels, budgetCurrency: 'XRP' }) },
    }),
    'strictCurrency and labels that agree': () => ({
      presented: { grant: grant(labels) },
      configuration: { strictCurrency: true },
    }),
    'strictCurrency and no labels': () => ({ configuration: { strictCurrency: true } }),
    'strictCurrency and the SBA alone': () => ({ ...alone(), configuration: { ...SBA_ONLY, strictCurrency: true } }),
  },
  refuses: {
    'another minor unit than the terminal’s, where the request states its currency alone': [
      'CURRENCY_MISMATCH',
      () => ({
        presented: { sba: sba({ minorUnit: 3 }) },
        asked: { unit: { kind: 'fiat', currency: 'EUR' } },
      }),
    ],
    'another currency': ['CURRENCY_MISMATCH', () => ({ presented: { sba: sba({ currency: 'USD' }) } })],
    'an SBA whose minor unit is another: 3000 mills are not 3000 cents': [
      'CURRENCY_MISMATCH',
      () => ({
        presented: { sba: sba({ minorUnit: 3 }) },
        terminal: { unit: { kind: 'fiat', currency: 'EUR', minorUnit: 2 } },
      }),
    ],
    'a terminal in another currency': [
      'CURRENCY_MISMATCH',
      () => ({ terminal: { unit: { kind: 'fiat', currency: 'USD' } } }),
    ],
    ...Object.fromEntries(
      Object.keys(labels).map((name) => [
        `strictCurrency and another ${name}`,
        [
          'CURRENCY_MISMATCH' as const,
          () => ({
            presented: { grant: grant({ ...labels, [name]: 'USD' }) },
            configuration: { strictCurrency: true },
          }),
        ] as const,
      ]),
    ),
  },
  skips: {
    'the terminal states no unit': () => ({
      terminal: { unit: undefined },
      presented: { sba: sba({ currency: 'USD' }) },
    }),
    'the terminal counts in atomic units': () => ({
      terminal: { unit: { kind: 'atomic' } },
      presented: { sba: sba({ currency: 'USD' }) },
    }),
  },
});

rule('sba.rail', {
  passes: {
    'the terminal’s rail': () => ({}),
    'the SPA’s rail, where the terminal states none': () => ({
      terminal: { rail: undefined },
      presented: { spa: spa() },
    }),
  },
  refuses: {
    'a rail the SBA does not allow': ['RAIL_MISMATCH', () => ({ terminal: { rail: 'evm' } })],
    'no rail in the SBA: an empty list allows none': [
      'RAIL_MISMATCH',
      () => ({ presented: { sba: sba({ allowedRails: [] }) } }),
    ],
    'an SPA on a rail the SBA does not allow': [
      'RAIL_MISMATCH',
      () => ({ terminal: { rail: undefined }, presented: { spa: spa({ rail: 'evm' }) } }),
    ],
  },
  skips: { 'no rail is asked for': () => ({ terminal: { rail: undefined } }) },
});

rule('sba.asset', {
  passes: {
    'the terminal’s asset': () => ({}),
    'the second of two': () => ({
      presented: { grant: grant({ allowedAssets: [XRP, RLUSD] }), sba: sba({ allowedAssets: [XRP, RLUSD] }) },
    }),
    'any asset, where neither lists one': () => ({
      presented: { grant: grant({ allowedAssets: [] }), sba: sba({ allowedAssets: [] }) },
      terminal: { asset: XRP },
    }),
    'the SPA’s asset, where the terminal states none': () => ({
      terminal: { asset: undefined },
      presented: { spa: spa() },
    }),
  },
  refuses: {
    'an asset the SBA does not list, though the grant does': [
      'ASSET_MISMATCH',
      () => ({ presented: { grant: grant({ allowedAssets: [RLUSD, XRP] }) }, terminal: { asset: XRP } }),
    ],
    'an asset the grant does not list, where the SBA lists none': [
      'ASSET_MISMATCH',
      () => ({ presented: { sba: sba({ allowedAssets: [] }) }, terminal: { asset: XRP } }),
    ],
    'an SPA in an asset that is not listed': [
      'ASSET_MISMATCH',
      () => ({ terminal: { asset: undefined }, presented: { spa: spa({ asset: XRP }) } }),
    ],
  },
  skips: { 'no asset is asked for': () => ({ terminal: { asset: undefined } }) },
});

rule('sba.destination', {
  passes: {
    'the terminal’s destination': () => ({}),
    'anywhere, where the SBA lists none': () => ({ presented: { sba: sba({ destinationAllowlist: [] }) } }),
    'anywhere, where the SBA has no list': () => ({ presented: { sba: sba({ destinationAllowlist: undefined }) } }),
  },
  refuses: {
    'a destination that is not listed': ['DESTINATION_MISMATCH', () => ({ terminal: { destination: 'rThief' } })],
    'a destination in another case': ['DESTINATION_MISMATCH', () => ({ asked: { destination: 'rstation' } })],
    'an SPA to a destination that is not listed': [
      'DESTINATION_MISMATCH',
      () => ({ terminal: { destination: undefined }, presented: { spa: spa({ destination: 'rThief' }) } }),
    ],
  },
  skips: { 'no destination is asked for': () => ({ terminal: { destination: undefined } }) },
});

rule('policyGrant.destination', {
  passes: {
    'the grant has no list': () => ({}),
    'the grant lists it': () => ({ presented: { grant: grant({ destinationAllowlist: ['rOther', 'rStation'] }) } }),
    'the grant’s list is empty': () => ({ presented: { grant: grant({ destinationAllowlist: [] }) } }),
  },
  refuses: {
    'the grant does not list it': [
      'DESTINATION_NOT_ALLOWED',
      () => ({ presented: { grant: grant({ destinationAllowlist: ['rOther'] }) } }),
    ],
    'the grant does not list it, and the SBA lists none': [
      'DESTINATION_NOT_ALLOWED',
      () => ({
        presented: { grant: grant({ destinationAllowlist: ['rOther'] }), sba: sba({ destinationAllowlist: [] }) },
      }),
    ],
  },
  skips: {
    'the SBA alone': alone,
    'no destination is asked for': () => ({
      terminal: { destination: undefined },
      presented: { grant: grant({ destinationAllowlist: ['rOther'] }) },
    }),
  },
});

const purposes = () => ({ grant: grant({ allowedPurposes: ['parking', 'ev-charging'] }) });

rule('policyGrant.purpose', {
  passes: {
    'the grant lists the terminal’s': () => ({ presented: purposes() }),
    'the grant lists the terminal’s, in profile human-agent': () => ({
      presented: purposes(),
      configuration: { profile: 'human-agent' },
    }),
  },
  refuses: {
    'the grant does not list the terminal’s': [
      'PURPOSE_NOT_ALLOWED',
      () => ({ presented: purposes(), terminal: { purpose: 'tolls' } }),
    ],
    'the terminal states none, in profile human-agent': [
      'PURPOSE_NOT_ALLOWED',
      () => ({ presented: purposes(), terminal: { purpose: undefined }, configuration: { profile: 'human-agent' } }),
    ],
  },
  skips: {
    'the grant lists none': () => ({}),
    'the terminal states none, in profile lite': () => ({ presented: purposes(), terminal: { purpose: undefined } }),
    'the SBA alone': alone,
  },
});

const gateway = (authorizedGateway: string) => ({ presented: { grant: grant({ authorizedGateway }) } });

rule('policyGrant.gateway', {
  passes: { 'the terminal’s gateway': () => gateway('rGateway') },
  refuses: {
    'another gateway': ['GATEWAY_NOT_AUTHORIZED', () => gateway('rOther')],
    'a terminal at another gateway': [
      'GATEWAY_NOT_AUTHORIZED',
      () => ({ ...gateway('rGateway'), terminal: { gateway: 'rOther' } }),
    ],
  },
  skips: {
    'the grant names none': () => ({}),
    'the terminal states none': () => ({ ...gateway('rOther'), terminal: { gateway: undefined } }),
  },
});

rule('spa.terms', {
  passes: {
    'rail, asset and destination asked for': () => ({ presented: { spa: spa() } }),
    'on another rail without a destination, where none is asked for': () => ({
      presented: {
        grant: grant({ allowedAssets: [] }),
        sba: sba({ allowedRails: ['evm'], allowedAssets: [] }),
        spa: spa({ rail: 'evm', asset: undefined, destination: undefined }),
      },
      terminal: { ...silent, rail: 'evm' },
    }),
    'what the terminal leaves open': () => ({
      presented: { spa: spa() },
      terminal: { rail: undefined, asset: undefined },
    }),
  },
  refuses: {
    'on xrpl without a destination': [
      'DESTINATION_MISMATCH',
      () => ({ presented: { spa: spa({ destination: undefined }) }, terminal: { destination: undefined } }),
    ],
    'another rail than asked for': [
      'RAIL_MISMATCH',
      () => ({ presented: { sba: sba({ allowedRails: ['xrpl', 'evm'] }), spa: spa({ rail: 'evm' }) } }),
    ],
    'another asset than asked for': [
      'ASSET_MISMATCH',
      () => ({
        presented: {
          grant: grant({ allowedAssets: [RLUSD, XRP] }),
          sba: sba({ allowedAssets: [RLUSD, XRP] }),
          spa: spa({ asset: XRP }),
        },
      }),
    ],
    'no asset, where one is asked for': ['ASSET_MISMATCH', () => ({ presented: { spa: spa({ asset: undefined }) } })],
    'another destination than asked for': [
      'DESTINATION_MISMATCH',
      () => ({ presented: { sba: sba({ destinationAllowlist: [] }), spa: spa({ destination: 'rThief' }) } }),
    ],
    'a destination, where none is asked for': [
      'DESTINATION_MISMATCH',
      () => ({ presented: { spa: spa() }, terminal: { destination: undefined } }),
    ],
  },
  skips: { 'no SPA': () => ({}) },
});

const unbound = (changes: Parameters<typeof intent>[0]) => () => ({
  presented: { spa: spa(), settlementIntent: intent(changes) },
});

rule('settlementIntent.terms', {
  passes: {
    'the payment the SPA authorizes': unbound({}),
    'without destination and asset': unbound({ destination: undefined, asset: undefined }),
    'bound by its hash': () => ({ presented: { spa: spaFor(intent()), settlementIntent: intent() } }),
  },
  refuses: {
    'another rail': ['RAIL_MISMATCH', unbound({ rail: 'evm' })],
    'another amount': ['AMOUNT_MISMATCH', unbound({ amount: '1001' })],
    'another destination': ['DESTINATION_MISMATCH', unbound({ destination: 'rThief' })],
    'another asset': ['ASSET_MISMATCH', unbound({ asset: XRP })],
    'another amount, though the SPA has its hash': [
      'AMOUNT_MISMATCH',
      () => ({ presented: { spa: spaFor(intent({ amount: '900' })), settlementIntent: intent({ amount: '900' }) } }),
    ],
  },
  skips: { 'neither SPA nor intent': () => ({}), 'no intent': () => ({ presented: { spa: spa() } }) },
});

rule('settlementIntent.hash', {
  passes: {
    'the SPA has its hash': () => ({ presented: { spa: spaFor(intent()), settlementIntent: intent() } }),
    'createdAt and a hash of its own are not hashed': () => ({
      presented: { spa: spaFor(intent()), settlementIntent: intent({ createdAt: 'any', intentHash: 'wrong' }) },
    }),
    'members that are null are not hashed': () => ({
      presented: { spa: spaFor(intent()), settlementIntent: intent({ referenceId: null }) },
    }),
  },
  refuses: {
    'another reference': [
      'INTENT_HASH_MISMATCH',
      () => ({
        presented: { spa: spaFor(intent({ referenceId: 'a' })), settlementIntent: intent({ referenceId: 'b' }) },
      }),
    ],
    'a member taken out': [
      'INTENT_HASH_MISMATCH',
      () => ({ presented: { spa: spaFor(intent()), settlementIntent: intent({ destination: undefined }) } }),
    ],
    'another version': [
      'INTENT_HASH_MISMATCH',
      () => ({ presented: { spa: spaFor(intent()), settlementIntent: intent({ version: '1.1' }) } }),
    ],
  },
  skips: {
    'no intent': () => ({}),
    'an intent beside an SPA without a hash': unbound({}),
  },
});
