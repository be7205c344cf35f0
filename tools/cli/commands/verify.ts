// `verify`: a verdict on one artifact or on a whole payment, as a device would give it, with the reason.

import type { Command } from 'commander';
import { presentationFromAuthorization, presentationFromBase64 } from '../../../core/intake/http-authorization.ts';
import { AMOUNT_DIGITS } from '../../../core/limits.ts';
import type { IssuerRule } from '../../../core/trust/configuration.ts';
import { addBundleVerification } from '../bundle-verification.ts';
import { type Io, readText, UsageError } from '../io.ts';
import { presentationOf, readForVerdict } from '../json-file.ts';
import type { PartialSite } from '../site-file.ts';
import { showVerdict } from '../verdict-output.ts';
import {
  addPaymentOptions,
  addVerifyOptions,
  type PaymentOptions,
  readyVerifier,
  requestOf,
  siteOf,
  type VerifyOptions,
} from '../verify-options.ts';
import type { Register } from './index.ts';

interface ChainOptions extends PaymentOptions {
  readonly grant?: string;
  readonly sba?: string;
  readonly spa?: string;
  readonly intent?: string;
  readonly fpa?: string;
  readonly presentation?: string;
}

const EXIT_CODES =
  '\nPrints `accepted`, or `refused CODE artifact check: detail`. Exit code 0 or 1; 2 where the call was wrong.';

/** Adds `verify`. */
export const register: Register = (program: Command, io: Io) => {
  const verify = program.command('verify').description('Give the verdict a device would give, and the reason.');
  addBundleVerification(verify.command('bundle'), io, 'mpcp-embedded verify bundle site.bundle.json --root root.pem');
  addGrant(verify.command('grant'), io);
  addSba(verify.command('sba'), io);
  addChain(verify.command('chain'), io);
  addHeader(verify.command('header'), io);
};

function addGrant(command: Command, io: Io): void {
  command
    .description('Look at a PolicyGrant alone: shape, expiry, revocation, issuer, signature.')
    .argument('<file>', 'policy grant, - for standard input');
  addVerifyOptions(command)
    .addHelpText(
      'after',
      `\nExample: mpcp-embedded verify grant grant.json --bundle site.bundle.json --root root.pem --grant-issuer pa.example${EXIT_CODES}`,
    )
    .action((path: string, options: VerifyOptions) => {
      const { bytes } = readForVerdict(path, 'grant');
      const ready = readyVerifier(options, siteOf(options, { grantIssuers: true, sbaIssuers: false }));
      showVerdict(
        io,
        ready.verifier.checkGrant(bytes, { explain: options.explain ?? false }),
        ready,
        options.explain ?? false,
      );
    });
}

function addSba(command: Command, io: Io): void {
  command
    .description(
      'Look at an SBA alone, for an amount, as if the site took SBAs without their grant: grant limits are not seen.',
    )
    .argument('<file>', 'signed budget authorization, - for standard input');
  addVerifyOptions(addPaymentOptions(command))
    .addHelpText(
      'after',
      `\nExample: mpcp-embedded verify sba sba.json --amount 1800 --currency EUR --bundle site.bundle.json --root root.pem \\` +
        `\n           --sba-issuer wallet.example${EXIT_CODES}`,
    )
    .action((path: string, options: PaymentOptions) => {
      const { bytes } = readForVerdict(path, 'SBA');
      const site = siteOf(options, { grantIssuers: false, sbaIssuers: true });
      const ready = readyVerifier(options, { ...site, ...alone(site) });
      showVerdict(
        io,
        ready.verifier.check(bytes, requestOf(options), { explain: options.explain ?? false }),
        ready,
        options.explain ?? false,
      );
    });
}

/** A site for an SBA without anything around it: whoever may sign under some grant may sign this one. */
function alone(site: PartialSite): PartialSite {
  const everyone: IssuerRule[] = Object.values(site.sbaIssuers ?? {}).flat();
  return {
    sbaIssuers: { ...site.sbaIssuers, '*': site.sbaIssuers?.['*'] ?? everyone },
    sbaOnly: site.sbaOnly ?? { maxAmountMinor: '9'.repeat(AMOUNT_DIGITS) },
    profile: 'lite',
    requireFleetPolicy: false,
  };
}

