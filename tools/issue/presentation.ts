// A presentation: the artifacts of one payment in the one object that a payer hands over, as a header or a body.

import { readFleetPolicy } from '../../core/artifacts/fleet-policy.ts';
import { ArtifactProblem } from '../../core/artifacts/members.ts';
import { readPolicyGrant } from '../../core/artifacts/policy-grant.ts';
import { readSessionBudget } from '../../core/artifacts/sba.ts';
import { readSettlementIntent } from '../../core/artifacts/settlement-intent.ts';
import { readPaymentAuthorization } from '../../core/artifacts/spa.ts';
import { readPresentation } from '../../core/intake/presentation.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { HEADER_CHARACTERS } from '../../core/limits.ts';
import { IssueProblem } from './problem.ts';
import { readBack } from './read-back.ts';

/** The artifacts of a payment as JSON data. */
export interface PresentedArtifacts {
  readonly grant?: JsonObject | undefined;
  readonly sba: JsonObject;
  readonly spa?: JsonObject | undefined;
  readonly settlementIntent?: JsonObject | undefined;
  readonly fleetPolicyAuthorization?: JsonObject | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** The members of a presentation that are artifacts. */
export type ArtifactName = Exclude<keyof PresentedArtifacts, 'idempotencyKey'>;

const READERS: { readonly [name in ArtifactName]: (value: JsonValue) => unknown } = {
  grant: readPolicyGrant,
  sba: readSessionBudget,
  spa: readPaymentAuthorization,
  settlementIntent: readSettlementIntent,
  fleetPolicyAuthorization: readFleetPolicy,
};

/** An artifact that a device would read. @throws IssueProblem naming it, and why not */
export function presentable(name: ArtifactName, value: JsonObject): JsonObject {
  readBack(JSON.stringify(value), name);
  const problem = READERS[name](value);
  if (problem instanceof ArtifactProblem) throw new IssueProblem(`${name}: ${problem.message}`);
  return value;
}

/** The presentation's JSON on one line, read back as a device would. @throws IssueProblem naming the artifact */
export function presentationText(artifacts: PresentedArtifacts): string {
  for (const name of Object.keys(READERS) as ArtifactName[]) {
    const value = artifacts[name];
    if (value !== undefined) presentable(name, value);
  }
  const text = JSON.stringify(artifacts);
  const read = readPresentation(Buffer.from(text));
  if ('ok' in read) throw new IssueProblem(`presentation: ${read.detail} (${read.code})`);
  return text;
}

/**
 * `Authorization: MPCP …` for a presentation. An SBA alone is carried bare, as the upstream merchant SDK wants it.
 *
 * @throws IssueProblem naming the artifact, or where a header cannot hold it
 */
export function authorizationHeader(artifacts: PresentedArtifacts): string {
  const text = presentationText(artifacts);
  const alone = Object.values(artifacts).filter((value) => value !== undefined).length === 1;
  const value = Buffer.from(alone ? JSON.stringify(artifacts.sba) : text).toString('base64');
  if (value.length > HEADER_CHARACTERS) {
    throw new IssueProblem(
      `the header would have ${value.length} characters of base64; ${HEADER_CHARACTERS} are allowed, so send it as a body`,
    );
  }
  return `Authorization: MPCP ${value}`;
}
