// UTF-8, strictly (RFC 3629): bytes to text and back. Text that is not well-formed has no bytes and bytes that are not
// well-formed have no text; nothing is replaced. Where the platform has a converter of its own it does the work.

import { Utf8Check } from './utf8-check.ts';

/** The converters of WHATWG Encoding, where the platform has them. They are its only trace in the core. */
interface PlatformText {
  readonly encoder: { encode(text: string): Uint8Array };
  readonly decoder: { decode(bytes: Uint8Array): string };
}

/** The devices' converters (XS). They take for UTF-8 what is none, and stop at a zero: they are asked about ASCII only. */
interface DeviceText {
  readonly ArrayBuffer: { fromString?(text: string): ArrayBuffer };
  readonly String: { fromArrayBuffer?(buffer: ArrayBufferLike, offset: number, length: number): string };
}

/** What this asks the platform for. */
interface PlatformGlobals {
  readonly TextEncoder?: new () => PlatformText['encoder'];
  readonly TextDecoder?: new (
    label: string,
    options: { fatal: boolean; ignoreBOM: boolean },
  ) => PlatformText['decoder'];
}

/** Looked up when first needed, not at load: a module body runs when the image is built. */
let platform: PlatformText | null | undefined;

function platformText(): PlatformText | null {
  if (platform === undefined) {
    const { TextEncoder, TextDecoder } = globalThis as PlatformGlobals;
    const wellFormed = typeof ('' as { isWellFormed?: unknown }).isWellFormed === 'function';
    platform =
      TextEncoder && TextDecoder && wellFormed
        ? { encoder: new TextEncoder(), decoder: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) }
        : null;
  }
  return platform;
}

/**
 * True on the devices' engine, which interprets: few large built-in operations are many times faster there than loops. Engines
 * that compile have it the other way round. It decides which of two ways with one result is taken, and nothing else.
 */
export function builtInsAreFaster(): boolean {
  return (globalThis as unknown as DeviceText).ArrayBuffer.fromString !== undefined;
}

/** What the devices' converter makes of bytes, or undefined: without such a converter, and for what it is not strict with. */
function decodeByDevice(bytes: Uint8Array, start: number, end: number): string | undefined {
  const { String: device } = globalThis as unknown as DeviceText;
  if (device.fromArrayBuffer === undefined) return undefined;
  try {
    const text = device.fromArrayBuffer(bytes.buffer, bytes.byteOffset + start, end - start);
    // As many characters as bytes: all of them are ASCII, and none is a zero.
    return text.length === end - start || isUtf8WithoutZero(bytes, start, end) ? text : undefined;
  } catch {
    return undefined;
  }
}

function isUtf8WithoutZero(bytes: Uint8Array, start: number, end: number): boolean {
  const part = bytes.subarray(start, end);
  if (part.includes(0)) return false;
  const check = new Utf8Check();
  check.update(part);
  return check.valid;
}

/** Bytes that are looked at as one piece. */
const PIECE = 512;

/** True for well-formed UTF-8. On devices piece by piece: the text of all of it would take their memory a second time. */
export function isUtf8(bytes: Uint8Array): boolean {
  if (!builtInsAreFaster()) return decodeUtf8(bytes) !== undefined;
  const { length } = bytes;
  const check = new Utf8Check();
  let end = 0;
  for (let at = 0; at < length && check.valid; at = end) {
    end = Math.min(at + PIECE, length);
    // No piece begins within a character.
    while (end < length && ((bytes[end] as number) & 0xc0) === 0x80) end++;
    if (!isAsciiWithoutZero(bytes, at, end)) check.update(bytes.subarray(at, end));
  }
  return check.valid;
}

/** True where no byte is above 0x7F. */
export function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += PIECE) {
    const end = Math.min(at + PIECE, bytes.length);
    if (isAsciiWithoutZero(bytes, at, end)) continue;
    for (let i = at; i < end; i++) if ((bytes[i] as number) > 0x7f) return false;
  }
  return true;
}

/** True where the devices' converter says so; false without one. */
function isAsciiWithoutZero(bytes: Uint8Array, start: number, end: number): boolean {
  const { String: device } = globalThis as unknown as DeviceText;
  if (device.fromArrayBuffer === undefined) return false;
  try {
    return device.fromArrayBuffer(bytes.buffer, bytes.byteOffset + start, end - start).length === end - start;
  } catch {
    return false;
  }
}

/** True where the devices' converter says that text is ASCII. */
export function isAsciiOnDevice(text: string): boolean {
  return encodeAscii(text) !== undefined;
}

/** The bytes the devices' converter makes of text, or undefined: without one, and for text that is not all ASCII. */
function encodeAscii(text: string): Uint8Array | undefined {
  const { ArrayBuffer: device } = globalThis as unknown as DeviceText;
  if (device.fromString === undefined) return undefined;
  const bytes = new Uint8Array(device.fromString(text));
  return bytes.length === text.length ? bytes : undefined;
}

