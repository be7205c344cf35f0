// Files that commands write: a failed write leaves what was there, several files come all or none, and what is no
// regular file is written where it is.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemReason, UsageError } from '../../../tools/cli/io.ts';
import { writeFiles } from '../../../tools/cli/output-file.ts';
import { Program } from './program.ts';
import { Bench, run } from './run.ts';

const bench = new Bench();
let program: Program;
let folder: string;
const at = (name: string) => join(folder, name);
const text = (name: string) => readFileSync(at(name), 'utf8');

beforeAll(async () => {
  program = new Program();
  await bench.ok('keygen', '--kid', 'k-1', '--out', bench.path('k.jwk'), '--public-out', bench.path('k.pub.jwk'));
});
afterAll(() => {
  bench.remove();
  program.remove();
});
beforeEach(() => {
  folder = mkdtempSync(bench.path('out-'));
});

/** A call whose output is larger than 1024 bytes, in the words of a shell. */
const LARGE = `intent create --rail xrpl --amount 5 --unchecked-addresses --destination d --reference-id ${'r'.repeat(1000)}`;

describe('a write that fails half-way', () => {
  // The shell's limit on a file's size stands for a full disk: the first bytes are written, the next are refused.
  const limited = (line: string) => program.shell(`ulimit -f 1; ${line}`, folder);

  it('leaves the file that was there as it was, and nothing beside it', () => {
    writeFileSync(at('intent.json'), 'the good one');
    const result = limited(`mpcp ${LARGE} --out intent.json`);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toBe('mpcp-embedded intent create: cannot write intent.json: the file would be too large\n');
    expect(text('intent.json')).toBe('the good one');
    expect(readdirSync(folder)).toEqual(['intent.json']);
  });

  it('leaves no new file', () => {
    expect(limited(`mpcp ${LARGE} --out intent.json`).code).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves neither key of a pair, and the pair that was there', () => {
    const good = 'mpcp keygen --kid k --out k.jwk --public-out k.pub.jwk';
    expect(program.shell(good, folder).code).toBe(0);
    const before = [text('k.jwk'), text('k.pub.jwk')];
    expect(limited(`mpcp keygen --kid ${'k'.repeat(900)} --out k.jwk --public-out k.pub.jwk --force`).code).toBe(2);
    expect([text('k.jwk'), text('k.pub.jwk')]).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual(['k.jwk', 'k.pub.jwk']);
  });
});

