// Which artifacts a site wants, and that there is something to check them with.

import { fleetPolicy, GRANT, grant, intent, present, sba, spa, spaFor } from '../../../fixtures/artifacts.ts';
import type { Device } from '../../../fixtures/device.ts';
import { FLEET, pa, WALLET, wallet } from '../../../fixtures/keys.ts';
import { MemoryFlash } from '../../../fixtures/memory-flash.ts';
import { rule } from '../rule.ts';

const SBA_ONLY = { sbaOnly: { maxAmountMinor: '1000' }, sbaIssuers: { '*': [WALLET] } };
const XRPL = {
  allowedRails: ['xrpl'],
  authorizedGateway: 'rGateway',
  velocityLimit: { maxPayments: 9, windowSeconds: 60 },
};
const pinned = (role: 'policyGrant' | 'sba', key: typeof pa) => ({ role, kid: key.kid, publicKey: key.publicKey });
const none = () => ({});

/** A partition that something else was written to. */
function garbage(): MemoryFlash {
  const flash = new MemoryFlash();
  flash.cells.fill(0x5a);
  return flash;
}

rule('device.trust-loaded', {
  passes: {
    'a bundle is loaded': none,
    'no bundle, but pinned keys': () => ({
      bundles: [],
      configuration: { sbaIssuers: { '*': [WALLET] }, pinnedKeys: [pinned('policyGrant', pa), pinned('sba', wallet)] },
    }),
  },
  refuses: {
    'no bundle and no pinned key': ['NO_TRUST_BUNDLE', () => ({ bundles: [] })],
  },
});

rule('device.store', {
  passes: { 'the ledger is sound': none },
  refuses: {
    'the partition holds something that is no ledger': [
      'STORE_FAILED',
      () => ({
        flash: garbage(),
        bundles: [],
        configuration: { pinnedKeys: [pinned('policyGrant', pa), pinned('sba', wallet)] },
      }),
    ],
    'the flash failed while recording an earlier payment': [
      'STORE_FAILED',
      () => ({
        before: (device: Device) => {
          device.flash.fail('program');
          device.authorize(present({ sba: sba({ budgetId: 'earlier' }) }));
          device.flash.recover();
        },
      }),
    ],
  },
});

rule('policyGrant.presented', {
  passes: {
    'a grant is presented': none,
    'no grant, where an SBA alone is allowed, at the site’s cap': () => ({
      presented: { grant: undefined },
      configuration: SBA_ONLY,
    }),
    'a grant is not under the cap for an SBA alone': () => ({
      configuration: { ...SBA_ONLY, sbaIssuers: { '*': [WALLET], 'pa.example': [WALLET] } },
      asked: { amountMinor: '2000' },
    }),
  },
  refuses: {
    'no grant, and nothing is said about SBAs alone': [
      'POLICY_GRANT_NOT_FOUND',
      () => ({ presented: { grant: undefined } }),
    ],
    'a grant that is null is none': ['POLICY_GRANT_NOT_FOUND', () => ({ presented: { grant: null } })],
    'a cap for SBAs alone, but nobody who may sign them': [
      'POLICY_GRANT_NOT_FOUND',
      () => ({ presented: { grant: undefined }, configuration: { sbaOnly: { maxAmountMinor: '1000' } } }),
    ],
    'somebody who may sign SBAs alone, but no cap for them': [
      'POLICY_GRANT_NOT_FOUND',
      () => ({ presented: { grant: undefined }, configuration: { sbaIssuers: { '*': [WALLET] } } }),
    ],
    'one above the site’s cap for an SBA alone': [
      'AMOUNT_EXCEEDED',
      () => ({ presented: { grant: undefined }, configuration: SBA_ONLY, asked: { amountMinor: '1001' } }),
    ],
  },
});

rule('spa.presented', {
  passes: {
    'an SPA in profile full': () => ({
      presented: { spa: spaFor(intent()), settlementIntent: intent() },
      configuration: { profile: 'full' },
    }),
    'an SPA in profile lite': () => ({ presented: { spa: spa() } }),
  },
  refuses: {
    'no SPA in profile full': ['ARTIFACT_INVALID', () => ({ configuration: { profile: 'full' } })],
  },
  skips: {
    'no SPA in profile lite': none,
    'no SPA in profile human-agent': () => ({ configuration: { profile: 'human-agent' } }),
  },
});

