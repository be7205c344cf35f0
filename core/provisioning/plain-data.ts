// A document's bytes as plain objects whose members are all properties: on devices the decoder keeps apart those whose names are
// not MPCP's, as payers could fill the engine's memory with them. A device reads one document in a run.

import { type CborValue, cborMember, cborNames, isCborObject, readCborWithBytes } from '../cbor/reader.ts';
import { JsonProblem } from '../json/reader.ts';
import { emptyObject } from '../json/value.ts';
import { type JsonLimits, PROVISIONING_LIMITS } from '../limits.ts';

/** How long JSON would be that says the same is no matter: nothing of a document is hashed or kept as JSON. */
const LIMITS: JsonLimits = Object.freeze({ ...PROVISIONING_LIMITS, bytes: 4 * PROVISIONING_LIMITS.bytes });

/** What a document holds, or why it cannot be read. */
export function decodeDocument(document: Uint8Array): unknown {
  const { bytes } = PROVISIONING_LIMITS;
  if (document.length > bytes) return new JsonProblem('LIMIT_EXCEEDED', bytes, `more than ${bytes} bytes`);
  const value = readCborWithBytes(document, LIMITS);
  return value instanceof JsonProblem ? value : plainData(value);
}

/** The value with plain objects; byte strings are copies, so that the document they are from can go. */
function plainData(value: CborValue | undefined): unknown {
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) return value.map((element: CborValue) => plainData(element));
  if (!isCborObject(value)) return value;
  const plain = emptyObject() as Record<string, unknown>;
  for (const name of cborNames(value)) plain[name] = plainData(cborMember(value, name));
  return plain;
}
