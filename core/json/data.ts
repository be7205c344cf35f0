// JSON data from values a program already holds, for entry points that take objects instead of bytes. What JSON text
// could not have given is refused; limits are those of reading.

import { utf8Length } from '../encoding/utf8.ts';
import type { JsonLimits } from '../limits.ts';
import { isKnownName } from './known-names.ts';
import { JsonProblem } from './reader.ts';
import { emptyObject, type JsonValue, setMember } from './value.ts';

/**
 * Copies a value into JSON data. Members that are undefined are left out, as JSON.stringify does.
 *
 * @returns the copy, or a JsonProblem (offset 0) for functions, bigints, NaN, lone surrogates, cycles (by depth)
 */
export function jsonData(value: unknown, limits: JsonLimits): JsonValue | JsonProblem {
  try {
    return copy(value, limits, { values: 0 }, 0);
  } catch (problem) {
    if (problem instanceof JsonProblem) return problem;
    throw problem;
  }
}

function copy(value: unknown, limits: JsonLimits, count: { values: number }, depth: number): JsonValue {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (value - value !== 0) throw invalid('a number that JSON cannot hold');
    return value;
  }
  if (typeof value === 'string') return text(value, limits);
  if (typeof value !== 'object') throw invalid(`a ${typeof value} is not JSON data`);
  if (depth >= limits.depth) throw limit(`nested more than ${limits.depth} deep`);
  if (Array.isArray(value)) {
    if (value.length > limits.elements) throw limit(`more than ${limits.elements} array elements`);
    const array: JsonValue[] = [];
    for (let i = 0; i < value.length; i++) {
      add(count, limits);
      array.push(copy(value[i], limits, count, depth + 1));
    }
    return array;
  }
  const names = Object.keys(value);
  if (names.length > limits.members) throw limit(`more than ${limits.members} members in an object`);
  const object = emptyObject();
  for (const name of names) {
    const inner = (value as Record<string, unknown>)[name];
    if (inner === undefined) continue;
    add(count, limits);
    const copied = copy(inner, limits, count, depth + 1);
    if (isKnownName(name)) object[name] = copied;
    // A null member is left out of canonical text, name and all: a lone surrogate in its name harms nothing.
    else setMember(object, inner === null ? name : text(name, limits), copied);
  }
  return object;
}

function text(value: string, limits: JsonLimits): string {
  const length = utf8Length(value);
  if (length < 0) throw invalid('a lone surrogate');
  if (length > limits.stringBytes) throw limit(`a string of more than ${limits.stringBytes} bytes`);
  return value;
}

function add(count: { values: number }, limits: JsonLimits): void {
  if (++count.values > limits.values) throw limit(`more than ${limits.values} values`);
}

function invalid(detail: string): JsonProblem {
  return new JsonProblem('ARTIFACT_INVALID', 0, detail);
}

function limit(detail: string): JsonProblem {
  return new JsonProblem('LIMIT_EXCEEDED', 0, detail);
}
