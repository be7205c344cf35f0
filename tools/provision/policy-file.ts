// A policy file: what all devices of a fleet have in common. Who may sign what, the caps, whom devices talk to, and what is
// checked before anything is made from it: keys, the certificate, the first Trust Bundles.

import { X509Certificate } from 'node:crypto';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import type { BundleFacts } from '../../core/artifacts/trust-bundle.ts';
import {
  ConfigurationError,
  deploymentProblems,
  readConfiguration,
  type SiteConfiguration,
} from '../../core/configuration.ts';
import { ed25519KeyUsable } from '../../core/ed25519/verify.ts';
import { ed25519FromDidKey } from '../../core/encoding/did-key.ts';
import { isObject, type JsonObject } from '../../core/json/value.ts';
import { HIGHEST_PIN } from '../../core/limits.ts';
import {
  ACTIVE_LEVELS,
  certificateProblem,
  hostProblem,
  type MqttBroker,
  ssidProblem,
  urlProblem,
  WIRING_KINDS,
  type Wifi,
  type Wiring,
  wifiPasswordProblem,
} from '../../core/provisioning/provisioning.ts';
import { admitBundle } from '../../core/trust/admission.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { readInput, UsageError } from '../cli/io.ts';
import { readJsonObject } from '../cli/json-file.ts';
import { partOfSite } from '../cli/site-file.ts';
import { partlyShaped } from '../issue/problem.ts';
import * as rule from '../issue/rules.ts';
import type { Board } from './board-pins.ts';
import { privateKeyIn, privateKeyInValue } from './private-keys.ts';
import type { InputProblem } from './problems.ts';
import { WIRED_PARTS, wiringFaults } from './wiring.ts';

/** A file that a fleet is made from, as the manifest names it. */
export interface InputFile {
  readonly role: string;
  /** Without its folder: that differs from machine to machine. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What all devices have in common. */
export interface FleetTerms {
  /** Without what a device's own line says: merchant, category, region. */
  readonly site: SiteConfiguration;
  readonly policyAuthorityUrl: string;
  readonly operatorUrl: string | undefined;
  readonly certificate: Uint8Array | undefined;
  /** Of the operator's servers, where it is another one. */
  readonly operatorCertificate?: Uint8Array | undefined;
  readonly rootKey: 'fetch' | undefined;
  /** For devices whose line has none. */
  readonly wifi: Wifi | undefined;
  readonly wiring: Wiring | undefined;
  readonly mqtt: MqttBroker | undefined;
  /** The first Trust Bundle of each category that the file names. */
  readonly bundles: ReadonlyMap<string, BundleFacts>;
  readonly inputs: readonly InputFile[];
}

/** What can be known of a policy in which something is wrong: lines of the fleet are held against it. */
export interface PolicyFacts {
  /** Undefined where it cannot be used. */
  readonly terminal: SiteConfiguration['terminal'] | undefined;
  readonly hasOperator: boolean;
  readonly bundles: ReadonlyMap<string, BundleFacts>;
}

/** A policy file that was read. */
export interface ReadPolicy {
  /** Left out where something is wrong. */
  readonly terms?: FleetTerms;
  /** Left out where the file holds a private key. */
  readonly facts?: PolicyFacts;
}

/** A server's URL. Without TLS only on this machine: whoever listens would have the device's key. */
const server = rule.textRule((url) => {
  const wrong = urlProblem(url);
  if (wrong !== undefined) return `"${url}": ${wrong}`;
  return /^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])([:/]|$)/.test(url)
    ? undefined
    : `"${url}": http:// is for this machine alone; a device needs https://`;
});

/** As a device has it, of its servers' keys. */
const EXPONENT = 65_537n;
const MOST_BITS = 4096;
const isPin = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= HIGHEST_PIN;
const pin = z.number().refine(isPin, { error: ({ input }) => `${input} is not a pin from 0 to ${HIGHEST_PIN}` });
const policyFile = z.strictObject({
  site: z.looseObject({}),
  policyAuthorityUrl: server,
  operatorUrl: server.optional(),
  certificate: rule.text.optional(),
  operatorCertificate: rule.text.optional(),
  rootKey: z.literal('fetch').optional(),
  wifi: z
    .strictObject({
      ssid: rule.textRule(ssidProblem),
      password: rule.textRule(wifiPasswordProblem).optional(),
    })
    .optional(),
  wiring: z
    .strictObject({
      kind: z.enum(WIRING_KINDS),
      relay: pin,
      active: z.enum(ACTIVE_LEVELS),
      meter: pin.optional(),
      stop: pin.optional(),
      led: pin.optional(),
      buzzer: pin.optional(),
    })
    .optional(),
  mqtt: z
    .strictObject({ host: rule.textRule(hostProblem), port: z.int().min(1).max(65_535), topic: rule.text })
    .optional(),
  trustBundles: z.record(z.string(), rule.text).optional(),
});

/**
 * Reads a policy file and the files it names, which are looked for beside it.
 *
 * @param problems gets everything that is wrong; where something is, there are no terms
 * @throws UsageError where the policy cannot be read, or is no JSON
 */
