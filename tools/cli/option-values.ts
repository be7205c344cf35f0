// How the values of options are read: times, spans, amounts, lists, assets. A value that cannot be read is commander's
// invalid-argument error, which names the option.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { totalFrom } from '../../core/artifacts/amount.ts';
import { timeFrom } from '../../core/artifacts/time.ts';
import { JsonProblem, readJson } from '../../core/json/reader.ts';
import { isObject, type JsonObject } from '../../core/json/value.ts';
import { ARTIFACT_LIMITS, MINOR_UNIT_PLACES, VELOCITY_WINDOW_SECONDS } from '../../core/limits.ts';
import { durationMs } from '../issue/duration.ts';

/** The last millisecond that an RFC 3339 year of four digits can say. */
const LATEST_MS = 253_402_300_799_999;

/** Milliseconds of an RFC 3339 time. */
export function timeValue(text: string): number {
  const ms = timeFrom(text);
  if (ms === undefined)
    throw new InvalidArgumentError('It is not an RFC 3339 time with a zone, e.g. 2026-07-01T12:00:00Z.');
  return ms;
}

/** Milliseconds of a span with its unit. */
export function durationValue(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined || ms > LATEST_MS / 100)
    throw new InvalidArgumentError('It is not a span of time such as 90s, 15m, 12h or 7d.');
  return ms;
}

/** Digits of a total, which may be zero. */
export function totalValue(text: string): bigint {
  const total = totalFrom(text);
  if (total === undefined) throw new InvalidArgumentError('It is not decimal digits without sign and leading zero.');
  return total;
}

/** A currency as a terminal states it. */
export function currencyValue(text: string): string {
  if (!/^[A-Z]{3}$/.test(text)) throw new InvalidArgumentError('It is not three upper-case letters.');
  return text;
}

/** A reader of whole numbers within bounds, in decimal digits and nothing else: `Number()` would take 0x10 and 1e3. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
    // NaN is neither.
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It is not a whole number from ${least} to ${most}.`);
  };
}

/** Decimal places of a minor unit. */
export const minorUnitValue = wholeNumber(0, MINOR_UNIT_PLACES);

/** The name of a key, as a device takes it. */
export function kidValue(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  if (Buffer.byteLength(text) > ARTIFACT_LIMITS.stringBytes)
    throw new InvalidArgumentError(`It has more than ${ARTIFACT_LIMITS.stringBytes} bytes.`);
  return text;
}

const repeatable = new WeakSet<object>();

/** Adds a value to those given before: for options that may be repeated. */
export function collected<T>(
  read: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => readonly T[] {
  const add = (text: string, before: readonly T[] | undefined) => [...(before ?? []), read(text)];
  repeatable.add(add);
  return add;
}

/** True for a reader made by `collected`. */
export function isRepeatable(reader: object | undefined): boolean {
  return reader !== undefined && repeatable.has(reader);
}

/** The values an option takes, for its help: `xrpl, evm, stripe or hosted`. */
export function oneOf(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

/** Text as it is. */
export const plain = (text: string): string => text;

const chainIdValue = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** An asset: `XRP`, `IOU:CURRENCY:ISSUER`, `ERC20:CHAINID:TOKEN`, or its JSON. Its members are checked where it is used. */
export function assetValue(text: string): JsonObject {
  if (text.trimStart().startsWith('{')) {
    const value = readJson(Buffer.from(text), ARTIFACT_LIMITS);
    if (value instanceof JsonProblem) throw new InvalidArgumentError(`It is not JSON: ${value.message}.`);
    if (isObject(value)) return value;
  }
  const [kind, first, second, ...rest] = text.split(':');
  if (rest.length === 0 && kind === 'XRP' && first === undefined) return { kind };
  if (rest.length === 0 && kind === 'IOU' && first && second) return { kind, currency: first, issuer: second };
  if (rest.length === 0 && kind === 'ERC20' && first && second)
    return { kind, chainId: chainIdValue(first), token: second };
  throw new InvalidArgumentError('It is not XRP, IOU:CURRENCY:ISSUER, ERC20:CHAINID:TOKEN or JSON.');
}

const paymentsValue = wholeNumber(1, 999_999_999);
const secondsValue = wholeNumber(1, VELOCITY_WINDOW_SECONDS);

/** `10/1h` or `10/3600`: payments in a window. */
export function velocityValue(text: string): JsonObject {
  const parts = /^([^/]+)\/(.+)$/.exec(text);
  if (parts === null) throw new InvalidArgumentError('It is not PAYMENTS/WINDOW such as 10/1h.');
  const [payments, window] = [parts[1] as string, parts[2] as string];
  return {
    maxPayments: paymentsValue(payments),
    windowSeconds: /^[0-9]+$/.test(window) ? secondsValue(window) : Math.floor(durationValue(window) / 1000),
  };
}

/** Two parts around the first `=`. */
export function pairValue(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('It is not NAME=VALUE.');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Two parts around the last `#`: an issuer and one of its kids. */
export function keyNameValue(text: string): { readonly issuer: string; readonly kid: string } {
  const at = text.lastIndexOf('#');
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('It is not ISSUER#KID.');
  return { issuer: text.slice(0, at), kid: text.slice(at + 1) };
}

/** The option every command has. */
export function jsonOption(command: Command): Command {
  return command.addOption(new Option('--json', 'one JSON document on stdout: the result, or {"error": …}'));
}
