// A compact binary form of JSON data, for artifacts that are kept whole on flash: a byte for what is known, raw bytes for
// what is text of bytes, a number for a text that was there before. What comes back has the same canonical text, so the
// signed bytes can be rebuilt. docs/FORMAT.md says what each byte is.
//
// The same data has one form, whatever order its members came in: what is kept can be told apart by a hash of it.

import { timeFrom } from '../artifacts/time.ts';
import { decodeBase64, encodeBase64, encodeBase64Url } from '../encoding/base64.ts';
import { decodeUtf8, encodeUtf8 } from '../encoding/utf8.ts';
import { fromHex, toHex } from '../hash/hex.ts';
import { ARTIFACT_LIMITS } from '../limits.ts';
import { compareUtf16 } from './canonical.ts';
import { COMPACT_NAMES, COMPACT_VALUES, compactName, compactValue } from './compact-dictionary.ts';
import { numberFrom, numberText } from './numbers.ts';
import { JsonProblem } from './reader.ts';
import {
  anyMember,
  emptyObject,
  isArray,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  memberCount,
  namesOf,
  OTHERS,
  setMember,
} from './value.ts';

/** The first byte of a value. Below SMALL it is the number of a known value; of a name, below 192 that of a known name. */
const SMALL = 0x80;
const OBJECT = 0xa0;
const ARRAY = 0xb0;
const NULL = 0xc0;
const FALSE = 0xc1;
const TRUE = 0xc2;
const WHOLE = 0xc3;
const NUMBER = 0xc4;
const AGAIN = 0xc5;
const TEXT = 0xc6;
const HEX = 0xc7;
const UUID = 0xc8;
const SECONDS = 0xc9;
const SECONDS_000 = 0xca;
const MILLISECONDS = 0xcb;
const DIGITS = 0xcc;
const DIGIT_PAIRS = 0xcd;
const BASE64 = 0xce;
const BASE64_URL = 0xcf;
const SHORT_TEXT = 0xd0;

/** Whole numbers that are one byte. */
const SMALL_NUMBERS = OBJECT - SMALL;
/** Members or elements up to this are counted in the first byte; with this in it a byte follows that counts. */
const COUNT_FOLLOWS = 15;
/** Bytes of text that are counted in the first byte. */
const SHORT_TEXTS = 0x100 - SHORT_TEXT;
/** Larger whole numbers are written digit by digit, which takes no more bytes. */
const WHOLE_NUMBERS = 0x20_0000;
/** Texts that can be referred to. */
const TEXTS = 64;
/** Hexadecimal text of fewer digits is not worth it, and longer text is read slowly on the device. */
const LEAST_HEX = 4;
const MOST_HEX = 128;
const LEAST_BASE64 = 16;
const LEAST_DIGIT_PAIRS = 4;
/** Digits that fit a double's 53 bits. */
const DIGITS_OF_A_NUMBER = 15;
const MOST_DIGITS = 64;
/** Times from 1970 to 2106: seconds in 32 bits. */
const SECONDS_LIMIT = 0x1_0000_0000;

/**
 * Writes the compact form of a value.
 *
 * @param value JSON data within ARTIFACT_LIMITS; members that are null are left out, as canonical text does
 * @param target where it goes
 * @param at the byte at which it begins
 * @param texts texts that were written before and can be referred to; those of this value are added. Reading needs the same
 * @returns the byte behind it; or a JsonProblem: LIMIT_EXCEEDED where `target` is too short or a limit is passed,
 *   ARTIFACT_INVALID for a lone surrogate or a number that JSON cannot hold. Then `target` and `texts` are of no use
 */
export function encodeCompact(
  value: JsonValue,
  target: Uint8Array,
  at: number,
  texts: string[] = [],
): number | JsonProblem {
  try {
    return new Writer(target, at, texts).write(value);
  } catch (problem) {
    if (problem instanceof JsonProblem) return problem;
    throw problem;
  }
}

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

/** An object or array that is being written. */
interface Open {
  /** What it is in. */
  readonly around: Open | undefined;
  readonly value: JsonObject | JsonArray;
  /** Of its members; undefined for an array. */
  readonly names: readonly string[] | undefined;
  /** As `inOrder` has it; nothing for an array. */
  readonly order: readonly number[];
  /** It has all members itself, see OTHERS. */
  readonly isPlain: boolean;
  /** Which is next. */
  at: number;
}

