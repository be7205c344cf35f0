// Strict JSON (RFC 8259) read from where it is kept, through a small window, and never held whole: the grammar, the limits
// and the order in which they are found are those of `JsonReader`. What was read once may be walked again as trusted.

import { asciiText, decodeUtf8 } from '../encoding/utf8.ts';
import { Utf8Check } from '../encoding/utf8-check.ts';
import type { JsonLimits } from '../limits.ts';
import type { Crypto, Hash } from '../ports/ports.ts';
import { knownName, nameHash, nameRank } from './known-names.ts';
import { numberFrom } from './numbers.ts';
import { hexDigit, JsonProblem, simpleEscape } from './tokens.ts';
import { emptyObject, type JsonValue } from './value.ts';

/** Bytes that are somewhere else. */
export interface ByteSource {
  /** Fills `target` with the bytes from `offset` on. */
  read(offset: number, target: Uint8Array): void;
}

/** Names of open objects that there is memory for from the beginning. */
const NAMES_AT_FIRST = 64;
/** Names longer than this are none of the known ones. */
const LONGEST_KNOWN = 40;

/** In the place of names: the level is of an array. */
const IN_ARRAY = 0xffff;

/** The first byte of `null`. */
export const NULL = 0x6e;

/** A cursor over JSON text in a source. Its methods throw JsonProblem, and whatever the source throws. */
export class JsonStream {
  readonly #source: ByteSource;
  readonly #limits: JsonLimits;
  readonly #crypto: Crypto;
  readonly #window: Uint8Array;
  /** What the window holds: `#filled` bytes from `#from` on. */
  #from = 0;
  #filled = 0;
  #start = 0;
  #end = 0;
  #at = 0;
  #depth = 0;
  #values = 0;
  #stringLimit: number;
  #trusted = false;
  /** Of the string read last, escapes resolved, `#held` bytes of its `#size`. Where that is not all, it did not fit: these are pieces. */
  readonly #text: Uint8Array;
  #size = 0;
  #held = 0;
  #escaped = false;
  #loneSurrogate = false;
  #nameAt = 0;
  #rank = -1;
  /** Takes what of a name does not fit `#text`. */
  #nameHash: Hash | undefined;
  /** Of the members of all objects that are open: eight bytes each that stand for the name. */
  #names = new Uint32Array(2 * NAMES_AT_FIRST);
  #named = 0;
  /** Per object or array that is open: where its names begin, or IN_ARRAY, and how many values of it were read. */
  readonly #levels: Uint16Array;

  /**
   * @param window bytes that are read from the source at a time
   * @throws RangeError where these are more than the longest string has
   */
  constructor(source: ByteSource, crypto: Crypto, limits: JsonLimits, window: number) {
    // What of a long name is in the window has to fit in the place of one string.
    if (window > limits.stringBytes) throw new RangeError('the window is longer than the longest string');
    this.#source = source;
    this.#crypto = crypto;
    this.#limits = limits;
    this.#window = new Uint8Array(window);
    this.#text = new Uint8Array(limits.stringBytes);
    this.#levels = new Uint16Array(2 * limits.depth);
    this.#stringLimit = limits.stringBytes;
  }

  /** Bytes of its buffers at the moment: window, one string, and what is known of open objects and arrays. */
  get memoryBytes(): number {
    return this.#window.length + this.#text.length + this.#names.byteLength + this.#levels.byteLength;
  }

  /** Begins at `start`. Nothing from `end` on is read. LIMIT_EXCEEDED where that is more than `total` bytes. */
  open(start: number, end: number, total: number = this.#limits.bytes): void {
    this.#start = start;
    this.#end = end;
    this.#filled = 0;
    this.#trusted = false;
    this.#depth = 0;
    this.#named = 0;
    this.#stringLimit = this.#limits.stringBytes;
    this.moveTo(start);
    if (end - start > total) throw this.problem(`more than ${total} bytes`, 'LIMIT_EXCEEDED');
  }

  /** Begins at `start` in text that was read whole before, and found good: limits and names are not looked at again. */
  openTrusted(start: number, end: number): void {
    this.open(start, end, end - start);
    this.#trusted = true;
  }

