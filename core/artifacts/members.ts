// Typed members of JSON objects. Each function is given a member's value and its name, and throws ArtifactProblem with a
// sentence about it; the artifact readers turn that into their result. Null counts as absent (INTEROP §2).

import { isArray, isObject, type JsonObject, type JsonValue } from '../json/value.ts';
import type { ReasonCode } from '../reason-codes.ts';
import { amountFrom } from './amount.ts';
import { timeFrom } from './time.ts';

/** What is wrong with an artifact: a code, and a sentence that names the member. */
export class ArtifactProblem extends Error {
  readonly code: ReasonCode;
  constructor(code: ReasonCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Runs an artifact reader; its ArtifactProblem becomes the result. */
export function reading<T>(read: () => T): T | ArtifactProblem {
  try {
    return read();
  } catch (problem) {
    if (problem instanceof ArtifactProblem) return problem;
    throw problem;
  }
}

/** The problem of a member that is not what it should be. */
export function invalid(detail: string): ArtifactProblem {
  return new ArtifactProblem('ARTIFACT_INVALID', detail);
}

/** An object, or a problem that names it. */
export function objectOf(value: JsonValue | undefined, what: string): JsonObject {
  if (!isObject(value)) throw invalid(`${what} is not an object`);
  return value;
}

/** A non-empty string member that must be there. */
export function textMember(value: JsonValue | undefined, name: string): string {
  const text = optionalText(value, name);
  if (text === undefined) throw invalid(`${name} is missing`);
  return text;
}

/** A non-empty string member, or undefined. */
export function optionalText(value: JsonValue | undefined, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value === '') throw invalid(`${name} is not a non-empty string`);
  return value;
}

/** A member that is a whole number from `least` to `most`, or undefined. */
export function optionalInteger(
  value: JsonValue | undefined,
  name: string,
  least: number,
  most: number,
): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(`${name} is not a whole number from ${least} to ${most}`);
  }
  return value;
}

/** A member that is a whole number from `least` to `most` and must be there. */
export function integerMember(value: JsonValue | undefined, name: string, least: number, most: number): number {
  const integer = optionalInteger(value, name, least, most);
  if (integer === undefined) throw invalid(`${name} is missing`);
  return integer;
}

/** An amount member (INTEROP §4) that must be there. */
export function amountMember(value: JsonValue | undefined, name: string): bigint {
  const amount = optionalAmount(value, name);
  if (amount === undefined) throw invalid(`${name} is missing`);
  return amount;
}

/** An amount member, or undefined. */
export function optionalAmount(value: JsonValue | undefined, name: string): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  const amount = amountFrom(value);
  if (amount === undefined)
    throw invalid(`${name} is not an amount (1 to 38 decimal digits, above zero, no leading zero)`);
  return amount;
}

/** A list of non-empty strings; absent reads as empty. */
export function textList(value: JsonValue | undefined, name: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!isArray(value)) throw invalid(`${name} is not a list`);
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    if (typeof item !== 'string' || item === '')
      throw invalid(`${name} holds something that is not a non-empty string`);
  }
  return value as readonly string[];
}

/** The instant of a time member in milliseconds, or undefined. */
export function optionalTime(value: JsonValue | undefined, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const time = typeof value === 'string' ? timeFrom(value) : undefined;
  if (time === undefined) throw invalid(`${name} is not an RFC 3339 time with a zone`);
  return time;
}

/** The expiry in milliseconds: `expiresAt` or `expiresAtISO`, the earlier where both are there (INTEROP §4). */
export function expiryMember(object: JsonObject): number {
  const at = optionalTime(object.expiresAt, 'expiresAt');
  const iso = optionalTime(object.expiresAtISO, 'expiresAtISO');
  if (at === undefined && iso === undefined) throw invalid('expiresAt is missing');
  if (at === undefined) return iso as number;
  return iso === undefined || at < iso ? at : iso;
}

/** policyHash: 12 to 64 lower-case hexadecimal digits (INTEROP §4). Opaque here; only compared. */
export function policyHashMember(object: JsonObject): string {
  const text = textMember(object.policyHash, 'policyHash');
  if (!isLowerHex(text, 12, 64)) throw invalid('policyHash is not 12 to 64 lower-case hexadecimal digits');
  return text;
}

/** Looking for what must not be there takes an engine no memory. */
const NOT_LOWER_HEX = /[^0-9a-f]/;

/** True for text of `least` to `most` lower-case hexadecimal digits. */
export function isLowerHex(text: string, least: number, most: number): boolean {
  const { length } = text;
  return length >= least && length <= most && !NOT_LOWER_HEX.test(text);
}

/**
 * Checks a version member: the number 1 or text `1.x`; the prefix of what is signed stays `1.0` for all of them
 * (INTEROP §1, §4).
 *
 * @param needed whether the member must be there
 */
export function checkVersion(object: JsonObject, needed: boolean): void {
  const value = object.version;
  if (value === '1.0' || value === 1) return;
  if (value === undefined || value === null) {
    if (needed) throw invalid('version is missing');
    return;
  }
  if (typeof value === 'number') throw new ArtifactProblem('VERSION_UNSUPPORTED', `version ${value} is not 1`);
  const dot = typeof value === 'string' ? value.indexOf('.') : -1;
  if (typeof value !== 'string' || !isDigits(value.slice(0, dot)) || !isDigits(value.slice(dot + 1)) || dot < 1) {
    throw invalid('version is neither the number 1 nor text like "1.0"');
  }
  if (value.slice(0, dot) !== '1') throw new ArtifactProblem('VERSION_UNSUPPORTED', `version ${value} is not 1.x`);
}

function isDigits(text: string): boolean {
  if (text.length === 0 || text.length > 6) return false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x30 || unit > 0x39) return false;
  }
  return true;
}