rule('settlementIntent.presented', {
  passes: {
    'the intent and its hash, in profile lite': () => ({
      presented: { spa: spaFor(intent()), settlementIntent: intent() },
    }),
    'the intent and its hash, in profile full': () => ({
      presented: { spa: spaFor(intent()), settlementIntent: intent() },
      configuration: { profile: 'full' },
    }),
  },
  refuses: {
    'a hash without its intent': ['INTENT_HASH_MISMATCH', () => ({ presented: { spa: spaFor(intent()) } })],
    'an intent without a hash, in profile full': [
      'INTENT_HASH_MISMATCH',
      () => ({ presented: { spa: spa(), settlementIntent: intent() }, configuration: { profile: 'full' } }),
    ],
    'neither, in profile full': [
      'INTENT_HASH_MISMATCH',
      () => ({ presented: { spa: spa() }, configuration: { profile: 'full' } }),
    ],
    'an intent without an SPA': ['ARTIFACT_INVALID', () => ({ presented: { settlementIntent: intent() } })],
  },
  skips: {
    'neither SPA nor intent': none,
    'an SPA without a hash, in profile lite': () => ({ presented: { spa: spa() } }),
    'an intent beside an SPA without a hash, in profile lite': () => ({
      presented: { spa: spa(), settlementIntent: intent() },
    }),
  },
});

rule('fleetPolicyAuthorization.presented', {
  passes: {
    'one is presented': () => ({ presented: { fleetPolicyAuthorization: fleetPolicy() } }),
    'one is required and presented': () => ({
      presented: { fleetPolicyAuthorization: fleetPolicy() },
      configuration: { requireFleetPolicy: true, fleetPolicyIssuers: [FLEET] },
    }),
  },
  refuses: {
    'one is required and none presented': [
      'ARTIFACT_INVALID',
      () => ({ configuration: { requireFleetPolicy: true, fleetPolicyIssuers: [FLEET] } }),
    ],
    'one without the grant it narrows': [
      'POLICY_GRANT_NOT_FOUND',
      () => ({ presented: { grant: undefined, fleetPolicyAuthorization: fleetPolicy() }, configuration: SBA_ONLY }),
    ],
  },
  skips: { 'none required, none presented': none },
});

rule('policyGrant.strict-xrpl', {
  passes: {
    'a grant as MPCP v1 has it': () => ({ presented: { grant: grant(XRPL) }, configuration: { strictXrpl: true } }),
    'an SBA alone, on xrpl': () => ({
      presented: { grant: undefined },
      configuration: { ...SBA_ONLY, strictXrpl: true },
    }),
  },
  refuses: {
    'two rails': [
      'RAIL_MISMATCH',
      () => ({
        presented: { grant: grant({ ...XRPL, allowedRails: ['xrpl', 'evm'] }) },
        configuration: { strictXrpl: true },
      }),
    ],
    'xrpl twice': [
      'RAIL_MISMATCH',
      () => ({
        presented: { grant: grant({ ...XRPL, allowedRails: ['xrpl', 'xrpl'] }) },
        configuration: { strictXrpl: true },
      }),
    ],
    'another rail': [
      'RAIL_MISMATCH',
      () => ({ presented: { grant: grant({ ...XRPL, allowedRails: ['evm'] }) }, configuration: { strictXrpl: true } }),
    ],
    'no rail': [
      'RAIL_MISMATCH',
      () => ({ presented: { grant: grant({ ...XRPL, allowedRails: [] }) }, configuration: { strictXrpl: true } }),
    ],
    'two rails in the SBA': [
      'RAIL_MISMATCH',
      () => ({
        presented: { grant: grant(XRPL), sba: sba({ allowedRails: ['xrpl', 'evm'] }) },
        configuration: { strictXrpl: true },
      }),
    ],
    'two rails in an SBA alone': [
      'RAIL_MISMATCH',
      () => ({
        presented: { grant: undefined, sba: sba({ allowedRails: ['xrpl', 'evm'] }) },
        configuration: { ...SBA_ONLY, strictXrpl: true },
      }),
    ],
    'no gateway': [
      'ARTIFACT_INVALID',
      () => ({
        presented: { grant: grant({ ...XRPL, authorizedGateway: undefined }) },
        configuration: { strictXrpl: true },
      }),
    ],
    'no velocity limit': [
      'ARTIFACT_INVALID',
      () => ({ presented: { grant: grant({ ...XRPL, velocityLimit: null }) }, configuration: { strictXrpl: true } }),
    ],
    'a revocation endpoint': [
      'ARTIFACT_INVALID',
      () => ({
        presented: { grant: grant({ ...XRPL, revocationEndpoint: 'https://pa.example/revoked' }) },
        configuration: { strictXrpl: true },
      }),
    ],
  },
  skips: {
    'not configured': () => ({
      presented: { grant: grant({ ...GRANT, revocationEndpoint: 'https://pa.example/revoked' }) },
    }),
  },
});
