// Builds the engine: XS's C sources and the host's, each compiled once for what it is made of (source, headers, flags,
// compiler), then linked. Everything stays in the cache under the hash of what went into it, with a hash of itself at its end.

import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { ENGINE, NATIVE_CRYPTO, unpackPackage } from './package-source.ts';
import { cacheFolder, EngineProblem, projectFolder } from './project.ts';
import { makeScratch, runChild } from './scratch.ts';
import { compilerVersion, type Target } from './targets.ts';

/** One C file on the way to its object. */
interface Compilation {
  readonly source: string;
  readonly flags: readonly string[];
  /** Flags that say where something is, and not what. */
  readonly places: readonly string[];
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
/** The project's own C of a board, and what it includes of ESP-IDF. rv32 has no board here: it has no sockets. */
const BOARD_SOURCES = ['ed25519-strict.c', 'ed25519.c', 'board.c', 'pulses.c'];
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

/** Headers of the packages are not read for an object's name: what is pinned has them. */
const PINNED = [ENGINE.integrity, NATIVE_CRYPTO.integrity];

/**
 * The binary for a target; built where the cache has none, or one that is damaged.
 *
 * @param note told what is going on where it takes seconds
 * @throws EngineProblem where a source does not compile, or the engine cannot be fetched
 */
export async function buildEngine(target: Target, note: (text: string) => void = () => {}): Promise<string> {
  const version = compilerVersion(target);
  const binary = join(cacheFolder('binaries'), `${target.name}-${digest([...madeOf(), ...wordsOf(target), version])}`);
  if (isWhole(binary)) return binary;
  removeLeftOvers();
  const work = makeScratch(BUILDING, cacheFolder());
  try {
    const compilations = await compilationsIn(work.path, target, note);
    const objects = compilations.map((one) => ({ one, object: objectPath(one, target, version) }));
    const missing = objects.filter(({ object }) => !isWhole(object));
    if (missing.length > 0) note(`building XS for ${target.name}: ${missing.length} C files`);
    const flags = [...target.flags, `-ffile-prefix-map=${work.path}=.`];
    await inParallel(missing, ({ one: { source, flags: own, places }, object }) =>
      into(object, work.path, target.compiler, [...flags, ...own, ...places, '-c', source]),
    );
    const parts = [...target.flags, ...objects.map(({ object }) => object), ...target.linkFlags, '-lm'];
    await into(binary, work.path, target.compiler, parts);
    return binary;
  } finally {
    work.remove();
  }
}

const BUILDING = 'building';
const DAY_MS = 86_400_000;

/** What a build left behind that could not end itself. */
function removeLeftOvers(): void {
  for (const name of readdirSync(cacheFolder())) {
    const path = join(cacheFolder(), name);
    const changedMs = name.startsWith(`${BUILDING}-`) ? statSync(path, { throwIfNoEntry: false })?.mtimeMs : undefined;
    if (changedMs !== undefined && Date.now() - changedMs > DAY_MS) rmSync(path, { recursive: true, force: true });
  }
}

function ownFolder(): string {
  return join(projectFolder(), 'host-sim', 'xs', 'c');
}

function boardFolder(): string {
  return join(projectFolder(), 'device', 'native');
}

/** All that is the same for every target: what is pinned, the host's files, and how they are compiled. */
function madeOf(): readonly string[] {
  const own = [ownFolder(), boardFolder()].flatMap((folder) => [...filesOf(folder, '.c'), ...filesOf(folder, '.h')]);
  const texts = own.flatMap((path) => [basename(path), readFileSync(path, 'utf8')]);
  return [...PINNED, ...texts, ...LEFT_OUT, ...CRYPTO_SOURCES, ...CRYPTO_FLAGS, ...ENGINE_FLAGS, ...QUIET, ...STRICT];
}

function wordsOf(target: Target): readonly string[] {
  return [target.compiler, ...target.flags, ...target.linkFlags];
}

/** What is compiled; the packages' sources are unpacked into the folder. */
async function compilationsIn(
  work: string,
  target: Target,
  note: (text: string) => void,
): Promise<readonly Compilation[]> {
  const engine = join(await unpackPackage(ENGINE, work, note), 'moddable', 'xs');
  const sodium = join(await unpackPackage(NATIVE_CRYPTO, work, note), 'libsodium', 'src', 'libsodium');
  const own = ownFolder();
  const cryptoPlaces = system(join(sodium, 'include'), join(sodium, 'include', 'sodium'));
  const places = [`-I${own}`, ...system(...['includes', 'platforms', 'sources'].map((name) => join(engine, name)))];
  const platform = [join(own, 'platform.h')];
  return [
    ...filesOf(join(engine, 'sources'), '.c')
      .filter((source) => !LEFT_OUT.includes(basename(source)))
      .map((source) => ({ source, flags: [...ENGINE_FLAGS, ...QUIET], places, headers: platform })),
    ...CRYPTO_SOURCES.map((name) => ({
      source: join(sodium, name),
      flags: [...CRYPTO_FLAGS, ...QUIET],
      places: cryptoPlaces,
      headers: [],
    })),
    ...filesOf(own, '.c').map((source) => ({
      source,
      flags: [...ENGINE_FLAGS, ...CRYPTO_FLAGS, ...STRICT],
      places: [...places, `-I${join(own, 'board')}`, ...cryptoPlaces],
      headers: filesOf(own, '.h'),
    })),
    ...(target.name === 'rv32' ? [] : BOARD_SOURCES).map((name) => ({
      source: join(boardFolder(), name),
      flags: [...ENGINE_FLAGS, ...STRICT],
      places: [`-I${join(own, 'board')}`, ...places, ...cryptoPlaces],
      headers: filesOf(boardFolder(), '.h'),
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
    `${basename(source, '.c')}-${digest([...PINNED, ...texts, ...flags, ...target.flags, target.compiler, version])}.o`,
  );
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);
}

/** Bytes at the end of a file of the cache: SHA-256 of those before. Neither linkers nor loaders look there. */
const SEAL_BYTES = 32;

function sealOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Whether a file of the cache is there, and as it was made. */
function isWhole(path: string): boolean {
  try {
    const bytes = readFileSync(path);
    const end = Math.max(0, bytes.length - SEAL_BYTES);
    return sealOf(bytes.subarray(0, end)).equals(bytes.subarray(end));
  } catch {
    return false;
  }
}

/** Runs a compiler and puts what it makes in its place when it is whole: other runs may look for it at the same time. */
async function into(path: string, work: string, compiler: string, words: readonly string[]): Promise<void> {
  const unfinished = join(work, basename(path));
  const reason = await runChild(compiler, [...words, '-o', unfinished], {
    env: { ...process.env, TMPDIR: work },
  }).then(
    ({ code, signal, stderr }) => {
      if (code === 0) return undefined;
      const lines = stderr.split('\n').filter((line) => line.trim() !== '');
      return lines.find((line) => line.includes('error')) ?? lines[0] ?? `killed by ${signal}`;
    },
    (error: NodeJS.ErrnoException) => `it cannot be started: ${error.code}`,
  );
  if (reason !== undefined) throw new EngineProblem(`${compiler} failed: ${reason}`);
  try {
    appendFileSync(unfinished, sealOf(readFileSync(unfinished)));
    renameSync(unfinished, path);
  } catch (error) {
    throw new EngineProblem(`${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Where one fails no other is begun, and those that were are waited for. */
async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    try {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
    } finally {
      waiting.length = 0;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: availableParallelism() }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
