// Requests of HTTP/1.1 (RFC 9112) as they come in, for the local endpoint of a device: GET and POST, a payment in a header or in the
// body. Everything is bounded, and what two programs could take for different requests is refused.

import { asciiText } from '../encoding/utf8.ts';
import {
  HEADER_CHARACTERS,
  HTTP_HEAD_BYTES,
  HTTP_HEADERS,
  HTTP_REQUEST_MS,
  HTTP_TARGET_BYTES,
  PRESENTATION_BYTES,
} from '../limits.ts';
import type { Refusal } from '../reason-codes.ts';
import { isMpcpScheme, presentationFromAuthorizationBytes, presentationFromHeaderBytes } from './http-authorization.ts';

/** A whole request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** As it was sent: a path, perhaps with a query, in visible ASCII. */
  readonly target: string;
  /**
   * The payment: `Authorization: MPCP …`, else `X-Mpcp-Sba`, else the body; a refusal where there is a header and no payment in it;
   * undefined where there is neither. A view of the reader's memory.
   */
  readonly presentation: Uint8Array | Refusal | undefined;
}

/** Why bytes are no request: the status to answer with. Nothing more is read then. */
export interface HttpFault {
  readonly status: 400 | 405 | 408 | 413 | 431;
  readonly detail: string;
}

const CR = 0x0d;
const LF = 0x0a;
const BLANK = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
/** The longest line: the largest payment in a header, and its name. */
const LINE_BYTES = HEADER_CHARACTERS + 64;

/** Takes the bytes of one connection, which has one request. Its memory is allocated once. */
export class HttpRequestReader {
  /** The payment of a header, where there is one; behind it the line that is coming in, or the body. */
  readonly #buffer = new Uint8Array(LINE_BYTES);
  readonly #beganMs: number;
  #kept = 0;
  #end = 0;
  #head = 0;
  #headers = -1;
  #hosts = 0;
  #method: 'GET' | 'POST' = 'GET';
  #target = '';
  /** What the header with the payment says, where there is one. */
  #fromHeader: Uint8Array | Refusal | undefined;
  #length: number | undefined;
  #inBody = false;
  #done: HttpRequest | HttpFault | undefined;

  /** @param nowMs monotonic time: the request must be there HTTP_REQUEST_MS later */
  constructor(nowMs: number) {
    this.#beganMs = nowMs;
  }