/** Below this many characters the call into the platform costs more than it saves. */
const SHORT = 48;

/** Characters handed to one `String.fromCharCode` call; bounds the argument stack on a small machine. */
const RUN = 128;

/** The text of bytes that are known to be ASCII. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  const whole = decodeByDevice(bytes, start, end);
  if (whole !== undefined) return whole;
  let text = '';
  for (let at = start; at < end; at += RUN) {
    const stop = Math.min(at + RUN, end);
    text += String.fromCharCode.apply(null, bytes.subarray(at, stop) as unknown as number[]);
  }
  return text;
}

/**
 * The text of UTF-8 bytes, or undefined where they are not well-formed: overlong forms, surrogates, values past U+10FFFF
 * and cut sequences are refused (RFC 3629 §3, §10).
 */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  const text = end - start < SHORT ? null : platformText();
  return text
    ? decodeByPlatform(text, start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
    : (decodeByDevice(bytes, start, end) ?? decodePortably(bytes, start, end));
}

function decodeByPlatform(text: PlatformText, bytes: Uint8Array): string | undefined {
  try {
    return text.decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** `decodeUtf8` without the platform. */
export function decodePortably(bytes: Uint8Array, start: number, end: number): string | undefined {
  let whole = '';
  let text = '';
  let at = start;
  while (at < end) {
    const plain = at;
    while (at < end && (bytes[at] as number) < 0x80) at++;
    if (at > plain) text += asciiText(bytes, plain, at);
    if (at >= end) break;
    const length = sequenceLength(bytes, at, end);
    if (length === 0) return undefined;
    let point = (bytes[at] as number) & (length === 2 ? 0x1f : length === 3 ? 0x0f : 0x07);
    for (let i = 1; i < length; i++) point = (point << 6) | ((bytes[at + i] as number) & 0x3f);
    text += String.fromCodePoint(point);
    at += length;
    // Every piece that is put to a text makes all of it anew on a device.
    if (text.length >= RUN) {
      whole += text;
      text = '';
    }
  }
  return whole + text;
}

/** Bytes of the well-formed multi-byte sequence at `at` (2 to 4), or 0 (table 3-7 of the Unicode Standard). */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  const length = lead >= 0xc2 && lead <= 0xdf ? 2 : (lead & 0xf0) === 0xe0 ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  const second = bytes[at + 1] as number;
  // The second byte is where overlong forms, surrogates and values past U+10FFFF show.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return 0;
  return length;
}

/** UTF-8 bytes that `text` takes, or -1 where it holds a lone surrogate. */
export function utf8Length(text: string): number {
  let length = encodeAscii(text)?.length ?? 0;
  if (length > 0) return length;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number;
    if (point < 0x80) length += 1;
    else if (point < 0x800) length += 2;
    else if (point < 0x10000) {
      if (point >= 0xd800 && point <= 0xdfff) return -1;
      length += 3;
    } else {
      length += 4;
      if (charactersOf(text, i) === 2) i++;
    }
  }
  return length;
}

/** The UTF-8 bytes of `text`, or undefined where it holds a lone surrogate. */
export function encodeUtf8(text: string): Uint8Array | undefined {
  const by = text.length < SHORT ? null : platformText();
  if (by === null) return encodeAscii(text) ?? encodePortably(text);
  return (text as { isWellFormed(): boolean } & string).isWellFormed() ? by.encoder.encode(text) : undefined;
}

/** `encodeUtf8` without the platform. */
export function encodePortably(text: string): Uint8Array | undefined {
  const length = text.length;
  const plain = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return encodeWide(text);
    plain[i] = unit;
  }
  return plain;
}

function encodeWide(text: string): Uint8Array | undefined {
  const size = utf8Length(text);
  if (size < 0) return undefined;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number;
    if (point < 0x80) bytes[at++] = point;
    else if (point < 0x800) {
      bytes[at++] = 0xc0 | (point >> 6);
      bytes[at++] = 0x80 | (point & 0x3f);
    } else if (point < 0x10000) {
      bytes[at++] = 0xe0 | (point >> 12);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
    } else {
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
      if (charactersOf(text, i) === 2) i++;
    }
  }
  return bytes;
}

/** Positions that the supplementary character at `i` takes: two UTF-16 units, or one code point on the devices' XS. */
function charactersOf(text: string, i: number): number {
  const next = text.charCodeAt(i + 1);
  const here = text.charCodeAt(i);
  return here >= 0xd800 && here <= 0xdbff && next >= 0xdc00 && next <= 0xdfff ? 2 : 1;
}

/** What a hash takes: bytes as they are, text as UTF-8. @throws RangeError for text with a lone surrogate */
export function bytesToHash(data: Uint8Array | string): Uint8Array {
  if (typeof data !== 'string') return data;
  const bytes = encodeUtf8(data);
  if (bytes === undefined) throw new RangeError('text with a lone surrogate has no UTF-8 form');
  return bytes;
}
