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
  return readWhole(bytes, limits, {});
}

/**
 * The same of CBOR that may hold byte strings, for documents of this project's own: never for what is hashed as JSON. A byte
 * string is a view of `bytes`, no copy; only the input bounds its length.
 */
export function readCborWithBytes(bytes: Uint8Array, limits: JsonLimits): CborValue | JsonProblem {
  return readWhole(bytes, limits, { byteStrings: true }) as CborValue | JsonProblem;
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

function readWhole(bytes: Uint8Array, limits: JsonLimits, options: CborOptions): JsonValue | JsonProblem {
  try {
    const reader = new CborReader(bytes, limits, options);
    const value = reader.value();
    reader.end();
    return value;
  } catch (problem) {
    if (problem instanceof JsonProblem) return problem;
    throw problem;
  }
}

/** Major types, RFC 8949 §3.1. */
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;

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
  /** The name of the member at hand. */
  name: string;
}

/** What may differ from reading one JSON value. */
export interface CborOptions {
  /** Bytes allowed in all, of CBOR and of the JSON text, where that is not the limit of one artifact. */
  readonly total?: number;
  /** Values that all artifacts together may have. */
  readonly values?: number;
  /** What they may weigh together, see PRESENTATION_WEIGHT. */
  readonly weight?: number;
  readonly byteStrings?: boolean;
}

/** A cursor over CBOR with the methods of `JsonReader`. They throw JsonProblem, which those who make one turn into their answer. */
export class CborReader {
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
  #jsonLength = 0;
  /** True while values are read that nobody uses: they are checked, and their strings come out empty. Names do not. */
  #dropped = false;
  #quickNumbers = true;

  constructor(bytes: Uint8Array, limits: JsonLimits, options: CborOptions = {}) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#total = options.total ?? limits.bytes;
    this.#mostValues = options.values ?? Infinity;
    this.#mostWeight = options.weight ?? Infinity;
    this.#byteStrings = options.byteStrings ?? false;
    this.#stringLimit = limits.stringBytes;
    this.#weight = bytes.length;
    if (bytes.length > this.#total) throw this.#limit(`more than ${this.#total} bytes`);
  }

  /** How long the JSON text of what was kept is, in bytes, without white space. */
  get jsonLength(): number {
    return this.#jsonLength;
  }

  /** True where any engine writes all numbers that were read as canonical text has them. */
  get hasQuickNumbers(): boolean {
    return this.#quickNumbers;
  }

  /** Reads any value. In a loop: what it may be nested does not fit on a device's stack. */
  value(): JsonValue {
    const around: Level[] = [];
    let level: Level | undefined;
    for (;;) {
      const major = this.#major();
      let value: JsonValue;
      if (major === MAP || major === ARRAY) {
        const opened = this.#open(major);
        if (opened.left > 0) {
          if (level !== undefined) around.push(level);
          level = opened;
          if (major === MAP) level.name = this.#name();
          continue;
        }
        this.#depth--;
        value = opened.array ?? (opened.object as JsonObject);
      } else value = this.#single(major);
      for (;;) {
        if (level === undefined) return value;
        if (level.array !== undefined) level.array.push(value);
        else setMember(level.object as Record<string, JsonValue>, level.name, value);
        if (--level.left > 0) break;
        value = level.array ?? this.#whole(level);
        this.#depth--;
        level = around.pop();
      }
      if (level.array === undefined) level.name = this.#name();
    }
  }

