// Canonical text (INTEROP §2) of a value that is read in pieces: what `canonicalText` gives, written piece by piece. Of the
// objects it is in it holds the places of their members, never the members.

import { decodeUtf8, encodeUtf8 } from '../encoding/utf8.ts';
import { compareUtf16 } from './canonical.ts';
import { type JsonStream, NULL } from './stream.ts';

/** Bytes that are handed on at a time. */
const PIECE = 256;
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

  #value(leftOut?: string): void {
    const stream = this.#stream;
    const byte = stream.next();
    if (byte === 0x7b) this.#object(leftOut);
    else if (byte === 0x5b) this.#array();
    else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) this.#ascii(JSON.stringify(stream.number()));
    else {
      stream.value();
      if (byte === 0x22) this.#string();
      else this.#ascii(byte === 0x74 ? 'true' : byte === NULL ? 'null' : 'false');
    }
  }

  #array(): void {
    let opened = false;
    this.#stream.elements(() => {
      this.#byte(opened ? 0x2c : 0x5b);
      opened = true;
      this.#value();
    });
    if (!opened) this.#byte(0x5b);
    this.#byte(0x5d);
  }

  #object(leftOut: string | undefined): void {
    const stream = this.#stream;
    const first = this.#used;
    stream.members((name) => {
      const place = stream.nameOffset - this.#start;
      const rank = stream.nameRank;
      if (stream.value() !== NULL && name !== leftOut) this.#keep(place, rank < 0 ? UNKNOWN : rank);
    });
    const end = stream.offset;
    const last = this.#used;
    this.#sort(first, last);
    this.#byte(0x7b);
    for (let i = first; i < last; i++) {
      if (i > first) this.#byte(0x2c);
      stream.nameFrom(this.#start + (this.#places[i] as number));
      this.#string();
      this.#byte(0x3a);
      this.#value();
    }
    this.#byte(0x7d);
    this.#used = first;
    stream.moveTo(end);
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
    const bytes = this.#stream.textBytes;
    if (this.#stream.escaped) {
      this.#bytes(encodeUtf8(JSON.stringify(decodeUtf8(bytes))) as Uint8Array);
      return;
    }
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
