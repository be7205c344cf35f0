// Canonical text (INTEROP §2) of a value that is read in pieces: what `canonicalText` gives, written piece by piece. Of the
// objects it is in it holds the places of their members, never the members.

import { encodeUtf8 } from '../encoding/utf8.ts';
import { compareUtf16 } from './canonical.ts';
import { numberText } from './numbers.ts';
import { type JsonStream, NULL } from './stream.ts';

/** Bytes that are handed on at a time. */
const PIECE = 256;
/** In the place of members: the level is of an array. */
const IN_ARRAY = -1;
/** The rank of a name that is none of the known ones. */
const UNKNOWN = 255;
/** Places there is memory for from the beginning. */
const PLACES_AT_FIRST = 32;

/**
 * Gives the canonical UTF-8 bytes of a value to `sink`, in pieces that are reused.
 *
 * @param stream opened trusted over the value's text, which has at most 64 KB
 * @param start where the text begins
 * @param leftOut a member of the outermost object that is not written
 */
export function canonicalParts(
  stream: JsonStream,
  start: number,
  leftOut: string | undefined,
  sink: (part: Uint8Array) => void,
): void {
  new Writer(stream, start, sink).write(leftOut);
}

class Writer {
  readonly #stream: JsonStream;
  readonly #start: number;
  readonly #sink: (part: Uint8Array) => void;
  readonly #piece = new Uint8Array(PIECE);
  #filled = 0;
  /** Where the names of the members of all open objects begin, from `#start` on. */
  #places = new Uint16Array(PLACES_AT_FIRST);
  /** Beside each, where its name stands among the known ones; UNKNOWN where it is none. */
  #ranks = new Uint8Array(PLACES_AT_FIRST);
  #used = 0;
  /** Four numbers for each object or array that is open: where its members begin, the next, the end of them, where it ends. */
  readonly #levels: number[] = [];

  constructor(stream: JsonStream, start: number, sink: (part: Uint8Array) => void) {
    this.#stream = stream;
    this.#start = start;
    this.#sink = sink;
  }

  write(leftOut: string | undefined): void {
    this.#stream.moveTo(this.#start);
    this.#value(leftOut);
    this.#sink(this.#piece.subarray(0, this.#filled));
    this.#filled = 0;
  }

  /** Writes the value at hand and all in it. In a loop: the stack of a device is small. */
  #value(leftOut: string | undefined): void {
    const stream = this.#stream;
    const levels = this.#levels;
    let depth = 0;
    for (;;) {
      const byte = stream.next();
      if (byte === 0x7b) {
        const first = this.#used;
        this.#collect(depth === 0 ? leftOut : undefined);
        levels.push(first, first, this.#used, stream.offset);
        this.#sort(first, this.#used);
        depth++;
        this.#byte(byte);
      } else if (byte === 0x5b) {
        levels.push(IN_ARRAY, 0, 0, 0);
        depth++;
        this.#byte(byte);
      } else this.#single(byte);
      for (;;) {
        if (depth === 0) return;
        if (this.#another(4 * (depth - 1))) break;
        levels.length = 4 * --depth;
      }
    }
  }

  /** Goes to the next value of the object or array of a level; where there is none, closes it. */
  #another(level: number): boolean {
    const stream = this.#stream;
    const levels = this.#levels;
    const first = levels[level] as number;
    const at = levels[level + 1] as number;
    levels[level + 1] = at + 1;
    if (first === IN_ARRAY) {
      const more = at === 0 ? stream.firstElement() : stream.nextElement(at);
      if (!more) this.#byte(0x5d);
      else if (at > 0) this.#byte(0x2c);
      return more;
    }
    if (at === levels[level + 2]) {
      this.#byte(0x7d);
      this.#used = first;
      stream.moveTo(levels[level + 3] as number);
      return false;
    }
    if (at > first) this.#byte(0x2c);
    stream.nameFrom(this.#start + (this.#places[at] as number));
    this.#string();
    this.#byte(0x3a);
    return true;
  }

  /** A value that is no object and no array. */
  #single(byte: number): void {
    const stream = this.#stream;
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      this.#ascii(numberText(stream.number()));
      return;
    }
    stream.value();
    if (byte === 0x22) this.#string();
    else this.#ascii(byte === 0x74 ? 'true' : byte === NULL ? 'null' : 'false');
  }

  /** Keeps where the members of the object at hand begin that are written; the stream is then behind it. */
  #collect(leftOut: string | undefined): void {
    const stream = this.#stream;
    stream.members((name) => {
      const place = stream.nameOffset - this.#start;
      const rank = stream.nameRank;
      if (stream.value() !== NULL && name !== leftOut) this.#keep(place, rank < 0 ? UNKNOWN : rank);
    });
  }

  #keep(place: number, rank: number): void {
    if (this.#used === this.#places.length) {
      const places = new Uint16Array(2 * this.#used);
      const ranks = new Uint8Array(2 * this.#used);
      places.set(this.#places);
      ranks.set(this.#ranks);
      this.#places = places;
      this.#ranks = ranks;
    }
    this.#places[this.#used] = place;
    this.#ranks[this.#used++] = rank;
  }

  /** By insertion: few members and nearly sorted ones are the rule. */
  #sort(first: number, last: number): void {
    const places = this.#places;
    const ranks = this.#ranks;
    for (let i = first + 1; i < last; i++) {
      const place = places[i] as number;
      const rank = ranks[i] as number;
      let name: string | undefined;
      let j = i - 1;
      for (; j >= first; j--) {
        const other = ranks[j] as number;
        // Names that nobody knows are read again to be compared.
        if (rank === UNKNOWN || other === UNKNOWN) {
          name ??= this.#name(place);
          if (compareUtf16(this.#name(places[j] as number), name) <= 0) break;
        } else if (other <= rank) break;
        places[j + 1] = places[j] as number;
        ranks[j + 1] = other;
      }
      places[j + 1] = place;
      ranks[j + 1] = rank;
    }
  }

  #name(place: number): string {
    return this.#stream.nameFrom(this.#start + place);
  }

  /** The string or name read last. Without escapes it is canonical as it came. */
  #string(): void {
    const stream = this.#stream;
    if (stream.escaped) {
      this.#bytes(encodeUtf8(JSON.stringify(stream.text)) as Uint8Array);
      return;
    }
    const bytes = stream.textBytes;
    this.#byte(0x22);
    this.#bytes(bytes);
    this.#byte(0x22);
  }

  #ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.#byte(text.charCodeAt(i));
  }

  #bytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + Math.min(bytes.length - at, PIECE - this.#filled));
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === PIECE) this.#flush();
    }
  }

  #byte(byte: number): void {
    this.#piece[this.#filled++] = byte;
    if (this.#filled === PIECE) this.#flush();
  }

  #flush(): void {
    this.#filled = 0;
    this.#sink(this.#piece);
  }
}
