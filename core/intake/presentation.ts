// A presentation: what a payer hands over. Either a bare SBA, or one object that carries the artifacts of a payment
// (INTEROP §6), as JSON or as CBOR. Each artifact is within its own limits, the whole within those of a payment. JSON in plain
// form is read by the engine, everything else in one careful pass; the verdicts are the same.

import { ENVELOPE_MEMBERS } from '../artifacts/envelope.ts';
import { CborReader } from '../cbor/reader.ts';
import { builtInsAreFaster } from '../encoding/utf8.ts';
import { jsonData } from '../json/data.ts';
import { isWithin, type PlainText, partOf, readPlain } from '../json/plain.ts';
import { JsonProblem, JsonReader } from '../json/reader.ts';
import type { SourceMembers } from '../json/source-members.ts';
import { emptyObject, isObject, type JsonObject, type JsonValue, member } from '../json/value.ts';
import {
  ARTIFACT_LIMITS,
  IDEMPOTENCY_KEY_CHARACTERS,
  NESTED_WEIGHT,
  PLAIN_BYTES,
  PRESENTATION_BYTES,
  PRESENTATION_VALUES,
  PRESENTATION_WEIGHT,
  VALUE_WEIGHT,
} from '../limits.ts';
import { type Refusal, refuse } from '../reason-codes.ts';

/** The artifacts of one payment as JSON data, not yet checked for shape. */
export interface Presentation {
  readonly grant?: JsonValue | undefined;
  readonly sba: JsonValue;
  readonly spa?: JsonValue | undefined;
  readonly settlementIntent?: JsonValue | undefined;
  readonly fleetPolicyAuthorization?: JsonValue | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** One that was read from text here. What its places say is hashed, so they are taken from nobody else. */
export interface ReadPresentation extends Presentation {
  /** Where signed objects stand in the text, see `sourceText`. None where the engine has read it. */
  readonly sources: readonly SourceMembers[];
  /** False where a device may hold the text twice, and its engine writes all numbers in it right. */
  readonly inPieces: boolean;
}

const CARRIED: readonly string[] = [
  'grant',
  'sba',
  'spa',
  'settlementIntent',
  'fleetPolicyAuthorization',
  'idempotencyKey',
];

/** Those of them that are an `authorization` in an envelope, of which only some members are used. */
const ENVELOPED: readonly string[] = ['sba', 'spa', 'fleetPolicyAuthorization'];

/**
 * Reads the bytes of a presentation: CBOR where they begin as only CBOR can, else JSON. Its artifacts are the same values either
 * way, and so are hashes and signatures.
 *
 * @returns the artifacts; SBA_INVALID where nothing could be read, LIMIT_EXCEEDED past a limit, ARTIFACT_INVALID for an
 *   object with members a presentation does not have
 */
export function readPresentation(bytes: Uint8Array): ReadPresentation | Refusal {
  return (builtInsAreFaster() && !isCbor(bytes) ? readByEngine(bytes) : undefined) ?? readCarefully(bytes);
}

/** True for what begins as a CBOR map, or with a tag, which is refused with a sentence of its own. No JSON text does. */
function isCbor(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  return first >= 0xa0 && first < 0xe0;
}

/** A presentation in plain form, read by the engine's own parser; undefined for what only the careful reader may judge. */
export function readByEngine(bytes: Uint8Array): ReadPresentation | Refusal | undefined {
  const plain = readPlain(bytes);
  return plain && ofPlain(plain);
}

/** The same whatever form the text has: what `readPresentation` must agree with. */
export function readCarefully(bytes: Uint8Array): ReadPresentation | Refusal {
  try {
    return read(bytes);
  } catch (problem) {
    if (problem instanceof JsonProblem) {
      const code = problem.code === 'LIMIT_EXCEEDED' ? 'LIMIT_EXCEEDED' : 'SBA_INVALID';
      return refuse('presentation', 'presentation.read', code, problem.message);
    }
    throw problem;
  }
}

/** The presentation that plain text is, or undefined where it is none or may be past a limit. */
function ofPlain(plain: PlainText): ReadPresentation | Refusal | undefined {
  const { value } = plain;
  if (!isObject(value)) return undefined;
  const isBare = member(value, 'authorization') !== undefined;
  // In itself an artifact is less deep by the object around it, and smaller.
  const within = isWithin(plain, ARTIFACT_LIMITS, isBare ? 0 : 1);
  // Every value stands behind a comma or a bracket.
  const values = plain.commas + plain.brackets;
  const weight = 2 * plain.length + VALUE_WEIGHT * values + NESTED_WEIGHT * plain.brackets;
  if (values > PRESENTATION_VALUES || weight > PRESENTATION_WEIGHT) return undefined;
  if (isBare) return within && isEnvelopeOnly(value) ? bareSba(value, plain.length, false) : undefined;
  const names = Object.keys(value);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const part = value[name] as JsonValue;
    switch (name) {
      case 'sba':
      case 'spa':
      case 'fleetPolicyAuthorization':
        if (isObject(part) && !isEnvelopeOnly(part)) return undefined;
        break;
      case 'grant':
      case 'settlementIntent':
      case 'idempotencyKey':
        break;
      default:
        return undefined;
    }
    if (part === null || !(within || isWithin(partOf(plain, part), ARTIFACT_LIMITS))) return undefined;
  }
  return carried(value, [], false);
}

