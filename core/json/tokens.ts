// The tokens of strict JSON (RFC 8259): white space, strings, names, numbers and words, from bytes and within limits that
// are checked as it reads. `JsonReader` puts them together.

import { asciiText, builtInsAreFaster, decodeUtf8, isUtf8 } from '../encoding/utf8.ts';
import { type JsonLimits, LONG_NUMBER_WEIGHT, UNKNOWN_NAME_WEIGHT } from '../limits.ts';
import { knownName, nameHash } from './known-names.ts';
import { isQuick, numberFrom } from './numbers.ts';
import type { JsonValue } from './value.ts';

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

/** A cursor over JSON bytes. Its methods throw JsonProblem. */
export class JsonTokens {
  protected readonly limits: JsonLimits;
  /**
   * The whole input as text where it is ASCII: then byte offsets are character offsets and one conversion serves all. Not on
   * devices, which have no memory for it and convert small pieces fast.
   */
  protected readonly text: string | undefined;
  protected at = 0;
  protected stringLimit: number;
  /** True while strings are read that nobody uses: they are checked, and come out empty. Names do not. */
  protected dropped = false;
  /** True while what was read since it was set is canonical text as it stands, member order of the outermost object apart. */
  protected canonical = false;
  /** True while every number was one that any engine writes as canonical text has it. */
  protected quickNumbers = true;
  /** True where the name read last has a lone surrogate: in a name it is only noted, what its value is decides. */
  protected loneInName = false;
  protected readonly bytes: Uint8Array;
  /** What was kept so far, in bytes, and the most it may be. */
  protected weight = 0;
  readonly #mostWeight: number;
  #inName = false;

  /**
   * @param total the bytes allowed in all where that is not the limit of one artifact
   * @param weight what all of it may weigh, the bytes themselves included
   */
  constructor(bytes: Uint8Array, limits: JsonLimits, total: number = limits.bytes, weight = Infinity) {
    this.bytes = bytes;
    this.limits = limits;
    this.weight = bytes.length;
    this.#mostWeight = weight;
    this.stringLimit = limits.stringBytes;
    if (bytes.length > total) throw this.limit(`more than ${total} bytes`);
    const onDevice = builtInsAreFaster();
    const text = onDevice ? undefined : decodeUtf8(bytes);
    if (onDevice ? !isUtf8(bytes) : text === undefined) throw this.invalid('the text is not valid UTF-8');
    // As many characters as bytes: all of them ASCII.
    this.text = text?.length === bytes.length ? text : undefined;
  }

  protected word<T extends JsonValue>(word: string, value: T): T {
    for (let i = 0; i < word.length; i++) {
      if (this.bytes[this.at + i] !== word.charCodeAt(i)) throw this.invalid('not a JSON value');
    }
    this.at += word.length;
    return value;
  }

  /** A member name. A known one is the known string itself; anything else is read as any string. */
  protected name(): string {
    this.loneInName = false;
    const bytes = this.bytes;
    const start = this.at + 1;
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
    this.at = at + 1;
    return known;
  }

