// Plain data as CBOR (RFC 8949), deterministic but for numbers with a fraction, which always take eight bytes: what a device writes
// of its own provisioning.

import { encodeUtf8, utf8Length } from '../encoding/utf8.ts';

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;

/**
 * The bytes of a value: null, truth values, numbers, text, byte strings, arrays and objects of these.
 *
 * @throws RangeError for anything else
 */
export function writeCbor(value: unknown): Uint8Array {
  const parts: Uint8Array[] = [];
  write(value, parts);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function write(value: unknown, parts: Uint8Array[]): void {
  if (value === null) parts.push(Uint8Array.of(0xf6));
  else if (typeof value === 'boolean') parts.push(Uint8Array.of(value ? 0xf5 : 0xf4));
  else if (typeof value === 'number') parts.push(numberBytes(value));
  else if (typeof value === 'string') writeText(value, parts);
  else if (value instanceof Uint8Array) parts.push(head(BYTES, value.length), value);
  else if (Array.isArray(value)) {
    parts.push(head(ARRAY, value.length));
    for (const element of value) write(element, parts);
  } else if (typeof value === 'object') writeMap(value as { readonly [name: string]: unknown }, parts);
  else throw new RangeError(`a ${typeof value} has no form in CBOR here`);
}

function writeText(text: string, parts: Uint8Array[]): void {
  const bytes = encodeUtf8(text);
  if (bytes === undefined) throw new RangeError('text with a lone surrogate has no form in CBOR');
  parts.push(head(TEXT, bytes.length), bytes);
}

/** Members by the bytes of their names: shorter ones first. */
function writeMap(object: { readonly [name: string]: unknown }, parts: Uint8Array[]): void {
  const names = Object.keys(object).filter((name) => object[name] !== undefined);
  names.sort((a, b) => utf8Length(a) - utf8Length(b) || (a < b ? -1 : 1));
  parts.push(head(MAP, names.length));
  for (const name of names) {
    writeText(name, parts);
    write(object[name], parts);
  }
}

function numberBytes(value: number): Uint8Array {
  if (Number.isSafeInteger(value) && !Object.is(value, -0))
    return value >= 0 ? head(UNSIGNED, value) : head(NEGATIVE, -1 - value);
  if (!Number.isFinite(value)) throw new RangeError('a number that is not finite has no form in JSON');
  const bytes = new Uint8Array(9);
  bytes[0] = 0xfb;
  new DataView(bytes.buffer).setFloat64(1, value);
  return bytes;
}

/** What a value is, and its length or number. */
function head(major: number, argument: number): Uint8Array {
  const type = major << 5;
  if (argument < 24) return Uint8Array.of(type | argument);
  if (argument < 0x100) return Uint8Array.of(type | 24, argument);
  if (argument < 0x1_0000) return Uint8Array.of(type | 25, argument >> 8, argument & 0xff);
  const bytes = new Uint8Array(argument < 0x1_0000_0000 ? 5 : 9);
  const view = new DataView(bytes.buffer);
  bytes[0] = type | (bytes.length === 5 ? 26 : 27);
  if (bytes.length === 9) view.setUint32(1, Math.floor(argument / 0x1_0000_0000));
  view.setUint32(bytes.length - 4, argument % 0x1_0000_0000);
  return bytes;
}