describe('files written together', () => {
  it('are all refused where one of them cannot be written, whichever it is', () => {
    mkdirSync(at('folder'));
    writeFileSync(at('a'), 'old');
    const files = [
      { path: at('a'), text: 'new' },
      { path: at('b'), text: 'new' },
      { path: at('folder'), text: 'new' },
    ];
    expect(() => writeFiles(files)).toThrow(UsageError);
    expect(text('a')).toBe('old');
    expect(readdirSync(folder).sort()).toEqual(['a', 'folder']);
  });

  it('are taken back where one fails when others are in their places', () => {
    writeFileSync(at('a'), 'old', { mode: 0o600 });
    const files = [
      { path: at('a'), text: 'new' },
      { path: at('b'), text: 'new' },
      { path: '/dev/full', text: 'new' },
    ];
    expect(() => writeFiles(files)).toThrow('cannot write /dev/full: no space left');
    expect(text('a')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('are refused where two of them are one file', () => {
    writeFileSync(at('a'), 'old');
    linkSync(at('a'), at('hard'));
    symlinkSync('a', at('soft'));
    symlinkSync('nowhere-yet', at('dangling'));
    symlinkSync('.', at('here'));
    for (const [one, other] of [
      ['new', './new'],
      ['new', 'here/new'],
      ['a', 'hard'],
      ['a', 'soft'],
      ['soft', 'hard'],
      ['dangling', 'nowhere-yet'],
    ] as const) {
      const files = [one, other].map((name) => ({ path: `${folder}/${name}`, text: name }));
      expect(() => writeFiles(files), `${one} ${other}`).toThrow('are the same file');
    }
    expect(text('a')).toBe('old');
    expect(readdirSync(folder).sort()).toEqual(['a', 'dangling', 'hard', 'here', 'soft']);
  });
});

describe('a file that is written over', () => {
  it('keeps its permissions', () => {
    writeFileSync(at('a'), 'old');
    chmodSync(at('a'), 0o640);
    writeFiles([{ path: at('a'), text: 'new' }]);
    expect(text('a')).toBe('new\n');
    expect(statSync(at('a')).mode & 0o777).toBe(0o640);
  });

  it('is the one that a symbolic link leads to, and the link stays', () => {
    mkdirSync(at('real'));
    writeFileSync(at('real/a'), 'old');
    symlinkSync('real/a', at('link'));
    symlinkSync('real/b', at('new-link'));
    writeFiles([
      { path: at('link'), text: 'new' },
      { path: at('new-link'), text: 'made' },
    ]);
    expect(readlinkSync(at('link'))).toBe('real/a');
    expect([text('real/a'), text('real/b')]).toEqual(['new\n', 'made\n']);
  });

  it('is not followed through a link where files must not be overwritten', () => {
    symlinkSync('nowhere-yet', at('dangling'));
    expect(() => writeFiles([{ path: at('dangling'), text: 'x', overwrite: false }])).toThrow('it exists');
    expect(existsSync(at('nowhere-yet'))).toBe(false);
  });
});

describe('what is no regular file', () => {
  it('is written where it is: the null device', async () => {
    expect(await run('jwks', bench.path('k.jwk'), '--out', '/dev/null')).toMatchObject({ code: 0, stderr: '' });
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('is written where it is: a named pipe', () => {
    expect(spawnSync('mkfifo', [at('pipe')]).status).toBe(0);
    const line = `mpcp jwks ${bench.path('k.jwk')} --out pipe & cat pipe; wait $!`;
    const result = program.shell(line, folder);
    expect(JSON.parse(result.stdout).keys[0].kid).toBe('k-1');
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
  });

  it('is refused where it takes nothing', async () => {
    expect(await run('jwks', bench.path('k.jwk'), '--out', '/dev/full')).toMatchObject({
      code: 2,
      stderr: 'mpcp-embedded jwks: cannot write /dev/full: no space left\n',
    });
  });

  it('is stdout, also where that is a file which has something in it', () => {
    const key = bench.path('k.jwk');
    for (const name of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', '-']) {
      const result = program.shell(`(echo first; mpcp jwks ${key} --out ${name}; echo last) > all.txt`, folder);
      expect(result, name).toMatchObject({ code: 0, stderr: '' });
      expect(text('all.txt')).toMatch(/^first\n\{[\s\S]*\}\nlast\n$/);
    }
    const piped = program.shell(`mpcp jwks ${key} --out /dev/stdout | cat`, folder);
    expect(JSON.parse(piped.stdout).keys).toHaveLength(1);
  });

  it('is a descriptor that the shell has opened', () => {
    const line = `(echo first >&3; mpcp jwks ${bench.path('k.jwk')} --out /dev/fd/3; echo last >&3) 3> all.txt`;
    expect(program.shell(line, folder)).toMatchObject({ code: 0, stderr: '' });
    expect(text('all.txt')).toMatch(/^first\n\{[\s\S]*\}\nlast\n$/);
  });
});

describe('a reason that the system gives', () => {
  it('is told in words: links in a circle', async () => {
    symlinkSync('two', at('one'));
    symlinkSync('one', at('two'));
    expect((await run('policy', 'hash', at('one'))).stderr).toMatch(/cannot read \S+: too many symbolic links\n$/);
    const written = await run('jwks', bench.path('k.jwk'), '--out', at('one'));
    expect(written).toMatchObject({ code: 2, stdout: '' });
    expect(written.stderr).toMatch(/cannot write \S+: too many symbolic links\n$/);
  });

  it('has words for every code that the system knows', () => {
    for (const [errno, [code]] of getSystemErrorMap()) {
      const words = systemReason(Object.assign(new Error('x'), { code, errno }));
      expect(words, code).not.toMatch(/^E[A-Z0-9]+$/);
      expect(words, code).toMatch(/^[a-z]/);
    }
    expect(systemReason(Object.assign(new Error('x'), { code: 'EIO', errno: -5 }))).toBe('input/output error');
  });
});