const NONE: readonly number[] = Object.freeze([]);

class Writer {
  readonly #target: Uint8Array;
  readonly #texts: string[];
  #at: number;
  #values = 0;

  constructor(target: Uint8Array, at: number, texts: string[]) {
    this.#target = target;
    this.#at = at;
    this.#texts = texts;
  }

  /** Writes a value and all in it. In a loop: what it may be nested does not fit on a device's stack. */
  write(value: JsonValue): number {
    if (typeof value !== 'object' || value === null) {
      this.#single(value);
      return this.#at;
    }
    let depth = 1;
    let open: Open | undefined = this.#opened(value, undefined);
    do {
      const inner: JsonObject | JsonArray | undefined =
        open.names === undefined ? this.#array(open) : this.#object(open);
      if (inner === undefined) {
        open = open.around;
        depth--;
      } else {
        if (++depth > ARTIFACT_LIMITS.depth) throw limit(this.#at, `nested more than ${ARTIFACT_LIMITS.depth} deep`);
        open = this.#opened(inner, open);
      }
    } while (open !== undefined);
    return this.#at;
  }

  /** Writes elements up to the next that is an object or array: that one, or undefined at the end. */
  #array(open: Open): JsonObject | JsonArray | undefined {
    const array = open.value as JsonArray;
    const { length } = array;
    for (let i = open.at; i < length; i++) {
      const value = array[i] as JsonValue;
      if (typeof value === 'string') this.#text(value);
      else if (typeof value !== 'object' || value === null) this.#single(value);
      else {
        open.at = i + 1;
        return value;
      }
    }
    return undefined;
  }

