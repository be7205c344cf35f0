// A fleet policy narrows the grant for the actor that pays.

import { type Changes, fleetPolicy, grant, RLUSD, sba, spa, XRP } from '../../../fixtures/artifacts.ts';
import { rule } from '../rule.ts';

const policy = (changes: Changes = {}, grantChanges: Changes = {}) => ({
  presented: { grant: grant(grantChanges), fleetPolicyAuthorization: fleetPolicy(changes) },
});
const none = { 'no fleet policy': () => ({}) };

rule('fleetPolicyAuthorization.terms', {
  passes: {
    'rails within the grant’s': () => policy(),
    'an asset it lists': () => policy({ allowedAssets: [XRP, RLUSD] }),
    'any asset, where it lists none': () => policy({ allowedAssets: [] }),
    'no rail and no asset asked for': () => ({ ...policy(), terminal: { rail: undefined, asset: undefined } }),
  },
  refuses: {
    'another currency than the terminal’s': ['CURRENCY_MISMATCH', () => policy({ currency: 'USD' })],
    'a rail the grant does not allow': ['RAIL_MISMATCH', () => policy({ allowedRails: ['xrpl', 'stripe'] })],
    'not the rail asked for': ['RAIL_MISMATCH', () => policy({ allowedRails: ['evm'] })],
    'no rail': ['RAIL_MISMATCH', () => policy({ allowedRails: [] })],
    'not the SPA’s rail': [
      'RAIL_MISMATCH',
      () => ({
        presented: { spa: spa(), fleetPolicyAuthorization: fleetPolicy({ allowedRails: ['evm'] }) },
        terminal: { rail: undefined },
      }),
    ],
    'not the asset asked for': ['ASSET_MISMATCH', () => policy({ allowedAssets: [XRP] })],
    'an asset by name only': ['ASSET_MISMATCH', () => policy({ allowedAssets: ['RLUSD'] })],
  },
  skips: none,
});

rule('fleetPolicyAuthorization.actor', {
  passes: { 'the actor that pays': () => policy() },
  refuses: {
    'another vehicle’s policy': ['SUBJECT_ACTOR_MISMATCH', () => policy({ actorId: 'rOther' })],
    'another vehicle that pays': [
      'SUBJECT_ACTOR_MISMATCH',
      () => ({ presented: { sba: sba({ actorId: 'rOther' }), fleetPolicyAuthorization: fleetPolicy() } }),
    ],
  },
  skips: none,
});

rule('fleetPolicyAuthorization.operator', {
  passes: { 'the grant’s operator is listed': () => policy({ allowedOperators: ['a', 'b'] }, { operatorId: 'b' }) },
  refuses: {
    'the grant’s operator is not listed': [
      'FPA_OPERATOR_NOT_ALLOWED',
      () => policy({ allowedOperators: ['a', 'b'] }, { operatorId: 'c' }),
    ],
    'operators are listed and the grant names none': [
      'FPA_OPERATOR_NOT_ALLOWED',
      () => policy({ allowedOperators: ['a'] }),
    ],
  },
  skips: {
    ...none,
    'no operators are listed': () => policy({}, { operatorId: 'c' }),
  },
});

rule('fleetPolicyAuthorization.cap', {
  passes: {
    'a cap that is the grant’s budget': () => policy({}, { budgetMinor: '5000' }),
    'a grant without a budget': () => policy(),
    'the amount is the cap': () => policy({ maxAmountMinor: '1000' }),
  },
  refuses: {
    'a cap above the grant’s budget': ['FPA_CAP_EXCEEDED', () => policy({}, { budgetMinor: '4999' })],
    'an amount above the cap': ['AMOUNT_EXCEEDED', () => policy({ maxAmountMinor: '999' })],
  },
  skips: none,
});