function addChain(command: Command, io: Io): void {
  command
    .description('Decide on a payment: the artifacts of its chain, or a whole presentation. Records nothing.')
    .option('--grant <file>', 'policy grant')
    .option('--sba <file>', 'signed budget authorization')
    .option('--spa <file>', 'signed payment authorization')
    .option('--intent <file>', 'settlement intent')
    .option('--fpa <file>', 'fleet policy')
    .option('--presentation <file>', 'all of them in one presentation');
  addVerifyOptions(addPaymentOptions(command))
    .addHelpText(
      'after',
      `\nExample: mpcp-embedded verify chain --grant grant.json --sba sba.json --amount 1800 --config site.json \\` +
        `\n           --bundle site.bundle.json --explain${EXIT_CODES}`,
    )
    .action((options: ChainOptions) => decide(presentationOfChain(options), options, io));
}

function presentationOfChain(options: ChainOptions): Uint8Array {
  const { grant, sba, spa, intent, fpa, presentation } = options;
  if (presentation !== undefined) {
    const also = Object.entries({ grant, sba, spa, intent, fpa }).find(([, path]) => path !== undefined);
    if (also !== undefined)
      throw new UsageError(`--presentation holds all artifacts; --${also[0]} cannot be given with it`);
    return readForVerdict(presentation, '--presentation').bytes;
  }
  if (sba === undefined) throw new UsageError('a payment needs --sba FILE, or --presentation FILE');
  const file = (path: string | undefined, what: string) =>
    path === undefined ? undefined : readForVerdict(path, what);
  return presentationOf({
    grant: file(grant, '--grant'),
    sba: readForVerdict(sba, '--sba'),
    spa: file(spa, '--spa'),
    settlementIntent: file(intent, '--intent'),
    fleetPolicyAuthorization: file(fpa, '--fpa'),
  });
}

function addHeader(command: Command, io: Io): void {
  command
    .description('Decide on a payment whose presentation is in an Authorization header. Records nothing.')
    .argument('[value...]', '`MPCP <base64>`, with or without `Authorization:`; or an `X-Mpcp-Sba: <base64>` line')
    .option('--file <file>', 'file with the value, - for standard input');
  addVerifyOptions(addPaymentOptions(command))
    .addHelpText(
      'after',
      `\nExample: mpcp-embedded verify header "MPCP eyJhdXRob…" --amount 1800 --config site.json --bundle site.bundle.json${EXIT_CODES}`,
    )
    .action((words: readonly string[], options: PaymentOptions & { readonly file?: string }) => {
      if (words.length > 0 && options.file !== undefined)
        throw new UsageError('the value and --file are both given; give one');
      const value = options.file === undefined ? words.join(' ') : readText(options.file, '--file');
      if (value.trim() === '')
        throw new UsageError(
          options.file === undefined ? 'a header value is needed, or --file FILE' : `--file: ${options.file} is empty`,
        );
      const bytes = headerBytes(value.trim());
      decide(bytes, options, io);
    });
}

function headerBytes(line: string) {
  const name = /^(authorization|x-mpcp-sba)\s*:\s*/i.exec(line);
  const value = name === null ? line : line.slice(name[0].length);
  return name?.[1]?.toLowerCase() === 'x-mpcp-sba'
    ? presentationFromBase64(value)
    : presentationFromAuthorization(value);
}

/** Decides on presentation bytes, or passes on why there are none. */
function decide(bytes: ReturnType<typeof presentationFromBase64>, options: PaymentOptions, io: Io): void {
  const explain = options.explain ?? false;
  const site = siteOf(options, { grantIssuers: true, sbaIssuers: true });
  const request = requestOf(options);
  const ready = readyVerifier(options, site);
  const verdict = 'ok' in bytes ? bytes : ready.verifier.check(bytes, request, { explain });
  showVerdict(io, verdict, ready, explain);
}
