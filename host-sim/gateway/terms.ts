// What a merchant wants to be paid: the `X-Payment` header of its 402, as the Transparent Gateway Profile shows it. It is
// untrusted text.

import { amountFrom } from '../../core/artifacts/amount.ts';

/** The header, with digits as amount, and a classic address of the XRP Ledger. */
export interface PaymentTerms {
  readonly amount: string;
  readonly currency: string;
  readonly address: string;
}

/** What an address is made of: the alphabet of base58. Whether its checksum is right, whoever settles finds out. */
const ADDRESS = /^r[1-9A-HJ-NP-Za-km-z]{24,34}$/;

/** Reads a header. @returns an error that says what is wrong with it; undefined where there is none */
export function termsIn(header: string | null): PaymentTerms | Error | undefined {
  if (header === null) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(header);
  } catch {
    return new Error('X-Payment is not JSON');
  }
  const { amount, currency, address } = (value ?? {}) as Record<string, unknown>;
  if (typeof amount !== 'string' || amountFrom(amount) === undefined)
    return new Error('X-Payment has no amount in digits');
  if (typeof currency !== 'string' || typeof address !== 'string' || !ADDRESS.test(address))
    return new Error('X-Payment has no currency, or no classic address');
  return { amount, currency, address };
}

/** The header of a merchant. */
export function termsHeader({ amount, currency, address }: PaymentTerms): string {
  return JSON.stringify({ amount, currency, address });
}