  /** Refuses text that is not UTF-8. Ends where it began. @returns whether it is ASCII */
  checkUtf8(): boolean {
    const check = new Utf8Check();
    this.bytes(this.#start, this.#end, (part) => check.update(part));
    if (!check.valid) throw this.problem('the text is not valid UTF-8');
    return check.ascii;
  }

  /** Gives the bytes of a range to `sink`, in pieces that are reused. */
  bytes(start: number, end: number, sink: (part: Uint8Array) => void): void {
    this.#filled = 0;
    for (let at = start; at < end; at += this.#window.length) {
      const part = this.#window.subarray(0, Math.min(this.#window.length, end - at));
      this.#source.read(at, part);
      sink(part);
    }
  }

  /** The bytes of a range in memory that the next string takes, or undefined where they are more than one may have. */
  part(start: number, end: number): Uint8Array | undefined {
    if (end - start > this.#text.length) return undefined;
    const part = this.#text.subarray(0, end - start);
    this.#source.read(start, part);
    return part;
  }

  /** The place reached, in bytes of the source. */
  get offset(): number {
    return this.#at;
  }

  /** Where the name of the member at hand begins, its quote included. */
  get nameOffset(): number {
    return this.#nameAt;
  }

  /** The place of the name at hand in the order of all known names, or -1 where it is none of them. */
  get nameRank(): number {
    return this.#rank;
  }

  /** Goes on at another place. */
  moveTo(offset: number): void {
    this.#at = offset;
    this.#values = 0;
  }

  /** Skips white space; the byte at hand, or -1 at the end. */
  next(): number {
    for (;;) {
      const byte = this.#byte(this.#at);
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.#at++;
    }
  }

  /** Reads any value and drops it. @returns its first byte */
  value(): number {
    const byte = this.next();
    if (byte !== 0x7b && byte !== 0x5b) this.#single(byte);
    else if (this.#trusted) this.span();
    else this.#container(byte);
    return byte;
  }

  /** Reads a value that is no object and no array. */
  #single(byte: number): void {
    if (byte === 0x22) this.#string(false);
    else if (byte === 0x74) this.#word('true');
    else if (byte === 0x66) this.#word('false');
    else if (byte === NULL) this.#word('null');
    else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) this.number();
    else throw this.problem(byte < 0 ? 'the text ends where a value is needed' : 'not a JSON value');
  }

  /** Reads an object or array and all in it. In a loop: the stack of a device is small, and running out of it is its end. */
  #container(first: number): void {
    const levels = this.#levels;
    let depth = 0;
    for (let byte = first; ; byte = this.next()) {
      let more: boolean;
      if (byte === 0x7b || byte === 0x5b) {
        this.#open();
        levels[2 * depth] = byte === 0x7b ? this.#named : IN_ARRAY;
        levels[2 * depth + 1] = 0;
        depth++;
        more = byte === 0x7b ? this.#firstName() : this.#firstElement();
      } else {
        this.#single(byte);
        more = this.#another(2 * (depth - 1));
      }
      while (!more) {
        depth--;
        const names = levels[2 * depth] as number;
        if (names !== IN_ARRAY) this.#checkNames(names);
        if (depth === 0) return;
        more = this.#another(2 * (depth - 1));
      }
      if (levels[2 * (depth - 1)] !== IN_ARRAY) this.#keepName();
    }
  }

  /** After a value of the object or array of a level: true where there is another. */
  #another(level: number): boolean {
    const count = (this.#levels[level + 1] as number) + 1;
    this.#levels[level + 1] = count;
    return this.#levels[level] === IN_ARRAY ? this.#nextElement(count) : this.#nextName(count);
  }

  /**
   * Reads any value: a string, number or word as it is, of an object or array only that it is one.
   *
   * @param longest a string of more bytes is none that matters: it is given as if it were a list
   */
  scalar(longest: number = this.#text.length): JsonValue {
    const byte = this.next();
    switch (byte) {
      case 0x7b:
        this.value();
        return emptyObject();
      case 0x5b:
        this.value();
        return [];
      case 0x22:
        this.#string(false);
        return this.#size <= longest ? this.text : [];
      case 0x74:
        this.#word('true');
        return true;
      case 0x66:
        this.#word('false');
        return false;
      case NULL:
        this.#word('null');
        return null;
      default:
        return this.number();
    }
  }

  /** The string read last. @throws JsonProblem where it has no text: a lone surrogate in a name, or it was too long to keep */
  get text(): string {
    const text = this.#held === this.#size ? decodeUtf8(this.#text, 0, this.#size) : undefined;
    if (text === undefined) throw this.problem('a string that is not valid UTF-8');
    return text;
  }

  /** The bytes of the string read last, escapes resolved; valid until the next one. */
  get textBytes(): Uint8Array {
    return this.#text.subarray(0, this.#held);
  }

  /** True where the string read last came with escapes. */
  get escaped(): boolean {
    return this.#escaped;
  }

