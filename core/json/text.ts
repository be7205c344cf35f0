// JSON text written into bytes that are there already: for documents that are sent from a machine with little memory, where
// the text as one string would be there a second time.

import { encodeUtf8 } from '../encoding/utf8.ts';
import { numberText } from './numbers.ts';
import { anyMember, isArray, type JsonArray, type JsonObject, type JsonValue, namesOf } from './value.ts';

/**
 * Writes JSON text: members that are null left out, numbers in the shorter of the two ways ECMAScript has.
 *
 * @param value JSON data without lone surrogates
 * @param at the byte at which it begins
 * @returns the byte behind it, or -1 where there is no room; the bytes behind `at` are of no use then
 */
export function writeJson(value: JsonValue, target: Uint8Array, at: number): number {
  if (typeof value !== 'object' || value === null) return writeSingle(value, target, at);
  const around: Open[] = [];
  let open = opened(value);
  let end = writeText(open.names === undefined ? '[' : '{', target, at);
  // In a loop: what it may be nested does not fit on a device's stack.
  while (end >= 0) {
    const { value: outer, names } = open;
    const next = open.at++;
    if (next === (names ?? (outer as JsonArray)).length) {
      end = writeText(names === undefined ? ']' : '}', target, end);
      const before = around.pop();
      if (before === undefined) return end;
      open = before;
      continue;
    }
    const name = names?.[next];
    const inner = name === undefined ? (outer as JsonArray)[next] : anyMember(outer as JsonObject, name);
    if (name !== undefined && (inner === null || inner === undefined)) continue;
    if (open.hasAny) end = writeText(',', target, end);
    open.hasAny = true;
    if (name !== undefined && end >= 0) end = writeBytes(encodeUtf8(`${JSON.stringify(name)}:`), target, end);
    if (end < 0) return -1;
    if (typeof inner !== 'object' || inner === null) end = writeSingle(inner ?? null, target, end);
    else {
      around.push(open);
      open = opened(inner);
      end = writeText(open.names === undefined ? '[' : '{', target, end);
    }
  }
  return -1;
}

/** An object or array that is being written. */
interface Open {
  readonly value: JsonObject | JsonArray;
  /** Of its members; undefined for an array. */
  readonly names: readonly string[] | undefined;
  /** Which is next. */
  at: number;
  /** True from the first that was written on. */
  hasAny: boolean;
}

function opened(value: JsonObject | JsonArray): Open {
  return { value, names: isArray(value) ? undefined : namesOf(value as JsonObject), at: 0, hasAny: false };
}

/** What is no object and no array. */
function writeSingle(value: JsonValue, target: Uint8Array, at: number): number {
  if (typeof value === 'string') return writeBytes(encodeUtf8(JSON.stringify(value)), target, at);
  return writeText(typeof value === 'number' ? numberText(value, true) : String(value), target, at);
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