  #oddName(): string {
    this.#inName = true;
    this.weigh(UNKNOWN_NAME_WEIGHT);
    const name = this.string();
    this.#inName = false;
    return name;
  }

  /** True where the bytes at `start` are those of ASCII text. */
  #isAt(start: number, text: string): boolean {
    if (this.text !== undefined) return this.text.startsWith(text, start);
    if (builtInsAreFaster()) return asciiText(this.bytes, start, start + text.length) === text;
    for (let i = 0; i < text.length; i++) if (this.bytes[start + i] !== text.charCodeAt(i)) return false;
    return true;
  }

  protected number(): number {
    const bytes = this.bytes;
    const start = this.at;
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
    // Not as long as an artifact even where nothing uses it: what is read in pieces could not tell its value.
    if (at - start > this.limits.stringBytes)
      throw this.limit(`a number of more than ${this.limits.stringBytes} bytes`);
    const text = this.#slice(start, at);
    const value = numberFrom(text);
    if (!isQuick(text, value)) {
      this.quickNumbers = false;
      this.weigh(LONG_NUMBER_WEIGHT);
    }
    if (this.canonical && String(value) !== text) this.canonical = false;
    if (value === Infinity || value === -Infinity) throw this.invalid('a number outside the double range');
    this.at = at;
    return value;
  }

  /** The end of the digits at `at`, of which there must be one. */
  #digits(at: number): number {
    let end = at;
    for (;;) {
      const byte = this.bytes[end];
      if (byte === undefined || byte < 0x30 || byte > 0x39) break;
      end++;
    }
    if (end === at) {
      this.at = at;
      throw this.invalid('a digit is needed');
    }
    return end;
  }

  protected string(): string {
    const bytes = this.bytes;
    const start = ++this.at;
    let at = start;
    let ascii = true;
    for (;;) {
      const byte = bytes[at];
      if (byte === 0x22) break;
      if (byte === 0x5c) return this.#escaped(start, at);
      if (byte === undefined || byte < 0x20) {
        this.at = at;
        throw this.invalid(byte === undefined ? 'the text ends inside a string' : 'a control character in a string');
      }
      if (byte > 0x7f) ascii = false;
      at++;
    }
    this.#room(at - start);
    this.at = at + 1;
    if (this.dropped && !this.#inName) return '';
    this.#keep(at - start);
    // All of the input is valid UTF-8, and a part between two quotes too.
    return ascii ? this.#slice(start, at) : (decodeUtf8(bytes, start, at) as string);
  }

  /** The rest of a string from its first escape on. */
  #escaped(start: number, first: number): string {
    this.canonical = false;
    const bytes = this.bytes;
    const isDropped = this.dropped && !this.#inName;
    this.#room(first - start);
    if (!isDropped) this.#keep(first - start);
    let text = isDropped ? '' : this.#run(start, first);
    let size = first - start;
    this.at = first;
    for (;;) {
      const byte = bytes[this.at];
      if (byte === 0x22) {
        this.at++;
        return text;
      }
      if (byte === 0x5c) {
        const point = this.#escape();
        size += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        if (!isDropped) {
          this.#keep(1);
          text += String.fromCodePoint(point);
        }
      } else {
        const run = this.at;
        for (;;) {
          const next = bytes[this.at];
          if (next === 0x22 || next === 0x5c) break;
          if (next === undefined) throw this.invalid('the text ends inside a string');
          if (next < 0x20) throw this.invalid('a control character in a string');
          this.at++;
        }
        size += this.at - run;
        this.#room(size);
        if (!isDropped) {
          this.#keep(this.at - run);
          text += this.#run(run, this.at);
        }
      }
      this.#room(size);
    }
  }

  #run(start: number, end: number): string {
    return decodeUtf8(this.bytes, start, end) as string;
  }

  /** The code point of the escape at hand; a surrogate must come as a pair. */
  #escape(): number {
    const kind = this.bytes[this.at + 1];
    if (kind === 0x75) {
      const high = this.#hex4();
      if (high < 0xd800 || high > 0xdfff) return high;
      if (high < 0xdc00 && this.bytes[this.at] === 0x5c && this.bytes[this.at + 1] === 0x75) {
        const after = this.at;
        const low = this.#hex4();
        if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        this.at = after;
      }
      if (!this.#inName) throw this.invalid('a lone surrogate');
      this.loneInName = true;
      return high;
    }
    const point = simpleEscape(kind);
    if (point < 0) throw this.invalid('an unknown escape');
    this.at += 2;
    return point;
  }

  #hex4(): number {
    let point = 0;
    for (let i = 2; i < 6; i++) {
      const digit = hexDigit(this.bytes[this.at + i]);
      if (digit < 0) throw this.invalid('"\\u" needs four hexadecimal digits');
      point = point * 16 + digit;
    }
    this.at += 6;
    return point;
  }

  /** Counts what is kept. */
  protected weigh(bytes: number): void {
    this.weight += bytes;
    if (this.weight > this.#mostWeight)
      throw this.limit(`text and values that weigh more than ${this.#mostWeight} bytes`);
  }

  /** Counts text that is kept. Names of what is dropped may be long, and then there is no room for a second one. */
  #keep(bytes: number): void {
    this.weigh(this.dropped ? 2 * bytes : bytes);
  }

  #room(size: number): void {
    if (size > this.stringLimit) throw this.limit(`a string of more than ${this.stringLimit} bytes`);
  }

  /** Text of bytes that are ASCII. */
  #slice(start: number, end: number): string {
    return this.text === undefined ? asciiText(this.bytes, start, end) : this.text.slice(start, end);
  }

  /** Skips white space; the byte at hand, or -1 at the end. */
  protected next(): number {
    for (;;) {
      const byte = this.bytes[this.at];
      if (byte === undefined) return -1;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.canonical = false;
      this.at++;
    }
  }

  protected invalid(detail: string): JsonProblem {
    return new JsonProblem('ARTIFACT_INVALID', this.at, detail);
  }

  protected limit(detail: string): JsonProblem {
    return new JsonProblem('LIMIT_EXCEEDED', this.at, detail);
  }
}

/** The character that a backslash and `kind` stand for, or -1. */
export function simpleEscape(kind: number | undefined): number {
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

/** The value of a hexadecimal digit, or -1. */
export function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
