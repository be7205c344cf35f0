// The C of device/native, compiled on a desk as it is on a board: its verdict on every signature there is equals the core's.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { NATIVE_CRYPTO, unpackPackage } from '../../../host-sim/xs/package-source.ts';
import { projectFolder } from '../../../host-sim/xs/project.ts';
import { signatureFile } from '../../../host-sim/xs/signature-file.ts';
import { signatureSets, verdictInNode } from '../../../tools/xs/signatures.ts';
import { missingCompiler } from './compiler.ts';

const root = projectFolder();
const folder = mkdtempSync(join(tmpdir(), 'mpcp-native-'));
const MINUTES = 300_000;

/** libsodium's curve, and what that file asks of others; the sources are those of the test engine. */
const SODIUM = ['crypto_core/ed25519/ref10/ed25519_ref10.c', 'crypto_verify/sodium/verify.c'];
const OWN = [
  'device/native/ed25519-strict.c',
  'device/native/ed25519.c',
  'device/native/board.c',
  'test/device/native/verdicts.c',
];

const why = missingCompiler();
const name = why === undefined ? 'the C functions of a board' : `the C functions of a board (skipped: ${why})`;

describe.skipIf(why !== undefined)(name, () => {
  const program = join(folder, 'verdicts');
  const cases = signatureSets(join(root, 'test/vectors/interop')).flatMap((set) => set.cases);
  let lines: readonly string[] = [];

  beforeAll(async () => {
    const sources = await unpackPackage(NATIVE_CRYPTO, mkdtempSync(join(folder, 'sodium-')), () => {});
    const sodium = join(sources, 'libsodium', 'src', 'libsodium');
    const include = [join(sodium, 'include'), join(sodium, 'include', 'sodium')];
    const memzero = join(folder, 'memory.c');
    writeFileSync(
      memzero,
      '#include <string.h>\nvoid sodium_memzero(void *p, size_t n) { memset(p, 0, n); }\n' +
        'int sodium_is_zero(const unsigned char *b, size_t n) { unsigned char a = 0; while (n--) a |= b[n]; return a == 0; }\n',
    );
    const objects: string[] = [];
    const compile = (source: string, flags: readonly string[]) => {
      const object = join(folder, `${objects.length}.o`);
      execFileSync('gcc', ['-O2', ...flags, '-c', source, '-o', object]);
      objects.push(object);
    };
    const includes = include.flatMap((path) => ['-isystem', path]);
    for (const source of [...SODIUM.map((path) => join(sodium, path)), memzero])
      compile(source, ['-w', '-DCONFIGURED=1', '-DNATIVE_LITTLE_ENDIAN=1', ...includes]);
    // As for a board: with no macro of libsodium's own build.
    const stub = ['test/device/native/stub', 'host-sim/xs/c/board', 'device/native'].flatMap((path) => [
      '-I',
      join(root, path),
    ]);
    for (const source of OWN)
      compile(join(root, source), ['-std=gnu17', '-Wall', '-Wextra', '-Werror', ...stub, ...includes]);
    execFileSync('gcc', [...objects, '-o', program]);
    const [file, digests] = [join(folder, 'cases'), join(folder, 'digests')];
    writeFileSync(file, signatureFile(cases));
    writeFileSync(
      digests,
      Buffer.concat(
        cases.map(({ publicKey, signature, message }) =>
          createHash('sha512').update(signature.subarray(0, 32)).update(publicKey).update(message).digest(),
        ),
      ),
    );
    lines = execFileSync(program, [file, digests], { encoding: 'utf8', maxBuffer: 1e8 }).trimEnd().split('\n');
  }, MINUTES);

  afterAll(() => rmSync(folder, { recursive: true }));

  it(
    'decide on every signature as the core does, and as its source says',
    () => {
      const own = createPortableCrypto();
      expect(cases.length).toBeGreaterThan(100);
      for (const [i, one] of cases.entries()) {
        expect([one.name, lines[i]]).toEqual([one.name, verdictInNode(own, one)]);
        if (one.isGood !== undefined)
          expect([one.name, lines[i]?.split(' ')[0]]).toEqual([one.name, one.isGood ? 'good' : 'bad']);
      }
    },
    MINUTES,
  );

  it('give random numbers with all their bits, tell the bootloader, and feed the watchdog', () => {
    expect(lines.slice(-3)).toEqual([`random ${0xfedcba98 | 0}`, 'firmware 1', 'fed 1']);
  });
});

describe('the C of device/native', () => {
  it('does not use the verification of libsodium, whose newer versions have another profile', () => {
    for (const path of OWN.slice(0, 3))
      expect(readFileSync(join(root, path), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')).not.toMatch(/crypto_sign/);
  });
});
