// Who may sign what: the site's roles, then the key. A wallet cannot sign grants, nor under another's SBA.

import type { PinnedRole } from '../../../../core/trust/configuration.ts';
import type { SigningKey } from '../../../../host-sim/signing/keys.ts';
import { bundle, entry, fleetPolicy, grant, revoked, sba, spa } from '../../../fixtures/artifacts.ts';
import {
  FLEET,
  fleet,
  OTHER_PA,
  OTHER_WALLET,
  otherPa,
  otherWallet,
  PA,
  pa,
  stranger,
  testKey,
  WALLET,
  wallet,
} from '../../../fixtures/keys.ts';
import { rule } from '../rule.ts';

const SBA_ONLY = { sbaOnly: { maxAmountMinor: '9000' } };
const pinned = (role: PinnedRole, key: SigningKey, issuer?: string) => ({
  role,
  kid: key.kid,
  publicKey: key.publicKey,
  issuer,
});
const malformed = (kid: string) => ({ kty: 'OKP', crv: 'Ed25519', kid, x: 'AAAA' });
const everyone = [PA, OTHER_PA, WALLET, OTHER_WALLET, FLEET];

/** A bundle that approves everyone and lists these entries. */
const listing = (...issuers: Parameters<typeof entry>[]) => [
  bundle({ issuers: issuers.map((item) => entry(...item)) }),
];

rule('policyGrant.signer', {
  passes: {
    'an issuer the site lists': () => ({}),
    'an issuer with the kid the site lists': () => ({
      configuration: { grantIssuers: [{ issuer: PA, kids: ['pa-1'] }] },
    }),
    'no issuer, and a pinned key with its kid': () => ({
      presented: { grant: grant({}, { issuer: null }) },
      configuration: { sbaIssuers: { '*': [WALLET] }, pinnedKeys: [pinned('policyGrant', pa)] },
    }),
  },
  refuses: {
    'an approved issuer that the site does not list': [
      'ISSUER_NOT_PERMITTED',
      () => ({ presented: { grant: grant({}, { key: otherPa, issuer: OTHER_PA }) } }),
    ],
    'the wallet’s own grant': [
      'ISSUER_NOT_PERMITTED',
      () => ({ presented: { grant: grant({}, { key: wallet, issuer: WALLET }) } }),
    ],
    'nobody is listed': ['ISSUER_NOT_PERMITTED', () => ({ configuration: { grantIssuers: [] } })],
    'the wallet’s key under the Policy Authority’s issuer, where the site lists kids': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { grant: grant({}, { key: wallet }) },
        configuration: { grantIssuers: [{ issuer: PA, kids: ['pa-1'] }] },
        bundles: listing([PA, pa, wallet], [WALLET, wallet]),
      }),
    ],
    'no issuer and no pinned key': ['KEY_NOT_FOUND', () => ({ presented: { grant: grant({}, { issuer: null }) } })],
    'no issuer and a pinned key for another role': [
      'KEY_NOT_FOUND',
      () => ({ presented: { grant: grant({}, { issuer: null }) }, configuration: { pinnedKeys: [pinned('sba', pa)] } }),
    ],
    'a kid the issuer does not have': ['KEY_NOT_FOUND', () => ({ presented: { grant: grant({}, { key: stranger }) } })],
    'no kid': ['KEY_NOT_FOUND', () => ({ presented: { grant: { ...grant(), issuerKeyId: null } } })],
    'a revoked key': ['KEY_REVOKED', () => ({ bundles: listing([PA, revoked(pa)], [WALLET, wallet]) })],
    'a key that cannot be used': [
      'KEY_FORMAT_INVALID',
      () => ({ bundles: listing([PA, malformed('pa-1')], [WALLET, wallet]) }),
    ],
  },
  skips: {
    'the SBA alone': () => ({
      presented: { grant: undefined },
      configuration: { ...SBA_ONLY, sbaIssuers: { '*': [WALLET] } },
    }),
  },
});

const two = { grantIssuers: [PA, OTHER_PA], sbaIssuers: { [PA]: [WALLET], [OTHER_PA]: [OTHER_WALLET] } };

