// Answers of HTTP/1.1 (RFC 9112) as they come in. Everything is bounded, and what has no certain end is refused: an answer that
// breaks off must not pass for a whole one.

import { asciiText, isAscii } from '../encoding/utf8.ts';
import { HTTP_ANSWER_HEAD_BYTES, HTTP_ANSWER_LINE_BYTES } from '../limits.ts';
import type { HeaderOf } from '../refresh/bundle-fetch.ts';

/** What is told of an answer. */
export interface AnswerSink {
  /** @returns whether the body is wanted */
  answered(status: number, header: HeaderOf): boolean;
  /** @returns whether more is wanted. The bytes are good until it returns */
  take(bytes: Uint8Array): boolean;
}

/** `more`: go on; `whole`: it is over; `unwanted`: the sink wants no more; else why it is no answer. */
export type AnswerState = 'more' | 'whole' | 'unwanted' | { readonly fault: string };

/** Fields that somebody asks for. Others are passed over, however long. */
const WANTED = [
  'content-length',
  'transfer-encoding',
  'content-type',
  'content-encoding',
  'etag',
  'retry-after',
  'date',
  'mpcp-refresh',
];
const LENGTH_DIGITS = 9;
const CHUNK_DIGITS = 6;
const BLANK = 0x20;
const LF = 0x0a;
const CR = 0x0d;

type Part = 'status' | 'fields' | 'body' | 'size' | 'chunk' | 'chunk-end' | 'trailer';

/** Takes the bytes of one connection, which has one answer. */
export class HttpAnswerReader {
  readonly #sink: AnswerSink;
  readonly #line = new Uint8Array(HTTP_ANSWER_LINE_BYTES);
  readonly #fields: { [name: string]: string } = {};
  #part: Part = 'status';
  #end = 0;
  /** True where a line is longer than what of it is kept. */
  #isCut = false;
  #head = 0;
  #status = 0;
  #left = 0;
  #state: AnswerState = 'more';

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** Takes bytes as they come. @returns the state, the same ever after where it is over */
  push(bytes: Uint8Array): AnswerState {
    let at = 0;
    while (at < bytes.length && this.#state === 'more') {
      if (this.#part === 'body' || this.#part === 'chunk') {
        const end = Math.min(at + this.#left, bytes.length);
        this.#body(bytes.subarray(at, end));
        at = end;
      } else {
        const feed = bytes.indexOf(LF, at);
        const end = feed < 0 ? bytes.length : feed + 1;
        this.#keep(bytes.subarray(at, end));
        if (feed >= 0 && this.#state === 'more') this.#lineEnds();
        at = end;
      }
    }
    return this.#state;
  }

  #fault(fault: string): void {
    this.#state = { fault };
  }

  #keep(bytes: Uint8Array): void {
    this.#head += bytes.length;
    if (this.#head > HTTP_ANSWER_HEAD_BYTES) {
      this.#fault(`the head of the answer has more than ${HTTP_ANSWER_HEAD_BYTES} bytes`);
      return;
    }
    const room = HTTP_ANSWER_LINE_BYTES - this.#end;
    if (bytes.length > room) this.#isCut = true;
    this.#line.set(bytes.length > room ? bytes.subarray(0, room) : bytes, this.#end);
    this.#end += Math.min(bytes.length, room);
  }

