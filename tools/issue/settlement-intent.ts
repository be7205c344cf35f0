// SettlementIntent: the payment as it is to be settled. It is not signed; an SPA carries its hash.

import { z } from 'zod';
import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { readSettlementIntent } from '../../core/artifacts/settlement-intent.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { intentHash } from '../../host-sim/signing/artifacts.ts';
import { IssueProblem, shaped } from './problem.ts';
import { artifactText, readBack } from './read-back.ts';
import * as rule from './rules.ts';

/** The members of an intent. `intentHash` and `createdAt` may be there; they are not hashed. */
export function intentSchema(rules: rule.IssueRules) {
  return z
    .strictObject({
      version: rule.version.optional(),
      rail: rule.rail,
      asset: rule.asset(rules).optional(),
      amount: rule.amount,
      destination: rule.text.optional(),
      referenceId: rule.text.optional(),
      createdAt: rule.time.optional(),
      intentHash: rule.hash.optional(),
    })
    .superRefine((intent, context) => {
      const problem =
        intent.destination === undefined
          ? undefined
          : rule.destinationProblem(intent.destination, [intent.rail], rules);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: ['destination'], message: problem });
    });
}

/** Checks an intent's members. @returns its JSON text @throws IssueProblem */
export function intentText(members: JsonObject, rules: rule.IssueRules): string {
  shaped(intentSchema(rules), members, 'intent');
  const text = artifactText(members);
  readBack(text, 'intent');
  return text;
}

/** The hash over the members that count. @throws IssueProblem where a verifier would not take the intent */
export function hashIntent(intent: JsonObject): string {
  readBack(JSON.stringify(intent), 'intent');
  const read = readSettlementIntent(intent);
  if (read instanceof ArtifactProblem) throw new IssueProblem(`not a settlement intent: ${read.message}`);
  return intentHash(intent);
}
