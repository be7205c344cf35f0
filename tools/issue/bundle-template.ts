// Bundle templates: a bundle's members as an operator keeps them in a file, with keys by file or to be made for
// development, a lifetime in place of dates, and the site configuration that goes with it. Options are laid over them.

import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { publicJwk, type VerificationKey } from '../../host-sim/signing/keys.ts';
import { durationMs, expiryIn, timeText } from './duration.ts';
import { IssueProblem, shaped } from './problem.ts';
import * as rule from './rules.ts';
import { geography } from './trust-bundle.ts';

/** A key that is in a file, by a path from the template's folder. */
const fileKey = z.strictObject({ file: rule.text, kid: rule.text.optional(), active: z.boolean().optional() });
/** A key that `bundle samples` makes; the name is its kid. */
const developmentKey = z.strictObject({ development: rule.text, active: z.boolean().optional() });
const inlineKey = z.looseObject({ kty: rule.text, kid: rule.text });

const templateIssuer = z.strictObject({
  issuer: rule.text,
  keys: z.array(z.union([fileKey, developmentKey, inlineKey])),
});

const template = z.strictObject({
  version: z.literal('1.0').optional(),
  bundleId: rule.text.optional(),
  bundleIssuer: rule.text.optional(),
  bundleKeyId: rule.text.optional(),
  category: rule.text.optional(),
  merchant: rule.text.optional(),
  geography: geography.optional(),
  approvedIssuers: z.array(rule.text).optional(),
  issuers: z.array(templateIssuer).optional(),
  revokedGrantIds: z.array(rule.text).optional(),
  issuedAt: rule.time.optional(),
  expiresAt: rule.time.optional(),
  valid: rule
    .textRule((span) => (durationMs(span) === undefined ? `"${span}" is not a span such as 7d` : undefined))
    .optional(),
  site: z.looseObject({}).optional(),
});

/** A template that was read. */
export type BundleTemplate = z.infer<typeof template>;

/** Reads a template. @throws IssueProblem that names the member */
export function readTemplate(value: JsonValue): BundleTemplate {
  return shaped(template, value, 'template');
}

/** What options say over a template. */
export interface BundleChanges {
  readonly bundleId?: string | undefined;
  readonly bundleIssuer?: string | undefined;
  readonly bundleKeyId?: string | undefined;
  readonly category?: string | undefined;
  readonly merchant?: string | undefined;
  readonly region?: string | undefined;
  readonly countryCodes?: readonly string[] | undefined;
  /** Issuers with their keys; all keys of the template's entry for the same issuer give way. */
  readonly issuers?: ReadonlyMap<string, readonly VerificationKey[]>;
  /** Approved besides those with keys. */
  readonly approved?: readonly string[];
  /** Keys to mark `active: false`. */
  readonly revokedKeys?: readonly { readonly issuer: string; readonly kid: string }[];
  readonly revokedGrants?: readonly string[];
  readonly issuedAt?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly validMs?: number | undefined;
}

/** Where a template's keys come from. */
export interface TemplateKeys {
  fromFile(path: string, kid: string | undefined): VerificationKey;
  /** Undefined where development keys are not made. */
  development?(issuer: string, kid: string): VerificationKey;
}

type Jwk = { readonly [name: string]: JsonValue };

/**
 * The bundle that a template and changes to it describe, not signed.
 *
 * @param nowMs what dates count from
 * @throws IssueProblem that names the member
 */
