// JSON text in plain form, read by the engine's own parser: on a device that takes a fifteenth of any reader that looks at
// each byte. What the parser is lenient about is ruled out by proof; text without one is for the careful reader.

import { decodeUtf8 } from '../encoding/utf8.ts';
import { type JsonLimits, PLAIN_BRACKETS, PLAIN_BYTES, PLAIN_COMMAS } from '../limits.ts';
import { PAYMENT_NAMES } from './known-names.ts';
import { isQuick } from './numbers.ts';
import type { JsonValue } from './value.ts';

/** What was read from text in plain form, and what is known of that text. */
export interface PlainText {
  readonly value: JsonValue;
  /** Characters of the text, which is ASCII. Counted once: on devices a string does not know its length. */
  readonly length: number;
  readonly text: string;
  /** Commas and opening brackets, those in strings too. */
  readonly commas: number;
  readonly brackets: number;
}

/**
 * Reads text in plain form: exactly as JSON.stringify writes what it says, in ASCII without escapes, and no larger than a
 * usual payment, with numbers that any engine reads and writes right. Then no member appears twice, nothing stands between the
 * tokens and every number is canonical, because what was read would be written differently otherwise. Limits of an artifact are
 * `isWithin`'s business.
 *
 * @returns undefined for all other text, be it JSON or not
 */
export function readPlain(bytes: Uint8Array): PlainText | undefined {
  const { length } = bytes;
  if (length > PLAIN_BYTES) return undefined;
  const text = decodeUtf8(bytes);
  if (text === undefined || text.length !== length || text.includes('\\')) return undefined;
  // Before it is parsed: a device does not survive what is too deep or too much.
  const commas = occurrences(text, ',', PLAIN_COMMAS);
  const brackets = occurrences(text, '{', PLAIN_BRACKETS) + occurrences(text, '[', PLAIN_BRACKETS);
  if (commas > PLAIN_COMMAS || brackets > PLAIN_BRACKETS) return undefined;
  let value: JsonValue;
  try {
    value = parsed(text);
  } catch {
    return undefined;
  }
  return JSON.stringify(value, withoutLongNumbers) === text ? { value, length, text, commas, brackets } : undefined;
}

/**
 * True where plain text shows that its value is within limits. Commas and brackets are taken as if all of them were in one
 * object: false proves nothing.
 *
 * @param around brackets that are not the value's own
 */
export function isWithin(
  { length, text, commas, brackets }: Omit<PlainText, 'value'>,
  limits: JsonLimits,
  around = 0,
): boolean {
  return (
    length <= limits.bytes &&
    commas < limits.members &&
    commas < limits.elements &&
    brackets <= limits.depth + around &&
    // Every value stands behind a comma or a bracket.
    commas + brackets <= limits.values &&
    hasShortStrings(text, length, limits.stringBytes)
  );
}

/** What of plain text is about one of its values. */
export function partOf({ commas, brackets }: PlainText, value: JsonValue): Omit<PlainText, 'value'> {
  const text = JSON.stringify(value);
  return {
    length: text.length,
    text,
    commas: occurrences(text, ',', commas),
    brackets: occurrences(text, '{', brackets) + occurrences(text, '[', brackets),
  };
}

/**
 * On devices the names that may be there are handed to the parser, which leaves out all others: the engine keeps every name
 * that was ever given to a member, and a payer who sends new ones each time would fill its memory. Other engines take that
 * argument for a reviver, and ignore one that is no function.
 */
function parsed(text: string): JsonValue {
  return JSON.parse(text, PAYMENT_NAMES as unknown as undefined);
}

/** Numbers that need the exact conversion (numbers.ts) are not written, and so not proven. Devices call this for every value. */
function withoutLongNumbers(_name: string, value: JsonValue): JsonValue | undefined {
  return typeof value === 'number' && !isQuick(String(value), value) ? undefined : value;
}

/** How often a character is in a text; `most` + 1 where it is more often than that. */
function occurrences(text: string, character: string, most: number): number {
  return text.split(character, most + 2).length - 1;
}

/** True where no more than `most` characters are between two quotes, so that no string is longer. */
function hasShortStrings(text: string, length: number, most: number): boolean {
  let quote = 0;
  while (length - quote > most) {
    const next = text.lastIndexOf('"', quote + most + 1);
    if (next <= quote) return false;
    quote = next;
  }
  return true;
}
