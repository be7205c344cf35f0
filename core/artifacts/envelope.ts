// What every signed artifact has around what is signed: issuer, kid, signature.

import { type JsonObject, member } from '../json/value.ts';
import { objectOf, optionalText } from './members.ts';

/** Who signed, as the envelope states it. Nothing here is covered by the signature of an enveloped artifact. */
export interface Signer {
  /** The issuer, where the envelope names one. */
  readonly issuer: string | undefined;
  /** The kid, where the envelope names one. */
  readonly issuerKeyId: string | undefined;
  /** The signature as text; checked when it is used. */
  readonly signature: string | undefined;
}

/** The members of an `{authorization, issuer?, issuerKeyId, signature}` envelope that are used. */
export const ENVELOPE_MEMBERS: readonly string[] = ['authorization', 'issuer', 'issuerKeyId', 'keyId', 'signature'];

/** Reads the signer; `keyId` is the older name of `issuerKeyId` (INTEROP §1). */
export function signerOf(envelope: JsonObject): Signer {
  const signature = member(envelope, 'signature');
  return {
    issuer: optionalText(envelope.issuer, 'issuer'),
    issuerKeyId: optionalText(envelope.issuerKeyId, 'issuerKeyId') ?? optionalText(envelope.keyId, 'keyId'),
    // A signature that is no text is a signature that does not verify, not a shape of its own.
    signature: typeof signature === 'string' ? signature : undefined,
  };
}

/** The signed part of an envelope. */
export function authorizationOf(envelope: JsonObject): JsonObject {
  return objectOf(member(envelope, 'authorization'), 'authorization');
}