  /** The same with members. */
  #object(open: Open): JsonObject | JsonArray | undefined {
    const object = open.value as JsonObject;
    const names = open.names as readonly string[];
    const { order, isPlain } = open;
    const { length } = order;
    const target = this.#target;
    for (let i = open.at; i < length; i++) {
      const rank = order[i] as number;
      const name = names[rank & PLACES] as string;
      if (rank < UNKNOWN) {
        // As #byte does, without a call for each member.
        if (this.#at >= target.length) throw tooShort(this.#at);
        target[this.#at++] = rank >> PLACE_BITS;
      } else if (!this.#again(name)) this.#plain(name);
      const value = (isPlain ? object[name] : anyMember(object, name)) as JsonValue;
      if (typeof value === 'string') this.#text(value);
      else if (typeof value !== 'object' || value === null) this.#single(value);
      else {
        open.at = i + 1;
        return value;
      }
    }
    return undefined;
  }

  /** What is no object and no array. */
  #single(value: JsonValue): void {
    if (typeof value === 'string') this.#text(value);
    else if (value === null) this.#byte(NULL);
    else if (typeof value === 'boolean') this.#byte(value ? TRUE : FALSE);
    else if (typeof value === 'number') this.#number(value);
    else throw problem('ARTIFACT_INVALID', this.#at, `a ${typeof value}`);
  }

  /** Begins an object or array. */
  #opened(value: JsonObject | JsonArray, around: Open | undefined): Open {
    if (isArray(value)) {
      this.#count(ARRAY, value.length, ARTIFACT_LIMITS.elements);
      return { around, value, names: undefined, order: NONE, isPlain: true, at: 0 };
    }
    const object = value as JsonObject;
    const names = namesOf(object);
    const isPlain = object[OTHERS] === undefined;
    const order = inOrder(object, names, isPlain);
    this.#count(OBJECT, order.length, ARTIFACT_LIMITS.members);
    return { around, value, names, order, isPlain, at: 0 };
  }

  #count(kind: number, count: number, most: number): void {
    this.#values += count;
    if (count > most || this.#values > ARTIFACT_LIMITS.values)
      throw limit(this.#at, 'more values than an artifact has');
    if (count < COUNT_FOLLOWS) this.#byte(kind + count);
    else {
      this.#byte(kind + COUNT_FOLLOWS);
      this.#byte(count);
    }
  }

  #number(value: number): void {
    if (value - value !== 0) throw problem('ARTIFACT_INVALID', this.#at, 'a number that JSON cannot hold');
    if (value >= 0 && value < WHOLE_NUMBERS && Math.floor(value) === value) {
      if (value < SMALL_NUMBERS) this.#byte(SMALL + value);
      else {
        this.#byte(WHOLE);
        this.#varint(value);
      }
      return;
    }
    const text = numberText(value, true);
    this.#byte(NUMBER);
    // Two characters a byte, and one that ends them.
    for (let i = 0; i <= text.length; i += 2) {
      this.#byte((nibbleOf(text, i) << 4) | nibbleOf(text, i + 1));
    }
  }

  #text(text: string): void {
    const known = compactValue(text);
    if (known >= 0) this.#byte(known);
    else if (!this.#again(text) && !this.#rawText(text)) this.#plain(text);
  }

  /** A text that was there before, by its number. */
  #again(text: string): boolean {
    const number = this.#texts.indexOf(text);
    if (number < 0) return false;
    this.#byte(AGAIN);
    this.#byte(number);
    return true;
  }

  /** A text that stands for bytes, a time or digits. */
  #rawText(text: string): boolean {
    const start = this.#at;
    const length = text.length;
    if (length > ARTIFACT_LIMITS.stringBytes) return false;
    if (!((length === 20 || length === 24) && this.#time(text)) && !(length <= MOST_DIGITS && this.#digits(text))) {
      const uuid = length === 36 ? uuidBytes(text) : undefined;
      const hex = length >= LEAST_HEX && length <= MOST_HEX ? hexBytes(text) : undefined;
      if (uuid) {
        this.#byte(UUID);
        this.#bytes(uuid);
      } else if (hex) this.#counted(HEX, hex);
      else if (length < LEAST_BASE64 || !this.#base64(text)) return false;
    }
    this.#note(text, start);
    return true;
  }

  #time(text: string): boolean {
    const ms = timeFrom(text);
    if (ms === undefined || ms < 0 || ms >= SECONDS_LIMIT * 1000) return false;
    const seconds = Math.floor(ms / 1000);
    if (text === timeText(ms, 20)) this.#byte(SECONDS);
    else if (text !== timeText(ms, 24)) return false;
    else if (seconds * 1000 === ms) this.#byte(SECONDS_000);
    else {
      this.#byte(MILLISECONDS);
      this.#fixed(ms, 6);
      return true;
    }
    this.#fixed(seconds, 4);
    return true;
  }

  #digits(text: string): boolean {
    const length = text.length;
    if (!isDigits(text)) return false;
    if (length <= DIGITS_OF_A_NUMBER && (length === 1 || text.charCodeAt(0) !== 0x30)) {
      this.#byte(DIGITS);
      this.#varint(Number(text));
      return true;
    }
    if (length < LEAST_DIGIT_PAIRS) return false;
    this.#byte(DIGIT_PAIRS);
    this.#byte(length);
    for (let i = 0; i < length; i += 2) this.#byte((nibbleOf(text, i) << 4) | nibbleOf(text, i + 1));
    return true;
  }

