// What the commands that verify share: bundles, root keys and rules, from files and options, made into a verifier and a
// request.

import { type Command, Option } from 'commander';
import { RAILS } from '../../core/artifacts/asset.ts';
import type { PaymentRequest } from '../../core/chain/request.ts';
import { PROFILES, type Profile, type SiteConfiguration } from '../../core/configuration.ts';
import { type JsonObject, member } from '../../core/json/value.ts';
import { MemoryLedger } from '../../core/ledger/memory-ledger.ts';
import { createPortableCrypto } from '../../core/ports/portable-crypto.ts';
import type { IssuerRule } from '../../core/trust/configuration.ts';
import { type Admission, Verifier } from '../../core/verifier.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { UsageError } from './io.ts';
import { type JsonFile, readForVerdict } from './json-file.ts';
import { readRootKeyFile } from './key-file.ts';
import {
  assetValue,
  collected,
  currencyValue,
  durationValue,
  jsonOption,
  keyNameValue,
  plain,
  timeValue,
  totalValue,
} from './option-values.ts';
import { completeSite, readSiteFile } from './site-file.ts';

/** What every verifying command takes. */
export interface VerifyOptions {
  readonly bundle?: readonly string[];
  readonly root?: readonly string[];
  readonly config?: string;
  readonly grantIssuer?: readonly IssuerRule[];
  readonly sbaIssuer?: readonly SbaIssuerOption[];
  readonly now?: number;
  readonly drift?: number;
  readonly profile?: Profile;
  readonly crypto: 'node' | 'core';
  readonly explain?: boolean;
}

/** What those take that decide on a payment. */
export interface PaymentOptions extends VerifyOptions {
  readonly amount: string;
  readonly currency?: string;
  readonly atomic?: boolean;
  readonly rail?: string;
  readonly asset?: JsonObject;
  readonly destination?: string;
  readonly session?: string;
  readonly purpose?: string;
  readonly policyHash?: string;
  readonly gateway?: string;
  readonly actor?: string;
  readonly grantSpent?: bigint;
  readonly budgetSpent?: bigint;
}

/** `--sba-issuer`: whose grants (undefined: everybody's, and none), and who may sign under them. */
interface SbaIssuerOption {
  readonly grantIssuer: string | undefined;
  readonly rule: IssuerRule;
}

/** Adds what every command that verifies takes. */
export function addLookOptions(command: Command): Command {
  command
    .option('--root <file>', 'root public key: JWK, PEM or base64url (repeatable)', collected(plain))
    .option('--config <file>', 'site configuration, JSON; options take precedence')
    .option('--now <time>', 'what the clock shows (default: the time)', timeValue)
    .addOption(
      new Option('--crypto <which>', "node:crypto with the strict profile, or the core's own")
        .choices(['node', 'core'])
        .default('node'),
    )
    .option('--explain', 'a table of every check: verdict, code, clause');
  return jsonOption(command);
}

/** Adds what those take besides that look at signed artifacts: bundles, and who may sign what. */
export function addVerifyOptions(command: Command): Command {
  command
    .option(
      '--bundle <file...>',
      'Trust Bundles, or answers {"bundles": […]}; put other arguments in front of the list',
    )
    .option(
      '--grant-issuer <issuer>',
      'may sign grants; ISSUER#KID with that key only (repeatable)',
      collected(issuerRule),
    )
    .option(
      '--sba-issuer <grantissuer=issuer>',
      "may sign SBAs under that issuer's grants, * for no grant; ISSUER alone: under all (repeatable)",
      collected(sbaIssuerValue),
    )
    .option('--drift <span>', 'how long past its expiry an artifact is taken, e.g. 60s (default: 5m)', durationValue)
    .addOption(new Option('--profile <profile>', 'which artifacts are wanted').choices(PROFILES));
  return addLookOptions(command);
}

/** Adds what a terminal states about a payment. */
export function addPaymentOptions(command: Command): Command {
  return command
    .requiredOption('--amount <digits>', "what it costs, in the terminal's smallest unit")
    .option('--currency <code>', 'the amount is in minor units of this currency', currencyValue)
    .option('--atomic', "the amount is in the asset's smallest unit")
    .addOption(new Option('--rail <rail>', 'how it is settled').choices(RAILS))
    .option('--asset <asset>', 'XRP, IOU:CURRENCY:ISSUER, ERC20:CHAINID:TOKEN or JSON', assetValue)
    .option('--destination <address>', 'who is paid')
    .option('--session <id>', 'the session at the terminal')
    .option('--purpose <purpose>', 'what is sold, e.g. transport:charging')
    .option('--policy-hash <hex>', 'the policy the terminal expects')
    .option('--gateway <address>', 'the gateway it settles through')
    .option('--actor <id>', 'the only actor it serves')
    .option('--grant-spent <digits>', 'spent under the grant before', totalValue)
    .option('--budget-spent <digits>', 'spent under the budget before', totalValue);
}

/** An issuer, or one with a single kid after `#`. */
function issuerRule(text: string): IssuerRule {
  if (!text.includes('#')) return text;
  const { issuer, kid } = keyNameValue(text);
  return { issuer, kids: [kid] };
}

