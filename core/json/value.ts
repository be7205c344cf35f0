// What reading JSON gives: plain values whose objects inherit nothing, so that a member named "constructor" or
// "__proto__" is a member like any other and one that is absent is undefined.

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

/** True for an object that is not null and not an array. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for an array. */
export function isArray(value: JsonValue | undefined): value is JsonArray {
  return Array.isArray(value);
}

/** A member's value; a member that is null counts as absent everywhere, because canonical JSON leaves it out (INTEROP §2). */
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
