// Payment addresses. One mistyped character in a signed destination would send money to nobody, so an XRPL address is
// checked by its checksum before anything that names it is signed.

import { isValidClassicAddress, isValidXAddress } from 'ripple-address-codec';

/** Why text is not an XRPL classic address, or undefined where it is one. */
export function xrplAddressProblem(text: string): string | undefined {
  if (isValidClassicAddress(text)) return undefined;
  if (isValidXAddress(text)) return `${text} is an X-address; a classic address (r…) is needed`;
  const form = looksLikeXrplAddress(text)
    ? 'its checksum is wrong'
    : 'it begins with r and has 25 to 35 base58 characters';
  return `${text} is not an XRPL classic address: ${form}`;
}

/** True for text that can only be meant as a classic address, whether its checksum is right or not. */
export function looksLikeXrplAddress(text: string): boolean {
  return /^r[1-9A-HJ-NP-Za-km-z]{24,34}$/.test(text);
}

/** Why text is not an EVM address, or undefined where it is one: 20 bytes of hexadecimal after `0x`. */
export function evmAddressProblem(text: string): string | undefined {
  return /^0x[0-9a-fA-F]{40}$/.test(text) ? undefined : `${text} is not an EVM address: 0x and 40 hexadecimal digits`;
}
