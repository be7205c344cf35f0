// The members that artifacts share, as zod schemas: the published shape, and on top of it what must be true before
// anything is signed — amounts that read, dates that exist and lie ahead, addresses whose checksum is right.

import { z } from 'zod';
import { amountFrom } from '../../core/artifacts/amount.ts';
import { RAILS } from '../../core/artifacts/asset.ts';
import { isLowerHex } from '../../core/artifacts/members.ts';
import { timeFrom } from '../../core/artifacts/time.ts';
import { AMOUNT_DIGITS, MINOR_UNIT_PLACES, VELOCITY_WINDOW_SECONDS } from '../../core/limits.ts';
import { evmAddressProblem, looksLikeXrplAddress, xrplAddressProblem } from './addresses.ts';
import { didProblem } from './dids.ts';

/** By what is signed is judged. */
export interface IssueRules {
  /** Milliseconds. */
  readonly nowMs: number;
  /** Lets an expiry lie in the past: for test data. */
  readonly allowPast: boolean;
  /** False lets addresses be anything: for test data. */
  readonly checkAddresses: boolean;
}

/** A schema for text with a rule of ours: the rule gives the problem, or undefined. */
export function textRule(problem: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const found = text.length === 0 ? 'is empty' : problem(text);
    if (found !== undefined) context.addIssue({ code: 'custom', message: found });
  });
}

/** Any text that is not empty. */
export const text = textRule(() => undefined);

/** An amount as the core reads it. */
export const amount = textRule((value) =>
  amountFrom(value) === undefined
    ? `"${value.slice(0, 50)}" is not an amount (1 to ${AMOUNT_DIGITS} decimal digits, above zero, no leading zero)`
    : undefined,
);

/** ISO 4217. */
export const currency = textRule((value) =>
  /^[A-Z]{3}$/.test(value) ? undefined : `"${value}" is not three upper-case letters`,
);

/** Decimal places of a minor unit. */
export const minorUnit = z.int().min(0).max(MINOR_UNIT_PLACES);

/** What a policy document hashes to, whole or cut. */
export const policyHash = textRule((value) =>
  isLowerHex(value, 12, 64) ? undefined : `"${value}" is not 12 to 64 lower-case hexadecimal digits`,
);

/** A SHA-256 in hexadecimal. */
export const hash = textRule((value) =>
  isLowerHex(value, 64, 64) ? undefined : `"${value}" is not 64 lower-case hexadecimal digits`,
);

/** The only versions this verifier takes; as text, because the merchant SDK wants text. */
export const version = textRule((value) => (/^1\.[0-9]{1,6}$/.test(value) ? undefined : `"${value}" is not 1.x`));

/** A settlement rail. */
export const rail = z.enum(RAILS);

/** The rails an artifact allows; an empty list would allow nothing, so nothing is signed with one. */
export const rails = z.array(rail).min(1, 'is empty, which allows no rail');

/** `maxPayments` in any `windowSeconds`. */
export const velocityLimit = z.strictObject({
  maxPayments: z.int().min(1),
  windowSeconds: z.int().min(1).max(VELOCITY_WINDOW_SECONDS),
});

/** A time that exists. Upper-case T and Z: upstream's schema refuses the lower-case ones of RFC 3339. */
export const time = textRule((value) => {
  if (timeFrom(value) === undefined || /[tz]/.test(value)) return `"${value}" is not an RFC 3339 time with a zone`;
  return undefined;
});

/** An expiry that exists and lies ahead. */
export function expiry(rules: IssueRules) {
  return time.superRefine((value, context) => {
    const ms = timeFrom(value);
    if (ms === undefined || rules.allowPast || ms > rules.nowMs) return;
    context.addIssue({ code: 'custom', message: `${value} is in the past (--allow-past signs it all the same)` });
  });
}

/** An XRPL classic address. */
export function xrplAddress(rules: IssueRules) {
  return textRule((value) => (rules.checkAddresses ? hinted(xrplAddressProblem(value)) : undefined));
}

/** An identifier that is a DID where it begins with `did:`, and no damaged XRPL address where it looks like one. */
export function party(rules: IssueRules) {
  return textRule((value) => {
    if (value.startsWith('did:')) return didProblem(value, rules);
    return rules.checkAddresses && looksLikeXrplAddress(value) ? hinted(xrplAddressProblem(value)) : undefined;
  });
}

/** An asset of the kinds that MPCP 1 knows. */
export function asset(rules: IssueRules) {
  return z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('XRP') }),
    z.strictObject({
      kind: z.literal('IOU'),
      currency: textRule((value) =>
        /^[A-Z0-9]{2,10}$/.test(value) ? undefined : `"${value}" is not 2 to 10 upper-case letters or digits`,
      ),
      issuer: xrplAddress(rules),
    }),
    z.strictObject({
      kind: z.literal('ERC20'),
      chainId: z.int().min(0),
      token: textRule((value) => (rules.checkAddresses ? hinted(evmAddressProblem(value)) : undefined)),
    }),
  ]);
}

/**
 * Why a destination cannot be paid on any of the rails, or undefined. On xrpl and evm it must be an address; a list for
 * several rails may hold other names, but no damaged XRPL address.
 */
export function destinationProblem(
  destination: string,
  allowed: readonly string[],
  rules: IssueRules,
): string | undefined {
  if (!rules.checkAddresses || destination.length === 0) return undefined;
  const only = allowed.every((rail) => rail === allowed[0]) ? allowed[0] : undefined;
  if (only === 'xrpl' || looksLikeXrplAddress(destination)) return hinted(xrplAddressProblem(destination));
  return only === 'evm' ? hinted(evmAddressProblem(destination)) : undefined;
}

/** Adds the findings about a `destinationAllowlist` to those of a schema whose object has `allowedRails`. */
export function checkDestinations(
  value: { readonly allowedRails: readonly string[]; readonly destinationAllowlist?: readonly string[] | undefined },
  context: z.RefinementCtx,
  rules: IssueRules,
): void {
  (value.destinationAllowlist ?? []).forEach((destination, i) => {
    const problem = destinationProblem(destination, value.allowedRails, rules);
    if (problem !== undefined)
      context.addIssue({ code: 'custom', path: ['destinationAllowlist', i], message: problem });
  });
}

function hinted(problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${problem} (--unchecked-addresses takes any)`;
}
