// Reads the compact binary form of JSON data back from flash. Whatever bytes come, nothing is allocated that they do not hold.

import { encodeBase64, encodeBase64Url } from '../encoding/base64.ts';
import { decodeUtf8 } from '../encoding/utf8.ts';
import { toHex } from '../hash/hex.ts';
import { ARTIFACT_LIMITS } from '../limits.ts';
import { COMPACT_NAMES, COMPACT_VALUES } from './compact-dictionary.ts';
import {
  AGAIN,
  ARRAY,
  BASE64,
  COUNT_FOLLOWS,
  DIGIT_PAIRS,
  DIGITS,
  END,
  FALSE,
  HEX,
  isDigits,
  isWorthNoting,
  LONGEST_NUMBER,
  limit,
  MILLISECONDS,
  MOST_DIGITS,
  NIBBLES,
  NULL,
  NUMBER,
  OBJECT,
  problem,
  SECONDS,
  SECONDS_000,
  SECONDS_LIMIT,
  SHORT_TEXT,
  SMALL,
  TEXT,
  TRUE,
  timeText,
  UUID,
  WHOLE,
} from './compact-format.ts';
import { numberFrom } from './numbers.ts';
import { JsonProblem } from './reader.ts';
import { emptyObject, type JsonValue, memberCount, setMember } from './value.ts';

/** A value that was read, and the byte behind it. */
export interface CompactValue {
  readonly value: JsonValue;
  readonly end: number;
}

/**
 * Reads a value in compact form. Any bytes may come: within ARTIFACT_LIMITS nothing is allocated that they do not hold.
 *
 * @param at the byte at which it begins
 * @param end the byte behind the last that may be read
 * @param texts those that the writer had
 * @returns what was read, or a JsonProblem: LIMIT_EXCEEDED past a limit, ARTIFACT_INVALID for everything else
 */
export function decodeCompact(
  bytes: Uint8Array,
  at: number,
  end: number,
  texts: string[] = [],
): CompactValue | JsonProblem {
  try {
    const reader = new Reader(bytes, at, Math.min(end, bytes.length), texts);
    const value = reader.value();
    return { value, end: reader.at };
  } catch (problem) {
    if (problem instanceof JsonProblem) return problem;
    throw problem;
  }
}
/** An object or array that is being read. */
interface Level {
  readonly object: Record<string, JsonValue> | undefined;
  readonly array: JsonValue[] | undefined;
  /** Members or elements, and how many of them are still to come. */
  readonly count: number;
  left: number;
  /** The name of the member at hand. */
  name: string;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #texts: string[];
  at: number;
  #values = 0;

