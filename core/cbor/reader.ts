// CBOR (RFC 8949) to the values that JSON text gives, strictly and within limits that are checked as it reads. Only the JSON data
// model is taken (INTEROP §6), so that canonical text, hashes and signatures are the same whichever way data came.
//
// Refused: tags, byte strings (but see `readCborWithBytes`), indefinite lengths, member names that are not text or come twice,
// NaN and infinities, undefined and other simple values, whole numbers past 2^53 − 1 written as integers (RFC 7493 §2.2), text
// that is not UTF-8, and whatever follows the value. Not demanded: sorted members, and the shortest form of lengths and numbers
// (RFC 8949 §4.2). What is signed is canonical JSON, which is made anew, so the form of the bytes proves nothing; and encoders
// in wide use write the size of every map in 16 bits, and whole numbers beyond 32 bits as doubles.

import { decodeUtf8, isUtf8 } from '../encoding/utf8.ts';
import { isKnownName } from '../json/known-names.ts';
import { isQuick } from '../json/numbers.ts';
import { JsonProblem } from '../json/reader.ts';
import type { SourceMembers } from '../json/source-members.ts';
import {
  anyMember,
  emptyObject,
  type JsonObject,
  type JsonValue,
  memberCount,
  namesOf,
  setMember,
} from '../json/value.ts';
import { type JsonLimits, LONG_NUMBER_WEIGHT, NESTED_WEIGHT, UNKNOWN_NAME_WEIGHT, VALUE_WEIGHT } from '../limits.ts';

/** What CBOR with byte strings holds. An object's members are found with `cborMember`. */
export type CborValue = null | boolean | number | string | Uint8Array | readonly CborValue[] | CborObject;

/** An object of such values. On devices members whose names are not MPCP's are no properties of it. */
export interface CborObject {
  readonly [name: string]: CborValue;
}

/**
 * Reads one CBOR item that fills `bytes` and holds nothing that JSON has not.
 *
 * @param limits those of the JSON text that says the same; `bytes` is both for that text and for the CBOR
 * @returns the very value that reading that JSON text gives, -0 apart, which is 0; or a JsonProblem: LIMIT_EXCEEDED past a limit,
 *   ARTIFACT_INVALID for everything else
 */
export function readCbor(bytes: Uint8Array, limits: JsonLimits): JsonValue | JsonProblem {
  return readWhole(bytes, limits, false);
}

/**
 * The same of CBOR that may hold byte strings, for documents of this project's own: never for what is hashed as JSON. A byte
 * string is a view of `bytes`, no copy; only the input bounds its length.
 */
export function readCborWithBytes(bytes: Uint8Array, limits: JsonLimits): CborValue | JsonProblem {
  return readWhole(bytes, limits, true) as CborValue | JsonProblem;
}

/** The value of an object's member; undefined where there is none. */
export function cborMember(object: CborObject, name: string): CborValue | undefined {
  return anyMember(object as JsonObject, name);
}

/** The names of an object's members, in any order. */
export function cborNames(object: CborObject): string[] {
  return namesOf(object as JsonObject);
}

/** True for an object: neither null, nor a list, nor a byte string. */
export function isCborObject(value: CborValue | undefined): value is CborObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function readWhole(bytes: Uint8Array, limits: JsonLimits, byteStrings: boolean): JsonValue | JsonProblem {
  try {
    const reader = new CborReader(bytes, limits, limits.bytes, Infinity, Infinity, byteStrings);
    const value = reader.value();
    reader.end();
    return value;
  } catch (problem) {
    if (problem instanceof JsonProblem) return problem;
    throw problem;
  }
}

/** Major types, RFC 8949 §3.1. Up to this one they are whole numbers. */
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const SIMPLE = 7;

/** Up to this the number in a head's first byte is the one meant; the others say how many bytes follow with it, §3. */
const SMALL = 23;
const EIGHT_BYTES = 27;

/** Simple values and floats by their first byte, §3.3. */
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const HALF = 0xf9;
const SINGLE = 0xfa;
const DOUBLE = 0xfb;