rule('sba.signer', {
  passes: {
    'a wallet the site lists under the grant’s issuer': () => ({}),
    'another wallet, under the issuer it is listed for': () => ({
      presented: {
        grant: grant({}, { key: otherPa, issuer: OTHER_PA }),
        sba: sba({}, { key: otherWallet, issuer: OTHER_WALLET }),
      },
      configuration: two,
    }),
    'the wallet’s kid under the Policy Authority’s issuer': () => ({
      presented: { sba: sba({}, { issuer: PA }) },
      configuration: { sbaIssuers: { [PA]: [{ issuer: PA, kids: ['wallet-1'] }] } },
      bundles: listing([PA, pa, wallet]),
    }),
    'a wallet listed for SBAs alone': () => ({
      presented: { grant: undefined },
      configuration: { ...SBA_ONLY, sbaIssuers: { '*': [WALLET] } },
    }),
    'no issuer, and a pinned key': () => ({
      presented: { sba: sba({}, { issuer: null, key: stranger }) },
      configuration: { pinnedKeys: [pinned('sba', stranger)] },
    }),
    'no issuer, and a pinned key of an issuer that is listed': () => ({
      presented: { sba: sba({}, { issuer: null, key: stranger }) },
      configuration: {
        sbaIssuers: { [PA]: ['stranger.example'] },
        pinnedKeys: [pinned('sba', stranger, 'stranger.example')],
      },
    }),
    'the older name of the kid': () => ({
      presented: { sba: { ...sba(), issuerKeyId: null, keyId: 'wallet-1' } },
    }),
  },
  refuses: {
    'a wallet that is not listed': [
      'ISSUER_NOT_PERMITTED',
      () => ({ presented: { sba: sba({}, { key: otherWallet, issuer: OTHER_WALLET }) } }),
    ],
    'a wallet that is listed under another grant issuer': [
      'ISSUER_NOT_PERMITTED',
      () => ({ presented: { sba: sba({}, { key: otherWallet, issuer: OTHER_WALLET }) }, configuration: two }),
    ],
    'under a grant issuer nothing is listed for': [
      'ISSUER_NOT_PERMITTED',
      () => ({ configuration: { sbaIssuers: { [OTHER_PA]: [WALLET] } } }),
    ],
    'a wallet that is listed for SBAs alone, with a grant': [
      'ISSUER_NOT_PERMITTED',
      () => ({ configuration: { ...SBA_ONLY, sbaIssuers: { '*': [WALLET] } } }),
    ],
    'a wallet that is listed under a grant issuer, without the grant': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { grant: undefined },
        configuration: { ...SBA_ONLY, sbaIssuers: { [PA]: [WALLET], '*': [OTHER_WALLET] } },
      }),
    ],
    'the wallet of an issuer that a grant names without proof, its key being pinned for nobody in particular': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { grant: grant({}, { issuer: 'chosen.example' }) },
        configuration: {
          grantIssuers: ['chosen.example'],
          sbaIssuers: { '*': [OTHER_WALLET], 'chosen.example': [WALLET] },
          pinnedKeys: [pinned('policyGrant', pa)],
        },
      }),
    ],
    'the Policy Authority’s own key, where the site lists kids': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { sba: sba({}, { key: pa, issuer: PA }) },
        configuration: { sbaIssuers: { [PA]: [{ issuer: PA, kids: ['wallet-1'] }] } },
      }),
    ],
    'no issuer, to hide that its pinned key’s issuer is listed under another grant issuer': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { sba: sba({}, { issuer: null, key: stranger }) },
        configuration: {
          ...two,
          sbaIssuers: { [PA]: [WALLET], [OTHER_PA]: ['stranger.example'] },
          pinnedKeys: [pinned('sba', stranger, 'stranger.example')],
        },
      }),
    ],
    'no issuer and no pinned key': ['KEY_NOT_FOUND', () => ({ presented: { sba: sba({}, { issuer: null }) } })],
    'a kid the issuer does not have': ['KEY_NOT_FOUND', () => ({ presented: { sba: sba({}, { key: stranger }) } })],
    'an issuer that no bundle approves': [
      'KEY_NOT_FOUND',
      () => ({ bundles: [bundle({ approvedIssuers: everyone.filter((name) => name !== WALLET) })] }),
    ],
    'a revoked key': ['KEY_REVOKED', () => ({ bundles: listing([PA, pa], [WALLET, revoked(wallet)]) })],
    'a key that cannot be used': [
      'KEY_FORMAT_INVALID',
      () => ({ bundles: listing([PA, pa], [WALLET, malformed('wallet-1')]) }),
    ],
  },
});

