// Strict JSON (RFC 8259) from bytes, within limits that are checked as it reads. Refused beyond the grammar: duplicate
// member names, lone surrogates, numbers outside the double range, invalid UTF-8, a byte-order mark (INTEROP §2).

import { type JsonLimits, NESTED_WEIGHT, VALUE_WEIGHT } from '../limits.ts';
import type { SourceMembers } from './source-members.ts';
import { JsonProblem, JsonTokens } from './tokens.ts';
import { emptyObject, type JsonObject, type JsonValue, memberCount, setMember } from './value.ts';

export { JsonProblem };

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

/** An object or array that is open. */
interface Level {
  readonly object: Record<string, JsonValue> | undefined;
  readonly array: JsonValue[] | undefined;
  /** Where it begins. */
  readonly start: number;
  /** Members or elements so far. */
  count: number;
  /** The name of the member at hand. */
  name: string;
}

/** A cursor over JSON bytes. Its methods throw JsonProblem, which those who make one turn into their answer. */
export class JsonReader extends JsonTokens {
  /** How long the text of what was read is, where it is not JSON text. */
  readonly jsonLength = 0;
  #depth = 0;
  #values = 0;
  /** Values of the artifacts before this one. */
  #valuesBefore = 0;
  readonly #mostValues: number;
  readonly #sources: SourceMembers[] = [];

  /**
   * @param total the bytes allowed in all where that is not the limit of one artifact
   * @param values how many values all artifacts together may have
   * @param weight what they may weigh together: see PRESENTATION_WEIGHT
   */
  constructor(bytes: Uint8Array, limits: JsonLimits, total?: number, values = Infinity, weight = Infinity) {
    super(bytes, limits, total, weight);
    this.#mostValues = values;
  }

  /** Reads any value. */
  value(): JsonValue {
    const byte = this.next();
    return byte === 0x7b || byte === 0x5b ? this.#nested(byte) : this.#single(byte);
  }

