// The streams of the process: output that got lost is no success, and a reader that has had enough is no failure.

import { mkdtempSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Program } from './program.ts';
import { Bench } from './run.ts';

const bench = new Bench();
let program: Program;
let folder: string;

beforeAll(async () => {
  program = new Program();
  await bench.ok('keygen', '--kid', 'k-1', '--out', bench.path('k.jwk'));
});
afterAll(() => {
  bench.remove();
  program.remove();
});
beforeEach(() => {
  folder = mkdtempSync(bench.path('out-'));
});

const GRANT = 'grant issue --policy-hash abcdef012345 --rail xrpl --valid 1d --issuer pa.example --key ../k.jwk';

describe('stdout that takes nothing', () => {
  it.each([
    [GRANT, 'grant issue'],
    [`${GRANT} --json`, 'grant issue'],
    [`${GRANT} --out /dev/stdout`, 'grant issue'],
    ['jwks ../k.jwk', 'jwks'],
    ['grant issue --help', 'grant issue'],
    ['--version', null],
  ])('is told, exit 1: %s', (words, name) => {
    const { code, stderr } = program.shell(`mpcp ${words} > /dev/full`, folder);
    const full = name === null ? 'mpcp-embedded' : `mpcp-embedded ${name}`;
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${full}: cannot write to stdout: no space left\n` });
  });

  it('does not make a wrong call anything else', () => {
    const { code, stderr } = program.shell('mpcp grant issue --json > /dev/full', folder);
    expect(code).toBe(2);
    expect(stderr.split('\n')[0]).toContain("required option '--key <file>' not specified");
  });
});

describe('a private key that is printed', () => {
  it.each([['mpcp keygen >&-'], ['mpcp keygen --json >&-'], ['mpcp keygen --public-out pub.jwk > /dev/null']])(
    'is not made where nobody gets it: %s',
    (line) => {
      const { code, stdout, stderr } = program.shell(line, folder);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toBe(
        'mpcp-embedded keygen: the private key would be lost: stdout is closed or the null device; give --out\n',
      );
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it.each([
    ['mpcp keygen --out /dev/stdout > /dev/null', '/dev/stdout'],
    ['mpcp keygen --out /dev/stdout >&-', '/dev/stdout'],
    ['mpcp keygen --out /dev/null', '/dev/null'],
    ['mpcp keygen --out /dev/fd/3 3> /dev/null', '/dev/fd/3'],
    ['ln -s /dev/null k.jwk; mpcp keygen --force --out k.jwk --public-out pub.jwk', 'k.jwk'],
  ])('is not made where a path keeps nothing: %s', (line, path) => {
    const { code, stdout, stderr } = program.shell(line, folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `mpcp-embedded keygen: the private key would be lost: ${path} keeps nothing; give --out a file\n`,
    );
    expect(readdirSync(folder)).not.toContain('pub.jwk');
  });

  it('is made where a path leads to whoever reads it', () => {
    const { code, stdout } = program.shell('mpcp keygen --force --out /dev/stdout | cat', folder);
    expect(code).toBe(0);
    expect(stdout).toContain('"d"');
  });

  it('is no matter where it goes to a file', () => {
    expect(program.shell('mpcp keygen --out k.jwk >&-', folder).code).toBe(0);
    expect(readdirSync(folder)).toEqual(['k.jwk']);
  });
});

describe('stderr that takes nothing', () => {
  it('does not keep a command from its work', () => {
    expect(program.shell(`mpcp ${GRANT} --out g.json 2> /dev/full`, folder).code).toBe(0);
    expect(readdirSync(folder)).toEqual(['g.json']);
  });
});

describe('a reader that closes early', () => {
  it('ends the program quietly', () => {
    const line = 'mpcp grant issue --help | head -1; mpcp grant issue --help | true';
    expect(program.shell(line, folder)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a program that is ended before its time', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('leaves no files behind: %s', async (signal) => {
    const child = program.start(['demo'], folder, { TMPDIR: folder });
    let stderr = '';
    child.stderr?.on('data', (text) => {
      stderr += text;
    });
    // What it prints first it prints while its files are there.
    child.stdout?.once('data', () => child.kill(signal));
    const ended = await new Promise((done) => child.on('close', (_, by) => done(by)));
    expect([ended, stderr, readdirSync(folder)]).toEqual([signal, '', []]);
  });

  it('leaves none where its reader closes', () => {
    const { stdout, stderr } = program.shell('export TMPDIR="$PWD"; mpcp demo | head -1', folder);
    expect([stdout.slice(0, 4), stderr, readdirSync(folder)]).toEqual(['✓  1', '', []]);
  });
});
