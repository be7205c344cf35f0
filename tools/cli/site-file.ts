// A site configuration in a JSON file: the members of SiteConfiguration, with keys as JWK, PEM or base64url. A member
// that is not one of them is refused: a slip in the name of a limit would switch the limit off.

import { z } from 'zod';
import { BUDGET_SCOPES } from '../../core/artifacts/sba.ts';
import {
  BUDGET_USES,
  ConfigurationError,
  PROFILES,
  RESERVATIONS_LEFT,
  readConfiguration,
  type SiteConfiguration,
  SPEND_RULES,
} from '../../core/configuration.ts';
import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { LARGEST_DRIFT_MS } from '../../core/limits.ts';
import { ON_REVOCATION_FAILURE } from '../../core/refresh/settings.ts';
import { PINNED_ROLES } from '../../core/trust/configuration.ts';
import { KeyError, type PublicKeyText, readPublicKey } from '../../host-sim/signing/keys.ts';
import { meantKind } from '../issue/finding-words.ts';
import { type PartlyRead, partlyShaped, shaped } from '../issue/problem.ts';
import * as rule from '../issue/rules.ts';
import { UsageError } from './io.ts';
import { readArtifact } from './json-file.ts';

const publicKey = z.union([rule.text, z.looseObject({ kty: rule.text })]).superRefine((key, context) => {
  const found = readKey(key);
  if (typeof found === 'string') context.addIssue({ code: 'custom', message: found });
});
const issuerRule = z.union([rule.text, z.strictObject({ issuer: rule.text, kids: z.array(rule.text) })]);
const unit = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('atomic') }),
    z.strictObject({ kind: z.literal('fiat'), currency: rule.currency, minorUnit: rule.minorUnit.optional() }),
  ],
  meantKind('kind', ['atomic', 'fiat']),
);

const terminal = z.strictObject({
  rail: rule.rail.optional(),
  asset: z.looseObject({ kind: rule.text }).optional(),
  destination: rule.text.optional(),
  merchant: rule.text.optional(),
  unit: unit.optional(),
  purpose: rule.text.optional(),
  gateway: rule.text.optional(),
  actorId: rule.text.optional(),
});

const site = z.strictObject({
  profile: z.enum(PROFILES).optional(),
  terminal: terminal.optional(),
  grantIssuers: z.array(issuerRule).optional(),
  sbaIssuers: z.record(z.string(), z.array(issuerRule)).optional(),
  fleetPolicyIssuers: z.array(issuerRule).optional(),
  requireFleetPolicy: z.boolean().optional(),
  rootKeys: z.array(z.strictObject({ kid: rule.text.optional(), publicKey })).optional(),
  pinnedKeys: z
    .array(
      z.strictObject({
        role: z.enum(PINNED_ROLES),
        issuer: rule.text.optional(),
        kid: rule.text,
        publicKey,
      }),
    )
    .optional(),
  bundleScope: z
    .strictObject({ merchant: rule.text.optional(), category: rule.text.optional(), region: rule.text.optional() })
    .optional(),
  sbaOnly: z.strictObject({ maxAmountMinor: rule.amount }).optional(),
  budgetUse: z.enum(BUDGET_USES).optional(),
  spendRule: z.enum(SPEND_RULES).optional(),
  reservationsLeft: z.enum(RESERVATIONS_LEFT).optional(),
  driftMs: z.int().min(0).max(LARGEST_DRIFT_MS).optional(),
  scopes: z.array(z.enum(BUDGET_SCOPES)).optional(),
  strictXrpl: z.boolean().optional(),
  strictCurrency: z.boolean().optional(),
  allowUnsetClock: z.boolean().optional(),
  refresh: z
    .strictObject({
      intervalMs: z.number().optional(),
      marginShare: z.number().optional(),
      leastMarginMs: z.number().optional(),
      timeoutMs: z.number().optional(),
    })
    .optional(),
  revocation: z
    .strictObject({
      hosts: z.array(rule.text),
      onFailure: z.enum(ON_REVOCATION_FAILURE).optional(),
      cacheMs: z.number().optional(),
      timeoutMs: z.number().optional(),
    })
    .optional(),
});

/** A configuration that options may still complete: who may sign can come from there. */
export type PartialSite = Partial<SiteConfiguration>;

/** Reads a configuration file. @throws UsageError that names the file and the member */
export function readSiteFile(path: string): PartialSite {
  return readArtifact(path, '--config', siteOf);
}

/** The configuration that JSON data stands for. @throws IssueProblem that names every member that cannot be used */
export function siteOf(value: JsonObject): PartialSite {
  return withKeys(shaped(site, value, 'site configuration'));
}

/** The same, or all that is wrong with it, in words of the caller's. */
export function checkedSite(
  value: JsonObject,
  words: z.core.$ZodErrorMap,
): { readonly site: PartialSite } | { readonly issues: readonly z.core.$ZodIssue[] } {
  const read = site.safeParse(value, { error: words, reportInput: true });
  return read.success ? { site: withKeys(read.data) } : { issues: read.error.issues };
}

/** What can be used of a configuration, and everything that cannot. */
export function partOfSite(data: JsonObject): PartlyRead<SiteConfiguration> {
  const { value, ...rest } = partlyShaped(site, data);
  return { value: withKeys(value), ...rest };
}

/** Keys in their bytes. */
function withKeys({ rootKeys, pinnedKeys, ...rest }: z.infer<typeof site>): PartialSite {
  const keyOf = (data: KeyData) => readKey(data) as PublicKeyText;
  const roots = rootKeys?.map(({ kid, publicKey }) => {
    const found = keyOf(publicKey);
    return { kid: kid ?? found.kid, publicKey: found.publicKey };
  });
  const pinned = pinnedKeys?.map((key) => ({ ...key, publicKey: keyOf(key.publicKey).publicKey }));
  // zod types optional members as possibly undefined; absent ones are absent.
  return { ...(rest as PartialSite), ...(roots ? { rootKeys: roots } : {}), ...(pinned ? { pinnedKeys: pinned } : {}) };
}

/** A configuration the verifier will start with. @throws UsageError with every problem */
export function completeSite(partial: PartialSite): SiteConfiguration {
  const configuration = partial as SiteConfiguration;
  try {
    readConfiguration(configuration);
    return configuration;
  } catch (error) {
    if (error instanceof ConfigurationError) throw new UsageError(error.message);
    throw error;
  }
}

type KeyData = string | { readonly [name: string]: unknown };

/** A key, or why it is none. */
function readKey(key: KeyData): PublicKeyText | string {
  try {
    const found = readPublicKey(typeof key === 'string' ? key : JSON.stringify(key as JsonValue));
    return found.isPrivate ? 'the key is a private key; a public one is needed' : found;
  } catch (error) {
    if (error instanceof KeyError) return error.message;
    throw error;
  }
}