  /**
   * Reads an object member by member: `take` is called at each value with its name and must read it. False where
   * the value at hand is not an object, with nothing read.
   */
  members(take: (name: string) => void): boolean {
    if (this.next() !== 0x7b) return false;
    this.#open();
    let count = 0;
    for (let name = this.#firstName(); name !== undefined; name = this.#nextName(++count)) take(name);
    return true;
  }

  /**
   * Reads one artifact: a value with counts of its own, and its own limit of bytes.
   *
   * @param signed the member that holds what its signature covers: the places of that object's members go to `sources`
   * @param kept the members that are kept, all where this is left out. Others are read, checked and dropped: nothing uses
   *   them and no signature covers them, so only the artifact's size bounds their strings
   */
  artifact(signed?: string, kept?: readonly string[]): JsonValue {
    const first = this.next();
    const start = this.at;
    const values = this.#values;
    const depth = this.#depth;
    this.#values = 0;
    this.#depth = 0;
    const value = first === 0x7b ? this.#artifactObject(signed, kept) : this.value();
    this.#valuesBefore += this.#values;
    this.#values = values;
    this.#depth = depth;
    if (this.at - start > this.limits.bytes) throw this.limit(`an artifact of more than ${this.limits.bytes} bytes`);
    return value;
  }

  /** Reads a value that will not be used: its strings may be as long as an artifact. Null for null, else true. */
  discard(): null | true {
    const limit = this.stringLimit;
    this.stringLimit = this.limits.bytes;
    this.dropped = true;
    const value = this.value();
    this.dropped = false;
    this.stringLimit = limit;
    return value === null ? null : true;
  }

  /**
   * Reads an array element by element: `take` is called at each element and must read it. False where the value at hand
   * is not an array, with nothing read.
   */
  elements(take: () => void): boolean {
    if (this.next() !== 0x5b) return false;
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
    const bytes = this.bytes;
    this.next();
    const start = this.at;
    let open = 0;
    let quoted = false;
    for (let at = start; ; at++) {
      const byte = bytes[at];
      if (byte === undefined) {
        this.at = at;
        throw this.invalid('the text ends inside a value');
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
    this.at = end;
    return [start, end];
  }

  /** Refuses anything but white space after the value. */
  end(): void {
    if (this.next() >= 0) throw this.invalid('more text after the value');
  }

  /** A problem at the place reached, for readers built on this one. */
  problem(detail: string, code: JsonProblem['code'] = 'ARTIFACT_INVALID'): JsonProblem {
    return new JsonProblem(code, this.at, detail);
  }

  /** The problem of a member that its object has already. */
  appearsTwice(name: string): JsonProblem {
    return this.invalid(`member "${name.slice(0, 40)}" appears twice`);
  }

  /** The objects read by `artifact` whose canonical text can be put together from the text that was read. */
  get sources(): readonly SourceMembers[] {
    return this.#sources;
  }

  /** True where any engine writes all numbers that were read as canonical text has them. */
  get hasQuickNumbers(): boolean {
    return this.quickNumbers;
  }

  #artifactObject(signed: string | undefined, kept: readonly string[] | undefined): JsonObject {
    const object = emptyObject();
    const names: string[] = [];
    this.members((name) => {
      if (names.includes(name)) throw this.appearsTwice(name);
      names.push(name);
      if (name === signed) object[name] = this.#signedObject();
      else if (kept === undefined || kept.includes(name)) setMember(object, name, this.value());
      else this.discard();
    });
    return object;
  }

  /** An object whose members' places are kept, where each is canonical as it stands. */
  #signedObject(): JsonValue {
    const text = this.text;
    if (this.next() !== 0x7b || text === undefined) return this.value();
    const from = this.at;
    const names: string[] = [];
    const starts: number[] = [];
    const ends: number[] = [];
    this.#open();
    this.canonical = true;
    const object = emptyObject();
    let count = 0;
    let start = this.at;
    for (let name = this.#firstName(); name !== undefined; name = this.#nextName(++count)) {
      const value = this.value();
      setMember(object, name, value);
      if (value !== null) {
        names.push(name);
        starts.push(start);
        ends.push(this.at);
      }
      // Behind the comma, if there is one: white space, which would move it, is not canonical.
      start = this.at + 1;
    }
    if (memberCount(object) !== count) throw this.#twice(from);
    if (this.canonical) this.#sources.push({ object, text, names, starts, ends });
    return object;
  }

  /** Reads an object or array and all in it. In a loop: what it may be nested does not fit on a device's stack. */
  #nested(first: number): JsonValue {
    const around: Level[] = [];
    let level = this.#level(first);
    for (;;) {
      let value: JsonValue;
      if (level.array === undefined ? this.#another(level) : this.#anotherElement(level)) {
        const byte = this.next();
        if (byte === 0x7b || byte === 0x5b) {
          around.push(level);
          level = this.#level(byte);
          continue;
        }
        value = this.#single(byte);
      } else {
        value = level.array ?? (level.object as JsonObject);
        const outer = around.pop();
        if (outer === undefined) return value;
        level = outer;
      }
      if (level.array !== undefined) level.array.push(value);
      else this.#put(level, value);
    }
  }

