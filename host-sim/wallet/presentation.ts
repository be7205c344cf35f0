// What a wallet hands to a terminal (INTEROP §6): one object with the artifacts of a payment, as bytes or as the value of
// an `Authorization` header.

import type { JsonObject } from '../../core/json/value.ts';
import { HEADER_CHARACTERS } from '../../core/limits.ts';
import type { SignedEnvelope } from '../signing/artifacts.ts';
import { WalletError } from './errors.ts';
import { isNot, isRecord } from './given.ts';

/** The artifacts of one payment. */
export interface WalletPresentation {
  readonly grant: JsonObject;
  readonly sba: SignedEnvelope;
  readonly spa?: SignedEnvelope;
  readonly settlementIntent?: JsonObject;
  readonly idempotencyKey?: string;
}

/** The presentation as JSON in UTF-8. @throws WalletError where it is none */
export function presentationBytes(presentation: WalletPresentation): Uint8Array {
  if (!isRecord(presentation)) throw new WalletError(`the presentation ${isNot(presentation, 'an object')}`);
  return new TextEncoder().encode(JSON.stringify(presentation));
}

/** The value of an `Authorization` header, `MPCP <base64>`. @throws WalletError where it does not fit into one */
export function presentationHeader(presentation: WalletPresentation): string {
  const value = Buffer.from(presentationBytes(presentation)).toString('base64');
  if (value.length > HEADER_CHARACTERS)
    throw new WalletError(`the presentation takes ${value.length} characters, a header holds ${HEADER_CHARACTERS}`);
  return `MPCP ${value}`;
}
