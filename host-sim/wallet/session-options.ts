// How a wallet's session is opened. What could never sign is refused here, and not when the vehicle stands at the charger.

import { isCurrency } from '../../core/artifacts/sba.ts';
import { MINOR_UNIT_PLACES } from '../../core/limits.ts';
import type { Clock } from '../../core/ports/ports.ts';
import { readSigningKey, type SigningKey } from '../signing/keys.ts';
import { WalletError } from './errors.ts';
import { type Check, checkGiven, hasMethods, isAmount, isNot, isRecord, isText, optional } from './given.ts';
import type { SpendStorage } from './spend-storage.ts';

/** How a session is opened. */
export interface SessionOptions {
  readonly actorId: string;
  /** Or its PKCS #8 PEM, with `signingKeyId`. */
  readonly signingKey: SigningKey | string;
  /** The kid of a PEM. Default: its thumbprint. */
  readonly signingKeyId?: string;
  /** Whose key it is; a verifier finds it in its bundles by this. Left out where the verifier pins the key. */
  readonly issuer?: string;
  readonly scope: 'SESSION' | 'TRIP';
  /** The most the session may authorize: digits of the minor unit, three letters. */
  readonly ceiling: { readonly amount: string; readonly currency: string };
  /** Decimal places of the minor unit. Default 2; XRP in drops has 6. */
  readonly minorUnit?: number;
  /** Default: a fresh one. With that of an earlier session, and its storage, what that one authorized counts. */
  readonly sessionId?: string;
  /** What was authorized. Default: in memory. */
  readonly storage?: SpendStorage;
  /** Artifacts are dated by it. Default: the machine's. */
  readonly clock?: Clock;
  /** How long an SBA is good for, in milliseconds; never longer than the grant. Default one hour. */
  readonly sbaLifetimeMs?: number;
  /** Asked before signing a budget. Default: the grant's own. */
  readonly revocationEndpoint?: string;
  /** How long "not revoked" is believed, in milliseconds. Default 60 000. */
  readonly revocationTtl?: number;
  /** Makes the ids of what is signed. Default: random UUIDs. */
  readonly newId?: () => string;
}

const CHECKS: Readonly<Record<keyof SessionOptions, Check>> = {
  actorId: isText,
  signingKey: isKey,
  signingKeyId: optional(isText),
  issuer: optional(isText),
  scope: isScope,
  ceiling: isCeiling,
  minorUnit: optional(isMinorUnit),
  sessionId: optional(isText),
  storage: optional(hasMethods('open', 'account', 'take')),
  clock: optional(hasMethods('wallMs')),
  sbaLifetimeMs: optional((value, name) => {
    if (!(isNumber(value) && value > 0)) throw new WalletError(`${name} is not a number of milliseconds above zero`);
  }),
  revocationEndpoint: optional(isText),
  revocationTtl: optional((value, name) => {
    if (!(isNumber(value) && value >= 0)) throw new WalletError(`${name} is not a number of milliseconds from zero`);
  }),
  newId: optional((value, name) => {
    if (typeof value !== 'function') throw new WalletError(`${name} ${isNot(value, 'a function')}`);
  }),
};

/** A copy, in which nothing changes any more. @throws WalletError that names the option */
export function checkedOptions(options: SessionOptions): SessionOptions {
  checkGiven(options, 'the second argument of createSession', CHECKS);
  return { ...options, ceiling: { ...options.ceiling } };
}

/** The key that a session signs with. @throws WalletError where its text is none */
export function keyOf({ signingKey, signingKeyId }: SessionOptions): SigningKey {
  if (typeof signingKey !== 'string') return signingKey;
  try {
    return readSigningKey(signingKey, signingKeyId);
  } catch (error) {
    throw new WalletError(`signingKey cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A text is read later. */
function isKey(value: unknown, name: string): void {
  if (typeof value === 'string') return;
  if (!isRecord(value)) throw new WalletError(`${name} ${isNot(value, 'the text of a key')}`);
  const { kid, secretKey } = value;
  if (!(secretKey instanceof Uint8Array) || secretKey.length !== 32)
    throw new WalletError(`${name} is neither the text of a key nor an object whose secretKey is 32 bytes`);
  isText(kid, `${name}.kid`);
}

function isScope(value: unknown, name: string): void {
  if (value !== 'SESSION' && value !== 'TRIP') throw new WalletError(`${name} is neither SESSION nor TRIP`);
}

function isCeiling(value: unknown, name: string): void {
  if (!isRecord(value)) throw new WalletError(`${name} ${isNot(value, 'an object with amount and currency')}`);
  isAmount(value.amount, `${name}.amount`);
  if (!isCurrency(value.currency)) throw new WalletError(`${name}.currency is not three upper-case letters`);
}

function isMinorUnit(value: unknown, name: string): void {
  if (!isNumber(value) || !Number.isInteger(value) || value < 0 || value > MINOR_UNIT_PLACES)
    throw new WalletError(`${name} is not a whole number from 0 to ${MINOR_UNIT_PLACES}`);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
