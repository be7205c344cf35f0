// `Authorization: MPCP <base64(JSON)>` and the gateway's `X-Mpcp-Sba` header, to the bytes of a presentation (INTEROP §6).

import { decodeBase64, decodeBase64InPlace } from '../encoding/base64.ts';
import { HEADER_CHARACTERS } from '../limits.ts';
import { type Refusal, refuse } from '../reason-codes.ts';

const SCHEME = 'mpcp';
const TOO_LONG = `more than ${HEADER_CHARACTERS} characters of base64`;

/**
 * The presentation bytes an `Authorization` header value carries. The scheme may be in any case (RFC 9110 §11.1),
 * followed by one or more blanks; base64 and base64url are both read.
 */
export function presentationFromAuthorization(value: string | undefined): Uint8Array | Refusal {
  if (typeof value !== 'string') return no('there is no Authorization header');
  const text = trimBlanks(value, 0);
  if (text.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return no('the scheme is not MPCP');
  const rest = trimBlanks(text, SCHEME.length);
  if (rest.length === 0) return no('there is no value after the scheme');
  if (text[SCHEME.length] !== ' ' && text[SCHEME.length] !== '\t') return no('the scheme is not MPCP');
  return presentationFromBase64(rest);
}

/** True for a header value of the scheme MPCP, whatever it carries. */
export function isMpcpScheme(value: Uint8Array): boolean {
  return afterScheme(value) >= 0;
}

/** Where the scheme MPCP ends in a header value; −1 where it is another one. */
function afterScheme(value: Uint8Array): number {
  let start = 0;
  while (isBlank(value[start])) start++;
  for (let i = 0; i < SCHEME.length; i++)
    // Lower case differs from upper case in one bit.
    if (((value[start + i] ?? 0) | 0x20) !== SCHEME.charCodeAt(i)) return -1;
  start += SCHEME.length;
  return start >= value.length || isBlank(value[start]) ? start : -1;
}

/**
 * The same of a header value that is there as bytes. The presentation takes their place: a device has no room for a long header
 * and for what it carries.
 */
export function presentationFromAuthorizationBytes(value: Uint8Array): Uint8Array | Refusal {
  let start = afterScheme(value);
  if (start < 0) return no('the scheme is not MPCP');
  let end = value.length;
  while (end > start && isBlank(value[end - 1])) end--;
  while (start < end && isBlank(value[start])) start++;
  if (start >= end) return no('there is no value after the scheme');
  return presentationFromHeaderBytes(value.subarray(start, end));
}

/** The presentation bytes of a bare base64 header value that is there as bytes. They take its place. */
export function presentationFromHeaderBytes(value: Uint8Array): Uint8Array | Refusal {
  if (value.length > HEADER_CHARACTERS) return no(TOO_LONG);
  return decodeBase64InPlace(value) ?? no('the value is not base64');
}

function isBlank(code: number | undefined): boolean {
  return code === 0x20 || code === 0x09;
}

/** The presentation bytes of a bare base64 header value such as `X-Mpcp-Sba`. */
export function presentationFromBase64(value: string | undefined): Uint8Array | Refusal {
  if (typeof value !== 'string') return no('there is no header');
  if (value.length > HEADER_CHARACTERS) return no(TOO_LONG);
  return decodeBase64(value) ?? no('the value is not base64');
}

function trimBlanks(text: string, from: number): string {
  let start = from;
  let end = text.length;
  while (start < end && (text[start] === ' ' || text[start] === '\t')) start++;
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return text.slice(start, end);
}

function no(detail: string): Refusal {
  return refuse('presentation', 'authorization.header', 'SBA_INVALID', detail);
}