  /**
   * Reads an object member by member: `take` is called at each value with its name and must read it. A name with a lone
   * surrogate, whose value is null, is ''. False where the value at hand is not an object, with nothing read.
   */
  members(take: (name: string) => void): boolean {
    if (this.next() !== 0x7b) return false;
    let count = 0;
    for (let name = this.firstMember(); name !== undefined; name = this.nextMember(++count)) take(name);
    return true;
  }

  /** At an object: the name of its first member, whose value is then at hand; undefined where it has none, and is passed. */
  firstMember(): string | undefined {
    this.#open();
    return this.#firstName() ? this.#nameText() : undefined;
  }

  /** After the value of the `count`th member: the next one's name, or undefined. */
  nextMember(count: number): string | undefined {
    return this.#nextName(count) ? this.#nameText() : undefined;
  }

  /** Reads a member's name at a place where one was found before; its value is then at hand. */
  nameFrom(offset: number): string {
    this.moveTo(offset);
    this.#memberName(0x22);
    return this.#nameText();
  }

  /** Reads an array element by element: `take` must read each. False where the value at hand is not an array. */
  elements(take: () => void): boolean {
    if (this.next() !== 0x5b) return false;
    let count = 0;
    for (let more = this.firstElement(); more; more = this.nextElement(++count)) take();
    return true;
  }

  /** At an array: true where it has an element, which is then at hand; else the array is passed. */
  firstElement(): boolean {
    this.#open();
    return this.#firstElement();
  }

  /** After the `count`th element: true where there is another. */
  nextElement(count: number): boolean {
    return this.#nextElement(count);
  }

  /** Reads a value that will not be used: its strings may be as long as a text. */
  discard(): void {
    const limit = this.#stringLimit;
    this.#stringLimit = this.#limits.bytes;
    this.value();
    this.#stringLimit = limit;
  }

