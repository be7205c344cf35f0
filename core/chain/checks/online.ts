// Online: a grant that names an endpoint is asked about there, where the site has that done. Last of all checks: nobody is asked
// for the sake of a payment that is refused anyway, and the address was signed by somebody whom the site lets sign grants.

import { ledgerKey } from '../../ledger/keys.ts';
import { checkOf, type Outcome, skip } from '../check.ts';

const NO_ENDPOINT = Object.freeze(skip('the grant has no revocationEndpoint, or the site has none asked'));

/** The grant's endpoint does not say that it is revoked. */
export const grantOnline = checkOf(
  'grant',
  'policyGrant',
  'online',
  'ARCHITECTURE Revocation online',
  (payment): Outcome => {
    const { revocation, crypto, site } = payment.context;
    const { grant } = payment.artifacts;
    const endpoint = grant.revocationEndpoint;
    if (revocation === undefined || endpoint === undefined) return NO_ENDPOINT;
    if (payment.answered) return skip('answered before, counts already');
    const key = ledgerKey(crypto, 'grant', payment.keys.grant?.text ?? '', grant.grantId);
    return revocation.outcome(grant, endpoint, key, site.driftMs);
  },
);
