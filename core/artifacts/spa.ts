// SignedPaymentAuthorization (SPA): a wallet's word on one payment under an SBA.

import type { JsonObject, JsonValue } from '../json/value.ts';
import { optionalAsset, type Rail, railMember } from './asset.ts';
import { authorizationOf, type Signer, signerOf } from './envelope.ts';
import {
  type ArtifactProblem,
  amountMember,
  checkVersion,
  expiryMember,
  invalid,
  isLowerHex,
  objectOf,
  optionalText,
  policyHashMember,
  reading,
  textMember,
} from './members.ts';

/** An SPA, read. The amount is in the asset's smallest unit. `nonce` is optional and only hashed (INTEROP §1). */
export interface PaymentAuthorization extends Signer {
  /** What is signed. */
  readonly authorization: JsonObject;
  readonly decisionId: string;
  readonly sessionId: string;
  readonly policyHash: string;
  readonly budgetId: string;
  readonly rail: Rail;
  /** Canonical text. */
  readonly asset: string | undefined;
  readonly amount: bigint;
  readonly destination: string | undefined;
  /** 64 lower-case hexadecimal digits. */
  readonly intentHash: string | undefined;
  readonly expiresAtMs: number;
}

/** Reads an SPA from JSON data; ARTIFACT_INVALID or VERSION_UNSUPPORTED with a sentence where it is not one. */
export function readPaymentAuthorization(value: JsonValue): PaymentAuthorization | ArtifactProblem {
  return reading(() => {
    const envelope = objectOf(value, 'the SPA');
    const authorization = authorizationOf(envelope);
    checkVersion(authorization, true);
    const intentHash = optionalText(authorization.intentHash, 'intentHash');
    if (intentHash !== undefined && !isLowerHex(intentHash, 64, 64)) {
      throw invalid('intentHash is not 64 lower-case hexadecimal digits');
    }
    const signer = signerOf(envelope);
    return {
      issuer: signer.issuer,
      issuerKeyId: signer.issuerKeyId,
      signature: signer.signature,
      authorization,
      decisionId: textMember(authorization.decisionId, 'decisionId'),
      sessionId: textMember(authorization.sessionId, 'sessionId'),
      policyHash: policyHashMember(authorization),
      budgetId: textMember(authorization.budgetId, 'budgetId'),
      rail: railMember(authorization),
      asset: optionalAsset(authorization),
      amount: amountMember(authorization.amount, 'amount'),
      destination: optionalText(authorization.destination, 'destination'),
      intentHash,
      expiresAtMs: expiryMember(authorization),
    };
  });
}