  /** Passes over one value by its brackets and quotes alone, and tells where it begins and ends. */
  span(): readonly [number, number] {
    this.next();
    const start = this.#at;
    let open = 0;
    let quoted = false;
    for (;;) {
      if (this.#byte(this.#at) < 0) throw this.problem('the text ends inside a value');
      // Written out over the window: whole bundles are passed over, level by level.
      const window = this.#window;
      const filled = this.#filled;
      let i = this.#at - this.#from;
      while (i < filled) {
        const byte = window[i++] as number;
        if (quoted) {
          if (byte === 0x22) quoted = false;
          else if (byte === 0x5c) i++;
        } else if (byte === 0x22) quoted = true;
        else if (byte === 0x7b || byte === 0x5b) open++;
        else if (byte === 0x7d || byte === 0x5d || (byte === 0x2c && open === 0)) {
          // A closing bracket or comma that is not the value's own ends it.
          const own = open > 0;
          if (own && --open > 0) continue;
          this.#at = this.#from + (own ? i : i - 1);
          return [start, this.#at];
        }
      }
      this.#at = this.#from + i;
    }
  }

  /** Refuses anything but white space after the value. */
  end(): void {
    if (this.next() >= 0) throw this.problem('more text after the value');
  }

  /** A problem at the place reached. */
  problem(detail: string, code: JsonProblem['code'] = 'ARTIFACT_INVALID'): JsonProblem {
    return new JsonProblem(code, this.#at - this.#start, detail);
  }

  /** The problem of a member that its object has already. */
  appearsTwice(name: string): JsonProblem {
    return this.problem(`member "${name.slice(0, 40)}" appears twice`);
  }

  /** Reads a number. */
  number(): number {
    this.#size = 0;
    this.#held = 0;
    let byte = this.#byte(this.#at);
    if (byte === 0x2d) byte = this.#digit(byte);
    if (byte === 0x30) byte = this.#digit(byte);
    else byte = this.#digits(byte);
    if (byte === 0x2e) byte = this.#digits(this.#digit(byte));
    if (byte === 0x65 || byte === 0x45) {
      byte = this.#digit(byte);
      if (byte === 0x2b || byte === 0x2d) byte = this.#digit(byte);
      this.#digits(byte);
    }
    if (this.#size > this.#limits.stringBytes)
      throw this.problem(`a number of more than ${this.#limits.stringBytes} bytes`, 'LIMIT_EXCEEDED');
    const value = numberFrom(asciiText(this.#text, 0, this.#size));
    if (value === Infinity || value === -Infinity) throw this.problem('a number outside the double range');
    return value;
  }

  /** Takes a character of a number. @returns the one after it */
  #digit(byte: number): number {
    if (this.#size < this.#text.length) this.#text[this.#size] = byte;
    this.#size++;
    this.#at++;
    return this.#byte(this.#at);
  }

  #digits(first: number): number {
    let byte = first;
    if (byte < 0x30 || byte > 0x39) throw this.problem('a digit is needed');
    while (byte >= 0x30 && byte <= 0x39) byte = this.#digit(byte);
    return byte;
  }

  #word(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#byte(this.#at + i) !== word.charCodeAt(i)) throw this.problem('not a JSON value');
    }
    this.#at += word.length;
  }

  /** The object is closed whose names are kept from `first` on. */
  #checkNames(first: number): void {
    for (let i = first; i < this.#named; i++) if (this.#isNamedBefore(first, i)) throw this.problem('a member twice');
    this.#named = first;
  }

  #isNamedBefore(first: number, of: number): boolean {
    const names = this.#names;
    const high = names[2 * of];
    const low = names[2 * of + 1];
    for (let i = first; i < of; i++) if (names[2 * i + 1] === low && names[2 * i] === high) return true;
    return false;
  }

  /**
   * Keeps eight bytes for the name at hand: two names that are the same have the same. Two that are not would have to agree
   * in 63 bits of a SHA-256, and then a text is refused that somebody went to that trouble for.
   */
  #keepName(): void {
    if (2 * this.#named === this.#names.length) {
      const more = new Uint32Array(2 * this.#names.length);
      more.set(this.#names);
      this.#names = more;
    }
    const place = 2 * this.#named++;
    const known = this.#knownHash();
    if (known >= 0) {
      this.#names[place] = 0;
      this.#names[place + 1] = known;
      return;
    }
    const hash = this.#nameHash ?? this.#crypto.sha256();
    hash.update(this.#text.subarray(0, this.#held));
    const digest = hash.digest();
    this.#names[place] = ((digest[0] as number) | 0x80) * 0x1000000 + number24(digest, 1);
    this.#names[place + 1] = (digest[4] as number) * 0x1000000 + number24(digest, 5);
  }

  /** The hash of the name at hand where it is a known one, else -1. */
  #knownHash(): number {
    const text = this.#text;
    const size = this.#size;
    if (size > LONGEST_KNOWN) return -1;
    let hash = 0;
    for (let i = 0; i < size; i++) hash = nameHash(hash, text[i] as number);
    const known = knownName(hash);
    if (known === undefined || known.length !== size) return -1;
    for (let i = 0; i < size; i++) if (text[i] !== known.charCodeAt(i)) return -1;
    return hash;
  }

  #nameText(): string {
    const hash = this.#knownHash();
    this.#rank = hash < 0 ? -1 : nameRank(hash);
    if (hash >= 0) return knownName(hash) as string;
    return this.#loneSurrogate ? '' : this.text;
  }

  /** After `{`: true where there is a member, its value at hand; else the object is closed. */
  #firstName(): boolean {
    const byte = this.next();
    if (byte !== 0x7d) {
      this.#memberName(byte);
      return true;
    }
    this.#close();
    return false;
  }

  /** After the value of the `count`th member: true where there is another, its value at hand. */
  #nextName(count: number): boolean {
    const byte = this.next();
    if (byte === 0x2c) {
      this.#at++;
      if (count >= this.#limits.members)
        throw this.problem(`more than ${this.#limits.members} members in an object`, 'LIMIT_EXCEEDED');
      this.#memberName(this.next());
      return true;
    }
    if (byte !== 0x7d) throw this.problem('"," or "}" is needed');
    this.#close();
    return false;
  }

  #memberName(byte: number): void {
    if (byte !== 0x22) throw this.problem('a member name is needed');
    this.#nameAt = this.#at;
    this.#string(true);
    if (this.next() !== 0x3a) throw this.problem('":" is needed after a member name');
    this.#at++;
    this.#count();
    // As in JsonReader: a member that is null is left out of canonical text, and its name with it.
    if (this.#loneSurrogate && this.next() !== NULL) throw this.problem('a lone surrogate in a member name');
  }

  #firstElement(): boolean {
    if (this.next() !== 0x5d) {
      this.#count();
      return true;
    }
    this.#close();
    return false;
  }

  #nextElement(count: number): boolean {
    const byte = this.next();
    if (byte === 0x2c) {
      this.#at++;
      if (count >= this.#limits.elements)
        throw this.problem(`more than ${this.#limits.elements} array elements`, 'LIMIT_EXCEEDED');
      this.#count();
      return true;
    }
    if (byte !== 0x5d) throw this.problem('"," or "]" is needed');
    this.#close();
    return false;
  }