const payKey = testKey('pay-1', 80);
const secondWallet = testKey('wallet-2', 81);
const UNLISTED = 'unlisted.example';
const twoPinned = [
  pinned('sba', wallet),
  pinned('spa', wallet),
  pinned('sba', otherWallet),
  pinned('spa', otherWallet),
];

rule('spa.signer', {
  passes: {
    'the wallet that signed the SBA': () => ({ presented: { spa: spa() } }),
    'no issuer: the SBA’s': () => ({ presented: { spa: spa({}, { issuer: null }) } }),
    'another kid of the wallet that signed the SBA': () => ({
      presented: { spa: spa({}, { key: payKey }) },
      bundles: listing([PA, pa], [WALLET, wallet, payKey]),
    }),
    'another kid that the site lists for the wallet that signed the SBA': () => ({
      presented: { spa: spa({}, { key: payKey }) },
      configuration: { sbaIssuers: { [PA]: [{ issuer: WALLET, kids: ['wallet-1', 'pay-1'] }] } },
      bundles: listing([PA, pa], [WALLET, wallet, payKey]),
    }),
    'no issuer on the SBA either, and a pinned key': () => ({
      presented: { sba: sba({}, { issuer: null }), spa: spa({}, { issuer: null, key: payKey }) },
      configuration: { pinnedKeys: [pinned('sba', wallet), pinned('spa', payKey)] },
    }),
    'the SBA’s own key, one of two pinned for nobody in particular, whatever issuer both name': () => ({
      presented: { sba: sba({}, { issuer: UNLISTED }), spa: spa({}, { issuer: UNLISTED }) },
      configuration: { sbaIssuers: { [PA]: [UNLISTED] }, pinnedKeys: twoPinned },
    }),
  },
  refuses: {
    'another wallet, though the site lists it too': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { spa: spa({}, { key: otherWallet, issuer: OTHER_WALLET }) },
        configuration: { sbaIssuers: { [PA]: [WALLET, OTHER_WALLET] } },
      }),
    ],
    'another wallet of the same issuer, where wallets are told apart by kid': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { sba: sba({}, { issuer: PA }), spa: spa({}, { issuer: PA, key: secondWallet }) },
        configuration: {
          sbaIssuers: {
            [PA]: [
              { issuer: PA, kids: ['wallet-1'] },
              { issuer: PA, kids: ['wallet-2'] },
            ],
          },
        },
        bundles: listing([PA, pa, wallet, secondWallet]),
      }),
    ],
    'one of two wallets pinned without issuers, under an SBA of the other': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { sba: sba({}, { issuer: null }), spa: spa({}, { issuer: null, key: otherWallet }) },
        configuration: { pinnedKeys: twoPinned },
      }),
    ],
    'one of two wallets pinned without issuers, both envelopes naming an issuer that no bundle names': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { sba: sba({}, { issuer: UNLISTED }), spa: spa({}, { issuer: UNLISTED, key: otherWallet }) },
        configuration: { sbaIssuers: { [PA]: [UNLISTED] }, pinnedKeys: twoPinned },
      }),
    ],
    'one of two SPA keys pinned without issuers, beside one SBA key': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { sba: sba({}, { issuer: null }), spa: spa({}, { issuer: null, key: payKey }) },
        configuration: { pinnedKeys: [pinned('sba', wallet), pinned('spa', payKey), pinned('spa', otherWallet)] },
      }),
    ],
    'a key pinned without an issuer, under an SBA by a key pinned with one': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { sba: sba({}, { issuer: UNLISTED }), spa: spa({}, { issuer: null, key: payKey }) },
        configuration: {
          sbaIssuers: { [PA]: [UNLISTED] },
          pinnedKeys: [pinned('sba', wallet, UNLISTED), pinned('sba', otherWallet), pinned('spa', payKey)],
        },
      }),
    ],
    'a pinned key of another wallet, under an SBA by a pinned key of nobody in particular': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { sba: sba({}, { issuer: null }), spa: spa({}, { issuer: null, key: stranger }) },
        configuration: {
          sbaIssuers: { [PA]: [WALLET, 'stranger.example'] },
          pinnedKeys: [pinned('sba', wallet), pinned('spa', stranger, 'stranger.example')],
        },
      }),
    ],
    'the Policy Authority': ['ISSUER_NOT_PERMITTED', () => ({ presented: { spa: spa({}, { key: pa, issuer: PA }) } })],
    'an issuer, under an SBA that names none': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { sba: sba({}, { issuer: null }), spa: spa({}, { key: otherWallet, issuer: OTHER_WALLET }) },
        configuration: { sbaIssuers: { [PA]: [WALLET, OTHER_WALLET] }, pinnedKeys: [pinned('sba', wallet)] },
      }),
    ],
    'a kid the SBA’s issuer does not have': [
      'KEY_NOT_FOUND',
      () => ({ presented: { spa: spa({}, { issuer: null, key: stranger }) } }),
    ],
    'a kid that is not listed, where the site lists kids': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { spa: spa({}, { key: payKey }) },
        configuration: { sbaIssuers: { [PA]: [{ issuer: WALLET, kids: ['wallet-1'] }] } },
        bundles: listing([PA, pa], [WALLET, wallet, payKey]),
      }),
    ],
    'a revoked key': [
      'KEY_REVOKED',
      () => ({
        presented: { spa: spa({}, { key: payKey }) },
        bundles: listing([PA, pa], [WALLET, wallet, revoked(payKey)]),
      }),
    ],
    'a key that cannot be used': [
      'KEY_FORMAT_INVALID',
      () => ({
        presented: { spa: spa({}, { key: payKey }) },
        bundles: listing([PA, pa], [WALLET, wallet, malformed('pay-1')]),
      }),
    ],
  },
  skips: { 'no SPA': () => ({}) },
});

