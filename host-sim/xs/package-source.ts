// C sources that come in npm packages: fetched with npm when they are first needed, compared with a pinned hash before
// anything is unpacked, and kept in the cache. They are not among the project's dependencies: nothing of them is run.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, EngineProblem } from './project.ts';

const run = promisify(execFile);

/** An npm package at one version, and what its tarball must hash to. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** As npm writes it: `sha512-` and base64. */
  readonly integrity: string;
}

/** The engine: XS 13.3, in C. */
export const ENGINE: PinnedPackage = {
  name: '@agoric/xsnap',
  version: '0.15.0',
  integrity: 'sha512-ZBm4DZxbtfacxMHVVdJjZi0Y8zOxN77vpu1WwI5RWfPkaRh0aHkz/dVdTGKXalDNzWfz183lljKxlxl3/h0n+A==',
};

/** libsodium 1.0.18, in C: this version of the package carries its sources. */
export const NATIVE_CRYPTO: PinnedPackage = {
  name: 'sodium-native',
  version: '2.4.9',
  integrity: 'sha512-mbkiyA2clyfwAyOFIzMvsV6ny2KrKEIhFVASJxWfsmgfUEymgLIS2MLHHcGIQMkrcKhPErRaMR5Dzv0EEn+BWg==',
};

/**
 * The folder with a package's files; fetched where it is not in the cache.
 *
 * @throws EngineProblem where it cannot be fetched, or is not what is pinned
 */
export async function packageFolder(pinned: PinnedPackage): Promise<string> {
  const folder = join(cacheFolder('packages'), `${pinned.name.replace('/', '-')}-${pinned.version}`);
  if (existsSync(folder)) return folder;
  const work = mkdtempSync(join(cacheFolder('packages'), 'fetching-'));
  try {
    const tarball = join(work, await fetchTarball(pinned, work));
    checkIntegrity(pinned, readFileSync(tarball));
    await unpack(pinned, tarball, work);
    place(join(work, 'package'), folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function fetchTarball({ name, version }: PinnedPackage, target: string): Promise<string> {
  const call = ['pack', `${name}@${version}`, '--json', '--ignore-scripts', '--pack-destination', target];
  try {
    const { stdout } = await run('npm', call, { cwd: target });
    return (JSON.parse(stdout) as { filename: string }[])[0]?.filename.replace('@', '').replace('/', '-') ?? '';
  } catch (error) {
    throw new EngineProblem(`${name}@${version} cannot be fetched with npm: ${wordsOf(error)}`);
  }
}

/** tar leaves out names that lead outside the folder, and then says that it failed. */
async function unpack({ name, version }: PinnedPackage, tarball: string, target: string): Promise<void> {
  try {
    await run('tar', ['-xzf', tarball, '-C', target]);
  } catch (error) {
    throw new EngineProblem(`${name}@${version} cannot be unpacked: ${wordsOf(error)}`);
  }
  if (!existsSync(join(target, 'package')))
    throw new EngineProblem(`${name}@${version} cannot be unpacked: it has no folder named package`);
}

/** What a program said first, or why it could not be started. */
function wordsOf(error: unknown): string | undefined {
  const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
  return (stderr?.trim() || message).split('\n')[0];
}

/** Compares a tarball with its pinned hash. @throws EngineProblem where they differ */
export function checkIntegrity({ name, version, integrity }: PinnedPackage, tarball: Uint8Array): void {
  const found = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  if (found !== integrity) throw new EngineProblem(`${name}@${version} is not what is pinned: its hash is ${found}`);
}

/** Puts a finished folder in its place; another run may have been faster. */
function place(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