  /** Reads a string into `#text`. */
  #string(isName: boolean): void {
    this.#at++;
    this.#size = 0;
    this.#held = 0;
    this.#escaped = false;
    this.#loneSurrogate = false;
    this.#nameHash = undefined;
    for (;;) {
      const byte = this.#run(isName);
      if (byte < 0) throw this.problem('the text ends inside a string');
      if (byte < 0x20) throw this.problem('a control character in a string');
      this.#room();
      if (byte === 0x22) {
        this.#at++;
        return;
      }
      this.#escaped = true;
      this.#appendPoint(this.#escape(isName), isName);
      this.#room();
    }
  }

  /** Takes in bytes up to one that ends a run: a quote, a backslash, a control character, or -1 for the end. */
  #run(isName: boolean): number {
    for (;;) {
      if (this.#byte(this.#at) < 0) return -1;
      const window = this.#window;
      const from = this.#at - this.#from;
      const to = this.#endOfRun(from);
      if (to > from) this.#append(window.subarray(from, to), isName);
      this.#at += to - from;
      if (to < this.#filled) return window[to] as number;
    }
  }

  /** Written out: on a device the engine's own search of an array is slower than this, and it would be two. */
  #endOfRun(from: number): number {
    const window = this.#window;
    const filled = this.#filled;
    let to = from;
    while (to < filled) {
      const byte = window[to] as number;
      if (byte === 0x22 || byte === 0x5c || byte < 0x20) break;
      to++;
    }
    return to;
  }

  #append(bytes: Uint8Array, isName: boolean): void {
    this.#size += bytes.length;
    if (this.#held + bytes.length > this.#text.length) {
      if (!isName) return;
      this.#nameHash ??= this.#crypto.sha256();
      this.#nameHash.update(this.#text.subarray(0, this.#held));
      this.#held = 0;
    }
    this.#text.set(bytes, this.#held);
    this.#held += bytes.length;
  }

  #appendPoint(point: number, isName: boolean): void {
    const bytes =
      point < 0x80
        ? [point]
        : point < 0x800
          ? [0xc0 | (point >> 6), 0x80 | (point & 0x3f)]
          : point < 0x10000
            ? [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)]
            : [
                0xf0 | (point >> 18),
                0x80 | ((point >> 12) & 0x3f),
                0x80 | ((point >> 6) & 0x3f),
                0x80 | (point & 0x3f),
              ];
    this.#append(Uint8Array.from(bytes), isName);
  }

  /** The code point of the escape at hand; a surrogate must come as a pair, but in a name, where it is noted. */
  #escape(isName: boolean): number {
    const kind = this.#byte(this.#at + 1);
    if (kind !== 0x75) {
      const point = simpleEscape(kind);
      if (point < 0) throw this.problem('an unknown escape');
      this.#at += 2;
      return point;
    }
    const high = this.#hex4();
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high < 0xdc00 && this.#byte(this.#at) === 0x5c && this.#byte(this.#at + 1) === 0x75) {
      const after = this.#at;
      const low = this.#hex4();
      if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
      this.#at = after;
    }
    if (!isName) throw this.problem('a lone surrogate');
    this.#loneSurrogate = true;
    return high;
  }

  #hex4(): number {
    let point = 0;
    for (let i = 2; i < 6; i++) {
      const digit = hexDigit(this.#byte(this.#at + i));
      if (digit < 0) throw this.problem('"\\u" needs four hexadecimal digits');
      point = point * 16 + digit;
    }
    this.#at += 6;
    return point;
  }

  #room(): void {
    if (this.#size > this.#stringLimit)
      throw this.problem(`a string of more than ${this.#stringLimit} bytes`, 'LIMIT_EXCEEDED');
  }

  /** The byte at an offset, or -1 at the end. */
  #byte(at: number): number {
    const i = at - this.#from;
    if (i >= 0 && i < this.#filled) return this.#window[i] as number;
    if (at >= this.#end) return -1;
    const size = Math.min(this.#window.length, this.#end - at);
    // Until the read has come back the window holds nothing.
    this.#filled = 0;
    this.#source.read(at, size === this.#window.length ? this.#window : this.#window.subarray(0, size));
    this.#from = at;
    this.#filled = size;
    return this.#window[0] as number;
  }

  #open(): void {
    this.#at++;
    if (++this.#depth > this.#limits.depth && !this.#trusted)
      throw this.problem(`nested more than ${this.#limits.depth} deep`, 'LIMIT_EXCEEDED');
  }

  #close(): void {
    this.#at++;
    this.#depth--;
  }

  #count(): void {
    if (++this.#values > this.#limits.values && !this.#trusted)
      throw this.problem(`more than ${this.#limits.values} values`, 'LIMIT_EXCEEDED');
  }
}

function number24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}
