// Strict JSON (RFC 8259) from bytes, within limits that are checked as it reads. Refused beyond the grammar: duplicate
// member names, lone surrogates, numbers outside the double range, invalid UTF-8, a byte-order mark (INTEROP §2).

import { asciiText, decodeUtf8 } from '../encoding/utf8.ts';
import type { JsonLimits } from '../limits.ts';
import { knownName, nameHash } from './known-names.ts';
import type { SourceMembers } from './source-members.ts';
import { emptyObject, type JsonObject, type JsonValue } from './value.ts';

/** Why text could not be read. `offset` is the byte at which reading stopped. */
export class JsonProblem extends Error {
  readonly code: 'ARTIFACT_INVALID' | 'LIMIT_EXCEEDED';
  readonly offset: number;
  constructor(code: 'ARTIFACT_INVALID' | 'LIMIT_EXCEEDED', offset: number, detail: string) {
    super(`${detail} at byte ${offset}`);
    this.code = code;
    this.offset = offset;
  }
}

/**
 * Reads one JSON value that fills `bytes`.
 *
 * @returns the value, or a JsonProblem: LIMIT_EXCEEDED past a limit, ARTIFACT_INVALID for everything else
 */
export function readJson(bytes: Uint8Array, limits: JsonLimits): JsonValue | JsonProblem {
  try {
    const reader = new JsonReader(bytes, limits);
    const value = reader.value();
    reader.end();
    return value;
  } catch (problem) {
    if (problem instanceof JsonProblem) return problem;
    throw problem;
  }
}

/** A cursor over JSON bytes. Its methods throw JsonProblem; callers outside this folder use `readJson` or an artifact's reader. */
export class JsonReader {
  readonly #bytes: Uint8Array;
  readonly #limits: JsonLimits;
  /** The whole input as text where it is ASCII: then byte offsets are character offsets and one conversion serves all. */
  readonly #text: string | undefined;
  #at = 0;
  #depth = 0;
  #values = 0;
  #stringLimit: number;
  /** True while a member name is read: there a lone surrogate is only noted, see `members`. */
  #inName = false;
  #loneInName = false;
  /** True while what was read since it was set is canonical text as it stands, member order of the outermost object apart. */
  #canonical = false;
  readonly #sources: SourceMembers[] = [];