rule('fleetPolicyAuthorization.signer', {
  passes: {
    'any approved issuer, where the site lists none: it only narrows': () => ({
      presented: { fleetPolicyAuthorization: fleetPolicy() },
    }),
    'an issuer the site lists': () => ({
      presented: { fleetPolicyAuthorization: fleetPolicy() },
      configuration: { fleetPolicyIssuers: [FLEET] },
    }),
    'no issuer, and a pinned key': () => ({
      presented: { fleetPolicyAuthorization: fleetPolicy({}, { issuer: null, key: stranger }) },
      configuration: { pinnedKeys: [pinned('fleetPolicyAuthorization', stranger)] },
    }),
  },
  refuses: {
    'an issuer the site does not list': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { fleetPolicyAuthorization: fleetPolicy({}, { key: wallet, issuer: WALLET }) },
        configuration: { fleetPolicyIssuers: [FLEET] },
      }),
    ],
    'the wallet, which would write its own, where one is required': [
      'ISSUER_NOT_PERMITTED',
      () => ({
        presented: { fleetPolicyAuthorization: fleetPolicy({}, { key: wallet, issuer: WALLET }) },
        configuration: { requireFleetPolicy: true, fleetPolicyIssuers: [FLEET] },
      }),
    ],
    'no issuer and no pinned key': [
      'KEY_NOT_FOUND',
      () => ({ presented: { fleetPolicyAuthorization: fleetPolicy({}, { issuer: null }) } }),
    ],
    'a kid the issuer does not have': [
      'KEY_NOT_FOUND',
      () => ({ presented: { fleetPolicyAuthorization: fleetPolicy({}, { key: stranger }) } }),
    ],
    'a revoked key': [
      'KEY_REVOKED',
      () => ({
        presented: { fleetPolicyAuthorization: fleetPolicy() },
        bundles: listing([PA, pa], [WALLET, wallet], [FLEET, revoked(fleet)]),
      }),
    ],
    'a key that cannot be used': [
      'KEY_FORMAT_INVALID',
      () => ({
        presented: { fleetPolicyAuthorization: fleetPolicy() },
        bundles: listing([PA, pa], [WALLET, wallet], [FLEET, malformed('fleet-1')]),
      }),
    ],
  },
  skips: { 'no fleet policy': () => ({}) },
});