/** True where an object has no members but those that are kept of an envelope. Counted: it is cheaper than looking for each. */
function isEnvelopeOnly(object: JsonObject): boolean {
  const { authorization, issuer, issuerKeyId, keyId, signature } = object;
  let kept = 0;
  if (authorization !== undefined) kept++;
  if (issuer !== undefined) kept++;
  if (issuerKeyId !== undefined) kept++;
  if (keyId !== undefined) kept++;
  if (signature !== undefined) kept++;
  return Object.keys(object).length === kept;
}

function read(bytes: Uint8Array): ReadPresentation | Refusal {
  const Reader = isCbor(bytes) ? CborReader : JsonReader;
  const reader = new Reader(bytes, ARTIFACT_LIMITS, PRESENTATION_BYTES, PRESENTATION_VALUES, PRESENTATION_WEIGHT);
  const found = emptyObject();
  const names: string[] = [];
  /** The first member, null apart, that is none of those. Its name is not given to an object, see OTHERS. */
  let other: string | undefined;
  const isObject = reader.members((name) => {
    if (names.includes(name)) throw reader.appearsTwice(name);
    names.push(name);
    if (name === 'grant') found[name] = reader.artifact('grant');
    else if (name === 'settlementIntent') found[name] = reader.artifact();
    else if (ENVELOPED.includes(name)) found[name] = reader.artifact('authorization', ENVELOPE_MEMBERS);
    else if (name === 'idempotencyKey') found[name] = reader.value();
    else {
      const value = ENVELOPE_MEMBERS.includes(name) ? reader.value() : reader.discard();
      if (ENVELOPE_MEMBERS.includes(name)) found[name] = value;
      if (value !== null) other ??= name;
    }
  });
  if (!isObject) return no('SBA_INVALID', 'the presentation is not an object');
  reader.end();
  // What is kept of CBOR takes as much memory as what is kept of the JSON text.
  const size = Math.max(bytes.length, reader.jsonLength);
  const inPieces = size > PLAIN_BYTES || !reader.hasQuickNumbers;
  const carries = CARRIED.some((name) => member(found, name) !== undefined);
  if (member(found, 'authorization') !== undefined && !carries) return bareSba(found, size, inPieces);
  if (other !== undefined) return no('ARTIFACT_INVALID', `member ${other.slice(0, 40)} is not one a presentation has`);
  return carried(found, reader.sources, inPieces);
}

/**
 * A presentation that a caller has as data. It is copied, and held to the limits of what is read.
 *
 * @returns the artifacts; SBA_INVALID where there is none, LIMIT_EXCEEDED past a limit, ARTIFACT_INVALID for what is no
 *   JSON data
 */
export function presentationOf(value: Presentation): ReadPresentation | Refusal {
  if (typeof value !== 'object' || value === null)
    return no('SBA_INVALID', 'the presentation is neither bytes nor read data');
  const found = emptyObject();
  for (const name of CARRIED) {
    const data = jsonData(value[name as keyof Presentation] ?? null, ARTIFACT_LIMITS);
    if (data instanceof JsonProblem) return no(data.code, `${name}: ${data.message}`);
    found[name] = data;
  }
  return carried(found, [], true);
}

function carried(found: JsonObject, sources: readonly SourceMembers[], inPieces: boolean): ReadPresentation | Refusal {
  const sba = member(found, 'sba');
  if (sba === undefined) return no('SBA_INVALID', 'there is no SBA in the presentation');
  const idempotencyKey = member(found, 'idempotencyKey');
  if (idempotencyKey !== undefined && (typeof idempotencyKey !== 'string' || idempotencyKey.length === 0)) {
    return no('ARTIFACT_INVALID', 'idempotencyKey is not a non-empty string');
  }
  if (idempotencyKey !== undefined && isLonger(idempotencyKey, IDEMPOTENCY_KEY_CHARACTERS)) {
    return no('LIMIT_EXCEEDED', `idempotencyKey has more than ${IDEMPOTENCY_KEY_CHARACTERS} characters`);
  }
  return {
    grant: member(found, 'grant'),
    sba,
    spa: member(found, 'spa'),
    settlementIntent: member(found, 'settlementIntent'),
    fleetPolicyAuthorization: member(found, 'fleetPolicyAuthorization'),
    idempotencyKey,
    sources,
    inPieces,
  };
}

/** True for text of more than so many characters. One by one: a list of them takes a device sixteen times their memory. */
function isLonger(text: string, most: number): boolean {
  if (text.length <= most) return false;
  let count = 0;
  for (const _ of text) if (++count > most) return true;
  return false;
}

function bareSba(sba: JsonObject, size: number, inPieces: boolean): ReadPresentation | Refusal {
  if (size > ARTIFACT_LIMITS.bytes)
    return no('LIMIT_EXCEEDED', `an artifact of more than ${ARTIFACT_LIMITS.bytes} bytes`);
  return {
    grant: undefined,
    sba,
    spa: undefined,
    settlementIntent: undefined,
    fleetPolicyAuthorization: undefined,
    idempotencyKey: undefined,
    sources: [],
    inPieces,
  };
}

function no(code: Refusal['code'], detail: string): Refusal {
  return refuse('presentation', 'presentation.read', code, detail);
}
