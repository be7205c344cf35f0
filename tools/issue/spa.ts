// SignedPaymentAuthorization (SPA): a wallet's word on one payment under an SBA.

import { z } from 'zod';
import { readPaymentAuthorization } from '../../core/artifacts/spa.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { type SignedBy, signSpa } from '../../host-sim/signing/artifacts.ts';
import * as rule from './rules.ts';
import { type ArtifactKind, signedText } from './signed-artifact.ts';

/** The members of an SPA's authorization. On xrpl and evm a payment without destination or asset would be refused. */
export function spaSchema(rules: rule.IssueRules) {
  return z
    .strictObject({
      version: rule.version,
      decisionId: rule.text,
      sessionId: rule.text,
      policyHash: rule.policyHash,
      budgetId: rule.text,
      quoteId: rule.text,
      rail: rule.rail,
      asset: rule.asset(rules).optional(),
      amount: rule.amount,
      destination: rule.text.optional(),
      intentHash: rule.hash.optional(),
      nonce: rule.text.optional(),
      expiresAt: rule.expiry(rules),
    })
    .superRefine((spa, context) => {
      const onChain = spa.rail === 'xrpl' || spa.rail === 'evm';
      for (const name of ['asset', 'destination'] as const) {
        if (onChain && spa[name] === undefined) {
          context.addIssue({
            code: 'custom',
            path: [name],
            message: `is missing, and a payment on ${spa.rail} needs it`,
          });
        }
      }
      const problem =
        spa.destination === undefined ? undefined : rule.destinationProblem(spa.destination, [spa.rail], rules);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: ['destination'], message: problem });
    });
}

const SPA: ArtifactKind = {
  what: 'SPA',
  domain: 'SPA',
  schema: spaSchema,
  sign: signSpa,
  read: readPaymentAuthorization,
};

/** Checks members and signs them. @returns the artifact's JSON text @throws IssueProblem */
export function issueSpa(members: JsonObject, by: SignedBy, rules: rule.IssueRules): string {
  return signedText(SPA, members, by, rules);
}
