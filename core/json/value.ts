// What reading JSON gives: plain values whose objects inherit nothing, so that a member named "constructor" or
// "__proto__" is a member like any other and one that is absent is undefined.

import { builtInsAreFaster } from '../encoding/utf8.ts';
import { isKnownName } from './known-names.ts';

export type JsonValue = null | boolean | number | string | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** Inherits from an object that has nothing: as good as no prototype, and engines lay such objects out as fast ones. */
function Bare(): void {}
Bare.prototype = Object.freeze(Object.create(null));

/** A fresh object that inherits nothing. */
export function emptyObject(): Record<string, JsonValue> {
  return new (Bare as unknown as new () => Record<string, JsonValue>)();
}

/**
 * The member under which an object of a device has those members whose names are not known, as a list: a name, its value, and
 * so on. The devices' engine keeps every name it was ever asked for as a member, for good: payers who send new names with
 * each payment would fill its memory. A member that itself is called like this is always in that list.
 */
export const OTHERS = 'other members';

/** Gives an object that is being made a member. */
export function setMember(object: Record<string, JsonValue>, name: string, value: JsonValue): void {
  if (name !== OTHERS && (!builtInsAreFaster() || isKnownName(name))) object[name] = value;
  else if (object[OTHERS] === undefined) object[OTHERS] = [name, value];
  else (object[OTHERS] as JsonValue[]).push(name, value);
}

/** The names of an object's members, wherever it has them, in any order. One that was set twice may be there twice. */
export function namesOf(object: JsonObject): string[] {
  const names = Object.keys(object);
  const others = object[OTHERS];
  if (others === undefined) return names;
  names.splice(names.indexOf(OTHERS), 1);
  for (let i = 0; i < (others as JsonArray).length; i += 2) names.push((others as JsonArray)[i] as string);
  return names;
}

/** The value of a member whose name may be any. */
export function anyMember(object: JsonObject, name: string): JsonValue | undefined {
  const others = object[OTHERS] as JsonArray | undefined;
  if (others !== undefined)
    for (let i = 0; i < others.length; i += 2) if (others[i] === name) return others[i + 1] as JsonValue;
  return others === undefined || isKnownName(name) || !builtInsAreFaster() ? object[name] : undefined;
}

/** How many members an object has; fewer than were set where one was set twice. */
export function memberCount(object: JsonObject): number {
  const count = Object.keys(object).length;
  const others = object[OTHERS] as JsonArray | undefined;
  if (others === undefined) return count;
  let different = 0;
  for (let i = 0; i < others.length; i += 2) {
    let before = 0;
    while (before < i && others[before] !== others[i]) before += 2;
    if (before === i) different++;
  }
  return count - 1 + different;
}

/** True for an object that is not null and not an array. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for an array. */
export function isArray(value: JsonValue | undefined): value is JsonArray {
  return Array.isArray(value);
}

/** The value of a member whose name is known; a member that is null counts as absent everywhere, because canonical JSON leaves it out (INTEROP §2). */
export function member(object: JsonObject, name: string): JsonValue | undefined {
  const value = object[name];
  return value === null ? undefined : value;
}

/** A shallow copy without the named members. */
export function without(object: JsonObject, names: readonly string[]): JsonObject {
  const copy = emptyObject();
  for (const name of Object.keys(object)) if (!names.includes(name)) copy[name] = object[name] as JsonValue;
  return copy;
}
