// What a grant's revocation endpoint says, where the site has it asked and there is a network.

import type { RevocationConfiguration } from '../../../../core/refresh/settings.ts';
import { grant, present } from '../../../fixtures/artifacts.ts';
import { ASKED, type Device } from '../../../fixtures/device.ts';
import { rule, type Situation } from '../rule.ts';

const WITH_ENDPOINT = { revocationEndpoint: 'https://pa.example/revoke' };

/** A grant with an endpoint at a site that has it asked, and what was answered before. */
function asked(
  answer: string | undefined,
  settings: Partial<RevocationConfiguration> = {},
  members: Record<string, unknown> = {},
): Situation {
  const presented = { grant: grant({ ...WITH_ENDPOINT, ...members }) };
  const before = ({ verifier }: Device): void => {
    const { revocation } = verifier;
    if (revocation === undefined) throw new Error('the site has nothing asked');
    revocation.linkUp = true;
    verifier.check(present(presented), ASKED);
    const { question } = revocation;
    if (answer === undefined || question === undefined) return;
    if (answer === '') revocation.failed(question, 'no answer');
    else revocation.answered(question, 200, () => undefined, Buffer.from(answer));
  };
  return { presented, configuration: { revocation: { hosts: ['pa.example'], ...settings } }, before };
}

const OTHER_HOST = { hosts: ['other.example'] };

rule('policyGrant.online', {
  passes: {
    'its endpoint says that it is not revoked': () => asked('{"revoked":false}'),
    'nobody answers, and the site accepts that': () => asked('', { onFailure: 'accept' }),
    'nobody answers, the site accepts what the grant limits, and it does': () =>
      asked('', { onFailure: 'accept-offline-caps' }, { offlineMaxCumulativePayment: '5000' }),
    'there is no network': () => ({ ...asked(undefined), before: () => undefined }),
  },
  refuses: {
    'its endpoint was not asked': ['REVOCATION_UNKNOWN', () => asked(undefined)],
    'its endpoint says that it is revoked': ['GRANT_REVOKED', () => asked('{"revoked":true}')],
    'revoked, though the site accepts failures': [
      'GRANT_REVOKED',
      () => asked('{"revoked":true}', { onFailure: 'accept' }),
    ],
    'nobody answers': ['REVOCATION_UNKNOWN', () => asked('')],
    'what is answered says nothing': ['REVOCATION_UNKNOWN', () => asked('{"revoked":"false"}')],
    'nobody answers, and the grant has no limit of its own': [
      'REVOCATION_UNKNOWN',
      () => asked('', { onFailure: 'accept-offline-caps' }, { offlineMaxCumulativePayment: undefined }),
    ],
    'its endpoint is at a host that is not listed': ['REVOCATION_UNKNOWN', () => asked(undefined, OTHER_HOST)],
  },
  skips: {
    'the grant has no endpoint': () => ({ configuration: { revocation: { hosts: ['pa.example'] } } }),
    'the site has none asked': () => ({ presented: { grant: grant(WITH_ENDPOINT) } }),
  },
});
