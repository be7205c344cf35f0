// FleetPolicyAuthorization (FPA): a fleet operator's limits on top of a grant. It can only narrow what the grant allows.

import { isArray, type JsonObject, type JsonValue, member } from '../json/value.ts';
import { assetText, type Rail, railsMember } from './asset.ts';
import { authorizationOf, type Signer, signerOf } from './envelope.ts';
import {
  type ArtifactProblem,
  amountMember,
  checkVersion,
  expiryMember,
  invalid,
  objectOf,
  reading,
  textList,
  textMember,
} from './members.ts';
import { currencyMember } from './sba.ts';

/** An FPA, read. Amounts are in its minor unit. */
export interface FleetPolicy extends Signer {
  /** What is signed. */
  readonly authorization: JsonObject;
  readonly fleetPolicyId: string;
  readonly actorId: string;
  readonly currency: string;
  readonly maxAmountMinor: bigint;
  readonly allowedRails: readonly Rail[];
  /** Canonical texts of assets, or plain strings as the published schema allows; empty restricts nothing. */
  readonly allowedAssets: readonly string[];
  /** Empty allows any operator. */
  readonly allowedOperators: readonly string[];
  readonly expiresAtMs: number;
}

/** Reads an FPA from JSON data; ARTIFACT_INVALID or VERSION_UNSUPPORTED with a sentence where it is not one. */
export function readFleetPolicy(value: JsonValue): FleetPolicy | ArtifactProblem {
  return reading(() => {
    const envelope = objectOf(value, 'the fleet policy');
    const authorization = authorizationOf(envelope);
    checkVersion(authorization, true);
    textMember(authorization.fleetId, 'fleetId');
    checkScope(authorization);
    const signer = signerOf(envelope);
    return {
      issuer: signer.issuer,
      issuerKeyId: signer.issuerKeyId,
      signature: signer.signature,
      authorization,
      fleetPolicyId: textMember(authorization.fleetPolicyId, 'fleetPolicyId'),
      actorId: textMember(authorization.actorId, 'actorId'),
      currency: currencyMember(authorization),
      maxAmountMinor: amountMember(authorization.maxAmountMinor, 'maxAmountMinor'),
      allowedRails: railsMember(authorization),
      allowedAssets: assetNames(authorization),
      allowedOperators: textList(authorization.allowedOperators, 'allowedOperators'),
      expiresAtMs: expiryMember(authorization),
    };
  });
}

function checkScope(object: JsonObject): void {
  const scope = textMember(object.scope, 'scope');
  if (scope !== 'SESSION' && scope !== 'DAY' && scope !== 'SHIFT') {
    throw invalid('scope is not SESSION, DAY or SHIFT');
  }
}

function assetNames(object: JsonObject): readonly string[] {
  const value = member(object, 'allowedAssets');
  if (value === undefined) return [];
  if (!isArray(value)) throw invalid('allowedAssets is not a list');
  return value.map((asset, i) => (typeof asset === 'string' ? asset : assetText(asset, `allowedAssets[${i}]`)));
}
