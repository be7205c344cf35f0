// Trust Bundles before they are signed: the published members, and what would make a bundle useless on a device — a key
// nobody could use, an issuer that is not approved, a second entry that is never looked at.

import { z } from 'zod';
import { timeFrom } from '../../core/artifacts/time.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { BUNDLE_LIMITS } from '../../core/limits.ts';
import { admitBundle } from '../../core/trust/admission.ts';
import { signBundle } from '../../host-sim/signing/artifacts.ts';
import { generateKey, KeyError, publicKeyOfJwk, type SigningKey, thumbprint } from '../../host-sim/signing/keys.ts';
import { IssueProblem, shaped } from './problem.ts';
import { artifactText, readBack, readBackCrypto } from './read-back.ts';
import * as rule from './rules.ts';

/** Where a bundle's devices stand. Informational in the protocol; this verifier compares the region. */
export const geography = z.strictObject({
  region: rule.text.optional(),
  countryCodes: z
    .array(
      rule.textRule((code) =>
        /^[A-Z]{2}$/.test(code) ? undefined : `"${code}" is not an ISO 3166 code of two upper-case letters`,
      ),
    )
    .optional(),
});

/** A public JWK that this verifier can use. Further members of RFC 7517 may be there. */
export const publicJwk = z
  .looseObject({ kid: rule.text, active: z.boolean().optional() })
  .superRefine((jwk, context) => {
    const problem = keyProblem(jwk as JsonObject);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

/** The members of a bundle that is about to be signed. An old signature is replaced. */
export function bundleSchema(rules: rule.IssueRules) {
  return z
    .strictObject({
      version: z.literal('1.0'),
      bundleId: rule.text,
      bundleIssuer: rule.party(rules),
      bundleKeyId: rule.text.optional(),
      category: rule.text.optional(),
      merchant: rule.party(rules).optional(),
      geography: geography.optional(),
      approvedIssuers: z.array(rule.party(rules)),
      issuers: z.array(z.strictObject({ issuer: rule.party(rules), keys: z.array(publicJwk) })),
      revokedGrantIds: z.array(rule.text).optional(),
      issuedAt: rule.time.optional(),
      expiresAt: rule.expiry(rules),
      signature: z.string().optional(),
    })
    .superRefine((bundle, context) => {
      const add = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
      bundle.issuers.forEach(({ issuer, keys }, i) => {
        if (!bundle.approvedIssuers.includes(issuer)) add(['issuers', i], `${issuer} is not among approvedIssuers`);
        if (bundle.issuers.findIndex((other) => other.issuer === issuer) !== i) {
          add(['issuers', i], `${issuer} has an entry already, and only the first is looked at`);
        }
        keys.forEach(({ kid }, k) => {
          if (keys.findIndex((other) => other.kid === kid) !== k)
            add(['issuers', i, 'keys', k], `${issuer} has a key ${kid} already`);
        });
      });
      const issued = bundle.issuedAt === undefined ? undefined : timeFrom(bundle.issuedAt);
      const expires = timeFrom(bundle.expiresAt);
      if (issued !== undefined && expires !== undefined && issued >= expires)
        add(['issuedAt'], 'is not before expiresAt');
    });
}

/**
 * Checks a bundle that is not signed yet. It is signed on trial, with a key that nobody keeps, so that what is handed out
 * can be signed and will be admitted.
 *
 * @returns its JSON text
 * @throws IssueProblem
 */
export function unsignedBundleText(bundle: JsonObject, rules: rule.IssueRules): string {
  const { bundleKeyId } = shaped(bundleSchema(rules), bundle, 'bundle');
  const trial = generateKey('');
  issueBundle(bundle, { ...trial, kid: bundleKeyId ?? thumbprint(trial.publicKey) }, rules);
  return JSON.stringify(bundle, null, 2);
}

/**
 * Checks a bundle and signs it; the result has been admitted by the core's own admission.
 *
 * @returns its JSON text
 * @throws IssueProblem
 */
export function issueBundle(bundle: JsonObject, key: SigningKey, rules: rule.IssueRules): string {
  const members = shaped(bundleSchema(rules), bundle, 'bundle');
  if (members.bundleKeyId !== undefined && members.bundleKeyId !== key.kid) {
    throw new IssueProblem(
      `bundle: bundleKeyId is ${members.bundleKeyId}, the key's kid is ${key.kid}; sign with --kid ${members.bundleKeyId}, or leave bundleKeyId out`,
    );
  }
  const text = artifactText(signBundle(bundle, key), BUNDLE_LIMITS);
  readBack(text, 'bundle', BUNDLE_LIMITS);
  const admitted = admitBundle(Buffer.from(text), {
    crypto: readBackCrypto,
    rootKeys: [{ kid: key.kid, publicKey: key.publicKey }],
    scope: {},
    // One that is made for a test may be expired already; everything else about it must be right.
    nowMs: Math.min(rules.nowMs, (timeFrom(members.expiresAt) as number) - 1),
    newest: () => undefined,
  });
  if ('ok' in admitted) throw new IssueProblem(`bundle: ${admitted.detail} (${admitted.code})`);
  return text;
}

function keyProblem(jwk: JsonObject): string | undefined {
  try {
    const key = publicKeyOfJwk(jwk);
    if (key.isPrivate) return 'it is a private key; a bundle carries public ones';
    return readBackCrypto.ed25519KeyUsable(key.publicKey) ? undefined : 'the key is not a usable point of the curve';
  } catch (error) {
    if (error instanceof KeyError) return error.message;
    throw error;
  }
}
