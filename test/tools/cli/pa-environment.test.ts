// What the environment may say of a Policy Authority: a file that was read into a variable brings its line break along, and what no
// device would take is told at the start, not with each grant.

import { describe, expect, it } from 'vitest';
import { generateKey, privatePem } from '../../../host-sim/signing/keys.ts';
import { UsageError } from '../../../tools/cli/io.ts';
import { readEnvironment } from '../../../tools/cli/pa-environment.ts';

const VARIABLES = {
  MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM: privatePem(generateKey('')),
  MPCP_ISSUER_DOMAIN: 'pa.example',
};

function read(changes: Record<string, string>) {
  return readEnvironment({ ...VARIABLES, ...changes });
}

describe('line breaks and blanks around a value are not part of it:', () => {
  it.each([' pa.example', 'pa.example\n', 'pa.example\r\n'])('MPCP_ISSUER_DOMAIN %j', (value) => {
    expect(read({ MPCP_ISSUER_DOMAIN: value }).identity.issuer).toBe('pa.example');
  });

  it.each(['pa-key-2\n', ' pa-key-2 '])('MPCP_POLICY_GRANT_SIGNING_KEY_ID %j', (value) => {
    expect(read({ MPCP_POLICY_GRANT_SIGNING_KEY_ID: value }).identity.grantKey.kid).toBe('pa-key-2');
  });

  it.each(['https://pa.example\n', ' https://pa.example/ ', 'https://pa.example//'])(
    'MPCP_REVOCATION_BASE_URL %j',
    (value) => {
      expect(read({ MPCP_REVOCATION_BASE_URL: value }).revocationEndpoint).toBe('https://pa.example/revoke');
    },
  );

  it('lines of a PEM end as they do elsewhere, or are written in one', () => {
    const pem = VARIABLES.MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM;
    const { publicKey } = read({}).identity.grantKey;
    for (const other of [pem.replaceAll('\n', '\r\n'), pem.replaceAll('\n', '\\n'), `\n${pem}\n`])
      expect(read({ MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM: other }).identity.grantKey.publicKey).toEqual(publicKey);
  });
});

it('what is set to nothing, or to blanks, is not set', () => {
  const { identity, revocationEndpoint, adminKeyIsSet } = read({
    MPCP_POLICY_GRANT_SIGNING_KEY_ID: ' ',
    MPCP_REVOCATION_BASE_URL: '\n',
    MPCP_TRUST_BUNDLE_SIGNING_PRIVATE_KEY_PEM: ' ',
    MPCP_ADMIN_KEY: '',
  });
  expect(identity.grantKey.kid).toBe('mpcp-policy-grant-signing-key-1');
  expect(identity.bundleKey).toBe(identity.grantKey);
  expect([revocationEndpoint, adminKeyIsSet]).toEqual([undefined, false]);
});

describe('refused by the name of the variable, and without its value:', () => {
  it.each<[string, string]>([
    ['MPCP_ISSUER_DOMAIN', 'pa\u0007.example'],
    ['MPCP_ISSUER_DOMAIN', 'pa.example other.example'],
    ['MPCP_ISSUER_DOMAIN', 'x'.repeat(1025)],
    ['MPCP_POLICY_GRANT_SIGNING_KEY_ID', 'two words'],
    ['MPCP_POLICY_GRANT_SIGNING_KEY_ID', 'x'.repeat(1025)],
    ['MPCP_REVOCATION_BASE_URL', 'https://name:secret@pa.example'],
    ['MPCP_REVOCATION_BASE_URL', 'https://pa.example/a b'],
    ['MPCP_REVOCATION_BASE_URL', 'https://pa.example/?a=b'],
    ['MPCP_REVOCATION_BASE_URL', 'https://['],
    ['MPCP_REVOCATION_BASE_URL', `https://pa.example/${'x'.repeat(1025)}`],
    ['MPCP_REVOCATION_BASE_URL', 'ftp://pa.example'],
    ['MPCP_ADMIN_KEY', 'secret with blanks in it'],
    ['MPCP_POLICY_GRANT_SIGNING_PRIVATE_KEY_PEM', 'secret'],
    ['MPCP_TRUST_BUNDLE_SIGNING_PRIVATE_KEY_PEM', '{"kty":"OKP","crv":"Ed25519","d":"secret","x":"secret"}'],
  ])('%s', (name, value) => {
    const error = (() => {
      try {
        read({ [name]: value });
        return undefined;
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message).toContain(name);
    expect(message).not.toContain('secret');
    expect(message.length).toBeLessThan(200);
  });
});