function sbaIssuerValue(text: string): SbaIssuerOption {
  const at = text.indexOf('=');
  return at < 1
    ? { grantIssuer: undefined, rule: issuerRule(text) }
    : { grantIssuer: text.slice(0, at), rule: issuerRule(text.slice(at + 1)) };
}

/** Who a command needs to know about. */
export interface Needs {
  readonly grantIssuers: boolean;
  readonly sbaIssuers: boolean;
}

/** The configuration that options and file give. @throws UsageError where who may sign is not said */
export function siteOf(options: VerifyOptions, needs: Needs): SiteConfiguration {
  const file = options.config === undefined ? {} : readSiteFile(options.config);
  const grantIssuers = options.grantIssuer ?? file.grantIssuers;
  if (needs.grantIssuers && grantIssuers === undefined) {
    throw new UsageError('who may sign grants is not said: --grant-issuer ISSUER, or grantIssuers in --config');
  }
  const sbaIssuers =
    options.sbaIssuer === undefined ? file.sbaIssuers : sbaIssuersOf(options.sbaIssuer, grantIssuers ?? []);
  if (needs.sbaIssuers && sbaIssuers === undefined) {
    throw new UsageError('who may sign SBAs is not said: --sba-issuer GRANTISSUER=ISSUER, or sbaIssuers in --config');
  }
  return completeSite({
    ...file,
    grantIssuers: grantIssuers ?? [],
    sbaIssuers: sbaIssuers ?? {},
    rootKeys: [...(file.rootKeys ?? []), ...(options.root ?? []).map((file) => readRootKeyFile(file))],
    ...(options.drift === undefined ? {} : { driftMs: options.drift }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
  });
}

function sbaIssuersOf(
  given: readonly SbaIssuerOption[],
  grantIssuers: readonly IssuerRule[],
): Record<string, IssuerRule[]> {
  const all = new Map<string, IssuerRule[]>();
  for (const { grantIssuer, rule } of given) {
    const names =
      grantIssuer === undefined
        ? [...grantIssuers.map((known) => (typeof known === 'string' ? known : known.issuer)), '*']
        : [grantIssuer];
    for (const name of new Set(names)) all.set(name, [...(all.get(name) ?? []), rule]);
  }
  return Object.fromEntries(all);
}

/** A verifier for one look, and what became of the bundles it was given. */
export interface ReadyVerifier {
  readonly verifier: Verifier;
  readonly bundles: readonly AdmittedFile[];
  /** What `--now` said. */
  readonly askedNowMs: number | undefined;
}

/** What became of one bundle of a file. */
export interface AdmittedFile {
  /** The file, with the place in it where it holds several. */
  readonly name: string;
  readonly admission: Admission;
}

/** Makes the verifier and lets it admit the bundles. A bundle that is refused is noted, and is not there. */
export function readyVerifier(
  options: VerifyOptions & Partial<PaymentOptions>,
  configuration: SiteConfiguration,
): ReadyVerifier {
  if (options.bundle !== undefined && configuration.rootKeys?.length === 0) {
    throw new UsageError('--bundle needs a root key: --root FILE, or rootKeys in --config');
  }
  // All files are read before anything is said about one.
  const files = (options.bundle ?? []).map((path) => ({ path, file: readForVerdict(path, '--bundle') }));
  const verifier = verifierOf(options, configuration);
  const bundles = files.flatMap(({ path, file }) => admitFile(verifier, path, file));
  return { verifier, bundles, askedNowMs: options.now };
}

/** A verifier that has no bundles yet. */
export function verifierOf(
  options: VerifyOptions & Partial<PaymentOptions>,
  configuration: SiteConfiguration,
): Verifier {
  const crypto = options.crypto === 'core' ? createPortableCrypto() : createNodeCrypto();
  const now = options.now ?? Date.now();
  return new Verifier({
    configuration,
    crypto,
    clock: { wallMs: () => now, monotonicMs: () => 0 },
    ledger: new MemoryLedger(crypto, { grantSpent: options.grantSpent, budgetSpent: options.budgetSpent }),
    // A time that is asked about may be any.
    ...(options.now === undefined ? {} : { earliestMs: 0 }),
  });
}

/** Lets a verifier admit a file: one bundle, or an answer with several. */
export function admitFile(verifier: Verifier, path: string, file: JsonFile<JsonObject>): readonly AdmittedFile[] {
  if (member(file.value, 'bundles') === undefined) return [{ name: path, admission: verifier.admit(file.bytes) }];
  const admitted = verifier.admitSet(file.bytes);
  if ('ok' in admitted) return [{ name: path, admission: admitted }];
  return admitted.map((admission, i) => ({ name: `${path}: bundles[${i}]`, admission }));
}

/** What the terminal asks for. */
export function requestOf(options: PaymentOptions): PaymentRequest {
  if (options.currency !== undefined && options.atomic)
    throw new UsageError('--currency and --atomic both say what the amount is in; give one');
  return {
    amountMinor: options.amount,
    rail: options.rail,
    asset: options.asset,
    destination: options.destination,
    sessionId: options.session,
    purpose: options.purpose,
    policyHash: options.policyHash,
    gateway: options.gateway,
    actorId: options.actor,
    unit: options.atomic
      ? { kind: 'atomic' }
      : options.currency === undefined
        ? undefined
        : { kind: 'fiat', currency: options.currency },
  };
}
