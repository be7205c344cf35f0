// Equality of values as the matchers want it: by content, members that are undefined left out, bytes by their numbers.

import '../../host-sim/xs/programs/host.ts';

interface Asymmetric {
  readonly asymmetric: (got: unknown) => boolean;
}

type Members = { readonly [name: string]: unknown };

function isAsymmetric(value: unknown): value is Asymmetric {
  return typeof value === 'object' && value !== null && typeof (value as Asymmetric).asymmetric === 'function';
}

function isIndexed(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/** Whether two values have the same content. */
export function equals(got: unknown, want: unknown): boolean {
  return compare(got, want, false);
}

/** Whether `got` has all that `want` has, and may have more. */
export function matches(got: unknown, want: unknown): boolean {
  return compare(got, want, true);
}

function compare(got: unknown, want: unknown, partly: boolean): boolean {
  if (isAsymmetric(want)) return want.asymmetric(got);
  // Big integers in read-only memory are never `===` to computed ones.
  if (typeof got === 'bigint' && typeof want === 'bigint') return String(got) === String(want);
  if (typeof got !== 'object' || typeof want !== 'object' || got === null || want === null) return Object.is(got, want);
  if (got instanceof Uint8Array && want instanceof Uint8Array) return sameBytes(got, want);
  if (isIndexed(want)) return isIndexed(got) && got.length === want.length && compareAll(got, want, partly);
  if (want instanceof Set) {
    return got instanceof Set && got.size === want.size && [...want].every((one) => got.has(one));
  }
  if (want instanceof Map) {
    return got instanceof Object && compare([...(got as Set<unknown>)], [...want], partly);
  }
  if (want instanceof Date) return got instanceof Date && got.getTime() === want.getTime();
  if (want instanceof Error) return got instanceof Error && got.message === want.message;
  const names = partly ? Object.keys(want) : [...new Set([...Object.keys(got), ...Object.keys(want)])];
  return names.every((name) => compare((got as Members)[name], (want as Members)[name], partly));
}

/** By their hashes: the cells of a flash are too many to compare one by one. */
function sameBytes(got: Uint8Array, want: Uint8Array): boolean {
  return got.length === want.length && hashOf(got) === hashOf(want);
}

function hashOf(bytes: Uint8Array): string {
  const hash = host.hashStart(256);
  host.hashUpdate(hash, bytes);
  return new Uint8Array(host.hashDigest(hash)).join();
}

function compareAll(got: ArrayLike<unknown>, want: ArrayLike<unknown>, partly: boolean): boolean {
  for (let i = 0; i < want.length; i++) if (!compare(got[i], want[i], partly)) return false;
  return true;
}

/** A value in a few words. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 80);
  if (typeof value === 'bigint' || typeof value !== 'object' || value === null) return String(value);
  try {
    const text = JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}n` : one));
    return text === undefined ? 'something' : text.slice(0, 120);
  } catch {
    return 'something';
  }
}