  /** @param total the bytes allowed in all where that is not the limit of one artifact */
  constructor(bytes: Uint8Array, limits: JsonLimits, total: number = limits.bytes) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#stringLimit = limits.stringBytes;
    if (bytes.length > total) throw this.#limit(`more than ${total} bytes`);
    const text = decodeUtf8(bytes);
    if (text === undefined) throw this.#invalid('the text is not valid UTF-8');
    // As many characters as bytes: all of them ASCII.
    this.#text = text.length === bytes.length ? text : undefined;
  }

  /** Reads any value. */
  value(): JsonValue {
    const byte = this.#next();
    switch (byte) {
      case 0x7b:
        return this.#object();
      case 0x5b:
        return this.#array();
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return this.#number();
        throw this.#invalid(byte < 0 ? 'the text ends where a value is needed' : 'not a JSON value');
    }
  }

  /**
   * Reads an object member by member: `take` is called at each value with its name and must read it. False where
   * the value at hand is not an object, with nothing read.
   */
  members(take: (name: string) => void): boolean {
    if (this.#next() !== 0x7b) return false;
    this.#open();
    let count = 0;
    for (let name = this.#firstName(); name !== undefined; name = this.#nextName(++count)) take(name);
    return true;
  }

  /**
   * Reads one artifact: a value with counts of its own, and its own limit of bytes. Members of an object that `signed`
   * does not name are read, checked and dropped: nothing uses them and no signature covers them, so only the artifact's
   * size bounds their strings. Without `signed` everything is kept. Of the object that a signature covers, `authorization`
   * or the inner `grant`, its members' places are kept in `sources`.
   */
  artifact(signed?: readonly string[]): JsonValue {
    const first = this.#next();
    const start = this.#at;
    const values = this.#values;
    const depth = this.#depth;
    this.#values = 0;
    this.#depth = 0;
    const value = first === 0x7b ? this.#artifactObject(signed) : this.value();
    this.#values = values;
    this.#depth = depth;
    if (this.#at - start > this.#limits.bytes)
      throw this.#limit(`an artifact of more than ${this.#limits.bytes} bytes`);
    return value;
  }

  /** Reads a value that will not be used: its strings may be as long as an artifact. Null for null, else true. */
  discard(): null | true {
    const limit = this.#stringLimit;
    this.#stringLimit = this.#limits.bytes;
    const value = this.value();
    this.#stringLimit = limit;
    return value === null ? null : true;
  }

  /**
   * Reads an array element by element: `take` is called at each element and must read it. False where the value at hand
   * is not an array, with nothing read.
   */
  elements(take: () => void): boolean {
    if (this.#next() !== 0x5b) return false;
    this.#open();
    let count = 0;
    for (let more = this.#firstElement(); more; more = this.#nextElement(++count)) take();
    return true;
  }

  /**
   * Passes over one value without reading it, by its brackets and quotes alone, and tells where it begins and ends. What
   * it holds is whoever's business reads those bytes.
   */
  span(): readonly [number, number] {
    const bytes = this.#bytes;
    this.#next();
    const start = this.#at;
    let open = 0;
    let quoted = false;
    for (let at = start; ; at++) {
      const byte = bytes[at];
      if (byte === undefined) {
        this.#at = at;
        throw this.#invalid('the text ends inside a value');
      }
      if (quoted) {
        if (byte === 0x5c) at++;
        else if (byte === 0x22) quoted = false;
        continue;
      }
      if (byte === 0x22) quoted = true;
      else if (byte === 0x7b || byte === 0x5b) open++;
      else if (byte === 0x7d || byte === 0x5d || (byte === 0x2c && open === 0)) {
        // A closing bracket or comma that is not the value's own ends it.
        if (open === 0) return this.#spanned(start, at);
        if (--open === 0) return this.#spanned(start, at + 1);
      }
    }
  }

  #spanned(start: number, end: number): readonly [number, number] {
    this.#at = end;
    return [start, end];
  }

  /** Refuses anything but white space after the value. */
  end(): void {
    if (this.#next() >= 0) throw this.#invalid('more text after the value');
  }

  /** A problem at the place reached, for readers built on this one. */
  problem(detail: string): JsonProblem {
    return this.#invalid(detail);
  }

  /** The objects read by `artifact` whose canonical text can be put together from the text that was read. */
  get sources(): readonly SourceMembers[] {
    return this.#sources;
  }

  #artifactObject(signed: readonly string[] | undefined): JsonObject {
    const object = emptyObject();
    const names: string[] = [];
    this.members((name) => {
      if (names.includes(name)) throw this.#invalid(`member "${name}" appears twice`);
      names.push(name);
      if (signed !== undefined && !signed.includes(name)) this.discard();
      else if (name === 'authorization' || name === 'grant') object[name] = this.#signedObject();
      else object[name] = this.value();
    });
    return object;
  }

  /** An object whose members' places are kept, where each is canonical as it stands. */
  #signedObject(): JsonValue {
    const text = this.#text;
    if (this.#next() !== 0x7b || text === undefined) return this.value();
    const from = this.#at;
    const names: string[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    this.#open();
    this.#canonical = true;
    const object = emptyObject();
    let count = 0;
    let start = this.#at;
    for (let name = this.#firstName(); name !== undefined; name = this.#nextName(++count)) {
      const value = this.value();
      object[name] = value;
      if (value !== null) {
        names.push(name);
        starts.push(start);
        ends.push(this.#at);
      }
      // Behind the comma, if there is one: white space, which would move it, is not canonical.
      start = this.#at + 1;
    }
    if (Object.keys(object).length !== count) throw this.#twice(from);
    if (this.#canonical) this.#sources.push({ object, text, names, starts, ends });
    return object;
  }

  #object(): JsonObject {
    const start = this.#at;
    this.#open();
    const object = emptyObject();
    let count = 0;
    let before = '';
    for (let name = this.#firstName(); name !== undefined; name = this.#nextName(++count)) {
      const value = this.value();
      object[name] = value;
      if (value === null || name < before) this.#canonical = false;
      before = name;
    }
    // Fewer members than names: some name came twice. Counting once is cheaper than asking for each.
    if (Object.keys(object).length !== count) throw this.#twice(start);
    return object;
  }

  /** The problem of the object at `start`, in which a name comes twice: it is read again to say which. */
  #twice(start: number): JsonProblem {
    this.#at = start;
    const names: string[] = [];
    let twice = '';
    this.members((name) => {
      if (names.includes(name)) twice = name;
      names.push(name);
      this.value();
    });
    return this.#invalid(`member "${twice}" appears twice`);
  }

  #array(): JsonValue[] {
    this.#open();
    const array: JsonValue[] = [];
    let count = 0;
    for (let more = this.#firstElement(); more; more = this.#nextElement(++count)) array.push(this.value());
    return array;
  }

  /** After `{`: the first member's name, its value at hand; or undefined, the object being closed. */
  #firstName(): string | undefined {
    const byte = this.#next();
    if (byte !== 0x7d) return this.#memberName(byte);
    this.#close();
    return undefined;
  }

  /** After the value of the `count`th member: the next one's name, or undefined, the object being closed. */
  #nextName(count: number): string | undefined {
    const byte = this.#next();
    if (byte === 0x2c) {
      this.#at++;
      if (count >= this.#limits.members) throw this.#limit(`more than ${this.#limits.members} members in an object`);
      return this.#memberName(this.#next());
    }
    if (byte !== 0x7d) throw this.#invalid('"," or "}" is needed');
    this.#close();
    return undefined;
  }

  #memberName(byte: number): string {
    if (byte !== 0x22) throw this.#invalid('a member name is needed');
    const name = this.#name();
    if (this.#next() !== 0x3a) throw this.#invalid('":" is needed after a member name');
    this.#at++;
    this.#count();
    // A member that is null is left out of canonical text, and a lone surrogate in its name with it: nothing is hashed
    // that has no UTF-8 form. Any other value makes the name count.
    if (this.#loneInName && this.#next() !== 0x6e) throw this.#invalid('a lone surrogate in a member name');
    return name;
  }

  /** After `[`: true where there is an element, which is at hand; else the array is closed. */
  #firstElement(): boolean {
    if (this.#next() !== 0x5d) {
      this.#count();
      return true;
    }
    this.#close();
    return false;
  }

  /** After the `count`th element: true where there is another. */
  #nextElement(count: number): boolean {
    const byte = this.#next();
    if (byte === 0x2c) {
      this.#at++;
      if (count >= this.#limits.elements) throw this.#limit(`more than ${this.#limits.elements} array elements`);
      this.#count();
      return true;
    }
    if (byte !== 0x5d) throw this.#invalid('"," or "]" is needed');
    this.#close();
    return false;
  }

  #open(): void {
    this.#at++;
    if (++this.#depth > this.#limits.depth) throw this.#limit(`nested more than ${this.#limits.depth} deep`);
  }

  #close(): void {
    this.#at++;
    this.#depth--;
  }

  #count(): void {
    if (++this.#values > this.#limits.values) throw this.#limit(`more than ${this.#limits.values} values`);
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#at + i] !== word.charCodeAt(i)) throw this.#invalid('not a JSON value');
    }
    this.#at += word.length;
    return value;
  }

  /** A member name. A known one is the known string itself; anything else is read as any string. */
  #name(): string {
    this.#loneInName = false;
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    let hash = 0;
    for (;;) {
      const byte = bytes[at];
      if (byte === 0x22) break;
      // Not a plain name, or none at all: what it is shows below.
      if (byte === undefined || byte < 0x20 || byte > 0x7e || byte === 0x5c) return this.#oddName();
      hash = nameHash(hash, byte);
      at++;
    }
    const known = knownName(hash);
    if (known === undefined || known.length !== at - start || !this.#isAt(start, known)) return this.#oddName();
    this.#at = at + 1;
    return known;
  }

  #oddName(): string {
    this.#inName = true;
    const name = this.#string();
    this.#inName = false;
    return name;
  }

  /** True where the bytes at `start` are those of ASCII text. */
  #isAt(start: number, text: string): boolean {
    if (this.#text !== undefined) return this.#text.startsWith(text, start);
    for (let i = 0; i < text.length; i++) if (this.#bytes[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  #number(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    if (bytes[at] === 0x2d) at++;
    if (bytes[at] === 0x30) at++;
    else at = this.#digits(at);
    if (bytes[at] === 0x2e) at = this.#digits(at + 1);
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
      at = this.#digits(at);
    }
    this.#room(at - start, 'number');
    const text = this.#slice(start, at);
    const value = Number(text);
    if (String(value) !== text) this.#canonical = false;
    if (value === Infinity || value === -Infinity) throw this.#invalid('a number outside the double range');
    this.#at = at;
    return value;
  }

  /** The end of the digits at `at`, of which there must be one. */
  #digits(at: number): number {
    let end = at;
    for (;;) {
      const byte = this.#bytes[end];
      if (byte === undefined || byte < 0x30 || byte > 0x39) break;
      end++;
    }
    if (end === at) {
      this.#at = at;
      throw this.#invalid('a digit is needed');
    }
    return end;
  }

  #string(): string {
    const bytes = this.#bytes;
    const start = ++this.#at;
    let at = start;
    let ascii = true;
    for (;;) {
      const byte = bytes[at];
      if (byte === 0x22) break;
      if (byte === 0x5c) return this.#escaped(start, at);
      if (byte === undefined || byte < 0x20) {
        this.#at = at;
        throw this.#invalid(byte === undefined ? 'the text ends inside a string' : 'a control character in a string');
      }
      if (byte > 0x7f) ascii = false;
      at++;
    }
    this.#room(at - start, 'string');
    const text = ascii ? this.#slice(start, at) : decodeUtf8(bytes, start, at);
    if (text === undefined) throw this.#invalid('a string that is not valid UTF-8');
    this.#at = at + 1;
    return text;
  }

  /** The rest of a string from its first escape on. */
  #escaped(start: number, first: number): string {
    this.#canonical = false;
    const bytes = this.#bytes;
    let text = this.#run(start, first);
    let size = first - start;
    this.#at = first;
    for (;;) {
      const byte = bytes[this.#at];
      if (byte === 0x22) {
        this.#at++;
        return text;
      }
      if (byte === 0x5c) {
        const point = this.#escape();
        size += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        text += String.fromCodePoint(point);
      } else {
        const run = this.#at;
        for (;;) {
          const next = bytes[this.#at];
          if (next === 0x22 || next === 0x5c) break;
          if (next === undefined) throw this.#invalid('the text ends inside a string');
          if (next < 0x20) throw this.#invalid('a control character in a string');
          this.#at++;
        }
        size += this.#at - run;
        this.#room(size, 'string');
        text += this.#run(run, this.#at);
      }
      this.#room(size, 'string');
    }
  }

  #run(start: number, end: number): string {
    this.#room(end - start, 'string');
    const text = decodeUtf8(this.#bytes, start, end);
    if (text === undefined) throw this.#invalid('a string that is not valid UTF-8');
    return text;
  }

  /** The code point of the escape at hand; a surrogate must come as a pair. */
  #escape(): number {
    const kind = this.#bytes[this.#at + 1];
    if (kind === 0x75) {
      const high = this.#hex4();
      if (high < 0xd800 || high > 0xdfff) return high;
      if (high < 0xdc00 && this.#bytes[this.#at] === 0x5c && this.#bytes[this.#at + 1] === 0x75) {
        const after = this.#at;
        const low = this.#hex4();
        if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        this.#at = after;
      }
      if (!this.#inName) throw this.#invalid('a lone surrogate');
      this.#loneInName = true;
      return high;
    }
    const point = simpleEscape(kind);
    if (point < 0) throw this.#invalid('an unknown escape');
    this.#at += 2;
    return point;
  }

  #hex4(): number {
    let point = 0;
    for (let i = 2; i < 6; i++) {
      const digit = hexDigit(this.#bytes[this.#at + i]);
      if (digit < 0) throw this.#invalid('"\\u" needs four hexadecimal digits');
      point = point * 16 + digit;
    }
    this.#at += 6;
    return point;
  }

  #room(size: number, what: string): void {
    if (size > this.#stringLimit) throw this.#limit(`a ${what} of more than ${this.#stringLimit} bytes`);
  }

  /** Text of bytes that are ASCII. */
  #slice(start: number, end: number): string {
    return this.#text === undefined ? asciiText(this.#bytes, start, end) : this.#text.slice(start, end);
  }

  /** Skips white space; the byte at hand, or -1 at the end. */
  #next(): number {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return -1;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.#canonical = false;
      this.#at++;
    }
  }

  #invalid(detail: string): JsonProblem {
    return new JsonProblem('ARTIFACT_INVALID', this.#at, detail);
  }

  #limit(detail: string): JsonProblem {
    return new JsonProblem('LIMIT_EXCEEDED', this.#at, detail);
  }
}

function simpleEscape(kind: number | undefined): number {
  switch (kind) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return kind;
    case 0x62:
      return 8;
    case 0x66:
      return 12;
    case 0x6e:
      return 10;
    case 0x72:
      return 13;
    case 0x74:
      return 9;
    default:
      return -1;
  }
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
