// What a wallet is given, checked before anything is done with it: each question names the member in its answer. Programs
// without types give anything.

import { amountFrom } from '../../core/artifacts/amount.ts';
import { hasUtf8 } from '../../core/json/canonical.ts';
import { jsonData } from '../../core/json/data.ts';
import { JsonProblem } from '../../core/json/reader.ts';
import { ARTIFACT_LIMITS } from '../../core/limits.ts';
import { WalletError } from './errors.ts';

/** Looks at a member of what was given. @throws WalletError that begins with its name */
export type Check = (value: unknown, name: string) => void;

/**
 * Checks an object and all of its members.
 *
 * @param what it is called in messages
 * @param checks of every member that it may have: one that is misspelt would go unheard
 */
export function checkGiven(given: unknown, what: string, checks: Readonly<Record<string, Check>>): void {
  if (!isRecord(given)) throw new WalletError(`${what} ${isNot(given, 'an object')}`);
  for (const name of Object.keys(given))
    if (!Object.hasOwn(checks, name) && given[name] !== undefined)
      throw new WalletError(`${what} has a member ${name}, which is none of ${Object.keys(checks).join(', ')}`);
  for (const [name, check] of Object.entries(checks)) check(given[name], name);
}

/** A member that may be left out. */
export function optional(check: Check): Check {
  return (value, name) => {
    if (value !== undefined) check(value, name);
  };
}

/** Text that can be signed. */
export function isText(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw new WalletError(`${name} ${isNot(value, 'text')}`);
  if (value === '') throw new WalletError(`${name} is empty`);
  if (!hasUtf8(value)) throw new WalletError(`${name} holds a lone surrogate, which cannot be signed`);
}

/** Digits. */
export function isAmount(value: unknown, name: string): void {
  amountOf(value, name);
}

/** The amount that digits spell. */
export function amountOf(value: unknown, name: string): bigint {
  const amount = amountFrom(value);
  if (amount === undefined) throw new WalletError(`${name} is not an amount: text of decimal digits above zero`);
  return amount;
}

/** An object of JSON data, no larger than an artifact may be, and not within itself. */
export function isJsonObject(value: unknown, name: string): void {
  if (!isRecord(value)) throw new WalletError(`${name} ${isNot(value, 'an object')}`);
  const data = jsonData(value, ARTIFACT_LIMITS);
  if (data instanceof JsonProblem) throw new WalletError(`${name} cannot be used: ${data.message}`);
}

/** An object with methods. */
export function hasMethods(...methods: readonly string[]): Check {
  return (value, name) => {
    if (!isRecord(value)) throw new WalletError(`${name} ${isNot(value, 'an object')}`);
    for (const method of methods)
      if (typeof value[method] !== 'function') throw new WalletError(`${name} has no method ${method}`);
  };
}

/** True for an object that is no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** That a value is another than is wanted, for a message. It never shows the value, which may be a secret. */
export function isNot(value: unknown, wanted: string): string {
  return value === undefined ? 'is missing' : `is ${kindOf(value)}, not ${wanted}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