export function readPolicy(path: string, nowMs: number, problems: InputProblem[], board?: Board): ReadPolicy {
  const { bytes, value } = readJsonObject(path, 'policy');
  const before = problems.length;
  const told = (reason: string, file = path) => problems.push({ file, reason });
  const secret = privateKeyInValue(value, '');
  // Nothing else is said of a file that has to go first.
  if (secret !== undefined) {
    told(`${secret.at} holds ${secret.what}`);
    return {};
  }
  const { value: read, findings } = partlyShaped(policyFile, value);
  for (const reason of findings) told(reason);
  if (isObject(value.wiring)) for (const reason of policyWiringFaults(value.wiring, board)) told(reason);
  const part = partOfSite(isObject(value.site) ? value.site : {});
  const site = part.value as SiteConfiguration;
  for (const reason of part.findings) told(`site: ${reason}`);
  if (isObject(value.site))
    for (const reason of siteProblems(site, part.wrong, value.rootKey !== undefined)) told(reason);
  const inputs: InputFile[] = [{ role: 'policy', file: basename(path), bytes }];
  // As the policy's own path was given, so that a finding names what somebody has typed.
  const beside = (name: string) => (isAbsolute(name) ? name : join(dirname(path), name));
  const fileIn = (member: string, file: string) => {
    try {
      return readInput(file, member);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      told(error.message);
      return undefined;
    }
  };
  const certificateIn = (member: 'certificate' | 'operatorCertificate') => {
    const name = read[member];
    if (name === undefined) return undefined;
    const file = beside(name);
    const bytes = fileIn(member, file);
    if (bytes === undefined) return undefined;
    inputs.push({ role: member, file: basename(file), bytes });
    const found = certificateOf(Buffer.from(bytes).toString(), nowMs);
    if (typeof found !== 'string') return found;
    told(found, file);
    return undefined;
  };
  const certificate = certificateIn('certificate');
  const operatorCertificate = certificateIn('operatorCertificate');
  if (read.operatorCertificate !== undefined && value.operatorUrl === undefined)
    told('operatorCertificate: there is no operatorUrl');
  const bundles = new Map<string, BundleFacts>();
  for (const [category, name] of Object.entries(read.trustBundles ?? {})) {
    const file = beside(name);
    const bundle = fileIn('trustBundles', file);
    // Without every root key nothing can be said of who has signed it.
    if (bundle === undefined || part.wrong.has('rootKeys')) continue;
    inputs.push({ role: `bundle for ${category}`, file: basename(file), bytes: bundle });
    const found = bundleOf(bundle, category, site, nowMs);
    if (typeof found === 'string') told(found, file);
    else bundles.set(category, found);
  }
  const facts: PolicyFacts = {
    terminal: part.wrong.has('terminal') || !isObject(value.site) ? undefined : (site.terminal ?? {}),
    hasOperator: value.operatorUrl !== undefined,
    bundles,
  };
  if (problems.length > before) return { facts };
  const { policyAuthorityUrl = '', operatorUrl, rootKey, wifi, wiring, mqtt } = read;
  const common = {
    policyAuthorityUrl,
    operatorUrl,
    rootKey,
    certificate,
    operatorCertificate,
    bundles,
    inputs,
    site,
    mqtt,
  };
  return { facts, terms: { ...common, wifi: wifi as Wifi | undefined, wiring: wiring as Wiring | undefined } };
}

/** What is wrong with those pins of a wiring that are pins. */
function policyWiringFaults(wiring: JsonObject, board: Board | undefined): string[] {
  const pins = Object.fromEntries(WIRED_PARTS.map((part) => [part, wiring[part]]).filter(([, value]) => isPin(value)));
  const faults = wiringFaults(pins, board, (part) => `wiring.${part}`);
  const lacksMeter = wiring.kind === 'charger' && wiring.meter === undefined;
  return lacksMeter ? [...faults, 'wiring: a charger has no meter'] : faults;
}

/** What every device would lack, or what would not work on it. */
function siteProblems(site: SiteConfiguration, wrong: ReadonlySet<string>, fetchesRootKey: boolean): string[] {
  const problems: string[] = [];
  const isToldAlready = (text: string) => wrong.has(/^\w*/.exec(text)?.[0] as string);
  const isKnown = (...members: readonly (keyof SiteConfiguration)[]) =>
    members.every((name) => site[name] !== undefined && !wrong.has(name));
  if (site.bundleScope !== undefined || site.terminal?.merchant !== undefined)
    problems.push('site: merchant, category and region stand in each device’s line, not here');
  try {
    // Each line adds these.
    const terminal = { destination: 'its line', ...site.terminal, merchant: 'its line' };
    const missing = deploymentProblems(readConfiguration({ ...site, terminal }));
    problems.push(
      ...missing
        .filter((text) => !isToldAlready(text) && !(fetchesRootKey && text.startsWith('rootKeys ')))
        .map((text) => `site: ${text}`),
    );
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    problems.push(...error.problems.filter((text) => !isToldAlready(text)).map((text) => `site: ${text}`));
  }
  if (fetchesRootKey && (site.rootKeys ?? []).length > 0)
    problems.push('rootKey: a device that has root keys fetches none');
  return [...problems, ...roleProblems(site), ...(isKnown('grantIssuers', 'sbaIssuers') ? issuerProblems(site) : [])];
}

