// MPCP canonical JSON (INTEROP §2): members in UTF-16 order, null members left out, ECMAScript numbers, shortest
// escapes. It is what is hashed and signed, so every engine must produce the same bytes.

import { builtInsAreFaster, encodeUtf8, isAsciiOnDevice, utf8Length } from '../encoding/utf8.ts';
import { WHOLE_TEXT_BYTES } from '../limits.ts';
import { isKnownName } from './known-names.ts';
import { numberText } from './numbers.ts';
import {
  anyMember,
  emptyObject,
  isArray,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  namesOf,
  OTHERS,
} from './value.ts';

/**
 * The canonical text of a value. A member whose value is null is left out, at every depth; null in an array stays.
 *
 * The engine's own JSON.stringify does the writing: its numbers are Number::toString and its escapes those of INTEROP §2
 * (ECMA-262 QuoteJSONString), and it is many times faster than anything written here. What it gets is put in order first; on
 * devices, whose stack and memory are small and whose numbers are not exact, it gets one text after the other.
 *
 * @param value JSON data; lone surrogates must have been refused before (the reader and `jsonData` do)
 */
export function canonicalText(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  const inOrder = builtInsAreFaster() ? undefined : ordered(value);
  return inOrder === undefined ? written(value) : JSON.stringify(inOrder);
}

/**
 * The canonical text of an object whose members, and those of all objects in it, are among the names given; undefined of any
 * other, and of what takes more than a device should hold twice. There it takes a fifth of what writing member by member does.
 * Numbers must be such that any engine writes them right, see `isQuick`.
 *
 * @param order names by UTF-16
 */
export function textInOrder(object: JsonObject, order: readonly string[]): string | undefined {
  if (object[OTHERS] !== undefined) return undefined;
  const text = JSON.stringify(object);
  if (text.length > WHOLE_TEXT_BYTES) return undefined;
  const ordered = JSON.stringify(object, order as string[]);
  // A member that is none of these would be missing. One that is null must be: it looks like this, and so may a string.
  return ordered.length === text.length && !text.includes(':null') ? ordered : undefined;
}

/** The UTF-8 bytes of the canonical text, or undefined where a string holds a lone surrogate. */
export function canonicalBytes(value: JsonValue): Uint8Array | undefined {
  return hasUtf8(value) ? encodeUtf8(canonicalText(value)) : undefined;
}

/** True where every string that canonical text would show, names too, has a UTF-8 form: no lone surrogate is in it. */
export function hasUtf8(value: JsonValue): boolean {
  if (typeof value === 'string') return utf8Length(value) >= 0;
  if (typeof value !== 'object' || value === null) return true;
  if (isArray(value)) return value.every(hasUtf8);
  return namesOf(value).every((name) => {
    const inner = anyMember(value, name) ?? null;
    return inner === null || (utf8Length(name) >= 0 && hasUtf8(inner));
  });
}

/**
 * The value with all members in order, or undefined where an object of this engine cannot have them, or not in that order. One
 * function for all values, with a call on the stack for each level.
 */
function ordered(value: JsonValue): JsonValue | undefined {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) {
    let array: JsonValue[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const item = value[i] as JsonValue;
      if (typeof item !== 'object' || item === null) continue;
      const within = ordered(item);
      if (within === undefined) return undefined;
      array ??= [...value];
      array[i] = within;
    }
    return array ?? value;
  }
  const names = sortedNames(value);
  if (looksLikeIndex(names) || value[OTHERS] !== undefined) return undefined;
  const copy = emptyObject();
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const inner = value[name];
    if (inner === null || inner === undefined) continue;
    const within = typeof inner === 'object' ? ordered(inner) : inner;
    if (within === undefined) return undefined;
    copy[name] = within;
  }
  return copy;
}

/** Objects keep members named like array indexes before all others and by number, whatever order they came in. */
function looksLikeIndex(sorted: readonly string[]): boolean {
  for (let i = 0; i < sorted.length; i++) {
    const name = sorted[i] as string;
    if (name >= ':') return false;
    if (name >= '0') return true;
  }
  return false;
}

