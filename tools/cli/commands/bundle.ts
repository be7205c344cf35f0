// `bundle`: Trust Bundles, from a template to a signed file, and what is in one.

import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { isArray, isObject, member } from '../../../core/json/value.ts';
import type { VerificationKey } from '../../../host-sim/signing/keys.ts';
import { type InspectedBundle, inspectBundle } from '../../issue/bundle-inspection.ts';
import { type BundleChanges, bundleFrom, readTemplate } from '../../issue/bundle-template.ts';
import { IssueProblem } from '../../issue/problem.ts';
import { issueBundle, unsignedBundleText } from '../../issue/trust-bundle.ts';
import { addBundleSamples } from '../bundle-samples.ts';
import { addBundleVerification } from '../bundle-verification.ts';
import { sameFile } from '../file-paths.ts';
import { type Io, printable, UsageError } from '../io.ts';
import { addIssueOptions, handOut, type IssueOptions, rulesOf } from '../issue-options.ts';
import { located, readArtifact, readJsonObject } from '../json-file.ts';
import { readPrivateKeyFile, readPublicHalf } from '../key-file.ts';
import {
  collected,
  durationValue,
  jsonOption,
  keyNameValue,
  kidValue,
  pairValue,
  plain,
  timeValue,
} from '../option-values.ts';
import { tableText } from '../table.ts';
import type { Register } from './index.ts';

interface CreateOptions extends IssueOptions {
  readonly template?: string;
  readonly bundleId?: string;
  readonly bundleIssuer?: string;
  readonly bundleKeyId?: string;
  readonly category?: string;
  readonly merchant?: string;
  readonly region?: string;
  readonly country?: readonly string[];
  readonly issuer?: readonly IssuerKeyFile[];
  readonly approve?: readonly string[];
  readonly revokeKey?: readonly { readonly issuer: string; readonly kid: string }[];
  readonly revokeGrant?: readonly string[];
  readonly issuedAt?: string;
  readonly expiresAt?: string;
}

/** Adds `bundle`. */
export const register: Register = (program: Command, io: Io) => {
  const bundle = program
    .command('bundle')
    .description("Trust Bundles: which issuers a merchant's devices trust, with their keys.");
  addCreate(bundle.command('create'), io);
  addSign(bundle.command('sign'), io);
  addBundleVerification(
    bundle.command('verify'),
    io,
    'mpcp-embedded bundle verify site.bundle.json --root root.pem --merchant did:web:volt.example',
  );
  addInspect(bundle.command('inspect'), io);
  addBundleSamples(bundle.command('samples'), io);
};

function addCreate(command: Command, io: Io): void {
  command
    .description(
      'Write a Trust Bundle that is not signed yet, from a template, from options, or from options over a template.',
    )
    .option('--template <file>', 'JSON template; paths of key files in it count from its folder')
    .option('--bundle-issuer <issuer>', 'who makes the bundle: a domain or a DID')
    .option('--bundle-id <id>', '(default: category and time of issue)')
    .option('--bundle-key-id <kid>', 'kid of the root key (default: set by bundle sign)')
    .option('--category <category>', 'e.g. ev-charging, parking, tolls')
    .option('--merchant <merchant>', "whose devices it is for; left out: anybody's")
    .option('--region <region>', 'e.g. EU')
    .option('--country <code>', 'ISO 3166, two letters (repeatable)', collected(plain))
    .option(
      '--issuer <issuer=file>',
      'an issuer and its key, JWK or PEM; ISSUER#KID=FILE names the key (repeatable)',
      collected(issuerKey),
    )
    .option('--approve <issuer>', 'approve an issuer without a key, e.g. a did:key (repeatable)', collected(plain))
    .option('--revoke-key <issuer#kid>', 'mark a key `active: false` (repeatable)', collected(keyNameValue))
    .option('--revoke-grant <id>', 'add to revokedGrantIds (repeatable)', collected(plain))
    .option('--issued-at <time>', '(default: now)')
    .option('--expires-at <time>', 'when devices drop it')
    .option('--valid <span>', 'expires this long from now, e.g. 7d, in place of --expires-at', durationValue);
  addIssueOptions(command)
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded bundle create --bundle-issuer pa.example --category ev-charging --merchant did:web:volt.example \\' +
        '\n           --region EU --issuer pa.example=pa.pub.jwk --issuer wallet.example=wallet.pub.jwk --valid 7d --out site.unsigned.json',
    )
    .action((options: CreateOptions) => {
      const rules = rulesOf(options);
      const template = options.template === undefined ? {} : readArtifact(options.template, '--template', readTemplate);
      const folder = options.template === undefined ? '.' : dirname(options.template);
      const keys = {
        fromFile: (path: string, kid: string | undefined) => {
          const file = join(folder, path);
          if (options.out !== undefined && sameFile(options.out, file))
            throw new UsageError(`--out and ${path} of the template are the same file`);
          return readPublicHalf(file, 'template key', kid);
        },
      };
      const made = bundleFrom(template, changesOf(options), keys, rules.nowMs);
      const text = unsignedBundleText(made, rules);
      handOut(io, options, text, {
        artifact: 'trustBundle',
        bundleId: String(made.bundleId),
        expiresAt: String(made.expiresAt),
      });
      if (made.category === undefined) io.note('note: the bundle has no category; the published type has one');
    });
}