  constructor(bytes: Uint8Array, at: number, end: number, texts: string[]) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
    this.#texts = texts;
  }

  /** Reads a value and all in it. In a loop, as it is written. */
  value(): JsonValue {
    const first = this.#byte();
    if (first < OBJECT || first >= NULL) return this.#single(first);
    const around: Level[] = [];
    let level = this.#level(first);
    for (;;) {
      let value: JsonValue;
      if (level.left > 0) {
        level.left--;
        if (level.array === undefined) level.name = this.#name();
        const next = this.#byte();
        if (next >= OBJECT && next < NULL) {
          around.push(level);
          if (around.length >= ARTIFACT_LIMITS.depth)
            throw limit(this.at, `nested more than ${ARTIFACT_LIMITS.depth} deep`);
          level = this.#level(next);
          continue;
        }
        value = this.#single(next);
      } else {
        const { object, count } = level;
        if (object !== undefined && memberCount(object) !== count) throw this.#invalid('a member appears twice');
        value = object ?? (level.array as JsonValue[]);
        const outer = around.pop();
        if (outer === undefined) return value;
        level = outer;
      }
      if (level.array !== undefined) level.array.push(value);
      else if (value === null) throw this.#invalid('a member that is null');
      else setMember(level.object as Record<string, JsonValue>, level.name, value);
    }
  }

  /** What is no object and no array, behind its first byte. */
  #single(first: number): JsonValue {
    if (first < SMALL) return this.#known(COMPACT_VALUES, first);
    if (first < OBJECT) return first - SMALL;
    switch (first) {
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case WHOLE:
        return this.#varint();
      case NUMBER:
        return this.#number();
      case AGAIN:
        return this.#again();
      default: {
        const start = this.at - 1;
        return this.#noted(this.#text(first), start);
      }
    }
  }

  /** Begins an object or array, behind its first byte. */
  #level(first: number): Level {
    const isObject = first < ARRAY;
    const counted = first - (isObject ? OBJECT : ARRAY);
    const count = counted < COUNT_FOLLOWS ? counted : this.#byte();
    const most = isObject ? ARTIFACT_LIMITS.members : ARTIFACT_LIMITS.elements;
    this.#values += count;
    if (count > most || this.#values > ARTIFACT_LIMITS.values) throw limit(this.at, 'more values than an artifact has');
    return isObject
      ? { object: emptyObject(), array: undefined, count, left: count, name: '' }
      : { object: undefined, array: [], count, left: count, name: '' };
  }

  #name(): string {
    const start = this.at;
    const first = this.#byte();
    if (first < NULL) return this.#known(COMPACT_NAMES, first);
    if (first === AGAIN) return this.#again();
    if (first !== TEXT && first < SHORT_TEXT) throw this.#invalid('not a name');
    return this.#noted(this.#text(first), start);
  }

  #known(texts: readonly string[], number: number): string {
    const text = texts[number];
    if (text === undefined) throw this.#invalid(`a known text ${number} that this firmware does not know`);
    return text;
  }

  #again(): string {
    const text = this.#texts[this.#byte()];
    if (text === undefined) throw this.#invalid('refers to a text that was not there');
    return text;
  }

  #noted(text: string, start: number): string {
    if (isWorthNoting(this.#texts, this.at - start)) this.#texts.push(text);
    return text;
  }

  #text(first: number): string {
    if (first >= SHORT_TEXT) return this.#utf8(first - SHORT_TEXT);
    switch (first) {
      case TEXT:
        return this.#utf8(this.#varint());
      case HEX:
        return toHex(this.#counted(2));
      case UUID:
        return uuidText(this.#part(16));
      case SECONDS:
        return timeText(this.#fixed(4) * 1000, 20);
      case SECONDS_000:
        return timeText(this.#fixed(4) * 1000, 24);
      case MILLISECONDS:
        return this.#milliseconds();
      case DIGITS:
        return String(this.#varint());
      case DIGIT_PAIRS:
        return this.#digitPairs();
      case BASE64:
        return encodeBase64(this.#counted(4 / 3));
      default:
        return encodeBase64Url(this.#counted(4 / 3));
    }
  }

  #utf8(length: number): string {
    if (length > ARTIFACT_LIMITS.stringBytes) throw limit(this.at, 'a string longer than an artifact has');
    const start = this.#skip(length);
    const text = decodeUtf8(this.#bytes, start, this.at);
    if (text === undefined) throw this.#invalid('not UTF-8');
    return text;
  }

  #milliseconds(): string {
    const ms = this.#fixed(6);
    if (ms >= SECONDS_LIMIT * 1000) throw this.#invalid('a time after 2106');
    return timeText(ms, 24);
  }

  #digitPairs(): string {
    const count = this.#byte();
    if (count > MOST_DIGITS) throw limit(this.at, `more than ${MOST_DIGITS} digits`);
    const text = this.#nibbles(this.#skip((count + 1) >> 1), count);
    if (!isDigits(text) || text.length !== count) throw this.#invalid('not a digit');
    return text;
  }

  #number(): number {
    const start = this.at;
    let length = 0;
    for (;;) {
      const pair = this.#byte();
      length += 2;
      if (pair >> 4 === END || (pair & 15) === END) break;
      if (length > LONGEST_NUMBER) throw this.#invalid('not a number');
    }
    const text = this.#nibbles(start, length);
    const value = numberFrom(text);
    if (text === '' || value - value !== 0) throw this.#invalid('not a number');
    return value;
  }

  /** Characters by four bits each, up to the one that ends them. */
  #nibbles(start: number, count: number): string {
    let text = '';
    for (let i = 0; i < count; i++) {
      const pair = this.#bytes[start + (i >> 1)] as number;
      const nibble = (i & 1) === 0 ? pair >> 4 : pair & 15;
      if (nibble === END) break;
      text += NIBBLES[nibble];
    }
    return text;
  }

  #counted(charactersPerByte: number): Uint8Array {
    const count = this.#varint();
    if (count * charactersPerByte > ARTIFACT_LIMITS.stringBytes)
      throw limit(this.at, 'a string longer than an artifact has');
    return this.#part(count);
  }

  #part(count: number): Uint8Array {
    const start = this.#skip(count);
    return this.#bytes.subarray(start, this.at);
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw this.#invalid('a number of more than 53 bits');
  }

  #fixed(bytes: number): number {
    const start = this.#skip(bytes);
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 0x100 + (this.#bytes[start + i] as number);
    return value;
  }

  /** Passes over bytes. @returns where they begin */
  #skip(count: number): number {
    const start = this.at;
    if (count > this.#end - start) throw this.#ended();
    this.at = start + count;
    return start;
  }

  #byte(): number {
    if (this.at >= this.#end) throw this.#ended();
    return this.#bytes[this.at++] as number;
  }

  #ended(): JsonProblem {
    return this.#invalid('the data ends inside a value');
  }

  #invalid(detail: string): JsonProblem {
    return problem('ARTIFACT_INVALID', this.at, detail);
  }
}

function uuidText(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
