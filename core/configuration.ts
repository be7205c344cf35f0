// A site's configuration: what the verifier must know before it can decide anything. What is left out has the safe
// default; what may be relaxed is relaxed here, by name.

import { amountFrom } from './artifacts/amount.ts';
import { assetText, isRail, type Rail } from './artifacts/asset.ts';
import { type ArtifactProblem, reading } from './artifacts/members.ts';
import { BUDGET_SCOPES, type BudgetScope, isCurrency } from './artifacts/sba.ts';
import { jsonData } from './json/data.ts';
import { JsonProblem } from './json/reader.ts';
import type { JsonValue } from './json/value.ts';
import { ARTIFACT_LIMITS, DEFAULT_DRIFT_MS, LARGEST_DRIFT_MS, MINOR_UNIT_PLACES } from './limits.ts';
import {
  REFRESH_MEMBERS,
  REVOCATION_MEMBERS,
  type RefreshConfiguration,
  type RefreshSettings,
  type RevocationConfiguration,
  type RevocationSettings,
  readRefresh,
  readRevocation,
} from './refresh/settings.ts';
import {
  type BundleScope,
  type IssuerRule,
  PINNED_ROLES,
  type PinnedKey,
  type RootKey,
} from './trust/configuration.ts';

/** Which artifacts a site wants. */
export const PROFILES = Object.freeze(['lite', 'full', 'human-agent'] as const);
export type Profile = (typeof PROFILES)[number];

/** How often a budget may pay. */
export const BUDGET_USES = Object.freeze(['single-use', 'reuse'] as const);
export type BudgetUse = (typeof BUDGET_USES)[number];

/** What is compared with the SBA's ceiling. */
export const SPEND_RULES = Object.freeze(['budget-total', 'grant-total'] as const);
export type SpendRule = (typeof SPEND_RULES)[number];

/** What becomes of a reservation that was open when the power failed. */
export const RESERVATIONS_LEFT = Object.freeze(['hold', 'settle'] as const);
export type ReservationsLeft = (typeof RESERVATIONS_LEFT)[number];

/** The unit of the terminal's amounts: minor units of a currency, or the asset's smallest unit. Never converted. */
export type Unit =
  | {
      readonly kind: 'fiat';
      /** ISO 4217: three upper-case letters. */
      readonly currency: string;
      /** Decimal places of its minor unit, 0 to 255; compared with the SBA's where it is stated. */
      readonly minorUnit?: number;
    }
  | { readonly kind: 'atomic' };

/**
 * What a terminal is and sells. A deployed device states rail, asset, destination, merchant, unit and purpose and does
 * not start without them (`deploymentProblems`); a verifier used as a library may leave each out, which skips only
 * that check, visibly in the trace.
 */
export interface Terminal {
  readonly rail?: Rail | undefined;
  /** JSON data of an asset, e.g. `{ kind: 'XRP' }`. */
  readonly asset?: JsonValue | undefined;
  readonly destination?: string | undefined;
  readonly merchant?: string | undefined;
  readonly unit?: Unit | undefined;
  readonly purpose?: string | undefined;
  /** The gateway it settles through, compared with the grant's `authorizedGateway`. */
  readonly gateway?: string | undefined;
  /** The only actor it serves. */
  readonly actorId?: string | undefined;
}

/** A site's configuration. */
export interface SiteConfiguration {
  readonly profile?: Profile;
  readonly terminal?: Terminal;
  /** Who may sign PolicyGrants. Required. */
  readonly grantIssuers: readonly IssuerRule[];
  /** Per grant issuer, who may sign SBAs (and SPAs) under its grants; `'*'` applies where there is no grant. Required. */
  readonly sbaIssuers: { readonly [grantIssuer: string]: readonly IssuerRule[] };
  /** Who may sign fleet policies. Required where one is required; else any approved issuer may, since it only narrows. */
  readonly fleetPolicyIssuers?: readonly IssuerRule[];
  readonly requireFleetPolicy?: boolean;
  readonly rootKeys?: readonly RootKey[];
  readonly pinnedKeys?: readonly PinnedKey[];
  /** Which bundles are for this device; the merchant is the terminal's where none is stated here. */
  readonly bundleScope?: BundleScope;
  /** Lets an SBA pay without its grant, up to this amount (digits); left out, a grant is always needed. */
  readonly sbaOnly?: { readonly maxAmountMinor: string };
  /** `single-use`: a budgetId pays once. `reuse`: up to its ceiling. Default single-use; reuse for human-agent, whose TRIP budgets span sessions. */
  readonly budgetUse?: BudgetUse;
  /** `budget-total` (default), or the integration guide's `grant-total`: the grant's total against the SBA's ceiling. */
  readonly spendRule?: SpendRule;
  /**
   * Reservations that a restart finds open: `hold` (default) leaves them to the operator, and they count as spent; `settle`
   * settles them in full.
   */
  readonly reservationsLeft?: ReservationsLeft;
  /** Milliseconds by which an artifact may be past its expiry, at most 600 000. Default 300 000. Bundles get none. */
  readonly driftMs?: number;
  /** Budget scopes this site keeps count of. Default SESSION and TRIP. */
  readonly scopes?: readonly BudgetScope[];
  /** Enforces MPCP v1 on grants: exactly xrpl, gateway and velocity limit present, no revocation endpoint. */
  readonly strictXrpl?: boolean;
  /** Compares the grant's currency labels with the terminal's currency, which upstream fills inconsistently. */
  readonly strictCurrency?: boolean;
  /** Goes on without a clock, on the time floor alone. Default false. */
  readonly allowUnsetClock?: boolean;
  /** How it keeps its Trust Bundles fresh. */
  readonly refresh?: RefreshConfiguration;
  /** What is asked online about grants that name an endpoint for it. Left out, nothing is. */
  readonly revocation?: RevocationConfiguration;
}

