// A gateway's receipts: one for every payment it made, signed, so that whoever gave the budget can hold it to them.

import { createHash, verify as verifySignature } from 'node:crypto';
import { canonicalText } from '../../core/json/canonical.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { publicPem, type SigningKey, sign, type VerificationKey } from '../signing/keys.ts';

/** Stands before what is hashed, as before every signature of MPCP; the published profile names none for receipts. */
const PREFIX = 'MPCP:GatewayReceipt:1.0:';

/** A receipt as the Transparent Gateway Profile shows it. */
export interface GatewayReceipt {
  readonly [member: string]: JsonObject[string];
  readonly receiptId: string;
  readonly sessionId: string;
  readonly amount: { readonly amountMinor: string; readonly currency: string };
  /** The URL that was paid for. */
  readonly merchant: string;
  readonly paidAt: string;
  readonly txRef: string;
  readonly issuerKeyId: string;
  readonly signature: string;
}

/** Signs a receipt: `issuerKeyId` and everything else but the signature. */
export function signReceipt(receipt: JsonObject, key: SigningKey): GatewayReceipt {
  const unsigned = { ...receipt, issuerKeyId: key.kid };
  const signature = Buffer.from(sign(key, digestOf(unsigned))).toString('base64');
  return { ...unsigned, signature } as unknown as GatewayReceipt;
}

/** True where the key signed the receipt as it is. */
export function verifyReceipt(receipt: JsonObject, key: VerificationKey): boolean {
  const { signature, ...unsigned } = receipt;
  if (typeof signature !== 'string' || unsigned.issuerKeyId !== key.kid) return false;
  return verifySignature(null, digestOf(unsigned), publicPem(key), Buffer.from(signature, 'base64'));
}

function digestOf(unsigned: JsonObject): Buffer {
  return createHash('sha256')
    .update(PREFIX + canonicalText(unsigned))
    .digest();
}
