// SignedBudgetAuthorization (SBA): a wallet's ceiling for one session under a grant.

import { z } from 'zod';
import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { BUDGET_SCOPES, readSessionBudget } from '../../core/artifacts/sba.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { type SignedBy, signSba } from '../../host-sim/signing/artifacts.ts';
import { IssueProblem } from './problem.ts';
import * as rule from './rules.ts';
import { type ArtifactKind, signedText } from './signed-artifact.ts';

/** The members of an SBA's authorization: the published schema, where every one but `scopeId` and the list of destinations is needed. */
export function sbaSchema(rules: rule.IssueRules) {
  return z
    .strictObject({
      version: rule.version,
      budgetId: rule.text,
      grantId: rule.text,
      sessionId: rule.text,
      actorId: rule.party(rules),
      scopeId: rule.text.optional(),
      policyHash: rule.policyHash,
      currency: rule.currency,
      minorUnit: rule.minorUnit,
      budgetScope: z.enum(BUDGET_SCOPES),
      maxAmountMinor: rule.amount,
      allowedRails: rule.rails,
      allowedAssets: z.array(rule.asset(rules)),
      destinationAllowlist: z.array(rule.text).optional(),
      expiresAt: rule.expiry(rules),
    })
    .superRefine((sba, context) => rule.checkDestinations(sba, context, rules));
}

const SBA: ArtifactKind = { what: 'SBA', domain: 'SBA', schema: sbaSchema, sign: signSba, read: readSessionBudget };

/** Checks members and signs them. @returns the artifact's JSON text @throws IssueProblem */
export function issueSba(members: JsonObject, by: SignedBy, rules: rule.IssueRules): string {
  return signedText(SBA, members, by, rules);
}

/** What an SPA takes over from its SBA. @throws IssueProblem where the value is not an SBA */
export function linksOfSba(value: JsonObject): JsonObject {
  const sba = readSessionBudget(value);
  if (sba instanceof ArtifactProblem) throw new IssueProblem(`not an SBA: ${sba.message}`);
  return { budgetId: sba.budgetId, sessionId: sba.sessionId, policyHash: sba.policyHash };
}
