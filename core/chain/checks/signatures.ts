// Signatures: the costly checks, last. Each verifies the bytes as they were received; nothing is stripped first.

import type { Signer } from '../../artifacts/envelope.ts';
import { decodeBase64 } from '../../encoding/base64.ts';
import type { Domain } from '../../hash/domains.ts';
import type { JsonObject } from '../../json/value.ts';
import type { ReasonCode } from '../../reason-codes.ts';
import { check, checkOf, fail, type Outcome, PASS } from '../check.ts';
import type { Payment, SignerKey } from '../payment.ts';
import { proofOf, type VerifiedGrants } from '../verified-grants.ts';

const CLAUSE = 'INTEROP §1, §3 Signature text, Ed25519 acceptance';

/** The grant's signature, over one of the contents its form may have signed. */
export const grantSignature = checkOf('grant', 'policyGrant', 'signature', CLAUSE, (payment) => {
  const grant = payment.artifacts.grant;
  const { verifiedGrants } = payment.context;
  const code = 'POLICY_GRANT_SIGNATURE_INVALID';
  return verify(payment, 'PolicyGrant', grant, payment.keys.grant, grant.signed, code, undefined, verifiedGrants);
});

/** The SBA's signature. */
export const sbaSignature = check('sba', 'signature', CLAUSE, (payment) => {
  const sba = payment.artifacts.sba;
  return verify(payment, 'SBA', sba, payment.keys.sba, [sba.authorization], 'SBA_SIGNATURE_INVALID', payment.sbaDigest);
});

/** The SPA's signature. */
export const spaSignature = checkOf('spa', 'spa', 'signature', CLAUSE, (payment) => {
  const spa = payment.artifacts.spa;
  return verify(payment, 'SPA', spa, payment.keys.spa, [spa.authorization], 'SPA_SIGNATURE_INVALID');
});

/** The fleet policy's signature. */
export const fleetPolicySignature = checkOf(
  'fleetPolicy',
  'fleetPolicyAuthorization',
  'signature',
  CLAUSE,
  (payment) => {
    const fleetPolicy = payment.artifacts.fleetPolicy;
    return verify(
      payment,
      'FPA',
      fleetPolicy,
      payment.keys.fleetPolicy,
      [fleetPolicy.authorization],
      'FPA_SIGNATURE_INVALID',
    );
  },
);

function verify(
  payment: Payment,
  domain: Domain,
  signer: Signer,
  found: SignerKey | undefined,
  candidates: readonly JsonObject[],
  code: ReasonCode,
  ready?: Uint8Array,
  known?: VerifiedGrants,
): Outcome {
  // A missing key is refused where it is looked for; never is a signature skipped because there is none.
  if (found === undefined) return fail('KEY_NOT_FOUND', 'no key');
  if (signer.signature === undefined) return fail(code, 'there is no signature');
  const { crypto, trust } = payment.context;
  let signature: Uint8Array | undefined;
  for (let i = 0; i < candidates.length; i++) {
    const digest = ready ?? payment.digest(domain, candidates[i] as JsonObject);
    const proof = known && proofOf(digest, found.text, signer.signature);
    if (proof !== undefined && known?.includes(proof, trust)) return PASS;
    signature ??= decodeBase64(signer.signature);
    if (signature === undefined) return fail(code, 'the signature is not base64 or base64url');
    if (signature.length !== 64) return fail(code, `the signature has ${signature.length} bytes, not 64`);
    if (!crypto.ed25519Verify(found.key, signature, digest)) continue;
    if (proof !== undefined) known?.add(proof, trust);
    return PASS;
  }
  return fail(code, `key ${signer.issuerKeyId ?? ''} did not make this signature`);
}
