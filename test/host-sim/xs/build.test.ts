// Building the engine: what is in the cache is whole, whoever builds at the same time and whatever breaks off. With a slow
// compiler of the test's own, that writes its output in two parts.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { buildEngine } from '../../../host-sim/xs/build.ts';
import { ENGINE, NATIVE_CRYPTO } from '../../../host-sim/xs/package-source.ts';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import type { Target } from '../../../host-sim/xs/targets.ts';

let folder: string;
let cacheBefore: string | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mpcp-build-'));
  cacheBefore = process.env.MPCP_XS_CACHE;
  process.env.MPCP_XS_CACHE = folder;
  const [engine, sodium] = [ENGINE, NATIVE_CRYPTO].map(({ name, version }) =>
    join(folder, 'packages', `${name.replace('/', '-')}-${version}`),
  );
  write(`${engine}/moddable/xs/sources/xsAll.c`, 'int all;\n');
  const curve = 'crypto_core/ed25519/ref10/ed25519_ref10.c';
  const hashes = ['crypto_hash/sha256/cp/hash_sha256_cp.c', 'crypto_hash/sha512/cp/hash_sha512_cp.c'];
  for (const name of [curve, ...hashes, 'crypto_verify/sodium/verify.c'])
    write(`${sodium}/libsodium/src/libsodium/${name}`, `// ${name}\n`);
});

afterEach(() => {
  if (cacheBefore === undefined) delete process.env.MPCP_XS_CACHE;
  else process.env.MPCP_XS_CACHE = cacheBefore;
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** A target whose compiler writes `begin`, waits, and writes `end`; it fails where a source's name has the word. */
function targetWith({ failingAt = 'nothing' } = {}): Target {
  const compiler = join(folder, 'cc');
  write(
    compiler,
    `#!/bin/sh
if [ "$1" = --version ]; then echo cc 1; exit 0; fi
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

/** All files of a folder of the cache, with what is in them. */
function cached(name: string): readonly (readonly [file: string, text: string])[] {
  return readdirSync(join(folder, name)).map((file) => [file, readFileSync(join(folder, name, file), 'utf8')]);
}

it('two that build the same at once have it whole, and nothing else stays', async () => {
  const target = targetWith();
  const [one, other] = await Promise.all([buildEngine(target), buildEngine(target)]);
  expect(other).toBe(one);
  expect(readFileSync(one as string, 'utf8')).toBe('beginend');
  for (const [file, text] of cached('objects'))
    expect([file, text]).toEqual([expect.stringMatching(/\.o$/), 'beginend']);
  expect(cached('binaries')).toHaveLength(1);
});

it('a source that does not compile: one sentence, no half of an object, and the next try goes on with what is whole', async () => {
  const error = await buildEngine(targetWith({ failingAt: 'xsAll' })).catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(EngineProblem);
  expect((error as EngineProblem).message).toMatch(/cc failed: cannot compile this/);
  const whole = await buildEngine(targetWith());
  expect(readFileSync(whole, 'utf8')).toBe('beginend');
  for (const [file, text] of cached('objects'))
    expect([file, text]).toEqual([expect.stringMatching(/\.o$/), 'beginend']);
});

it('what a build left behind that was killed is never taken for whole', async () => {
  const binary = await buildEngine(targetWith());
  const objects = readdirSync(join(folder, 'objects'));
  rmSync(binary);
  for (const name of objects) {
    rmSync(join(folder, 'objects', name));
    writeFileSync(join(folder, 'objects', `${name}.a-killed-run`), 'begin');
  }
  expect(await buildEngine(targetWith())).toBe(binary);
  for (const name of objects) expect(readFileSync(join(folder, 'objects', name), 'utf8')).toBe('beginend');
});