  /**
   * Reads an object member by member: `take` is called at each value with its name and must read it. False where
   * the value at hand is not an object, with nothing read.
   */
  members(take: (name: string) => void): boolean {
    if (this.#major() !== MAP) return false;
    for (let { count } = this.#open(MAP); count > 0; count--) take(this.#name());
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
    const jsonBefore = this.#jsonLength;
    const values = this.#values;
    const depth = this.#depth;
    this.#values = 0;
    this.#depth = 0;
    const value = kept !== undefined && this.#major() === MAP ? this.#keeping(kept) : this.value();
    this.#valuesBefore += this.#values;
    this.#values = values;
    this.#depth = depth;
    const { bytes } = this.#limits;
    if (this.#at - start > bytes) throw this.#limit(`an artifact of more than ${bytes} bytes`);
    if (this.#jsonLength - jsonBefore > bytes) throw this.#limit(`an artifact of more than ${bytes} bytes as JSON`);
    return value;
  }

  #keeping(kept: readonly string[]): JsonObject {
    const object = emptyObject();
    const names: string[] = [];
    this.members((name) => {
      if (names.includes(name)) throw this.appearsTwice(name);
      names.push(name);
      if (kept.includes(name)) setMember(object, name, this.value());
      else this.discard();
    });
    return object;
  }

  /** Reads a value that will not be used: its strings may be as long as an artifact. Null for null, else true. */
  discard(): null | true {
    const jsonLength = this.#jsonLength;
    this.#stringLimit = this.#limits.bytes;
    this.#dropped = true;
    const value = this.value();
    this.#dropped = false;
    this.#stringLimit = this.#limits.stringBytes;
    this.#jsonLength = jsonLength;
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

  /** The object that is full, in which no name may have come twice. Counting once is cheaper than asking for each. */
  #whole({ object, count, start }: Level): JsonObject {
    if (memberCount(object as JsonObject) === count) return object as JsonObject;
    // It is read again to say which. What it holds has been counted.
    this.#at = start;
    this.#values = 0;
    this.#weight = 0;
    this.#jsonLength = 0;
    this.#depth--;
    const names: string[] = [];
    let twice = '';
    this.members((name) => {
      if (names.includes(name)) twice = name;
      names.push(name);
      this.value();
    });
    throw this.appearsTwice(twice);
  }

  /** The major type of the item at hand. */
  #major(): number {
    const first = this.#bytes[this.#at];
    if (first === undefined) throw this.#ended();
    return first >> 5;
  }

  /** Reads the head of an array or map, and counts what is in it. */
  #open(major: number): Level {
    const start = this.#at;
    const count = this.#argument();
    const { depth, members, elements, values } = this.#limits;
    if (++this.#depth > depth) throw this.#limit(`nested more than ${depth} deep`);
    if (major === MAP && count > members) throw this.#limit(`more than ${members} members in an object`);
    if (major === ARRAY && count > elements) throw this.#limit(`more than ${elements} array elements`);
    this.#values += count;
    if (this.#values > values) throw this.#limit(`more than ${values} values`);
    if (this.#values + this.#valuesBefore > this.#mostValues)
      throw this.#limit(`more than ${this.#mostValues} values in all artifacts`);
    this.#weigh(NESTED_WEIGHT + count * VALUE_WEIGHT);
    // Brackets, and commas between.
    this.#write(count > 0 ? count + 1 : 2);
    return {
      object: major === MAP ? emptyObject() : undefined,
      array: major === ARRAY ? [] : undefined,
      start,
      count,
      left: count,
      name: '',
    };
  }

  /** A member name. */
  #name(): string {
    if (this.#major() !== TEXT) throw this.#invalid('a member name that is not text');
    const size = this.#textSize();
    const name = this.#text(size);
    // Quotes and colon.
    this.#write(size + 3);
    if (!isKnownName(name)) {
      this.#weigh(UNKNOWN_NAME_WEIGHT);
      this.#keep(size, name);
    }
    return name;
  }

  /** A value that is no object and no array. */
  #single(major: number): JsonValue {
    switch (major) {
      case TEXT:
        return this.#string();
      case UNSIGNED:
        return this.#number(this.#integer());
      case NEGATIVE: {
        const number = -1 - this.#integer();
        if (number < -SAFE) throw this.#invalid('an integer beyond 2^53');
        return this.#number(number);
      }
      case BYTES:
        if (this.#byteStrings) return this.#byteString() as unknown as JsonValue;
        throw this.#invalid('a byte string, which JSON does not have');
      case TAG:
        throw this.#invalid('a tag, which JSON does not have');
      default:
        return this.#simple();
    }
  }

  #string(): string {
    const size = this.#textSize();
    if (!this.#dropped) {
      const text = this.#text(size);
      this.#write(size + 2);
      this.#keep(size, text);
      return text;
    }
    const start = this.#at;
    this.#pass(size);
    if (!isUtf8(this.#bytes.subarray(start, this.#at))) throw this.#notUtf8();
    return '';
  }

  #byteString(): Uint8Array {
    const size = this.#argument();
    const start = this.#at;
    this.#pass(size);
    return this.#bytes.subarray(start, this.#at);
  }

  #simple(): JsonValue {
    const first = this.#bytes[this.#at++];
    switch (first) {
      case NULL:
      case TRUE:
        this.#write(4);
        return first === NULL ? null : true;
      case FALSE:
        this.#write(5);
        return false;
      case HALF:
      case SINGLE:
      case DOUBLE: {
        const start = this.#at;
        this.#pass(first === HALF ? 2 : first === SINGLE ? 4 : 8);
        const number = this.#float(start, first);
        if (number - number !== 0) throw this.#invalid('a number that JSON does not have');
        return this.#number(number);
      }
      default:
        this.#at--;
        throw this.#invalid('a simple value that JSON does not have');
    }
  }

  #float(at: number, kind: number): number {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at);
    if (kind === DOUBLE) return view.getFloat64(0);
    if (kind === SINGLE) return view.getFloat32(0);
    const half = view.getUint16(0);
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return Infinity;
    const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
    return half > 0x7fff ? -magnitude : magnitude;
  }

  #number(number: number): number {
    // Of -0, too.
    if (number === 0) {
      this.#write(1);
      return 0;
    }
    const text = String(number);
    if (isQuick(text, number)) this.#write(text.length);
    else {
      this.#quickNumbers = false;
      this.#weigh(LONG_NUMBER_WEIGHT);
      this.#write(NUMBER_CHARACTERS);
    }
    return number;
  }

  #integer(): number {
    const number = this.#argument();
    if (number > SAFE) throw this.#invalid('an integer beyond 2^53');
    return number;
  }