export function bundleFrom(
  base: BundleTemplate,
  changes: BundleChanges,
  keys: TemplateKeys,
  nowMs: number,
): JsonObject {
  const issuers = new Map<string, Jwk[]>();
  (base.issuers ?? []).forEach(({ issuer, keys: listed }, i) => {
    if (issuers.has(issuer)) throw new IssueProblem(`template: issuers[${i}]: ${issuer} has an entry already`);
    if (changes.issuers?.has(issuer)) issuers.set(issuer, []);
    else
      issuers.set(
        issuer,
        listed.map((key, k) => keyOf(key as Jwk, issuer, `template: issuers[${i}].keys[${k}]`, keys)),
      );
  });
  for (const [issuer, given] of changes.issuers ?? [])
    issuers.set(
      issuer,
      given.map((key) => ({ ...publicJwk(key) })),
    );
  for (const { issuer, kid } of changes.revokedKeys ?? []) revoke(issuers, issuer, kid);
  const approved = [...(base.approvedIssuers ?? []), ...issuers.keys(), ...(changes.approved ?? [])];
  const revoked = [...(base.revokedGrantIds ?? []), ...(changes.revokedGrants ?? [])];
  const category = changes.category ?? base.category;
  const issuedAt = changes.issuedAt ?? base.issuedAt ?? timeText(Math.floor(nowMs / 1000) * 1000);
  return defined({
    version: '1.0',
    bundleId:
      changes.bundleId ?? base.bundleId ?? `${category ?? 'bundle'}-${issuedAt.replace(/[^0-9]/g, '').slice(0, 14)}`,
    bundleIssuer: changes.bundleIssuer ?? base.bundleIssuer,
    bundleKeyId: changes.bundleKeyId ?? base.bundleKeyId,
    category,
    merchant: changes.merchant ?? base.merchant,
    geography: geographyOf(base, changes),
    approvedIssuers: [...new Set(approved)],
    issuers: [...issuers]
      .filter(([, listed]) => listed.length > 0)
      .map(([issuer, listed]) => ({ issuer, keys: listed })),
    revokedGrantIds: revoked.length === 0 ? undefined : [...new Set(revoked)],
    issuedAt,
    expiresAt: expiryOf(base, changes, nowMs),
  });
}

function keyOf(key: Jwk, issuer: string, where: string, keys: TemplateKeys): Jwk {
  const state = key.active === undefined ? {} : { active: key.active as boolean };
  if (typeof key.file === 'string')
    return { ...publicJwk(keys.fromFile(key.file, key.kid as string | undefined)), ...state };
  if (typeof key.development !== 'string') return key;
  if (keys.development === undefined) {
    throw new IssueProblem(
      `${where} is a development key, which only "bundle samples" makes; give real ones with --issuer ${issuer}=FILE`,
    );
  }
  return { ...publicJwk(keys.development(issuer, key.development)), ...state };
}

function revoke(issuers: Map<string, Jwk[]>, issuer: string, kid: string): void {
  const listed = issuers.get(issuer);
  const at = listed?.findIndex((key) => key.kid === kid) ?? -1;
  if (listed === undefined || at < 0)
    throw new IssueProblem(`--revoke-key ${issuer}#${kid}: the bundle has no such key`);
  listed[at] = { ...(listed[at] as Jwk), active: false };
}

function geographyOf(base: BundleTemplate, changes: BundleChanges): JsonObject | undefined {
  const region = changes.region ?? base.geography?.region;
  const countryCodes = changes.countryCodes ?? base.geography?.countryCodes;
  return region === undefined && countryCodes === undefined ? undefined : defined({ region, countryCodes });
}

/** The nearest word on it counts: options before the template, and of two in one place neither. */
function expiryOf(base: BundleTemplate, changes: BundleChanges, nowMs: number): string | undefined {
  if (changes.expiresAt !== undefined && changes.validMs !== undefined) {
    throw new IssueProblem('--valid and --expires-at both say when the bundle expires; give one');
  }
  if (changes.expiresAt !== undefined) return changes.expiresAt;
  if (changes.validMs !== undefined) return expiryIn(changes.validMs, nowMs);
  if (base.expiresAt !== undefined && base.valid !== undefined) {
    throw new IssueProblem('template: valid and expiresAt both say when the bundle expires; keep one');
  }
  return base.expiresAt ?? (base.valid === undefined ? undefined : expiryIn(durationMs(base.valid) as number, nowMs));
}

function defined(members: { readonly [name: string]: JsonValue | undefined }): JsonObject {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
}
