// What the terminal asks for: the request of one payment, completed from the site's configuration.

import { amountFrom } from '../artifacts/amount.ts';
import { isRail, type Rail } from '../artifacts/asset.ts';
import { isUnit, readAsset, type Site, type Unit } from '../configuration.ts';
import type { JsonValue } from '../json/value.ts';
import { AMOUNT_DIGITS, ARTIFACT_LIMITS } from '../limits.ts';
import { type Refusal, refuse } from '../reason-codes.ts';

/** One payment as the terminal states it. Members left out, or null, come from the site's `terminal`. */
export interface PaymentRequest {
  /** What it costs, in the terminal's unit: decimal digits. Always needed. */
  readonly amountMinor: string;
  readonly sessionId?: string | undefined;
  /** The policy hash the terminal expects, where it knows one. */
  readonly policyHash?: string | undefined;
  readonly rail?: string | undefined;
  /** JSON data of an asset. */
  readonly asset?: JsonValue | undefined;
  readonly destination?: string | undefined;
  readonly purpose?: string | undefined;
  readonly gateway?: string | undefined;
  readonly actorId?: string | undefined;
  /** One of the terminal's currency counts in the terminal's minor unit where it states none. */
  readonly unit?: Unit | undefined;
}

/** A request, read and completed. */
export interface Asked {
  readonly amount: bigint;
  readonly sessionId: string | undefined;
  readonly policyHash: string | undefined;
  readonly rail: Rail | undefined;
  /** Canonical text. */
  readonly asset: string | undefined;
  readonly destination: string | undefined;
  readonly purpose: string | undefined;
  readonly gateway: string | undefined;
  readonly actorId: string | undefined;
  readonly unit: Unit | undefined;
}

/** Reads a request. A missing or malformed amount is ARTIFACT_INVALID, more than 38 digits AMOUNT_EXCEEDED. */
export function readRequest(request: PaymentRequest, site: Site): Asked | Refusal {
  if (typeof request !== 'object' || request === null) return no('ARTIFACT_INVALID', 'there is no request');
  const odd = oddText(request);
  if (odd !== undefined) return no('ARTIFACT_INVALID', `${odd} is not text`);
  const unknown = unknownMember(request);
  if (unknown !== undefined) return no('ARTIFACT_INVALID', `a request has no member ${unknown.slice(0, 40)}`);
  if ((request.unit ?? undefined) !== undefined && !isUnit(request.unit))
    return no('ARTIFACT_INVALID', 'unit is neither {kind: "atomic"} nor {kind: "fiat", currency, minorUnit?}');
  const terminal = site.terminal;
  const amount = amountFrom(request.amountMinor);
  if (amount === undefined) {
    const text = request.amountMinor as unknown;
    const long =
      typeof text === 'string' &&
      text.length > AMOUNT_DIGITS &&
      text.length <= ARTIFACT_LIMITS.stringBytes &&
      /^[0-9]+$/.test(text);
    return long
      ? no('AMOUNT_EXCEEDED', `the amount has more than ${AMOUNT_DIGITS} digits`)
      : no('ARTIFACT_INVALID', 'amountMinor is missing or not decimal digits above zero');
  }
  const rail = request.rail ?? terminal.rail;
  if (rail !== undefined && !isRail(rail)) return no('RAIL_MISMATCH', 'rail is no rail of MPCP 1');
  const asset =
    request.asset === undefined || request.asset === null
      ? terminal.asset
      : readAsset(request.asset, 'the asset asked for');
  if (asset instanceof Error) return no('ARTIFACT_INVALID', asset.message);
  return {
    amount,
    sessionId: request.sessionId ?? undefined,
    policyHash: request.policyHash ?? undefined,
    rail,
    asset,
    destination: request.destination ?? terminal.destination,
    purpose: request.purpose ?? terminal.purpose,
    gateway: request.gateway ?? terminal.gateway,
    actorId: request.actorId ?? terminal.actorId,
    unit: unitOf(request.unit ?? undefined, terminal.unit),
  };
}

/** What is asked where an artifact is looked at alone: what the site's terminal always asks, and no amount. */
export function nothingAsked({ terminal }: Site): Asked {
  return {
    amount: 0n,
    sessionId: undefined,
    policyHash: undefined,
    rail: terminal.rail,
    asset: terminal.asset,
    destination: terminal.destination,
    purpose: terminal.purpose,
    gateway: terminal.gateway,
    actorId: terminal.actorId,
    unit: terminal.unit,
  };
}

/** The first member that is there and not text. Member by member: a loop over names costs several times that. */
function oddText(request: PaymentRequest): string | undefined {
  if (!textOrNone(request.sessionId)) return 'sessionId';
  if (!textOrNone(request.policyHash)) return 'policyHash';
  if (!textOrNone(request.rail)) return 'rail';
  if (!textOrNone(request.destination)) return 'destination';
  if (!textOrNone(request.purpose)) return 'purpose';
  if (!textOrNone(request.gateway)) return 'gateway';
  return textOrNone(request.actorId) ? undefined : 'actorId';
}

function textOrNone(value: unknown): boolean {
  return value === undefined || typeof value === 'string' || value === null;
}

/** A member that a request does not have: a misspelt one would leave a check without what it compares with. */
function unknownMember(request: PaymentRequest): string | undefined {
  for (const name in request) {
    switch (name) {
      case 'amountMinor':
      case 'sessionId':
      case 'policyHash':
      case 'rail':
      case 'asset':
      case 'destination':
      case 'purpose':
      case 'gateway':
      case 'actorId':
      case 'unit':
        continue;
      default:
        return name;
    }
  }
  return undefined;
}

/** The unit that is asked in: a request that names the terminal's currency alone means the terminal's minor unit. */
function unitOf(asked: Unit | undefined, own: Unit | undefined): Unit | undefined {
  if (asked === undefined) return own;
  if (asked.kind !== 'fiat' || own?.kind !== 'fiat' || asked.minorUnit !== undefined) return asked;
  return asked.currency === own.currency ? own : asked;
}

function no(code: Refusal['code'], detail: string): Refusal {
  return refuse('request', 'request.read', code, detail);
}
