// FleetPolicyAuthorization (FPA): a fleet operator's limits on top of a grant.

import { z } from 'zod';
import { readFleetPolicy } from '../../core/artifacts/fleet-policy.ts';
import { ArtifactProblem } from '../../core/artifacts/members.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { type SignedBy, signFleetPolicy } from '../../host-sim/signing/artifacts.ts';
import { shaped } from './problem.ts';
import { verifiedText } from './read-back.ts';
import * as rule from './rules.ts';
import { checkSigner } from './signer.ts';

/** What a fleet policy's limits count over. */
export const FLEET_SCOPES = ['SESSION', 'DAY', 'SHIFT'] as const;

/** The members of an FPA's authorization. */
export function fleetPolicySchema(rules: rule.IssueRules) {
  return z.strictObject({
    version: rule.version,
    fleetPolicyId: rule.text,
    fleetId: rule.text,
    actorId: rule.party(rules),
    scope: z.enum(FLEET_SCOPES),
    currency: rule.currency,
    minorUnit: rule.minorUnit,
    maxAmountMinor: rule.amount,
    allowedRails: rule.rails,
    allowedAssets: z.array(z.union([rule.text, rule.asset(rules)])),
    allowedOperators: z.array(rule.text),
    geoFence: z.array(rule.text).optional(),
    expiresAt: rule.expiry(rules),
  });
}

/** Checks members and signs them. @returns the artifact's JSON text @throws IssueProblem */
export function issueFleetPolicy(members: JsonObject, by: SignedBy, rules: rule.IssueRules): string {
  shaped(fleetPolicySchema(rules), members, 'fleet policy');
  checkSigner(by, rules);
  return verifiedText(signFleetPolicy(members, by), 'fleet policy', 'FPA', by.key.publicKey, (value) => {
    const policy = readFleetPolicy(value);
    return policy instanceof ArtifactProblem ? policy : { ...policy, candidates: [policy.authorization] };
  });
}