  /**
   * Takes bytes as they come, none to see whether it is too late.
   *
   * @returns the request, or the fault, the same ever after; undefined while more must come
   */
  push(bytes: Uint8Array, nowMs: number): HttpRequest | HttpFault | undefined {
    if (this.#done !== undefined) return this.#done;
    if (nowMs - this.#beganMs > HTTP_REQUEST_MS) return this.#fault(408, 'the request did not come in time');
    let at = 0;
    while (at < bytes.length && this.#done === undefined && !this.#inBody) {
      const feed = bytes.indexOf(LF, at);
      const end = feed < 0 ? bytes.length : feed + 1;
      this.#add(bytes.subarray(at, end));
      if (feed >= 0 && this.#done === undefined) this.#line();
      at = end;
    }
    if (this.#inBody && this.#done === undefined) this.#body(bytes.subarray(at));
    return this.#done;
  }

  #fault(status: HttpFault['status'], detail: string): HttpFault {
    const fault = { status, detail };
    this.#done = fault;
    return fault;
  }

  #add(bytes: Uint8Array): void {
    this.#head += bytes.length;
    if (this.#head > HTTP_HEAD_BYTES || this.#end + bytes.length > this.#buffer.length) {
      this.#fault(431, 'the head of the request is too long');
      return;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** A line with its end. */
  #line(): void {
    const line = this.#buffer.subarray(this.#kept, this.#end - 1);
    this.#end = this.#kept;
    if (line[line.length - 1] !== CR) {
      this.#fault(400, 'a line ends without CR');
      return;
    }
    const text = line.subarray(0, line.length - 1);
    if (!isPlain(text)) this.#fault(400, 'a control character in the head');
    else if (this.#headers < 0) this.#requestLine(text);
    else if (text.length > 0) this.#header(text);
    else this.#headEnds();
  }

  #requestLine(line: Uint8Array): void {
    this.#headers = 0;
    const first = line.indexOf(BLANK);
    const second = line.indexOf(BLANK, first + 1);
    if (first < 0 || second < 0 || asciiText(line, second + 1, line.length) !== 'HTTP/1.1') {
      this.#fault(400, 'the first line is not that of an HTTP/1.1 request');
      return;
    }
    if (second - first - 1 > HTTP_TARGET_BYTES) {
      this.#fault(431, `a target of more than ${HTTP_TARGET_BYTES} bytes`);
      return;
    }
    const target = line.subarray(first + 1, second);
    if (target[0] !== 0x2f || !target.every(isVisible)) {
      this.#fault(400, 'the target is no path');
      return;
    }
    const method = asciiText(line, 0, Math.min(first, 8));
    if (method !== 'GET' && method !== 'POST') {
      this.#fault(405, 'the method is neither GET nor POST');
      return;
    }
    this.#method = method;
    this.#target = asciiText(target, 0, target.length);
  }

  #header(line: Uint8Array): void {
    if (++this.#headers > HTTP_HEADERS) {
      this.#fault(431, `more than ${HTTP_HEADERS} header fields`);
      return;
    }
    const colon = line.indexOf(COLON);
    // A blank first would go on with the line before; one before the colon is read differently by others.
    if (colon <= 0 || !isToken(line.subarray(0, colon))) {
      this.#fault(400, 'a header field without a name');
      return;
    }
    let start = colon + 1;
    let end = line.length;
    while (start < end && isBlank(line[start])) start++;
    while (end > start && isBlank(line[end - 1])) end--;
    const value = line.subarray(start, end);
    // No name that matters is longer.
    switch (colon > 20 ? '' : asciiText(line, 0, colon).toLowerCase()) {
      case 'host':
        if (++this.#hosts > 1) this.#fault(400, 'more than one Host');
        break;
      case 'transfer-encoding':
        this.#fault(400, 'Transfer-Encoding is not taken');
        break;
      case 'content-length':
        this.#contentLength(value);
        break;
      case 'authorization':
        // Another scheme is somebody else's: a gateway's own credentials carry no payment.
        if (isMpcpScheme(value)) this.#keep(presentationFromAuthorizationBytes(value));
        break;
      case 'x-mpcp-sba':
        this.#keep(presentationFromHeaderBytes(value));
        break;
    }
  }

  #contentLength(value: Uint8Array): void {
    // Twice, though equal, is a list, which not everybody reads alike.
    if (this.#length !== undefined || value.length === 0 || !value.every(isDigit)) {
      this.#fault(400, 'Content-Length is not one number');
      return;
    }
    this.#length = value.length > 9 ? Infinity : Number(asciiText(value, 0, value.length));
    if (this.#length > PRESENTATION_BYTES) this.#fault(413, `a body of more than ${PRESENTATION_BYTES} bytes`);
  }

  /** Decoded at once: it leaves more room for what follows. */
  #keep(fromHeader: Uint8Array | Refusal): void {
    if (this.#fromHeader !== undefined) {
      this.#fault(400, 'more than one header field with a payment');
      return;
    }
    if ('ok' in fromHeader) {
      this.#fromHeader = fromHeader;
      return;
    }
    this.#kept = fromHeader.length;
    this.#end = this.#kept;
    this.#buffer.set(fromHeader);
    this.#fromHeader = this.#buffer.subarray(0, this.#kept);
  }

  #headEnds(): void {
    const length = this.#length ?? 0;
    if (this.#hosts === 0) this.#fault(400, 'there is no Host');
    else if (length > 0 && this.#method === 'GET') this.#fault(400, 'a GET with a body');
    else if (this.#kept + length > this.#buffer.length) this.#fault(413, 'a payment in a header and in the body');
    else this.#inBody = true;
  }

  #body(bytes: Uint8Array): void {
    const length = this.#length ?? 0;
    const missing = length - (this.#end - this.#kept);
    const more = bytes.length > missing ? bytes.subarray(0, missing) : bytes;
    this.#buffer.set(more, this.#end);
    this.#end += more.length;
    if (more.length < missing) return;
    this.#done = { method: this.#method, target: this.#target, presentation: this.#presentation() };
  }

  /** A header that carries none gives way to a body, as the merchant SDK has it. */
  #presentation(): Uint8Array | Refusal | undefined {
    const body = this.#buffer.subarray(this.#kept, this.#end);
    const read = this.#fromHeader;
    return body.length > 0 && (read === undefined || 'ok' in read) ? body : read;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === BLANK || byte === TAB;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isVisible(byte: number): boolean {
  return byte > BLANK && byte < 0x7f;
}

/** True for a field name, RFC 9110 §5.6.2. */
function isToken(bytes: Uint8Array): boolean {
  return bytes.every((byte) => isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) || isTokenMark(byte));
}

function isTokenMark(byte: number): boolean {
  return byte > BLANK && byte < 0x7f && "!#$%&'*+-.^_`|~".includes(String.fromCharCode(byte));
}

/** True without control characters, tabs apart. The engine says so of most text at once: JSON writes those with more characters. */
function isPlain(line: Uint8Array): boolean {
  const text = asciiText(line, 0, line.length);
  return (
    (JSON.stringify(text).length === text.length + 2 && !line.includes(0x7f)) ||
    line.every((byte) => (byte >= BLANK ? byte !== 0x7f : byte === TAB))
  );
}