  /** Reads the head of a text. @returns its bytes */
  #textSize(): number {
    const size = this.#argument();
    if (size > this.#stringLimit) throw this.#limit(`a string of more than ${this.#stringLimit} bytes`);
    return size;
  }

  /** Reads the head of an item: the number in it, infinite past 2^53. */
  #argument(): number {
    const bytes = this.#bytes;
    const info = (bytes[this.#at++] as number) & 31;
    if (info < 24) return info;
    const at = this.#at;
    if (info > 27) {
      this.#at--;
      throw this.#invalid(info === 31 ? 'an indefinite length' : 'a head that CBOR does not have');
    }
    const size = 1 << (info - 24);
    this.#pass(size);
    if (size === 1) return bytes[at] as number;
    if (size === 2) return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, size);
    if (size === 4) return view.getUint32(0);
    const high = view.getUint32(0);
    return high > 0x1f_ffff ? Infinity : high * 0x1_0000_0000 + view.getUint32(4);
  }

  /** The text of the bytes at hand. */
  #text(size: number): string {
    const start = this.#at;
    this.#pass(size);
    const text = decodeUtf8(this.#bytes, start, this.#at);
    if (text === undefined) throw this.#notUtf8();
    return text;
  }

  /** Goes over bytes that must be there. */
  #pass(size: number): void {
    const end = this.#at + size;
    if (end > this.#bytes.length) throw this.#ended();
    this.#at = end;
  }

  /** Counts text that is kept. Names of what is dropped may be long, and then there is no room for a second one. */
  #keep(size: number, text: string): void {
    this.#weigh(this.#dropped ? 2 * size : size);
    // What JSON writes with more characters. The engine knows: looking at each takes a device far longer.
    this.#write(JSON.stringify(text).length - text.length - 2);
  }

  #weigh(bytes: number): void {
    this.#weight += bytes;
    if (this.#weight > this.#mostWeight)
      throw this.#limit(`text and values that weigh more than ${this.#mostWeight} bytes`);
  }

  /** Counts what the JSON text has: CBOR may be a sixth of it, and it must go where JSON goes. */
  #write(bytes: number): void {
    this.#jsonLength += bytes;
    if (!this.#dropped && this.#jsonLength > this.#total) throw this.#limit(`more than ${this.#total} bytes as JSON`);
  }

  #ended(): JsonProblem {
    return this.#invalid('the bytes end inside a value');
  }

  #notUtf8(): JsonProblem {
    return this.#invalid('text that is not valid UTF-8');
  }

  #invalid(detail: string): JsonProblem {
    return new JsonProblem('ARTIFACT_INVALID', this.#at, detail);
  }

  #limit(detail: string): JsonProblem {
    return new JsonProblem('LIMIT_EXCEEDED', this.#at, detail);
  }
}
