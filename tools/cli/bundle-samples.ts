// `bundle samples`: development bundles from the templates in bundles/, in a folder with the keys and site configurations
// that go with them. Keys of an earlier run are used again, so that devices which know that root go on working.

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { privateJwk, publicJwk, publicPem, type SigningKey } from '../../host-sim/signing/keys.ts';
import { bundleSample, DevelopmentKeys } from '../issue/bundle-samples.ts';
import { readTemplate } from '../issue/bundle-template.ts';
import { checkWritable, type Io, systemReason, UsageError, writeOutput } from './io.ts';
import { located, readArtifact } from './json-file.ts';
import { readPrivateKeyFile } from './key-file.ts';
import { jsonOption, timeValue } from './option-values.ts';
import { siteOf } from './site-file.ts';

/** The kid of the root that signs all of them. */
const ROOT_KID = 'development-root';

interface SamplesOptions {
  readonly out?: string;
  readonly now?: number;
  readonly newKeys?: boolean;
}

/** Makes a command one that writes the samples. */
export function addBundleSamples(command: Command, io: Io): void {
  command
    .description(
      'Sign development bundles from the templates in bundles/ with fresh dates. Writes the bundles, the root public key, a ' +
        'site configuration each, and the private development keys; keys that are in the folder already are used again. ' +
        'Not for the field.',
    )
    .option('--out <dir>', 'folder (default: bundles/signed)')
    .option('--new-keys', 'make all keys anew: devices that know the old root refuse the new bundles')
    .option('--now <time>', 'what counts as now (default: the clock)', timeValue)
    .addHelpText('after', '\nExample: mpcp-embedded bundle samples --out /tmp/bundles')
    .action((options: SamplesOptions) => writeSamples(options, io));
  jsonOption(command);
}

function writeSamples(options: SamplesOptions, io: Io): void {
  const source = join(packageFolder(), 'bundles');
  const out = options.out ?? join(source, 'signed');
  const rules = { nowMs: options.now ?? Date.now(), allowPast: true, checkAddresses: true };
  const keys = new DevelopmentKeys((kid) => (options.newKeys ? undefined : keptKey(keyPath(out, kid), kid)));
  const root = keys.key('the root', ROOT_KID);
  const samples = templateNames(source).map((name) => {
    const path = join(source, name);
    const template = readArtifact(path, 'template', readTemplate);
    const sample = located(path, () => {
      const made = bundleSample(template, root, keys, rules);
      siteOf(made.site);
      return made;
    });
    return { name: basename(name, '.json'), sample };
  });
  makeFolder(dirname(keyPath(out, ROOT_KID)));
  const files: string[] = [];
  const write = (name: string, text: string) => {
    checkWritable(join(out, name));
    writeOutput(io, join(out, name), text);
    files.push(name);
  };
  write('root.pem', publicPem(root));
  write('root.pub.jwk', JSON.stringify(publicJwk(root), null, 2));
  for (const key of keys.all) {
    if (!keys.kept.includes(key)) writeKey(io, keyPath(out, key.kid), key);
    files.push(keyPath('', key.kid));
  }
  for (const { name, sample } of samples) {
    write(`${name}.bundle.json`, sample.bundle);
    write(`${name}.site.json`, JSON.stringify(sample.site, null, 2));
  }
  const keptKeys = keys.kept.map((key) => key.kid);
  io.result({ folder: out, files, keptKeys }, files.map((name) => join(out, name)).join('\n'));
  if (keptKeys.length > 0) io.note(`note: ${keptKeys.length} keys were there and are kept (--new-keys replaces them)`);
}

function keyPath(folder: string, kid: string): string {
  return join(folder, 'keys', `${kid}.jwk`);
}

/** A key of an earlier run. One that is there and cannot be used is not replaced unasked: a device may know it. */
function keptKey(path: string, kid: string): SigningKey | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const key = readPrivateKeyFile(path, undefined, 'development key');
    if (key.kid === kid) return key;
    throw new UsageError(`development key: ${path}: its kid is ${key.kid}, not ${kid}`);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${error.message} (--new-keys makes all keys anew)`);
    throw error;
  }
}

function writeKey(io: Io, path: string, key: SigningKey): void {
  writeOutput(io, path, JSON.stringify(privateJwk(key), null, 2), { mode: 0o600, overwrite: 'keys' });
}

/** The templates of a folder, in order. */
function templateNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch (error) {
    throw new UsageError(`cannot read ${folder}: ${systemReason(error)}`);
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new UsageError(`--out: cannot make ${path}: ${systemReason(error)}`);
  }
}

/** Where the project is, run from its sources or from dist/. */
function packageFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (
      existsSync(manifest) &&
      (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === 'mpcp-embedded'
    )
      return folder;
    if (dirname(folder) === folder)
      throw new UsageError('the bundle templates are not where this program was installed');
  }
}