/** The largest whole number that no other rounds to. */
const SAFE = 0x1f_ffff_ffff_ffff;
/** Characters that no number has more of as JSON: -0.0000012345678901234567. */
const NUMBER_CHARACTERS = 25;

/** An object or array that is open. */
interface Level {
  readonly object: Record<string, JsonValue> | undefined;
  readonly array: JsonValue[] | undefined;
  /** Where it begins. */
  readonly start: number;
  readonly count: number;
  /** Members or elements that are to come, with the one at hand. */
  left: number;
  /** The name of the member at hand, and whether it is one of MPCP's. */
  name: string;
  known: boolean;
}

/** A cursor over CBOR with the methods of `JsonReader`. They throw JsonProblem, which those who make one turn into their answer. */
export class CborReader {
  /** How long the JSON text of what was read is, in bytes, without white space; strings that were dropped as if they had no escapes. */
  jsonLength = 0;
  /** True where any engine writes all numbers that were read as canonical text has them. */
  hasQuickNumbers = true;
  /** As a JSON reader has them: none, since there is no JSON text to take slices of. */
  readonly sources: readonly SourceMembers[] = [];
  readonly #bytes: Uint8Array;
  readonly #limits: JsonLimits;
  readonly #total: number;
  readonly #mostValues: number;
  readonly #mostWeight: number;
  readonly #byteStrings: boolean;
  #stringLimit: number;
  #at = 0;
  #depth = 0;
  #values = 0;
  /** Values of the artifacts before this one. */
  #valuesBefore = 0;
  #weight: number;
  /** True while values are read that nobody uses: they are checked, and their strings come out empty. Names do not. */
  #dropped = false;
  /** True where the name read last is one of MPCP's. */
  #known = false;

