// Signers: each artifact is from an issuer the configuration lets sign it, and its key is known and not revoked. This
// closes the two holes of the published design: wallets that sign grants, and SBAs from any approved issuer.

import type { Signer } from '../../artifacts/envelope.ts';
import { signerText } from '../../ledger/keys.ts';
import { type IssuerRule, type PinnedRole, permits } from '../../trust/configuration.ts';
import { resolveKey } from '../../trust/key-resolution.ts';
import { check, checkOf, fail, type Outcome, PASS } from '../check.ts';
import type { Payment, PaymentContext, SignerKey } from '../payment.ts';

const ROLES = 'INTEROP §3 grantIssuers, sbaIssuers';
const LOOKUP = 'INTEROP §3 Lookup';

/** The grant's key, which `grantIssuers` permits. */
export const grantSigner = checkOf('grant', 'policyGrant', 'signer', `${ROLES}; ${LOOKUP}`, (payment) => {
  const grant = payment.artifacts.grant;
  return signer(payment, 'policyGrant', grant, grant.issuer, payment.context.site.grantIssuers, (key) => {
    payment.keys.grant = key;
  });
});

/** The SBA's key, which `sbaIssuers` permits under this grant's issuer. */
export const sbaSigner = check('sba', 'signer', `${ROLES}; ${LOOKUP}`, (payment) => {
  const sba = payment.artifacts.sba;
  return signer(payment, 'sba', sba, sba.issuer, walletRules(payment), (key) => {
    payment.keys.sba = key;
  });
});

/**
 * The SPA's key: its own issuer's, else the SBA issuer's with the SPA's kid. Only who signed the SBA may sign under it:
 * else one wallet could spend another's budget with a payment authorization of its own. Where wallets share an issuer and
 * a rule lists the kids of each, both kids must be in one rule.
 */
export const spaSigner = checkOf('spa', 'spa', 'signer', `INTEROP §1 SPA; ${LOOKUP}`, (payment) => {
  const { sba, spa } = payment.artifacts;
  // For a key pinned for nobody in particular, the issuer its envelope names is a name and proves nothing.
  const sbaIssuer = payment.keys.sba?.issuer ?? sba.issuer;
  const issuer = spa.issuer ?? sbaIssuer;
  if (issuer !== sbaIssuer) return fail('ISSUER_NOT_PERMITTED', `${issuer} did not sign the SBA`);
  const sbaKid = sba.issuerKeyId ?? '';
  const rules = walletRules(payment).filter((rule) => sbaIssuer !== undefined && permits([rule], sbaIssuer, sbaKid));
  const outcome = signer(payment, 'spa', spa, issuer, rules, (key) => {
    payment.keys.spa = key;
  });
  if (outcome.verdict === 'fail' || sameWallet(payment)) return outcome;
  return fail('ISSUER_NOT_PERMITTED', `key ${spa.issuerKeyId ?? ''} did not sign the SBA`);
});

/** The fleet policy's key. */
export const fleetPolicySigner = checkOf(
  'fleetPolicy',
  'fleetPolicyAuthorization',
  'signer',
  `INTEROP §5 FPA; ${LOOKUP}`,
  (payment) => {
    const fleetPolicy = payment.artifacts.fleetPolicy;
    const rules = payment.context.site.fleetPolicyIssuers;
    return signer(payment, 'fleetPolicyAuthorization', fleetPolicy, fleetPolicy.issuer, rules, (key) => {
      payment.keys.fleetPolicy = key;
    });
  },
);

/**
 * Whether the keys of SBA and SPA are one wallet's: one issuer's, or one key. Of keys pinned for nobody in particular
 * nothing says whose they are; where one of each kind is pinned there is one wallet only.
 */
function sameWallet(payment: Payment): boolean {
  const { sba, spa } = payment.keys;
  if (sba === undefined || spa === undefined) return false;
  if (sba.issuer !== undefined && sba.issuer === spa.issuer) return true;
  if (sba.text === spa.text) return true;
  return sba.issuer === undefined && spa.issuer === undefined && pinsOne(payment, 'sba') && pinsOne(payment, 'spa');
}

function pinsOne(payment: Payment, role: PinnedRole): boolean {
  return payment.context.site.pinnedKeys.filter((key) => key.role === role && key.issuer === undefined).length === 1;
}

/** Who may sign SBAs here: the rules of the grant's issuer, or those of `'*'` where there is no grant. */
function walletRules(payment: Payment): readonly IssuerRule[] {
  const { sbaIssuers } = payment.context.site;
  const grantIssuer = payment.artifacts.grant ? payment.keys.grant?.issuer : '*';
  // A grant key pinned for nobody in particular stands for the site itself: the issuer its grant names may be anybody's.
  return sbaIssuers.get(grantIssuer ?? '*') ?? [];
}

/**
 * Finds the key, and asks the rules about the issuer that is named, and about whom the key belongs to. One pinned for
 * nobody in particular is a permission by itself.
 */
function signer(
  payment: Payment,
  role: PinnedRole,
  artifact: Signer,
  issuer: string | undefined,
  rules: readonly IssuerRule[] | undefined,
  found: (key: SignerKey) => void,
): Outcome {
  const { context } = payment;
  const kid = artifact.issuerKeyId;
  if (issuer !== undefined && rules !== undefined && !permits(rules, issuer, kid ?? '')) {
    return fail('ISSUER_NOT_PERMITTED', `${issuer} may not sign this with ${kid ?? 'no kid'}`);
  }
  const key = keyOf(context, role, issuer, kid);
  if ('verdict' in key) return key;
  // An artifact may leave its issuer out; a pinned key that speaks for one is held to the rules all the same.
  const owner = key.issuer;
  if (issuer === undefined && owner !== undefined && rules !== undefined && !permits(rules, owner, kid ?? '')) {
    return fail('ISSUER_NOT_PERMITTED', `${owner} may not sign this with ${kid ?? 'no kid'}`);
  }
  found(key);
  return PASS;
}

/** The key that an artifact names, or why there is none. */
function keyOf(
  context: PaymentContext,
  role: PinnedRole,
  issuer: string | undefined,
  kid: string | undefined,
): SignerKey | Outcome {
  const { crypto, trust, nowMs, foundKeys } = context;
  const before = kid === undefined ? undefined : foundKeys?.find(role, issuer, kid, trust, nowMs);
  if (before !== undefined) return before;
  const result = resolveKey({ crypto, trust, pinnedKeys: context.site.pinnedKeys, nowMs }, role, issuer, kid);
  if (!result.ok) return fail(result.code, result.detail);
  const key: SignerKey = { key: result.key, text: signerText(result.key), issuer: result.issuer };
  if (kid !== undefined) foundKeys?.add({ role, issuer, kid, key }, trust, nowMs);
  return key;
}