/** An issuer with one of its keys. */
interface IssuerKeyFile {
  readonly issuer: string;
  readonly kid: string | undefined;
  readonly file: string;
}

function issuerKey(text: string): IssuerKeyFile {
  const [name, file] = pairValue(text);
  return name.includes('#') ? { ...keyNameValue(name), file } : { issuer: name, kid: undefined, file };
}

function changesOf(options: CreateOptions): BundleChanges {
  const issuers = new Map<string, VerificationKey[]>();
  for (const { issuer, kid, file } of options.issuer ?? []) {
    issuers.set(issuer, [...(issuers.get(issuer) ?? []), readPublicHalf(file, '--issuer', kid)]);
  }
  return {
    bundleId: options.bundleId,
    bundleIssuer: options.bundleIssuer,
    bundleKeyId: options.bundleKeyId,
    category: options.category,
    merchant: options.merchant,
    region: options.region,
    countryCodes: options.country,
    issuers,
    approved: options.approve ?? [],
    revokedKeys: options.revokeKey ?? [],
    revokedGrants: options.revokeGrant ?? [],
    issuedAt: options.issuedAt,
    expiresAt: options.expiresAt,
    validMs: options.valid,
  };
}

function addSign(command: Command, io: Io): void {
  command
    .description("Sign a Trust Bundle with a root key. An old signature is replaced; bundleKeyId is the key's kid.")
    .argument('<file>', 'bundle, - for standard input')
    .requiredOption('--key <file>', 'root private key: JWK or PKCS #8 PEM')
    .option('--kid <kid>', "the key's name (default: of a JWK its own, else its thumbprint)", kidValue);
  addIssueOptions(command)
    .addHelpText(
      'after',
      '\nExample: mpcp-embedded bundle sign site.unsigned.json --key root.jwk --out site.bundle.json',
    )
    .action((path: string, options: IssueOptions & { readonly key: string; readonly kid?: string }) => {
      const { value } = readJsonObject(path, 'bundle');
      const key = readPrivateKeyFile(options.key, options.kid);
      const text = located(path, () => issueBundle(value, key, rulesOf(options)));
      handOut(io, options, text, {
        artifact: 'trustBundle',
        bundleId: String(value.bundleId),
        bundleKeyId: key.kid,
        expiresAt: String(value.expiresAt),
        bytes: Buffer.byteLength(text),
      });
    });
}

function addInspect(command: Command, io: Io): void {
  command
    .description(
      'Show what is in a Trust Bundle: issuers, keys, their states and why one is not usable. Does not verify it.',
    )
    .argument('<file>', 'bundle or answer {"bundles": […]}, - for standard input')
    .option('--now <time>', 'what counts as now (default: the clock)', timeValue)
    .addHelpText('after', '\nExample: mpcp-embedded bundle inspect site.bundle.json')
    .action((path: string, options: { readonly now?: number }) => {
      const { value } = readJsonObject(path, 'bundle');
      const list = member(value, 'bundles');
      const wire = isArray(list) ? list : [value];
      const now = options.now ?? Date.now();
      const inspected = wire.map((one, i) =>
        located(isArray(list) ? `${path}: bundles[${i}]` : path, () => {
          if (!isObject(one)) throw new IssueProblem('not a Trust Bundle: it is not an object');
          return inspectBundle(one, now);
        }),
      );
      io.result(
        isArray(list) ? { bundles: inspected } : inspected[0],
        inspected.map(inspectionText).join('\n\n') || 'no bundles',
      );
    });
  jsonOption(command);
}

function inspectionText(bundle: InspectedBundle): string {
  const scope = [
    bundle.merchant ?? 'any merchant',
    bundle.category ?? 'any category',
    [bundle.region ?? 'any region', ...bundle.countryCodes].join(' '),
  ].join(' · ');
  const lines: [string, string][] = [
    ['bundle', bundle.bundleId],
    ['issuer', bundle.bundleIssuer],
    ['root key', bundle.bundleKeyId ?? 'none yet'],
    ['signature', bundle.signed ? 'present, not verified here' : 'none'],
    ['scope', scope],
    ['issued', bundle.issuedAt ?? 'not said'],
    ['expires', bundle.expired ? `${bundle.expiresAt} (expired)` : bundle.expiresAt],
  ];
  if (bundle.revokedGrantIds.length > 0) lines.push(['revoked grants', bundle.revokedGrantIds.join(', ')]);
  const head = lines.map(([name, value]) => `${name.padEnd(15)}${printable(value)}`).join('\n');
  const rows = bundle.keys.map(({ issuer, kid, state, why }) => [issuer, kid, state, why]);
  return `${head}\n\n${tableText(['issuer', 'kid', 'state', 'why'], rows)}`;
}
