// What was decoded of a document, as plain objects whose members are all properties: on devices the decoder keeps apart those
// whose names are not MPCP's, as payers could fill the engine's memory with them. A device reads one document in a run.

import { type CborValue, cborMember, cborNames, isCborObject } from '../cbor/reader.ts';
import { emptyObject } from '../json/value.ts';

/** The value with plain objects; byte strings are copies, so that the document they are from can go. */
export function plainData(value: CborValue | undefined): unknown {
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) return value.map((element: CborValue) => plainData(element));
  if (!isCborObject(value)) return value;
  const plain = emptyObject() as Record<string, unknown>;
  for (const name of cborNames(value)) plain[name] = plainData(cborMember(value, name));
  return plain;
}
