// What goes between the host and the conformance program in XS: a file of calls in, a line for each answer out. The file is a
// count, an index, then the calls as JSON and the bytes they name.

import type { ConformanceEngine, EngineResult } from '../conformance/engine.ts';

/** Where bytes are in the file. */
export interface ByteRange {
  readonly at: number;
  readonly length: number;
}

/** A call as it stands in the file: the method's name, then its arguments, with ranges in place of bytes and long text. */
export type WireCall = readonly [method: keyof ConformanceEngine, ...words: readonly unknown[]];

/** What the machine made of a call. An `error` is what no verifier may do: an exception, or a machine that stopped. */
export type Answer = { readonly result: EngineResult | readonly EngineResult[] } | { readonly error: string };

/** Bytes before the first entry of the file's index: the number of calls. */
export const HEAD_BYTES = 4;
/** Bytes of an index entry: where a call's JSON begins, and its length, in bytes, little-endian. */
export const ENTRY_BYTES = 8;
