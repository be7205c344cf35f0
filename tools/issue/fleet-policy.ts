// FleetPolicyAuthorization (FPA): a fleet operator's limits on top of a grant.

import { z } from 'zod';
import { readFleetPolicy } from '../../core/artifacts/fleet-policy.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { type SignedBy, signFleetPolicy } from '../../host-sim/signing/artifacts.ts';
import * as rule from './rules.ts';
import { type ArtifactKind, signedText } from './signed-artifact.ts';

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

const FLEET_POLICY: ArtifactKind = {
  what: 'fleet policy',
  domain: 'FPA',
  schema: fleetPolicySchema,
  sign: signFleetPolicy,
  read: readFleetPolicy,
};

/** Checks members and signs them. @returns the artifact's JSON text @throws IssueProblem */
export function issueFleetPolicy(members: JsonObject, by: SignedBy, rules: rule.IssueRules): string {
  return signedText(FLEET_POLICY, members, by, rules);
}