/** Issuers that could never be paid under, or never sign. */
function issuerProblems(site: SiteConfiguration): string[] {
  const problems: string[] = [];
  const issuers = site.grantIssuers.map((known) => (typeof known === 'string' ? known : known.issuer));
  for (const issuer of new Set(issuers))
    if ((site.sbaIssuers[issuer] ?? []).length === 0)
      problems.push(`site: sbaIssuers has nobody for ${issuer}, so no payment under its grants is accepted`);
  for (const issuer of Object.keys(site.sbaIssuers))
    if (issuer !== '*' && !issuers.includes(issuer))
      problems.push(`site: sbaIssuers is about ${issuer}, which grantIssuers does not let sign grants`);
  return problems;
}

/** Keys that stand for more than one role, of which one would betray the other, and did:key issuers that cannot sign. */
function roleProblems(site: SiteConfiguration): string[] {
  const problems: string[] = [];
  const roles = new Map<string, { readonly role: string; readonly what: string }>();
  const add = (publicKey: Uint8Array, role: string, what: string) => {
    const id = Buffer.from(publicKey).toString('base64url');
    const known = roles.get(id);
    if (known === undefined) roles.set(id, { role, what });
    else if (known.role !== role) problems.push(`site: ${what} and ${known.what} are one key`);
    else if (role === 'root') problems.push(`site: ${what} and ${known.what} are one key`);
  };
  for (const { kid, publicKey } of site.rootKeys ?? []) add(publicKey, 'root', `root key ${kid ?? 'without kid'}`);
  for (const { role, kid, publicKey } of site.pinnedKeys ?? [])
    add(
      publicKey,
      role === 'policyGrant' ? 'grants' : role === 'fleetPolicyAuthorization' ? 'fleet' : 'budgets',
      `pinned ${role} key ${kid}`,
    );
  const addIssuers = (rules: SiteConfiguration['grantIssuers'], role: string, list: string) => {
    for (const known of rules) {
      const issuer = typeof known === 'string' ? known : known.issuer;
      const key = ed25519FromDidKey(issuer);
      if (key === undefined) {
        if (issuer.startsWith('did:key:')) problems.push(`site: ${list}: ${issuer} carries no Ed25519 key`);
      } else if (!ed25519KeyUsable(key))
        problems.push(`site: ${list}: the key of ${issuer} is not a usable point of the curve`);
      else add(key, role, `${list} ${issuer}`);
    }
  };
  addIssuers(site.grantIssuers ?? [], 'grants', 'grantIssuers');
  for (const [under, rules] of Object.entries(site.sbaIssuers ?? {}))
    addIssuers(rules, 'budgets', `sbaIssuers of ${under}:`);
  addIssuers(site.fleetPolicyIssuers ?? [], 'fleet', 'fleetPolicyIssuers');
  const kids = (site.rootKeys ?? []).map(({ kid }) => kid);
  kids.forEach((kid, i) => {
    if (kid !== undefined && kids.indexOf(kid) < i) problems.push(`site: two root keys have the kid ${kid}`);
  });
  return problems;
}

/** The one certificate of a PEM file, in DER, or what is wrong with it. */
function certificateOf(text: string, nowMs: number): Uint8Array | string {
  const secret = privateKeyIn(text);
  if (secret !== undefined) return `it holds ${secret}`;
  const count = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  if (count !== 1) return `one certificate in PEM is needed, it has ${count}`;
  let found: X509Certificate;
  try {
    found = new X509Certificate(text);
  } catch {
    return 'it is not a certificate';
  }
  if (Date.parse(found.validTo) <= nowMs) return `the certificate expired at ${isoTime(Date.parse(found.validTo))}`;
  const { asymmetricKeyType, asymmetricKeyDetails } = found.publicKey;
  const { publicExponent, modulusLength = 0 } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType !== 'rsa' || publicExponent !== EXPONENT || modulusLength > MOST_BITS)
    return `the certificate has not an RSA key with the exponent ${EXPONENT} and at most ${MOST_BITS} bits: devices take no signature of others`;
  const der = Uint8Array.from(found.raw);
  return certificateProblem(der) ?? der;
}

/** What a bundle says that a device of the category would take now, or why it would not. */
function bundleOf(bytes: Uint8Array, category: string, site: SiteConfiguration, nowMs: number): BundleFacts | string {
  const admitted = admitBundle(bytes, {
    crypto: createNodeCrypto(),
    rootKeys: site.rootKeys ?? [],
    scope: { category },
    nowMs,
    newest: () => undefined,
  });
  return 'ok' in admitted ? `the Trust Bundle for ${category}: ${admitted.code}: ${admitted.detail}` : admitted.bundle;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