  /**
   * @param total the bytes allowed in all, of CBOR and of the JSON text, where that is not the limit of one artifact
   * @param values how many values all artifacts together may have
   * @param weight what they may weigh together: see PRESENTATION_WEIGHT
   * @param byteStrings true where byte strings are read too
   */
  constructor(
    bytes: Uint8Array,
    limits: JsonLimits,
    total: number = limits.bytes,
    values = Infinity,
    weight = Infinity,
    byteStrings = false,
  ) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#total = total;
    this.#mostValues = values;
    this.#mostWeight = weight;
    this.#byteStrings = byteStrings;
    this.#stringLimit = limits.stringBytes;
    this.#weight = bytes.length;
    if (bytes.length > total) throw this.#limit(`more than ${total} bytes`);
  }

  /** Reads any value. In a loop: what it may be nested does not fit on a device's stack. */
  value(): JsonValue {
    const around: Level[] = [];
    let level: Level | undefined;
    for (;;) {
      const major = this.#major();
      let value: JsonValue;
      if (major === TEXT) value = this.#text(false);
      else if (major !== MAP && major !== ARRAY) value = this.#single(major);
      else {
        const opened = this.#open(major);
        if (opened.left > 0) {
          if (level !== undefined) around.push(level);
          level = opened;
          if (major === MAP) this.#name(level);
          continue;
        }
        this.#depth--;
        value = opened.array ?? (opened.object as JsonObject);
      }
      for (;;) {
        if (level === undefined) return value;
        const { object } = level;
        if (object === undefined) (level.array as JsonValue[]).push(value);
        else if (level.known) object[level.name] = value;
        else setMember(object, level.name, value);
        if (--level.left > 0) break;
        value = object ?? (level.array as JsonValue[]);
        // Counting once is cheaper than asking for each name.
        if (object !== undefined && memberCount(object) !== level.count) {
          this.#at = level.start;
          throw this.#invalid('one name twice in the object');
        }
        this.#depth--;
        level = around.pop();
      }
      if (level.object !== undefined) this.#name(level);
    }
  }

  /**
   * Reads an object member by member: `take` is called at each value with its name and must read it. False where
   * the value at hand is not an object, with nothing read.
   */
  members(take: (name: string) => void): boolean {
    if (this.#major() !== MAP) return false;
    const level = this.#open(MAP);
    for (; level.left > 0; level.left--) {
      this.#name(level);
      take(level.name);
    }
    this.#depth--;
    return true;
  }

  /**
   * Reads one artifact: a value with counts of its own, and its own limit of bytes, of CBOR and of the JSON text.
   *
   * @param _signed what JSON is read for: the places of its members, which are no JSON text here
   * @param kept the members that are kept, all where this is left out: see `JsonReader.artifact`
   */
  artifact(_signed?: string, kept?: readonly string[]): JsonValue {
    const start = this.#at;
    const { jsonLength } = this;
    const values = this.#values;
    const depth = this.#depth;
    this.#values = 0;
    this.#depth = 0;
    const value = kept !== undefined && this.#major() === MAP ? this.#keeping(kept) : this.value();
    this.#valuesBefore += this.#values;
    this.#values = values;
    this.#depth = depth;
    const { bytes } = this.#limits;
    if (this.#at - start > bytes || this.jsonLength - jsonLength > bytes)
      throw this.#limit(`an artifact of more than ${bytes} bytes`);
    return value;
  }

  #keeping(kept: readonly string[]): JsonObject {
    const object = emptyObject();
    const names: string[] = [];
    this.members((name) => {
      if (names.includes(name)) throw this.appearsTwice(name);
      names.push(name);
      if (kept.includes(name)) object[name] = this.value();
      else this.discard();
    });
    return object;
  }

  /** Reads a value that will not be used: its strings may be as long as an artifact. Null for null, else true. */
  discard(): null | true {
    this.#stringLimit = this.#limits.bytes;
    this.#dropped = true;
    const value = this.value();
    this.#dropped = false;
    this.#stringLimit = this.#limits.stringBytes;
    return value === null ? null : true;
  }

  /** Refuses anything after the value. */
  end(): void {
    if (this.#at < this.#bytes.length) throw this.#invalid('more bytes after the value');
  }

  /** The problem of a member that its object has already. */
  appearsTwice(name: string): JsonProblem {
    return this.#invalid(`member "${name.slice(0, 40)}" appears twice`);
  }

  /** The major type of the item at hand. */
  #major(): number {
    const first = this.#bytes[this.#at];
    if (first === undefined) this.#pass(1);
    return (first as number) >> 5;
  }

  /** Reads the head of an array or map, and counts what is in it. */
  #open(major: number): Level {
    const start = this.#at;
    const count = this.#argument();
    const { depth, members, elements, values } = this.#limits;
    const object = major === MAP ? emptyObject() : undefined;
    if (++this.#depth > depth) throw this.#limit(`nested more than ${depth} deep`);
    if (object !== undefined && count > members) throw this.#limit(`more than ${members} members in an object`);
    if (object === undefined && count > elements) throw this.#limit(`more than ${elements} array elements`);
    this.#values += count;
    if (this.#values > values) throw this.#limit(`more than ${values} values`);
    if (this.#values + this.#valuesBefore > this.#mostValues)
      throw this.#limit(`more than ${this.#mostValues} values in all artifacts`);
    // Brackets, and commas between.
    this.#count(NESTED_WEIGHT + count * VALUE_WEIGHT, count > 0 ? count + 1 : 2);
    const array = object === undefined ? [] : undefined;
    return { object, array, start, count, left: count, name: '', known: false };
  }

  /** Reads a member name. */
  #name(level: Level): void {
    if (this.#major() !== TEXT) throw this.#invalid('a member name that is not text');
    level.name = this.#text(true);
    level.known = this.#known;
  }

  /** Reads a text. */
  #text(isName: boolean): string {
    const size = this.#argument();
    const bytes = this.#bytes;
    const start = this.#at;
    if (size > this.#stringLimit) throw this.#limit(`a string of more than ${this.#stringLimit} bytes`);
    const end = this.#pass(size);
    const isDropped = this.#dropped && !isName;
    const text = isDropped ? (isUtf8(bytes.subarray(start, end)) ? '' : undefined) : decodeUtf8(bytes, start, end);
    if (text === undefined) throw this.#invalid('text that is no UTF-8');
    this.#known = isName && isKnownName(text);
    let weight = 0;
    // Quotes, and the colon behind a name.
    let written = isName ? size + 3 : size + 2;
    if (!this.#known && !isDropped) {
      // Names of what is dropped may be long, and then there is no room for a second one.
      weight = this.#dropped ? 2 * size : size;
      if (isName) weight += UNKNOWN_NAME_WEIGHT;
      // What JSON writes with more characters, the engine knows: looking at each takes a device far longer.
      written += JSON.stringify(text).length - text.length - 2;
    }
    this.#count(weight, written);
    return text;
  }

  /** A value that is no object, no array and no text. */
  #single(major: number): JsonValue {
    if (major <= NEGATIVE) {
      const number = this.#argument();
      if (number > SAFE - major) throw this.#invalid('an integer beyond 2^53');
      return this.#number(major === NEGATIVE ? -1 - number : number);
    }
    if (major === BYTES && this.#byteStrings) {
      const size = this.#argument();
      const start = this.#at;
      return this.#bytes.subarray(start, this.#pass(size)) as unknown as JsonValue;
    }
    if (major !== SIMPLE) throw this.#invalid('a byte string or a tag');
    const at = this.#at;
    const first = this.#bytes[at];
    switch (first) {
      case NULL:
      case TRUE:
      case FALSE:
        this.#at++;
        this.#count(0, first === FALSE ? 5 : 4);
        return first === NULL ? null : first === TRUE;
      case HALF:
      case SINGLE:
      case DOUBLE: {
        this.#at++;
        this.#pass(1 << (first - 0xf8));
        const number = floatAt(new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at), first);
        if (number - number !== 0) throw this.#invalid('a number that JSON does not have');
        return this.#number(number);
      }
      default:
        throw this.#invalid('a value that JSON does not have');
    }
  }

  #number(number: number): number {
    const text = String(number);
    const isShort = isQuick(text, number);
    if (!isShort) this.hasQuickNumbers = false;
    this.#count(isShort ? 0 : LONG_NUMBER_WEIGHT, isShort ? text.length : NUMBER_CHARACTERS);
    // Of -0, too.
    return number === 0 ? 0 : number;
  }

  /** Reads the head of an item: the number in it, infinite past 2^53. */
  #argument(): number {
    const bytes = this.#bytes;
    const at = this.#at + 1;
    const info = (bytes[at - 1] as number) & 31;
    if (info > EIGHT_BYTES) throw this.#invalid('an indefinite length, or none');
    this.#at = at;
    if (info <= SMALL) return info;
    this.#pass(1 << (info - SMALL - 1));
    let number = 0;
    for (let i = at; i < this.#at; i++) number = number * 256 + (bytes[i] as number);
    return number > SAFE ? Infinity : number;
  }

  /** Goes over bytes that must be there. @returns where they end */
  #pass(size: number): number {
    const end = this.#at + size;
    if (end > this.#bytes.length) throw this.#invalid('the bytes end in a value');
    this.#at = end;
    return end;
  }

  /**
   * Counts what a value weighs, and what its JSON text has: CBOR may be a sixth of that, and what was read must go wherever JSON
   * goes.
   */
  #count(weight: number, json: number): void {
    this.#weight += weight;
    if (this.#weight > this.#mostWeight)
      throw this.#limit(`text and values that weigh more than ${this.#mostWeight} bytes`);
    this.jsonLength += json;
    if (this.jsonLength > this.#total) throw this.#limit(`more than ${this.#total} bytes as JSON`);
  }

  #invalid(detail: string): JsonProblem {
    return new JsonProblem('ARTIFACT_INVALID', this.#at, detail);
  }

  #limit(detail: string): JsonProblem {
    return new JsonProblem('LIMIT_EXCEEDED', this.#at, detail);
  }
}

/** The float behind the head at the beginning of `view`; no number for infinities. */
function floatAt(view: DataView, head: number): number {
  if (head === DOUBLE) return view.getFloat64(1);
  if (head === SINGLE) return view.getFloat32(1);
  const half = view.getUint16(1);
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return Infinity;
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return half > 0x7fff ? -magnitude : magnitude;
}
