// The compact form's bytes, as docs/FORMAT.md has them: what a value begins with, and what is written one way and not another.

import { JsonProblem } from './reader.ts';

/** The first byte of a value. Below SMALL it is the number of a known value; of a name, below 192 that of a known name. */
export const SMALL = 0x80;
export const OBJECT = 0xa0;
export const ARRAY = 0xb0;
export const NULL = 0xc0;
export const FALSE = 0xc1;
export const TRUE = 0xc2;
export const WHOLE = 0xc3;
export const NUMBER = 0xc4;
export const AGAIN = 0xc5;
export const TEXT = 0xc6;
export const HEX = 0xc7;
export const UUID = 0xc8;
export const SECONDS = 0xc9;
export const SECONDS_000 = 0xca;
export const MILLISECONDS = 0xcb;
export const DIGITS = 0xcc;
export const DIGIT_PAIRS = 0xcd;
export const BASE64 = 0xce;
export const BASE64_URL = 0xcf;
export const SHORT_TEXT = 0xd0;

/** Whole numbers that are one byte. */
export const SMALL_NUMBERS = OBJECT - SMALL;
/** Members or elements up to this are counted in the first byte; with this in it a byte follows that counts. */
export const COUNT_FOLLOWS = 15;
/** Bytes of text that are counted in the first byte. */
export const SHORT_TEXTS = 0x100 - SHORT_TEXT;
/** Larger whole numbers are written digit by digit, which takes no more bytes. */
export const WHOLE_NUMBERS = 0x20_0000;
/** Texts that can be referred to. */
export const TEXTS = 64;
/** Hexadecimal text of fewer digits is not worth it, and longer text is read slowly on the device. */
export const LEAST_HEX = 4;
export const MOST_HEX = 128;
export const LEAST_BASE64 = 16;
export const LEAST_DIGIT_PAIRS = 4;
/** Digits that fit a double's 53 bits. */
export const DIGITS_OF_A_NUMBER = 15;
export const MOST_DIGITS = 64;
/** Times from 1970 to 2106: seconds in 32 bits. */
export const SECONDS_LIMIT = 0x1_0000_0000;

/** Characters of numbers by four bits; the last ends them. */
export const NIBBLES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '-', '+', 'e', ''];
export const END = 15;
export const LONGEST_NUMBER = 32;
/** Where a reference is shorter. What is noted does not depend on what comes later, so the reader notes the same. */
export function isWorthNoting(texts: readonly string[], bytes: number): boolean {
  return bytes > 2 && texts.length < TEXTS;
}
/** A time as RFC 3339 text in UTC: of 20 characters, without a fraction, or of 24, with milliseconds. */
export function timeText(ms: number, characters: number): string {
  const text = new Date(ms).toISOString();
  return characters === 24 ? text : `${text.slice(0, 19)}Z`;
}

export function limit(at: number, detail: string): JsonProblem {
  return problem('LIMIT_EXCEEDED', at, detail);
}

export function problem(code: JsonProblem['code'], at: number, detail: string): JsonProblem {
  return new JsonProblem(code, at, detail);
}

export function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > 0;
}
