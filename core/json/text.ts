// JSON text written into bytes that are there already: for documents that are sent from a machine with little memory, where
// the text as one string would be there a second time.

import { encodeUtf8 } from '../encoding/utf8.ts';
import { numberText } from './numbers.ts';
import { anyMember, isArray, type JsonObject, type JsonValue, namesOf } from './value.ts';

/**
 * Writes JSON text: members that are null left out, numbers in the shorter of the two ways ECMAScript has.
 *
 * @param value JSON data without lone surrogates
 * @param at the byte at which it begins
 * @returns the byte behind it, or -1 where there is no room; the bytes behind `at` are of no use then
 */
export function writeJson(value: JsonValue, target: Uint8Array, at: number): number {
  if (typeof value === 'string') return writeBytes(encodeUtf8(JSON.stringify(value)), target, at);
  if (typeof value === 'number') return writeText(numberText(value, true), target, at);
  if (typeof value !== 'object' || value === null) return writeText(String(value), target, at);
  return isArray(value) ? writeArray(value, target, at) : writeObject(value, target, at);
}

/** Writes a few ASCII characters as they are. @returns see `writeJson` */
export function writeText(text: string, target: Uint8Array, at: number): number {
  if (at < 0 || at + text.length > target.length) return -1;
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
  return at + text.length;
}

function writeBytes(bytes: Uint8Array | undefined, target: Uint8Array, at: number): number {
  if (bytes === undefined || at + bytes.length > target.length) return -1;
  target.set(bytes, at);
  return at + bytes.length;
}

function writeArray(array: readonly JsonValue[], target: Uint8Array, from: number): number {
  let at = writeText('[', target, from);
  for (let i = 0; i < array.length && at >= 0; i++) {
    if (i > 0) at = writeText(',', target, at);
    if (at >= 0) at = writeJson(array[i] as JsonValue, target, at);
  }
  return writeText(']', target, at);
}

function writeObject(object: JsonObject, target: Uint8Array, from: number): number {
  let at = writeText('{', target, from);
  let first = true;
  for (const name of namesOf(object)) {
    const value = anyMember(object, name);
    if (value === null || value === undefined) continue;
    if (!first) at = writeText(',', target, at);
    first = false;
    if (at >= 0) at = writeJson(name, target, at);
    at = writeText(':', target, at);
    if (at < 0) return -1;
    at = writeJson(value, target, at);
    if (at < 0) return -1;
  }
  return writeText('}', target, at);
}
