// `bundle samples`: development bundles from the templates in bundles/, in a folder with the keys and site configurations
// that go with them. Keys of an earlier run are used again, so that devices which know that root go on working.

import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { privateJwk, publicJwk, publicPem, type SigningKey } from '../../host-sim/signing/keys.ts';
import { bundleSample, DevelopmentKeys } from '../issue/bundle-samples.ts';
import { readTemplate } from '../issue/bundle-template.ts';
import { type Io, systemReason, UsageError } from './io.ts';
import { located, readArtifact } from './json-file.ts';
import { readPrivateKeyFile } from './key-file.ts';
import { jsonOption, timeValue } from './option-values.ts';
import { checkWritable, makeFolder, type OutputFile, type WriteOptions, writeFiles } from './output-file.ts';
import { packageFolder } from './package-folder.ts';
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
  const out = outFolder(options.out ?? join(source, 'signed'), source);
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
  const files: (OutputFile & { readonly name: string })[] = [];
  const add = (name: string, text: string, how: WriteOptions = {}) =>
    files.push({ name, path: join(out, name), text, ...how });
  add('root.pem', publicPem(root));
  add('root.pub.jwk', JSON.stringify(publicJwk(root), null, 2));
  for (const key of keys.all) {
    if (!keys.kept.includes(key))
      add(keyPath('', key.kid), JSON.stringify(privateJwk(key), null, 2), { mode: 0o600, overwrite: 'keys' });
  }
  for (const { name, sample } of samples) {
    add(`${name}.bundle.json`, sample.bundle);
    add(`${name}.site.json`, JSON.stringify(sample.site, null, 2));
  }
  // What is in the way is found before a folder is made, and before any file is written.
  for (const file of files) if (existsSync(dirname(file.path))) checkWritable(file.path, file);
  makeFolder(dirname(keyPath(out, ROOT_KID)), '--out');
  writeFiles(files);
  const names = [...files.map((file) => file.name), ...keys.kept.map((key) => keyPath('', key.kid))];
  const keptKeys = keys.kept.map((key) => key.kid);
  io.result({ folder: out, files: names, keptKeys }, names.map((name) => join(out, name)).join('\n'));
  if (keptKeys.length > 0) io.note(`note: ${keptKeys.length} keys were there and are kept (--new-keys replaces them)`);
}

/** Where the samples go. @throws UsageError where they cannot */
function outFolder(path: string, source: string): string {
  if (path === '') throw new UsageError('--out "": the folder has no name');
  if (path === '-') throw new UsageError('--out -: a folder is needed; several files are written');
  // What is written there would be taken for templates the next time.
  if (resolve(path) === source) throw new UsageError(`--out ${path}: it is the folder of the templates`);
  return path;
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
