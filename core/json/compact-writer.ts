// Writes the compact binary form of JSON data, for artifacts that are kept whole on flash: a byte for what is known, raw bytes for
// what is text of bytes, a number for a text that was there before. What is read back has the same canonical text, so the
// signed bytes can be rebuilt. docs/FORMAT.md says what each byte is.
//
// The same data has one form, whatever order its members came in: what is kept can be told apart by a hash of it.

import { timeFrom } from '../artifacts/time.ts';
import { decodeBase64 } from '../encoding/base64.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import { fromHex } from '../hash/hex.ts';
import { ARTIFACT_LIMITS } from '../limits.ts';
import { compareUtf16 } from './canonical.ts';
import { compactName, compactValue } from './compact-dictionary.ts';
import {
  AGAIN,
  ARRAY,
  BASE64,
  BASE64_URL,
  COUNT_FOLLOWS,
  DIGIT_PAIRS,
  DIGITS,
  DIGITS_OF_A_NUMBER,
  END,
  FALSE,
  HEX,
  isDigits,
  isWorthNoting,
  LEAST_BASE64,
  LEAST_DIGIT_PAIRS,
  LEAST_HEX,
  limit,
  MILLISECONDS,
  MOST_DIGITS,
  MOST_HEX,
  NULL,
  NUMBER,
  OBJECT,
  problem,
  SECONDS,
  SECONDS_000,
  SECONDS_LIMIT,
  SHORT_TEXT,
  SHORT_TEXTS,
  SMALL,
  SMALL_NUMBERS,
  TEXT,
  TRUE,
  timeText,
  UUID,
  WHOLE,
  WHOLE_NUMBERS,
} from './compact-format.ts';
import { numberText } from './numbers.ts';
import { JsonProblem } from './reader.ts';
import { anyMember, isArray, type JsonArray, type JsonObject, type JsonValue, namesOf, OTHERS } from './value.ts';

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
function nibbleOf(text: string, i: number): number {
  if (i >= text.length) return END;
  const code = text.charCodeAt(i);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code === 0x2e ? 10 : code === 0x2d ? 11 : code === 0x2b ? 12 : 13;
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

function tooShort(at: number): JsonProblem {
  return limit(at, 'there is no room for it');
}
