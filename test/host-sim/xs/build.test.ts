// Building the engine: what is in the cache is whole, whoever builds at the same time and whatever breaks off; what was damaged
// there is built anew. With a slow compiler of the test's own, that writes its output in two parts.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildEngine } from '../../../host-sim/xs/build.ts';
import { type PinnedPackage, unpackPackage } from '../../../host-sim/xs/package-source.ts';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import type { Target } from '../../../host-sim/xs/targets.ts';

vi.mock(import('../../../host-sim/xs/package-source.ts'), async (original) => ({
  ...(await original()),
  unpackPackage: vi.fn(unpackSmall),
}));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mpcp-build-'));
  vi.stubEnv('MPCP_XS_CACHE', join(folder, 'cache'));
  vi.mocked(unpackPackage).mockClear();
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Packages with a file or two. */
async function unpackSmall({ name }: PinnedPackage, target: string): Promise<string> {
  const root = join(target, name.replace('/', '-'));
  for (const part of ['includes', 'platforms', 'sources'])
    mkdirSync(join(root, 'moddable', 'xs', part), { recursive: true });
  write(`${root}/moddable/xs/sources/xsAll.c`, 'int all;\n');
  const curve = 'crypto_core/ed25519/ref10/ed25519_ref10.c';
  const hashes = ['crypto_hash/sha256/cp/hash_sha256_cp.c', 'crypto_hash/sha512/cp/hash_sha512_cp.c'];
  for (const one of [curve, ...hashes, 'crypto_verify/sodium/verify.c'])
    write(`${root}/libsodium/src/libsodium/${one}`, `// ${one}\n`);
  return root;
}

/** A target whose compiler writes `begin`, waits, and writes `end`; it fails where a source's name has the word. */
function targetWith({ failingAt = 'nothing' } = {}): Target {
  const compiler = join(folder, 'cc');
  write(
    compiler,
    `#!/bin/sh
if [ "$1" = --version ]; then echo cc 1; exit 0; fi
echo called >> '${join(folder, 'calls')}'
for word; do case "$word" in *${failingAt}*.c) failing=yes;; esac; [ "$before" = -o ] && out=$word; before=$word; done
printf begin >> "$out"
sleep 0.05
if [ "$failing" ]; then echo 'cannot compile this' >&2; exit 1; fi
printf end >> "$out"
`,
  );
  chmodSync(compiler, 0o755);
  return { name: 'm32', compiler, flags: [], linkFlags: [], command: (binary, words) => [binary, words] };
}

/** How often the compiler was called since the last time. */
function calls(): number {
  const file = join(folder, 'calls');
  const count = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
  rmSync(file, { force: true });
  return count;
}

function cachePath(...names: readonly string[]): string {
  return join(folder, 'cache', ...names);
}

const BEGINEND = 'beginend';

/** Names of a folder of the cache, all of whose files must be what a compiler made to its end. */
function wholeFiles(name: string): readonly string[] {
  const names = readdirSync(cachePath(name));
  for (const file of names) expect(made(cachePath(name, file))).toBe(BEGINEND);
  return names;
}

/** What a compiler wrote into a file, without what seals it. */
function made(path: string): string {
  const bytes = readFileSync(path);
  return bytes.subarray(0, bytes.length - 32).toString('utf8');
}

async function problemOf(target: Target): Promise<string> {
  const error = await buildEngine(target).catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(EngineProblem);
  expect((error as EngineProblem).message).not.toContain('\n');
  return (error as EngineProblem).message;
}

it('is done once; what is there needs neither compiler nor packages', async () => {
  const binary = await buildEngine(targetWith());
  const objects = wholeFiles('objects').length;
  expect(calls()).toBe(objects + 1);
  vi.mocked(unpackPackage).mockClear();
  expect(await buildEngine(targetWith())).toBe(binary);
  expect([calls(), vi.mocked(unpackPackage).mock.calls.length]).toEqual([0, 0]);
});

it('two that build the same at once have it whole, and nothing else stays', async () => {
  const target = targetWith();
  const [one, other] = await Promise.all([buildEngine(target), buildEngine(target)]);
  expect(other).toBe(one);
  for (const name of wholeFiles('objects')) expect(name).toMatch(/^[\w-]+\.o$/);
  expect(wholeFiles('binaries')).toHaveLength(1);
  expect(readdirSync(cachePath()).sort()).toEqual(['binaries', 'objects']);
});

it('a source that does not compile: one sentence, no half of an object, and the next try goes on with what is whole', async () => {
  expect(await problemOf(targetWith({ failingAt: 'xsAll' }))).toBe(`${join(folder, 'cc')} failed: cannot compile this`);
  expect(readdirSync(cachePath()).sort()).toEqual(['binaries', 'objects']);
  expect(wholeFiles('binaries')).toEqual([]);
  wholeFiles('objects');
  expect(made(await buildEngine(targetWith()))).toBe(BEGINEND);
});

it('a compiler that cannot be started is named', async () => {
  const target = targetWith();
  // There when it is asked for its version, and not any more when it is to compile.
  write(target.compiler, `#!/bin/sh\nrm "$0"\necho cc 1\n`);
  expect(await problemOf(target)).toBe(`${target.compiler} failed: it cannot be started: ENOENT`);
});

describe('in the cache', () => {
  const DAMAGES: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['is cut off', (bytes) => bytes.subarray(0, bytes.length - 5)],
    ['is cut off before its seal', (bytes) => bytes.subarray(0, bytes.length - 32)],
    ['is empty', () => Buffer.alloc(0)],
    ['has a byte changed', (bytes) => Buffer.from(bytes).fill(0x58, 2, 3)],
    ['has more behind its end', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
  ];

  it.each(DAMAGES)('a binary that %s is linked anew', async (_, damage) => {
    const binary = await buildEngine(targetWith());
    calls();
    writeFileSync(binary, damage(readFileSync(binary)));
    expect(await buildEngine(targetWith())).toBe(binary);
    expect([made(binary), calls()]).toEqual([BEGINEND, 1]);
  });

  it.each(DAMAGES)('an object that %s is compiled anew, and it alone', async (_, damage) => {
    rmSync(await buildEngine(targetWith()));
    calls();
    const [object = ''] = readdirSync(cachePath('objects'));
    writeFileSync(cachePath('objects', object), damage(readFileSync(cachePath('objects', object))));
    await buildEngine(targetWith());
    expect(calls()).toBe(2);
    wholeFiles('objects');
  });

  it('what a build left behind that was killed is never taken, and is gone a day later', async () => {
    await buildEngine(targetWith());
    for (const name of ['building-old', 'building-new']) write(cachePath(name, 'main.o'), 'begin');
    const before = Date.now() / 1000 - 100_000;
    utimesSync(cachePath('building-old'), before, before);
    rmSync(cachePath('binaries'), { recursive: true });
    await buildEngine(targetWith());
    expect(readdirSync(cachePath()).sort()).toEqual(['binaries', 'building-new', 'objects']);
  });
});
