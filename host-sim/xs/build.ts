// Builds the engine: XS's C sources and the host's, each compiled once for what it is made of (source, headers, flags,
// compiler), then linked. Everything stays in the cache under the hash of what went into it.

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { ENGINE, NATIVE_CRYPTO, packageFolder } from './package-source.ts';
import { cacheFolder, EngineProblem, projectFolder } from './project.ts';
import { compilerVersion, type Target } from './targets.ts';

const run = promisify(execFile);

/** One C file on the way to its object. */
interface Compilation {
  readonly source: string;
  readonly flags: readonly string[];
  /** Whose text is part of what is built. */
  readonly headers: readonly string[];
}

/** `xsSnapshot.c` needs what a microcontroller does not have; in place of `xsDefaults.c` there is one of the host's. */
const LEFT_OUT = ['xsSnapshot.c', 'xsDefaults.c'];
/** Of libsodium: two hashes, and the curve. */
const CRYPTO_SOURCES = [
  'crypto_core/ed25519/ref10/ed25519_ref10.c',
  'crypto_hash/sha256/cp/hash_sha256_cp.c',
  'crypto_hash/sha512/cp/hash_sha512_cp.c',
  'crypto_verify/sodium/verify.c',
];
const CRYPTO_FLAGS = ['-DCONFIGURED=1', '-DNATIVE_LITTLE_ENDIAN=1'];
/** XS as a device has it: a program that runs code, and parses what the root machine is given. */
const ENGINE_FLAGS = ['-DINCLUDE_XSPLATFORM', '-DXSPLATFORM="platform.h"', '-DmxRun=1', '-DmxParse=1', '-fno-common'];
/** The engine's own sources warn; the host's may not. */
const QUIET = ['-w'];
const STRICT = [
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wno-unused-parameter',
  '-Wno-sign-compare',
  '-Wno-missing-field-initializers',
];

/**
 * The binary for a target; built where the cache has none.
 *
 * @param note told what is going on where it takes seconds
 * @throws EngineProblem where a source does not compile, or the engine cannot be fetched
 */
export async function buildEngine(target: Target, note: (text: string) => void = () => {}): Promise<string> {
  const compilations = await compilationsFor();
  const version = compilerVersion(target);
  const objects = compilations.map((one) => ({ one, object: objectPath(one, target, version) }));
  const binary = join(
    cacheFolder('binaries'),
    `${target.name}-${digest([...objects.map(({ object }) => object), ...target.linkFlags, version])}`,
  );
  if (existsSync(binary)) return binary;
  const missing = objects.filter(({ object }) => !existsSync(object));
  if (missing.length > 0) note(`building XS for ${target.name}: ${missing.length} C files`);
  await inParallel(missing, ({ one, object }) => compile(one, target, object));
  await into(binary, (path) => [
    target.compiler,
    [...target.flags, ...objects.map(({ object }) => object), '-o', path, ...target.linkFlags, '-lm'],
  ]);
  return binary;
}

async function compilationsFor(): Promise<readonly Compilation[]> {
  const engine = join(await packageFolder(ENGINE), 'moddable', 'xs');
  const own = join(projectFolder(), 'host-sim', 'xs', 'c');
  const sodium = join(await packageFolder(NATIVE_CRYPTO), 'libsodium', 'src', 'libsodium');
  const cryptoFlags = [...CRYPTO_FLAGS, ...system(join(sodium, 'include'), join(sodium, 'include', 'sodium'))];
  const headers = ['includes', 'platforms', 'sources'].map((name) => join(engine, name));
  const flags = [...ENGINE_FLAGS, `-I${own}`, ...system(...headers)];
  const platform = [join(own, 'platform.h')];
  // The packages' own headers are pinned with them.
  return [
    ...filesOf(join(engine, 'sources'), '.c')
      .filter((source) => !LEFT_OUT.includes(basename(source)))
      .map((source) => ({ source, flags: [...flags, ...QUIET], headers: platform })),
    ...CRYPTO_SOURCES.map((name) => ({ source: join(sodium, name), flags: [...cryptoFlags, ...QUIET], headers: [] })),
    ...filesOf(own, '.c').map((source) => ({
      source,
      flags: [...flags, ...cryptoFlags, ...STRICT],
      headers: filesOf(own, '.h'),
    })),
  ];
}

/** Folders of headers that are not the project's: they may hold what would warn. */
function system(...folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) => ['-isystem', folder]);
}

function filesOf(folder: string, ending: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}

function objectPath({ source, flags, headers }: Compilation, target: Target, version: string): string {
  const texts = [source, ...headers].map((path) => readFileSync(path, 'utf8'));
  return join(
    cacheFolder('objects'),
    `${basename(source, '.c')}-${digest([...texts, ...flags, ...target.flags, target.compiler, version])}.o`,
  );
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);
}

async function compile({ source, flags }: Compilation, target: Target, object: string): Promise<void> {
  await into(object, (path) => [target.compiler, [...target.flags, ...flags, '-c', source, '-o', path]]);
}

/** Runs a compiler and puts what it makes in its place when it is whole: other runs may look for it at the same time. */
async function into(path: string, call: (path: string) => readonly [string, readonly string[]]): Promise<void> {
  const unfinished = `${path}.${randomUUID()}`;
  const [program, words] = call(unfinished);
  try {
    await run(program, [...words]);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new EngineProblem(`${program} failed: ${(error as { stderr?: string }).stderr ?? (error as Error).message}`);
  }
  renameSync(unfinished, path);
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
