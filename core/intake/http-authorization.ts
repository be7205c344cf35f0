// `Authorization: MPCP <base64(JSON)>` and the gateway's `X-Mpcp-Sba` header, to the bytes of a presentation (INTEROP §6).

import { decodeBase64 } from '../encoding/base64.ts';
import { HEADER_CHARACTERS } from '../limits.ts';
import { type Refusal, refuse } from '../reason-codes.ts';

const SCHEME = 'mpcp';

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

/** The presentation bytes of a bare base64 header value such as `X-Mpcp-Sba`. */
export function presentationFromBase64(value: string | undefined): Uint8Array | Refusal {
  if (typeof value !== 'string') return no('there is no header');
  if (value.length > HEADER_CHARACTERS) return no(`more than ${HEADER_CHARACTERS} characters of base64`);
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