/** The configuration with defaults filled in and its values read. */
export interface Site {
  readonly profile: Profile;
  readonly terminal: Omit<Terminal, 'asset'> & { readonly asset: string | undefined };
  readonly grantIssuers: readonly IssuerRule[];
  readonly sbaIssuers: ReadonlyMap<string, readonly IssuerRule[]>;
  readonly fleetPolicyIssuers: readonly IssuerRule[] | undefined;
  readonly requireFleetPolicy: boolean;
  readonly rootKeys: readonly RootKey[];
  readonly pinnedKeys: readonly PinnedKey[];
  readonly bundleScope: BundleScope;
  readonly sbaOnlyMax: bigint | undefined;
  readonly budgetUse: BudgetUse;
  readonly spendRule: SpendRule;
  readonly reservationsLeft: ReservationsLeft;
  readonly driftMs: number;
  readonly scopes: readonly BudgetScope[];
  readonly strictXrpl: boolean;
  readonly strictCurrency: boolean;
  readonly allowUnsetClock: boolean;
  readonly refresh: RefreshSettings;
  readonly revocation: RevocationSettings | undefined;
}

/** What a configuration that cannot be used gives: every problem, each naming the member. */
export class ConfigurationError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`configuration: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/**
 * Reads a configuration.
 *
 * @throws ConfigurationError with every problem found; a device does not start on it
 */
export function readConfiguration(input: SiteConfiguration): Site {
  const problems = shapeProblems(input);
  // What is not of the right kind cannot be looked into.
  if (problems.length > 0) throw new ConfigurationError(problems);
  const terminal = input.terminal ?? {};
  const asset = terminal.asset === undefined ? undefined : readAsset(terminal.asset, 'terminal.asset');
  if (asset instanceof Error) problems.push(asset.message);
  if (terminal.rail !== undefined && !isRail(terminal.rail)) problems.push('terminal.rail is no rail of MPCP 1');
  if (terminal.unit !== undefined && !isUnit(terminal.unit)) {
    problems.push('terminal.unit is neither {kind: "atomic"} nor {kind: "fiat", currency: "EUR"}');
  }
  checkRules('grantIssuers', input.grantIssuers, problems);
  const sbaIssuers = new Map<string, readonly IssuerRule[]>();
  if (input.sbaIssuers === undefined) problems.push('sbaIssuers is missing');
  else {
    for (const grantIssuer of Object.keys(input.sbaIssuers)) {
      const rules = input.sbaIssuers[grantIssuer] as readonly IssuerRule[];
      checkRules(`sbaIssuers["${grantIssuer}"]`, rules, problems);
      sbaIssuers.set(grantIssuer, rules);
    }
  }
  if (input.fleetPolicyIssuers !== undefined) checkRules('fleetPolicyIssuers', input.fleetPolicyIssuers, problems);
  if (input.requireFleetPolicy === true && input.fleetPolicyIssuers === undefined) {
    problems.push('fleetPolicyIssuers is missing, and a fleet policy is required');
  }
  const sbaOnlyMax = amountFrom(input.sbaOnly?.maxAmountMinor);
  if (input.sbaOnly !== undefined && sbaOnlyMax === undefined) problems.push('sbaOnly.maxAmountMinor is not an amount');
  checkChoices(input, problems);
  const refresh = readRefresh(input.refresh, problems);
  const revocation = readRevocation(input.revocation, problems);
  const driftMs = input.driftMs ?? DEFAULT_DRIFT_MS;
  if (!Number.isInteger(driftMs) || driftMs < 0 || driftMs > LARGEST_DRIFT_MS)
    problems.push(`driftMs is not a whole number of milliseconds from 0 to ${LARGEST_DRIFT_MS}`);
  for (const key of input.pinnedKeys ?? []) {
    if (!PINNED_ROLES.includes(key.role)) problems.push(`pinnedKeys: ${key.kid} has a role that is none`);
    if (typeof key.kid !== 'string') problems.push('pinnedKeys: a key has no kid');
    if (!isKey(key.publicKey)) problems.push(`pinned key ${key.kid} is not 32 bytes`);
  }
  for (const [i, key] of (input.pinnedKeys ?? []).entries()) {
    const twice = input.pinnedKeys?.some((other, j) => j < i && samePlace(key, other));
    if (twice) problems.push(`pinnedKeys: two keys have the role ${key.role}, the kid ${key.kid} and the same issuer`);
  }
  for (const root of input.rootKeys ?? [])
    if (!isKey(root.publicKey)) problems.push(`root key ${root.kid ?? ''} is not 32 bytes`);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return {
    profile: input.profile ?? 'lite',
    terminal: { ...terminal, asset: asset as string | undefined },
    grantIssuers: input.grantIssuers,
    sbaIssuers,
    fleetPolicyIssuers: input.fleetPolicyIssuers,
    requireFleetPolicy: input.requireFleetPolicy ?? false,
    rootKeys: input.rootKeys ?? [],
    pinnedKeys: input.pinnedKeys ?? [],
    bundleScope: { ...input.bundleScope, merchant: input.bundleScope?.merchant ?? terminal.merchant },
    sbaOnlyMax,
    budgetUse: input.budgetUse ?? (input.profile === 'human-agent' ? 'reuse' : 'single-use'),
    spendRule: input.spendRule ?? 'budget-total',
    reservationsLeft: input.reservationsLeft ?? 'hold',
    driftMs,
    scopes: input.scopes ?? ['SESSION', 'TRIP'],
    strictXrpl: input.strictXrpl ?? false,
    strictCurrency: input.strictCurrency ?? false,
    allowUnsetClock: input.allowUnsetClock ?? false,
    refresh,
    revocation,
  };
}

/** The canonical text of an asset that a program holds, or what is wrong with it. `what` is how a problem names it. */
export function readAsset(asset: unknown, what: string): string | ArtifactProblem | JsonProblem {
  const data = jsonData(asset, ARTIFACT_LIMITS);
  return data instanceof JsonProblem ? data : reading(() => assetText(data, what));
}

/** What a deployed device must state and does not (INTEROP §5); empty where it may start. */
export function deploymentProblems(site: Site): readonly string[] {
  const problems: string[] = [];
  for (const name of ['rail', 'asset', 'destination', 'merchant', 'unit', 'purpose'] as const) {
    if (site.terminal[name] === undefined) problems.push(`terminal.${name} is missing`);
  }
  // An SBA may count in any number of decimal places: unstated, 1000 could be ten euros here and a tenth of a cent there.
  if (site.terminal.unit?.kind === 'fiat' && site.terminal.unit.minorUnit === undefined)
    problems.push('terminal.unit.minorUnit is missing');
  if (site.grantIssuers.length === 0) problems.push('grantIssuers is empty: no grant could be accepted');
  if (site.rootKeys.length === 0) problems.push('rootKeys is empty: no Trust Bundle could be admitted');
  return problems;
}

const CHOICES: { readonly [name: string]: readonly unknown[] } = Object.freeze({
  profile: PROFILES,
  budgetUse: BUDGET_USES,
  spendRule: SPEND_RULES,
  reservationsLeft: RESERVATIONS_LEFT,
  requireFleetPolicy: [true, false],
  strictXrpl: [true, false],
  strictCurrency: [true, false],
  allowUnsetClock: [true, false],
});

const UNIT_MEMBERS: readonly string[] = ['kind', 'currency', 'minorUnit'];

/** The members a configuration has, and those of its parts. A part that is a list has those members in each item. */
const MEMBERS: { readonly [part: string]: readonly string[] } = {
  configuration: [
    ...['profile', 'terminal', 'grantIssuers', 'sbaIssuers', 'fleetPolicyIssuers', 'requireFleetPolicy', 'rootKeys'],
    ...['pinnedKeys', 'bundleScope', 'sbaOnly', 'budgetUse', 'spendRule', 'driftMs', 'scopes', 'strictXrpl'],
    ...['strictCurrency', 'allowUnsetClock', 'reservationsLeft', 'refresh', 'revocation'],
  ],
  terminal: ['rail', 'asset', 'destination', 'merchant', 'unit', 'purpose', 'gateway', 'actorId'],
  'terminal.unit': UNIT_MEMBERS,
  bundleScope: ['merchant', 'category', 'region'],
  sbaOnly: ['maxAmountMinor'],
  refresh: REFRESH_MEMBERS,
  revocation: REVOCATION_MEMBERS,
  rootKeys: ['kid', 'publicKey'],
  pinnedKeys: ['role', 'issuer', 'kid', 'publicKey'],
};

/** The members that are text where they are there. */
const TEXTS: { readonly [part: string]: readonly string[] } = {
  terminal: ['destination', 'merchant', 'purpose', 'gateway', 'actorId'],
  bundleScope: ['merchant', 'category', 'region'],
  rootKeys: ['kid'],
  pinnedKeys: ['issuer'],
};

type Part = { readonly [name: string]: unknown };

/**
 * What is not of the right kind, and what is misspelt: taken for nothing it would leave something weaker than was meant.
 */
function shapeProblems(input: SiteConfiguration): string[] {
  const problems: string[] = [];
  if (!isPart(input)) return ['it is not an object'];
  checkPart('configuration', input, problems);
  const parts = input as unknown as Part;
  for (const name of ['terminal', 'bundleScope', 'sbaOnly', 'sbaIssuers', 'refresh', 'revocation']) {
    const part = parts[name];
    if (part === undefined) continue;
    if (!isPart(part)) problems.push(`${name} is not an object`);
    else checkPart(name, part, problems);
  }
  const unit = isPart(parts.terminal) ? parts.terminal.unit : undefined;
  if (isPart(unit)) checkPart('terminal.unit', unit, problems);
  for (const name of ['rootKeys', 'pinnedKeys']) {
    const list = parts[name];
    if (list === undefined) continue;
    if (!Array.isArray(list)) problems.push(`${name} is not a list`);
    else
      for (const item of list as readonly unknown[]) {
        if (isPart(item)) checkPart(name, item, problems);
        else problems.push(`${name} holds something that is not a key`);
      }
  }
  return problems;
}

function checkPart(part: string, value: Part, problems: string[]): void {
  const known = MEMBERS[part];
  for (const name of Object.keys(value)) {
    if (known !== undefined && !known.includes(name)) problems.push(`${part} has no member ${name}`);
    const isText = value[name] === undefined || (typeof value[name] === 'string' && value[name] !== '');
    if (!isText && TEXTS[part]?.includes(name)) problems.push(`${part}.${name} is not a non-empty string`);
  }
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Two keys in one place: only the first would ever be found. */
function samePlace(key: PinnedKey, other: PinnedKey): boolean {
  return key.role === other.role && key.issuer === other.issuer && key.kid === other.kid;
}

function isKey(value: unknown): boolean {
  return value instanceof Uint8Array && value.length === 32;
}

function checkChoices(input: SiteConfiguration, problems: string[]): void {
  const values = input as unknown as Part;
  for (const name of Object.keys(CHOICES)) {
    const choices = CHOICES[name] as readonly unknown[];
    const value = values[name];
    if (value !== undefined && !choices.includes(value)) problems.push(`${name} is none of ${choices.join(', ')}`);
  }
  const scopes: unknown = input.scopes;
  if (scopes === undefined) return;
  if (!Array.isArray(scopes) || scopes.some((scope) => !BUDGET_SCOPES.includes(scope))) {
    problems.push(`scopes is not a list of ${BUDGET_SCOPES.join(', ')}`);
  }
}

/** True for a unit a terminal may count in, with no other members than it has. */
export function isUnit(value: unknown): value is Unit {
  if (!isPart(value)) return false;
  const { kind, currency, minorUnit } = value;
  const places = typeof minorUnit === 'number' && Number.isInteger(minorUnit) ? minorUnit : -1;
  if (minorUnit !== undefined && (places < 0 || places > MINOR_UNIT_PLACES)) return false;
  for (const name in value) if (!UNIT_MEMBERS.includes(name)) return false;
  return kind === 'atomic'
    ? currency === undefined && minorUnit === undefined
    : kind === 'fiat' && isCurrency(currency);
}

function checkRules(name: string, rules: readonly IssuerRule[] | undefined, problems: string[]): void {
  if (!Array.isArray(rules)) {
    problems.push(`${name} is missing`);
    return;
  }
  for (const rule of rules as readonly IssuerRule[]) {
    const good =
      typeof rule === 'string'
        ? rule.length > 0
        : isPart(rule) &&
          typeof rule.issuer === 'string' &&
          Array.isArray(rule.kids) &&
          rule.kids.every((kid) => typeof kid === 'string') &&
          Object.keys(rule).length === 2;
    if (!good) problems.push(`${name} holds something that is neither an issuer nor {issuer, kids}`);
  }
}