  #base64(text: string): boolean {
    const bytes = decodeBase64(text);
    if (bytes === undefined) return false;
    // Apart from alphabet and padding the bytes have no other text.
    if ((text.length & 3) === 0 && !text.includes('-') && !text.includes('_')) this.#counted(BASE64, bytes);
    else if (!text.includes('=') && !text.includes('+') && !text.includes('/')) this.#counted(BASE64_URL, bytes);
    else return false;
    return true;
  }

  /** Any text, as UTF-8. */
  #plain(text: string): void {
    const start = this.#at;
    const bytes = encodeUtf8(text);
    if (bytes === undefined) throw problem('ARTIFACT_INVALID', this.#at, 'a lone surrogate');
    if (bytes.length > ARTIFACT_LIMITS.stringBytes) throw limit(this.#at, 'a string longer than an artifact has');
    const { length } = bytes;
    if (length < SHORT_TEXTS) {
      const at = this.#at;
      if (at + length >= this.#target.length) throw tooShort(at);
      this.#target[at] = SHORT_TEXT + length;
      this.#target.set(bytes, at + 1);
      this.#at = at + 1 + length;
    } else this.#counted(TEXT, bytes);
    this.#note(text, start);
  }

  #note(text: string, start: number): void {
    if (isWorthNoting(this.#texts, this.#at - start)) this.#texts.push(text);
  }

  #counted(kind: number, bytes: Uint8Array): void {
    this.#byte(kind);
    this.#varint(bytes.length);
    this.#bytes(bytes);
  }

  /** Seven bits a byte, the lowest first; all but the last have the highest bit. */
  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) + 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#byte(rest);
  }

  #fixed(value: number, bytes: number): void {
    let rest = value;
    for (let i = 0; i < bytes; i++) {
      this.#byte(rest % 0x100);
      rest = Math.floor(rest / 0x100);
    }
  }

  #bytes(bytes: Uint8Array): void {
    if (this.#at + bytes.length > this.#target.length) throw tooShort(this.#at);
    this.#target.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #byte(byte: number): void {
    if (this.#at >= this.#target.length) throw tooShort(this.#at);
    this.#target[this.#at++] = byte;
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

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > 0;
}

/** Characters of numbers by four bits; the last ends them. */
const NIBBLES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '-', '+', 'e', ''];
const END = 15;
const LONGEST_NUMBER = 32;

function nibbleOf(text: string, i: number): number {
  if (i >= text.length) return END;
  const code = text.charCodeAt(i);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code === 0x2e ? 10 : code === 0x2d ? 11 : code === 0x2b ? 12 : 13;
}

/** Where a reference is shorter. What is noted does not depend on what comes later, so the reader notes the same. */
function isWorthNoting(texts: readonly string[], bytes: number): boolean {
  return bytes > 2 && texts.length < TEXTS;
}

/** In what `inOrder` gives: the number of a known name, or of all others, above the place of the name. */
const PLACE_BITS = 16;
const PLACES = (1 << PLACE_BITS) - 1;
const UNKNOWN = 0x100 << PLACE_BITS;

/**
 * Members that are not null: those with known names by number, then the others in UTF-16 order.
 *
 * @param names of the object
 * @param isPlain it has all of them itself, see OTHERS
 */
function inOrder(object: JsonObject, names: readonly string[], isPlain: boolean): readonly number[] {
  const order: number[] = [];
  let count = 0;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const value = isPlain ? object[name] : anyMember(object, name);
    if (value === null || value === undefined) continue;
    const number = compactName(name);
    const rank = number < 0 ? UNKNOWN + i : (number << PLACE_BITS) + i;
    let j = count++;
    for (; j > 0; j--) {
      const before = order[j - 1] as number;
      const areUnknown = before >= UNKNOWN && rank >= UNKNOWN;
      if (areUnknown ? compareUtf16(names[before & PLACES] as string, name) <= 0 : before < rank) break;
      order[j] = before;
    }
    order[j] = rank;
  }
  return order;
}

function hexBytes(text: string): Uint8Array | undefined {
  const bytes = fromHex(text);
  return bytes && text.toLowerCase() === text ? bytes : undefined;
}

/** The bytes of a UUID in its usual form: lower case, four hyphens. */
function uuidBytes(text: string): Uint8Array | undefined {
  if (text[8] !== '-' || text[13] !== '-' || text[18] !== '-' || text[23] !== '-') return undefined;
  return hexBytes(text.slice(0, 8) + text.slice(9, 13) + text.slice(14, 18) + text.slice(19, 23) + text.slice(24));
}

function uuidText(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A time as RFC 3339 text in UTC: of 20 characters, without a fraction, or of 24, with milliseconds. */
function timeText(ms: number, characters: number): string {
  const text = new Date(ms).toISOString();
  return characters === 24 ? text : `${text.slice(0, 19)}Z`;
}

function tooShort(at: number): JsonProblem {
  return limit(at, 'there is no room for it');
}

function limit(at: number, detail: string): JsonProblem {
  return problem('LIMIT_EXCEEDED', at, detail);
}

function problem(code: JsonProblem['code'], at: number, detail: string): JsonProblem {
  return new JsonProblem(code, at, detail);
}