function written(value: JsonValue): string {
  const parts: string[] = [];
  canonicalPieces(value, (piece) => parts.push(piece));
  return parts.join('');
}

/** Gives canonical text to `sink` piece by piece. In a loop: the stack of a device is small. */
export function canonicalPieces(value: JsonValue, sink: (piece: string) => void): void {
  if (typeof value !== 'object' || value === null) {
    sink(scalarText(value));
    return;
  }
  const around: Open[] = [];
  let open = opened(value);
  let part = open.names === undefined ? '[' : '{';
  for (;;) {
    // Texts that grow are made anew with every piece, on a device.
    if (part.length > PART) {
      sink(part);
      part = '';
    }
    const { names } = open;
    const at = open.at++;
    if (at === (names ?? (open.value as JsonArray)).length) {
      part += names === undefined ? ']' : '}';
      const outer = around.pop();
      if (outer !== undefined) {
        open = outer;
        continue;
      }
      sink(part);
      return;
    }
    const name = names?.[at];
    const inner = name === undefined ? (open.value as JsonArray)[at] : anyMember(open.value as JsonObject, name);
    if (name !== undefined && (inner === null || inner === undefined)) continue;
    if (open.hasAny) part += ',';
    open.hasAny = true;
    if (name !== undefined) part += `${JSON.stringify(name)}:`;
    if (typeof inner === 'string' && inner.length > PART / 4) {
      // Long text is not put to other text: it would be there twice more.
      sink(part);
      sink(JSON.stringify(inner));
      part = '';
    } else if (typeof inner !== 'object' || inner === null) part += scalarText(inner ?? null);
    else {
      around.push(open);
      open = opened(inner);
      part += open.names === undefined ? '[' : '{';
    }
  }
}

/** What is no object and no array. */
function scalarText(value: JsonValue): string {
  return typeof value === 'number' ? numberText(value) : JSON.stringify(value);
}

/** An object or array that is being written. */
interface Open {
  readonly value: JsonObject | JsonArray;
  /** Of its members, in order; undefined for an array. */
  readonly names: readonly string[] | undefined;
  /** Which is next. */
  at: number;
  /** True from the first that was written on. */
  hasAny: boolean;
}

function opened(value: JsonObject | JsonArray): Open {
  return { value, names: isArray(value) ? undefined : sortedNames(value as JsonObject), at: 0, hasAny: false };
}

/** Characters that are put together before they go to the others. */
const PART = 200;

/** Member names in UTF-16 code unit order, on engines whose strings are code points too. */
function sortedNames(object: JsonObject): string[] {
  const names = namesOf(object);
  // Few members and nearly sorted input are the rule: insertion sort allocates nothing and needs no comparator call per pair.
  const native = String.fromCodePoint(0x1f600).length === 2 || areAscii(names);
  for (let i = 1; i < names.length; i++) {
    const name = names[i] as string;
    let j = i - 1;
    // Where strings are UTF-16, or ASCII, the operator is the order wanted; looked at here, as images are built on other engines.
    while (j >= 0 && (native ? (names[j] as string) > name : compareUtf16(names[j] as string, name) > 0)) {
      names[j + 1] = names[j] as string;
      j--;
    }
    names[j + 1] = name;
  }
  return names;
}

/** True where a device's converter says so of all of them. One by one: all together they may be long. */
function areAscii(names: readonly string[]): boolean {
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (!isKnownName(name) && !isAsciiOnDevice(name)) return false;
  }
  return true;
}

/**
 * Compares by UTF-16 code units: negative, zero or positive. Comparing by code point, as XS does on devices, would put
 * U+1F600 after U+FF01; as UTF-16 its first unit is a surrogate (0xD83D) and sorts before.
 */
export function compareUtf16(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.codePointAt(i) as number;
    const right = b.codePointAt(i) as number;
    if (left !== right) {
      const difference = firstUnit(left) - firstUnit(right);
      return difference !== 0 ? difference : left - right;
    }
  }
  return a.length - b.length;
}

function firstUnit(point: number): number {
  return point < 0x10000 ? point : 0xd800 + ((point - 0x10000) >> 10);
}