  #lineEnds(): void {
    let end = this.#end;
    if (!this.#isCut) {
      end--;
      if (end > 0 && this.#line[end - 1] === CR) end--;
    }
    const line = this.#line.subarray(0, end);
    const isCut = this.#isCut;
    this.#end = 0;
    this.#isCut = false;
    if (this.#part === 'status') this.#statusLine(line);
    else if (this.#part === 'fields') {
      if (end === 0) this.#fieldsEnd();
      else this.#field(line, isCut);
    } else if (this.#part === 'size') this.#chunkSize(line);
    else if (this.#part === 'chunk-end') {
      if (end !== 0) this.#fault('a chunk of the answer is longer than it says');
      this.#part = 'size';
    } else if (end === 0) this.#state = 'whole';
  }

  #statusLine(line: Uint8Array): void {
    const text = isAscii(line) ? asciiText(line, 0, line.length) : '';
    const status = text.slice(9, 12);
    const isOne = (text.startsWith('HTTP/1.1 ') || text.startsWith('HTTP/1.0 ')) && isNumber(status, 3);
    if (!isOne || (text.length > 12 && text[12] !== ' ')) {
      this.#fault('it is no answer of HTTP/1.1');
      return;
    }
    this.#status = Number(status);
    this.#part = 'fields';
  }

  #field(line: Uint8Array, isCut: boolean): void {
    const colon = line.indexOf(0x3a);
    // A blank before or behind a name: one reader takes it for the name, another does not.
    if (colon === 0 || (colon < 0 && !isCut) || (line[0] as number) <= BLANK || (line[colon - 1] as number) <= BLANK) {
      this.#fault('a header field without a name');
      return;
    }
    // A name that is longer than any that is wanted is passed over.
    if (colon < 0 || colon > 40) return;
    const name = asciiText(line, 0, colon).toLowerCase();
    if (!WANTED.includes(name)) return;
    const value = line.subarray(colon + 1);
    if (isCut || !isAscii(value)) {
      this.#fault(`the header field ${name} cannot be read`);
      return;
    }
    const text = asciiText(value, 0, value.length).trim();
    for (let i = 0; i < text.length; i++)
      if (text.charCodeAt(i) < 0x20) {
        this.#fault(`the header field ${name} cannot be read`);
        return;
      }
    if (this.#fields[name] !== undefined && this.#fields[name] !== text) {
      this.#fault(`two header fields ${name} that differ`);
      return;
    }
    this.#fields[name] = text;
  }

  #fieldsEnd(): void {
    if (this.#status < 200) {
      // Not the answer yet. What comes is still counted as its head.
      if (this.#status < 100 || this.#status === 101) {
        this.#fault(`the status ${this.#status} was not asked for`);
        return;
      }
      for (const name of WANTED) delete this.#fields[name];
      this.#part = 'status';
      return;
    }
    const header: HeaderOf = (name) => (WANTED.includes(name) ? this.#fields[name] : undefined);
    const hasNoBody = this.#status === 204 || this.#status === 304;
    if (!hasNoBody && !this.#framed()) return;
    if (!this.#sink.answered(this.#status, header)) this.#state = 'unwanted';
    else if (hasNoBody || (this.#part === 'body' && this.#left === 0)) this.#state = 'whole';
  }

  /** How its end is known. */
  #framed(): boolean {
    const length = this.#fields['content-length'];
    const encoding = this.#fields['transfer-encoding'];
    if (encoding !== undefined) {
      if (encoding.toLowerCase() !== 'chunked' || length !== undefined) {
        this.#fault('the answer does not say certainly how long it is');
        return false;
      }
      this.#head = 0;
      this.#part = 'size';
      return true;
    }
    if (length === undefined || !isNumber(length, LENGTH_DIGITS)) {
      this.#fault('the answer does not say how long it is');
      return false;
    }
    this.#left = Number(length);
    this.#part = 'body';
    return true;
  }

  #chunkSize(line: Uint8Array): void {
    let digits = 0;
    this.#left = 0;
    while (digits < line.length) {
      const value = hexValue(line[digits] as number);
      if (value < 0) break;
      this.#left = this.#left * 16 + value;
      if (++digits > CHUNK_DIGITS) break;
    }
    const behind = line[digits];
    // A semicolon begins an extension.
    if (digits === 0 || digits > CHUNK_DIGITS || (behind !== undefined && behind !== 0x3b)) {
      this.#fault('a chunk of the answer does not say how long it is');
      return;
    }
    if (this.#left > 0) this.#head = 0;
    this.#part = this.#left === 0 ? 'trailer' : 'chunk';
  }

  #body(bytes: Uint8Array): void {
    this.#left -= bytes.length;
    if (!this.#sink.take(bytes)) this.#state = 'unwanted';
    else if (this.#left === 0) {
      if (this.#part === 'body') this.#state = 'whole';
      else this.#part = 'chunk-end';
    }
  }
}

function isNumber(text: string, most: number): boolean {
  if (text.length === 0 || text.length > most) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