  #level(first: number): Level {
    const start = this.at;
    this.#open();
    if (first === 0x5b) return { object: undefined, array: [], start, count: 0, name: '' };
    return { object: emptyObject(), array: undefined, start, count: 0, name: '' };
  }

  /** Goes to the next element of an array; where there is none, closes it. */
  #anotherElement(level: Level): boolean {
    return level.count++ === 0 ? this.#firstElement() : this.#nextElement(level.count - 1);
  }

  /** Goes to the value of the next member of an object; where there is none, closes it. */
  #another(level: Level): boolean {
    const before = level.name;
    const name = level.count === 0 ? this.#firstName() : this.#nextName(level.count);
    if (name === undefined) {
      // Fewer members than names: some name came twice. Counting once is cheaper than asking for each.
      if (memberCount(level.object as JsonObject) !== level.count) throw this.#twice(level.start);
      return false;
    }
    if (name < before) this.canonical = false;
    level.name = name;
    level.count++;
    return true;
  }

  #put(level: Level, value: JsonValue): void {
    if (value === null) this.canonical = false;
    setMember(level.object as Record<string, JsonValue>, level.name, value);
  }

  /** A value that is no object and no array, the first byte of which is at hand. */
  #single(byte: number): JsonValue {
    switch (byte) {
      case 0x22:
        return this.string();
      case 0x74:
        return this.word('true', true);
      case 0x66:
        return this.word('false', false);
      case 0x6e:
        return this.word('null', null);
      default:
        if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return this.number();
        throw this.invalid(byte < 0 ? 'the text ends where a value is needed' : 'not a JSON value');
    }
  }

  /** The problem of the object at `start`, in which a name comes twice: it is read again to say which. */
  #twice(start: number): JsonProblem {
    this.at = start;
    // What it holds has been counted.
    this.#values = 0;
    this.weight = 0;
    const names: string[] = [];
    let twice = '';
    this.members((name) => {
      if (names.includes(name)) twice = name;
      names.push(name);
      this.value();
    });
    return this.appearsTwice(twice);
  }

  /** After `{`: the first member's name, its value at hand; or undefined, the object being closed. */
  #firstName(): string | undefined {
    const byte = this.next();
    if (byte !== 0x7d) return this.#memberName(byte);
    this.#close();
    return undefined;
  }

  /** After the value of the `count`th member: the next one's name, or undefined, the object being closed. */
  #nextName(count: number): string | undefined {
    const byte = this.next();
    if (byte === 0x2c) {
      this.at++;
      if (count >= this.limits.members) throw this.limit(`more than ${this.limits.members} members in an object`);
      return this.#memberName(this.next());
    }
    if (byte !== 0x7d) throw this.invalid('"," or "}" is needed');
    this.#close();
    return undefined;
  }

  #memberName(byte: number): string {
    if (byte !== 0x22) throw this.invalid('a member name is needed');
    const name = this.name();
    if (this.next() !== 0x3a) throw this.invalid('":" is needed after a member name');
    this.at++;
    this.#count();
    // A member that is null is left out of canonical text, and a lone surrogate in its name with it: nothing is hashed
    // that has no UTF-8 form. Any other value makes the name count.
    if (this.loneInName && this.next() !== 0x6e) throw this.invalid('a lone surrogate in a member name');
    return name;
  }

  /** After `[`: true where there is an element, which is at hand; else the array is closed. */
  #firstElement(): boolean {
    if (this.next() !== 0x5d) {
      this.#count();
      return true;
    }
    this.#close();
    return false;
  }

  /** After the `count`th element: true where there is another. */
  #nextElement(count: number): boolean {
    const byte = this.next();
    if (byte === 0x2c) {
      this.at++;
      if (count >= this.limits.elements) throw this.limit(`more than ${this.limits.elements} array elements`);
      this.#count();
      return true;
    }
    if (byte !== 0x5d) throw this.invalid('"," or "]" is needed');
    this.#close();
    return false;
  }

  #open(): void {
    this.at++;
    this.weigh(NESTED_WEIGHT);
    if (++this.#depth > this.limits.depth) throw this.limit(`nested more than ${this.limits.depth} deep`);
  }

  #close(): void {
    this.at++;
    this.#depth--;
  }

  #count(): void {
    if (++this.#values > this.limits.values) throw this.limit(`more than ${this.limits.values} values`);
    this.weigh(VALUE_WEIGHT);
    if (this.#values + this.#valuesBefore > this.#mostValues)
      throw this.limit(`more than ${this.#mostValues} values in all artifacts`);
  }
}
