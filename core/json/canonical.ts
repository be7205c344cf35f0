// MPCP canonical JSON (INTEROP §2): members in UTF-16 order, null members left out, ECMAScript numbers, shortest
// escapes. It is what is hashed and signed, so every engine must produce the same bytes.

import { encodeUtf8 } from '../encoding/utf8.ts';
import type { JsonObject, JsonValue } from './value.ts';

/**
 * The canonical text of a value. A member whose value is null is left out, at every depth; null in an array stays.
 *
 * @param value JSON data; lone surrogates must have been refused before (the reader does)
 * @param plain true where the text it was read from was ASCII without escapes: then no string in it needs one
 */
export function canonicalText(value: JsonValue, plain = false): string {
  if (typeof value === 'string') return plain ? `"${value}"` : quoted(value);
  if (typeof value === 'number') return numberText(value);
  if (value === null) return 'null';
  if (value === true) return 'true';
  if (value === false) return 'false';
  if (Array.isArray(value)) {
    let text = '[';
    for (let i = 0; i < value.length; i++) text += (i > 0 ? ',' : '') + canonicalText(value[i] as JsonValue, plain);
    return `${text}]`;
  }
  const object = value as JsonObject;
  const names = sortedNames(object);
  let text = '{';
  let first = true;
  for (const name of names) {
    const inner = object[name];
    if (inner === null || inner === undefined) continue;
    text += `${first ? '' : ','}${plain ? `"${name}"` : quoted(name)}:${canonicalText(inner, plain)}`;
    first = false;
  }
  return `${text}}`;
}

/** The UTF-8 bytes of the canonical text, or undefined where a string holds a lone surrogate. */
export function canonicalBytes(value: JsonValue): Uint8Array | undefined {
  return encodeUtf8(canonicalText(value));
}

/** ECMA-262 Number::toString; -0 is `0`. */
function numberText(value: number): string {
  return String(value === 0 ? 0 : value);
}

/** Member names in UTF-16 code unit order, on engines whose strings are code points too. */
function sortedNames(object: JsonObject): string[] {
  const names = Object.keys(object);
  // Few members and nearly sorted input are the rule: insertion sort allocates nothing and needs no comparator call per pair.
  const native = String.fromCodePoint(0x1f600).length === 2;
  for (let i = 1; i < names.length; i++) {
    const name = names[i] as string;
    let j = i - 1;
    // Where strings are UTF-16 the operator is the order wanted; looked at here, as images are built on other engines.
    while (j >= 0 && (native ? (names[j] as string) > name : compareUtf16(names[j] as string, name) > 0)) {
      names[j + 1] = names[j] as string;
      j--;
    }
    names[j + 1] = name;
  }
  return names;
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

/**
 * A string in quotes. ECMA-262 QuoteJSONString writes exactly the escapes of INTEROP §2: the short ones, lower-case
 * `\u00xx` for other controls, everything else as it is. Text that needs none, nearly all of it, is not copied for that.
 */
function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /["\\\u0000-\u001f]/.test(text) ? JSON.stringify(text) : `"${text}"`;
}
