// An honest payment with other members, signed by its wallet as an honest one is: every hash and every signature of it is good.

import type { JsonObject } from '../../core/json/value.ts';
import { intentHash, type SignedEnvelope, signSba, signSpa } from '../signing/artifacts.ts';
import { presentationBytes, type WalletPresentation } from '../wallet/presentation.ts';
import type { HostileContext, Presented } from './cheat.ts';

/** Members that are other than the honest ones. */
export interface Changes {
  readonly budget?: JsonObject;
  readonly payment?: JsonObject;
  readonly intent?: JsonObject;
}

/** See the head of the file. */
export function signedAnew(
  { honest, signer }: Pick<HostileContext, 'honest' | 'signer'>,
  { budget = {}, payment = {}, intent = {} }: Changes,
): WalletPresentation {
  const settlementIntent = { ...(honest.settlementIntent as JsonObject), ...intent };
  const { authorization } = honest.spa as SignedEnvelope;
  return {
    ...honest,
    sba: signSba({ ...honest.sba.authorization, ...budget }, signer),
    spa: signSpa({ ...authorization, ...payment, intentHash: intentHash(settlementIntent) }, signer),
    settlementIntent,
  };
}

/** The payment under a grant of other terms that the authority has signed. */
export function underOtherGrant(context: HostileContext, ending: string, terms: JsonObject): WalletPresentation {
  const grant = context.otherGrant(ending, terms);
  const { grantId } = grant.grant as { grantId: string };
  return { ...signedAnew(context, { budget: { grantId } }), grant };
}

export function presented({ amountMinor }: HostileContext, presentation: WalletPresentation): Presented {
  return { bytes: presentationBytes(presentation), amountMinor };
}
