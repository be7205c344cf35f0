// PolicyGrant: what a Policy Authority allows a subject to spend. Three forms are on the wire, which differ in what is
// signed (INTEROP §1): an envelope, or flat with or without issuer and issuerKeyId in the signature.

import { isObject, type JsonObject, type JsonValue, member, without } from '../json/value.ts';
import { VELOCITY_WINDOW_SECONDS } from '../limits.ts';
import { assetsMember, type Rail, railsMember } from './asset.ts';
import { type Signer, signerOf } from './envelope.ts';
import {
  type ArtifactProblem,
  checkVersion,
  expiryMember,
  integerMember,
  invalid,
  objectOf,
  optionalAmount,
  optionalText,
  policyHashMember,
  reading,
  textList,
  textMember,
} from './members.ts';

/** At most `maxPayments` in any `windowSeconds`. */
export interface VelocityLimit {
  readonly maxPayments: number;
  readonly windowSeconds: number;
}

/** A PolicyGrant, read. Amounts are in the grant's minor unit; an empty list restricts nothing unless said otherwise. */
export interface PolicyGrant extends Signer {
  /** What may have been signed, in the order it is tried: one candidate for an envelope, two for a flat grant. */
  readonly signed: readonly JsonObject[];
  readonly grantId: string;
  readonly policyHash: string;
  readonly expiresAtMs: number;
  /** Empty allows no rail. */
  readonly allowedRails: readonly Rail[];
  /** Canonical texts. */
  readonly allowedAssets: readonly string[];
  readonly allowedPurposes: readonly string[];
  readonly destinationAllowlist: readonly string[];
  readonly subjectId: string | undefined;
  readonly operatorId: string | undefined;
  readonly authorizedGateway: string | undefined;
  readonly budgetMinor: bigint | undefined;
  readonly budgetCurrency: string | undefined;
  readonly maxPerTxMinor: bigint | undefined;
  readonly offlineMaxSinglePayment: bigint | undefined;
  readonly offlineMaxSinglePaymentCurrency: string | undefined;
  readonly offlineMaxCumulativePayment: bigint | undefined;
  readonly offlineMaxCumulativePaymentCurrency: string | undefined;
  readonly velocityLimit: VelocityLimit | undefined;
  readonly revocationEndpoint: string | undefined;
}

/** Reads a grant from JSON data; ARTIFACT_INVALID or VERSION_UNSUPPORTED with a sentence where it is not one. */
export function readPolicyGrant(value: JsonValue): PolicyGrant | ArtifactProblem {
  return reading(() => {
    const wire = objectOf(value, 'the grant');
    const inner = member(wire, 'grant');
    const body = isObject(inner) ? inner : wire;
    checkVersion(body, false);
    const signer = signerOf(wire);
    if (body !== wire) checkSameSigner(body, signer);
    return {
      issuer: signer.issuer,
      issuerKeyId: signer.issuerKeyId,
      signature: signer.signature,
      signed: body === wire ? flatCandidates(wire) : [body],
      grantId: textMember(body.grantId, 'grantId'),
      policyHash: policyHashMember(body),
      expiresAtMs: expiryMember(body),
      allowedRails: railsMember(body),
      allowedAssets: assetsMember(body),
      allowedPurposes: textList(body.allowedPurposes, 'allowedPurposes'),
      destinationAllowlist: textList(body.destinationAllowlist, 'destinationAllowlist'),
      subjectId: optionalText(body.subjectId, 'subjectId'),
      operatorId: optionalText(body.operatorId, 'operatorId'),
      authorizedGateway: optionalText(body.authorizedGateway, 'authorizedGateway'),
      budgetMinor: optionalAmount(body.budgetMinor, 'budgetMinor'),
      budgetCurrency: optionalText(body.budgetCurrency, 'budgetCurrency'),
      maxPerTxMinor: maxSpend(body),
      offlineMaxSinglePayment: optionalAmount(body.offlineMaxSinglePayment, 'offlineMaxSinglePayment'),
      offlineMaxSinglePaymentCurrency: optionalText(
        body.offlineMaxSinglePaymentCurrency,
        'offlineMaxSinglePaymentCurrency',
      ),
      offlineMaxCumulativePayment: optionalAmount(body.offlineMaxCumulativePayment, 'offlineMaxCumulativePayment'),
      offlineMaxCumulativePaymentCurrency: optionalText(
        body.offlineMaxCumulativePaymentCurrency,
        'offlineMaxCumulativePaymentCurrency',
      ),
      velocityLimit: velocityLimit(body),
      revocationEndpoint: revocationEndpoint(body),
    };
  });
}

/** A grant that was signed flat and put into an envelope keeps the issuer it was signed with: the envelope is not signed. */
function checkSameSigner(body: JsonObject, signer: Signer): void {
  const issuer = optionalText(body.issuer, 'issuer');
  if (issuer !== undefined && issuer !== signer.issuer)
    throw invalid('issuer of the envelope is not the one in the grant');
  const kid = optionalText(body.issuerKeyId, 'issuerKeyId');
  if (kid !== undefined && kid !== signer.issuerKeyId)
    throw invalid('issuerKeyId of the envelope is not the one in the grant');
}

/** The signing inputs of a flat grant: all but the signature (the spec), then also without issuer and kid (the code). */
function flatCandidates(wire: JsonObject): readonly JsonObject[] {
  const bySpec = without(wire, ['signature']);
  const unsigned = member(wire, 'issuer') === undefined && member(wire, 'issuerKeyId') === undefined;
  return unsigned ? [bySpec] : [bySpec, without(wire, ['issuer', 'issuerKeyId', 'signature'])];
}

function maxSpend(body: JsonObject): bigint | undefined {
  const value = member(body, 'maxSpend');
  return value === undefined ? undefined : optionalAmount(objectOf(value, 'maxSpend').perTxMinor, 'perTxMinor');
}

function velocityLimit(body: JsonObject): VelocityLimit | undefined {
  const value = member(body, 'velocityLimit');
  if (value === undefined) return undefined;
  const limit = objectOf(value, 'velocityLimit');
  return {
    maxPayments: integerMember(limit.maxPayments, 'maxPayments', 1, Number.MAX_SAFE_INTEGER),
    windowSeconds: integerMember(limit.windowSeconds, 'windowSeconds', 1, VELOCITY_WINDOW_SECONDS),
  };
}

function revocationEndpoint(body: JsonObject): string | undefined {
  const url = optionalText(body.revocationEndpoint, 'revocationEndpoint');
  if (url === undefined) return undefined;
  const scheme = url.indexOf('://');
  if (scheme < 1 || scheme + 3 >= url.length || url.includes(' ')) throw invalid('revocationEndpoint is not a URL');
  return url;
}
