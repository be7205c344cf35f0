// What stands for Node's globals in spec files inside XS. The core never sees them: it asks what its engine has.

import '../../host-sim/xs/programs/host.ts';
import { decodeBase64, encodeBase64, encodeBase64Url } from '../../core/encoding/base64.ts';
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/utf8.ts';
import { toHex } from '../../core/hash/hex.ts';

type Encoding = 'hex' | 'base64' | 'base64url' | 'latin1' | 'binary' | 'ascii' | 'utf8' | 'utf-8';

/** As Node's, as far as specs use it. */
// @ts-expect-error Node's `from` takes text, an array's does not
export class Buffer extends Uint8Array {
  static override from(data: string | ArrayLike<number>, encoding: Encoding = 'utf8'): Buffer {
    const bytes = typeof data === 'string' ? bytesOf(data, encoding) : data;
    const made = roomFor(bytes.length);
    made.set(bytes);
    return made;
  }

  static alloc(size: number, fill = 0): Buffer {
    return roomFor(size).fill(fill) as Buffer;
  }

  static override of(...values: number[]): Buffer {
    return new Buffer(values);
  }

  static concat(parts: readonly Uint8Array[]): Buffer {
    const whole = roomFor(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  static byteLength(text: string): number {
    return bytesOf(text, 'utf8').length;
  }

  static compare(a: Uint8Array, b: Uint8Array): number {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const difference = (a[i] as number) - (b[i] as number);
      if (difference !== 0) return Math.sign(difference);
    }
    return Math.sign(a.length - b.length);
  }

  /** Where bytes are, or text as UTF-8; -1 where they are not. */
  override indexOf(what: number | string | Uint8Array, from = 0): number {
    if (typeof what === 'number') return super.indexOf(what, from);
    const bytes = typeof what === 'string' ? bytesOf(what, 'utf8') : what;
    if (bytes.length === 0) return from;
    for (let at = super.indexOf(bytes[0] as number, from); at >= 0; at = super.indexOf(bytes[0] as number, at + 1)) {
      let same = 1;
      while (same < bytes.length && this[at + same] === bytes[same]) same++;
      if (same === bytes.length) return at;
    }
    return -1;
  }

  /** Where bytes are last, or text as UTF-8; -1 where they are not. */
  override lastIndexOf(what: number | string | Uint8Array): number {
    if (typeof what === 'number') return super.lastIndexOf(what);
    let last = -1;
    for (let at = this.indexOf(what); at >= 0; at = this.indexOf(what, at + 1)) last = at;
    return last;
  }

  override includes(what: number | string | Uint8Array, from = 0): boolean {
    return this.indexOf(what, from) >= 0;
  }

  /** Copies all of it, from there on in the target. */
  copy(target: Uint8Array, at = 0): void {
    target.set(this, at);
  }

  writeUIntLE(value: number, at: number, length: number): void {
    for (let i = 0; i < length; i++) this[at + i] = Math.floor(value / 256 ** i) % 256;
  }

  writeUInt16LE(value: number, at = 0): void {
    this.writeUIntLE(value, at, 2);
  }

  writeUInt32LE(value: number, at = 0): void {
    this.writeUIntLE(value, at, 4);
  }

  readUIntLE(at: number, length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value += (this[at + i] as number) * 256 ** i;
    return value;
  }

  readUInt16LE(at = 0): number {
    return this.readUIntLE(at, 2);
  }

  readUInt32LE(at = 0): number {
    return this.readUIntLE(at, 4);
  }

  equals(other: Uint8Array): boolean {
    return Buffer.compare(this, other) === 0;
  }

  override toString(encoding: Encoding = 'utf8'): string {
    switch (encoding) {
      case 'hex':
        return toHex(this);
      case 'base64':
        return encodeBase64(this);
      case 'base64url':
        return encodeBase64Url(this);
      case 'utf8':
      case 'utf-8':
        return new TextDecoder().decode(this);
      default:
        return Array.from(this, (byte) => String.fromCharCode(byte)).join('');
    }
  }
}

/** A copy of a whole flash is a test's, not a device's: it takes nothing of the machine's memory. */
const LARGE = 2048;

function roomFor(length: number): Buffer {
  // @ts-expect-error Node's constructor takes the one or the other, an array's takes both
  return new Buffer(length < LARGE ? length : new SharedArrayBuffer(length));
}

function bytesOf(text: string, encoding: Encoding): Uint8Array {
  switch (encoding) {
    case 'hex':
      return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
    case 'base64':
    case 'base64url':
      return decodeBase64(text) ?? new Uint8Array(0);
    case 'utf8':
    case 'utf-8':
      return new TextEncoder().encode(text);
    default:
      return Uint8Array.from([...text], (character) => character.charCodeAt(0));
  }
}

/** As WHATWG Encoding has it: lone surrogates become U+FFFD. */
export class TextEncoder {
  encode(text = ''): Uint8Array {
    const bytes = encodeUtf8(text);
    if (bytes !== undefined) return bytes;
    const whole = Array.from(text, (character) => (/[\ud800-\udfff]/u.test(character) ? '\ufffd' : character)).join('');
    return encodeUtf8(whole) as Uint8Array;
  }
}

/** As WHATWG Encoding has it, but that in bytes that are not UTF-8 all beyond ASCII become U+FFFD. */
export class TextDecoder {
  readonly fatal: boolean;

  constructor(_ = 'utf-8', { fatal = false } = {}) {
    this.fatal = fatal;
  }

  decode(bytes: Uint8Array): string {
    const text = decodeUtf8(bytes, 0, bytes.length);
    if (text !== undefined) return text;
    if (this.fatal) throw new TypeError('the bytes are not UTF-8');
    return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : '\ufffd')).join('');
  }
}

/** What tests say of folders that are not there they say by being skipped, too. */
export const console = { warn: () => {} };

/** A file's URL: what a spec makes of `import.meta.url`. */
export class URL {
  readonly pathname: string;

  constructor(path: string, base: string | URL) {
    const parts = String(base).replace('file://', '').split('/').slice(0, -1);
    for (const part of path.split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '.') parts.push(part);
    }
    this.pathname = parts.join('/');
  }

  toString(): string {
    return `file://${this.pathname}`;
  }
}

/** `JSON.stringify` of a copy: XS writes no object that is in flash. */
export function jsonText(value: unknown, replacer?: never, indent?: number): string {
  return JSON.stringify(copied(value), replacer, indent);
}

export function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return value;
  if (Array.isArray(value)) return value.map(copied);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copied(one)]));
}

export const structuredClone = <Value>(value: Value): Value => copied(value) as Value;
export const process = { env: {}, stderr: { write: () => {} }, stdout: { write: () => {} }, argv: [], platform: 'xs' };

/** A cache that keeps nothing: what Node keeps from test to test would fill a device's memory. */
export class NoMap<Key, Value> {
  get(_: Key): Value | undefined {
    return undefined;
  }

  set(_: Key, __: Value): this {
    return this;
  }
}

/** For a test that puts its own method over one of a class: prototypes are in flash, and a plain assignment throws there. */
export function overriding(object: object): { [name: string]: unknown } {
  const set = (target: object, name: string | symbol, value: unknown) =>
    Reflect.defineProperty(target, name, { value, writable: true, configurable: true });
  return new Proxy(object, { set }) as { [name: string]: unknown };
}
