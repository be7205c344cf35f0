// `keygen` and `jwks`: signing keys, and the public halves as an issuer publishes them.

import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { Option } from 'commander';
import {
  generateKey,
  privateJwk,
  privatePem,
  publicJwk,
  publicPem,
  thumbprint,
} from '../../../host-sim/signing/keys.ts';
import { type Io, UsageError } from '../io.ts';
import { readPublicHalf } from '../key-file.ts';
import { collected, jsonOption, kidValue } from '../option-values.ts';
import { isStdout, type OutputFile, writeFiles, writeOutput } from '../output-file.ts';
import type { Register } from './index.ts';

interface KeygenOptions {
  readonly kid?: string;
  readonly out?: string;
  readonly format: 'jwk' | 'pem';
  readonly publicOut?: string;
  readonly force?: boolean;
}

/** Adds `keygen` and `jwks`. */
export const register: Register = (program: Command, io: Io) => {
  const keygen = program
    .command('keygen')
    .summary('make an Ed25519 key to sign with')
    .description(
      'Make an Ed25519 key to sign with. Prints the public key, its kid and its fingerprint (SHA-256 of the 32 key bytes). ' +
        'The private key goes to --out, readable by its owner only; without --out it is printed.',
    )
    .option('--kid <kid>', "the key's name (default: its JWK thumbprint, RFC 7638)", kidValue)
    .option('--out <file>', 'file for the private key')
    .addOption(new Option('--format <format>', 'of the files').choices(['jwk', 'pem']).default('jwk'))
    .option('--public-out <file>', 'file for the public key')
    .option('--force', 'overwrite files that exist')
    .addHelpText('after', '\nExample: mpcp-embedded keygen --kid pa-2026 --out pa.jwk --public-out pa.pub.jwk')
    .action((options: KeygenOptions) => makeKey(options, io));
  jsonOption(keygen);

  const jwks = program
    .command('jwks')
    .summary('put public keys into the document an issuer publishes')
    .description(
      'Put public keys into the document an issuer publishes at /.well-known/mpcp-keys.json. Takes private or public keys ' +
        '(JWK or PEM); a private member never gets out.',
    )
    .argument('<file...>', 'key files')
    .option(
      '--kid <kid>',
      'kids for the files, in their order (default: of a JWK its own, else the thumbprint) (repeatable)',
      collected(kidValue),
    )
    .option('--out <file>', 'write it there; left out: stdout')
    .addHelpText('after', '\nExample: mpcp-embedded jwks pa.jwk old-pa.pub.pem --out mpcp-keys.json')
    .action((files: readonly string[], options: { readonly kid?: readonly string[]; readonly out?: string }) => {
      const document = jwksOf(files, options.kid ?? []);
      writeOutput(io, options.out, JSON.stringify(document, null, 2));
      if (io.json && !isStdout(options.out)) {
        io.out(JSON.stringify({ written: options.out, kids: document.keys.map((key) => key.kid) }, null, 2));
      }
    });
  jsonOption(jwks);
};

/** True for the null device and its like, under whatever name: `/dev/stdout` may lead there. */
function keepsNothing(path: string): boolean {
  try {
    if (!statSync(path).isCharacterDevice()) return false;
    const fd = openSync(path, constants.O_WRONLY | constants.O_NOCTTY);
    try {
      return !isatty(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Whoever writes it says what is wrong with it.
    return false;
  }
}

function makeKey(options: KeygenOptions, io: Io): void {
  if (options.out === '-' || options.publicOut === '-')
    throw new UsageError('--out and --public-out need a file; without --out the key is printed');
  if (options.out === undefined && io.lost)
    throw new UsageError('the private key would be lost: stdout is closed or the null device; give --out');
  if (options.out !== undefined && keepsNothing(options.out))
    throw new UsageError(`the private key would be lost: ${options.out} keeps nothing; give --out a file`);
  const unnamed = generateKey('');
  const key = { ...unnamed, kid: options.kid ?? thumbprint(unnamed.publicKey) };
  const secret = options.format === 'pem' ? privatePem(key) : JSON.stringify(privateJwk(key), null, 2);
  const open = options.format === 'pem' ? publicPem(key) : JSON.stringify(publicJwk(key), null, 2);
  const overwrite = options.force ? 'keys' : false;
  const files: OutputFile[] = [];
  if (options.out !== undefined) files.push({ path: options.out, text: secret, mode: 0o600, overwrite });
  if (options.publicOut !== undefined) files.push({ path: options.publicOut, text: open, overwrite });
  // Together: a private key must not be left behind by a command that failed.
  writeFiles(files);
  const fingerprint = createHash('sha256').update(key.publicKey).digest('hex');
  const about = `public key   ${publicJwk(key).x}\nkid          ${key.kid}\nfingerprint  ${fingerprint}`;
  const document = {
    kid: key.kid,
    publicKey: publicJwk(key),
    fingerprint,
    ...(options.out === undefined
      ? { privateKey: options.format === 'pem' ? secret : privateJwk(key) }
      : { written: options.out }),
    ...(options.publicOut === undefined ? {} : { publicWritten: options.publicOut }),
  };
  if (options.out === undefined && !io.json) {
    io.note(about);
    io.out(secret.trimEnd());
  } else io.result(document, about);
  if (options.format === 'pem' && options.kid !== undefined) {
    io.note('note: a PEM carries no kid; give --kid where it is used, else it goes by its thumbprint');
  }
}

/** The document with the public halves of key files. */
function jwksOf(files: readonly string[], kids: readonly string[]) {
  if (kids.length > files.length) throw new UsageError(`--kid: ${kids.length} kids for ${files.length} files`);
  const keys = files.map((path, i) => publicJwk(readPublicHalf(path, 'key', kids[i])));
  const twice = keys.find((key, i) => keys.findIndex((other) => other.kid === key.kid) !== i);
  if (twice !== undefined)
    throw new UsageError(`two keys have the kid ${twice.kid}; a verifier would only see the first`);
  return { version: '1.0', keys };
}
