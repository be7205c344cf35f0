// Answers of a device's local endpoint, one for each connection: JSON with its length, and the connection is closed. A refused
// payment is 402 with `{error, detail}`, and `error` one of the merchant SDK's names (INTEROP §6, §7).

import { encodeUtf8, utf8Length } from '../encoding/utf8.ts';
import type { JsonValue } from '../json/value.ts';
import { HTTP_RETRY_SECONDS } from '../limits.ts';
import type { ReasonCode, Refusal } from '../reason-codes.ts';
import type { Decision } from '../verifier.ts';

/** A status, and what it is called. */
export type HttpStatus = 200 | 400 | 402 | 404 | 405 | 408 | 413 | 431 | 503;

function phraseOf(status: HttpStatus): string {
  switch (status) {
    case 200:
      return 'OK';
    case 400:
      return 'Bad Request';
    case 402:
      return 'Payment Required';
    case 404:
      return 'Not Found';
    case 405:
      return 'Method Not Allowed';
    case 408:
      return 'Request Timeout';
    case 413:
      return 'Content Too Large';
    case 431:
      return 'Request Header Fields Too Large';
    case 503:
      return 'Service Unavailable';
  }
}

/** The bytes of an answer. @param body JSON data without lone surrogates, or the bytes of a JSON text */
export function httpResponse(status: HttpStatus, body: JsonValue | Uint8Array): Uint8Array {
  const bytes = body instanceof Uint8Array ? body : (encodeUtf8(JSON.stringify(body)) as Uint8Array);
  const head = [
    `HTTP/1.1 ${status} ${phraseOf(status)}`,
    'Content-Type: application/json',
    `Content-Length: ${bytes.length}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  if (status === 405) head.push('Allow: GET, POST');
  if (status === 503) head.push(`Retry-After: ${HTTP_RETRY_SECONDS}`);
  const before = encodeUtf8(`${head.join('\r\n')}\r\n\r\n`) as Uint8Array;
  const whole = new Uint8Array(before.length + bytes.length);
  whole.set(before);
  whole.set(bytes, before.length);
  return whole;
}

/** The answer to a payment: 200 with what was accepted, 402, or 503 where the device has not decided on it. */
export function decisionResponse(decision: Decision): Uint8Array {
  if (!decision.ok) return decision.code === 'DEVICE_BUSY' ? busyResponse() : refusalResponse(decision);
  const { amountMinor, receiptId, repeated, relay } = decision;
  return httpResponse(200, { ok: true, amountMinor, receiptId, repeated, ...(relay && { relay }) });
}

/** The answer where somebody else is served: 503. */
export function busyResponse(): Uint8Array {
  return httpResponse(503, { error: 'the device does not sell just now', reasons: ['DEVICE_BUSY'] });
}

/** The answer to a request that has no payment: 402, as the merchant SDK has it. */
export function noPaymentResponse(): Uint8Array {
  return httpResponse(402, { error: 'sba_invalid', detail: 'No SBA provided in Authorization header or request body' });
}

/** Its detail begins with the reason code, which says more than the merchant SDK's five names. */
function refusalResponse({ code, detail }: Refusal): Uint8Array {
  const text = `${code}: ${detail}`;
  // A text of a payer's that is quoted in it and was cut may have no UTF-8 form.
  return httpResponse(402, { error: merchantError(code), detail: utf8Length(text) < 0 ? code : text });
}

/** The merchant SDK's name for a code; `sba_invalid` where it has none. */
function merchantError(code: ReasonCode): string {
  switch (code) {
    case 'AMOUNT_EXCEEDED':
    case 'GRANT_BUDGET_EXCEEDED':
    case 'OFFLINE_CUMULATIVE_EXCEEDED':
    case 'OFFLINE_SINGLE_EXCEEDED':
    case 'FPA_CAP_EXCEEDED':
      return 'amount_exceeded';
    case 'ARTIFACT_EXPIRED':
      return 'grant_expired';
    case 'DESTINATION_NOT_ALLOWED':
    case 'DESTINATION_MISMATCH':
      return 'destination_not_allowed';
    case 'GRANT_REVOKED':
      return 'grant_revoked';
    default:
      return 'sba_invalid';
  }
}
