// C sources that come in npm packages: fetched with npm when they are first needed, compared with a pinned hash each time before
// they are unpacked, and kept in the cache as they came. They are not among the project's dependencies: nothing of them is run.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, EngineProblem } from './project.ts';
import { type Ended, makeScratch, runChild } from './scratch.ts';

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
 * Unpacks a package; fetches it where the cache has none, or one that is damaged.
 *
 * @param target a folder that is there, for a folder with the package's files
 * @param note told where it is fetched
 * @returns the folder with its files
 * @throws EngineProblem where it cannot be fetched, or is not what is pinned
 */
export async function unpackPackage(
  pinned: PinnedPackage,
  target: string,
  note: (text: string) => void,
): Promise<string> {
  const tarball = join(cacheFolder('packages'), `${fileName(pinned)}.tgz`);
  if (!existsSync(tarball) || integrityOf(readFileSync(tarball)) !== pinned.integrity) {
    note(`fetching ${pinned.name}@${pinned.version} with npm`);
    await fetchTarball(pinned, tarball);
  }
  const folder = join(target, fileName(pinned));
  mkdirSync(folder);
  await unpack(pinned, tarball, folder);
  return join(folder, 'package');
}

function fileName({ name, version }: PinnedPackage): string {
  return `${name.replace('/', '-')}-${version}`;
}

/** Puts a tarball in its place when it is whole, and the one that is pinned: other runs may look for it at the same time. */
async function fetchTarball(pinned: PinnedPackage, tarball: string): Promise<void> {
  const { name, version } = pinned;
  const work = makeScratch('fetching', cacheFolder('packages'));
  try {
    const call = ['pack', `${name}@${version}`, '--json', '--ignore-scripts', '--pack-destination', work.path];
    const reason = await runChild('npm', call, { cwd: work.path }).then(npmFailure, (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? 'npm is not on this machine' : `npm cannot be started: ${error.code}`,
    );
    const [file] = readdirSync(work.path).filter((one) => one.endsWith('.tgz'));
    if (reason !== undefined || file === undefined)
      throw new EngineProblem(
        `${name}@${version} cannot be fetched with npm: ${reason ?? 'it gave no tarball'}; the engine is built from it: try again where npm reaches its registry, or put the tarball that "npm pack ${name}@${version}" makes elsewhere at ${tarball}`,
      );
    const fetched = join(work.path, file);
    checkIntegrity(pinned, readFileSync(fetched));
    renameSync(fetched, tarball);
  } finally {
    work.remove();
  }
}

/** Why npm failed, in its own words without its warnings and traces; undefined where it did not. */
function npmFailure({ code, signal, stdout, stderr }: Ended): string | undefined {
  if (code === 0) return undefined;
  const lines = stderr.split('\n').map((line) => line.trim());
  const errors = lines.flatMap((line) => /^npm (?:error|ERR!) (?!code |syscall |errno )(.+)$/.exec(line)?.[1] ?? []);
  const others = lines.filter((line) => line !== '' && !/^npm (?:warn|WARN|notice)\b/.test(line));
  return (
    summaryIn(stdout) ?? errors[0] ?? others[0] ?? (signal === null ? `it ended with ${code}` : `killed by ${signal}`)
  );
}

/** npm's own sentence, where it has put one into its JSON. */
function summaryIn(stdout: string): string | undefined {
  try {
    const { error } = JSON.parse(stdout) as { readonly error?: { readonly summary?: string } };
    return error?.summary?.split('\n')[0] || undefined;
  } catch {
    return undefined;
  }
}

/** tar leaves out names that lead outside the folder, and then says that it failed. */
async function unpack({ name, version }: PinnedPackage, tarball: string, target: string): Promise<void> {
  const reason = await runChild('tar', ['-xzf', tarball, '-C', target]).then(
    ({ code, stderr }) => (code === 0 ? undefined : stderr.trim().split('\n')[0]),
    (error: NodeJS.ErrnoException) => `tar cannot be started: ${error.code}`,
  );
  const isThere = existsSync(join(target, 'package'));
  if (reason !== undefined || !isThere)
    throw new EngineProblem(`${name}@${version} cannot be unpacked: ${reason ?? 'it has no folder named package'}`);
}

/** Compares a tarball with its pinned hash. @throws EngineProblem where they differ */
export function checkIntegrity({ name, version, integrity }: PinnedPackage, tarball: Uint8Array): void {
  const found = integrityOf(tarball);
  if (found !== integrity) throw new EngineProblem(`${name}@${version} is not what is pinned: its hash is ${found}`);
}

function integrityOf(tarball: Uint8Array): string {
  return `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
}
