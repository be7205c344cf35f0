// PolicyGrant: the members a Policy Authority signs, in the flat form of the specification or the authority's envelope.

import { z } from 'zod';
import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { readPolicyGrant } from '../../core/artifacts/policy-grant.ts';
import { BUDGET_SCOPES } from '../../core/artifacts/sba.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { type SignedBy, signGrant } from '../../host-sim/signing/artifacts.ts';
import { IssueProblem } from './problem.ts';
import * as rule from './rules.ts';
import { type ArtifactKind, signedText } from './signed-artifact.ts';

/** The form of a signed grant: see `signGrant`. */
export type GrantForm = 'flat' | 'envelope';

/** The members of a grant. */
export function grantSchema(rules: rule.IssueRules) {
  return z
    .strictObject({
      version: rule.version.optional(),
      grantId: rule.text,
      policyHash: rule.policyHash,
      subjectId: rule.party(rules).optional(),
      operatorId: rule.text.optional(),
      scope: z.enum(BUDGET_SCOPES).optional(),
      allowedRails: rule.rails,
      allowedAssets: z.array(rule.asset(rules)).optional(),
      allowedPurposes: z.array(rule.text).optional(),
      destinationAllowlist: z.array(rule.text).optional(),
      expiresAt: rule.expiry(rules),
      budgetMinor: rule.amount.optional(),
      budgetCurrency: rule.text.optional(),
      budgetEscrowRef: rule.text.optional(),
      maxSpend: z
        .strictObject({
          perTxMinor: rule.amount.optional(),
          perSessionMinor: rule.amount.optional(),
          perDayMinor: rule.amount.optional(),
        })
        .optional(),
      offlineMaxSinglePayment: rule.amount.optional(),
      offlineMaxSinglePaymentCurrency: rule.text.optional(),
      offlineMaxCumulativePayment: rule.amount.optional(),
      offlineMaxCumulativePaymentCurrency: rule.text.optional(),
      velocityLimit: rule.velocityLimit.optional(),
      authorizedGateway: rule.xrplAddress(rules).optional(),
      gatewayCredentialIssuer: rule.xrplAddress(rules).optional(),
      gatewayCredentialType: rule.text.optional(),
      merchantCredentialIssuer: rule.xrplAddress(rules).optional(),
      merchantCredentialType: rule.text.optional(),
      subjectCredentialIssuer: rule.xrplAddress(rules).optional(),
      subjectCredentialType: rule.text.optional(),
      activeGrantCredentialIssuer: rule.xrplAddress(rules).optional(),
      revocationEndpoint: rule
        .textRule((url) =>
          URL.canParse(url) && /^https?:\/\/\S+$/.test(url) ? undefined : `${url} is not an http or https URL`,
        )
        .optional(),
      anchorRef: rule.text.optional(),
      requireApproval: z.boolean().optional(),
      reasons: z.array(rule.text).optional(),
    })
    .superRefine((grant, context) => rule.checkDestinations(grant, context, rules));
}

/** Members that the reference drops before it hashes, so that it refuses a grant which has signed them. */
const DROPPED_BY_REFERENCE = ['version', 'subjectId', 'scope', 'requireApproval', 'reasons'];

/** What a grant's issuer should know about the form chosen, or undefined. */
export function grantNote(members: JsonObject, form: GrantForm): string | undefined {
  if (form === 'flat') return undefined;
  const dropped = DROPPED_BY_REFERENCE.filter((name) => members[name] !== undefined);
  if (dropped.length === 0) return undefined;
  return `note: the TypeScript reference does not hash ${dropped.join(', ')}, and refuses an envelope that has signed them`;
}

const GRANT: Omit<ArtifactKind, 'sign'> = {
  what: 'grant',
  domain: 'PolicyGrant',
  schema: grantSchema,
  read: readPolicyGrant,
};

/**
 * Checks members and signs them.
 *
 * @returns the artifact's JSON text
 * @throws IssueProblem
 */
export function issueGrant(members: JsonObject, by: SignedBy, form: GrantForm, rules: rule.IssueRules): string {
  const sign: ArtifactKind['sign'] = (unsigned, signer) => signGrant(unsigned, signer, form);
  return signedText({ ...GRANT, sign }, members, by, rules);
}

/** What an SBA may take over from a grant. @throws IssueProblem where the value is not a grant */
export function termsOfGrant(value: JsonObject): JsonObject {
  const grant = readPolicyGrant(value);
  if (grant instanceof ArtifactProblem) throw new IssueProblem(`not a grant: ${grant.message}`);
  const body = grant.signed[0] as JsonObject;
  return {
    grantId: grant.grantId,
    policyHash: grant.policyHash,
    allowedRails: grant.allowedRails,
    ...(body.allowedAssets ? { allowedAssets: body.allowedAssets } : {}),
    ...(body.destinationAllowlist ? { destinationAllowlist: body.destinationAllowlist } : {}),
  };
}
