// Amounts: decimal digits of the smallest unit as text, never a float (INTEROP §4).

import { AMOUNT_DIGITS } from '../limits.ts';

/** Fewer digits are a number without loss. */
const SAFE_DIGITS = 16;

/**
 * The amount that text spells: 1 to 38 decimal digits, no sign, no leading zero, above zero. Everything else, and every
 * value that is not text, is undefined. (Upstream takes hexadecimal, blanks and negatives.)
 */
export function amountFrom(value: unknown): bigint | undefined {
  if (typeof value !== 'string') return undefined;
  const { length } = value;
  if (length === 0 || length > AMOUNT_DIGITS) return undefined;
  if (length < SAFE_DIGITS) {
    // What a whole number is written as again are its digits.
    const number = Number(value);
    return number > 0 && Number.isInteger(number) && String(number) === value ? BigInt(number) : undefined;
  }
  for (let i = 0; i < length; i++) {
    const unit = value.charCodeAt(i);
    if (unit < (i === 0 ? 0x31 : 0x30) || unit > 0x39) return undefined;
  }
  return BigInt(value);
}

/** The same for a running total, which may be zero. */
export function totalFrom(value: unknown): bigint | undefined {
  return value === '0' ? 0n : amountFrom(value);
}
