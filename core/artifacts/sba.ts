// SignedBudgetAuthorization (SBA): a wallet's ceiling for one session under a grant.

import type { JsonObject, JsonValue } from '../json/value.ts';
import { MINOR_UNIT_PLACES } from '../limits.ts';
import { assetsMember, type Rail, railsMember } from './asset.ts';
import { authorizationOf, type Signer, signerOf } from './envelope.ts';
import {
  type ArtifactProblem,
  amountMember,
  checkVersion,
  expiryMember,
  integerMember,
  invalid,
  objectOf,
  policyHashMember,
  reading,
  textList,
  textMember,
} from './members.ts';

/** What a budget counts over. A device keeps count of SESSION and TRIP (INTEROP §4). */
export const BUDGET_SCOPES = Object.freeze(['SESSION', 'DAY', 'VEHICLE', 'FLEET', 'TRIP'] as const);
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

/** An SBA, read. Amounts are in its minor unit. */
export interface SessionBudget extends Signer {
  /** What is signed. */
  readonly authorization: JsonObject;
  readonly budgetId: string;
  readonly grantId: string;
  readonly sessionId: string;
  readonly actorId: string;
  readonly policyHash: string;
  /** ISO 4217, three upper-case letters. */
  readonly currency: string;
  /** Decimal places of the minor unit. */
  readonly minorUnit: number;
  readonly budgetScope: BudgetScope;
  readonly maxAmountMinor: bigint;
  /** Empty allows no rail. */
  readonly allowedRails: readonly Rail[];
  /** Canonical texts; empty restricts nothing. */
  readonly allowedAssets: readonly string[];
  readonly destinationAllowlist: readonly string[];
  readonly expiresAtMs: number;
}

/** Reads an SBA from JSON data; ARTIFACT_INVALID or VERSION_UNSUPPORTED with a sentence where it is not one. */
export function readSessionBudget(value: JsonValue): SessionBudget | ArtifactProblem {
  return reading(() => {
    const envelope = objectOf(value, 'the SBA');
    const authorization = authorizationOf(envelope);
    checkVersion(authorization, true);
    const signer = signerOf(envelope);
    return {
      issuer: signer.issuer,
      issuerKeyId: signer.issuerKeyId,
      signature: signer.signature,
      authorization,
      budgetId: textMember(authorization.budgetId, 'budgetId'),
      grantId: textMember(authorization.grantId, 'grantId'),
      sessionId: textMember(authorization.sessionId, 'sessionId'),
      actorId: textMember(authorization.actorId, 'actorId'),
      policyHash: policyHashMember(authorization),
      currency: currencyMember(authorization),
      minorUnit: integerMember(authorization.minorUnit, 'minorUnit', 0, MINOR_UNIT_PLACES),
      budgetScope: scopeMember(authorization),
      maxAmountMinor: amountMember(authorization.maxAmountMinor, 'maxAmountMinor'),
      allowedRails: railsMember(authorization),
      allowedAssets: assetsMember(authorization),
      destinationAllowlist: textList(authorization.destinationAllowlist, 'destinationAllowlist'),
      expiresAtMs: expiryMember(authorization),
    };
  });
}

/** An ISO 4217 code. */
export function currencyMember(object: JsonObject): string {
  const text = textMember(object.currency, 'currency');
  if (!isCurrency(text)) throw invalid('currency is not three upper-case letters');
  return text;
}

/** True for three upper-case letters. */
export function isCurrency(text: unknown): text is string {
  if (typeof text !== 'string' || text.length !== 3) return false;
  for (let i = 0; i < 3; i++) if (text.charCodeAt(i) < 0x41 || text.charCodeAt(i) > 0x5a) return false;
  return true;
}

function scopeMember(object: JsonObject): BudgetScope {
  const scope = textMember(object.budgetScope, 'budgetScope');
  switch (scope) {
    case 'SESSION':
    case 'DAY':
    case 'VEHICLE':
    case 'FLEET':
    case 'TRIP':
      return scope;
    default:
      throw invalid('budgetScope is not one of SESSION, DAY, VEHICLE, FLEET, TRIP');
  }
}
